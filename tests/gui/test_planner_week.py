"""The week under mouse and keyboard: selecting, dragging, cancelling, the preview card, paging."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from PySide6.QtCore import QEvent, QPoint, QRect, Qt
from PySide6.QtGui import QContextMenuEvent, QHelpEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QToolTip, QWidget

from sendoff.bootstrap import Program
from sendoff.domain.post import Content, Item, Variant
from sendoff.domain.when import When
from sendoff.store import timeline
from sendoff.store.timeline import Chip
from sendoff.ui.planner.layout import y_of
from sendoff.ui.planner.screen import PlannerScreen
from sendoff.ui.screen import Screen
from sendoff.ui.widgets.button import Button
from sendoff.ui.widgets.label import Label
from tests.conftest import SetClock
from tests.gui import planner_states, sample
from tests.gui.desk import Desk
from tests.gui.planner_states import point_at, screen_of, spot_with

LEFT, CONTROL, SHIFT, ALT = (
    Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)  # fmt: skip
NONE = Qt.KeyboardModifier.NoModifier


@pytest.fixture
def planner(harbor: Desk) -> PlannerScreen:
    harbor.window.resize(1280, 800)
    return screen_of(harbor)


def click(screen: PlannerScreen, words: str, held: Qt.KeyboardModifier = NONE) -> None:
    QTest.mouseClick(screen.week.viewport(), LEFT, held, point_at(screen, words))


def drag(screen: PlannerScreen, words: str, days: int, down: int, held: Qt.KeyboardModifier = NONE) -> None:
    """Takes a chip and puts it down so many days further on and so many px further down."""
    view, start = screen.week.viewport(), point_at(screen, words)
    end = start + QPoint(days * (view.width() - 56) // 7, down)
    QTest.mousePress(view, LEFT, held, start)
    for part in (1, 2, 3, 4):
        QTest.mouseMove(view, start + (end - start) * part / 4)
        _move(view, start + (end - start) * part / 4, held)
    QTest.mouseRelease(view, LEFT, held, end)


def _move(view: QWidget, to: QPoint, held: Qt.KeyboardModifier) -> None:
    """A move with a button and keys held, which QTest cannot make."""
    from PySide6.QtGui import QMouseEvent

    place = view.mapToGlobal(to)
    event = QMouseEvent(QEvent.Type.MouseMove, to.toPointF(), place.toPointF(), Qt.MouseButton.NoButton, LEFT, held)
    QApplication.sendEvent(view, event)


def chips_of(desk: Desk, words: str) -> list[Chip]:
    with desk.context.reading() as connection:
        found = timeline.between(connection, sample.NOW - timedelta(days=9), sample.NOW + timedelta(days=200))
    return [chip for chip in found if chip.excerpt.startswith(words)]


def wall(desk: Desk, words: str) -> str:
    (chip,) = chips_of(desk, words)
    return f"{When.at(chip.at, sample.ZONE).wall:%a %H:%M}"


def selected(screen: PlannerScreen) -> list[str]:
    return [chip.excerpt.split()[0] for chip in screen.week.selected]


def gone(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, object]]]:
    """Where `go` was asked to go."""
    asked: list[tuple[str, dict[str, object]]] = []
    go = desk.window.go
    monkeypatch.setattr(desk.window, "go", lambda name, **what: (asked.append((name, what)), go(name, **what)))
    return asked


def texts(widget: QWidget) -> list[str]:
    return [one.text() for one in widget.findChildren(Label) if one.isVisible()]


# --- what is shown ------------------------------------------------------------------------------------------------


def test_the_week_of_now_is_shown(planner: PlannerScreen) -> None:
    assert planner.toolbar.title.text() == "23 – 29 November 2026"
    assert planner.toolbar.aside.text() == "Week 48"
    assert len(planner.week.spots()) == 25
    assert planner.week.verticalScrollBar().value() == 7 * 48
    assert not planner.bar.isVisible()
    assert planner.filters.drafts.text() == "Drafts · 5"


def test_a_narrow_window_has_a_short_title_and_an_icon(harbor: Desk, planner: PlannerScreen) -> None:
    harbor.window.resize(960, 640)
    harbor.settle()
    assert planner.toolbar.title.text() == "23 – 29 Nov 2026"
    assert not planner.toolbar.search.isVisible()
    assert planner.filters.more.text() == "+2"
    QTest.keySequence(harbor.window, "Ctrl+F")
    assert planner.toolbar.search.hasFocus()


def test_the_week_begins_as_the_setting_says(harbor: Desk, planner: PlannerScreen) -> None:
    harbor.program.commands.settings.set("week_start", "sunday")
    harbor.settle()
    assert planner.toolbar.title.text() == "22 – 28 November 2026"
    assert [spot.entry.chip.state for spot in planner.week.spots()][:2] == ["sent", "missed"]


def test_paging_and_today(harbor: Desk, planner: PlannerScreen) -> None:
    planner.week.setFocus()
    QTest.keySequence(harbor.window, "Alt+Right")
    QTest.mouseClick(planner.toolbar.on, LEFT)
    assert planner.toolbar.title.text() == "7 – 13 December 2026"
    assert planner.week.spots() == []
    QTest.keySequence(harbor.window, "T")
    assert planner.toolbar.title.text() == "23 – 29 November 2026"
    QTest.mouseClick(planner.toolbar.back, LEFT)
    assert planner.toolbar.title.text() == "16 – 22 November 2026"
    assert [spot.entry.chip.state for spot in planner.week.spots()] == ["sent", "missed"]


def test_the_line_for_now_moves_and_midnight_comes(harbor: Desk, planner: PlannerScreen, clock: SetClock) -> None:
    before = planner.week.grab().toImage()
    clock.advance(3600)
    planner._tick()
    assert planner.week.grab().toImage() != before
    clock.advance(7 * 24 * 3600)
    planner._tick()
    assert planner.toolbar.title.text() == "30 November – 6 December 2026"
    assert planner._minute.isActive()
    harbor.window.go("drafts")
    assert not planner._minute.isActive()


def test_only_the_days_that_changed_are_painted_again(harbor: Desk, planner: PlannerScreen) -> None:
    before = dict(planner.week._pixmaps)
    assert len(before) == 7
    commands, (chip,) = harbor.program.commands, chips_of(harbor, "Sunday roast")
    commands.deliveries.cancel(chip.ids)
    harbor.settle()
    same = [day for day, pixmap in before.items() if planner.week._pixmaps.get(day) is pixmap]
    assert [day.day for day in same] == [23, 24, 25, 26, 27, 28]


def test_light_and_dark(harbor: Desk, planner: PlannerScreen) -> None:
    harbor.look.choose("dark")
    harbor.settle()
    dark = planner.week.grab().toImage()
    harbor.look.choose("light")
    harbor.settle()
    assert planner.week.grab().toImage() != dark


def test_a_filter_shows_whole_posts_of_some_accounts(harbor: Desk, planner: PlannerScreen) -> None:
    QTest.mouseClick(planner.filters._chips[2], LEFT)
    harbor.settle()
    assert not planner.filters.all.isChecked()
    shown = {spot.entry.chip.excerpt[:12]: len(spot.entry.chip.seats) for spot in planner.week.spots()}
    assert shown["We finally f"] == 3
    assert len(shown) == 6
    QTest.mouseClick(planner.filters.all, LEFT)
    assert len(planner.week.spots()) == 25


def test_an_empty_week_says_why(harbor: Desk, planner: PlannerScreen) -> None:
    planner.filters.choose({3})
    planner.page(3)
    assert texts(planner.notice) == ["Nothing for @harborcoffee in this week."]
    QTest.mouseClick(planner.notice.findChild(Button), LEFT)
    assert planner.filters.chosen == frozenset()
    assert not planner.notice.isVisible()


def test_accounts_that_do_not_fit_are_in_a_menu(harbor: Desk, planner: PlannerScreen) -> None:
    harbor.window.resize(960, 640)
    harbor.settle()
    QTest.mouseClick(planner.filters.more, LEFT)
    (menu,) = [menu for menu in planner.filters.findChildren(QMenu) if menu.isVisible()]
    assert [action.text() for action in menu.actions()] == ["#announcements", "Harbor News"]
    menu.actions()[1].trigger()
    menu.hide()
    assert planner.filters.names() == "Harbor News"
    assert planner.filters.more.isChecked()


def test_an_empty_planner_teaches(desk: Desk) -> None:
    screen = screen_of(desk)
    assert "Nothing is planned yet" in texts(screen)
    account = desk.program.commands.accounts.add("practice", "Practice", {})
    post, _ = desk.program.commands.posts.save_draft(Content(items=(Item("Soon"),)), [Variant(account)])
    desk.program.commands.posts.schedule(post, When.at(desk.context.now() + timedelta(minutes=5), "UTC"))
    desk.settle()
    assert screen._pages.currentIndex() == 0
    desk.program.commands.deliveries.cancel([1])
    desk.settle()
    assert screen._pages.currentIndex() == 1


# --- the mouse ----------------------------------------------------------------------------------------------------


def test_clicks_select(harbor: Desk, planner: PlannerScreen) -> None:
    click(planner, "Behind the counter")
    assert selected(planner) == ["Behind"]
    assert not planner.bar.isVisible()
    click(planner, "We finally fixed", CONTROL)
    assert selected(planner) == ["Behind", "We"]
    assert texts(planner.bar) == ["2 selected"]
    click(planner, "Behind the counter", CONTROL)
    assert selected(planner) == ["We"]
    click(planner, "Advent box", SHIFT)
    assert selected(planner) == ["Behind", "قهوة", "Table", "What", "Quiz", "Wholesale", "We", "Staff", "Advent"]
    click(planner, "Staff picks")
    assert selected(planner) == ["Staff"]
    QTest.mouseClick(planner.week.viewport(), LEFT, pos=QPoint(planner.week.viewport().width() - 40, 20))
    assert selected(planner) == []


def test_a_drag_moves_and_is_undone(harbor: Desk, planner: PlannerScreen) -> None:
    drag(planner, "Staff picks", 1, -80)
    harbor.settle()
    assert wall(harbor, "Staff picks") == "Thu 13:15"
    assert harbor.window.said == "Moved to Thu 26 Nov, 13:15."
    assert selected(planner) == ["Staff"]
    assert planner.week.rect_of(spot_with(planner, "Staff picks")).isValid()
    QTest.keySequence(harbor.window, "Ctrl+Z")
    harbor.settle()
    assert wall(harbor, "Staff picks") == "Wed 15:00"


def test_across_days_the_time_of_day_stays(harbor: Desk, planner: PlannerScreen) -> None:
    commands, (chip,) = harbor.program.commands, chips_of(harbor, "Staff picks")
    commands.deliveries.move(chip.ids, When(datetime(2026, 11, 25, 15, 7), sample.ZONE))
    harbor.settle()
    drag(planner, "Staff picks", -1, 3)
    harbor.settle()
    assert wall(harbor, "Staff picks") == "Tue 15:07"
    drag(planner, "Staff picks", 0, 12, ALT)
    harbor.settle()
    assert wall(harbor, "Staff picks") == "Tue 15:22"


def test_escape_ends_a_drag(harbor: Desk, planner: PlannerScreen) -> None:
    view, start = planner.week.viewport(), point_at(planner, "Staff picks")
    QTest.mousePress(view, LEFT, pos=start)
    _move(view, start + QPoint(0, 60), NONE)
    assert planner.week._drag is not None
    assert [f"{one.wall:%H:%M}" for one in planner.week._drag.ghosts()] == ["16:15"]
    planner.week.grab()
    QTest.keyClick(planner.week, Qt.Key.Key_Escape)
    QTest.mouseRelease(view, LEFT, pos=start + QPoint(0, 60))
    harbor.settle()
    assert wall(harbor, "Staff picks") == "Wed 15:00"
    assert harbor.window.said == ""


def test_what_cannot_move_says_why(harbor: Desk, planner: PlannerScreen) -> None:
    for words, because in (
        ("Last call", "It can’t be moved: it is leaving right now."),
        ("Morning", "It can’t be moved: it was sent."),
        ("Cupping this", "It can’t be moved: it may have gone out already: settle the doubt first."),
        ("Friday flat", "It can’t be moved: the endpoint holds it already."),
    ):
        drag(planner, words, 1, 60)
        assert harbor.window.said == because


def test_the_past_is_refused(harbor: Desk, planner: PlannerScreen) -> None:
    drag(planner, "Behind the counter", -1, 0)
    harbor.settle()
    assert wall(harbor, "Behind the counter") == "Tue 10:30"
    assert "that is past" in harbor.window.said


def test_several_are_dragged_together(harbor: Desk, planner: PlannerScreen) -> None:
    click(planner, "Behind the counter")
    click(planner, "Staff picks", CONTROL)
    click(planner, "Friday flat", CONTROL)
    drag(planner, "Staff picks", 1, 48)
    harbor.settle()
    assert (wall(harbor, "Behind"), wall(harbor, "Staff")) == ("Wed 11:30", "Thu 16:00")
    assert wall(harbor, "Friday flat") == "Fri 09:00"
    assert harbor.window.said == "2 posts moved 1 day 1 h later. 1 stays as it is."
    QTest.keySequence(harbor.window, "Ctrl+Z")
    harbor.settle()
    assert (wall(harbor, "Behind"), wall(harbor, "Staff")) == ("Tue 10:30", "Wed 15:00")


def test_only_what_has_not_left_moves(harbor: Desk, planner: PlannerScreen) -> None:
    """A post that failed for one account and was sent to the other: the failed one goes its own way."""
    with harbor.program.store.writing("deliveries") as connection:
        connection.exec_driver_sql("UPDATE deliveries SET state = 'failed' WHERE id = 4")
    harbor.settle()
    drag(planner, "Morning", 2, 96)
    harbor.settle()
    first, second = chips_of(harbor, "Morning")
    assert [seat.state for seat in (*first.seats, *second.seats)] == ["sent", "scheduled"]
    assert harbor.window.said == "Moved to Wed 25 Nov, 10:30. For 1 account it stays as it is."
    assert harbor.window._undo_bar is not None
    assert not harbor.window._undo_bar.can_undo  # the old time is past


def test_double_clicks(harbor: Desk, planner: PlannerScreen, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, view = gone(harbor, monkeypatch), planner.week.viewport()
    place = QPoint(point_at(planner, "Advent box").x(), round(y_of(15 * 60 + 20)) - planner.week._scroll())
    QTest.mouseDClick(view, LEFT, pos=place)
    ((name, what),) = asked
    assert (name, what["at"].isoformat()) == ("composer", "2026-11-26T15:15:00+01:00")  # type: ignore[attr-defined]
    harbor.window.go("planner")
    asked.clear()
    QTest.mouseDClick(view, LEFT, pos=point_at(planner, "Advent box"))
    assert asked == [("activity", {"delivery_id": spot_with(planner, "Advent box").entry.chip.ids[0]})]


def test_the_past_has_no_new_posts(harbor: Desk, planner: PlannerScreen, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, view = gone(harbor, monkeypatch), planner.week.viewport()
    QTest.mouseDClick(view, LEFT, pos=QPoint(150, round(y_of(9 * 60 + 50)) - planner.week._scroll()))
    assert asked == []
    assert harbor.window.said == "That time is past. Choose one that is still to come."


def test_the_quarter_that_has_begun_means_the_next(
    harbor: Desk, planner: PlannerScreen, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.advance(3 * 3600)  # 21:52, below everything of the day
    planner._tick()
    planner.week.verticalScrollBar().setValue(600)
    asked = gone(harbor, monkeypatch)
    place = QPoint(150, round(y_of(21 * 60 + 50)) - planner.week._scroll())
    QTest.mouseDClick(planner.week.viewport(), LEFT, pos=place)
    ((_, what),) = asked
    assert what["at"].isoformat() == "2026-11-23T22:00:00+01:00"  # type: ignore[attr-defined]


def test_a_crowd_opens_as_a_list(harbor: Desk) -> None:
    planner_states.busy(harbor)
    screen = screen_of(harbor)
    crowd = next(spot for spot in screen.week.spots() if spot.more)
    where = screen.week.rect_of(crowd).center()
    tip = QHelpEvent(QEvent.Type.ToolTip, where, screen.week.viewport().mapToGlobal(where))
    QApplication.sendEvent(screen.week.viewport(), tip)
    assert QToolTip.text().count("\n") >= len(crowd.entries) - 1
    QTest.mouseClick(screen.week.viewport(), LEFT, pos=where)
    assert screen.is_list
    assert [chip.key for chip in screen.list.selected] == [crowd.entry.chip.key]


# --- the keyboard -------------------------------------------------------------------------------------------------


def test_arrows_walk(harbor: Desk, planner: PlannerScreen) -> None:
    said, keys = [], Qt.Key
    for key in (keys.Key_Right, keys.Key_Right, keys.Key_Down, keys.Key_Left, keys.Key_Home, keys.Key_Up, keys.Key_End):
        QTest.keyClick(planner.week, key)
        said.append(planner.week.accessibleDescription().split(", ")[0:2])
    assert said == [
        ["Tue 24 Nov", "09:00"],  # the first from now on
        ["Wed 25 Nov", "10:00"],
        ["Wed 25 Nov", "13:00"],
        ["Tue 24 Nov", "10:30"],  # the nearest in time, the earlier of two
        ["Tue 24 Nov", "09:00"],
        ["Tue 24 Nov", "09:00"],
        ["Tue 24 Nov", "17:30"],
    ]


def test_a_screen_reader_hears_everything(harbor: Desk, planner: PlannerScreen) -> None:
    click(planner, "We finally fixed")
    assert planner.week.accessibleDescription() == (
        "Wed 25 Nov, 13:00, Scheduled, We finally fixed the espresso machine. It only took four people, two manuals "
        "and one very patient dog 🐕, to harborcoffee@toot, harborcoffee.example, #announcements"
    )


def test_arrows_go_on_into_the_next_week(harbor: Desk, planner: PlannerScreen) -> None:
    click(planner, "Live from")
    QTest.keyClick(planner.week, Qt.Key.Key_Right)
    assert selected(planner) == ["Sunday"]
    QTest.keyClick(planner.week, Qt.Key.Key_Right)
    assert planner.toolbar.title.text() == "30 November – 6 December 2026"
    planner.page(-1)
    click(planner, "Morning")
    QTest.keyClick(planner.week, Qt.Key.Key_Left)
    assert planner.toolbar.title.text() == "16 – 22 November 2026"
    assert "Missed" in planner.week.accessibleDescription()


def test_shift_and_arrows_select_more(planner: PlannerScreen) -> None:
    click(planner, "Wholesale")
    QTest.keyClick(planner.week, Qt.Key.Key_Down, SHIFT)
    QTest.keyClick(planner.week, Qt.Key.Key_Down, SHIFT)
    assert selected(planner) == ["Wholesale", "We", "Staff"]
    QTest.keyClick(planner.week, Qt.Key.Key_Space, CONTROL)
    assert selected(planner) == ["Wholesale", "We"]
    QTest.keyClick(planner.week, Qt.Key.Key_A, CONTROL)
    assert len(selected(planner)) == 25
    QTest.keyClick(planner.week, Qt.Key.Key_Escape)
    assert selected(planner) == []


def test_del_cancels_and_undo_brings_it_back(harbor: Desk, planner: PlannerScreen) -> None:
    click(planner, "Staff picks")
    QTest.keyClick(planner.week, Qt.Key.Key_Delete)
    harbor.settle()
    assert chips_of(harbor, "Staff picks") == []
    assert harbor.window.said == "Cancelled. Its text is in Drafts."
    QTest.keySequence(harbor.window, "Ctrl+Z")
    harbor.settle()
    assert wall(harbor, "Staff picks") == "Wed 15:00"


def test_what_was_sent_cannot_be_cancelled(harbor: Desk, planner: PlannerScreen) -> None:
    click(planner, "Morning")
    QTest.keyClick(planner.week, Qt.Key.Key_Delete)
    harbor.settle()
    assert harbor.window.said == "It can’t be cancelled: it was sent."


def test_enter_opens(harbor: Desk, planner: PlannerScreen, monkeypatch: pytest.MonkeyPatch) -> None:
    for words, screen in (
        ("Staff picks", "composer"),
        ("Lunch at", "composer"),
        ("Morning", "activity"),
        ("Cupping this", "activity"),
        ("Friday flat", "activity"),
    ):
        harbor.window.go("planner")
        with monkeypatch.context() as patch:
            asked = gone(harbor, patch)
            chip = spot_with(planner, words).entry.chip
            click(planner, words)
            QTest.keyClick(planner.week, Qt.Key.Key_Return)
            what = {"post_id": chip.post_id} if screen == "composer" else {"delivery_id": chip.ids[0]}
            assert asked == [(screen, what)]


def test_keys_move_a_chip(harbor: Desk, planner: PlannerScreen) -> None:
    click(planner, "Staff picks")
    for keys in ("Ctrl+Down", "Ctrl+Down", "Ctrl+Right", "Ctrl+Up"):
        QTest.keySequence(planner.week, keys)
        harbor.settle()
    assert wall(harbor, "Staff picks") == "Thu 15:15"
    assert selected(planner) == ["Staff"]


def menu_at(planner: PlannerScreen, reason: QContextMenuEvent.Reason, at: QPoint) -> list[str]:
    view = planner.week.viewport()
    QApplication.sendEvent(view, QContextMenuEvent(reason, at, view.mapToGlobal(at)))
    menus = [menu for menu in planner.week.findChildren(QMenu) if menu.isVisible()]
    words = [action.text() for menu in menus for action in menu.actions()]
    for menu in menus:
        menu.hide()
    return words


def test_menus(harbor: Desk, planner: PlannerScreen) -> None:
    mouse, key = QContextMenuEvent.Reason.Mouse, QContextMenuEvent.Reason.Keyboard
    found = menu_at(planner, mouse, point_at(planner, "Staff picks"))
    assert found == ["Edit", "Show in Activity", "Send now", "Shift", "Cancel the post"]
    assert menu_at(planner, key, QPoint()) == found
    assert menu_at(planner, mouse, point_at(planner, "2 for 1")) == [
        "Edit", "Show in Activity", "Sign in again", "Shift", "Cancel the post",
    ]  # fmt: skip
    assert menu_at(planner, mouse, point_at(planner, "Lunch at"))[2] == "Try again"
    assert menu_at(planner, mouse, point_at(planner, "Morning")) == ["Show in Activity"]
    place = QPoint(point_at(planner, "Advent box").x(), round(y_of(15 * 60 + 20)) - planner.week._scroll())
    assert menu_at(planner, mouse, place) == ["New post for 15:15"]
    click(planner, "Staff picks")
    click(planner, "Wholesale", CONTROL)
    assert menu_at(planner, mouse, point_at(planner, "Wholesale")) == ["Shift", "Cancel 2 posts"]


def test_all_keys_are_listed_and_none_twice(harbor: Desk, planner: PlannerScreen) -> None:
    from sendoff.ui.actions import keys_of, words_of

    listed = {words_of(one): keys_of(one) for one in harbor.window.doable()}
    assert listed["Open the post"] == "Return"
    assert listed["Switch between week and list"] == "V"
    keys = [one for one in listed.values() if one]
    assert len(keys) == len(set(keys))


# --- several ------------------------------------------------------------------------------------------------------


def test_the_selection_bar_shifts_and_cancels(harbor: Desk, planner: PlannerScreen) -> None:
    planner_states.several(harbor)
    menu = planner.bar.shift._menu
    assert menu is not None
    menu.aboutToShow.emit()
    next(action for action in menu.actions() if action.text() == "1 day later").trigger()
    harbor.settle()
    assert (wall(harbor, "Behind"), wall(harbor, "We finally")) == ("Wed 10:30", "Thu 13:00")
    assert texts(planner.bar) == ["2 selected"]
    QTest.mouseClick(planner.bar.cancel, LEFT)
    harbor.settle()
    assert chips_of(harbor, "Behind") == chips_of(harbor, "We finally") == []
    assert harbor.window.said == "2 posts were cancelled."
    assert not planner.bar.isVisible()
    QTest.keySequence(harbor.window, "Ctrl+Z")
    harbor.settle()
    assert wall(harbor, "Behind") == "Wed 10:30"


def test_a_shift_by_words(harbor: Desk, planner: PlannerScreen) -> None:
    planner_states.shift(harbor)
    sheet = harbor.window.overlay
    assert sheet is not None
    assert "10:30 becomes Wed 25 Nov, 12:30" in texts(sheet)
    QTest.keyClick(sheet.field, Qt.Key.Key_Return)  # type: ignore[attr-defined]
    harbor.settle()
    assert (wall(harbor, "Behind"), wall(harbor, "We finally")) == ("Wed 12:30", "Thu 15:00")


def test_what_is_no_span_stays_in_the_sheet(harbor: Desk, planner: PlannerScreen) -> None:
    planner_states.several(harbor)
    planner.deeds.ask_shift(planner.week.selected)
    sheet = harbor.window.overlay
    assert sheet is not None
    QTest.keyClicks(sheet.field, "tomorrow")  # type: ignore[attr-defined]
    QTest.keyClick(sheet.field, Qt.Key.Key_Return)  # type: ignore[attr-defined]
    assert harbor.window.overlay is sheet
    assert any("Write it like" in words for words in texts(sheet))
    sheet.close_it()


# --- the card -----------------------------------------------------------------------------------------------------


def test_the_card_comes_after_a_moment_and_goes(harbor: Desk, planner: PlannerScreen) -> None:
    planner_states.with_picture(harbor)
    view = planner.week.viewport()
    QTest.mouseMove(view, point_at(planner, "We finally fixed"))
    assert planner.card.entry is None
    harbor.until(lambda: planner.card.entry)
    harbor.settle()
    said = texts(planner.card)
    assert said[:2] == ["Wed 25 Nov, 13:00", "Europe/Berlin · in 1 day 18 h"]
    assert said[2:8] == [
        "@harborcoffee@toot.example", "103 / 500", "harborcoffee.example", "103 / 300",
        "Harbor Regulars & Friends of the Pier", "Own text",
    ]  # fmt: skip
    assert said[-1] == "Needs this computer awake"
    assert planner.card._pictures
    assert harbor.window.rect().contains(planner.card.geometry().adjusted(36, 36, -36, -36))
    QTest.mouseMove(view, QPoint(20, 300))
    harbor.until(lambda: planner.card.entry is None)


def test_in_a_narrow_window_the_card_leaves_its_chip_free(harbor: Desk, planner: PlannerScreen) -> None:
    harbor.window.setMinimumSize(720, 450)
    harbor.window.resize(720, 450)
    harbor.settle()
    for words in ("Morning", "We finally", "Quiz night", "Sunday roast"):
        planner.week.jump_to(spot_with(planner, words).entry.chip.post_id, sample.NOW)
        spot = spot_with(planner, words)
        chip = planner.week.rect_of(spot)
        chip.moveTopLeft(planner.week.viewport().mapToGlobal(chip.topLeft()))
        planner.card.show_entry(spot.entry, lambda chip=chip: chip)  # type: ignore[misc]
        card = planner.card.geometry().adjusted(36, 36, -36, -36)
        assert harbor.window.rect().contains(card)
        assert not card.intersects(QRect(harbor.window.mapFromGlobal(chip.topLeft()), chip.size()))


def buttons(planner: PlannerScreen) -> dict[str, Button]:
    return {one.accessibleName(): one for one in planner.card.findChildren(Button) if one.isVisible()}


def test_the_card_offers_what_can_be_done(harbor: Desk, planner: PlannerScreen) -> None:
    for words, names, note in (
        ("We finally", ["Edit", "Send now", "Cancel the post", "More"], "Needs this computer awake"),
        ("Morning", ["Show in Activity", "More"], ""),
        ("Lunch at", ["Edit", "Try again", "Cancel the post", "More"], "X refused it"),
        ("2 for 1", ["Edit", "Sign in", "Cancel the post", "More"], "X no longer accepts the key"),
        ("Cupping this", ["Show in Activity", "More"], "The message left"),
        ("Friday flat", ["Show in Activity", "Cancel the post", "More"], "Mastodon holds it"),
    ):
        click(planner, words)
        QTest.keyClick(planner.week, Qt.Key.Key_Space)
        assert list(buttons(planner)) == names
        assert any(one.startswith(note) for one in texts(planner.card))


def test_the_card_has_the_keyboard_and_gives_it_back(harbor: Desk, planner: PlannerScreen) -> None:
    click(planner, "Staff picks")
    QTest.keyClick(planner.week, Qt.Key.Key_Space)
    assert buttons(planner)["Edit"].hasFocus()
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Escape)
    assert planner.card.entry is None
    assert planner.week.hasFocus()


def test_a_card_that_is_not_true_any_more_goes(harbor: Desk, planner: PlannerScreen) -> None:
    click(planner, "Staff picks")
    QTest.keyClick(planner.week, Qt.Key.Key_Space)
    harbor.program.commands.accounts.rename(1, "another name")
    harbor.settle()
    assert planner.card.entry is not None
    harbor.program.commands.deliveries.cancel(planner.card.entry.chip.ids)
    harbor.settle()
    assert planner.card.entry is None


def test_send_now_asks_and_sends(harbor: Desk, planner: PlannerScreen) -> None:
    click(planner, "Staff picks")
    QTest.keyClick(planner.week, Qt.Key.Key_Space)
    QTest.mouseClick(buttons(planner)["Send now"], LEFT)
    sheet = harbor.window.overlay
    assert sheet is not None
    assert any("instead of Wed 25 Nov, 15:00" in words for words in texts(sheet))
    QTest.mouseClick(next(one for one in sheet.findChildren(Button) if one.words() == "Send now"), LEFT)
    harbor.settle()
    assert wall(harbor, "Staff picks") == "Mon 18:52"


def test_try_again_keeps_the_time_it_had(harbor: Desk, planner: PlannerScreen) -> None:
    planner.deeds.send_now(spot_with(planner, "Lunch at").entry.chip)
    sheet = harbor.window.overlay
    assert sheet is not None
    QTest.mouseClick(next(one for one in sheet.findChildren(Button) if one.words() == "Send now"), LEFT)
    harbor.settle()
    (chip,) = chips_of(harbor, "Lunch at")
    assert (chip.state, wall(harbor, "Lunch at")) == ("held", "Mon 12:15")  # its account needs a sign-in
    assert "sign in again first" in harbor.window.said


# --- changes of the clock -----------------------------------------------------------------------------------------


def choose(planner: PlannerScreen, number: int) -> list[str]:
    """Picks from the menu that asks which time is meant."""
    (menu,) = [menu for menu in planner.findChildren(QMenu) if menu.isVisible()]
    words = [action.text() for action in menu.actions()]
    menu.actions()[number].trigger()
    menu.hide()
    return words


def test_a_skipped_hour_is_asked_about(harbor: Desk, planner: PlannerScreen) -> None:
    chip = spot_with(planner, "Staff picks").entry.chip
    planner.deeds.move(chip, datetime(2027, 3, 28, 2, 30))
    assert choose(planner, 2) == ["There is no 02:30", "01:30 CET", "03:30 CEST"]
    harbor.settle()
    assert wall(harbor, "Staff picks") == "Sun 03:30"


def test_an_hour_that_comes_twice_is_asked_about(harbor: Desk, planner: PlannerScreen) -> None:
    chip = spot_with(planner, "Staff picks").entry.chip
    planner.deeds.move(chip, datetime(2027, 10, 31, 2, 30))
    assert choose(planner, 2) == ["02:30 comes twice that day", "02:30 CEST", "02:30 CET"]
    harbor.settle()
    with harbor.context.reading() as connection:
        (moved,) = timeline.of_posts(connection, [chip.post_id])
    assert (moved.when.fold, moved.at) == (1, datetime(2027, 10, 31, 1, 30, tzinfo=UTC))


def test_a_post_of_another_zone_stays_in_it(harbor: Desk, planner: PlannerScreen) -> None:
    (chip,) = chips_of(harbor, "Staff picks")
    harbor.program.commands.deliveries.move(chip.ids, When(datetime(2026, 11, 25, 14, 0), "Europe/London"))
    harbor.settle()
    assert spot_with(planner, "Staff picks").entry.foreign
    drag(planner, "Staff picks", 1, 0)
    harbor.settle()
    (chip,) = chips_of(harbor, "Staff picks")
    assert chip.when == When(datetime(2026, 11, 26, 14, 0), "Europe/London")


# --- arriving -----------------------------------------------------------------------------------------------------


def test_one_can_be_sent_to_a_post(harbor: Desk, planner: PlannerScreen) -> None:
    harbor.window.go("drafts")
    (chip,) = chips_of(harbor, "Sunday is")
    harbor.context.go("planner", post_id=chip.post_id, at=chip.when)
    harbor.settle()
    assert planner.toolbar.title.text() == "16 – 22 November 2026"
    assert selected(planner) == ["Sunday"]
    assert planner.week.viewport().rect().contains(planner.week.rect_of(spot_with(planner, "Sunday is")))
    planner.filters.choose({3})
    (chip,) = chips_of(harbor, "Quiz night, table")
    harbor.context.go("planner", post_id=chip.post_id)
    harbor.settle()
    assert selected(planner) == ["Quiz"]
    assert planner.filters.chosen == frozenset()
    harbor.context.go("planner", at=datetime(2027, 5, 5, tzinfo=UTC))
    assert planner.toolbar.title.text() == "3 – 9 May 2027"


def test_arriving_in_a_window_just_made(
    open_profile: Callable[..., Program], open_desk: Callable[..., Desk], clock: SetClock
) -> None:
    program = open_profile(clock=clock)
    sample.fill(program)
    desk = open_desk(program, screen="drafts")
    (chip,) = chips_of(desk, "Quiz night, table")
    desk.context.go("planner", post_id=chip.post_id, at=chip.when)
    desk.settle()
    screen: Screen | None = desk.window.screen_named("planner")
    assert isinstance(screen, PlannerScreen)
    assert selected(screen) == ["Quiz"]
    assert screen.week.viewport().rect().contains(screen.week.rect_of(spot_with(screen, "Quiz night, table")))
