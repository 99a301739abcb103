"""Addresses from elsewhere: opened in the person's browser only if they are those of web pages."""

from __future__ import annotations

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices


def is_web(url: str) -> bool:
    """Whether it is an address of a web page, and nothing that would start another program."""
    parsed = QUrl(url, QUrl.ParsingMode.StrictMode)
    return parsed.isValid() and parsed.scheme() in ("http", "https") and bool(parsed.host())


def open_web(url: str) -> bool:
    """Opens a web page in the person's browser. False: it is none, or there is no browser."""
    return is_web(url) and QDesktopServices.openUrl(QUrl(url, QUrl.ParsingMode.StrictMode))
