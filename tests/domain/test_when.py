"""Times as people write them, in zones that jump; and the lateness rule."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sendoff.domain.errors import AmbiguousTime, BadInput
from sendoff.domain.when import (
    LateRule,
    When,
    describe,
    distance,
    next_free,
    parse_late,
    parse_when,
    resolve,
    short,
    span_text,
)

BERLIN = "Europe/Berlin"
NOW = datetime(2026, 11, 23, 18, 52, tzinfo=ZoneInfo(BERLIN))  # a Monday


def test_a_span_ends_at_a_whole_second_as_it_is_read_back() -> None:
    now = NOW.replace(microsecond=40_000)
    assert parse_when("in 50 s", now, BERLIN).wall == datetime(2026, 11, 23, 18, 52, 51)
    assert parse_when("in 50.96 s", now, BERLIN).wall == datetime(2026, 11, 23, 18, 52, 51)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("now", "2026-11-23T18:52"),
        ("+90s", "2026-11-23T18:53:30"),
        ("+2h", "2026-11-23T20:52"),
        ("+1h30m", "2026-11-23T20:22"),
        ("in 20 min", "2026-11-23T19:12"),
        ("in an hour", "2026-11-23T19:52"),
        ("in 1 hour and 5 minutes", "2026-11-23T19:57"),
        ("tomorrow 9", "2026-11-24T09:00"),
        ("tomorrow at 9:15", "2026-11-24T09:15"),
        ("today 23:59", "2026-11-23T23:59"),
        ("tue 9am", "2026-11-24T09:00"),
        ("mon 9", "2026-11-30T09:00"),  # nine is past today
        ("mon 20", "2026-11-23T20:00"),
        ("next mon 20", "2026-11-30T20:00"),
        ("Friday, 12pm", "2026-11-27T12:00"),
        ("24 nov 18:30", "2026-11-24T18:30"),
        ("Nov 24 2026 6:30 pm", "2026-11-24T18:30"),
        ("24.11. 9:00", "2026-11-24T09:00"),
        ("24.11.2027 9:00", "2027-11-24T09:00"),
        ("1 january 9", "2027-01-01T09:00"),  # the next one
        ("noon", "2026-11-24T12:00"),
        ("midnight", "2026-11-24T00:00"),
        ("12am", "2026-11-24T00:00"),
        ("9pm", "2026-11-23T21:00"),
        ("2026-11-24T09:00", "2026-11-24T09:00"),
        ("2026-11-24 9:00", "2026-11-24T09:00"),
        ("2026-11-24T09:00Z", "2026-11-24T10:00"),
        ("20261124T090000Z", "2026-11-24T10:00"),
        ("20261124T0900", "2026-11-24T09:00"),
        ("2026-W48-2T09:00", "2026-11-24T09:00"),
        ("2026-11-24T09", "2026-11-24T09:00"),
        ("2026-11-24T09:00+05:30", "2026-11-24T04:30"),
        ("29 feb 2028 9:00", "2028-02-29T09:00"),
    ],
)
def test_words_become_times(words: str, expected: str) -> None:
    assert parse_when(words, NOW, BERLIN).wall == datetime.fromisoformat(expected)


def test_a_zone_can_be_named_behind_the_time() -> None:
    when = parse_when("tomorrow 9:00 America/New_York", NOW, BERLIN)
    assert (when.zone, when.instant) == ("America/New_York", datetime(2026, 11, 24, 14, tzinfo=UTC))
    assert parse_when("tomorrow 9 utc", NOW, BERLIN).instant == datetime(2026, 11, 24, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("", "There is no time"),
        ("soon", "not a time that Sendoff understands"),
        ("tomorrow", "at what time"),
        ("24 nov", "at what time"),
        ("+5", "not a span of time"),
        ("+1x", "not a span of time"),
        ("in half an hour", "not a span of time"),
        ("31 nov 9:00", "There is no 31 nov"),
        ("29 feb 2027 9", "There is no 29 feb"),
        ("25:00", "not a time"),
        ("13pm", "not a time"),
        ("2026-13-01T00:00", "not a date and time"),
        ("2126-01-01T00:00", "more than ten years"),
        ("+99999999999h", "more than ten years"),
        ("tomorrow 9 Europe/Atlantis", "no time zone “Europe/Atlantis”"),
        ("tomorrow 9 banana", "not a time"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_reason(words: str, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        parse_when(words, NOW, BERLIN)


@pytest.mark.parametrize(
    ("zone", "wall", "choices"),
    [
        (BERLIN, "2027-03-28T02:30", ["2027-03-28T01:30:00+01:00", "2027-03-28T03:30:00+02:00"]),
        (BERLIN, "2027-10-31T02:30", ["2027-10-31T02:30:00+02:00", "2027-10-31T02:30:00+01:00"]),
        ("America/New_York", "2027-03-14T02:00", ["2027-03-14T01:00:00-05:00", "2027-03-14T03:00:00-04:00"]),
        ("Australia/Lord_Howe", "2027-04-04T01:45", ["2027-04-04T01:45:00+11:00", "2027-04-04T01:45:00+10:30"]),
    ],
)
def test_gap_and_fold_are_asked_never_guessed(zone: str, wall: str, choices: list[str]) -> None:
    with pytest.raises(AmbiguousTime) as asked:
        resolve(datetime.fromisoformat(wall), zone)
    assert [one.isoformat() for one in asked.value.choices] == choices


def test_either_choice_of_a_fold_can_be_written_and_is_kept() -> None:
    first = parse_when("2027-10-31T02:30+02:00", NOW, BERLIN)
    second = parse_when("2027-10-31T02:30+01:00", NOW, BERLIN)
    assert (first.wall, first.fold) == (second.wall, 0)
    assert second.fold == 1
    assert second.instant - first.instant == timedelta(hours=1)
    assert "UTC+01:00" in describe(second, NOW)


@pytest.mark.parametrize(
    ("words", "full", "brief"),
    [
        ("tomorrow 9", "Tue 24 Nov 2026, 09:00 Europe/Berlin, in 14 h", "Tue 09:00"),
        ("+90s", "Mon 23 Nov 2026, 18:53:30 Europe/Berlin, in 2 min", "18:53:30"),
        ("30 nov 9", "Mon 30 Nov 2026, 09:00 Europe/Berlin, in 6 days", "30 Nov 09:00"),
        ("1 jan 9", "Fri 1 Jan 2027, 09:00 Europe/Berlin, in 38 days", "1 Jan 2027 09:00"),
        ("now", "Mon 23 Nov 2026, 18:52 Europe/Berlin, now", "18:52"),
    ],
)
def test_times_are_read_back_in_full(words: str, full: str, brief: str) -> None:
    when = parse_when(words, NOW, BERLIN)
    assert describe(when, NOW) == full
    assert short(when, NOW) == brief


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (40, "40 s"), (90, "2 min"), (3600, "1 h"), (9000, "2 h 30 min"), (50_400, "14 h"), (86_400, "1 day"),
     (151_200, "1 day 18 h"), (1_036_800, "12 days")],
)  # fmt: skip
def test_spans(seconds: float, text: str) -> None:
    assert span_text(seconds) == text


def test_the_past_is_called_past() -> None:
    assert distance(timedelta(minutes=-20)) == "20 min ago"


def test_wall_and_zone_survive_the_way_through_an_instant() -> None:
    when = parse_when("2027-07-01 09:00", NOW, BERLIN)
    assert When.at(when.instant, BERLIN) == when


@pytest.mark.parametrize(
    ("text", "rule", "words"),
    [
        ("send", "send", "Send whenever possible"),
        ("ask 2h", "ask 2h", "Up to 2 h late, then ask"),
        ("2h", "ask 2h", "Up to 2 h late, then ask"),
        ("ask:1h30m", "ask 90m", "Up to 1 h 30 min late, then ask"),
        ("skip 30 min", "skip 30m", "Up to 30 min late, then skip it"),
        ("next 2h", "next 2h", "Up to 2 h late, then at the next free time"),
        ("ask 0s", "ask 0s", "Up to 0 s late, then ask"),
    ],
)
def test_lateness_rules(text: str, rule: str, words: str) -> None:
    parsed = parse_late(text)
    assert (str(parsed), parsed.words) == (rule, words)
    assert parse_late(str(parsed)) == parsed


@pytest.mark.parametrize("text", ["", "maybe", "ask", "ask soon", "2"])
def test_what_is_no_rule_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="not a rule for lateness"):
        parse_late(text)


def test_a_rule_allows_up_to_its_span() -> None:
    rule, planned = parse_late("skip 30m"), datetime(2026, 11, 23, 9, tzinfo=UTC)
    assert rule.allows(planned, planned + timedelta(minutes=30))
    assert not rule.allows(planned, planned + timedelta(minutes=31))
    assert LateRule().allows(planned, planned + timedelta(days=400))


@pytest.mark.parametrize(
    ("wall", "now", "taken", "expected"),
    [
        ("2026-11-23T09:00", "2026-11-23T12:00", [], "2026-11-24T09:00"),
        ("2026-11-23T09:00", "2026-11-23T12:00", ["2026-11-24T08:50"], "2026-11-25T09:00"),
        ("2026-11-23T09:00", "2026-11-23T12:00", ["2026-11-24T08:45"], "2026-11-24T09:00"),  # far enough
        ("2026-11-23T09:00", "2026-11-23T12:00", ["2026-11-24T09:14", "2026-11-25T09:00"], "2026-11-26T09:00"),
        ("2026-11-23T23:30", "2026-11-24T00:10", [], "2026-11-24T23:30"),  # still to come today
        ("2026-11-20T09:00", "2026-11-23T08:00", [], "2026-11-23T09:00"),
        ("2027-03-27T02:30", "2027-03-27T12:00", [], "2027-03-28T01:30"),  # the day without 02:30: its first candidate
        ("2026-10-24T02:30", "2026-10-24T12:00", [], "2026-10-25T02:30"),  # the day with two: the first of them
    ],
)
def test_the_next_free_time_keeps_the_time_of_day(wall: str, now: str, taken: list[str], expected: str) -> None:
    def berlin(text: str) -> datetime:
        return When(datetime.fromisoformat(text), "Europe/Berlin").instant

    found = next_free(When(datetime.fromisoformat(wall), "Europe/Berlin"), berlin(now), [berlin(one) for one in taken])
    assert (found.wall.isoformat(timespec="minutes"), found.zone, found.fold) == (expected, "Europe/Berlin", 0)
