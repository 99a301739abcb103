"""What people did with a post, as its network counts it, and when to ask for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from sendoff.domain.words import counted

STEPS = (timedelta(hours=1), timedelta(days=1), timedelta(days=7))
"""How long after the sending the numbers are read by themselves."""

LAST = STEPS[-1] + timedelta(days=1)
"""The age at which nothing is read by itself any more, whether or not the last reading worked."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """The counts of one post; None: the network does not tell."""

    likes: int | None = None
    reposts: int | None = None
    replies: int | None = None
    quotes: int | None = None
    views: int | None = None

    @property
    def words(self) -> str:
        """ "12 likes, 3 reposts, 1 reply": likes, reposts and replies always, the others where there are any."""
        told = [
            counted(count, _ONE[one.name], one.name)
            for one in fields(self)
            if (count := getattr(self, one.name)) is not None and (count or one.name not in ("quotes", "views"))
        ]
        return ", ".join(told) or "The network tells no numbers"


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read of one part at one time. `numbers` is None where the post was not there any more."""

    at: datetime
    numbers: Numbers | None


def is_due(sent_at: datetime, read_at: datetime | None, now: datetime) -> bool:
    """Whether a reading is to be made: the latest step that is past has none after it."""
    age = now - sent_at
    past = [step for step in STEPS if step <= age]
    return bool(past) and age < LAST and (read_at is None or read_at - sent_at < past[-1])


def total(readings: Sequence[Reading] | Mapping[int, Reading]) -> Numbers | None:
    """The sum over the parts of a thread that are there; None where none is."""
    found = readings.values() if isinstance(readings, Mapping) else readings
    there = [one.numbers for one in found if one.numbers is not None]
    if not there:
        return None
    told = {
        one.name: [n for numbers in there if (n := getattr(numbers, one.name)) is not None] for one in fields(Numbers)
    }
    return Numbers(**{name: sum(counts) for name, counts in told.items() if counts})


_ONE = {"likes": "like", "reposts": "repost", "replies": "reply", "quotes": "quote", "views": "view"}
