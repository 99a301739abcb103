"""The tabs above the text: everyone, one for each account with its own text, and the menu that makes one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QHBoxLayout, QSizePolicy, QWidget

from sendoff.ui.composer.state import EVERYONE
from sendoff.ui.theme import MEDIUM, STRONG, Look
from sendoff.ui.widgets import paint
from sendoff.ui.widgets.button import Button
from sendoff.ui.widgets.focus import ring
from sendoff.ui.widgets.menu import Menu

HEIGHT, UNDERLINE, ABOVE = 32, 2, 10
WIDEST = 130


@dataclass(frozen=True, slots=True)
class Tab:
    """What a tab stands for: an account's id (or EVERYONE), its name and mark."""

    key: int
    words: str
    mark: str = ""


class Tabs(QWidget):
    """`chosen` carries the tab that was pressed; `customise` and `uncustomise` an account's id."""

    chosen = Signal(int)
    customise = Signal(int)
    uncustomise = Signal(int)

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self._tabs: tuple[Tab, ...] = ()
        self._others: tuple[Tab, ...] = ()
        self._buttons: dict[int, _TabButton] = {}
        self.setAccessibleName("Texts")
        self.setFixedHeight(ABOVE + HEIGHT + 1)
        self._group = QButtonGroup(self)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, ABOVE, 0, 1)
        self._row.setSpacing(2)
        self.menu = Menu(look, parent=self)
        self.menu.aboutToShow.connect(self._fill_menu)
        self.more = Button(look, "Customise for…", kind="quiet", icon="plus", size=28, run=self.open_menu)
        self.undo = Button(look, "Use everyone’s text", kind="link", size=28, run=self._uncustomise)
        self._row.addWidget(self.more)
        self._row.addStretch(1)
        self._row.addWidget(self.undo)

    def show_tabs(self, tabs: Sequence[Tab], others: Sequence[Tab], current: int) -> None:
        """Shows these; `others` are the accounts that can get a text of their own."""
        if tuple(tabs) != self._tabs:
            self._tabs = tuple(tabs)
            self._rebuild()
        self._others = tuple(others)
        self._buttons[current].setChecked(True)
        self.more.setVisible(bool(others))
        self.undo.setVisible(current != EVERYONE)

    @property
    def current(self) -> int:
        return next((key for key, button in self._buttons.items() if button.isChecked()), EVERYONE)

    def _rebuild(self) -> None:
        for button in self._buttons.values():
            self._group.removeButton(button)
            self._row.removeWidget(button)
            button.hide()
            button.deleteLater()
        self._buttons = {}
        for place, tab in enumerate(self._tabs):
            button = _TabButton(self._look, tab)
            button.clicked.connect(lambda _checked=False, key=tab.key: self.chosen.emit(key))
            self._group.addButton(button)
            self._row.insertWidget(place, button)
            self._buttons[tab.key] = button

    def _uncustomise(self) -> None:
        self.uncustomise.emit(self.current)

    def open_menu(self) -> None:
        self.menu.popup(self.more.mapToGlobal(QPoint(0, self.more.height() + 4)))

    def _fill_menu(self) -> None:
        self.menu.clear()
        for tab in self._others:
            action = self.menu.add(tab.words, lambda key=tab.key: self.customise.emit(key))  # type: ignore[misc]
            if tab.mark:
                action.setIcon(self._look.mark_icon(tab.mark))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(0, self.height() - 1, self.width(), 1, self._look.color("line"))
        painter.end()


class _TabButton(QAbstractButton):
    def __init__(self, look: Look, tab: Tab) -> None:
        super().__init__()
        self._look, self._tab = look, tab
        self._own = tab.key != EVERYONE
        self.setText(tab.words.replace("&", "&&"))
        self.setAccessibleName(f"{tab.words}, own text" if self._own else tab.words)
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        ring(self, 4)

    def _words(self) -> str:
        metrics = QFontMetrics(self._look.font("base", STRONG))
        return metrics.elidedText(self._tab.words, Qt.TextElideMode.ElideRight, WIDEST)

    def sizeHint(self) -> QSize:
        width = 20 + QFontMetrics(self._look.font("base", STRONG)).horizontalAdvance(self._words())
        if self._tab.mark:
            width += 21
        if self._own:
            width += 6 + QFontMetrics(self._look.font()).horizontalAdvance("own text")
        return QSize(width, HEIGHT)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers():
            self.click()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        look, on = self._look, self.isChecked()
        color = look.color("text" if on or self.underMouse() else "text2")
        left = 10
        if self._tab.mark:
            drawing = look.mark(self._tab.mark, 13, "" if on else "text2", self.devicePixelRatioF())
            paint.pixmap(painter, left, self.height() / 2, drawing)
            left += 21
        font = look.font("base", STRONG if on else MEDIUM)
        room = QRect(left, 0, self.width() - left, self.height())
        left += paint.text(painter, room, self._words(), font, color)
        if self._own:
            room = QRect(left + 6, 0, self.width() - left, self.height())
            paint.text(painter, room, "own text", look.font(), look.color("text2"))
        if on:
            painter.fillRect(0, self.height() - UNDERLINE, self.width(), UNDERLINE, look.color("accent.fill"))
        painter.end()
