"""A time in which nothing could leave: Sendoff was off, the computer slept, its clock jumped, or it was paused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Cause(StrEnum):
    """Why nothing could leave."""

    OFF = "off"  # Sendoff was not running
    SLEEP = "sleep"  # the computer slept
    CLOCK = "clock"  # somebody or something set the clock ahead
    PAUSED = "paused"  # the person paused the sending


@dataclass(frozen=True, slots=True)
class Absence:
    """From when until when nothing could leave. `seen`: the person knows what came of it."""

    id: int
    cause: Cause
    began_at: datetime
    ended_at: datetime
    seen: bool = False
