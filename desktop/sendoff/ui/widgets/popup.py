"""A box that belongs to what opened it, and goes away with the next click elsewhere or with Esc."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QWidget

from sendoff.ui.theme import Look


class Popup(QFrame):
    """The keys are its own while it is open: Esc closes it, and not the page below it too."""

    def __init__(self, look: Look, name: str, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self._look = look
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAccessibleName(name)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride:  # Qt looks for shortcuts in the parents of a popup too
            event.accept()
            return True
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._look.color("line"))
        painter.fillRect(self.rect().adjusted(1, 1, -1, -1), self._look.color("raised"))
        painter.end()
