"""What floats over the window: the bar with Undo, and sheets over a scrim. Child widgets, never dialogs."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QVBoxLayout, QWidget
from shiboken6 import isValid

from sendoff.ui.theme import STRONG, Look
from sendoff.ui.widgets import paint
from sendoff.ui.widgets.button import SMALL, Button, IconButton
from sendoff.ui.widgets.label import Label
from sendoff.ui.widgets.order import reached
from sendoff.ui.widgets.scroll import ScrollBox
from sendoff.ui.widgets.surface import CARD_RADIUS, Divider

AROUND = 36
"""Room for the shadow around a floating bar, in px."""

UNDO_STAYS = 8000
"""How long the bar with Undo stays, in ms."""


class Bar(QWidget):
    """A bar of 44 px that floats 16 px above the bottom of its host, in the middle of `area`. Parts go into `row`."""

    HEIGHT, ABOVE = 44, 16

    def __init__(self, look: Look, host: QWidget, area: Callable[[], QRect] | None = None) -> None:
        super().__init__(host)
        self._look, self._host = look, host
        self._area = area or host.rect
        self._shadow = _Shadow(look, host)
        self.destroyed.connect(self._shadow.deleteLater)
        self.row = QHBoxLayout(self)
        self.row.setContentsMargins(16, 0, 8, 0)
        self.row.setSpacing(8)
        self.hide()
        host.installEventFilter(self)

    def place(self) -> None:
        area, size = self._area(), self.sizeHint()
        size.setWidth(min(size.width(), area.width() - 32))
        size.setHeight(self.HEIGHT)
        left = area.left() + (area.width() - size.width()) // 2
        place = QRect(QPoint(left, area.bottom() + 1 - self.ABOVE - self.HEIGHT), size)
        self.setGeometry(place)
        self._shadow.setGeometry(place.adjusted(-AROUND, -AROUND, AROUND, AROUND))

    def show_above(self) -> None:
        self.place()
        self._shadow.raise_()
        self.raise_()
        self.show()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._shadow.show()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        if isValid(self._shadow):
            self._shadow.hide()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self.place()
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint.box(painter, self.rect(), CARD_RADIUS, self._look.color("raised"), self._look.color("line"))
        painter.end()


class _Shadow(QWidget):
    """What a bar throws on the page. The page below it takes its clicks."""

    def __init__(self, look: Look, host: QWidget) -> None:
        super().__init__(host)
        self._look = look
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint.shadow(painter, self.rect().adjusted(AROUND, AROUND, -AROUND, -AROUND), CARD_RADIUS, self._look)
        painter.end()


class UndoBar(Bar):
    """Says what was done, with Undo where that is possible; goes by itself, but not from under the pointer.

    What went wrong stays until it is read.
    """

    def __init__(self, look: Look, host: QWidget, area: Callable[[], QRect] | None = None) -> None:
        super().__init__(look, host, area)
        self._undo: Callable[[], object] | None = None
        self._icon = _IconLabel(look)
        self._words = Label(look, "", elide=True)
        self._button = Button(look, "Undo", kind="link", size=SMALL, run=self.undo)
        self._line = Divider(look, upright=True, soft=False)
        self._line.setFixedHeight(20)
        close = IconButton(look, "x", "Close", run=self.hide)
        self.row.addWidget(self._icon)
        self.row.addWidget(self._words)
        self.row.addSpacing(8)
        self.row.addWidget(self._button)
        self.row.addWidget(self._line)
        self.row.addWidget(close)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._leave)

    def say(self, words: str, undo: Callable[[], object] | None = None, *, trouble: bool = False) -> None:
        """Shows the bar; what it said before is gone."""
        self._undo = undo
        self._icon.set_icon("circle-alert" if trouble else "", "failed.text")
        self._words.setText(words)
        self._button.setVisible(undo is not None)
        self.setAccessibleName(words)
        self.row.activate()
        self.show_above()
        self._timer.stop()
        if not trouble:
            self._timer.start(UNDO_STAYS)

    @property
    def words(self) -> str:
        return self._words.text()

    @property
    def can_undo(self) -> bool:
        return self.isVisible() and self._undo is not None

    def undo(self) -> None:
        undo, self._undo = self._undo, None
        self.hide()
        if undo is not None:
            undo()

    def _leave(self) -> None:
        if self.underMouse():
            self._timer.start(1000)
        else:
            self._undo = None
            self.hide()


class _IconLabel(QWidget):
    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look, self._icon, self._color = look, "", "text2"
        self.setFixedSize(16, 16)

    def set_icon(self, icon: str, color: str) -> None:
        self._icon, self._color = icon, color
        self.setVisible(bool(icon))

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._icon:
            painter = QPainter(self)
            drawing = self._look.pixmap(self._icon, 16, self._color, self.devicePixelRatioF())
            paint.pixmap(painter, 0, self.height() / 2, drawing)
            painter.end()


class Overlay(QWidget):
    """Covers its window with a scrim and shows `card` over it. The focus stays inside and returns after; Esc closes.

    `closed` comes once, however it was closed. The overlay deletes itself then.
    """

    closed = Signal()

    def __init__(
        self, look: Look, window: QWidget, card: QWidget, *, width: int, top: int, stays: bool = False
    ) -> None:
        super().__init__(window)
        self._look, self._window, self._width, self._top, self._stays = look, window, width, top, stays
        self.card = card
        card.setParent(self)
        self._before = QApplication.focusWidget()
        self._begin: QWidget | None = None
        self._is_open = True
        window.installEventFilter(self)
        self.hide()

    def open(self) -> None:
        self._place()
        self.raise_()
        self.show()
        if first := self._begin or self._first_reached():
            first.setFocus(Qt.FocusReason.OtherFocusReason)

    def begin_with(self, part: QWidget) -> None:
        """Says which part has the keyboard first."""
        self._begin = part

    def close_it(self) -> None:
        """Closes it; the focus goes back to where it was."""
        if not self._is_open:
            return
        self._is_open = False
        self._window.removeEventFilter(self)
        self.hide()
        if self._before is not None and isValid(self._before) and self._before.isVisible():
            self._before.setFocus(Qt.FocusReason.OtherFocusReason)
        self.closed.emit()
        self.deleteLater()

    def _first_reached(self) -> QWidget | None:
        """What has the keyboard first: the first text field, else the first button."""
        reachable = self._reachable()
        fields = [one for one in reachable if one.inherits("QLineEdit") or one.inherits("QPlainTextEdit")]
        return next(iter(fields or reachable), None)

    def _reachable(self) -> list[QWidget]:
        """What Tab reaches inside the card, in order."""
        found = (one for one in reached(self.card) if one.isVisibleTo(self.card) and one.isEnabled())
        return [one for one in found if one.focusProxy() is None]

    def focusNextPrevChild(self, forward: bool) -> bool:
        reachable = self._reachable()
        if not reachable:
            return True
        focused = self._window.focusWidget()
        place = reachable.index(focused) if focused in reachable else -1
        step = 1 if forward else -1
        reason = Qt.FocusReason.TabFocusReason if forward else Qt.FocusReason.BacktabFocusReason
        reachable[(place + step) % len(reachable)].setFocus(reason)
        return True

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and not self._stays:
            self.close_it()
        for box in self.card.findChildren(ScrollBox):
            box.turn(Qt.Key(event.key()))
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if not self.card.geometry().contains(event.position().toPoint()) and not self._stays:
            self.close_it()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._place()
        return False

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self._place()
        return super().event(event)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._place()

    def _place(self) -> None:
        self.setGeometry(self._window.rect())
        width = min(self._width, self.width() - 48)
        height = self._card_height(width)
        height = min(height, self.height() - 48)
        top = max(24, min(self._top, (self.height() - height) // 2))
        self.card.setGeometry(QRect(QPoint((self.width() - width) // 2, top), QSize(width, height)))
        self.update()

    def _card_height(self, width: int) -> int:
        layout = self.card.layout()
        if layout is not None and layout.hasHeightForWidth():
            return layout.totalHeightForWidth(width)
        return self.card.sizeHint().height()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._look.color("scrim"))
        paint.shadow(painter, self.card.geometry(), CARD_RADIUS, self._look)
        painter.end()


class SheetCard(QWidget):
    """The box of a sheet."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        look = self._look
        paint.box(painter, self.rect(), CARD_RADIUS, look.color("raised"), look.color("line"))
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        event.accept()


class Sheet(Overlay):
    """A title, what it is about, parts in `body`, and buttons at the foot.

    Args:
        picture: stands at the right of the title.
        stays: only its buttons close it.
    """

    def __init__(
        self,
        look: Look,
        window: QWidget,
        title: str,
        sentence: str = "",
        *,
        picture: QWidget | None = None,
        width: int = 480,
        top: int = 128,
        stays: bool = False,
    ) -> None:
        card = SheetCard(look)
        super().__init__(look, window, card, width=width, top=top, stays=stays)
        column = QVBoxLayout(card)
        column.setContentsMargins(32, 28, 32, 24)
        column.setSpacing(0)
        words = QVBoxLayout()
        words.setSpacing(6)
        words.addWidget(Label(look, title, size="title", weight=STRONG, wrap=True))
        self._sentence = Label(look, "", color="text2", wrap=True)
        words.addWidget(self._sentence)
        head = QHBoxLayout()
        head.setSpacing(24)
        head.addLayout(words, 1)
        if picture is not None:
            head.addWidget(picture, 0, Qt.AlignmentFlag.AlignTop)
        column.addLayout(head)
        self.body = QVBoxLayout()
        self.body.setContentsMargins(0, 16, 0, 20)
        self.body.setSpacing(12)
        column.addLayout(self.body)
        self._foot = QHBoxLayout()
        self._foot.setSpacing(8)
        self._note = Label(look, "", color="text2", elide=True)
        self._foot.addWidget(self._note, 1)
        column.addLayout(self._foot)
        card.setAccessibleName(title)
        self.set_sentence(sentence)

    def set_sentence(self, sentence: str) -> None:
        """What it is about, below the title; "" nothing."""
        self._sentence.setText(sentence)
        self._sentence.setVisible(bool(sentence))
        self.card.setAccessibleDescription(sentence)

    def add_button(self, button: Button) -> None:
        """Puts a button at the right end of the foot."""
        self._foot.addWidget(button)

    def set_note(self, words: str) -> None:
        """Quiet words at the left of the foot."""
        self._note.setText(words)
