"""What the composer's tests share: a window with a practice account, and hands to write with."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from sendoff.domain.delivery import State
from sendoff.domain.post import Content, Item, Post, Variant
from sendoff.domain.when import When
from sendoff.store import deliveries, posts
from sendoff.ui.composer.screen import ComposerScreen
from tests.gui import composing
from tests.gui.desk import Desk

CTRL = Qt.KeyboardModifier.ControlModifier
PRACTICE, SECOND = 1, 2


def rest(desk: Desk) -> None:
    """Lets the composer come to rest: what was typed is looked through, what was asked for is done."""
    screen = desk.window.screen_named("composer")
    for _ in range(3):
        desk.settle()
        if isinstance(screen, ComposerScreen):
            desk.until(lambda: not screen._look_soon.isActive())


def compose(desk: Desk, **what: object) -> ComposerScreen:
    desk.window.compose(**what)
    rest(desk)
    return composing.screen(desk)


def type_text(screen: ComposerScreen, words: str) -> None:
    QTest.keyClicks(screen.desk.current.body, words)


def write(desk: Desk, screen: ComposerScreen, words: str) -> None:
    """Types and waits until it was looked through and kept."""
    type_text(screen, words)
    screen.save()
    rest(desk)


def stored(desk: Desk, post_id: int | None = None) -> Post:
    with desk.context.reading() as connection:
        if post_id is not None:
            return posts.get(connection, post_id)
        found = posts.drafts(connection)
    assert len(found) == 1
    return found[0]


def drafts(desk: Desk) -> list[Post]:
    with desk.context.reading() as connection:
        return posts.drafts(connection)


def states(desk: Desk, post_id: int) -> list[State]:
    with desk.context.reading() as connection:
        return [one.state for one in deliveries.of_post(connection, post_id)]


def matters(screen: ComposerScreen) -> list[str]:
    return [row.matter.title for row in screen.desk.problems.rows]


def link(screen: ComposerScreen, words: str) -> QWidget:
    """The remedy with these words, in the first row that has it."""
    return next(one for row in screen.desk.problems.rows for one in row.links if one.words() == words)


def click(widget: QWidget) -> None:
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton)


def add_practice(desk: Desk, name: str, **fields: str) -> int:
    made = desk.program.commands.accounts.add("practice", name, {"handle": f"@{name.lower()}@practice", **fields})
    desk.settle()
    return made


def planned(desk: Desk, words: str = "planned", ids: tuple[int, ...] = (PRACTICE,)) -> int:
    """A post that is planned for tomorrow."""
    post_id, _ = desk.program.commands.posts.save_draft(Content((Item(words),)), [Variant(one) for one in ids])
    desk.program.commands.posts.schedule(post_id, When(datetime(2026, 11, 24, 9), "Europe/Berlin"), "skip 15m")
    return post_id
