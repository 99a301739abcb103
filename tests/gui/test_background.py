"""Work off the window's thread, and the one crossing back."""

from __future__ import annotations

import threading
import time

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from sendoff.domain.errors import BadInput, SendoffError
from sendoff.engine.bell import Bell
from sendoff.ui.background import Background
from sendoff.ui.bridge import Bridge


@pytest.fixture
def background(qtbot: QtBot) -> Background:
    made = Background()
    yield made
    made.close()


def test_work_runs_elsewhere_and_its_result_arrives_here(background: Background, qtbot: QtBot) -> None:
    threads: list[str] = []
    results: list[int] = []

    def work() -> int:
        threads.append(threading.current_thread().name)
        return 42

    def done(result: int) -> None:
        threads.append(threading.current_thread().name)
        results.append(result)

    background.run(work, done)
    qtbot.waitUntil(lambda: results == [42])
    assert threads == ["commands", "MainThread"]


def test_commands_keep_their_order(background: Background, qtbot: QtBot) -> None:
    order: list[int] = []
    for number in range(20):
        background.run(lambda number=number: number, order.append)
    qtbot.waitUntil(lambda: len(order) == 20)
    assert order == list(range(20))


def test_what_may_take_minutes_holds_up_nothing(background: Background, qtbot: QtBot) -> None:
    gate, came = threading.Event(), []
    background.run(lambda: gate.wait(10), lambda _open: came.append("first"), aside=True)
    background.run(lambda: None, lambda _nothing: came.append("second"), aside=True)
    background.run(lambda: None, lambda _nothing: came.append("slow"), slow=True)
    qtbot.waitUntil(lambda: sorted(came) == ["second", "slow"])
    gate.set()
    qtbot.waitUntil(lambda: came[-1] == "first")


def test_what_is_refused_comes_as_an_error_with_a_sentence(background: Background, qtbot: QtBot) -> None:
    said: list[SendoffError] = []

    def work() -> None:
        raise BadInput("Choose at least one account.")

    background.run(work, failed=said.append)
    qtbot.waitUntil(lambda: bool(said))
    assert str(said[0]) == "Choose at least one account."


def test_trouble_that_nobody_takes_is_said(background: Background, qtbot: QtBot) -> None:
    def work() -> None:
        raise BadInput("The time is past.")

    with qtbot.waitSignal(background.trouble) as heard:
        background.run(work)
    assert heard.args == ["The time is past."]


def test_a_mistake_of_ours_is_raised_not_said(background: Background, qtbot: QtBot) -> None:
    said: list[str] = []
    background.trouble.connect(said.append)
    with qtbot.captureExceptions() as raised:
        background.run(lambda: 1 / 0)
        qtbot.waitUntil(lambda: bool(raised))
    assert raised[0][0] is ZeroDivisionError
    assert not said


def test_a_slow_server_holds_up_no_command(background: Background, qtbot: QtBot) -> None:
    release, done = threading.Event(), []
    background.run(release.wait, lambda _: done.append("slow"), slow=True)
    background.run(lambda: None, lambda _: done.append("quick"))
    qtbot.waitUntil(lambda: done == ["quick"])
    release.set()
    qtbot.waitUntil(lambda: done == ["quick", "slow"])


def test_nothing_is_delivered_to_who_is_gone_or_has_dropped_it(background: Background, qtbot: QtBot) -> None:
    heard: list[str] = []
    owner, release = QObject(), threading.Event()
    background.run(release.wait, lambda _: heard.append("gone"), owner=owner)
    errand = background.run(lambda: None, lambda _: heard.append("dropped"))
    background.run(lambda: None, lambda _: heard.append("last"))
    errand.drop()
    owner.deleteLater()
    qtbot.wait(10)
    release.set()
    qtbot.waitUntil(lambda: bool(heard))
    assert heard == ["last"]


def test_nothing_is_delivered_after_closing(qtbot: QtBot) -> None:
    background, heard = Background(), []
    background.run(lambda: time.sleep(0.02), lambda _: heard.append(1))
    background.close()
    qtbot.wait(50)
    assert not heard


# --- the bridge ---------------------------------------------------------------------------------------------------


def test_a_burst_of_rings_becomes_one_signal_with_all_topics(qtbot: QtBot) -> None:
    bell, heard = Bell(), []
    bridge = Bridge(bell)
    bridge.changed.connect(lambda topics: heard.append((topics, threading.current_thread().name)))

    def ring() -> None:
        for number in range(500):
            bell.ring(frozenset({"deliveries" if number % 2 else "posts"}))

    thread = threading.Thread(target=ring)
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: bool(heard))
    qtbot.wait(100)
    assert heard == [(frozenset({"deliveries", "posts"}), "MainThread")]
    bell.ring(frozenset({"accounts"}))
    qtbot.waitUntil(lambda: len(heard) == 2)
    assert heard[1][0] == {"accounts"}
    bridge.close()


def test_rings_shortly_after_each_other_are_one(qtbot: QtBot) -> None:
    bell, heard = Bell(), []
    bridge = Bridge(bell)
    bridge.changed.connect(heard.append)
    bell.ring(frozenset({"posts"}))
    qtbot.wait(5)
    bell.ring(frozenset({"accounts"}))
    qtbot.waitUntil(lambda: bool(heard))
    assert heard == [{"posts", "accounts"}]
    bridge.close()


def test_a_closed_bridge_is_silent(qtbot: QtBot) -> None:
    bell, heard = Bell(), []
    bridge = Bridge(bell)
    bridge.changed.connect(heard.append)
    bridge.close()
    bell.ring(frozenset({"posts"}))
    qtbot.wait(80)
    assert not heard


def test_what_rang_before_it_closed_is_not_told_after(qtbot: QtBot) -> None:
    """Whoever would hear it may be gone: a window lets go of its screens then."""
    bell, heard = Bell(), []
    bridge = Bridge(bell)
    bridge.changed.connect(heard.append)
    bell.ring(frozenset({"posts"}))
    bridge.close()
    qtbot.wait(80)
    assert not heard
