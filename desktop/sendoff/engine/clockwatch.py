"""Notices sleep and clock changes: the wall clock against the one that never jumps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sendoff.domain.when import Clock

TOLERANCE = timedelta(seconds=2)
"""A smaller difference is a clock being adjusted, not a jump."""


@dataclass(frozen=True, slots=True)
class Jump:
    """The wall clock moved by `by` against the steady one, some time after `before`: sleep, or a hand on the clock."""

    by: timedelta
    before: datetime


class ClockWatch:
    """Asked at every heartbeat."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wall, self._steady = clock.now(), clock.monotonic()

    def check(self) -> Jump | None:
        wall, steady = self._clock.now(), self._clock.monotonic()
        by = (wall - self._wall) - timedelta(seconds=steady - self._steady)
        before, self._wall, self._steady = self._wall, wall, steady
        return Jump(by, before) if abs(by) > TOLERANCE else None
