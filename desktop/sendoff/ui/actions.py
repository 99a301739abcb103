"""What can be done from the keyboard: the same list feeds the shortcuts, the command palette and the sheet of keys."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget

GROUP, ICON = "group", "icon_name"


def add_action(
    widget: QWidget,
    words: str,
    run: Callable[[], object],
    *,
    keys: str = "",
    icon: str = "",
    group: str = "",
    everywhere: bool = False,
) -> QAction:
    """Gives a widget something to do: found in the palette, listed under F1, bound to its keys.

    Args:
        keys: like "Ctrl+N"; works while the keyboard is in the widget, with `everywhere` in the whole window.
        icon: an outline icon.
        group: the heading on the sheet of keys.
    """
    action = QAction(words.replace("&", "&&"), widget)
    action.setProperty(GROUP, group)
    action.setProperty(ICON, icon)
    if keys:
        action.setShortcut(QKeySequence(keys))
    contexts = Qt.ShortcutContext
    action.setShortcutContext(contexts.WindowShortcut if everywhere else contexts.WidgetWithChildrenShortcut)
    action.triggered.connect(lambda _checked=False: run())
    widget.addAction(action)
    return action


def words_of(action: QAction) -> str:
    return action.text().replace("&&", "&")


def keys_of(action: QAction) -> str:
    return action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
