"""Whether the person has paused the sending, and until when."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sendoff.domain.when import Clock
from sendoff.store import settings
from sendoff.store.db import Store


class Pause:
    """Follows the setting `paused_until` and the clock.

    Args:
        changed: told whether it is paused now, and since when it was paused last.
    """

    def __init__(self, store: Store, clock: Clock, changed: Callable[[bool, datetime | None], None]) -> None:
        self._store = store
        self._clock = clock
        self._changed = changed
        self._until = ""
        self._since: datetime | None = None
        self.is_on = False

    def read(self) -> None:
        """Takes over what the setting says."""
        with self._store.reading() as connection:
            self._until = settings.read(connection)["paused_until"]
        self.tick()

    def tick(self) -> None:
        """Begins and ends with the clock. Called at every heartbeat."""
        now = self._clock.now()
        paused = is_paused(self._until, now)
        if paused == self.is_on:
            return
        self.is_on = paused
        if paused:
            self._since = now
        self._changed(paused, self._since)


def is_paused(until: str, now: datetime) -> bool:
    """Whether the setting `paused_until` stops the sending now."""
    return bool(until) and (until == settings.FOREVER or datetime.fromisoformat(until) > now)
