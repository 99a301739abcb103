"""A cell of the crash matrix: what is sent, where it is ended, what follows; `play` makes it happen, `judge` judges.

room = Room(folder)                                   # one for each test process
played = play(room, Cell("blind", "wire.sent"))
judge(played, {("in_doubt", 0), ("in_doubt", 1)})     # AssertionError with the whole story if it is not so
"""

from __future__ import annotations

import contextlib
import itertools
import shutil
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from tests.crash.children import Child, NeverRests, Nursery
from tests.crash.endpoints import HALF, UNREAD, Ledger, LedgerServer, free_port
from tests.crash.kinds import KINDS

LIFE = 1
"""Seconds for which keys live in the cells that come back after it."""

LOCKED = 3.0
"""Seconds for which somebody else holds the database."""

OFFLINE = 0.6
"""Seconds for which connections are refused after the restart."""

LEAVES = 5.0
"""Seconds within which a worker that is told to end has to be gone."""

AHEAD = 3
"""Seconds from now for which a post is planned that a stopped process is to miss."""

WAKES = 8.0
"""Seconds after being woken within which such a process has sent it and found that nothing is left to do."""

OWNED = 4
"""The exit code of a worker that finds another one at work."""

ENDED_WELL, NEEDS_YOU, LOCKED_OUT = 0, 1, 3


@dataclass(frozen=True)
class Cell:
    """One cell.

    Args:
        kind: a channel of kinds.py.
        point: a point of killpoints.reach, or HALF or UNREAD where the server kills; "": nothing is ended.
        after: "restart", "second" (two instances at once), "offline", "locked", "key's life over".
        parts: how many items the thread has; with four it is ended in the third.
        by: "KILL"; "STOP": stopped, a second instance is tried, then it goes on; "TERM": told to end;
            "LOST LOCK": stopped, and the file of its lock is gone, so that a second instance believes it is alone;
            "LENT LOCK": the same, and the file is back before it wakes.
        breaks: how requests with an effect, by number from 1, are broken (FaultServer's modes).
        always: how all the others are.
        late: the rule for lateness of the post, and `hours` how much later than planned it all happens.
        life: for how long the server remembers keys, in seconds.
        gives_up: after how many seconds the program's patience ends, 0: after a day, as in life.
        asleep: for how many seconds over the due instant the whole process is stopped.
    """

    kind: str
    point: str = ""
    after: str = "restart"
    parts: int = 1
    by: str = "KILL"
    breaks: tuple[tuple[int, str], ...] = ()
    always: str = ""
    late: str = "send"
    hours: float = 0.0
    life: int = 3600
    gives_up: float = 0.0
    asleep: float = 0.0

    def __str__(self) -> str:
        told = [self.kind, self.point, "" if self.by == "KILL" else self.by, self.after if self.point else ""]
        told += ["4 parts" if self.parts > 1 else "", *(f"{mode} {number}" for number, mode in self.breaks)]
        told += [f"{self.always} always" if self.always else "", f"{self.late}, {self.hours:g} h" if self.hours else ""]
        told += [f"asleep {self.asleep:g} s" if self.asleep else ""]
        return ", ".join(one for one in told if one)

    @property
    def part(self) -> int:
        """The part in which it is ended."""
        return 3 if self.parts > 1 else 1


@dataclass
class Row:
    """A delivery as the profile's database has it at the end, with what belongs to it."""

    id: int
    kind: str
    state: str
    reason: str
    advice: str
    texts: list[str]
    receipts: list[str | None]
    attempts: list[dict[str, Any]]
    events: list[str]


@dataclass
class Played:
    """What came of a cell: the rows, the ledger's count of effects by text, and what the processes said."""

    cell: Cell
    rows: list[Row]
    effects: Counter[str]
    children: list[Child]
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def story(self) -> str:
        """All of it, for whoever has to understand a red cell."""
        lines = [f"{self.cell!r}"]
        for row in self.rows:
            lines.append(f"delivery {row.id}: {row.state}  {row.reason!r} {row.advice!r}")
            lines += [f"  {text!r}: receipt {receipt}, {self.effects[text]} effects"
                      for text, receipt in zip(row.texts, row.receipts, strict=True)]  # fmt: skip
            lines += [f"  attempt {one}" for one in row.attempts] + [f"  event {one}" for one in row.events]
        for child in self.children:
            lines += [f"{child} ended with {child.code}:", *(f"  | {line}" for line in child.said.splitlines())]
        return "\n".join(lines)


class Room:
    """What the cells of one test process share: the nursery, a port, and profiles that are only to be copied.

    `pace` is how many seconds the command line took to make a post: what a busy machine adds to every time limit.
    """

    def __init__(self, folder: Path, source: str = "") -> None:
        self.folder = folder
        self.source = source
        self.nursery = Nursery(folder, source)
        self.port = free_port()
        self._numbers = itertools.count(1)
        self._templates: dict[Any, Path] = {}
        self.pace = 0.0

    def close(self) -> None:
        self.nursery.close()

    def server(self, ledger: Ledger | None = None, **more: Any) -> LedgerServer:
        return LedgerServer(ledger or Ledger(), self.port, **more)

    def home(self, kind: str, parts: int, late: str, life: float, padding: int) -> Path:
        """A profile with an account of each kind and one post that is due, made once by the real command line."""
        name = ("post", kind, parts, late, life, padding)
        if name not in self._templates:
            home = self.empty_home()
            self.post(home, kind, texts(parts), life=life, late=late, padding=padding)
            self._templates[name] = home
        return self._copy(self._templates[name])

    def empty_home(self) -> Path:
        """A profile with an account of each kind and nothing to send."""
        if "accounts" not in self._templates:
            self._templates["accounts"] = self._with_accounts()
        return self._copy(self._templates["accounts"])

    def _with_accounts(self) -> Path:
        home, server = self._new_home(), self.server()
        for kind, life in itertools.product((one.kind for one in KINDS), (3600, LIFE)):
            self.nursery.run(home, "accounts", "add", kind, "--name", account_name(kind, life),
                             "--field", f"server={server.url}", "--field", f"life={life}")  # fmt: skip
        server.close()
        return home

    def post(
        self, home: Path, kind: str, items: list[str], *, life: float = 3600, late: str = "send", padding: int = 0,
        at: str = "",
    ) -> None:  # fmt: skip
        words = ["post", "--to", account_name(kind, life), "--text", items[0], "--late", late]
        words += [word for item in items[1:] for word in ("--thread", item)]
        words += ["--option", f"padding={padding}"] if padding else []
        began = time.monotonic()
        self.nursery.run(home, *words, *(["--at", at] if at else []))
        self.pace = max(self.pace, time.monotonic() - began)

    def _copy(self, made: Path) -> Path:
        home = self._new_home()
        shutil.copytree(made, home)
        make_its_own(home)
        return home

    def _new_home(self) -> Path:
        return self.folder / f"home-{next(self._numbers)}"


def account_name(kind: str, life: float) -> str:
    return kind if life > LIFE else f"{kind}-short"


def texts(parts: int) -> list[str]:
    return [f"part {number}" for number in range(1, parts + 1)]


# --- played -------------------------------------------------------------------------------------------------------


def play(room: Room, cell: Cell) -> Played:
    """Sends, ends, goes on as the cell says, and reads what is true at the end."""
    began = time.monotonic()
    life = LIFE if cell.after == "key's life over" else cell.life
    home = room.home(cell.kind, cell.parts, cell.late, life, 8_000_000 if cell.point == HALF else 0)
    if cell.asleep:
        home = room.empty_home()
    if cell.hours:
        make_older(home, cell.hours)
    if cell.gives_up:
        make_impatient(home, cell.gives_up)
    by_server = cell.point in (HALF, UNREAD)
    server = room.server(
        Ledger(key_life=life), breaks=_breaks(cell), always=cell.always,
        kills=(cell.part, cell.point) if by_server else None,
    )  # fmt: skip
    game = Game(room, cell, home, server)
    try:
        game.play()
    finally:
        room.nursery.end_all()
        server.close()
    if server.strangers:
        game.wrong.append(f"a redirect was followed: {server.strangers}")
    played = Played(cell, rows(home), server.endpoint.count(), game.children, game.wrong)
    shutil.rmtree(home)
    played.seconds = time.monotonic() - began
    return played


def _breaks(cell: Cell) -> dict[int, str]:
    """A look or a settling needs a doubt first: the answer to the part in question gets lost."""
    lost = {cell.part: "hang_up_after"} if cell.point.startswith(("look.", "settled.")) else {}
    return lost | dict(cell.breaks)


@dataclass
class Game:
    """One cell while it is played."""

    room: Room
    cell: Cell
    home: Path
    server: LedgerServer | None = None
    children: list[Child] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def play(self) -> None:
        cell = self.cell
        if cell.asleep:
            self._sleep()
        elif cell.point.startswith("recover."):  # ended while it took over from one that was ended
            self._end(replace(cell, point="answer.read"))
            self._end(replace(cell, parts=1))
        elif cell.point:
            self._end(cell)
        _AFTER[cell.after](self)

    def worker(self, **env: str) -> Child:
        child = self.room.nursery.start(self.home, "worker", "--until-idle", **env)
        self.children.append(child)
        return child

    def rest(self) -> None:
        """A worker that goes on until nothing is left to do."""
        self.ends_well(self.worker())

    def ends_well(self, child: Child, *codes: int) -> None:
        code = child.wait()
        if code not in (codes or (ENDED_WELL, NEEDS_YOU)):
            self.wrong.append(f"{child} ended with {code}")

    def _end(self, cell: Cell) -> None:
        """Starts a worker and ends it at the cell's point."""
        if cell.point in (HALF, UNREAD):
            self._killed(self.worker_to_kill())
            return
        nth = 1 if cell.point.startswith(("look.", "settled.")) else cell.part
        end = {
            "KILL": self._killed, "STOP": self._stopped, "TERM": self._told, "LOST LOCK": self._lost,
            "LENT LOCK": partial(self._lost, back=True),
        }[cell.by]  # fmt: skip
        by = "STOP" if "LOCK" in cell.by else cell.by
        end(self.worker(SENDOFF_KILL_AT=f"{cell.point}:{nth}", SENDOFF_KILL_WITH=by))

    def worker_to_kill(self) -> Child:
        found: list[Child] = []
        self.server.victim = lambda: found[0].pid
        found.append(self.worker())
        return found[0]

    def _killed(self, child: Child) -> None:
        code = child.wait()
        if code != -signal.SIGKILL:
            self.wrong.append(f"it was to be killed at {self.cell.point}, and ended with {code}")

    def _stopped(self, child: Child) -> None:
        """While it is stopped, a second one must not start; then it goes on as if nothing had been."""
        child.wait_stopped()
        self.ends_well(self.worker(), OWNED)
        child.signal(signal.SIGCONT)
        self.ends_well(child)

    def _lost(self, child: Child, back: bool = False) -> None:
        """Somebody tidied the lock away: both believe that they are alone, and only the rows tell them apart.

        If it is put `back`, the first one finds its lock as it was, and nothing but the owner in the row stops it.

        The first one may be stopped in the middle of another thread's transaction; then the second one can't start.
        """
        child.wait_stopped()
        lock, away = self.home / "lock", self.home.with_name(f"{self.home.name}-lock")
        lock.rename(away)
        self.ends_well(self.worker(), ENDED_WELL, NEEDS_YOU, LOCKED_OUT)
        if back:
            away.replace(lock)
        child.signal(signal.SIGCONT)
        self.ends_well(child)

    def _told(self, child: Child) -> None:
        """It gets SIGTERM at the point, and has to be gone soon, with everything in a true state."""
        began = time.monotonic()
        code = child.wait()
        if time.monotonic() - began > LEAVES + 2 * self.room.pace:
            self.wrong.append(f"it took {time.monotonic() - began:.1f} s to end")
        if code not in (ENDED_WELL, NEEDS_YOU):
            self.wrong.append(f"told to end, it ended with {code}")

    def _sleep(self) -> None:
        """It is there in time, and stopped over the instant at which it was to act."""
        ahead = AHEAD + round(4 * self.room.pace)
        due = time.monotonic() + ahead
        self.room.post(self.home, self.cell.kind, texts(self.cell.parts), late=self.cell.late, at=f"+{ahead}s")
        child = self.worker()
        while "started" not in child.said and child.code is None:
            time.sleep(0.01)
        child.signal(signal.SIGSTOP)
        if self.server.came or time.monotonic() > due:
            self.wrong.append("the machine is too slow for this cell: it was not stopped in time")
        time.sleep(max(due - time.monotonic(), 0) + self.cell.asleep)
        if self.server.came:
            self.wrong.append("it was sent by a stopped process")
        child.signal(signal.SIGCONT)
        with contextlib.suppress(NeverRests):  # its row tells
            child.wait(WAKES + 4 * self.room.pace)

    # --- what follows ---------------------------------------------------------------------------------------------

    def second(self) -> None:
        """Two instances at once: whichever comes first does it all, the other one leaves."""
        first, second = self.worker(), self.worker()
        self.ends_well(first, ENDED_WELL, NEEDS_YOU, OWNED)
        self.ends_well(second, ENDED_WELL, NEEDS_YOU, OWNED)
        if first.code == second.code == OWNED:
            self.wrong.append("each of the two believed that the other one was sending")

    def offline(self) -> None:
        self.server.go_away()
        child = self.worker()
        time.sleep(OFFLINE)
        self.server.come_back()
        self.ends_well(child)

    def locked(self) -> None:
        """Somebody else holds the database for a while. The worker waits, or says so and is started again."""
        with contextlib.closing(sqlite3.connect(self.home / "sendoff.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            child = self.worker()
            time.sleep(LOCKED)
            other.execute("ROLLBACK")
        self.ends_well(child)

    def later(self) -> None:
        time.sleep(LIFE + 0.1)
        self.rest()


_AFTER: Mapping[str, Callable[[Game], None]] = {
    "restart": Game.rest,
    "second": Game.second,
    "offline": Game.offline,
    "locked": Game.locked,
    "key's life over": Game.later,
}


def make_its_own(home: Path) -> None:
    """A copy is paused until the person says otherwise; this one is to count as a profile that was never elsewhere."""
    (home / "whereabouts").unlink()
    with contextlib.closing(sqlite3.connect(home / "sendoff.db")) as database, database:
        database.execute("DELETE FROM settings WHERE name = 'profile_id'")


def make_older(home: Path, hours: float) -> None:
    """As if everything had been planned so much earlier: what a computer that was off finds when it is on again."""
    with contextlib.closing(sqlite3.connect(home / "sendoff.db")) as database, database:
        database.execute("UPDATE deliveries SET due_at = due_at - :by, planned_at = planned_at - :by",
                         {"by": int(hours * 3_600_000_000)})  # fmt: skip


def make_impatient(home: Path, seconds: float) -> None:
    """The program gives these deliveries up so soon."""
    with contextlib.closing(sqlite3.connect(home / "sendoff.db")) as database, database:
        database.execute("UPDATE deliveries SET give_up_at = ?", [int((time.time() + seconds) * 1_000_000)])


def rows(home: Path) -> list[Row]:
    """The deliveries, read with nothing of the program."""
    with contextlib.closing(sqlite3.connect(home / "sendoff.db")) as database:
        database.row_factory = sqlite3.Row
        return list(_rows(database))


_TOLD = ("part_id", "number", "outcome", "status", "summary")


def _rows(database: sqlite3.Connection) -> Iterator[Row]:
    for one in database.execute(
        "SELECT d.*, p.content AS content, a.channel AS kind FROM deliveries d"
        " JOIN posts p ON p.id = d.post_id JOIN accounts a ON a.id = d.account_id ORDER BY d.id"
    ).fetchall():
        cut = database.execute("SELECT * FROM parts WHERE delivery_id = ? ORDER BY number", [one["id"]]).fetchall()
        tried = database.execute("SELECT * FROM attempts WHERE delivery_id = ? ORDER BY id", [one["id"]]).fetchall()
        news = database.execute("SELECT * FROM events WHERE delivery_id = ? ORDER BY id", [one["id"]]).fetchall()
        items = database.execute("SELECT json_extract(value, '$.text') FROM json_each(?, '$.items')", [one["content"]])
        yield Row(
            id=one["id"], kind=one["kind"], state=one["state"], reason=one["reason"], advice=one["advice"],
            texts=[text for (text,) in items],
            receipts=[part["remote_id"] for part in cut],
            attempts=[{name: try_[name] for name in _TOLD} for try_ in tried],
            events=[f"{event['kind']}: {event['detail']}" for event in news],
        )  # fmt: skip


# --- judged -------------------------------------------------------------------------------------------------------

QUIET = frozenset({"sent", "failed", "held", "missed", "cancelled", "in_doubt"})
"""States in which nothing more happens by itself."""


def judge(played: Played, allowed: set[tuple[str, int]]) -> None:
    """The rules of the promise for every delivery, and what the table allows for this cell.

    Args:
        allowed: state of the delivery, and how often the part in question took effect.

    Raises:
        AssertionError: with the whole story.
    """
    part = played.cell.part
    wrong = [*played.wrong, *(words for row in played.rows for words in broken(row, played.effects))]
    for row in played.rows:
        found = (row.state, played.effects[row.texts[part - 1]])
        if found not in allowed:
            wrong.append(f"delivery {row.id} is {found}, and the table allows {sorted(allowed)}")
    assert not wrong, "\n".join([*wrong, "", played.story()])


def broken(row: Row, effects: Mapping[str, int]) -> Iterator[str]:
    """What of the promise does not hold for a delivery."""
    if row.state not in QUIET:
        yield f"delivery {row.id} is left in {row.state}"
    doubtful, gap = row.state == "in_doubt", ""
    for text, receipt in zip(row.texts, row.receipts, strict=True):
        n = effects[text]
        if n > 1:
            yield f"{text!r} took effect {n} times"
        if receipt and n == 0:
            yield f"{text!r} has a receipt, and nothing happened"
        if not receipt and row.state == "sent":
            yield f"it is sent, and {text!r} has no receipt"
        if not receipt and n and not doubtful:
            yield f"{text!r} took effect, and the delivery is {row.state} without its receipt"
        if not receipt:
            doubtful = False  # only the first open part may be in doubt
        if n and gap:
            yield f"{text!r} went out, and {gap!r} before it did not"
        gap = gap or ("" if n else text)
    named = [receipt for receipt in row.receipts if receipt]
    if len(set(named)) < len(named):
        yield f"two parts have one receipt: {named}"
    if row.state == "in_doubt" and all(row.receipts):
        yield "it is in doubt, and every part has a receipt"
    if row.state in ("sent", "failed", "in_doubt") and not row.attempts:
        yield f"it is {row.state} without an attempt"
    if any(one["outcome"] is None for one in row.attempts):
        yield "an attempt is still open"
    if any(not one["summary"] for one in row.attempts):
        yield "an attempt ended without a sentence"
    if row.state != "sent" and not row.reason:
        yield f"it is {row.state}, and no sentence says why"
