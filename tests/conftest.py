"""What every test gets: a profile of its own, a clock that can be set, and a failure for every surprise in the log."""

from __future__ import annotations

import gc
import importlib
import logging
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib.metadata import entry_points
from pathlib import Path

import pytest
import sqlalchemy as sa

from sendoff.bootstrap import Program, open_program
from sendoff.channels import registry
from sendoff.channels.link_card import Cards
from sendoff.engine.quiet import Quiet
from sendoff.store import dialect, migrate
from sendoff.store.db import FILE
from sendoff.store.secrets import Vault
from tests.fakes.site import here
from tests.fakes.statements import sharing

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Iterator[object]:
    gc.disable()  # a million objects are made that all stay
    _share_the_compiling(session.config)
    return (yield)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    gc.freeze()  # what was collected is never looked through again
    gc.enable()


def _share_the_compiling(config: pytest.Config) -> None:
    """Lets each test process load the test files from another one on.

    In a fresh clone each file is compiled by the one that comes to it first, and not by all of them at once.
    """
    about = getattr(config, "workerinput", None)
    if about is None or config.args != config.getini("testpaths"):
        return
    names = [
        ".".join(path.relative_to(config.rootpath).with_suffix("").parts)
        for path in sorted((config.rootpath / "tests").rglob("test_*.py"))
        if path.parent.name not in ("peers", "bench")
    ]
    first = len(names) * int(about["workerid"].removeprefix("gw")) // about["workercount"]
    for name in names[first:] + names[:first]:
        with suppress(Exception, pytest.skip.Exception):  # collecting comes to it again, and says what is wrong
            importlib.import_module(name)


def _hear_everything() -> None:
    """What pytest's log_level does, which sets the level a dozen times a test and empties every logger's cache."""
    if logging.getLogger().level != logging.DEBUG:  # a program that was opened sets its own
        logging.getLogger().setLevel(logging.DEBUG)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    _hear_everything()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call() -> None:
    _hear_everything()


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


@pytest.fixture(scope="session")
def new_database(tmp_path_factory: pytest.TempPathFactory) -> tuple[sa.Engine, bytes]:
    """A database as the steps of the migration make it, and an engine that has compiled their statements."""
    path = tmp_path_factory.mktemp("new") / FILE
    engine = dialect.sqlite_engine(path)
    migrate.bring_up_to_date(engine, path)
    engine.dispose()
    return engine, path.read_bytes()


@lru_cache
def installed(group: str, path: tuple[str, ...]) -> object:
    """What is installed in the folders of sys.path; looking through them takes most of an opening's time.

    A test that changes a folder which was looked through says `installed.cache_clear()`.
    """
    return entry_points(group=group)


@pytest.fixture(scope="session", autouse=True)
def cheap_starts(new_database: tuple[sa.Engine, bytes]) -> Iterator[None]:
    """Thousands of programs start in one process here; what one person's computer does once is done once."""
    first, content = new_database
    bring_up_to_date = migrate.bring_up_to_date

    def schema(made: sa.Engine, path: Path) -> None:
        if not path.stat().st_size:
            path.write_bytes(content)
        bring_up_to_date(made, path)  # an old file goes through the steps

    def looked_up(group: str) -> object:
        return installed(group, tuple(sys.path))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "entry_points", looked_up)
        patch.setattr(dialect, "sqlite_engine", sharing(dialect.sqlite_engine, first))
        patch.setattr(migrate, "bring_up_to_date", schema)
        patch.setattr(Vault, "N", 1 << 10)  # the key file's passphrase costs a third of a second on purpose
        patch.setattr(Quiet, "start", lambda self: gc.disable())  # it looks through the heap, which is large here
        patch.setattr(Quiet, "stop", lambda self: gc.enable())
        yield


@pytest.fixture
def open_profile(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    """Opens profiles (the same folder unless another is named) with a key file, and closes them at the end."""
    opened: list[Program] = []

    def open_one(name: str = "profile", **more: object) -> Program:
        more = {"cards": Cards(here), **more}  # pages are looked at on this computer alone
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
    names = {"writer", "claims", "departures", "APScheduler", "power", "heart"}
    stray = [thread.name for thread in threading.enumerate() if thread.name in names]
    assert not stray, f"threads left behind: {stray}"
