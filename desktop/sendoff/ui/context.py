"""What each screen is given: the program, the look, and the few things that only the window can do."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QObject

from sendoff.bootstrap import Program
from sendoff.domain.errors import SendoffError
from sendoff.engine.commands import Commands
from sendoff.store import accounts, settings
from sendoff.store.db import Connection
from sendoff.ui.background import Background, Errand
from sendoff.ui.bridge import Bridge
from sendoff.ui.sending import Sending
from sendoff.ui.theme import Look

if TYPE_CHECKING:
    from sendoff.ui.window import Window

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Context:
    """Handed to every screen on making it.

    Screens read with `reading()`, which is quick enough for the window's thread, and write with `do`, away from it.
    """

    program: Program
    look: Look
    bridge: Bridge
    background: Background
    sending: Sending
    window: Window

    # --- the program ----------------------------------------------------------------------------------------------

    @property
    def commands(self) -> Commands:
        return self.program.commands

    def reading(self) -> AbstractContextManager[Connection]:
        """A consistent view of the data, for the functions of sendoff.store; never waits for a writer."""
        return self.program.store.reading()

    def now(self) -> datetime:
        return self.program.clock.now()

    def zone(self) -> str:
        """The person's time zone."""
        return self.program.commands.settings.zone()

    def settings(self) -> dict[str, str]:
        """Every setting by its name (store/settings.py)."""
        with self.reading() as connection:
            return settings.read(connection)

    @property
    def workspace_id(self) -> int:
        """The workspace that is shown."""
        with self.reading() as connection:
            return accounts.workspace_list(connection)[0].id

    def do(
        self,
        work: Callable[[], T],
        done: Callable[[T], None] | None = None,
        failed: Callable[[SendoffError], None] | None = None,
        *,
        said: str = "",
        undo: Callable[[], object] | None = None,
        slow: bool = False,
        aside: bool = False,
        owner: QObject | None = None,
    ) -> Errand:
        """Runs a command off the window's thread; then `done` gets its result, on the window's thread.

        Args:
            failed: gets what was refused; without it the window says the sentence.
            said: what the window says when it is done, with Undo if there is `undo` (itself run as a command).
            slow: it waits for a network or copies a file.
            aside: it may wait for minutes, for a dead server or a person in a browser.
            owner: the widget that is asking; nothing is called when it is gone.
        """

        def finished(result: T) -> None:
            if said:
                self.say(said, (lambda: self.do(undo)) if undo else None)
            if done is not None:
                done(result)

        heard = failed or self._say_trouble
        return self.background.run(work, finished, heard, slow=slow, aside=aside, owner=owner)

    def _say_trouble(self, error: SendoffError) -> None:
        self.say(str(error), trouble=True)

    # --- the window -----------------------------------------------------------------------------------------------

    def go(self, screen: str, **what: object) -> None:
        """Shows a screen by its name in screens.py and tells it what for."""
        self.window.go(screen, **what)

    def back(self) -> None:
        """Shows the screen that was there before."""
        self.window.back()

    def say(self, words: str, undo: Callable[[], object] | None = None, *, trouble: bool = False) -> None:
        """Says what was done, in a bar that goes by itself; what went wrong stays until it is read."""
        self.window.say(words, undo, trouble=trouble)

    def ask(self, title: str, sentence: str, yes: str, then: Callable[[], object], *, danger: bool = False) -> None:
        """Asks before what cannot be undone; `yes` is the button that does it, in its own words."""
        self.window.ask(title, sentence, yes, then, danger=danger)

    def with_secrets(self, then: Callable[[], object]) -> None:
        """Calls `then` when keys can be stored: at once, or after the person gave the key file's passphrase."""
        self.window.with_secrets(then)
