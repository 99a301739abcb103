"""docs/security.md names a test for each thing that it claims, and each of them is there."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "security.md").read_text()
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
ROW = re.compile(r"^\| (\d+\.\d+\.\d+[^|]*) \| ([^|]*) \| (\w+|–) \| (.*) \|$", re.MULTILINE)


@cache
def found_in(path: str) -> frozenset[str]:
    """The tests in a file, read and not imported."""
    return frozenset(re.findall(r"^def (test_\w+)\(", (ROOT / path).read_text(), re.MULTILINE))


def test_every_test_that_is_named_is_there() -> None:
    named = NAMED.findall(PAGE)
    assert len(named) > 100
    assert [
        f"{path}::{name}" for path, name in named if not (ROOT / path).is_file() or name not in found_in(path)
    ] == []
    assert PAGE.count("::test_") == len(named)  # none is written so that it is not found


def test_every_claim_names_a_test_or_is_about_this_page() -> None:
    """A "yes" about what is to be written down may lead to where it is."""
    written_down = {"5.1.1", "13.1.1", "16.1.1"}
    rows = ROW.findall(PAGE)
    assert len(rows) > 90
    bare = {number for number, _, verdict, words in rows if verdict == "yes" and not NAMED.search(words)}
    assert bare == written_down
    assert {verdict for _, _, verdict, _ in rows} == {"yes", "part", "no", "–"}
    assert all(words.strip() for _, _, _, words in rows)
    assert len(re.findall(r"^\| DA\d+ ", PAGE, re.MULTILINE)) == 10
    for line in re.findall(r"^\| DA\d+ .*$", PAGE, re.MULTILINE):
        assert NAMED.search(line), line


FITTING = {
    1: (2, 10, 12, 3, 3), 2: (3, 3, 5, 2), 5: (1, 6, 3, 3), 10: (2, 3), 11: (4, 5, 5, 4, 2, 2, 2), 12: (5, 2, 5),
    13: (4, 6, 4, 7), 14: (2, 8, 3), 15: (5, 5, 7, 4), 16: (1, 5, 4, 3, 4),
}  # fmt: skip
"""By chapter of ASVS how many requirements each section has (github.com/OWASP/ASVS, the list of release 5.0.0)."""

LEVEL_3 = frozenset(
    re.findall(
        r"\S+",
        """
        1.2.10 1.3.12 1.5.3 2.3.5 2.4.2 5.2.4 5.2.5 5.2.6 5.3.3 10.2.3 11.1.3 11.1.4 11.2.4 11.2.5 11.3.4 11.3.5 11.5.2
        11.6.2 11.7.1 11.7.2 12.1.4 12.1.5 12.3.5 13.1.2 13.1.3 13.1.4 13.2.6 13.3.3 13.3.4 13.4.6 13.4.7 14.2.5 14.2.6
        14.2.7 14.2.8 15.1.4 15.1.5 15.2.4 15.2.5 15.4.1 15.4.2 15.4.3 15.4.4 16.5.4
        """,
    )
)


def numbers(cell: str) -> list[str]:
    """The requirements of a row: "1.2.6 to 1.2.8", "1.4.1, 1.4.3"."""
    found: list[str] = []
    for part in cell.split(", "):
        first, _, last = part.partition(" to ")
        section, _, number = first.rpartition(".")
        for one in range(int(number), int((last or first).rpartition(".")[2]) + 1):
            found.append(f"{section}.{one}")
    return found


def test_no_requirement_of_the_fitting_chapters_is_left_out() -> None:
    all_of_them = {
        f"{chapter}.{section}.{number}"
        for chapter, sections in FITTING.items()
        for section, count in enumerate(sections, 1)
        for number in range(1, count + 1)
    }
    listed = [number for cell, *_ in ROW.findall(PAGE) for number in numbers(cell)]
    assert len(listed) == len(set(listed))
    assert set(listed) <= all_of_them
    assert all_of_them - set(listed) <= LEVEL_3
