"""What takes the whole window: a profile that can't be opened, a damaged database, and the way back to a copy of it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from sendoff.domain.errors import SendoffError

if TYPE_CHECKING:
    from datetime import datetime

    from sendoff.bootstrap import Program
    from sendoff.store.backups import Contents, Copy
    from sendoff.store.db import StoreDamaged
    from sendoff.store.migrate import TooNew
    from sendoff.store.restore import Restored
    from sendoff.ui.session import Session

GOING_BACK = "Going back to the backup…"


class Recovery(QObject):
    """Says what is wrong and what can be done, and does it. The profile is opened anew after it."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session, self._window = session, session.window
        self._went_back = ""

    # --- it can't be opened ---------------------------------------------------------------------------------------

    def refused(self, error: SendoffError) -> None:
        """The profile was not opened."""
        from sendoff.store.db import StoreDamaged
        from sendoff.store.migrate import TooNew

        background = self._session.background
        if isinstance(error, StoreDamaged | TooNew) and background is not None:
            folder, useless = self._session.folder, error
            background.run(lambda: _newest_copy(folder), lambda found: self._show_useless(useless, found))
        else:
            self.not_opened(str(error))

    def not_opened(self, sentence: str) -> None:
        """The whole window says what is wrong and what to do."""
        from sendoff.ui.trouble import TroublePage

        self._show(TroublePage(self._session.look, sentence, self.again, self._session.quit))

    def _show_useless(self, useless: StoreDamaged | TooNew, newest: tuple[Copy, Contents] | None) -> None:
        """The whole window says why the database is of no use, and offers the latest copy."""
        from sendoff.domain.when import When, describe
        from sendoff.engine.clock import SystemClock
        from sendoff.store.db import StoreDamaged
        from sendoff.ui.trouble import DamagePage, TooNewPage

        def local(at: datetime) -> str:
            from sendoff.bootstrap import system_zone

            return describe(When.at(at, system_zone()), SystemClock().now())

        def restore() -> None:
            if newest is not None:
                self._restore(newest[0].path)

        session = self._session
        ways = {"again": self.again, "leave": session.quit, "restore": restore}
        page: QWidget
        if isinstance(useless, StoreDamaged):
            page = DamagePage(session.look, useless, session.folder, newest, local=local, **ways)
        else:
            page = TooNewPage(session.look, session.folder, newest, local=local, **ways)
        self._show(page)

    def _show(self, page: QWidget) -> None:
        self._window.show_trouble(page)
        if self._session.in_background:
            self._window.showMinimized()

    def again(self) -> None:
        """Tries once more after the person did what the message said."""
        self._window.show_trouble(None)
        self._session.open_profile()

    # --- the way back ---------------------------------------------------------------------------------------------

    def go_back(self, source: Path) -> None:
        """Ends the sending, lets go of the profile, and takes it back to a copy; it is opened anew then."""
        if self._session.let_go(lambda program: self._restore(source, program)):
            self._wait()

    def _wait(self) -> None:
        from sendoff.ui.trouble import WaitPage

        self._window.show_trouble(None)
        self._window.show_trouble(WaitPage(self._session.look, GOING_BACK))

    def _restore(self, source: Path, program: Program | None = None) -> None:
        """Goes back to a copy, and opens the profile then. `program` is what has it open still."""
        from sendoff.engine.clock import SystemClock
        from sendoff.store import restore

        folder = self._session.folder

        def work() -> Restored:
            if program is not None:
                program.close()
            return restore.restore(folder, source, SystemClock().now())

        assert self._session.background is not None
        self._wait()
        self._session.background.run(work, self._restored, lambda error: self.not_opened(str(error)))

    def _restored(self, done: Restored) -> None:
        kept = " What was here is kept beside the backups." if done.replaced else ""
        self._went_back = f"{done.told.words}{kept}"
        self._session.open_profile()

    def tell(self) -> None:
        """Once it is open again: says what going back came to."""
        if self._went_back:
            self._window.say(self._went_back)
            self._went_back = ""


def _newest_copy(folder: Path) -> tuple[Copy, Contents] | None:
    """The latest copy that this Sendoff can read, and what it holds."""
    from sendoff.store import backups, restore

    for one in backups.every(folder):
        if one.kind != backups.REPLACED:
            with suppress(SendoffError):
                return one, restore.examine(one.path)
    return None
