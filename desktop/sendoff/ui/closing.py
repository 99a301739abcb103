"""What closing the window means: into the tray, away, or a question where there is no tray to stay in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from sendoff.domain.words import joined
from sendoff.ui.asking import question
from sendoff.ui.tray import Tray

if TYPE_CHECKING:
    from sendoff.ui.context import Context
    from sendoff.ui.session import Session

TRAY_PATIENCE = 30_000
"""How long a start in the background waits for a panel before it shows a minimised window, in ms."""


class Closing(QObject):
    """Answers the window's cross. A window is never hidden where nothing shows the way back to it.

    Args:
        wait_for_panel: the window is not shown yet; if no panel comes, it is shown minimised.
    """

    def __init__(self, session: Session, tray: Tray, *, wait_for_panel: bool) -> None:
        super().__init__(session)
        self._session, self._window, self._tray = session, session.window, tray
        self._window.closing.connect(self.asked)
        tray.available_changed.connect(self._panel_changed)
        if wait_for_panel:
            QTimer.singleShot(TRAY_PATIENCE, self.no_panel_came)

    def asked(self) -> None:
        """The person pressed the cross."""
        context = self._session.context
        if context is None or self._window.context is None or context.settings()["close_to_tray"] == "no":
            self._session.quit()
        elif self._tray.available:
            self._into_tray(context)
        else:
            self._without_tray(context.settings()["close_without_tray"])

    def _into_tray(self, context: Context) -> None:
        told = context.settings()["told_about_tray"] == "yes"
        self._window.keep_current()
        self._session.remember()
        self._window.hide()
        if not told:
            words = "Posts go out while the window is closed. Quit from this icon’s menu."
            self._tray.message("Sendoff keeps running here", words)
            self._session.set("told_about_tray", "yes")

    def _without_tray(self, choice: str) -> None:
        if choice == "ask":
            self._ask()
        elif choice == "quit":
            self._session.quit()
        else:
            self._window.showMinimized()

    def _ask(self) -> None:
        after = joined(self._window.standing.on_quitting) or "nothing goes out until you start it again"
        sheet = question(
            self._session.look,
            self._window,
            "Keep sending?",
            f"This desktop has no tray that Sendoff could stay in. Minimised, it keeps sending; if you quit, {after}. "
            "You can change this in the preferences.",
            "Keep running minimised",
            lambda: self.chosen("minimise"),
            no="Quit",
            otherwise=lambda: self.chosen("quit"),
        )
        self._window.show_overlay(sheet)

    def chosen(self, choice: str) -> None:
        """The answer, "minimise" or "quit"; it is kept."""
        self._session.set("close_without_tray", choice)
        self._without_tray(choice)

    def _panel_changed(self, available: bool) -> None:
        """A window that was hidden behind an icon must not be lost with it."""
        if not available and not self._window.isVisible() and not self._session.quitting:
            self._window.showMinimized()

    def no_panel_came(self) -> None:
        if not self._tray.available and not self._window.isVisible():
            self._window.showMinimized()
