"""The planner without its window: weeks, changes of the clock, places of chips, drags, spans."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from PySide6.QtGui import QFontMetrics, QImage, QPainter

from sendoff.domain.delivery import State
from sendoff.domain.errors import BadInput
from sendoff.domain.when import When
from sendoff.store.timeline import Chip, Seat
from sendoff.ui.planner import days, words
from sendoff.ui.planner.chips import ChipPainter, is_rtl, wrapped
from sendoff.ui.planner.days import Bend, Entry
from sendoff.ui.planner.drag import target
from sendoff.ui.planner.layout import GAP, HEIGHT, LOW, NARROWEST, TALL, Spot, lay_out
from sendoff.ui.planner.list import lines_of
from sendoff.ui.planner.shift import parse_span
from sendoff.ui.theme import Look

MONDAY = date(2026, 11, 23)
MORNING = datetime(2026, 11, 23, 9)


def chip(wall: datetime, zone: str = "UTC", post_id: int = 1, state: State = State.SCHEDULED) -> Chip:
    when = When(wall, zone)
    return Chip(post_id, when.instant, when, state, "words", (Seat(post_id, 1, "practice", "ada", "@ada", state),))


def at(clock: str, post_id: int = 1) -> Entry:
    wall = datetime.fromisoformat(f"2026-11-23 {clock}")
    return Entry(chip(wall, post_id=post_id), wall)


def placed(*clocks: str, width: int = 134) -> list[Spot]:
    return list(lay_out([at(clock, number) for number, clock in enumerate(clocks)], width))


# --- days ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "start", "first"),
    [
        (date(2026, 11, 25), "monday", MONDAY),
        (MONDAY, "monday", MONDAY),
        (MONDAY, "sunday", date(2026, 11, 22)),
        (date(2026, 11, 28), "saturday", date(2026, 11, 28)),
        (date(2026, 11, 27), "saturday", date(2026, 11, 21)),
    ],
)
def test_a_week_begins_where_the_person_likes(day: date, start: str, first: date) -> None:
    assert days.week_of(day, start) == first


@pytest.mark.parametrize(
    ("first", "long", "short", "number"),
    [
        (MONDAY, "23 – 29 November 2026", "23 – 29 Nov 2026", 48),
        (date(2026, 11, 30), "30 November – 6 December 2026", "30 Nov – 6 Dec 2026", 49),
        (date(2026, 12, 28), "28 December 2026 – 3 January 2027", "28 Dec 2026 – 3 Jan 2027", 53),
        (date(2027, 1, 3), "3 – 9 January 2027", "3 – 9 Jan 2027", 1),  # from Sunday on
    ],
)
def test_a_week_has_a_name_and_a_number(first: date, long: str, short: str, number: int) -> None:
    assert (days.title(first), days.title(first, short=True), days.week_number(first)) == (long, short, number)


@pytest.mark.parametrize(
    ("day", "zone", "expected"),
    [
        (date(2027, 3, 28), "Europe/Berlin", Bend(120, 180, skipped=True)),
        (date(2026, 10, 25), "Europe/Berlin", Bend(120, 180, skipped=False)),
        (date(2026, 10, 4), "Australia/Lord_Howe", Bend(120, 150, skipped=True)),
        (MONDAY, "Europe/Berlin", None),
        (date(2026, 11, 1), "America/New_York", Bend(60, 120, skipped=False)),
    ],
)
def test_the_clock_jumps(day: date, zone: str, expected: Bend | None) -> None:
    assert days.bend(day, zone) == expected


def test_days_begin_at_midnight_in_the_zone() -> None:
    assert days.begin(MONDAY, "Europe/Berlin") == datetime(2026, 11, 22, 23, tzinfo=UTC)
    assert days.zone_short(MONDAY, "Europe/Berlin") == "CET"
    assert days.zone_short(MONDAY, "America/Sao_Paulo") == "UTC-3"


def test_a_post_of_another_zone_stands_where_it_is_here() -> None:
    tokyo = chip(datetime(2026, 11, 24, 3, 0), "Asia/Tokyo")
    found = days.by_day([tokyo], "Europe/Berlin")
    assert [(one.wall, one.foreign) for one in found[MONDAY]] == [(datetime(2026, 11, 23, 19, 0), True)]
    said = words.zone_words(found[MONDAY][0], "Europe/Berlin", tokyo.at - timedelta(hours=2))
    assert said == "Planned as Tue 24 Nov, 03:00 Asia/Tokyo · in 2 h"


def test_the_second_of_two_equal_times_is_named() -> None:
    twice = When(datetime(2026, 10, 25, 2, 30), "Europe/Berlin", 1)
    one = Entry(Chip(1, twice.instant, twice, State.SCHEDULED, "", ()), twice.wall)
    assert words.zone_words(one, "Europe/Berlin", twice.instant) == "Europe/Berlin (CET) · now"


# --- places -------------------------------------------------------------------------------------------------------


def test_a_chip_is_tall_where_there_is_room() -> None:
    assert [spot.height for spot in placed("09:00", "10:15", "11:40")] == [LOW, TALL, TALL]
    assert [spot.height for spot in placed("09:00", "10:30")] == [TALL, TALL]
    assert placed("09:00")[0].top == 10 + 9 * 48 + 1


def test_what_overlaps_stands_side_by_side() -> None:
    first, second, third = placed("09:00", "09:00", "10:00")
    assert (first.left, second.left) == (0, first.width + GAP)
    assert first.height == second.height == LOW
    assert second.left + second.width == 134
    assert (third.left, third.width) == (0, 134)


@pytest.mark.parametrize("width", [100, 111, 134, 180, 260])
@pytest.mark.parametrize("count", range(1, 9))
def test_nothing_lies_over_anything_and_nothing_is_lost(count: int, width: int) -> None:
    spots = placed(*(f"09:{number:02}" for number in range(count)), "09:50", width=width)
    for place, one in enumerate(spots):
        assert one.left >= 0
        assert one.left + one.width <= width
        assert one.more or one.width >= NARROWEST - 1
        for other in spots[place + 1 :]:
            beside = one.left + one.width <= other.left or other.left + other.width <= one.left
            below = one.top + one.height <= other.top or other.top + other.height <= one.top
            assert beside or below
    assert sorted(one.chip.post_id for spot in spots for one in spot.entries) == list(range(count + 1))
    assert sum(not spot.more for spot in spots if spot.top == spots[0].top) <= 4


def test_a_crowd_is_folded() -> None:
    spots = placed(*["09:00"] * 7)
    assert [len(spot.entries) for spot in spots] == [1, 1, 5]
    assert [spot.more for spot in spots] == [False, False, True]


def test_the_last_minute_fits_into_the_grid() -> None:
    (spot,) = placed("23:59")
    assert spot.top + LOW <= HEIGHT


# --- dragging -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("clock", "down", "fine", "expected"),
    [
        ("13:07", 0, False, "13:07"),
        ("13:07", 5, False, "13:07"),  # across days the time of day stays
        ("13:07", 12, False, "13:15"),
        ("13:07", 48, False, "14:00"),
        ("13:07", -96, False, "11:00"),
        ("13:07", 4, True, "13:12"),
        ("23:30", 200, False, "23:45"),
        ("00:30", -200, False, "00:00"),
        ("23:30", 200, True, "23:59"),
    ],
)
def test_a_drag_snaps(clock: str, down: int, fine: bool, expected: str) -> None:
    tuesday = MONDAY + timedelta(days=1)
    assert target(at(clock), tuesday, down, fine=fine) == datetime.fromisoformat(f"2026-11-24 {expected}")


# --- words --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "minutes"),
    [("2 h", 120), ("+45 min", 45), ("-1 day 6 h", -1800), ("\u22121h30m", -90), ("90s", 1.5)],
)
def test_spans_are_read(said: str, minutes: float) -> None:
    assert parse_span(said) == timedelta(minutes=minutes)


@pytest.mark.parametrize("said", ["", "tomorrow", "0 min", "two hours", "-", "999999999999 days"])
def test_what_is_no_span_is_refused(said: str) -> None:
    with pytest.raises(BadInput):
        parse_span(said)


def test_the_first_strong_character_says_the_direction() -> None:
    assert is_rtl("123 قهوة coffee")
    assert not is_rtl("☕ coffee قهوة")
    assert not is_rtl("…")


def test_rows_have_a_heading_for_each_day() -> None:
    walls = [datetime(2026, 11, 23, 9), datetime(2026, 11, 23, 10), datetime(2026, 11, 25, 9)]
    lines = lines_of([chip(wall, post_id=7) for wall in walls], "UTC")
    assert [line.key for line in lines] == [(MONDAY,), (7, 0), (7, 1), (date(2026, 11, 25),), (7, 2)]


# --- words on chips -----------------------------------------------------------------------------------------------

WRITTEN = (
    "November at the harbor: your letter", "Wholesale price list, winter", "Donaudampfschifffahrt is back",
    "https://harborcoffee.example/november/letter", "We finally fixed the espresso machine", "قهوة جديدة من إثيوبيا",
)  # fmt: skip


@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.parametrize("inset", [0, 17, 34])
def test_no_word_is_broken_in_its_middle(look: Look, written: str, inset: int) -> None:
    """What is longer than its line ends with the three dots that say so, and every line fits."""
    metrics = QFontMetrics(look.font("small"))
    for width in range(45, 140):
        for lines in (1, 2, 4):
            found = wrapped(written, look.font("small"), width, lines, inset)
            assert 1 <= len(found) <= lines
            rooms = [width - inset] + [width] * (lines - 1)
            assert all(metrics.horizontalAdvance(line) <= room for line, room in zip(found, rooms, strict=False))
            for line in [one.removeprefix("\u200f") for one in found if one and not one.endswith("…")]:
                end = written.index(line) + len(line)
                assert not (line[-1].isalnum() and written[end : end + 1].isalnum())


def test_a_word_that_fits_below_the_marks_goes_there(look: Look) -> None:
    font = look.font("small")
    width = QFontMetrics(font).horizontalAdvance("Wholesale") + 2
    assert wrapped("Wholesale price list", font, width, 3, 17) == ["", "Wholesale", "price list"]
    assert wrapped("A wholesale list", font, width, 3, 17) == ["A", "wholesale", "list"]
    assert wrapped("Wholesaleprices up", font, width, 3)[1:] == ["up"]


# --- folds --------------------------------------------------------------------------------------------------------


def test_a_fold_tells_the_most_urgent_of_what_it_hides(look: Look) -> None:
    """In words, and in the colour and with the icon of that state."""
    hidden = [Entry(chip(MORNING, post_id=number, state=state), MORNING) for number, state in enumerate(
        (State.SENT, State.SCHEDULED, State.IN_DOUBT)
    )]  # fmt: skip
    calm, urgent = (Spot(tuple(one), 0, 0, 28, 42, more=True) for one in (hidden[:2], hidden))
    assert words.fold_words(calm) == "2 more posts"
    assert words.fold_words(urgent) == "3 more posts, the most urgent: In doubt"
    assert words.fold_words(Spot((hidden[0],), 0, 0, 28, 42, more=True)) == "1 more post"
    drawn = []
    for spot in (calm, urgent):
        picture = QImage(28, 42, QImage.Format.Format_RGB32)
        painter = QPainter(picture)
        ChipPainter(look, {}).spot(painter, spot, picture.rect())
        painter.end()
        drawn.append(picture)
    fills = [picture.pixelColor(3, 20).name() for picture in drawn]
    assert fills == [look.color("surface").name(), look.color("doubt.tint").name()]
    below = [{picture.pixelColor(x, y).name() for x in range(5, 23) for y in range(26, 38)} for picture in drawn]
    assert [len(colors) > 1 for colors in below] == [False, True]
