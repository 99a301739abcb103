"""What may come of a cell: by the point at which the program is ended, and by the way out of doubt."""

from __future__ import annotations

from collections.abc import Iterator

from tests.crash.cells import Cell, play
from tests.crash.endpoints import HALF, UNREAD

__all__ = ["allowed", "play"]  # as real.py has them for the product's own channels

Allowed = set[tuple[str, int]]
"""State of the delivery, and how often the part in question took effect."""

SENT: Allowed = {("sent", 1)}
DOUBT_0: Allowed = {("in_doubt", 0)}
DOUBT_1: Allowed = {("in_doubt", 1)}
DOUBT: Allowed = DOUBT_0 | DOUBT_1

KINDS = ("key", "ownid", "recent", "blind")
PREPARING = ("ownid", "recent")

# Point, and what may come of it: for those that can find out (key, own id, recent), and for those that cannot (blind,
# and a key whose life is over where nothing else can be asked).
POINTS: dict[str, tuple[Allowed, Allowed]] = {
    "claim.before":     (SENT, SENT),
    "claim.after":      (SENT, SENT),
    "media.uploaded":   (SENT, SENT),
    "intention.before": (SENT, SENT),
    "intention.after":  (SENT, SENT),
    "publish.before":   (SENT, SENT),
    "wire.connected":   (SENT, SENT),     # connected, and not a byte has left: no doubt even there
    "wire.noted":       (SENT, DOUBT_0),  # written down that it leaves
    HALF:               (SENT, DOUBT_0),  # the server has half of it
    "wire.sent":        (SENT, DOUBT),    # all of it left; whether the server acted on it is its affair
    UNREAD:             (SENT, DOUBT_1),  # the server did it, and nobody read the answer
    "answer.read":      (SENT, DOUBT_1),
    "end.before":       (SENT, DOUBT_1),  # the answer is known, and not on the disk
    "end.after":        (SENT, SENT),
    "look.before":      (SENT, SENT),     # from here on: the answer was lost, and it is being found out
    "look.after":       (SENT, SENT),
    "settled.before":   (SENT, SENT),
    "settled.after":    (SENT, SENT),
    "recover.before":   (SENT, DOUBT_1),  # ended at answer.read, and again while taking over
    "recover.after":    (SENT, DOUBT_1),
}  # fmt: skip

IN_DOUBT_AT = (HALF, UNREAD, "wire.noted", "wire.sent", "answer.read", "end.before", "recover.before", "recover.after")
LOOKING = ("look.before", "look.after")
SETTLING = ("settled.before", "settled.after")


def reaches(kind: str, point: str) -> bool:
    """Whether a channel of this kind comes to this point at all."""
    if point == "media.uploaded":
        return kind in PREPARING
    if point in (*LOOKING, *SETTLING):
        return kind != "blind"  # a key is not looked for, it is repeated there
    return True


def allowed(cell: Cell) -> Allowed:
    """What the table says for any cell."""
    if cell.hours or cell.asleep:
        return allowed_when_late(cell)
    return allowed_for_crash(cell) if cell.point else allowed_for_fault(cell)


def allowed_for_crash(cell: Cell) -> Allowed:
    """What may come of being ended at a point."""
    can, cannot = POINTS[cell.point]
    if cell.by == "STOP" and cell.kind == "blind" and cell.point in ("wire.noted", "wire.sent"):
        return SENT | cannot  # stopped for longer than the channel waits for an answer
    if cell.by == "TERM" and cell.kind == "blind" and cell.breaks:
        return DOUBT_1
    if cell.by != "KILL":
        return SENT  # it goes on, or ends in good order
    if cell.kind == "blind" or (cell.kind == "onlykey" and cell.after == "key's life over"):
        return cannot
    return can


def kill_cells() -> Iterator[Cell]:
    """Every point, every way out of doubt, everything that may follow, single posts and threads."""
    for point in POINTS:
        for kind in KINDS:
            if not reaches(kind, point):
                continue
            for parts in (1, 4):
                for after in ("restart", "second", "offline", "locked"):
                    yield Cell(kind, point, after, parts)
    for point in IN_DOUBT_AT:
        for kind in ("key", "onlykey"):
            for parts in (1, 4):
                yield Cell(kind, point, "key's life over", parts)


def stop_cells() -> Iterator[Cell]:
    """Stopped at every point while a second instance is tried, and then woken: as if nothing had been."""
    for point in POINTS:
        if point in (HALF, UNREAD, *LOOKING, *SETTLING) or point.startswith("recover."):
            continue
        for kind in KINDS:
            if reaches(kind, point):
                yield Cell(kind, point, by="STOP")
                yield Cell(kind, point, by="STOP", parts=4)


def lost_lock_cells() -> Iterator[Cell]:
    """The same with the lock gone: the owner in the row stops the first one, and later the look at its lock."""
    for point in ("claim.after", "intention.before", "intention.after", "wire.connected"):
        for kind in KINDS:
            yield Cell(kind, point, by="LOST LOCK")
            yield Cell(kind, point, by="LOST LOCK", parts=4)
            if point in ("claim.after", "intention.before"):
                yield Cell(kind, point, by="LENT LOCK")
                yield Cell(kind, point, by="LENT LOCK", parts=4)


def term_cells() -> Iterator[Cell]:
    """Told to end at every point: gone within seconds, and the next one finds the truth."""
    for point in POINTS:
        if point in (HALF, UNREAD) or point.startswith("recover."):
            continue
        for kind in KINDS:
            if reaches(kind, point):
                yield Cell(kind, point, by="TERM")
    for kind in KINDS:  # and while the server takes its time
        yield Cell(kind, "wire.sent", by="TERM", breaks=((1, "slow"),))


# --- faults of servers --------------------------------------------------------------------------------------------

REFUSING = (
    "refuse",
    "forbid",
    "missing",
    "redirect_301",
    "redirect_302",
    "redirect_303",
    "redirect_307",
    "redirect_308",
)
"""The server says no, or sends us elsewhere: nothing happened, and nothing happens by itself."""

UNCLEAR = {
    "error_before": 0, "hang_up_before": 0, "reset": 0, "captive": 0,
    "error_after": 1, "bad_gateway_after": 1, "hang_up_after": 1, "cut_answer": 1, "slow": 1, "drip": 1, "endless": 1,
    "nothing": 1, "garbage": 1, "no_id": 1, "wrong_types": 1, "a_list": 1,
}  # fmt: skip
"""Bytes left and nothing that can be believed came back; how often the part took effect."""

ANOTHERS = "anothers_id"
"""It happened, and the answer names what happened before that, which is no receipt for it."""

FAILED: Allowed = {("failed", 0)}
HELD: Allowed = {("held", 0)}
GIVES_UP = 2.5


def fault_cells() -> Iterator[Cell]:
    """What faults.py leaves: every mode of the fault server for keys that nothing but the person can follow, and
    faults in the middle of a thread.
    """
    for mode in (*REFUSING, "unauthorized", *UNCLEAR):
        yield Cell("onlykey", breaks=((1, mode),))
        yield Cell("onlykey", always=mode, life=1, gives_up=GIVES_UP)
    for mode in ("refuse", "hang_up_before", "hang_up_after", ANOTHERS):
        for kind in (*KINDS, "onlykey"):
            yield Cell(kind, breaks=((3, mode),), parts=4)


def allowed_for_fault(cell: Cell) -> Allowed:
    """What may come of a broken server."""
    mode = cell.always or cell.breaks[0][1]
    if mode in REFUSING:
        return FAILED
    if mode == "unauthorized":
        return HELD
    n = 1 if mode == ANOTHERS else UNCLEAR[mode]
    if cell.kind == "blind" or (cell.kind == "onlykey" and cell.always):
        return {("in_doubt", n)}
    return FAILED if cell.always and not n else SENT


# --- being late ---------------------------------------------------------------------------------------------------


def late_cells() -> Iterator[Cell]:
    """The computer was off for two hours, or the process was stopped over the instant."""
    for kind in KINDS:
        for late in ("send", "ask 1h", "skip 1h", "ask 3h"):
            yield Cell(kind, late=late, hours=2)
            yield Cell(kind, "claim.after", late=late, hours=2)
        yield Cell(kind, asleep=3)


def allowed_when_late(cell: Cell) -> Allowed:
    return {("missed", 0)} if cell.hours and cell.late in ("ask 1h", "skip 1h") else SENT


ALL = {
    "kill": kill_cells, "stop": stop_cells, "lost lock": lost_lock_cells, "term": term_cells, "fault": fault_cells,
    "late": late_cells,
}  # fmt: skip
"""Every cell there is, by its sort."""
