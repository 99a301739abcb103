"""The order in which Tab walks through a page: as it is laid out, whenever parts came to it.

Qt's own nextInFocusChain is of no use here: PySide6 (seen with 6.11.3) makes whatever it returns a child of the widget
that was asked, and when that one is deleted, Python takes half of the window for deleted.
"""

from __future__ import annotations

import itertools

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QLayout, QLineEdit, QScrollArea, QStackedWidget, QWidget

TABBED = frozenset((Qt.FocusPolicy.TabFocus, Qt.FocusPolicy.StrongFocus, Qt.FocusPolicy.WheelFocus))


def put_in_order(page: QWidget) -> None:
    """Chains the fields and buttons of a page as they stand in its layouts."""
    for before, after in itertools.pairwise(reached(page)):
        QWidget.setTabOrder(before, after)


def reached(widget: QWidget) -> list[QWidget]:
    """What Tab reaches in a widget, from the top."""
    found: list[QWidget] = []
    _gather(widget, found)
    return found


def _gather(widget: QWidget, found: list[QWidget]) -> None:
    policy = widget.focusPolicy()
    if policy in TABBED:
        found.append(widget)
    if isinstance(widget, QLineEdit):  # its button stands in it, in no layout
        buttons = widget.findChildren(QAbstractButton, options=Qt.FindChildOption.FindDirectChildrenOnly)
        found += [one for one in buttons if one.focusPolicy() in TABBED]
    if isinstance(widget, QScrollArea):
        inside = widget.widget()
        if inside is not None and policy is Qt.FocusPolicy.NoFocus:
            _gather(inside, found)
    elif isinstance(widget, QStackedWidget):
        for place in range(widget.count()):
            shown = widget.widget(place)
            if shown is not None:
                _gather(shown, found)
    elif (layout := widget.layout()) is not None:
        _gather_laid_out(layout, found)


def _gather_laid_out(layout: QLayout, found: list[QWidget]) -> None:
    for place in range(layout.count()):
        item = layout.itemAt(place)
        if item is None:
            continue
        part, inner = item.widget(), item.layout()
        if part is not None:
            _gather(part, found)
        elif inner is not None:
            _gather_laid_out(inner, found)
