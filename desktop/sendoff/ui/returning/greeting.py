"""When the sheet after an absence comes: once, when the window can show it, and never between two key strokes."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QApplication, QLineEdit, QPlainTextEdit

from sendoff.store import absences, changes
from sendoff.store.absences import Return
from sendoff.ui.context import Context
from sendoff.ui.returning.sheet import WelcomeSheet, view_of
from sendoff.ui.returning.words import groups, sentence
from sendoff.ui.widgets.floating import Overlay

OFFER = "welcome"
"""The key of the banner that offers the sheet."""


class Greeting(QObject):
    """Looks after every change of the sender whether there was an absence that nobody has been told of.

    Args:
        tell: shows a notification with a title and words; pressing it brings the window up.
    """

    def __init__(self, context: Context, tell: Callable[[str, str], object], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._context, self._tell = context, tell
        self._told: set[int] = set()
        self._sheet: WelcomeSheet | None = None
        self._awaited: Overlay | None = None
        context.bridge.changed.connect(self._hear)
        context.window.installEventFilter(self)
        QTimer.singleShot(0, self, self.look)

    def _hear(self, topics: frozenset[str]) -> None:
        if topics & {changes.SENDER, changes.SETTINGS}:
            self.look()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Show, QEvent.Type.WindowStateChange):
            QTimer.singleShot(0, self, self.look)
        return False

    def look(self) -> None:
        """Greets if there is something to tell, in the way that suits what the person does now."""
        if self._sheet is not None:
            return  # it follows by itself
        if self._context.window.standing.paused_why:
            return  # first it is looked at what would leave
        with self._context.reading() as connection:
            found = absences.welcome(connection) if absences.unseen(connection) else None
        if found is None:
            self._offer("")
        elif not found.rows:
            self._context.do(self._context.commands.sender.welcomed)
        else:
            self._greet(found)

    def _greet(self, found: Return) -> None:
        window = self._context.window
        if not window.isVisible() or window.isMinimized():
            self._notify(found)
        elif self.is_typing():
            self._offer(f"Welcome back. {self._sentence(found)}")
        elif window.overlay is not None:
            self._await(window.overlay)
        else:
            self.show_sheet()

    def _await(self, overlay: Overlay) -> None:
        """Looks again when what is open now was closed."""
        if self._awaited is not overlay:
            self._awaited = overlay
            overlay.closed.connect(self.look)

    def is_typing(self) -> bool:
        """Whether something is being written, which must not be interrupted."""
        window = self._context.window
        return window.current == "composer" or isinstance(QApplication.focusWidget(), QLineEdit | QPlainTextEdit)

    def show_sheet(self) -> None:
        """Shows it now."""
        with self._context.reading() as connection:
            found = absences.welcome(connection)
        self._offer("")
        if found is None or not found.rows or self._sheet is not None:
            return
        self._sheet = WelcomeSheet(self._context, found)
        self._sheet.closed.connect(self._closed)
        self._context.window.show_overlay(self._sheet)

    def _closed(self) -> None:
        self._sheet = None

    def _offer(self, words: str) -> None:
        banners = self._context.window.banners
        if banners is not None:
            banners.say(OFFER, words, [("Show what became of it", self.show_sheet)], state="scheduled")

    def _notify(self, found: Return) -> None:
        fresh = {one.id for one in found.absences} - self._told
        self._told |= fresh
        if fresh and self._context.settings()["notify"] != "none":
            self._tell("Welcome back", self._sentence(found))

    def _sentence(self, found: Return) -> str:
        view = view_of(self._context)
        return sentence(found, groups(found, view), view)
