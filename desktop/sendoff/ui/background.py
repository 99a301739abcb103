"""Work that may take a while, off the window's thread; what comes of it is delivered on the window's thread."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Qt, Signal, Slot
from shiboken6 import isValid

from sendoff.domain.errors import SendoffError

T = TypeVar("T")


@dataclass(slots=True)
class Errand:
    """One piece of work under way. `drop` says that nobody wants to hear of it any more; it runs to its end."""

    work: Callable[[], Any]
    done: Callable[[Any], None] | None
    failed: Callable[[SendoffError], None] | None
    owner: QObject | None
    dropped: bool = False
    result: Any = None
    error: BaseException | None = None

    def drop(self) -> None:
        self.dropped = True

    @property
    def wanted(self) -> bool:
        return not self.dropped and (self.owner is None or isValid(self.owner))


class Background(QObject):
    """One thread for commands, in order; and one for what waits for a network, so that a slow server holds up nothing.

    `trouble` carries the sentence of an error for which nobody else cared.
    """

    trouble = Signal(str)
    _came = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._quick = _Lane("commands", self._hand_over)
        self._slow = _Lane("errands", self._hand_over)
        self._closed = False
        self._came.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def run(
        self,
        work: Callable[[], T],
        done: Callable[[T], None] | None = None,
        failed: Callable[[SendoffError], None] | None = None,
        *,
        slow: bool = False,
        aside: bool = False,
        owner: QObject | None = None,
    ) -> Errand:
        """Runs `work` on another thread, then `done` with its result, or `failed` with its error, on this one.

        Args:
            work: touches no widget.
            failed: gets what Sendoff raises on purpose; without it, `trouble` is emitted with the sentence. Any other
                exception is a mistake of ours and is raised on this thread.
            slow: it waits for a network or copies a file.
            aside: it may wait for minutes, for a dead server or a person in a browser: on a thread of its own.
            owner: if this object is gone when the work is done, nothing is called.
        """
        errand = Errand(work, done, failed, owner)
        if aside:
            threading.Thread(target=_work, args=(errand, self._hand_over), name="aside", daemon=True).start()
        else:
            (self._slow if slow else self._quick).put(errand)
        return errand

    def close(self, seconds: float = 2.0) -> None:
        """Takes no more work and waits a little for what is under way; nothing is delivered after."""
        self._closed = True
        self._quick.stop(seconds)
        self._slow.stop(0)

    def _hand_over(self, errand: Errand) -> None:
        if not self._closed and isValid(self):
            self._came.emit(errand)

    @Slot(object)
    def _deliver(self, errand: Errand) -> None:
        if self._closed or not errand.wanted:
            return
        if errand.error is None:
            if errand.done is not None:
                errand.done(errand.result)
        elif not isinstance(errand.error, SendoffError):
            raise errand.error
        elif errand.failed is not None:
            errand.failed(errand.error)
        else:
            self.trouble.emit(str(errand.error))


class _Lane:
    """A thread that works off a queue; it begins with the first errand."""

    def __init__(self, name: str, hand_over: Callable[[Errand], None]) -> None:
        self._hand_over = hand_over
        self._waiting: queue.SimpleQueue[Errand | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)

    def put(self, errand: Errand) -> None:
        if self._thread.ident is None:
            self._thread.start()
        self._waiting.put(errand)

    def stop(self, seconds: float) -> None:
        self._waiting.put(None)
        if self._thread.ident is not None:
            self._thread.join(seconds)

    def _serve(self) -> None:
        while (errand := self._waiting.get()) is not None:
            _work(errand, self._hand_over)


def _work(errand: Errand, hand_over: Callable[[Errand], None]) -> None:
    try:
        errand.result = errand.work()
    except BaseException as error:  # noqa: BLE001  # delivered to the window's thread, which names it
        errand.error = error
    hand_over(errand)
