"""What is out and what can be done with it: taken back, asked for its numbers. One rule for offers and deeds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sendoff.domain.account import Account
from sendoff.domain.channel import Channel
from sendoff.domain.delivery import WAITING, Receipt, State

RESTING = frozenset({State.SENT, State.FAILED, State.MISSED, State.HELD, State.CANCELLED})
"""The states in which nothing of a delivery is on its way."""

ON_ITS_WAY = frozenset({State.CLAIMED, State.SENDING, State.HANDED_OVER})
"""The states in which it is leaving, or about to."""


@dataclass(frozen=True, slots=True)
class Outside:
    """How many parts of a delivery are out, and how many of those only the person says so: they have no number."""

    state: State
    parts: int
    by_hand: int = 0

    @classmethod
    def of(cls, state: State, receipts: Sequence[Receipt]) -> Outside:
        """The same, counted from the receipts of its parts."""
        return cls(state, len(receipts), sum(one.is_by_hand for one in receipts))


def why_not_deleted(it: Outside, channel: Channel) -> str:
    """Why the network can't be asked to delete it, with what to do; "" where it can."""
    if it.state is State.IN_DOUBT:
        return "It is not known whether all of it is out. Settle that first."
    if it.state in ON_ITS_WAY:
        return "It is on its way. Delete it when it is out."
    if it.state in WAITING and it.parts:
        return "The rest of it still waits. Cancel that first, then delete what is out."
    if not it.parts:
        return "Nothing of it is out. Cancel it instead."
    if not channel.can_delete:
        return f"{channel.title} takes nothing back that was sent."
    if it.by_hand:
        return "You said that it is there, so Sendoff does not know its number. Delete it there."
    return ""


def why_no_numbers(it: Outside, account: Account, channel: Channel) -> str:
    """Why the network can't be asked what people did with it, with what to do; "" where it can."""
    if not channel.capabilities.learned(account.learned).numbers:
        return f"{channel.title} does not tell what people did with a post."
    if not channel.may_read(account):
        return f"{channel.title} charges for reading. Allow it in the account first: Sign in again."
    if it.parts <= it.by_hand:
        return "Nothing of it is out that could be asked for."
    return ""


def what_cancelling_did(them: Iterable[Outside]) -> str:
    """What it means that these were cancelled, as a sentence."""
    if any(one.parts for one in them):
        return "Nothing more of it leaves. What is out stays out."
    return "Nothing of it leaves."
