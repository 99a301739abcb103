"""The order in which Tab walks through a page: as it is laid out, whenever parts came to it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLayout, QScrollArea, QStackedWidget, QWidget


def put_in_order(page: QWidget) -> None:
    """Chains the fields and buttons of a page as they stand in its layouts."""
    chain = list(_reached(page))
    for before, after in itertools.pairwise(chain):
        if before.nextInFocusChain() is not after:
            QWidget.setTabOrder(before, after)


def _reached(widget: QWidget) -> Iterator[QWidget]:
    """What Tab reaches in a widget, from the top."""
    if widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
        yield widget
    if isinstance(widget, QScrollArea):
        inside = widget.widget()
        if inside is not None and widget.focusPolicy() is Qt.FocusPolicy.NoFocus:
            yield from _reached(inside)
    elif isinstance(widget, QStackedWidget):
        for place in range(widget.count()):
            shown = widget.widget(place)
            if shown is not None:
                yield from _reached(shown)
    elif (layout := widget.layout()) is not None:
        yield from _laid_out(layout)


def _laid_out(layout: QLayout) -> Iterator[QWidget]:
    for place in range(layout.count()):
        item = layout.itemAt(place)
        if item is None:
            continue
        part, inner = item.widget(), item.layout()
        if part is not None:
            yield from _reached(part)
        elif inner is not None:
            yield from _laid_out(inner)
