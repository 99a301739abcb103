"""Small turns of phrase that several pages share."""

from __future__ import annotations


def counted(n: int, one: str, many: str) -> str:
    """A number with its noun: "1 account", "1,248 people"."""
    return f"{n:,} {one if n == 1 else many}"
