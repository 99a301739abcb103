"""Opens the database and hands out transactions: reading ones, and writing ones that say which topics changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from sendoff.domain.errors import Damaged, SetupMissing
from sendoff.store import backups, changes, dialect

FILE = "sendoff.db"
Connection = sa.Connection
"""An open transaction, for those who may pass it on and know no SQL."""
SUSPECT = "damaged"
"""A file in the profile's folder that says: damage was met, check the database before it is used again."""


class Store:
    """One profile's database.

    Args:
        folder: the profile's folder; it exists and is private.
        on_change: called after a commit with the topics that changed, in the writing thread.

    `damage` says why nothing is written any more; None where all is well.
    """

    def __init__(self, folder: Path, on_change: Callable[[frozenset[str]], None] = lambda _: None) -> None:
        from sendoff.store import migrate

        self.folder = folder
        self.path = folder / FILE
        self._log = folder / f"{FILE}-wal"
        self.on_change = on_change
        self._idle: sqlite3.Connection | None = None
        self.damage: StoreDamaged | None = None
        try:
            self._engine = dialect.sqlite_engine(self.path)
            try:
                migrate.bring_up_to_date(self._engine, self.path)
                self._files = self._on_disk()
            except BaseException:
                self._engine.dispose()
                raise
        except sa.exc.DatabaseError as wrong:
            raise _explained(wrong, self.path) from wrong
        except UnicodeDecodeError as wrong:  # SQLite quotes a broken schema as it finds it
            raise _damaged(self.path) from wrong
        except OSError as wrong:
            raise _unwritable(self.path) from wrong

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
        self._refuse_damaged(writes)
        try:
            with self._engine.connect().execution_options(writes=writes) as connection, connection.begin():
                yield connection
        except sa.exc.DatabaseError as wrong:
            explained = _explained(wrong, self.path)
            if isinstance(explained, StoreDamaged):
                self.call_damaged(explained)
            raise explained from wrong

    def _refuse_damaged(self, writes: bool) -> None:
        """Once damage was met nothing is written any more, and so nothing is sent: no intention, no request."""
        if self.damage is None and self._on_disk() != self._files:
            self.damage = _swapped(self.path)
        if self.damage is not None and writes:
            raise StoreDamaged(self.damage.what, self.damage.advice)

    def call_damaged(self, damage: StoreDamaged) -> None:
        """Stops every writing through this object, and lets the next start check the file before it is used."""
        self.damage = self.damage or damage
        with suppress(OSError):
            (self.folder / SUSPECT).write_text(f"{damage}\n", encoding="utf-8")

    def _on_disk(self) -> tuple[int, int]:
        """Which files the names stand for now. As long as a connection is open, nobody but a stranger changes that.

        SQLite itself would go on in files that nobody can find any more. (Two stats: 6 µs.)
        """
        return _inode(self.path), _inode(self._log)

    def generation(self) -> int:
        """A number that is another one after any process has written anything. Costs next to nothing.

        SQLite's data_version, which a connection sees change by others' commits; this one writes nothing itself.
        """
        self._refuse_damaged(writes=True)  # so that a file that was taken away is noticed where nobody writes
        try:
            if self._idle is None:
                self._idle = dialect.open_read_only(self.path)
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
        backups.copy(self.path, target)

    def keep_daily(self, now: datetime) -> str:
        """Makes the daily copy if it is time for one; returns why there is none, or "".

        A copy is read through before it counts, so this is also where damage is noticed that nobody has met yet.
        """
        try:
            backups.keep_daily(self.path, now)
        except SetupMissing as wrong:
            return str(wrong)
        except Damaged as wrong:
            try:
                backups.check(self.path)
            except Damaged:
                self.call_damaged(_damaged(self.path))
            return str(wrong)
        return ""


class StoreTrouble(SetupMissing):
    """The database could not be read or written just now: the disk is full, the file is locked or not writable."""


class StoreDamaged(StoreTrouble, Damaged):
    """The database is damaged, or was taken away under a running program. Nothing is written to it any more.

    `what` is one sentence, `advice` what to do about it at the command line.
    """

    def __init__(self, what: str, advice: str) -> None:
        super().__init__(f"{what} Nothing is sent. {advice}")
        self.what, self.advice = what, advice


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except OSError:
        return 0


def _damaged(path: Path) -> StoreDamaged:
    return StoreDamaged(f"{path} is damaged.", backups.advice(path.parent))


def _swapped(path: Path) -> StoreDamaged:
    return StoreDamaged(
        f"{path} was deleted or replaced while Sendoff was running.",
        "Put it back if you have it, then start Sendoff again.",
    )


def _unwritable(path: Path) -> StoreTrouble:
    return StoreTrouble(f"{path} cannot be written. Check the folder’s permissions and the disk.")


def _explained(wrong: sa.exc.DatabaseError, path: Path) -> Exception:
    """The same error as a sentence; programming errors and broken invariants stay what they are."""
    text = str(wrong.orig).lower()
    if "malformed" in text or "not a database" in text or "could not decode" in text:
        return _damaged(path)
    if "full" in text:
        return StoreTrouble(f"The disk that holds {path.parent} is full. Make room; nothing is sent until then.")
    if "locked" in text or "busy" in text:
        return StoreTrouble(f"Another program has locked {path}. Close it, then try again.")
    if "readonly" in text or "read-only" in text or "unable to open" in text or "disk i/o" in text:
        return _unwritable(path)
    return wrong
