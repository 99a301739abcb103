"""What the words for a time mean, as a sentence to read back; without Qt."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sendoff.domain.errors import AmbiguousTime, BadInput
from sendoff.domain.when import MONTHS, PAST, When, clock_text, describe, parse_late, parse_when, resolve, short

NOW_WORDS = ("", "now")
_IN_ZONE = re.compile(r" in \S+(?= )")


@dataclass(frozen=True, slots=True)
class Timing:
    """When a post shall leave. `when` None without `wrong` means: as soon as the button is pressed.

    Args:
        said: what was understood, in full, or what is wrong.
        choices: words to take instead, each with what to call it, where a time exists twice or not at all.
    """

    when: When | None
    said: str
    wrong: bool = False
    choices: tuple[tuple[str, str], ...] = ()

    @property
    def is_now(self) -> bool:
        return self.when is None and not self.wrong

    def brief(self, now: datetime) -> str:
        """For a button: "Tue 09:00"; "" without a time."""
        return short(self.when, now) if self.when else ""


def understand(words: str, zone: str, now: datetime) -> Timing:
    """Reads the words of the When field.

    Args:
        zone: where the wall time is read, unless the words end with another zone.
        now: the instant of asking.
    """
    if words.strip().lower() in NOW_WORDS:
        return Timing(None, "As soon as you send it.")
    try:
        when = parse_when(words, now, zone)
    except AmbiguousTime as wrong:
        said = _IN_ZONE.sub("", str(wrong).partition(",")[0]) + "."
        return Timing(None, said, True, tuple((_iso(one, zone), _named(one)) for one in wrong.choices))
    except BadInput as wrong:
        return Timing(None, _shorter(str(wrong)), True)
    if when.instant < now - PAST:
        return Timing(None, f"{describe(when, now)}: that is past.", True)
    return Timing(when, describe(when, now))


def as_set(rules: Collection[str]) -> str:
    """What no rule of the post's own comes to, by the rules of its accounts: "As set: up to 2 h late, then ask"."""
    if len(set(rules)) != 1:
        return "As set for each account"
    words = parse_late(next(iter(rules))).words
    return f"As set: {words[:1].lower()}{words[1:]}"


def _shorter(sentence: str) -> str:
    """The same with fewer examples, for there is little room."""
    cause, found, _ = sentence.partition(" Write it like ")
    return f"{cause} Try “tomorrow 9:00”, “24 nov 18:30” or “in 20 min”." if found else sentence


def _named(instant: datetime) -> str:
    """One of two candidates: "02:30 (UTC+02:00)"."""
    offset = f"{instant:%z}"
    return f"{instant:%H:%M} (UTC{offset[:3]}:{offset[3:5]})"


def _iso(instant: datetime, zone: str) -> str:
    return f"{instant.isoformat(timespec='minutes')} {zone}"


def spelled(when: When, zone: str) -> str:
    """A time as words that mean the same on any day: "24 Nov 2026 09:00"; with its zone if that is not `zone`."""
    behind = "" if when.zone == zone else f" {when.zone}"
    try:
        resolve(when.wall, when.zone)
    except AmbiguousTime:
        return f"{when.local.isoformat(timespec='minutes')}{behind}"
    return f"{when.wall.day} {MONTHS[when.wall.month - 1][:3]} {when.wall.year} {clock_text(when.wall)}{behind}"
