"""States with numbers, sign-ins that end, and questions before a deletion: for pictures and tests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from sendoff.domain.numbers import Numbers, Reading
from sendoff.store import accounts, deliveries, readings
from sendoff.ui.activity.deeds import Act
from sendoff.ui.activity.screen import ActivityScreen
from tests.gui import sample
from tests.gui.desk import Desk

READ_AT = sample.NOW - timedelta(hours=1)


def let_end(desk: Desk, days: float, warned: int | None = None, account: int = sample.SKY) -> None:
    """The sign-in of an account ends in so many days."""
    with desk.program.store.writing() as connection:
        accounts.update(connection, 1 + account, expires_at=sample.NOW + timedelta(days=days), warned=warned)
    desk.settle()


def read(desk: Desk, delivery_id: int, *numbers: Numbers | None) -> None:
    """Keeps a reading of each part."""
    with desk.program.store.writing() as connection:
        parts = deliveries.parts_of(connection, delivery_id)
        for part, one in zip(parts, numbers, strict=True):
            readings.insert(connection, part.id, Reading(READ_AT, one))
    desk.settle()


def activity(desk: Desk) -> ActivityScreen:
    desk.window.go("activity")
    desk.settle()
    screen = desk.window.screen_named("activity")
    assert isinstance(screen, ActivityScreen)
    return screen


def delivery(screen: ActivityScreen, words: str, account: int) -> int:
    """The delivery of a post that begins so, at one of the sample's accounts."""
    rows = [row for entry in screen._entries for row in entry.rows if row.excerpt.startswith(words)]
    return next(row.delivery.id for row in rows if row.delivery.account_id == 1 + account)


def thread_read(desk: Desk) -> None:
    screen = activity(desk)
    one = delivery(screen, "Roast log: the long", sample.TOOT)
    read(desk, one, Numbers(12, 3, 1), Numbers(4, 0, 0), Numbers(7, 1, 2), Numbers(2, 0, 0))
    screen.reach(one)
    desk.settle()


def several_read(desk: Desk) -> None:
    screen = activity(desk)
    one = delivery(screen, "Morning!", sample.SKY)
    read(desk, one, Numbers(41, 9, 5, 2))
    read(desk, delivery(screen, "Morning!", sample.TOOT), None)
    screen.reach(one)
    desk.settle()


def asked_to_delete(desk: Desk) -> None:
    screen = activity(desk)
    screen.reach(delivery(screen, "Morning!", sample.SKY))
    desk.settle()
    rows = screen.doing.able([row for line in screen._entries for row in line.rows], Act.DELETE)
    screen.doing.do(Act.DELETE, [row for row in rows if row.excerpt.startswith("Morning!")])
    desk.settle()


def ends(screen: str) -> Callable[[Desk], None]:
    def bring(desk: Desk) -> None:
        let_end(desk, 2.6, 3)
        desk.window.go(screen)

    return bring


def channel_missing(desk: Desk) -> None:
    desk.program.failed_channels["carrier-pigeon"] = "ImportError: No module named “loft”"  # type: ignore[index]
    desk.window.go("accounts")
