"""The whole sender with its threads, on the real clock: on time, never early, one at a time, gone when stopped."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from sendoff.domain.channel import How, Identity, Settle
from sendoff.domain.delivery import Receipt, State
from sendoff.domain.doubt import GONE
from sendoff.domain.errors import InDoubt, NeedsLogin, OwnedElsewhere, TryLater
from sendoff.domain.numbers import Numbers, Reading
from sendoff.domain.post import Content, Item, Plan, Variant
from sendoff.domain.when import When
from sendoff.engine import departures, signins
from sendoff.engine import readings as engine_readings
from sendoff.engine.bell import Bell
from sendoff.engine.clock import SystemClock
from sendoff.engine.commands import Commands
from sendoff.engine.engine import Engine
from sendoff.store import accounts, deliveries, dialect, readings, timeline
from sendoff.store.db import Store
from sendoff.store.media import Media
from sendoff.store.profile import SenderLock, open_folder
from sendoff.store.secrets import Secrets
from tests.engine.driver import Drawer, Scripted


class Watched(Scripted):
    """Notes when each publish began and how many ran at once; holds them while `gate` is shut. Answers a post
    "nonsense" with that."""

    def __init__(self) -> None:
        super().__init__()
        self.began: list[tuple[float, str, int]] = []
        self.running: dict[int, int] = {}
        self.most = 0
        self.nonsense: Any = None
        self.gate = threading.Event()
        self.gate.set()
        self._lock = threading.Lock()

    def publish(self, parcel):  # type: ignore[no-untyped-def]
        account = parcel.account.id
        with self._lock:
            self.began.append((time.time(), parcel.item.text, account))
            self.running[account] = self.running.get(account, 0) + 1
            self.most = max(self.most, self.running[account])
        self.gate.wait(20)
        with self._lock:
            self.running[account] -= 1
            return self.nonsense if parcel.item.text == "nonsense" else super().publish(parcel)


class World:
    def __init__(self, folder: Path) -> None:
        self.folder = open_folder(folder)
        self.bell = Bell()
        self.store = Store(self.folder, self.bell.ring)
        self.channel = Watched()
        self.secrets = Secrets(self.folder, system=Drawer)
        self.engines: list[Engine] = []
        self.commands = self.commands_on(self.store)

    def commands_on(self, store: Store) -> Commands:
        return Commands(
            store=store,
            secrets=self.secrets,
            channels={"scripted": self.channel},
            clock=SystemClock(),
            zone=lambda: "UTC",
        )

    def engine(self, workers: int = 8) -> Engine:
        made = Engine(
            store=self.store, secrets=self.secrets, files=Media(self.folder), channels={"scripted": self.channel},
            clock=SystemClock(), bell=self.bell, workers=workers,
        )  # fmt: skip
        self.engines.append(made)
        return made

    def account(self, name: str = "ada", spacing: float = 0.0) -> int:
        with self.store.writing() as connection:
            return accounts.insert(
                connection, workspace_id=1, channel="scripted", name=name, handle="", url="", settings={}, learned={},
                secret_ref=None, spacing=spacing, now=datetime.now(UTC),
            )  # fmt: skip

    def plan(self, account: int, seconds: float, text: str = "hello", commands: Commands | None = None) -> int:
        commands = commands or self.commands
        post_id, _ = commands.posts.save_draft(Content((Item(text),)), [Variant(account)], Plan())
        return commands.posts.schedule(post_id, When.at(datetime.now(UTC) + timedelta(seconds=seconds), "UTC"), "send")[
            0
        ]

    def state(self, delivery_id: int) -> State:
        with self.store.reading() as connection:
            return deliveries.get(connection, delivery_id).state

    def reason(self, delivery_id: int) -> str:
        with self.store.reading() as connection:
            return deliveries.get(connection, delivery_id).reason

    def close(self) -> None:
        self.channel.gate.set()
        for engine in self.engines:
            engine.stop()
        self.store.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path / "profile")
    yield world
    world.close()


@pytest.fixture
def claims_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """Claims are made seconds ahead, so that a busy machine cannot miss the moment."""
    monkeypatch.setattr(departures, "LEAD", timedelta(seconds=6))


def until(true: Callable[[], object], seconds: float = 8.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.01)


@pytest.mark.expects_log("could not be told")
@pytest.mark.parametrize(
    "nonsense",
    [None, Receipt(""), Receipt("id-1", data={"when": object()}), Receipt("id-1", url=b"https://")],  # type: ignore[arg-type]
)
def test_an_answer_that_cannot_be_written_is_in_doubt_and_keeps_nobody_waiting(world: World, nonsense: Any) -> None:
    """A channel's mistake: what it sent may be out, and neither its account nor the others stop for it."""
    world.channel.nonsense = nonsense
    names = [world.account(f"a{number}") for number in range(3)]
    world.engine().start()
    wrong = world.plan(names[0], 0.5, "nonsense")
    others = [world.plan(name, 0.5) for name in names[1:]] + [world.plan(names[0], 0.7)]
    until(lambda: all(world.state(one) is State.SENT for one in others))
    assert world.state(wrong) is State.IN_DOUBT
    assert "Sendoff itself failed over how this ended" in world.reason(wrong)
    world.commands.deliveries.settle(wrong, sent=True)
    assert world.state(wrong) is State.SENT


def test_deliveries_leave_at_their_instant_and_never_before(world: World) -> None:
    names = [world.account(f"a{number}") for number in range(4)]
    world.engine().start()
    planned = {str(number): 0.6 + number * 0.13 for number in range(8)}
    start = time.time()
    ids = [world.plan(names[number % 4], delay, text) for number, (text, delay) in enumerate(planned.items())]
    until(lambda: all(world.state(one) is State.SENT for one in ids))
    with world.store.reading() as connection:
        due = {
            timeline.detail(connection, one).content.items[0].text: deliveries.get(connection, one).planned_at
            for one in ids
        }
    for at, text, _ in world.channel.began:
        assert 0 <= at - due[text].timestamp() < 0.5
    assert time.time() - start < 4


def test_one_at_a_time_for_an_account_and_many_for_many(world: World) -> None:
    first, second = world.account("a"), world.account("b")
    world.channel.gate.clear()
    world.engine().start()
    ids = [world.plan(first, 0, "1"), world.plan(first, 0, "2"), world.plan(second, 0, "3")]
    until(lambda: len(world.channel.began) == 2)
    time.sleep(0.1)
    assert sorted(account for _, _, account in world.channel.began) == [first, second]
    world.channel.gate.set()
    until(lambda: all(world.state(one) is State.SENT for one in ids))
    assert world.channel.most == 1
    assert [text for _, text, account in world.channel.began if account == first] == ["1", "2"]


def test_spacing_is_kept_between_sends(world: World) -> None:
    account = world.account(spacing=0.3)
    world.engine().start()
    ids = [world.plan(account, 0, str(number)) for number in range(3)]
    until(lambda: all(world.state(one) is State.SENT for one in ids))
    at = [began for began, _, _ in world.channel.began]
    assert all(later - earlier >= 0.29 for earlier, later in pairwise(at))


def test_a_busy_account_does_not_hold_up_the_others(world: World) -> None:
    busy, quiet = world.account("busy", spacing=60), world.account("quiet")
    for number in range(40):
        world.plan(busy, 0, f"b{number}")
    world.engine(workers=4).start()
    until(lambda: len(world.channel.began) == 1)
    one = world.plan(quiet, 0.05, "quick")
    until(lambda: world.state(one) is State.SENT)


def test_more_due_than_workers_all_go(world: World) -> None:
    names = [world.account(f"a{number}") for number in range(40)]
    ids = [world.plan(name, 0.5) for name in names]
    world.engine(workers=3).start()
    until(lambda: all(world.state(one) is State.SENT for one in ids))
    assert len(world.channel.ledger) == 40


def test_pausing_gives_claims_back_and_resuming_sends(world: World, claims_early: None) -> None:
    account = world.account()
    engine = world.engine()
    engine.start()
    delivery_id = world.plan(account, 2)
    until(lambda: world.state(delivery_id) is State.CLAIMED)
    world.commands.sender.pause()
    until(lambda: world.state(delivery_id) is State.SCHEDULED)
    assert engine.status().paused
    time.sleep(2.1)
    assert world.channel.began == []
    world.commands.sender.resume()
    until(lambda: world.state(delivery_id) is State.SENT)


def test_a_pause_ends_by_itself(world: World) -> None:
    account = world.account()
    world.commands.sender.pause(datetime.now(UTC) + timedelta(seconds=0.7))
    world.engine().start()
    delivery_id = world.plan(account, 0)
    until(lambda: world.state(delivery_id) is State.SENT)
    assert world.channel.began[0][0] > time.time() - 5


def test_what_is_cancelled_while_claimed_does_not_leave(world: World, claims_early: None) -> None:
    account = world.account()
    world.engine().start()
    delivery_id, other = world.plan(account, 1.5), world.plan(account, 1.6, "other")
    until(lambda: world.state(delivery_id) is State.CLAIMED)
    world.commands.deliveries.cancel([delivery_id])
    until(lambda: world.state(other) is State.SENT)
    assert world.state(delivery_id) is State.CANCELLED
    assert [text for _, text, _ in world.channel.began] == ["other"]


def test_an_edit_while_claimed_sends_the_new_text_only(world: World, claims_early: None) -> None:
    account = world.account()
    world.engine().start()
    delivery_id = world.plan(account, 1.5, "old")
    until(lambda: world.state(delivery_id) is State.CLAIMED)
    with world.store.reading() as connection:
        detail = timeline.detail(connection, delivery_id)
    world.commands.posts.edit(detail.post.id, Content((Item("new"),)), [Variant(account)], detail.row.when, "send")
    until(lambda: world.state(delivery_id) is State.SENT)
    assert [text for _, text, _ in world.channel.began] == ["new"]


def test_another_process_s_row_is_noticed_within_a_second_or_so(world: World) -> None:
    account = world.account()
    world.engine().start()
    time.sleep(0.2)
    other = Store(world.folder)
    try:
        delivery_id = world.plan(account, 0, commands=world.commands_on(other))
    finally:
        other.close()
    until(lambda: world.state(delivery_id) is State.SENT, 4)


def test_there_is_one_sender(world: World) -> None:
    world.engine().start()
    with pytest.raises(OwnedElsewhere, match="There can be only one"):
        world.engine().start()
    world.engines[0].stop()
    world.engines[1].start()


def test_stopping_gives_back_what_has_not_left_and_does_not_wait_for_ever(world: World, claims_early: None) -> None:
    account, other = world.account("a"), world.account("b")
    world.channel.gate.clear()
    engine = world.engine()
    engine.start()
    leaving, claimed, waiting = world.plan(account, 0), world.plan(other, 5), world.plan(account, 60)
    until(lambda: world.channel.began and world.state(claimed) is State.CLAIMED)
    began = time.monotonic()
    engine.stop()
    assert time.monotonic() - began < 5
    assert [world.state(one) for one in (leaving, claimed, waiting)] == [
        State.SENDING,
        State.SCHEDULED,
        State.SCHEDULED,
    ]


def test_a_new_sender_settles_what_the_last_one_left(world: World) -> None:
    account = world.account()
    world.channel.gate.clear()
    world.channel.way_out = Settle(How.ASK)
    engine = world.engine()
    engine.start()
    leaving = world.plan(account, 0)
    until(lambda: world.channel.began)
    engine.stop()
    recovered = world.engine().start()
    assert (recovered.doubtful, recovered.released) == (1, 0)
    until(lambda: world.state(leaving) is State.IN_DOUBT)


def test_doubt_is_looked_into_by_itself(world: World) -> None:
    account = world.account()
    world.channel.way_out = Settle(How.SEARCH, looks=(0,), absent_after=0)
    world.channel.answers = [InDoubt("no answer"), InDoubt("no answer")]
    world.channel.looks = [Receipt("there"), None]
    world.engine().start()
    there, absent = world.plan(account, 0, "there"), world.plan(account, 0.1, "absent")
    until(lambda: world.state(there) is State.SENT and world.state(absent) is State.SENT)
    assert len(world.channel.ledger) == 1


def test_a_doubt_of_a_removed_account_is_left_to_the_person(world: World) -> None:
    account = world.account()
    world.channel.way_out = Settle(How.SEARCH, looks=(1,), absent_after=1)
    world.channel.answers = [InDoubt("no answer")]
    world.engine().start()
    doubtful = world.plan(account, 0)
    until(lambda: world.state(doubtful) is State.IN_DOUBT)
    world.commands.accounts.remove(account)

    def advice() -> str:
        with world.store.reading() as connection:
            return deliveries.get(connection, doubtful).advice

    until(lambda: advice() == GONE)
    assert world.state(doubtful) is State.IN_DOUBT


def test_what_is_to_be_tried_later_is_tried_at_its_time(world: World) -> None:
    account = world.account()
    world.channel.answers = [TryLater("busy", after=timedelta(seconds=1))]
    world.engine().start()
    delivery_id = world.plan(account, 0)
    until(lambda: world.state(delivery_id) is State.SENT)
    assert world.channel.began[1][0] - world.channel.began[0][0] >= 1


@pytest.mark.expects_log("could not be written|claiming failed")
def test_nothing_leaves_while_nothing_can_be_written(
    world: World, claims_early: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialect, "BUSY_SECONDS", 0.05)
    world.store.close()
    world.store = Store(world.folder, world.bell.ring)
    world.commands = world.commands_on(world.store)
    account = world.account()
    engine = world.engine()
    engine.start()
    blocker = sqlite3.connect(world.store.path, isolation_level=None, timeout=5)
    locked_in_time = False
    while not locked_in_time:  # a machine that stood still meanwhile has sent it
        due = time.time() + 1.5
        delivery_id = world.plan(account, 1.5)
        until(lambda one=delivery_id: world.state(one) is not State.SCHEDULED)
        blocker.execute("BEGIN IMMEDIATE")
        locked_in_time = time.time() < due
        if not locked_in_time:
            blocker.execute("ROLLBACK")
            until(lambda one=delivery_id: world.state(one) is State.SENT)
            world.channel.began.clear()
    until(lambda: "locked" in engine.status().trouble)
    time.sleep(0.3)
    assert world.channel.began == []
    blocker.execute("ROLLBACK")
    blocker.close()
    until(lambda: world.state(delivery_id) is State.SENT)
    until(lambda: engine.status().trouble == "")


def test_nothing_leaves_without_the_lock(world: World, claims_early: None) -> None:
    account = world.account()
    engine = world.engine()
    engine.start()
    (world.folder / "lock").unlink()
    other = SenderLock(world.folder)
    other.acquire()
    until(lambda: "sends for this profile already" in engine.status().trouble)
    delivery_id = world.plan(account, 0)
    time.sleep(0.5)
    assert world.state(delivery_id) is State.SCHEDULED
    other.release()
    until(lambda: world.state(delivery_id) is State.SENT)
    assert engine.status().trouble == ""


def test_what_is_about_to_leave_stays_when_the_lock_is_gone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    account = world.account()
    engine = world.engine()
    engine.start()
    monkeypatch.setattr(engine._lock, "keep", lambda: None)
    (world.folder / "lock").unlink()
    delivery_id = world.plan(account, 0)
    until(lambda: "its lock was taken away" in world.reason(delivery_id))
    assert world.state(delivery_id) is State.SCHEDULED
    assert world.channel.began == []


@pytest.mark.expects_log("could not be written")
def test_an_end_that_cannot_be_written_is_written_later(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialect, "BUSY_SECONDS", 0.05)
    world.store.close()
    world.store = Store(world.folder, world.bell.ring)
    world.commands = world.commands_on(world.store)
    account = world.account()
    world.channel.gate.clear()
    world.engine().start()
    delivery_id = world.plan(account, 0)
    until(lambda: world.channel.began)
    blocker = sqlite3.connect(world.store.path, isolation_level=None, timeout=5)
    blocker.execute("BEGIN IMMEDIATE")
    world.channel.gate.set()
    time.sleep(0.4)
    assert world.state(delivery_id) is State.SENDING
    blocker.execute("ROLLBACK")
    blocker.close()
    until(lambda: world.state(delivery_id) is State.SENT)


def test_has_work_tells_when_all_is_quiet(world: World) -> None:
    account = world.account()
    engine = world.engine()
    engine.start()
    assert not engine.has_work()
    world.plan(account, 0)
    assert engine.has_work()
    until(lambda: not engine.has_work())
    world.plan(account, 3600)
    assert not engine.has_work()


def test_the_sender_shows_that_it_lives(world: World) -> None:
    world.engine().start()

    def alive() -> bool:
        with world.store.reading() as connection:
            sender = timeline.sender(connection)
        return bool(sender and sender.owner == world.engines[0].owner)

    until(alive)


def test_the_sender_asks_after_sign_ins_and_holds_what_is_planned(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signins, "CALM", 0.0)

    def signed_out(fields: Mapping[str, str]) -> Identity:
        raise NeedsLogin("Scripted no longer takes the key.")

    world.channel.connect = signed_out  # type: ignore[method-assign]
    planned = world.plan(world.account(), 86_400)
    world.engine().start()
    until(lambda: world.state(planned) is State.HELD)
    assert world.reason(planned) == "Scripted no longer takes the key."


def test_the_sender_reads_numbers(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_readings, "CALM", 0.0)
    world.channel.capabilities = replace(world.channel.capabilities, numbers=1)
    world.channel.numbers = lambda account, secret, receipts: {"id-1": Numbers(5)}  # type: ignore[method-assign]
    sent = world.plan(world.account(), 0)
    engine = world.engine()
    engine.start()
    until(lambda: world.state(sent) is State.SENT)
    engine.stop()
    with world.store.writing() as connection:
        for table, column in (("parts", "sent_at"), ("deliveries", "planned_at")):
            connection.exec_driver_sql(f"UPDATE {table} SET {column} = {column} - 7200000000")
    world.engine().start()

    def told() -> dict[int, Reading]:
        with world.store.reading() as connection:
            return readings.latest_of(connection, sent)

    until(lambda: told())
    assert told()[1].numbers == Numbers(5)
