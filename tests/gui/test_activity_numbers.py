"""What people did with a post, on its receipt: as it was last read, and asked for anew."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from sendoff.channels.bluesky import Bluesky
from sendoff.channels.http import Transport
from sendoff.channels.registry import Context
from sendoff.channels.testing import IMPATIENT
from sendoff.domain.delivery import Receipt
from sendoff.store import codec, deliveries
from sendoff.ui.activity.screen import ActivityScreen
from sendoff.ui.widgets.button import Button
from tests.fakes.appview import ViewServer
from tests.fakes.pds import FakePds, Record
from tests.gui import numbers_states, sample
from tests.gui.desk import Desk
from tests.gui.test_activity import said_in

READ = "Read likes and replies now"


@pytest.fixture
def first_screen() -> str:
    return "activity"


@pytest.fixture
def view() -> Iterator[ViewServer]:
    with ViewServer(FakePds()) as server:
        yield server


def rooms(screen: ActivityScreen) -> list[str]:
    return [words for room in screen._rooms.values() for words in said_in(room)]


def test_a_thread_shows_the_sum_and_the_time(harbor: Desk) -> None:
    numbers_states.thread_read(harbor)
    screen = numbers_states.activity(harbor)
    said = rooms(screen)
    assert "25 likes, 4 reposts, 3 replies" in said
    assert "as of 23 Nov, 17:52" in said
    (room,) = screen._rooms.values()
    copy = next(one for one in room.findChildren(Button) if one.accessibleName() == "Copy the receipt")
    copy.click()
    assert "Reactions 25 likes, 4 reposts, 3 replies" in QGuiApplication.clipboard().text()


def test_one_that_is_gone_says_so(harbor: Desk) -> None:
    numbers_states.several_read(harbor)
    said = rooms(numbers_states.activity(harbor))
    assert "It is not there any more" in said
    assert "41 likes, 9 reposts, 5 replies, 2 quotes" in said


def test_they_are_asked_for_by_a_button_and_by_a_key(harbor: Desk, view: ViewServer) -> None:
    uri = "at://did:plc:harborcoffeeharborcoffee/app.bsky.feed.post/3kzzzzzzzzz2a"
    view.endpoint.pds.records["", "", ""] = Record(uri, "bafy", {})
    view.endpoint.counts[uri] = {"likeCount": 7}
    context = Context(Transport(IMPATIENT), harbor.program.folder)
    harbor.program.channels["bluesky"] = Bluesky(context, view=view.url)  # type: ignore[index]
    screen = numbers_states.activity(harbor)
    one = numbers_states.delivery(screen, "Morning!", sample.SKY)
    with harbor.program.store.writing() as connection:
        (part,) = deliveries.parts_of(connection, one)
        connection.exec_driver_sql(
            "UPDATE parts SET remote_id = ?, receipt = ? WHERE id = ?", (uri, codec.encode(Receipt(uri)), part.id)
        )
    screen.reach(one)
    harbor.settle()
    (room,) = screen._rooms.values()
    found = [one for one in room.findChildren(Button) if one.words() == READ]
    assert len(found) == 2  # Mastodon and Bluesky
    harbor.program.secrets.get = lambda *_, **__: {"access_jwt": ""}  # type: ignore[method-assign]
    harbor.program.channels["bluesky"].renews = False
    found[1].click()
    harbor.until(lambda: harbor.window.said == "7 likes, 0 reposts, 0 replies.")
    harbor.settle()
    assert "7 likes, 0 reposts, 0 replies" in rooms(screen)
    view.endpoint.counts[uri] = {"likeCount": 8}
    harbor.program.channels.pop("mastodon")  # type: ignore[attr-defined]
    screen.list.setFocus()
    QTest.keyClick(screen.list, Qt.Key.Key_N)
    harbor.until(lambda: harbor.window.said == "8 likes, 0 reposts, 0 replies.")
