"""The sharpest cells of the crash matrix, in every run of the quick tests; `./test crash` runs all of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.crash import table
from tests.crash.cells import Cell, Room, judge, play
from tests.crash.children import ROOT
from tests.crash.endpoints import UNREAD
from tests.crash.mutants import MUTANTS, Mutant, edited

QUICK = (
    Cell("blind", "claim.after"),
    Cell("blind", "wire.connected"),
    Cell("blind", "wire.noted", parts=4),
    Cell("blind", UNREAD, "second"),
    Cell("key", UNREAD, parts=4),
    Cell("key", UNREAD, "key's life over"),
    Cell("ownid", UNREAD, "second", parts=4),
    Cell("recent", "answer.read", "second"),
    Cell("recent", "end.before", parts=4),
    Cell("blind", "intention.after", by="STOP"),
    Cell("blind", "wire.connected", by="TERM"),
    Cell("recent", breaks=((3, "refuse"),), parts=4),
    Cell("blind", breaks=((1, "redirect_307"),)),
    Cell("onlykey", always="hang_up_after", life=1, gives_up=table.GIVES_UP),
    Cell("blind", late="ask 1h", hours=2),
    Cell("key", asleep=3),
)


@pytest.mark.parametrize("cell", QUICK, ids=str)
def test_cell(room: Room, cell: Cell, record_property: Callable[[str, object], None]) -> None:
    record_property("sort", "quick")
    judge(play(room, cell), table.allowed(cell))


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_planted_bug_finds_the_text_that_it_changes(mutant: Mutant) -> None:
    """They are planted by `./test crash --mutants` alone, long after the text was changed."""
    assert edited(mutant, ROOT / "desktop" / "sendoff")
