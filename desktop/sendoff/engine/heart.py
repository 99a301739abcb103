"""Beats once a second by the clock that never jumps, whatever happens to the other one."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)

BEAT = 1.0
"""Seconds. What no hook reports (other processes, sleep, a changed clock) is noticed this soon."""


class Heart:
    """A thread that calls one function again and again.

    Not a job of the scheduler: a clock that is set back by an hour would stop that for an hour (APScheduler computes
    the next run from the wall clock), and this has to notice that the clock was set.
    """

    def __init__(self, beat: Callable[[], None]) -> None:
        self._beat = beat
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="heart", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, seconds: float) -> None:
        self._stopped.set()
        if self._thread.is_alive():  # it may never have started
            self._thread.join(seconds)

    def _serve(self) -> None:
        while not self._stopped.wait(BEAT):
            try:
                self._beat()
            except Exception:  # it is the last that looks after the others, so it goes on
                log.exception("a heartbeat failed")
