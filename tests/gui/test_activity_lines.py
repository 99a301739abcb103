"""The words of Activity's lines, and what can be done with a delivery in each state."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from PySide6.QtGui import QFontMetrics

from sendoff.channels.practice import Practice
from sendoff.channels.registry import Context
from sendoff.domain.account import Account
from sendoff.domain.delivery import Attempt, Delivery, Outcome, State, can
from sendoff.store.activity import Entry
from sendoff.store.timeline import Row
from sendoff.ui.activity import days, lines, trace
from sendoff.ui.activity.deeds import MOVES, Act, deeds_of
from sendoff.ui.activity.lines import View
from sendoff.ui.theme import Look

NOW = datetime(2026, 11, 23, 17, 52, tzinfo=UTC)
SOON = NOW + timedelta(minutes=20)
VIEW = View(NOW, "Europe/Berlin", {})


def row(state: State = State.SENT, **values: object) -> Row:
    own = {name: values.pop(name) for name in tuple(values) if name in Delivery.__dataclass_fields__}
    planned = own.pop("planned_at", NOW - timedelta(hours=1))
    delivery = Delivery(
        id=1, post_id=7, account_id=1, state=state, planned_at=planned, wall="2026-11-23T17:52:00",  # type: ignore[arg-type]
        zone="Europe/Berlin", fold=0, due_at=planned, late="send", give_up_at=NOW, version=1, created_at=NOW,  # type: ignore[arg-type]
    )  # fmt: skip
    made = Row(replace(delivery, **own), "Hello", "practice", "Ada", "@ada", "", 1, int(state is State.SENT), 0)
    return replace(made, **values)  # type: ignore[arg-type]


def entry(*rows: Row) -> Entry:
    return Entry(7, rows[0].delivery.planned_at, rows)


# --- tries --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (Outcome.SENT, "Taken, 200 in 1 ms"),
        (Outcome.LATER, "Try later, 200 after 1 ms · It is full."),
        (Outcome.REFUSED, "Refused, 200 after 1 ms · It is full."),
        (Outcome.NEEDS_LOGIN, "Key not accepted, 200 after 1 ms · It is full."),
        (Outcome.DOUBT, "No answer, 200 after 1 ms · It is full."),
        (None, "Leaving now, 200 · It is full."),
    ],
)
def test_a_try_says_after_how_long_it_ended(outcome: Outcome | None, words: str) -> None:
    ended = NOW + timedelta(milliseconds=1) if outcome else None
    attempt = Attempt(1, 1, 1, NOW, ended, outcome, 200, "It is full.")
    assert trace.words_of(attempt, None, 1) == words


# --- words --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0, "+ 0.0 s"), (0.74, "+ 0.7 s"), (-0.01, "+ 0.0 s"), (20.6, "+ 20.6 s"), (59.9, "+ 59.9 s"),
        (60, "1 min late"), (725, "12 min late"), (3 * 3600, "3 h late"), (-14 * 3600, "14 h early"),
    ],
)  # fmt: skip
def test_planned_against_actual(seconds: float, words: str) -> None:
    assert lines.deviation(timedelta(seconds=seconds)) == words


def test_the_latest_of_several_counts() -> None:
    at = NOW - timedelta(hours=1)
    both = [row(sent_at=at + timedelta(seconds=one)) for one in (0.2, 1.4)]
    assert lines.late_of(entry(*both), VIEW) == "+ 1.4 s"


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (row(State.SENDING), "leaving now"),
        (row(State.CLAIMED), "leaving now"),
        (row(State.SCHEDULED, planned_at=NOW + timedelta(minutes=20)), "in 20 min"),
        (row(State.SCHEDULED, due_at=NOW + timedelta(minutes=20), tries=1), "again 19:12"),
        (row(State.SCHEDULED, due_at=SOON, tries=1, rest_until=NOW + timedelta(hours=1)), "again 19:52"),
        (row(State.SCHEDULED, due_at=SOON, tries=1, ready_at=NOW + timedelta(hours=2)), "again 20:52"),
        (row(State.SCHEDULED, due_at=SOON, tries=1, ready_at=NOW), "again 19:12"),
        (row(State.SCHEDULED, planned_at=SOON, ready_at=NOW + timedelta(minutes=40)), "in 40 min"),
        (row(State.HELD, planned_at=NOW + timedelta(hours=3)), "in 3 h"),
        (row(State.HELD), ""),
        (row(State.FAILED), ""),
    ],
)
def test_what_is_still_to_come(one: Row, words: str) -> None:
    assert lines.late_of(entry(one), VIEW) == words


@pytest.mark.parametrize("words", ["again 22:55:36", "again Wed 09:00", "12 min late", "leaving now"])
def test_there_is_room_for_it(look: Look, words: str) -> None:
    font = look.font(figures=True)
    assert QFontMetrics(font).horizontalAdvance(words) <= days.MARKS - days.LATE - 8


WEB = "https://toot.example/1"


@pytest.mark.parametrize(
    ("rows", "words", "linked"),
    [
        ([row(url=WEB)], "Open", True),
        ([row(url="file:///etc/passwd")], "", False),
        ([row(url="javascript:alert(1)")], "", False),
        ([row(url="smb://server.example/share")], "", False),
        ([row()], "", False),
        ([row(url=WEB), row(url=WEB)], "2 posts", True),
        ([row(url=WEB, parts=4, out=4)], "4 posts", True),
        ([row(State.IN_DOUBT, parts=4, out=3)], "3 of 4", False),
        ([row(State.SCHEDULED, parts=4, out=0)], "4 parts", False),
        ([row(url=WEB), row(State.SENDING)], "1 of 2", False),
        ([row(parts=2, out=2, people=1248)], "1,248 people", False),
        ([row(people=1)], "1 person", False),
    ],
)
def test_what_stands_at_the_right(rows: list[Row], words: str, linked: bool) -> None:
    assert lines.count_of(rows) == (words, linked)


def test_days_are_named_and_counted() -> None:
    tally = {State.SENT: 1204, State.CLAIMED: 1, State.SCHEDULED: 2, State.MISSED: 1}
    today = date(2026, 11, 23)
    assert lines.heading(today, tally, VIEW).words == "Today, Mon 23 Nov · 1,204 sent, 1 missed, 3 scheduled"
    assert lines.heading(today - timedelta(days=1), {}, VIEW).words == "Yesterday, Sun 22 Nov"
    assert lines.heading(date(2025, 12, 31), {State.FAILED: 2}, VIEW).words == "Wed 31 Dec 2025, 2 failed"


def test_the_persons_zone_makes_the_day() -> None:
    late = entry(row(planned_at=datetime(2026, 11, 22, 23, 30, tzinfo=UTC)))
    found = list(lines.lines_of([late], VIEW))
    assert [one.words.split(",")[0] for one in found] == ["Today", "00:30"]
    elsewhere = replace(VIEW, zone="America/New_York")
    assert next(iter(lines.lines_of([late], elsewhere))).words.startswith("Yesterday")


def test_a_line_says_everything_to_a_screen_reader() -> None:
    one = row(sent_at=NOW - timedelta(minutes=59), url=WEB)
    (_, line) = lines.lines_of([entry(one)], VIEW)
    assert line.words == "17:52, Sent, 1 min late, Hello, Ada, Open"


# --- what can be done ---------------------------------------------------------------------------------------------


@pytest.fixture
def practice(tmp_path: object) -> Practice:
    return Practice(Context(None, tmp_path))  # type: ignore[arg-type]


def account(doubt: str = "search", url: str = "") -> Account:
    return Account(1, 1, "practice", "Ada", "@ada", settings={"doubt": doubt}, url=url)


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (row(State.FAILED), ["Edit and reschedule", "Try again", "Dismiss"]),
        (row(State.FAILED, parts=4, out=3), ["Send the rest", "Dismiss"]),
        (row(State.FAILED, acknowledged=True), ["Edit and reschedule", "Try again"]),
        (row(State.MISSED), ["New time", "Send now", "Dismiss"]),
        (row(State.HELD), ["Sign in again"]),
        (row(State.IN_DOUBT), ["Look again", "It is there", "It isn’t, send again"]),
        (row(State.SENDING), []),
        (row(State.SENT), []),
        (row(State.SCHEDULED), []),
        (row(State.SCHEDULED, tries=2), ["Try now"]),
    ],
)
def test_the_buttons_of_a_state_the_safest_first(practice: Practice, one: Row, words: list[str]) -> None:
    assert [deed.words for deed in deeds_of(one, account(), practice) if deed.pressing] == words


def test_where_nobody_can_be_asked_the_person_looks(practice: Practice) -> None:
    acts = [deed.act for deed in deeds_of(row(State.IN_DOUBT), account("ask", WEB), practice)]
    assert acts == [Act.VISIT, Act.THERE, Act.ABSENT]
    acts = [deed.act for deed in deeds_of(row(State.IN_DOUBT), account("ask", "file:///x"), practice)]
    assert acts == [Act.THERE, Act.ABSENT]
    assert [deed.act for deed in deeds_of(row(State.IN_DOUBT), account(), None)] == [Act.THERE, Act.ABSENT]


@pytest.mark.parametrize("state", State)
def test_nothing_is_offered_that_the_state_table_refuses(practice: Practice, state: State) -> None:
    for deed in deeds_of(row(state), account(), practice):
        assert deed.act not in MOVES or can(state, MOVES[deed.act])
    offered = {deed.act for deed in deeds_of(row(state), account(), practice)}
    assert (Act.CANCEL in offered) == can(state, MOVES[Act.CANCEL])
