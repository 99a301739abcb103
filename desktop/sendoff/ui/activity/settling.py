"""Settling a doubt by hand: what is known, what each answer does, and that it cannot be taken back."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from sendoff.domain import doubt
from sendoff.domain.delivery import State
from sendoff.domain.doubt import Doubt
from sendoff.store import timeline
from sendoff.store.timeline import Detail
from sendoff.ui.context import Context
from sendoff.ui.theme import MEDIUM, STRONG, Look
from sendoff.ui.widgets.button import SMALL, Button
from sendoff.ui.widgets.floating import Sheet
from sendoff.ui.widgets.label import Label
from sendoff.ui.widgets.scroll import ScrollBox
from sendoff.ui.widgets.surface import Card

THERE, ABSENT = "It is there", "It isn’t, send again"


class SettleSheet(Sheet):
    """Asks for the person's word on one doubtful delivery.

    Args:
        there: which answer the person was about to give; it has the keyboard.
    """

    def __init__(self, context: Context, detail: Detail, there: bool) -> None:
        look = context.look
        super().__init__(look, context.window, "Did it go out?", width=600, top=72)
        self._context, self._delivery_id = context, detail.row.delivery.id
        self.known = _facts(context, detail)
        self.facts = [*_post(detail), *self.known.facts]
        self.look_again = Button(look, "Look again", icon="search", size=SMALL, run=self._ask_again)
        self.look_again.setEnabled(self.known.can_look)
        why = self.known.why_not or "Sendoff asks the endpoint once more, as soon as it gets to it."
        self.look_again.setAccessibleDescription(why)
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addLayout(_grid(look, self.facts))
        column.addLayout(_beside(look, self.look_again, "Not possible here." if self.known.why_not else why))
        column.addWidget(_choice(look, THERE, self.known.there))
        column.addWidget(_choice(look, ABSENT, self.known.absent))
        self.page = ScrollBox(page)
        self.body.addWidget(self.page, 1)
        self.body.addWidget(Label(look, "Neither answer can be taken back.", size="small", color="text2"))
        yes = Button(
            look, THERE, kind="primary" if there else "secondary", icon="check", run=lambda: self._answer(True)
        )
        no = Button(
            look, ABSENT, kind="secondary" if there else "primary", icon="rotate-ccw", run=lambda: self._answer(False)
        )
        cancel = Button(look, "Decide later", run=self.close_it)
        yes.setAccessibleDescription(self.known.there)
        no.setAccessibleDescription(self.known.absent)
        for button in (cancel, no, yes) if there else (cancel, yes, no):
            self.add_button(button)
        self.begin_with(yes if there else cancel)

    @classmethod
    def show_for(cls, context: Context, delivery_id: int, there: bool) -> None:
        """Opens it over the window, if there is still a doubt."""
        with context.reading() as connection:
            detail = timeline.detail(connection, delivery_id)
        if detail.row.delivery.state is State.IN_DOUBT:
            context.window.show_overlay(cls(context, detail, there))
        else:
            context.say("There is nothing in doubt about it any more.")

    def _ask_again(self) -> None:
        commands, delivery_id, context = self._context.commands, self._delivery_id, self._context
        self.close_it()
        context.do(lambda: commands.deliveries.look_again(delivery_id), said="Sendoff looks for it now.")

    def _answer(self, there: bool) -> None:
        commands, delivery_id, context = self._context.commands, self._delivery_id, self._context
        self.close_it()
        context.do(
            lambda: commands.deliveries.settle(delivery_id, there), lambda state: context.say(_said(there, state))
        )


def _said(there: bool, state: State) -> str:
    if not there:
        return "Settled: it goes again now."
    return "Settled: it is there." if state is State.SENT else "Settled: this part is there, and the rest follows."


def _facts(context: Context, detail: Detail) -> Doubt:
    channel = context.program.channels.get(detail.row.channel)
    one, account, now = detail.row.delivery, detail.account, context.now()
    return doubt.known(one, detail.parts, detail.attempts, account, channel, now, context.zone())


def _post(detail: Detail) -> list[tuple[str, str]]:
    """What it is about: the account, and the words of the doubtful part."""
    part = next((one for one in detail.parts if one.is_open), None)
    place = part.plan.item if part else 0
    items = detail.content.items
    own = " ".join(items[place].text.split())[:80] if len(items) > 1 and place < len(items) else ""
    return [("Post", own or detail.row.excerpt), ("Account", detail.row.account)]


def _grid(look: Look, facts: list[tuple[str, str]]) -> QGridLayout:
    grid = QGridLayout()
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(12)
    grid.setVerticalSpacing(4)
    grid.setColumnMinimumWidth(0, 64)
    grid.setColumnStretch(1, 1)
    for place, (name, words) in enumerate(facts):
        top = Qt.AlignmentFlag.AlignTop
        grid.addWidget(Label(look, name, color="text2", weight=MEDIUM), place, 0, top)
        grid.addWidget(Label(look, words, wrap=True), place, 1)
    return grid


def _beside(look: Look, button: Button, words: str) -> QHBoxLayout:
    """A button, and quiet words about it at its right."""
    row = QHBoxLayout()
    row.setSpacing(10)
    row.addWidget(button)
    row.addWidget(Label(look, words, size="small", color="text2", elide=True), 1)
    return row


def _choice(look: Look, title: str, sentence: str) -> Card:
    card = Card(look, padding=12)
    card.body.setSpacing(2)
    card.body.addWidget(Label(look, title, weight=STRONG))
    card.body.addWidget(Label(look, sentence, color="text2", wrap=True))
    return card
