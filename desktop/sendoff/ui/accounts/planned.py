"""What an account's server itself keeps until its time, planned in another program: a list that is asked for."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from sendoff.domain.account import Account
from sendoff.domain.channel import Channel, Planned
from sendoff.domain.errors import SendError, SendoffError
from sendoff.domain.redact import Redactor
from sendoff.domain.when import When, short
from sendoff.domain.words import counted
from sendoff.ui.accounts.facts import server
from sendoff.ui.context import Context
from sendoff.ui.theme import MEDIUM
from sendoff.ui.widgets.button import SMALL, Button
from sendoff.ui.widgets.label import Label
from sendoff.ui.widgets.surface import Divider

MOST = 8
"""Lines that are shown; the rest is counted."""


class PlannedThere(QWidget):
    """Asks as soon as it is shown where the key is at hand; else there is a button for it."""

    def __init__(self, context: Context, account: Account, channel: Channel) -> None:
        super().__init__()
        look = context.look
        self._context, self._account = context, account
        self._where = server(channel, account.settings)
        self.words = Label(look, "", wrap=True, color="text2")
        self._ask = Button(
            look, f"Ask {self._where}", kind="link", size=SMALL, run=lambda: context.with_secrets(self.ask)
        )
        self._lines = QGridLayout()
        self._lines.setHorizontalSpacing(16)
        self._lines.setVerticalSpacing(4)
        self._lines.setColumnMinimumWidth(0, 96)
        self._lines.setColumnStretch(1, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(8)
        column.addWidget(Divider(look))
        column.addWidget(Label(look, f"Planned on {self._where} itself", weight=MEDIUM))
        column.addWidget(self.words)
        column.addWidget(self._ask, 0, Qt.AlignmentFlag.AlignLeft)
        column.addLayout(self._lines)
        if account.secret_ref and context.program.secrets.at_hand(account.secret_ref):
            self.ask()
        else:
            self.words.setText("Posts that another program planned there go out without Sendoff.")

    def ask(self) -> None:
        """Asks the server, off the window's thread."""
        self._ask.hide()
        self.words.setText(f"Asking {self._where}…")
        commands, account = self._context.commands, self._account
        self._context.do(
            lambda: commands.accounts.planned(account.id), self._show, self._failed, aside=True, owner=self
        )

    def _show(self, found: Sequence[Planned]) -> None:
        look, now, zone = self._context.look, self._context.now(), self._context.zone()
        said = f"{counted(len(found), 'post', 'posts')}, planned in another program" if found else "Nothing"
        self.words.setText(said)
        for number, one in enumerate(found[:MOST]):
            at = short(When.at(one.at, zone), now)
            text = " ".join(one.text.split()) or "(no words)"
            pictures = f" · {counted(one.pictures, 'picture', 'pictures')}" if one.pictures else ""
            line = Label(look, f"{text}{pictures}", elide=True)
            line.setAccessibleName(f"{at}: {text}{pictures}")
            self._lines.addWidget(Label(look, at, color="text2"), number, 0)
            self._lines.addWidget(line, number, 1)
        if len(found) > MOST:
            self._lines.addWidget(Label(look, f"and {len(found) - MOST} more", color="text2"), MOST, 1)

    def _failed(self, error: SendoffError) -> None:
        advice = error.advice if isinstance(error, SendError) else ""
        masked = Redactor(self._context.program.secrets.known_values()).clean(f"{error} {advice}".strip())
        self.words.setText(masked)
        self._ask.show()
