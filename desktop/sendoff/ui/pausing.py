"""How long a pause can be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from sendoff.domain.when import When, clock_text, zone_info

MORNING = time(8)


@dataclass(frozen=True, slots=True)
class Pause:
    """One choice: its words, until when (None: until the person says so), and that time as words."""

    words: str
    until: datetime | None
    hint: str


def pauses(now: datetime, zone: str) -> tuple[Pause, Pause, Pause]:
    """For an hour, until tomorrow morning at eight, until I say so."""
    hour = (now + timedelta(minutes=60, seconds=30)).replace(second=0, microsecond=0)
    return (
        Pause("For 1 hour", hour, clock_text(When.at(hour, zone).wall)),
        Pause("Until tomorrow", tomorrow(now, zone), f"{MORNING:%H:%M}"),
        Pause("Until I say so", None, ""),
    )


def tomorrow(now: datetime, zone: str) -> datetime:
    """Eight in the morning of the person's next day, as an instant."""
    local = now.astimezone(zone_info(zone))
    return datetime.combine(local.date() + timedelta(days=1), MORNING, zone_info(zone)).astimezone(UTC)
