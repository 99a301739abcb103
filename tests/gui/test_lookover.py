"""What the window says of a profile that was copied or taken back, and of a database that is of no use any more."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from sendoff.bootstrap import Program
from sendoff.domain.post import Content, Item, Variant
from sendoff.domain.when import When
from sendoff.store import backups, settings, timeline
from sendoff.ui.lookover import LookOver
from sendoff.ui.restoring import RestoreSheet
from sendoff.ui.session import Session
from sendoff.ui.standing import Mood
from sendoff.ui.trouble import DamagePage, TroublePage
from sendoff.ui.widgets.button import Button
from tests.gui.desk import opened

Start = Callable[..., Session]


@pytest.fixture
def first_screen() -> str:
    return ""


def plan(program: Program, account: int, text: str, seconds: float, late: str = "send") -> None:
    post, _ = program.commands.posts.save_draft(Content((Item(text),)), [Variant(account)])
    when = When.at(program.clock.now() + timedelta(seconds=seconds), "Europe/Berlin")
    program.commands.posts.schedule(post, when, late)


@pytest.fixture
def folder(tmp_path: Path, open_profile: Callable[..., Program]) -> Path:
    """A profile with two deliveries that are due, one of which is skipped where it is late, and one to come."""
    program = open_profile("there")
    account = program.commands.accounts.add("practice", "Ada", {})
    plan(program, account, "goes at once", 0)
    plan(program, account, "is of no use any more", 0, "skip 15m")
    plan(program, account, "tomorrow", 86_400)
    program.commands.settings.set("first_run_done", "yes")
    with program.store.writing() as connection:
        connection.exec_driver_sql("UPDATE deliveries SET planned_at = planned_at - 3600000000 WHERE late LIKE 'skip%'")
    program.close()
    return tmp_path / "there"


def copied(folder: Path) -> Path:
    return Path(shutil.copytree(folder, folder.parent / "copy"))


def looking(session: Session, qtbot: QtBot) -> LookOver:
    qtbot.waitUntil(lambda: isinstance(session.window.overlay, LookOver), timeout=20_000)
    sheet = session.window.overlay
    assert isinstance(sheet, LookOver)
    qtbot.waitUntil(lambda: bool(sheet.summary.text()), timeout=20_000)
    return sheet


def click(button: Button) -> None:
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def received(session: Session) -> list[object]:
    assert session.context is not None
    return list(session.context.program.channels["practice"].received())  # type: ignore[attr-defined]


def listed(sheet: LookOver) -> list[str]:
    page = sheet._list.widget()
    assert page is not None
    return [name for one in page.children() if (name := getattr(one, "accessibleName", str)())]


# --- paused -------------------------------------------------------------------------------------------------------


def test_a_copied_profile_shows_first_what_it_would_send(start: Start, folder: Path, qtbot: QtBot) -> None:
    session = opened(start(copied(folder)), qtbot)
    sheet = looking(session, qtbot)
    assert sheet.card.accessibleName() == "This profile was copied from another place"
    assert sheet.summary.text() == "2 are overdue: 1 leaves at once, 1 is skipped. 1 is still to come."
    assert [line.rpartition(", ")[2] for line in listed(sheet)] == [
        "goes at once: leaves at once", "is of no use any more: is skipped", "tomorrow: leaves at its time"
    ]  # fmt: skip
    qtbot.waitUntil(sheet.stay.hasFocus)
    click(sheet.stay)
    assert session.window.overlay is None
    standing = session.window.standing
    assert (standing.mood, standing.headline, standing.token, standing.icon) == (
        Mood.PAUSED, "Paused", "doubt", "needs-you"
    )  # fmt: skip
    strip = session.window.rail.strip
    assert strip._long.text() == (
        "This profile was copied from another place. Look at what it would send, then resume."
    )
    assert strip._pause.text() == "Look…"
    assert received(session) == []
    click(strip._pause)
    looking(session, qtbot)


def test_sending_by_their_rules(start: Start, folder: Path, qtbot: QtBot) -> None:
    session = opened(start(copied(folder)), qtbot)
    sheet = looking(session, qtbot)
    click(sheet.go_on)
    qtbot.waitUntil(lambda: len(received(session)) == 1, timeout=20_000)
    qtbot.waitUntil(lambda: session.window.overlay is None, timeout=20_000)
    qtbot.waitUntil(lambda: session.window.standing.mood is Mood.RUNNING, timeout=20_000)
    assert session.context is not None
    with session.context.reading() as connection:
        assert settings.read(connection)["paused_why"] == ""
        qtbot.wait(10)
    assert session.window.rail.strip._pause.text() == "Pause"


def test_cancelling_what_is_overdue_and_staying_paused(start: Start, folder: Path, qtbot: QtBot) -> None:
    session = opened(start(copied(folder)), qtbot)
    sheet = looking(session, qtbot)
    click(sheet.cancel)
    qtbot.waitUntil(lambda: not sheet.cancel.isVisible(), timeout=20_000)
    assert sheet.summary.text() == "Nothing is overdue. 1 is still to come."
    assert len(listed(sheet)) == 1
    QTest.keyClick(sheet, Qt.Key.Key_Escape)
    assert session.context is not None
    with session.context.reading() as connection:
        assert [str(row.delivery.state) for row in timeline.queue(connection)] == ["scheduled"]
        assert settings.read(connection)["paused_until"] == "forever"
    assert received(session) == []


# --- taken back ---------------------------------------------------------------------------------------------------


def restoring(session: Session, qtbot: QtBot) -> RestoreSheet:
    session.window.open_restore()
    sheet = session.window.overlay
    assert isinstance(sheet, RestoreSheet)
    qtbot.waitUntil(lambda: sheet.holds.text() not in ("", "Reading it through…"), timeout=20_000)
    return sheet


def test_going_back_to_a_backup_shows_first_what_it_would_send(start: Start, folder: Path, qtbot: QtBot) -> None:
    copy = backups.make(folder / "sendoff.db", backups.BY_HAND, datetime.now(UTC) + timedelta(days=1))
    session = opened(start(folder), qtbot)
    qtbot.waitUntil(lambda: len(received(session)) == 1, timeout=20_000)
    before = session.context
    assert before is not None
    before.commands.posts.save_draft(Content((Item("written since"),)), [])
    for name in ("composer", "activity", "preferences"):
        session.window.go(name)
    sheet = restoring(session, qtbot)
    assert sheet.holds.text() == "It holds 1 account, 3 posts and 3 deliveries that were still to come."
    assert "made by you" in str(sheet.list.currentIndex().data())
    none = folder / "none.zip"
    none.write_bytes(b"PK not a database" * 99)
    sheet.take(none)
    qtbot.waitUntil(lambda: "is damaged" in sheet.holds.text(), timeout=20_000)
    assert not sheet.go_back.isEnabled()
    sheet.take(copy)
    qtbot.waitUntil(sheet.go_back.isEnabled, timeout=20_000)
    click(sheet.go_back)
    qtbot.waitUntil(lambda: session.context not in (None, before), timeout=20_000)
    over = looking(session, qtbot)
    assert over.card.accessibleName() == "This profile was taken back to a backup"
    assert listed(over)[-1].endswith("tomorrow: leaves at its time")
    assert session.window.said.endswith("What was here is kept beside the backups.")
    assert len(received(session)) == 1  # nothing twice: what was here knew that it had left
    assert any(one.kind == backups.REPLACED for one in backups.every(folder))
    assert session.context is not None
    with session.context.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM posts").scalar_one() == 3  # not what was written since
    click(over.stay)
    session.context.commands.accounts.rename(1, "Ada Lovelace")  # it hears of changes, and works as before
    session.window.go("accounts")
    qtbot.waitUntil(lambda: "Ada Lovelace" in said_by(session.window), timeout=20_000)


def test_a_backup_that_is_of_no_use_in_the_end_leaves_everything_as_it_was(
    start: Start, folder: Path, qtbot: QtBot
) -> None:
    copy = backups.make(folder / "sendoff.db", backups.BY_HAND, datetime.now(UTC))
    session = opened(start(folder), qtbot)
    copy.unlink()
    session.window.restore_wanted.emit(copy)
    qtbot.waitUntil(lambda: bool(session.window.findChildren(TroublePage)), timeout=20_000)
    page = session.window.findChildren(TroublePage)[0]
    assert "can’t be opened" in page.sentence.text()
    assert session.context is None
    click(next(one for one in page.findChildren(Button) if one.words() == "Try again"))
    opened(session, qtbot)
    assert session.window.current == "planner"


def said_by(window: QWidget) -> str:
    return " ".join(one.accessibleName() for one in window.findChildren(QWidget))


# --- of no use ----------------------------------------------------------------------------------------------------


def damage_page(session: Session, qtbot: QtBot) -> DamagePage:
    qtbot.waitUntil(lambda: bool(session.window.findChildren(DamagePage)), timeout=20_000)
    return session.window.findChildren(DamagePage)[0]


@pytest.mark.parametrize("harm", ["damaged", "gone"])
def test_a_database_of_no_use_offers_the_latest_copy(start: Start, folder: Path, qtbot: QtBot, harm: str) -> None:
    backups.make(folder / "sendoff.db", backups.DAILY, datetime.now(UTC) - timedelta(days=1))
    if harm == "gone":
        (folder / "sendoff.db").unlink()
    else:
        (folder / "sendoff.db").write_bytes(b"this is not a database, it is a poem " * 2000)
    session = start(folder)
    page = damage_page(session, qtbot)
    words = page.sentence.text()
    assert f"sendoff.db is {harm}. Nothing is sent. The latest copy is of " in words
    assert "It holds 1 account, 3 posts and 3 deliveries that were still to come." in words
    assert "sendoff restore" not in words
    click(page.restore)
    opened(session, qtbot)
    sheet = looking(session, qtbot)
    assert sheet.card.accessibleName() == "This profile was taken back to a backup"
    assert not session.window.findChildren(DamagePage)
    assert received(session) == []


def test_without_a_copy_the_folder_can_be_opened(start: Start, folder: Path, qtbot: QtBot) -> None:
    (folder / "sendoff.db").write_bytes(b"this is not a database, it is a poem " * 2000)
    page = damage_page(start(folder), qtbot)
    assert "There is no copy that could take its place" in page.sentence.text()
    assert page.open_folder.isVisible()
    assert not page.restore.isVisible()


def test_a_newer_database_offers_no_copy(start: Start, folder: Path, qtbot: QtBot) -> None:
    with closing(sqlite3.connect(folder / "sendoff.db")) as raw, raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    session = start(folder)
    qtbot.waitUntil(lambda: bool(session.window.findChildren(TroublePage)), timeout=20_000)
    assert not session.window.findChildren(DamagePage)


def test_a_database_that_is_taken_away_is_told_at_once(start: Start, folder: Path, qtbot: QtBot) -> None:
    with closing(sqlite3.connect(folder / "sendoff.db")) as raw, raw:
        raw.execute("INSERT INTO settings VALUES ('paused_until', 'forever')")
    session = opened(start(folder), qtbot)
    (folder / "sendoff.db").unlink()
    qtbot.waitUntil(lambda: session.window.overlay is not None, timeout=20_000)
    assert session.window.overlay is not None
    assert session.window.overlay.card.accessibleName() == "The database can’t be used any more"
    assert "deleted or replaced while Sendoff was running" in session.window.overlay.card.accessibleDescription()
    assert not (folder / "sendoff.db").exists()
