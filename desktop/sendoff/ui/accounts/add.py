"""Signing in to a network or a mailbox."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout

from sendoff.ui.context import Context
from sendoff.ui.screen import Screen
from sendoff.ui.widgets.surface import EmptyState, Header


class AddAccountScreen(Screen):
    """Signing in to a network or a mailbox."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(Header(self.look, "Add an account"))

        column.addWidget(
            EmptyState(
                self.look,
                "accounts",
                "Signing in is not built yet",
                "Until it is, use “sendoff accounts add” on the command line.",
            ),
            1,
        )
