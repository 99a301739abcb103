"""The way from the table to the wire, step by step: what holds where a step does not come to its end."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from sendoff.domain.capabilities import Capabilities
from sendoff.domain.channel import Parcel
from sendoff.domain.delivery import State
from sendoff.domain.errors import InDoubt, TryLater
from sendoff.domain.post import Content, Item, Variant
from sendoff.domain.when import When
from sendoff.store import accounts, deliveries, departed, dialect
from sendoff.store.db import FILE
from sendoff.store.profile import open_folder
from tests.conftest import SetClock
from tests.engine.driver import Scripted
from tests.engine.standstill import Process


class Uploading(Scripted):
    capabilities = Capabilities(checked="2026-11-26", threads=True, text=500, prepares=True)

    def prepare(self, parcel):  # type: ignore[no-untyped-def]
        return {"upload": parcel.key}


class World:
    def __init__(self, folder: Path, clock: SetClock) -> None:
        self.folder, self.clock, self.channel = open_folder(folder), clock, Uploading()
        self.process = Process(folder, clock, {"scripted": self.channel})
        self.left: list[tuple[str, float]] = []
        self.process.engine._dispatch._leaving = lambda _: self.left.append((self.text, clock.monotonic()))

    @property
    def text(self) -> str:
        return "left"

    def account(self, spacing: float = 0.0) -> int:
        with self.process.store.writing() as connection:
            return accounts.insert(
                connection, workspace_id=1, channel="scripted", name="ada", handle="", url="", settings={}, learned={},
                secret_ref=None, spacing=spacing, now=self.clock.now(),
            )  # fmt: skip

    def plan(self, account: int, late: str = "send", text: str = "hello", ahead: float = 0.0) -> int:
        commands = self.process.commands
        post_id, _ = commands.posts.save_draft(Content((Item(text),)), [Variant(account)])
        return commands.posts.schedule(post_id, When.at(self.clock.now() + timedelta(seconds=ahead), "UTC"), late)[0]

    def states(self, *ids: int) -> list[State]:
        with self.process.store.reading() as connection:
            return [deliveries.get(connection, one).state for one in ids]

    def until(self, true: Callable[[], object]) -> None:
        while not true():
            self.process.steps()[0]()

    def lives(self, seconds: float) -> None:
        for _ in range(int(seconds * 10)):
            self.process.heartbeat()
            while steps := self.process.steps():
                steps[0]()
            self.clock.advance(0.1)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Another program holds the database."""
        blocker = sqlite3.connect(self.folder / FILE, isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        yield
        blocker.execute("ROLLBACK")
        blocker.close()


@pytest.fixture
def world(tmp_path: Path, clock: SetClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(dialect, "BUSY_SECONDS", 0.0)
    world = World(tmp_path / "profile", clock)
    yield world
    world.process.die()


@pytest.mark.expects_log("could not be made ready")
def test_what_could_not_be_made_ready_is_claimed_anew(world: World, caplog: pytest.LogCaptureFixture) -> None:
    prepare = world.channel.prepare

    def busy(parcel: Parcel) -> dict[str, str]:
        raise TryLater("not now")  # and that can't be written down

    world.channel.prepare = busy  # type: ignore[method-assign]
    one = world.plan(world.account())
    world.until(lambda: world.process.pool.tasks)
    with world.locked():
        world.process.pool.do_one(-1)  # before it stands what the start asks for
    assert "could not be made ready" in caplog.text
    world.channel.prepare = prepare  # type: ignore[method-assign]
    world.lives(2)
    assert world.states(one) == [State.SENT]


@pytest.mark.parametrize("seed", [0, 1, 2, 35])  # with 35 a second claim comes while the first one is made ready
def test_what_is_late_at_one_account_leaves_in_its_order(world: World, seed: int) -> None:
    """Also where what comes later would be ready sooner, and where it is more than one claim takes."""
    account, chance = world.account(), random.Random(seed)
    for number in range(20):
        world.plan(account, text=f"{number}", ahead=number / 10)
    world.clock.advance(60)  # it was asleep
    while steps := world.process.steps():
        chance.choice(steps)()
    assert [one.item.text for one in world.channel.parcels] == [f"{number}" for number in range(20)]


def test_what_is_on_time_does_not_wait_until_another_is_made_ready(world: World) -> None:
    account = world.account()
    world.plan(account, text="a large video")
    world.until(lambda: world.process.pool.tasks)
    uploading = world.process.pool.tasks.pop()
    world.plan(account, text="on time", ahead=2)
    world.lives(4)
    assert [one.item.text for one in world.channel.parcels] == ["on time"]
    uploading()
    world.lives(1)
    assert [one.item.text for one in world.channel.parcels] == ["on time", "a large video"]


def test_nothing_more_is_made_ready_after_a_pause(world: World) -> None:
    account = world.account()
    both = [world.plan(account, text=text) for text in ("first", "second")]
    world.until(lambda: world.states(*both) == [State.CLAIMED] * 2)
    made: list[str] = []

    def prepare(parcel: Parcel) -> dict[str, str]:
        made.append(parcel.item.text)
        world.process.departures.pause(True)
        return {}

    world.channel.prepare = prepare  # type: ignore[method-assign]
    world.lives(1)
    assert made == ["first"]
    assert world.states(*both) == [State.SCHEDULED] * 2


def noted(world: World) -> int:
    found = departed.read(world.folder)
    assert found
    return len(found[1])


@pytest.mark.parametrize("end", [TryLater("not now"), InDoubt("no answer")])
def test_a_crash_before_the_wire_leaves_no_doubt_because_of_an_earlier_try(world: World, end: Exception) -> None:
    """Bytes left in that one; it had no effect, as the endpoint said or the person found out."""
    world.process.engine._dispatch._leaving = world.process.engine._note_leaving
    world.channel.answers = [end]
    one = world.plan(world.account())
    world.until(lambda: world.channel.parcels and world.states(one) != [State.SENDING])
    assert noted(world) == 1
    if isinstance(end, InDoubt):
        world.process.commands.deliveries.settle(one, False)
    while world.states(one) != [State.SENDING]:
        world.process.heartbeat()
        world.clock.advance(1)
        while world.states(one) != [State.SENDING] and (steps := world.process.steps()):
            steps[0]()
    assert noted(world) == 0
    world.process.die()
    world.process = Process(world.folder, world.clock, {"scripted": world.channel})
    assert (world.states(one), len(world.channel.parcels)) == ([State.SCHEDULED], 1)


def test_what_is_out_stays_noted(world: World) -> None:
    """An older copy of the database is told by it what it has missed."""
    world.process.engine._dispatch._leaving = world.process.engine._note_leaving
    one = world.plan(world.account())
    world.lives(2)
    assert (world.states(one), noted(world)) == ([State.SENT], 1)


@pytest.mark.expects_log("too late could not be written")
def test_departures_go_on_where_a_missed_one_could_not_be_written(world: World) -> None:
    account = world.account()
    late, next_one = world.plan(account, "skip 0s"), world.plan(account)
    world.until(lambda: world.process.departures._queue)
    world.clock.advance(60)
    with world.locked():
        world.process.steps()[0]()
    world.lives(4)
    assert world.states(late, next_one) == [State.MISSED, State.SENT]


@pytest.mark.expects_log("could not be given back")
def test_claims_that_could_not_be_given_back_are_given_back_later(world: World) -> None:
    one = world.plan(world.account())
    world.until(lambda: world.process.departures._queue)
    with world.locked():
        world.process.departures.give_back()
    assert world.states(one) == [State.CLAIMED]
    world.lives(2)
    assert world.states(one) == [State.SENT]


def test_one_that_does_not_leave_opens_its_lane_no_sooner(world: World) -> None:
    account = world.account(spacing=10)
    first, cancelled, last = world.plan(account), world.plan(account), world.plan(account)
    world.lives(1)
    assert world.states(first, cancelled, last) == [State.SENT, State.CLAIMED, State.CLAIMED]
    world.process.commands.deliveries.cancel([cancelled])
    world.lives(12)
    assert world.states(first, cancelled, last) == [State.SENT, State.CANCELLED, State.SENT]
    (_, began), (_, then) = world.left
    assert then - began >= 10 - 0.001


def test_a_rule_of_lateness_holds_when_the_computer_stands_still_just_before_the_wire(world: World) -> None:
    one = world.plan(world.account(), "ask 10m")
    world.until(lambda: world.states(one) == [State.SENDING])
    world.clock.advance(3600)
    world.lives(2)
    assert (world.states(one), world.channel.ledger) == ([State.MISSED], [])
    with world.process.store.reading() as connection:
        assert "stood still" in deliveries.get(connection, one).reason
