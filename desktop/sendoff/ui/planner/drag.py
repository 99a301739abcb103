"""A chip on its way to another time: pure arithmetic, so that what is shown and what is done are the same."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from sendoff.ui.planner.days import MINUTES, Entry
from sendoff.ui.planner.layout import HOUR

STEP, FINE = 15, 1
"""A chip moves in steps of so many minutes; with Alt in fine ones."""
STILL = 6
"""Up and down less than this, the time of day stays as it is; px."""


@dataclass(slots=True)
class Drag:
    """What is being dragged: `held` is under the pointer, `entries` all that go along. `to` is where `held` is now."""

    held: Entry
    entries: tuple[Entry, ...]
    start: int  # the height in the grid where it was taken, px
    to: datetime

    @property
    def by(self) -> timedelta:
        return self.to - self.held.wall

    def over(self, day: date, y: int, *, fine: bool) -> None:
        """The pointer is over a day, at a height of the grid."""
        self.to = target(self.held, day, y - self.start, fine=fine)

    def ghosts(self) -> list[Entry]:
        """Everything that is dragged, at its new time."""
        return [replace(one, wall=one.wall + self.by) for one in self.entries]


def target(held: Entry, day: date, down: int, *, fine: bool) -> datetime:
    """Where a chip comes to stand that was dragged so many px down, on this day."""
    if abs(down) < STILL and not fine:
        return datetime.combine(day, held.wall.time())
    step = FINE if fine else STEP
    minutes = round((held.minutes + down * 60 / HOUR) / step) * step
    return datetime.combine(day, time()) + timedelta(minutes=min(max(minutes, 0), MINUTES - step))
