"""The file in which a sender notes which parts leave: its shape, and what an ended sender left in it.

A record is a part's id: it leaves. Less than nothing it says that the tries before are over, and a new one begins.
"""

from __future__ import annotations

import struct
from pathlib import Path

FILE = "leaving"
RECORD = struct.Struct("<q")


def read(profile: Path) -> tuple[str, frozenset[int]] | None:
    """The start of the computer that the file belongs to, and the parts that left; None where there is no file."""
    try:
        head, _, records = (profile / FILE).read_bytes().partition(b"\n")
    except OSError:
        return None
    whole = len(records) // RECORD.size * RECORD.size
    last = {abs(told): told > 0 for (told,) in RECORD.iter_unpack(records[:whole])}
    return head.decode(errors="replace"), frozenset(part_id for part_id, left in last.items() if left)
