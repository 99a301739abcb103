"""A Sendoff whose files are replaced while it runs says so once, and becomes the new one when a person wants that."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from sendoff import release
from sendoff.bootstrap import Program
from sendoff.ui.session import Session
from sendoff.ui.updated import KEY, WORDS, Updated
from tests.gui.desk import Desk, opened


@pytest.fixture
def first_screen() -> str:
    return ""


@pytest.fixture
def stamp(tmp_path: Path) -> Path:
    file = tmp_path / "commit.txt"
    file.write_text("a" * 40 + "\n")
    return file


class Room:
    """The window of a Sendoff that was built, and what it told and was asked."""

    def __init__(self, desk: Desk, stamp: Path) -> None:
        self.desk, self.heard = desk, list[str]()
        self.updated = Updated(
            desk.context,
            lambda title, _words: self.heard.append(title),
            lambda: self.heard.append("restart"),
            release.Installed(stamp),
            desk.window,
        )

    def said(self) -> str:
        self.updated.look()
        assert self.desk.window.banners is not None
        return self.desk.window.banners.words(KEY)


def test_it_is_said_once_and_the_button_restarts(bench: Desk, stamp: Path) -> None:
    bench.window.show()
    room = Room(bench, stamp)
    assert room.said() == ""
    stamp.unlink()  # for a moment, while it is being replaced
    assert room.said() == ""
    stamp.write_text("b" * 40)
    assert room.said() == WORDS
    assert room.heard == []  # the window is there to be read
    assert bench.window.banners is not None
    bench.window.banners.notices[KEY].links[0].click()
    assert room.heard == ["restart"]


def test_where_nobody_sees_the_window_it_is_a_notification(bench: Desk, stamp: Path) -> None:
    room = Room(bench, stamp)
    bench.window.hide()
    stamp.write_text("b" * 40)
    assert room.said()
    assert room.said()
    assert room.heard == ["Sendoff was updated"]


def test_a_checkout_is_its_owners(bench: Desk, tmp_path: Path) -> None:
    missing = tmp_path / "none.txt"
    room = Room(bench, missing)
    missing.write_text("b" * 40)
    assert room.said() == ""


@pytest.mark.parametrize(("seen", "words"), [(True, ()), (False, ("--background",))])
def test_a_restart_ends_in_order_and_comes_back_where_it_was(
    start: Callable[..., Session],
    open_profile: Callable[..., Program],
    qtbot: QtBot,
    seen: bool,
    words: tuple[str, ...],
) -> None:
    program = open_profile("there")
    program.close()
    session = opened(start(program.folder, background=not seen), qtbot)
    qtbot.waitUntil(lambda: session.window.isVisible() is seen)
    session.restart()
    assert session.quitting
    assert session.words_anew == words


ANEW = """
import os, sys
from sendoff import release
lock = os.open("/dev/null", os.O_RDONLY)
release.start_anew([sys.executable, "-c", "import os; print(os.getpid(), os.environ['PYINSTALLER_RESET_ENVIRONMENT'], "
                    f"os.path.exists('/proc/self/fd/{lock}'))"])
"""


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="no /proc here")
def test_it_stays_the_same_process_and_holds_nothing_any_more() -> None:
    with subprocess.Popen([sys.executable, "-c", ANEW], stdout=subprocess.PIPE, text=True) as process:
        out, _ = process.communicate(timeout=60)
    assert out.split() == [str(process.pid), "1", "False"]
