"""Activity: what needs the person, what became of everything, and what can be done about it."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from PySide6.QtCore import QModelIndex, QObject, QPoint, Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLineEdit, QMenu

from sendoff.bootstrap import Program
from sendoff.domain.account import AccountState
from sendoff.domain.delivery import Outcome, PartPlan, Receipt, State
from sendoff.domain.post import Content, Item, Plan, Variant
from sendoff.domain.when import When
from sendoff.store import accounts, activity, changes, codec, deliveries, doubts, outgoing, posts
from sendoff.store.tables import attempts, parts
from sendoff.store.tables import deliveries as table
from sendoff.ui.actions import words_of
from sendoff.ui.activity import screen as screen_module
from sendoff.ui.activity.days import EDGE, count_rect
from sendoff.ui.activity.lines import Day, Line, Room
from sendoff.ui.activity.received import ReceivedSheet
from sendoff.ui.activity.screen import ActivityScreen
from sendoff.ui.activity.settling import SettleSheet
from sendoff.ui.activity.trace import Mono
from sendoff.ui.widgets.button import KINDS, Button
from sendoff.ui.widgets.label import Label
from sendoff.ui.window import LEAST
from tests.gui.desk import Desk, judged
from tests.gui.sample import NOW, ZONE


@pytest.fixture
def first_screen() -> str:
    return "activity"


def shown(desk: Desk, **what: object) -> ActivityScreen:
    desk.window.go("activity", **what)
    desk.settle()
    screen = desk.window.screen_named("activity")
    assert isinstance(screen, ActivityScreen)
    judged(screen.model)
    return screen


@pytest.fixture
def screen(harbor: Desk) -> ActivityScreen:
    return shown(harbor)


def posts_of(screen: ActivityScreen) -> list[Line]:
    return [line for line in screen.model.rows if isinstance(line, Line)]


def line(screen: ActivityScreen, words: str) -> Line:
    return next(one for one in posts_of(screen) if one.text.startswith(words))


def state(desk: Desk, one: Line, place: int = 0) -> State:
    with desk.context.reading() as connection:
        return deliveries.get(connection, one.rows[place].delivery.id).state


def choose(screen: ActivityScreen, words: str) -> Line:
    one = line(screen, words)
    screen.list.setFocus()
    screen.list.setCurrentIndex(screen.model.index(screen.model.place_of(one.key)))
    return one


def button(screen: ActivityScreen, words: str) -> Button:
    return next(one for one in screen.needs.buttons() if one.words() == words)


def click(desk: Desk, widget: Button) -> None:
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton)
    desk.settle()


def key(desk: Desk, screen: ActivityScreen, which: Qt.Key) -> None:
    QTest.keyClick(screen.list, which)
    desk.settle()


def said_in(widget: object) -> list[str]:
    return [label.text() for label in widget.findChildren(Label) if not label.isHidden()]  # type: ignore[attr-defined]


class Opened(QObject):
    """Takes the addresses that would go to the browser."""

    def __init__(self) -> None:
        super().__init__()
        self.urls: list[str] = []

    @Slot(QUrl)
    def take(self, url: QUrl) -> None:
        self.urls.append(url.toString())


@pytest.fixture
def browser(qapp: QApplication) -> Iterator[list[str]]:
    taker = Opened()
    QDesktopServices.setUrlHandler("https", taker, "take")
    yield taker.urls
    QDesktopServices.unsetUrlHandler("https")


# --- what needs the person ----------------------------------------------------------------------------------------


def test_each_row_says_what_where_when_why(screen: ActivityScreen) -> None:
    names = [row.accessibleName() for row in screen.needs._ordered()]
    assert names == [
        "In doubt: “Cupping this Saturday, six seats left”, Harbor News, Today 14:00",
        "Failed: “Lunch at the pier: soup and sourdough until it’s gone”, @harborcoffee, Today 12:15",
        "Sign-in needed: X wants you to sign in again · 1 post waits, @harborcoffee, next Fri 11:00",
        "Missed: “عرض نهاية الأسبوع: كوبان بسعر واحد”, Harbor News, 22 Nov 19:00",
    ]
    assert "Change a word and it will go." in screen.needs._ordered()[1].accessibleDescription()
    assert screen.needs._badge.accessibleName() == "4 things need you"


def test_one_button_is_the_screens_and_it_is_the_safest(screen: ActivityScreen) -> None:
    ahead = [one.words() for one in screen.findChildren(Button) if one._kind is KINDS["primary"] and one.isVisible()]
    assert ahead == ["Look in Telegram"]


def test_looking_opens_the_network(harbor: Desk, screen: ActivityScreen, browser: list[str]) -> None:
    click(harbor, button(screen, "Look in Telegram"))
    assert browser == ["https://t.me/harborcoffee_news"]


@pytest.mark.parametrize(
    ("answer", "after", "said"),
    [
        ("It is there", State.SENT, "Settled: it is there."),
        ("It isn’t, send again", State.SCHEDULED, "Settled: it goes again now."),
    ],
)
def test_a_doubt_is_settled_after_a_question(
    harbor: Desk, screen: ActivityScreen, answer: str, after: State, said: str
) -> None:
    one = line(screen, "Cupping")
    click(harbor, button(screen, answer))
    sheet = harbor.window.overlay
    assert isinstance(sheet, SettleSheet)
    assert dict(sheet.facts)["Left"] == "The last try began today 14:00:00.2 and was over after 29.8 s."
    why = "A Telegram bot can’t read what it sent. Look into the chat whether it is there."
    assert dict(sheet.facts)["Channel"] == why
    assert not sheet.look_again.isEnabled()
    assert sheet.look_again.accessibleDescription() == why
    told = said_in(sheet)
    assert "It counts as sent, and nothing goes out again." in told
    assert "It goes out again now. If it did arrive after all, people get it twice." in told
    assert "Neither answer can be taken back." in said_in(sheet)
    assert state(harbor, one) is State.IN_DOUBT
    click(harbor, next(part for part in sheet.findChildren(Button) if part.words() == answer))
    assert state(harbor, one) is after
    assert harbor.window.said == said
    assert len(screen.needs._rows) == 3


def test_in_a_small_window_page_down_shows_what_the_answers_do(harbor: Desk, screen: ActivityScreen) -> None:
    harbor.window.setMinimumSize(LEAST)
    harbor.window.resize(LEAST)
    click(harbor, button(screen, "It is there"))
    sheet = harbor.window.overlay
    assert isinstance(sheet, SettleSheet)
    bar = sheet.page.verticalScrollBar()
    assert bar.maximum() > 0 == bar.value()
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_PageDown)
    assert bar.value() == bar.maximum()
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_PageUp)
    assert bar.value() == 0
    yes = next(part for part in sheet.findChildren(Button) if part.words() == "It is there")
    assert yes.accessibleDescription() == "It counts as sent, and nothing goes out again."


def test_a_network_that_can_be_asked_is_asked_from_the_sheet(harbor: Desk, screen: ActivityScreen) -> None:
    one = add(harbor, "Where is it?", account=1, minutes=-20, state=State.IN_DOUBT)
    SettleSheet.show_for(harbor.context, one, True)
    sheet = harbor.window.overlay
    assert isinstance(sheet, SettleSheet)
    assert "looks through your own posts" in dict(sheet.facts)["Channel"]
    click(harbor, sheet.look_again)
    assert harbor.window.overlay is None
    with harbor.context.reading() as connection:
        assert deliveries.get(connection, one).look_at == NOW


def test_sending_again_takes_more_than_one_enter(harbor: Desk, screen: ActivityScreen) -> None:
    one = line(screen, "Cupping")
    click(harbor, button(screen, "It isn’t, send again"))
    focused = QApplication.focusWidget()
    assert isinstance(focused, Button)
    assert focused.words() == "Decide later"
    QTest.keyClick(focused, Qt.Key.Key_Return)
    harbor.settle()
    click(harbor, button(screen, "It is there"))
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Escape)
    harbor.settle()
    assert harbor.window.overlay is None
    assert state(harbor, one) is State.IN_DOUBT


def test_a_doubt_that_is_settled_meanwhile_is_not_asked(harbor: Desk, screen: ActivityScreen) -> None:
    one = line(screen, "Cupping")
    harbor.program.commands.deliveries.settle(one.rows[0].delivery.id, True)
    QTest.mouseClick(button(screen, "It is there"), Qt.MouseButton.LeftButton)
    assert harbor.window.overlay is None
    assert harbor.window.said == "There is nothing in doubt about it any more."


def sign_in(harbor: Desk, one: Line) -> None:
    """The account of a line works again; what is held for it stays so."""
    with harbor.program.store.writing() as connection:
        accounts.update(connection, one.rows[0].delivery.account_id, state=AccountState.WORKING)


def test_a_failure_is_tried_again_edited_or_dismissed(harbor: Desk, screen: ActivityScreen) -> None:
    one = line(screen, "Lunch")
    click(harbor, button(screen, "Dismiss"))
    assert harbor.window.said == "Dismissed. It stays in the list below."
    assert len(screen.needs._rows) == 3
    assert line(screen, "Lunch").word == "Failed"
    QTest.keySequence(harbor.window, "Ctrl+Z")
    harbor.settle()
    assert len(screen.needs._rows) == 4
    sign_in(harbor, one)
    click(harbor, button(screen, "Try again"))
    assert harbor.window.said == "It goes again now."
    assert state(harbor, one) is State.SCHEDULED
    assert len(screen.needs._rows) == 3


def test_what_is_tried_again_waits_for_the_sign_in_of_its_account(harbor: Desk, screen: ActivityScreen) -> None:
    one = line(screen, "Lunch")
    click(harbor, button(screen, "Try again"))
    assert harbor.window.said == "Its account wants you to sign in again first; then it goes."
    assert state(harbor, one) is State.HELD


def test_edit_and_new_time_lead_to_the_composer(harbor: Desk, screen: ActivityScreen) -> None:
    for words in ("Edit and reschedule", "New time"):
        QTest.mouseClick(button(screen, words), Qt.MouseButton.LeftButton)
        assert harbor.window.current == "composer"
        harbor.window.go("activity")
        harbor.settle()


def test_a_missed_one_can_still_go(harbor: Desk, screen: ActivityScreen) -> None:
    one = line(screen, "عرض")
    click(harbor, button(screen, "Send now"))
    assert state(harbor, one) is State.SCHEDULED


def test_what_waits_for_one_sign_in_is_one_row(harbor: Desk, screen: ActivityScreen) -> None:
    for number in range(2):
        add(harbor, f"And this {number}", account=3, days=2 + number, state=State.HELD)
    harbor.settle()
    assert "X wants you to sign in again · 3 posts wait" in screen.needs._ordered()[2].accessibleName()
    click(harbor, button(screen, "Show the 3 posts"))
    assert [one.word for one in posts_of(screen)] == ["Sign in"] * 3
    assert screen.choosing.button.words() == "Sign in · @harborcoffee"
    screen.choosing.choose()
    harbor.settle()
    QTest.mouseClick(button(screen, "Sign in again"), Qt.MouseButton.LeftButton)
    assert harbor.window.current == "add_account"


def test_many_are_dismissed_together_and_brought_back(harbor: Desk, screen: ActivityScreen) -> None:
    add_many(harbor, [f"Refused {number}" for number in range(12)], account=1, minutes=-1, state=State.FAILED)
    harbor.settle()
    assert len(screen.needs._rows) == 8
    click(harbor, button(screen, "Show 8 more of 16"))
    assert len(screen.needs._rows) == 16
    click(harbor, button(screen, "Dismiss all 14 that failed or were missed"))
    assert harbor.window.said == "14 were dismissed."
    assert len(screen.needs._rows) == 2
    QTest.keySequence(harbor.window, "Ctrl+Z")
    harbor.settle()
    assert len(screen.needs._rows) == 16


def test_the_keyboard_goes_on_to_the_next_row(harbor: Desk, screen: ActivityScreen) -> None:
    dismiss = button(screen, "Dismiss")
    dismiss.setFocus()
    QTest.keyClick(dismiss, Qt.Key.Key_Return)
    harbor.settle()
    focused = QApplication.focusWidget()
    assert isinstance(focused, Button)
    assert focused.words() == "Sign in again"


def test_tab_goes_from_the_header_through_the_card_to_the_list(harbor: Desk, screen: ActivityScreen) -> None:
    harbor.window.activateWindow()
    screen.export.setFocus()
    reached = []
    for _ in range(30):
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        focused = QApplication.focusWidget()
        reached.append(focused.words() if isinstance(focused, Button) else type(focused).__name__)
        if focused is screen.list:
            break
    assert reached == [*(one.words() for one in screen.needs.buttons()), "DaysList"]


def test_a_row_that_gets_the_keyboard_is_scrolled_into_sight(harbor: Desk, screen: ActivityScreen) -> None:
    harbor.window.resize(960, 640)
    harbor.settle()
    screen.list.verticalScrollBar().setValue(screen.list.verticalScrollBar().maximum())
    first = screen.needs.buttons()[0]
    first.setFocus()
    harbor.settle()
    assert screen.list.viewport().rect().contains(first.mapTo(screen.list.viewport(), QPoint(0, 0)))


def test_nothing_needs_you_is_said_quietly(harbor: Desk, screen: ActivityScreen) -> None:
    assert not screen.needs._calm.isVisible()
    with harbor.program.store.writing(changes.DELIVERIES) as connection:
        connection.execute(sa.update(table).values(acknowledged=True))
    harbor.settle()
    assert screen.needs._calm.isVisible()
    assert not screen.needs._card.isVisible()


# --- the list -----------------------------------------------------------------------------------------------------


def test_days_today_first(screen: ActivityScreen) -> None:
    days = [one.words for one in screen.model.rows if isinstance(one, Day)]
    assert days == [
        "Today, Mon 23 Nov · 6 sent, 1 sending, 1 in doubt, 1 failed",
        "Yesterday, Sun 22 Nov · 1 sent, 1 missed",
    ]
    first = posts_of(screen)[0]
    assert (first.time, first.late, first.count, first.word) == ("18:50", "leaving now", "1 of 2", "Sending")
    assert first.marks == ("bluesky", "mastodon")
    letter = line(screen, "November")
    assert (letter.late, letter.count, letter.accounts) == ("+ 20.6 s", "1,248 people", "Newsletter")
    assert line(screen, "Roast log: the long").count == "4 posts"
    assert screen.header.aside.text() == "7 sent · 16 scheduled"


def test_what_goes_up_says_how_far_it_is(harbor: Desk, screen: ActivityScreen) -> None:
    one = next(row for row in posts_of(screen)[0].rows if row.delivery.state is State.SENDING)
    choose(screen, posts_of(screen)[0].text)
    key(harbor, screen, Qt.Key.Key_Return)
    for words in ("harbor.mp4: 40% of 120.0 MB is up.", "harbor.mp4: 60% of 120.0 MB is up."):
        with harbor.program.store.writing() as connection:
            owner = connection.execute(sa.select(table.c.owner).where(table.c.id == one.delivery.id)).scalar_one()
            outgoing.tell(connection, one.delivery.id, owner, words)
        harbor.settle()
        room = screen.list.indexWidget(screen.model.index(screen.model.place_of(Room(posts_of(screen)[0].key).key)))
        assert words in said_in(room)


@pytest.mark.parametrize("which", [Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space, Qt.Key.Key_Right])
def test_a_line_opens_by_the_keyboard(harbor: Desk, screen: ActivityScreen, which: Qt.Key) -> None:
    one = choose(screen, "November")
    key(harbor, screen, which)
    place = screen.model.place_of(Room(one.key).key)
    room = screen.list.indexWidget(screen.model.index(place))
    assert room.isVisible()
    assert room.height() > 150
    key(harbor, screen, Qt.Key.Key_Left)
    assert screen.model.place_of(Room(one.key).key) < 0


def test_several_lines_open_by_clicks(harbor: Desk, screen: ActivityScreen) -> None:
    for words in ("November", "Morning"):
        one = line(screen, words)
        rect = screen.list.visualRect(screen.model.index(screen.model.place_of(one.key)))
        screen.list.scrollTo(screen.model.index(screen.model.place_of(one.key)))
        rect = screen.list.visualRect(screen.model.index(screen.model.place_of(one.key)))
        QTest.mouseClick(screen.list.viewport(), Qt.MouseButton.LeftButton, pos=rect.center())
        harbor.settle()
    assert len(screen._rooms) == 2
    assert len([one for one in screen.model.rows if isinstance(one, Room)]) == 2


def test_the_arrows_walk_over_headings_and_rooms(harbor: Desk, screen: ActivityScreen) -> None:
    choose(screen, "Morning")
    key(harbor, screen, Qt.Key.Key_Return)
    key(harbor, screen, Qt.Key.Key_Down)
    assert screen.list.current() == posts_of(screen)[-2]
    key(harbor, screen, Qt.Key.Key_Up)
    current = screen.list.current()
    assert current is not None
    assert current.text.startswith("Morning")


def test_an_open_line_shows_attempts_and_the_receipt(harbor: Desk, screen: ActivityScreen) -> None:
    choose(screen, "November")
    key(harbor, screen, Qt.Key.Key_Return)
    (room,) = screen._rooms.values()
    (panel,) = room._panels.values()
    assert [view.line.accessibleName() for view in panel.attempts] == [
        "10:00:00.04, try 1: Part 1 · 1,000 people · try later, 429 after 260 ms · Mailgun asks to wait 20 s.",
        "10:00:20.11, try 2: Part 1 · 1,000 people · taken, 200 in 390 ms",
        "10:00:20.63, try 3: Part 2 · 248 people · taken, 200 in 270 ms",
    ]
    assert [(name, words) for name, words, _mono in panel.proof.rows][1:] == [
        ("Planned", "Mon 23 Nov 2026, 10:00:00 Europe/Berlin"),
        ("Left", "23 Nov, 10:00:00.04"),
        ("Answered", "23 Nov, 10:00:20.60, + 20.6 s"),
        ("Answer", "“Taken.”"),
    ]
    click(harbor, next(one for one in panel.proof.findChildren(Button) if one.accessibleName() == "Copy the receipt"))
    copied = QGuiApplication.clipboard().text()
    assert "Planned   Mon 23 Nov 2026, 10:00:00 Europe/Berlin" in copied
    assert "Part 2: 1150" in copied


def test_what_stayed_was_tried_and_did_not_leave(harbor: Desk, screen: ActivityScreen) -> None:
    choose(screen, "Lunch")
    key(harbor, screen, Qt.Key.Key_Return)
    (room,) = screen._rooms.values()
    (panel,) = room._panels.values()
    names = [name for name, _words, _mono in panel.proof.rows]
    assert ("Tried" in names, "Left" in names) == (True, False)


def test_the_word_of_a_person_is_no_answer_and_names_nothing_that_could_be_deleted(
    harbor: Desk, screen: ActivityScreen
) -> None:
    one = line(screen, "Cupping")
    harbor.program.commands.deliveries.settle(one.rows[0].delivery.id, True)
    harbor.settle()
    choose(screen, "Cupping")
    key(harbor, screen, Qt.Key.Key_Return)
    (room,) = screen._rooms.values()
    (panel,) = room._panels.values()
    assert [name for name, _words, _mono in panel.proof.rows] == ["Planned", "Left", "Settled"]
    assert "Your word" in said_in(panel.proof)
    assert not [part for part in panel.proof.findChildren(Button) if part.words().startswith("Delete")]


def test_an_attempt_opens_to_what_went_over_the_wire(harbor: Desk, screen: ActivityScreen) -> None:
    choose(screen, "November")
    key(harbor, screen, Qt.Key.Key_Return)
    (room,) = screen._rooms.values()
    (panel,) = room._panels.values()
    before = room.height()
    view = panel.attempts[0]
    view.line.setFocus()
    QTest.keyClick(view.line, Qt.Key.Key_Return)
    harbor.settle()
    request, answer = view.findChildren(Mono)
    assert request.edit.toPlainText() == "POST /messages\nAuthorization: Basic ••••••••"
    assert answer.edit.toPlainText() == "Mailgun asks to wait 20 s."
    assert request.height() >= 40
    assert room.height() > before
    below = screen.list.visualRect(screen.model.index(screen.model.place_of(line(screen, "Morning").key)))
    assert below.top() >= room.geometry().bottom()
    QTest.keyClick(request.edit, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(request.edit, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text().startswith("POST /messages")
    click(harbor, next(one for one in view.findChildren(Button) if "answer" in one.accessibleName()))
    assert QGuiApplication.clipboard().text() == "Mailgun asks to wait 20 s."
    QTest.keyClick(view.line, Qt.Key.Key_Left)
    harbor.settle()
    assert room.height() == before


def test_parts_say_what_is_out_and_what_is_not(harbor: Desk, screen: ActivityScreen) -> None:
    one = line(screen, "Roast log: the long")
    with harbor.program.store.writing(changes.DELIVERIES) as connection:
        last = deliveries.parts_of(connection, one.rows[0].delivery.id)[-1].id
        connection.execute(
            sa.update(parts).where(parts.c.id == last).values(remote_id=None, receipt=None, sent_at=None)
        )
        connection.execute(
            sa.update(table).where(table.c.id == one.rows[0].delivery.id).values(state="failed", reason="Too long.")
        )
    harbor.settle()
    choose(screen, "Roast log: the long")
    key(harbor, screen, Qt.Key.Key_Return)
    assert line(screen, "Roast log: the long").count == "3 of 4"
    (room,) = screen._rooms.values()
    signs = [part.accessibleName() for part in room.findChildren(object) if type(part).__name__ == "_Sign"]
    assert signs == ["Out", "Out", "Out", "Not out yet"]
    assert button(screen, "Send the rest")
    assert "Too long." in said_in(room)


def test_long_lists_are_shown_whole_when_asked(harbor: Desk, screen: ActivityScreen) -> None:
    one = line(screen, "November")
    with harbor.program.store.writing(changes.DELIVERIES) as connection:
        for number in range(9):
            deliveries.note(connection, one.rows[0].delivery.id, NOW, "bounced", recipient=f"r{number}@example.org")
    choose(screen, "November")
    key(harbor, screen, Qt.Key.Key_Return)
    (room,) = screen._rooms.values()
    assert "bounced: r0@example.org" in said_in(room)
    more = next(part for part in room.findChildren(Button) if part.words() == "Show all 9")
    height = room.height()
    click(harbor, more)
    assert not more.isVisible()
    assert room.height() > height


def test_what_comes_in_is_shown_at_once_and_what_is_open_stays_open(harbor: Desk, screen: ActivityScreen) -> None:
    choose(screen, "Last call")
    key(harbor, screen, Qt.Key.Key_Return)
    (room,) = screen._rooms.values()
    done = next(panel for panel in room._panels.values() if panel.attempts)
    done.attempts[0].line.click()
    one = line(screen, "Last call")
    sending = next(row.delivery.id for row in one.rows if row.delivery.state is State.SENDING)
    finish(harbor, sending)
    harbor.settle()
    now = line(screen, "Last call")
    assert (now.word, now.count) == ("Sent", "2 posts")
    assert (room, done) == (next(iter(screen._rooms.values())), next(iter(room._panels.values())))
    with harbor.program.store.writing(changes.DELIVERIES) as connection:
        deliveries.note(connection, next(one for one, panel in room._panels.items() if panel is done), NOW, "liked")
    harbor.settle()
    anew = next(panel for panel in room._panels.values() if "liked" in said_in(panel))
    assert anew is not done
    assert anew.attempts[0].line.isChecked()
    assert all(panel.attempts for panel in room._panels.values())


def test_news_above_do_not_move_what_is_read(harbor: Desk, screen: ActivityScreen) -> None:
    harbor.window.resize(960, 640)
    add_many(harbor, [f"Earlier {number}" for number in range(40)], account=1, days=-3)
    harbor.settle()
    screen.list.verticalScrollBar().setValue(900)
    before = screen.list.anchor()
    assert before is not None
    add(harbor, "Brand new", account=1, minutes=-1, state=State.SENT)
    harbor.settle()
    assert line(screen, "Brand new").time == "18:51"
    assert screen.list.anchor() == before


def fetch_all(screen: ActivityScreen) -> None:
    while screen.model.canFetchMore(QModelIndex()):
        screen.model.fetchMore(QModelIndex())


def test_pages_follow_as_one_scrolls(harbor: Desk, screen: ActivityScreen) -> None:
    add_many(harbor, [f"Old {number}" for number in range(150)], account=1, days=-2)
    screen.refresh()
    assert len(screen._entries) == 60
    assert [one.words for one in screen.model.rows if isinstance(one, Day)][-1].endswith("150 scheduled")
    fetch_all(screen)
    assert len(posts_of(screen)) == len({one.key for one in posts_of(screen)}) == 150 + 9
    assert screen.model.place_of("earlier") < 0
    screen.leave()
    screen.refresh()
    assert len(screen._entries) == 60


def test_a_full_list_leads_on_to_the_next(
    harbor: Desk, screen: ActivityScreen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screen_module, "MOST", 120)
    add_many(harbor, [f"Old {number}" for number in range(150)], account=1, days=-2)
    harbor.settle()
    fetch_all(screen)
    assert len(posts_of(screen)) == 120
    place = screen.model.index(screen.model.place_of("earlier"))
    screen.list.scrollToBottom()
    harbor.settle()
    last = posts_of(screen)[-1].text
    on = screen.list.indexWidget(place).findChild(Button)
    assert isinstance(on, Button)
    assert on.words().startswith("Go on before 21 Nov ")
    click(harbor, on)
    assert posts_of(screen)[0].text == last
    fetch_all(screen)
    assert posts_of(screen)[-1].text == "Old 149"
    assert screen.model.place_of("earlier") < 0
    assert screen._jump.isVisible()


def test_times_that_depend_on_now_are_told_anew(harbor: Desk, screen: ActivityScreen) -> None:
    add(harbor, "Soon", account=1, minutes=1)
    harbor.settle()
    assert "Soon" not in [one.text for one in posts_of(screen)]
    screen.choosing.choose(State.SCHEDULED)
    assert line(screen, "Soon").late == "in 1 min"
    assert screen._timer.interval() == 1000
    harbor.program.clock.advance(50)  # type: ignore[attr-defined]
    harbor.until(lambda: line(screen, "Soon").late == "in 10 s")


# --- keys and menu ------------------------------------------------------------------------------------------------


def test_keys_do_what_the_state_allows(harbor: Desk, screen: ActivityScreen, browser: list[str]) -> None:
    failed = choose(screen, "Lunch")
    sign_in(harbor, failed)
    key(harbor, screen, Qt.Key.Key_R)
    assert state(harbor, failed) is State.SCHEDULED
    sent = choose(screen, "Roast log: Guji")
    for which in (Qt.Key.Key_R, Qt.Key.Key_Delete, Qt.Key.Key_E):
        key(harbor, screen, which)
    assert state(harbor, sent) is State.SENT
    assert harbor.window.current == "activity"
    key(harbor, screen, Qt.Key.Key_L)
    assert QGuiApplication.clipboard().text() == sent.rows[0].url
    key(harbor, screen, Qt.Key.Key_O)
    assert browser == [sent.rows[0].url]
    missed = choose(screen, "عرض")
    key(harbor, screen, Qt.Key.Key_E)
    assert harbor.window.current == "composer"
    harbor.window.go("activity")
    key(harbor, screen, Qt.Key.Key_Delete)
    assert harbor.window.said.startswith("Dismissed.")
    assert state(harbor, missed) is State.MISSED


def test_what_waits_is_not_sent_by_one_key(harbor: Desk, screen: ActivityScreen) -> None:
    add(harbor, "Tonight", account=1, minutes=60)
    screen.choosing.choose(State.SCHEDULED)
    harbor.settle()
    one = choose(screen, "Tonight")
    key(harbor, screen, Qt.Key.Key_R)
    with harbor.context.reading() as connection:
        assert deliveries.get(connection, one.rows[0].delivery.id).due_at == one.rows[0].delivery.planned_at
    key(harbor, screen, Qt.Key.Key_Delete)
    assert harbor.window.said == "Cancelled. Nothing of it leaves."
    assert "Tonight" not in [one.text for one in posts_of(screen)]
    QTest.keySequence(harbor.window, "Ctrl+Z")
    harbor.settle()
    assert line(screen, "Tonight").word == "Scheduled"


def test_what_cannot_be_put_back_is_asked_before(harbor: Desk, screen: ActivityScreen) -> None:
    add(harbor, "Trying still", account=1, minutes=-5)
    harbor.settle()
    one = choose(screen, "Trying still")
    key(harbor, screen, Qt.Key.Key_Delete)
    assert harbor.window.overlay is not None
    assert state(harbor, one) is State.SCHEDULED
    click(harbor, next(part for part in harbor.window.overlay.findChildren(Button) if part.words() == "Cancel it"))
    assert state(harbor, one) is State.CANCELLED


def menu_of(screen: ActivityScreen) -> QMenu:
    menus = [one for one in screen.list.findChildren(QMenu) if one.isVisible()]
    return menus[-1]


def test_the_menu_has_what_the_state_allows(harbor: Desk, screen: ActivityScreen) -> None:
    choose(screen, "Lunch")
    screen.list.customContextMenuRequested.emit(QPoint(-1, -1))
    menu = menu_of(screen)
    names = [words_of(action).split("\t")[0] for action in menu.actions() if not action.isSeparator()]
    assert names == ["Open", "Edit and reschedule", "Try again", "Dismiss", "Cancel it"]
    menu.close()
    choose(screen, "Morning")
    screen.list.customContextMenuRequested.emit(QPoint(-1, -1))
    menu = menu_of(screen)
    names = [words_of(action) for action in menu.actions() if not action.isSeparator()]
    assert names == ["Open", "harborcoffee@toot", "harborcoffee.example"]
    inside = menu.actions()[2].menu()
    assert [words_of(action).split("\t")[0] for action in inside.actions()][:2] == ["Open the post", "Copy the link"]  # type: ignore[attr-defined]
    inside.actions()[1].trigger()  # type: ignore[attr-defined]
    menu.close()
    assert QGuiApplication.clipboard().text() == line(screen, "Morning").rows[0].url


def test_a_link_opens_and_the_rest_of_the_line_does_not(
    harbor: Desk, screen: ActivityScreen, browser: list[str]
) -> None:
    one = line(screen, "Roast log: Guji")
    index = screen.model.index(screen.model.place_of(one.key))
    screen.list.scrollTo(index)
    rect = screen.list.visualRect(index).adjusted(EDGE, 0, -screen.list.edge(), 0)
    at = count_rect(screen.look, rect, one).center()
    QTest.mouseClick(screen.list.viewport(), Qt.MouseButton.LeftButton, pos=at)
    harbor.settle()
    assert browser == [one.rows[0].url]
    assert not screen._rooms


def test_addresses_that_are_no_web_pages_are_only_text(harbor: Desk, screen: ActivityScreen) -> None:
    one = line(screen, "Roast log: Guji")
    with harbor.program.store.writing(changes.DELIVERIES) as connection:
        receipt = codec.encode(Receipt("1", "file:///etc/passwd"))
        connection.execute(
            sa.update(parts).where(parts.c.delivery_id == one.rows[0].delivery.id).values(receipt=receipt)
        )
    harbor.settle()
    one = choose(screen, "Roast log: Guji")
    assert (one.count, one.linked) == ("", False)
    key(harbor, screen, Qt.Key.Key_Return)
    (room,) = screen._rooms.values()
    assert "file:///etc/passwd" in said_in(room)
    assert "Open the post" not in [part.accessibleName() for part in room.findChildren(Button)]


# --- where one is -------------------------------------------------------------------------------------------------


def test_one_arrives_at_a_delivery_and_it_is_open(harbor: Desk) -> None:
    add(harbor, "Way back", account=1, minutes=-60 * 24 * 400)
    add_many(harbor, [f"Between {number}" for number in range(70)], account=1, days=-30)
    wanted = add(harbor, "The one", account=1, minutes=-60 * 24 * 100)
    screen = shown(harbor, delivery_id=wanted)
    current = screen.list.current()
    assert current is not None
    assert (current.text, current.is_open) == ("The one", True)
    assert screen.list.hasFocus()
    assert screen._jump.isVisible()
    assert [one.text for one in posts_of(screen)] == ["The one", "Way back"]
    back = next(part for part in screen._jump.findChildren(Button))
    click(harbor, back)
    assert not screen._jump.isVisible()
    assert posts_of(screen)[0].text.startswith("Last call")


def test_one_arrives_at_what_is_still_to_come_and_at_what_was_cancelled(harbor: Desk, screen: ActivityScreen) -> None:
    held = add(harbor, "Held back", account=3, days=4, state=State.HELD)
    gone = add(harbor, "Called off", account=1, days=2, state=State.CANCELLED)
    for delivery_id, words in ((held, "Held back"), (gone, "Called off")):
        harbor.window.go("activity", delivery_id=delivery_id)
        harbor.settle()
        current = screen.list.current()
        assert current is not None
        assert (current.text, current.is_open) == (words, True)
    assert screen.choosing.button.words() == "Cancelled"


def test_one_arrives_in_the_middle_of_a_full_day(harbor: Desk) -> None:
    ids = add_many(harbor, [f"Busy {number}" for number in range(150)], account=1, days=-9)
    screen = shown(harbor, delivery_id=ids[120])
    current = screen.list.current()
    assert current is not None
    assert (current.text, current.is_open) == ("Busy 120", True)


def test_one_arrives_at_nothing(harbor: Desk, screen: ActivityScreen) -> None:
    harbor.window.go("activity", delivery_id=99_999)
    harbor.settle()
    assert harbor.window.said.startswith("There is no delivery 99999.")


def test_details_lead_to_the_line(harbor: Desk, screen: ActivityScreen) -> None:
    click(harbor, next(one for one in screen.needs._ordered()[1].findChildren(Button) if one.words() == "Details"))
    current = screen.list.current()
    assert current is not None
    assert current.text.startswith("Lunch")
    assert current.is_open


def test_searching(harbor: Desk, screen: ActivityScreen) -> None:
    QTest.keySequence(harbor.window, "Ctrl+F")
    assert QApplication.focusWidget() is screen.choosing.field
    QTest.keyClicks(screen.choosing.field, "roast")
    harbor.until(lambda: screen.choosing.wanted.words == "roast" and len(posts_of(screen)) == 2)
    assert screen.list.isRowHidden(0)
    QTest.keyClick(screen.choosing.field, Qt.Key.Key_Escape)
    harbor.until(lambda: len(posts_of(screen)) == 9)
    assert QApplication.focusWidget() is screen.list
    screen.choosing.field.setText("no such words")
    harbor.until(lambda: screen._pages.currentWidget() is screen._nothing)
    QTest.mouseClick(screen._nothing.findChildren(Button)[0], Qt.MouseButton.LeftButton)
    assert screen._pages.currentWidget() is screen.list
    assert screen.choosing.field.text() == ""


def test_states_and_accounts_are_chosen_from_the_menu(harbor: Desk, screen: ActivityScreen) -> None:
    def pick(words: str) -> None:
        screen.choosing.button.open_menu()
        next(one for one in screen.choosing._menu.actions() if words_of(one) == words).trigger()
        screen.choosing._menu.close()
        harbor.settle()

    pick("Failed")
    assert [one.text[:5] for one in posts_of(screen)] == ["Lunch"]
    assert screen.choosing.button.words() == "Failed"
    pick("All states")
    pick("Harbor News")
    assert [one.word for one in posts_of(screen)] == ["In doubt", "Missed"]
    pick("Scheduled")
    assert [one.word for one in posts_of(screen)] == ["Scheduled"] * 5
    pick("All accounts")
    pick("All states")
    assert not screen.list.isRowHidden(0)


def test_an_empty_page_teaches(desk: Desk) -> None:
    account = desk.program.commands.accounts.add("practice", "Practice", {})
    add(desk, "Tomorrow", account=account, days=1)
    screen = shown(desk)
    assert screen._pages.currentWidget() is screen._empty
    screen._empty.findChildren(Button)[0].click()
    assert desk.window.current == "composer"


# --- as a file ----------------------------------------------------------------------------------------------------


def test_export_asks_where_and_writes_what_is_chosen(harbor: Desk, screen: ActivityScreen, tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    click(harbor, screen.export)
    dialog = harbor.window.findChild(QFileDialog)
    assert isinstance(dialog, QFileDialog)
    assert dialog.selectedFiles()[0].endswith("sendoff-activity-2026-11-23.csv")
    name = dialog.findChild(QLineEdit)
    assert isinstance(name, QLineEdit)
    name.setText(str(tmp_path / "out"))
    QTest.keyClick(name, Qt.Key.Key_Return)
    harbor.until(target.exists)
    harbor.until(lambda: screen.export.words() == "Export" and screen.export.isEnabled())
    with open(target, encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 11
    assert rows[-1]["account"] in ("harborcoffee@toot", "harborcoffee.example")
    assert next(row for row in rows if row["state"] == "failed")["account"] == "'@harborcoffee"
    assert harbor.window.said == "11 deliveries written to out.csv."


def test_a_file_that_cannot_be_written_is_said(harbor: Desk, screen: ActivityScreen, tmp_path: Path) -> None:
    screen.export.write(tmp_path / "nowhere" / "out.csv")
    assert screen.export.words() == "Exporting…"
    harbor.until(lambda: "can’t be written" in harbor.window.said)
    assert screen.export.isEnabled()


# --- the practice network -----------------------------------------------------------------------------------------


def test_what_the_practice_network_received(
    open_profile: Callable[..., Program], open_desk: Callable[..., Desk]
) -> None:
    program = open_profile()
    desk = open_desk(program, engine=True)
    desk.until(lambda: desk.context.sending.part == "here")
    account = program.commands.accounts.add("practice", "Practice", {"answers": "refuse"})
    content = Content(items=(Item("First <b>of</b> two"), Item("and the second")))
    post, _ = program.commands.posts.save_draft(content, [Variant(account)])
    screen = shown(desk)
    (delivery_id,) = program.commands.posts.schedule(post, When.at(desk.context.now(), "UTC"))
    desk.until(lambda: posts_of(screen) and posts_of(screen)[0].word == "Failed")
    desk.settle()
    assert [one.words() for one in screen.needs.buttons()][:3] == ["Edit and reschedule", "Try again", "Dismiss"]
    click(desk, button(screen, "Try again"))
    desk.until(lambda: posts_of(screen)[0].word == "Sent")
    screen.reach(delivery_id)
    desk.settle()
    (room,) = screen._rooms.values()
    click(desk, next(one for one in room.findChildren(Button) if one.words() == "What the practice network received"))
    desk.until(lambda: isinstance(desk.window.overlay, ReceivedSheet))
    sheet = desk.window.overlay
    assert isinstance(sheet, ReceivedSheet)
    said = said_in(sheet)
    assert said.index("and the second") < said.index("First <b>of</b> two")
    assert "practice-2 · in reply to practice-1" in said
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Escape)
    desk.settle()
    action = next(one for one in desk.window.doable() if words_of(one) == "See what the practice network received")
    action.trigger()
    desk.until(lambda: isinstance(desk.window.overlay, ReceivedSheet))
    next(one for one in desk.window.overlay.findChildren(Button) if one.words() == "Choose its answers").click()  # type: ignore[union-attr]
    assert desk.window.current == "add_account"


def test_where_sendoff_can_look_it_looks_again(
    open_profile: Callable[..., Program], open_desk: Callable[..., Desk]
) -> None:
    program = open_profile()
    account = program.commands.accounts.add("practice", "Practice", {"answers": "drop", "doubt": "search"})
    desk = open_desk(program)
    screen = shown(desk)
    delivery_id = add(desk, "Did it arrive?", account=account, minutes=-1, state=State.IN_DOUBT)
    with program.store.writing(changes.DELIVERIES) as connection:
        doubts.looked(connection, delivery_id, next_look=desk.context.now() + timedelta(hours=1), reason="Lost.")
    desk.settle()
    told = screen.needs._ordered()[0].accessibleDescription()
    assert "Sendoff looks again " in told
    assert "oday" not in told.replace(" today ", "")
    again = button(screen, "Look again")
    again.setFocus()
    QTest.keyClick(again, Qt.Key.Key_Return)
    desk.settle()
    assert desk.window.said == "Sendoff looks for it now."
    focused = QApplication.focusWidget()
    assert isinstance(focused, Button)
    assert focused.words() == "Look again"
    with desk.context.reading() as connection:
        look_at = deliveries.get(connection, delivery_id).look_at
    assert look_at is not None
    assert look_at <= desk.context.now()


# --- making things happen -----------------------------------------------------------------------------------------


def add(
    desk: Desk, words: str, *, account: int, minutes: float = 0, days: int = 0, state: State = State.SCHEDULED
) -> int:
    """Stores one delivery in some state, as if it had come there."""
    return add_many(desk, [words], account=account, minutes=minutes, days=days, state=state)[0]


def add_many(
    desk: Desk,
    texts: Sequence[str],
    *,
    account: int,
    minutes: float = 0,
    days: int = 0,
    state: State = State.SCHEDULED,
) -> list[int]:
    """Several deliveries, each a minute before the one before it."""
    found = []
    with desk.program.store.writing(changes.DELIVERIES) as connection:
        for number, words in enumerate(texts):
            when = When.at(desk.context.now() + timedelta(minutes=minutes - number, days=days), ZONE)
            post_id = posts.insert(connection, 1, Content((Item(words),)), [Variant(account)], Plan(), NOW)
            posts.set_draft(connection, post_id, False)
            found.append(
                deliveries.insert(
                    connection, post_id=post_id, account_id=account, when=when, late="send",
                    give_up_at=when.instant + timedelta(days=1), plans=[PartPlan()], now=NOW,
                )
            )  # fmt: skip
            values = {"sent_at": when.instant} if state is State.SENT else {}
            connection.execute(sa.update(table).where(table.c.id == found[-1]).values(state=state, **values))
    return found


def finish(desk: Desk, delivery_id: int) -> None:
    """What was sending is sent."""
    with desk.program.store.writing(changes.DELIVERIES) as connection:
        part = deliveries.parts_of(connection, delivery_id)[0]
        connection.execute(
            sa.insert(attempts).values(
                part_id=part.id, delivery_id=delivery_id, number=1, owner="sample", began_at=NOW, ended_at=NOW,
                outcome=Outcome.SENT, status=200, summary="Taken",
            )
        )  # fmt: skip
        receipt = codec.encode(Receipt("9", "https://sky.example/9"))
        connection.execute(
            sa.update(parts).where(parts.c.id == part.id).values(remote_id="9", receipt=receipt, sent_at=NOW)
        )
        connection.execute(
            sa.update(table).where(table.c.id == delivery_id).values(state="sent", sent_at=NOW, owner=None)
        )


def test_the_store_is_asked_for_no_more_than_is_shown(harbor: Desk, screen: ActivityScreen) -> None:
    with harbor.context.reading() as connection:
        assert len(activity.history(connection, screen._wanted(), 1000)) == len(posts_of(screen))
