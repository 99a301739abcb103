"""The planner as a list: rows and headings, pages in both directions, hover buttons, and the search."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QContextMenuEvent, QHelpEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QToolTip

from sendoff.bootstrap import Program
from sendoff.domain.delivery import PartPlan
from sendoff.domain.post import Content, Item, Plan, Variant
from sendoff.domain.when import When
from sendoff.store import accounts, deliveries, posts, settings
from sendoff.store.timeline import Chip
from sendoff.ui.planner.list import HIGH
from sendoff.ui.planner.screen import PlannerScreen
from tests.conftest import SetClock
from tests.gui import sample
from tests.gui.desk import Desk, judged
from tests.gui.planner_states import screen_of

LEFT, CONTROL = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def planner(harbor: Desk) -> PlannerScreen:
    harbor.window.resize(1280, 800)
    screen = screen_of(harbor)
    judged(screen.list.rows)
    QTest.keySequence(harbor.window, "V")
    harbor.settle()
    assert screen.list.isVisible()
    return screen


def row_of(screen: PlannerScreen, words: str) -> int:
    return next(
        place
        for place, line in enumerate(screen.list.rows.rows)
        if line.entry is not None and line.entry.chip.excerpt.startswith(words)
    )


def middle(screen: PlannerScreen, words: str) -> QPoint:
    return screen.list.visualRect(screen.list.rows.index(row_of(screen, words))).center()


def click(screen: PlannerScreen, words: str, held: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    QTest.mouseClick(screen.list.viewport(), LEFT, held, middle(screen, words))


def selected(screen: PlannerScreen) -> list[str]:
    return [chip.excerpt.split()[0] for chip in screen.list.selected]


def said(screen: PlannerScreen, row: int) -> str:
    return str(screen.list.rows.index(row).data())


def top_line(screen: PlannerScreen) -> str:
    return said(screen, screen.list.indexAt(QPoint(5, 5)).row())


# --- rows ---------------------------------------------------------------------------------------------------------


def test_days_are_headings_and_today_is_on_top(harbor: Desk, planner: PlannerScreen) -> None:
    assert planner.toolbar.title.text() == "From today"
    assert planner.toolbar.aside.text() == "Mon 23 Nov – Wed 25 Nov"
    assert top_line(planner) == "Today, Mon 23 Nov"
    place = planner.list.indexAt(QPoint(5, 5)).row()
    assert said(planner, place + 1).startswith("Mon 23 Nov, 08:30, Sent, Morning!")
    assert said(planner, place + 8) == "Tomorrow, Tue 24 Nov"
    assert said(planner, 0) == "Yesterday, Sun 22 Nov"
    assert {planner.list.visualRect(planner.list.rows.index(row)).height() for row in range(12)} == {HIGH}


def test_weeks_are_paged_from_day_to_day(harbor: Desk, planner: PlannerScreen) -> None:
    harbor.window.resize(960, 640)
    harbor.settle()
    QTest.keySequence(harbor.window, "Alt+Left")
    assert planner.toolbar.title.text() == "From 16 Nov"
    assert top_line(planner) == "Yesterday, Sun 22 Nov"
    QTest.keySequence(harbor.window, "T")
    assert top_line(planner) == "Today, Mon 23 Nov"


def test_the_keyboard_steps_over_headings(harbor: Desk, planner: PlannerScreen) -> None:
    click(planner, "Last call")
    QTest.keyClick(planner.list, Qt.Key.Key_Down)
    assert selected(planner) == ["Guji"]
    QTest.keyClick(planner.list, Qt.Key.Key_Up)
    assert selected(planner) == ["Last"]
    QTest.keyClick(planner.list, Qt.Key.Key_Home)
    assert selected(planner) == ["Sunday"]
    QTest.keyClick(planner.list, Qt.Key.Key_Escape)
    assert selected(planner) == []


def test_a_moved_row_stays_selected(harbor: Desk, planner: PlannerScreen) -> None:
    click(planner, "Staff picks")
    QTest.keySequence(planner.list, "Ctrl+Right")
    harbor.settle()
    assert selected(planner) == ["Staff"]
    assert "Thu 26 Nov, 15:00" in said(planner, row_of(planner, "Staff picks"))
    QTest.keyClick(planner.list, Qt.Key.Key_Delete)
    harbor.settle()
    assert not any("Staff picks" in said(planner, row) for row in range(len(planner.list.rows.rows)))
    QTest.keySequence(harbor.window, "Ctrl+Z")
    harbor.settle()
    assert "Thu 26 Nov, 15:00" in said(planner, row_of(planner, "Staff picks"))


def test_two_rows_bring_the_bar(harbor: Desk, planner: PlannerScreen) -> None:
    click(planner, "Behind the counter")
    assert not planner.bar.isVisible()
    click(planner, "What shall we", CONTROL)
    assert planner.bar.accessibleName() == "2 selected"
    QTest.mouseClick(planner.bar.cancel, LEFT)
    harbor.settle()
    assert harbor.window.said == "2 posts were cancelled."
    assert not planner.bar.isVisible()


def test_headings_cannot_be_selected(harbor: Desk, planner: PlannerScreen) -> None:
    click(planner, "Behind the counter")
    heading = next(row for row, line in enumerate(planner.list.rows.rows) if line.entry is None and row > 5)
    QTest.mouseClick(
        planner.list.viewport(), LEFT, pos=planner.list.visualRect(planner.list.rows.index(heading)).center()
    )
    assert selected(planner) == ["Behind"]


def test_the_buttons_of_a_row(harbor: Desk, planner: PlannerScreen, monkeypatch: pytest.MonkeyPatch) -> None:
    view, place = planner.list.viewport(), middle(planner, "Behind the counter")
    left = view.width() - 20 - 132 - 12 - 136
    edit, shift, cancel = (QPoint(left + 30 * number + 14, place.y()) for number in range(3))
    QTest.mouseMove(view, edit)
    planner.list.grab()
    QApplication.sendEvent(view, QHelpEvent(QEvent.Type.ToolTip, cancel, view.mapToGlobal(cancel)))
    assert QToolTip.text() == "Cancel the post"
    QTest.mouseClick(view, LEFT, pos=shift)
    (menu,) = [menu for menu in planner.list.findChildren(QMenu) if menu.isVisible()]
    next(action for action in menu.actions() if action.text() == "1 hour later").trigger()
    menu.hide()
    harbor.settle()
    assert "Tue 24 Nov, 11:30" in said(planner, row_of(planner, "Behind"))
    QTest.mouseClick(view, LEFT, pos=QPoint(cancel.x(), middle(planner, "Behind").y()))
    harbor.settle()
    assert harbor.window.said == "Cancelled. Its text is in Drafts."
    QTest.mouseClick(view, LEFT, pos=QPoint(edit.x(), middle(planner, "Table for").y()))
    assert harbor.window.current == "composer"


def test_tips_and_menus(harbor: Desk, planner: PlannerScreen) -> None:
    view, place = planner.list.viewport(), middle(planner, "Behind the counter")
    QApplication.sendEvent(view, QHelpEvent(QEvent.Type.ToolTip, place, view.mapToGlobal(place)))
    assert QToolTip.text() == "Tue 24 Nov, 10:30\nEurope/Berlin · in 16 h\n#announcements, Harbor News"
    for reason, at in ((QContextMenuEvent.Reason.Mouse, place), (QContextMenuEvent.Reason.Keyboard, QPoint())):
        QApplication.sendEvent(view, QContextMenuEvent(reason, at, view.mapToGlobal(at)))
        (menu,) = [menu for menu in planner.list.findChildren(QMenu) if menu.isVisible() and menu.actions()]
        assert [action.text() for action in menu.actions()][:3] == ["Edit", "Show in Activity", "Send now"]
        menu.hide()


def test_enter_and_double_click_open(harbor: Desk, planner: PlannerScreen) -> None:
    click(planner, "Staff picks")
    QTest.keyClick(planner.list, Qt.Key.Key_Enter)
    assert harbor.window.current == "composer"
    harbor.window.go("planner")
    place = middle(planner, "Morning")
    QTest.mouseClick(planner.list.viewport(), LEFT, pos=place)
    QTest.mouseDClick(planner.list.viewport(), LEFT, pos=place)
    assert harbor.window.current == "activity"


def test_midnight_renames_the_days(harbor: Desk, planner: PlannerScreen, clock: SetClock) -> None:
    clock.advance(6 * 3600)
    planner._tick()
    place = row_of(planner, "Guji natural: apricot") - 1
    assert said(planner, place) == "Today, Tue 24 Nov"


def test_back_in_the_week_the_same_post_is_selected(harbor: Desk, planner: PlannerScreen) -> None:
    click(planner, "Staff picks")
    QTest.mouseClick(planner.toolbar.views._parts["week"], LEFT)
    harbor.settle()
    assert [chip.excerpt.split()[0] for chip in planner.week.selected] == ["Staff"]
    assert planner.week.hasFocus()


def test_one_can_be_sent_to_a_row(harbor: Desk, planner: PlannerScreen) -> None:
    line = planner.list.rows.rows[row_of(planner, "Sunday roast")]
    assert line.entry is not None
    harbor.context.go("planner", post_id=line.entry.chip.post_id, at=line.entry.chip.when)
    harbor.settle()
    assert selected(planner) == ["Sunday"]
    assert planner.toolbar.title.text() == "From 24 November", "that is what stands at the top"


# --- pages --------------------------------------------------------------------------------------------------------


def fill(program: Program, before: int, after: int) -> None:
    """One post an hour, so many before now and after it."""
    with program.store.writing("deliveries") as connection:
        settings.write(connection, "zone", sample.ZONE)
        account = accounts.insert(
            connection, workspace_id=1, channel="practice", name="ada", handle="", url="", settings={}, learned={},
            secret_ref=None, spacing=0, now=sample.NOW,
        )  # fmt: skip
        for number in range(-before, after):
            content = Content(items=(Item(f"hour {number}"),))
            post_id = posts.insert(connection, 1, content, [Variant(account)], Plan(), sample.NOW)
            posts.set_draft(connection, post_id, False)
            when = When.at(sample.NOW + timedelta(hours=number), sample.ZONE)
            deliveries.insert(
                connection, post_id=post_id, account_id=account, when=when, late="send", give_up_at=when.instant,
                plans=[PartPlan()], now=sample.NOW,
            )  # fmt: skip


def test_more_is_read_in_both_directions(
    open_profile: Callable[..., Program], open_desk: Callable[..., Desk], clock: SetClock
) -> None:
    program = open_profile(clock=clock)
    fill(program, 250, 450)
    desk = open_desk(program)
    screen = screen_of(desk)
    judged(screen.list.rows)
    screen.switch()
    desk.settle()
    assert top_line(screen) == "Today, Mon 23 Nov"
    first = len(screen.list.rows.rows)
    assert 300 < first < 380
    bar = screen.list.verticalScrollBar()
    bar.setValue(bar.maximum())
    desk.settle()
    assert len(screen.list.rows.rows) > first
    for _ in range(10):
        bar.setValue(bar.maximum())
        desk.settle()
    assert said(screen, len(screen.list.rows.rows) - 1).startswith("Sat 12 Dec, 11:52, Scheduled, hour 449")
    for _ in range(6):
        bar.setValue(300)
        desk.settle()
    bar.setValue(0)
    assert said(screen, 1).startswith("Fri 13 Nov, 08:52, Scheduled, hour -250")


def test_what_is_read_above_does_not_move_what_one_sees(
    open_profile: Callable[..., Program], open_desk: Callable[..., Desk], clock: SetClock
) -> None:
    program = open_profile(clock=clock)
    fill(program, 250, 50)
    desk = open_desk(program)
    screen = screen_of(desk)
    screen.switch()
    desk.settle()
    before = len(screen.list.rows.rows)
    screen.list.verticalScrollBar().setValue(390)  # nearer to the top than what is kept ready
    assert len(screen.list.rows.rows) > before
    place = screen.list.indexAt(QPoint(5, 5))
    assert screen.list.verticalScrollBar().value() == (len(screen.list.rows.rows) - before) * HIGH + 390
    assert screen.list.visualRect(place).top() == -30


# --- searching ----------------------------------------------------------------------------------------------------


@pytest.fixture
def week(harbor: Desk) -> PlannerScreen:
    harbor.window.resize(1280, 800)
    return screen_of(harbor)


def search(desk: Desk, screen: PlannerScreen, words: str) -> list[str]:
    QTest.keySequence(desk.window, "Ctrl+F")
    QTest.keyClicks(screen.toolbar.search, words)
    desk.settle()
    return [line.entry.chip.excerpt.split()[0] for line in screen.list.rows.rows if line.entry is not None]


def test_the_search_lists_what_it_finds(harbor: Desk, week: PlannerScreen) -> None:
    assert search(harbor, week, "tv quiz") == []
    assert week._nothing.isVisible()
    assert week._nothing.sentence.text() == "No post with “tv quiz” is planned or was sent."
    QTest.keyClick(week.toolbar.search, Qt.Key.Key_Escape)
    assert week.week.isVisible()
    assert search(harbor, week, "quiz") == ["Table", "Quiz", "Quiz"]
    assert (week.toolbar.title.text(), week.toolbar.aside.text()) == ("“quiz”", "3 posts")
    assert not week.toolbar.on.isEnabled()
    QTest.keyClick(week.toolbar.search, Qt.Key.Key_Down)
    QTest.keyClick(week.list, Qt.Key.Key_Down)
    assert selected(week) == ["Quiz"]
    QTest.keyClick(week.list, Qt.Key.Key_Delete)
    harbor.settle()
    assert week.toolbar.aside.text() == "2 posts"


def test_a_found_post_is_shown_in_its_week(harbor: Desk, week: PlannerScreen) -> None:
    assert search(harbor, week, "slow cups") == ["Sunday"]
    click(week, "Sunday is for")
    QTest.mouseClick(week.toolbar.views._parts["week"], LEFT)
    harbor.settle()
    assert week.toolbar.search.text() == ""
    assert week.toolbar.title.text() == "16 – 22 November 2026"
    assert [chip.excerpt.split()[0] for chip in week.week.selected] == ["Sunday"]


def test_search_and_filter_together(harbor: Desk, week: PlannerScreen) -> None:
    week.filters.choose({6})
    harbor.settle()
    assert search(harbor, week, "quiz") == ["Table"]
    week.filters.choose({3})
    assert week._nothing.sentence.text() == "No post with “quiz” for @harborcoffee is planned or was sent."
    week.show_everything()
    harbor.settle()
    assert week.week.isVisible()
    assert len(week.week.spots()) == 25


def test_keys_of_the_planner_rest_while_one_types(harbor: Desk, week: PlannerScreen) -> None:
    assert search(harbor, week, "tv") == []
    assert week.toolbar.search.text() == "tv"
    assert week.is_list
    QTest.keyClick(week.toolbar.search, Qt.Key.Key_Escape)
    QTest.keyClick(week.toolbar.search, Qt.Key.Key_Escape)
    assert week.week.hasFocus()


def test_a_late_answer_does_not_replace_a_newer_one(harbor: Desk, week: PlannerScreen) -> None:
    week.toolbar.search.setText("quiz")
    week.toolbar.search.setText("")
    harbor.settle()
    assert week.week.isVisible()
    week.toolbar.search.setText("quiz")
    week.toolbar.search.setText("wholesale")
    harbor.settle()
    assert len(week.list.rows.rows) == 2


def test_what_waits_for_an_account_that_rests_says_so(harbor: Desk, planner: PlannerScreen) -> None:
    (chip,) = [one for one in chips_of(planner) if one.excerpt == "Table for the quiz night"]
    with harbor.program.store.writing("accounts") as connection:
        accounts.update(
            connection, 1 + sample.GRAM, strikes=5, rest_until=chip.at + timedelta(minutes=3), rest_reason="No room."
        )
    harbor.settle()
    row = row_of(planner, "Table for the quiz night")
    said = planner.list.model().index(row, 0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert said.endswith("Harbor News rests until Tue 17:33")
    with harbor.program.store.writing("accounts") as connection:
        accounts.update(connection, 1 + sample.GRAM, ready_at=chip.at + timedelta(minutes=9))
    harbor.settle()
    said = planner.list.model().index(row, 0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert said.endswith("Harbor News waits until Tue 17:39")
    later = row_of(planner, "Sunday roast")
    assert "until" not in planner.list.model().index(later, 0).data(Qt.ItemDataRole.AccessibleTextRole)


def chips_of(planner: PlannerScreen) -> list[Chip]:
    return [line.entry.chip for line in planner.list.rows.rows if line.entry is not None]
