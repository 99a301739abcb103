"""The small parts: pauses, the clock watch, the bell, the pool, APScheduler as it is set up."""

from __future__ import annotations

import random
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from sendoff.engine.bell import Bell
from sendoff.engine.limiter import pause, ready_after
from sendoff.engine.pool import Pool
from sendoff.engine.timeline import Timeline

CHANCE = random.Random(1)


@pytest.mark.parametrize(
    ("tries", "wish", "offline", "least", "most"),
    [
        (0, None, False, 7.5, 15),
        (1, None, False, 15, 30),
        (5, None, False, 240, 480),
        (50, None, False, 900, 1800),
        (7, None, True, 15, 25),
        (3, 60, False, 60, 66),
        (3, 0, False, 1, 1.1),
        (0, 10**9, False, 86_400, 86_430),
    ],
)
def test_pauses(tries: int, wish: float | None, offline: bool, least: float, most: float) -> None:
    wanted = timedelta(seconds=wish) if wish is not None else None
    for _ in range(200):
        assert least <= pause(tries, wanted, offline, CHANCE).total_seconds() <= most


def test_an_account_is_ready_after_its_spacing_and_the_endpoints_wish() -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    assert ready_after(now, 0) is None
    assert ready_after(now, 3) == now + timedelta(seconds=3)
    assert ready_after(now, 3, timedelta(seconds=60)) == now + timedelta(seconds=60)


def test_the_bell_rings_for_those_who_listen() -> None:
    bell, heard = Bell(), []
    stop = bell.listen(heard.append)
    bell.ring(frozenset({"posts"}))
    bell.ring(frozenset())
    stop()
    bell.ring(frozenset({"posts"}))
    assert heard == [frozenset({"posts"})]


def test_tasks_that_wait_spread_over_all_threads() -> None:
    pool, barrier = Pool(5, "test"), threading.Barrier(6)
    pool.submit(*[lambda: barrier.wait(5)] * 5)
    barrier.wait(5)
    pool.stop(2)


@pytest.mark.expects_log("a task failed")
def test_a_task_that_fails_does_not_end_its_thread() -> None:
    pool, done = Pool(1, "test"), threading.Event()
    pool.submit(lambda: 1 / 0, done.set)
    assert done.wait(5)
    pool.stop(2)


def test_a_stopped_pool_starts_nothing_more_and_does_not_wait_for_ever() -> None:
    pool, started, release, ran = Pool(1, "test"), threading.Event(), threading.Event(), []
    pool.submit(lambda: (started.set(), release.wait(10)))
    started.wait(5)
    pool.submit(lambda: ran.append(1))
    began = time.monotonic()
    pool.stop(0.2)
    assert time.monotonic() - began < 2
    release.set()
    time.sleep(0.1)
    assert ran == []


def test_the_clock_of_the_timeline_runs_late_jobs_and_can_be_armed_again_and_again() -> None:
    """What stock APScheduler would drop: its default grace is one second (3.11: misfire_grace_time=1)."""
    rang, count = threading.Event(), []

    def departures() -> None:
        count.append(1)
        rang.set()

    timeline = Timeline(departures)
    timeline.start()
    try:
        for offset in (timedelta(hours=-3), timedelta(seconds=0.05), timedelta(seconds=-30)):
            rang.clear()
            timeline.wake_at(datetime.now(UTC) + offset)
            assert rang.wait(5)
        timeline.wake_at(None)
        seen = len(count)
        time.sleep(0.2)
        assert len(count) == seen
    finally:
        timeline.stop()
