"""What SQL cannot say the same way everywhere: kept counts, full-text search, and how SQLite is opened."""

from __future__ import annotations

import os
import sqlite3
import stat
import sys
from pathlib import Path
from typing import Any

import sqlalchemy as sa

# Claimed and sending last for moments and are counted as scheduled, so that leaving costs no counting.
_COUNTED = "CASE WHEN {row}.state IN ('claimed', 'sending') THEN 'scheduled' ELSE {row}.state END"
_NEW, _OLD = _COUNTED.format(row="new"), _COUNTED.format(row="old")
_ADD = (
    f"INSERT INTO tallies (account_id, state, n) VALUES (new.account_id, {_NEW}, 1) "  # noqa: S608
    "ON CONFLICT (account_id, state) DO UPDATE SET n = n + 1;"
)
_TAKE = f"UPDATE tallies SET n = n - 1 WHERE account_id = old.account_id AND state = {_OLD};"  # noqa: S608

TALLY_TRIGGERS = (
    f"CREATE TRIGGER tally_insert AFTER INSERT ON deliveries BEGIN {_ADD} END",
    f"CREATE TRIGGER tally_update AFTER UPDATE OF state ON deliveries WHEN {_OLD} <> {_NEW} BEGIN {_TAKE} {_ADD} END",
    f"CREATE TRIGGER tally_delete AFTER DELETE ON deliveries BEGIN {_TAKE} END",
)
"""Keep the table `tallies` true: how many deliveries of an account are in each state."""

SEARCH = (
    "CREATE VIRTUAL TABLE posts_text USING fts5(body, tokenize = 'unicode61 remove_diacritics 2')",
    "CREATE TRIGGER posts_text_delete AFTER DELETE ON posts BEGIN DELETE FROM posts_text WHERE rowid = old.id; END",
)


def json_rows(name: str, *columns: str) -> sa.Subquery:
    """A table made of the parameter "rows", a JSON array of arrays with these columns.

    One statement for a whole group instead of one for each row: the database works through it without coming back to
    Python, so other threads run meanwhile. (PostgreSQL has jsonb_array_elements for the same.)
    """
    each = sa.func.json_each(sa.bindparam("rows", type_=sa.Text)).table_valued("value")
    picked = [sa.func.json_extract(each.c.value, f"$[{place}]").label(column) for place, column in enumerate(columns)]
    return sa.select(*picked).subquery(name)


GIVEN = sa.select(json_rows("given", "id").c.id)
"""The ids that the parameter "rows" names: thousands of them as one parameter."""


def sqlite_engine(path: Path) -> sa.Engine:
    """An engine on a SQLite file, readable by its owner alone, with the pragmas that the promise rests on.

    Transactions are begun by us (IMMEDIATE where they write), because Python's driver would begin them late. A file
    that vanishes later is not made anew by a later connection.
    """
    create_private(path)
    engine = sa.create_engine(
        f"sqlite:///{path.absolute().as_uri()}?mode=rw&uri=true",
        pool_size=8,
        max_overflow=24,
        hide_parameters=True,  # an exception's text must not carry what people wrote
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
    )
    sa.event.listen(engine, "connect", _prepare)
    sa.event.listen(engine, "begin", _begin)
    return engine


BUSY_SECONDS = 10.0
"""How long a connection waits for another writer. A writer of ours holds the lock for milliseconds."""


def create_private(path: Path) -> None:
    """Makes the file with mode 0600 if it is not there, and takes everybody else's rights off if it is."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if sys.platform != "win32" and stat.S_IMODE(os.fstat(descriptor).st_mode) != 0o600:
            os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)


def open_read_only(path: Path) -> sqlite3.Connection:
    """A bare connection that cannot write, nor make a file that is not there. Any thread may use it, one at a time."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False)


def _prepare(connection: Any, _: Any) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    # FULL, because NORMAL may forget the last commits in a power cut, and a forgotten "sent" is a double.
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA secure_delete = ON")
    if sys.platform == "darwin":
        cursor.execute("PRAGMA fullfsync = ON")
    cursor.close()


def _begin(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
