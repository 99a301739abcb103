"""Taking a sent post back from its receipt: asked before, done by the network, and said."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from sendoff.bootstrap import Program
from sendoff.channels.practice import Practice
from sendoff.domain.channel import Channel
from sendoff.domain.delivery import PartPlan, Receipt, State
from sendoff.domain.errors import Refused, TryLater
from sendoff.domain.post import Content, Item, Plan, Variant
from sendoff.domain.when import When
from sendoff.store import deliveries, doubts, posts, timeline
from sendoff.ui.activity.deeds import Act
from sendoff.ui.activity.screen import ActivityScreen
from sendoff.ui.widgets.button import Button
from sendoff.ui.widgets.floating import Sheet
from tests.gui.desk import Desk
from tests.gui.test_activity import posts_of, said_in, shown

DELETE = "Delete from Practice…"


@pytest.fixture
def first_screen() -> str:
    return ""


@pytest.fixture
def sent(open_profile: Callable[..., Program], open_desk: Callable[..., Desk]) -> tuple[Desk, ActivityScreen, int]:
    """A thread of two that stands in the practice network, and its line opened."""
    program, now = open_profile(), datetime.now(UTC)
    account = program.commands.accounts.add("practice", "Ada", {"handle": "@ada"})
    content = Content((Item("First of two"), Item("and the second")))
    with program.store.writing() as connection:
        post_id = posts.insert(connection, 1, content, [Variant(account)], Plan(), now)
        delivery_id = deliveries.insert(
            connection, post_id=post_id, account_id=account, when=When.at(now, "UTC"), late="send",
            give_up_at=now + timedelta(days=1), plans=[PartPlan(0), PartPlan(1)], now=now,
        )  # fmt: skip
        connection.exec_driver_sql("UPDATE deliveries SET state = 'in_doubt'")
    practice = program.channels["practice"]
    assert isinstance(practice, Practice)
    for number in (1, 2):
        practice._append({"id": f"practice-{number}", "key": str(number), "handle": "@ada", "at": now.isoformat(),
                          "text": content.items[number - 1].text, "media": []})  # fmt: skip
        with program.store.writing() as connection:
            if number == 2:
                connection.exec_driver_sql("UPDATE deliveries SET state = 'in_doubt'")
            doubts.settle(connection, delivery_id, Receipt(f"practice-{number}"), now, summary="")
    desk = open_desk(program)
    screen = shown(desk, delivery_id=delivery_id)
    desk.until(lambda: screen._rooms)
    desk.settle()
    return desk, screen, delivery_id


def delete_button(screen: ActivityScreen) -> Button | None:
    (room,) = screen._rooms.values()
    return next((one for one in room.findChildren(Button) if one.words() == DELETE and not one.isHidden()), None)


def press(desk: Desk, words: str) -> None:
    sheet = desk.window.overlay
    assert isinstance(sheet, Sheet)
    next(one for one in sheet.findChildren(Button) if one.words() == words).click()


def test_it_is_asked_done_and_said(sent: tuple[Desk, ActivityScreen, int]) -> None:
    desk, screen, _ = sent
    practice = desk.program.channels["practice"]
    assert isinstance(practice, Practice)
    assert len(practice.received()) == 2
    found = delete_button(screen)
    assert found is not None
    found.setFocus()
    QTest.keyClick(found, Qt.Key.Key_Return)
    desk.settle()
    assert isinstance(desk.window.overlay, Sheet)
    said = said_in(desk.window.overlay)
    assert "Delete it from Practice?" in said
    assert any(one.startswith("All 2 parts of it go, the last one first") for one in said)
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Escape)
    desk.settle()
    assert len(practice.received()) == 2  # Esc keeps it
    screen.list.setFocus()
    QTest.keyClick(screen.list, Qt.Key.Key_Delete, Qt.KeyboardModifier.ShiftModifier)
    desk.settle()
    press(desk, "Delete from Practice")
    desk.until(lambda: desk.window.said == "It is deleted from Practice.")
    desk.settle()
    assert practice.received() == []
    assert posts_of(screen)[0].count == "Deleted"
    assert posts_of(screen)[0].word == "Sent"
    assert delete_button(screen) is None
    (room,) = screen._rooms.values()
    assert "deleted: You took it back." in said_in(room)


def test_what_was_not_deleted_is_said_and_can_be_tried_again(
    sent: tuple[Desk, ActivityScreen, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, screen, _ = sent

    def busy(*_: object) -> None:
        raise TryLater("The practice network is closed for lunch.", advice="Try again at two.")

    monkeypatch.setattr(Practice, "delete", busy)
    found = delete_button(screen)
    assert found is not None
    found.click()
    desk.settle()
    press(desk, "Delete from Practice")
    words = "It may still be there: The practice network is closed for lunch. Try again at two."
    desk.until(lambda: desk.window.said == words)
    assert delete_button(screen) is not None


def test_where_nothing_can_be_taken_back_nothing_offers_it(
    sent: tuple[Desk, ActivityScreen, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, screen, delivery_id = sent
    monkeypatch.setattr(Practice, "can_delete", Channel.can_delete)
    screen.refresh()
    screen._drop_room(next(iter(screen._rooms)))
    screen.reach(delivery_id)
    desk.settle()
    assert delete_button(screen) is None


@pytest.mark.parametrize("by_hand", [False, True])
def test_what_is_offered_is_what_the_command_does(sent: tuple[Desk, ActivityScreen, int], by_hand: bool) -> None:
    """In every state, by the endpoint's receipt and by the person's word."""
    desk, screen, delivery_id = sent
    practice = desk.program.channels["practice"]
    for state in State:
        with desk.program.store.writing() as connection:
            word = "remote_id = 'by hand', receipt = '{\"remote_id\": \"by hand\"}'"
            if by_hand:
                connection.exec_driver_sql(f"UPDATE parts SET {word} WHERE number = 2")
            taken = "'a'" if state in (State.CLAIMED, State.SENDING) else "NULL"
            connection.exec_driver_sql(f"UPDATE deliveries SET state = '{state}', owner = {taken}")
        with desk.program.store.reading() as connection:
            row = timeline.detail(connection, delivery_id).row
        offered = any(deed.act is Act.DELETE for deed in screen.doing.deeds(row))
        try:
            desk.program.commands.sent.delete(delivery_id)
        except Refused:
            done = False
        else:
            done = True
        with desk.program.store.writing() as connection:
            connection.exec_driver_sql("DELETE FROM events")
        assert offered == done, state
        assert not (done and by_hand)
    assert isinstance(practice, Practice)
    assert bool(practice.received()) == by_hand
