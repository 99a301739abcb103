"""What the practice network received: a small view of it, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from sendoff.channels.practice import Practice, Received
from sendoff.domain.account import Account
from sendoff.domain.when import moment
from sendoff.domain.words import counted
from sendoff.store import accounts
from sendoff.ui.context import Context
from sendoff.ui.theme import STRONG, Look
from sendoff.ui.widgets.button import SMALL, Button
from sendoff.ui.widgets.choice import ComboBox
from sendoff.ui.widgets.floating import Sheet
from sendoff.ui.widgets.label import Label
from sendoff.ui.widgets.state import Tile
from sendoff.ui.widgets.surface import Card

PAGE = 30
EVERY = "every"
NOTHING = "Nothing has arrived here yet. What you send with a practice account does."


def show_received(context: Context, handle: str = "") -> None:
    """Opens the view; with a handle it begins with what that account sent."""
    practice = context.program.channels.get("practice")
    if isinstance(practice, Practice):
        context.do(practice.received, lambda found: context.window.show_overlay(ReceivedSheet(context, found, handle)))


class ReceivedSheet(Sheet):
    """The practice network as one would see it from outside."""

    def __init__(self, context: Context, found: Sequence[Received], handle: str) -> None:
        look = context.look
        sentence = "It is a network inside Sendoff: this is what people would see there, and nobody does."
        super().__init__(look, context.window, "The practice network", sentence, width=624, top=64)
        self._context, self._found, self._shown = context, found[::-1], PAGE
        with context.reading() as connection:
            self._accounts = [one for one in accounts.every(connection) if one.channel == "practice"]
        handles = list(dict.fromkeys(one.handle for one in self._found))
        self.who = ComboBox(look, "Whose", [(EVERY, "Every account"), *((one, one) for one in handles)])
        self.who.set_value(handle if handle in handles else EVERY)
        self.who.chosen.connect(lambda _value: self._fill())
        self.body.addWidget(self.who)
        self.who.setVisible(len(handles) > 1)
        self._column = QVBoxLayout()
        self._build_area()
        if self._accounts:
            self.add_button(Button(look, "Choose its answers", icon="settings", run=self._choose_answers))
        self.add_button(Button(look, "Close", kind="primary", run=self.close_it))
        self._fill()

    def _build_area(self) -> None:
        page = QWidget()
        page.setObjectName("page")
        self._column.setContentsMargins(0, 0, 8, 0)
        self._column.setSpacing(8)
        page.setLayout(self._column)
        self.area = QScrollArea()
        self.area.setAccessibleName("Received")
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.setWidget(page)
        self.area.setFixedHeight(360)
        self.body.addWidget(self.area)

    def _fill(self) -> None:
        wanted = self.who.value()
        shown = [one for one in self._found if wanted in (EVERY, one.handle)]
        while (item := self._column.takeAt(0)) is not None:
            if old := item.widget():
                old.hide()
                old.deleteLater()
        now, zone = self._context.now(), self._context.zone()
        for one in shown[: self._shown]:
            self._column.addWidget(_Posting(self._look, one, moment(datetime.fromisoformat(one.at), zone, now)))
        if not shown:
            self._column.addWidget(Label(self._look, NOTHING, color="text2", wrap=True))
        if len(shown) > self._shown:
            self._column.addWidget(Button(self._look, "Show earlier", kind="link", size=SMALL, run=self._more))
        self._column.addStretch(1)
        self.set_note(counted(len(shown), "message", "messages") if shown else "")

    def _more(self) -> None:
        self._shown += PAGE
        self._fill()

    def _choose_answers(self) -> None:
        self.close_it()
        chosen = self._chosen_account()
        if chosen is None:
            self._context.go("accounts")
        else:
            self._context.go("add_account", account_id=chosen.id)

    def _chosen_account(self) -> Account | None:
        """The account whose answers are meant, where there is no choice."""
        fitting = [one for one in self._accounts if self.who.value() in (EVERY, one.handle)]
        return fitting[0] if len(fitting) == 1 else None


class _Posting(Card):
    """One thing that arrived."""

    def __init__(self, look: Look, one: Received, when: str) -> None:
        super().__init__(look, padding=12)
        self.body.setSpacing(6)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(Tile(look, letter=one.handle.strip("@"), size=28))
        head.addWidget(Label(look, one.handle, weight=STRONG, elide=True), 1)
        head.addWidget(Label(look, when, color="text2"))
        self.body.addLayout(head)
        if one.to:
            more = f" and {counted(len(one.to) - 3, 'other', 'others')}" if len(one.to) > 3 else ""
            self.body.addWidget(Label(look, f"To {', '.join(one.to[:3])}{more}", color="text2", elide=True))
        if one.subject:
            self.body.addWidget(Label(look, one.subject, weight=STRONG, wrap=True))
        self.body.addWidget(Label(look, one.text, wrap=True))
        below = [f"in reply to {one.reply_to}" if one.reply_to else "", *(f"with {name}" for name in one.media)]
        self.body.addWidget(
            Label(
                look, " · ".join([one.id, *(word for word in below if word)]), size="small", color="text3", elide=True
            )
        )
        self.setAccessibleName(f"{one.handle}, {when}: {one.subject} {one.text}")
