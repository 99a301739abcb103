"""The first minute: a practice post really goes out, and its receipt is seen."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot

from sendoff.bootstrap import Program
from sendoff.domain.delivery import State
from sendoff.store import glance
from sendoff.store.profile import usual
from sendoff.ui import first_run
from sendoff.ui.another_profile import ask_to_open, title
from sendoff.ui.first_run import FirstRunScreen
from sendoff.ui.preferences.rows import Row
from sendoff.ui.preferences.screen import PreferencesScreen
from sendoff.ui.session import Session
from sendoff.ui.window import LEAST
from tests.gui.desk import Desk, opened


def test_from_the_first_page_to_a_receipt_under_a_minute(
    open_profile: Callable[..., Program], open_desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(first_run, "AHEAD", timedelta(seconds=2))  # ten for a person; the rest of the minute is theirs
    began = time.monotonic()
    program = open_profile()
    desk = open_desk(program, engine=True, screen="first_run")
    screen = desk.window.screen_named("first_run")
    assert isinstance(screen, FirstRunScreen)
    assert not desk.window.rail.isVisible()
    assert screen.choices.try_it.hasFocus()
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Return)
    desk.settle()
    assert screen.practice.send.hasFocus()
    for part in (screen.practice.text.edit, screen.practice.back, screen.practice.send):  # and none of the page before
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        assert part.hasFocus()
    screen.practice.text.edit.setPlainText("Hello from the pier")
    QTest.keyClick(screen.practice.send, Qt.Key.Key_Return)
    desk.until(lambda: screen.practice.receipt.state is State.SCHEDULED)
    assert screen.practice.headline.text() == "It waits for its time"
    assert screen.practice.receipt._left.text() == "Leaves"
    desk.until(lambda: screen.practice.receipt.state is State.SENT, seconds=30)
    lines = {name: label.text() for name, label in screen.practice.receipt._lines.items()}
    assert lines["Id"] == "practice-1"
    assert lines["Answer"] == "Taken by the practice network."
    assert lines["Left"].endswith("s")
    assert screen.practice.receipt._left.text() == "Left"
    assert [one.text for one in program.channels["practice"].received()] == ["Hello from the pier"]  # type: ignore[attr-defined]
    assert time.monotonic() - began < 50
    desk.until(lambda: screen.practice.on.isVisible())
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Return)
    desk.settle()
    assert desk.window.current == "planner"
    assert desk.window.rail.isVisible()
    assert desk.context.settings()["first_run_done"] == "yes"


def test_the_practice_account_is_made_once(desk: Desk) -> None:
    first_run.send_practice_post(desk.context, "one")
    first_run.send_practice_post(desk.context, "two")
    desk.settle()
    assert desk.window.standing.accounts == 1


def test_an_empty_practice_post_is_refused_and_can_be_mended(desk: Desk) -> None:
    desk.window.go("first_run")
    screen = desk.window.screen_named("first_run")
    assert isinstance(screen, FirstRunScreen)
    screen._practise()
    screen.practice.text.edit.setPlainText("   ")
    screen.practice._send()
    desk.settle()
    assert "Practice" in desk.window.said
    assert screen.practice.send.isEnabled()
    assert screen.practice.receipt.isHidden()
    assert screen.practice.isVisible()
    QTest.keyClick(screen.practice.send, Qt.Key.Key_Escape)
    assert screen.choices.isVisible()


def test_whoever_only_closes_the_window_begins_with_the_first_page_again(
    start: Callable[..., Session], tmp_path: Path, qtbot: QtBot
) -> None:
    session = opened(start(tmp_path / "looked-at"), qtbot)
    assert session.window.current == "first_run"
    session.quit()
    qtbot.waitUntil(lambda: not session.window.isVisible())
    session.ended()
    again = opened(start(tmp_path / "looked-at"), qtbot)
    assert again.window.current == "first_run"


def test_a_profile_that_got_its_account_elsewhere_has_its_rail_at_once_from_the_second_start_on(
    start: Callable[..., Session], open_profile: Callable[..., Program], qtbot: QtBot
) -> None:
    program = open_profile("by-command")
    program.commands.accounts.add("practice", "Practice", {})
    folder = program.folder
    program.close()
    session = opened(start(folder), qtbot)
    assert session.window.current == "planner"
    qtbot.waitUntil(lambda: glance.settings(folder).get("first_run_done") == "yes")


def test_connecting_an_account_leads_to_the_networks(desk: Desk) -> None:
    desk.window.go("first_run")
    screen = desk.window.screen_named("first_run")
    assert isinstance(screen, FirstRunScreen)
    QTest.mouseClick(screen.choices.connect_it, Qt.MouseButton.LeftButton)
    desk.settle()
    assert desk.window.current == "add_account"
    assert desk.context.settings()["first_run_done"] == "yes"


def test_the_first_buttons_are_seen_in_the_smallest_window(
    open_profile: Callable[..., Program], open_desk: Callable[..., Desk]
) -> None:
    desk = open_desk(open_profile())
    desk.window.go("first_run")
    screen = desk.window.screen_named("first_run")
    assert isinstance(screen, FirstRunScreen)
    desk.window.setMinimumSize(LEAST)
    for size, mark in ((QSize(1280, 800), True), (LEAST, False)):
        desk.window.resize(size)
        desk.settle()
        for one in (screen.choices.try_it, screen.choices.connect_it):
            assert one.visibleRegion().boundingRect() == one.rect()
        assert screen.choices._mark.isVisible() == mark


def test_a_window_says_which_profile_it_has(harbor: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """And what the question says is planned here, is."""
    folder = harbor.program.folder
    assert harbor.window.windowTitle() == f"Sendoff – {folder.name}"
    row = shown_data(harbor)
    assert row.below.text() == f"{folder}. A start from the menu opens the usual one, in {usual()}."
    monkeypatch.setenv("SENDOFF_USUAL_HOME", str(folder))
    assert title(folder) == "Sendoff"
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "sendoff.db").touch()
    ask_to_open(harbor.context, tmp_path / "other")
    told = harbor.window.overlay.card.accessibleDescription()  # type: ignore[union-attr]
    assert "Of this one, 1 delivery is leaving and may end in doubt and " in told
    assert told.endswith(" won’t go out until you start it again.")


def shown_data(desk: Desk) -> Row:
    desk.window.go("preferences", page="data")
    screen = desk.window.screen_named("preferences")
    assert isinstance(screen, PreferencesScreen)
    return screen.data.folder


def test_another_profile_is_opened_in_the_place_of_this_one(
    start: Callable[..., Session], open_profile: Callable[..., Program], tmp_path: Path, qtbot: QtBot
) -> None:
    other = open_profile("other").folder
    session = opened(start(tmp_path / "mine"), qtbot)
    window = session.window
    screen = window.screen_named("first_run")
    assert isinstance(screen, FirstRunScreen)
    assert session.context is not None
    QTest.mouseClick(screen.choices.another, Qt.MouseButton.LeftButton)
    dialog = next(one for one in window.findChildren(QFileDialog) if one.isVisible())
    assert dialog.fileMode() is QFileDialog.FileMode.Directory
    dialog.reject()
    ask_to_open(session.context, tmp_path)
    assert "There is no profile in" in window.said
    ask_to_open(session.context, tmp_path / "mine")
    assert window.said == "That is the profile that is open."
    assert window.overlay is None
    ask_to_open(session.context, other)
    assert window.overlay is not None
    told = window.overlay.card.accessibleDescription()
    assert told == (
        f"Sendoff closes this profile and opens the one in {other}. "
        f"A start from the menu still opens the usual one, in {usual()}."
    )
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Return)
    assert session.quitting
    assert session.words_anew == ("--home", str(other))
