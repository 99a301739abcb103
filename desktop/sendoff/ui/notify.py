"""System notifications: when something needs the person, and about every delivery where that is wished."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject

from sendoff.domain.account import rest_words
from sendoff.domain.delivery import State
from sendoff.domain.words import counted
from sendoff.store import changes, settings, timeline
from sendoff.store.timeline import Row
from sendoff.ui.context import Context
from sendoff.ui.standing import Standing
from sendoff.ui.states import FACES

_FIGURES = re.compile(r"\d+( (s|min|h|days?)\b)?( \d+ (s|min|h)\b)?")
MOST = 2
"""More news than this at once is told as a number."""


@dataclass(frozen=True, slots=True)
class News:
    """What is new since the last look: rows that need the person, rows that were sent."""

    needs: tuple[Row, ...]
    sent: tuple[Row, ...]


class Notifier(QObject):
    """Looks after every change of deliveries, on the background's thread.

    What was there already when Sendoff started is not news.

    Args:
        tell: shows a notification with a title and words.
    """

    def __init__(self, context: Context, tell: Callable[[str, str], object], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._context, self._tell = context, tell
        self._needing: set[tuple[int, State]] | None = None
        self._mark = 0
        self._told: set[int] = set()
        self._trouble = ""
        self._resting: set[int] | None = None
        self._warned: dict[int, int | None] | None = None
        context.bridge.changed.connect(self._hear)
        context.do(self._look, owner=self)

    def _hear(self, topics: frozenset[str]) -> None:
        if changes.DELIVERIES in topics:
            self._context.do(self._look, self._show, owner=self)

    def follow(self, standing: Standing) -> None:
        """Tells once when something begins to stand in the way of the sending, when an account begins to rest, and
        each step of a sign-in that ends.

        A trouble that is there from the beginning is told too: nothing leaves until it is over.
        """
        trouble, before = _FIGURES.sub("#", standing.trouble), self._trouble
        resting, rested = {one.id for one in standing.resting}, self._resting
        self._trouble, self._resting = trouble, resting
        told = [("Sendoff: sending waits", standing.trouble)] if trouble and trouble not in before else []
        told += [
            (f"{one.name} rests", f"{rest_words(one, standing.now, standing.zone)} Its other posts wait.")
            for one in standing.resting
            if rested is not None and one.id not in rested
        ]
        told += self._steps(standing)
        if told and self._context.settings()["notify"] != "none":
            for title, words in told:
                self._tell(title, words)

    def _steps(self, standing: Standing) -> list[tuple[str, str]]:
        """What is to be said of sign-ins that came a step nearer to their end. The engine counts the steps."""
        warned, before = {one.account.id: one.account.warned for one in standing.endings}, self._warned
        self._warned = warned
        return [
            (f"Sign in again: {one.account.name}", one.words(standing.now, standing.zone))
            for one in standing.endings
            if before is not None
            and one.account.warned is not None
            and before.get(one.account.id, None) != one.account.warned
        ]

    def _look(self) -> News:
        with self._context.reading() as connection:
            wish = settings.read(connection)["notify"]
            rows = timeline.needs_you(connection)
            mark, sent = timeline.sent_since(connection, self._mark)
        needing, before = {(row.delivery.id, row.delivery.state) for row in rows}, self._needing
        fresh = tuple(row for row in sent if row.delivery.id not in self._told)
        self._needing, self._mark, self._told = needing, mark, {row.delivery.id for row in sent}
        if before is None or wish == "none":
            return News((), ())
        new = tuple(row for row in rows if (row.delivery.id, row.delivery.state) not in before)
        return News(new, fresh if wish == "all" else ())

    def _show(self, news: News) -> None:
        if news.needs:
            self._tell(*needs_words(news.needs))
        if news.sent:
            self._tell(*sent_words(news.sent))


def needs_words(rows: Sequence[Row]) -> tuple[str, str]:
    """Title and words for what needs the person."""
    if len(rows) > MOST:
        return "Sendoff needs you", f"{counted(len(rows), 'delivery', 'deliveries')} need a decision. Open Activity."
    lines = [
        f"{FACES[row.delivery.state].word}: “{row.excerpt}” ({row.account}). {row.delivery.reason}" for row in rows
    ]
    return "Sendoff needs you", "\n".join(line.strip() for line in lines)


def sent_words(rows: Sequence[Row]) -> tuple[str, str]:
    """Title and words for what was sent."""
    if len(rows) > MOST:
        return "Sent", f"{counted(len(rows), 'delivery', 'deliveries')} went out."
    return "Sent", "\n".join(f"“{row.excerpt}” ({row.account})" for row in rows)
