"""The demo ends with receipts, in lines and at a terminal, and leaves nothing behind."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT
from tests.cli.forked import Parent


def test_as_lines(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    program = (
        "import sys; from sendoff.cli.main import main; code = main(['demo']); print(*sys.modules); sys.exit(code)"
    )
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert time.monotonic() - began < 30
    *said, modules = done.stdout.splitlines()
    words = "\n".join(said)
    assert "later     2  A busy network" in words
    assert "in doubt  3  A mail server" in words
    assert "settled   3  A mail server  It was found: it did go out." in words
    assert "part 3 of 3, practice-3" in words
    assert "A mail server   1 of 1  practice-1  Found in the practice network." in words
    assert said[-1].startswith("Everything arrived once. Nothing reached the internet")
    assert "PySide6" not in modules
    assert list(tmp_path.iterdir()) == []
    assert not home.exists()


def test_at_a_terminal_the_table_is_drawn_over_itself(
    home: Path, parent: Parent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "")
    terminal, its = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 72, 0, 0))
    child = parent.fork("demo", stdin=its, stdout=its, stderr=its, terminal=True)
    os.close(its)
    said = b""
    while True:
        try:
            data = os.read(terminal, 4096)
        except OSError:
            break
        if not data:
            break
        said += data
    os.close(terminal)
    assert child.wait(20) == 0
    text = said.decode()
    assert "\033[4A" in text
    rows = [line.partition("\033[2K")[2].rstrip("\r") for line in text.split("\n") if "\033[2K" in line]
    assert all(len(row) <= 72 for row in rows)
    last = rows[-3:]
    # A time on the minute has no seconds, and more blanks behind it.
    assert [re.split(" {2,}", row)[1] for row in last] == ["a post", "a thread of three", "a mail"], text
    assert all("sent, " in row for row in last)


def test_a_signal_ends_it(home: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "sendoff", "demo"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    while "sent      1" not in process.stdout.readline():
        pass
    process.terminate()
    out, err = process.communicate(timeout=6)
    assert (process.returncode, err) == (1, "")
    assert "Not everything arrived." in out
