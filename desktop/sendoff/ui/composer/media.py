"""The files of a post: cards with a thumbnail and its alt text, and the attachments of a mail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QBuffer, QIODevice, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QImage, QMouseEvent, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPlainTextEdit, QSizePolicy, QVBoxLayout, QWidget

from sendoff.domain.errors import SendoffError
from sendoff.domain.limits import size_text
from sendoff.domain.post import Attachment, Role
from sendoff.store import media as media_rows
from sendoff.ui import files
from sendoff.ui.background import Errand
from sendoff.ui.composer.accounts import AddTile
from sendoff.ui.composer.preview.pictures import Pictures, draw_filled
from sendoff.ui.context import Context
from sendoff.ui.theme import MEDIUM, Look
from sendoff.ui.widgets import paint
from sendoff.ui.widgets.button import SMALL, Button, IconButton
from sendoff.ui.widgets.flow import FlowLayout
from sendoff.ui.widgets.focus import ring
from sendoff.ui.widgets.label import Label
from sendoff.ui.widgets.tip import set_tip

CARD_WIDTH, CARD_HEIGHT, RADIUS = 276, 88, 10
THUMB = QSize(88, 64)
PICTURES = "Pictures (*.jpg *.jpeg *.png *.gif *.webp)"
FILTER = "Pictures and videos (*.jpg *.jpeg *.png *.gif *.webp *.heic *.avif *.mp4 *.mov *.webm *.vtt);;All files (*)"


class Files(QWidget):
    """What is common to both: files are copied into the profile, away from the window's thread, each with its words.

    `changed` comes when the files, their order or their words changed.
    """

    changed = Signal()

    def __init__(self, context: Context, role: Role) -> None:
        super().__init__()
        self._context, self._look, self._role = context, context.look, role
        self._files: tuple[Attachment, ...] = ()
        self._coming: dict[str, Errand] = {}

    def files(self) -> tuple[Attachment, ...]:
        return self._files

    @property
    def is_busy(self) -> bool:
        """Whether something is still being copied."""
        return bool(self._coming)

    def show_files(self, files: Sequence[Attachment]) -> None:
        self._files = tuple(files)
        self._show()

    def choose(self) -> None:
        """Asks for files with the system's own dialog."""
        only = FILTER if self._role is Role.MEDIA else ""
        usual = files.PICTURES if self._role is Role.MEDIA else files.DOCUMENTS
        files.open_files(self._context, self, "Add files", only, self._chosen, usual)

    def _chosen(self, paths: Sequence[Path]) -> None:
        self.add_paths([str(path) for path in paths])

    def add_paths(
        self,
        paths: Sequence[str],
        role: Role | None = None,
        then: Then | None = None,
        refused: Refused | None = None,
    ) -> None:
        """Takes files of this computer, in order. `refused` gets the sentence for each that cannot be taken."""
        media, strips = self._context.program.media, self._strips()
        for path in paths:
            self._take(
                Path(path).name,
                partial(media.attach, Path(path), role=role or self._role, strip_location=strips),
                then,
                refused,
            )

    def add_picture(self, image: QImage) -> None:
        """Takes a picture from the clipboard."""
        media, strips, role = self._context.program.media, self._strips(), self._role
        self._take(
            "Picture",
            lambda: media.attach_bytes(_png(image), "picture.png", "image/png", role=role, strip_location=strips),
            None,
        )

    def _strips(self) -> bool:
        return self._context.settings()["strip_location"] == "yes"

    def _take(
        self, name: str, work: Callable[[], Attachment], then: Then | None, refused: Refused | None = None
    ) -> None:
        key = f"{name}\n{len(self._coming)}"

        def came(attachment: Attachment) -> None:
            del self._coming[key]
            self._files = (*self._files, attachment)
            self._told()
            if attachment.alt:
                undo = partial(self._forget_alt, attachment.sha256)
                self._context.say(f"{attachment.name} has its alt text from last time.", undo=undo)
            if then is not None:
                then(attachment)

        def failed(error: SendoffError) -> None:
            del self._coming[key]
            self._show()
            if refused is not None:
                refused(str(error))
            else:
                self._context.say(str(error), trouble=True)

        self._coming[key] = self._context.do(lambda: self._remembered(work()), came, failed, slow=True, owner=self)
        self._show()

    def _remembered(self, attachment: Attachment) -> Attachment:
        """The same with the alt text that it had in another post. Not on the window's thread."""
        if attachment.role is not Role.MEDIA or not attachment.is_image:
            return attachment
        with self._context.program.store.reading() as connection:
            return replace(attachment, alt=media_rows.described(connection, attachment.sha256))

    def forget_coming(self) -> None:
        """Gives up what is still being copied, and says so."""
        for key, errand in self._coming.items():
            errand.drop()
            name = key.partition("\n")[0]
            self._context.say(f"{name} was not there yet when the post was closed. Add it again.", trouble=True)
        self._coming.clear()

    def _forget_alt(self, sha256: str) -> None:
        self._files = tuple(replace(one, alt="") if one.sha256 == sha256 else one for one in self._files)
        self._told()

    def _give_up(self, key: str) -> None:
        """Forgets about a file that is still being copied."""
        self._coming.pop(key).drop()
        self._show()

    def remove(self, place: int) -> None:
        """Takes a file out, with Undo."""
        before, name = self._files, self._files[place].name
        self._files = before[:place] + before[place + 1 :]
        self._told()
        self._context.say(f"{name} was taken out.", undo=lambda: self._put_back(before))

    def _put_back(self, files: tuple[Attachment, ...]) -> None:
        self._files = files
        self._told()

    def give_place(self, place: int, to: int) -> None:
        """Gives a file another place."""
        if place != to and 0 <= to < len(self._files):
            files = list(self._files)
            files.insert(to, files.pop(place))
            self._files = tuple(files)
            self._told()

    def _told(self) -> None:
        self._show()
        self.changed.emit()

    def _show(self) -> None:
        raise NotImplementedError


Then = Callable[[Attachment], object]
Refused = Callable[[str], object]


def _png(image: QImage) -> bytes:
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]
    return bytes(buffer.data().data())


# --- pictures and videos ------------------------------------------------------------------------------------------


class MediaStrip(Files):
    """Cards side by side; hidden while there is nothing."""

    def __init__(self, context: Context, pictures: Pictures) -> None:
        super().__init__(context, Role.MEDIA)
        self._pictures = pictures
        self.cards: list[MediaCard] = []
        self._flow = FlowLayout(self, gap=12)
        self._flow.setContentsMargins(0, 0, 0, 12)
        self.add_tile = AddTile(self._look, "upload", "Add a picture", QSize(64, CARD_HEIGHT), self.choose)
        self._passing: list[QWidget] = []
        self.setAccessibleName("Pictures and videos")
        self._show()

    def _show(self) -> None:
        focused = next((number for number, card in enumerate(self.cards) if card.has_keyboard), None)
        for part in (*self._passing, self.add_tile):
            self._flow.removeWidget(part)
        for part in self._passing:
            part.hide()
            part.deleteLater()
        while len(self.cards) > len(self._files):
            card = self.cards.pop()
            self._flow.removeWidget(card)
            card.hide()
            card.deleteLater()
        while len(self.cards) < len(self._files):
            self._add_card()
        for number, (card, one) in enumerate(zip(self.cards, self._files, strict=True)):
            card.show_file(one, number)
        self._passing = [_Coming(self._look, key.partition("\n")[0], key, self._give_up) for key in self._coming]
        for part in (*self._passing, self.add_tile):
            self._flow.addWidget(part)
            part.show()
        self.setVisible(bool(self._files or self._coming))
        if focused is not None and self.cards:
            self.cards[min(focused, len(self.cards) - 1)].alt.setFocus(Qt.FocusReason.OtherFocusReason)

    def _add_card(self) -> None:
        card = MediaCard(self._look, self._pictures)
        card.described.connect(lambda words, card=card: self._describe(card, words))
        card.removed.connect(lambda card=card: self.remove(self.cards.index(card)))
        card.dragged.connect(lambda at, card=card: self._drag(card, at))
        self.cards.append(card)
        self._flow.addWidget(card)
        card.show()

    def _describe(self, card: MediaCard, words: str) -> None:
        place = self.cards.index(card)
        self._files = (*self._files[:place], replace(self._files[place], alt=words), *self._files[place + 1 :])
        self.changed.emit()

    def _drag(self, card: MediaCard, at: QPoint) -> None:
        """Moves a card to where the pointer is."""
        here = self.mapFromGlobal(at)
        place = self.cards.index(card)
        to = next((number for number, one in enumerate(self.cards) if one.geometry().contains(here)), place)
        if to != place:
            self.cards.insert(to, self.cards.pop(place))  # the card itself moves, so that it stays under the pointer
            self._reflow()
            self.give_place(place, to)

    def _reflow(self) -> None:
        for card in self.cards:
            self._flow.removeWidget(card)
        for card in self.cards:
            self._flow.addWidget(card)

    def move_focused(self, step: int) -> None:
        """Moves the card that has the keyboard."""
        place = next((number for number, card in enumerate(self.cards) if card.has_keyboard), None)
        if place is not None and 0 <= place + step < len(self.cards):
            self.give_place(place, place + step)
            self.cards[place + step].alt.setFocus(Qt.FocusReason.OtherFocusReason)

    def describe_next(self) -> bool:
        """Goes to the first picture without alt text."""
        for card in self.cards:
            if card.is_missing:
                card.alt.setFocus(Qt.FocusReason.OtherFocusReason)
                return True
        return False


class MediaCard(QFrame):
    """One picture: its thumbnail, its alt text, and the way to take it out."""

    described = Signal(str)
    removed = Signal()
    dragged = Signal(QPoint)

    def __init__(self, look: Look, pictures: Pictures) -> None:
        super().__init__()
        self._look, self._pictures = look, pictures
        self._file: Attachment | None = None
        self._pressed: QPoint | None = None
        self._wants_alt = True
        self.setFixedSize(CARD_WIDTH, CARD_HEIGHT)
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        self._label = Label(look, "")
        self.alt = _AltField(look)
        self.alt.textChanged.connect(self._typed)
        self.remove_button = IconButton(look, "x", "Take the picture out", size=24, run=self.removed.emit)
        column = QVBoxLayout(self)
        column.setContentsMargins(8 + THUMB.width() + 12, 6, 6, 8)
        column.setSpacing(0)
        head = QHBoxLayout()
        head.addWidget(self._label)
        head.addStretch(1)
        head.addWidget(self.remove_button)
        column.addLayout(head)
        column.addWidget(self.alt, 1)
        pictures.came.connect(self._came)

    def show_file(self, file: Attachment, number: int) -> None:
        self._file, self._wants_alt = file, file.is_image
        self.setAccessibleName(f"Picture {number + 1}: {file.name}")
        self.remove_button.set_name(f"Take {file.name} out")
        set_tip(self, f"{file.name}, {size_text(file.size)}")
        self.alt.setAccessibleName(f"Alt text of picture {number + 1}")
        self.alt.setVisible(not file.is_captions)  # which are words already
        if self.alt.toPlainText() != file.alt:
            self.alt.setPlainText(file.alt)
        self._say()
        self._pictures.get(file.sha256)
        self.update()

    @property
    def has_keyboard(self) -> bool:
        return self.alt.hasFocus() or self.remove_button.hasFocus()

    @property
    def is_missing(self) -> bool:
        return self._wants_alt and not self.alt.toPlainText().strip()

    def _typed(self) -> None:
        words = " ".join(self.alt.toPlainText().split("\n"))
        if self._file is not None and words != self._file.alt:
            self._file = replace(self._file, alt=words)
            self.described.emit(words)
        self._say()

    def _say(self) -> None:
        self._label.setText(self._heading())
        self._label.set_color("doubt.text" if self.is_missing else "text2")
        self.alt.fit()
        self.update()

    def _heading(self) -> str:
        if self._file is not None and self._file.is_captions:
            return f"Captions ({self._file.language})" if self._file.language else "Captions"
        return "Alt text missing" if self.is_missing else "Alt text"

    def _came(self, sha256: str) -> None:
        if self._file is not None and sha256 == self._file.sha256:
            self.update()

    # --- hands and paint ------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._pressed = event.position().toPoint()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pressed is not None:
            away = (event.position().toPoint() - self._pressed).manhattanLength()
            if away > 8:
                self.setCursor(Qt.CursorShape.ClosedHandCursor)
                self.dragged.emit(event.globalPosition().toPoint())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._pressed = None
        self.setCursor(Qt.CursorShape.OpenHandCursor)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        look = self._look
        line = "doubt.line" if self.is_missing else "line"
        paint.box(painter, self.rect(), RADIUS, look.color("card"), look.color(line))
        if self.alt.isVisible() and self.alt.is_boxed:
            paint.box(painter, self.alt.geometry(), 6, look.color("input"), look.color("control"))
        elif self._file is None or self._file.language or not self._file.is_captions:
            done = look.pixmap("check", 14, "sent.text", self.devicePixelRatioF())
            paint.pixmap(painter, self._label.geometry().right() + 6, self._label.geometry().center().y() + 1, done)
        place = QRect(QPoint(8, (self.height() - THUMB.height()) // 2), THUMB)
        image = self._pictures.get(self._file.sha256) if self._file else None
        path = QPainterPath()
        path.addRoundedRect(place, 4, 4)
        painter.setClipPath(path)
        painter.fillRect(place, look.color("hover"))
        if image is not None and not image.isNull():
            draw_filled(painter, place, image)
        elif self._file is not None:
            icon = "image" if self._file.is_image else "video" if self._file.is_video else "file"
            drawing = look.pixmap(icon, 20, "text3", self.devicePixelRatioF())
            paint.pixmap(painter, place.center().x() - 9, place.center().y() + 1, drawing)
        painter.end()


class _AltField(QPlainTextEdit):
    """Two lines; in a box while it is empty or has the keyboard."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self.setFont(look.font())
        self.setPlaceholderText("Describe it…")
        self.setTabChangesFocus(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.document().setDocumentMargin(0)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def sizeHint(self) -> QSize:
        return QSize(80, 40)

    def minimumSizeHint(self) -> QSize:
        return QSize(40, 24)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._tell()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._tell()

    @property
    def is_boxed(self) -> bool:
        return self.hasFocus() or not self.toPlainText().strip()

    def fit(self) -> None:
        """Without a box the words stand below their label."""
        self.setViewportMargins(*((6, 4, 6, 4) if self.is_boxed else (0, 1, 0, 0)))

    def _tell(self) -> None:
        self.fit()
        card = self.parentWidget()
        if card is not None:
            card.update()


class _Coming(QFrame):
    """A file that is being copied."""

    def __init__(self, look: Look, name: str, key: str, give_up: Callable[[str], object]) -> None:
        super().__init__()
        self._look = look
        self.setFixedSize(CARD_WIDTH, CARD_HEIGHT)
        self.setAccessibleName(f"Adding {name}")
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 6, 8)
        row.addWidget(Label(look, f"Adding {name}…", color="text2", elide=True), 1)
        row.addWidget(
            IconButton(look, "x", f"Don’t add {name}", size=24, run=lambda: give_up(key)), 0, Qt.AlignmentFlag.AlignTop
        )

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint.box(painter, self.rect(), RADIUS, self._look.color("hover"), self._look.color("line_soft"))
        painter.end()


# --- attachments --------------------------------------------------------------------------------------------------


class Enclosures(Files):
    """What hangs on a mail: a chip for each file, and the button that adds one."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, Role.ATTACHMENT)
        self.chips: list[FileChip] = []
        self._flow = FlowLayout(self, gap=8)
        self.add_button = Button(self._look, "Attach", kind="quiet", icon="plus", size=SMALL, run=self.choose)
        self.setAccessibleName("Attachments")
        self._show()

    def _show(self) -> None:
        self._flow.removeWidget(self.add_button)
        for chip in self.chips:
            self._flow.removeWidget(chip)
            chip.hide()
            chip.deleteLater()
        self.chips = [
            FileChip(self._look, one, lambda place=place: self.remove(place))  # type: ignore[misc]
            for place, one in enumerate(self._files)
        ]
        self.chips += [
            FileChip(self._look, key.partition("\n")[0], lambda key=key: self._give_up(key))  # type: ignore[misc]
            for key in self._coming
        ]
        for part in (*self.chips, self.add_button):
            self._flow.addWidget(part)
            part.show()

    def choose_inline(self, then: Then) -> None:
        """Asks for pictures that stand inside the text; `then` gets each."""

        def chosen(paths: Sequence[Path]) -> None:
            self.add_paths([str(path) for path in paths], Role.INLINE, then)

        files.open_files(self._context, self, "Add pictures", PICTURES, chosen, files.PICTURES)


class FileChip(QFrame):
    """A file by its name and size, or one that is being copied."""

    def __init__(self, look: Look, file: Attachment | str, remove: Callable[[], object]) -> None:
        super().__init__()
        self._look = look
        coming = isinstance(file, str)
        name = file if isinstance(file, str) else file.name
        inside = not isinstance(file, str) and file.role is Role.INLINE
        aside = "adding…" if isinstance(file, str) else size_text(file.size) + (", in the text" if inside else "")
        self._icon = "image" if inside else "hourglass" if coming else "file-text"
        self.setAccessibleName(f"{name}, {aside}")
        self.setFixedHeight(28)
        row = QHBoxLayout(self)
        row.setContentsMargins(30, 0, 2, 0)
        row.setSpacing(6)
        label = Label(look, name, weight=MEDIUM, elide=True)
        label.setMaximumWidth(260)
        row.addWidget(label)
        row.addWidget(Label(look, aside, color="text2"))
        self.remove_button = IconButton(look, "x", f"Take {name} out", size=24, run=remove)
        row.addWidget(self.remove_button)
        ring(self, 6)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint.box(painter, self.rect(), 6, self._look.color("selected"))
        drawing = self._look.pixmap(self._icon, 14, "text2", self.devicePixelRatioF())
        paint.pixmap(painter, 9, self.height() / 2, drawing)
        painter.end()
