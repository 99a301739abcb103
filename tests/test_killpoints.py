"""The points at which crash tests end the program: exact in a test, nothing at all otherwise."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

PROGRAM = "from sendoff import killpoints as k; [print(k.reach(p), p, flush=True) for p in ('a', 'b', 'a', 'c')]"


def run(**env: str) -> tuple[int, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SENDOFF_KILL")}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env={**clean, **env}, capture_output=True, text=True)
    return done.returncode, " ".join(line.split()[1] for line in done.stdout.splitlines())


@pytest.mark.parametrize(
    ("at", "printed"), [("a", ""), ("b", "a"), ("a:2", "a b"), ("c", "a b a"), ("nowhere", "a b a c"), ("", "a b a c")]
)
def test_the_process_ends_at_the_point_and_nowhere_else(at: str, printed: str) -> None:
    code, said = run(SENDOFF_KILL_AT=at)
    assert said == printed
    assert code == (0 if printed == "a b a c" else -signal.SIGKILL)


def test_without_the_variable_nothing_happens() -> None:
    assert run() == (0, "a b a c")
