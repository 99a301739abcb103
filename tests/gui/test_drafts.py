"""The drafts: what is listed, opened, deleted and brought back."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from sendoff.domain.post import Content, Item, Plan, Variant
from sendoff.store import posts
from sendoff.ui.drafts import DraftsScreen
from tests.gui.desk import Desk, judged


@pytest.fixture
def first_screen() -> str:
    return "drafts"


@pytest.fixture
def drafts(harbor: Desk) -> DraftsScreen:
    harbor.window.go("drafts")
    harbor.settle()
    screen = harbor.window.screen_named("drafts")
    assert isinstance(screen, DraftsScreen)
    judged(screen.model)
    return screen


def words(screen: DraftsScreen) -> list[str]:
    return [row.words for row in screen.model.rows]


def test_each_row_says_what_where_and_when(drafts: DraftsScreen) -> None:
    first, second, third, fourth, last = drafts.model.rows
    assert first.words == "Opening hours between the years, and why the pier café is shut on the 27th"
    assert (first.accounts, first.edited, first.marks) == ("2 accounts", "3 min ago", ("mastodon", "bluesky"))
    assert (second.accounts, second.edited) == ("Newsletter", "55 min ago")
    assert third.edited == "Today 14:52"
    assert fourth.edited == "21 Nov 18:52"
    assert (last.words, last.accounts) == ("Nothing written yet", "No account yet")
    assert drafts.header.aside.text() == "5 drafts"


def test_delete_and_undo(harbor: Desk, drafts: DraftsScreen) -> None:
    before = words(drafts)
    QTest.keyClick(drafts.list, Qt.Key.Key_Delete)
    harbor.settle()
    assert words(drafts) == before[1:]
    assert harbor.window.said == "The draft was deleted."
    QTest.keySequence(harbor.window, "Ctrl+Z")
    harbor.settle()
    assert sorted(words(drafts)) == sorted(before)
    row = next(row for row in drafts.model.rows if row.words == before[0])
    with harbor.context.reading() as connection:
        assert len(posts.get(connection, row.id).variants) == 2


def test_what_was_planned_comes_back_too(harbor: Desk, drafts: DraftsScreen) -> None:
    content, plan = Content(items=(Item("one"), Item("two"))), Plan("tomorrow 9", "Europe/Berlin", "send")
    post_id, _ = harbor.program.commands.posts.save_draft(content, [Variant(1, options={"visibility": "public"})], plan)
    harbor.settle()
    drafts.delete(next(row for row in drafts.model.rows if row.id == post_id))
    harbor.settle()
    QTest.keySequence(harbor.window, "Ctrl+Z")
    harbor.settle()
    with harbor.context.reading() as connection:
        found = next(one for one in posts.drafts(connection) if one.content == content)
    assert found.plan == plan
    assert found.variants[0].options == {"visibility": "public"}


def test_enter_and_double_click_open_the_composer(harbor: Desk, drafts: DraftsScreen) -> None:
    QTest.keyClick(drafts.list, Qt.Key.Key_Return)
    assert harbor.window.current == "composer"
    harbor.window.go("drafts")
    place = drafts.list.visualRect(drafts.model.index(2)).center()
    QTest.mouseClick(drafts.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    QTest.mouseDClick(drafts.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert harbor.window.current == "composer"


def test_the_bin_in_a_row_deletes_that_row(harbor: Desk, drafts: DraftsScreen) -> None:
    rect = drafts.list.visualRect(drafts.model.index(3))
    bin_at = QPoint(rect.right() - 20 - 14, rect.center().y())
    gone = words(drafts)[3]
    QTest.mouseMove(drafts.list.viewport(), bin_at)
    QTest.mouseClick(drafts.list.viewport(), Qt.MouseButton.LeftButton, pos=bin_at)
    harbor.settle()
    assert gone not in words(drafts)
    assert len(words(drafts)) == 4


def test_a_draft_deleted_elsewhere_is_refused_with_a_sentence(harbor: Desk, drafts: DraftsScreen) -> None:
    row = drafts.model.rows[0]
    harbor.program.commands.posts.delete_draft(row.id)
    drafts.delete(row)
    harbor.settle()
    assert harbor.window.said == f"There is no post {row.id}."


def test_an_empty_page_teaches(desk: Desk) -> None:
    desk.window.go("drafts")
    desk.settle()
    screen = desk.window.screen_named("drafts")
    assert screen._pages.currentIndex() == 1  # type: ignore[union-attr]
    desk.program.commands.posts.save_draft(Content(items=(Item("First"),)), [])
    desk.settle()
    assert screen._pages.currentIndex() == 0  # type: ignore[union-attr]
