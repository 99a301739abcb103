"""Sign-ins that are watched: quiet questions, one clear “no” that holds everything, and ends that are told once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest

from sendoff.domain.account import Account, AccountState
from sendoff.domain.channel import Identity
from sendoff.domain.delivery import State
from sendoff.domain.errors import KeychainLocked, NeedsLogin, Rejected, TryLater
from sendoff.domain.signin import AHEAD
from sendoff.engine.asking import EVERY
from sendoff.engine.keys import Keys
from sendoff.engine.signins import SignIns
from sendoff.store import accounts
from sendoff.store.signins import endings
from tests.engine.driver import Driver
from tests.engine.test_circuit import AtOnce


class Asked:
    """A watch over the driver's account, and what came of each time that it was asked."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.times: list[datetime] = []
        self.answers: list[Exception | Identity] = []
        self.rests, self.unreached = False, set[int]()
        driver.channel.connect = self.connect  # type: ignore[method-assign]
        self.watch = SignIns(
            store=driver.store, writer=driver.writer, keys=Keys(driver.secrets, driver.store.folder, driver.clock),  # type: ignore[arg-type]
            channels={"scripted": driver.channel}, pool=AtOnce(), clock=driver.clock,  # type: ignore[arg-type]
            rests=lambda: self.rests, unreached=lambda: self.unreached,
        )  # fmt: skip

    def connect(self, fields: Mapping[str, str]) -> Identity:
        self.times.append(self.driver.clock.now())
        answer = self.answers.pop(0) if self.answers else Identity("@ada")
        if isinstance(answer, Exception):
            raise answer
        return answer

    def pass_by(self, hours: float, step: float = 300.0) -> None:
        """Time goes by, with heartbeats."""
        until = self.driver.clock.now() + timedelta(hours=hours)
        while self.driver.clock.now() < until:
            self.driver.clock.advance(step)
            self.watch.tick()

    @property
    def account(self) -> Account:
        with self.driver.store.reading() as connection:
            return accounts.get(connection, self.driver.account)


@pytest.fixture
def asked(driver: Driver) -> Asked:
    return Asked(driver)


def test_once_a_day_and_never_at_once(asked: Asked) -> None:
    asked.watch.tick()
    assert asked.times == []  # the start is left in peace
    asked.pass_by(73, step=1800)
    assert len(asked.times) == 4
    assert {(b - a) >= timedelta(days=1) for a, b in zip(asked.times, asked.times[1:], strict=False)} == {True}
    assert asked.account.probed_at == asked.times[-1]


def test_some_hours_before_a_post_is_due(asked: Asked, driver: Driver) -> None:
    asked.pass_by(1)
    due_at = driver.clock.now() + timedelta(hours=10)
    driver.schedule("hello", seconds=36_000)
    asked.pass_by(9.5, step=600)
    assert len(asked.times) == 2
    assert timedelta(hours=3.8) < due_at - asked.times[1] <= AHEAD


def test_many_accounts_are_asked_one_after_the_other(asked: Asked, driver: Driver) -> None:
    for number in range(9):
        driver.add_account(f"more{number}")
    asked.pass_by(0.25, step=20.0)
    gaps = {(b - a).total_seconds() for a, b in zip(asked.times, asked.times[1:], strict=False)}
    assert len(asked.times) == 10
    assert min(gaps) >= EVERY


def test_a_clear_no_holds_what_is_planned_and_says_why(asked: Asked, driver: Driver) -> None:
    soon, late = driver.schedule("one", seconds=7200), driver.schedule("two", seconds=720_000)
    asked.answers = [NeedsLogin("Scripted no longer takes CANARY-0123456789.")]
    asked.pass_by(0.2)
    for one in (soon, late):
        assert driver.get(one).state is State.HELD
        assert driver.get(one).reason == "Scripted no longer takes ••••••••."
    assert asked.account.state is AccountState.SIGN_IN
    asked.pass_by(50, step=1800)
    assert len(asked.times) == 1  # nobody asks where a person has to sign in


@pytest.mark.parametrize("answer", [TryLater("busy"), Rejected("what?"), KeychainLocked("locked")])
def test_any_other_answer_says_nothing_and_is_asked_for_ever_later(
    asked: Asked, driver: Driver, answer: Exception
) -> None:
    driver.schedule("one", seconds=14_400)
    asked.answers = [answer] * 2
    asked.pass_by(3.5, step=600)
    first, second, third = asked.times
    assert (second - first, third - second) == (timedelta(hours=1), timedelta(hours=2))
    assert asked.account.state is AccountState.WORKING


@pytest.mark.expects_log("the channel of account 1 failed when it was asked")
def test_a_mistake_in_the_channel_is_no_sign_out(asked: Asked) -> None:
    asked.answers = [KeyError("wing")]
    asked.pass_by(0.5)
    assert asked.account.state is AccountState.WORKING


def test_nobody_is_asked_while_offline_paused_resting_or_unreached(asked: Asked, driver: Driver) -> None:
    asked.answers = [TryLater("no network", offline=True)]
    asked.pass_by(0.05)
    asked.pass_by(0.15, step=30)
    assert len(asked.times) == 1
    asked.rests = True
    asked.pass_by(1)
    asked.rests, asked.unreached = False, {driver.account}
    asked.pass_by(1)
    asked.unreached = set()
    with driver.store.writing() as connection:
        accounts.update(connection, driver.account, rest_until=driver.clock.now() + timedelta(days=9))
    asked.pass_by(1)
    assert len(asked.times) == 1


@pytest.mark.parametrize("renews", [False, True])
def test_where_reading_costs_nothing_is_read_and_a_token_is_renewed(asked: Asked, driver: Driver, renews: bool) -> None:
    driver.channel.reads_cost, driver.channel.renews = True, renews
    with driver.store.writing() as connection:
        accounts.update(connection, driver.account, settings={"paid_reads": "yes"})
    asked.pass_by(30, step=1800)
    assert asked.times == []
    assert (asked.account.probed_at is not None) is renews


def test_what_the_person_did_meanwhile_stands(asked: Asked, driver: Driver) -> None:
    """The answer to an old key says nothing about the new one."""

    def signed_in_again(fields: Mapping[str, str]) -> Identity:
        with driver.store.writing() as connection:
            accounts.update(connection, driver.account, secret_ref=driver.secrets.put({"token": "new"}))
        raise NeedsLogin("the old key")

    driver.channel.connect = signed_in_again  # type: ignore[method-assign]
    asked.pass_by(0.2)
    assert asked.account.state is AccountState.WORKING


def test_an_end_is_told_once_at_each_step_with_the_posts_at_risk(asked: Asked, driver: Driver) -> None:
    now = driver.clock.now()
    ends = now + timedelta(days=8)
    asked.answers = [Identity("@ada", expires=ends) for _ in range(20)]
    driver.schedule("before it", seconds=6 * 86_400)
    driver.schedule("Lunch", seconds=9 * 86_400)
    told: list[tuple[int, int | None]] = []
    for hour in range(0, 9 * 24, 2):
        asked.pass_by(2, step=7200)
        if asked.account.warned != (told or [(0, None)])[-1][1]:
            told.append((hour + 2, asked.account.warned))
    assert told == [(24, 7), (5 * 24, 3), (7 * 24, 1), (8 * 24, 0)]
    asked.answers = [Identity("@ada", expires=ends + timedelta(days=14))]
    with driver.store.reading() as connection:
        assert endings(connection, driver.clock.now()) == []  # it was asked after its end, and still works


def test_the_posts_at_risk_are_those_after_the_end(asked: Asked, driver: Driver) -> None:
    ends = driver.clock.now() + timedelta(days=2)
    asked.answers = [Identity("@ada", expires=ends)]
    driver.schedule("before it", seconds=86_400)
    for text in ("Lunch", "Dinner", "Supper"):
        driver.schedule(text, seconds=3 * 86_400)
    asked.pass_by(0.2)
    with driver.store.reading() as connection:
        (ending,) = endings(connection, driver.clock.now())
    assert (ending.account.id, ending.expires_at) == (driver.account, ends)
    assert (ending.at_risk, ending.excerpts) == (3, ("Lunch", "Dinner"))


def test_another_end_is_told_anew(asked: Asked, driver: Driver) -> None:
    asked.answers = [Identity("@ada", expires=driver.clock.now() + timedelta(hours=5))]
    asked.pass_by(0.5)
    assert asked.account.warned == 1
    with driver.store.writing() as connection:
        accounts.signed_in(connection, driver.account, driver.clock.now() + timedelta(days=14), driver.clock.now())
    assert asked.account.warned is None
