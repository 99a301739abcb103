"""The running sender when the clock is moved under it, when it sleeps, and when its threads die."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from sendoff.domain.absence import Cause
from sendoff.domain.delivery import State
from sendoff.domain.errors import Rejected
from sendoff.engine import heart, returns
from sendoff.engine.clock import SystemClock
from sendoff.engine.commands import Commands
from sendoff.engine.engine import Engine
from sendoff.engine.heart import Heart
from sendoff.store import absences, accounts
from sendoff.store.db import Store
from sendoff.store.media import Media
from tests.engine.test_engine import World, until


class Moved(SystemClock):
    """The real clock with a hand on it."""

    def __init__(self) -> None:
        super().__init__()
        self.set_by = timedelta()
        self.asleep = 0.0

    def now(self) -> datetime:
        return super().now() + self.set_by

    def slept(self) -> float:
        return self.asleep

    def sleep(self, hours: float) -> None:
        self.set_by += timedelta(hours=hours)
        self.asleep += hours * 3600


class MovedWorld(World):
    """A world on a clock that can be moved."""

    def __init__(self, folder: Path) -> None:
        self.clock = Moved()
        super().__init__(folder)

    def engine(self, workers: int = 8) -> Engine:
        made = Engine(
            store=self.store, secrets=self.secrets, files=Media(self.folder), channels={"scripted": self.channel},
            clock=self.clock, bell=self.bell, workers=workers,
        )  # fmt: skip
        self.engines.append(made)
        return made

    def commands_on(self, store: Store) -> Commands:
        return Commands(
            store=store, secrets=self.secrets, channels={"scripted": self.channel}, clock=self.clock,
            zone=lambda: "UTC",
        )  # fmt: skip

    def causes(self) -> list[Cause]:
        with self.store.reading() as connection:
            return [one.cause for one in absences.unseen(connection)]


@pytest.fixture
def moved(tmp_path: Path) -> Iterator[MovedWorld]:
    world = MovedWorld(tmp_path / "profile")
    yield world
    world.close()


@pytest.mark.expects_log("the clock moved by")
def test_a_clock_set_back_by_an_hour_stops_nothing(moved: MovedWorld) -> None:
    account = moved.account()
    engine = moved.engine()
    engine.start()
    moved.clock.set_by = timedelta(hours=-1)
    time.sleep(1.2)
    other = Store(moved.folder)  # another process writes, and only the heartbeat can hear of it
    delivery_id = moved.plan(account, -3600, commands=moved.commands_on(other))
    until(lambda: moved.state(delivery_id) is State.SENT)
    other.close()


@pytest.mark.expects_log("the clock moved by")
def test_after_a_sleep_what_is_due_leaves_at_once_and_once(moved: MovedWorld) -> None:
    account = moved.account()
    moved.engine().start()
    delivery_id = moved.plan(account, 3600)
    moved.clock.sleep(hours=9)
    until(lambda: moved.state(delivery_id) is State.SENT)
    assert moved.causes() == [Cause.SLEEP]
    assert len(moved.channel.ledger) == 1


@pytest.mark.expects_log("the clock moved by")
def test_a_strange_clock_sends_nothing_for_a_while_and_says_so(
    moved: MovedWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(returns, "HOLD", 3.0)
    account = moved.account()
    engine = moved.engine()
    engine.start()
    delivery_id = moved.plan(account, 3600)
    moved.clock.set_by = timedelta(hours=9)
    until(lambda: "jumped ahead by 9 h" in engine.status().trouble)
    until(lambda: not engine.status().trouble)
    assert moved.channel.began == [] or moved.channel.began[0][0] > 0
    until(lambda: moved.state(delivery_id) is State.SENT)
    assert moved.causes() == [Cause.CLOCK]


@pytest.mark.expects_log("the clock moved by")
def test_a_strange_clock_that_is_set_right_again_has_sent_nothing(moved: MovedWorld) -> None:
    account = moved.account()
    engine = moved.engine()
    engine.start()
    delivery_id = moved.plan(account, 3600)
    moved.clock.set_by = timedelta(days=30)
    until(lambda: "jumped ahead" in engine.status().trouble)
    moved.clock.set_by = timedelta()
    time.sleep(2.5)
    assert moved.channel.began == []
    assert moved.state(delivery_id) is State.SCHEDULED


def test_what_was_due_while_nothing_ran_is_noted(moved: MovedWorld) -> None:
    account = moved.account()
    first = moved.engine()
    first.start()
    first.stop()
    delivery_id = moved.plan(account, 1800)
    moved.clock.set_by = timedelta(hours=1)
    moved.engine().start()
    until(lambda: moved.state(delivery_id) is State.SENT)
    assert moved.causes() == [Cause.OFF]


def test_a_long_pause_is_an_absence_too(moved: MovedWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(returns, "SHORT", timedelta(seconds=0.5))
    account = moved.account()
    engine = moved.engine()
    engine.start()
    moved.commands.sender.pause()
    until(lambda: engine.status().paused)
    delivery_id = moved.plan(account, 0.2)
    time.sleep(0.8)
    moved.commands.sender.resume()
    until(lambda: moved.state(delivery_id) is State.SENT)
    assert moved.causes() == [Cause.PAUSED]


@pytest.mark.expects_log("started again|Exception in thread")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("name", ["claims", "departures", "APScheduler"])
def test_a_thread_that_died_is_started_again(moved: MovedWorld, name: str) -> None:
    account = moved.account()
    engine = moved.engine()
    engine.start()
    victim = next(one for one in threading.enumerate() if one.name == name)
    kill(engine, name)
    until(lambda: not victim.is_alive())
    delivery_id = moved.plan(account, 0.1)
    until(lambda: moved.state(delivery_id) is State.SENT)
    assert len(moved.channel.ledger) == 1


def kill(engine: Engine, name: str) -> None:
    """Makes the thread meet an error that nobody has thought of."""

    def fail(*_: object) -> None:
        raise ZeroDivisionError("planted")

    departures = engine._departures
    if name == "claims":
        departures._arm = fail  # type: ignore[method-assign]
        departures.poke()
        until(lambda: not departures._threads["claims"].is_alive())
        del departures._arm
    elif name == "departures":
        departures._open_gate = fail  # type: ignore[method-assign]
        departures.poke()
        until(lambda: not departures._threads["departures"].is_alive())
        del departures._open_gate
    else:
        engine._timeline._scheduler._jobstores["default"].get_next_run_time = fail
        engine._timeline._scheduler.wakeup()


def test_refusals_in_a_row_hold_the_rest_back(moved: MovedWorld) -> None:
    account, other = moved.account(), moved.account("other")
    moved.channel.answers = [Rejected("no such room") for _ in range(5)]
    engine = moved.engine()
    ids = [moved.plan(account, 0.5, str(number)) for number in range(9)]
    engine.start()
    until(lambda: [moved.state(one) for one in ids[:5]] == [State.FAILED] * 5)
    fine = moved.plan(other, 0)
    until(lambda: moved.state(fine) is State.SENT)
    time.sleep(0.3)
    assert [moved.state(one) for one in ids[5:]] == [State.SCHEDULED] * 4
    with moved.store.reading() as connection:
        assert accounts.get(connection, account).rest_reason == "no such room"
    moved.commands.accounts.wake(account)
    until(lambda: all(moved.state(one) is State.SENT for one in ids[5:]), 12)


def test_before_a_sleep_what_leaves_may_end_and_nothing_begins(moved: MovedWorld) -> None:
    account, other = moved.account(), moved.account("other")
    moved.channel.gate.clear()
    engine = moved.engine()
    engine.start()
    leaving, soon = moved.plan(account, 0), moved.plan(other, 1.0)
    until(lambda: moved.state(leaving) is State.SENDING)
    threading.Timer(0.3, moved.channel.gate.set).start()
    engine._going_to_sleep(5.0)
    assert moved.channel.ledger, "it did not wait for what was leaving"
    time.sleep(1.2)
    assert moved.state(soon) is State.SCHEDULED
    engine._woke()
    until(lambda: moved.state(soon) is State.SENT)


def test_sleep_is_not_held_off_for_ever(moved: MovedWorld) -> None:
    account = moved.account()
    moved.channel.gate.clear()
    engine = moved.engine()
    engine.start()
    leaving = moved.plan(account, 0)
    until(lambda: moved.state(leaving) is State.SENDING)
    began = time.monotonic()
    engine._going_to_sleep(0.3)
    assert time.monotonic() - began < 1.0


def test_a_heart_that_never_began_to_beat_can_be_stopped() -> None:
    """A start that goes wrong before is ended with its own reason."""
    Heart(lambda: None).stop(1)


def test_the_stop_waits_for_a_beat_that_is_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else it would still look at a database that is closed by then."""
    monkeypatch.setattr(heart, "BEAT", 0.01)
    begun, ended = threading.Event(), threading.Event()

    def beat() -> None:
        begun.set()
        time.sleep(0.2)
        ended.set()

    one = Heart(beat)
    one.start()
    assert begun.wait(5)
    one.stop(5)
    assert ended.is_set()
