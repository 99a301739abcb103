"""Coming back: after a sleep, a start, a pause or a jump of the clock, what waited leaves by its rules and in peace."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from sendoff.domain.absence import Cause
from sendoff.domain.when import Clock, span_text
from sendoff.engine.clockwatch import TOLERANCE, Jump
from sendoff.engine.readiness import Readiness
from sendoff.engine.writer import Writer
from sendoff.store import absences, accounts, outgoing
from sendoff.store.db import Store

log = logging.getLogger(__name__)

SHORT = timedelta(minutes=1)
"""An absence that nobody would notice."""

STRANGE = timedelta(minutes=10)
"""A clock that jumps further ahead than this while the computer is awake may simply be wrong."""

HOLD = 60.0
"""Seconds for which nothing is claimed after a strange jump: a wrong clock must not send a month of posts."""


class Returns:
    """Notes when nothing could leave, and makes sure that hosts can be reached before anything does.

    Args:
        hold: keeps everything here for so many seconds of the steady clock.
        trouble: told why, and "" when it is over.
    """

    def __init__(
        self,
        *,
        store: Store,
        writer: Writer,
        readiness: Readiness,
        clock: Clock,
        hold: Callable[[float], None],
        trouble: Callable[[str], None],
    ) -> None:
        self._store = store
        self._writer = writer
        self._readiness = readiness
        self._clock = clock
        self._hold = hold
        self._trouble = trouble
        self._held_until = 0.0

    def back(self, cause: Cause, since: datetime | None) -> None:
        """Sending is possible again; since then it was not (None: it never was)."""
        now = self._clock.now()
        if since is not None and now - since > SHORT:
            self._writer.run(lambda connection: absences.note(connection, cause, since, now))
        with self._store.reading() as connection:
            ids = outgoing.due_accounts(connection, now)
            due = accounts.get_many(connection, set(ids)).values()
        self._readiness.doubt(due)

    def jumped(self, jump: Jump) -> None:
        """The wall clock and the steady one no longer agree."""
        log.warning("the clock moved by %s, of which %s was sleep", jump.by, jump.slept)
        if jump.set_by > STRANGE:
            ahead = span_text(jump.set_by.total_seconds())
            self._trouble(
                f"This computer’s clock jumped ahead by {ahead}. What is due waits for a minute, in case the clock is "
                "wrong: set it right, or pause the sending."
            )
            self._hold(HOLD)
            self._held_until = self._clock.monotonic() + HOLD
        if max(jump.by, jump.slept) > TOLERANCE:
            self.back(Cause.SLEEP if jump.slept >= jump.set_by else Cause.CLOCK, jump.before)

    def tick(self) -> None:
        """Ends the hold's message. Called at every heartbeat."""
        if self._held_until and self._clock.monotonic() >= self._held_until:
            self._held_until = 0.0
            self._trouble("")
