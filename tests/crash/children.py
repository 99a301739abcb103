"""The real program in processes of its own: started, waited for, stopped, and ended at the latest with the test."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PASSPHRASE = "open sesame"
LONGEST = 40.0
"""Seconds after which a child that does not end is a finding."""


class NeverRests(AssertionError):
    """A child did not come to the state that was waited for."""


@dataclass
class Child:
    """One process of the program. `code` is negative for a signal, None while it lives; `peak` is memory in kB."""

    pid: int
    words: tuple[str, ...]
    out: Path
    code: int | None = None
    peak: int = 0
    is_stopped: bool = False
    changed: threading.Condition = field(default_factory=threading.Condition)
    born: float = field(default_factory=time.monotonic)

    def wait(self, seconds: float = LONGEST) -> int:
        """Its exit code."""
        self._until(lambda: self.code is not None, seconds)
        assert self.code is not None
        return self.code

    def wait_stopped(self, seconds: float = LONGEST) -> None:
        self._until(lambda: self.is_stopped or self.code is not None, seconds)
        if not self.is_stopped:
            raise NeverRests(f"{self} ended with {self.code} before it was stopped:\n{self.said}")

    def _until(self, what: Any, seconds: float) -> None:
        with self.changed:
            if not self.changed.wait_for(what, seconds):
                self.signal(signal.SIGUSR2)  # it tells where its threads are
                time.sleep(0.5)
                raise NeverRests(f"{self} did not come to rest within {seconds:.0f} s:\n{self.said}")

    def signal(self, which: signal.Signals) -> None:
        if which is signal.SIGCONT:
            self.is_stopped = False
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, which)

    @property
    def said(self) -> str:
        return self.out.read_text(errors="replace") if self.out.exists() else ""

    def __str__(self) -> str:
        return f"sendoff {' '.join(self.words)[:60]} ({self.pid})"


class Nursery:
    """Has one parent process that forks children.

    Args:
        folder: for the children's output, and for the channels' dist-info.
        source: a folder with a package `sendoff` to run instead of this checkout's (planted bugs).
        more: environment variables.
    """

    def __init__(self, folder: Path, source: str = "", **more: str) -> None:
        self._folder = folder
        self._numbers = itertools.count(1)
        self._born: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._children: dict[int, Child] = {}
        self._early: dict[int, list[dict[str, Any]]] = {}
        self._lock = threading.Lock()
        self.site = _installed(folder)
        path = [str(self.site), *([source] if source else []), str(ROOT)]
        self.env = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("SENDOFF", "XDG", "DBUS"))},
            "PYTHONPATH": os.pathsep.join(path), "SENDOFF_PASSPHRASE": PASSPHRASE, "TZ": "Europe/Berlin",
            **({"CRASH_PLANTED": "1"} if source else {}), **more,
        }  # fmt: skip
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.nursery"], cwd=ROOT, env=self.env, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True, bufsize=1,
        )  # fmt: skip
        assert self._process.stdout
        first = self._process.stdout.readline()
        if not first:
            raise SystemExit("The nursery did not start.")
        self.source = json.loads(first)["source"]
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            news = json.loads(line)
            if news["what"] == "born":
                self._born.put(news["pid"])
                continue
            with self._lock:
                child = self._children.get(news["pid"])
                if child is None:
                    self._early.setdefault(news["pid"], []).append(news)
            if child:
                _tell(child, news)

    def start(self, home: Path, *words: str | Path, **env: str) -> Child:
        """`sendoff WORDS` for the profile in `home`; `env` are more variables."""
        said = tuple(map(str, words))
        out = self._folder / f"out-{next(self._numbers)}"
        wish = {"wish": 0, "words": said, "env": {"SENDOFF_HOME": str(home), **env}, "out": str(out)}
        assert self._process.stdin
        self._process.stdin.write(json.dumps(wish) + "\n")
        child = Child(self._born.get(timeout=LONGEST), said, out)
        with self._lock:
            self._children[child.pid] = child
            early = self._early.pop(child.pid, [])
        for news in early:
            _tell(child, news)
        return child

    def alone(self, home: Path, *words: str | Path, before: Sequence[str] = (), **env: str) -> subprocess.Popen[str]:
        """The same as a process of its own, begun by another program (unshare, strace); its output is piped."""
        command = [*before, sys.executable, "-m", "tests.crash.nursery", *map(str, words)]
        return subprocess.Popen(
            command, cwd=ROOT, env={**self.env, "SENDOFF_HOME": str(home), **env}, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def run(self, home: Path, *words: str | Path, **env: str) -> Child:
        """The same, waited for; it has to go well."""
        child = self.start(home, *words, **env)
        if child.wait() != 0:
            raise AssertionError(f"{child} ended with {child.code}:\n{child.said}")
        return child

    def end_all(self) -> None:
        """Whatever still runs is killed."""
        with self._lock:
            left = [child for child in self._children.values() if child.code is None]
        for child in left:
            child.signal(signal.SIGKILL)
            with contextlib.suppress(NeverRests):
                child.wait(5)
        with self._lock:
            self._children.clear()

    def close(self) -> None:
        self.end_all()
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


def _tell(child: Child, news: dict[str, Any]) -> None:
    with child.changed:
        if news["what"] == "stopped":
            child.is_stopped = True
        else:
            child.code, child.peak = news["code"], news["peak"]
        child.changed.notify_all()


def _installed(folder: Path) -> Path:
    """A folder with the dist-info of a distribution that brings the channels of kinds.py."""
    from tests.crash.kinds import ENTRY_POINTS

    site = folder / "site"
    about = site / "crash_kinds-1.0.dist-info"
    about.mkdir(parents=True, exist_ok=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: crash-kinds\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(ENTRY_POINTS)
    return site
