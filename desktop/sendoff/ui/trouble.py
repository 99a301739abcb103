"""The whole window as one calm message, when the profile cannot be opened."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from sendoff.ui.theme import STRONG, Look
from sendoff.ui.widgets.button import LARGE, Button
from sendoff.ui.widgets.label import Label
from sendoff.ui.widgets.surface import Picture


class TroublePage(QWidget):
    """Says what is wrong and what to do, in the error's own sentence."""

    def __init__(self, look: Look, sentence: str, again: Callable[[], object], leave: Callable[[], object]) -> None:
        super().__init__()
        centre = Qt.AlignmentFlag.AlignHCenter
        column = QVBoxLayout(self)
        column.setContentsMargins(48, 48, 48, 48)
        column.setSpacing(0)
        column.addStretch(2)
        column.addWidget(Picture(look, "trouble"), 0, centre)
        column.addSpacing(24)
        column.addWidget(Label(look, "Sendoff can’t open this profile", size="title", weight=STRONG), 0, centre)
        column.addSpacing(8)
        self.sentence = Label(look, sentence, size="lead", color="text2", wrap=True, align=centre)
        self.sentence.setMaximumWidth(560)
        column.addWidget(self.sentence, 0, centre)
        column.addSpacing(24)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addStretch(1)
        row.addWidget(Button(look, "Quit", size=LARGE, run=leave))
        row.addWidget(Button(look, "Try again", kind="primary", size=LARGE, run=again))
        row.addStretch(1)
        column.addLayout(row)
        column.addStretch(3)
