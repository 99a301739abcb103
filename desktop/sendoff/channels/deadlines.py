"""Cuts exchanges whose total time is over: a server that drips bytes never meets a read time-out."""

from __future__ import annotations

import heapq
import itertools
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # loaded at the first exchange
    from sendoff.channels.lines import Exchange


class Deadlines:
    """One thread that sleeps until the next of them; begun with the first."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Exchange]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def watch(self, exchange: Exchange, seconds: float) -> None:
        """Cuts its line if it is not over in so many seconds."""
        with self._changed:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._serve, name="http-deadlines", daemon=True)
                self._thread.start()
            entry = (time.monotonic() + seconds, next(self._order), exchange)
            heapq.heappush(self._heap, entry)
            if self._heap[0] is entry:
                self._changed.notify()

    def _serve(self) -> None:
        with self._changed:
            while True:
                if not self._heap:
                    self._changed.wait()
                    continue
                left = self._heap[0][0] - time.monotonic()
                if left > 0:
                    self._changed.wait(left)
                    continue
                exchange = heapq.heappop(self._heap)[2]
                if exchange.sock is not None:
                    exchange.expired = True
                    _cut(exchange.sock)


def _cut(sock: Any) -> None:
    """Ends a connection under the thread that waits for it. The plain call: TLS has nothing to say in time."""
    raw = sock if isinstance(sock, socket.socket) else getattr(sock, "socket", None)
    if raw is not None:
        try:
            socket.socket.shutdown(raw, socket.SHUT_RDWR)
        except OSError:
            pass  # it ended by itself


DEADLINES = Deadlines()
"""Those of this process, whatever the transport: a thread for each would only be one more that sleeps."""
