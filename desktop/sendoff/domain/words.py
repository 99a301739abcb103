"""Small turns of phrase that pages, commands and reports share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def counted(n: int, one: str, many: str) -> str:
    """A number with what belongs to it: "1 account", "1,248 people", "3 are"."""
    return f"{n:,} {one if n == 1 else many}"


def joined(names: Sequence[str]) -> str:
    """Names in a sentence: "Ada", "Ada and Bob", "Ada, Bob and Cleo"."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def one_of(values: Iterable[str]) -> str:
    """What may be typed: "one of “”, us, eu". The empty word is shown, because it is one of them."""
    return "one of " + ", ".join(value or "“”" for value in values)
