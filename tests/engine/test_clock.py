"""The clock and its watch: sleep is told from a clock that was set."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sendoff.engine.clock import SystemClock, interrupt_times, readings
from sendoff.engine.clockwatch import ClockWatch
from tests.conftest import SetClock

HOUR = 3600.0


@pytest.mark.parametrize(
    ("asleep", "set_by", "is_jump"),
    [
        (0.0, 0.0, False),
        (8 * HOUR, 0.0, True),
        (0.0, HOUR, True),
        (0.0, -HOUR, True),
        (0.0, 400 * 24 * HOUR, True),
        (8 * HOUR, HOUR, True),
        (8 * HOUR, -HOUR, True),
        (HOUR, -HOUR, True),  # the wall clock shows nothing of it
        (1.9, 0.0, False),
        (0.0, 1.9, False),
        (0.0, -1.9, False),
        (1.5, 1.5, True),
        (2.1, 0.0, True),
        (0.0, -2.1, True),
    ],
)
def test_a_jump_says_how_much_of_it_was_sleep(clock: SetClock, asleep: float, set_by: float, is_jump: bool) -> None:
    watch, before = ClockWatch(clock), clock.now()
    clock.advance(0.7)
    clock.sleep(asleep)
    clock.jump(set_by)
    clock.advance(0.3)
    jump = watch.check()
    assert (jump is not None) is is_jump
    if jump:
        assert jump.by == timedelta(seconds=asleep + set_by)
        assert jump.slept == timedelta(seconds=asleep)
        assert jump.set_by == timedelta(seconds=set_by)
        assert jump.before == before
    clock.advance(1)
    assert watch.check() is None, "one jump is told once"


class SleepsWhenAsked(SetClock):
    """The computer falls asleep just before this clock answers one of the questions that are put to it."""

    until = 0

    def _asked(self) -> None:
        self.until -= 1
        if self.until == 0:
            self.sleep(8 * HOUR)

    def now(self) -> datetime:
        self._asked()
        return super().now()

    def monotonic(self) -> float:
        self._asked()
        return super().monotonic()

    def slept(self) -> float:
        self._asked()
        return super().slept()


@pytest.mark.parametrize("question", range(1, 5))
def test_a_sleep_that_begins_while_the_clocks_are_read_is_a_sleep(question: int) -> None:
    clock = SleepsWhenAsked(datetime(2026, 11, 27, tzinfo=UTC))
    watch = ClockWatch(clock)
    clock.until = question
    told = [(jump.slept, jump.set_by) for _ in range(3) if (jump := watch.check())]
    assert told == [(timedelta(hours=8), timedelta())]


@pytest.mark.parametrize(
    "step", [0.0005, -0.0005, 0.9, -0.9], ids=["slewed on", "slewed back", "steps on", "steps back"]
)
def test_a_clock_that_is_adjusted_little_by_little_does_not_jump(clock: SetClock, step: float) -> None:
    watch = ClockWatch(clock)
    for _ in range(5000):
        clock.advance(1)
        clock.jump(step)
        assert watch.check() is None


def test_the_system_clock_counts_on_awake_and_has_slept_as_long_as_the_kernel_says() -> None:
    clock = SystemClock()
    steady, slept = clock.monotonic(), clock.slept()
    time.sleep(0.05)
    assert 0.05 <= clock.monotonic() - steady < 5
    assert clock.slept() == pytest.approx(slept, abs=0.01)
    boot, awake = time.clock_gettime(time.CLOCK_BOOTTIME), time.clock_gettime(time.CLOCK_MONOTONIC)
    assert slept == pytest.approx(boot - awake, abs=0.01)


def test_slept_is_what_one_clock_counted_and_the_other_did_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sendoff.engine.clock.readings", lambda: (lambda: 100.0, lambda: 28_900.5))
    assert SystemClock().slept() == 28_800.5
    assert SystemClock().monotonic() == 100.0


def test_here_the_second_reading_never_falls_behind_the_first() -> None:
    awake, started = readings()
    assert awake() <= started()


class Realtime:
    """Windows' two counters, as functions with the documented prototype."""

    def __init__(self, unbiased: int, biased: int) -> None:
        self.QueryUnbiasedInterruptTimePrecise = self._counter(unbiased)
        self.QueryInterruptTimePrecise = self._counter(biased)

    @staticmethod
    def _counter(value: int) -> Any:
        prototype = ctypes.CFUNCTYPE(None, ctypes.POINTER(ctypes.c_uint64))

        def fill(place: Any) -> None:
            place[0] = value

        return prototype(fill)


def test_windows_counts_in_tenths_of_a_microsecond() -> None:
    asked: list[str] = []
    library: Callable[[str], Any] = lambda name: (asked.append(name), Realtime(10**15, 10**15 + 8 * 3600 * 10**7))[1]  # noqa: E731
    awake, started = interrupt_times(library)
    assert asked == ["api-ms-win-core-realtime-l1-1-1"]
    assert awake() == 1e8
    assert started() - awake() == 8 * HOUR
