"""The only crossing between the threads and the widgets: the bell's rings become one signal, gathered for a moment."""

from __future__ import annotations

import threading

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from sendoff.engine.bell import Bell

GATHER = 40
"""How long rings are gathered before the screens ask again, in ms."""


class Bridge(QObject):
    """Emits `changed` with the topics that changed, on the window's thread, at most 25 times a second."""

    changed = Signal(object)
    _rang = Signal()

    def __init__(self, bell: Bell, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lock = threading.Lock()
        self._topics: set[str] = set()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(GATHER)
        self._timer.timeout.connect(self._tell)
        self._rang.connect(self._timer.start, Qt.ConnectionType.QueuedConnection)
        self._stop = bell.listen(self._hear)

    def close(self) -> None:
        self._stop()
        self._timer.stop()
        self.blockSignals(True)  # a ring that is on its way starts the timer once more

    def _hear(self, topics: frozenset[str]) -> None:
        """In the ringing thread."""
        with self._lock:
            first = not self._topics
            self._topics |= topics
        if first:
            self._rang.emit()

    @Slot()
    def _tell(self) -> None:
        with self._lock:
            topics = frozenset(self._topics)
            self._topics.clear()
        self.changed.emit(topics)
