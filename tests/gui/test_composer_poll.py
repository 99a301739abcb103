"""Writing a poll: for networks that take one, kept as it is typed, sent as it stands, taken out with Undo."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from sendoff.domain.post import Content, Item, Plan, Poll, Variant
from sendoff.ui.composer.page import ItemView
from sendoff.ui.composer.poll import MOST
from sendoff.ui.composer.preview.status import PollBox
from sendoff.ui.composer.screen import ComposerScreen
from tests.gui import sample
from tests.gui.composer_hands import click, compose, matters, rest, stored, type_text
from tests.gui.desk import Desk

TOOT, NEWS = sample.TOOT + 1, sample.NEWS + 1


@pytest.fixture
def first_screen() -> str:
    return ""


def item(screen: ComposerScreen) -> ItemView:
    return screen.desk.current.items[0]


def written(desk: Desk, poll: Poll | None, *accounts: int) -> tuple[ComposerScreen, int]:
    """The composer with a draft, and the draft's number."""
    content = Content((Item("Which one?", poll=poll),))
    variants = [Variant(one) for one in accounts]
    post_id, _ = desk.context.commands.posts.save_draft(content, variants, Plan())
    return compose(desk, post_id=post_id), post_id


def test_a_poll_is_offered_where_one_of_the_readers_takes_it(harbor: Desk) -> None:
    assert item(written(harbor, None, TOOT)[0]).poll_button.isVisible()
    assert item(written(harbor, None, TOOT, sample.SKY + 1)[0]).poll_button.isVisible()
    assert not item(written(harbor, None, sample.SKY + 1)[0]).poll_button.isVisible()
    assert not item(written(harbor, None, NEWS)[0]).poll_button.isVisible()


def test_a_poll_is_typed_and_kept(harbor: Desk) -> None:
    screen, post_id = written(harbor, None, TOOT)
    one = item(screen)
    click(one.poll_button)
    assert one.poll.isVisible()
    assert not one.poll_button.isVisible()
    assert QApplication.focusWidget() is one.poll.answers[0].field
    rest(harbor)
    assert any("at least two different answers" in matter for matter in matters(screen))
    for number, words in enumerate(("Guji", "Huila", "Yirgacheffe ☕")):  # Enter goes on, and makes the third
        one.poll.answers[number].field.insert(words)  # QTest types ASCII alone
        QTest.keyClick(one.poll.answers[number].field, Qt.Key.Key_Return)
    assert len(one.poll.answers) == 4
    harbor.settle()
    assert QApplication.focusWidget() is one.poll.answers[3].field
    QTest.keyClick(one.poll.answers[3].field, Qt.Key.Key_Tab)
    assert QApplication.focusWidget() is one.poll.answers[3].remove
    one.poll.lasts.set_value("3600")
    one.poll.multiple.click()
    one.poll.hidden.click()
    screen.save()
    rest(harbor)
    assert not any("answers" in matter for matter in matters(screen))
    found = stored(harbor, post_id).content.items[0].poll
    assert found == Poll(("Guji", "Huila", "Yirgacheffe ☕"), 3600, True, True)


def test_what_is_stored_is_shown_and_stays(harbor: Desk) -> None:
    poll = Poll(("a", "b", "c"), 5400, True, False)  # a span that is not offered
    screen, post_id = written(harbor, poll, TOOT)
    one = item(screen)
    assert one.item().poll == poll
    assert one.poll.lasts.currentText() == "1 h 30 min"
    type_text(screen, "!")
    screen.save()
    rest(harbor)
    assert stored(harbor, post_id).content.items[0].poll == poll


def test_an_answer_goes_and_the_poll_goes_with_undo(harbor: Desk) -> None:
    screen, _ = written(harbor, Poll(("a", "b", "c")), TOOT)
    one = item(screen)
    click(one.poll.answers[1].remove)
    assert one.item().poll == Poll(("a", "c"))
    assert not one.poll.answers[0].remove.isEnabled()
    assert one.poll.answers[1].field.accessibleName() == "Answer 2"
    one.poll.removed.emit()
    rest(harbor)
    assert one.item().poll is None
    assert one.poll_button.isVisible()
    assert harbor.window.said == "The poll was taken out."
    harbor.window._undo()
    harbor.settle()
    assert one.poll.isVisible()
    assert one.item().poll == Poll(("a", "c"))
    for _ in range(MOST):
        one.poll.more.click()
    assert len(one.poll.answers) == MOST


def test_the_preview_shows_what_is_typed(harbor: Desk) -> None:
    screen, _ = written(harbor, Poll(("Tea", "Coffee")), TOOT)
    QTest.keyClicks(item(screen).poll.answers[1].field, " with milk")
    wanted = "Poll: Tea, Coffee with milk"
    harbor.until(lambda: wanted in {one.accessibleName() for one in screen.pane.findChildren(PollBox)})
