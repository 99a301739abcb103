"""Opens the database and hands out transactions: reading ones, and writing ones that say which topics changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from sendoff.domain.errors import Damaged, SetupMissing
from sendoff.store import changes, dialect

FILE = "sendoff.db"
Connection = sa.Connection
"""An open transaction, for those who may pass it on and know no SQL."""


class Store:
    """One profile's database.

    Args:
        folder: the profile's folder; it exists and is private.
        on_change: called after a commit with the topics that changed, in the writing thread.
    """

    def __init__(self, folder: Path, on_change: Callable[[frozenset[str]], None] = lambda _: None) -> None:
        from sendoff.store import migrate

        self.folder = folder
        self.path = folder / FILE
        self.on_change = on_change
        self._idle: sqlite3.Connection | None = None
        try:
            self._engine = dialect.sqlite_engine(self.path)
            try:
                migrate.bring_up_to_date(self._engine, self.path)
            except BaseException:
                self._engine.dispose()
                raise
        except sa.exc.DatabaseError as wrong:
            raise _explained(wrong, self.path) from wrong
        except UnicodeDecodeError as wrong:  # SQLite quotes a broken schema as it finds it
            raise _damaged(self.path) from wrong

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A consistent view of the data. Never waits for a writer."""
        with self._connection(writes=False) as connection:
            yield connection

    @contextmanager
    def writing(self, *topics: str) -> Iterator[sa.Connection]:
        """A transaction that commits at the end, or not at all; then rings for the topics it was opened with.

        Topics that turn out later are added with `changes.bump` on the same connection.
        """
        with self._connection(writes=True) as connection:
            changed = connection.info.setdefault("topics", set())
            changed.clear()
            changes.bump(connection, *topics)
            yield connection
            told = frozenset(changed)
        self.on_change(told)

    @contextmanager
    def _connection(self, *, writes: bool) -> Iterator[sa.Connection]:
        try:
            with self._engine.connect().execution_options(writes=writes) as connection, connection.begin():
                yield connection
        except sa.exc.DatabaseError as wrong:
            raise _explained(wrong, self.path) from wrong

    def generation(self) -> int:
        """A number that is another one after any process has written anything. Costs next to nothing.

        SQLite's data_version, which a connection sees change by others' commits; this one writes nothing itself.
        """
        if self._idle is None:
            self._idle = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, check_same_thread=False)
        try:
            return int(self._idle.execute("PRAGMA data_version").fetchone()[0])
        except sqlite3.Error as wrong:
            raise StoreTrouble(f"{self.path} cannot be read: {wrong}.") from wrong

    def close(self) -> None:
        if self._idle is not None:
            self._idle.close()
        self._engine.dispose()

    def backup(self, target: Path) -> None:
        """Copies the database, whole and consistent, while it is in use (SQLite's backup call). Mode 0600."""
        target.unlink(missing_ok=True)
        dialect.create_private(target)
        source, copy = sqlite3.connect(self.path), sqlite3.connect(target)
        try:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, complete in itself
        finally:
            copy.close()
            source.close()


class StoreTrouble(SetupMissing):
    """The database could not be read or written just now: the disk is full, the file is locked or not writable."""


def _damaged(path: Path) -> Damaged:
    return Damaged(
        f"{path} is damaged. Nothing is sent. Move it away, then read the latest copy from "
        f"{path.parent / 'backups'} in: sendoff import FILE."
    )


def _explained(wrong: sa.exc.DatabaseError, path: Path) -> Exception:
    """The same error as a sentence; programming errors and broken invariants stay what they are."""
    text = str(wrong.orig).lower()
    if "malformed" in text or "not a database" in text:
        return _damaged(path)
    if "full" in text:
        return StoreTrouble(f"The disk that holds {path.parent} is full. Make room; nothing is sent until then.")
    if "locked" in text or "busy" in text:
        return StoreTrouble(f"Another program has locked {path}. Close it, then try again.")
    if "readonly" in text or "read-only" in text or "unable to open" in text or "disk i/o" in text:
        return StoreTrouble(f"{path} cannot be written. Check the folder's permissions and the disk.")
    return wrong
