"""The whole matrix: `./test crash`. The quick tests run a few cells of it (test_quick.py)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.crash import table
from tests.crash.cells import Cell, Room, judge, play

CELLS = [(sort, cell) for sort, cells in table.ALL.items() for cell in cells()]


@pytest.mark.parametrize(("sort", "cell"), CELLS, ids=[f"{sort}: {cell}" for sort, cell in CELLS])
def test_cell(room: Room, sort: str, cell: Cell, record_property: Callable[[str, object], None]) -> None:
    record_property("sort", sort)
    judge(play(room, cell), table.allowed(cell))
