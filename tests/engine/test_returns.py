"""Coming back after an absence: it is noted, hosts are asked first, and a strange clock is not believed at once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from sendoff.domain.absence import Cause
from sendoff.domain.account import Account
from sendoff.domain.errors import TryLater
from sendoff.engine.clockwatch import ClockWatch
from sendoff.engine.readiness import Readiness
from sendoff.engine.returns import HOLD, Returns
from sendoff.engine.watchdog import Watchdog
from sendoff.store import absences, accounts
from tests.engine.driver import Driver
from tests.engine.test_circuit import AtOnce

HOUR = 3600.0
pytestmark = pytest.mark.expects_log("the clock moved by")


class World:
    """A driver with the part that comes back, and what it told."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.online = True
        self.asked: list[str] = []
        self.changed = 0
        self.holds: list[float] = []
        self.troubles: list[str] = []
        self.readiness = Readiness(ask=self._ask, pool=AtOnce(), clock=driver.clock, changed=self._change)  # type: ignore[arg-type]
        self.returns = Returns(
            store=driver.store, writer=driver.writer, readiness=self.readiness, clock=driver.clock,  # type: ignore[arg-type]
            hold=self.holds.append, trouble=self.troubles.append,
        )  # fmt: skip
        self.watch = ClockWatch(driver.clock)

    def _ask(self, account: Account) -> None:
        self.asked.append(account.name)
        if not self.online:
            raise TryLater("nothing answers", offline=True)

    def _change(self) -> None:
        self.changed += 1

    def beat(self) -> None:
        if jump := self.watch.check():
            self.returns.jumped(jump)
        self.returns.tick()
        self.readiness.tick()

    def causes(self) -> list[Cause]:
        with self.driver.store.reading() as connection:
            return [one.cause for one in absences.unseen(connection)]


@pytest.fixture
def world(driver: Driver) -> Iterator[World]:
    return World(driver)


def test_a_sleep_is_noted_with_what_fell_into_it(world: World) -> None:
    fell = world.driver.schedule("into the sleep", seconds=600)
    world.driver.schedule("after it", seconds=3 * HOUR)
    began = world.driver.clock.now()
    world.driver.clock.sleep(HOUR)
    world.beat()
    with world.driver.store.reading() as connection:
        found = absences.welcome(connection)
    assert found is not None
    (one,) = found.absences
    assert (one.cause, one.began_at, one.ended_at) == (Cause.SLEEP, began, world.driver.clock.now())
    assert [row.delivery.id for row in found.rows] == [fell]
    assert (world.holds, world.troubles) == ([], [])
    with world.driver.store.writing() as connection:
        absences.mark_seen(connection)
        assert absences.welcome(connection) is None


def test_an_absence_into_which_nothing_fell_is_nothing(world: World) -> None:
    world.driver.schedule("after it", seconds=3 * HOUR)
    world.driver.clock.sleep(HOUR)
    world.beat()
    assert world.causes() == []


def test_a_delivery_that_its_rule_moved_is_told_of(world: World) -> None:
    moved = world.driver.schedule("move me", seconds=600, late="next 5m")
    world.driver.clock.sleep(HOUR)
    world.beat()
    world.driver.run()
    with world.driver.store.reading() as connection:
        found = absences.welcome(connection)
    assert found is not None
    (row,) = found.rows
    assert row.delivery.id == moved
    assert row.delivery.planned_at > world.driver.clock.now()


@pytest.mark.parametrize(("seconds", "held"), [(599.0, False), (601.0, True), (30 * 24 * HOUR, True)])
def test_a_clock_that_jumps_far_ahead_is_not_believed_at_once(world: World, seconds: float, held: bool) -> None:
    world.driver.schedule("due by it", seconds=300)
    world.driver.clock.jump(seconds)
    world.beat()
    assert world.holds == [HOLD] * held
    assert [bool(text) for text in world.troubles] == [True] * held
    assert world.causes() == [Cause.CLOCK]
    world.driver.clock.advance(HOLD - 1)
    world.beat()
    assert len(world.troubles) == int(held)
    world.driver.clock.advance(1.5)
    world.beat()
    assert [bool(text) for text in world.troubles] == [True, False] * held


def test_a_clock_that_is_set_back_is_no_absence(world: World) -> None:
    world.driver.schedule("later", seconds=300)
    world.driver.clock.jump(-HOUR)
    world.beat()
    assert (world.causes(), world.holds) == ([], [])


def test_a_sleep_in_which_the_clock_was_set_too_is_held(world: World) -> None:
    world.driver.schedule("due by it", seconds=300)
    world.driver.clock.sleep(60)
    world.driver.clock.jump(HOUR)
    world.beat()
    assert world.holds == [HOLD]


def test_a_sleep_that_a_clock_set_back_hides_is_a_sleep(world: World) -> None:
    world.driver.schedule("due", seconds=1)
    world.driver.clock.advance(1)
    world.beat()
    world.asked.clear()
    world.driver.clock.sleep(HOUR)
    world.driver.clock.jump(-HOUR)
    world.beat()
    assert world.asked == ["ada"]  # its host has to answer first, as after any sleep


def test_nothing_leaves_before_the_host_answers(world: World) -> None:
    world.driver.schedule("due", seconds=60)
    world.online = False
    world.driver.clock.sleep(HOUR)
    world.beat()
    assert world.readiness.waiting == {world.driver.account}
    for _ in range(30):
        world.driver.clock.advance(1)
        world.beat()
    assert world.readiness.waiting == {world.driver.account}
    assert 5 <= len(world.asked) <= 8  # ever more seldom
    world.online = True
    for _ in range(15):
        world.driver.clock.advance(1)
        world.beat()
    assert world.readiness.waiting == frozenset()
    assert world.changed == 1


def test_a_host_that_refuses_is_there(world: World) -> None:
    def refuses(account: Account) -> None:
        raise TryLater("refused the connection")

    readiness = Readiness(ask=refuses, pool=AtOnce(), clock=world.driver.clock, changed=world._change)  # type: ignore[arg-type]
    with world.driver.store.reading() as connection:
        readiness.doubt(accounts.every(connection))
    assert readiness.waiting == frozenset()


# --- the watchdog -------------------------------------------------------------------------------------------------


class Departures:
    """What the watchdog asks of the departures."""

    rests = False

    def __init__(self) -> None:
        self.out: list[int] = []

    def excused(self) -> list[int]:
        return self.out


@pytest.mark.expects_log("nothing takes it")
def test_what_is_due_and_untouched_is_an_alarm(driver: Driver) -> None:
    alarms = [""]
    departures = Departures()
    dog = Watchdog(store=driver.store, departures=departures, clock=driver.clock, alarm=alarms.append)  # type: ignore[arg-type]

    def after(seconds: float) -> str:
        driver.clock.advance(seconds)
        dog.tick()
        return alarms[-1]

    driver.schedule("nobody takes me")
    assert after(119) == ""
    assert after(11).startswith("1 delivery is due and nothing takes it, for 2 min now.")
    departures.out = [driver.account]
    assert after(11) == ""
    departures.out = []
    assert after(11)
    departures.rests = True  # the person paused it, and knows
    assert after(11) == ""
    departures.rests = False
    assert after(110) == ""  # and has just let it go on
    assert after(11)
    driver.run()
    assert after(11) == ""


def test_it_looks_now_and_then_only(driver: Driver) -> None:
    alarms: list[str] = []
    dog = Watchdog(store=driver.store, departures=Departures(), clock=driver.clock, alarm=alarms.append)  # type: ignore[arg-type]
    for _ in range(141):
        dog.tick()
        driver.clock.advance(1)
    assert len(alarms) == 3


def test_the_absence_of_a_moment_is_not_noted(world: World) -> None:
    world.driver.schedule("due", seconds=10)
    world.driver.clock.sleep(timedelta(seconds=40).total_seconds())
    world.beat()
    assert world.causes() == []
