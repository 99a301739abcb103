"""A driver for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import SetClock
from tests.engine.driver import Driver


@pytest.fixture
def driver(tmp_path: Path, clock: SetClock) -> Iterator[Driver]:
    driver = Driver(tmp_path / "profile", clock)
    yield driver
    driver.close()
