"""A post as networks show it: who, when, the words, pictures, a poll; items of a thread below each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from sendoff.domain.forms import takes_kind
from sendoff.domain.post import CAPTIONS, Item, Poll
from sendoff.domain.when import short, span_text
from sendoff.ui.composer.preview.card import CardBox
from sendoff.ui.composer.preview.media import MediaGrid
from sendoff.ui.composer.preview.model import Preview, cut
from sendoff.ui.composer.preview.pictures import Pictures
from sendoff.ui.composer.preview.words import PostText
from sendoff.ui.context import Context
from sendoff.ui.theme import STRONG, Look
from sendoff.ui.widgets import paint
from sendoff.ui.widgets.button import SMALL, Button
from sendoff.ui.widgets.label import Label
from sendoff.ui.widgets.state import Tile
from sendoff.ui.widgets.surface import Card
from sendoff.ui.widgets.tip import set_tip

NOTHING = "What you write stands here."
AVATAR = 40


@dataclass(frozen=True, slots=True)
class Style:
    """How a network shows a post.

    Args:
        lines: of words, before they are folded.
        wide: the words begin below the avatar, not beside it.
        sights: who sees it, by the value of the option "visibility": an icon and what it means.
        actions: the icons below it.
    """

    lines: int = 5
    wide: bool = False
    sights: Mapping[str, tuple[str, str]] | None = None
    actions: tuple[str, ...] = ()


PLAIN = Style()
CHAT = Style(lines=40)  # beside the picture of who says it, and never folded
STYLES = {
    "discord": CHAT,
    "discord_webhook": CHAT,
    "telegram": CHAT,
    "mastodon": Style(
        wide=True,
        sights={
            "": ("globe", "As set on the server"),
            "public": ("globe", "Everyone"),
            "unlisted": ("moon", "Everyone, but not in the feeds"),
            "private": ("lock", "Followers"),
            "direct": ("at-sign", "People it mentions"),
        },
        actions=("message-circle", "repeat-2", "star", "bookmark", "ellipsis"),
    ),
    "x": Style(lines=25, actions=("message-circle", "repeat-2", "heart", "eye", "bookmark", "share")),
    "bluesky": Style(lines=25, actions=("message-circle", "repeat-2", "heart", "bookmark", "share", "ellipsis")),
}
"""The looks, by the kind of channel; all others are shown plainly."""


class StatusCard(Card):
    """All items of a post in one card. Only what changed is touched."""

    def __init__(self, context: Context, pictures: Pictures, kind: str) -> None:
        super().__init__(context.look)
        self._context, self._pictures = context, pictures
        self._style = STYLES.get(kind, PLAIN)
        self.items: list[StatusItem] = []
        self.body.setSpacing(0)

    def show_preview(self, preview: Preview) -> None:
        """Shows a post, with as many items as it has."""
        wanted = preview.content.items
        while len(self.items) > len(wanted):
            gone = self.items.pop()
            self.body.removeWidget(gone)
            gone.hide()
            gone.deleteLater()
        while len(self.items) < len(wanted):
            self.items.append(StatusItem(self._context, self._pictures, self._style))
            self.body.addWidget(self.items[-1])
        for number, (shown, item) in enumerate(zip(self.items, wanted, strict=True)):
            shown.show_item(preview, item, threaded=len(wanted) > 1, last=number == len(wanted) - 1)
            shown.card.show_card(preview.card(number))


class StatusItem(QWidget):
    """One item: its head, the words, what hangs on it. A line leads from its avatar to the next item's."""

    def __init__(self, context: Context, pictures: Pictures, style: Style) -> None:
        super().__init__()
        self._context, self._look, self._style = context, context.look, style
        self._last, self._open, self._beside = True, False, False
        look = self._look
        self.avatar = Tile(look, size=AVATAR if style.wide else 36)
        self.head = _Who(look, style)
        self.warning = Label(look, "", wrap=True)
        self.opener = Button(look, "Show more", size=SMALL, run=self._toggle)
        self.words = PostText(look, lines=style.lines)
        self.nothing = Label(look, NOTHING, color="text3")
        self.media = MediaGrid(look, pictures)
        self.poll = PollBox(look)
        self.card = CardBox(look, pictures)
        self._folded, self._below = QWidget(), QWidget()
        self._build()

    def _build(self) -> None:
        folded = _column(self._folded, 10)
        for part in (self.words, self.nothing, self.media, self.card, self.poll):
            folded.addWidget(part)
        below = _column(self._below, 10)
        below.addWidget(self.warning)
        below.addWidget(self.opener, 0, Qt.AlignmentFlag.AlignLeft)
        below.addWidget(self._folded)
        self._actions = _Actions(self._look, self._style.actions)
        below.addWidget(self._actions)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(10)
        self._grid.setColumnStretch(1, 1)
        self._place(beside=not self._style.wide)

    def _place(self, *, beside: bool) -> None:
        """Puts what is below the head beside the avatar or below it."""
        self._beside = beside
        top = Qt.AlignmentFlag.AlignTop
        self._grid.addWidget(self.avatar, 0, 0, 2 if beside else 1, 1, top)
        self._grid.addWidget(self.head, 0, 1)
        self._grid.addWidget(self._below, 1, 1 if beside else 0, 1, 1 if beside else 2)
        self._grid.setVerticalSpacing(2 if beside and not self._style.wide else 10)

    def show_item(self, preview: Preview, item: Item, *, threaded: bool, last: bool) -> None:
        """Shows one item of a post; `threaded` when there are others, `last` when none follows."""
        beside = threaded or not self._style.wide
        if beside != self._beside:
            self._place(beside=beside)
        self._last = last
        self._grid.setContentsMargins(0, 0, 0, 0 if last else 16)
        self.avatar.set_letter(preview.account.name.lstrip("@#") or preview.account.handle.lstrip("@#"))
        self.head.show_author(preview, self._context.now())
        warned = bool(preview.warning)
        self.warning.setText(preview.warning)
        self.warning.setVisible(warned)
        self.opener.setVisible(warned)
        self._folded.setVisible(self._open or not warned)
        self.words.show_text(item.text, cut(item, preview), preview.channel.marked)
        self.words.setVisible(bool(item.text.strip()))
        self.nothing.setVisible(item.is_empty)
        is_file = takes_kind(preview.figures, CAPTIONS) and CAPTIONS not in preview.figures.media_types
        media = tuple(one for one in item.shown if is_file or not one.is_captions)
        self.media.show_media(media, covered=preview.options.get("sensitive") == "yes" and not warned)
        self.poll.show_poll(item.poll)
        self._actions.setVisible(last and bool(self._style.actions))
        self.update()

    def _toggle(self) -> None:
        self._open = not self._open
        self.opener.setText("Show less" if self._open else "Show more")
        self._folded.setVisible(self._open)

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._last:
            painter = QPainter(self)
            size = self.avatar.height()
            painter.fillRect(size // 2 - 1, size + 4, 2, self.height() - size - 8, self._look.color("line"))
            painter.end()


class _Who(QWidget):
    """Name, handle and time: on two lines, or on one."""

    def __init__(self, look: Look, style: Style) -> None:
        super().__init__()
        self._look, self._style = look, style
        self.name = Label(look, "", weight=STRONG, elide=True)
        self.handle = Label(look, "", color="text2", elide=True)
        self.time = Label(look, "", color="text2", figures=True)
        self.sight = _Sight(look, style.sights) if style.sights else None
        first = QHBoxLayout()
        first.setSpacing(6)
        first.addWidget(self.name, 1 if style.wide else 0)
        column = _column(self, 0)
        column.addLayout(first)
        if style.wide:
            column.addWidget(self.handle)
        else:
            first.addWidget(self.handle, 1)
        if self.sight is not None:
            first.addWidget(self.sight)
        first.addWidget(self.time)

    def show_author(self, preview: Preview, now: datetime) -> None:
        account = preview.account
        self.name.setText(account.name or account.handle)
        self.handle.setText(account.handle if account.handle != account.name else "")
        self.time.setText(short(preview.when, now) if preview.when else "now")
        if self.sight is not None:
            self.sight.set_sight(preview.options.get("visibility", ""))


class _Sight(QWidget):
    """Who sees the post: an icon, and what it means as tooltip."""

    def __init__(self, look: Look, sights: Mapping[str, tuple[str, str]]) -> None:
        super().__init__()
        self._look, self._sights, self._icon = look, sights, ""
        self.setFixedSize(16, 20)
        self.set_sight("")

    def set_sight(self, value: str) -> None:
        self._icon, words = self._sights.get(value) or self._sights[""]
        self.setAccessibleName(f"Who sees it: {words}")
        set_tip(self, words)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        drawing = self._look.pixmap(self._icon, 14, "text3", self.devicePixelRatioF())
        paint.pixmap(painter, 1, self.height() / 2, drawing)
        painter.end()


class PollBox(QWidget):
    """The answers of a poll, and how long it runs."""

    ROW = 28

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self._poll: Poll | None = None
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def show_poll(self, poll: Poll | None) -> None:
        if poll != self._poll:
            self._poll = poll
            self.setAccessibleName("Poll: " + ", ".join(poll.options) if poll else "")
            self.updateGeometry()
            self.update()
        self.setVisible(poll is not None)

    def sizeHint(self) -> QSize:
        answers = len(self._poll.options) if self._poll else 0
        return QSize(200, answers * self.ROW + 22)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._poll is None:
            return
        painter, look = QPainter(self), self._look
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for number, answer in enumerate(self._poll.options):
            top = number * self.ROW
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(look.color("control"), 1.5))
            sign = QRectF(1, top + 6, 16, 16)
            painter.drawRoundedRect(sign, *((4, 4) if self._poll.multiple else (8, 8)))
            place = QRect(28, top, self.width() - 28, self.ROW)
            words, color = (answer, "text") if answer.strip() else ("Nothing yet", "text3")
            paint.text(painter, place, words, look.font(), look.color(color))
        below = QRect(0, self.height() - 20, self.width(), 20)
        words = f"0 votes · {span_text(self._poll.lasts)} left"
        paint.text(painter, below, words, look.font("small"), look.color("text3"))
        painter.end()


class _Actions(QWidget):
    """What readers can do below a post. Only a picture."""

    def __init__(self, look: Look, icons: tuple[str, ...]) -> None:
        super().__init__()
        self._look, self._icons = look, icons
        self.setFixedHeight(24)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        step = (self.width() - 16) / (len(self._icons) - 1)
        for number, icon in enumerate(self._icons):
            drawing = self._look.pixmap(icon, 16, "text2", self.devicePixelRatioF())
            paint.pixmap(painter, round(number * step), self.height() / 2, drawing)
        painter.end()


def _column(host: QWidget, spacing: int) -> QVBoxLayout:
    layout = QVBoxLayout(host)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(spacing)
    return layout
