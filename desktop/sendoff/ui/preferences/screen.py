"""The preferences."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout

from sendoff.ui.context import Context
from sendoff.ui.screen import Screen
from sendoff.ui.widgets.surface import EmptyState, Header


class PreferencesScreen(Screen):
    """The preferences."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(Header(self.look, "Preferences"))

        column.addWidget(
            EmptyState(
                self.look,
                "settings",
                "Preferences are not built yet",
                "Until they are, use “sendoff settings” on the command line.",
            ),
            1,
        )
