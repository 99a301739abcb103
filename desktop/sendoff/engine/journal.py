"""Which parts may have left: noted the moment before, so that a crash leaves no more in doubt than it has to."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from sendoff.store import departed

LARGEST = 1 << 20
"""Bytes after which the file starts anew when nothing is leaving."""


class Journal:
    """A file of part ids, in the order in which they left.

    A note is one write without a sync: it outlives this process, however it ends, and costs next to nothing. It may not
    outlive a power cut; so the file begins with the name of this start of the computer, and after another start its
    silence proves nothing. The intention itself is in the database, synced, before.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / departed.FILE
        self._descriptor = -1
        self._noted: set[int] = set()

    def last(self) -> frozenset[int] | None:
        """What the last sender noted. None: that is not known, so anything that was leaving may have left."""
        boot, found = boot_id(), departed.read(self._path.parent)
        return found[1] if boot is not None and found and found[0] == boot else None

    def start(self) -> None:
        """Begins a new file; what was in doubt before is settled in the database by now."""
        self.close()
        self._noted.clear()
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | getattr(os, "O_BINARY", 0)
        self._descriptor = os.open(self._path, flags, 0o600)
        os.write(self._descriptor, f"{boot_id() or 'unknown'}\n".encode())

    def note(self, part_id: int) -> None:
        """This part leaves now.

        Raises:
            OSError: it could not be noted, so it must not leave.
        """
        os.write(self._descriptor, departed.RECORD.pack(part_id))
        self._noted.add(part_id)

    def begins(self, part_id: int) -> None:
        """A new try of this part begins. The ones before had no effect, or it would not: their notes count no more.

        Raises:
            OSError: it could not be noted. A crash before the new try leaves leaves it in doubt then.
        """
        if part_id in self._noted:
            os.write(self._descriptor, departed.RECORD.pack(-part_id))
            self._noted.discard(part_id)

    @property
    def is_large(self) -> bool:
        return self._descriptor >= 0 and os.fstat(self._descriptor).st_size > LARGEST

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def boot_id() -> str | None:
    """A name for this start of the computer; None where the system tells none."""
    tell = {"linux": _linux_boot, "darwin": _darwin_boot}.get(sys.platform)
    try:
        return tell() if tell else None
    except (OSError, subprocess.SubprocessError):
        return None


def _linux_boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _darwin_boot() -> str:
    command = ["/usr/sbin/sysctl", "-n", "kern.bootsessionuuid"]
    return subprocess.run(command, capture_output=True, text=True, timeout=5, check=True).stdout.strip()  # noqa: S603
