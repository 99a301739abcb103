"""Choosing: a list that drops down, one of a few side by side, filter chips, a switch."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QListView,
    QPushButton,
    QSizePolicy,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from sendoff.ui.theme import MEDIUM, STRONG, Look
from sendoff.ui.widgets import paint
from sendoff.ui.widgets.button import NORMAL, RADIUS
from sendoff.ui.widgets.focus import ring
from sendoff.ui.widgets.tip import set_tip

Index = QModelIndex | QPersistentModelIndex


SHORT = Qt.ItemDataRole.UserRole + 1
"""The role of a choice's words where there is no room for all of them; the list shows them whole."""


class ComboBox(QComboBox):
    """One of a list. `choices` are (value, words).

    `chosen` carries the value when the person picked another.
    """

    chosen = Signal(str)

    def __init__(
        self,
        look: Look,
        name: str,
        choices: Sequence[tuple[str, str]] = (),
        *,
        icon: str = "",
        size: int = NORMAL,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._look, self._icon = look, icon
        self.setAccessibleName(name)
        self.setFont(look.font())
        self.setFixedHeight(size)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        view = QListView()
        view.setItemDelegate(_Rows(look, self))
        view.setFont(look.font())
        self.setView(view)
        self.setMaxVisibleItems(12)
        self.set_choices(choices)
        self.activated.connect(lambda place: self.chosen.emit(self.itemData(place)))
        ring(self, RADIUS)

    def set_choices(self, choices: Sequence[tuple[str, str]]) -> None:
        before = self.value()
        self.clear()
        for value, words in choices:
            self.addItem(words, value)
        self.set_value(before)

    def value(self) -> str:
        return str(self.currentData() or "")

    def set_value(self, value: str) -> None:
        place = self.findData(value)
        self.setCurrentIndex(max(place, 0) if self.count() else -1)

    def sizeHint(self) -> QSize:
        metrics = QFontMetrics(self.font())
        widest = max((metrics.horizontalAdvance(self.itemText(one)) for one in range(self.count())), default=80)
        return QSize(widest + 48 + (24 if self._icon else 0), self.height())

    def minimumSizeHint(self) -> QSize:
        return QSize(80, self.height())

    def words_for(self, room: int) -> str:
        """What stands in the box where there are so many pixels for it."""
        words, short = self.currentText(), str(self.currentData(SHORT) or "")
        return short if short and QFontMetrics(self.font()).horizontalAdvance(words) > room else words

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()  # scrolling a page must not change what stands on it

    def showPopup(self) -> None:
        self.view().setMinimumWidth(min(self.view().sizeHintForColumn(0) + 24, 480))
        super().showPopup()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        enabled, over = self.isEnabled(), self.underMouse()
        line = self._look.color("neutral.8" if over and enabled else "control")
        paint.box(painter, self.rect(), RADIUS, self._look.color("input" if enabled else "hover"), line)
        left = 11
        if self._icon:
            drawing = self._look.pixmap(self._icon, 16, "text2", self.devicePixelRatioF())
            paint.pixmap(painter, left, self.height() / 2, drawing)
            left += 24
        room = QRect(left, 0, self.width() - left - 30, self.height())
        color = self._look.color("text" if enabled else "text3")
        paint.text(painter, room, self.words_for(room.width()), self.font(), color)
        drawing = self._look.pixmap("chevron-down", 14, "text2", self.devicePixelRatioF())
        paint.pixmap(painter, self.width() - 25, self.height() / 2, drawing)
        painter.end()


class _Rows(QStyledItemDelegate):
    """The rows of the list that drops down, with a tick at the one that counts."""

    def __init__(self, look: Look, combo: QComboBox) -> None:
        super().__init__(combo)
        self._look, self._combo = look, combo

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        words = str(index.data() or "")
        return QSize(QFontMetrics(self._look.font()).horizontalAdvance(words) + 48, 30)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        painter.save()
        if option.state & (QStyle.StateFlag.State_Selected | QStyle.StateFlag.State_MouseOver):
            paint.box(painter, option.rect, RADIUS, self._look.color("accent.tint"))
        room = option.rect.adjusted(10, 0, -28, 0)
        paint.text(painter, room, str(index.data() or ""), self._look.font(), self._look.color("text"))
        if self._combo.currentIndex() == index.row():
            ratio = painter.device().devicePixelRatioF()
            drawing = self._look.pixmap("check", 14, "accent.text", ratio)
            paint.pixmap(painter, option.rect.right() - 22, option.rect.center().y() + 1, drawing)
        painter.restore()


class SegmentedControl(QFrame):
    """One of two to five, side by side. `choices` are (value, words); the arrow keys walk through them."""

    chosen = Signal(str)

    def __init__(
        self,
        look: Look,
        name: str,
        choices: Sequence[tuple[str, str]],
        *,
        size: int = NORMAL,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._look = look
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._group = QButtonGroup(self)
        self._parts: dict[str, _Segment] = {}
        layout = QHBoxLayout(self)
        layout.setContentsMargins(2, 2, 2, 2)
        layout.setSpacing(0)
        for value, words in choices:
            part = _Segment(look, words, size - 4)
            part.clicked.connect(lambda _checked=False, value=value: self.chosen.emit(value))
            self._group.addButton(part)
            self._parts[value] = part
            layout.addWidget(part)
        self.set_value(choices[0][0])

    def value(self) -> str:
        return next(value for value, part in self._parts.items() if part.isChecked())

    def set_value(self, value: str) -> None:
        self._parts[value].setChecked(True)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint.box(painter, self.rect(), 8, self._look.color("selected" if not self._look.theme.dark else "hover"))
        painter.end()


class _Segment(QPushButton):
    def __init__(self, look: Look, words: str, height: int) -> None:
        super().__init__(words.replace("&", "&&"))
        self._look, self._words = look, words
        self.setCheckable(True)
        self.setFixedHeight(height)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        ring(self, RADIUS)

    def sizeHint(self) -> QSize:
        return QSize(QFontMetrics(self._look.font("base", STRONG)).horizontalAdvance(self._words) + 26, self.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self.isChecked():
            dark = self._look.theme.dark
            fill, line = ("neutral.6", None) if dark else ("raised", "line")
            paint.box(painter, self.rect(), RADIUS, self._look.color(fill), self._look.color(line) if line else None)
        strong = self.isChecked() or self.underMouse()
        color = "icon_disabled" if not self.isEnabled() else "text" if strong else "text2"
        font = self._look.font("base", STRONG if self.isChecked() else MEDIUM)
        align = Qt.AlignmentFlag.AlignHCenter
        paint.text(painter, self.rect(), self._words, font, self._look.color(color), align)
        painter.end()


class FilterChip(QAbstractButton):
    """A round chip that is on or off: an account to filter by, with its mark."""

    def __init__(
        self,
        look: Look,
        words: str,
        *,
        mark: str = "",
        icon: str = "",
        checkable: bool = True,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._look, self._words, self._mark, self._icon = look, words, mark, icon
        super().setText(words.replace("&", "&&"))
        self.setAccessibleName(words)
        self.setCheckable(checkable)
        self.setFixedHeight(28)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        ring(self, 14)

    def setText(self, words: str) -> None:
        self._words = words
        super().setText(words.replace("&", "&&"))
        self.setAccessibleName(words)
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        width = QFontMetrics(self._look.font("small", MEDIUM)).horizontalAdvance(self._shown())
        return QSize(width + 22 + (18 if self._mark or self._icon else 0), 28)

    def _shown(self) -> str:
        return QFontMetrics(self._look.font("small", MEDIUM)).elidedText(self._words, Qt.TextElideMode.ElideRight, 180)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        on, over = self.isChecked(), self.underMouse()
        fill = "accent.tint" if on else ("hover" if over else "surface")
        line = "accent.line" if on else "line"
        color = "icon_disabled" if not self.isEnabled() else "accent.text" if on else "text2"
        paint.box(painter, self.rect(), 14, self._look.color(fill), self._look.color(line))
        left, ratio = 11, self.devicePixelRatioF()
        if self._mark or self._icon:
            look = self._look
            drawing = (
                look.mark(self._mark, 14, color, ratio) if self._mark else look.pixmap(self._icon, 14, color, ratio)
            )
            paint.pixmap(painter, 10, 14, drawing)
            left = 29
        room = QRect(left, 0, self.width() - left - 10, self.height())
        paint.text(painter, room, self._shown(), self._look.font("small", MEDIUM), self._look.color(color))
        painter.end()


class Switch(QCheckBox):
    """On or off, at once. The words stand beside it and belong to it."""

    WIDE, HIGH = 32, 18

    def __init__(self, look: Look, words: str, parent: QWidget | None = None) -> None:
        super().__init__(words.replace("&", "&&"), parent)
        self._look, self._words = look, words
        self.setAccessibleName(words)
        self.setFont(look.font())
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        set_tip(self, "")
        ring(self, RADIUS)

    def sizeHint(self) -> QSize:
        words = QFontMetrics(self.font()).horizontalAdvance(self._words)
        return QSize(self.WIDE + (10 + words if self._words else 0), 24)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def hitButton(self, pos: object) -> bool:
        return True

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        on, look = self.isChecked(), self._look
        track = QRect(0, (self.height() - self.HIGH) // 2, self.WIDE, self.HIGH)
        fill = ("accent.hover" if self.underMouse() else "accent.fill") if on else "neutral.9"
        paint.box(painter, track, self.HIGH / 2, look.color(fill if self.isEnabled() else "control"))
        painter.setBrush(look.color("accent.on" if on or not look.theme.dark else "neutral.12"))
        left = track.right() - 15 if on else track.left() + 2
        painter.drawEllipse(QRectF(left, track.top() + 2, 14, 14))
        room = QRect(self.WIDE + 10, 0, self.width() - self.WIDE - 10, self.height())
        color = look.color("text" if self.isEnabled() else "icon_disabled")
        paint.text(painter, room, self._words, self.font(), color)
        painter.end()
