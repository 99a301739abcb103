"""The ring around what has the keyboard, drawn outside the widget."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QApplication, QLineEdit, QScrollArea, QSplitter, QStackedWidget, QWidget
from shiboken6 import isValid

from sendoff.ui.theme import Look

OUTSIDE = 3
"""How far the ring reaches beyond the widget, in px: leave this much room in layouts."""


def ring(widget: QWidget, radius: float, *, around_parent: bool = False) -> None:
    """Lets a widget be ringed when it has the keyboard; `radius` is that of its corners, in px.

    With `around_parent` the ring is drawn around the box that the widget, a text field, fills.
    """
    widget.setProperty("ring", radius)
    widget.setProperty("ring_around_parent", around_parent)


class FocusRing(QObject):
    """Follows the keyboard's focus. Shown after Tab and shortcuts, on text fields always."""

    def __init__(self, look: Look, app: QApplication, parent: QObject | None = None) -> None:
        super().__init__(parent or app)
        self._look = look
        self._around: QWidget | None = None
        self._ring: _Ring | None = None
        app.focusChanged.connect(self._move_to)

    def _move_to(self, _old: QWidget | None, new: QWidget | None) -> None:
        self._leave()
        if new is not None and _by_keys(new):
            _bring_into_view(new)
        if new is not None and new.property("ring") is not None and _wanted(new):
            around = (new.parentWidget() if new.property("ring_around_parent") else None) or new
            self._around = around
            self._ring = _Ring(self._look, _host(around), float(new.property("ring")))
            around.installEventFilter(self)
            self._place()

    def _leave(self) -> None:
        if self._around is not None and isValid(self._around):
            self._around.removeEventFilter(self)
        if self._ring is not None and isValid(self._ring):
            self._ring.hide()
            self._ring.deleteLater()
        self._around = self._ring = None

    def _place(self) -> None:
        around, drawn = self._around, self._ring
        if around is None or drawn is None or not isValid(drawn):
            return
        at = around.mapTo(drawn.host, QPoint(0, 0))
        drawn.setGeometry(QRect(at, around.size()).adjusted(-OUTSIDE, -OUTSIDE, OUTSIDE, OUTSIDE))
        drawn.raise_()
        drawn.setVisible(around.isVisible())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind in (QEvent.Type.Move, QEvent.Type.Resize, QEvent.Type.Show, QEvent.Type.Hide):
            self._place()
        elif kind == QEvent.Type.ParentChange:
            self._leave()
        return False


class _Ring(QWidget):
    def __init__(self, look: Look, parent: QWidget, radius: float) -> None:
        super().__init__(parent)
        self._look, self._radius, self.host = look, radius, parent
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint_ring(painter, self.rect().adjusted(OUTSIDE, OUTSIDE, -OUTSIDE, -OUTSIDE), self._radius, self._look)
        painter.end()


def paint_ring(painter: QPainter, rect: QRect, radius: float, look: Look) -> None:
    """1 px of accent on the edge of `rect`, 2 px of pale accent around it."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(look.color("accent.line"), 2))
    painter.drawRoundedRect(QRectF(rect).adjusted(-1, -1, 1, 1), radius + 1, radius + 1)
    painter.setPen(QPen(look.color("accent.fill"), 1))
    painter.drawRoundedRect(QRectF(rect).adjusted(0.5, 0.5, -0.5, -0.5), radius - 0.5, radius - 0.5)


def _wanted(widget: QWidget) -> bool:
    if isinstance(widget, QLineEdit) or widget.property("ring_around_parent"):
        return True
    return _by_keys(widget)


def _by_keys(widget: QWidget) -> bool:
    """Whether the keyboard moved by itself, with Tab or a shortcut, and not with a click."""
    return widget.window().testAttribute(Qt.WidgetAttribute.WA_KeyboardFocusChange)


def _bring_into_view(widget: QWidget) -> None:
    """Scrolls to what has the keyboard: Qt does so only where the keyboard was in the same area before."""
    around = widget.parentWidget()
    while around is not None and not around.isWindow():
        if isinstance(around, QScrollArea):
            around.ensureWidgetVisible(widget, 0, OUTSIDE)
        around = around.parentWidget()


def _host(widget: QWidget) -> QWidget:
    """The nearest parent that takes a child without making a page of it."""
    parent = widget.parentWidget()
    while isinstance(parent, (QSplitter, QStackedWidget)):
        parent = parent.parentWidget()
    return parent or widget
