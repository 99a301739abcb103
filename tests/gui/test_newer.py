"""Looking for a newer version: only where it is wished, once a day, said once, and never while something leaves."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, QUrl, Slot
from PySide6.QtGui import QDesktopServices
from pytestqt.qtbot import QtBot

import sendoff
from sendoff import release
from sendoff.channels.fault_server import FaultServer
from sendoff.domain.post import Content, Item, Variant
from sendoff.domain.when import When
from sendoff.release import NewerPage
from sendoff.store import settings
from sendoff.ui.newer import Newer
from sendoff.ui.preferences.screen import PreferencesScreen
from tests.conftest import SetClock
from tests.fakes.releases import Makers, Page
from tests.gui.desk import Desk


@pytest.fixture(scope="module")
def makers(tmp_path_factory: pytest.TempPathFactory) -> Makers:
    return Makers(tmp_path_factory.mktemp("makers"))


@pytest.fixture
def server(makers: Makers) -> Iterator[FaultServer]:
    with FaultServer(Page(makers.page("9.1.0"))) as made:
        yield made


@pytest.fixture
def page(server: FaultServer, makers: Makers, monkeypatch: pytest.MonkeyPatch) -> NewerPage:
    """What whoever made this Sendoff put in."""
    made = NewerPage(f"{server.url}/newest.json", makers.key)
    monkeypatch.setattr(release, "newer_page", lambda: made)
    return made


@pytest.fixture
def first_screen(page: NewerPage) -> str:
    return "preferences"


class Room:
    """The window that looks at this server, and what it told."""

    def __init__(self, desk: Desk, server: FaultServer, page: NewerPage) -> None:
        self.desk, self.server = desk, server
        self.told: list[str] = []
        self.newer = Newer(desk.context, lambda title, words: self.told.append(f"{title}. {words}"), page, desk.window)

    def look(self) -> None:
        self.newer.look()
        self.desk.until(lambda: not self.newer._asking)
        self.desk.settle()

    def switch_on(self) -> None:
        self.desk.program.commands.settings.set("updates", "yes")
        self.desk.settle()
        self.desk.until(lambda: not self.newer._asking)
        self.desk.settle()

    @property
    def screen(self) -> PreferencesScreen:
        found = self.desk.window.screen_named("preferences")
        assert isinstance(found, PreferencesScreen)
        return found

    @property
    def words(self) -> str:
        return self.screen.rows["updates"].below.text()


@pytest.fixture
def room(bench: Desk, server: FaultServer, page: NewerPage) -> Room:
    return Room(bench, server, page)


def test_it_is_off_until_somebody_wants_it(room: Room) -> None:
    assert room.desk.context.settings()["updates"] == "no"
    room.look()
    assert room.server.requests == []
    assert not room.screen.about.newer.isVisible()


def test_a_newer_version_is_said_once_and_stands_in_about(room: Room, clock: SetClock) -> None:
    room.switch_on()
    assert len(room.server.requests) == 1
    assert room.told == ["Sendoff 9.1.0 is out. What is new stands in Preferences, About."]
    assert room.screen.about.newer.isVisible()
    assert room.screen.about.newer.label.text() == "Sendoff 9.1.0 is there"
    assert room.screen.about.newer.below.text().startswith("Since 1 December 2026.")
    assert room.words.endswith("Looked last: today 18:52.")
    clock.advance(23 * 3600)
    room.look()
    assert len(room.server.requests) == 1  # once a day
    clock.advance(2 * 3600)
    room.look()
    assert len(room.server.requests) == 2
    assert len(room.told) == 1
    room.desk.program.commands.settings.set("updates", "no")
    room.desk.settle()
    assert not room.screen.about.newer.isVisible()


def test_what_is_new_opens_in_the_browser(room: Room) -> None:
    class Browser(QObject):
        seen: list[str] = []  # noqa: RUF012

        @Slot(QUrl)
        def open(self, url: QUrl) -> None:
            self.seen.append(url.toString())

    browser = Browser()
    room.switch_on()
    QDesktopServices.setUrlHandler("https", browser, "open")
    try:
        room.screen.about.newer.control.click()  # type: ignore[attr-defined]
    finally:
        QDesktopServices.unsetUrlHandler("https")
    assert browser.seen == ["https://sendoff.example/news"]


def test_this_version_is_no_news(room: Room, makers: Makers) -> None:
    room.server.endpoint = Page(makers.page(sendoff.__version__))
    room.switch_on()
    assert room.told == []
    assert not room.screen.about.newer.isVisible()
    assert "This is the newest version." in room.words


def test_a_page_that_is_not_believed_changes_nothing_and_is_named(
    room: Room, makers: Makers, clock: SetClock, tmp_path: Path
) -> None:
    room.switch_on()
    for page, said in (
        (Makers(tmp_path).page("9.9.0"), "not signed by the makers"),
        (makers.page("9.0.0"), "knows only 9.0.0"),
    ):
        clock.advance(25 * 3600)
        room.server.endpoint = Page(page)
        room.look()
        assert said in room.words
        assert room.screen.about.newer.label.text() == "Sendoff 9.1.0 is there"
    assert len(room.told) == 1


def test_where_nobody_answers_it_is_tried_again_soon(room: Room, clock: SetClock) -> None:
    room.server.mode = "unavailable"
    room.switch_on()
    assert room.desk.context.settings()["newer_asked"] == ""
    assert "It is tried again." in room.words
    room.server.mode = "accept"
    room.look()
    assert room.told
    assert "tried again" not in room.words


def test_a_send_goes_before(room: Room, clock: SetClock, qtbot: QtBot) -> None:
    commands = room.desk.program.commands
    post, _ = commands.posts.save_draft(Content((Item("Now"),)), [Variant(1)])
    commands.posts.schedule(post, When.at(clock.now() + timedelta(seconds=30), "Europe/Berlin"), "send")
    room.desk.settle()
    room.switch_on()
    assert room.server.requests == []
    clock.advance(3600)
    commands.sender.pause(None)
    with room.desk.context.reading() as connection:
        from sendoff.store import deliveries

        [one] = deliveries.of_post(connection, post)
    commands.deliveries.cancel([one.id])
    room.desk.settle()
    room.desk.window.look_again()
    room.look()
    assert len(room.server.requests) == 1


def test_who_wants_no_notifications_gets_none(room: Room) -> None:
    room.desk.program.commands.settings.set("notify", "none")
    room.switch_on()
    assert room.told == []
    assert room.screen.about.newer.isVisible()


@pytest.mark.parametrize("first_screen", ["preferences"])
def test_a_sendoff_without_an_address_offers_nothing_that_cannot_work(bench: Desk) -> None:
    """As it is in a checkout, and in a package whose maker put none in."""
    screen = bench.window.screen_named("preferences")
    assert isinstance(screen, PreferencesScreen)
    assert "start_at_login" in screen.rows
    assert "updates" not in screen.rows
    assert not screen.about.newer.isVisible()
    assert "updates" not in [one.name for one in settings.offered()]
