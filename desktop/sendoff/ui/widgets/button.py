"""Buttons: the one that matters, the others, quiet ones, links, and those that are only an icon."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QPushButton, QSizePolicy, QWidget

from sendoff.ui.theme import MEDIUM, STRONG, Look
from sendoff.ui.widgets import paint
from sendoff.ui.widgets.focus import ring
from sendoff.ui.widgets.menu import Menu
from sendoff.ui.widgets.tip import set_tip

SMALL, NORMAL, LARGE = 28, 32, 36
RADIUS = 6
MENU_PART = 31


@dataclass(frozen=True, slots=True)
class Colors:
    """The tokens of one state of a button; "" is nothing."""

    fill: str
    line: str
    text: str


@dataclass(frozen=True, slots=True)
class Kind:
    """How a kind of button looks at rest, under the pointer, pressed and disabled."""

    rest: Colors
    hover: Colors
    pressed: Colors
    off: Colors
    weight: int = MEDIUM


_OFF = Colors("selected", "", "icon_disabled")
KINDS = {
    "primary": Kind(
        Colors("accent.fill", "", "accent.on"), Colors("accent.hover", "", "accent.on"),
        Colors("accent.pressed", "", "accent.on"), _OFF, STRONG,
    ),
    "secondary": Kind(
        Colors("raised", "control", "text"), Colors("neutral.4", "control", "text"),
        Colors("neutral.5", "control", "text"), Colors("", "line", "icon_disabled"),
    ),
    "quiet": Kind(
        Colors("", "", "text2"), Colors("hover", "", "text"), Colors("selected", "", "text"),
        Colors("", "", "icon_disabled"),
    ),
    "link": Kind(
        Colors("", "", "accent.text"), Colors("accent.tint", "", "accent.text"),
        Colors("accent.tint", "", "accent.text"), Colors("", "", "icon_disabled"),
    ),
    "danger": Kind(
        Colors("raised", "failed.line", "failed.text"), Colors("failed.tint", "failed.line", "failed.text"),
        Colors("failed.tint", "failed.text", "failed.text"), Colors("", "line", "icon_disabled"),
    ),
}  # fmt: skip


class Button(QPushButton):
    """A button that says what it does.

    Args:
        kind: "primary" (one on a screen), "secondary", "quiet", "link", "danger".
        icon: the name of an outline icon before the words.
        size: 28, 32 or 36 px high.
        keys: a shortcut shown at the right; it is not bound by this.
        menu: opened by the button, or with `split` by a part of its own at the right.
        flush: nothing stands before its words, so that a link is in line with what is above it.
        run: called when it is pressed.
    """

    def __init__(
        self,
        look: Look,
        words: str = "",
        *,
        kind: str = "secondary",
        icon: str = "",
        size: int = NORMAL,
        keys: str = "",
        menu: Menu | None = None,
        split: bool = False,
        flush: bool = False,
        run: Callable[[], object] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._look, self._kind, self._icon, self._size = look, KINDS[kind], icon, size
        self._words, self._keys, self._menu, self._split = words, keys, menu, split
        self._on_menu, self._flush = False, flush
        self.setText(words)
        self.setFont(look.font("base", self._kind.weight))
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setAutoDefault(False)
        self.setCursor(Qt.CursorShape.PointingHandCursor if kind == "link" else Qt.CursorShape.ArrowCursor)
        ring(self, RADIUS)
        if run is not None:
            self.clicked.connect(lambda _checked=False: run())
        if menu is not None and not split:
            self.clicked.connect(self.open_menu)

    def setText(self, words: str) -> None:
        """Sets the words; an ampersand is one."""
        self._words = words
        super().setText(words.replace("&", "&&"))
        if words:
            self.setAccessibleName(words)
        self.updateGeometry()
        self.update()

    def words(self) -> str:
        return self._words

    def set_icon(self, icon: str) -> None:
        self._icon = icon
        self.updateGeometry()
        self.update()

    def open_menu(self) -> None:
        """Opens the menu below the button, or above it where there is no room."""
        if self._menu is None:
            return
        at = self.mapToGlobal(QPoint(0, self.height() + 4))
        below = self.screen().availableGeometry().bottom()
        if at.y() + self._menu.sizeHint().height() > below:
            at = self.mapToGlobal(QPoint(0, -4 - self._menu.sizeHint().height()))
        self._menu.popup(at)

    # --- size -----------------------------------------------------------------------------------------------------

    def sizeHint(self) -> QSize:
        metrics = QFontMetrics(self.font())
        width = 2 * self._pad() + metrics.horizontalAdvance(self._words)
        if self._icon:
            width += 16 + (8 if self._words else 0)
        if self._keys:
            width += 16 + QFontMetrics(self._look.font("small")).horizontalAdvance(self._keys)
        if self._menu is not None:
            width += MENU_PART if self._split else 20
        return QSize(width, self._size)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def _pad(self) -> int:
        if self._flush:
            return 0
        if self._kind in (KINDS["link"], KINDS["quiet"]):
            return 8 if self._size <= NORMAL else 12
        return 10 if self._size == SMALL else 12 if self._size == NORMAL or self._keys else 14

    # --- painting -------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        colors = self._colors()
        fill = self._look.color(colors.fill) if colors.fill else None
        line = self._look.color(colors.line) if colors.line else None
        paint.box(painter, self.rect(), RADIUS, fill, line)
        self._paint_content(painter, colors)
        if self._menu is not None:
            self._paint_menu_part(painter, colors)
        painter.end()

    def _colors(self) -> Colors:
        if not self.isEnabled():
            return self._kind.off
        if self.isDown():
            return self._kind.pressed
        return self._kind.hover if self.underMouse() else self._kind.rest

    def _paint_content(self, painter: QPainter, colors: Colors) -> None:
        room = self.rect().adjusted(self._pad(), 0, -self._pad() - self._menu_width(), 0)
        if self._keys:
            font = self._look.font("small")
            wide = QFontMetrics(font).horizontalAdvance(self._keys)
            place = QRect(room.right() + 1 - wide, 0, wide, self.height())
            paint.text(painter, place, self._keys, font, self._look.color(colors.text))
            room.setRight(place.left() - 8)
        content = QFontMetrics(self.font()).horizontalAdvance(self._words) + (24 if self._icon else 0)
        if not self._keys and content < room.width():
            room.setLeft(room.left() + (room.width() - content) // 2)
        if self._icon:
            color = "text2" if colors.text == "text" else colors.text
            drawing = self._look.pixmap(self._icon, 16, color, self.devicePixelRatioF())
            paint.pixmap(painter, room.left(), self.height() / 2, drawing)
            room.setLeft(room.left() + 24)
        paint.text(painter, room, self._words, self.font(), self._look.color(colors.text))

    def _menu_width(self) -> int:
        if self._menu is None:
            return 0
        return MENU_PART if self._split else 20

    def _paint_menu_part(self, painter: QPainter, colors: Colors) -> None:
        drawing = self._look.pixmap("chevron-down", 14, colors.text, self.devicePixelRatioF())
        left = self.width() - (MENU_PART if self._split else self._pad() + 14)
        if self._split:
            edge = self._look.color(colors.text)
            edge.setAlphaF(0.3)
            painter.fillRect(left, 0 if colors.line == "" else 1, 1, self.height(), edge)
            left += (MENU_PART - 14) // 2
        paint.pixmap(painter, left, self.height() / 2, drawing)

    # --- hands ----------------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._on_menu = self._split and event.position().x() >= self.width() - MENU_PART
        if self._on_menu and event.button() is Qt.MouseButton.LeftButton:
            self.open_menu()
            return
        super().mousePressEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        elif event.key() == Qt.Key.Key_Down and self._menu is not None:
            self.open_menu()
        else:
            super().keyPressEvent(event)


class IconButton(Button):
    """A square button with an icon only; its name is its tooltip and what a screen reader says."""

    def __init__(
        self,
        look: Look,
        icon: str,
        name: str,
        *,
        kind: str = "quiet",
        size: int = SMALL,
        keys: str = "",
        menu: Menu | None = None,
        run: Callable[[], object] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(look, "", kind=kind, icon=icon, size=size, menu=menu, run=run, parent=parent)
        self.setFixedSize(size, size)
        self.set_name(name, keys)

    def set_name(self, name: str, keys: str = "") -> None:
        self.setAccessibleName(name)
        set_tip(self, f"{name}  {keys}".rstrip())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        colors = self._colors()
        fill = self._look.color(colors.fill) if colors.fill else None
        line = self._look.color(colors.line) if colors.line else None
        paint.box(painter, self.rect(), RADIUS, fill, line)
        color = "text2" if colors.text == "text" else colors.text
        drawing = self._look.pixmap(self._icon, 16, color, self.devicePixelRatioF())
        paint.pixmap(painter, (self.width() - 16) / 2, self.height() / 2, drawing)
        painter.end()
