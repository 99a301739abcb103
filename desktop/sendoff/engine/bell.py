"""The bell: whoever wrote something rings, whoever shows or sends something listens."""

from __future__ import annotations

import threading
from collections.abc import Callable

Listener = Callable[[frozenset[str]], None]


class Bell:
    """Carries the names of changed topics to listeners, in the ringing thread. Listeners return at once."""

    def __init__(self) -> None:
        self._listeners: tuple[Listener, ...] = ()
        self._lock = threading.Lock()

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Adds a listener; the returned function takes it off again."""
        with self._lock:
            self._listeners = (*self._listeners, listener)

        def stop() -> None:
            with self._lock:
                self._listeners = tuple(one for one in self._listeners if one is not listener)

        return stop

    def ring(self, topics: frozenset[str]) -> None:
        if topics:
            for listener in self._listeners:
                listener(topics)
