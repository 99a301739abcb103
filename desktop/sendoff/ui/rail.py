"""The left rail: whose posts these are, the way to write one, the screens, and how the sending stands."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from sendoff.domain.words import counted
from sendoff.ui.ground import NARROW_RAIL, RAIL, paint_rail
from sendoff.ui.screens import ENTRIES, SCREENS, Entry
from sendoff.ui.strip import Strip
from sendoff.ui.theme import MEDIUM, STRONG, Look
from sendoff.ui.widgets import paint
from sendoff.ui.widgets.button import LARGE, Button, IconButton
from sendoff.ui.widgets.focus import ring
from sendoff.ui.widgets.label import Label
from sendoff.ui.widgets.state import Tile, badge_width, draw_badge
from sendoff.ui.widgets.tip import set_tip

if TYPE_CHECKING:
    from sendoff.ui.standing import Standing


class Rail(QFrame):
    """216 px wide, or 57 with icons only. `chosen` carries the name of the screen that was pressed."""

    chosen = Signal(str)

    def __init__(self, look: Look, compose: Callable[[], object]) -> None:
        super().__init__()
        self._look = look
        self._narrow = False
        self.setAccessibleName("Screens")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 12, 1, 0)
        column.setSpacing(0)
        self._workspace = _Workspace(look)
        column.addWidget(self._workspace)
        column.addSpacing(12)
        self._new = Button(look, "New post", kind="primary", icon="pen-line", size=LARGE, keys="Ctrl N", run=compose)
        self._new.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._new_icon = IconButton(
            look, "pen-line", "New post", kind="primary", size=LARGE, keys="Ctrl+N", run=compose
        )
        column.addLayout(_indented(self._new))
        column.addLayout(_indented(self._new_icon, 10))
        column.addSpacing(16)
        self.items = {entry.name: NavItem(look, entry) for entry in ENTRIES if entry.in_rail}
        self._lists = QVBoxLayout()
        self._lists.setSpacing(2)
        for item in self.items.values():
            item.clicked.connect(lambda _checked=False, name=item.entry.name: self.chosen.emit(name))
            self._lists.addWidget(item)
        column.addLayout(self._lists)
        column.addStretch(1)
        self.strip = Strip(look)
        column.addWidget(self.strip)
        self.set_narrow(False)

    def set_narrow(self, narrow: bool) -> None:
        """Icons only, with tooltips."""
        self._narrow = narrow
        self.setFixedWidth(NARROW_RAIL if narrow else RAIL)
        side = 10 if narrow else 12
        self._lists.setContentsMargins(side, 0, side, 0)
        self._new.setVisible(not narrow)
        self._new_icon.setVisible(narrow)
        self._workspace.set_narrow(narrow)
        self.strip.set_narrow(narrow)
        for item in self.items.values():
            item.set_narrow(narrow)

    def set_current(self, name: str) -> None:
        """Marks a screen, or the one that it belongs to; one that is not in the rail marks none."""
        for item in self.items.values():
            item.setChecked(item.entry.name in (name, SCREENS[name].under))

    def show_standing(self, standing: Standing) -> None:
        self._workspace.show_it(standing.workspace, standing.accounts)
        self.items["drafts"].set_count(standing.drafts)
        self.items["activity"].set_badge(standing.needs_you)
        self.strip.show_standing(standing)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint_rail(painter, self.rect(), self._look.theme)
        painter.end()


def _indented(widget: QWidget, side: int = 12) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setContentsMargins(side, 0, side, 0)
    row.addWidget(widget)
    return row


class _Workspace(QWidget):
    """Whose posts these are: a letter, the name, how many accounts."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self.setFixedHeight(44)
        row = QHBoxLayout(self)
        row.setContentsMargins(20, 0, 12, 0)
        row.setSpacing(10)
        self._tile = Tile(look, size=28, accent=True)
        row.addWidget(self._tile)
        self._words = QWidget()
        column = QVBoxLayout(self._words)
        column.setContentsMargins(0, 5, 0, 5)
        column.setSpacing(0)
        self._name = Label(look, "", weight=STRONG, elide=True)
        self._accounts = Label(look, "", size="small", color="text2", elide=True)
        column.addWidget(self._name)
        column.addWidget(self._accounts)
        row.addWidget(self._words, 1)

    def set_narrow(self, narrow: bool) -> None:
        self._words.setVisible(not narrow)
        layout = self.layout()
        if layout is not None:
            layout.setContentsMargins(14 if narrow else 20, 0, 14 if narrow else 12, 0)

    def show_it(self, name: str, accounts: int) -> None:
        words = counted(accounts, "account", "accounts")
        self._tile.set_letter(name)
        self._name.setText(name)
        self._accounts.setText(words)
        self.setAccessibleName(f"{name}, {words}")
        set_tip(self._tile, f"{name}, {words}")


class NavItem(QPushButton):
    """A screen in the rail, with a count or a badge."""

    def __init__(self, look: Look, entry: Entry) -> None:
        super().__init__(entry.title)
        self._look, self.entry = look, entry
        self._narrow, self._count, self._badge = False, 0, 0
        self.setCheckable(True)
        self.setFixedHeight(32)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        ring(self, 6)
        self._say()

    def set_narrow(self, narrow: bool) -> None:
        self._narrow = narrow
        set_tip(self, f"{self.entry.title}  {self.entry.keys}" if narrow else "")
        self.update()

    def nextCheckState(self) -> None:
        """Which one is marked is the window's to say, after it has gone there."""

    def set_count(self, count: int) -> None:
        self._count = count
        self._say()

    def set_badge(self, count: int) -> None:
        self._badge = count
        self._say()

    def _say(self) -> None:
        more = f", {counted(self._badge, 'thing needs you', 'things need you')}" if self._badge else ""
        more += f", {self._count}" if self._count else ""
        self.setAccessibleName(self.entry.title + more)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(36 if self._narrow else 191, 32)

    def minimumSizeHint(self) -> QSize:
        return QSize(36, 32)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, look = QPainter(self), self._look
        if self.isChecked() or self.underMouse() or self.isDown():
            paint.box(painter, self.rect(), 6, look.color("selected" if self.isChecked() else "hover"))
        color = "accent.text" if self.isChecked() else "text2"
        drawing = look.pixmap(self.entry.icon, 16, color, self.devicePixelRatioF())
        paint.pixmap(painter, 10, self.height() / 2, drawing)
        if self._narrow:
            self._paint_dot(painter)
        else:
            self._paint_words(painter)
        painter.end()

    def _paint_words(self, painter: QPainter) -> None:
        look, right = self._look, self.width() - 10
        if self._badge:
            wide = badge_width(look, str(self._badge))
            draw_badge(painter, QRect(right - wide, 6, wide, 20), str(self._badge), look)
            right -= wide + 6
        elif self._count:
            room, font = QRect(right - 60, 0, 56, self.height()), look.font("small", MEDIUM)
            paint.text(painter, room, f"{self._count:,}", font, look.color("text3"), Qt.AlignmentFlag.AlignRight)
            right -= 60
        strong = self.isChecked()
        font = look.font("base", STRONG if strong else MEDIUM)
        color = look.color("text" if strong or self.underMouse() else "text2")
        paint.text(painter, QRect(36, 0, right - 36, self.height()), self.entry.title, font, color)

    def _paint_dot(self, painter: QPainter) -> None:
        if self._badge:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._look.color("doubt.line"))
            painter.drawEllipse(QRectF(24, 3, 8, 8))
