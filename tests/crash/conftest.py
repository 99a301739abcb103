"""One room for each test process, and the figures at the end of a run."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.crash.cells import Room


@pytest.fixture(scope="session")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """A nursery, a port and profiles to copy. SENDOFF_CRASH_SOURCE names another program to put to the test."""
    made = Room(tmp_path_factory.mktemp("crash"), os.environ.get("SENDOFF_CRASH_SOURCE", ""))
    yield made
    made.close()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The number of cells by sort, how many of them are red, how long they took, and what was skipped and why."""
    green, red, seconds, skipped = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for outcome, count in (("passed", green), ("failed", red)):
        for report in terminalreporter.stats.get(outcome, ()):
            for sort in (str(value) for name, value in report.user_properties if name == "sort"):
                count[sort] += 1
                seconds[sort] += round(1000 * report.duration)
    for report in terminalreporter.stats.get("skipped", ()):
        skipped[report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)] += 1
    if not green + red:
        return
    terminalreporter.section("crash matrix")
    for sort in sorted(green | red):
        _line(terminalreporter, sort, green[sort] + red[sort], red[sort], seconds[sort])
    _line(terminalreporter, "all", green.total() + red.total(), red.total(), seconds.total())
    terminalreporter.line(f"skipped      {skipped.total():>4} cells")
    for why, n in sorted(skipped.items()):
        terminalreporter.line(f"    {n:>4}: {why}")


def _line(terminalreporter: Any, sort: str, cells: int, red: int, milliseconds: int) -> None:
    terminalreporter.line(f"{sort:<12} {cells:>4} cells  {red:>3} red  {milliseconds / 1000:>6.0f} s of play")
