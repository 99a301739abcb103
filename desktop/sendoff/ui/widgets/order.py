"""The order in which Tab walks through a page: as it is laid out, whenever parts came to it.

Qt's own nextInFocusChain is of no use here: PySide6 (seen with 6.11.3) makes whatever it returns a child of the widget
that was asked, and when that one is deleted, Python takes half of the window for deleted.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLayout, QScrollArea, QStackedWidget, QWidget


def put_in_order(page: QWidget) -> None:
    """Chains the fields and buttons of a page as they stand in its layouts."""
    for before, after in itertools.pairwise(reached(page)):
        QWidget.setTabOrder(before, after)


def reached(widget: QWidget) -> Iterator[QWidget]:
    """What Tab reaches in a widget, from the top."""
    if widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
        yield widget
    if isinstance(widget, QScrollArea):
        inside = widget.widget()
        if inside is not None and widget.focusPolicy() is Qt.FocusPolicy.NoFocus:
            yield from reached(inside)
    elif isinstance(widget, QStackedWidget):
        for place in range(widget.count()):
            shown = widget.widget(place)
            if shown is not None:
                yield from reached(shown)
    elif (layout := widget.layout()) is not None:
        yield from _laid_out(layout)


def _laid_out(layout: QLayout) -> Iterator[QWidget]:
    for place in range(layout.count()):
        item = layout.itemAt(place)
        if item is None:
            continue
        part, inner = item.widget(), item.layout()
        if part is not None:
            yield from reached(part)
        elif inner is not None:
            yield from _laid_out(inner)
