"""Settling a doubt by hand: what is known, what each answer does, and that it cannot be taken back."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QVBoxLayout

from sendoff.domain.channel import How
from sendoff.domain.delivery import State
from sendoff.domain.post import Content
from sendoff.store import timeline
from sendoff.store.timeline import Detail
from sendoff.ui.activity.lines import exact, moment
from sendoff.ui.context import Context
from sendoff.ui.theme import MEDIUM, STRONG, Look
from sendoff.ui.widgets.button import Button
from sendoff.ui.widgets.floating import Sheet
from sendoff.ui.widgets.label import Label
from sendoff.ui.widgets.surface import Card
from sendoff.ui.words import counted

THERE, ABSENT = "It is there", "It isn’t, send again"


class SettleSheet(Sheet):
    """Asks for the person's word on one doubtful delivery.

    Args:
        there: which answer the person was about to give; it has the keyboard.
    """

    def __init__(self, context: Context, detail: Detail, there: bool) -> None:
        look = context.look
        super().__init__(look, context.window, "Did it go out?", detail.row.delivery.reason, width=560, top=96)
        self._context, self._delivery_id = context, detail.row.delivery.id
        self.facts = _facts(context, detail)
        self.body.addLayout(_grid(look, self.facts))
        self.body.addWidget(_choice(look, THERE, _if_there(detail)))
        self.body.addWidget(_choice(look, ABSENT, "It leaves now. If it was there after all, people see it twice."))
        self.body.addWidget(Label(look, "Neither answer can be taken back.", size="small", color="text2"))
        yes = Button(
            look, THERE, kind="primary" if there else "secondary", icon="check", run=lambda: self._answer(True)
        )
        no = Button(
            look, ABSENT, kind="secondary" if there else "primary", icon="rotate-ccw", run=lambda: self._answer(False)
        )
        cancel = Button(look, "Decide later", run=self.close_it)
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

    def _answer(self, there: bool) -> None:
        commands, delivery_id, context = self._context.commands, self._delivery_id, self._context
        self.close_it()
        context.do(lambda: commands.settle(delivery_id, there), lambda state: context.say(_said(there, state)))


def _said(there: bool, state: State) -> str:
    if not there:
        return "Settled: it goes again now."
    return "Settled: it is there." if state is State.SENT else "Settled: this part is there, and the rest follows."


def _if_there(detail: Detail) -> str:
    rest = sum(part.is_open for part in detail.parts) - 1
    if rest:
        return f"This part counts as sent, and the other {counted(rest, 'part', 'parts')} follow now."
    return "It counts as sent, and nothing goes out again."


def _facts(context: Context, detail: Detail) -> list[tuple[str, str]]:
    """What is known of the doubtful part, in words."""
    one, zone, now = detail.row.delivery, context.zone(), context.now()
    found = [("Post", detail.row.excerpt), ("Account", detail.row.account)]
    part = next((part for part in detail.parts if part.is_open), None)
    if part and len(detail.parts) > 1:
        found.append(("Part", f"{part.number} of {len(detail.parts)}{_part_words(detail.content, part.plan.item)}"))
    if detail.attempts:
        found.append(("Left", exact(detail.attempts[-1].began_at, zone, now)))
    return [*found, ("Looked", _looks(context, detail, now, zone) or one.advice)]


def _part_words(content: Content, item: int) -> str:
    words = " ".join(content.items[item].text.split()) if item < len(content.items) else ""
    return f": {words[:60]}" if words else ""


def _looks(context: Context, detail: Detail, now: datetime, zone: str) -> str:
    """How often Sendoff has looked, and when it looks next; or why it can't."""
    one, channel = detail.row.delivery, context.program.channels.get(detail.row.channel)
    settle = channel.settle(detail.account) if channel else None
    if settle is None or (settle.how is How.ASK and not one.look_at):
        return settle.why if settle else "There is no channel to ask any more."
    times = counted(one.looks, "time", "times") if one.looks else "not yet"
    after = f"; next {moment(one.look_at, zone, now)}" if one.look_at else "; it does not look again by itself"
    return f"{times}{after}"


def _grid(look: Look, facts: list[tuple[str, str]]) -> QVBoxLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(12)
    grid.setVerticalSpacing(4)
    grid.setColumnMinimumWidth(0, 64)
    grid.setColumnStretch(1, 1)
    for place, (name, words) in enumerate(facts):
        top = Qt.AlignmentFlag.AlignTop
        grid.addWidget(Label(look, name, color="text2", weight=MEDIUM), place, 0, top)
        grid.addWidget(Label(look, words, wrap=True), place, 1)
    column = QVBoxLayout()
    column.addLayout(grid)
    return column


def _choice(look: Look, title: str, sentence: str) -> Card:
    card = Card(look, padding=12)
    card.body.setSpacing(2)
    card.body.addWidget(Label(look, title, weight=STRONG))
    card.body.addWidget(Label(look, sentence, color="text2", wrap=True))
    return card
