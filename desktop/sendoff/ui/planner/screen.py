"""The planner: what leaves when."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout

from sendoff.ui.context import Context
from sendoff.ui.screen import Screen
from sendoff.ui.widgets.surface import EmptyState, Header, primary


class PlannerScreen(Screen):
    """The planner: what leaves when."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(Header(self.look, "Planner"))
        button = primary(self.look, "New post", lambda: context.go("composer"))
        column.addWidget(
            EmptyState(
                self.look,
                "planner",
                "Nothing is planned yet",
                "Write a post, give it a time, and it stands here until it leaves.",
                button=button,
            ),
            1,
        )
