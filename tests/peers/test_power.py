"""A real D-Bus with a logind of our own on it: sleep waits for what is leaving, and nothing is claimed meanwhile."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sendoff.engine.power import Power, watch
from tests.engine.test_engine import World
from tests.fakes.logind import Bus, FakeLogind, send_false_alarm

pytestmark = [
    pytest.mark.peer,
    pytest.mark.skipif(shutil.which("dbus-daemon") is None, reason="not installed: dbus-daemon"),
]


class Sender:
    """What the engine does with sleep, without the engine."""

    def __init__(self) -> None:
        self.leaving = threading.Event()
        self.claims = True
        self.told: list[float | str] = []
        self._ended = threading.Event()
        self.power: Power = watch(self._going_to_sleep, self._woke)

    def send(self, seconds: float) -> None:
        """Something leaves, for so long."""
        self._ended.clear()
        self.leaving.set()
        self.power.hold_off(True)
        threading.Timer(seconds, self._end).start()

    def _end(self) -> None:
        self.leaving.clear()
        self.power.hold_off(False)
        self._ended.set()

    def _going_to_sleep(self, seconds: float) -> None:
        self.claims = False
        if self.leaving.is_set():
            self._ended.wait(seconds)
        self.told.append(seconds)

    def _woke(self) -> None:
        self.claims = True
        self.told.append("woke")


@pytest.fixture
def bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bus]:
    bus = Bus(tmp_path)
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
    yield bus
    bus.kill()


@pytest.fixture
def logind(bus: Bus) -> Iterator[FakeLogind]:
    logind = FakeLogind(bus)
    yield logind
    logind.stop()


@pytest.fixture
def sender(bus: Bus) -> Iterator[Sender]:
    sender = Sender()
    yield sender
    sender.power.stop()


def until(happened: Callable[[], object], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)


def power_thread() -> threading.Thread:
    [thread] = [one for one in threading.enumerate() if one.name == "power"]
    return thread


def test_the_lock_is_held_while_something_leaves_and_no_longer(logind: FakeLogind, sender: Sender) -> None:
    time.sleep(0.2)
    assert logind.held == 0
    sender.power.hold_off(True)
    until(lambda: logind.held == 1)
    assert logind.asked == [("sleep:shutdown", "Sendoff", "A message is being sent", "delay")]
    sender.power.hold_off(True)
    sender.power.hold_off(False)
    until(lambda: logind.held == 0)
    assert len(logind.asked) == 1
    assert sender.told == []


def test_sleep_waits_for_what_leaves_and_the_lock_comes_back_after_waking(logind: FakeLogind, sender: Sender) -> None:
    sender.send(1.0)
    until(lambda: logind.held)
    assert logind.sleep() < 4.0
    assert not sender.leaving.is_set()
    assert not sender.claims
    assert sender.told == [4.5]
    sender.power.hold_off(True)  # due meanwhile: the lock would be refused, so it is not asked for
    time.sleep(0.2)
    assert logind.held == 0
    logind.wake()
    until(lambda: logind.held == 1)
    assert sender.told == [4.5, "woke"]
    assert sender.claims
    assert len(logind.asked) == 2
    assert logind.refused == 0


def test_sleep_does_not_wait_for_a_sender_that_hangs(bus: Bus) -> None:
    logind, sender = FakeLogind(bus, patience=1.0), Sender()
    sender.send(30.0)
    until(lambda: logind.held)
    assert logind.sleep() < 0.95, "it let go before logind lost patience"
    assert sender.told == [0.5]
    assert sender.leaving.is_set()
    sender.power.stop()
    logind.stop()


def test_where_nothing_leaves_sleep_is_told_and_not_held_up(logind: FakeLogind, sender: Sender) -> None:
    sender.power.hold_off(True)
    until(lambda: logind.held)
    sender.power.hold_off(False)
    until(lambda: not logind.held)
    assert logind.sleep() < 0.1
    logind.wake()
    until(lambda: sender.told == [0.0, "woke"])


def test_a_shutdown_waits_as_well_and_may_be_called_off(logind: FakeLogind, sender: Sender) -> None:
    sender.send(0.5)
    until(lambda: logind.held)
    assert logind.sleep("PrepareForShutdown") < 4.0
    assert not sender.leaving.is_set()
    logind.wake("PrepareForShutdown")
    until(lambda: sender.told == [4.5, "woke"])


def test_a_killed_bus_is_found_again(bus: Bus, logind: FakeLogind, sender: Sender) -> None:
    sender.power.hold_off(True)
    until(lambda: logind.held)
    bus.kill()
    until(lambda: logind.held == 0)
    bus.start()
    again = FakeLogind(bus)
    until(lambda: again.held == 1)
    assert sender.told == []
    again.stop()


def test_a_bus_that_dies_during_sleep_does_not_hold_the_sender_for_ever(
    bus: Bus, logind: FakeLogind, sender: Sender
) -> None:
    sender.power.hold_off(True)
    until(lambda: logind.held)
    logind.sleep()
    bus.kill()
    until(lambda: sender.told == [4.5, "woke"])


def test_a_logind_that_comes_later_and_one_that_is_restarted_are_noticed(bus: Bus, sender: Sender) -> None:
    sender.power.hold_off(True)
    time.sleep(0.3)
    for _ in range(2):
        logind = FakeLogind(bus)
        until(lambda logind=logind: logind.held == 1)  # type: ignore[misc]
        logind.stop()


def test_a_refused_lock_is_no_error_and_sleep_is_told_all_the_same(bus: Bus, sender: Sender) -> None:
    logind = FakeLogind(bus, refuses=True)
    time.sleep(1.5)  # it came after the watch
    sender.power.hold_off(True)
    time.sleep(0.2)
    assert logind.held == 0
    logind.sleep()
    logind.wake()
    until(lambda: sender.told == [0.0, "woke"])
    logind.stop()


def test_a_sleep_that_overtakes_the_lock_is_heard(logind: FakeLogind, sender: Sender) -> None:
    time.sleep(0.2)
    logind.sleeps_when_asked = True
    sender.power.hold_off(True)
    until(lambda: sender.told == [0.0])
    logind.wake()
    until(lambda: sender.told == [0.0, "woke"] and logind.held)


def test_nobody_else_can_say_that_the_computer_sleeps(bus: Bus, logind: FakeLogind, sender: Sender) -> None:
    sender.power.hold_off(True)
    until(lambda: logind.held)
    send_false_alarm(bus)
    logind.sleep()
    logind.wake()
    until(lambda: "woke" in sender.told)
    assert sender.told == [4.5, "woke"]


def test_a_program_that_is_started_meanwhile_does_not_keep_the_lock(logind: FakeLogind, sender: Sender) -> None:
    sender.power.hold_off(True)
    until(lambda: logind.held)
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, close_fds=False)
    sender.power.hold_off(False)
    try:
        until(lambda: logind.held == 0, 3)
    finally:
        child.communicate(b"\n")


@pytest.mark.expects_log("a listener for sleep failed")
def test_a_listener_that_fails_neither_keeps_the_computer_awake_nor_ends_the_watch(
    logind: FakeLogind, bus: Bus
) -> None:
    woken: list[str] = []

    def fail(_seconds: float) -> None:
        raise RuntimeError("no")

    power = watch(fail, lambda: woken.append("woke"))
    power.hold_off(True)
    until(lambda: logind.held)
    assert logind.sleep() < 1.0
    logind.wake()
    until(lambda: woken == ["woke"])
    power.stop()


def test_the_watch_costs_nothing_while_nothing_happens(logind: FakeLogind, sender: Sender) -> None:
    sender.power.hold_off(True)
    until(lambda: logind.held)
    time.sleep(0.2)
    status = Path(f"/proc/self/task/{power_thread().native_id}/status")

    def switches() -> str:
        [line] = [one for one in status.read_text().splitlines() if one.startswith("voluntary")]
        return line

    before = switches()
    time.sleep(2)
    assert switches() == before


def test_a_logind_that_waits_for_ever_is_not_waited_for_as_long(bus: Bus) -> None:
    logind, sender = FakeLogind(bus, patience=1.8e13), Sender()
    sender.power.hold_off(True)
    until(lambda: logind.held)
    logind.sleep()
    sender.power.stop()
    assert sender.told == [60.0], "and who stops during sleep does not hear of waking"
    logind.stop()


def test_stopping_ends_the_thread_and_leaves_nothing_open(bus: Bus, logind: FakeLogind) -> None:
    opened = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        sender = Sender()
        sender.power.hold_off(True)
        until(lambda: logind.held)
        sender.power.stop()
        until(lambda: logind.held == 0)
    assert "power" not in {thread.name for thread in threading.enumerate()}
    assert sender.told == []
    assert len(os.listdir("/proc/self/fd")) == opened


def test_the_whole_sender_lets_a_delivery_end_sleeps_through_the_next_and_sends_it_on_waking(
    tmp_path: Path, bus: Bus, logind: FakeLogind
) -> None:
    world = World(tmp_path / "profile")
    channel, accounts = world.channel, (world.account("ada"), world.account("bob"))
    try:
        world.engine().start()
        time.sleep(1.5)
        assert logind.held == 0, "nothing is near"
        channel.gate.clear()
        world.plan(accounts[0], 0.5, "first")
        world.plan(accounts[1], 4.0, "second")
        until(lambda: logind.held and channel.running.get(accounts[0]))
        threading.Timer(1.0, channel.gate.set).start()
        assert logind.sleep() < 4.0
        assert len(channel.ledger) == 1
        time.sleep(4.0)
        assert [text for _, text, _ in channel.began] == ["first"], "it began something in its sleep"
        assert logind.held == 0
        logind.wake()
        until(lambda: len(channel.ledger) == 2, 3)
        until(lambda: logind.held == 0, 5)
    finally:
        world.close()
