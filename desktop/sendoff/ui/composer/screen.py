"""The composer: writing a post and giving it a time."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout

from sendoff.ui.context import Context
from sendoff.ui.screen import Screen
from sendoff.ui.widgets.surface import EmptyState, Header


class ComposerScreen(Screen):
    """The composer: writing a post and giving it a time."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(Header(self.look, "New post"))

        column.addWidget(
            EmptyState(
                self.look,
                "compose",
                "The composer is not built yet",
                "Until it is, write a post from the command line with “sendoff post”.",
            ),
            1,
        )
