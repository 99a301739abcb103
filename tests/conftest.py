"""What every test gets: a profile of its own, a clock that can be set, and a failure for every surprise in the log."""

from __future__ import annotations

import logging
import os
import re
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sendoff.bootstrap import Program, open_program
from sendoff.store.secrets import Vault

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


class SetClock:
    """A clock that stands still until it is moved; domain.when.Clock."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._steady = 1000.0
        self._slept = 500.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._steady

    def slept(self) -> float:
        return self._slept

    def advance(self, seconds: float) -> None:
        """Time passes."""
        self._now += timedelta(seconds=seconds)
        self._steady += seconds

    def jump(self, seconds: float) -> None:
        """Somebody sets the clock: only the wall clock moves."""
        self._now += timedelta(seconds=seconds)

    def sleep(self, seconds: float) -> None:
        """The computer sleeps: the wall clock goes on, and the steady one stands still."""
        self._now += timedelta(seconds=seconds)
        self._slept += seconds


@pytest.fixture
def clock() -> SetClock:
    return SetClock(datetime(2026, 11, 23, 17, 52, tzinfo=UTC))


@pytest.fixture(autouse=True)
def cheap_passphrases(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key file's passphrase costs a third of a second on purpose; tests need not pay it."""
    monkeypatch.setattr(Vault, "N", 1 << 10)


@pytest.fixture
def open_profile(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    """Opens profiles (the same folder unless another is named) with a key file, and closes them at the end."""
    opened: list[Program] = []

    def open_one(name: str = "profile", **more: object) -> Program:
        program = open_program(tmp_path / name, passphrase="open sesame", **more)  # type: ignore[arg-type]
        opened.append(program)
        return program

    yield open_one
    for program in opened:
        program.close()


@pytest.fixture
def program(open_profile: Callable[..., Program]) -> Program:
    return open_profile()


@pytest.fixture(autouse=True)
def no_surprises(request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """A warning in the log that the test did not announce with @pytest.mark.expects_log(REGEX) fails it."""
    yield
    allowed = [str(mark.args[0]) for mark in request.node.iter_markers("expects_log")]
    surprises = [
        f"{record.levelname} {record.name}: {record.getMessage()}"
        for phase in ("setup", "call")
        for record in caplog.get_records(phase)  # type: ignore[arg-type]
        if record.levelno >= logging.WARNING and not any(re.search(one, record.getMessage()) for one in allowed)
    ]
    assert not surprises, "unexpected log lines:\n" + "\n".join(surprises)


@pytest.fixture(autouse=True)
def no_stray_threads() -> Iterator[None]:
    """A test that starts an engine stops it: no sender's thread outlives it."""
    yield
    names = {"writer", "claims", "departures", "APScheduler", "power"}
    stray = [thread.name for thread in threading.enumerate() if thread.name in names]
    assert not stray, f"threads left behind: {stray}"
