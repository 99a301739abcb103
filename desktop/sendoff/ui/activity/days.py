"""The list of Activity: the card of what needs the person, then day by day what left; lines open in place."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QHelpEvent, QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolTip,
    QVBoxLayout,
    QWidget,
)

from sendoff.ui.activity import lines
from sendoff.ui.activity.lines import Day, Earlier, Key, Line, Needs, Room
from sendoff.ui.query_model import ROW, QueryModel
from sendoff.ui.states import FACES
from sendoff.ui.theme import STRONG, Look
from sendoff.ui.widgets import paint
from sendoff.ui.widgets.focus import ring
from sendoff.ui.widgets.state import PILL_HEIGHT, draw_pill, pill_width
from sendoff.ui.widgets.tip import plain

Index = QModelIndex | QPersistentModelIndex

HEIGHT, EDGE, PADDING = 40, 20, 16
"""A line's height, the page's margin beside it, and the room inside it, in px."""
CHEVRON, TIME, LATE, MARKS, TEXT = 16, 42, 110, 224, 286
"""Where the columns begin, from the line's left edge."""
STATE = 104
"""How wide the column of the pills is, at the right."""
MARK, MARK_STEP, MOST_MARKS = 14, 18, 3
GAP = 16


class Place(QWidget):
    """A widget that stands in the place of a line; its parts go into `body`. `resized` when it needs another height."""

    resized = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._told = 0
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(EDGE, 0, EDGE, 0)
        self.body.setSpacing(0)
        self.hide()

    def height_for(self, width: int, edge: int) -> int:
        """How high it has to be at this width, with this margin at the right."""
        margins = self.body.contentsMargins()
        margins.setRight(edge)
        self.body.setContentsMargins(margins)
        flows = self.body.hasHeightForWidth()
        self._told = self.body.totalHeightForWidth(width) if flows else self.body.totalSizeHint().height()
        return self._told

    def event(self, event: QEvent) -> bool:
        done = super().event(event)
        if event.type() == QEvent.Type.LayoutRequest:
            told = self._told
            if self.height_for(self.width(), self.body.contentsMargins().right()) != told:
                self.resized.emit()
        return done


class DaysModel(QueryModel[lines.Any]):
    """Only posts can be walked to and chosen; headings, rooms and the card are passed over.

    `complete`: there is nothing beyond what was read. `grown` comes after more was read.
    """

    grown = Signal()

    def __init__(self, ask: Callable[[int], Sequence[lines.Any]], page: int, parent: QWidget) -> None:
        super().__init__(ask, key=lambda line: line.key, words=lambda line: line.words, page=page, parent=parent)

        self.complete = False

    def begin_anew(self) -> None:
        """Asks for one page again the next time."""
        self._limit = self._page

    def canFetchMore(self, parent: Index) -> bool:
        return not self.complete and super().canFetchMore(parent)

    def fetchMore(self, parent: Index) -> None:
        super().fetchMore(parent)
        self.grown.emit()

    def flags(self, index: Index) -> Qt.ItemFlag:
        if isinstance(self.row(index), Line):
            return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return Qt.ItemFlag.NoItemFlags

    def place_of(self, key: object) -> int:
        """Where the line with this key is; -1 if it is not there."""
        return next((place for place, line in enumerate(self._rows) if line.key == key), -1)

    def first(self) -> int:
        """Where the first post is; -1 if there is none."""
        return next((place for place, line in enumerate(self._rows) if isinstance(line, Line)), -1)


class DaysList(QListView):
    """Paints posts and headings; real widgets stand in the places of the card and of rooms.

    `toggled` carries a line that is to be opened or closed; `linked` one whose link was clicked, and where;
    `menu_wanted` the place of the menu for the current line.
    """

    toggled = Signal(object)
    linked = Signal(object, object)
    menu_wanted = Signal(object)

    def __init__(self, look: Look, model: DaysModel) -> None:
        super().__init__()
        self._days = model
        self._placed: dict[object, Place] = {}
        self.setModel(model)
        self.setItemDelegate(_Lines(look, self))
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMouseTracking(True)
        self.setAccessibleName("What became of everything")
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._menu)
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        app.focusChanged.connect(self._show_focused)
        ring(self, 0)

    # --- widgets in the list --------------------------------------------------------------------------------------

    def place(self, key: object, widget: Place) -> None:
        """Gives the place of the line with this key to a widget, once it is there; before, it tells its height."""
        if self._placed.get(key) is not widget:
            self._placed[key] = widget
            widget.setParent(self.viewport())
            widget.resized.connect(self.lay_out)
        place = self._days.place_of(key)
        if place >= 0 and self.indexWidget(self._days.index(place)) is not widget:
            self.setIndexWidget(self._days.index(place), widget)
            widget.show()

    def forget(self, key: object) -> None:
        """The line is gone, and its widget with it."""
        self._placed.pop(key, None)

    def has(self, key: object) -> bool:
        """Whether this place is taken."""
        return key in self._placed

    def height_of(self, key: object, width: int) -> int:
        widget = self._placed.get(key)
        return widget.height_for(width, self.edge()) if widget is not None else 0

    def edge(self) -> int:
        """The margin at the right; the scroll bar stands in it."""
        return max(0, EDGE - (self.width() - self.viewport().width()))

    def anchor(self) -> tuple[object, int] | None:
        """The first post in sight and how far down it is; None at the top, where news are welcome."""
        if self.verticalScrollBar().value() == 0:
            return None
        for y in range(0, self.viewport().height(), HEIGHT // 2):
            index = self.indexAt(QPoint(EDGE, y))
            line = self._days.row(index)
            if isinstance(line, Line):
                return line.key, self.visualRect(index).top()
        return None

    def hold(self, anchor: tuple[object, int] | None) -> None:
        """Brings that post back to where it was, whatever came or went above it."""
        place = self._days.place_of(anchor[0]) if anchor else -1
        if anchor and place >= 0:
            self.executeDelayedItemsLayout()
            bar = self.verticalScrollBar()
            bar.setValue(bar.value() + self.visualRect(self._days.index(place)).top() - anchor[1])

    def lay_out(self) -> None:
        """Something in the list became higher or lower."""
        self.scheduleDelayedItemsLayout()

    def _show_focused(self, _old: QWidget | None, new: QWidget | None) -> None:
        """Scrolls what got the keyboard into sight."""
        if new is None or new is self.viewport() or not self.viewport().isAncestorOf(new):
            return
        bar, top = self.verticalScrollBar(), new.mapTo(self.viewport(), QPoint(0, 0)).y()
        below = top + new.height() + EDGE - self.viewport().height()
        if top < EDGE:
            bar.setValue(bar.value() + top - EDGE)
        elif below > 0:
            bar.setValue(bar.value() + below)

    # --- hands ----------------------------------------------------------------------------------------------------

    def current(self) -> Line | None:
        """The post that is chosen."""
        line = self._days.row(self.currentIndex())
        return line if isinstance(line, Line) else None

    def choose(self, key: Key) -> None:
        """Goes to a post and brings it to the top, as far as that goes."""
        place = self._days.place_of(key)
        if place >= 0:
            self.executeDelayedItemsLayout()
            self.setCurrentIndex(self._days.index(place))
            self.scrollTo(self._days.index(max(place - 1, 0)), QAbstractItemView.ScrollHint.PositionAtTop)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        line, key = self.current(), event.key()
        opens = key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space)
        opens = opens or (line is not None and key == (Qt.Key.Key_Left if line.is_open else Qt.Key.Key_Right))
        if opens and line is not None and not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            self.toggled.emit(line)
        elif key == Qt.Key.Key_Up and self.currentIndex().row() == self._days.first():
            self.verticalScrollBar().setValue(0)  # the card above can't be walked to, but seen
        else:
            super().keyPressEvent(event)

    def _menu(self, at: QPoint) -> None:
        index = self.indexAt(at)
        if isinstance(self._days.row(index), Line):
            self.setCurrentIndex(index)
        if self.current() is not None:
            inside = self.viewport().rect().contains(at) and index.isValid()
            below = self.visualRect(self.currentIndex()).bottomLeft() + QPoint(EDGE + TIME, 0)
            self.menu_wanted.emit(self.viewport().mapToGlobal(at if inside else below))


class _Lines(QStyledItemDelegate):
    def __init__(self, look: Look, view: DaysList) -> None:
        super().__init__(view)
        self._look, self._view = look, view

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        line = index.data(ROW)
        if isinstance(line, (Needs, Room, Earlier)):
            return QSize(200, self._view.height_of(line.key, self._view.viewport().width()))
        return QSize(200, HEIGHT)

    # --- painting -------------------------------------------------------------------------------------------------

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        line = index.data(ROW)
        rect = option.rect.adjusted(EDGE, 0, -self._view.edge(), 0)
        painter.save()
        if isinstance(line, Day):
            self._paint_day(painter, rect, line)
        elif isinstance(line, Line):
            self._paint_ground(painter, rect, line, option.state)
            self._paint_line(painter, rect, line)
        elif isinstance(line, Room):
            painter.fillRect(rect, self._look.color("hover"))
            painter.fillRect(rect.left(), rect.bottom(), rect.width(), 1, self._look.color("line_soft"))
        painter.restore()

    def _paint_day(self, painter: QPainter, rect: QRect, day: Day) -> None:
        look, room = self._look, rect.adjusted(PADDING, 12, -PADDING, 0)
        used = paint.text(painter, room, day.title, look.font("base", STRONG), look.color("text"))
        paint.text(painter, room.adjusted(used + 8, 0, 0, 0), day.aside, look.font(), look.color("text2"))

    def _paint_ground(self, painter: QPainter, rect: QRect, line: Line, state: QStyle.StateFlag) -> None:
        look, chosen = self._look, bool(state & QStyle.StateFlag.State_Selected)
        chosen = chosen and self._view.hasFocus()
        if line.is_open or chosen or state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(rect, look.color("hover"))
        if chosen:
            painter.fillRect(QRect(rect.left(), rect.top(), 2, rect.height()), look.color("accent.fill"))
        if not line.is_open:
            painter.fillRect(rect.left(), rect.bottom(), rect.width(), 1, look.color("line_soft"))

    def _paint_line(self, painter: QPainter, rect: QRect, line: Line) -> None:
        look, ratio = self._look, painter.device().devicePixelRatioF()
        middle = rect.top() + (rect.height() - 1) / 2
        chevron = look.pixmap("chevron-down" if line.is_open else "chevron-right", 14, "text2", ratio)
        paint.pixmap(painter, rect.left() + CHEVRON, middle, chevron)
        time = QRect(rect.left() + TIME, rect.top(), LATE - TIME, rect.height() - 1)
        paint.text(painter, time, line.time, look.font("base", STRONG, figures=True), look.color("text"))
        late = QRect(rect.left() + LATE, rect.top(), MARKS - LATE - 8, rect.height() - 1)
        paint.text(painter, late, line.late, look.font(figures=True), look.color("text2"))
        self._paint_marks(painter, rect.left() + MARKS, middle, line, ratio)
        right = self._paint_right(painter, rect, line, middle, ratio)
        text = QRect(rect.left() + TEXT, rect.top(), right - rect.left() - TEXT, rect.height() - 1)
        color = "text3" if line.text == lines.NOTHING_WRITTEN else "text"
        paint.text(painter, text, line.text, look.font(), look.color(color))

    def _paint_marks(self, painter: QPainter, left: int, middle: float, line: Line, ratio: float) -> None:
        fit = MOST_MARKS if len(line.marks) <= MOST_MARKS else MOST_MARKS - 1
        for mark in line.marks[:fit]:
            drawing = self._look.mark(mark, MARK, "text2", ratio) if mark else None
            drawing = drawing or self._look.pixmap("plug", MARK, "text3", ratio)
            paint.pixmap(painter, left, middle, drawing)
            left += MARK_STEP
        if len(line.marks) > fit:
            more = QRect(left, round(middle) - 10, 24, 20)
            paint.text(painter, more, f"+{len(line.marks) - fit}", self._look.font("small"), self._look.color("text2"))

    def _paint_right(self, painter: QPainter, rect: QRect, line: Line, middle: float, ratio: float) -> int:
        """The pill and the link or count; returns where the words have to end."""
        look = self._look
        draw_pill(painter, pill_rect(look, rect, line), line.face, look, line.word)
        if not line.count:
            return rect.right() - PADDING - STATE - 8
        place = count_rect(look, rect, line)
        color = "accent.text" if line.linked else "text2"
        if line.linked:
            paint.pixmap(painter, place.left(), middle, look.pixmap("external-link", MARK, color, ratio))
        right = Qt.AlignmentFlag.AlignRight
        paint.text(painter, place, line.count, look.font(figures=not line.linked), look.color(color), right)
        return place.left() - GAP

    # --- the mouse ------------------------------------------------------------------------------------------------

    def editorEvent(self, event: QEvent, model: object, option: QStyleOptionViewItem, index: Index) -> bool:
        line = index.data(ROW)
        if not isinstance(line, Line) or not isinstance(event, QMouseEvent):
            return False
        at, rect = event.position().toPoint(), option.rect.adjusted(EDGE, 0, -self._view.edge(), 0)
        over = line.linked and count_rect(self._look, rect, line).contains(at)
        if event.type() == QEvent.Type.MouseMove:
            shape = Qt.CursorShape.PointingHandCursor if over else Qt.CursorShape.ArrowCursor
            self._view.viewport().setCursor(shape)
        if event.type() == QEvent.Type.MouseButtonRelease and event.button() is Qt.MouseButton.LeftButton:
            if over:
                self._view.linked.emit(line, self._view.viewport().mapToGlobal(at))
            elif not event.modifiers():
                self._view.toggled.emit(line)
            return True
        return False

    def helpEvent(self, event: QHelpEvent, view: QAbstractItemView, option: QStyleOptionViewItem, index: Index) -> bool:
        line = index.data(ROW)
        if isinstance(line, Line):
            said = "\n".join(f"{row.account}: {FACES[row.delivery.state].word}" for row in line.rows)
            QToolTip.showText(event.globalPos(), plain(said), view)
        else:
            QToolTip.hideText()
        return True


def pill_rect(look: Look, rect: QRect, line: Line) -> QRect:
    """Where a line's pill is."""
    wide = min(pill_width(look, line.word), 150)
    return QRect(rect.right() + 1 - PADDING - wide, rect.top() + (HEIGHT - PILL_HEIGHT) // 2, wide, PILL_HEIGHT)


def count_rect(look: Look, rect: QRect, line: Line) -> QRect:
    """Where a line's count or link is; as wide as its words, so that a click beside it opens the line."""
    used = (
        QFontMetrics(look.font(figures=not line.linked)).horizontalAdvance(line.count) + 1 + (20 if line.linked else 0)
    )
    right = min(rect.right() + 1 - PADDING - STATE, pill_rect(look, rect, line).left() - GAP)
    return QRect(right - used, rect.top(), used, HEIGHT - 1)
