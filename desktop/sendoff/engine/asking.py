"""Questions to endpoints that nobody waits for: one at a time, spread, and ever rarer where they are in vain."""

from __future__ import annotations

import logging
from collections.abc import Callable

from sendoff.domain.errors import SendoffError, TryLater
from sendoff.domain.when import Clock
from sendoff.engine.pool import Pool
from sendoff.store.db import StoreTrouble

log = logging.getLogger(__name__)

EVERY = 60.0
"""Seconds between two questions, so that many of them are spread by themselves."""

LATER = 3600.0
"""Seconds until an account is asked again whose answer said nothing; doubled each time, up to LONGEST."""

LONGEST = 12 * 3600.0

OFFLINE = 600.0
"""Seconds until anybody is asked again where this computer reached nothing."""


class Asking:
    """When the next question may be asked, and whom.

    Args:
        calm: seconds after the start in which nobody is asked: there is enough to do then.
    """

    def __init__(self, pool: Pool, clock: Clock, calm: float) -> None:
        self._pool = pool
        self._clock = clock
        self._next_at = clock.monotonic() + calm
        self._again: dict[int, float] = {}
        self._in_vain: dict[int, int] = {}
        self._under_way = False

    def is_time(self) -> bool:
        """Whether a question may be asked now. If so, the next one waits its time."""
        if self._under_way or self._clock.monotonic() < self._next_at:
            return False
        self._next_at = self._clock.monotonic() + EVERY
        return True

    def may_ask(self, account_id: int) -> bool:
        """Whether this account has not answered in vain just now."""
        return self._again.get(account_id, 0.0) <= self._clock.monotonic()

    def ask(self, work: Callable[[], object]) -> None:
        """Does the asking on a worker's thread."""

        def task() -> None:
            try:
                work()
            except StoreTrouble as trouble:
                log.error("an answer could not be written down: %s", trouble)
            finally:
                self._under_way = False

        self._under_way = True
        self._pool.submit(task)

    def answered(self, account_id: int) -> None:
        """The account told what it was asked for."""
        self._again.pop(account_id, None)
        self._in_vain.pop(account_id, None)

    def failed(self, account_id: int, wrong: Exception) -> None:
        """It did not. Being offline is nobody's fault, and a wish to wait is kept to."""
        now = self._clock.monotonic()
        log.info("account %d was asked in vain: %s", account_id, type(wrong).__name__)
        if not isinstance(wrong, SendoffError):
            log.error("the channel of account %d failed when it was asked", account_id, exc_info=wrong)
        if isinstance(wrong, TryLater) and wrong.offline:
            self._next_at = now + OFFLINE
            return
        before = self._in_vain.get(account_id, 0)
        wish = wrong.after.total_seconds() if isinstance(wrong, TryLater) and wrong.after else 0.0
        self._in_vain[account_id] = before + 1
        self._again[account_id] = now + max(min(LATER * 2 ** min(before, 10), LONGEST), wish)
