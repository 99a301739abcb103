"""The small parts: pauses, the clock watch, the bell, the pool, APScheduler as it is set up."""

from __future__ import annotations

import os
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from sendoff.domain.delivery import Move, Outcome
from sendoff.engine.bell import Bell
from sendoff.engine.limiter import pause, ready_after
from sendoff.engine.pool import Pool
from sendoff.engine.timeline import Timeline
from sendoff.engine.writer import LONGEST_WAIT, Writer
from sendoff.store.db import Store
from sendoff.store.outgoing import End

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


def test_tasks_that_wait_spread_at_once_also_after_quick_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is loaded ahead of a rush is quick, and nothing of the rush may wait for it."""
    monkeypatch.setattr("sendoff.engine.pool.GLANCE", 30.0)
    pool, done, barrier = Pool(5, "test"), threading.Event(), threading.Barrier(6)
    pool.submit(_quick, done.set)
    done.wait(5)
    while pool.busy:
        time.sleep(0.001)
    pool.submit(*[lambda: barrier.wait(5)] * 5)
    barrier.wait(5)
    pool.stop(2)


def test_a_task_that_takes_its_time_among_quick_ones_holds_up_nobody() -> None:
    pool, came = Pool(3, "test"), threading.Event()
    quick = [_quick] * 300
    for _ in range(20):
        came.clear()
        waits = [threading.Event() for _ in range(2)]
        stuck = [partial(_wait, came, done) for done in waits]
        pool.submit(*quick, stuck[0], *quick, stuck[1], *quick, came.set)
        assert all(done.wait(5) for done in waits)
    pool.stop(2)


def test_quick_tasks_are_done_by_one_thread_although_all_were_at_it_before() -> None:
    """Threads that take turns at quick tasks wait for Python's one lock each time: a burst takes twice as long."""
    pool, barrier, told, done = Pool(4, "test"), threading.Barrier(5), deque[int](), threading.Event()

    def noted() -> None:
        os.stat(os.curdir)  # lets another thread have the lock, as a note in the journal does
        told.append(threading.get_ident())

    pool.submit(*[lambda: barrier.wait(5)] * 4, *[noted] * 2000, done.set)
    barrier.wait(5)
    assert done.wait(10)
    pool.stop(2)
    turns = sum(one != other for one, other in pairwise(told))
    assert len(told) == 2000
    assert turns < 200


def _quick() -> None:
    pass


def _wait(first: threading.Event, then: threading.Event) -> None:
    if first.wait(4):
        then.set()


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


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path)
    yield store
    store.close()


def _end(number: int) -> End:
    at = datetime(2026, 11, 23, tzinfo=UTC)
    return End(number, 1, "me", number, Move.FINISH, Outcome.SENT, at, "Taken")


def _untold(fault: Exception) -> End:
    raise fault


def test_in_a_rush_ends_wait_a_little_and_none_is_forgotten(store: Store) -> None:
    """Workers do not wake the writer for each end; however they fall in with its sleep, it sees all of them."""
    landed: list[End] = []
    rush = [True]
    writer = Writer(store, lambda _: None, lambda: rush[0])
    writer.start()
    began = time.monotonic()
    for number in range(3):
        writer.end(partial(_end, number), landed.append, _untold)
    assert _until(lambda: len(landed) == 3)
    assert LONGEST_WAIT <= time.monotonic() - began < LONGEST_WAIT + 2
    for turn in range(200):
        rush[0] = turn % 3 == 0
        writer.end(partial(_end, turn), landed.append, _untold)
        time.sleep(0.001 * (turn % 4))
    rush[0] = False
    assert _until(lambda: len(landed) == 203)
    writer.stop(2)


def test_the_writer_writes_what_waits_before_it_ends_and_ends_at_once(store: Store) -> None:
    landed: list[End] = []
    writer = Writer(store, lambda _: None, lambda: True)
    writer.start()
    writer.end(partial(_end, 1), landed.append, _untold)
    began = time.monotonic()
    writer.stop(5)
    assert len(landed) == 1
    assert time.monotonic() - began < 3


def _until(true: Callable[[], bool], seconds: float = 5) -> bool:
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True
