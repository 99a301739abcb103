"""The copies in PROFILE/backups: made whole or not at all, checked, and thinned out so that they do not pile up."""

from __future__ import annotations

import os
import re
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sendoff import killpoints
from sendoff.domain.errors import Damaged, SetupMissing
from sendoff.domain.limits import size_text
from sendoff.domain.words import counted
from sendoff.store.dialect import create_private, open_read_only

FOLDER = "backups"
DAILY, BY_HAND, BEFORE_UPDATE, REPLACED = "daily", "sendoff", "before-update", "replaced"
"""The first words of a copy's name. What the person made by hand is never thinned out."""

DAYS, WEEKS, OTHERS = 7, 4, 3
"""How many are kept: daily ones, one of each week before those, and the newest of each other kind."""

DUE = timedelta(hours=20)
"""How old the newest daily copy may be. Less than a day, so that a computer that is on for an hour a day makes one."""

ABANDONED = 3600
"""Seconds after which an unfinished copy is one that a crash left behind."""

_NAME = re.compile(rf"({DAILY}|{BY_HAND}|{BEFORE_UPDATE}|{REPLACED})(?:-from-\w+)?-(\d{{8}}-\d{{6}})\.db")


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy of the database. `at` is when it was made, in UTC; `size` its bytes."""

    path: Path
    kind: str
    at: datetime
    size: int

    @property
    def words(self) -> str:
        """For a list: "daily, 1.2 MB"."""
        kinds = {DAILY: "daily", BY_HAND: "by hand", BEFORE_UPDATE: "before an update", REPLACED: "replaced"}
        return f"{kinds[self.kind]}, {size_text(self.size)}"


def every(profile: Path) -> list[Copy]:
    """The copies in a profile's folder, newest first."""
    found = []
    for path in (profile / FOLDER).glob("*.db"):
        if named := _NAME.fullmatch(path.name):
            at = datetime.strptime(named[2], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
            found.append(Copy(path, named[1], at, path.stat().st_size))
    return sorted(found, key=lambda one: (one.at, one.path.name), reverse=True)


def latest(profile: Path) -> Copy | None:
    """The newest copy that could take the database's place; one that was itself replaced is no choice."""
    return next((one for one in every(profile) if one.kind != REPLACED), None)


def advice(profile: Path) -> str:
    """What to do where the database is of no use any more."""
    newest = latest(profile)
    if newest is None:
        return f"There is no copy of it. If you have one elsewhere: sendoff restore FILE. Or move {profile} away."
    return f"The latest copy is of {newest.at:%Y-%m-%d %H:%M} UTC. To go back to it: sendoff restore latest"


@dataclass(frozen=True, slots=True)
class Contents:
    """What a copy holds. `planned` counts the deliveries that were still to leave."""

    accounts: int
    posts: int
    planned: int

    @property
    def words(self) -> str:
        """In a sentence: "It holds 2 accounts, 12 posts and 3 deliveries that were still to come."."""
        accounts, posts = counted(self.accounts, "account", "accounts"), counted(self.posts, "post", "posts")
        planned = counted(self.planned, "delivery that was", "deliveries that were")
        return f"It holds {accounts}, {posts} and {planned if self.planned else 'nothing that was'} still to come."


def contents(path: Path) -> Contents:
    """Counts what is in a copy.

    Raises:
        Damaged: it can't be read.
    """
    try:
        with closing(open_read_only(path)) as connection:
            (accounts,) = connection.execute("SELECT count(*) FROM accounts WHERE removed_at IS NULL").fetchone()
            (posts,) = connection.execute("SELECT count(*) FROM posts").fetchone()
            (planned,) = connection.execute("SELECT count(*) FROM deliveries WHERE state = 'scheduled'").fetchone()
    except sqlite3.Error as wrong:
        raise Damaged(f"{path} can’t be read: {wrong}.") from None
    return Contents(accounts, posts, planned)


# --- made ---------------------------------------------------------------------------------------------------------


def copy(source: Path, target: Path) -> None:
    """Copies a database that may be in use, whole and consistent, into one file with mode 0600; readers and writers
    of the source go on meanwhile.
    """
    create_private(target)
    with (
        closing(open_read_only(source)) as connection,
        closing(sqlite3.connect(target)) as other,
    ):
        connection.backup(other)
        other.execute("PRAGMA journal_mode = DELETE")  # one file, complete in itself


def check(path: Path) -> None:
    """Reads a database through, page by page.

    Raises:
        Damaged: it is not whole.
    """
    try:
        with closing(open_read_only(path)) as connection:
            (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError:
        raise
    except (sqlite3.DatabaseError, UnicodeDecodeError) as wrong:
        found = str(wrong)
    if found != "ok":
        raise Damaged(f"{path} is damaged: {found}.")


def make(source: Path, kind: str, now: datetime) -> Path:
    """Copies a profile's database to its backups; returns the copy.

    It gets its name when it is complete, checked and on the disk. A crash leaves no half of one under that name.

    Raises:
        SetupMissing: the disk is full, or the folder can't be written. Older copies are as they were.
        Damaged: the copy is not whole, which mostly means that the database is not.
    """
    folder = source.parent / FOLDER
    target = folder / f"{kind}-{now:%Y%m%d-%H%M%S}.db"
    with explained(target):
        folder.mkdir(mode=0o700, exist_ok=True)
        _sweep(folder)
        beside = folder / f".{target.name}.{os.getpid()}.new"
        try:
            copy(source, beside)
            killpoints.reach("backup.copied")
            check(beside)
            killpoints.reach("backup.checked")
            sync(beside)
            beside.replace(target)
            sync(folder)
        finally:
            beside.unlink(missing_ok=True)
    return target


def keep_daily(source: Path, now: datetime) -> Path | None:
    """Makes the daily copy if it is time for one, and thins out the older ones; returns the new one.

    Raises:
        SetupMissing, Damaged: as `make`. Nothing was thinned out then.
    """
    made = [one.at for one in every(source.parent) if one.kind == DAILY]
    if any(timedelta(0) <= now - at < DUE for at in made):
        return None
    target = make(source, DAILY, now)
    thin(source.parent)
    return target


def thin(profile: Path) -> None:
    """Removes the copies that are too many."""
    for one in surplus(every(profile)):
        for path in (one.path, one.path.with_name(f"{one.path.name}-wal"), one.path.with_name(f"{one.path.name}-shm")):
            path.unlink(missing_ok=True)


def surplus(copies: Iterable[Copy]) -> list[Copy]:
    """Which copies are too many, by DAYS, WEEKS and OTHERS."""
    by_kind: dict[str, list[Copy]] = {}
    for one in sorted(copies, key=lambda one: one.at, reverse=True):
        by_kind.setdefault(one.kind, []).append(one)
    daily = by_kind.get(DAILY, [])
    weeks: dict[tuple[int, int], Copy] = {}
    for one in daily[DAYS:]:
        weeks.setdefault(one.at.isocalendar()[:2], one)  # the newest of its week
    kept = [*daily[:DAYS], *list(weeks.values())[:WEEKS]]
    others = [one for kind in (BEFORE_UPDATE, REPLACED) for one in by_kind.get(kind, [])[OTHERS:]]
    return [one for one in daily if one not in kept] + others


@contextmanager
def explained(target: Path) -> Iterator[None]:
    """Whatever the disk has against it, as a sentence."""
    try:
        yield
    except OSError as wrong:
        raise _unwritable(target, str(wrong.strerror)) from None
    except sqlite3.OperationalError as wrong:
        raise _unwritable(target, str(wrong)) from None
    except sqlite3.DatabaseError as wrong:
        raise Damaged(f"The database can’t be copied: {wrong}.") from None


def _unwritable(target: Path, why: str) -> SetupMissing:
    return SetupMissing(f"The copy {target} can’t be written: {why}. Make room, then try again.")


def sync(path: Path) -> None:
    """Waits until a file, or the names in a folder, are on the disk."""
    if path.is_dir() and os.name != "posix":
        return  # Windows has no such call for folders
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sweep(folder: Path) -> None:
    """Removes what crashes left behind; another process may be at its own copy just now."""
    for path in folder.glob(".*.new*"):
        if time.time() - path.stat().st_mtime > ABANDONED:
            path.unlink(missing_ok=True)
