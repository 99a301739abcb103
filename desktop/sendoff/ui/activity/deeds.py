"""What a person can do with a delivery: derived from the state table, the safest first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from sendoff.domain import price
from sendoff.domain.account import Account
from sendoff.domain.channel import Channel, How
from sendoff.domain.delivery import Move, State, can
from sendoff.domain.outside import RESTING, why_no_numbers, why_not_deleted
from sendoff.store.timeline import Row
from sendoff.ui.links import is_web


class Act(StrEnum):
    """The kinds of things to do."""

    LOOK = "look"  # Sendoff asks the endpoint once more
    VISIT = "visit"  # the person looks at the network
    THERE = "there"
    ABSENT = "absent"
    EDIT = "edit"
    RETRY = "retry"
    DISMISS = "dismiss"
    SIGN_IN = "sign_in"
    CANCEL = "cancel"
    OPEN_LINK = "open_link"
    COPY_LINK = "copy_link"
    NUMBERS = "numbers"  # what people did with it is asked for now
    DELETE = "delete"  # what is out is taken back at the network
    RECEIVED = "received"  # what the practice network shows


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing to do, in words. `pressing` ones stand on buttons, the others only in the menu."""

    act: Act
    words: str
    icon: str = ""
    pressing: bool = True


MOVES: Mapping[Act, Move] = {
    Act.THERE: Move.FOUND,
    Act.ABSENT: Move.ABSENT,
    Act.EDIT: Move.RESCHEDULE,
    Act.RETRY: Move.RETRY,
    Act.CANCEL: Move.CANCEL,
}
"""The moves that some deeds make; they are possible where the state table allows them."""


def deeds_of(row: Row, account: Account | None, channel: Channel | None) -> tuple[Deed, ...]:
    """Everything that can be done with this delivery now."""
    state = row.delivery.state
    found = [
        *_own(row, account, channel),
        Deed(Act.CANCEL, "Cancel it", "x", pressing=False),
        *_anywhere(row, account, channel),
    ]
    return tuple(deed for deed in found if deed.act not in MOVES or can(state, MOVES[deed.act]))


def _own(row: Row, account: Account | None, channel: Channel | None) -> list[Deed]:
    """What a state asks for. A text of which a part is out can't be edited any more."""
    edit = [] if row.out else [Deed(Act.EDIT, "Edit or move", "pencil", pressing=False)]
    match row.delivery.state:
        case State.IN_DOUBT:
            return _in_doubt(account, channel)
        case State.FAILED:
            edit = [] if row.out else [Deed(Act.EDIT, "Edit and reschedule", "pencil")]
            retry = Deed(Act.RETRY, "Send the rest" if row.out else "Try again", "rotate-ccw")
            return [*edit, *_unless_deleted(row, retry), *_dismiss(row)]
        case State.MISSED:
            edit = [] if row.out else [Deed(Act.EDIT, "New time", "calendar-clock")]
            return [*edit, *_unless_deleted(row, Deed(Act.RETRY, "Send now", "send")), *_dismiss(row)]
        case State.HELD:
            sign_in = Deed(Act.SIGN_IN, "Sign in again", "key-round")
            return [sign_in, Deed(Act.RETRY, "Try again", "rotate-ccw", pressing=False), *edit]
        case State.SCHEDULED:
            again = bool(row.delivery.tries)
            return [Deed(Act.RETRY, "Try now" if again else "Send now", "send", pressing=again), *edit]
        case _:
            return []


def _in_doubt(account: Account | None, channel: Channel | None) -> list[Deed]:
    look = []
    if account and channel and not account.removed and channel.settle(account).how is not How.ASK:
        look.append(Deed(Act.LOOK, "Look again", "search"))
    elif account and channel and is_web(account.url):
        look.append(Deed(Act.VISIT, f"Look in {channel.title}", "external-link"))
    return [*look, Deed(Act.THERE, "It is there", "check"), Deed(Act.ABSENT, "It isn’t, send again", "rotate-ccw")]


def _unless_deleted(row: Row, retry: Deed) -> list[Deed]:
    """The rest can't follow what was taken back."""
    return [] if row.deleted else [retry]


def _dismiss(row: Row) -> list[Deed]:
    return [] if row.delivery.acknowledged else [Deed(Act.DISMISS, "Dismiss")]


def _price(row: Row, account: Account, channel: Channel) -> str:
    """What the network charges for it, or ""."""
    cost = price.reading(row.out, channel.capabilities.learned(account.learned))
    return f" ({cost})" if cost else ""


def _anywhere(row: Row, account: Account | None, channel: Channel | None) -> list[Deed]:
    found = []
    if is_web(row.url):
        found.append(Deed(Act.OPEN_LINK, "Open the post", "external-link", pressing=False))
        found.append(Deed(Act.COPY_LINK, "Copy the link", "link", pressing=False))
    if row.channel == "practice" and row.out:
        found.append(Deed(Act.RECEIVED, "What the practice network received", "flask-conical", pressing=False))
    if row.deleted or row.delivery.state not in RESTING or channel is None:
        return found
    if account and not why_no_numbers(row.outside, account, channel):
        words = f"Read likes and replies now{_price(row, account, channel)}"
        found.append(Deed(Act.NUMBERS, words, "refresh-cw", pressing=False))
    if not why_not_deleted(row.outside, channel):
        words = f"Delete from {channel.title}…"  # noqa: S608  # no SQL, but a button
        found.append(Deed(Act.DELETE, words, "trash-2", pressing=False))
    return found
