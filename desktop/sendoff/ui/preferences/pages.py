"""The names of the sections at the left: press one to go there; the one that is read is marked."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QButtonGroup, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from sendoff.ui.theme import MEDIUM, STRONG, Look
from sendoff.ui.widgets import paint
from sendoff.ui.widgets.button import RADIUS
from sendoff.ui.widgets.focus import ring

WIDTH = 148


class Pages(QWidget):
    """One of the names is marked. `chosen` carries its place when the person pressed it."""

    chosen = Signal(int)

    def __init__(self, look: Look, names: Sequence[str]) -> None:
        super().__init__()
        self.setFixedWidth(WIDTH)
        self.setAccessibleName("Sections")
        self._group = QButtonGroup(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        for place, name in enumerate(names):
            one = _Name(look, name)
            self._group.addButton(one, place)
            column.addWidget(one)
        column.addStretch(1)
        self._group.idClicked.connect(self.chosen)
        self.set_current(0)

    def set_current(self, place: int) -> None:
        self._group.button(place).setChecked(True)

    @property
    def current(self) -> int:
        return self._group.checkedId()


class _Name(QPushButton):
    def __init__(self, look: Look, words: str) -> None:
        super().__init__(words.replace("&", "&&"))
        self._look, self._words = look, words
        self.setCheckable(True)
        self.setAccessibleName(words)
        self.setFixedHeight(32)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        ring(self, RADIUS)

    def sizeHint(self) -> QSize:
        return QSize(WIDTH, 32)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, look, on = QPainter(self), self._look, self.isChecked()
        if on or self.underMouse():
            paint.box(painter, self.rect(), RADIUS, look.color("selected" if on else "hover"))
        font = look.font("base", STRONG if on else MEDIUM)
        color = look.color("text" if on or self.underMouse() else "text2")
        paint.text(painter, self.rect().adjusted(12, 0, -8, 0), self._words, font, color)
        painter.end()
