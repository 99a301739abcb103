"""Who sends: this window, or another process; and the change from one to the other."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sendoff.bootstrap import Program
from sendoff.domain.post import Content, Item, Variant
from sendoff.domain.when import When
from sendoff.store import doubts
from sendoff.store.db import StoreTrouble
from sendoff.ui.sending import Part
from sendoff.ui.standing import Mood
from tests.gui.desk import Desk


def test_a_window_beside_another_sender_works_and_takes_over_after_it(
    open_profile: Callable[..., Program], open_desk: Callable[..., Desk]
) -> None:
    worker = open_profile()
    engine = worker.engine()
    engine.start()
    try:
        desk = open_desk(open_profile(), engine=True)
        desk.until(lambda: desk.context.sending.part is Part.ELSEWHERE)
        desk.until(lambda: desk.window.standing.mood is Mood.ELSEWHERE)
        assert desk.window.rail.strip._headline.text() == "Another Sendoff sends"
        assert desk.window.standing.on_quitting == ()
        account = desk.program.commands.accounts.add("practice", "Practice", {})
        post, _ = desk.program.commands.posts.save_draft(Content(items=(Item("From the window"),)), [Variant(account)])
        desk.program.commands.posts.schedule(post, When.at(desk.context.now(), "UTC"))
        desk.until(lambda: worker.channels["practice"].received())  # type: ignore[attr-defined]
        desk.until(lambda: not desk.window.standing.upcoming)
        # What the other process does is seen here, though nobody rings in this one.
        worker.commands.posts.save_draft(Content(items=(Item("From elsewhere"),)), [])
        desk.until(lambda: desk.window.standing.drafts == 1, seconds=5)
    finally:
        engine.stop()
    desk.until(lambda: desk.context.sending.part is Part.HERE)
    desk.until(lambda: desk.window.standing.mood is Mood.RUNNING)
    assert desk.context.sending.status().running


def test_a_start_that_did_not_work_is_told_and_tried_again(
    open_profile: Callable[..., Program], open_desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    recover, tries = doubts.recover, []

    def full_at_first(*arguments: object) -> object:
        tries.append(1)
        if len(tries) == 1:
            raise StoreTrouble("The disk is full. Make room; nothing is sent until then.")
        return recover(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(doubts, "recover", full_at_first)
    desk = open_desk(open_profile(), engine=True)
    desk.until(lambda: desk.context.sending.part is Part.NOWHERE)
    desk.until(lambda: desk.window.rail.strip._long.text().startswith("The disk is full."))
    desk.until(lambda: desk.context.sending.part is Part.HERE)
    desk.until(lambda: desk.window.standing.mood is Mood.RUNNING)


def test_a_window_that_ends_gives_the_lock_back(
    open_profile: Callable[..., Program], open_desk: Callable[..., Desk]
) -> None:
    desk = open_desk(open_profile(), engine=True)
    desk.until(lambda: desk.context.sending.part is Part.HERE)
    ended: list[bool] = []
    desk.context.sending.end(lambda: ended.append(True))
    desk.until(lambda: ended)
    engine = open_profile("profile").engine()
    engine.start()
    engine.stop()
    desk.context.sending.start()
    desk.settle()
    assert desk.context.sending.part is Part.ENDED
