"""The room below an open line: for each delivery its attempts, its receipt, and what can be done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QVBoxLayout, QWidget

from sendoff.domain.delivery import State
from sendoff.store.timeline import Detail, Row
from sendoff.ui.activity.days import PADDING, TIME, Place
from sendoff.ui.activity.deeds import Act, Deed
from sendoff.ui.activity.doing import Doing
from sendoff.ui.activity.lines import deviation, mark_of
from sendoff.ui.activity.proof import Proof
from sendoff.ui.activity.trace import AttemptView
from sendoff.ui.context import Context
from sendoff.ui.states import FACES
from sendoff.ui.theme import STRONG, Look
from sendoff.ui.widgets import paint
from sendoff.ui.widgets.button import SMALL, Button
from sendoff.ui.widgets.flow import FlowLayout
from sendoff.ui.widgets.label import Label
from sendoff.ui.widgets.state import Pill
from sendoff.ui.widgets.surface import Divider

STACKED = 800
"""In a list narrower than this, in px, the receipt stands below the attempts."""

QUIET = {
    State.SCHEDULED: "It has not tried to leave yet.",
    State.CLAIMED: "It is about to leave.",
    State.HELD: "It waits, and has not tried to leave.",
    State.MISSED: "It did not try to leave.",
    State.CANCELLED: "It was cancelled before it left.",
}
"""What is said where there are no attempts."""


class RoomView(Place):
    """Shows the details of an entry's deliveries; only what changed is made anew."""

    def __init__(self, context: Context, doing: Doing) -> None:
        super().__init__()
        self._context, self._doing = context, doing
        self._panels: dict[int, _Panel] = {}

    def show_details(self, details: Sequence[Detail]) -> None:
        """Takes the deliveries as they are now."""
        several = len(details) > 1
        wanted = [one.row.delivery.id for one in details]
        for gone in set(self._panels) - set(wanted):
            self._drop(gone)
        for place, detail in enumerate(details):
            old = self._panels.get(wanted[place])
            if old is not None and old.shows(detail, several):
                continue
            opened = old.opened() if old is not None else frozenset()
            if old is not None:
                self._drop(wanted[place])
            panel = _Panel(self._context, self._doing, detail, several, last=place == len(details) - 1)
            panel.open(opened)
            self._panels[wanted[place]] = panel
            self.body.insertWidget(place, panel)

    def height_for(self, width: int, edge: int) -> int:
        for panel in self._panels.values():
            panel.stack(width < STACKED)
        return super().height_for(width, edge)

    def _drop(self, delivery_id: int) -> None:
        panel = self._panels.pop(delivery_id)
        self.body.removeWidget(panel)
        panel.hide()
        panel.deleteLater()


class _Panel(QWidget):
    """One delivery."""

    def __init__(self, context: Context, doing: Doing, detail: Detail, several: bool, *, last: bool) -> None:
        super().__init__()
        self._detail, self._several = detail, several
        look, zone = context.look, context.zone()
        column = QVBoxLayout(self)
        column.setContentsMargins(TIME, 4, PADDING, 16 if last else 8)
        column.setSpacing(4)
        if several:
            column.addLayout(_head(context, detail))
        self._row = row = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        row.setSpacing(16)
        self._left = QVBoxLayout()
        self._left.setSpacing(0)
        self._build_left(look, doing, zone)
        row.addLayout(self._left, 1)
        copy = doing.copy
        below = [deed for deed in doing.deeds(detail.row) if deed.act in (Act.RECEIVED, Act.NUMBERS, Act.DELETE)]
        self.proof = Proof(look, detail, zone, copy, below, lambda act: doing.do(act, [detail.row]))
        row.addWidget(self.proof, 0, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        column.addLayout(row)
        if several and not last:
            column.addSpacing(8)
            column.addWidget(Divider(look))

    def _build_left(self, look: Look, doing: Doing, zone: str) -> None:
        detail, one = self._detail, self._detail.row.delivery
        why = " ".join(words for words in (one.reason, one.advice) if words)
        if why:
            self._left.addWidget(Label(look, why, wrap=True))
            self._left.addSpacing(8)
        if detail.attempts:
            self._left.addWidget(Label(look, "Attempts", size="small", weight=STRONG, color="text2"))
            self._left.addSpacing(2)
        elif one.state in QUIET:
            self._left.addWidget(Label(look, QUIET[one.state], color="text2", wrap=True))
        parts = {part.number: part for part in detail.parts}
        self.attempts = [
            AttemptView(
                look, attempt, parts.get(attempt.part_number), len(parts), zone,
                lambda text: doing.copy(text, "It is copied."),
            )
            for attempt in detail.attempts
        ]  # fmt: skip
        for view in self.attempts:
            self._left.addWidget(view)
        self._build_buttons(look, doing, detail.row)
        self._left.addStretch(1)

    def _build_buttons(self, look: Look, doing: Doing, row: Row) -> None:
        deeds = [deed for deed in doing.deeds(row) if deed.pressing or deed.act is Act.OPEN_LINK]
        if deeds:
            self._left.addSpacing(8)
            self._left.addLayout(buttons(look, deeds, lambda act: doing.do(act, [row])))

    def stack(self, stacked: bool) -> None:
        """Puts the receipt below the attempts, where there is no room beside them."""
        ways = QBoxLayout.Direction
        self._row.setDirection(ways.TopToBottom if stacked else ways.LeftToRight)

    def shows(self, detail: Detail, several: bool) -> bool:
        """Whether it would look the same."""
        return (self._detail, self._several) == (detail, several)

    def opened(self) -> frozenset[int]:
        """The attempts that are opened."""
        return frozenset(view.attempt_id for view in self.attempts if view.line.isChecked())

    def open(self, attempts: frozenset[int]) -> None:
        for view in self.attempts:
            view.line.setChecked(view.attempt_id in attempts)


def buttons(look: Look, deeds: Sequence[Deed], do: Callable[[Act], object], *, primary: bool = False) -> FlowLayout:
    """A row of buttons; with `primary` the first one is the screen's."""
    flow = FlowLayout(gap=8)
    for place, deed in enumerate(deeds):
        kind = "primary" if primary and place == 0 else "secondary"
        flow.addWidget(Button(look, deed.words, kind=kind, icon=deed.icon, size=SMALL, run=partial(do, deed.act)))
    return flow


def _head(context: Context, detail: Detail) -> QHBoxLayout:
    """Whose it is, where a post has several accounts."""
    look, row = context.look, detail.row
    head = QHBoxLayout()
    head.setContentsMargins(0, 2, 0, 2)
    head.setSpacing(8)
    head.addWidget(MarkSign(look, mark_of(row.channel, context.program.channels)))
    head.addWidget(Label(look, row.account, weight=STRONG, elide=True))
    if row.delivery.sent_at:
        late = deviation(row.delivery.sent_at - row.delivery.planned_at)
        head.addWidget(Label(look, late, color="text2", figures=True))
    head.addStretch(1)
    face = FACES[row.delivery.state]
    head.addWidget(Pill(look, face))
    return head


class MarkSign(QWidget):
    """A network's mark, 16 px, in quiet colour."""

    def __init__(self, look: Look, mark: str) -> None:
        super().__init__()
        self._look, self._mark = look, mark
        self.setFixedSize(16, 20)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        ratio, look = self.devicePixelRatioF(), self._look
        drawing = look.mark(self._mark, 14, "text2", ratio) if self._mark else look.pixmap("plug", 14, "text3", ratio)
        paint.pixmap(painter, 1, self.height() / 2, drawing)
        painter.end()
