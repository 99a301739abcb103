"""The profile's folder, private to its owner, and the lock that makes one process its sender."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sendoff.domain.errors import OwnedElsewhere, SetupMissing

HOME, USUAL = "SENDOFF_HOME", "SENDOFF_USUAL_HOME"
"""The variables that name the profile, and the one that a start without a word of another would open."""

ASKERS = (0.002, 0.01, 0.03)
"""Seconds after which the lock is tried again, before another process counts as the sender."""


def home() -> Path:
    """Where this person's profile is: SENDOFF_HOME, or the system's place for a program's data."""
    return _named(os.environ.get(HOME, ""))


def usual() -> Path:
    """The profile that a start from the menu opens; this process may have been given another one by `choose`."""
    return _named(os.environ.get(USUAL, os.environ.get(HOME, "")))


def choose(folder: Path) -> None:
    """Makes a folder the profile of this process, and of those that it starts."""
    os.environ.setdefault(USUAL, os.environ.get(HOME, ""))
    os.environ[HOME] = str(folder.absolute())


def _named(name: str) -> Path:
    if name:
        return Path(name).expanduser().absolute()
    import platformdirs  # loading it costs 6 ms

    return Path(platformdirs.user_data_dir("sendoff", appauthor=False))


def open_folder(folder: Path) -> Path:
    """Makes the folder if it is not there, for its owner alone, and everything that this process writes later too.

    Raises:
        SetupMissing: it cannot be made or written.
    """
    os.umask(0o077)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if sys.platform != "win32":
            folder.chmod(0o700)
    except OSError as wrong:
        raise SetupMissing(
            f"The profile’s folder {folder} cannot be used: {wrong.strerror}. Choose another with SENDOFF_HOME."
        ) from wrong
    if not os.access(folder, os.W_OK):
        raise SetupMissing(f"The profile’s folder {folder} is not writable. Choose another with SENDOFF_HOME.")
    return folder


class SenderLock:
    """The operating system's lock on PROFILE/lock. It is free the moment its process is gone, however it went.

    A lease in the database cannot replace it: a process that was paused wakes up believing in its lease.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "lock"
        self._address = os.fspath(self._path)  # asked for before every part; a path is worded anew each time
        self._descriptor: int | None = None
        self._file = (0, 0)  # the device and the number of the file that is locked

    def acquire(self) -> None:
        """Takes the lock for the life of this process.

        Raises:
            OwnedElsewhere: another process has it. SetupMissing: the folder can't be written.
        """
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)  # not inheritable: children never hold it
        except OSError as wrong:
            raise SetupMissing(f"{self._path} cannot be opened: {wrong.strerror}. Check the folder.") from None
        try:
            _lock_soon(descriptor)
        except OSError:
            holder = self.holder()
            os.close(descriptor)
            raise OwnedElsewhere(
                f"Another Sendoff{holder} sends for this profile already. There can be only one."
            ) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        self._descriptor, self._file = descriptor, _identity(os.fstat(descriptor))

    @property
    def held(self) -> bool:
        return self._descriptor is not None

    @property
    def in_place(self) -> bool:
        """Whether it is held, and the file is still the one that others would lock. (One stat: 3 µs.)"""
        if self._descriptor is None:
            return False
        try:
            return _identity(os.stat(self._address)) == self._file
        except OSError:
            return False

    def keep(self) -> None:
        """Takes the lock anew if somebody tidied its file away.

        Raises:
            OwnedElsewhere: another process was faster, and is the sender now.
        """
        lost = self._descriptor
        if lost is not None and not self.in_place:
            self.acquire()
            os.close(lost)

    def holder(self) -> str:
        """The other process, for a sentence: " (process 1234)"."""
        try:
            pid = self._path.read_text().strip()
        except OSError:
            return ""
        return f" (process {pid})" if pid.isdigit() else ""

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _lock_soon(descriptor: int) -> None:
    """Locks for itself. Those who only ask have it for microseconds (is_sender_running), and are no other sender."""
    for pause in ASKERS:
        try:
            return _lock(descriptor)
        except OSError:
            time.sleep(pause)
    return _lock(descriptor)


def _identity(of: os.stat_result) -> tuple[int, int]:
    return of.st_dev, of.st_ino


def is_sender_running(folder: Path) -> bool:
    """Whether a process holds the profile's lock now. Those who ask do not get in each other's way."""
    try:
        descriptor = os.open(folder / "lock", os.O_RDWR)
    except OSError:
        return False
    try:
        _lock(descriptor, shared=True)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Waits for its turn at a lock file, for those who read, change and write a file that other processes use too."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock(descriptor, wait=True)
        yield
    finally:
        os.close(descriptor)


if sys.platform == "win32":
    import ctypes
    import msvcrt
    from ctypes import wintypes

    # minwinbase.h. msvcrt.locking would not do: it knows no lock that is shared, and waits ten seconds at most.
    LOCKFILE_FAIL_IMMEDIATELY, LOCKFILE_EXCLUSIVE_LOCK = 1, 2
    BEHIND = 1 << 20  # the byte that is locked: far behind the process number, which others may read

    class _Overlapped(ctypes.Structure):
        """OVERLAPPED."""

        _fields_ = (
            ("Internal", ctypes.c_void_p), ("InternalHigh", ctypes.c_void_p), ("Offset", wintypes.DWORD),
            ("OffsetHigh", wintypes.DWORD), ("hEvent", wintypes.HANDLE),
        )  # fmt: skip

    _lock_file = ctypes.WinDLL("kernel32", use_last_error=True).LockFileEx
    _lock_file.restype = wintypes.BOOL
    _lock_file.argtypes = [
        wintypes.HANDLE, wintypes.DWORD, wintypes.DWORD, wintypes.DWORD, wintypes.DWORD, ctypes.POINTER(_Overlapped),
    ]  # fmt: skip

    def _lock(descriptor: int, *, shared: bool = False, wait: bool = False) -> None:
        how = (0 if shared else LOCKFILE_EXCLUSIVE_LOCK) | (0 if wait else LOCKFILE_FAIL_IMMEDIATELY)
        where = _Overlapped(Offset=BEHIND)
        if not _lock_file(msvcrt.get_osfhandle(descriptor), how, 0, 1, 0, ctypes.byref(where)):
            raise ctypes.WinError(ctypes.get_last_error())

else:
    import fcntl

    def _lock(descriptor: int, *, shared: bool = False, wait: bool = False) -> None:
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        fcntl.flock(descriptor, kind if wait else kind | fcntl.LOCK_NB)
