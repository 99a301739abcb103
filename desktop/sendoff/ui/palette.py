"""The command palette: every command, every account, every post by its words, from one line of typing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QPointF, QRect, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QKeyEvent, QPainter, QPaintEvent, QTextCharFormat, QTextLayout
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from sendoff.domain.account import Account
from sendoff.domain.delivery import OPEN
from sendoff.domain.post import Post
from sendoff.domain.when import When, short
from sendoff.store import accounts, posts, timeline
from sendoff.store.timeline import Chip
from sendoff.ui.actions import ICON, keys_of, words_of
from sendoff.ui.background import Errand
from sendoff.ui.context import Context
from sendoff.ui.states import DRAFT, FACES
from sendoff.ui.theme import STRONG, Look
from sendoff.ui.widgets import paint
from sendoff.ui.widgets.floating import Overlay, SheetCard
from sendoff.ui.widgets.label import Label
from sendoff.ui.widgets.state import draw_keys, keys_width
from sendoff.ui.widgets.surface import Divider

Index = QModelIndex | QPersistentModelIndex
HIT = int(Qt.ItemDataRole.UserRole)
ROW, HEADING = 36, 30
MOST = 8
"""Hits of one kind."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One line of the palette; a heading is one that does nothing."""

    words: str
    run: Callable[[], object] | None = None
    icon: str = ""
    mark: str = ""
    marks: tuple[str, ...] = ()
    aside: str = ""
    right: str = ""
    keys: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """What the search over posts came back with."""

    chips: Sequence[Chip]
    drafts: Sequence[Post]


class Palette(Overlay):
    """Floats over the window. Typing searches, the arrow keys walk, Enter opens, Esc closes."""

    def __init__(self, context: Context) -> None:
        self._context = context
        look = context.look
        card = SheetCard(look)
        super().__init__(look, context.window, card, width=624, top=104)
        self._actions = [one for one in context.window.doable() if one.isEnabled()]
        with context.reading() as connection:
            self._accounts = accounts.every(connection)
        self._errand: Errand | None = None
        self.field = _Line(self)
        self.field.setFont(look.font("lead"))
        self.field.setAccessibleName("Find a command, an account or a post")
        self.field.setPlaceholderText("Find a command, an account or a post")
        self.model = _Hits()
        self.list = QListView()
        self._build(look, card)
        self.field.textChanged.connect(self._search)
        self._show(self._at_once(""))

    def _build(self, look: Look, card: QWidget) -> None:
        column = QVBoxLayout(card)
        column.setContentsMargins(1, 1, 1, 1)
        column.setSpacing(0)
        top = QHBoxLayout()
        top.setContentsMargins(20, 0, 20, 0)
        top.setSpacing(12)
        top.addWidget(_Glass(look))
        top.addWidget(self.field, 1)
        top.addWidget(Label(look, f"in {self._context.window.standing.workspace}", color="text2"))
        column.addLayout(top)
        column.addWidget(Divider(look, soft=False))
        self.list.setModel(self.model)
        self.list.setItemDelegate(_Lines(look, self))
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setAccessibleName("Found")
        self.list.setMouseTracking(True)
        self.list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.list.entered.connect(self._pointed)
        self.list.clicked.connect(self._open_hit)
        column.addWidget(self.list)
        column.addWidget(Divider(look, soft=False))
        foot = QHBoxLayout()
        foot.setContentsMargins(20, 0, 20, 0)
        foot.addWidget(Label(look, "↵ Open", size="small", color="text2"))
        foot.addSpacing(8)
        foot.addWidget(Label(look, "↑ ↓ Choose", size="small", color="text2"))
        foot.addStretch(1)
        foot.addWidget(Label(look, "Esc", size="small", color="text2"))
        self._foot = QWidget()
        self._foot.setFixedHeight(40)
        self._foot.setLayout(foot)
        column.addWidget(self._foot)

    # --- searching ------------------------------------------------------------------------------------------------

    def _search(self, words: str) -> None:
        self._show(self._at_once(words))
        if self._errand:
            self._errand.drop()
        if words.strip():
            context = self._context
            self._errand = context.do(lambda: _find(context, words), lambda found: self._came(words, found), owner=self)

    def _came(self, words: str, found: Found) -> None:
        hits = self._post_hits(found)
        if hits:
            self._show([Hit(f"Posts · {len(hits)}"), *hits, *self._at_once(words)])

    def _at_once(self, words: str) -> list[Hit]:
        """What needs no database: accounts and commands in which all the words stand."""
        wanted = words.casefold().split()
        found: list[Hit] = []
        known = [one for one in self._accounts if wanted and _matches(f"{one.name} {one.handle}", wanted)][:MOST]
        if known:
            found += [Hit(f"Accounts · {len(known)}"), *(self._account_hit(one) for one in known)]
        doable: list[Hit] = []
        for action in self._actions:
            if _matches(words_of(action), wanted) and not words_of(action).startswith("Find a command"):
                icon = str(action.property(ICON) or "") or "corner-down-left"
                doable.append(Hit(words_of(action), action.trigger, icon=icon, keys=keys_of(action)))
        if wanted:
            doable.append(self._written(words))
        return [*found, Hit("Commands"), *doable]

    def _written(self, words: str) -> Hit:
        text = words.strip()
        return Hit(f"New post with “{text}”", lambda: self._context.go("composer", text=text), icon="pen-line")

    def _account_hit(self, account: Account) -> Hit:
        channel = self._context.program.channels.get(account.channel)
        open_it = partial(self._context.go, "accounts", account_id=account.id)
        return Hit(account.name, open_it, icon="at-sign", mark=channel.mark if channel else "", aside=account.handle)

    def _post_hits(self, found: Found) -> list[Hit]:
        hits = [self._chip_hit(chip) for chip in found.chips]
        for post in found.drafts:
            open_it = partial(self._context.go, "composer", post_id=post.id)
            hits.append(Hit(post.content.excerpt(), open_it, icon=DRAFT.icon, right=DRAFT.word))
        return hits[:MOST]

    def _chip_hit(self, chip: Chip) -> Hit:
        channels = self._context.program.channels
        marks = tuple(channels[one.channel].mark for one in chip.seats if one.channel in channels)[:4]
        go_to, face = partial(self._go_to, chip), FACES[chip.state]
        return Hit(chip.excerpt, go_to, icon=face.icon, marks=marks, right=self._time(chip))

    def _go_to(self, chip: Chip) -> None:
        """What is still to come is in the planner; what has left, or needs a decision, in Activity."""
        if chip.state in OPEN:
            self._context.go("planner", post_id=chip.post_id, at=chip.when)
        else:
            self._context.go("activity", delivery_id=chip.ids[0])

    def _time(self, chip: Chip) -> str:
        zone, now = self._context.window.standing.zone, self._context.now()
        when = When.at(chip.when.instant, zone)
        words = short(when, now)
        return f"Today {words}" if when.wall.date() == When.at(now, zone).wall.date() else words

    # --- showing --------------------------------------------------------------------------------------------------

    def _show(self, hits: list[Hit]) -> None:
        self.model.show_hits(hits)
        height = sum(ROW if hit.run else HEADING for hit in hits) + 12
        room = self._window.height() - 104 - 52 - 40 - 48
        self.list.setFixedHeight(min(max(height, 60), room))
        self._select(self.model.first(), 1)
        self._place()

    def walk(self, step: int) -> None:
        """Moves the selection by a line, over headings, around the ends."""
        self._select((self.list.currentIndex().row() + step) % max(self.model.rowCount(), 1), step)

    def _select(self, place: int, step: int) -> None:
        for _ in range(self.model.rowCount()):
            index = self.model.index(place)
            if index.flags() & Qt.ItemFlag.ItemIsSelectable:
                self.list.setCurrentIndex(index)
                return
            place = (place + step) % self.model.rowCount()

    def _pointed(self, index: QModelIndex) -> None:
        if index.flags() & Qt.ItemFlag.ItemIsSelectable:
            self.list.setCurrentIndex(index)

    def open_current(self) -> None:
        self._open_hit(self.list.currentIndex())

    def _open_hit(self, index: QModelIndex) -> None:
        hit = index.data(HIT)
        if isinstance(hit, Hit) and hit.run is not None:
            self.close_it()
            hit.run()

    @property
    def words(self) -> list[str]:
        """What is typed, in words, for marking hits."""
        return self.field.text().split()


def _find(context: Context, words: str) -> Found:
    """On the background's thread."""
    with context.reading() as connection:
        ids = posts.search(connection, words, MOST)
        chips = timeline.of_posts(connection, ids)
        bare = [one for one in ids if one not in {chip.post_id for chip in chips}]
        known = posts.get_many(connection, bare)
    return Found(chips, [known[one] for one in bare if one in known])


def _matches(text: str, wanted: list[str]) -> bool:
    folded = text.casefold()
    return all(word in folded for word in wanted)


class _Line(QLineEdit):
    """The line to type in; it hands the arrows and Enter to the list."""

    def __init__(self, palette: Palette) -> None:
        super().__init__()
        self._palette = palette
        self.setFixedHeight(52)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: 6, Qt.Key.Key_PageUp: -6}
        key = Qt.Key(event.key())
        if key in steps:
            self._palette.walk(steps[key])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._palette.open_current()
        elif key == Qt.Key.Key_Escape:
            self._palette.close_it()
        else:
            super().keyPressEvent(event)


class _Glass(QWidget):
    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self.setFixedSize(16, 52)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        drawing = self._look.pixmap("search", 16, "text2", self.devicePixelRatioF())
        paint.pixmap(painter, 0, self.height() / 2, drawing)
        painter.end()


class _Hits(QAbstractListModel):
    def __init__(self) -> None:
        super().__init__()
        self._hits: list[Hit] = []

    def show_hits(self, hits: list[Hit]) -> None:
        self.beginResetModel()
        self._hits = hits
        self.endResetModel()

    def first(self) -> int:
        return next((place for place, hit in enumerate(self._hits) if hit.run), 0)

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._hits)

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        if not index.isValid() or index.row() >= len(self._hits):
            return None
        hit = self._hits[index.row()]
        if role == HIT:
            return hit
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return " ".join(part for part in (hit.words, hit.aside, hit.right) if part)
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        if not index.isValid() or self._hits[index.row()].run is None:
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable


class _Lines(QStyledItemDelegate):
    """Paints headings and hits."""

    def __init__(self, look: Look, palette: Palette) -> None:
        super().__init__(palette)
        self._look, self._palette = look, palette

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        hit = index.data(HIT)
        return QSize(100, ROW if hit.run else HEADING)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        hit, look, rect = index.data(HIT), self._look, option.rect
        painter.save()
        if hit.run is None:
            room = rect.adjusted(20, 6, -20, 0)
            paint.text(painter, room, hit.words, look.font("small", STRONG), look.color("text2"))
        else:
            chosen = bool(option.state & QStyle.StateFlag.State_Selected)
            if chosen:
                paint.box(painter, rect.adjusted(8, 0, -8, 0), 6, look.color("accent.tint"))
            self._paint_hit(painter, rect, hit, chosen)
        painter.restore()

    def _paint_hit(self, painter: QPainter, rect: QRect, hit: Hit, chosen: bool) -> None:
        look, ratio = self._look, painter.device().devicePixelRatioF()
        middle = rect.top() + rect.height() / 2
        color = "accent.text" if chosen else "text2"
        drawing = look.mark(hit.mark, 16, color, ratio) if hit.mark else look.pixmap(hit.icon, 16, color, ratio)
        paint.pixmap(painter, rect.left() + 20, middle, drawing)
        right = self._paint_right(painter, rect, hit, ratio)
        left = rect.left() + 48
        left += self._paint_words(painter, QRect(left, rect.top(), right - left - 12, rect.height()), hit.words)
        if hit.aside:
            room = QRect(left + 8, rect.top(), right - left - 20, rect.height())
            paint.text(painter, room, hit.aside, look.font(), look.color("text2"))

    def _paint_right(self, painter: QPainter, rect: QRect, hit: Hit, ratio: float) -> int:
        """Keys, time and marks from the right edge; returns where they begin."""
        look, right = self._look, rect.right() - 19
        middle = rect.top() + rect.height() // 2
        if hit.keys:
            draw_keys(painter, right, middle, hit.keys, look)
            right -= keys_width(look, hit.keys)
        if hit.right:
            room = QRect(rect.left(), rect.top(), right - rect.left(), rect.height())
            right -= paint.text(painter, room, hit.right, look.font(), look.color("text2"), Qt.AlignmentFlag.AlignRight)
        if hit.marks:
            right -= 8
        for mark in reversed(hit.marks):
            right -= 14
            paint.pixmap(painter, right, middle, look.mark(mark, 14, "text2", ratio))
            right -= 6
        return right

    def _paint_words(self, painter: QPainter, room: QRect, words: str) -> int:
        """The words with what was typed marked in them; returns the width used."""
        look, font = self._look, self._look.font()
        metrics = QFontMetrics(font)
        fits = metrics.horizontalAdvance(words) <= room.width()
        shown = words if fits else metrics.elidedText(words, Qt.TextElideMode.ElideRight, room.width() - 8)
        layout = QTextLayout(shown, font)
        layout.setFormats(_marked(shown, self._palette.words, look))
        layout.beginLayout()
        line = layout.createLine()
        line.setLineWidth(10_000)
        layout.endLayout()
        painter.setPen(look.color("text"))
        layout.draw(painter, QPointF(room.left(), room.top() + (room.height() - line.height()) / 2))
        return round(line.naturalTextWidth())


def _marked(text: str, words: list[str], look: Look) -> list[QTextLayout.FormatRange]:
    """Where the typed words stand, in accent and stronger."""
    style = QTextCharFormat()
    style.setForeground(look.color("accent.text"))
    style.setFontWeight(QFont.Weight.DemiBold)
    ranges, folded = [], text.lower()
    for word in words:
        place = folded.find(word.lower()) if len(folded) == len(text) else -1
        if place >= 0:
            one = QTextLayout.FormatRange()
            one.start, one.length, one.format = place, len(word), style
            ranges.append(one)
    return ranges
