"""What needs the person: one card, a row for each decision, the safest action first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QVBoxLayout, QWidget

from sendoff.domain.delivery import State
from sendoff.domain.when import moment, short, within
from sendoff.domain.words import counted
from sendoff.store.activity import Decision
from sendoff.ui.activity.days import PADDING, Place
from sendoff.ui.activity.deeds import Act
from sendoff.ui.activity.doing import Doing
from sendoff.ui.activity.lines import NOTHING_WRITTEN, View, mark_of
from sendoff.ui.activity.room import MarkSign, buttons
from sendoff.ui.context import Context
from sendoff.ui.states import FACES
from sendoff.ui.theme import STRONG, Look
from sendoff.ui.widgets import paint
from sendoff.ui.widgets.button import SMALL, Button
from sendoff.ui.widgets.label import Label
from sendoff.ui.widgets.state import Badge, StateIcon
from sendoff.ui.widgets.surface import Card

AT_FIRST, MORE = 8, 24
"""How many rows are shown at first, and how many more each time one asks."""
CAUSE = 880


@dataclass(frozen=True, slots=True)
class Said:
    """A decision in words."""

    state: State
    word: str
    title: str
    cause: str
    account: str
    mark: str
    when: str
    waiting: int


def said_of(decision: Decision, view: View) -> Said:
    """What a row of the card says."""
    row, one = decision.row, decision.row.delivery
    words = f"“{row.excerpt}”" if row.excerpt else NOTHING_WRITTEN
    if one.state is State.HELD:
        waiting = counted(decision.waiting, "post waits", "posts wait")
        words = f"{_titled(row.channel, view)} wants you to sign in again · {waiting}"
    held = one.state is State.HELD
    return Said(
        state=one.state,
        word="Sign-in needed" if held else FACES[one.state].word,
        title=words,
        cause=_cause(decision, view),
        account=row.account,
        mark=mark_of(row.channel, view.channels),
        when=f"next {short(row.when, view.now)}" if held else moment(one.planned_at, view.zone, view.now),
        waiting=decision.waiting,
    )


def _cause(decision: Decision, view: View) -> str:
    one = decision.row.delivery
    parts = [one.reason, one.advice]
    if one.state is State.IN_DOUBT and one.looked_at:
        parts.append(f"Last looked for {within(moment(one.looked_at, view.zone, view.now))}.")
    if one.state is State.IN_DOUBT and one.look_at:
        when = within(moment(one.look_at, view.zone, view.now))
        parts.append("Sendoff looks for it now." if one.look_at <= view.now else f"Sendoff looks again {when}.")
    if one.state is State.HELD:
        parts.append("Nothing is lost: it all goes on by itself after you sign in.")
    return " ".join(part for part in parts if part)


def _titled(kind: str, view: View) -> str:
    return view.channels[kind].title if kind in view.channels else kind


class NeedsView(Place):
    """The heading and the card; a quiet line where nothing needs the person.

    Args:
        show: called with the decision whose deliveries are to be shown in the list.
    """

    def __init__(
        self, context: Context, doing: Doing, show: Callable[[Decision], object], more: Callable[[], object]
    ) -> None:
        super().__init__()
        self._context, self._doing, self._show, self._more = context, doing, show, more
        look = context.look
        self.limit = AT_FIRST
        self._rows: dict[int, _Row] = {}
        head = QHBoxLayout()
        head.setContentsMargins(PADDING, 0, 0, 4)
        head.setSpacing(8)
        self._title = Label(look, "Needs you", size="lead", weight=STRONG)
        self._badge = Badge(look, 0, "things need you")
        head.addWidget(self._title)
        head.addWidget(self._badge)
        head.addStretch(1)
        self._head = QWidget()
        self._head.setFixedHeight(32)
        self._head.setLayout(head)
        self._calm = _Calm(look)
        self._card = Card(look, padding=1)
        self._card.body.setSpacing(0)
        self._foot = self._make_foot(look)
        self._card.body.addWidget(self._foot)
        for part in (self._head, self._calm, self._card):
            self.body.addWidget(part)

    def _make_foot(self, look: Look) -> QWidget:
        foot = QWidget()
        row = QHBoxLayout(foot)
        row.setContentsMargins(PADDING - 8, 8, PADDING, 8)
        row.setSpacing(4)
        self._rest = Button(look, "", kind="link", size=SMALL, run=self._show_more)
        self._all = Button(look, "", kind="link", size=SMALL, run=self._dismiss_all)
        row.addWidget(self._rest)
        row.addWidget(self._all)
        row.addStretch(1)
        return foot

    # --- filling --------------------------------------------------------------------------------------------------

    def show_decisions(self, found: Sequence[Decision], count: int, dismissible: Sequence[int], view: View) -> None:
        """Takes what needs the person now, of `count` in all. Rows that say the same stay, with their focus."""
        self._dismissible = list(dismissible)
        held = self._focused()
        wanted = {one.row.delivery.id: (one, said_of(one, view), place == 0) for place, one in enumerate(found)}
        for gone in [key for key, row in self._rows.items() if key not in wanted or not row.same(wanted[key])]:
            row = self._rows.pop(gone)
            self._card.body.removeWidget(row)
            row.hide()
            row.deleteLater()
        for place, (key, what) in enumerate(wanted.items()):
            if key not in self._rows:
                self._rows[key] = _Row(self._context, self._doing, self._show, what)
            self._card.body.insertWidget(place, self._rows[key])
            self._rows[key].set_line(place > 0)
        self._show_frame(count)
        if held is not None:
            self._focus_again(*held)

    def _show_frame(self, count: int) -> None:
        shown = len(self._rows)
        self._badge.set_count(count)
        for part in (self._head, self._card):
            part.setVisible(bool(shown))
        self._calm.setVisible(not shown)
        rest = count - shown
        self._rest.setText(f"Show {min(rest, MORE):,} more of {count:,}")
        self._rest.setVisible(rest > 0)
        several = len(self._dismissible)
        self._all.setText(f"Dismiss all {several:,} that failed or were missed")
        self._all.setVisible(several > 3)
        self._foot.setVisible(rest > 0 or several > 3)

    def _show_more(self) -> None:
        self.limit += MORE
        self._more()

    def _dismiss_all(self) -> None:
        self._doing.dismiss(self._dismissible)

    @property
    def has_rows(self) -> bool:
        """Whether anything needs the person."""
        return bool(self._rows)

    # --- the keyboard ---------------------------------------------------------------------------------------------

    def buttons(self) -> list[Button]:
        """All buttons from the top, for the order in which Tab goes."""
        found = [button for widget in (*self._ordered(), self._foot) for button in widget.findChildren(Button)]
        return [button for button in found if not button.isHidden()]

    def _ordered(self) -> list[_Row]:
        return sorted(self._rows.values(), key=self._card.body.indexOf)

    def _focused(self) -> tuple[int, int, str] | None:
        """What has the keyboard: the row's delivery, its place, and the button's words."""
        focused = QApplication.focusWidget()
        if isinstance(focused, Button):
            for place, row in enumerate(self._ordered()):
                if row.isAncestorOf(focused):
                    return row.delivery_id, place, focused.words()
        return None

    def _focus_again(self, delivery_id: int, place: int, words: str) -> None:
        """Gives the keyboard back: to the same button if it is still there, else to the row in its place."""
        rows = self._ordered()
        if not rows:
            return
        row = self._rows.get(delivery_id) or rows[min(place, len(rows) - 1)]
        found = row.findChildren(Button)
        same = [button for button in found if button.words() == words and row.delivery_id == delivery_id]
        (same or found)[0].setFocus(Qt.FocusReason.OtherFocusReason)


class _Row(QWidget):
    """One decision."""

    def __init__(
        self,
        context: Context,
        doing: Doing,
        show: Callable[[Decision], object],
        what: tuple[Decision, Said, bool],
    ) -> None:
        super().__init__()
        self._look, self._what, self._line = context.look, what, False
        self._doing, self._show = doing, show
        decision, said, primary = what
        self._deeds = doing.deeds(decision.row)
        self._row = row = QHBoxLayout(self)
        row.setContentsMargins(PADDING, 12, PADDING, 12)
        row.setSpacing(12)
        tile = StateIcon(self._look, FACES[said.state], size=32, tile=True)
        row.addWidget(tile, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout()
        column.setSpacing(0)
        column.addLayout(self._title(said))
        column.addSpacing(2)
        cause = Label(self._look, said.cause, color="text2", wrap=True)
        cause.setMaximumWidth(CAUSE)
        column.addWidget(cause)
        column.addSpacing(10)
        column.addLayout(self._buttons(decision, primary))
        row.addLayout(column, 1)
        self.setAccessibleName(f"{said.word}: {said.title}, {said.account}, {said.when}")
        self.setAccessibleDescription(said.cause)

    def _title(self, said: Said) -> QHBoxLayout:
        look = self._look
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(Label(look, said.word, weight=STRONG, color=f"{FACES[said.state].token}.text"))
        head.addWidget(Label(look, said.title, weight=STRONG, elide=True), 1)
        whose = QHBoxLayout()
        whose.setSpacing(4)
        whose.addWidget(MarkSign(look, said.mark))
        whose.addWidget(Label(look, f"{said.account} · {said.when}", color="text2"))
        head.addLayout(whose)
        return head

    def _buttons(self, decision: Decision, primary: bool) -> QHBoxLayout:
        pressing = [deed for deed in self._deeds if deed.pressing]
        flow = buttons(self._look, pressing, self._do, primary=primary)
        held = decision.row.delivery.state is State.HELD
        words = f"Show the {decision.waiting} posts" if held and decision.waiting > 1 else "Details"
        kind = "secondary" if held else "quiet"
        flow.addWidget(Button(self._look, words, kind=kind, size=SMALL, run=lambda: self._show(decision)))
        row = QHBoxLayout()
        row.addLayout(flow, 1)
        return row

    def _do(self, act: Act) -> None:
        self._doing.do(act, [self._what[0].row])

    @property
    def delivery_id(self) -> int:
        return self._what[0].row.delivery.id

    def same(self, what: tuple[Decision, Said, bool]) -> bool:
        """Whether a row for this would look and do the same."""
        return self._what[1:] == what[1:] and self._deeds == self._doing.deeds(what[0].row)

    def set_line(self, line: bool) -> None:
        """Whether there is a line above it."""
        self._line = line
        self._row.setContentsMargins(PADDING, 12 + line, PADDING, 12)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._line:
            painter = QPainter(self)
            painter.fillRect(0, 0, self.width(), 1, self._look.color("line"))
            painter.end()


class _Calm(QWidget):
    """Nothing needs the person."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self.setFixedHeight(32)
        self.setAccessibleName("Nothing needs you")

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        look = self._look
        drawing = look.pixmap("check", 16, "sent.text", self.devicePixelRatioF())
        paint.pixmap(painter, PADDING - 1, self.height() / 2, drawing)
        room = self.rect().adjusted(PADDING + 26, 0, 0, 0)
        paint.text(painter, room, "Nothing needs you.", look.font(), look.color("text2"))
        painter.end()
