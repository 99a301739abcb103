"""Menus in the look of the window, with icons that follow the theme."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence, QPainterPath, QRegion, QResizeEvent
from PySide6.QtWidgets import QMenu, QWidget

from sendoff.ui.theme import Look

RADIUS = 8


class Menu(QMenu):
    """A menu with rounded corners. Words are taken as they are: an ampersand stays one."""

    def __init__(self, look: Look, title: str = "", parent: QWidget | None = None) -> None:
        super().__init__(title.replace("&", "&&"), parent)
        self._look = look
        if QGuiApplication.platformName() != "xcb":  # there corners would be black without a compositor
            self.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)
            self.setWindowFlags(self.windowFlags() | Qt.WindowType.FramelessWindowHint)

    def add(
        self,
        words: str,
        run: Callable[[], object] | None = None,
        *,
        icon: str = "",
        color: str = "text2",
        keys: str = "",
    ) -> QAction:
        """Adds an entry; without `run` it only says something and cannot be chosen. `keys` are shown at the right."""
        action = self.addAction(words.replace("&", "&&"))
        if icon:
            action.setIcon(self._look.icon(icon, color))
        if keys:
            action.setShortcut(QKeySequence(keys))
            action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
            action.setShortcutVisibleInContextMenu(True)
        if run is None:
            action.setEnabled(False)
        else:
            action.triggered.connect(lambda _checked=False: run())
        return action

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if QGuiApplication.platformName() == "xcb":
            path = QPainterPath()
            path.addRoundedRect(QRectF(self.rect()), RADIUS, RADIUS)
            self.setMask(QRegion(path.toFillPolygon().toPolygon()))
