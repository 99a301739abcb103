"""The database: made by its migrations, private, strict about what may stand in it, and honest about damage."""

from __future__ import annotations

import re
import sqlite3
import stat
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.config import Config
from alembic.script import ScriptDirectory

from sendoff.domain.errors import Damaged, SetupMissing
from sendoff.store import changes, migrate
from sendoff.store.db import Store, StoreTrouble
from sendoff.store.tables import metadata
from tests.store.conftest import NOW, Planner, add_account


def shape(connection: sa.Connection) -> dict[str, list[str]]:
    """Each table's and index's definition, its clauses sorted."""
    rows = connection.exec_driver_sql(
        "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND type <> 'trigger' "
        "AND name NOT LIKE 'posts_text%' AND name <> 'alembic_version'"
    )
    clauses = {name: re.split(r",\s*(?=\w)", re.sub(r"[\s()]+", " ", sql)) for name, sql in rows}
    return {name: sorted(clause.strip() for clause in found) for name, found in clauses.items()}


def test_the_migrations_make_the_tables_that_the_code_knows(store: Store) -> None:
    fresh = sa.create_engine("sqlite://")
    metadata.create_all(fresh)
    with fresh.connect() as expected, store.reading() as made:
        assert shape(made) == shape(expected)
    fresh.dispose()


def test_head_is_the_newest_step() -> None:
    config = Config()
    config.set_main_option("script_location", str(migrate.STEPS))
    assert ScriptDirectory.from_config(config).get_current_head() == migrate.HEAD


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps others out by the folder's access list")
def test_nobody_else_can_read_it(store: Store) -> None:
    with store.writing() as connection:
        add_account(connection)
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700
    files = [file for file in store.folder.rglob("*") if file.is_file()]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_a_file_of_a_newer_version_is_refused_and_left_alone(store: Store) -> None:
    store.close()
    with closing(sqlite3.connect(store.path)) as raw, raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SetupMissing, match="written by a newer Sendoff"):
        Store(store.folder)
    with closing(sqlite3.connect(store.path)) as raw, raw:
        assert raw.execute("SELECT version_num FROM alembic_version").fetchone() == ("9999",)


def test_a_damaged_file_is_called_damaged(tmp_path: Path) -> None:
    (tmp_path / "sendoff.db").write_bytes(b"not a database at all " * 100)
    with pytest.raises(Damaged, match="damaged"):
        Store(tmp_path)


def test_a_text_that_is_none_is_called_damaged(store: Store) -> None:
    with closing(sqlite3.connect(store.path)) as raw, raw:
        raw.execute("UPDATE changes SET topic = CAST(x'64ff65' AS TEXT) WHERE topic = 'deliveries'")
    with pytest.raises(Damaged, match="damaged"), store.reading() as connection:
        connection.exec_driver_sql("SELECT topic FROM changes").all()


def test_a_readonly_file_is_trouble_with_a_reason(store: Store, plan: Planner, account: int) -> None:
    def readonly(connection: sa.Connection) -> None:
        connection.exec_driver_sql("PRAGMA query_only = ON")
        add_account(connection, "bob")

    with pytest.raises(StoreTrouble, match="cannot be written"), store.writing() as connection:
        readonly(connection)


def test_an_exception_carries_no_values(store: Store) -> None:
    with pytest.raises(sa.exc.DBAPIError) as wrong, store.writing() as connection:
        connection.execute(sa.text("INSERT INTO nowhere VALUES (:secret)"), {"secret": "CANARY"})
    assert "CANARY" not in str(wrong.value)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE deliveries SET state = 'lost'",
        "UPDATE deliveries SET state = 'sent'",  # without a time
        "UPDATE deliveries SET state = 'sending'",  # without an owner
        "UPDATE accounts SET state = 'fine'",
        "UPDATE parts SET remote_id = '', sent_at = 1",
        "UPDATE parts SET remote_id = 'x'",  # without a time
        "UPDATE deliveries SET post_id = 999",
        "INSERT INTO attempts (part_id, delivery_id, number, owner, began_at, outcome)"
        " VALUES (1, 1, 1, 'me', 1, 'sent')",
    ],
)
def test_what_must_not_be_cannot_be_written(store: Store, plan: Planner, account: int, statement: str) -> None:
    plan(account)
    with pytest.raises(sa.exc.IntegrityError), store.writing() as connection:
        connection.exec_driver_sql(statement)


def test_one_delivery_in_flight_per_account(store: Store, plan: Planner, account: int) -> None:
    plan(account)
    plan(account)
    with pytest.raises(sa.exc.IntegrityError), store.writing() as connection:
        connection.exec_driver_sql("UPDATE deliveries SET state = 'sending', owner = 'me'")


def test_writers_say_what_changed_and_the_counters_show_it(store: Store) -> None:
    rung: list[frozenset[str]] = []
    store.on_change = rung.append
    with store.reading() as connection:
        before = changes.counters(connection)
    with store.writing(changes.SETTINGS) as connection:
        add_account(connection)
    with store.reading() as connection:
        after = changes.counters(connection)
    assert rung == [frozenset({changes.SETTINGS, changes.ACCOUNTS})]
    assert {topic for topic in after if after[topic] != before[topic]} == {changes.SETTINGS, changes.ACCOUNTS}


def test_what_fails_changes_nothing_and_rings_nothing(store: Store) -> None:
    rung: list[frozenset[str]] = []
    store.on_change = rung.append

    def fail_half_way() -> None:
        with store.writing() as connection:
            add_account(connection)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_half_way()
    with store.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM accounts").scalar() == 0
    assert rung == []


def test_a_reader_does_not_wait_for_a_writer(store: Store, account: int) -> None:
    writing, done = threading.Event(), threading.Event()

    def write() -> None:
        with store.writing() as connection:
            add_account(connection, "bob")
            writing.set()
            done.wait(5)

    thread = threading.Thread(target=write)
    thread.start()
    writing.wait(5)
    with store.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM accounts").scalar() == 1
    done.set()
    thread.join()


def test_a_backup_is_whole_and_private(store: Store, plan: Planner, account: int, tmp_path: Path) -> None:
    plan(account, text="keep me")
    target = tmp_path / "copy.db"
    store.backup(target)
    with closing(sqlite3.connect(target)) as copy, copy:
        assert copy.execute("SELECT excerpt FROM posts").fetchall() == [("keep me",)]
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_the_account_rows_keep_their_time(store: Store, account: int) -> None:
    with store.reading() as connection:
        stamp = connection.exec_driver_sql("SELECT created_at FROM accounts").scalar()
    assert stamp == int(NOW.timestamp() * 1_000_000)
