"""Numbers that are read by themselves: a few times, out of the way, politely, and not where it costs or is gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from sendoff.domain.account import Account
from sendoff.domain.delivery import Receipt
from sendoff.domain.errors import Refused, TryLater
from sendoff.domain.numbers import Numbers, Reading
from sendoff.engine.keys import Keys
from sendoff.engine.readings import Readings
from sendoff.store import accounts, deliveries, readings
from tests.engine.driver import Driver
from tests.engine.test_circuit import AtOnce


class Counting:
    """The readings of the driver's profile, and every question with its hour."""

    def __init__(self, driver: Driver, at_once: int = 2) -> None:
        self.driver = driver
        self.began = driver.clock.now()
        self.asked: list[tuple[float, list[str]]] = []
        self.answers: list[Exception] = []
        self.gone: set[str] = set()
        self.untold: set[str] = set()
        self.busy, self.unreached = False, set[int]()
        driver.channel.capabilities = replace(driver.channel.capabilities, numbers=at_once)
        driver.channel.numbers = self.numbers  # type: ignore[method-assign]
        self.readings = Readings(
            store=driver.store, writer=driver.writer, keys=Keys(driver.secrets, driver.store.folder, driver.clock),  # type: ignore[arg-type]
            channels={"scripted": driver.channel}, pool=AtOnce(), clock=driver.clock,  # type: ignore[arg-type]
            is_busy=lambda: self.busy, unreached=lambda: self.unreached,
        )  # fmt: skip

    def numbers(
        self, account: Account, secret: Mapping[str, str], receipts: Sequence[Receipt]
    ) -> Mapping[str, Numbers | None]:
        ids = [one.remote_id for one in receipts]
        self.asked.append(((self.driver.clock.now() - self.began).total_seconds() / 3600, ids))
        if self.answers:
            raise self.answers.pop(0)
        return {one: None if one in self.gone else Numbers(len(self.asked)) for one in ids if one not in self.untold}

    def pass_by(self, hours: float, step: float = 600.0) -> None:
        until = self.driver.clock.now() + timedelta(hours=hours)
        while self.driver.clock.now() < until:
            self.driver.clock.advance(step)
            self.readings.tick()

    @property
    def hours(self) -> list[int]:
        return [round(hour) for hour, _ in self.asked]


@pytest.fixture
def counting(driver: Driver) -> Counting:
    return Counting(driver)


def send(driver: Driver, *texts: str) -> int:
    delivery_id = driver.schedule(*texts)
    driver.run()
    return delivery_id


def latest(driver: Driver, delivery_id: int) -> dict[int, Reading]:
    with driver.store.reading() as connection:
        return readings.latest_of(connection, delivery_id)


def test_after_an_hour_a_day_and_a_week_and_then_no_more(counting: Counting, driver: Driver) -> None:
    one = send(driver, "hello")
    counting.pass_by(24 * 9, step=3600)
    assert counting.hours == [1, 24, 168]
    assert latest(driver, one)[1].numbers == Numbers(3)
    assert driver.detail(one).readings[1].numbers == Numbers(3)


def test_many_posts_go_into_few_questions_that_are_spread(counting: Counting, driver: Driver) -> None:
    for number in range(5):
        send(driver, f"post {number}")
    counting.pass_by(1.3, step=30)
    assert [len(ids) for _, ids in counting.asked] == [2, 2, 1]
    gaps = [(b - a) * 3600 for (a, _), (b, _) in zip(counting.asked, counting.asked[1:], strict=False)]
    assert min(gaps) >= 59


def test_a_post_that_is_gone_is_not_asked_for_again(counting: Counting, driver: Driver) -> None:
    one = send(driver, "hello")
    counting.gone = {"id-1"}
    counting.pass_by(200, step=3600)
    assert counting.hours == [1]
    assert latest(driver, one)[1].numbers is None


def test_what_was_deleted_or_found_by_hand_is_not_asked_for(counting: Counting, driver: Driver) -> None:
    deleted = send(driver, "one")
    with driver.store.writing() as connection:
        deliveries.note(connection, deleted, driver.clock.now(), "deleted")
    byhand = driver.schedule("two")
    with driver.store.writing() as connection:
        connection.exec_driver_sql(f"UPDATE deliveries SET state = 'in_doubt' WHERE id = {byhand}")
    driver.commands.deliveries.settle(byhand, True)
    counting.pass_by(30, step=3600)
    assert counting.asked == []
    with pytest.raises(Refused, match="could be asked for"):
        driver.commands.sent.read_numbers(byhand)


def test_what_is_in_the_way_waits_and_what_fails_is_asked_ever_later(counting: Counting, driver: Driver) -> None:
    send(driver, "hello")
    counting.busy = True
    counting.pass_by(2)
    counting.busy, counting.unreached = False, {driver.account}
    counting.pass_by(2)
    assert counting.asked == []
    counting.unreached = set()
    counting.answers = [TryLater("busy"), TryLater("busy"), TryLater("busy", after=timedelta(hours=9))]
    counting.pass_by(19)
    assert counting.hours == [4, 5, 7, 16]


def test_being_offline_counts_for_nothing(counting: Counting, driver: Driver) -> None:
    send(driver, "hello")
    counting.answers = [TryLater("no network", offline=True)]
    counting.pass_by(1.5, step=120)
    (first, _), (second, _) = counting.asked
    assert 9 <= (second - first) * 60 <= 12


def test_one_that_can_not_be_told_of_yet_keeps_nobody_waiting(counting: Counting, driver: Driver) -> None:
    for number in range(3):
        send(driver, f"post {number}")
    counting.untold = {"id-1", "id-2"}
    counting.pass_by(1.5)
    assert [ids for _, ids in counting.asked] == [["id-1", "id-2"], ["id-3"]]
    counting.untold = set()
    counting.pass_by(1)
    assert counting.asked[-1][1] == ["id-1", "id-2"]


def test_where_reading_costs_nothing_is_read_unless_the_person_says_so(counting: Counting, driver: Driver) -> None:
    one = send(driver, "hello")
    driver.channel.reads_cost = True
    counting.pass_by(30, step=3600)
    with pytest.raises(Refused, match="charges for reading"):
        driver.commands.sent.read_numbers(one)
    assert counting.asked == []
    with driver.store.writing() as connection:
        accounts.update(connection, driver.account, settings={"paid_reads": "yes"})
    counting.pass_by(1)
    driver.commands.sent.read_numbers(one)
    assert len(counting.asked) == 2


@pytest.mark.expects_log("the channel of account 1 failed when it was asked")
def test_a_mistake_in_the_channel_is_told_by_the_log(counting: Counting, driver: Driver) -> None:
    send(driver, "hello")
    counting.answers = [KeyError("wing")]  # type: ignore[list-item]
    counting.pass_by(3)
    assert counting.hours == [1, 2]


def test_on_demand_all_parts_at_once_and_kept_with_the_time(counting: Counting, driver: Driver) -> None:
    one = send(driver, "one", "two", "three")
    found = driver.commands.sent.read_numbers(one)
    assert [ids for _, ids in counting.asked] == [["id-1", "id-2"], ["id-3"]]
    assert found == {1: Reading(driver.clock.now(), Numbers(1)), 2: Reading(driver.clock.now(), Numbers(1)),
                     3: Reading(driver.clock.now(), Numbers(2))}  # fmt: skip
    assert latest(driver, one) == found


def test_a_network_that_tells_none_or_not_yet_is_said(counting: Counting, driver: Driver) -> None:
    one = send(driver, "hello")
    counting.untold = {"id-1"}
    with pytest.raises(TryLater, match="does not show it yet"):
        driver.commands.sent.read_numbers(one)
    driver.channel.capabilities = replace(driver.channel.capabilities, numbers=0)
    with pytest.raises(Refused, match="does not tell"):
        driver.commands.sent.read_numbers(one)
    counting.pass_by(30, step=3600)
    assert len(counting.asked) == 1
