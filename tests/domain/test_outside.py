"""What can be done with what is out, as a table."""

from __future__ import annotations

import pytest

from sendoff.domain.channel import Channel
from sendoff.domain.delivery import BY_HAND, Receipt, State
from sendoff.domain.outside import Outside, what_cancelling_did, why_not_deleted


class Net(Channel):
    kind, title, can_delete = "net", "Net", True


@pytest.mark.parametrize(
    ("state", "parts", "by_hand", "words"),
    [
        (State.SENT, 2, 0, ""),
        (State.FAILED, 1, 0, ""),
        (State.CANCELLED, 1, 0, ""),
        (State.SENT, 2, 1, "does not know its number"),
        (State.SENT, 1, 1, "Delete it there"),
        (State.FAILED, 0, 0, "Cancel it instead"),
        (State.SCHEDULED, 0, 0, "Cancel it instead"),
        (State.SCHEDULED, 1, 0, "Cancel that first"),
        (State.HELD, 1, 0, "Cancel that first"),
        (State.CLAIMED, 1, 0, "on its way"),
        (State.SENDING, 0, 0, "on its way"),
        (State.HANDED_OVER, 0, 0, "on its way"),
        (State.IN_DOUBT, 1, 0, "Settle that first"),
    ],
)
def test_what_is_deleted(state: State, parts: int, by_hand: int, words: str) -> None:
    found = why_not_deleted(Outside(state, parts, by_hand), Net())
    assert words in found
    assert bool(words) == bool(found)


def test_a_network_that_takes_nothing_back_says_so() -> None:
    channel = Net()
    channel.can_delete = False
    assert why_not_deleted(Outside(State.SENT, 1), channel) == "Net takes nothing back that was sent."


def test_parts_are_counted_from_receipts() -> None:
    receipts = [Receipt("1"), BY_HAND, Receipt("3")]
    assert Outside.of(State.SENT, receipts) == Outside(State.SENT, 3, 1)


def test_what_is_half_out_is_not_hidden_by_cancelling_it() -> None:
    none, some = Outside(State.CANCELLED, 0), Outside(State.CANCELLED, 1)
    assert what_cancelling_did([none, none]) == "Nothing of it leaves."
    assert "What is out stays out" in what_cancelling_did([none, some])
