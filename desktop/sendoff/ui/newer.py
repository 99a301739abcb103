"""Looks once a day whether there is a newer Sendoff, where the person wants that; says so once, and never hurries."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from PySide6.QtCore import QObject, QTimer

import sendoff
from sendoff.channels import newer
from sendoff.channels.http import Patience, Transport
from sendoff.channels.newer import Release
from sendoff.domain.errors import SendoffError, TryLater
from sendoff.domain.when import MONTHS, moment, within
from sendoff.release import NewerPage
from sendoff.store import changes
from sendoff.ui.context import Context

PATIENCE = Patience(connect=10.0, read=10.0, total=20.0)
EVERY = timedelta(days=1)
AGAIN = 30 * 60_000
"""How often it looks whether it is time, in ms."""

FIRST = 60_000
"""How long after a start it looks first, in ms."""

ALONE = timedelta(minutes=2)
"""Nothing is asked while something leaves, or is due so soon."""


class Newer(QObject):
    """What it finds is kept in the settings: when it asked, what there is, and what was not believed.

    Args:
        tell: shows a line that is in nobody's way, with a title and words.
        page: where newer versions are told of.
    """

    def __init__(
        self,
        context: Context,
        tell: Callable[[str, str], object],
        page: NewerPage,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._context, self._tell = context, tell
        self._transport, self._page = Transport(PATIENCE), page
        self._asking = False
        self._wanted = self._is_wanted()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.look)
        self._timer.start(FIRST)
        context.bridge.changed.connect(self._hear)

    def _is_wanted(self) -> bool:
        return self._context.settings()["updates"] == "yes"

    def _hear(self, topics: frozenset[str]) -> None:
        """Looks at once when it was switched on."""
        if changes.SETTINGS in topics and (wanted := self._is_wanted()) != self._wanted:
            self._wanted = wanted
            self.look(again=True)

    def look(self, *, again: bool = False) -> None:
        """Asks, if that is wished, a day has gone since (or `again`), and nothing else is about to happen."""
        chosen, now = self._context.settings(), self._context.now()
        busy = self._is_busy(now)
        self._timer.start(FIRST if busy else AGAIN)
        if chosen["updates"] != "yes" or self._asking or busy:
            return
        asked = chosen["newer_asked"]
        if not again and asked and timedelta() <= now - datetime.fromisoformat(asked) < EVERY:
            return
        self._asking = True
        known = found_in(chosen)
        ask = partial(newer.ask, self._transport, self._page, newest=known.version if known else "")
        self._context.do(ask, self._found, self._refused, aside=True, owner=self)

    def _is_busy(self, now: datetime) -> bool:
        soon = self._context.window.standing.upcoming[:1]
        return self._context.sending.status().leaving > 0 or any(one.when.instant - now < ALONE for one in soon)

    def _found(self, release: Release) -> None:
        self._asking = False
        self._keep(newer_asked=self._context.now().isoformat(), newer_found=release.text, newer_trouble="")
        chosen = self._context.settings()
        if not release.is_newer_than(sendoff.__version__) or chosen["newer_told"] == release.version:
            return
        self._keep(newer_told=release.version)
        if chosen["notify"] != "none":
            self._tell(f"Sendoff {release.version} is out", "What is new stands in Preferences, About.")

    def _refused(self, error: SendoffError) -> None:
        self._asking = False
        if isinstance(error, TryLater):  # it is tried again in half an hour
            self._keep(newer_trouble=f"{error} It is tried again.")
        else:
            self._keep(newer_asked=self._context.now().isoformat(), newer_trouble=str(error))

    def _keep(self, **values: str) -> None:
        commands, chosen = self._context.commands, self._context.settings()
        for name, value in values.items():
            if chosen[name] != value:
                self._context.do(lambda name=name, value=value: commands.settings.set(name, value))  # type: ignore[misc]


def found_in(chosen: dict[str, str]) -> Release | None:
    """The newest release that was heard of."""
    return Release.of(json.loads(chosen["newer_found"])) if chosen["newer_found"] else None


def newer_in(chosen: dict[str, str]) -> Release | None:
    """A release that is newer than this program, where the person wants to know of it."""
    found = found_in(chosen) if chosen["updates"] == "yes" else None
    return found if found and found.is_newer_than(sendoff.__version__) else None


def said(chosen: dict[str, str], now: datetime, zone: str) -> str:
    """How the looking stands, in a sentence or two."""
    if chosen["updates"] != "yes":
        return ""
    if chosen["newer_trouble"]:
        return chosen["newer_trouble"]
    if not chosen["newer_asked"]:
        return "It looks in a moment."
    asked = moment(datetime.fromisoformat(chosen["newer_asked"]), zone, now)
    newest = "" if newer_in(chosen) else "This is the newest version. "
    return f"{newest}Looked last: {within(asked)}."


def day(release: Release) -> str:
    """The day of a release in words: "1 December 2026"."""
    return f"{release.date.day} {MONTHS[release.date.month - 1]} {release.date.year}"
