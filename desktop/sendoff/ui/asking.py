"""Questions before what cannot be undone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sendoff.ui.theme import Look
from sendoff.ui.widgets.button import Button
from sendoff.ui.widgets.floating import Sheet

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget


def question(
    look: Look,
    window: QWidget,
    title: str,
    sentence: str,
    yes: str,
    then: Callable[[], object],
    *,
    no: str = "Cancel",
    otherwise: Callable[[], object] | None = None,
    danger: bool = False,
) -> Sheet:
    """A sheet with two buttons: one that does it, in its own words, and one that does not. Esc is the latter.

    Args:
        otherwise: called when the other button is pressed (not on Esc).
        danger: the first button is red, and the keyboard begins at the other.
    """
    sheet = Sheet(look, window, title, sentence)

    def choose(what: Callable[[], object] | None) -> None:
        sheet.close_it()
        if what is not None:
            what()

    doing = Button(look, yes, kind="danger" if danger else "primary", run=lambda: choose(then))
    leaving = Button(look, no, run=lambda: choose(otherwise))
    sheet.add_button(leaving)
    sheet.add_button(doing)
    sheet.begin_with(leaving if danger else doing)
    return sheet
