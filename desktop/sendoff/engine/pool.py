"""A few threads that do one thing after another. They never keep the program from ending."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

log = logging.getLogger(__name__)

Task = Callable[[], None]

GLANCE = 0.002
"""Seconds. Tasks that are over sooner are done by few threads; more would only wait for Python's one lock."""


class Pool:
    """Threads made when they are first needed, up to `size`.

    One thread is woken at a time, and that one wakes the next if there is more to do. So tasks that wait for a network
    spread over all threads at once. Where all tasks are over at once it stands by: one thread does a thousand of them,
    and as soon as one takes its time, the next takes over.
    """

    def __init__(self, size: int, name: str) -> None:
        self.size = size
        self._name = name
        self._tasks: deque[Task] = deque()
        self._threads: list[threading.Thread] = []
        self._waiting = 0
        self._rousing = False  # one has been woken and has not come yet, or stands by
        self._under_way: dict[object, float] = {}  # since when, the oldest first
        self._done = 0
        self._done_before = 0  # when that one was woken
        lock = threading.Lock()
        self._changed = threading.Condition(lock)
        self._relief = threading.Condition(lock)  # the one that stands by waits here
        self._stopped = False

    def submit(self, *tasks: Task) -> None:
        with self._changed:
            self._tasks += tasks
            if not self._under_way:
                self._relief.notify()
            self._rouse()

    @property
    def busy(self) -> int:
        """How many tasks are being done or wait to be done."""
        with self._changed:
            return len(self._under_way) + len(self._tasks)

    @property
    def is_behind(self) -> bool:
        """Whether more than a few tasks wait."""
        return len(self._tasks) > 8

    def stop(self, seconds: float) -> None:
        """Starts nothing more and waits for what is being done, so long and no longer."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
            self._relief.notify()
            threads = list(self._threads)
        until = time.monotonic() + seconds
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _rouse(self) -> None:
        """Gets one more thread going, if there is something to do and one to do it."""
        if not self._tasks or self._stopped or self._rousing:
            return
        if self._waiting:
            self._rousing, self._done_before = True, self._done
            self._changed.notify()
        elif len(self._threads) < self.size:
            thread = threading.Thread(target=self._work, name=f"{self._name}-{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            self._rousing, self._done_before = True, self._done
            thread.start()

    def _work(self) -> None:
        me = object()
        while task := self._next(me):
            try:
                task()
            except Exception:  # the thread is the last that can tell; whoever gave the task keeps its own books
                log.exception("a task failed")

    def _next(self, me: object) -> Task | None:
        """Waits until there is something to do for a thread. None: nothing any more."""
        with self._changed:
            if self._under_way.pop(me, None):
                self._done += 1
            else:
                self._arrive()
            while not self._tasks and not self._stopped:
                self._waiting += 1
                self._changed.wait()
                self._waiting -= 1
                self._arrive()
            if self._stopped:
                return None
            self._under_way[me] = time.monotonic()
            task = self._tasks.popleft()
            self._rouse()
            return task

    def _arrive(self) -> None:
        """Lets the others do it as long as they are quick, and is there when they are not."""
        quick = self._done != self._done_before
        while quick and self._tasks and self._under_way and not self._stopped:
            left = next(iter(self._under_way.values())) + GLANCE - time.monotonic()
            quick = left > 0
            if quick:
                self._relief.wait(left)
        self._rousing = False
