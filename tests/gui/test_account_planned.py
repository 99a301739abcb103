"""What an account's own server has planned, in the sheet of all that is known: asked for, shown, and why not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from PySide6.QtWidgets import QApplication

from sendoff.ui.accounts.planned import MOST, PlannedThere
from sendoff.ui.accounts.sheets import AccountSheet
from sendoff.ui.widgets.label import Label
from tests.fakes.mastodon import MastodonServer
from tests.gui.desk import Desk
from tests.gui.test_accounts import card, opened


@pytest.fixture
def first_screen() -> str:
    return ""


@pytest.fixture
def server() -> Iterator[MastodonServer]:
    with MastodonServer() as server:
        yield server


def sheet(desk: Desk, server: MastodonServer) -> PlannedThere:
    desk.context.commands.accounts.add("mastodon", "Lab", {"server": server.url, "access_token": server.token})
    screen = opened(desk)
    screen.refresh()
    screen.open(card(screen, "Lab").facts)
    QApplication.processEvents()
    assert isinstance(desk.window.overlay, AccountSheet)
    found = desk.window.overlay.findChild(PlannedThere)
    assert found is not None
    return found


def texts(there: PlannedThere) -> list[str]:
    return [one.text() for one in there.findChildren(Label)]


def test_it_is_asked_for_by_itself_where_the_key_is_at_hand(harbor: Desk, server: MastodonServer) -> None:
    for number in range(MOST + 3):
        server.endpoint.plan_elsewhere(f"Post {number}", harbor.context.now() + timedelta(days=number + 1), number % 2)
    there = sheet(harbor, server)
    harbor.until(lambda: "in another program" in there.words.text())
    assert there.words.text() == f"{MOST + 3} posts, planned in another program"
    assert "Post 0" in texts(there)
    assert "Post 1 · 1 picture" in texts(there)
    assert f"Post {MOST}" not in texts(there)
    assert "and 3 more" in texts(there)


def test_nothing_is_said_as_such(harbor: Desk, server: MastodonServer) -> None:
    there = sheet(harbor, server)
    harbor.until(lambda: there.words.text() == "Nothing")
    assert not there._ask.isVisible()


def test_a_refusal_is_said_without_the_key_and_can_be_asked_again(harbor: Desk, server: MastodonServer) -> None:
    server.endpoint.scopes = ("profile", "write", "read:statuses")
    there = sheet(harbor, server)
    harbor.until(lambda: there.words.text() == "Nothing")
    server.endpoint.scopes = ("profile", "write")
    there.ask()
    harbor.until(lambda: there._ask.isVisible())
    assert "outside the authorized scopes" in there.words.text()
    assert server.token not in there.words.text()
