"""Notices sleep and clock changes: the wall clock against the one that never jumps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sendoff.domain.when import Clock

TOLERANCE = timedelta(seconds=2)
"""A smaller difference is a clock being adjusted, not a jump."""


@dataclass(frozen=True, slots=True)
class Jump:
    """The wall clock moved by `by` against the steady one, some time after `before`; for `slept` the computer slept."""

    by: timedelta
    slept: timedelta
    before: datetime

    @property
    def set_by(self) -> timedelta:
        """How far the clock was set, whoever did it; a virtual machine that stood still looks the same."""
        return self.by - self.slept


class ClockWatch:
    """Asked at every heartbeat."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wall, self._steady, self._slept = clock.now(), clock.monotonic(), clock.slept()

    def check(self) -> Jump | None:
        wall, steady, asleep = self._clock.now(), self._clock.monotonic(), self._clock.slept()
        by = (wall - self._wall) - timedelta(seconds=steady - self._steady)
        slept = timedelta(seconds=asleep - self._slept)
        before, self._wall, self._steady, self._slept = self._wall, wall, steady, asleep
        return Jump(by, slept, before) if max(abs(by), slept) > TOLERANCE else None
