"""Bugs planted on purpose, each an exact replacement in a copy of the program: a matrix that misses one is no proof."""

from __future__ import annotations

import shutil
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.crash import real, table
from tests.crash.cells import Cell, Room, judge
from tests.crash.children import ROOT
from tests.crash.endpoints import UNREAD
from tests.crash.table import ANOTHERS


@dataclass(frozen=True)
class Edit:
    """A text that stands exactly once in a file of desktop/sendoff, and what stands there instead."""

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Mutant:
    """One planted bug, and the cells that are asked whether they see it."""

    name: str
    edits: tuple[Edit, ...]
    cells: tuple[Cell, ...]


def _mutant(name: str, file: str, old: str, new: str, *cells: Cell) -> Mutant:
    return Mutant(name, (Edit(file, old, new),), cells)


MUTANTS = (
    _mutant(
        "an unclear answer is a failure", "domain/delivery.py",
        "    InDoubt: (Move.DOUBT, Outcome.DOUBT),", "    InDoubt: (Move.REFUSE, Outcome.REFUSED),",
        Cell("blind", breaks=((1, "hang_up_after"),)), Cell("recent", breaks=((1, "error_after"),)),
    ),
    _mutant(
        "no settling after a crash", "store/doubts.py",
        "reason=STOPPED_WHILE, look_at=now, looks=0", "reason=STOPPED_WHILE, look_at=None, looks=0",
        Cell("recent", UNREAD), Cell("key", "wire.sent"),
    ),
    _mutant(
        "redirects are followed", "channels/http.py",
        "with line.carry(prepared, exchange, patience.connect, patience.read) as response:",
        "with __import__('requests').Session().send(prepared, stream=True, allow_redirects=True).raw as response:",
        Cell("blind", breaks=((1, "redirect_307"),)), Cell("key", breaks=((1, "redirect_302"),)),
    ),
    _mutant(
        "any 2xx is a success", "channels/mailgun_answers.py",
        "    found = answer.json()\n    found = found if isinstance(found, dict) else {}\n    given, said",
        "    return Receipt(message_id)\n    found = answer.json()\n    given, said",
        Cell("mailgun", breaks=((1, "captive"),)),
    ),
    _mutant(
        "a broken answer is a plain no", "channels/http.py",
        '            if effect:\n                raise InDoubt(f"{own} It may have gone out.", **about)\n', "",
        Cell("blind", breaks=((1, "error_after"),)), Cell("recent", breaks=((1, "bad_gateway_after"),)),
    ),
    _mutant(
        "a line that broke is a plain no", "channels/http.py",
        '        if effect:\n            return InDoubt(f"{what}. It may have gone out.", detail=tls.words(cause))\n',
        "",
        Cell("blind", breaks=((1, "hang_up_after"),)), Cell("recent", breaks=((1, "slow"),)),
    ),
    _mutant(
        "the intention is written after the send", "engine/departures.py",
        "            self._writer.begin(wanted, partial(self._intended, kept))",
        "            self._intended(kept, {one.delivery_id for one in wanted})\n"
        "            threading.Timer(0.5, self._writer.begin, (wanted, lambda held: None)).start()",
        Cell("recent", UNREAD), Cell("blind", UNREAD),
    ),
    _mutant(
        "a new key for each try", "engine/dispatch.py",
        "            key=part.key,", '            key=f"{part.key}{job.attempts}",',
        Cell("key", UNREAD), Cell("key", breaks=((1, "hang_up_after"),)),
    ),
    _mutant(
        "a lease and no lock", "store/profile.py",
        "            _lock_soon(descriptor)\n        except OSError:\n            holder",
        "            pass\n        except OSError:\n            holder",
        Cell("recent", "wire.sent", by="STOP"), Cell("blind", "claim.after", by="STOP"),
    ),
    Mutant("no owner is asked for", (
        Edit("store/outgoing.py",
             '    deliveries.c.version == _begun.c.loaded,\n    deliveries.c.owner == sa.bindparam("by"),\n'
             '    deliveries.c.state == "claimed",\n', "    deliveries.c.id > 0,\n"),
        Edit("store/outgoing.py", '    state="sending",\n', '    state="sending",\n    owner=sa.bindparam("by"),\n'),
    ), (Cell("blind", "intention.before", by="LENT LOCK"), Cell("recent", "intention.before", by="LENT LOCK"))),
    _mutant(
        "the scheduler's default for lateness", "engine/timeline.py",
        '"misfire_grace_time": None', '"misfire_grace_time": 1',
        Cell("key", asleep=3), Cell("blind", asleep=3),
    ),
    _mutant(
        "the rule for lateness is ignored", "engine/dispatch.py",
        "        return parse_late(delivery.late).allows(delivery.planned_at, self._clock.now())",
        "        return True",
        Cell("blind", late="ask 1h", hours=2), Cell("key", "claim.after", late="skip 1h", hours=2),
    ),
    _mutant(
        "what was sending is simply sent again", "store/doubts.py",
        "(doubtful if left is None or row.part_id in left else safe).add", "safe.add",
        Cell("blind", UNREAD), Cell("recent", "answer.read"),
    ),
    _mutant(
        "nobody reads the journal", "engine/engine.py",
        "self._journal.last()", "None",
        Cell("blind", "intention.after"), Cell("blind", "wire.connected"),
    ),
    _mutant(
        "nobody writes the journal", "engine/journal.py",
        "        os.write(self._descriptor, departed.RECORD.pack(part_id))", "        self._descriptor += 0",
        Cell("blind", UNREAD), Cell("recent", "wire.sent"),
    ),
    _mutant(
        "it says that it leaves when it has left", "channels/lines.py",
        "                exchange.leaving()\n", "",
        Cell("blind", UNREAD), Cell("blind", "wire.sent"),
    ),
    _mutant(
        "an answer may name any post", "engine/dispatch.py",
        "        if not self._channels[job.account.channel].own_ids:", "        if True:",
        Cell("blind", breaks=((3, ANOTHERS),), parts=4), Cell("recent", breaks=((3, ANOTHERS),), parts=4),
    ),
    _mutant(
        "a refused part does not hold the rest", "engine/dispatch.py",
        '            return Move.REFUSE, reason, ""\n        after',
        '            return Move.CONTINUE, "", reason\n        after',
        Cell("recent", breaks=((3, "refuse"),), parts=4),
    ),
    _mutant(
        "a key is repeated for ever", "engine/settle.py",
        "0 <= age <= (settle.key_life or 0) * REPEAT_SHARE", "age >= 0",
        Cell("onlykey", UNREAD, "key's life over"),
    ),
    _mutant(
        "doubt is settled as absent without a look", "engine/settle.py",
        "            receipt = ask(parcel)", "            receipt = None",
        Cell("recent", UNREAD), Cell("recent", breaks=((1, "hang_up_after"),)),
    ),
)  # fmt: skip


def edited(mutant: Mutant, folder: Path) -> dict[Path, str]:
    """The files below a package `sendoff` as they are with the bug.

    Raises:
        LookupError: the text to replace does not stand there exactly once, so the mutant has to be mended.
    """
    files: dict[Path, str] = {}
    for edit in mutant.edits:
        file = folder / edit.file
        text = files.get(file) or file.read_text()
        if text.count(edit.old) != 1:
            raise LookupError(
                f"“{mutant.name}”: {text.count(edit.old)} times in {edit.file}, and not once:\n{edit.old}"
            )
        files[file] = text.replace(edit.old, edit.new)
    return files


def planted(mutant: Mutant, folder: Path) -> Path:
    """A copy of the program with the bug in it."""
    shutil.copytree(ROOT / "desktop", folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file, text in edited(mutant, folder / "sendoff").items():
        file.write_text(text)
    return folder


def red_cells(mutant: Mutant, folder: Path) -> list[Cell]:
    """Those of its cells that see the bug."""
    source = planted(mutant, folder / "source")
    room = Room(folder, str(source))
    assert str(source) in room.nursery.source, "the copy is not what runs"
    try:
        return [cell for cell in mutant.cells if any(is_red(room, cell) for _ in range(tries(cell)))]
    finally:
        room.close()


def tries(cell: Cell) -> int:
    """How often a cell is played in search of a bug: one whose first sender was stopped with the database locked lets
    no second one start, and sees nothing.
    """
    return 3 if "LOCK" in cell.by else 1


def is_red(room: Room, cell: Cell) -> bool:
    how = real if cell.kind in real.ENDPOINTS else table
    try:
        judge(how.play(room, cell), how.allowed(cell))
    except AssertionError:
        return True
    return False


def run(name: str, side_by_side: int) -> int:
    """Plants every bug whose name has `name` in it; prints which cells turned red; 1 if one was not seen."""
    began = time.monotonic()
    chosen = [mutant for mutant in MUTANTS if name in mutant.name]
    caught = 0
    with tempfile.TemporaryDirectory() as place, ThreadPoolExecutor(side_by_side) as pool:
        folders = [Path(place) / str(number) for number in range(len(chosen))]
        for folder in folders:
            folder.mkdir()
        for mutant, red in zip(chosen, pool.map(red_cells, chosen, folders), strict=True):
            caught += bool(red)
            print(
                f"{'caught' if red else 'NOT CAUGHT':<10} {len(red)} of {len(mutant.cells)} cells  {mutant.name}",
                flush=True,
            )
            for cell in red:
                print(f"{'':<10} {cell}")
    print(f"{caught} caught of {len(chosen)} planted, in {time.monotonic() - began:.0f} s")
    return 0 if caught == len(chosen) else 1
