"""What the sheet says after an absence: the deliveries in groups, by what became of them. Words only, no widgets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from sendoff.domain.absence import Absence, Cause
from sendoff.domain.account import Account, wait_span
from sendoff.domain.delivery import State
from sendoff.domain.when import WEEKDAYS, Late, When, clock_text, describe, moment, parse_late, short, span_text
from sendoff.store.absences import Return
from sendoff.store.timeline import Row
from sendoff.ui.states import FACES, HELD, Face

ON_TIME = timedelta(minutes=1)
"""What left no later than this is not called late."""


class Kind(StrEnum):
    """What became of a delivery, in the order of the sheet: what needs the person first, as in Activity."""

    DECIDE = "decide"
    LATE = "late"
    ON_TIME = "on_time"
    MOVED = "moved"
    SKIPPED = "skipped"
    LEFT = "left"
    TO_GO = "to_go"


@dataclass(frozen=True, slots=True)
class View:
    """What the words depend on beside the rows.

    `accounts` are those that there are, by id; `unreached` wait until their hosts answer.
    """

    now: datetime
    zone: str
    accounts: Mapping[int, Account] = field(default_factory=dict)
    unreached: frozenset[int] = frozenset()
    paused: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """One delivery: its times, its words, whose it is, and what became of it."""

    row: Row
    time: str
    text: str
    account: str
    aside: str

    @property
    def said(self) -> str:
        """For a screen reader."""
        return ", ".join(part for part in (self.time, self.text, self.account, self.aside) if part)


@dataclass(frozen=True, slots=True)
class Group:
    """Deliveries that share a fate."""

    kind: Kind
    face: Face
    title: str
    detail: str
    lines: tuple[Told, ...]


_FACES = {
    Kind.DECIDE: FACES[State.IN_DOUBT],
    Kind.LATE: FACES[State.SENT],
    Kind.ON_TIME: FACES[State.SENT],
    Kind.MOVED: Face("scheduled", "calendar-clock", "Moved"),
    Kind.SKIPPED: FACES[State.MISSED],
    Kind.LEFT: FACES[State.MISSED],
    Kind.TO_GO: Face("sending", "hourglass", "Still to go"),
}
_TITLES = {
    Kind.DECIDE: ("1 needs your decision", "{n} need your decision"),
    Kind.LATE: ("1 went out {late} late", "{n} went out late"),
    Kind.ON_TIME: ("1 went out on time", "{n} went out on time"),
    Kind.MOVED: ("1 moved to another time", "{n} moved to another time"),
    Kind.SKIPPED: ("1 was skipped", "{n} were skipped"),
    Kind.LEFT: ("1 stays as it is", "{n} stay as they are"),
    Kind.TO_GO: ("1 is still to go", "{n} are still to go"),
}


def groups(found: Return, view: View) -> tuple[Group, ...]:
    """The deliveries by what became of them; no group is empty."""
    end = max(one.ended_at for one in found.absences)
    by_kind: dict[Kind, list[Row]] = {}
    for row in found.rows:
        by_kind.setdefault(_kind(row, end), []).append(row)
    return tuple(_group(kind, by_kind[kind], view) for kind in Kind if kind in by_kind)


def _kind(row: Row, end: datetime) -> Kind:
    one = row.delivery
    match one.state:
        case State.SENT:
            return Kind.LATE if lateness(row) > ON_TIME else Kind.ON_TIME
        case State.MISSED if parse_late(one.late or "send").action is Late.SKIP:
            return Kind.SKIPPED
        case State.MISSED | State.FAILED | State.IN_DOUBT:
            return Kind.LEFT if one.acknowledged else Kind.DECIDE
        case State.HELD:
            return Kind.DECIDE
        case State.SCHEDULED | State.CLAIMED if one.planned_at > end:
            return Kind.MOVED
        case _:
            return Kind.TO_GO


def lateness(row: Row) -> timedelta:
    """How late it left; nothing where it did not."""
    sent_at = row.delivery.sent_at
    return sent_at - row.delivery.planned_at if sent_at else timedelta()


def _group(kind: Kind, rows: Sequence[Row], view: View) -> Group:
    one, many = _TITLES[kind]
    title = (one if len(rows) == 1 else many).format(n=f"{len(rows):,}", late=_span(lateness(rows[0])))
    lines = tuple(_told(kind, row, view) for row in rows)
    detail = _single(kind, rows[0], view) if len(rows) == 1 else _several(kind, rows, view)
    return Group(kind, _FACES[kind], title, detail, lines)


# --- one delivery -------------------------------------------------------------------------------------------------


def _told(kind: Kind, row: Row, view: View) -> Told:
    one = row.delivery
    time = at(one.planned_at, view)
    if kind is Kind.LATE and one.sent_at:
        time = f"{time} → {_next_to(one.sent_at, one.planned_at, view)}"
    return Told(row, time, row.excerpt or "No words", row.account, _aside(kind, row, view))


def _aside(kind: Kind, row: Row, view: View) -> str:
    match kind:
        case Kind.LATE:
            return f"{_span(lateness(row))} late"
        case Kind.TO_GO:
            return waits(row, view)
        case Kind.LEFT | Kind.DECIDE:
            return FACES[row.delivery.state].word
        case _:
            return ""


def _single(kind: Kind, row: Row, view: View) -> str:
    one = row.delivery
    what = f"“{row.excerpt}” to {row.account}" if row.excerpt else f"A post to {row.account}"
    due = f"{what} was due {at(one.planned_at, view)}."
    match kind:
        case Kind.LATE if one.sent_at:
            sent = _next_to(one.sent_at, one.planned_at, view)
            return f"{what}: {at(one.planned_at, view)}, out at {sent}. {rule_words(row)}"
        case Kind.ON_TIME:
            return f"{what}, {at(one.planned_at, view)}."
        case Kind.MOVED:
            return f"{what} goes {describe(row.when, view.now)}. {rule_words(row)}"
        case Kind.SKIPPED:
            return f"{due} {rule_words(row)}"
        case Kind.TO_GO:
            return f"{due} {waits(row, view)}."
        case Kind.LEFT:
            return f"{due} {FACES[one.state].word}, and you left it so."
        case _:
            return ""  # its own line says it, beside its buttons


def _several(kind: Kind, rows: Sequence[Row], view: View) -> str:
    match kind:
        case Kind.LATE:
            late = sorted(lateness(row) for row in rows)
            least, most = _span(late[0]), _span(late[-1])
            return f"{least} late each." if least == most else f"Between {least} and {most} late, as their rules allow."
        case Kind.ON_TIME:
            return "Each at the time it was planned for."
        case Kind.MOVED:
            first = min(row.delivery.planned_at for row in rows)
            return f"By their rules: at the next free time. The first goes {at(first, view)}."
        case Kind.SKIPPED:
            return "Their rule: skip it when it can’t leave in time."
        case Kind.TO_GO:
            return ". ".join(dict.fromkeys(waits(row, view) for row in rows)) + "."
        case Kind.LEFT:
            return "You left them so. They are in Activity."
        case _:
            return ""


def cause(row: Row, view: View) -> str:
    """Why it needs the person: its own reason, with what to do."""
    one = row.delivery
    if one.state is State.MISSED:
        late = _span(view.now - one.planned_at)
        return f"It was due {at(one.planned_at, view)}, {late} ago. {rule_words(row)}"
    return " ".join(part for part in (f"It was due {at(one.planned_at, view)}.", one.reason, one.advice) if part)


def rule_words(row: Row) -> str:
    """The lateness rule as a sentence."""
    rule = parse_late(row.delivery.late or "send")
    if rule.action is Late.SEND:
        return "It may go whenever possible."
    return f"Its rule: {_lower(rule.words)}."


def waits(row: Row, view: View) -> str:
    """What something that is still to go waits for."""
    one, account = row.delivery, view.accounts.get(row.delivery.account_id)
    if one.state is State.SENDING:
        return "Is leaving now"
    if one.state is State.HANDED_OVER:
        return HELD.word
    if view.paused:
        return "Waits because sending is paused"
    if account and (wait := wait_span(account, view.now, view.zone)):
        return f"{account.name} {_lower(wait)}"
    if one.account_id in view.unreached:
        return f"Waits until {row.account} can be reached"
    if one.tries:
        return f"Is tried again {_lower(moment(one.due_at, view.zone, view.now))}"
    return "Waits for its turn"


def _lower(words: str) -> str:
    return f"{words[:1].lower()}{words[1:]}"


# --- all of it ----------------------------------------------------------------------------------------------------

_BEGAN = {
    Cause.OFF: "Sendoff was off from {0} to {1}",
    Cause.SLEEP: "Your computer slept from {0} to {1}",
    Cause.CLOCK: "This computer’s clock was set from {0} to {1}",
    Cause.PAUSED: "Sending was paused from {0} to {1}",
}


def sentence(found: Return, told: Sequence[Group], view: View) -> str:
    """When nothing could leave, what fell into it, and how much of that needs the person."""
    n, open_ones = len(found.rows), sum(len(one.lines) for one in told if one.kind is Kind.DECIDE)
    fell = f"{n:,} posts fell into that time." if n != 1 else "1 post fell into that time."
    need = {0: "Nothing needs you.", 1: "One needs you."}.get(open_ones, f"{open_ones:,} need you.")
    return f"{_absent(found.absences, view)} {fell} {need}"


def _absent(absences: Sequence[Absence], view: View) -> str:
    if len(absences) > 2:
        begin, end = absences[0].began_at, max(one.ended_at for one in absences)
        return f"Nothing could leave {len(absences)} times between {at(begin, view)} and {at(end, view)}."
    said = [_BEGAN[one.cause].format(at(one.began_at, view), at(one.ended_at, view)) for one in absences]
    return f"{said[0]}." if len(said) == 1 else f"{said[0]}, and {_inside(said[1])}."


def _inside(words: str) -> str:
    """A sentence inside another; the program's name stays as it is."""
    return words if words.startswith("Sendoff") else _lower(words)


def at(instant: datetime, view: View) -> str:
    """A time that may be some days ago: "07:45" today, "yesterday 22:10", "Fri 21:14", "12 Nov 09:00"."""
    when, today = When.at(instant, view.zone), When.at(view.now, view.zone).wall.date()
    days = (today - when.wall.date()).days
    if days == 1:
        return f"yesterday {when.wall:%H:%M}"
    if 1 < days < 7:
        return f"{WEEKDAYS[when.wall.weekday()][:3]} {when.wall:%H:%M}"
    return short(When(when.wall.replace(second=0), when.zone), view.now)


def _next_to(instant: datetime, other: datetime, view: View) -> str:
    """A time beside another one, without the day where that is the same."""
    one, two = When.at(instant, view.zone).wall, When.at(other, view.zone).wall
    return clock_text(one.replace(second=0)) if one.date() == two.date() else at(instant, view)


def _span(span: timedelta) -> str:
    return span_text(max(span.total_seconds(), 0.0))
