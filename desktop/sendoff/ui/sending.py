"""This window's part in the sending: it is the profile's sender, or watches the one that is and takes over after."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from PySide6.QtCore import QObject, QTimer, Signal

from sendoff.bootstrap import Program
from sendoff.domain.errors import OwnedElsewhere, SendoffError
from sendoff.engine.engine import Status
from sendoff.store import changes
from sendoff.ui.background import Background

AGAIN = 1000
"""How often a window that does not send looks for changes and for a free lock, in ms."""


class Part(StrEnum):
    """Who sends for this profile."""

    STARTING = "starting"  # nobody knows yet
    HERE = "here"  # this process
    ELSEWHERE = "elsewhere"  # another process
    NOWHERE = "nowhere"  # it could not be started; `trouble` says why
    ENDED = "ended"  # this window has stopped


class Sending(QObject):
    """Starts the engine, off the window's thread. `changed` comes when `part` has changed."""

    changed = Signal()

    def __init__(self, program: Program, background: Background, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._program, self._background = program, background
        self._engine = program.engine()
        self._seen: dict[str, int] = {}
        self.part, self.trouble = Part.STARTING, ""
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(AGAIN)
        self._timer.timeout.connect(self.start)

    def start(self) -> None:
        """Becomes the sender if nobody is; else watches, and tries again every second."""
        if self.part is not Part.ENDED:
            self._background.run(self._try, self._settled, self._failed)

    def end(self, then: Callable[[], None]) -> None:
        """Ends the sending, off this thread, then calls `then`; what leaves may finish, for up to four seconds."""
        self._retire()
        self._background.run(self._engine.stop, lambda _nothing: then())

    def end_now(self) -> None:
        """The same when there is no time left: it blocks for up to four seconds."""
        self._retire()
        self._engine.stop()

    def _retire(self) -> None:
        self._timer.stop()
        self.part = Part.ENDED

    def status(self) -> Status:
        """What the engine in this process does."""
        return self._engine.status()

    def _try(self) -> None:
        try:
            self._engine.start()
        except OwnedElsewhere:
            self._ring_for_others()
            raise

    def _ring_for_others(self) -> None:
        """Who sends compares the counters of changes itself; here nobody else would."""
        with self._program.store.reading() as connection:
            counters = changes.counters(connection)
        changed = frozenset(topic for topic, n in counters.items() if self._seen.get(topic) != n)
        first, self._seen = not self._seen, counters
        if changed and not first:
            self._program.bell.ring(changed)

    def _settled(self, _nothing: None) -> None:
        self._be(Part.HERE, "")

    def _failed(self, error: SendoffError) -> None:
        self._be(Part.ELSEWHERE if isinstance(error, OwnedElsewhere) else Part.NOWHERE, str(error))
        if self.part is not Part.ENDED:
            self._timer.start()

    def _be(self, part: Part, trouble: str) -> None:
        if self.part is not Part.ENDED and (self.part, self.trouble) != (part, trouble):
            self.part, self.trouble = part, trouble
            self.changed.emit()
