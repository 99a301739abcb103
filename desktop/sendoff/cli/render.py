"""How things look at a prompt: instants, tables, JSON, and foreign text that cannot drive the terminal."""

from __future__ import annotations

import json
import os
import sys
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from sendoff.domain.when import When, span_text


def instant(at: datetime | None) -> str | None:
    """An instant as JSON has it: "2026-11-24T08:00:00.000Z"."""
    if at is None:
        return None
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def timed(when: When) -> dict[str, str | None]:
    """A planned time as JSON has it: the instant, and the wall time and zone that the person chose."""
    return {"at": instant(when.instant), "wall": when.wall.isoformat(), "zone": when.zone}


def print_json(value: Any, *, compact: bool = False) -> None:
    """One JSON value. Letters of all scripts stay readable where the output can carry them."""
    can_carry = (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "") == "utf8"
    print(json.dumps(value, ensure_ascii=not can_carry, indent=None if compact else 2), flush=compact)


def stop_printing() -> None:
    """Whoever read our output has left, as `head` does: the rest goes nowhere, and nothing fails because of it."""
    with suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def plain(text: str) -> str:
    """Text from elsewhere, without what a terminal would obey or what turns the direction of writing."""
    return "".join(character if _is_harmless(character) else "\ufffd" for character in text)


def _is_harmless(character: str) -> bool:
    if character in "\n\t":
        return True
    return unicodedata.category(character) not in ("Cc", "Cs") and character not in _TURNING


_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Bidirectional embeddings, overrides and isolates (Unicode Standard Annex 9, section 2)."""


def one_line(text: str, width: int = 0) -> str:
    """Text on one line, shortened to `width` columns where that is not 0."""
    line = " ".join(plain(text).split())
    return cut(line, width) if width else line


def cut(line: str, width: int) -> str:
    """A line that takes `width` columns at most."""
    if columns(line) <= width:
        return line
    while line and columns(line) > width - 1:
        line = line[:-1]
    return line.rstrip() + "…"


def columns(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines with columns under a head; the last column is as wide as it likes."""
    cells = [list(head), *([one_line(cell) for cell in row] for row in rows)]
    widths = [max(columns(row[place]) for row in cells) for place in range(len(head))]
    return [
        "  ".join(cell + " " * (width - columns(cell)) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]


def indented(text: str, by: str = "  ") -> str:
    return "\n".join((by + line).rstrip() for line in plain(text).splitlines())


def lateness(began: datetime, planned: datetime) -> str:
    """How late something left: "3 ms late", "2 h 5 min late"."""
    late = began - planned
    if abs(late) < timedelta(seconds=1):
        return f"{round(late.total_seconds() * 1000)} ms late"
    return f"{span_text(late.total_seconds())} late"
