"""The accounts: who you are where."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout

from sendoff.ui.context import Context
from sendoff.ui.screen import Screen
from sendoff.ui.widgets.surface import EmptyState, Header, primary


class AccountsScreen(Screen):
    """The accounts: who you are where."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(Header(self.look, "Accounts"))
        button = primary(self.look, "Add an account", lambda: context.go("add_account"))
        column.addWidget(
            EmptyState(
                self.look,
                "accounts",
                "No accounts to show yet",
                "Sign in to a network or a mailbox, and your posts can go there.",
                button=button,
            ),
            1,
        )
