"""The card that shows one post whole, beside its chip: when, what, where to, and what can be done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, QTimer
from PySide6.QtGui import (
    QCursor,
    QEnterEvent,
    QImage,
    QKeyEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPixmap,
)
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from sendoff.domain.account import Account
from sendoff.domain.delivery import Move, State
from sendoff.domain.errors import SendoffError
from sendoff.domain.post import Attachment, Content, Post
from sendoff.domain.text import count
from sendoff.domain.words import counted
from sendoff.store import accounts, deliveries, posts
from sendoff.store.timeline import Chip, Seat
from sendoff.ui import raster
from sendoff.ui.context import Context
from sendoff.ui.planner import words
from sendoff.ui.planner.chips import side, wrapped
from sendoff.ui.planner.days import Entry
from sendoff.ui.planner.deeds import Deeds, ids_to_send, is_editable, sign_in_account
from sendoff.ui.states import FACES
from sendoff.ui.theme import STRONG, Look
from sendoff.ui.widgets import paint
from sendoff.ui.widgets.button import SMALL, Button, IconButton
from sendoff.ui.widgets.floating import AROUND
from sendoff.ui.widgets.label import Label
from sendoff.ui.widgets.state import Pill, StateIcon
from sendoff.ui.widgets.surface import CARD_RADIUS, Divider

WIDE = 340
AFTER = 350
"""How long the pointer rests on a chip before its card comes, ms."""
GRACE = 200
"""How long the card stays after the pointer left, so that it can be reached; ms."""
BESIDE = 12
PICTURE = 72
LINES = 6


@dataclass(frozen=True, slots=True)
class Preview:
    """What the card shows of a post beyond its chip."""

    post: Post
    known: dict[int, Account]
    reason: str

    def content(self, account_id: int) -> Content:
        return self.post.content_for(account_id)


def read(context: Context, chip: Chip) -> Preview:
    """Reads a post; a few small questions.

    Raises:
        NotFound: it was deleted meanwhile.
    """
    with context.reading() as connection:
        reasons = {one.state: one.reason for one in deliveries.of_post(connection, chip.post_id) if one.id in chip.ids}
        return Preview(
            post=posts.get(connection, chip.post_id),
            known=accounts.get_many(connection, {seat.account_id for seat in chip.seats}),
            reason=reasons.get(chip.state, ""),
        )


class PreviewCard(QWidget):
    """Floats over the window. It comes when the pointer rests on a chip, and stays while the pointer is on it."""

    def __init__(self, context: Context, deeds: Deeds) -> None:
        super().__init__(context.window)
        self._context, self._look, self._deeds = context, context.look, deeds
        self._entry: Entry | None = None
        self._beside: Callable[[], QRect] = QRect
        self._waiting: Entry | None = None
        self._pictures: dict[str, QImage] = {}
        self._content: QWidget | None = None
        self._return_to: QWidget | None = None
        self._come, self._go = QTimer(self), QTimer(self)
        for timer, run, wait in ((self._come, self._arrive, AFTER), (self._go, self.dismiss, GRACE)):
            timer.setSingleShot(True)
            timer.setInterval(wait)
            timer.timeout.connect(run)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(AROUND, AROUND, AROUND, AROUND)
        self.hide()

    @property
    def entry(self) -> Entry | None:
        """What it shows now."""
        return self._entry if self.isVisible() else None

    # --- coming and going -----------------------------------------------------------------------------------------

    def want(self, entry: Entry, beside: Callable[[], QRect]) -> None:
        """The pointer came onto a chip; `beside` tells where that is, in global coordinates."""
        if self.entry is not None and self.entry.chip.key == entry.chip.key:
            self._go.stop()
            return
        self._waiting, self._beside = entry, beside
        self._come.start()

    def unwant(self) -> None:
        """The pointer left the chip."""
        self._come.stop()
        if self.isVisible():
            self._go.start()

    def dismiss(self) -> None:
        """Takes the card away at once; the keyboard goes back to the chips."""
        self._come.stop()
        self._go.stop()
        focused: QWidget | None = self._context.window.focusWidget()
        had_keyboard = focused is not None and self.isAncestorOf(focused)
        self.hide()
        if had_keyboard and self._return_to is not None:
            self._return_to.setFocus(Qt.FocusReason.OtherFocusReason)

    def _arrive(self) -> None:
        if self._waiting is not None:
            self.show_entry(self._waiting, self._beside)

    def show_entry(self, entry: Entry, beside: Callable[[], QRect], *, return_to: QWidget | None = None) -> None:
        """Shows a post at once. With `return_to` the card takes the keyboard, and gives it back to that."""
        try:
            preview = read(self._context, entry.chip)
        except SendoffError:
            return  # it went away under the pointer; the chip will, too
        self._come.stop()
        self._go.stop()
        self._entry, self._return_to = entry, return_to
        self._fill(entry, preview)
        self._place(beside())
        self.raise_()
        self.show()
        if return_to is not None and self._content is not None:
            first = self._content.findChild(Button)
            if first is not None:
                first.setFocus(Qt.FocusReason.TabFocusReason)

    def _place(self, beside: QRect) -> None:
        """Right of the chip, left if there is no room; inside the window, where it covers the least of the chip."""
        window = self._context.window
        chip = QRect(window.mapFromGlobal(beside.topLeft()), beside.size())
        size = QSize(WIDE, self._height())
        least, most = 8, window.width() - 8 - WIDE
        right, left = chip.right() + 1 + BESIDE, chip.left() - BESIDE - WIDE
        left = left if right > most and least - left < right - most else right
        left = max(least, min(left, most))
        top = max(8, min(chip.top() - 60, window.height() - 8 - size.height()))
        self.setGeometry(QRect(QPoint(left, top), size).adjusted(-AROUND, -AROUND, AROUND, AROUND))

    def _height(self) -> int:
        layout = self._content.layout() if self._content else None
        if layout is None:
            return 0
        layout.activate()
        return layout.totalHeightForWidth(WIDE) if layout.hasHeightForWidth() else layout.totalSizeHint().height()

    # --- what stands on it ----------------------------------------------------------------------------------------

    def _fill(self, entry: Entry, preview: Preview) -> None:
        if self._content is not None:
            self._content.hide()
            self._column.removeWidget(self._content)
            self._content.deleteLater()
        self._content = QWidget()
        column = QVBoxLayout(self._content)
        column.setContentsMargins(0, 16, 0, 16)
        column.setSpacing(0)
        column.addLayout(self._head(entry))
        column.addSpacing(12)
        column.addLayout(self._text(preview))
        column.addSpacing(12)
        column.addWidget(Divider(self._look))
        column.addSpacing(8)
        for seat in entry.chip.seats[:8]:
            column.addLayout(self._seat(seat, entry.chip, preview))
        self._add_notes(column, entry, preview)
        column.addSpacing(12)
        column.addLayout(self._buttons(entry.chip))
        self._column.addWidget(self._content)
        self.setAccessibleName(words.spoken(entry, self._context.zone()))

    def _head(self, entry: Entry) -> QVBoxLayout:
        look, channels = self._look, self._context.program.channels
        line = _row()
        line.addWidget(Label(look, words.time_words(entry), size="lead", weight=STRONG))
        line.addStretch(1)
        line.addWidget(Pill(look, FACES[entry.chip.state], words.state_words(entry.chip, channels)))
        zone = Label(look, words.zone_words(entry, self._context.zone(), self._context.now()), color="text2", wrap=True)
        below = _row()
        below.addWidget(zone, 1)
        column = QVBoxLayout()
        column.setSpacing(2)
        column.addLayout(line)
        column.addLayout(below)
        return column

    def _text(self, preview: Preview) -> QHBoxLayout:
        content = preview.post.content
        shown = next((one for one in content.attachments if one.is_image), None)
        mail, first = content.mail, content.items[0].text
        said = mail.subject if mail and mail.subject else first
        line = _row(12)
        line.addWidget(_Words(self._look, said.strip() or "Nothing written", bool(said.strip())), 1)
        if shown is not None:
            picture = _Picture(self._look, shown.alt or shown.name)
            line.addWidget(picture, 0, Qt.AlignmentFlag.AlignTop)
            self._load(shown, picture)
        return line

    def _seat(self, seat: Seat, chip: Chip, preview: Preview) -> QHBoxLayout:
        look = self._look
        channel = self._context.program.channels.get(seat.channel)
        line = _row(6)
        if channel is not None:
            line.addWidget(_Glyph(lambda ratio: look.mark(channel.mark, 14, "text", ratio)))
        line.addWidget(Label(look, seat.handle or seat.name, elide=True), 1)
        if seat.state is not chip.state:
            line.addWidget(StateIcon(look, FACES[seat.state]))
        line.addWidget(Label(look, self._measure(seat, preview), color="text2", figures=True))
        box = QHBoxLayout()
        box.setContentsMargins(0, 3, 0, 3)
        box.addLayout(line)
        return box

    def _measure(self, seat: Seat, preview: Preview) -> str:
        """How much it is for this account: characters of the limit, people, items."""
        variant = preview.post.variant(seat.account_id)
        if variant is not None and variant.content is not None:
            return "Own text"
        content, account = preview.content(seat.account_id), preview.known.get(seat.account_id)
        channel = self._context.program.channels.get(seat.channel)
        if channel is None or account is None:
            return ""
        figures = channel.capabilities.learned(account.learned)
        if figures.mail:
            return counted(len(content.mail.to), "person", "people") if content.mail else ""
        if len(content.items) > 1:
            return counted(len(content.items), "post", "posts")
        figures = figures.of(content.items[0], variant.options if variant else {})
        used = count(content.items[0].text, figures)
        return f"{used:,} / {figures.text:,}" if figures.text else f"{used:,}"

    def _add_notes(self, column: QVBoxLayout, entry: Entry, preview: Preview) -> None:
        """Why it needs the person, or what it needs."""
        chip, channels = entry.chip, self._context.program.channels
        if len(chip.seats) > 8:
            self._note(column, "", f"and {counted(len(chip.seats) - 8, 'account', 'accounts')} more")
        if preview.reason:
            face = FACES[chip.state]
            self._note(column, face.icon, preview.reason, f"{face.token}.text")
        for rest in words.rests(chip, preview.known.values(), self._context.now(), self._context.zone()):
            self._note(column, "hourglass", rest, "doubt.text")
        if chip.state is State.HANDED_OVER:
            held = words.holder(chip, channels) or "The endpoint"
            self._note(column, "cloud", f"{held} holds it: safe with this computer off", "held.text")
        elif any(seat.state in words.AWAKE for seat in chip.seats):
            self._note(column, "laptop", "Needs this computer awake")

    def _note(self, column: QVBoxLayout, icon: str, sentence: str, color: str = "text2") -> None:
        line = _row(7)
        if icon:
            glyph = _Glyph(lambda ratio: self._look.pixmap(icon, 14, color, ratio))
            line.addWidget(glyph, 0, Qt.AlignmentFlag.AlignTop)
        line.addWidget(Label(self._look, sentence, color=color, wrap=True), 1)
        column.addSpacing(8)
        column.addLayout(line)

    def _buttons(self, chip: Chip) -> QHBoxLayout:
        look, deeds, line = self._look, self._deeds, _row()

        def add(words: str, icon: str, run: Callable[[], object]) -> None:
            line.addWidget(Button(look, words, icon=icon, size=SMALL, run=lambda: self._leave_for(run)))

        if is_editable(chip):
            add("Edit", "pencil", lambda: deeds.open(chip))
        else:
            add("Show in Activity", "activity", lambda: deeds.show_in_activity(chip))
        account_id = sign_in_account(chip)
        if account_id is not None:
            add("Sign in", "", lambda: deeds.sign_in(account_id))
        elif ids_to_send(chip):
            add("Try again" if chip.state is State.FAILED else "Send now", "", lambda: deeds.send_now(chip))
        line.addStretch(1)
        if chip.ids_that_can(Move.CANCEL):
            cancel = lambda: self._leave_for(lambda: deeds.cancel([chip]))  # noqa: E731
            line.addWidget(IconButton(look, "trash-2", "Cancel the post", run=cancel))
        line.addWidget(IconButton(look, "ellipsis", "More", run=lambda: self._more(chip)))
        return line

    def _more(self, chip: Chip) -> None:
        menu = self._deeds.menu([chip], self._context.window)
        menu.triggered.connect(lambda _action: self.dismiss())
        menu.popup(QCursor.pos())

    def _leave_for(self, run: Callable[[], object]) -> None:
        self.dismiss()
        run()

    # --- the picture ----------------------------------------------------------------------------------------------

    def _load(self, attachment: Attachment, into: _Picture) -> None:
        """Reads and shrinks the picture away from the window's thread."""
        known = self._pictures.get(attachment.sha256)
        if known is not None:
            into.show_image(known)
            return
        media, ratio = self._context.program.media, self.devicePixelRatioF()

        def loaded(image: QImage) -> None:
            if len(self._pictures) > 100:
                self._pictures.clear()
            self._pictures[attachment.sha256] = image
            into.show_image(image)

        path = media.path
        self._context.background.run(
            lambda: _thumbnail(str(path(attachment.sha256)), round(PICTURE * ratio)),
            loaded,
            lambda _gone: None,
            slow=True,
            owner=into,
        )

    # --- events ---------------------------------------------------------------------------------------------------

    def enterEvent(self, event: QEnterEvent) -> None:
        self._go.stop()

    def leaveEvent(self, event: QEvent) -> None:
        if self._return_to is None:
            self._go.start()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.dismiss()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        inside = self.rect().adjusted(AROUND, AROUND, -AROUND, -AROUND)
        paint.shadow(painter, inside, CARD_RADIUS, self._look)
        paint.box(painter, inside, CARD_RADIUS, self._look.color("raised"), self._look.color("line"))
        painter.end()


def _row(gap: int = 8) -> QHBoxLayout:
    line = QHBoxLayout()
    line.setContentsMargins(16, 0, 16, 0)
    line.setSpacing(gap)
    return line


def _thumbnail(path: str, side: int) -> QImage:
    """The middle of a picture as a square; an empty image if it cannot be read."""
    reader = raster.opened(path)
    if reader is None:
        return QImage()
    full = reader.size()
    if full.isValid():
        reader.setScaledSize(full.scaled(side, side, Qt.AspectRatioMode.KeepAspectRatioByExpanding))
    image = reader.read()
    left, top = max(0, (image.width() - side) // 2), max(0, (image.height() - side) // 2)
    return image.copy(QRect(left, top, min(side, image.width()), min(side, image.height())))


class _Words(QWidget):
    """The text of the post, at most six lines of it, in its own direction."""

    def __init__(self, look: Look, said: str, written: bool) -> None:
        super().__init__()
        self._look, self._said, self._written = look, " ".join(said.split()), written
        policy = self.sizePolicy()
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setAccessibleName(said)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return max(1, len(self._lines(width))) * self._look.line_height()

    def sizeHint(self) -> QSize:
        return QSize(200, self.heightForWidth(200))

    def _lines(self, width: int) -> list[str]:
        return wrapped(self._said, self._look.font(), width, LINES)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        color, height = self._look.color("text" if self._written else "text3"), self._look.line_height()
        for number, line in enumerate(self._lines(self.width())):
            rect = QRect(0, number * height, self.width(), height)
            paint.text(painter, rect, line, self._look.font(), color, side(self._said))
        painter.end()


class _Picture(QWidget):
    """The first picture of a post."""

    def __init__(self, look: Look, name: str) -> None:
        super().__init__()
        self._look = look
        self._image = QPixmap()
        self.setFixedSize(PICTURE, PICTURE)
        self.setAccessibleName(name)

    def show_image(self, image: QImage) -> None:
        self._image = QPixmap.fromImage(image)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        path = QPainterPath()
        path.addRoundedRect(self.rect().toRectF(), 6, 6)
        painter.setClipPath(path)
        painter.fillRect(self.rect(), self._look.color("track"))
        if not self._image.isNull():
            painter.drawPixmap(self.rect(), self._image)
        painter.end()


class _Glyph(QWidget):
    """A small drawing before a line of words; `drawn` is asked for it at a device pixel ratio."""

    def __init__(self, drawn: Callable[[float], QPixmap]) -> None:
        super().__init__()
        self._drawn = drawn
        self.setFixedSize(14, 20)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint.pixmap(painter, 0, 10, self._drawn(self.devicePixelRatioF()))
        painter.end()
