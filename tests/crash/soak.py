"""A busy sender that is killed at random moments, again and again; in the end everything has to be true."""

from __future__ import annotations

import collections
import random
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sendoff.bootstrap import Program, open_program
from sendoff.domain.post import Content, Item, Variant
from sendoff.domain.when import When
from sendoff.engine import limiter
from sendoff.store import accounts
from tests.crash import table
from tests.crash.cells import Room, broken, rows
from tests.crash.children import Child, NeverRests
from tests.crash.endpoints import Ledger

LONGEST_LIFE = 1.5
"""Seconds that a worker lives at most, beside what a busy machine takes to start it; many end while they take over."""

AIMED = 4.0
"""Seconds that it has for coming to the point at which it is to be killed; then it is killed anyway."""

LOOKS = {"CRASH_LOOKS": "60"}
"""So many looks may fail before the person is asked, as in life: the server is broken more often than in a cell."""

WAITING = 40
"""So many deliveries wait at most: enough for a kill to meet some of them at every step."""

BREAKS = ("error_after", "hang_up_after", "hang_up_before", "reset", "cut_answer", "no_id", "captive", "garbage")
AT_REST = 120.0
"""Seconds that the last worker, which is not killed, has for what is left; and for each that waits the pause that an
account keeps while it catches up: a busy machine leaves hundreds."""


def run(minutes: float, seed: int | None) -> int:
    """Prints what it did and what came of it; 1 if anything is not true in the end."""
    seed = random.randrange(1 << 30) if seed is None else seed
    print(f"soaking for {minutes:g} min (--seed {seed})", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        room = Room(Path(folder))
        try:
            return _soak(room, minutes * 60, random.Random(seed))
        finally:
            room.close()


def _soak(room: Room, seconds: float, chance: random.Random) -> int:
    home, server = room.empty_home(), room.server(Ledger())
    sys.path.insert(0, str(room.nursery.site))  # the writer's own process knows the channels too
    writer = Writer(open_program(home), chance)
    pace = _pace(room, home)
    until, points, odd = time.monotonic() + seconds, collections.Counter[str](), list[str]()
    while time.monotonic() < until:
        writer.write(WAITING - len(_unfinished(home)))
        server.breaks = {server.came + chance.randrange(1, 20): chance.choice(BREAKS) for _ in range(3)}
        if chance.random() < 0.1:
            server.go_away()
        point = chance.choice(["", "", *table.POINTS])
        child = room.nursery.start(home, "worker", "--until-idle", **LOOKS, **_at(point, chance))
        writer.write(3)
        _let_live(child, (AIMED if point else chance.uniform(0.1, LONGEST_LIFE)) + 3 * pace)
        if child.code is None:
            room.nursery.end_all()
            points["at any moment"] += 1
        elif child.code < 0:
            points[point] += 1
        elif child.code > 1:
            odd.append(f"a worker ended with {child.code}: {child.said}")
        if not server.is_open:
            server.come_back()
    server.breaks = {}
    last = room.nursery.start(home, "worker", "--until-idle", **LOOKS)
    try:
        last.wait(AT_REST + len(_unfinished(home)) * limiter.CALM)
    except NeverRests as stuck:
        odd.append(f"{stuck}\n{_standing(home)}")
        room.nursery.end_all()
    server.close()
    writer.program.close()
    return _told(home, server.endpoint, points, odd)


@dataclass
class Writer:
    """Somebody who plans posts all the time, in a process of their own, as the window would."""

    program: Program
    chance: random.Random
    written: int = 0

    def write(self, n: int) -> None:
        """So many posts to any account, due within seconds; some are threads."""
        with self.program.store.reading() as connection:
            known = [one for one in accounts.every(connection) if "short" not in one.name]
        commands = self.program.commands
        for _ in range(n):
            self.written += 1
            parts = 4 if self.chance.random() < 0.3 else 1
            items = tuple(Item(f"{self.written}.{number}") for number in range(1, parts + 1))
            post_id, _ = commands.posts.save_draft(Content(items), [Variant(self.chance.choice(known).id)])
            due = self.program.clock.now() + timedelta(seconds=self.chance.uniform(0, 2))
            commands.posts.schedule(post_id, When.at(due, "Europe/Berlin"), "send")


def _pace(room: Room, home: Path) -> float:
    began = time.monotonic()
    room.nursery.run(home, "queue")
    return time.monotonic() - began


def _at(point: str, chance: random.Random) -> dict[str, str]:
    return {"SENDOFF_KILL_AT": f"{point}:{chance.randrange(1, 6)}"} if point else {}


def _let_live(child: Child, seconds: float) -> None:
    with child.changed:
        child.changed.wait_for(lambda: child.code is not None, seconds)


def _unfinished(home: Path) -> list[int]:
    with closing(sqlite3.connect(home / "sendoff.db", timeout=10)) as database:
        found = database.execute("SELECT id FROM deliveries WHERE state IN ('scheduled', 'claimed', 'sending')")
        return [one for (one,) in found]


def _standing(home: Path) -> str:
    """What keeps it from coming to rest: the accounts, the sender's trouble, and what is left."""
    with closing(sqlite3.connect(home / "sendoff.db", timeout=10)) as database:
        left = database.execute(
            "SELECT id, account_id, state, due_at, owner, reason FROM deliveries"
            " WHERE state IN ('scheduled', 'claimed', 'sending') OR look_at IS NOT NULL"
        ).fetchall()
        known = database.execute("SELECT id, name, state, ready_at, strikes, rest_until, rest_reason FROM accounts")
        sender = database.execute("SELECT * FROM senders").fetchall()
        lines = [f"now {time.time():.0f}", *map(str, known.fetchall()), *map(str, sender), *map(str, left)]
    return "\n".join(lines)


def _told(home: Path, ledger: Ledger, points: collections.Counter[str], odd: list[str]) -> int:
    effects, found = ledger.count(), rows(home)
    states = collections.Counter(row.state for row in found)
    wrong = [f"delivery {row.id}: {words}" for row in found for words in broken(row, effects)] + odd
    lost = sum(row.state == "sent" and not effects[text] for row in found for text in row.texts)
    known = {text for row in found for text in row.texts}
    wrong += [f"{text!r} took effect and is nobody's" for text in effects if text not in known]
    can_tell = {"key", "ownid", "recent", "onlykey"}
    wrong += [f"delivery {row.id} ({row.kind}) is in doubt, and it could be found out: {row.reason} {row.advice}"
              for row in found if row.state == "in_doubt" and row.kind in can_tell]  # fmt: skip
    print(f"kills      {points.total()}  ({', '.join(f'{n} {point}' for point, n in points.most_common())})")
    print(f"deliveries {len(found)}, parts {sum(len(row.texts) for row in found)}, effects {effects.total()}")
    print(f"sent {states['sent']}, in doubt {states['in_doubt']}, lost {lost}, "
          f"doubled {sum(n > 1 for n in effects.values())}, others "
          f"{ {state: n for state, n in states.items() if state not in ('sent', 'in_doubt')} }")  # fmt: skip
    for words in wrong:
        print(f"WRONG: {words}")
    print("all true" if not wrong else f"{len(wrong)} things are not true")
    return 1 if wrong else 0
