"""Accounts that wait until their host can be reached: after a sleep, after a start, and when a try reached nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from sendoff.domain.account import Account
from sendoff.domain.errors import SendError
from sendoff.domain.when import Clock
from sendoff.engine.pool import Pool

PAUSES = (1.0, 1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds between two questions; the last one for ever. A network takes some seconds to come back after a sleep."""


@dataclass(slots=True)
class _Waiting:
    account: Account
    asked: int = 0
    ask_at: float = 0.0  # monotonic
    asking: bool = False


class Readiness:
    """Asks hosts whether they can be reached, so that a whole backlog does not run into a line that is not there.

    Args:
        ask: `Channel.reach` of the account's channel.
        pool: the workers; a question may take some seconds.
        changed: called when an account no longer waits.
    """

    def __init__(
        self, *, ask: Callable[[Account], None], pool: Pool, clock: Clock, changed: Callable[[], None]
    ) -> None:
        self._ask = ask
        self._pool = pool
        self._clock = clock
        self._changed = changed
        self._lock = threading.Lock()
        self._waiting: dict[int, _Waiting] = {}

    def doubt(self, accounts: Iterable[Account]) -> None:
        """Nothing leaves for these until their hosts have answered. They are asked at once."""
        with self._lock:
            for account in accounts:
                self._waiting.setdefault(account.id, _Waiting(account))
        self.tick()

    @property
    def waiting(self) -> frozenset[int]:
        """The accounts that wait."""
        return frozenset(self._waiting)

    def tick(self) -> None:
        """Asks those whose turn it is. Called at every heartbeat."""
        if not self._waiting:
            return
        now = self._clock.monotonic()
        with self._lock:
            due = [one for one in self._waiting.values() if not one.asking and one.ask_at <= now]
            for one in due:
                one.asking = True
        for one in due:
            self._pool.submit(partial(self._question, one))

    def _question(self, one: _Waiting) -> None:
        is_there = self._answers(one.account)
        with self._lock:
            one.asking = False
            one.ask_at = self._clock.monotonic() + PAUSES[min(one.asked, len(PAUSES) - 1)]
            one.asked += 1
            if is_there:
                self._waiting.pop(one.account.id, None)
        if is_there:
            self._changed()

    def _answers(self, account: Account) -> bool:
        """Whether the host could be reached. One that refuses is there; what it says to a try is the try's matter."""
        try:
            self._ask(account)
        except SendError as wrong:
            return not getattr(wrong, "offline", False)
        return True
