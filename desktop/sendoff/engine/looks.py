"""When doubtful deliveries are looked for: each as its time comes, on a worker's thread, one look at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from functools import partial

from sendoff.domain.when import Clock
from sendoff.engine.pool import Pool
from sendoff.engine.settle import Settler
from sendoff.store import doubts
from sendoff.store.db import Connection, Store


class Looks:
    """Hands what is to be looked for to the settler.

    Args:
        looked: called after each look, on the worker's thread.
    """

    def __init__(self, *, store: Store, settler: Settler, pool: Pool, clock: Clock, looked: Callable[[], None]) -> None:
        self._store = store
        self._settler = settler
        self._pool = pool
        self._clock = clock
        self._looked = looked
        self._next_at: datetime | None = None
        self._under_way: set[int] = set()
        self._lock = threading.Lock()

    def read(self, connection: Connection) -> None:
        """Takes over from the rows when the next look is due."""
        self._next_at = doubts.next_look(connection)

    def tick(self) -> None:
        """Called at every heartbeat."""
        if self._next_at is None or self._next_at > self._clock.now():
            return
        with self._store.reading() as connection:
            ids = doubts.to_look_at(connection, self._clock.now())
        for delivery_id in ids:
            with self._lock:
                if delivery_id in self._under_way:
                    continue
                self._under_way.add(delivery_id)
            self._pool.submit(partial(self._look, delivery_id))

    def _look(self, delivery_id: int) -> None:
        try:
            self._settler.look(delivery_id)
        finally:
            with self._lock:
                self._under_way.discard(delivery_id)
            self._looked()
