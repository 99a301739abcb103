"""The one table of moves, and how content is cut into parts."""

from __future__ import annotations

import pytest

from sendoff.domain.delivery import (
    ENDS,
    OPEN,
    TRANSITIONS,
    URGENCY,
    Move,
    PartPlan,
    State,
    after,
    can,
    most_urgent,
    plan_parts,
    sources,
)  # fmt: skip
from sendoff.domain.errors import Dropped, Refused, SendError
from sendoff.domain.post import Content, Item, Mail, Recipient


def test_every_state_can_be_reached_and_only_the_true_ends_are_final() -> None:
    assert {State.SCHEDULED, *TRANSITIONS.values()} == set(State)
    assert set(State) - {state for state, _ in TRANSITIONS} == {State.SENT}


def test_doubt_ends_by_evidence_or_a_word_only() -> None:
    assert {move for state, move in TRANSITIONS if state is State.IN_DOUBT} == {
        Move.FOUND, Move.FOUND_PART, Move.ABSENT, Move.REFUSE,
    }  # fmt: skip


def test_every_end_of_a_try_leads_somewhere_of_its_own() -> None:
    assert set(ENDS) == set(SendError.__subclasses__()) - {Dropped}  # that one ends a look
    assert all(can(State.SENDING, move) for move, _ in ENDS.values())
    assert len({outcome for _, outcome in ENDS.values()}) == len(ENDS)


def test_nothing_is_taken_back_while_bytes_may_have_left() -> None:
    for move in (Move.CANCEL, Move.RESCHEDULE, Move.RETRY, Move.MISS):
        assert not can(State.SENDING, move)
        assert not can(State.IN_DOUBT, move)
    assert not can(State.IN_DOUBT, Move.RELEASE)  # from sending it is for a restart that knows that nothing had left


def test_only_what_was_sent_or_found_becomes_sent() -> None:
    assert {edge for edge, target in TRANSITIONS.items() if target is State.SENT} == {
        (State.SENDING, Move.FINISH), (State.HANDED_OVER, Move.FINISH), (State.IN_DOUBT, Move.FOUND),
    }  # fmt: skip


def test_a_refused_move_says_why() -> None:
    with pytest.raises(Refused, match="can’t be cancelled: it is leaving right now"):
        after(State.SENDING, Move.CANCEL)
    with pytest.raises(Refused, match="settle the doubt first"):
        after(State.IN_DOUBT, Move.RETRY)
    assert after(State.HELD, Move.RESCHEDULE) is State.HELD


def test_sources_are_the_guard_of_a_move() -> None:
    assert set(sources(Move.BEGIN)) == {State.CLAIMED}
    assert State.SENT not in sources(Move.CANCEL)


def test_a_chip_shows_the_most_urgent_state() -> None:
    assert most_urgent([State.SENT, State.SCHEDULED, State.IN_DOUBT, State.FAILED]) is State.IN_DOUBT
    assert set(URGENCY) == set(State)
    assert State.SENDING in OPEN


PEOPLE = tuple(Recipient(f"p{number}@example.org") for number in range(2500))


@pytest.mark.parametrize(
    ("content", "mail", "batch", "expected"),
    [
        (Content((Item("a"),)), False, 1, [(0, 0, 0)]),
        (Content((Item("a"), Item("b"), Item("c"))), False, 1, [(0, 0, 0), (1, 0, 0), (2, 0, 0)]),
        (Content((Item("a"),), Mail(to=PEOPLE[:3])), True, 1000, [(0, 0, 3)]),
        (Content((Item("a"),), Mail(to=PEOPLE[:3], separately=True)), True, 1, [(0, 0, 1), (0, 1, 1), (0, 2, 1)]),
        (Content((Item("a"),), Mail(to=PEOPLE, separately=True)), True, 1000,
         [(0, 0, 1000), (0, 1000, 1000), (0, 2000, 500)]),
        (Content((Item("a"), Item("b")), Mail(to=PEOPLE[:1])), True, 1, [(0, 0, 1)]),
        (Content(), True, 1000, [(0, 0, 0)]),
    ],
)  # fmt: skip
def test_content_is_cut_into_parts(
    content: Content, mail: bool, batch: int, expected: list[tuple[int, int, int]]
) -> None:
    assert plan_parts(content, mail=mail, batch=batch) == tuple(PartPlan(*one) for one in expected)
