"""Takes what starts bring along, one after the other, and lets the window come up as far as it is allowed to."""

from __future__ import annotations

import os
from collections import deque
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QGuiApplication

from sendoff.ui.start import QUIT, TOKENS, Start

if TYPE_CHECKING:
    from sendoff.ui.session import Session

LOOK_AGAIN = 100
"""How often to look whether the files of the post before are all there, in ms."""


class Reception(QObject):
    """Starts that come before the profile is open wait for it, and each waits until the files of the last are copied.

    So words that were handed over are not lost because others came after them.
    """

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self._waiting: deque[Start] = deque()
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.setInterval(LOOK_AGAIN)
        self._again.timeout.connect(self.go_on)

    def take(self, start: Start) -> None:
        """Does what a start asks for: the window, a new post in it, or its end."""
        if self._session.quitting:
            return
        if start.command == QUIT:
            self._session.quit()
            return
        self._come_up(start)
        self._session.hurry()
        if start.is_compose:
            self._waiting.append(start)
            self.go_on()

    def go_on(self) -> None:
        """Opens the composer with what waits, if the profile is open and the composer is not copying."""
        while self._waiting and self._session.context is not None:
            composer = self._session.window.screen_named("composer")
            if composer is not None and composer.is_busy:
                self._again.start()
                return
            self._compose()

    def _compose(self) -> None:
        start = self._waiting.popleft()
        if start.brings_something:
            self._session.window.compose(given=start)
        else:
            self._session.window.compose()

    def finish(self) -> None:
        """Lets the composer have what still waits, so that it is kept; Sendoff is about to end."""
        while self._waiting and self._session.context is not None:
            self._compose()

    def _come_up(self, start: Start) -> None:
        """To the front where a person asks for it now; else it shows itself without taking the keyboard from anybody.

        A token is the desktop's own word that a person asked (xdg-activation). Qt's Wayland plugin finds it in the
        environment, uses it once and takes it out; an X server's window manager judges by itself.
        """
        window = self._session.window
        if start.token and QGuiApplication.platformName().startswith("wayland"):
            os.environ[TOKENS[0]] = start.token
        if start.token or start.by_person:
            window.bring_up()
        else:
            window.show_quietly()
