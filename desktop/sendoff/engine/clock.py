"""The real clock."""

from __future__ import annotations

import ctypes
import sys
import time
from collections.abc import Callable
from ctypes import POINTER, byref, c_uint64
from datetime import UTC, datetime
from functools import partial
from typing import Any

from sendoff.engine.native import Load, Prototypes, typed

Read = Callable[[], float]


class SystemClock:
    """This computer's clock; see domain.when.Clock."""

    def __init__(self) -> None:
        self._awake, self._started = readings()

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return self._awake()

    def slept(self) -> float:
        return max(0.0, self._started() - self._awake())


def readings() -> tuple[Read, Read]:
    """Two clocks that nobody can set: one stands still while the computer sleeps, the other does not.

    Whether time.monotonic() counts sleep depends on the system and on Python's version, so it is not asked.
    """
    if sys.platform == "win32":
        return interrupt_times()
    if sys.platform == "darwin":  # mach_absolute_time and mach_continuous_time
        return partial(time.clock_gettime, time.CLOCK_UPTIME_RAW), partial(time.clock_gettime, time.CLOCK_MONOTONIC_RAW)
    started = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # Linux has it
    return partial(time.clock_gettime, time.CLOCK_MONOTONIC), partial(time.clock_gettime, started)


def interrupt_times(library: Load = ctypes.CDLL) -> tuple[Read, Read]:
    """Windows 10's clocks. Written from Microsoft's documentation; it has not been run on Windows."""
    realtime = typed(library("api-ms-win-core-realtime-l1-1-1"), _REALTIME)
    return (
        partial(_seconds, realtime.QueryUnbiasedInterruptTimePrecise),
        partial(_seconds, realtime.QueryInterruptTimePrecise),
    )


_REALTIME: Prototypes = {
    "QueryInterruptTimePrecise": (None, [POINTER(c_uint64)]),
    "QueryUnbiasedInterruptTimePrecise": (None, [POINTER(c_uint64)]),
}


def _seconds(query: Any) -> float:
    count = c_uint64()  # of 100 nanoseconds
    query(byref(count))
    return count.value / 1e7
