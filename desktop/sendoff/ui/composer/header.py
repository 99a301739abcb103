"""The top of the composer: the way back, what this is, whether it is saved, and what else can be done with it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from sendoff.ui.theme import Look
from sendoff.ui.widgets import paint
from sendoff.ui.widgets.button import Button, IconButton
from sendoff.ui.widgets.label import Label
from sendoff.ui.widgets.menu import Menu
from sendoff.ui.widgets.surface import Header


class ComposerHeader(Header):
    """`preview_toggled` tells whether the preview is wanted where there is no room beside the text."""

    preview_toggled = Signal(bool)

    def __init__(self, look: Look, go_back: Callable[[], object]) -> None:
        super().__init__(look, "New post", back="Planner", go_back=go_back, line=True)
        self._sign = _Sign(look)
        self._status = Label(look, "", color="text2")
        self.menu = Menu(look, parent=self)
        self._wanted = False
        self.preview = Button(look, "Preview", kind="quiet", icon="eye", run=self.press_preview)
        for part in (self._sign, self._status, self.preview):
            self.add(part)
        self.add(IconButton(look, "ellipsis", "More", size=32, menu=self.menu))

    def say(self, words: str, color: str) -> None:
        """Says whether it is saved; "" while there is nothing to say."""
        self._status.setText(words)
        self._status.set_color(color or "text2")
        self._status.setVisible(bool(words))
        saved = words.startswith("Saved")
        self._sign.show_icon("check" if saved else "circle-alert" if words and color != "text2" else "", color)

    @property
    def status(self) -> str:
        return self._status.text()

    def show_preview_button(self, shown: bool) -> None:
        self.preview.setVisible(shown)

    def press_preview(self) -> None:
        """Shows the preview, or hides it."""
        self._wanted = not self._wanted
        self.preview.setText("Hide preview" if self._wanted else "Preview")
        self.preview.set_icon("eye-off" if self._wanted else "eye")
        self.preview_toggled.emit(self._wanted)


class _Sign(QWidget):
    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look, self._icon, self._color = look, "", "text2"
        self.setFixedSize(16, 16)

    def show_icon(self, icon: str, color: str) -> None:
        self._icon, self._color = icon, color or "text2"
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._icon:
            painter = QPainter(self)
            drawing = self._look.pixmap(self._icon, 16, self._color, self.devicePixelRatioF())
            paint.pixmap(painter, 0, 8, drawing)
            painter.end()
