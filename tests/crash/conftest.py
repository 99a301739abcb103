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
    """The number of cells by sort, and how many of them are red."""
    green, red = Counter[str](), Counter[str]()
    for outcome, count in (("passed", green), ("failed", red)):
        for report in terminalreporter.stats.get(outcome, ()):
            count.update(value for name, value in report.user_properties if name == "sort")
    if not green + red:
        return
    terminalreporter.section("crash matrix")
    for sort in sorted(green | red):
        terminalreporter.line(f"{sort:<12} {green[sort] + red[sort]:>4} cells  {red[sort]:>3} red")
    total = green.total() + red.total()
    terminalreporter.line(f"{'all':<12} {total:>4} cells  {red.total():>3} red")
