"""The calendar without its looks: weeks and days in the person's zone, and the hours that a change of clock bends."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sendoff.domain.when import MONTHS, WEEKDAYS, When, zone_info
from sendoff.store.timeline import Chip

MINUTES = 24 * 60
DAYS = 7
_STARTS = {"monday": 0, "sunday": 6, "saturday": 5}


@dataclass(frozen=True, slots=True)
class Entry:
    """A chip and where it stands on the wall of the person's zone (naive). `foreign`: it was planned in another."""

    chip: Chip
    wall: datetime
    foreign: bool = False

    @property
    def minutes(self) -> float:
        """Since midnight by the clock on the wall."""
        return self.wall.hour * 60 + self.wall.minute + self.wall.second / 60

    @property
    def clock(self) -> str:
        """ "13:00"; the seconds stand on the card."""
        return f"{self.wall.hour:02}:{self.wall.minute:02}"  # thrice as quick as strftime, and asked for each chip


@dataclass(frozen=True, slots=True)
class Bend:
    """Where the clock jumps in a day: minutes of the wall clock that don't exist, or that come twice."""

    start: int
    end: int
    skipped: bool

    @property
    def words(self) -> str:
        return "Skipped: the clock goes forward" if self.skipped else "Twice: the clock goes back"


def entry(chip: Chip, zone: str) -> Entry:
    """A chip in the person's zone, whatever zone it was planned in."""
    if chip.when.zone == zone:
        return Entry(chip, chip.when.wall)
    return Entry(chip, When.at(chip.at, zone).wall, foreign=True)


def by_day(chips: Iterable[Chip], zone: str) -> dict[date, tuple[Entry, ...]]:
    """The chips of each day, by the clock on the wall."""
    found: dict[date, list[Entry]] = {}
    for chip in chips:
        one = entry(chip, zone)
        found.setdefault(one.wall.date(), []).append(one)
    return {day: tuple(sorted(entries, key=lambda one: one.wall)) for day, entries in found.items()}


def week_of(day: date, week_start: str) -> date:
    """The first day of the week that a day is in; `week_start` as the setting has it."""
    return day - timedelta(days=(day.weekday() - _STARTS.get(week_start, 0)) % DAYS)


def days_of(first: date) -> tuple[date, ...]:
    return tuple(first + timedelta(days=number) for number in range(DAYS))


def begin(day: date, zone: str) -> datetime:
    """The instant at which a day begins in a zone."""
    return datetime.combine(day, time(), zone_info(zone)).astimezone(UTC)


def bend(day: date, zone: str) -> Bend | None:
    """The jump of the clock within a day, if there is one."""
    early, late = begin(day, zone), begin(day + timedelta(days=1), zone)
    info = zone_info(zone)
    before, after = early.astimezone(info).utcoffset(), late.astimezone(info).utcoffset()
    if before is None or after is None or before == after:
        return None
    while late - early > timedelta(minutes=1):
        middle = early + (late - early) / 2
        if middle.astimezone(info).utcoffset() == before:
            early = middle
        else:
            late = middle
    jump = late.replace(second=0, microsecond=0)
    old, new = _minute(jump, before), _minute(jump, after)
    return Bend(min(old, new), max(old, new), skipped=new > old)


def _minute(instant: datetime, offset: timedelta) -> int:
    wall = instant + offset
    return wall.hour * 60 + wall.minute


def zone_short(day: date, zone: str) -> str:
    """What a zone is called on a day: "CET", or "UTC+3" where it has no letters."""
    name = datetime.combine(day, time(12), zone_info(zone)).tzname() or zone
    return name if name[:1].isalpha() else f"UTC{name[0]}{name[1:].lstrip('0') or '0'}"


# --- words --------------------------------------------------------------------------------------------------------


def title(first: date, *, short: bool = False) -> str:
    """A week's name: "23 – 29 November 2026"; `short` cuts the months to three letters."""
    last = first + timedelta(days=DAYS - 1)
    start = str(first.day)
    if first.month != last.month:
        start += f" {_month(first, short)}"
    if first.year != last.year:
        start += f" {first.year}"
    return f"{start} – {last.day} {_month(last, short)} {last.year}"


def _month(day: date, short: bool) -> str:
    name = MONTHS[day.month - 1]
    return name[:3] if short else name


def week_number(first: date) -> int:
    """The week's number by ISO 8601: that of its Thursday."""
    return (first + timedelta(days=(3 - first.weekday()) % DAYS)).isocalendar().week


def day_words(day: date) -> str:
    """ "Wed 25 Nov"."""
    return f"{WEEKDAYS[day.weekday()][:3]} {day.day} {MONTHS[day.month - 1][:3]}"


def day_name(day: date, today: date) -> tuple[str, str]:
    """A day as a heading: its name, and the date beside it."""
    away = (day - today).days
    year = "" if day.year == today.year else f" {day.year}"
    if away in (-1, 0, 1):
        return ("Yesterday", "Today", "Tomorrow")[away + 1], day_words(day) + year
    return WEEKDAYS[day.weekday()], f"{day.day} {MONTHS[day.month - 1][:3]}{year}"
