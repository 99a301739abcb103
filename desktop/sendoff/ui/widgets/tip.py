"""Tooltips that show what they are given, never as markup."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget


def set_tip(widget: QWidget, words: str) -> None:
    """Gives a widget its tooltip; text from elsewhere stays text."""
    widget.setToolTip(plain(words))


def plain(words: str) -> str:
    """The words as Qt has to be given them where it would otherwise look for markup."""
    if "<" not in words:
        return words
    escaped = words.replace("&", "&amp;").replace("<", "&lt;").replace("\n", "<br>")
    return f"<span>{escaped}</span>"


def bare(words: str) -> str:
    """The words for a panel or a notification. Who draws those may look for markup, and fetch what it names."""
    return words.replace("<", "‹").replace(">", "›")
