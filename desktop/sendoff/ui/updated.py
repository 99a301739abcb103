"""A Sendoff that was updated while it runs: it goes on as it was, says so, and starts anew when the person says so."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain

from PySide6.QtCore import QObject, QTimer

from sendoff import loading, resources
from sendoff.release import Installed
from sendoff.ui.context import Context

log = logging.getLogger(__name__)

KEY = "updated"
WORDS = "Sendoff was updated while it ran. It sends on as the version before until you restart it."
LOOK = 30_000
"""How often to look at what is installed, in ms."""

BREATH = 50
"""The rest between two modules that are loaded, in ms, so that nobody feels it."""

FIRST = 5_000
"""When to begin with it, in ms after the profile was opened."""


class Updated(QObject):
    """Loads in quiet moments what this version may still need, and watches whether another one is installed.

    Args:
        tell: shows a notification, with a title and words.
        restart: starts anew.
    """

    def __init__(
        self,
        context: Context,
        tell: Callable[[str, str], object],
        restart: Callable[[], object],
        installed: Installed | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._context, self._tell, self._restart = context, tell, restart
        self._installed = installed or Installed()
        self._left: Iterator[str] = iter(())
        if not self._installed.can_be_replaced:
            return
        self._left = chain([""], loading.modules(window=True))  # the drawings first
        QTimer.singleShot(FIRST, self, self._load_next)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.look)
        self._timer.start(LOOK)

    def _load_next(self) -> None:
        name = next(self._left, None)
        if name is None:
            log.info("all of it is loaded")
            return
        load = partial(loading.load, name) if name else resources.read_ahead
        self._context.background.run(load, lambda _: QTimer.singleShot(BREATH, self, self._load_next), owner=self)

    def look(self) -> None:
        """Says it once: in the window, and by a notification where nobody sees the window."""
        banners = self._context.window.banners
        if banners is None or banners.words(KEY) or not self._installed.is_another():
            return
        banners.say(KEY, WORDS, [("Restart Sendoff", self._restart)], state="scheduled")
        if not self._context.window.isVisible() and self._context.settings()["notify"] != "none":
            self._tell("Sendoff was updated", "It sends on as before. Restart it from its window when it suits you.")
