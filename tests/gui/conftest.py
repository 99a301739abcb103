"""A look for all GUI tests, and windows over profiles of their own. Nothing touches the person's own settings."""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QMessageLogContext, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

from sendoff.bootstrap import Program, open_program
from sendoff.ui.session import Session
from sendoff.ui.theme import Look
from sendoff.ui.widgets.focus import FocusRing
from tests.conftest import SetClock
from tests.gui import sample
from tests.gui.desk import Desk, Panel, set_up

TELLING = {QtMsgType.QtWarningMsg, QtMsgType.QtCriticalMsg, QtMsgType.QtFatalMsg}


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[object]:
    """A warning of Qt fails a test also while its windows are closed: pytest-qt listens until then and no longer."""
    told: list[str] = []

    def hear(kind: QtMsgType, _where: QMessageLogContext, words: str) -> None:
        if kind in TELLING:
            told.append(words)

    before = qInstallMessageHandler(hear)
    try:
        return (yield)
    finally:
        qInstallMessageHandler(before)
        known = item.config.getini("qt_log_ignore")
        surprises = [words for words in told if not any(re.search(one, words) for one in known)]
        assert not surprises, "Qt warned afterwards:\n" + "\n".join(surprises)


@pytest.fixture(scope="session")
def look(qapp: QApplication) -> Look:
    made = Look(qapp, "light")
    FocusRing(made, qapp)
    return made


@pytest.fixture(autouse=True)
def own_desktop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folders of a desktop session that is this test's own."""
    run = tmp_path / "run"
    run.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(run))
    return tmp_path


@pytest.fixture
def first_screen() -> str:
    """What windows show first. Tests of another screen say so, and need not wait for the planner."""
    return "planner"


@pytest.fixture
def open_desk(look: Look, first_screen: str) -> Iterator[Callable[..., Desk]]:
    """Opens windows over programs, and closes them at the end."""
    opened: list[Desk] = []

    def open_one(program: Program, **more: object) -> Desk:
        desk = set_up(program, look, **{"screen": first_screen} | more)  # type: ignore[arg-type]
        desk.window.show()
        desk.settle()
        opened.append(desk)
        return desk

    yield open_one
    for desk in opened:
        desk.close()


@pytest.fixture
def desk(open_profile: Callable[..., Program], open_desk: Callable[..., Desk]) -> Desk:
    """A window over a new profile, without an engine."""
    return open_desk(open_profile())


@pytest.fixture(scope="session")
def sample_week(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A profile with the sample week, to be copied: filling one takes longer than most tests."""
    folder = tmp_path_factory.mktemp("sample") / "profile"
    program = open_program(folder, passphrase="open sesame", clock=SetClock(sample.NOW))
    sample.fill(program)
    program.close()
    return folder


@pytest.fixture
def harbor(
    sample_week: Path,
    tmp_path: Path,
    open_profile: Callable[..., Program],
    open_desk: Callable[..., Desk],
    clock: SetClock,
) -> Desk:
    """A window over the sample week, its clock standing at Mon 23 Nov 2026, 18:52 in Berlin."""
    shutil.copytree(sample_week, tmp_path / "profile", ignore=shutil.ignore_patterns("whereabouts*"))
    with closing(sqlite3.connect(tmp_path / "profile" / "sendoff.db")) as raw, raw:
        raw.execute("DELETE FROM settings WHERE name = 'profile_id'")  # or it would know that it was copied
    return open_desk(open_profile(clock=clock))


@pytest.fixture
def bench(open_profile: Callable[..., Program], open_desk: Callable[..., Desk], clock: SetClock) -> Desk:
    """A window with one practice account and nothing else, its clock standing at Mon 23 Nov 2026, 18:52 in Berlin."""
    program = open_profile(clock=clock)
    program.commands.accounts.add("practice", "Practice", {})
    program.commands.settings.set("zone", "Europe/Berlin")
    return open_desk(program)


@pytest.fixture
def panel() -> Panel:
    return Panel()


@pytest.fixture
def start(
    qapp: QApplication, look: Look, panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Session]]:
    """Starts the program in this process, and ends it after the test."""
    started: list[Session] = []
    monkeypatch.setenv("SENDOFF_PASSPHRASE", "open sesame")

    def start_one(folder: Path, **more: object) -> Session:
        session = Session(qapp, folder, panel=panel, look=look, **more)  # type: ignore[arg-type]
        # Qt takes an exit for the whole process: every event loop after it ends at once, also those of later tests.
        monkeypatch.setattr(session, "_exit", lambda: None)
        started.append(session)
        return session

    yield start_one
    for session in started:
        session.quitting = True
        session.ended()
        if session.tray is not None:
            session.tray.hide()
        session.window.hide()
        session.window.deleteLater()
        session.deleteLater()
    # Else its ring around what has the keyboard would stand in tests that no event loop parts from this one.
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)  # type: ignore[arg-type]
    look.choose("light")
