"""Takes a profile back to a copy: the whole old database or the whole new one, whenever it is interrupted.

The new database is made ready in a folder of its own, brought up to date, told what the old one knows to have left, and
paused. Renaming that folder is the one step that decides. What follows it (the old files away, the new one in their
place) can be repeated, and whoever opens the profile next finishes it.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sendoff import killpoints
from sendoff.domain.errors import BadInput, Damaged, NotFound, SetupMissing
from sendoff.store import backups, changes, departed, doubts, evidence, health, migrate, profile, whereabouts
from sendoff.store.backups import Contents
from sendoff.store.db import FILE, SUSPECT, Store, StoreDamaged, StoreTrouble
from sendoff.store.evidence import Told

MAKING, READY = ".restoring", "restored"
"""The folder in which the new database is made ready, and its name from the moment on that counts."""

NEWER = "The copy was made by a newer Sendoff. Update Sendoff first; nothing was changed."


@dataclass(frozen=True, slots=True)
class Restored:
    """What came of it. `made_at` is the copy's own time if its name tells it; `replaced` the old database, if any.

    `told` is what the old database knew of what had left.
    """

    source: Path
    made_at: datetime | None
    replaced: Path | None
    told: Told


def find(folder: Path, which: str) -> Path:
    """The copy that a person named: "latest", a file, or the name of one in the profile's backups.

    Raises:
        NotFound: there is none.
    """
    if which == "latest":
        newest = backups.latest(folder)
        if newest is None:
            raise NotFound(f"There is no copy in {folder / backups.FOLDER}. Name one: sendoff restore FILE.")
        return newest.path
    for path in (Path(which).expanduser(), folder / backups.FOLDER / which):
        if path.is_file():
            return path
    raise NotFound(f"There is no file {which}. See what there is: sendoff backup --list")


def examine(source: Path) -> Contents:
    """What a copy holds that could be put in the place of a profile's database; it is read through, whole.

    Raises:
        BadInput: it is damaged, or none of Sendoff's. SetupMissing: a newer Sendoff made it, or it can't be opened.
    """
    _refuse_useless(source)
    return backups.contents(source)


def restore(folder: Path, source: Path, now: datetime) -> Restored:
    """Puts a copy in the place of a profile's database, paused. The old one is kept as backups/replaced-….

    Raises:
        OwnedElsewhere: a sender runs. Nothing was changed.
        BadInput: the copy is damaged, or none of Sendoff's. SetupMissing: a newer Sendoff made it, or the disk is full.
    """
    lock = profile.SenderLock(folder)
    lock.acquire()
    try:
        finish(folder)
        told = _make_ready(folder, source, now)
        (folder / MAKING).rename(folder / READY)
        backups.sync(folder)
        killpoints.reach("restore.decided")
        replaced = finish(folder)
    except OSError as wrong:
        raise SetupMissing(f"{source} could not be restored: {wrong.strerror}. Make room, then try again.") from None
    finally:
        lock.release()
    made_at = next((one.at for one in backups.every(folder) if one.path == source), None)
    backups.thin(folder)
    return Restored(source, made_at, replaced, told)


# --- made ready ---------------------------------------------------------------------------------------------------


def _make_ready(folder: Path, source: Path, now: datetime) -> Told:
    making = folder / MAKING
    shutil.rmtree(making, ignore_errors=True)  # what an interrupted one left
    _refuse_useless(source)
    making.mkdir(mode=0o700)
    try:
        with backups.explained(making / FILE):
            backups.copy(source, making / FILE)
        killpoints.reach("restore.copied")
        told = _told_and_paused(folder, making, now)
        with backups.explained(making / FILE):
            _as_one_file(making / FILE)
        for name in (backups.FOLDER, f"{FILE}-wal", f"{FILE}-shm"):
            path = making / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        backups.check(making / FILE)
        (making / FILE).rename(making / f"{now:%Y%m%d-%H%M%S}.db")
        for path in (*making.iterdir(), making):
            backups.sync(path)
    except BaseException:
        shutil.rmtree(making, ignore_errors=True)
        raise
    killpoints.reach("restore.written")
    return told


def _refuse_useless(source: Path) -> None:
    try:
        found = health.look(source)
    except Damaged as wrong:
        raise BadInput(f"{wrong} Take an older copy.") from None
    if found.faults:
        raise BadInput(f"{source} is damaged: {found.faults[0]}. Take an older copy.")
    if found.version is None:
        raise BadInput(f"{source} is a database, but not one of Sendoff’s.")
    if found.version > migrate.HEAD:
        raise SetupMissing(NEWER)


def _told_and_paused(folder: Path, making: Path, now: datetime) -> Told:
    """Brings the copy up to date, lets it know what the old database knows, and pauses it."""
    try:
        store = Store(making)
    except StoreTrouble:
        raise
    except SetupMissing:
        raise SetupMissing(NEWER) from None
    try:
        with store.writing(*changes.TOPICS) as connection:
            told = evidence.tell(connection, folder / FILE, now)
            left = departed.read(folder)
            if left and not told.all_known:
                told.tried += doubts.doubt(connection, left[1], now, whereabouts.LEFT_LATER)
            whereabouts.hold_all(connection, "restored")
    finally:
        store.close()
    return told


def _as_one_file(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA journal_mode = DELETE")


# --- put in place -------------------------------------------------------------------------------------------------


def finish(folder: Path) -> Path | None:
    """Puts a database that is ready in its place, as often as it takes. Returns where the old one is now, if any."""
    ready = folder / READY
    if not ready.is_dir():
        return None
    with profile.alone(folder / f"{READY}.lock"):
        replaced = None
        for new in ready.glob("*.db"):
            kept = folder / backups.FOLDER / f"{backups.REPLACED}-{new.name}"
            replaced = _swap(folder, new, kept)
        if ready.is_dir():
            ready.rmdir()
    return replaced


def _swap(folder: Path, new: Path, kept: Path) -> Path | None:
    """The old database and its log move together, or its log would be taken for the new one's."""
    old = folder / FILE
    kept.parent.mkdir(mode=0o700, exist_ok=True)
    for end in ("", "-wal"):
        part = old.with_name(f"{FILE}{end}")
        if part.exists():
            part.replace(kept.with_name(f"{kept.name}{end}"))
            killpoints.reach(f"restore.moved{end}")
    old.with_name(f"{FILE}-shm").unlink(missing_ok=True)
    for name in (departed.FILE, SUSPECT):  # they speak of the old one
        (folder / name).unlink(missing_ok=True)
    backups.sync(kept.parent)
    backups.sync(folder)
    new.replace(old)
    killpoints.reach("restore.swapped")
    backups.sync(folder)
    return kept if kept.exists() else None


def before_opening(folder: Path) -> None:
    """Finishes a restore that was interrupted, and looks whether there is a database that can be believed.

    Raises:
        StoreDamaged: it is gone, or damaged. Nothing was changed.
    """
    try:
        finish(folder)
    except OSError as wrong:
        raise StoreTrouble(f"{folder} cannot be written: {wrong.strerror}. A restore waits to be finished.") from None
    path = folder / FILE
    if (folder / whereabouts.FILE).exists() and not (path.is_file() and path.stat().st_size):
        raise StoreDamaged(f"{path} is gone.", backups.advice(folder))
    if (folder / SUSPECT).exists():
        _check_suspect(path)


def _check_suspect(path: Path) -> None:
    """Damage was met before; the whole file is read before anything is sent from it again."""
    try:
        faults = health.look(path).faults
    except Damaged as wrong:
        faults = (str(wrong),)
    if faults:
        raise StoreDamaged(f"{path} is damaged ({faults[0].rstrip('.')}).", backups.advice(path.parent))
    path.with_name(SUSPECT).unlink(missing_ok=True)
