"""Small turns of phrase that pages, commands and reports share."""

from __future__ import annotations


def counted(n: int, one: str, many: str) -> str:
    """A number with what belongs to it: "1 account", "1,248 people", "3 are"."""
    return f"{n:,} {one if n == 1 else many}"
