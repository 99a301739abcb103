"""The frame: rail, pages, shortcuts, what floats, and that its buttons really do something."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from shiboken6 import isValid

from sendoff.bootstrap import Program
from sendoff.domain.errors import Refused
from sendoff.domain.post import Content, Item, Variant
from sendoff.domain.when import When
from sendoff.store import accounts, settings
from sendoff.ui.actions import keys_of, words_of
from sendoff.ui.asking import question
from sendoff.ui.ground import NARROW_RAIL, RAIL
from sendoff.ui.palette import HIT, Palette
from sendoff.ui.screens import ENTRIES, SCREENS
from sendoff.ui.sending import Part
from sendoff.ui.widgets.flow import FlowLayout
from tests.conftest import SetClock
from tests.gui.desk import Desk, judged
from tests.gui.returning_states import rest
from tests.gui.sample import GRAM


def press(desk: Desk, keys: str) -> None:
    QTest.keySequence(desk.window, keys)
    desk.settle()


# --- rail and pages -----------------------------------------------------------------------------------------------


def test_the_rail_has_the_screens_and_counts(harbor: Desk) -> None:
    rail = harbor.window.rail
    assert [item.entry.title for item in rail.items.values()] == ["Planner", "Drafts", "Activity", "Accounts"]
    assert rail.items["drafts"].accessibleName() == "Drafts, 5"
    assert rail.items["activity"].accessibleName() == "Activity, 4 things need you"
    assert rail._workspace.accessibleName() == "Harbor Coffee, 6 accounts"
    assert rail.width() == RAIL


def test_the_rail_marks_where_one_is(desk: Desk) -> None:
    marked = {}
    for name in SCREENS:
        desk.window.go(name)
        marked[name] = [one for one, item in desk.window.rail.items.items() if item.isChecked()]
    among = {name: [name] for name in ("planner", "drafts", "activity", "accounts")}
    assert marked == {**among, "add_account": ["accounts"], "composer": [], "preferences": [], "first_run": []}


def test_under_1100_the_rail_shows_icons_with_tooltips(harbor: Desk) -> None:
    harbor.window.resize(960, 640)
    QApplication.processEvents()
    assert harbor.window.rail.width() == NARROW_RAIL
    assert harbor.window.rail.items["drafts"].toolTip() == "Drafts  Ctrl+2"
    least = harbor.window.minimumSize()  # no larger than the screen, which has 800×800 where nobody sees it
    assert (least.width(), least.height()) == (800, 640)
    harbor.window.resize(1280, 800)
    QApplication.processEvents()
    assert harbor.window.rail.width() == RAIL


def test_screens_are_made_on_first_visit_and_stay(desk: Desk) -> None:
    assert desk.window.screen_named("drafts") is None
    QTest.mouseClick(desk.window.rail.items["drafts"], Qt.MouseButton.LeftButton)
    first = desk.window.screen_named("drafts")
    assert desk.window.current == "drafts"
    assert desk.window.rail.items["drafts"].isChecked()
    press(desk, "Ctrl+1")
    assert desk.window.current == "planner"
    assert not desk.window.rail.items["drafts"].isChecked()
    press(desk, "Ctrl+2")
    assert desk.window.screen_named("drafts") is first


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_every_screen_opens(desk: Desk, entry: object) -> None:
    desk.window.go(entry.name)  # type: ignore[attr-defined]
    desk.settle()
    assert desk.window.screen_named(entry.name).isVisible()  # type: ignore[attr-defined, union-attr]
    assert desk.window.rail.isVisible() is not entry.alone  # type: ignore[attr-defined]


def test_back_goes_where_one_came_from(desk: Desk) -> None:
    desk.window.go("drafts")
    desk.window.go("composer")
    assert desk.window.before == "Drafts"
    desk.context.back()
    assert desk.window.current == "drafts"


def test_a_screen_asks_again_when_its_topic_changes_and_only_while_it_is_seen(desk: Desk) -> None:
    desk.window.go("drafts")
    screen = desk.window.screen_named("drafts")
    asked: list[int] = []
    old = screen.model._ask  # type: ignore[union-attr]
    screen.model._ask = lambda limit: (asked.append(limit), old(limit))[1]  # type: ignore[union-attr]
    desk.settle()
    desk.program.commands.posts.save_draft(Content(items=(Item("Hello"),)), [])
    desk.settle()
    assert len(asked) == 1
    desk.window.go("planner")
    desk.program.commands.posts.save_draft(Content(items=(Item("Hello again"),)), [])
    desk.settle()
    assert len(asked) == 1
    desk.window.go("drafts")
    assert len(asked) == 2
    assert desk.window.rail.items["drafts"].accessibleName() == "Drafts, 2"


# --- the engine strip ---------------------------------------------------------------------------------------------


def test_pausing_and_resuming_really_changes_the_engine(
    open_profile: Callable[..., Program], open_desk: Callable[..., Desk]
) -> None:
    program = open_profile()
    desk = open_desk(program, engine=True)
    desk.until(lambda: desk.context.sending.part == "here")
    account = program.commands.accounts.add("practice", "Practice", {})
    press(desk, "Ctrl+P")
    desk.until(lambda: desk.context.sending.status().paused)
    assert desk.window.rail.strip._headline.text().startswith("Paused until ")
    post, _ = program.commands.posts.save_draft(Content(items=(Item("While paused"),)), [Variant(account)])
    program.commands.posts.schedule(post, When.at(desk.context.now(), "UTC"))
    desk.settle()
    practice = program.channels["practice"]
    assert practice.received() == []  # type: ignore[attr-defined]
    QTest.mouseClick(desk.window.rail.strip._pause, Qt.MouseButton.LeftButton)  # it says Resume now
    desk.until(lambda: practice.received())  # type: ignore[attr-defined]
    desk.until(lambda: desk.window.rail.strip._headline.text() == "Nothing planned")


def test_the_pause_button_offers_three_pauses(desk: Desk) -> None:
    strip = desk.window.rail.strip
    QTest.mouseClick(strip._pause, Qt.MouseButton.LeftButton)
    menu = strip._menu
    assert menu.isVisible()
    assert [action.text().split("\t")[0] for action in menu.actions()] == [
        "For 1 hour",
        "Until tomorrow",
        "Until I say so",
    ]
    menu.actions()[2].trigger()
    menu.close()
    desk.settle()
    with desk.context.reading() as connection:
        assert settings.read(connection)["paused_until"] == settings.FOREVER
    assert strip._headline.text() == "Paused"
    assert strip._pause.text() == "Resume"


def test_the_strip_says_what_stands_in_the_way(harbor: Desk) -> None:
    harbor.context.sending.part = Part.NOWHERE
    harbor.context.sending.trouble = "The keychain is locked. Unlock it, and the sending goes on."
    harbor.window.look_again()
    strip = harbor.window.rail.strip
    assert strip._headline.text() == "Sending waits"
    assert "keychain is locked" in strip._long.text()
    assert strip._dot.accessibleName().startswith("Sending waits")


# --- what floats --------------------------------------------------------------------------------------------------


def test_what_is_refused_is_said_in_a_sentence(desk: Desk) -> None:
    def work() -> None:
        raise Refused("It can’t be cancelled: it is leaving right now.")

    desk.context.do(work)
    desk.settle()
    assert desk.window.said == "It can’t be cancelled: it is leaving right now."


def test_done_can_be_undone_with_the_keyboard(desk: Desk) -> None:
    happened: list[str] = []
    desk.context.do(lambda: happened.append("done"), said="Moved to Tue 09:00.", undo=lambda: happened.append("undone"))
    desk.settle()
    assert desk.window.said == "Moved to Tue 09:00."
    press(desk, "Ctrl+Z")
    assert happened == ["done", "undone"]
    assert desk.window.said == ""


def test_a_question_is_answered_and_shortcuts_rest_meanwhile(desk: Desk) -> None:
    answers: list[str] = []
    desk.context.ask("Remove it?", "It cannot be undone.", "Remove it", lambda: answers.append("yes"), danger=True)
    assert QApplication.focusWidget().text() == "Cancel"  # type: ignore[union-attr]
    press(desk, "Ctrl+2")
    assert desk.window.current == "planner"
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Return)
    assert answers == ["yes"]
    assert desk.window.overlay is None
    press(desk, "Ctrl+2")
    assert desk.window.current == "drafts"


def test_escape_answers_nothing(desk: Desk) -> None:
    answers: list[str] = []
    sheet = question(
        desk.look,
        desk.window,
        "Sure?",
        "",
        "Yes",
        lambda: answers.append("yes"),
        otherwise=lambda: answers.append("no"),
    )
    desk.window.show_overlay(sheet)
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Escape)
    assert answers == []
    assert desk.window.overlay is None


def test_the_keys_are_listed_by_group(desk: Desk) -> None:
    press(desk, "F1")
    assert desk.window.overlay is not None
    listed = {(words_of(one), keys_of(one)) for one in desk.window.doable() if keys_of(one)}
    assert ("New post", "Ctrl+N") in listed
    assert ("Go to Accounts", "Ctrl+4") in listed
    QTest.keyClick(desk.window.overlay, Qt.Key.Key_Escape)


def test_no_two_actions_share_a_key(desk: Desk) -> None:
    keys = [keys_of(one) for one in desk.window.doable() if keys_of(one)]
    assert len(keys) == len(set(keys))


# --- the palette --------------------------------------------------------------------------------------------------


@pytest.fixture
def palette(harbor: Desk) -> Palette:
    press(harbor, "Ctrl+K")
    overlay = harbor.window.overlay
    assert isinstance(overlay, Palette)
    assert overlay.field.hasFocus()
    judged(overlay.model)
    return overlay


def hits(palette: Palette) -> list[str]:
    model = palette.model
    return [model.index(row).data(HIT).words for row in range(model.rowCount())]


def test_the_palette_finds_posts_drafts_and_commands(harbor: Desk, palette: Palette) -> None:
    QTest.keyClicks(palette.field, "guji")
    harbor.settle()
    found = hits(palette)
    assert found[0] == "Posts · 5"
    assert "Guji natural: apricot, black tea and a little of the holidays" in found
    assert "New beans: Guji, Yirgacheffe, Huila" in found  # a draft
    assert found[-1] == "New post with “guji”"


def test_the_palette_opens_a_command_with_enter(harbor: Desk, palette: Palette) -> None:
    QTest.keyClicks(palette.field, "go to drafts")
    harbor.settle()
    QTest.keyClick(palette.field, Qt.Key.Key_Return)
    harbor.settle()
    assert harbor.window.current == "drafts"
    assert harbor.window.overlay is None


def test_the_arrows_walk_over_headings_and_around(harbor: Desk, palette: Palette) -> None:
    QTest.keyClicks(palette.field, "harbor")
    harbor.settle()
    first = palette.list.currentIndex().data(HIT).words
    seen = []
    for _ in range(palette.model.rowCount()):
        seen.append(palette.list.currentIndex().data(HIT))
        QTest.keyClick(palette.field, Qt.Key.Key_Down)
        if palette.list.currentIndex().data(HIT).words == first:
            break
    assert all(hit.run for hit in seen)
    assert palette.list.currentIndex().data(HIT).words == first
    QTest.keyClick(palette.field, Qt.Key.Key_Up)
    assert palette.list.currentIndex().row() == palette.model.rowCount() - 1


def test_the_palette_finds_accounts_by_handle(harbor: Desk, palette: Palette) -> None:
    QTest.keyClicks(palette.field, "toot.example")
    harbor.settle()
    assert hits(palette)[:2] == ["Accounts · 1", "harborcoffee@toot"]
    QTest.mouseClick(palette.list.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(60, 45))
    harbor.settle()
    assert harbor.window.current == "accounts"


def test_strange_words_find_nothing_and_break_nothing(harbor: Desk, palette: Palette) -> None:
    for words in ('"', "*", "AND OR NOT", "a" * 5000, "💥", "'; DROP TABLE posts; --", "قهوة"):
        palette.field.setText(words)
        harbor.settle()
        assert hits(palette)[-1].startswith("New post with")
    assert "قهوة جديدة من إثيوبيا وصلت اليوم إلى الميناء" in hits(palette)


def test_a_late_answer_does_not_replace_a_newer_one(harbor: Desk, palette: Palette) -> None:
    shown: list[list[str]] = []
    palette.model.modelReset.connect(lambda: shown.append(hits(palette)))
    palette.field.setText("guji")
    palette.field.setText("wholesale")
    harbor.settle()
    assert not any("Guji natural" in one for one in shown)
    assert hits(palette)[:2] == ["Posts · 1", "Wholesale price list, winter 2026/27, for cafés and offices"]


# --- after a while ------------------------------------------------------------------------------------------------


def test_the_strip_counts_down(
    open_profile: Callable[..., Program], open_desk: Callable[..., Desk], clock: SetClock
) -> None:
    program = open_profile(clock=clock)
    account = program.commands.accounts.add("practice", "Practice", {})
    post, _ = program.commands.posts.save_draft(Content(items=(Item("Soon"),)), [Variant(account)])
    program.commands.posts.schedule(post, When.at(clock.now(), "UTC"))
    desk = open_desk(program)
    strip = desk.window.rail.strip
    assert strip._headline.text() == "Sending now"
    program.commands.deliveries.move([1], When.at(clock.now() + timedelta(minutes=68), "UTC"))
    desk.settle()
    assert strip._detail.text() == "Practice · in 1 h 8 min"
    clock.advance(3600)
    desk.window.look_again()
    assert strip._detail.text() == "Practice · in 8 min"


def test_a_sheet_that_closes_takes_nothing_of_the_window_along(desk: Desk) -> None:
    """PySide6 once made the whole window a child of the sheet, because the sheet asked for Qt's focus chain."""
    desk.window.go("first_run")
    desk.settle()
    layouts = [one for one in desk.window.findChildren(FlowLayout) if one.count()]
    assert layouts
    desk.window.ask("Really?", "It cannot be undone.", "Yes", lambda: None)
    sheet = desk.window.overlay
    assert sheet is not None
    for _ in range(4):
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
    sheet.close_it()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    for layout in layouts:
        assert all(isValid(layout.itemAt(place)) for place in range(layout.count()))


# --- what stands in the way ---------------------------------------------------------------------------------------


def test_a_trouble_is_told_whole_above_every_page(harbor: Desk) -> None:
    banners = harbor.window.banners
    assert banners is not None
    assert not banners.isVisible()
    harbor.context.sending.part = Part.NOWHERE
    harbor.context.sending.trouble = "Nothing takes them, and this sentence is a long one. " * 4
    harbor.window.look_again()
    for page in ("planner", "activity", "accounts"):
        harbor.window.go(page)
        harbor.settle()
        assert banners.isVisible()
        notice = banners.notices["trouble"]
        label = notice._words
        assert label.text() == harbor.context.sending.trouble
        assert label.height() >= label.heightForWidth(label.width())
    harbor.context.sending.trouble = ""
    harbor.context.sending.part = Part.HERE
    harbor.window.look_again()
    assert not banners.isVisible()


def test_a_resting_account_is_asked_from_the_banner(harbor: Desk) -> None:
    rest(harbor, GRAM)
    harbor.settle()
    banners = harbor.window.banners
    assert banners is not None
    ask, show = banners.notices["rest"].links
    ask.setFocus()
    harbor.window.look_again()
    assert banners.notices["rest"].links[0] is ask
    assert ask.hasFocus()
    QTest.keyClick(ask, Qt.Key.Key_Return)
    harbor.settle()
    with harbor.context.reading() as connection:
        assert accounts.get(connection, 1 + GRAM).rest_until == harbor.context.now()
    assert banners.words("rest").startswith("Harbor News: is asked now")
    QTest.mouseClick(show, Qt.MouseButton.LeftButton)
    assert harbor.window.current == "accounts"
