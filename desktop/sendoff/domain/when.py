"""Wall time and zone to an instant and back, the words people use for times, and the lateness rule."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sendoff.domain.errors import AmbiguousTime, BadInput

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
FARTHEST = timedelta(days=10 * 366)
"""A time further ahead than this is taken for a slip of the keyboard."""

PAST = timedelta(minutes=1)
"""A time that is past by no more than this means now; one further back is a mistake."""


class Clock(Protocol):
    """Where the time comes from; injected everywhere."""

    def now(self) -> datetime:
        """The wall clock, aware UTC."""

    def monotonic(self) -> float:
        """Seconds that never jump, and stand still while the computer sleeps."""

    def slept(self) -> float:
        """Seconds that the computer has slept since it was started; 0.0 where that is not known."""


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant, told by a clock that people set and by one that nobody can set.

    Args:
        wall: the wall clock of then, aware UTC.
        boot: the name of that start of the computer; "" where the steady clock was not read.
        ticks: seconds since that start, sleep included.
    """

    wall: datetime
    boot: str = ""
    ticks: float = 0.0


@dataclass(frozen=True, slots=True)
class When:
    """A wall time in a zone: what the person chose. `fold` is 1 for the second of two equal wall times in autumn."""

    wall: datetime  # naive
    zone: str
    fold: int = 0

    @property
    def instant(self) -> datetime:
        """The instant in UTC, by today's rules of the zone."""
        return self.local.astimezone(UTC)

    @property
    def local(self) -> datetime:
        return self.wall.replace(tzinfo=zone_info(self.zone), fold=self.fold)

    @classmethod
    def at(cls, instant: datetime, zone: str) -> When:
        local = instant.astimezone(zone_info(zone))
        return cls(local.replace(tzinfo=None, fold=0), zone, local.fold)


def to_come(when: When, now: datetime) -> When:
    """The same time, if it is still to come.

    Raises:
        BadInput: it is past.
    """
    if when.instant < now - PAST:
        raise BadInput(f"{describe(when, now)}: that is past. Choose a time that is still to come, or “now”.")
    return when


@lru_cache(maxsize=64)
def zone_info(name: str) -> ZoneInfo:
    """The zone of an IANA name.

    Raises:
        BadInput: there is no such zone.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadInput(f"There is no time zone “{name}”. Zones are written like Europe/Berlin or UTC.") from None


def resolve(wall: datetime, zone: str) -> When:
    """A naive wall time in a zone, if it means exactly one instant.

    Raises:
        AmbiguousTime: it does not exist (gap) or exists twice (fold); the error carries both candidates.
    """
    info = zone_info(zone)
    first, second = wall.replace(tzinfo=info, fold=0), wall.replace(tzinfo=info, fold=1)
    if first.utcoffset() == second.utcoffset():
        return When(wall, zone)
    exists = first.astimezone(UTC).astimezone(info).replace(tzinfo=None) == wall
    day = f"{wall:%H:%M} on {_day(wall.date())} in {zone}"
    if exists:
        raise AmbiguousTime(
            f"{day} happens twice, because the clock is set back. Write {first.isoformat()} or {second.isoformat()}.",
            (first, second),
        )
    # In a gap fold=0 reads the wall time with the offset before the jump, which lands after it, and the reverse.
    later, earlier = (one.astimezone(UTC).astimezone(info) for one in (first, second))
    raise AmbiguousTime(
        f"{day} does not exist, because the clock is set forward. Take {earlier:%H:%M} or {later:%H:%M}.",
        (earlier, later),
    )


# --- words --------------------------------------------------------------------------------------------------------

_UNITS = {"s": 1, "sec": 1, "second": 1, "m": 60, "min": 60, "minute": 60, "h": 3600, "hour": 3600, "hr": 3600,
          "d": 86_400, "day": 86_400, "w": 604_800, "week": 604_800}  # fmt: skip
_STEP = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]+?)s?(?=[\s\d]|$)")
_CLOCK = re.compile(
    r"(?P<h>\d{1,2})(?:[:.](?P<m>\d{2})(?::(?P<s>\d{2}))?)?\s*(?P<half>am|pm)?(?:\s*(?:o'?clock|h|uhr))?"
)
_ISO = re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:?\d{2}|(?:\d{4}-\d{2}-\d{2}|\d{8}|\d{4}-?w\d{2}-?\d)t\d{2}")
_ZONE = re.compile(r"\s+(utc|[A-Za-z]+(?:/[A-Za-z_+\-0-9]+)+)$", re.IGNORECASE)
_EXAMPLES = "Write it like 2026-11-24 09:00, “tomorrow 9:00”, “tue 9”, “24 nov 18:30”, “in 20 min” or +2h."


def parse_when(words: str, now: datetime, zone: str) -> When:
    """Reads a time as people write it.

    Understood: ISO 8601 (with or without an offset), `now`, `+90s`, `+1h30m`, `in 20 min`, `tomorrow 9:00`,
    `tue 9am`, `24 nov 2026 18:30`, `24.11. 9:00`, `noon`, and a zone's name after any of them.

    Args:
        now: the instant of asking, aware.
        zone: the person's zone, unless the words end with another.

    Raises:
        BadInput: not understood, or too far away; the message says what can be written.
        AmbiguousTime: the time falls into a change of the clock.
    """
    text = " ".join(words.split())
    if named := _ZONE.search(text):
        zone = "UTC" if named[1].lower() == "utc" else named[1]
        text = text[: named.start()]
    zone_info(zone)
    if not text:
        raise BadInput(f"There is no time. {_EXAMPLES}")
    when = _iso(text, zone) or _relative(text.lower(), now, zone) or _spoken(text.lower(), now, zone)
    if when is None:
        raise BadInput(f"“{words.strip()}” is not a time that Sendoff understands. {_EXAMPLES}")
    if when.instant - now > FARTHEST:
        raise BadInput(f"{_day(when.wall.date())} is more than ten years away. Is the year right?")
    return when


def _iso(text: str, zone: str) -> When | None:
    if not _ISO.match(text.lower()):
        return None
    try:
        stamp = datetime.fromisoformat(text.upper().replace(" ", "T", 1).replace(" ", ""))
    except ValueError as wrong:
        raise BadInput(f"“{text}” is not a date and time: {wrong}. {_EXAMPLES}") from None
    if stamp.tzinfo is not None:
        return When.at(stamp, zone)
    return resolve(stamp, zone)


def _relative(text: str, now: datetime, zone: str) -> When | None:
    if text == "now":
        return When.at(now, zone)
    if text.startswith("+"):
        rest = text[1:]
    elif text.startswith("in "):
        rest = text[3:]
    else:
        return None
    rest = re.sub(r"\b(?:an?|one)\b", "1", rest).replace(" and ", " ")
    seconds = _seconds(rest)
    if seconds is None:
        raise BadInput(f"“{text}” is not a span of time. Write it like +90s, +2h, +1h30m or “in 20 min”.")
    if seconds > FARTHEST.total_seconds():
        raise BadInput(f"“{text}” is more than ten years away.")
    at = now + timedelta(seconds=seconds)
    whole = at.replace(microsecond=0)
    return When.at(whole if whole == at else whole + timedelta(seconds=1), zone)  # what is read back has no fractions


def _seconds(text: str) -> float | None:
    """A span like "1h 30 min" in seconds; None if it is none."""
    seconds, rest = 0.0, text
    while rest.strip():
        step = _STEP.match(rest)
        if not step or step[2] not in _UNITS:
            return None
        seconds += float(step[1]) * _UNITS[step[2]]
        rest = rest[step.end() :]
    return seconds if text.strip() else None


def _spoken(text: str, now: datetime, zone: str) -> When | None:
    local = now.astimezone(zone_info(zone))
    text = text.replace(",", " ").replace(" at ", " ")
    day, rest = _leading_day(" ".join(text.split()), local)
    clock = _time_of_day(rest)
    if clock is None:
        if day is not None and not rest:
            raise BadInput(f"{_day(day)}: at what time? Write it like “{text.strip()} 9:00”.")
        return None
    if day is None:
        day = local.date()
        if datetime.combine(day, clock) <= local.replace(tzinfo=None):
            day += timedelta(days=1)
    return resolve(datetime.combine(day, clock), zone)


def _leading_day(text: str, local: datetime) -> tuple[date | None, str]:
    """Splits "tomorrow 9" into the day and the rest; the day is None where none is named."""
    today = local.date()
    first, _, rest = text.partition(" ")
    if first in ("today", "tonight", "tomorrow", "tmrw"):
        return today + timedelta(days=first in ("tomorrow", "tmrw")), rest
    skip = 0
    if first in ("next", "this", "on"):
        skip = 7 if first == "next" else 0
        first, _, rest = rest.partition(" ")
    weekday = _index(first, WEEKDAYS)
    if weekday is not None:
        ahead = (weekday - today.weekday()) % 7
        clock = _time_of_day(rest)
        if ahead == 0 and (skip or (clock and datetime.combine(today, clock) <= local.replace(tzinfo=None))):
            return today + timedelta(days=7), rest
        return today + timedelta(days=ahead), rest
    if skip:
        return None, text
    return _date(text, today)


_DATES = (
    re.compile(r"(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})\b"),
    re.compile(r"(?P<d>\d{1,2})\.(?P<m>\d{1,2})\.(?P<y>\d{4})?"),
    re.compile(r"(?P<d>\d{1,2})(?:st|nd|rd|th|\.)? (?P<month>[a-z]{3,9})\.?(?: (?P<y>\d{4})\b)?"),
    re.compile(r"(?P<month>[a-z]{3,9})\.? (?P<d>\d{1,2})(?:st|nd|rd|th)?\b(?!:)(?: (?P<y>\d{4})\b)?"),
)


def _date(text: str, today: date) -> tuple[date | None, str]:
    for pattern in _DATES:
        found = pattern.match(text)
        if not found:
            continue
        parts = found.groupdict()
        month = int(parts["m"]) if parts.get("m") else (_index(parts["month"], MONTHS) or 0) + 1
        if parts.get("month") and _index(parts["month"], MONTHS) is None:
            continue
        year = int(parts["y"]) if parts["y"] else today.year
        try:
            day = date(year, month, int(parts["d"]))
            if not parts["y"] and day < today:
                day = day.replace(year=year + 1)
        except ValueError:
            raise BadInput(f"There is no {found[0].strip()} in {year}.") from None
        return day, text[found.end() :].strip()
    return None, text


def _index(word: str, names: tuple[str, ...]) -> int | None:
    """Which weekday or month a word means; three letters are enough."""
    word = word.rstrip(".")
    if len(word) < 3:
        return None
    return next((number for number, name in enumerate(names) if name.lower().startswith(word)), None)


def _time_of_day(text: str) -> time | None:
    text = text.strip()
    if text in ("noon", "midday"):
        return time(12)
    if text == "midnight":
        return time(0)
    found = _CLOCK.fullmatch(text)
    if not found:
        return None
    hour, minute, second = (int(found[part] or 0) for part in ("h", "m", "s"))
    if found["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if found["half"] == "pm" else 0)
    try:
        return time(hour, minute, second)
    except ValueError:
        return None


# --- reading back -------------------------------------------------------------------------------------------------


def describe(when: When, now: datetime) -> str:
    """The time in full: "Tue 24 Nov 2026, 09:00 Europe/Berlin, in 14 h"."""
    return (
        f"{_day(when.wall.date())}, {clock_text(when.wall)}{_which(when)} {when.zone}, {distance(when.instant - now)}"
    )


def short(when: When, now: datetime) -> str:
    """The time for a button or a strip: "09:00" today, "Tue 09:00" this week, "24 Nov 09:00" later."""
    today = now.astimezone(zone_info(when.zone)).date()
    away = (when.wall.date() - today).days
    clock = clock_text(when.wall)
    if away == 0:
        return clock
    if 0 < away < 7:
        return f"{WEEKDAYS[when.wall.weekday()][:3]} {clock}"
    year = f" {when.wall.year}" if when.wall.year != today.year else ""
    return f"{when.wall.day} {MONTHS[when.wall.month - 1][:3]}{year} {clock}"


def moment(instant: datetime, zone: str, now: datetime) -> str:
    """A time beside other words: "Today 14:00", "Fri 11:00", "22 Nov 19:00"."""
    when = When.at(instant, zone)
    words = short(when, now)
    return f"Today {words}" if when.wall.date() == When.at(now, zone).wall.date() else words


def within(words: str) -> str:
    """A time of `moment` or `exact` in the middle of a sentence: "today 14:00", "Fri 11:00"."""
    return f"today{words[5:]}" if words.startswith("Today") else words


def exact(instant: datetime, zone: str, now: datetime) -> str:
    """A time to a tenth of a second: "Today 14:00:00.2", "22 Nov 14:00:00.2"."""
    wall = When.at(instant, zone).wall
    today = wall.date() == When.at(now, zone).wall.date()
    day = "Today" if today else f"{wall.day} {MONTHS[wall.month - 1][:3]}"
    return f"{day} {wall:%H:%M:%S}.{wall.microsecond // 100_000}"


def clock_text(wall: datetime) -> str:
    return f"{wall:%H:%M:%S}" if wall.second else f"{wall:%H:%M}"


def distance(span: timedelta) -> str:
    """How far away: "in 14 h", "in 3 days", "now", "20 min ago"."""
    seconds = span.total_seconds()
    size = span_text(abs(seconds))
    if abs(seconds) < 1:
        return "now"
    return f"in {size}" if seconds > 0 else f"{size} ago"


def span_text(seconds: float) -> str:
    """A span in one or two units: "40 s", "5 min", "2 h 30 min", "1 day 18 h", "12 days"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes = round(whole / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes and hours < 4 else f"{round(hours + minutes / 60)} h"
    days, hours = divmod(round(hours + minutes / 60), 24)
    plural = "day" if days == 1 else "days"
    return f"{days} {plural} {hours} h" if hours and days < 3 else f"{days} {plural}"


def _day(day: date) -> str:
    return f"{WEEKDAYS[day.weekday()][:3]} {day.day} {MONTHS[day.month - 1][:3]} {day.year}"


def _which(when: When) -> str:
    """Names the offset where the wall time alone would not tell."""
    info = zone_info(when.zone)
    offsets = {when.wall.replace(tzinfo=info, fold=fold).utcoffset() for fold in (0, 1)}
    return f" ({_offset(when.local)})" if len(offsets) > 1 else ""


def _offset(local: datetime) -> str:
    text = f"{local:%z}"
    return f"{local.tzname()}, UTC{text[:3]}:{text[3:5]}"


# --- lateness -----------------------------------------------------------------------------------------------------


class Late(StrEnum):
    """What to do with a delivery that could not leave in time."""

    SEND = "send"  # whenever it becomes possible
    ASK = "ask"  # up to `within` late it goes; after that a person decides
    SKIP = "skip"  # up to `within` late it goes; after that it does not
    NEXT = "next"  # up to `within` late it goes; after that at the same time of the next day that is free


@dataclass(frozen=True, slots=True)
class LateRule:
    """The lateness rule of a delivery. Written "send", "ask 2h", "skip 30m", "next 2h"."""

    action: Late = Late.SEND
    within: timedelta = timedelta()

    def allows(self, planned_at: datetime, now: datetime) -> bool:
        return self.action is Late.SEND or now - planned_at <= self.within + GRACE

    def __str__(self) -> str:
        if self.action is Late.SEND:
            return "send"
        return f"{self.action} {_compact(self.within)}"

    @property
    def words(self) -> str:
        """For the person: "Up to 2 h late, then ask"."""
        if self.action is Late.SEND:
            return "Send whenever possible"
        return f"Up to {span_text(self.within.total_seconds())} late, then {_THEN[self.action]}"


_THEN = {Late.ASK: "ask", Late.SKIP: "skip it", Late.NEXT: "at the next free time"}
GRACE = timedelta(seconds=5)
"""A rule of "0 late" means: not after something went wrong; the pace of the machine is not lateness."""

DEFAULT_LATE = LateRule(Late.ASK, timedelta(hours=2))


def parse_late(text: str) -> LateRule:
    """Reads a lateness rule: `send`, `ask 2h`, `skip 30m`, `next 2h`, or just `2h` for `ask 2h`.

    Raises:
        BadInput: it is none of these.
    """
    words = text.lower().replace(":", " ").split()
    if words == ["send"] or words == ["always"]:
        return LateRule()
    action = Late.ASK
    if words and words[0] in (Late.ASK, Late.SKIP, Late.NEXT):
        action, words = Late(words[0]), words[1:]
    seconds = _seconds("".join(words))
    if seconds is None or seconds > FARTHEST.total_seconds():
        raise BadInput(f"“{text}” is not a rule for lateness. Write send, “ask 2h”, “skip 30m” or “next 2h”.")
    return LateRule(action, timedelta(seconds=seconds))


FREE = timedelta(minutes=15)
"""A time is free for an account if nothing else of it is planned closer than this."""


def next_free(planned: When, now: datetime, taken: Sequence[datetime]) -> When:
    """The same wall time in the same zone, on the first day on which it is still to come and free.

    Args:
        taken: the instants at which the account has something planned.
    """
    day = max(planned.wall.date(), now.astimezone(zone_info(planned.zone)).date())
    while True:
        when = _first(datetime.combine(day, planned.wall.time()), planned.zone)
        if when.instant > now and all(abs(when.instant - one) >= FREE for one in taken):
            return when
        day += timedelta(days=1)


def _first(wall: datetime, zone: str) -> When:
    """The wall time, or the nearest that exists where it does not; the first where there are two."""
    try:
        return resolve(wall, zone)
    except AmbiguousTime as either:
        return When.at(either.choices[0].astimezone(UTC), zone)


def _compact(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "m")):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
