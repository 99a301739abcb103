"""Refusals in a row put an account to rest; it is asked in the end whether it works again, and then goes on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from sendoff.domain.account import STRIKES, Account, AccountState, rest
from sendoff.domain.channel import Identity
from sendoff.domain.delivery import State
from sendoff.domain.errors import InDoubt, KeychainLocked, NeedsLogin, Rejected, TryLater
from sendoff.domain.post import Content, Item, Mail, Recipient, Variant
from sendoff.domain.when import When
from sendoff.engine.circuit import Circuit
from sendoff.store import accounts, deliveries
from tests.engine.driver import Driver


class AtOnce:
    """A pool that does everything in the asking thread."""

    def submit(self, *tasks: Callable[[], None]) -> None:
        for task in tasks:
            task()


def account(driver: Driver) -> Account:
    with driver.store.reading() as connection:
        return accounts.get(connection, driver.account)


def circuit(driver: Driver) -> Circuit:
    made = Circuit(
        store=driver.store, writer=driver.writer, keys=driver.keys,  # type: ignore[arg-type]
        channels={"scripted": driver.channel}, pool=AtOnce(), clock=driver.clock,  # type: ignore[arg-type]
    )  # fmt: skip
    made.read()
    return made


def refuse(driver: Driver, *ends: Exception) -> None:
    """One delivery after the other, each with its end."""
    for end in ends:
        driver.channel.answers = [end]
        driver.schedule("hello")
        driver.step()


REFUSED = Rejected("no such room")


def test_rests_grow_and_stay_bearable() -> None:
    minutes = [rest(strikes).total_seconds() / 60 for strikes in (0, 4, 5, 6, 7, 8, 9, 500)]
    assert minutes == [0, 0, 5, 10, 20, 40, 60, 60]


@pytest.mark.parametrize(
    "end", [REFUSED, TryLater("it is not there"), InDoubt("the line broke")], ids=["refused", "later", "doubt"]
)
def test_after_some_refusals_in_a_row_it_rests(driver: Driver, end: Exception) -> None:
    refuse(driver, *[end] * (STRIKES - 1))
    assert account(driver).rest_until is None
    refuse(driver, end)
    assert account(driver).rest_until == driver.clock.now() + timedelta(minutes=5)
    assert account(driver).rest_reason == str(end)


@pytest.mark.parametrize(
    "end",
    [
        TryLater("offline", offline=True),
        TryLater("slow down", after=timedelta(seconds=5)),
    ],
    ids=["offline", "asked to wait"],
)
def test_what_is_nobodys_fault_does_not_count(driver: Driver, end: Exception) -> None:
    refuse(driver, *[end] * (STRIKES + 1))
    assert (account(driver).strikes, account(driver).rest_until) == (0, None)


def test_a_receipt_absolves(driver: Driver) -> None:
    refuse(driver, *[REFUSED] * (STRIKES - 1))
    driver.schedule("taken")
    driver.step()
    assert account(driver).strikes == 0
    refuse(driver, REFUSED)
    assert account(driver).rest_until is None


def test_the_rest_ends_when_the_endpoint_answers_well(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []
    monkeypatch.setattr(
        driver.channel, "connect", lambda fields: asked.append(dict(fields)) or Identity("@ada"), raising=False
    )
    refuse(driver, *[REFUSED] * STRIKES)
    watch = circuit(driver)
    watch.tick()
    assert asked == []  # it rests
    driver.clock.advance(301)
    watch.tick()
    assert asked == [{"token": "CANARY-0123456789"}]
    assert (account(driver).rest_until, account(driver).rest_reason) == (None, "")
    refuse(driver, REFUSED)  # one more is enough now
    assert account(driver).rest_until == driver.clock.now() + timedelta(minutes=5)


def test_the_rest_goes_on_while_the_endpoint_does_not(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(fields: dict[str, str]) -> Identity:
        raise TryLater(f"still down, and you sent {fields['token']}")

    monkeypatch.setattr(driver.channel, "connect", connect)
    refuse(driver, *[REFUSED] * STRIKES)
    driver.clock.advance(301)
    circuit(driver).tick()
    assert account(driver).rest_until == driver.clock.now() + timedelta(minutes=10)
    assert "still down" in account(driver).rest_reason
    assert "CANARY" not in account(driver).rest_reason


def test_a_lost_key_ends_the_rest_in_a_sign_in(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(fields: dict[str, str]) -> Identity:
        raise NeedsLogin("the key is gone")

    monkeypatch.setattr(driver.channel, "connect", connect)
    refuse(driver, *[REFUSED] * STRIKES)
    waiting = driver.schedule("later")
    driver.clock.advance(301)
    circuit(driver).tick()
    assert account(driver).state is AccountState.SIGN_IN
    assert driver.get(waiting).state is State.HELD
    with driver.store.writing() as connection:
        deliveries.release_account(connection, driver.account)
    assert (account(driver).strikes, account(driver).rest_until) == (0, None)


def test_a_locked_keychain_prolongs_it_a_little(driver: Driver) -> None:
    refuse(driver, *[REFUSED] * STRIKES)
    driver.secrets._known.clear()
    driver.drawer.trouble = KeychainLocked("locked")
    driver.clock.advance(301)
    circuit(driver).tick()
    assert account(driver).rest_until == driver.clock.now() + timedelta(minutes=1)
    assert account(driver).strikes == STRIKES


def test_one_bad_address_among_many_is_not_the_accounts_fault(driver: Driver) -> None:
    to = tuple(Recipient(f"{name}@example.org") for name in "abcd")
    content = Content((Item("hello"),), mail=Mail(subject="Hi", to=to, separately=True))
    with driver.store.writing() as connection:
        accounts.update(connection, driver.account, learned={"mail": True, "batch": 1})
    post_id, _ = driver.commands.posts.save_draft(content, [Variant(driver.account)])
    driver.commands.posts.schedule(post_id, When.at(driver.clock.now(), "UTC"), "send")
    driver.channel.answers = [Rejected("no such person"), None, Rejected("no such person"), None]
    driver.run()
    assert len(driver.channel.ledger) == 2
    assert account(driver).strikes == 0


@pytest.mark.expects_log("the channel scripted failed when it was asked")
def test_a_mistake_in_a_channel_is_no_reason_to_ask_for_ever(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(fields: dict[str, str]) -> Identity:
        raise ZeroDivisionError

    monkeypatch.setattr(driver.channel, "connect", connect)
    refuse(driver, *[REFUSED] * STRIKES)
    driver.clock.advance(301)
    circuit(driver).tick()
    assert account(driver).rest_until == driver.clock.now() + timedelta(minutes=10)
