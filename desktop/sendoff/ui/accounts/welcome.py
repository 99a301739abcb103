"""The end of a sign-in that worked: who signed in, what the server told, and how it goes on."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from sendoff.domain.channel import Channel
from sendoff.domain.words import counted
from sendoff.store.secrets import is_in_file
from sendoff.ui.accounts.attempt import Connected
from sendoff.ui.accounts.facts import may, takes
from sendoff.ui.accounts.parts import network_tile, scrolling
from sendoff.ui.theme import MEDIUM, STRONG, Look
from sendoff.ui.widgets.button import LARGE, Button
from sendoff.ui.widgets.label import Label
from sendoff.ui.widgets.state import Icon
from sendoff.ui.widgets.surface import Card, Divider

WIDTH = 480
CENTRE = Qt.AlignmentFlag.AlignHCenter


class Welcome(QWidget):
    """Says who signed in. `write` and `done` are what the two buttons do; `note` is what the endpoint told.

    `for_draft`: something is being written already, and waits for the account.
    """

    def __init__(
        self,
        look: Look,
        channel: Channel,
        connected: Connected,
        note: str,
        *,
        write: Callable[[], object],
        done: Callable[[], object],
        for_draft: bool = False,
    ) -> None:
        super().__init__()
        account = connected.account
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(24, 24, 24, 24)
        column.setSpacing(0)
        column.addStretch(2)
        self.headline = Label(look, f"{account.name} is connected", size="title", weight=STRONG)
        column.addWidget(network_tile(look, channel.title, channel.mark, 44), 0, CENTRE)
        column.addSpacing(16)
        column.addWidget(self.headline, 0, CENTRE)
        column.addSpacing(4)
        column.addWidget(Label(look, _what_now(connected), color="text2"), 0, CENTRE)
        column.addSpacing(20)
        middle = QHBoxLayout()  # not by alignment: that would not give a wrapped line its height
        middle.addStretch(1)
        middle.addWidget(_card(look, channel, connected, note))
        middle.addStretch(1)
        column.addLayout(middle)
        column.addSpacing(20)
        kind = "an e-mail" if channel.capabilities.mail else "a post"
        words = "Go on with your post" if for_draft else f"Write {kind}"
        self.write = Button(look, words, kind="primary", size=LARGE, icon="pen-line", run=write)
        self.done = Button(look, "Done", size=LARGE, run=done)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addStretch(1)
        row.addWidget(self.done)
        row.addWidget(self.write)
        row.addStretch(1)
        column.addLayout(row)
        column.addStretch(3)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(scrolling(inside))

    def begin(self) -> QWidget:
        """Where the keyboard begins."""
        return self.write


def _what_now(connected: Connected) -> str:
    if connected.released:
        waited = counted(connected.released, "post that waited goes", "posts that waited go")
        return f"{waited} out as planned."
    ref = connected.account.secret_ref
    if ref is None:
        return "It is ready."
    return f"The key was tested and is in {'Sendoff’s encrypted file' if is_in_file(ref) else 'the keychain'}."


def _card(look: Look, channel: Channel, connected: Connected, note: str) -> Card:
    figures = channel.capabilities.learned(connected.account.learned)
    card = Card(look, padding=16)
    card.setFixedWidth(WIDTH)
    head = QHBoxLayout()
    head.setSpacing(10)
    head.addWidget(Icon(look, "circle-check", color="sent.text"))
    head.addWidget(Label(look, f"Signed in as {connected.identity.handle}", weight=STRONG, elide=True), 1)
    card.body.addLayout(head)
    card.body.addWidget(Divider(look))
    lines = [("Name", connected.identity.name), ("May", may(figures)), ("Takes", takes(figures)), ("Note", note)]
    for name, words in lines:
        if words:
            row = QHBoxLayout()
            row.setSpacing(12)
            label = Label(look, name, color="text2", weight=MEDIUM)
            label.setFixedWidth(56)
            row.addWidget(label, 0, Qt.AlignmentFlag.AlignTop)
            row.addWidget(Label(look, words, wrap=True), 1)
            card.body.addLayout(row)
    return card
