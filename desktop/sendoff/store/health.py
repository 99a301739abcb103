"""Whether a database is whole and of this version, found out without changing anything in it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sendoff.domain.errors import Damaged, SetupMissing
from sendoff.store.dialect import open_read_only
from sendoff.store.migrate import HEAD


@dataclass(frozen=True, slots=True)
class Health:
    """What a look at a database file found.

    `version` is the step that it is at (None: not a database of Sendoff's), `faults` what SQLite's own checks say
    against it, `size` its bytes with those of its write-ahead log.
    """

    version: str | None
    faults: tuple[str, ...]
    size: int

    @property
    def is_current(self) -> bool:
        return self.version == HEAD


def look(path: Path) -> Health:
    """Checks a database, whole: its pages, its indices, and that every reference leads somewhere.

    Raises:
        Damaged: it can't be read as a database at all.
        SetupMissing: the file can't be opened.
    """
    with _opened(path) as connection:
        found = [row[0] for row in connection.execute("PRAGMA integrity_check(5)") if row[0] != "ok"]
        found += [f"{row[0]}: a row points to nothing" for row in connection.execute("PRAGMA foreign_key_check")][:5]
        version = _version(connection)
    log = path.with_name(path.name + "-wal")
    size = path.stat().st_size + (log.stat().st_size if log.exists() else 0)
    return Health(version, tuple(found), size)


def copy(path: Path, target: Path) -> None:
    """Copies a database that may not be ours, with what is still in its write-ahead log.

    Raises:
        Damaged, SetupMissing: as `look`.
    """
    with _opened(path) as connection, closing(sqlite3.connect(target)) as other:
        connection.backup(other)


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        with closing(open_read_only(path)) as connection:
            yield connection
    except sqlite3.OperationalError as wrong:
        raise SetupMissing(f"{path} can’t be opened: {wrong}.") from None
    except (sqlite3.DatabaseError, UnicodeDecodeError) as wrong:
        raise Damaged(f"{path} is damaged: {wrong}.") from None


def _version(connection: sqlite3.Connection) -> str | None:
    there = connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'alembic_version'")
    if there.fetchone() is None:
        return None
    found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(found[0]) if found else None
