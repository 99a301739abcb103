"""APScheduler is the clock of the timeline; the table of deliveries is the timeline."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler

FIRST_CHORE = timedelta(minutes=10)
"""How long after the start a chore runs first, so that a program that is closed every evening does it too."""

IDLE = timedelta(hours=1)
"""When the departures job runs if nothing is due."""


@dataclass(frozen=True, slots=True)
class _Chore:
    name: str
    work: Callable[[], None]
    every: timedelta


class Timeline:
    """One scheduler in UTC with a memory store; its jobs are permanent, and none of them is a delivery.

    `misfire_grace_time=None` because a late run is still wanted; the default of one second drops it. Its wait is
    monotonic, so after a sleep it would wait on, and after a clock that was set back too: the heart cures both.
    """

    def __init__(self, departures: Callable[[], None]) -> None:
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        self._depart = departures
        self._chores: list[_Chore] = []
        self._build()

    def _build(self) -> None:
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(4)},
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        self._departures = self._scheduler.add_job(self._depart, "interval", seconds=IDLE.total_seconds())
        for chore in self._chores:
            self._add(chore)

    def start(self) -> None:
        self._scheduler.start()

    def stop(self) -> None:
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    @property
    def is_alive(self) -> bool:
        """Whether the scheduler's thread runs. `running` stays true when an exception has ended it."""
        thread = getattr(self._scheduler, "_thread", None)
        return thread is not None and thread.is_alive()

    def revive(self) -> None:
        """A new scheduler with the same jobs, in place of one whose thread has died."""
        with suppress(Exception):  # whatever is left of it cannot stand in the way of the new one
            self._scheduler.shutdown(wait=False)
        self._build()
        self._scheduler.start()

    def chore(self, name: str, work: Callable[[], None], every: timedelta) -> None:
        """Adds something to do again and again, for the first time a while after the start."""
        chore = _Chore(name, work, every)
        self._chores.append(chore)
        self._add(chore)

    def _add(self, chore: _Chore) -> None:
        first = datetime.now(UTC) + min(chore.every, FIRST_CHORE)
        self._scheduler.add_job(
            chore.work, "interval", seconds=chore.every.total_seconds(), id=chore.name, next_run_time=first
        )

    def wake_at(self, instant: datetime | None) -> None:
        """Arms the departures job for this instant; None: nothing is due, so only the hour remains."""
        with suppress(JobLookupError):  # the scheduler was stopped meanwhile, and its jobs are gone
            self._departures.modify(next_run_time=instant or datetime.now(UTC) + IDLE)
