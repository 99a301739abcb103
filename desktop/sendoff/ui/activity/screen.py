"""Activity: what needs you, and what became of everything."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout

from sendoff.ui.context import Context
from sendoff.ui.screen import Screen
from sendoff.ui.widgets.surface import EmptyState, Header


class ActivityScreen(Screen):
    """Activity: what needs you, and what became of everything."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(Header(self.look, "Activity"))

        column.addWidget(
            EmptyState(
                self.look, "activity", "All is calm", "What left, and what needs you, stands here with its receipts."
            ),
            1,
        )
