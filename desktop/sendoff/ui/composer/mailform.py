"""The fields of a mail: from whom, to whom, about what; rare ones appear when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QLineEdit, QSizePolicy, QVBoxLayout, QWidget

from sendoff.domain.post import Markup
from sendoff.domain.words import counted
from sendoff.ui.composer.editor import Editor
from sendoff.ui.composer.state import Letter, people
from sendoff.ui.theme import STRONG, Look
from sendoff.ui.widgets import paint
from sendoff.ui.widgets.button import SMALL, Button, IconButton
from sendoff.ui.widgets.choice import Switch
from sendoff.ui.widgets.focus import ring
from sendoff.ui.widgets.label import Label
from sendoff.ui.widgets.menu import Menu

LABEL = 72
MANY = 400
"""Beyond so many characters a field of addresses is counted when the typing pauses, not with each key."""


@dataclass(frozen=True, slots=True)
class Sender:
    """An account that can send mail, as the From row shows it."""

    id: int
    name: str
    address: str
    mark: str


class MailForm(QWidget):
    """`edited` comes with every change; `sender_wanted` carries an account's id, `more_wanted` one to add."""

    edited = Signal()
    sender_wanted = Signal(int)
    more_wanted = Signal(int)

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self._letter = Letter()
        self._filling = False
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.origin = _Sender(look, self.sender_wanted.emit, self.more_wanted.emit)
        self.to, self.cc, self.bcc = (self._people(name) for name in ("To", "Cc", "Bcc"))
        self.reply_to = self._line("Reply to", "Where answers go, if not to the sender")
        self.subject = self._line("Subject", "", size="lead", weight=STRONG)
        self.preheader = self._line("Preheader", "The words behind the subject in a list of mails")
        self.unsubscribe = self._line("Unsubscribe", "https://… or mailto:…, for the button that mail programs show")
        self.separately = Switch(look, "Each person gets an own mail and sees nobody else’s address")
        self.separately.toggled.connect(self._told)
        self._counts = {name: Label(look, "", color="text2", figures=True) for name in ("to", "subject", "preheader")}
        self._more = self._rare_button()
        self.rows = self._make_rows()
        for row in self.rows.values():
            column.addWidget(row)

    def _make_rows(self) -> dict[str, Row]:
        look = self._look
        asides: dict[str, list[QWidget]] = {
            "to": [self._counts["to"], *self._copies(), self._more],
            "subject": [self._counts["subject"]],
            "preheader": [self._counts["preheader"]],
        }
        fields: tuple[tuple[str, str, QWidget], ...] = (
            ("from", "From", self.origin), ("to", "To", self.to), ("cc", "Cc", self.cc), ("bcc", "Bcc", self.bcc),
            ("separately", "", self.separately), ("reply_to", "Reply to", self.reply_to),
            ("subject", "Subject", self.subject), ("preheader", "Preheader", self.preheader),
            ("unsubscribe", "Unsubscribe", self.unsubscribe),
        )  # fmt: skip
        return {name: Row(look, label, field, asides.get(name, [])) for name, label, field in fields}

    def _people(self, name: str) -> Editor:
        field = Editor(self._look, name, face="field", lines=1)
        field.set_room(1, 3)
        field.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        field.edited.connect(self._told)
        return field

    def _line(self, name: str, hint: str, *, size: str = "base", weight: int = 400) -> QLineEdit:
        field = QLineEdit()
        field.setAccessibleName(name)
        field.setPlaceholderText(hint)
        field.setFont(self._look.font(size, weight))
        field.setFixedHeight(24)
        field.setTextMargins(-2, 0, 0, 0)  # Qt indents the text of a field by 2 px
        field.textChanged.connect(self._told)
        return field

    def _copies(self) -> list[QWidget]:
        def link(name: str, words: str) -> Button:
            return Button(self._look, words, kind="link", size=SMALL, run=lambda: self.reveal(name))

        self._links = {"cc": link("cc", "Cc"), "bcc": link("bcc", "Bcc")}
        return list(self._links.values())

    def _rare_button(self) -> IconButton:
        menu = Menu(self._look, parent=self)
        for name, words in (
            ("preheader", "Preheader"), ("reply_to", "Reply address"), ("separately", "An own mail for each person"),
            ("unsubscribe", "Unsubscribe address"),
        ):  # fmt: skip
            menu.add(words, lambda name=name: self.reveal(name))  # type: ignore[misc]
        return IconButton(self._look, "ellipsis", "More fields", menu=menu)

    # --- what it holds --------------------------------------------------------------------------------------------

    def show_letter(self, letter: Letter) -> None:
        self._filling = True
        self._letter = letter
        for field, text in ((self.to, letter.to), (self.cc, letter.cc), (self.bcc, letter.bcc)):
            field.set_text(text)
        for line, text in (
            (self.subject, letter.subject), (self.preheader, letter.preheader), (self.reply_to, letter.reply_to),
            (self.unsubscribe, letter.unsubscribe),
        ):  # fmt: skip
            line.setText(text)
            line.setCursorPosition(0)
        self.separately.setChecked(letter.separately)
        self._filling = False
        self._tidy(letter)
        self._count()

    def letter(self, markup: Markup, html: str) -> Letter:
        return Letter(
            subject=self.subject.text(),
            preheader=self.preheader.text(),
            markup=markup,
            html=html,
            to=self.to.text(),
            cc=self.cc.text(),
            bcc=self.bcc.text(),
            reply_to=self.reply_to.text().strip(),
            separately=self.separately.isChecked(),
            unsubscribe=self.unsubscribe.text().strip(),
            known=self._letter.known,
        )

    def _tidy(self, letter: Letter) -> None:
        """Shows the rare fields that hold something."""
        shown = {
            "cc": letter.cc, "bcc": letter.bcc, "reply_to": letter.reply_to, "preheader": letter.preheader,
            "unsubscribe": letter.unsubscribe, "separately": letter.separately,
        }  # fmt: skip
        for name, filled in shown.items():
            self.rows[name].setVisible(bool(filled))
        for name, link in self._links.items():
            link.setVisible(not shown[name])

    def reveal(self, name: str) -> None:
        """Shows a field and gives it the keyboard."""
        self.rows[name].show()
        if name in self._links:
            self._links[name].hide()
        self.rows[name].field.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_senders(self, current: Sender | None, others: Sequence[Sender], more: Sequence[Sender]) -> None:
        """Shows whose mail it is; None where the accounts stand elsewhere."""
        self.rows["from"].setVisible(current is not None)
        if current is not None:
            self.origin.show_sender(current, others, more)

    def _told(self) -> None:
        if not self._filling:
            self._count()
            self.edited.emit()

    def _count(self) -> None:
        subject, preheader = self.subject.text(), self.preheader.text()
        self._counts["subject"].setText(str(len(subject)) if subject else "")
        self._counts["preheader"].setText(str(len(preheader)) if preheader else "")
        to = self.to.text()
        if len(to) < MANY:
            self.set_people(len(people(to)))

    def set_people(self, number: int) -> None:
        """How many stand in To."""
        self._counts["to"].setText(counted(number, "person", "people") if number > 1 else "")
        if number > 1:
            self.rows["separately"].show()


class Row(QWidget):
    """A label of 72 px, the field, and what stands at its right; at least 40 px high, with a line below."""

    def __init__(self, look: Look, label: str, field: QWidget, asides: Sequence[QWidget]) -> None:
        super().__init__()
        self._look, self.field = look, field
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 1)
        row.setSpacing(8)
        name = Label(look, label, color="text2")
        name.setFixedWidth(LABEL + 4)
        name.setBuddy(field)
        top = Qt.AlignmentFlag.AlignTop
        holder = QVBoxLayout()
        holder.setContentsMargins(0, 10, 0, 10)
        holder.addWidget(name)
        row.addLayout(holder)
        row.setAlignment(holder, top)
        inside = QVBoxLayout()
        inside.setContentsMargins(0, 7, 0, 8) if isinstance(field, QLineEdit) else inside.setContentsMargins(0, 9, 0, 6)
        inside.addWidget(field)
        row.addLayout(inside, 1)
        beside = QHBoxLayout()
        beside.setContentsMargins(0, 6, 0, 0)
        beside.setSpacing(4)
        for part in asides:
            part.setFixedHeight(28)
            beside.addWidget(part)
        row.addLayout(beside)
        row.setAlignment(beside, top)
        self.setMinimumHeight(40)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(0, self.height() - 1, self.width(), 1, self._look.color("line_soft"))
        painter.end()


class _Sender(QAbstractButton):
    """The account that sends: mark, name and address; its menu names others."""

    def __init__(self, look: Look, take: Callable[[int], object], add: Callable[[int], object]) -> None:
        super().__init__()
        self._look, self._take, self._add = look, take, add
        self._shown = Sender(0, "", "", "")
        self._others: Sequence[Sender] = ()
        self._more: Sequence[Sender] = ()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(24)
        self.menu = Menu(look, parent=self)
        self.menu.aboutToShow.connect(self._fill)
        self.clicked.connect(self._open)
        ring(self, 4)

    def show_sender(self, current: Sender, others: Sequence[Sender], more: Sequence[Sender]) -> None:
        self._shown, self._others, self._more = current, others, more
        self.setAccessibleName(f"From {current.name} {current.address}")
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(200, 24)

    def _open(self) -> None:
        self.menu.popup(self.mapToGlobal(QPoint(0, self.height() + 4)))

    def _fill(self) -> None:
        self.menu.clear()
        for one in self._others:
            self._entry(one, self._take, one.name if one.address == one.name else f"{one.name}   {one.address}")
        if self._others and self._more:
            self.menu.addSeparator()
        for one in self._more:
            self._entry(one, self._add, f"Also to {one.name}")
        if self.menu.isEmpty():
            self.menu.add("There is no other account")

    def _entry(self, one: Sender, run: Callable[[int], object], words: str) -> None:
        action = self.menu.add(words, lambda: run(one.id))
        if one.mark:
            action.setIcon(self._look.mark_icon(one.mark))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Down) and not event.modifiers():
            self._open()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        look, ratio, middle = self._look, self.devicePixelRatioF(), self.height() / 2
        left = 0
        if self._shown.mark:
            paint.pixmap(painter, 0, middle, look.mark(self._shown.mark, 14, "", ratio))
            left = 21
        font = look.font("base", STRONG)
        right = self.width() - 24
        width = min(QFontMetrics(font).horizontalAdvance(self._shown.name) + 2, (right - left) // 2)
        left += paint.text(painter, QRect(left, 0, width, self.height()), self._shown.name, font, look.color("text"))
        if self._shown.address != self._shown.name:
            room = QRect(left + 6, 0, right - left - 6, self.height())
            paint.text(painter, room, self._shown.address, look.font(), look.color("text2"))
        paint.pixmap(painter, self.width() - 18, middle, look.pixmap("chevron-down", 14, "text2", ratio))
        painter.end()
