"""A box above other things that says what is unusual, with what can be done."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout

from sendoff.ui.theme import Look
from sendoff.ui.widgets import paint
from sendoff.ui.widgets.button import SMALL, Button
from sendoff.ui.widgets.label import Label

LINE = 20


class Notice(QFrame):
    """Hidden while there is nothing to say."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look, self._token = look, "scheduled"
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(40, 8, 8, 8)
        self._row.setSpacing(4)
        self._words = Label(look, "", wrap=True)
        self._row.addWidget(self._words, 1)
        self.links: list[Button] = []
        self.hide()

    @property
    def words(self) -> str:
        return "" if self.isHidden() else self._words.text()

    def say(
        self, words: str, links: Sequence[tuple[str, Callable[[], object]]] = (), *, state: str = "scheduled"
    ) -> None:
        """Shows words and links, in the colours of a state; "" hides it."""
        self._token = state
        for link in self.links:
            self._row.removeWidget(link)
            link.hide()
            link.deleteLater()
        self.links = [Button(self._look, said, kind="link", size=SMALL, run=run) for said, run in links]
        for link in self.links:
            link.setFixedHeight(LINE)  # its words stand on the first line of the others
            self._row.addWidget(link, 0, Qt.AlignmentFlag.AlignTop)
        self.reword(words)

    def reword(self, words: str) -> None:
        """The same in other words; the links stay, with the keyboard that may be on them."""
        self._words.setText(words)
        self.setAccessibleName(words)
        self.setVisible(bool(words))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        look, token = self._look, self._token
        paint.box(painter, self.rect(), 6, look.color(f"{token}.tint"), look.color(f"{token}.line"))
        icon = "circle-alert" if token in ("failed", "doubt") else "info"
        paint.pixmap(painter, 14, 18, look.pixmap(icon, 16, f"{token}.text", self.devicePixelRatioF()))
        painter.end()
