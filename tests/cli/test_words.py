"""What is said before anything is done: help, the version, wrong words; and what is not loaded for it."""

from __future__ import annotations

import socket
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest

import sendoff
from sendoff import haste, release
from sendoff.cli import display
from tests.cli.conftest import ROOT, Run

VERBS = ("channels", "accounts", "post", "queue", "show", "move", "cancel", "retry", "settle", "look", "pause",
         "resume", "worker", "doctor", "export", "import", "backup", "settings", "demo")  # fmt: skip


def test_help_names_every_verb_and_the_exit_codes(run: Run) -> None:
    said = run("--help")
    assert said.code == 0
    assert all(verb in said.out for verb in VERBS)
    assert "4 another process" in said.out


@pytest.mark.parametrize("verb", [*VERBS, "accounts show", "accounts add", "accounts sign-in", "settings set"])
def test_every_verb_has_help(run: Run, verb: str) -> None:
    said = run(*verb.split(), "--help")
    assert said.code == 0
    assert "usage: sendoff " + verb in said.out


def test_version(run: Run) -> None:
    assert run("--version").out == f"Sendoff {release.version()}\n"


@pytest.mark.parametrize(
    ("words", "about"),
    [
        (["psot"], "psot"),
        (["post", "--txt", "x"], "--txt"),
        (["post", "--tex", "no shortened options"], "--tex"),
        (["show"], "ID"),
        (["show", "one"], "“one” is not a number"),
        (["show", "0"], "“0” is not a number"),
        (["show", "9" * 30], "is not a number"),
        (["move", "1"], "--at"),
        (["settle", "1", "--as", "maybe"], "maybe"),
        (["worker", "--for", "-1"], "-1"),
        (["worker", "--for", "nan"], "nan"),
        (["queue", "--limit", "0"], "“0”"),
        (["accounts"], "VERB"),
        (["--passphrase-fd", "x", "queue"], "x"),
    ],
)
def test_wrong_words_are_one_line_and_exit_2(run: Run, home: Path, words: list[str], about: str) -> None:
    said = run(*words)
    assert (said.code, said.out) == (2, "")
    assert said.err.count("\n") == 1
    assert about in said.err
    assert "--help" in said.err
    assert not home.exists()


def test_without_a_display_the_window_says_so(run: Run) -> None:
    said = run()
    assert said.code == 3
    assert "no display" in said.err
    assert "sendoff --help" in said.err


PROGRAM = """
import sys
import types
from sendoff.cli.main import main
codes = [main(words.split()) for words in sys.argv[1:]]
print("", *sys.modules)
sys.exit(max(codes))
"""


def loaded_by(*verbs: str) -> set[str]:
    """The modules that a process has loaded after these verbs."""
    command = [sys.executable, "-c", PROGRAM, *verbs]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split())


def test_headless_verbs_never_load_qt(home: Path) -> None:
    loaded = loaded_by("channels", "accounts add practice", "post --text x", "worker --until-idle", "queue", "doctor")
    assert "sendoff.engine.engine" in loaded
    assert not {name for name in loaded if name.split(".")[0] in ("PySide6", "shiboken6")}
    assert not {name for name in loaded if name.startswith("sendoff.ui")}


def test_help_waits_for_nothing_heavy(home: Path) -> None:
    heavy = {"sqlalchemy", "apscheduler", "requests", "keyring", "msgspec", "cryptography", "PIL", "PySide6", "alembic"}
    assert not loaded_by("--help", "--version") & heavy


def test_the_window_opens_with_what_it_was_asked_for(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through a stand-in for ui/application.py: the window has tests of its own."""
    asked: list[dict[str, Any]] = []
    hurried: list[bool] = []
    monkeypatch.setattr(haste, "begin", lambda: hurried.append(True))
    window = types.ModuleType("sendoff.ui.application")
    window.main = lambda **wishes: asked.append(wishes) or 0  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "sendoff.ui.application", window)
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    words = (
        [],
        ["--background", "--delay", "20"],
        ["--compose", "--background"],
        ["--activated"],
        ["--text", "Hi", "mailto:a@b.example"],
    )
    assert [run(*one).code for one in words] == [0] * 5
    plain = {"background": False, "activated": False, "delay": 0.0, "compose": False, "text": ""}
    assert [{**one, "things": list(one.get("things", ()))} for one in asked[1:]] == [
        {**plain, "background": True, "delay": 20.0, "things": []},
        {**plain, "background": True, "compose": True, "things": []},
        {**plain, "activated": True, "things": []},
        {**plain, "text": "Hi", "things": ["mailto:a@b.example"]},
    ]
    assert asked[0] == {}
    assert len(hurried) == 5


def test_a_qt_that_cannot_be_loaded_is_a_sentence(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    monkeypatch.setattr(haste, "begin", lambda: None)  # nothing would end it here
    monkeypatch.setitem(sys.modules, "PySide6", None)
    for name in [name for name in sys.modules if name.startswith(("PySide6.", "sendoff.ui"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr(sendoff, "ui", raising=False)  # else the parent keeps what is imported meanwhile
    said = run()
    assert said.code == 3
    assert "needs Qt, which can’t be loaded here" in said.err


def test_a_display_that_is_not_there_is_said_before_qt_ends_the_process(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISPLAY", ":4711")
    said = run()
    assert said.code == 3
    assert said.err == "sendoff: The display :4711 does not answer. The command line works without: sendoff --help.\n"


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such displays")
def test_displays(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "wayland-7"))
        server.listen()
        runtime = {"XDG_RUNTIME_DIR": str(tmp_path)}
        assert display.trouble({"WAYLAND_DISPLAY": "wayland-7", **runtime}, "linux") == ""
        assert display.trouble({"WAYLAND_DISPLAY": str(tmp_path / "wayland-7")}, "linux") == ""
        assert "wayland-8 does not answer" in display.trouble({"WAYLAND_DISPLAY": "wayland-8", **runtime}, "linux")
    assert "no display" in display.trouble({}, "linux")
    assert "no display" in display.trouble({"QT_QPA_PLATFORM": "xcb"}, "linux")
    assert display.trouble({"QT_QPA_PLATFORM": "offscreen"}, "linux") == ""
    assert display.trouble({"DISPLAY": "elsewhere:0.0"}, "linux") == ""
    assert display.trouble({}, "darwin") == display.trouble({}, "win32") == ""
