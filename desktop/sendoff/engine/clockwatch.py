"""Notices sleep and clock changes, and tells ages in spite of them: the wall clock against a steady one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sendoff.domain.when import Clock, Moment

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
        self._wall, self._steady, self._slept = _reading(clock)

    def check(self) -> Jump | None:
        wall, steady, asleep = _reading(self._clock)
        by = (wall - self._wall) - timedelta(seconds=steady - self._steady)
        slept = timedelta(seconds=asleep - self._slept)
        before, self._wall, self._steady, self._slept = self._wall, wall, steady, asleep
        return Jump(by, slept, before) if max(abs(by), slept) > TOLERANCE else None


def _reading(clock: Clock) -> tuple[datetime, float, float]:
    """What the clock tells of one moment: the wall clock, the steady one, and how long the computer has slept.

    Asked one after the other, a sleep may begin between two of them; it would look like a clock that is set back, and
    at the next beat like one that is set ahead. So the first is asked once more, and if it moved, all are.
    """
    asleep = clock.slept()
    while True:
        wall, steady, before, asleep = clock.now(), clock.monotonic(), asleep, clock.slept()
        if timedelta(seconds=asleep - before) <= TOLERANCE:
            return wall, steady, asleep


class Chronometer:
    """Tells how long ago something was, whatever the clock was set to since, and whichever sender began it.

    Args:
        boot: the name of this start of the computer, or of this process where the system tells none.
    """

    def __init__(self, clock: Clock, boot: str) -> None:
        self._clock = clock
        self._boot = boot

    def moment(self, wall: datetime) -> Moment:
        """Now, which is to be known by this wall time."""
        return Moment(wall, self._boot, self._clock.monotonic() + self._clock.slept())

    def on_this_clock(self, moment: Moment) -> datetime:
        """A moment of the past as the wall clock tells it now.

        The computer may have been started anew since; then there is only the wall clock of then.
        """
        if moment.boot != self._boot:
            return moment.wall
        wall, steady, asleep = _reading(self._clock)
        return wall - timedelta(seconds=steady + asleep - moment.ticks)
