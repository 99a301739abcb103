"""What every page of the window is: built in the constructor, filled in `refresh`, acting through commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from PySide6.QtCore import QElapsedTimer, Qt, QTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

if TYPE_CHECKING:
    from sendoff.ui.context import Context

LONGEST_REST = 250
"""Milliseconds. After a refresh a page rests for twice as long as it took, and at most this long, so that changes that
come fast (a thousand posts leaving) leave the window time for the person."""


class Screen(QWidget):
    """A page. It is made when it is first visited, and stays.

    `begin_at` gets the keyboard when the page is shown. It is no focus proxy: from what stands before the page Tab
    would go to the proxy, past everything in between, and so never come to a toolbar (seen with Qt 6.11).

    `topics` are those (store/changes.py) after whose change it is refreshed: while it is shown, at once or when it has
    rested; else when it is shown next.
    """

    topics: ClassVar[frozenset[str]] = frozenset()
    foot_height: ClassVar[int] = 0
    """The height of what stands at its foot and must not be covered by what the window says, in px."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self.context = context
        self.look = context.look
        self.begin_at: QWidget | None = None
        self.__stale = True
        self.resting = QTimer(self, singleShot=True)
        self.resting.timeout.connect(self.__fill)
        context.bridge.changed.connect(self.__hear)

    def refresh(self) -> None:
        """Reads what it shows, and shows it. Quick: it runs on the window's thread."""

    def arrive(self, **what: object) -> None:
        """Takes what `context.go` was given, just before the page is shown; the same page may be gone to again."""

    def leave(self) -> None:
        """Comes before another page is shown."""
        self.keep()

    def keep(self) -> None:
        """The last chance to save what is being written: before another page is shown, and before the window goes."""

    def take_keyboard(self) -> None:
        """Puts the keyboard where it begins."""
        begin_at = self.begin_at if self.begin_at is not None and isValid(self.begin_at) else self
        begin_at.setFocus(Qt.FocusReason.OtherFocusReason)

    @property
    def is_busy(self) -> bool:
        """Whether what it shows now must not give way yet, because something is still being put into it."""
        return False

    def __hear(self, topics: frozenset[str]) -> None:
        if not topics & self.topics:
            return
        self.__stale = True
        self.__fill()

    def __fill(self) -> None:
        if self.__stale and self.isVisible() and not self.resting.isActive():
            self.__stale = False
            took = QElapsedTimer()
            took.start()
            self.refresh()
            self.resting.start(min(2 * took.elapsed(), LONGEST_REST))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.resting.stop()
        self.__fill()
