"""The desktop's session around the program: its bus, its launchers and its end, on X and on Wayland."""

from __future__ import annotations

import configparser
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from sendoff import APP_ID
from tests.peers.test_desktop import MISSING, SENDOFF, Desktop, desktop, started, until

pytestmark = [
    pytest.mark.peer,
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}"),
]
AT_LOGOUT = 5.0
"""Seconds that a desktop gives a program to end."""

OBJECT = "/" + APP_ID.replace(".", "/")
ENTRY = Path(__file__).parents[2] / "packaging" / "linux" / f"{APP_ID}.desktop"
OTHER = """
import sys
from PySide6.QtWidgets import QApplication, QLineEdit
app = QApplication(["other"])
field = QLineEdit()
field.setWindowTitle("Somebody's letter")
field.resize(300, 60)
field.show()
app.exec()
"""


# --- the end of a session -----------------------------------------------------------------------------------------


class Slow(ThreadingHTTPServer):
    """Takes a post at once and answers when it is let go: so a logout finds it under way."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _SlowHandler)
        self.taken: list[bytes] = []
        self.let_go = threading.Event()
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/notes"


class _SlowHandler(BaseHTTPRequestHandler):
    server: Slow

    def do_POST(self) -> None:
        self.server.taken.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.let_go.wait(60)
        self.send_response(201)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def slow() -> Iterator[Slow]:
    server = Slow()
    yield server
    server.let_go.set()
    server.shutdown()
    server.server_close()


@contextmanager
def sending(place: Desktop, slow: Slow) -> Iterator[subprocess.Popen[bytes]]:
    """The window, and a post of which the endpoint has every byte and Sendoff has no answer."""
    place.env = {**place.env, "SENDOFF_PASSPHRASE": "open sesame"}
    body = json.dumps({"text": "{{text}}"})
    place.sendoff(
        "accounts", "add", "endpoint", "--name", "Notes", "--field", f"url={slow.url}", "--field", f"body={body}"
    )
    complaints = Path(place.env["HOME"]) / "complaints"
    with complaints.open("wb") as file, started(place.env, *SENDOFF, stderr=file) as process:
        until(place.window)
        until(place.sends)
        place.sendoff("post", "--to", "Notes", "--text", "Good night")
        until(lambda: slow.taken)
        yield process


def states(place: Desktop) -> list[str]:
    with closing(sqlite3.connect(Path(place.env["SENDOFF_HOME"]) / "sendoff.db")) as raw:
        return [row[0] for row in raw.execute("SELECT state FROM deliveries")]


def ends_in_time(process: subprocess.Popen[bytes], began: float) -> float:
    process.wait(AT_LOGOUT * 4)
    return time.monotonic() - began


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_logout_while_something_leaves_ends_it_in_time_and_the_truth_is_known_after(
    tmp_path: Path, slow: Slow, name: str
) -> None:
    with desktop(tmp_path, tray=False) as place, sending(place, slow) as process:
        began = time.monotonic()
        process.send_signal(getattr(signal, name))
        took = ends_in_time(process, began)
        print(f"ended {took:.2f} s after {name}")
        assert process.returncode == 0
        assert took < AT_LOGOUT
        assert "Traceback" not in (tmp_path / "complaints").read_text()
        assert states(place) == ["sending"]  # nobody knows yet
        subprocess.run([*SENDOFF, "worker", "--for", "1"], env=place.env, check=True, timeout=60, capture_output=True)
        assert states(place) == ["in_doubt"]
        assert len(slow.taken) == 1  # and it is never sent twice for it


def test_what_can_be_finished_at_logout_is_finished(tmp_path: Path, slow: Slow) -> None:
    with desktop(tmp_path, tray=False) as place, sending(place, slow) as process:
        process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        slow.let_go.set()
        assert process.wait(AT_LOGOUT) == 0
        assert states(place) == ["sent"]


def test_a_display_that_goes_away_ends_it_in_time_too(tmp_path: Path, slow: Slow) -> None:
    with desktop(tmp_path, tray=False) as place:
        with sending(place, slow) as process:
            began = time.monotonic()
            assert place.server is not None
            place.server.kill()
            took = ends_in_time(process, began)
            print(f"ended {took:.2f} s after its display")
            assert took < AT_LOGOUT
        subprocess.run([*SENDOFF, "worker", "--for", "1"], env=place.env, check=True, timeout=60, capture_output=True)
        assert states(place) == ["in_doubt"]
        assert len(slow.taken) == 1


# --- the session's bus --------------------------------------------------------------------------------------------


@contextmanager
def with_bus(place: Desktop) -> Iterator[Desktop]:
    """The same desktop with a bus of its own, which knows how Sendoff is started."""
    services = Path(place.env["HOME"]) / "share" / "dbus-1" / "services"
    services.mkdir(parents=True)
    known = ENTRY.with_suffix(".service").read_text()
    (services / f"{APP_ID}.service").write_text(known.replace("/usr/bin/sendoff", " ".join(SENDOFF)))
    env = {**place.env, "XDG_DATA_HOME": str(services.parents[1])}
    daemon = ("dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address")
    with started(env, *daemon, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        env["DBUS_SESSION_BUS_ADDRESS"] = process.stdout.readline().decode().strip()
        process.stdout.close()
        yield Desktop(env)


def call(place: Desktop, method: str, *arguments: str) -> str:
    done = subprocess.run(
        ["gdbus", "call", "--session", "--dest", APP_ID, "--object-path", OBJECT, "--method",
         f"org.freedesktop.Application.{method}", *arguments],
        env=place.env, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def opened(place: Desktop) -> None:
    """Waits until the program has made its profile and is the sender."""
    until((Path(place.env["SENDOFF_HOME"]) / "sendoff.db").exists)
    until(place.sends)


def active(place: Desktop) -> str:
    return place.ask("xdotool", "getactivewindow", "getwindowname").strip()


def drafts(place: Desktop) -> str:
    with closing(sqlite3.connect(Path(place.env["SENDOFF_HOME"]) / "sendoff.db")) as raw:
        return "\n".join(row[0] for row in raw.execute("SELECT content FROM posts"))


def test_the_bus_starts_it_raises_it_and_hands_things_over_and_no_focus_is_stolen(tmp_path: Path) -> None:
    picture = tmp_path / "bag of beans.png"
    shutil.copy(Path(__file__).parents[2] / "docs" / "pictures" / "planner.png", picture)
    with desktop(tmp_path, tray=True) as bare, with_bus(bare) as place:
        with started(place.env, sys.executable, "-c", OTHER):
            until(lambda: active(place) == "Somebody's letter")
            call(place, "ActivateAction", "nonsense", "@av []", "@a{sv} {}")  # starts it, in the background
            opened(place)
            time.sleep(1)
            assert not place.window()
            call(place, "Activate", "@a{sv} {}")  # nobody's word that a person asked
            until(place.window)
            time.sleep(1)
            assert active(place) == "Somebody's letter"
            link = "mailto:ada@example.org?subject=Beans&body=Two%20bags"
            call(
                place,
                "Open",
                f"@as ['{picture.as_uri()}', '{link}']",
                "@a{sv} {'activation-token': <'from-the-panel'>}",
            )
            until(lambda: active(place) == "Sendoff")
            until(lambda: "Two bags" in drafts(place) and "bag of beans.png" in drafts(place))
            call(place, "ActivateAction", "send", "@av []", "@a{sv} {}")
            assert place.sendoff("queue")["deliveries"] == []
            second = [*SENDOFF, "--background"]
            place.close_window()
            until(lambda: not place.window())
            assert subprocess.run(second, env=place.env, timeout=60, check=False).returncode == 0
            time.sleep(1)
            assert not place.window()  # a second start at login raises nothing
        whose = ("org.freedesktop.DBus", "--object-path", "/", "--method")
        owner = place.ask(
            "gdbus", "call", "--session", "--dest", *whose, f"{whose[0]}.GetConnectionUnixProcessID", APP_ID
        )
        pid = int(owner.split()[1].strip(",)"))
        os.kill(pid, signal.SIGTERM)
        until(
            lambda: not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text().split(")")[1], 10
        )


def test_a_second_start_hands_its_words_over_and_comes_to_the_front(tmp_path: Path) -> None:
    with desktop(tmp_path, tray=False) as place:
        place.sendoff("accounts", "add", "practice", "--name", "Practice")
        (tmp_path / "note.txt").write_text("attached")
        with started(place.env, *SENDOFF), started(place.env, sys.executable, "-c", OTHER):
            until(place.window)
            until(place.sends)
            until(
                lambda: (
                    place.ask("xdotool", "search", "--name", "Somebody's letter", "windowactivate", "--sync") or True
                )
            )
            until(lambda: active(place) == "Somebody's letter")
            words = (*SENDOFF, "--text", "From the share menu", "note.txt", str(tmp_path / "gone.png"))
            assert subprocess.run(words, env=place.env, cwd=tmp_path, timeout=60, check=False).returncode == 0
            until(lambda: active(place) == "Sendoff")
            until(lambda: "From the share menu" in drafts(place) and "note.txt" in drafts(place))
            assert place.sendoff("queue")["deliveries"] == []


def test_what_the_bus_starts_while_one_runs_without_its_name_raises_that_one(tmp_path: Path) -> None:
    """As when somebody quits, and opens it again at once: the one that ends has given its name away already."""
    with desktop(tmp_path, tray=True) as place, started(place.env, *SENDOFF, "--background"):
        opened(place)
        assert not place.window()
        assert subprocess.run([*SENDOFF, "--activated"], env=place.env, timeout=60, check=False).returncode == 0
        until(place.window)


# --- name and icon ------------------------------------------------------------------------------------------------


def entry() -> configparser.SectionProxy:
    read = configparser.ConfigParser(interpolation=None)
    read.optionxform = str  # type: ignore[assignment,method-assign]
    read.read(ENTRY)
    return read["Desktop Entry"]


def test_the_window_belongs_to_its_desktop_entry_on_x(tmp_path: Path) -> None:
    with desktop(tmp_path, tray=False) as place, started(place.env, *SENDOFF):
        until(place.window)
        until(lambda: "Icon (" in place.ask("xprop", "-id", place.window(), "_NET_WM_ICON"))
        shown = place.ask("xprop", "-id", place.window(), "WM_CLASS", "_GTK_APPLICATION_ID", "_KDE_NET_WM_DESKTOP_FILE")
        assert shown.count(f'"{APP_ID}"') == 2
        assert f'"{entry()["StartupWMClass"]}"' in shown.splitlines()[0]
        assert entry()["Icon"] == APP_ID


WESTON = (
    "weston",
    "--backend=headless-backend.so",
    "--socket=sendoff-test",
    "--width=1280",
    "--height=800",
    "--idle-time=0",
)


@pytest.mark.skipif(shutil.which("weston") is None, reason="not installed: weston")
def test_the_window_belongs_to_its_desktop_entry_on_wayland(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir(mode=0o700)
    env = {**os.environ, "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(run), "SENDOFF_HOME": str(tmp_path / "profile")}
    env |= {"WAYLAND_DISPLAY": "sendoff-test", "QT_QPA_PLATFORM": "wayland"}
    for name in ("DISPLAY", "DBUS_SESSION_BUS_ADDRESS"):
        env.pop(name, None)
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    told = tmp_path / "wire"
    with started(env, *WESTON, **quiet) as weston, told.open("wb") as wire:
        until(lambda: (run / "sendoff-test").exists())
        with started({**env, "WAYLAND_DEBUG": "client"}, *SENDOFF, stderr=wire) as process:

            def said(words: str) -> bool:
                return words in told.read_text(errors="replace")

            until(lambda: said(f'set_app_id("{APP_ID}")'))
            assert said('set_title("Sendoff")')
            place = Desktop(env)
            opened(place)
            began = time.monotonic()
            weston.terminate()  # the session ends
            assert ends_in_time(process, began) < AT_LOGOUT
