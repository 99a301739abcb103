"""The whole matrix: `./test crash`. The quick tests run a few cells of it (test_quick.py)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.crash import real, table
from tests.crash.cells import Cell, Room, judge, play

Record = Callable[[str, object], None]
CELLS = [(sort, cell) for sort, cells in table.ALL.items() for cell in cells()]


@pytest.mark.parametrize(("sort", "cell"), CELLS, ids=[f"{sort}: {cell}" for sort, cell in CELLS])
def test_cell(room: Room, sort: str, cell: Cell, record_property: Record) -> None:
    record_property("sort", sort)
    judge(play(room, cell), table.allowed(cell))


@pytest.mark.parametrize("cell", list(real.cells()), ids=lambda cell: f"real: {cell}")
def test_cell_of_an_account_with_a_secret(room: Room, cell: Cell, record_property: Record) -> None:
    record_property("sort", "real")
    judge(real.play(room, cell), real.allowed(cell))
