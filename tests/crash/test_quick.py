"""The sharpest cells of the crash matrix, in every run of the quick tests; `./test crash` runs all of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.crash import table
from tests.crash.cells import Cell, Room, judge, play
from tests.crash.endpoints import HALF, UNREAD

QUICK = (
    Cell("blind", "claim.after"),
    Cell("blind", "intention.after"),
    Cell("blind", "wire.connected"),
    Cell("blind", "wire.noted", parts=4),
    Cell("blind", HALF),
    Cell("blind", UNREAD, "second"),
    Cell("blind", "answer.read", "offline"),
    Cell("blind", "end.after", parts=4),
    Cell("key", "wire.sent", "offline"),
    Cell("key", UNREAD, parts=4),
    Cell("key", "settled.before"),
    Cell("onlykey", UNREAD, "key's life over"),
    Cell("key", UNREAD, "key's life over"),
    Cell("ownid", "media.uploaded"),
    Cell("ownid", UNREAD, "second", parts=4),
    Cell("ownid", "look.before"),
    Cell("recent", "answer.read", "second"),
    Cell("recent", "end.before", parts=4),
    Cell("recent", "recover.before"),
    Cell("recent", "settled.after"),
    Cell("blind", "intention.after", by="STOP"),
    Cell("recent", "wire.sent", by="STOP"),
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
