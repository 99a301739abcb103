"""Notifications: news only, by the person's wish."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from sendoff.domain.account import Account
from sendoff.domain.post import Content, Item, Variant
from sendoff.domain.when import When
from sendoff.store import accounts
from sendoff.ui.notify import Notifier
from sendoff.ui.standing import Standing
from tests.gui.desk import Desk
from tests.gui.returning_states import rest
from tests.gui.sample import GRAM

Told = list[tuple[str, str]]


@pytest.fixture
def first_screen() -> str:
    return ""


@pytest.fixture
def told(harbor: Desk) -> Iterator[Told]:
    heard: Told = []
    notifier = Notifier(harbor.context, lambda title, words: heard.append((title, words)))
    harbor.settle()
    yield heard
    notifier.deleteLater()


def ids(desk: Desk, state: str) -> list[int]:
    with desk.context.reading() as connection:
        rows = connection.exec_driver_sql(f"SELECT id FROM deliveries WHERE state = '{state}' ORDER BY id")
        return [row[0] for row in rows]


def fail(desk: Desk, *chosen: int) -> None:
    with desk.program.store.writing("deliveries") as connection:
        for one in chosen:
            connection.exec_driver_sql(f"UPDATE deliveries SET state = 'failed', reason = 'No.' WHERE id = {one}")


def something_else_happens(desk: Desk) -> None:
    later = When.at(desk.context.now() + timedelta(days=3), "UTC")
    desk.program.commands.deliveries.move([ids(desk, "scheduled")[0]], later)
    desk.settle()


def test_what_was_there_already_is_no_news(harbor: Desk, told: Told) -> None:
    something_else_happens(harbor)
    assert told == []


def test_something_new_that_needs_the_person_is_told_once(harbor: Desk, told: Told) -> None:
    fail(harbor, ids(harbor, "scheduled")[0])
    harbor.settle()
    assert told == [("Sendoff needs you", "Failed: “Guji natural” (harborcoffee.example). No.")]
    something_else_happens(harbor)
    assert len(told) == 1


def test_much_at_once_is_told_as_a_number(harbor: Desk, told: Told) -> None:
    fail(harbor, *ids(harbor, "scheduled")[:5])
    harbor.settle()
    assert told == [("Sendoff needs you", "5 deliveries need a decision. Open Activity.")]


@pytest.mark.parametrize(("wish", "expected"), [("attention", []), ("all", [("Sent", "“Told” (Practice)")])])
def test_deliveries_are_told_only_where_that_is_wished(desk: Desk, wish: str, expected: Told) -> None:
    told: Told = []
    notifier = Notifier(desk.context, lambda title, words: told.append((title, words)))
    desk.settle()
    commands = desk.program.commands
    commands.settings.set("notify", wish)
    practice = commands.accounts.add("practice", "Practice", {})
    post, _ = commands.posts.save_draft(Content(items=(Item("Told"),)), [Variant(practice)])
    commands.posts.schedule(post, When.at(desk.context.now(), "UTC"))
    engine = desk.program.engine()
    engine.start()
    try:
        desk.until(lambda: ids(desk, "sent"))
        desk.settle()
    finally:
        engine.stop()
    assert told == expected
    notifier.deleteLater()


def test_nothing_is_told_when_nothing_is_wished(harbor: Desk, told: Told) -> None:
    harbor.program.commands.settings.set("notify", "none")
    harbor.settle()
    fail(harbor, ids(harbor, "scheduled")[0])
    harbor.settle()
    assert told == []


def test_one_that_is_leaving_meanwhile_is_not_forgotten(harbor: Desk) -> None:
    """While an attempt is open, those after it may end first; the open one has to be told when it ends."""
    first, second = ids(harbor, "scheduled")[:2]

    def attempt(delivery: int) -> int:
        with harbor.program.store.writing("deliveries") as connection:
            made = connection.exec_driver_sql(
                "INSERT INTO attempts (part_id, delivery_id, number, owner, began_at) "
                f"SELECT id, delivery_id, 9, 'test', 0 FROM parts WHERE delivery_id = {delivery} RETURNING id"
            )
            return int(made.scalar_one())

    def sent(delivery: int, attempt_id: int) -> None:
        with harbor.program.store.writing("deliveries") as connection:
            connection.exec_driver_sql(f"UPDATE attempts SET outcome = 'sent', ended_at = 0 WHERE id = {attempt_id}")
            connection.exec_driver_sql(f"UPDATE deliveries SET state = 'sent', sent_at = 0 WHERE id = {delivery}")

    told: Told = []
    harbor.program.commands.settings.set("notify", "all")
    notifier = Notifier(harbor.context, lambda title, words: told.append((title, words)))
    harbor.settle()
    slow, quick = attempt(first), attempt(second)
    harbor.settle()
    sent(second, quick)
    harbor.settle()
    sent(first, slow)
    harbor.settle()
    assert [words for _, words in told] == [
        "“Guji natural” (Harbor News)",
        "“Guji natural” (harborcoffee.example)",
    ]
    notifier.deleteLater()


# --- what stands in the way ---------------------------------------------------------------------------------------


def standing(desk: Desk, trouble: str = "", resting: tuple[Account, ...] = ()) -> Standing:
    return replace(desk.window.standing, trouble=trouble, resting=resting)


@pytest.fixture
def notifier(harbor: Desk) -> Iterator[tuple[Notifier, Told]]:
    heard: Told = []
    made = Notifier(harbor.context, lambda title, words: heard.append((title, words)))
    harbor.settle()
    yield made, heard
    made.deleteLater()


STUCK = "3 deliveries are due and nothing takes them, for {} now. Quit Sendoff and start it again."


def test_a_trouble_is_told_when_it_begins_and_not_each_minute(harbor: Desk, notifier: tuple[Notifier, Told]) -> None:
    made, told = notifier
    for trouble in (STUCK.format("2 min"), STUCK.format("3 min"), STUCK.format("1 h 2 min")):
        made.follow(standing(harbor, trouble))
    assert told == [("Sendoff: sending waits", STUCK.format("2 min"))]
    made.follow(standing(harbor, f"{STUCK.format('1 h 3 min')} The keychain is locked."))
    assert len(told) == 2
    made.follow(standing(harbor))
    made.follow(standing(harbor, STUCK.format("2 min")))
    assert len(told) == 3


def test_a_rest_is_told_once_and_not_one_by_one(harbor: Desk, notifier: tuple[Notifier, Told]) -> None:
    made, told = notifier
    made.follow(standing(harbor))
    rest(harbor, GRAM)
    with harbor.context.reading() as connection:
        resting = tuple(accounts.resting(connection))
    for _ in range(3):
        made.follow(standing(harbor, resting=resting))
    assert told == [
        (
            "Harbor News rests",
            "Rests until 18:57 after 5 refusals in a row: Telegram refused it: “chat not found”. Its other posts wait.",
        )
    ]
    made.follow(standing(harbor))
    made.follow(standing(harbor, resting=resting))
    assert len(told) == 2


def test_who_wants_to_hear_nothing_hears_nothing_of_it(harbor: Desk, notifier: tuple[Notifier, Told]) -> None:
    made, told = notifier
    harbor.program.commands.settings.set("notify", "none")
    made.follow(standing(harbor, STUCK))
    assert told == []
