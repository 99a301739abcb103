"""Copies are whole or absent, made once a day, thinned out by rule, and damage is noticed while they are made."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from sendoff.domain.errors import Damaged, SetupMissing
from sendoff.store import backups, changes, health, restore
from sendoff.store.backups import Copy
from sendoff.store.db import SUSPECT, Store, StoreDamaged
from tests.store.conftest import NOW, Planner

DAY = timedelta(days=1)


def copies(kind: str, *days_ago: float) -> list[Copy]:
    return [Copy(Path(f"{kind}-{days}"), kind, NOW - days * DAY, 1) for days in days_ago]


def names(found: list[Copy]) -> set[str]:
    return {one.path.name for one in found}


# --- which stay ---------------------------------------------------------------------------------------------------


def test_seven_days_and_four_weeks_of_daily_copies_stay() -> None:
    made = copies("daily", *range(60))  # NOW is a Monday, so 7 days ago is one too, and day 8 the Sunday before
    kept = {one.path.name for one in made} - names(backups.surplus(made))
    assert kept == {f"daily-{days}" for days in (0, 1, 2, 3, 4, 5, 6, 7, 8, 15, 22)}


def test_few_copies_all_stay_however_old_they_are() -> None:
    assert backups.surplus(copies("daily", 5, 100, 300, 900)) == []


def test_three_of_the_others_stay_and_all_made_by_hand() -> None:
    made = copies("sendoff", *range(9)) + copies("replaced", 1, 2, 3, 4) + copies("before-update", 9, 8, 7, 6, 5)
    assert names(backups.surplus(made)) == {"replaced-4", "before-update-9", "before-update-8"}


# --- made ---------------------------------------------------------------------------------------------------------


def test_one_a_day_whole_and_private(store: Store, plan: Planner, account: int) -> None:
    plan(account, text="keep me")
    made = backups.keep_daily(store.path, NOW)
    assert made == store.folder / "backups" / "daily-20261123-175200.db"
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    assert health.look(made).faults == ()
    assert backups.contents(made) == backups.Contents(1, 1, 1)
    assert backups.keep_daily(store.path, NOW + timedelta(hours=19)) is None
    assert backups.keep_daily(store.path, NOW + timedelta(hours=21)) is not None
    assert [one.path.name for one in backups.every(store.folder)] == [
        "daily-20261124-145200.db", "daily-20261123-175200.db"
    ]  # fmt: skip
    assert [path.name for path in made.parent.iterdir() if path.suffix != ".db"] == []


def test_a_clock_that_was_ahead_once_keeps_no_copy_from_being_made(store: Store) -> None:
    backups.keep_daily(store.path, NOW + 100 * DAY)
    assert backups.keep_daily(store.path, NOW) is not None
    assert backups.keep_daily(store.path, NOW + timedelta(hours=1)) is None


def test_the_daily_copy_thins_out_with_log_and_all(store: Store) -> None:
    backups.make(store.path, backups.DAILY, NOW - 50 * DAY)
    for days in range(8):
        backups.make(store.path, backups.REPLACED, NOW - days * DAY)
    log = store.folder / "backups" / f"replaced-{NOW - 7 * DAY:%Y%m%d-%H%M%S}.db-wal"
    log.write_bytes(b"")
    backups.keep_daily(store.path, NOW)
    assert [one.kind for one in backups.every(store.folder)] == ["replaced", "daily", "replaced", "replaced", "daily"]
    assert not log.exists()


def test_the_latest_is_none_that_was_itself_replaced(store: Store) -> None:
    assert backups.latest(store.folder) is None
    assert "There is no copy of it" in backups.advice(store.folder)
    daily = backups.keep_daily(store.path, NOW - DAY)
    backups.make(store.path, backups.REPLACED, NOW)
    latest = backups.latest(store.folder)
    assert latest is not None
    assert latest.path == daily
    assert backups.advice(store.folder) == (
        "The latest copy is of 2026-11-22 17:52 UTC. To go back to it: sendoff restore latest"
    )


def test_what_a_crash_left_is_swept_an_hour_later_but_not_what_another_process_writes(store: Store) -> None:
    folder = store.folder / "backups"
    folder.mkdir()
    old, new = folder / ".daily-1.db.77.new", folder / ".daily-2.db.78.new"
    old.write_text("half")
    new.write_text("half")
    os.utime(old, (1, 1))
    backups.keep_daily(store.path, NOW)
    assert (old.exists(), new.exists()) == (False, True)


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process are a Unix thing")
def test_a_full_disk_leaves_the_old_copies_and_says_so(store: Store, plan: Planner, account: int) -> None:
    first = backups.keep_daily(store.path, NOW - 2 * DAY)
    for _ in range(3):
        plan(account, text="x" * 1000)
    store.close()
    little = (
        "import resource, signal, sys; from datetime import datetime, UTC; from pathlib import Path\n"
        "from sendoff.store.db import Store\n"
        "store = Store(Path(sys.argv[1]))\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))\n"
        f"print(store.keep_daily(datetime.fromisoformat({NOW.isoformat()!r})))\n"
        "print(store.damage)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", little, str(store.folder)], capture_output=True, text=True, timeout=60, check=True
    )
    said, damage = done.stdout.splitlines()
    assert "can’t be written" in said
    assert "Make room" in said
    assert damage == "None"
    assert [one.path for one in backups.every(store.folder)] == [first]
    assert [path for path in (store.folder / "backups").iterdir() if path.name.startswith(".")] == []


def test_a_folder_that_is_in_the_way_is_told(store: Store) -> None:
    (store.folder / "backups").write_text("a file")
    with pytest.raises(SetupMissing, match="can’t be written"):
        backups.make(store.path, backups.DAILY, NOW)
    assert "can’t be written" in store.keep_daily(NOW)


# --- damage -------------------------------------------------------------------------------------------------------


def damaged(folder: Path, table: str = "attempts") -> tuple[Path, bytes]:
    """A closed database with a page overwritten, and how it was."""
    Store(folder).close()
    path = folder / "sendoff.db"
    with closing(sqlite3.connect(path)) as raw:
        (root,) = raw.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
        (size,) = raw.execute("PRAGMA page_size").fetchone()
    whole = path.read_bytes()
    path.write_bytes(whole[: (root - 1) * size] + b"\xff" * size + whole[root * size :])
    return path, whole


def test_damage_is_noticed_by_the_daily_copy_and_stops_all_writing(tmp_path: Path) -> None:
    path, whole = damaged(tmp_path)
    store = Store(tmp_path)  # what it needs first is not in the damaged pages
    assert "is damaged" in store.keep_daily(NOW) or "can’t be copied" in store.keep_daily(NOW)
    assert store.damage is not None
    with pytest.raises(StoreDamaged, match=r"sendoff\.db is damaged\. Nothing is sent\."), store.writing():
        pass
    store.close()
    assert backups.every(tmp_path) == []
    with pytest.raises(StoreDamaged, match="is damaged"):
        restore.before_opening(tmp_path)
    path.write_bytes(whole)
    restore.before_opening(tmp_path)
    assert not (tmp_path / SUSPECT).exists()


def test_damage_that_a_transaction_meets_stops_the_ones_after_it(tmp_path: Path) -> None:
    damaged(tmp_path)
    store = Store(tmp_path)
    with pytest.raises(Damaged), store.reading() as connection:
        connection.exec_driver_sql("SELECT * FROM attempts").all()
    with pytest.raises(StoreDamaged), store.writing(changes.SETTINGS) as connection:
        connection.exec_driver_sql("INSERT INTO settings VALUES ('theme', 'dark')")
    store.close()
    assert (tmp_path / SUSPECT).exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not let an open file be deleted")
@pytest.mark.parametrize("name", ["sendoff.db", "sendoff.db-wal"])
def test_files_that_are_taken_away_under_a_running_program_stop_it(store: Store, account: int, name: str) -> None:
    (store.folder / name).unlink()
    with pytest.raises(StoreDamaged, match="was deleted or replaced while Sendoff was running"), store.writing():
        pass
    assert not (store.folder / name).exists()
    assert not (store.folder / SUSPECT).exists()


def test_a_database_that_was_put_in_its_place_is_not_written_to(store: Store, account: int, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    store.backup(copy)
    copy.replace(store.path)
    with pytest.raises(StoreDamaged, match="replaced"), store.writing():
        pass
