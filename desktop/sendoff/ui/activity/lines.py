"""The lines of the list, as data: a day, a post of that day, and the room below one that is open."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sendoff.domain.channel import Channel
from sendoff.domain.delivery import State
from sendoff.domain.when import MONTHS, WEEKDAYS, When, clock_text, distance, short, span_text
from sendoff.domain.words import counted
from sendoff.store.activity import Entry
from sendoff.store.timeline import Row
from sendoff.ui.links import is_web
from sendoff.ui.states import FACES, Face

Key = tuple[int, datetime]
"""What tells one entry from the others: its post and its planned instant."""

NOTHING_WRITTEN = "No words"
COUNTED = (
    (State.SENT, "sent"), (State.SENDING, "sending"), (State.IN_DOUBT, "in doubt"), (State.FAILED, "failed"),
    (State.HELD, "waiting for a sign-in"), (State.MISSED, "missed"), (State.HANDED_OVER, "held by the endpoint"),
    (State.SCHEDULED, "scheduled"), (State.CANCELLED, "cancelled"),
)  # fmt: skip
"""How a day's deliveries are counted, in this order."""


@dataclass(frozen=True, slots=True)
class Needs:
    """The place of the card of what needs the person, above the days."""

    key: Hashable = "needs"
    words: str = ""


@dataclass(frozen=True, slots=True)
class Day:
    """The heading of a day: "Today", "Mon 23 Nov · 6 sent, 1 sending"."""

    day: date
    title: str
    aside: str

    @property
    def key(self) -> Hashable:
        return self.day

    @property
    def words(self) -> str:
        return f"{self.title}, {self.aside}"


@dataclass(frozen=True, slots=True)
class Line:
    """One post at one time, as it is painted. `linked`: its count leads to where the post can be seen."""

    key: Key
    time: str
    late: str
    marks: tuple[str, ...]
    text: str
    count: str
    linked: bool
    face: Face
    word: str
    accounts: str
    is_open: bool
    rows: tuple[Row, ...]

    @property
    def words(self) -> str:
        parts = (self.time, self.word, self.late, self.text, self.accounts, self.count)
        return ", ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Room:
    """The place below an open line, for everything that is known of it."""

    of: Key

    @property
    def key(self) -> Hashable:
        return ("room", *self.of)

    @property
    def words(self) -> str:
        return ""


@dataclass(frozen=True, slots=True)
class Earlier:
    """The place of the way on, below as many posts as one list holds."""

    key: Hashable = "earlier"
    words: str = ""


Any = Needs | Day | Line | Room | Earlier


@dataclass(frozen=True, slots=True)
class View:
    """What the words depend on beside the data."""

    now: datetime
    zone: str
    channels: Mapping[str, Channel]
    open_keys: Collection[Key] = ()

    @property
    def today(self) -> date:
        return When.at(self.now, self.zone).wall.date()


def lines_of(entries: Sequence[Entry], view: View) -> Iterator[Any]:
    """Headings, posts and rooms in order. A day's counts are those of the entries given."""
    by_day: dict[date, list[tuple[Entry, datetime]]] = {}
    for entry in entries:
        wall = When.at(entry.planned_at, view.zone).wall
        by_day.setdefault(wall.date(), []).append((entry, wall))
    for day, group in by_day.items():
        yield heading(day, tally_of([entry for entry, _ in group]), view)
        for entry, wall in group:
            made = line_of(entry, wall, view)
            yield made
            if made.is_open:
                yield Room(made.key)


def tally_of(entries: Sequence[Entry]) -> dict[State, int]:
    found: dict[State, int] = {}
    for entry in entries:
        for row in entry.rows:
            found[row.delivery.state] = found.get(row.delivery.state, 0) + 1
    return found


def heading(day: date, tally: Mapping[State, int], view: View) -> Day:
    near = {0: "Today", -1: "Yesterday", 1: "Tomorrow"}.get((day - view.today).days)
    year = f" {day.year}" if day.year != view.today.year else ""
    written = f"{WEEKDAYS[day.weekday()][:3]} {day.day} {MONTHS[day.month - 1][:3]}{year}"
    merged = dict(tally)
    merged[State.SCHEDULED] = merged.get(State.SCHEDULED, 0) + merged.pop(State.CLAIMED, 0)
    counts = ", ".join(f"{merged[state]:,} {word}" for state, word in COUNTED if merged.get(state))
    if near is None:
        return Day(day, written, counts)
    return Day(day, near, f"{written} · {counts}" if counts else written)


def line_of(entry: Entry, wall: datetime, view: View) -> Line:
    """An entry as it is painted; `wall` is its planned time in the person's zone."""
    face = FACES[entry.state]
    names = [row.account for row in entry.rows]
    count, linked = count_of(entry.rows)
    return Line(
        key=(entry.post_id, entry.planned_at),
        time=clock_text(wall),
        late=late_of(entry, view),
        marks=tuple(mark_of(row.channel, view.channels) for row in entry.rows),
        text=entry.rows[0].excerpt or NOTHING_WRITTEN,
        count=count,
        linked=linked,
        face=face,
        word=word_of(entry, view),
        accounts=names[0] if len(names) == 1 else counted(len(names), "account", "accounts"),
        is_open=(entry.post_id, entry.planned_at) in view.open_keys,
        rows=entry.rows,
    )


def mark_of(kind: str, channels: Mapping[str, Channel]) -> str:
    return channels[kind].mark if kind in channels else ""


def word_of(entry: Entry, view: View) -> str:
    """The state's word; of what an endpoint holds, by name."""
    kinds = {row.channel for row in entry.rows}
    if entry.state is State.HANDED_OVER and len(kinds) == 1 and kinds <= view.channels.keys():
        return f"Held by {view.channels[kinds.pop()].title}"
    return FACES[entry.state].word


def late_of(entry: Entry, view: View) -> str:
    """How far from its time it left, or when it will."""
    state = entry.state
    if state in (State.SENDING, State.CLAIMED):
        return "leaving now"
    if state is State.SCHEDULED:
        due = min(row.leaves_at for row in entry.rows if row.delivery.state is State.SCHEDULED)
        if any(row.delivery.tries for row in entry.rows):
            return f"again {short(When.at(due, view.zone), view.now)}"
        return distance(due - view.now)
    if state is State.HELD and entry.planned_at > view.now:
        return distance(entry.planned_at - view.now)
    sent = [row.delivery.sent_at - entry.planned_at for row in entry.rows if row.delivery.sent_at]
    return deviation(max(sent)) if sent else ""


def deviation(span: timedelta) -> str:
    """Planned against actual: "+ 0.7 s", "12 min late", "3 h early"."""
    seconds = span.total_seconds()
    if -0.05 <= seconds < 60:
        return f"+ {max(seconds, 0.0):.1f} s"
    return f"{span_text(abs(seconds))} {'late' if seconds > 0 else 'early'}"


def count_of(rows: Sequence[Row]) -> tuple[str, bool]:
    """What stands at the right ("3 of 4", "1,248 people", "2 posts"), and whether it is a link to the post."""
    parts, out = sum(row.parts for row in rows), sum(row.out for row in rows)
    people, seen = sum(row.people for row in rows), sum(is_web(row.url) for row in rows)
    if 0 < out < parts:
        return f"{out} of {parts}", False
    if people:
        return counted(people, "person", "people"), False
    if all(row.deleted for row in rows):
        return "Deleted", False
    if seen:
        return ("Open" if parts == 1 else counted(parts, "post", "posts")), True
    return (counted(parts, "part", "parts") if parts > len(rows) else ""), False
