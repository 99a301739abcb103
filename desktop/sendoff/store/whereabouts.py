"""Whether a profile is where it was and as new as it was: a copy, or an old database put back, must not send by itself.

The database knows the profile's name, and a small file beside it knows that name too, which computer and which folder
it is in, and how far the database had come. At each start the two are compared:

- The same computer and the same folder: nothing to say. A folder that was renamed or moved on its disk is the same one,
  because it keeps its number there (the inode, or the file index on Windows), so a move frightens nobody.
- Another number: it is a copy, which may be on another disk, or unpacked from a backup. A move to another disk is a
  copy and a deletion, and can't be told from a copy that stays; nor can a disk without lasting numbers (FAT).
- Another name, or no file: the database came here without its folder.
- The database has come less far than the file says: an older one was put back.

How far: the sum of the counters of changes, which every commit that matters counts up. The sender notes it at most once
a second, where it changed, without waiting for the disk. It is read from what is committed, so it is never ahead of the
database; after a power cut it may be behind, which only makes it believe more.

What can't be seen: a snapshot of the whole disk that was put back, and a copy that was written into the very files of
this folder, because everything went back with it.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sendoff.store import changes, departed, doubts, profile, settings
from sendoff.store.db import Connection, Store, StoreTrouble

FILE = "whereabouts"

WHY: Mapping[str, str] = {
    "copied": "This profile was copied from another place.",
    "computer": "This profile comes from another computer.",
    "stray": "This database came here without the rest of its profile.",
    "older": "An older database was put in the place of this profile’s own.",
    "restored": "This profile was taken back to a backup.",
}
"""Why a profile is paused where it was not the person who paused it; the key is the setting `paused_why`."""


MEANS: Mapping[str, str] = {
    "copied": "Where it came from may go on sending, and what stands here may be out already.",
    "computer": "The other computer may go on sending, and what stands here may be out already.",
    "stray": "Where it came from may go on sending, and what stands here may be out already.",
    "older": "What was due since it was put away may be out already.",
    "restored": "What was due since the backup was made may be out already.",
}
"""What that means for what would be sent."""


def why_paused(chosen: Mapping[str, str]) -> str:
    """The sentence that stands beside the pause, or ""."""
    return WHY.get(chosen["paused_why"], "")


@dataclass(frozen=True, slots=True)
class Note:
    """What the file says. `folder` and `file` are the numbers of the folder and of the file itself on their disk."""

    profile: str
    mark: int
    computer: str
    folder: int
    file: int

    def text(self) -> str:
        return f"{self.profile} {self.mark:020d} {self.computer:<16} {self.folder:020d} {self.file:020d}\n"


_TEXT = re.compile(r"([0-9a-f]{32}) (\d{20}) ([0-9a-f ]{16}) (\d{20}) (\d{20})\n")
_MARK_AT = 33


def read(folder: Path) -> Note | None:
    """What the file beside the database says; None where there is none that can be read."""
    try:
        found = _TEXT.match((folder / FILE).read_text("ascii"))
    except (OSError, UnicodeDecodeError):
        return None
    return Note(found[1], int(found[2]), found[3].strip(), int(found[4]), int(found[5])) if found else None


def mark(connection: Connection) -> int:
    """How far the database has come."""
    return sum(changes.counters(connection).values())


def settle(store: Store, now: datetime) -> str:
    """Compares, when a profile is opened. Where something is not as it was, the profile is paused first of all.

    Returns:
        Why it is paused by this: a key of WHY, or "".

    Raises:
        StoreTrouble: the file could not be written.
    """
    if _is_as_it_was(*_compare(store)):
        return ""
    try:
        with profile.alone(store.folder / f"{FILE}.lock"):  # the same profile may be opened twice at the same time
            note, known, why = _compare(store)
            if not _is_as_it_was(note, known, why):
                _pause(store, why, now) if why else _begin(store, note, known)
    except OSError as wrong:
        raise StoreTrouble(f"{store.folder / FILE} cannot be written: {wrong.strerror}.") from None
    return why


def _compare(store: Store) -> tuple[Note | None, str, str]:
    """What the file says, the name that the database knows, and what is wrong with that."""
    note = read(store.folder)  # first, because the database may only have come further since
    with store.reading() as connection:
        known, reached = settings.read(connection)["profile_id"], mark(connection)
    return note, known, _difference(store.folder, note, known, reached)


def _is_as_it_was(note: Note | None, known: str, why: str) -> bool:
    return note is not None and bool(known) and not why


def _begin(store: Store, note: Note | None, known: str) -> None:
    """The first start of a profile, or of one that is older than these names.

    The file comes first: one that nobody marked yet belongs to a start that ended before it had named the database.
    """
    fresh = known or (note.profile if note else uuid.uuid4().hex)
    _write(store.folder, fresh, 0)
    with store.writing() as connection:
        settings.write(connection, "profile_id", fresh)


def _difference(folder: Path, note: Note | None, known: str, reached: int) -> str:
    if note is None:
        return "stray" if known else ""
    if not known:
        return "older" if note.mark else ""
    here = computer()
    if note.computer and here and note.computer != here:
        return "computer"
    if (note.folder, note.file) != _numbers(folder):
        return "copied"
    if note.profile != known:
        return "stray"
    return "older" if reached < note.mark else ""


def _pause(store: Store, why: str, now: datetime) -> None:
    """Pauses, puts what may have left in doubt, and then takes the profile for what it is now, under a new name."""
    found, fresh = departed.read(store.folder), uuid.uuid4().hex
    with store.writing(changes.SETTINGS) as connection:
        hold_all(connection, settings.read(connection)["paused_why"] or why)
        settings.write(connection, "profile_id", fresh)
        doubts.recover(connection, now, None)
        if why == "older" and found:
            doubts.doubt(connection, found[1], now, LEFT_LATER)
        reached = mark(connection)
    (store.folder / departed.FILE).unlink(missing_ok=True)  # it speaks of a database that is not here any more
    _write(store.folder, fresh, reached)


LEFT_LATER = "It left after this database was put away, so it may have gone out already. Look, then settle it."


def hold_all(connection: Connection, why: str) -> None:
    """Pauses the profile until the person has looked."""
    settings.write(connection, "paused_until", settings.FOREVER)
    settings.write(connection, "paused_why", why)


def _write(folder: Path, profile: str, reached: int) -> None:
    """Writes the file in its place: a new one would have another number."""
    descriptor = os.open(folder / FILE, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
    try:
        number = os.fstat(descriptor).st_ino
        text = Note(profile, reached, computer(), folder.stat().st_ino, number).text()
        os.write(descriptor, text.encode())
        os.ftruncate(descriptor, len(text))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _numbers(folder: Path) -> tuple[int, int]:
    return folder.stat().st_ino, (folder / FILE).stat().st_ino


class Marker:
    """The sender's hand on the file: notes how far the database has come. One write of 20 bytes, no sync."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._noted = 0

    def note(self, reached: int) -> None:
        """Call it with what is committed. Where it can't be noted, less is noticed later; nothing else is lost."""
        if reached == self._noted:
            return
        try:
            with self._path.open("rb+", buffering=0) as file:
                file.seek(_MARK_AT)
                file.write(f"{reached:020d}".encode())
        except OSError:
            return
        self._noted = reached


# --- which computer -----------------------------------------------------------------------------------------------


def computer() -> str:
    """A short name for this computer's installation, made from the system's own; "" where that is not told.

    The system's id itself is nobody's business, so it is hashed.
    """
    told = _told()
    return hashlib.sha256(f"sendoff {told}".encode()).hexdigest()[:16] if told else ""


if sys.platform == "win32":
    import winreg

    def _told() -> str:
        try:
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, r"SOFTWARE\Microsoft\Cryptography") as key:
                return str(winreg.QueryValueEx(key, "MachineGuid")[0])
        except OSError:
            return ""

elif sys.platform == "darwin":
    import ctypes

    def _told() -> str:
        name, patience = ctypes.create_string_buffer(16), (ctypes.c_long * 2)(1, 0)
        return name.raw.hex() if ctypes.CDLL(None).gethostuuid(name, patience) == 0 else ""

else:

    def _told() -> str:
        for path in ("/etc/machine-id", "/var/lib/dbus/machine-id"):
            try:
                return Path(path).read_text("ascii").strip()
            except (OSError, UnicodeDecodeError):
                continue
        return ""
