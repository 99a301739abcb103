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
    spread over all threads at once. Where tasks are over at once, one thread does a thousand of them, one stands by,
    and the others sleep; as soon as a task takes its time, the one that stands by takes over, and wakes another.
    """

    def __init__(self, size: int, name: str) -> None:
        self.size = size
        self._name = name
        self._tasks: deque[Task] = deque()
        self._threads: list[threading.Thread] = []
        self._under_way: dict[object, float] = {}  # since when, the newest last
        self._were_quick = False  # whether the last task that ended since one was woken was over at once
        self._sleeping = 0
        self._next_is_up = False  # one has been woken and has not come yet, or stands by
        self._lock = threading.Lock()
        self._called = threading.Condition(self._lock)
        self._relief = threading.Condition(self._lock)  # the one that stands by waits here
        self._stopped = False

    def submit(self, *tasks: Task) -> None:
        with self._lock:
            self._tasks += tasks
            if not self._under_way:
                self._relief.notify()
            self._rouse()

    @property
    def busy(self) -> int:
        """How many tasks are being done or wait to be done."""
        with self._lock:
            return len(self._under_way) + len(self._tasks)

    @property
    def is_behind(self) -> bool:
        """Whether more than a few tasks wait."""
        return len(self._tasks) > 8

    def stop(self, seconds: float) -> None:
        """Starts nothing more and waits for what is being done, so long and no longer."""
        with self._lock:
            self._stopped = True
            self._called.notify_all()
            self._relief.notify()
            threads = list(self._threads)
        until = time.monotonic() + seconds
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _rouse(self) -> None:
        """Gets one more thread going, if there is something to do and one to do it."""
        if not self._tasks or self._stopped or self._next_is_up:
            return
        self._were_quick = False
        if self._sleeping:
            self._next_is_up = True
            self._called.notify()
        elif len(self._threads) < self.size:
            thread = threading.Thread(target=self._work, name=f"{self._name}-{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            self._next_is_up = True
            thread.start()

    def _work(self) -> None:
        me = object()
        with self._lock:
            self._next_is_up = False
        while task := self._next(me):
            try:
                task()
            except Exception:  # the thread is the last that can tell; whoever gave the task keeps its own books
                log.exception("a task failed")

    def _next(self, me: object) -> Task | None:
        """Waits until there is something to do for a thread. None: nothing any more."""
        with self._lock:
            now = time.monotonic()
            since = self._under_way.pop(me, None)
            if since is not None:
                self._were_quick = now - since < GLANCE
            while not self._stopped:
                managed = self._managed(now)
                if self._tasks and managed <= 0:
                    self._under_way[me] = now
                    task = self._tasks.popleft()
                    self._rouse()
                    return task
                if self._tasks and not self._next_is_up:
                    self._next_is_up = True
                    self._relief.wait(managed)
                else:
                    self._sleeping += 1
                    self._called.wait()
                    self._sleeping -= 1
                self._next_is_up = False
                now = time.monotonic()
            return None

    def _managed(self, now: float) -> float:
        """For how many seconds from now on another thread does it alone: its tasks are quick, and it just began one."""
        if not (self._were_quick and self._under_way):
            return 0.0
        return next(reversed(self._under_way.values())) + GLANCE - now
