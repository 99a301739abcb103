"""A real desktop: the program runs in it as a person starts it, with a tray to stay in and without one."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import ImageGrab

NEEDED = ("Xvfb", "openbox", "tint2", "wmctrl", "xdotool", "xprop", "dbus-run-session")
MISSING = [program for program in NEEDED if shutil.which(program) is None]
pytestmark = [
    pytest.mark.peer,
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}"),
]
SENDOFF = (sys.executable, "-m", "sendoff")


class Desktop:
    """An X server with a window manager, and a panel with a tray if there shall be one."""

    def __init__(self, env: Mapping[str, str], server: subprocess.Popen[bytes] | None = None) -> None:
        self.env, self.server = env, server

    def ask(self, *command: str) -> str:
        """What a program says; "" if it found nothing."""
        return subprocess.run(command, env=self.env, capture_output=True, text=True, timeout=30, check=False).stdout

    def sendoff(self, *words: str) -> Any:
        """What the command line says in JSON."""
        done = subprocess.run(
            [*SENDOFF, *words, "--json"], env=self.env, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def window(self) -> str:
        """The id of the window that can be seen now, or "" """
        found = self.ask("xdotool", "search", "--onlyvisible", "--name", "^Sendoff$").split()
        return found[-1] if found else ""

    def iconified(self) -> bool:
        found = self.ask("xdotool", "search", "--name", "^Sendoff$").split()
        return any("Iconic" in self.ask("xprop", "-id", one, "WM_STATE") for one in found)

    def sends(self) -> bool:
        """Whether the program has opened its profile and is the sender."""
        checks = self.sendoff("doctor")["checks"]
        return next(bool(one["data"]["held"]) for one in checks if one["name"] == "lock")

    def brightest_in_tray(self) -> int:
        """The brightest grey, 0 to 255, where the panel has its tray, left of its clock."""
        shot = ImageGrab.grab(xdisplay=self.env["DISPLAY"]).convert("L")
        return int(shot.crop((1110, 772, 1142, 798)).getextrema()[1])

    def close_window(self) -> None:
        """What the cross in the title bar does."""
        self.ask("wmctrl", "-i", "-c", self.window())


@contextmanager
def started(env: Mapping[str, str], *command: str, **more: Any) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, env=env, **more)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(10)


@contextmanager
def desktop(folder: Path, *, tray: bool) -> Iterator[Desktop]:
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    run = folder / "run"
    run.mkdir(mode=0o700)
    env = {**os.environ, "HOME": str(folder), "XDG_RUNTIME_DIR": str(run), "SENDOFF_HOME": str(folder / "profile")}
    env |= {"XDG_CONFIG_HOME": str(folder / "config"), "QT_QPA_PLATFORM": "xcb", "NO_AT_BRIDGE": "1"}
    for name in ("WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS"):
        env.pop(name, None)
    with ExitStack() as stack:
        reading, writing = os.pipe()
        size = ("-screen", "0", "1280x800x24", "-nolisten", "tcp", "-noreset")
        server = stack.enter_context(
            started(env, "Xvfb", "-displayfd", str(writing), *size, pass_fds=(writing,), **quiet)
        )
        os.close(writing)
        with open(reading) as told:
            env["DISPLAY"] = f":{told.readline().strip()}"
        stack.enter_context(started(env, "openbox", **quiet))
        one = Desktop(env, server)
        until(lambda: "window id" in one.ask("xprop", "-root", "_NET_SUPPORTING_WM_CHECK"))
        if tray:
            stack.enter_context(started(env, "tint2", **quiet))
            until(lambda: one.ask("xdotool", "search", "--class", "tint2"))
        yield one


def until(happened: Callable[[], object], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


@contextmanager
def program(place: Desktop) -> Iterator[subprocess.Popen[bytes]]:
    """Sendoff as a person has it: started, its window on the screen, with an account to post from."""
    place.sendoff("accounts", "add", "practice", "--name", "Practice")
    with started(place.env, *SENDOFF) as process:
        until(place.window)
        yield process


def delivered(place: Desktop) -> bool:
    return len(place.sendoff("queue", "--state", "sent")["deliveries"]) == 1


def test_with_a_tray_the_window_closes_and_the_post_goes_out(tmp_path: Path) -> None:
    with desktop(tmp_path, tray=True) as place, program(place) as process:
        until(place.sends)
        until(lambda: place.brightest_in_tray() > 200)  # the icon can be seen on this panel, which is black
        place.close_window()
        until(lambda: not place.window())
        place.sendoff("post", "--to", "Practice", "--text", "While nobody looks", "--at", "+3s")
        until(lambda: delivered(place))
        assert process.poll() is None
        assert not place.window()
        again = subprocess.run([*SENDOFF], env=place.env, timeout=30, check=False)
        assert again.returncode == 0
        until(place.window)
        process.send_signal(signal.SIGTERM)
        assert process.wait(6) == 0


def test_without_a_tray_closing_asks_and_the_minimised_window_sends(tmp_path: Path) -> None:
    with desktop(tmp_path, tray=False) as place, program(place) as process:
        until(place.sends)
        place.close_window()
        time.sleep(1)
        assert place.window(), "it went away without asking"
        place.ask("xdotool", "windowactivate", "--sync", place.window(), "key", "Return")
        until(place.iconified)
        place.sendoff("post", "--to", "Practice", "--text", "Minimised", "--at", "+3s")
        until(lambda: delivered(place))
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(6) == 0


def overdue(place: Desktop, *, hours: float) -> None:
    """As if the program had been off for so long, with everything planned into the middle of it."""
    began, planned = time.time() - hours * 3600, time.time() - hours * 1800
    wall = datetime.fromtimestamp(planned, UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
    with sqlite3.connect(Path(place.env["SENDOFF_HOME"]) / "sendoff.db") as connection:
        connection.execute("UPDATE senders SET seen_at = ?", (int(began * 1_000_000),))
        connection.execute(
            "UPDATE deliveries SET planned_at = ?, due_at = ?, wall = ?, zone = 'UTC'",
            (int(planned * 1_000_000), int(planned * 1_000_000), wall),
        )


def test_who_comes_back_is_welcomed_and_decides_by_keyboard(tmp_path: Path) -> None:
    with desktop(tmp_path, tray=False) as place:
        place.sendoff("accounts", "add", "practice", "--name", "Practice")
        subprocess.run([*SENDOFF, "worker", "--for", "0.5"], env=place.env, check=False, timeout=60)
        for words, rule in (("Open at eight", "send"), ("Pier quiz", "ask 15m"), ("Roast: 12 bags", "skip 15m")):
            place.sendoff("post", "--to", "Practice", "--text", words, "--late", rule, "--at", "+1h")
        overdue(place, hours=4)
        with started(place.env, *SENDOFF) as process:
            until(place.window)
            until(lambda: len(place.sendoff("queue", "--state", "missed")["deliveries"]) == 2)
            until(lambda: delivered(place))
            time.sleep(1)
            shot = ImageGrab.grab(xdisplay=place.env["DISPLAY"])
            if folder := os.environ.get("SENDOFF_PICTURES"):
                shot.save(Path(folder) / "welcome.png")
            place.ask("xdotool", "windowactivate", "--sync", place.window(), "key", "Tab", "Return")  # Send now
            until(lambda: len(place.sendoff("queue", "--state", "sent")["deliveries"]) == 2)
            place.ask("xdotool", "key", "Escape")
            with sqlite3.connect(Path(place.env["SENDOFF_HOME"]) / "sendoff.db") as connection:
                until(lambda: connection.execute("SELECT count(*) FROM absences WHERE NOT seen").fetchone() == (0,))
            process.send_signal(signal.SIGTERM)
            assert process.wait(6) == 0
