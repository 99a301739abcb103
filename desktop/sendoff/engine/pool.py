"""A few threads that do one thing after another. They never keep the program from ending."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)

Task = Callable[[], None]


class Pool:
    """Threads made when they are first needed, up to `size`."""

    def __init__(self, size: int, name: str) -> None:
        self._size = size
        self._name = name
        self._tasks: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._busy = 0
        self._lock = threading.Lock()
        self._stopped = False

    def submit(self, task: Task) -> None:
        with self._lock:
            if self._stopped:
                return
            if self._idle > 0:
                self._idle -= 1  # one that waits is promised to this task
            elif len(self._threads) < self._size:
                thread = threading.Thread(target=self._work, name=f"{self._name}-{len(self._threads)}", daemon=True)
                self._threads.append(thread)
                thread.start()
        self._tasks.put(task)

    @property
    def busy(self) -> int:
        """How many tasks are being done right now."""
        return self._busy

    def stop(self, seconds: float) -> None:
        """Starts nothing more and waits for what is being done, so long and no longer."""
        with self._lock:
            self._stopped = True
            threads = list(self._threads)
        for _ in threads:
            self._tasks.put(None)
        until = time.monotonic() + seconds
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            with self._lock:
                if self._stopped:
                    return
                self._busy += 1
            try:
                task()
            except Exception:  # the thread is the last that can tell; what was being sent was settled by its owner
                log.exception("a task failed")
            finally:
                with self._lock:
                    self._busy -= 1
                    self._idle += 1
