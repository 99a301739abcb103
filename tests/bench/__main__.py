"""Runs all measurements, one after the other, and prints them beside the load of the machine."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bench import contenders, desktop, growth
from tests.bench.referee import Referee, percentiles

PARTS = ("lateness", "burst", "throughput", "growth", "paint", "idle")
SPAWN = multiprocessing.get_context("spawn")


def lateness(folder: Path, n: int, seconds: float) -> dict[str, Any]:
    """Due instants spread over a time; the contenders run side by side, each with its own instants 37 ms apart."""
    found = {}
    with Referee() as referee:
        begin = time.time() + 6
        running, due = [], {}
        for place, (name, run) in enumerate(contenders.CONTENDERS.items()):
            due[name] = [begin + 0.037 * place + number * seconds / n for number in range(n)]
            home = folder / f"late-{place}"
            home.mkdir()
            running.append(SPAWN.Process(target=run, args=(f"{referee.url}/{place}", due[name], str(home))))
            running[-1].start()
        for process in running:
            process.join()
        stamps = referee.stamps()
    for place, (name, instants) in enumerate(due.items()):
        mine = {path: at for path, at in stamps if path.startswith(f"/{place}/")}
        times = [mine[f"/{place}/{number}"] - at for number, at in enumerate(instants) if f"/{place}/{number}" in mine]
        arrived = sum(path.startswith(f"/{place}/") for path, _ in stamps)
        found[name] = percentiles(times) | {
            "lost": n - len(mine), "doubled": arrived - len(mine), "early": sum(one < 0 for one in times)
        }  # fmt: skip
    ours, *stock = contenders.CONTENDERS
    for name in stock:
        found[f"ratio_p99_to_{name.split()[-1]}"] = round(found[name]["p99_ms"] / found[ours]["p99_ms"], 1)
    return found


def burst(folder: Path, n: int) -> dict[str, Any]:
    """n due in one instant, one engine after the other: due instant to the entry of the sender.

    Each has three bursts, and the one with the middle p99 counts.
    """
    bursts: dict[str, list[dict[str, float]]] = {"sendoff": [], "memory": [], "sqlalchemy": []}
    for turn in range(3):
        for name, told in bursts.items():
            home = folder / f"burst-{name}-{turn}"
            home.mkdir()
            with SPAWN.Pool(1) as pool:
                at = time.time() + 8 + n / 200
                told.append(percentiles(pool.apply(contenders.burst, (name, at, n, str(home)))))
    found: dict[str, Any] = {name: sorted(told, key=lambda one: one["p99_ms"])[1] for name, told in bursts.items()}
    found["ratio_p99_to_sqlalchemy"] = round(found["sqlalchemy"]["p99_ms"] / found["sendoff"]["p99_ms"], 1)
    return found


def throughput(folder: Path, n: int) -> dict[str, float]:
    with Referee() as referee, SPAWN.Pool(1) as pool:
        return pool.apply(contenders.throughput, (referee.url, n, str(folder / "throughput")))


def grown(folder: Path, most: int, rounds: int = 5) -> dict[str, Any]:
    """The least of a few rounds, turn by turn: what a machine does beside it only ever adds."""
    said: dict[int, list[dict[str, float]]] = {1000: [], most: []}
    for rows in said:
        growth.make(folder / f"rows-{rows}", rows)
    for _ in range(rounds):
        for rows, told in said.items():
            command = [sys.executable, "-m", "tests.bench.growth", str(folder / f"rows-{rows}")]
            told.append(json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
    found: dict[str, Any] = {
        f"{rows} rows": {name: min(one[name] for one in told) for name in told[0]} for rows, told in said.items()
    }
    small, large = found["1000 rows"], found[f"{most} rows"]
    found["ratio_wake"] = round(large["wake_us"] / small["wake_us"], 2)
    found["ratio_start"] = round(large["start_ms"] / small["start_ms"], 2)
    return found


def beside() -> dict[str, Any]:
    """What else the machine does: its load, and how long a sum of 1,000 numbers takes, in µs over half a second.

    Where the median of the sums is far above the least, others have part of this core without being in the load (a
    virtual machine's neighbours), and what is measured next can come out higher by as much.
    """
    load, sums, end = os.getloadavg()[0], [], time.perf_counter() + 0.5
    while (began := time.perf_counter()) < end:
        sum(range(1000))
        sums.append((time.perf_counter() - began) * 1e6)
    least, middle = min(sums), statistics.median(sums)
    return {"load_before": round(load, 2), "sum_us": round(least, 1), "sum_us_median": round(middle, 1)}


def main() -> None:
    words = argparse.ArgumentParser(prog="./test bench")
    words.add_argument("--quick", action="store_true", help="fewer instants and rows; for a look, not for a claim")
    words.add_argument("--json", type=Path, default=Path("build/bench.json"), help="where the figures go too")
    words.add_argument("only", nargs="*", metavar="PART", help=" ".join(PARTS))
    given = words.parse_args()
    if unknown := set(given.only) - set(PARTS):
        words.error(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    quick = given.quick
    with tempfile.TemporaryDirectory(prefix="sendoff-bench-") as name:
        folder = Path(name)
        measures: dict[str, Callable[[], dict[str, Any]]] = {
            "lateness": lambda: lateness(folder, 60 if quick else 240, 15 if quick else 60),
            "burst": lambda: burst(folder, 1000),
            "throughput": lambda: throughput(folder, 1000 if quick else 4000),
            "growth": lambda: grown(folder, 100_000 if quick else 1_000_000),
            "paint": lambda: desktop.first_paint(folder / "paint"),
            "idle": lambda: desktop.idle(folder / "idle"),
        }
        found: dict[str, Any] = {
            "machine": {"python": platform.python_version(), "cores": os.cpu_count(), "system": platform.system()}
        }
        for part in given.only or PARTS:
            try:
                found[part] = beside() | measures[part]()
            except contenders.NotMeasured as why:
                found[part] = {"not_measured": str(why)}
            print(f"{part}:", json.dumps(found[part], indent=2), flush=True)
    given.json.parent.mkdir(parents=True, exist_ok=True)
    given.json.write_text(json.dumps(found, indent=2) + "\n")
    print(f"written to {given.json}")
    if any("not_measured" in told for told in found.values()):
        sys.exit(1)


if __name__ == "__main__":
    main()
