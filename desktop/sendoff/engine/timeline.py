"""APScheduler is the clock of the timeline; the table of deliveries is the timeline."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler

HEARTBEAT = 1.0
"""Seconds. What no hook reports (other processes, sleep, a changed clock) is noticed this soon."""

FIRST_CHORE = timedelta(minutes=10)
"""How long after the start a chore runs first, so that a program that is closed every evening does it too."""


class Timeline:
    """One scheduler in UTC with a memory store; its jobs are permanent, and none of them is a delivery.

    `misfire_grace_time=None` because a late run is still wanted; the default of one second drops it. Its wait is
    monotonic, so after a sleep it would wait on: the heartbeat cures that.
    """

    def __init__(self, departures: Callable[[], None], heartbeat: Callable[[], None]) -> None:
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(4)},
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        self._departures = self._scheduler.add_job(departures, "interval", hours=1, id="departures")
        self._scheduler.add_job(heartbeat, "interval", seconds=HEARTBEAT, id="heartbeat")

    def start(self) -> None:
        self._scheduler.start()

    def stop(self) -> None:
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def chore(self, name: str, work: Callable[[], None], every: timedelta) -> None:
        """Adds something to do again and again, for the first time a while after the start."""
        first = datetime.now(UTC) + min(every, FIRST_CHORE)
        self._scheduler.add_job(work, "interval", seconds=every.total_seconds(), id=name, next_run_time=first)

    def wake_at(self, instant: datetime | None) -> None:
        """Arms the departures job for this instant; None: nothing is due, so only the heartbeat and the hour remain."""
        with suppress(JobLookupError):  # the scheduler was stopped meanwhile, and its jobs are gone
            self._departures.modify(next_run_time=instant or datetime.now(UTC) + timedelta(hours=1))
