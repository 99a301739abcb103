"""A few threads that do one thing after another. They never keep the program from ending."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

log = logging.getLogger(__name__)

Task = Callable[[], None]


class Pool:
    """Threads made when they are first needed, up to `size`.

    One thread is woken at a time, and that one wakes the next if there is more to do. So tasks that wait for a network
    spread over all threads, and a thousand tasks that are over at once do not wake a thousand times.
    """

    def __init__(self, size: int, name: str) -> None:
        self.size = size
        self._name = name
        self._tasks: deque[Task] = deque()
        self._threads: list[threading.Thread] = []
        self._waiting = 0
        self._rousing = False  # one has been woken and has not come yet
        self._changed = threading.Condition(threading.Lock())
        self._stopped = False

    def submit(self, *tasks: Task) -> None:
        with self._changed:
            self._tasks += tasks
            self._rouse()

    @property
    def busy(self) -> int:
        """How many tasks are being done or wait to be done."""
        with self._changed:
            return len(self._threads) - self._waiting + len(self._tasks)

    @property
    def is_behind(self) -> bool:
        """Whether more than a few tasks wait."""
        return len(self._tasks) > 8

    def stop(self, seconds: float) -> None:
        """Starts nothing more and waits for what is being done, so long and no longer."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
            threads = list(self._threads)
        until = time.monotonic() + seconds
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _rouse(self) -> None:
        """Gets one more thread going, if there is something to do and one to do it."""
        if not self._tasks or self._stopped or self._rousing:
            return
        if self._waiting:
            self._rousing = True
            self._changed.notify()
        elif len(self._threads) < self.size:
            thread = threading.Thread(target=self._work, name=f"{self._name}-{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            self._rousing = True
            thread.start()

    def _work(self) -> None:
        arriving = True
        while True:
            with self._changed:
                while not arriving and not self._tasks and not self._stopped:
                    self._waiting += 1
                    self._changed.wait()
                    self._waiting -= 1
                    arriving = True
                if arriving:
                    arriving = self._rousing = False
                    continue
                if self._stopped:
                    return
                task = self._tasks.popleft()
                self._rouse()
            try:
                task()
            except Exception:  # the thread is the last that can tell; whoever gave the task keeps its own books
                log.exception("a task failed")
