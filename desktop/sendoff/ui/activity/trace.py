"""One attempt: a line with its time and end, and below it, when opened, what went over the wire."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QFrame,
    QHBoxLayout,
    QPlainTextEdit,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from sendoff.domain.delivery import Attempt, Outcome, Part
from sendoff.domain.when import When
from sendoff.domain.words import counted
from sendoff.ui.theme import STRONG, Look
from sendoff.ui.widgets import paint
from sendoff.ui.widgets.button import SMALL, Button
from sendoff.ui.widgets.focus import ring
from sendoff.ui.widgets.label import Label
from sendoff.ui.widgets.tip import set_tip

TIME, ICON = 102, 22
"""Where the icon begins in a line, and the words after it, in px."""
MOST_LINES = 14
"""How many lines of a trace are shown before it scrolls by itself."""

_ENDS = {
    Outcome.SENT: ("check", "sent.text", "taken"),
    Outcome.REFUSED: ("circle-alert", "failed.text", "refused"),
    Outcome.NEEDS_LOGIN: ("key-round", "signin.text", "key not accepted"),
    Outcome.LATER: ("clock", "text2", "try later"),
    Outcome.DOUBT: ("circle-question-mark", "doubt.text", "no answer"),
}


def words_of(attempt: Attempt, part: Part | None, of: int) -> str:
    """ "Part 1 · 1,000 people · taken, 200 in 412 ms"; what was said follows where it was not taken."""
    end = _ENDS[attempt.outcome][2] if attempt.outcome else "leaving now"
    if attempt.status is not None:
        end = f"{end}, {attempt.status}"
    if attempt.ended_at is not None:
        end = f"{end} {'in' if attempt.outcome is Outcome.SENT else 'after'} {duration(attempt)}"  # not “later in 1 ms”
    people = counted(part.plan.count, "person", "people") if part and part.plan.count else ""
    said = "" if attempt.outcome is Outcome.SENT else attempt.summary
    words = (f"part {attempt.part_number}" if of > 1 else "", people, end, said)
    joined = " · ".join(word for word in words if word)
    return joined[:1].upper() + joined[1:]


def duration(attempt: Attempt) -> str:
    """How long it took: "412 ms", "29.8 s"."""
    assert attempt.ended_at is not None
    seconds = (attempt.ended_at - attempt.began_at).total_seconds()
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


class AttemptView(QWidget):
    """A line that opens. `copy` gets what is to be put on the clipboard."""

    def __init__(
        self, look: Look, attempt: Attempt, part: Part | None, of: int, zone: str, copy: Callable[[str], object]
    ) -> None:
        super().__init__()
        self._look, self._attempt, self._copy = look, attempt, copy
        self._pane: QWidget | None = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self.line = _Line(look, attempt, words_of(attempt, part, of), zone)
        self.line.toggled.connect(self._toggle)
        self._column.addWidget(self.line)

    @property
    def attempt_id(self) -> int:
        return self._attempt.id

    def _toggle(self, opened: bool) -> None:
        if self._pane is None:
            self._pane = _pane(self._look, self._attempt, self._copy)
            self._column.addWidget(self._pane)
        self._pane.setVisible(opened)


class _Line(QAbstractButton):
    def __init__(self, look: Look, attempt: Attempt, words: str, zone: str) -> None:
        super().__init__()
        self._look, self._words = look, words
        wall = When.at(attempt.began_at, zone).wall
        self._time = f"{wall:%H:%M:%S}.{wall.microsecond // 10_000:02d}"
        self._icon, self._color, _ = (
            _ENDS[attempt.outcome] if attempt.outcome else ("arrow-up-right", "sending.text", "")
        )
        self.setCheckable(True)
        self.setFixedHeight(SMALL)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setAccessibleName(f"{self._time}, try {attempt.number}: {words}")
        set_tip(self, f"Try {attempt.number}. Press to see what went over the wire.")
        ring(self, 6)

    def sizeHint(self) -> QSize:
        return QSize(320, SMALL)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        elif key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            self.setChecked(key == Qt.Key.Key_Right)
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        look, middle, ratio = self._look, self.height() / 2, self.devicePixelRatioF()
        strong = self.underMouse() or self.isChecked()
        time = QRect(0, 0, TIME - 8, self.height())
        paint.text(painter, time, self._time, look.font(figures=True), look.color("text" if strong else "text2"))
        paint.pixmap(painter, TIME, middle, look.pixmap(self._icon, 14, self._color, ratio))
        room = QRect(TIME + ICON, 0, self.width() - TIME - ICON - 24, self.height())
        used = paint.text(painter, room, self._words, look.font(), look.color(self._color))
        if strong or self.hasFocus():
            chevron = look.pixmap("chevron-up" if self.isChecked() else "chevron-down", 14, "text2", ratio)
            paint.pixmap(painter, TIME + ICON + used + 8, middle, chevron)
        painter.end()


def _pane(look: Look, attempt: Attempt, copy: Callable[[str], object]) -> QWidget:
    """What was said, the request as it left and the answer as it came."""
    pane = QWidget()
    column = QVBoxLayout(pane)
    column.setContentsMargins(0, 4, 16, 12)
    column.setSpacing(6)
    if attempt.summary:
        column.addWidget(Label(look, attempt.summary, color="text2", wrap=True))
    for title, text, none in (
        ("As it left, secrets masked", attempt.request, "Nothing is recorded of what left."),
        ("The answer", attempt.answer, "No answer was read."),
    ):
        row = QHBoxLayout()
        row.addWidget(Label(look, title if text else none, size="small", weight=STRONG if text else 400, color="text2"))
        row.addStretch(1)
        if text:
            take = Button(look, "Copy", kind="link", icon="copy", size=SMALL, run=partial(copy, text))
            take.setAccessibleName(f"Copy: {title.lower()}")
            row.addWidget(take)
        column.addLayout(row)
        if text:
            column.addWidget(Mono(look, title, text))
    return pane


class Mono(QFrame):
    """Text of fixed width in a box: selectable, never markup, as high as its lines up to a limit."""

    def __init__(self, look: Look, name: str, text: str) -> None:
        super().__init__()
        self._look, self._text = look, text
        self.edit = QPlainTextEdit(self)
        self.edit.setReadOnly(True)
        self.edit.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.edit.setAccessibleName(name)
        self.edit.setFont(look.font("small", mono=True))
        self.edit.setTabChangesFocus(True)
        self.edit.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.edit.setWordWrapMode(self.edit.wordWrapMode().WrapAnywhere)
        self.edit.document().setDocumentMargin(0)
        self.edit.setPlainText(text)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        ring(self.edit, 6, around_parent=True)

    def resizeEvent(self, event: QResizeEvent) -> None:
        # By hand: a widget with a layout is asked for the layout's height, never for its own.
        super().resizeEvent(event)
        self.edit.setGeometry(self.rect().adjusted(11, 8, -5, -8))

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        metrics = QFontMetricsF(self.edit.font())
        columns = max(int((width - 30) / metrics.horizontalAdvance("m")), 8)
        count = sum(max(-(-len(line) // columns), 1) for line in self._text.splitlines())
        return round(min(max(count, 1), MOST_LINES) * metrics.lineSpacing()) + 20

    def sizeHint(self) -> QSize:
        return QSize(320, self.heightForWidth(320))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint.box(painter, self.rect(), 6, self._look.color("card"), self._look.color("line_soft"))
        painter.end()
