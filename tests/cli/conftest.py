"""A profile of its own for each test, `run` for verbs in this process and `spawn` for processes of their own."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from sendoff.cli import parser
from sendoff.cli.main import main
from sendoff.store.secrets import Vault
from tests.cli.forked import Forked, Parent

ROOT = Path(__file__).parents[2]
PASSPHRASE = "open sesame"
PLUGIN = """\
[sendoff.channels]
letterbox = tests.cli.letterbox:Letterbox
doorbell = tests.cli.letterbox:Doorbell
"""


@dataclass(frozen=True)
class Result:
    """What a verb came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Result]
Spawn = Callable[..., Forked]
"""With `started=True` the process is a subprocess.Popen[str], which has the same verbs."""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The profile's folder, which is not there yet; no keychain, no display, no window's variables."""
    folder = tmp_path / "home"
    monkeypatch.setenv("SENDOFF_HOME", str(folder))
    monkeypatch.setenv("SENDOFF_PASSPHRASE", PASSPHRASE)
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM", "DBUS_SESSION_BUS_ADDRESS", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TZ", "Europe/Berlin")
    return folder


@pytest.fixture(scope="session")
def command_line() -> Callable[[], argparse.ArgumentParser]:
    """Declares the verbs once: it is half of what most of them cost in one process that has everything imported."""
    return cache(parser.build)


@pytest.fixture
def run(
    home: Path,
    capsys: pytest.CaptureFixture[str],
    command_line: Callable[[], argparse.ArgumentParser],
    monkeypatch: pytest.MonkeyPatch,
) -> Run:
    """run("post", "--text", "hello") → code, out, err. A verb never lets a traceback through."""
    monkeypatch.setattr(parser, "build", command_line)

    def call(*words: str | Path) -> Result:
        capsys.readouterr()
        code = main([str(word) for word in words])
        said = capsys.readouterr()
        assert "Traceback" not in said.out + said.err
        return Result(code, said.out, said.err)

    return call


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Installs the channels of letterbox.py, as a distribution of its own would."""
    site = tmp_path / "site"
    about = site / "letterbox-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: letterbox\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(PLUGIN)
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("PYTHONPATH", f"{site}{os.pathsep}{ROOT}")
    return site


@pytest.fixture(scope="session")
def parent() -> Iterator[Parent]:
    made = Parent()
    yield made
    made.close()


@pytest.fixture
def spawn(home: Path, parent: Parent) -> Iterator[Spawn]:
    """Runs `sendoff` with these words in a process of its own; whatever is left is killed at the end.

    It is forked (tests/cli/forked.py) where the system can; with `started=True` it really is `python -m sendoff`.
    """
    made: list[Any] = []

    def start(*words: str | Path, started: bool = False, **more: Any) -> Any:
        pipes: dict[str, Any] = {"stdin": subprocess.DEVNULL, **more}
        if started or sys.platform == "win32":
            pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **pipes}
            made.append(subprocess.Popen([sys.executable, "-m", "sendoff", *map(str, words)], cwd=ROOT, **pipes))
        else:
            made.append(parent.fork(*map(str, words), **pipes))
        return made[-1]

    yield start
    for process in made:
        if process.poll() is None:
            process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream:
                stream.close()


@pytest.fixture
def done(spawn: Spawn) -> Run:
    """The same, waited for."""

    def call(*words: str | Path, stdin: str = "", **more: Any) -> Result:
        process = spawn(*words, stdin=subprocess.PIPE, **more)
        out, err = process.communicate(stdin, timeout=60)
        assert "Traceback" not in out + err
        return Result(process.returncode, out, err)

    return call


@pytest.fixture
def real_price(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key file as a process that really is started writes it: there a passphrase costs what it should."""
    monkeypatch.setattr(Vault, "N", 1 << 17)


@pytest.fixture
def ada(run: Run) -> Run:
    """A practice account that posts go out under; returns `run`."""
    assert run("accounts", "add", "practice", "--name", "Ada", "--field", "handle=@ada").code == 0
    return run


def ledger(home: Path, handle: str | None = None) -> list[dict[str, Any]]:
    """What the practice network took, in its own book."""
    book = home / "practice" / "received.jsonl"
    lines = [json.loads(line) for line in book.read_text().splitlines()] if book.exists() else []
    return [line for line in lines if "id" in line and handle in (None, line["handle"])]
