"""The planner as a list: days as headings, one row a post, read page by page in both directions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from PySide6.QtCore import (
    QEvent,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QContextMenuEvent, QHelpEvent, QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolTip,
)

from sendoff.domain.account import Account
from sendoff.domain.delivery import Move, State
from sendoff.store.timeline import Chip
from sendoff.ui.context import Context
from sendoff.ui.planner import words
from sendoff.ui.planner.chips import ChipPainter
from sendoff.ui.planner.days import Entry, day_name, entry
from sendoff.ui.planner.deeds import Deeds, is_editable
from sendoff.ui.query_model import ROW, QueryModel
from sendoff.ui.states import FACES
from sendoff.ui.theme import STRONG
from sendoff.ui.widgets import paint
from sendoff.ui.widgets.focus import ring
from sendoff.ui.widgets.menu import Menu
from sendoff.ui.widgets.state import draw_pill, pill_width
from sendoff.ui.widgets.tip import plain

Index = QModelIndex | QPersistentModelIndex
HIGH, PADDING, GAP = 40, 20, 12
TIME, MARKS, ACCOUNT, SAFETY, PILL = 44, 60, 150, 136, 132
CRAMPED = 760
"""Below this width the words about safety and the account give way to those of the post; the tooltip has them."""

NEAR = 400
"""So near to the top the days before are read; px."""


@dataclass(frozen=True, slots=True)
class Line:
    """A row: a day's heading, or with `entry` a post of that day, the `nth` of its times that are listed."""

    day: date
    entry: Entry | None = None
    nth: int = 0

    @property
    def key(self) -> tuple[object, ...]:
        """What it is followed by when its time changes."""
        return (self.day,) if self.entry is None else (self.entry.chip.post_id, self.nth)


def lines_of(chips: Sequence[Chip], zone: str) -> list[Line]:
    """The rows for chips that are in order."""
    found: list[Line] = []
    times: Counter[int] = Counter()
    for chip in chips:
        one = entry(chip, zone)
        day = one.wall.date()
        if not found or found[-1].day != day:
            found.append(Line(day))
        found.append(Line(day, one, times[chip.post_id]))
        times[chip.post_id] += 1
    return found


class ListView(QListView):
    """The rows. Enter opens, Del cancels, several can be selected; the days before come when one scrolls up to them.

    `reached_top` says that earlier days are wanted.
    """

    reached_top = Signal()
    selection_changed = Signal()
    scrolled = Signal()

    def __init__(self, context: Context, deeds: Deeds, ask: Callable[[int], Sequence[Line]], today: Callable[[], date]):
        super().__init__()
        self._context, self._deeds, self._today = context, deeds, today
        self.rows: QueryModel[Line] = QueryModel(
            ask, key=lambda line: line.key, words=self._spoken, page=200, parent=self
        )  # fmt: skip
        self.setModel(self.rows)
        marks = {kind: channel.mark for kind, channel in context.program.channels.items()}
        self.setItemDelegate(_Rows(context, deeds, marks, today, self))
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Planned posts")
        self.doubleClicked.connect(self._open_at)
        self.selectionModel().selectionChanged.connect(lambda *_: self.selection_changed.emit())
        self.verticalScrollBar().valueChanged.connect(self._moved)
        self._held_still = False
        self.zone = "UTC"
        self.resting: Sequence[Account] = ()
        ring(self, 0)

    # --- what is shown --------------------------------------------------------------------------------------------

    def renew(self) -> None:
        """Asks again; what stands at the top stays there, also when rows come before it."""
        top = QPersistentModelIndex(self.indexAt(QPoint(4, 4)))
        above = self.visualRect(self.model().index(top.row(), 0)).top() if top.isValid() else 0
        self._held_still = True
        self.rows.refresh()
        self.doItemsLayout()
        if top.isValid():
            bar = self.verticalScrollBar()
            bar.setValue(top.row() * HIGH - above)
        self._held_still = False
        self.scrolled.emit()

    def show_day(self, day: date) -> None:
        """Brings the first row of a day, or of the next one that has any, to the top."""
        row = next((place for place, line in enumerate(self.rows.rows) if line.day >= day), len(self.rows.rows) - 1)
        self._held_still = True
        self.doItemsLayout()
        self.verticalScrollBar().setValue(max(row, 0) * HIGH)
        self._held_still = False
        self.scrolled.emit()

    def select_chip(self, post_id: int, instant: datetime) -> bool:
        """Selects one post and brings it into view; False if it is not here."""
        found = [
            (abs(line.entry.chip.at - instant), place)
            for place, line in enumerate(self.rows.rows)
            if line.entry is not None and line.entry.chip.post_id == post_id
        ]
        if not found:
            return False
        self.doItemsLayout()
        index = self.rows.index(min(found)[1])
        self.setCurrentIndex(index)
        self.scrollTo(index, QAbstractItemView.ScrollHint.EnsureVisible)
        return True

    @property
    def shown_days(self) -> tuple[date, date] | None:
        """The first and the last day in view."""
        rows = self.rows.rows
        if not rows:
            return None
        top = self.verticalScrollBar().value()
        first = min(top // HIGH, len(rows) - 1)
        last = min((top + self.viewport().height() - 1) // HIGH, len(rows) - 1)
        return rows[first].day, rows[last].day

    def _spoken(self, line: Line) -> str:
        if line.entry is None:
            return ", ".join(day_name(line.day, self._today()))
        rests = words.rests(line.entry.chip, self.resting, self._context.now(), self.zone)
        return ", ".join([words.spoken(line.entry, self.zone), *rests])

    def _moved(self, value: int) -> None:
        self.scrolled.emit()
        if value < NEAR and not self._held_still and self.isVisible():
            self.reached_top.emit()

    # --- selection ------------------------------------------------------------------------------------------------

    @property
    def selected(self) -> list[Chip]:
        """The selected posts, in the order of the list."""
        found = (self.rows.row(index) for index in sorted(self.selectedIndexes(), key=lambda one: one.row()))
        return [line.entry.chip for line in found if line is not None and line.entry is not None]

    @property
    def subject(self) -> list[Chip]:
        """What a key is meant for: the selected posts, else the current one."""
        line = self.rows.row(self.currentIndex())
        return self.selected or ([line.entry.chip] if line is not None and line.entry is not None else [])

    def clear_selection(self) -> None:
        self.clearSelection()

    def start(self) -> None:
        """Makes the first post at or below the top the current one, if none is."""
        if self.currentIndex().isValid():
            return
        top = self.verticalScrollBar().value() // HIGH
        row = next((place for place, one in enumerate(self.rows.rows) if place >= top and one.entry is not None), None)
        if row is not None:
            self.selectionModel().setCurrentIndex(
                self.rows.index(row), QItemSelectionModel.SelectionFlag.NoUpdate
            )  # fmt: skip

    def moveCursor(self, action: QAbstractItemView.CursorAction, modifiers: Qt.KeyboardModifier) -> QModelIndex:
        """Steps over headings."""
        index = super().moveCursor(action, modifiers)
        actions = QAbstractItemView.CursorAction
        back = action in (actions.MoveUp, actions.MovePageUp, actions.MoveLeft, actions.MovePrevious)
        step, row = (-1 if back else 1), index.row()
        while 0 <= row < len(self.rows.rows) and self.rows.rows[row].entry is None:
            row += step
        return self.rows.index(row) if 0 <= row < len(self.rows.rows) else self.currentIndex()

    def selectionCommand(self, index: Index, event: QEvent | None = None) -> QItemSelectionModel.SelectionFlag:
        """A heading cannot be selected by itself."""
        line = self.rows.row(index)
        if line is not None and line.entry is None:
            return QItemSelectionModel.SelectionFlag.NoUpdate
        return super().selectionCommand(index, event)

    def _open_at(self, index: QModelIndex) -> None:
        line = self.rows.row(index)
        if line is not None and line.entry is not None:
            self._deeds.open(line.entry.chip)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.selected:
            self.clear_selection()
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        by_key = event.reason() == QContextMenuEvent.Reason.Keyboard
        index = self.currentIndex() if by_key else self.indexAt(event.pos())
        line = self.rows.row(index)
        if line is None or line.entry is None:
            return
        if index not in self.selectedIndexes():
            self.setCurrentIndex(index)
        where = self.visualRect(index).center() if by_key else event.pos()
        self._deeds.menu(self.selected, self).popup(self.viewport().mapToGlobal(where))


@dataclass(frozen=True, slots=True)
class _Button:
    """A button that appears in a row under the pointer."""

    icon: str
    name: str


EDIT, SHIFT, CANCEL = _Button("pencil", "Edit"), _Button("clock", "Shift…"), _Button("trash-2", "Cancel the post")


def _buttons(chip: Chip) -> list[_Button]:
    """What can be done with a post from its row."""
    found = [EDIT] if is_editable(chip) else []
    found += [SHIFT] if chip.ids_that_can(Move.RESCHEDULE) else []
    return found + ([CANCEL] if chip.ids_that_can(Move.CANCEL) else [])


class _Rows(QStyledItemDelegate):
    """Paints whole rows; the buttons under the pointer are painted and hit here too."""

    def __init__(
        self, context: Context, deeds: Deeds, marks: dict[str, str], today: Callable[[], date], view: ListView
    ) -> None:
        super().__init__(view)
        self._context, self._look, self._deeds, self._today = context, context.look, deeds, today
        self._painter, self._view = ChipPainter(context.look, marks), view

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(200, HIGH)

    # --- painting -------------------------------------------------------------------------------------------------

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        line, look, rect = index.data(ROW), self._look, option.rect
        painter.save()
        if line.entry is None:
            self._paint_day(painter, rect, line.day)
            painter.restore()
            return
        over = bool(option.state & QStyle.StateFlag.State_MouseOver)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, look.color("accent.tint"))
            painter.fillRect(QRect(rect.left(), rect.top(), 2, rect.height()), look.color("accent.fill"))
        elif over or option.state & QStyle.StateFlag.State_HasFocus:
            painter.fillRect(rect, look.color("hover"))
        painter.fillRect(rect.left(), rect.bottom(), rect.width(), 1, look.color("line_soft"))
        self._paint_post(painter, rect, line.entry, over)
        painter.restore()

    def _paint_day(self, painter: QPainter, rect: QRect, day: date) -> None:
        look, (name, beside) = self._look, day_name(day, self._today())
        room = rect.adjusted(PADDING, 8, -PADDING, 0)
        used = paint.text(painter, room, name, look.font("base", STRONG), look.color("text"))
        room.setLeft(room.left() + used + 8)
        paint.text(painter, room, beside, look.font(), look.color("text2"))

    def _paint_post(self, painter: QPainter, rect: QRect, entry: Entry, over: bool) -> None:
        look, chip = self._look, entry.chip
        left, gone = rect.left() + PADDING, chip.state is State.SENT
        time = QRect(left, rect.top(), TIME, rect.height())
        strong = look.font("base", STRONG, figures=True)
        paint.text(painter, time, entry.clock, strong, look.color("text2" if gone else "text"))
        self._paint_marks(painter, left + TIME + GAP, rect, chip)
        pill = QRect(rect.right() + 1 - PADDING - PILL, rect.top(), PILL, rect.height())
        cramped = rect.width() < CRAMPED
        safety = QRect(pill.left() - GAP - SAFETY, rect.top(), SAFETY, rect.height())
        right, width = (pill.left(), 112) if cramped else (safety.left(), ACCOUNT)
        account = QRect(right - GAP - width, rect.top(), width, rect.height())
        said = QRect(left + TIME + MARKS + 2 * GAP, rect.top(), 0, rect.height())
        said.setRight(account.left() - GAP)
        paint.text(painter, said, chip.excerpt, look.font(), look.color("text2" if gone else "text"))
        if not (cramped and over):
            paint.text(painter, account, words.where_words(chip), look.font(), look.color("text2"))
        if over:
            self._paint_buttons(painter, rect, chip)
        elif not cramped:
            self._paint_safety(painter, safety, chip)
        self._paint_pill(painter, pill, chip)

    def _paint_marks(self, painter: QPainter, left: int, rect: QRect, chip: Chip) -> None:
        look, ratio, marks = self._look, painter.device().devicePixelRatioF(), self._painter.marks_of(chip)
        fit = len(marks) if len(marks) <= 3 else 2
        for mark in marks[:fit]:
            paint.pixmap(painter, left, rect.center().y() + 0.5, look.mark(mark, 14, "text2", ratio))
            left += 18
        if len(marks) > fit:
            room = QRect(left, rect.top(), 24, rect.height())
            paint.text(painter, room, f"+{len(marks) - fit}", look.font("small"), look.color("text2"))

    def _paint_safety(self, painter: QPainter, rect: QRect, chip: Chip) -> None:
        """Whether it leaves with this computer off; whether it waits for its account."""
        if words.rests(chip, self._view.resting, self._context.now(), self._view.zone):
            icon, said, color = "hourglass", "Account waits", "doubt.text"
        elif chip.state is State.HANDED_OVER:
            icon, said, color = "cloud", "Safe when off", "held.text"
        elif chip.state in (State.SCHEDULED, State.CLAIMED):
            icon, said, color = "laptop", "Needs computer", "text2"
        else:
            return
        look = self._look
        drawing = look.pixmap(icon, 14, color, painter.device().devicePixelRatioF())
        paint.pixmap(painter, rect.left(), rect.center().y() + 0.5, drawing)
        paint.text(painter, rect.adjusted(20, 0, 0, 0), said, look.font(), look.color(color))

    def _paint_buttons(self, painter: QPainter, rect: QRect, chip: Chip) -> None:
        look, ratio = self._look, painter.device().devicePixelRatioF()
        pointer = self._view.viewport().mapFromGlobal(self._view.cursor().pos())
        for place, button in _places(rect, chip):
            if place.contains(pointer):
                paint.box(painter, place, 6, look.color("selected"))
            paint.pixmap(
                painter, place.left() + 6, place.center().y() + 0.5, look.pixmap(button.icon, 16, "text2", ratio)
            )

    def _paint_pill(self, painter: QPainter, rect: QRect, chip: Chip) -> None:
        face, said = FACES[chip.state], words.state_words(chip, self._context.program.channels)
        width = min(pill_width(self._look, said), rect.width() + GAP)
        place = QRect(rect.right() + 1 - width, rect.top() + (rect.height() - 22) // 2, width, 22)
        draw_pill(painter, place, face, self._look, said)

    # --- hands ----------------------------------------------------------------------------------------------------

    def editorEvent(self, event: QEvent, model: object, option: QStyleOptionViewItem, index: Index) -> bool:
        line = index.data(ROW)
        if line.entry is None or not isinstance(event, QMouseEvent):
            return False
        at = event.position().toPoint()
        hit = next((one for place, one in _places(option.rect, line.entry.chip) if place.contains(at)), None)
        if hit is None or event.button() is not Qt.MouseButton.LeftButton:
            return False
        if event.type() == QEvent.Type.MouseButtonRelease:
            self._press(hit, line.entry.chip, self._view.viewport().mapToGlobal(at))
        return True

    def _press(self, button: _Button, chip: Chip, at: QPoint) -> None:
        if button is EDIT:
            self._deeds.open(chip)
        elif button is CANCEL:
            self._deeds.cancel([chip])
        else:
            menu = Menu(self._look, parent=self._view)
            menu.aboutToHide.connect(menu.deleteLater)
            self._deeds.add_steps(menu, [chip])
            menu.popup(at)

    def helpEvent(self, event: QHelpEvent, view: QAbstractItemView, option: QStyleOptionViewItem, index: Index) -> bool:
        line = index.data(ROW)
        if line is None or line.entry is None:
            QToolTip.hideText()
            return True
        for place, button in _places(option.rect, line.entry.chip):
            if place.contains(event.pos()):
                QToolTip.showText(event.globalPos(), plain(button.name), view)
                return True
        QToolTip.showText(event.globalPos(), plain(self._tip(line.entry)), view)
        return True

    def _tip(self, entry: Entry) -> str:
        names = ", ".join(seat.name for seat in entry.chip.seats)
        zone = words.zone_words(entry, self._view.zone, self._context.now())
        rests = words.rests(entry.chip, self._view.resting, self._context.now(), self._view.zone)
        return "\n".join([words.time_words(entry), zone, names, *rests])


def _places(rect: QRect, chip: Chip) -> list[tuple[QRect, _Button]]:
    """Where the buttons of a row are: 28 px each, in place of the words about safety."""
    left = rect.right() + 1 - PADDING - PILL - GAP - SAFETY
    return [
        (QRect(left + 30 * number, rect.top() + (HIGH - 28) // 2, 28, 28), button)
        for number, button in enumerate(_buttons(chip))
    ]
