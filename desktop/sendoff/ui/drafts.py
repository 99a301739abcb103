"""Drafts: what is written and has no time yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QHelpEvent, QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStackedWidget,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolTip,
    QVBoxLayout,
)

from sendoff.domain.account import Account
from sendoff.domain.post import Post
from sendoff.domain.when import When, distance, short
from sendoff.domain.words import counted
from sendoff.store import accounts, changes, posts
from sendoff.ui.actions import add_action
from sendoff.ui.context import Context
from sendoff.ui.query_model import ROW, QueryModel
from sendoff.ui.screen import Screen
from sendoff.ui.theme import Look
from sendoff.ui.widgets import paint
from sendoff.ui.widgets.focus import ring
from sendoff.ui.widgets.menu import Menu
from sendoff.ui.widgets.surface import EmptyState, Header, primary
from sendoff.ui.widgets.tip import plain

Index = QModelIndex | QPersistentModelIndex
UNTITLED = "Nothing written yet"


@dataclass(frozen=True, slots=True)
class DraftRow:
    """One draft in the list: its first words, where it shall go, and when it was edited last."""

    id: int
    words: str
    written: bool
    marks: tuple[str, ...]
    accounts: str
    edited: str


class DraftsScreen(Screen):
    """The list of drafts. Enter opens one, Del deletes it, with Undo."""

    topics = frozenset({changes.POSTS, changes.ACCOUNTS})

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.model = QueryModel(self._ask, key=lambda row: row.id, words=_said, page=50, parent=self)
        self.header = Header(self.look, "Drafts")
        self.list = _List(self, self.model)
        self._pages = QStackedWidget()
        self._pages.addWidget(self.list)
        button = primary(self.look, "New post", self._compose, icon="pen-line")
        sentence = "What you don’t schedule is kept here, saved as you type."
        self._pages.addWidget(EmptyState(self.look, "drafts", "No drafts", sentence, button=button))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(self._pages, 1)
        add_action(self.list, "Open the draft", self.open_current, keys="Return", icon="pencil", group="Drafts")
        add_action(self.list, "Delete the draft", self.delete_current, keys="Del", icon="trash-2", group="Drafts")
        self.addActions(self.list.actions())
        self.begin_at = self.list

    def refresh(self) -> None:
        self.model.refresh()
        with self.context.reading() as connection:
            count = posts.draft_count(connection, self.context.workspace_id)
        self.header.set_title("Drafts", counted(count, "draft", "drafts") if count else "")
        self._pages.setCurrentIndex(0 if count else 1)
        if count and not self.list.currentIndex().isValid():
            self.list.setCurrentIndex(self.model.index(0))

    def _ask(self, limit: int) -> Sequence[DraftRow]:
        context, now, zone = self.context, self.context.now(), self.context.zone()
        with context.reading() as connection:
            found = posts.drafts(connection, context.workspace_id, limit)
            known = {one.id: one for one in accounts.every(connection)}
        return [self._row(post, known, now, zone) for post in found]

    def _row(self, post: Post, known: dict[int, Account], now: datetime, zone: str) -> DraftRow:
        chosen = [known[variant.account_id] for variant in post.variants if variant.account_id in known]
        channels = self.context.program.channels
        words = post.content.excerpt()
        if not chosen:
            where = "No account yet"
        else:
            where = chosen[0].name if len(chosen) == 1 else counted(len(chosen), "account", "accounts")
        return DraftRow(
            id=post.id,
            words=words or UNTITLED,
            written=bool(words),
            marks=tuple(channels[one.channel].mark for one in chosen if one.channel in channels),
            accounts=where,
            edited=edited(post.updated_at, now, zone),
        )

    # --- what can be done -----------------------------------------------------------------------------------------

    def _compose(self) -> None:
        self.context.go("composer")

    def open_current(self) -> None:
        row = self.model.row(self.list.currentIndex())
        if row is not None:
            self.context.go("composer", post_id=row.id)

    def delete_current(self) -> None:
        row = self.model.row(self.list.currentIndex())
        if row is not None:
            self.delete(row)

    def delete(self, row: DraftRow) -> None:
        """Deletes a draft; Undo writes it again."""
        commands = self.context.commands
        self.context.do(lambda: commands.posts.delete_draft(row.id), self._deleted)

    def _deleted(self, post: Post) -> None:
        commands = self.context.commands
        again = partial(
            commands.posts.save_draft, post.content, post.variants, post.plan, workspace_id=post.workspace_id
        )  # fmt: skip
        self.context.say("The draft was deleted.", undo=lambda: self.context.do(again))


def edited(at: datetime, now: datetime, zone: str) -> str:
    """When something was edited: "just now", "20 min ago", "Today 09:12", "20 Nov 18:30"."""
    ago = now - at
    if ago.total_seconds() < 60:
        return "just now"
    if ago.total_seconds() < 3600:
        return distance(-ago)
    when = When.at(at, zone)
    words = short(when, now)
    return f"Today {words}" if when.wall.date() == When.at(now, zone).wall.date() else words


def _said(row: DraftRow) -> str:
    return f"{row.words}, {row.accounts}, edited {row.edited}"


# --- the list -----------------------------------------------------------------------------------------------------

PADDING, GAP, EDITED, ACCOUNT, MARKS = 20, 12, 110, 170, 60
BUTTONS = (("pencil", "Open"), ("trash-2", "Delete"))


class _List(QListView):
    def __init__(self, screen: DraftsScreen, model: QueryModel[DraftRow]) -> None:
        super().__init__()
        self._screen = screen
        self.setModel(model)
        self.setItemDelegate(_Rows(screen.look, screen, self))
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setAccessibleName("Drafts")
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.doubleClicked.connect(lambda _index: screen.open_current())
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._menu)
        ring(self, 0)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Enter:
            self._screen.open_current()
        else:
            super().keyPressEvent(event)

    def _menu(self, at: QPoint) -> None:
        index = self.indexAt(at) if self.indexAt(at).isValid() else self.currentIndex()
        if not index.isValid():
            return
        self.setCurrentIndex(index)
        menu = Menu(self._screen.look, parent=self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.add("Open", self._screen.open_current, icon="pencil", keys="Return")
        menu.add("Delete", self._screen.delete_current, icon="trash-2", keys="Del")
        menu.popup(self.viewport().mapToGlobal(at))


class _Rows(QStyledItemDelegate):
    """Paints a whole row; the buttons that appear under the pointer are painted and hit here too."""

    def __init__(self, look: Look, screen: DraftsScreen, view: QListView) -> None:
        super().__init__(view)
        self._look, self._screen = look, screen

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(200, 40)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row, look, rect = index.data(ROW), self._look, option.rect
        over = bool(option.state & QStyle.StateFlag.State_MouseOver)
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, look.color("accent.tint"))
            painter.fillRect(QRect(rect.left(), rect.top(), 2, rect.height()), look.color("accent.fill"))
        elif over:
            painter.fillRect(rect, look.color("hover"))
        painter.fillRect(rect.left(), rect.bottom(), rect.width(), 1, look.color("line_soft"))
        self._paint_row(painter, rect, row, over)
        painter.restore()

    def _paint_row(self, painter: QPainter, rect: QRect, row: DraftRow, over: bool) -> None:
        look, ratio = self._look, painter.device().devicePixelRatioF()
        right = rect.right() + 1 - PADDING
        last = QRect(right - EDITED, rect.top(), EDITED, rect.height())
        if over:
            for place, (icon, _name) in zip(_buttons(rect), BUTTONS, strict=True):
                paint.pixmap(painter, place.left() + 6, place.center().y() + 1, look.pixmap(icon, 16, "text2", ratio))
        else:
            paint.text(painter, last, row.edited, look.font(), look.color("text2"), Qt.AlignmentFlag.AlignRight)
        account = QRect(last.left() - GAP - ACCOUNT, rect.top(), ACCOUNT, rect.height())
        paint.text(painter, account, row.accounts, look.font(), look.color("text2"))
        words = QRect(rect.left() + PADDING + MARKS + GAP, rect.top(), 0, rect.height())
        words.setRight(account.left() - GAP)
        color = look.color("text" if row.written else "text3")
        paint.text(painter, words, row.words, look.font(), color)
        self._paint_marks(painter, rect, row.marks, ratio)

    def _paint_marks(self, painter: QPainter, rect: QRect, marks: tuple[str, ...], ratio: float) -> None:
        left, middle = rect.left() + PADDING, rect.center().y() + 0.5
        if not marks:
            paint.pixmap(painter, left, middle, self._look.pixmap("file-text", 14, "text3", ratio))
        for mark in marks[:3]:
            paint.pixmap(painter, left, middle, self._look.mark(mark, 14, "text2", ratio))
            left += 18

    def editorEvent(self, event: QEvent, model: object, option: QStyleOptionViewItem, index: Index) -> bool:
        if isinstance(event, QMouseEvent) and event.type() == QEvent.Type.MouseButtonRelease:
            row = index.data(ROW)
            for place, (_icon, name) in zip(_buttons(option.rect), BUTTONS, strict=True):
                if place.contains(event.position().toPoint()):
                    self._screen.context.go("composer", post_id=row.id) if name == "Open" else self._screen.delete(row)
                    return True
        return False

    def helpEvent(self, event: QHelpEvent, view: QAbstractItemView, option: QStyleOptionViewItem, index: Index) -> bool:
        for place, (_icon, name) in zip(_buttons(option.rect), BUTTONS, strict=True):
            if place.contains(event.pos()):
                QToolTip.showText(event.globalPos(), plain(name), view)
                return True
        QToolTip.hideText()
        return True


def _buttons(rect: QRect) -> list[QRect]:
    """Where the buttons of a row are: 28 px each, at its right end."""
    right = rect.right() + 1 - PADDING
    return [QRect(right - 28 * (2 - number), rect.top() + 6, 28, 28) for number in range(2)]
