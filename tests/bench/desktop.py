"""The window: how soon it is painted and what is loaded by then, what it needs while nothing happens."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

HEAVY = ("sqlalchemy", "apscheduler", "requests", "keyring", "alembic", "cryptography", "PIL")
IDLE_SECONDS = 10.0


def first_paint(folder: Path, runs: int = 15) -> dict[str, Any]:
    """Milliseconds from the start of the interpreter's main program to the first painted frame, and to the one with the
    rail, warm; turn by turn with an empty window of Qt, which nothing written with it can outrun.

    The least of all runs is what it takes: what a machine does beside it only ever adds. The medians say how much.
    """
    ours, rail, bare, loaded = [], [], [], set[str]()
    for _ in range(runs):
        said = json.loads(_window(folder, "tests.bench.window", "paint").stdout.splitlines()[-1])
        ours.append(said["ms"])
        rail.append(said["rail_ms"])
        loaded |= set(said["heavy"])
        bare.append(json.loads(_window(folder, "tests.bench.bare").stdout)["ms"])
    of = {"first_paint": ours, "rail_painted": rail, "empty_window": bare}
    return (
        {f"{name}_ms": round(min(times), 1) for name, times in of.items()}
        | {f"{name}_median_ms": round(statistics.median(times), 1) for name, times in of.items()}
        | {"ratio": round(min(ours) / min(bare), 2), "heavy_before_it": sorted(loaded)}
    )


def idle(folder: Path) -> dict[str, Any]:
    """Memory and processor share of the window with its engine, after it has come to rest, on a profile that is there.

    The first start ever also makes the database, with a library that no later start loads.
    """
    env = dict(os.environ, SENDOFF_HOME=str(folder))
    subprocess.run([sys.executable, "-m", "sendoff", "settings", "list"], env=env, capture_output=True, check=True)
    said: dict[str, Any] = json.loads(_window(folder, "tests.bench.window", "idle").stdout.splitlines()[-1])
    return said


def _window(folder: Path, module: str, *words: str) -> subprocess.CompletedProcess[str]:
    env = dict(os.environ, SENDOFF_HOME=str(folder), QT_QPA_PLATFORM="offscreen", SENDOFF_PASSPHRASE="bench")
    env.pop("PYTHONDONTWRITEBYTECODE", None)  # what is installed has its byte code; the first run writes it
    return subprocess.run(
        [sys.executable, "-m", module, *words],
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )


def usage() -> tuple[float, float]:
    """Seconds of processor time and megabytes of this process."""
    memory = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS"))
    return time.process_time(), int(memory.split()[1]) / 1024
