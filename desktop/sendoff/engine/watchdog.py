"""Nothing is silently late: what is due and nobody takes is an alarm that the person sees."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta

from sendoff.domain.when import Clock, span_text
from sendoff.domain.words import counted
from sendoff.engine.departures import Departures
from sendoff.store import outgoing
from sendoff.store.db import Store

log = logging.getLogger(__name__)

UNTOUCHED = timedelta(minutes=2)
"""How long something may be due before somebody has to have taken it."""

EVERY = 10.0
"""Seconds between two looks."""


class Watchdog:
    """Compares what should have left with what did, without believing in the parts that it watches."""

    def __init__(self, *, store: Store, departures: Departures, clock: Clock, alarm: Callable[[str], None]) -> None:
        self._store = store
        self._departures = departures
        self._clock = clock
        self._alarm = alarm
        self._is_alarmed = False
        self.be_patient()

    def be_patient(self) -> None:
        """Sending has just become possible: what is overdue had no chance before."""
        self._look_at = self._clock.monotonic() + UNTOUCHED.total_seconds()

    def tick(self) -> None:
        """Called at every heartbeat."""
        if self._departures.rests:
            self.be_patient()
            self._say("")
        elif self._clock.monotonic() >= self._look_at:
            self._look_at = self._clock.monotonic() + EVERY
            self._say(self._untouched())

    def _say(self, words: str) -> None:
        if words and not self._is_alarmed:
            log.error("%s", words)
        self._is_alarmed = bool(words)
        self._alarm(words)

    def _untouched(self) -> str:
        now = self._clock.now()
        with self._store.reading() as connection:
            n, oldest = outgoing.untouched(connection, now - UNTOUCHED, self._departures.excused())
        if not n or oldest is None:
            return ""
        late = span_text((now - oldest).total_seconds())
        return f"{untaken(n)}, for {late} now. Quit Sendoff and start it again; nothing is lost."


def untaken(n: int) -> str:
    """How the sentence begins that says so; what to do about it depends on where it is read."""
    return counted(n, "delivery is due and nothing takes it", "deliveries are due and nothing takes them")
