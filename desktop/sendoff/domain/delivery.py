"""One post to one account at one time: its states, the one table of moves, its parts, attempts and receipts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sendoff.domain.errors import InDoubt, NeedsLogin, Refused, Rejected, SendError, TryLater
from sendoff.domain.post import Content, Mail
from sendoff.domain.redact import Redactor


class State(StrEnum):
    """Where a delivery stands. Every one of them is a true sentence about the world."""

    SCHEDULED = "scheduled"  # waits for its time
    CLAIMED = "claimed"  # a sender took it; nothing has left
    SENDING = "sending"  # bytes may have left
    HANDED_OVER = "handed_over"  # the endpoint holds it until its time
    SENT = "sent"  # it happened, with a receipt for every part
    FAILED = "failed"  # refused; what has no receipt did not happen
    HELD = "held"  # waits for a sign-in or a person
    IN_DOUBT = "in_doubt"  # may have happened; not known
    MISSED = "missed"  # its time passed beyond what its rule allows; did not happen
    CANCELLED = "cancelled"  # the person took it back; what has no receipt did not happen


class Move(StrEnum):
    """What can happen to a delivery."""

    # by the engine
    CLAIM = "claim"  # a sender takes it shortly before its time
    RELEASE = "release"  # a claim ends with nothing having left
    BEGIN = "begin"  # the next part's intention is written; from here on bytes may leave
    CONTINUE = "continue"  # a part has its receipt, the next one follows
    FINISH = "finish"  # the last part has its receipt
    REFUSE = "refuse"  # the endpoint said no
    POSTPONE = "postpone"  # certainly not sent, another try later
    HOLD = "hold"  # the account needs a sign-in
    DOUBT = "doubt"  # no readable answer
    MISS = "miss"  # later than the rule allows
    HAND_OVER = "hand_over"  # the endpoint took it and holds it until its time
    # by evidence or by the person
    FOUND = "found"  # it is there: the doubtful part has a receipt and was the last
    FOUND_PART = "found_part"  # it is there, and more parts are to follow
    ABSENT = "absent"  # it is surely not there: send it
    # by the person
    RESCHEDULE = "reschedule"  # another time
    RETRY = "retry"  # now
    CANCEL = "cancel"  # not at all


_S, _M = State, Move

TRANSITIONS: Mapping[tuple[State, Move], State] = {
    (_S.SCHEDULED, _M.CLAIM): _S.CLAIMED,
    (_S.SCHEDULED, _M.HOLD): _S.HELD,
    (_S.SCHEDULED, _M.MISS): _S.MISSED,
    (_S.SCHEDULED, _M.RESCHEDULE): _S.SCHEDULED,
    (_S.SCHEDULED, _M.RETRY): _S.SCHEDULED,
    (_S.SCHEDULED, _M.CANCEL): _S.CANCELLED,
    (_S.CLAIMED, _M.RELEASE): _S.SCHEDULED,
    (_S.CLAIMED, _M.BEGIN): _S.SENDING,
    (_S.CLAIMED, _M.REFUSE): _S.FAILED,
    (_S.CLAIMED, _M.POSTPONE): _S.SCHEDULED,
    (_S.CLAIMED, _M.HOLD): _S.HELD,
    (_S.CLAIMED, _M.MISS): _S.MISSED,
    (_S.CLAIMED, _M.RESCHEDULE): _S.SCHEDULED,
    (_S.CLAIMED, _M.RETRY): _S.SCHEDULED,
    (_S.CLAIMED, _M.CANCEL): _S.CANCELLED,
    (_S.SENDING, _M.CONTINUE): _S.SCHEDULED,
    (_S.SENDING, _M.FINISH): _S.SENT,
    (_S.SENDING, _M.REFUSE): _S.FAILED,
    (_S.SENDING, _M.POSTPONE): _S.SCHEDULED,
    (_S.SENDING, _M.HOLD): _S.HELD,
    (_S.SENDING, _M.DOUBT): _S.IN_DOUBT,
    (_S.SENDING, _M.HAND_OVER): _S.HANDED_OVER,
    (_S.SENDING, _M.RELEASE): _S.SCHEDULED,  # after a crash, when it is certain that nothing had left
    (_S.HANDED_OVER, _M.FINISH): _S.SENT,
    (_S.HANDED_OVER, _M.REFUSE): _S.FAILED,
    (_S.HANDED_OVER, _M.DOUBT): _S.IN_DOUBT,
    (_S.HANDED_OVER, _M.CANCEL): _S.CANCELLED,
    (_S.IN_DOUBT, _M.FOUND): _S.SENT,
    (_S.IN_DOUBT, _M.FOUND_PART): _S.SCHEDULED,
    (_S.IN_DOUBT, _M.ABSENT): _S.SCHEDULED,
    (_S.IN_DOUBT, _M.REFUSE): _S.FAILED,
    (_S.FAILED, _M.RETRY): _S.SCHEDULED,
    (_S.FAILED, _M.RESCHEDULE): _S.SCHEDULED,
    (_S.FAILED, _M.CANCEL): _S.CANCELLED,
    (_S.HELD, _M.RELEASE): _S.SCHEDULED,  # the account is signed in again
    (_S.HELD, _M.RETRY): _S.SCHEDULED,
    (_S.HELD, _M.RESCHEDULE): _S.HELD,  # the time may change while it waits for the sign-in
    (_S.HELD, _M.CANCEL): _S.CANCELLED,
    (_S.MISSED, _M.RETRY): _S.SCHEDULED,
    (_S.MISSED, _M.RESCHEDULE): _S.SCHEDULED,
    (_S.MISSED, _M.CANCEL): _S.CANCELLED,
    (_S.CANCELLED, _M.RESCHEDULE): _S.SCHEDULED,  # undo: nothing had left
}

OPEN = frozenset({State.SCHEDULED, State.CLAIMED, State.SENDING, State.HANDED_OVER})
"""The states in which something is still going to happen by itself."""

WAITING = frozenset({State.SCHEDULED, State.CLAIMED, State.HELD})
"""The states in which nothing has left yet and something shall."""

URGENCY = (
    State.IN_DOUBT, State.FAILED, State.HELD, State.MISSED, State.SENDING, State.CLAIMED,
    State.SCHEDULED, State.HANDED_OVER, State.SENT, State.CANCELLED,
)  # fmt: skip
"""Most urgent first: the state that one chip for several deliveries shows."""


def sources(move: Move) -> tuple[State, ...]:
    """The states from which a move is allowed; what a guarded UPDATE asks for."""
    return tuple(state for (state, allowed) in TRANSITIONS if allowed is move)


def after(state: State, move: Move) -> State:
    """The state that a move leads to.

    Raises:
        Refused: the table has no such move, with a sentence that says why.
    """
    try:
        return TRANSITIONS[state, move]
    except KeyError:
        raise Refused(why_not(state, move)) from None


def can(state: State, move: Move) -> bool:
    return (state, move) in TRANSITIONS


def most_urgent(states: list[State]) -> State:
    return min(states, key=URGENCY.index)


def why_not(state: State, move: Move) -> str:
    """The sentence for a refused move."""
    verb = {
        Move.CANCEL: "be cancelled",
        Move.RESCHEDULE: "be moved",
        Move.RETRY: "be sent again",
        Move.FOUND: "be settled",
        Move.FOUND_PART: "be settled",
        Move.ABSENT: "be settled",
    }.get(move, f"take the step “{move}”")
    because = {
        State.SENDING: "it is leaving right now",
        State.CLAIMED: "it is about to leave",
        State.SENT: "it was sent",
        State.IN_DOUBT: "it may have gone out already: settle the doubt first",
        State.CANCELLED: "it was cancelled",
        State.HANDED_OVER: "the endpoint holds it already",
        State.SCHEDULED: "it is still waiting for its time",
        State.FAILED: "it failed, and there is nothing in doubt",
        State.HELD: "it waits for a sign-in, and there is nothing in doubt",
        State.MISSED: "it was missed, and nothing left",
    }[state]
    return f"It can’t {verb}: {because}."


class Outcome(StrEnum):
    """How one attempt ended. An attempt without one is still open: bytes may have left."""

    SENT = "sent"
    REFUSED = "refused"
    NEEDS_LOGIN = "needs_login"
    LATER = "later"
    DOUBT = "doubt"


ENDS: Mapping[type[SendError], tuple[Move, Outcome]] = {
    Rejected: (Move.REFUSE, Outcome.REFUSED),
    NeedsLogin: (Move.HOLD, Outcome.NEEDS_LOGIN),
    TryLater: (Move.POSTPONE, Outcome.LATER),
    InDoubt: (Move.DOUBT, Outcome.DOUBT),
}
"""The four ends of a try other than success: what each does to the delivery, and what is noted with the attempt."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the endpoint answered for a part that it took.

    Args:
        remote_id: the endpoint's own name for it; never empty.
        url: where a person can see it, or "".
        answer: the endpoint's words, shortened.
        refused: recipients that were not taken, each with the endpoint's words; the others were.
        data: what a following part or a later call needs (a record's cid, …), JSON values only.
    """

    remote_id: str
    url: str = ""
    answer: str = ""
    refused: tuple[tuple[str, str], ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_by_hand(self) -> bool:
        """Whether it is the person's word, and not the endpoint's, that it is there."""
        return self.remote_id == BY_HAND.remote_id

    def masked(self, redactor: Redactor) -> Receipt:
        """As it may be kept. Its id and its data stay as they are, because later calls need them."""
        if not (self.url or self.answer or self.refused):
            return self
        clean = redactor.clean
        refused = tuple((who, clean(why)) for who, why in self.refused)
        return replace(self, url=clean(self.url), answer=clean(self.answer), refused=refused)


BY_HAND = Receipt("by hand", answer="You said that it is there.")
"""The receipt of a part that the person found."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of a part, written down before a byte leaves. `request` and `answer` carry no secrets."""

    id: int
    part_number: int
    number: int
    began_at: datetime
    ended_at: datetime | None = None
    outcome: Outcome | None = None
    status: int | None = None
    summary: str = ""
    request: str = ""
    answer: str = ""


@dataclass(frozen=True, slots=True)
class PartPlan:
    """How a part cuts the content: which item of the thread, and which slice of the recipients."""

    item: int = 0
    first: int = 0
    count: int = 0

    @property
    def is_copy(self) -> bool:
        """Whether the part stands on its own: copies of a mail do, the items of a thread do not."""
        return self.count > 0


@dataclass(frozen=True, slots=True)
class Part:
    """One request of a delivery that can take effect once. `key` is its idempotency key, made once and kept."""

    id: int
    number: int
    key: str
    plan: PartPlan = PartPlan()
    frozen: Mapping[str, Any] | None = None
    blob: str | None = None  # the media store's name of the bytes frozen at arming
    prepared: Mapping[str, Any] | None = None
    prepared_at: datetime | None = None
    receipt: Receipt | None = None
    sent_at: datetime | None = None
    refused: str = ""  # why the endpoint said no to this part, where the others go on without it

    @property
    def is_open(self) -> bool:
        """Whether it is still to be sent."""
        return self.receipt is None and not self.refused


@dataclass(frozen=True, slots=True)
class Event:
    """Later news on a delivery: delivered, opened, bounced, refused for one recipient."""

    at: datetime
    kind: str
    recipient: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery as stored.

    `planned_at` is the instant that the person meant, `wall`, `zone` and `fold` the way they said it; `due_at` is the
    next try. `tries` counts the tries spent of the budget. `version` changes with every edit, so that a sender and
    an editor cannot both win. `acknowledged` takes an ended delivery off the "Needs you" list. `looked_at` is when the
    endpoint was last asked about a doubtful one.
    """

    id: int
    post_id: int
    account_id: int
    state: State
    planned_at: datetime
    wall: str
    zone: str
    fold: int
    due_at: datetime
    late: str
    give_up_at: datetime
    version: int
    created_at: datetime
    tries: int = 0
    reason: str = ""
    advice: str = ""
    look_at: datetime | None = None
    looks: int = 0
    began_at: datetime | None = None
    sent_at: datetime | None = None
    acknowledged: bool = False
    looked_at: datetime | None = None


def plan_parts(content: Content, *, mail: bool, batch: int) -> tuple[PartPlan, ...]:
    """Cuts content into parts: one for each item of a thread; for a mail one for each batch of recipients.

    Args:
        mail: the channel sends mail.
        batch: how many people one request can serve with a copy each (mail sent separately only).
    """
    if not mail:
        return tuple(PartPlan(item=number) for number in range(len(content.items)))
    written = content.mail or Mail()
    if not written.separately:
        return (PartPlan(count=len(written.to)),)
    people = len(written.to)
    return tuple(PartPlan(first=first, count=min(batch, people - first)) for first in range(0, people, batch)) or (
        PartPlan(),
    )
