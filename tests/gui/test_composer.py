"""The composer by hand: writing, scheduling, changing; and what is kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from sendoff.bootstrap import Program
from sendoff.domain.delivery import State
from sendoff.domain.post import Content, Item, Variant
from sendoff.domain.when import When
from sendoff.store import deliveries, posts
from sendoff.ui.composer.saving import PAUSE
from tests.gui import composing
from tests.gui.composer_hands import (
    CTRL,
    PRACTICE,
    add_practice,
    click,
    compose,
    drafts,
    planned,
    rest,
    states,
    stored,
    type_text,
    write,
)
from tests.gui.desk import Desk, grab

# --- the two ways of use ------------------------------------------------------------------------------------------


@pytest.fixture
def first_screen() -> str:
    return ""


def test_write_send_now_delivered(open_profile: Callable[..., Program], open_desk: Callable[..., Desk]) -> None:
    program = open_profile()
    program.commands.accounts.add("practice", "Practice", {})
    desk = open_desk(program, engine=True)
    QTest.keySequence(desk.window, "Ctrl+N")
    desk.settle()
    screen = composing.screen(desk)
    assert screen.desk.accounts.chosen() == (PRACTICE,), "the only account is chosen"
    focused = QApplication.focusWidget()
    assert focused is screen.desk.current.body
    QTest.keyClicks(focused, "Hello from the pier #guji")
    desk.until(lambda: screen.header.status == "Saved just now")
    assert screen.foot.button.words() == "Send now"
    assert screen.foot.said.text() == "As soon as you send it."
    QTest.keyClick(focused, Qt.Key.Key_Return, CTRL)
    received = program.channels["practice"].received  # type: ignore[attr-defined]
    desk.until(received, seconds=30)
    assert [one.text for one in received()] == ["Hello from the pier #guji"]
    desk.until(lambda: desk.window.current == "activity")
    desk.until(lambda: states(desk, 1) == [State.SENT], seconds=30)
    assert desk.window.said == "On its way to 1 account."
    assert not drafts(desk)
    assert compose(desk).writing.is_blank, "the page is free for another"


def test_schedule_reopen_change_save(bench: Desk) -> None:
    screen = compose(bench)
    type_text(screen, "Open tomorrow")
    screen.foot.words.setFocus()
    QTest.keyClicks(screen.foot.words, "tomorrow 9")
    assert screen.foot.said.text() == "Tue 24 Nov 2026, 09:00 Europe/Berlin, in 14 h"
    assert screen.foot.button.words() == "Schedule for Tue 09:00"
    for width in (1280, 960):  # who has to be awake is never cut off
        grab(bench.window, width, 640)
        assert screen.foot.badge.words == ("Needs this computer", "Awake Tue 09:00")
        assert screen.foot.badge.width() >= screen.foot.badge.wish()
    bench.window.say("Look here")
    bar = bench.window._undo_bar
    assert bar is not None
    assert bar.geometry().bottom() < screen.foot.mapTo(bench.window, QPoint(0, 0)).y(), "the button stays free"
    beside = bar.geometry().topLeft() - QPoint(8, 8)
    assert bench.window.childAt(beside) is not bar._shadow, "the shadow takes no clicks"
    grab(bench.window, 800, 640)
    assert screen.foot.badge.is_bare
    assert screen.foot.badge.toolTip() == "Needs this computer. Awake Tue 09:00"
    click(screen.foot.button)
    rest(bench)
    assert bench.window.current == "planner"
    assert bench.window.said == "Scheduled for Tue 09:00"
    assert states(bench, 1) == [State.SCHEDULED]

    again = compose(bench, post_id=1)
    assert again.header.title.text() == "Edit post"
    assert again.foot.words.text() == "24 Nov 2026 09:00"
    assert again.foot.button.words() == "Save changes"
    type_text(again, ", at ten")
    again.save()
    rest(bench)
    assert stored(bench, 1).content.items[0].text == "Open tomorrow", "what is planned does not change by typing"
    assert again.header.status == "Changes not saved yet"
    again.foot.words.setFocus()
    again.foot.words.selectAll()
    QTest.keyClicks(again.foot.words, "tomorrow 10")
    QTest.keyClick(again.foot.words, Qt.Key.Key_Return, CTRL)
    rest(bench)
    assert stored(bench, 1).content.items[0].text == "Open tomorrow, at ten"
    with bench.context.reading() as connection:
        (one,) = deliveries.of_post(connection, 1)
    assert one.planned_at == datetime(2026, 11, 24, 9, tzinfo=UTC)
    assert bench.window.said == "Saved. It leaves Tue 10:00."
    assert not (bench.program.folder / "unsaved" / "1.json").exists()


def test_undo_after_scheduling_makes_it_a_draft_again(bench: Desk) -> None:
    screen = compose(bench)
    type_text(screen, "Not yet")
    screen.foot.take("tomorrow 9", "Europe/Berlin")
    screen.departure.press()
    rest(bench)
    QTest.keySequence(bench.window, "Ctrl+Z")
    rest(bench)
    assert states(bench, 1) == [State.CANCELLED]
    assert stored(bench).content.items[0].text == "Not yet"
    assert compose(bench, post_id=1).foot.words.text() == "tomorrow 9"


# --- keeping ------------------------------------------------------------------------------------------------------


def test_typing_is_kept_within_a_second_and_an_untouched_page_leaves_nothing(bench: Desk) -> None:
    assert PAUSE < 1000
    screen = compose(bench)
    assert screen.header.status == ""
    bench.window.go("planner")
    rest(bench)
    assert not drafts(bench)
    screen = compose(bench)
    type_text(screen, "abc")
    bench.until(lambda: drafts(bench), seconds=3)
    assert stored(bench).content.items[0].text == "abc"
    bench.until(lambda: screen.header.status == "Saved just now")


def test_leaving_flushes_what_was_typed_last(bench: Desk) -> None:
    screen = compose(bench)
    type_text(screen, "one")
    QTest.keyClick(screen.desk.current.body, Qt.Key.Key_Escape)
    assert bench.window.current == "planner"
    rest(bench)
    assert stored(bench).content.items[0].text == "one"
    compose(bench, post_id=stored(bench).id)
    type_text(screen, " two")
    bench.window.keep_current()
    rest(bench)
    assert stored(bench).content.items[0].text == "one two"


def test_many_saves_in_a_row_keep_their_order(bench: Desk) -> None:
    screen = compose(bench)
    for letter in "abcdef":
        type_text(screen, letter)
        screen.save()
    rest(bench)
    found = stored(bench)
    assert (found.content.items[0].text, found.version) == ("abcdef", 6)


def test_a_draft_that_was_emptied_again_goes(bench: Desk) -> None:
    screen = compose(bench)
    write(bench, screen, "x")
    QTest.keyClick(screen.desk.current.body, Qt.Key.Key_Backspace)
    bench.window.go("planner")
    rest(bench)
    assert not drafts(bench)


def test_a_draft_opened_from_the_list_stays_even_if_it_is_emptied(bench: Desk) -> None:
    post_id, _ = bench.program.commands.posts.save_draft(Content((Item("x"),)), [Variant(PRACTICE)])
    screen = compose(bench, post_id=post_id)
    QTest.keyClick(screen.desk.current.body, Qt.Key.Key_Backspace)
    bench.window.go("planner")
    rest(bench)
    assert stored(bench).content.items[0].text == ""


def test_new_post_keeps_the_one_that_was_open(bench: Desk) -> None:
    screen = compose(bench)
    type_text(screen, "first")
    QTest.keySequence(bench.window, "Ctrl+N")
    rest(bench)
    assert screen.writing.is_blank
    type_text(screen, "second")
    screen.save()
    rest(bench)
    assert sorted(one.content.items[0].text for one in drafts(bench)) == ["first", "second"]


def test_a_text_and_a_time_from_elsewhere(bench: Desk) -> None:
    at = datetime(2026, 12, 24, 17, 30, tzinfo=UTC)
    screen = compose(bench, text="From the palette", at=at)
    assert screen.desk.current.body.text() == "From the palette"
    assert screen.foot.said.text().startswith("Thu 24 Dec 2026, 18:30 Europe/Berlin")


def test_changed_elsewhere_while_writing_loses_nothing(bench: Desk) -> None:
    screen = compose(bench)
    write(bench, screen, "mine")
    post = stored(bench)
    bench.program.commands.posts.save_draft(Content((Item("theirs"),)), [Variant(PRACTICE)], post_id=post.id)
    type_text(screen, " and more")
    screen.save()
    rest(bench)
    assert screen.header.status == "Changed elsewhere"
    assert "another window" in screen.desk.notice.words
    copy, _other = screen.desk.notice.links
    click(copy)
    rest(bench)
    assert sorted(one.content.items[0].text for one in drafts(bench)) == ["mine and more", "theirs"]
    type_text(screen, "!")
    screen.save()
    rest(bench)
    assert sorted(one.content.items[0].text for one in drafts(bench)) == ["mine and more!", "theirs"]


def test_taking_the_other_text_can_be_undone(bench: Desk) -> None:
    screen = compose(bench)
    write(bench, screen, "mine")
    post = stored(bench)
    bench.program.commands.posts.save_draft(Content((Item("theirs"),)), [Variant(PRACTICE)], post_id=post.id)
    write(bench, screen, "!")
    click(screen.desk.notice.links[1])
    rest(bench)
    assert screen.desk.current.body.text() == "theirs"
    bench.window._undo()
    rest(bench)
    assert sorted(one.content.items[0].text for one in drafts(bench)) == ["mine!", "theirs"]


def test_leaving_a_page_that_was_changed_elsewhere_keeps_a_copy(bench: Desk) -> None:
    screen = compose(bench)
    write(bench, screen, "mine")
    bench.program.commands.posts.save_draft(Content((Item("theirs"),)), [], post_id=stored(bench).id)
    write(bench, screen, "!")
    bench.window.go("planner")
    rest(bench)
    assert sorted(one.content.items[0].text for one in drafts(bench)) == ["mine!", "theirs"]


def test_a_draft_changed_elsewhere_is_followed_while_nothing_was_typed(bench: Desk) -> None:
    post_id, _ = bench.program.commands.posts.save_draft(Content((Item("old"),)), [Variant(PRACTICE)])
    screen = compose(bench, post_id=post_id)
    bench.program.commands.posts.save_draft(Content((Item("new"),)), [Variant(PRACTICE)], post_id=post_id)
    bench.until(lambda: screen.desk.current.body.text() == "new")
    write(bench, screen, "er")
    assert stored(bench).content.items[0].text == "newer"


def test_a_draft_deleted_elsewhere_is_kept_anew(bench: Desk) -> None:
    screen = compose(bench)
    write(bench, screen, "mine")
    bench.program.commands.posts.delete_draft(stored(bench).id)
    type_text(screen, " still")
    screen.save()
    rest(bench)
    assert stored(bench).content.items[0].text == "mine still"


def test_a_draft_scheduled_elsewhere_is_not_changed_behind_its_back(bench: Desk) -> None:
    screen = compose(bench)
    write(bench, screen, "mine")
    post = stored(bench)
    bench.program.commands.posts.schedule(post.id, When(datetime(2026, 11, 24, 9), "UTC"))
    type_text(screen, " later")
    screen.save()
    rest(bench)
    assert stored(bench, post.id).content.items[0].text == "mine"
    assert "scheduled already" in screen.desk.notice.words


def test_delete_and_undo(bench: Desk) -> None:
    screen = compose(bench)
    write(bench, screen, "to go")
    screen.header.menu.aboutToShow.emit()
    next(one for one in screen.header.menu.actions() if one.text() == "Delete the draft").trigger()
    rest(bench)
    assert not drafts(bench)
    assert bench.window.current == "planner"
    QTest.keySequence(bench.window, "Ctrl+Z")
    rest(bench)
    assert stored(bench).content.items[0].text == "to go"


def test_duplicate(bench: Desk) -> None:
    screen = compose(bench)
    write(bench, screen, "twice")
    screen.care.duplicate()
    type_text(screen, " over")
    screen.save()
    rest(bench)
    assert sorted(one.content.items[0].text for one in drafts(bench)) == ["twice", "twice over"]


# --- a planned post -----------------------------------------------------------------------------------------------


def test_unsaved_changes_to_a_planned_post_survive_the_program(bench: Desk, open_desk: Callable[..., Desk]) -> None:
    post_id = planned(bench)
    screen = compose(bench, post_id=post_id)
    assert screen.foot.late.value() == "skip 15m"
    type_text(screen, " and changed")
    bench.window.go("planner")
    rest(bench)
    assert "not saved yet" in bench.window.said
    assert stored(bench, post_id).content.items[0].text == "planned"
    later = open_desk(bench.program)
    other = compose(later, post_id=post_id)
    assert other.desk.current.body.text() == "planned and changed"
    assert "not saved yet" in other.desk.notice.words
    click(other.desk.notice.links[0])
    rest(later)
    assert other.desk.current.body.text() == "planned"
    assert not (bench.program.folder / "unsaved" / f"{post_id}.json").exists()


def test_a_planned_post_becomes_a_draft_with_its_changes(bench: Desk) -> None:
    post_id = planned(bench)
    screen = compose(bench, post_id=post_id)
    type_text(screen, "!")
    screen.care.take_off()
    rest(bench)
    assert states(bench, post_id) == [State.CANCELLED]
    assert stored(bench).content.items[0].text == "planned!"
    assert screen.foot.button.words().startswith("Schedule for")
    assert screen.header.title.text() == "New post"


def test_what_left_already_opens_as_a_copy(harbor: Desk) -> None:
    with harbor.context.reading() as connection:
        sent = posts.search(connection, "Sunday is for the slow cups")[0]
    screen = compose(harbor, post_id=sent)
    assert "went out already" in screen.desk.notice.words
    write(harbor, screen, " Again.")
    assert stored(harbor, sent).content.items[0].text.endswith("opens at ten.")
    assert any(one.content.items[0].text.endswith("at ten. Again.") for one in drafts(harbor))


def test_accounts_of_a_planned_post_can_change(bench: Desk) -> None:
    second = add_practice(bench, "Second")
    post_id = planned(bench)
    screen = compose(bench, post_id=post_id)
    screen.desk.accounts.choose(second)
    screen.desk.accounts.choose(PRACTICE, False)
    screen.departure.press()
    rest(bench)
    assert states(bench, post_id) == [State.CANCELLED, State.SCHEDULED]


def test_what_is_typed_while_it_is_being_planned_is_not_lost(bench: Desk) -> None:
    screen = compose(bench)
    write(bench, screen, "one")
    screen.foot.take("tomorrow 9", "Europe/Berlin")
    schedule = screen.saver.schedule

    def slowly(*what: object, **more: object) -> None:
        schedule(*what, **more)  # type: ignore[arg-type]
        type_text(screen, " two")

    screen.saver.schedule = slowly  # type: ignore[assignment, method-assign]
    screen.departure.press()
    rest(bench)
    assert states(bench, 1) == [State.SCHEDULED]
    assert stored(bench, 1).content.items[0].text == "one"
    assert bench.window.current == "composer"
    assert screen.desk.current.body.text() == "one two"
    assert screen.header.status == "Changes not saved yet"


def test_a_planned_post_changed_elsewhere_asks_whose_text_counts(bench: Desk) -> None:
    post_id = planned(bench)
    screen = compose(bench, post_id=post_id)
    type_text(screen, " mine")
    when = When(datetime(2026, 11, 24, 9), "Europe/Berlin")
    bench.program.commands.posts.edit(post_id, Content((Item("theirs"),)), [Variant(PRACTICE)], when)
    screen.departure.press()
    rest(bench)
    assert "What you wrote here is still here." in screen.desk.notice.words
    assert stored(bench, post_id).content.items[0].text == "theirs"
    click(screen.desk.notice.links[0])
    rest(bench)
    assert stored(bench).content.items[0].text == "planned mine"
    assert compose(bench, post_id=post_id).desk.current.body.text() == "theirs"


def test_unsaved_changes_that_were_overtaken_say_so(bench: Desk) -> None:
    post_id = planned(bench)
    screen = compose(bench, post_id=post_id)
    type_text(screen, " mine")
    bench.window.compose()
    when = When(datetime(2026, 11, 24, 9), "Europe/Berlin")
    rest(bench)
    bench.program.commands.posts.edit(post_id, Content((Item("theirs"),)), [Variant(PRACTICE)], when)
    again = compose(bench, post_id=post_id)
    assert again.desk.current.body.text() == "planned mine"
    assert "changed elsewhere since" in again.desk.notice.words
