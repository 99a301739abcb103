"""The sheet of keys under F1: what can be done from the keyboard here, by group."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QWidget

from sendoff.ui.actions import GROUP, keys_of, words_of
from sendoff.ui.theme import STRONG, Look
from sendoff.ui.widgets.button import Button
from sendoff.ui.widgets.floating import Sheet
from sendoff.ui.widgets.label import Label
from sendoff.ui.widgets.state import Keys

ALWAYS = (
    ("Moving around", "Next, previous", "Tab"),
    ("Moving around", "Close what is open", "Esc"),
    ("Moving around", "Menu of what is selected", "Shift+F10"),
)


def keys_sheet(look: Look, window: QWidget, actions: Sequence[QAction]) -> Sheet:
    """Two columns of groups."""
    sheet = Sheet(look, window, "Keys", width=800, top=72)
    groups: dict[str, list[tuple[str, str]]] = {}
    for action in actions:
        if keys_of(action):
            groups.setdefault(str(action.property(GROUP) or "Here"), []).append((words_of(action), keys_of(action)))
    for group, words, keys in ALWAYS:
        groups.setdefault(group, []).append((words, keys))
    columns = QHBoxLayout()
    columns.setSpacing(40)
    sides = (QGridLayout(), QGridLayout())
    for side in sides:
        side.setVerticalSpacing(6)
        side.setColumnStretch(0, 1)
        columns.addLayout(side, 1)
    for group, lines in groups.items():
        _add(look, min(sides, key=lambda side: side.rowCount()), group, lines)
    for side in sides:
        side.setRowStretch(side.rowCount(), 1)
    sheet.body.addLayout(columns)
    sheet.add_button(Button(look, "Close", run=sheet.close_it))
    return sheet


def _add(look: Look, side: QGridLayout, group: str, lines: list[tuple[str, str]]) -> None:
    top = side.rowCount()
    heading = Label(look, group, size="small", weight=STRONG, color="text3")
    side.setRowMinimumHeight(top, 20 if top == 1 else 36)
    side.addWidget(heading, top, 0, 1, 2, Qt.AlignmentFlag.AlignBottom)
    for number, (words, keys) in enumerate(lines, top + 1):
        side.addWidget(Label(look, words, elide=True), number, 0)
        side.addWidget(Keys(look, keys), number, 1, Qt.AlignmentFlag.AlignRight)
