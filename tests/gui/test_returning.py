"""Coming back after an absence: what the sheet says, how it is used by keyboard, and when it comes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from sendoff.domain.absence import Absence, Cause
from sendoff.domain.delivery import State
from sendoff.store import absences, changes, deliveries
from sendoff.store.absences import Return
from sendoff.store.tables import deliveries as table
from sendoff.ui.activity.settling import SettleSheet
from sendoff.ui.returning.greeting import OFFER, Greeting
from sendoff.ui.returning.sheet import WelcomeSheet, view_of
from sendoff.ui.returning.words import Kind, groups, sentence
from sendoff.ui.widgets.button import KINDS, Button
from tests.gui.desk import Desk
from tests.gui.returning_states import BEGAN, ENDED, WEEKEND, Fell, come_back, rest
from tests.gui.sample import GRAM, NOW, TALK, TOOT

Told = list[tuple[str, str]]
QUIZ = WEEKEND[3]


@pytest.fixture
def first_screen() -> str:
    return ""


@pytest.fixture
def told() -> Told:
    return []


@pytest.fixture
def greet(harbor: Desk, told: Told) -> Callable[[], Greeting]:
    """Begins to look for absences, as a session does when its profile is open."""

    def begin() -> Greeting:
        made = Greeting(harbor.context, lambda title, words: told.append((title, words)), harbor.window)
        harbor.settle()
        return made

    return begin


def found(desk: Desk) -> Return:
    with desk.context.reading() as connection:
        back = absences.welcome(connection)
    assert back is not None
    return back


def sheet_of(desk: Desk) -> WelcomeSheet:
    sheet = desk.window.overlay
    assert isinstance(sheet, WelcomeSheet)
    return sheet


def buttons(sheet: WelcomeSheet, words: str) -> list[Button]:
    return [one for one in sheet.findChildren(Button) if one.words() == words and one.isVisibleTo(sheet)]


def press(desk: Desk, button: Button) -> None:
    button.setFocus()
    QTest.keyClick(button, Qt.Key.Key_Return)
    desk.settle()


def state(desk: Desk, delivery_id: int) -> State:
    with desk.context.reading() as connection:
        return deliveries.get(connection, delivery_id).state


def unseen(desk: Desk) -> int:
    with desk.context.reading() as connection:
        return len(absences.unseen(connection))


# --- words --------------------------------------------------------------------------------------------------------


def test_each_group_says_what_became_of_it(harbor: Desk) -> None:
    come_back(harbor)
    said = {one.kind: (one.title, one.detail) for one in groups(found(harbor), view_of(harbor.context))}
    assert said == {
        Kind.DECIDE: ("2 need your decision", ""),
        Kind.LATE: ("2 went out late", "Between 37 min and 50 min late, as their rules allow."),
        Kind.MOVED: (
            "1 moved to another time",
            "“Staff picks: what Tomás drinks” to #announcements goes Tue 24 Nov 2026, 10:14 Europe/Berlin, in 15 h. "
            "Its rule: up to 2 h late, then at the next free time.",
        ),
        Kind.SKIPPED: (
            "1 was skipped",
            "“Sunday roast: 12 bags left” to harborcoffee@toot was due 14:14. "
            "Its rule: up to 15 min late, then skip it.",
        ),
        Kind.TO_GO: (
            "1 is still to go",
            "“Tomorrow: Guji on the bar” to #announcements was due 18:44. Waits for its turn.",
        ),
    }
    assert next(iter(said)) is Kind.DECIDE


@pytest.mark.parametrize(
    ("fell", "title", "detail"),
    [
        (replace(WEEKEND[0], after=570, sent=1.5), "1 went out 6 min late",
         "“Harbor opens at eight” to #announcements: 18:44, out at 18:50. Its rule: up to 2 h late, then ask."),
        (replace(WEEKEND[0], after=570, sent=7.9), "1 went out on time",
         "“Harbor opens at eight” to #announcements, 18:44."),
        (Fell(60, TALK, "On its way", "send", State.SENDING), "1 is still to go",
         "“On its way” to #announcements was due 10:14. Is leaving now."),
        (Fell(60, GRAM, "Nobody there", "send", State.FAILED, "No such room."), "1 needs your decision", ""),
    ],
)  # fmt: skip
def test_one_alone_is_told_in_a_sentence(harbor: Desk, fell: Fell, title: str, detail: str) -> None:
    come_back(harbor, [fell], with_moved=False)
    (group,) = groups(found(harbor), view_of(harbor.context))
    assert (group.title, group.detail) == (title, detail)


def test_what_is_still_to_go_says_what_it_waits_for(harbor: Desk) -> None:
    come_back(harbor, [Fell(60, TALK, "One", "send", State.SCHEDULED)], with_moved=False)
    view = view_of(harbor.context)

    def detail(**more: object) -> str:
        (group,) = groups(found(harbor), replace(view_of(harbor.context), **more))  # type: ignore[arg-type]
        return group.detail.partition("10:14. ")[2]

    assert detail() == "Waits for its turn."
    assert detail(paused=True) == "Waits because sending is paused."
    assert detail(unreached=frozenset({1 + TALK})) == "Waits until #announcements can be reached."
    rest(harbor, TALK)
    assert detail() == "#announcements rests until 18:57."
    assert not view.unreached


SLEPT = Absence(1, Cause.SLEEP, BEGAN, ENDED)
NIGHT = Absence(2, Cause.OFF, NOW - timedelta(hours=20), NOW - timedelta(hours=11))
WEEK = Absence(3, Cause.PAUSED, NOW - timedelta(days=3), NOW - timedelta(days=9))


@pytest.mark.parametrize(
    ("which", "words"),
    [
        ((SLEPT,), "Your computer slept from 09:14 to 18:50."),
        ((NIGHT,), "Sendoff was off from yesterday 22:52 to 07:52."),
        ((replace(SLEPT, cause=Cause.CLOCK),), "This computer’s clock was set from 09:14 to 18:50."),
        ((WEEK,), "Sending was paused from Fri 18:52 to 14 Nov 18:52."),
        ((NIGHT, SLEPT), "Sendoff was off from yesterday 22:52 to 07:52, and your computer slept from 09:14 to 18:50."),
        ((NIGHT, SLEPT, SLEPT), "Nothing could leave 3 times between yesterday 22:52 and 18:50."),
    ],
)
def test_when_nothing_could_leave(harbor: Desk, which: tuple[Absence, ...], words: str) -> None:
    said = sentence(Return(which, ()), (), view_of(harbor.context))
    assert said == f"{words} 0 posts fell into that time. Nothing needs you."


# --- the sheet ----------------------------------------------------------------------------------------------------


def test_it_comes_once_and_closing_it_is_having_seen_it(harbor: Desk, greet: Callable[[], Greeting]) -> None:
    come_back(harbor)
    greeting = greet()
    sheet = sheet_of(harbor)
    assert sheet.card.accessibleName() == "Welcome back"
    assert sheet.card.accessibleDescription() == (
        "Your computer slept from 09:14 to 18:50. 7 posts fell into that time. 2 need you."
    )
    focused = QApplication.focusWidget()
    assert focused is sheet.done
    assert sheet.done.words() == "Decide later"
    QTest.keyClick(focused, Qt.Key.Key_Escape)
    harbor.settle()
    assert (harbor.window.overlay, unseen(harbor)) == (None, 0)
    greeting.look()
    harbor.settle()
    assert harbor.window.overlay is None


def test_decisions_are_made_by_keyboard_and_the_sheet_follows(harbor: Desk, greet: Callable[[], Greeting]) -> None:
    ids = come_back(harbor)
    greet()
    sheet = sheet_of(harbor)
    assert [one._kind is KINDS["primary"] for one in buttons(sheet, "Send now")] == [True, False]
    reached = []
    for _ in range(20):
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        focused = QApplication.focusWidget()
        assert isinstance(focused, Button)
        reached.append(focused.words())
        if focused is sheet.done:
            break
    assert reached == ["Send now", "Another time", "Leave it"] * 2 + [
        "Show", "Details", "New time", "Details", "Decide later",
    ]  # fmt: skip
    press(harbor, buttons(sheet, "Send now")[0])  # the earlier one: the dog
    assert state(harbor, ids[4]) is State.SCHEDULED
    assert sheet.views[Kind.DECIDE].group.title == "1 needs your decision"
    assert sheet.views[Kind.TO_GO].group.title == "2 are still to go"
    press(harbor, buttons(sheet, "Leave it")[0])
    assert Kind.DECIDE not in sheet.views
    assert sheet.views[Kind.LEFT].group.title == "1 stays as it is"
    assert sheet.done.words() == "Close"
    assert QApplication.focusWidget() is sheet.done


def test_another_time_is_offered_and_read_back(harbor: Desk, greet: Callable[[], Greeting]) -> None:
    ids = come_back(harbor, [QUIZ], with_moved=False)
    greet()
    sheet = sheet_of(harbor)
    (row,) = [one for one in found(harbor).rows if one.delivery.id == ids[0]]
    words = [said for said, _ in sheet.times(row)]
    assert words == ["Next free time, Tue 14:24", "In an hour, 19:52"]
    sheet.give_time(row, sheet.times(row)[0][1])
    harbor.settle()
    assert harbor.window.said == "It goes Tue 14:24."
    assert state(harbor, ids[0]) is State.SCHEDULED
    assert harbor.window.overlay is None  # nothing is left to tell
    assert unseen(harbor) == 0


def test_a_group_unfolds_and_what_arrives_meanwhile_is_shown(harbor: Desk, greet: Callable[[], Greeting]) -> None:
    ids = come_back(harbor)
    greet()
    sheet = sheet_of(harbor)
    press(harbor, buttons(sheet, "Show")[0])
    assert [one.time for one in sheet.views[Kind.LATE].group.lines] == ["18:00 → 18:50", "18:14 → 18:50"]
    assert QApplication.focusWidget() is buttons(sheet, "Hide")[0]
    decisions = sheet.views[Kind.DECIDE]
    with harbor.program.store.writing(changes.DELIVERIES) as connection:
        connection.execute(sa.update(table).where(table.c.id == ids[5]).values(state="sent", sent_at=NOW))
    harbor.settle()
    assert Kind.TO_GO not in sheet.views
    assert [one.aside for one in sheet.views[Kind.LATE].group.lines] == ["50 min late", "37 min late", "8 min late"]
    assert sheet.views[Kind.DECIDE] is decisions  # what did not change stays, with its keyboard


def test_many_scroll_and_can_be_answered_at_once(harbor: Desk, greet: Callable[[], Greeting]) -> None:
    harbor.window.resize(960, 640)
    ids = come_back(harbor, [replace(QUIZ, after=60 + n) for n in range(100)], with_moved=False)
    greet()
    sheet = sheet_of(harbor)
    harbor.settle()
    assert sheet.card.height() <= harbor.window.height() - 48
    assert sheet.area.verticalScrollBar().maximum() > 0
    assert len(buttons(sheet, "Leave it")) == 12
    press(harbor, buttons(sheet, "Show 50 more of 100")[0])
    assert len(buttons(sheet, "Leave it")) == 62
    press(harbor, buttons(sheet, "Leave them all")[0])
    with harbor.context.reading() as connection:
        assert all(deliveries.get(connection, one).acknowledged for one in ids)
    assert list(sheet.views) == [Kind.LEFT]


def test_a_doubt_opens_its_own_sheet_over_this_one(harbor: Desk, greet: Callable[[], Greeting]) -> None:
    come_back(harbor, [Fell(60, GRAM, "Is it there?", "ask 2h", State.IN_DOUBT, "The line broke.")], with_moved=False)
    greet()
    welcome = sheet_of(harbor)
    press(harbor, buttons(welcome, "Settle it…")[0])
    settle = harbor.window.overlay
    assert isinstance(settle, SettleSheet)
    settle._answer(True)
    harbor.settle()
    assert harbor.window.overlay is welcome
    assert Kind.DECIDE not in welcome.views


# --- when it comes ------------------------------------------------------------------------------------------------


def test_nothing_is_said_where_nothing_fell_into_it(harbor: Desk, greet: Callable[[], Greeting]) -> None:
    ids = come_back(harbor, [QUIZ], with_moved=False)
    with harbor.program.store.writing(changes.DELIVERIES) as connection:
        connection.execute(sa.update(table).where(table.c.id == ids[0]).values(state="cancelled"))
    greet()
    assert (harbor.window.overlay, unseen(harbor)) == (None, 0)


def test_whoever_writes_is_not_interrupted(harbor: Desk, greet: Callable[[], Greeting], told: Told) -> None:
    greet()
    harbor.window.go("composer")
    harbor.settle()
    come_back(harbor)
    harbor.settle()
    assert harbor.window.overlay is None
    banners = harbor.window.banners
    assert banners is not None
    assert banners.words(OFFER).startswith("Welcome back. Your computer slept from 09:14 to 18:50.")
    press(harbor, banners.notices[OFFER].links[0])
    assert isinstance(harbor.window.overlay, WelcomeSheet)
    assert banners.words(OFFER) == ""
    assert told == []


def test_a_window_that_is_away_tells_it_and_shows_it_when_it_comes(
    harbor: Desk, greet: Callable[[], Greeting], told: Told
) -> None:
    greet()
    harbor.window.hide()
    come_back(harbor)
    harbor.settle()
    harbor.settle()
    assert told == [
        ("Welcome back", "Your computer slept from 09:14 to 18:50. 7 posts fell into that time. 2 need you.")
    ]
    assert harbor.window.overlay is None
    harbor.window.bring_up()
    harbor.until(lambda: harbor.window.overlay is not None)
    assert isinstance(harbor.window.overlay, WelcomeSheet)
    assert len(told) == 1


def test_another_sheet_is_waited_for(harbor: Desk, greet: Callable[[], Greeting]) -> None:
    greet()
    harbor.window.open_keys()
    keys = harbor.window.overlay
    assert keys is not None
    come_back(harbor, [replace(WEEKEND[0], where=TOOT)], with_moved=False)
    harbor.settle()
    assert harbor.window.overlay is keys
    keys.close_it()
    harbor.settle()
    assert isinstance(harbor.window.overlay, WelcomeSheet)
