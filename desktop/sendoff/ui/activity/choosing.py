"""What the list shows: the search field, the menu of states and accounts, and the way back to today."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from functools import partial

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from sendoff.domain.account import Account
from sendoff.domain.delivery import State
from sendoff.domain.when import MONTHS, WEEKDAYS
from sendoff.store.activity import Wanted
from sendoff.ui.activity.days import EDGE, PADDING
from sendoff.ui.states import FACES
from sendoff.ui.theme import Look
from sendoff.ui.widgets.button import SMALL, Button
from sendoff.ui.widgets.field import TextField
from sendoff.ui.widgets.label import Label
from sendoff.ui.widgets.menu import Menu

TYPING = 150
"""How long one may pause in typing before the list follows, in ms."""

OFFERED = (
    State.SENT, State.SENDING, State.IN_DOUBT, State.FAILED, State.HELD, State.MISSED, State.SCHEDULED,
    State.HANDED_OVER, State.CANCELLED,
)  # fmt: skip


class Choosing(QObject):
    """Holds what was chosen. `changed` when it is another; `wanted` is what to ask the database for."""

    changed = Signal()

    def __init__(self, look: Look, parent: QWidget) -> None:
        super().__init__(parent)
        self._look = look
        self._state: State | None = None
        self._account: int | None = None
        self._accounts: Sequence[Account] = ()
        self.field = TextField(look, "Search activity", icon="search", hint="Search activity", clear=True)
        self.field.setMinimumWidth(160)
        self.field.setMaximumWidth(208)
        self._menu = Menu(look, parent=parent)
        self._menu.aboutToShow.connect(self._fill)
        self.button = Button(look, "All states", icon="list-filter", menu=self._menu)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(TYPING)
        self._timer.timeout.connect(self.changed.emit)
        self.field.textChanged.connect(lambda _words: self._timer.start())

    def set_accounts(self, accounts: Sequence[Account]) -> None:
        """Takes the accounts that can be chosen."""
        self._accounts = accounts
        self._name()

    @property
    def wanted(self) -> Wanted:
        states = frozenset({self._state} if self._state else ())
        if self._state is State.SCHEDULED:
            states |= {State.CLAIMED}
        return Wanted(states, self._account, self.field.text().strip())

    def choose(self, state: State | None = None, account_id: int | None = None) -> None:
        """Shows only this; without anything, everything, and the search is emptied."""
        self._state, self._account = state, account_id
        self.field.blockSignals(True)
        self.field.clear()
        self.field.blockSignals(False)
        self._timer.stop()
        self._name()
        self.changed.emit()

    def _pick_state(self, state: State | None) -> None:
        self._state = state
        self._name()
        self.changed.emit()

    def _pick_account(self, account_id: int | None) -> None:
        self._account = account_id
        self._name()
        self.changed.emit()

    def _name(self) -> None:
        state = FACES[self._state].word if self._state else ""
        account = next((one.name for one in self._accounts if one.id == self._account), "")
        short = account if len(account) <= 24 else f"{account[:23]}…"
        self.button.setText(" · ".join(part for part in (state, short) if part) or "All states")

    def _fill(self) -> None:
        self._menu.clear()
        self._add("All states", self._state is None, partial(self._pick_state, None))
        for state in OFFERED:
            self._add(FACES[state].word, self._state is state, partial(self._pick_state, state))
        if len(self._accounts) > 1:
            self._menu.addSeparator()
            self._add("All accounts", self._account is None, partial(self._pick_account, None))
            for one in self._accounts:
                self._add(one.name, self._account == one.id, partial(self._pick_account, one.id))

    def _add(self, words: str, chosen: bool, run: Callable[[], object]) -> None:
        self._menu.add(words, run, icon="check" if chosen else "")


class Jump(QWidget):
    """Says that the list begins in the past, and leads back to today."""

    def __init__(self, look: Look, back: Callable[[], object]) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(EDGE + PADDING, 0, EDGE, 4)
        row.setSpacing(8)
        self._words = Label(look, "", color="text2")
        row.addWidget(self._words)
        row.addWidget(Button(look, "Back to today", kind="link", icon="arrow-left", size=SMALL, run=back))
        row.addStretch(1)
        self.hide()

    def show_day(self, day: date | None) -> None:
        if day is not None:
            self._words.setText(
                f"{WEEKDAYS[day.weekday()][:3]} {day.day} {MONTHS[day.month - 1][:3]} {day.year} and before"
            )
        self.setVisible(day is not None)
