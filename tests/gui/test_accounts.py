"""The account cards: what they say, where the keys lead, and that everything done with them really happens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu

from sendoff.bootstrap import Program
from sendoff.domain.account import Account, AccountState
from sendoff.domain.capabilities import Capabilities
from sendoff.domain.delivery import State
from sendoff.domain.post import Content, Item, Variant
from sendoff.domain.when import When
from sendoff.store import accounts, deliveries
from sendoff.ui.accounts import facts
from sendoff.ui.accounts.card import HEIGHT, AccountCard
from sendoff.ui.accounts.facts import Checked, Moment
from sendoff.ui.accounts.screen import AccountsScreen
from sendoff.ui.accounts.sheets import AccountSheet, LateSheet, SpacingSheet
from sendoff.ui.palette import Palette
from tests.conftest import SetClock
from tests.fakes.smtp_server import SmtpServer
from tests.gui import sample
from tests.gui.desk import Desk
from tests.gui.returning_states import rest


@pytest.fixture
def first_screen() -> str:
    return ""


@pytest.fixture
def screen(harbor: Desk) -> AccountsScreen:
    return opened(harbor)


def opened(desk: Desk, **what: object) -> AccountsScreen:
    desk.window.go("accounts", **what)
    QApplication.processEvents()
    found = desk.window.screen_named("accounts")
    assert isinstance(found, AccountsScreen)
    return found


def card(screen: AccountsScreen, name: str) -> AccountCard:
    return next(one for one in screen.cards.values() if one.facts.account.name == name)


def lines(one: AccountCard) -> list[tuple[str, str]]:
    return [(label.text(), value.text()) for label, value in one._lines]


def press(desk: Desk, key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    widget = QApplication.focusWidget()
    assert widget is not None
    QTest.keyClick(widget, key, modifiers)
    desk.settle()


def stored(desk: Desk, account_id: int) -> Account:
    with desk.context.reading() as connection:
        return accounts.get(connection, account_id)


# --- what the cards say -------------------------------------------------------------------------------------------


def test_a_card_says_who_how_and_what_is_planned(screen: AccountsScreen) -> None:
    toot = card(screen, "harborcoffee@toot")
    assert toot._handle.text() == "@harborcoffee@toot.example"
    assert toot.health.text() == "Working · sent 2 min ago"
    assert lines(toot) == [("May", "post, threads, pictures, polls"), ("Takes", "500 characters, 4 pictures")]
    assert toot._note.text() == "2 planned"
    assert toot.button.text() == "Check"
    assert toot.accessibleName() == (
        "harborcoffee@toot, Mastodon, @harborcoffee@toot.example, Working · sent 2 min ago, 2 planned"
    )
    assert toot.height() == HEIGHT
    assert lines(card(screen, "Newsletter")) == [
        ("May", "send mail, to many separately"), ("Takes", "25 MB, 1,000 people at once")
    ]  # fmt: skip


def test_a_card_that_needs_a_sign_in_says_why_and_offers_it(harbor: Desk, screen: AccountsScreen) -> None:
    lost = card(screen, "@harborcoffee")
    assert lost.health.text() == "Sign in again · 1 post waits"
    assert lines(lost)[0] == ("Cause", "X no longer accepts the key.")
    assert lost._note.text() == "Planned times are kept"
    assert (lost.button.text(), lost.button.accessibleName()) == ("Sign in", "Sign in: @harborcoffee")
    QTest.mouseClick(lost.button, Qt.MouseButton.LeftButton)
    assert harbor.window.current == "add_account"


def test_doubt_leads_to_activity(harbor: Desk, screen: AccountsScreen) -> None:
    doubtful = card(screen, "Harbor News")
    assert doubtful.health.text() == "1 in doubt · sent 21 Nov 09:00"
    QTest.mouseClick(doubtful.button, Qt.MouseButton.LeftButton)
    assert harbor.window.current == "activity"


def test_an_account_whose_channel_is_gone_says_so(harbor: Desk) -> None:
    harbor.program.channels.pop("discord")  # type: ignore[attr-defined]
    harbor.program.failed_channels["discord"] = "ImportError: no such thing"  # type: ignore[index]
    one = card(opened(harbor), "#announcements")
    assert one.health.text() == "Its channel is missing"
    assert lines(one)[0] == ("Cause", "ImportError: no such thing")
    assert one.button.isHidden()


def test_a_channel_that_could_not_be_loaded_is_named_though_no_account_has_it(harbor: Desk) -> None:
    assert opened(harbor).missing.isHidden()
    harbor.program.failed_channels["pigeon"] = "ImportError: <b>no loft</b>"  # type: ignore[index]
    screen = opened(harbor)
    screen.refresh()
    assert screen.missing.words == "The channel “pigeon” could not be loaded: ImportError: <b>no loft</b>"


@pytest.mark.parametrize(
    ("figures", "may", "takes"),
    [
        (Capabilities(checked="", text=500), "post", "500 characters"),
        (Capabilities(checked="", text=1, media=1, threads=True), "post, threads, pictures", "1 character, 1 picture"),
        (Capabilities(checked="", mail=True), "send mail", ""),
        (Capabilities(checked="", mail=True, recipients=100), "send mail", "100 people at once"),
    ],
)
def test_figures_in_words(figures: Capabilities, may: str, takes: str) -> None:
    assert (facts.may(figures), facts.takes(figures)) == (may, takes)


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "none, one may follow the other at once"), (0.5, "0.5 s"), (3, "3 s"), (300, "5 min")]
)
def test_spacing_in_words(seconds: float, words: str) -> None:
    assert facts.spacing_words(seconds) == words


def test_a_check_that_failed_is_forgotten_once_something_was_sent(harbor: Desk) -> None:
    account, moment = stored(harbor, 1), Moment(sample.NOW, sample.ZONE)
    channel = harbor.program.channels["mastodon"]
    for minutes, words in ((1, "Check failed · 1 min ago"), (5, "Working · sent 2 min ago")):
        checked = Checked(sample.NOW - timedelta(minutes=minutes), "toot.example can’t be reached.")
        assert facts.facts(account, channel, {}, moment, checked).health.word == words


def test_moments_in_words() -> None:
    moment = Moment(sample.NOW, sample.ZONE)
    gone = [timedelta(seconds=59), timedelta(minutes=5), timedelta(hours=2), timedelta(days=3)]
    assert [facts.ago(sample.NOW - one, moment) for one in gone] == ["just now", "5 min ago", "16:52", "20 Nov 18:52"]


def test_columns_follow_the_window(harbor: Desk, screen: AccountsScreen) -> None:
    def first_line() -> int:
        return len({one.mapTo(screen, QPoint(0, 0)).x() for one in screen.cards.values()})

    harbor.window.resize(1280, 800)
    harbor.settle()
    assert first_line() == 3
    harbor.window.resize(1099, 700)
    harbor.settle()
    assert first_line() == 2


def test_several_workspaces_stand_under_their_names(harbor: Desk) -> None:
    with harbor.program.store.writing() as connection:
        other = accounts.insert_workspace(connection, "Nordlicht Verlag")
        accounts.update(connection, 2, workspace_id=other)
    screen = opened(harbor)
    titles = {group._name.text(): group._count.text() for group in screen._groups.values()}
    assert titles == {"Harbor Coffee": "5 accounts", "Nordlicht Verlag": "1 account"}
    assert all(group._title.isVisible() for group in screen._groups.values())


def test_an_empty_page_teaches_and_leads_on(desk: Desk) -> None:
    screen = opened(desk)
    assert screen._pages.currentIndex() == 1
    assert screen.begin.hasFocus()
    assert screen.add.isHidden()
    press(desk, Qt.Key.Key_Return)
    assert desk.window.current == "add_account"


def test_a_new_account_appears_and_others_keep_the_keyboard(harbor: Desk, screen: AccountsScreen) -> None:
    card(screen, "Newsletter").setFocus()
    harbor.program.commands.accounts.add("practice", "Practice", {})
    harbor.until(lambda: len(screen.cards) == 7)
    assert card(screen, "Practice").health.text() == "Working · nothing sent yet"
    assert card(screen, "Newsletter").hasFocus()


# --- finding and walking ------------------------------------------------------------------------------------------


def test_going_to_an_account_scrolls_to_it_and_marks_it(harbor: Desk) -> None:
    for number in range(12):
        harbor.program.commands.accounts.add("practice", f"Practice {number}", {})
    with harbor.context.reading() as connection:
        last = accounts.every(connection)[-1]
    screen = opened(harbor, account_id=last.id)
    one = screen.cards[last.id]
    assert one.hasFocus()
    assert one._marked
    assert screen._area.viewport().rect().contains(one.mapTo(screen._area.viewport(), one.rect().center()))
    assert sum(other._marked for other in screen.cards.values()) == 1
    assert not any(other._marked for other in opened(harbor).cards.values())


def test_the_arrows_walk_from_card_to_card(harbor: Desk, screen: AccountsScreen) -> None:
    harbor.window.resize(1280, 800)
    harbor.settle()
    assert card(screen, "harborcoffee@toot").hasFocus()
    for key, name in (
        (Qt.Key.Key_Right, "harborcoffee.example"),
        (Qt.Key.Key_Down, "#announcements"),
        (Qt.Key.Key_Left, "Newsletter"),
        (Qt.Key.Key_Down, "Newsletter"),
        (Qt.Key.Key_Up, "harborcoffee@toot"),
    ):
        press(harbor, key)
        assert card(screen, name).hasFocus(), name
    press(harbor, Qt.Key.Key_Up)
    assert screen.search.hasFocus()


def test_finding_leaves_what_fits(harbor: Desk, screen: AccountsScreen) -> None:
    QTest.keySequence(harbor.window, "Ctrl+F")
    QTest.keyClicks(screen.search, "telegram news")
    assert [one.facts.account.name for one in screen._shown()] == ["Harbor News"]
    screen.search.setText("nobody")
    assert screen._nothing.isVisible()
    assert "“nobody”" in screen._nothing.text()
    screen.search.clear()
    assert len(screen._shown()) == 6


def test_enter_shows_all_that_is_known(harbor: Desk, screen: AccountsScreen) -> None:
    card(screen, "harborcoffee@toot").setFocus()
    press(harbor, Qt.Key.Key_Return)
    sheet = harbor.window.overlay
    assert isinstance(sheet, AccountSheet)
    words = {one.accessibleName() for one in sheet.findChildren(type(screen._nothing))}
    assert "Signed in as: @harborcoffee@toot.example" in words
    assert "Software: Mastodon 4.5.2" in words
    press(harbor, Qt.Key.Key_Escape)
    assert harbor.window.overlay is None
    assert card(screen, "harborcoffee@toot").hasFocus()


def test_a_click_opens_too_but_not_when_it_was_dragged_away(harbor: Desk, screen: AccountsScreen) -> None:
    one = card(screen, "Newsletter")
    QTest.mousePress(one, Qt.MouseButton.LeftButton, pos=QPoint(40, 90))
    QTest.mouseRelease(one, Qt.MouseButton.LeftButton, pos=QPoint(40, 900))
    assert harbor.window.overlay is None
    QTest.mouseClick(one, Qt.MouseButton.LeftButton, pos=QPoint(40, 90))
    assert isinstance(harbor.window.overlay, AccountSheet)


def test_the_menu_opens_by_key_and_by_mouse(harbor: Desk, screen: AccountsScreen) -> None:
    one = card(screen, "Newsletter")
    one.setFocus()
    QTest.keySequence(one, "Shift+F10")
    menu = screen.findChild(QMenu, "account menu")
    assert menu is not None
    assert [action.text().split("\t")[0] for action in menu.actions() if not action.isSeparator()] == [
        "What is known", "Check now", "Rename", "Spacing between posts…", "If late…", "Sign in again", "Remove…",
    ]  # fmt: skip
    menu.actions()[3].trigger()
    menu.close()
    harbor.settle()
    assert isinstance(harbor.window.overlay, SpacingSheet)
    harbor.window.overlay.close_it()
    for reason in (QContextMenuEvent.Reason.Keyboard, QContextMenuEvent.Reason.Mouse):
        QApplication.sendEvent(one, QContextMenuEvent(reason, QPoint(5, 5), one.mapToGlobal(QPoint(5, 5))))
        shown = QApplication.activePopupWidget()
        assert isinstance(shown, QMenu)
        shown.close()


# --- renaming, spacing --------------------------------------------------------------------------------------------


def test_renaming_in_place_and_undo(harbor: Desk, screen: AccountsScreen) -> None:
    one = card(screen, "Newsletter")
    one.setFocus()
    press(harbor, Qt.Key.Key_F2)
    assert one.field.hasFocus()
    assert one.field.selectedText() == "Newsletter"
    QTest.keyClicks(one.field, "Letter from the pier")
    press(harbor, Qt.Key.Key_Return)
    harbor.until(lambda: one.name.text() == "Letter from the pier")
    assert one.hasFocus()
    assert harbor.window.overlay is None
    assert harbor.window.said == "Newsletter is called Letter from the pier now."
    QTest.keySequence(harbor.window, "Ctrl+Z")
    harbor.until(lambda: one.name.text() == "Newsletter")


def test_escape_keeps_the_old_name_and_leaving_takes_the_new_one(harbor: Desk, screen: AccountsScreen) -> None:
    one = card(screen, "Newsletter")
    for leave, name in ((lambda: press(harbor, Qt.Key.Key_Escape), "Newsletter"), (screen.search.setFocus, "Letter")):
        one.setFocus()
        press(harbor, Qt.Key.Key_F2)
        QTest.keyClicks(one.field, "Letter")
        leave()
        harbor.settle()
        assert one.field.isHidden()
        harbor.until(lambda name=name: one.name.text() == name)  # type: ignore[misc]
        assert stored(harbor, one.facts.account.id).name == name


def test_a_name_that_is_taken_is_refused(harbor: Desk, screen: AccountsScreen) -> None:
    one = card(screen, "Newsletter")
    one.renamed.emit("HARBOR NEWS")
    harbor.settle()
    assert harbor.window.said == "There is an account called “HARBOR NEWS” already."
    assert one.name.text() == "Newsletter"


def test_spacing_in_minutes_and_undo(harbor: Desk, screen: AccountsScreen) -> None:
    one = card(screen, "Newsletter")
    screen._space(one.facts)
    sheet = harbor.window.overlay
    assert isinstance(sheet, SpacingSheet)
    assert (sheet.number.text(), sheet.unit.value()) == ("0", "s")
    sheet.number.setText("soon")
    QTest.keyClick(sheet.number, Qt.Key.Key_Return)
    assert sheet._field._below.text() == "Write a number, like 5 or 1.5."
    sheet.number.setText("9000")
    sheet.unit.set_value("min")
    QTest.keyClick(sheet.number, Qt.Key.Key_Return)
    harbor.settle()
    assert sheet._field._below.text() == "The pause between two sends is between 0 seconds and a day."
    sheet.number.setText("1,5")
    QTest.keyClick(sheet.number, Qt.Key.Key_Return)
    harbor.settle()
    assert harbor.window.overlay is None
    assert stored(harbor, one.facts.account.id).spacing == 90
    assert harbor.window.said == "Spacing of Newsletter: 90 s."
    QTest.keySequence(harbor.window, "Ctrl+Z")
    harbor.settle()
    assert stored(harbor, one.facts.account.id).spacing == 0


# --- removing -----------------------------------------------------------------------------------------------------


def test_removing_asks_with_the_number_and_really_removes(harbor: Desk, screen: AccountsScreen) -> None:
    one = card(screen, "#announcements")
    one.setFocus()
    press(harbor, Qt.Key.Key_Delete)
    sheet = harbor.window.overlay
    assert sheet is not None
    assert sheet.card.accessibleName() == "Remove #announcements?"
    assert sheet.card.accessibleDescription() == (
        "6 posts planned for it will be cancelled. What was sent stays in Activity. Its key is deleted."
    )
    assert QApplication.focusWidget().text() == "Cancel"  # type: ignore[union-attr]
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
    press(harbor, Qt.Key.Key_Return)
    harbor.until(lambda: len(screen.cards) == 5)
    assert harbor.window.said == "#announcements was removed."
    with harbor.context.reading() as connection:
        left = accounts.counts(connection)[one.facts.account.id]
    assert left[State.CANCELLED] >= 6
    assert State.SCHEDULED not in left


def test_what_the_network_holds_is_named(harbor: Desk, screen: AccountsScreen) -> None:
    screen.remove(card(screen, "Newsletter").facts)
    assert harbor.window.overlay is not None
    assert harbor.window.overlay.card.accessibleDescription() == (
        "2 that the network itself holds will go out all the same. What was sent stays in Activity. Its key is deleted."
    )


def test_without_a_card_chosen_nothing_is_removed(harbor: Desk, screen: AccountsScreen) -> None:
    screen.search.setFocus()
    action = next(one for one in screen.actions() if one.text() == "Remove the account")
    action.trigger()
    assert harbor.window.overlay is None
    assert harbor.window.said == "Choose an account first."


# --- checking live ------------------------------------------------------------------------------------------------


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SmtpServer]:
    with SmtpServer(tmp_path) as server:
        yield server


@pytest.fixture
def mailing(open_profile: Callable[..., Program], open_desk: Callable[..., Desk], server: SmtpServer) -> Desk:
    """A window over a profile whose one account is at a real mail server, with a mail planned."""
    program = open_profile(clock=SetClock(sample.NOW))
    program.commands.accounts.add("smtp", "Work", server.fields())
    program.commands.accounts.add("practice", "Practice", {})
    post_id, _ = program.commands.posts.save_draft(Content(items=(Item("Later"),)), [Variant(2)])
    program.commands.posts.schedule(post_id, When.at(sample.NOW + timedelta(hours=2), "UTC"))
    return open_desk(program)


def test_a_check_asks_the_server_and_says_so(mailing: Desk, server: SmtpServer) -> None:
    screen = opened(mailing)
    asked = len(server.commands)
    work = card(screen, "Work")
    work.setFocus()
    QTest.keyClick(work, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    mailing.until(lambda: work.health.text() == "Working · checked just now")
    assert len(server.commands) > asked
    assert "If an answer gets lost" in screen._checked[1].note


def test_while_it_asks_the_card_says_whom(mailing: Desk, server: SmtpServer) -> None:
    server.faults["GREETING"] = "hang"
    screen = opened(mailing)
    work = card(screen, "Work")
    QTest.mouseClick(screen.check_all, Qt.MouseButton.LeftButton)
    mailing.until(lambda: card(screen, "Practice").health.text() == "Working · checked just now")
    assert work.health.text() == "Asking 127.0.0.1…"
    assert work._spinner.isVisible()
    assert work.button.isHidden()
    assert "Asking 127.0.0.1…" in work.accessibleName()
    server.closing.set()
    mailing.until(lambda: work.health.text().startswith("Check failed"))


def test_a_server_that_is_down_is_named_and_tried_again(mailing: Desk, server: SmtpServer) -> None:
    screen = opened(mailing)
    work = card(screen, "Work")
    server.faults["MAIL"] = "450 4.3.2 not now"
    screen.check_every()
    mailing.until(lambda: work.health.text() == "Check failed · just now")
    assert lines(work)[0][0] == "Cause"
    assert "127.0.0.1" in lines(work)[0][1]
    assert work._edge == "failed.line"
    mailing.until(lambda: card(screen, "Practice").health.text() == "Working · checked just now")
    server.faults.clear()
    QTest.mouseClick(work.button, Qt.MouseButton.LeftButton)
    mailing.until(lambda: work.health.text() == "Working · checked just now")
    assert work._edge == "line"


def test_a_key_that_is_refused_holds_the_account(mailing: Desk, server: SmtpServer) -> None:
    screen = opened(mailing)
    server.users = {"grace@example.org": "changed"}
    work = card(screen, "Work")
    screen._check(work.facts)
    mailing.until(lambda: work.health.text() == "Sign in again")
    assert stored(mailing, 1).state is AccountState.SIGN_IN
    assert work.button.text() == "Sign in"
    assert "does not accept the user name and password" in lines(work)[0][1]


def test_the_sample_s_counts_are_those_of_the_store(harbor: Desk, screen: AccountsScreen) -> None:
    """Planned and removed agree: what the question counts is what is cancelled."""
    one = card(screen, "#announcements")
    account_id, said = one.facts.account.id, one.facts.planned
    harbor.program.commands.accounts.remove(account_id)
    with harbor.context.reading() as connection:
        cancelled = [
            found for found in accounts.counts(connection).get(account_id, {}).items() if found[0] == "cancelled"
        ]
        assert not deliveries.leaving(connection, account_id)
    assert cancelled == [("cancelled", said)]


def test_the_palette_reaches_the_card_that_had_the_keyboard(harbor: Desk, screen: AccountsScreen) -> None:
    card(screen, "Harbor News").setFocus()
    QTest.keySequence(harbor.window, "Ctrl+K")
    harbor.settle()
    palette = harbor.window.overlay
    assert isinstance(palette, Palette)
    QTest.keyClicks(palette.field, "rename the account")
    harbor.settle()
    QTest.keyClick(palette.field, Qt.Key.Key_Return)
    harbor.settle()
    assert card(screen, "Harbor News").field.hasFocus()


# --- rests and lateness -------------------------------------------------------------------------------------------


def test_a_resting_account_says_until_when_and_why_and_is_asked(harbor: Desk, screen: AccountsScreen) -> None:
    rest(harbor, sample.GRAM)
    harbor.settle()
    shown = card(screen, "Harbor News")
    assert shown.health.text() == "Rests until 18:57"
    assert lines(shown)[0] == ("Cause", "5 refusals in a row: Telegram refused it: “chat not found”.")
    assert shown.button.words() == "Ask now"
    shown.button.click()
    harbor.settle()
    with harbor.context.reading() as connection:
        assert accounts.get(connection, 1 + sample.GRAM).rest_until == harbor.context.now()
    assert card(screen, "Harbor News").health.text() == "Is asked now whether it works again"


def test_an_account_gets_its_own_rule_for_late_posts(harbor: Desk, screen: AccountsScreen) -> None:
    screen._choose_late(card(screen, "Harbor News").facts)
    sheet = harbor.window.overlay
    assert isinstance(sheet, LateSheet)
    assert sheet.rule.itemText(0) == "As the preference says: up to 2 h late, then ask"
    sheet.rule.set_value("next 2h")
    sheet.save.click()
    harbor.settle()

    def rule() -> str:
        with harbor.context.reading() as connection:
            return accounts.get(connection, 1 + sample.GRAM).late

    assert rule() == "next 2h"
    assert harbor.window.said == "If late, Harbor News: up to 2 h late, then at the next free time."
    QTest.keySequence(harbor.window, "Ctrl+Z")
    harbor.settle()
    assert rule() == ""
