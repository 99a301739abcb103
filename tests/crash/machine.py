"""Faults of the machine: clocks, second instances, full and broken disks, limits, absent networks, races."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import itertools
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.crash.cells import ENDED_WELL, LEAVES, LOCKED_OUT, NEEDS_YOU, OWNED, Room, broken, rows
from tests.crash.children import Child, Nursery
from tests.crash.endpoints import Ledger, LedgerServer
from tests.crash.faults import ASKABLE, BLIND, DOUBT_0, DOUBT_1, FAILED, SENT, Allowed, Scene, scene, until
from tests.crash.nursery import SHORTER

KINDS = (*ASKABLE, *BLIND)
SORT = "sort"
OUR_FAULT = 70
Note = Callable[[str, object], None]

HOUR, DAY = 3600, 86_400


def is_root() -> bool:
    return os.geteuid() == 0


def needs(*programs: str, root: bool = False) -> pytest.MarkDecorator:
    """Skips a cell where a program or a right is missing, and says which."""
    missing = [one for one in programs if not (shutil.which(one) or Path(one).exists())]
    missing += ["the rights of root"] if root and not is_root() else []
    return pytest.mark.skipif(bool(missing), reason=f"needs {', '.join(missing)}")


@pytest.fixture(autouse=True)
def of_machine(record_property: Note) -> None:
    record_property(SORT, "machine")


# --- clocks -------------------------------------------------------------------------------------------------------


class Clock:
    """The clock of the processes that are started with `env`: a file that says how far it was set, and slept."""

    def __init__(self, home: Path) -> None:
        self._file = home.with_name(f"{home.name}-clock")
        self.env = {"CRASH_CLOCK": str(self._file)}
        self.move()

    def move(self, *, set_by: float = 0, slept: float = 0) -> None:
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{set_by} {slept}")
        fresh.replace(self._file)


class Waking(Scene):
    """A scene with a clock, and a worker that is there before the clock moves."""

    def begin(self, clock: Clock, seconds: float = 20) -> Child:
        child = self.start("--for", str(seconds), **clock.env)
        until(lambda: "started" in child.said or child.code is not None)
        time.sleep(0.4)  # its heart has beaten
        return child


@contextlib.contextmanager
def waking(room: Room, home: Path) -> Iterator[Waking]:
    with scene(room, home) as made:
        yield Waking(room, home, made.children, made.wrong)


def _post_in(room: Room, kind: str, after: str, late: str = "send", text: str = "part 1", **env: str) -> Path:
    home = room.empty_home()
    room.nursery.run(home, "post", "--to", kind, "--text", text, "--late", late, "--at", after, **env)
    return home


MOVES: dict[str, tuple[str, str, dict[str, float], Allowed, str]] = {
    # when it is planned, its rule, how the clock moves, what comes of it, and the cause that is noted
    "sleeps over it for hours":       ("+2h", "send", {"slept": 8 * HOUR}, SENT, "sleep"),
    "sleeps over it for days":        ("+2h", "send", {"slept": 5 * DAY}, SENT, "sleep"),
    "sleeps, and it is too late":     ("+2h", "ask 2h", {"slept": 8 * HOUR}, {("missed", 0)}, "sleep"),
    "sleeps, and it is skipped":      ("+2h", "skip 1h", {"slept": 3 * DAY}, {("missed", 0)}, "sleep"),
    "sleeps, and it is soon enough":  ("+2h", "ask 12h", {"slept": 8 * HOUR}, SENT, "sleep"),
    "set ahead by minutes":           ("+4m", "send", {"set_by": 300}, SENT, "clock"),
    "set ahead by hours":             ("+2h", "send", {"set_by": 8 * HOUR}, SENT, "clock"),
    "set ahead by days":              ("+2h", "ask 2h", {"set_by": 3 * DAY}, {("missed", 0)}, "clock"),
}  # fmt: skip
HELD_FOR = 2.0
"""Seconds for which the program holds everything after a strange jump (in life a minute); see the nursery."""


@pytest.mark.parametrize("kind", ["key", "blind"])
@pytest.mark.parametrize("what", MOVES)
def test_the_clock_moves_ahead(room: Room, kind: str, what: str) -> None:
    """After a sleep things leave at once and once; after a strange jump they are held for a while first."""
    after, late, move, allowed, cause = MOVES[what]
    home = _post_in(room, kind, after, late)
    clock, server = Clock(home), room.server()
    strange = move.get("set_by", 0) > 600
    with contextlib.closing(server), waking(room, home) as played:
        child = played.begin(clock)
        played.expect(not server.came, "it left before its time")
        clock.move(**move)
        moved = time.monotonic()
        if strange:
            played.expect(until(lambda: "jumped ahead" in child.said, 5), "nobody is told that the clock jumped")
            while time.monotonic() < moved + HELD_FOR - 0.7:
                played.expect(not server.came, "the strange clock was believed")
                time.sleep(0.1)
        until(lambda: rows(home)[0].state in ("sent", "missed", "in_doubt"))
        child.signal(signal.SIGTERM)
        child.wait()
        causes = [one for (one,) in played.sql("SELECT cause FROM absences")]
        played.expect(causes == [cause], f"noted: {causes}")
        played.judge(kind, server.endpoint.count(), allowed)


@pytest.mark.parametrize("kind", ["key", "blind"])
def test_the_clock_is_set_back_and_right_again(room: Room, kind: str) -> None:
    """Nothing stands still, nothing is sent twice; what is not due any more waits until it is."""
    home = _post_in(room, kind, "+10m", text="planned")
    clock, server = Clock(home), room.server()
    with contextlib.closing(server), waking(room, home) as played:
        child = played.begin(clock, 60)
        clock.move(set_by=-3 * HOUR)
        room.post(home, kind, ["before the jump"], at="+2s")  # by the right clock: due in three hours, for the worker
        room.nursery.run(home, "post", "--to", kind, "--text", "now", **clock.env)
        played.expect(until(lambda: server.endpoint.count()["now"] == 1, 6), "a clock set back stops everything")
        time.sleep(2.5)
        played.expect(server.endpoint.count() == {"now": 1}, f"set back, it sent {server.endpoint.count()}")
        clock.move()
        played.expect(until(lambda: "jumped ahead" in child.said, 5), "set right, nobody is told of the jump")
        until(lambda: "before the jump" in server.endpoint.count())
        clock.move(slept=HOUR)
        until(lambda: all(row.state == "sent" for row in rows(home)))
        child.signal(signal.SIGTERM)
        child.wait()
        want = {"planned": 1, "now": 1, "before the jump": 1}
        played.expect(server.endpoint.count() == want, f"the ledger: {server.endpoint.count()}")
        played.wrong += [words for row in rows(home) for words in broken(row, server.endpoint.count())]
        assert not played.wrong, "\n".join([*played.wrong, child.said])


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_sent_stays_sent_when_the_clock_is_set_back_a_day(room: Room, kind: str) -> None:
    home, server = room.home(kind, 1, "send", 3600, 0), room.server()
    clock = Clock(home)
    with contextlib.closing(server), scene(room, home) as played:
        played.worker(**clock.env)
        clock.move(set_by=-DAY)
        played.worker(**clock.env)
        played.judge(kind, server.endpoint.count(), SENT)


SUMMER, WINTER = "2027-03-28", "2027-10-31"
"""Berlin's changes: 2:00 becomes 3:00 there, and 3:00 becomes 2:00."""

CHANGES: dict[str, tuple[str, str, str]] = {
    # as it is planned, the instant that this is, and a moment before it
    "just after the gap":      (f"{SUMMER}T03:00", f"{SUMMER}T01:00:00+00:00", f"{SUMMER}T00:59:57+00:00"),
    "an hour after the gap":   (f"{SUMMER}T04:00", f"{SUMMER}T02:00:00+00:00", f"{SUMMER}T01:59:57+00:00"),
    "the first of two 2:30":   (f"{WINTER}T02:30+02:00", f"{WINTER}T00:30:00+00:00", f"{WINTER}T00:29:57+00:00"),
    "the second of two 2:30":  (f"{WINTER}T02:30+01:00", f"{WINTER}T01:30:00+00:00", f"{WINTER}T01:29:57+00:00"),
    "after the doubled hour":  (f"{WINTER}T03:30", f"{WINTER}T02:30:00+00:00", f"{WINTER}T02:29:57+00:00"),
}  # fmt: skip


def test_a_time_that_does_not_exist_or_exists_twice_is_asked_about(room: Room) -> None:
    home = room.empty_home()
    for wall in (f"{SUMMER}T02:30", f"{WINTER}T02:30"):
        child = room.nursery.start(home, "post", "--to", "blind", "--text", "part 1", "--at", wall)
        assert child.wait() == 2, child.said
    assert rows(home) == []


@pytest.mark.parametrize("kind", ["key", "blind"])
def test_the_zone_changes_between_planning_and_sending(room: Room, kind: str) -> None:
    home = _post_in(room, kind, "+2h")
    clock, server = Clock(home), room.server()
    with contextlib.closing(server), scene(room, home) as played:
        before = played.sql("SELECT planned_at, due_at, wall, zone FROM deliveries")
        played.worker("--for", "1", codes=(ENDED_WELL, NEEDS_YOU), TZ="America/New_York", **clock.env)
        played.expect(not server.came, "another zone made it due")
        clock.move(slept=2 * HOUR + 5)
        played.worker(TZ="America/New_York", **clock.env)
        after = played.sql("SELECT planned_at, due_at, wall, zone FROM deliveries")
        played.expect(after == before, f"the plan was {before} and is {after}")
        played.judge(kind, server.endpoint.count(), SENT)


# --- the same with libfaketime, which moves the clock under everything, APScheduler and SQLite too --------------------

FAKETIME = Path(f"/usr/lib/{os.uname().machine}-linux-gnu/faketime/libfaketime.so.1")


_numbers = itertools.count(1)


class FakedClock:
    """A nursery under libfaketime: one file moves the wall clock of all its children, and the steady one runs on.

    Each cell has its own: libfaketime's semaphore is shared by all children, and one that is killed takes it along.
    """

    def __init__(self, room: Room) -> None:
        self._file = room.folder / "faketime"
        self.move("+0")
        self.nursery = Nursery(
            room.folder / f"faked-{next(_numbers)}", room.source,
            LD_PRELOAD=str(FAKETIME), FAKETIME_TIMESTAMP_FILE=str(self._file),
            FAKETIME_NO_CACHE="1", DONT_FAKE_MONOTONIC="1", FAKETIME_DONT_FAKE_MONOTONIC="1",
        )  # fmt: skip

    def move(self, by: str) -> None:
        fresh = self._file.with_suffix(".new")
        fresh.write_text(by)
        fresh.replace(self._file)

    def stand_at(self, instant: str, seconds: float) -> None:
        """So many seconds after an instant."""
        self.move(f"{datetime.fromisoformat(instant).timestamp() + seconds - time.time():+.3f}")


@pytest.fixture
def faked(room: Room) -> Iterator[FakedClock]:
    made = FakedClock(room)
    yield made
    made.nursery.close()


@needs(str(FAKETIME))
@pytest.mark.parametrize("what", ["ahead", "ahead, too late", "back"])
def test_the_systems_clock_moves(room: Room, faked: FakedClock, what: str) -> None:
    """No part of the program, APScheduler neither, may stand still or drop what was due."""
    home = _post_in(room, "blind", "+20s" if what == "back" else "+2h", "ask 2h" if "late" in what else "send")
    server = room.server()
    faked.move("+0")
    with contextlib.closing(server), scene(room, home) as played:
        played.nursery = faked.nursery
        try:
            child = played.start("--for", "60")
            until(lambda: "started" in child.said)
            time.sleep(0.5)
            faked.move("-3h" if what == "back" else "+8h")
            if what == "back":
                faked.nursery.run(home, "post", "--to", "blind", "--text", "now")
                played.expect(until(lambda: server.endpoint.count()["now"] == 1, 8), "it stands still")
                time.sleep(3)
                played.expect(server.endpoint.count() == {"now": 1}, f"set back, it sent {server.endpoint.count()}")
                faked.move("+0")
            until(lambda: all(row.state in ("sent", "missed") for row in rows(home)), 30)
            child.signal(signal.SIGTERM)
            child.wait()
        finally:
            faked.nursery.end_all()
            faked.move("+0")
        effects, allowed = server.endpoint.count(), {("missed", 0)} if "late" in what else SENT
        played.expect(what != "back" or effects == {"part 1": 1, "now": 1}, f"the ledger: {effects}")
        for row in rows(home):
            played.expect((row.state, effects[row.texts[0]]) in allowed, str(row))
        assert not played.wrong, "\n".join([*played.wrong, child.said])


@needs(str(FAKETIME))
@pytest.mark.parametrize("what", CHANGES)
def test_clocks_change_for_the_season(room: Room, faked: FakedClock, what: str) -> None:
    """What is planned as a wall time leaves at the one instant that it means, not an hour before or after."""
    planned, instant, before = CHANGES[what]
    home, server = room.empty_home(), room.server()
    with contextlib.closing(server), scene(room, home) as played:
        played.nursery = faked.nursery
        try:
            faked.stand_at(before, -2 * HOUR)
            faked.nursery.run(home, "post", "--to", "blind", "--text", "part 1", "--at", planned)
            child = played.start("--for", "30")
            until(lambda: "started" in child.said)
            faked.stand_at(before, -HOUR / 2)  # in most cases on the other side of the change
            time.sleep(HELD_FOR + 0.5)
            played.expect(not server.came, "it left before its time")
            faked.stand_at(before, 0)
            until(lambda: rows(home)[0].state == "sent", 12)
            child.signal(signal.SIGTERM)
            child.wait()
        finally:
            faked.nursery.end_all()
            faked.move("+0")
        ((due, sent),) = played.sql("SELECT planned_at, sent_at FROM deliveries")
        meant = int(datetime.fromisoformat(instant).timestamp() * 1e6)
        played.expect(due == meant, f"it was planned for {datetime.fromtimestamp(due / 1e6, UTC)}")
        played.expect(sent and 0 <= sent - due < 10e6, "it was sent at another time")
        played.judge("blind", server.endpoint.count(), SENT)


# --- more than one ----------------------------------------------------------------------------------------------------


def test_a_second_instance_leaves_at_once(room: Room) -> None:
    home, server = room.home("blind", 1, "send", 3600, 0), room.server(breaks={1: "slow"})
    with contextlib.closing(server), scene(room, home) as played:
        first = played.start("--for", "3")
        until(lambda: "started" in first.said)
        for _ in range(3):
            played.worker(codes=(OWNED,))
        first.wait()
        played.judge("blind", server.endpoint.count(), DOUBT_1)


@pytest.mark.parametrize("kind", KINDS)
def test_told_to_end_while_the_server_does_not_answer(room: Room, kind: str) -> None:
    """Gone within seconds, in doubt about what it was doing; the next one finds out, or asks."""
    home, server = room.home(kind, 1, "send", 3600, 0), room.server(breaks={1: "slow"})
    with contextlib.closing(server), scene(room, home) as played:
        child = played.start("--for", "30")
        until(lambda: server.came)
        told = time.monotonic()
        child.signal(signal.SIGTERM)
        child.wait(LEAVES + 5)
        took = time.monotonic() - told
        played.expect(took <= LEAVES, f"it took {took:.1f} s to end")
        played.worker()
        played.judge(kind, server.endpoint.count(), DOUBT_1 if kind == "blind" else SENT)


# --- disks --------------------------------------------------------------------------------------------------------

WRITES = ["posix/io/rw/pwrite", "posix/io/rw/pwrite64"]
SYNCS = ["posix/io/sync/fdatasync", "posix/io/sync/fsync"]
FIU = "/usr/lib/fiu/fiu_posix_preload.so"


@pytest.fixture(scope="session")
def fiu(room: Room) -> Iterator[Nursery]:
    """A nursery whose children can be told to meet failing calls."""
    made = Nursery(room.folder / "fiu", room.source, LD_PRELOAD=f"/usr/lib/fiu/fiu_run_preload.so {FIU}")
    yield made
    made.close()


def _failing(point: str, calls: list[str], number: int, seconds: float) -> str:
    return json.dumps({"point": point, "calls": calls, "errno": number, "seconds": seconds})


CALLS = {
    "EIO on fsync": (SYNCS, errno.EIO),
    "ENOSPC on write": (WRITES, errno.ENOSPC),
    "EIO on write": (WRITES, errno.EIO),
}


@needs(FIU)
@pytest.mark.parametrize("kind", ["key", "blind"])
@pytest.mark.parametrize("point", ["claim.before", "claim.after", "intention.before", "wire.connected", "answer.read"])
@pytest.mark.parametrize("what", CALLS)
def test_the_disk_fails_for_a_while(room: Room, fiu: Nursery, kind: str, point: str, what: str) -> None:
    """No intention, no request; an end that can't be written is kept and written later. Then all is well again."""
    calls, number = CALLS[what]
    if point == "wire.connected":
        calls = [*calls, "posix/io/rw/write"]  # the note that it leaves is one
    home, server = room.home(kind, 1, "send", 3600, 0), room.server()
    with contextlib.closing(server), scene(room, home) as played:
        played.nursery = fiu
        child = played.start("--for", "30", CRASH_FAIL=_failing(point, calls, number, 1.0))
        try:
            if point in ("claim.before", "claim.after", "intention.before"):
                until(lambda: "started" in child.said)
                time.sleep(0.6)
                played.expect(not server.came, "it was sent without an intention on the disk")
            until(lambda: rows(home)[0].state in ("sent", "in_doubt"), 20)
            child.signal(signal.SIGTERM)
            child.wait()
        finally:
            fiu.end_all()
        played.nursery = None
        played.worker()
        played.expect(_is_whole(home), "the database is not whole")
        played.judge(kind, server.endpoint.count(), SENT)


@needs(FIU)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("what", CALLS)
def test_the_disk_fails_for_ever_once_it_is_sent(room: Room, fiu: Nursery, kind: str, what: str) -> None:
    """What became of it can't be written. It ends all the same, and the next one settles it."""
    calls, number = CALLS[what]
    home, server = room.home(kind, 1, "send", 3600, 0), room.server()
    with contextlib.closing(server), scene(room, home) as played:
        played.nursery = fiu
        child = played.start("--for", "2", CRASH_FAIL=_failing("answer.read", calls, number, 600))
        try:
            child.wait()
        finally:
            fiu.end_all()
        played.nursery = None
        played.worker()
        # SQLite may have written what it could not sync: then the next one reads it, and it is true.
        played.judge(kind, server.endpoint.count(), DOUBT_1 | SENT if kind == "blind" else SENT)


def _is_whole(home: Path) -> bool:
    with contextlib.closing(sqlite3.connect(home / "sendoff.db")) as database:
        return bool(database.execute("PRAGMA integrity_check").fetchone()[0] == "ok")


IN_A_FULL_FOLDER = """
set -e
mount -t tmpfs -o size=2m none "$1"
cp -a "$2/." "$1/"
dd if=/dev/zero of="$1/ballast" bs=4k 2>/dev/null || true
shift 2
exec "$@"
"""


@needs("unshare", "mount", root=True)
@pytest.mark.parametrize("kind", ["key", "blind"])
def test_the_disk_is_full(room: Room, tmp_path: Path, kind: str) -> None:
    """A real full file system: nothing is sent, a sentence says why; with room again it goes out."""
    home, server = room.home(kind, 1, "send", 3600, 0), room.server()
    small = tmp_path / "small"
    small.mkdir()
    before = ["unshare", "-m", "--propagation", "private", "bash", "-c", IN_A_FULL_FOLDER, "-", str(small), str(home)]
    with contextlib.closing(server), scene(room, home) as played:
        process = room.nursery.alone(small, "worker", "--for", "2", before=before)
        said, _ = process.communicate(timeout=30)
        played.expect(process.returncode in (ENDED_WELL, NEEDS_YOU, LOCKED_OUT), f"{process.returncode}: {said}")
        played.expect("is full" in said or "cannot be written" in said, f"the person reads: {said}")
        played.expect(not server.came, "it was sent, and nothing could be written")
        played.worker()  # the profile as it was before
        played.judge(kind, server.endpoint.count(), SENT)


@pytest.mark.parametrize("kind", ["key", "blind"])
@pytest.mark.parametrize("size", [0, 4096, 40_000, 140_000])
def test_files_may_not_grow(room: Room, kind: str, size: int) -> None:
    home, server = room.home(kind, 1, "send", 3600, 0), room.server()
    with contextlib.closing(server), scene(room, home) as played:
        played.worker("--for", "1.5", codes=(ENDED_WELL, NEEDS_YOU, LOCKED_OUT), CRASH_LIMITS=f"FSIZE={size}")
        states = [row.state for row in rows(home)]
        played.expect(
            server.endpoint.count() == {} or states != ["scheduled"], "sent, and the disk knows nothing of it"
        )
        played.worker()
        played.judge(kind, server.endpoint.count(), SENT)


READ_ONLY = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && shift && exec "$@"'


@needs("unshare", "mount", root=True)
def test_the_folder_can_not_be_written(room: Room) -> None:
    home, server = room.home("blind", 1, "send", 3600, 0), room.server()
    before = ["unshare", "-m", "--propagation", "private", "bash", "-c", READ_ONLY, "-", str(home)]
    with contextlib.closing(server), scene(room, home) as played:
        process = room.nursery.alone(home, "worker", "--for", "2", before=before)
        said, _ = process.communicate(timeout=30)
        played.expect(process.returncode == LOCKED_OUT, f"{process.returncode}: {said}")
        played.expect(not server.came, "it was sent, and nothing could be written")
        played.worker()
        played.judge("blind", server.endpoint.count(), SENT)


@pytest.mark.parametrize("kind", KINDS)
def test_somebody_holds_the_database_when_it_is_due(room: Room, kind: str) -> None:
    home, server = _post_in(room, kind, "+3s"), room.server()
    with contextlib.closing(server), scene(room, home) as played:
        child = played.start("--for", "20")
        until(lambda: "started" in child.said)
        with contextlib.closing(sqlite3.connect(home / "sendoff.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            time.sleep(4)
            played.expect(not server.came, "it was sent without an intention")
            other.execute("ROLLBACK")
        until(lambda: rows(home)[0].state == "sent")
        child.signal(signal.SIGTERM)
        child.wait()
        played.judge(kind, server.endpoint.count(), SENT)


@pytest.mark.parametrize("seed", range(16))
def test_the_database_is_damaged(room: Room, seed: int) -> None:
    """Bytes of it are turned over: it stops and says so, or it was nothing that matters; never a wrong send."""
    home, server = room.home("blind", 1, "send", 3600, 0), room.server()
    chance = random.Random(seed)
    with contextlib.closing(server), scene(room, home) as played:
        data = bytearray((home / "sendoff.db").read_bytes())
        page = chance.randrange(len(data) // 4096) * 4096 if seed else 0
        for place in (chance.randrange(page, page + 4096) for _ in range(200)):
            data[place] ^= chance.randrange(1, 256)
        (home / "sendoff.db").write_bytes(data)
        child = played.start("--for", "3")
        code = child.wait()
        n = server.endpoint.count()["part 1"]
        played.expect(n <= 1, f"it took effect {n} times")
        played.expect(code in (ENDED_WELL, NEEDS_YOU, LOCKED_OUT), f"it ended with {code}")
        played.expect("Traceback" not in child.said, "a traceback is no sentence")
        played.expect(code != LOCKED_OUT or n == 0 or "sent" in child.said, "damaged, and yet it was sent")
        assert not played.wrong, "\n".join([*played.wrong, child.said])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("point", ["intention.after", "wire.sent", "answer.read", "end.after"])
def test_the_log_of_the_database_is_deleted_after_a_crash(room: Room, kind: str, point: str) -> None:
    """The last commits are gone, but that it left is noted elsewhere: never a second time, and never a silent loss.

    Under which id it left is gone too, so nobody but the person can look.
    """
    home, server = room.home(kind, 1, "send", 3600, 0), room.server()
    with contextlib.closing(server), scene(room, home) as played:
        child = played.start(SENDOFF_KILL_AT=point)
        child.wait()
        for name in ("sendoff.db-wal", "sendoff.db-shm"):
            (home / name).unlink(missing_ok=True)
        if "is paused" in played.worker().said:  # it knows that the database had come further, and waits for the person
            room.nursery.run(home, "resume")
            played.worker()
        played.judge(kind, server.endpoint.count(), SENT if point == "intention.after" else DOUBT_0 | DOUBT_1)


# --- limits -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("most", [10, 12, 14, 16, 18, 20, 24, 28])
def test_no_file_can_be_opened_any_more(room: Room, most: int) -> None:
    home, server = room.home("blind", 1, "send", 3600, 0), room.server()
    with contextlib.closing(server), scene(room, home) as played:
        played.worker(
            "--for", "1.5", codes=(ENDED_WELL, NEEDS_YOU, LOCKED_OUT, OUR_FAULT), CRASH_LIMITS=f"NOFILE={most}"
        )
        played.worker()
        played.judge("blind", server.endpoint.count(), SENT)


# --- the network --------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def in_network_of(pid: int) -> Iterator[None]:
    """Sockets made here by this thread belong to the network of that process."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/thread-self/ns/net") as own, open(f"/proc/{pid}/ns/net") as other:
        for file in (other, own):
            if libc.setns(file.fileno(), 0x40000000):
                raise OSError(ctypes.get_errno(), "setns")
            if file is other:
                yield


@needs("unshare", "nsenter", "ip", root=True)
@pytest.mark.parametrize("kind", KINDS)
def test_there_is_no_network_and_then_there_is(room: Room, kind: str) -> None:
    """A network of its own whose only interface is down: offline spends no try; up, it goes out once."""
    home, ledger = room.home(kind, 1, "send", 3600, 0), Ledger()
    with scene(room, home) as played:
        process = room.nursery.alone(home, "worker", "--until-idle", before=["unshare", "-n"])
        try:
            time.sleep(3)
            played.expect(process.poll() is None, "it did not wait for the network")
            ((state, tries),) = played.sql("SELECT state, tries FROM deliveries")
            played.expect((state, tries) == ("scheduled", 0), f"offline, it is {state} after {tries} tries")
            with in_network_of(process.pid):
                server = LedgerServer(ledger, room.port)
            with contextlib.closing(server):
                subprocess.run(["nsenter", "-t", str(process.pid), "-n", "ip", "link", "set", "lo", "up"], check=True)
                said, _ = process.communicate(timeout=25)
                played.expect(process.returncode == ENDED_WELL, f"{process.returncode}: {said}")
        finally:
            process.kill()
            process.wait()
        played.judge(kind, ledger.count(), SENT)


# --- the keychain -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("passphrase", ["", "not the one"], ids=["none", "wrong"])
def test_the_keychain_is_locked(room: Room, tmp_path: Path, passphrase: str) -> None:
    """Without its passphrase nothing is sent, and nothing fails; with it, it goes out."""
    from tests.crash.mail import _profile, effects
    from tests.fakes.smtp_server import SmtpServer

    home = _profile(room, tmp_path, "light")
    with SmtpServer(tmp_path, port=room.port) as server, scene(room, home) as played:
        played.worker(codes=(LOCKED_OUT,), SENDOFF_PASSPHRASE=passphrase)
        played.expect([row.state for row in rows(home)] == ["scheduled"], f"it is {rows(home)[0].state}")
        played.expect(not server.commands, "it connected without a password")
        played.worker()
        played.judge("smtp", effects(server), SENT)


class Keychain:
    """The system's keychain of the processes that are started with `env`, as slow as it is told to be."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._seconds = folder / "seconds"
        self.env = {"CRASH_KEYCHAIN": str(folder)}
        self.takes(0)

    def takes(self, seconds: float) -> None:
        fresh = self._seconds.with_suffix(".new")
        fresh.write_text(str(seconds))
        fresh.replace(self._seconds)


@pytest.mark.parametrize("seconds", [0.2, 2.0, 600.0], ids=["slow", "very slow", "silent"])
def test_the_keychain_takes_its_time(room: Room, tmp_path: Path, seconds: float) -> None:
    """What leaves waits for the keychain, and for one that does not answer (here in half a second) until it does."""
    from tests.crash.mail import _profile, effects
    from tests.fakes.smtp_server import SmtpServer

    keychain = Keychain(tmp_path / "keychain")
    home = _profile(room, tmp_path, "light", **keychain.env)
    keychain.takes(seconds)
    with SmtpServer(tmp_path, port=room.port) as server, scene(room, home) as played:
        if seconds < 0.5:
            played.worker(**keychain.env)
        else:
            child = played.start("--for", "60", **keychain.env)
            played.expect(until(lambda: "keychain" in child.said), "nobody is told that the keychain is silent")
            played.expect([row.state for row in rows(home)] == ["scheduled"], f"it is {rows(home)[0].state}")
            played.expect(not server.commands, "it connected without a password")
            keychain.takes(0)
            if seconds > 30:  # whoever hangs in it stays there
                child.signal(signal.SIGTERM)
                child.wait()
                child = played.start("--for", "60", **keychain.env)
            until(lambda: rows(home)[0].state == "sent")
            child.signal(signal.SIGTERM)
            child.wait()
        played.judge("smtp", effects(server), SENT)


# --- files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["changed", "deleted", "copy deleted"])
def test_an_attachment_changes_after_it_was_planned(room: Room, tmp_path: Path, what: str) -> None:
    """What was chosen when it was written goes out, whatever becomes of the file; without the copy, nothing does."""
    from tests.crash.mail import _profile, effects
    from tests.fakes.smtp_server import SmtpServer

    home = _profile(room, tmp_path, "heavy")
    big = tmp_path / "big.bin"
    if what == "changed":
        big.write_bytes(b"another thing")
    else:
        big.unlink()
    if what == "copy deleted":
        shutil.rmtree(home / "media")
    with SmtpServer(tmp_path, port=room.port, size=50_000_000) as server, scene(room, home) as played:
        played.worker()
        if what == "copy deleted":
            played.judge("smtp", effects(server), FAILED)
            return
        (mail,) = server.taken
        (attached,) = mail.message.iter_attachments()
        played.expect(attached.get_content() == bytes(6_000_000), "another file went out than was chosen")
        played.judge("smtp", effects(server), SENT)


# --- races ------------------------------------------------------------------------------------------------------------

RACES = 25
"""How many posts are changed around the moment at which they leave."""


@pytest.mark.parametrize("kind", ["key", "blind"])
@pytest.mark.parametrize("what", ["cancel", "edit"])
def test_the_person_changes_it_just_when_it_leaves(
    room: Room, kind: str, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Either it is what it was, or what it became; the ledger and the row say the same."""
    from sendoff.bootstrap import open_program
    from sendoff.domain.errors import SendoffError
    from sendoff.domain.post import Content, Item, Variant
    from sendoff.domain.when import When

    home, server = room.empty_home(), room.server()
    chance = random.Random(3)
    with contextlib.closing(server), scene(room, home) as played, contextlib.ExitStack() as stack:
        monkeypatch.syspath_prepend(room.folder / "site")  # where this process finds the channels of the cells
        program = open_program(home, passphrase="open sesame")
        stack.callback(program.close)
        commands = program.commands
        child = played.start("--for", "40")
        until(lambda: "started" in child.said)
        late, last = 0, SendoffError()
        for number in range(RACES):
            room.post(home, kind, [f"old {number}"], at="+1s")
            (row,) = [one for one in rows(home) if one.texts == [f"old {number}"]]
            ((due, post_id),) = played.sql("SELECT due_at / 1e6, post_id FROM deliveries WHERE id = ?", row.id)
            time.sleep(max(due + chance.uniform(-0.6, 0.05) - time.time(), 0))
            try:
                if what == "cancel":
                    commands.deliveries.cancel([row.id])
                else:
                    ((account, wall, zone),) = played.sql(
                        "SELECT account_id, wall, zone FROM deliveries WHERE id = ?", row.id
                    )
                    planned = When(datetime.fromisoformat(wall), zone)
                    commands.posts.edit(post_id, Content((Item(f"new {number}"),)), [Variant(account)], planned)
            except SendoffError as wrong:
                late += 1
                last = wrong
        until(lambda: not any(one.state in ("scheduled", "claimed", "sending") for one in rows(home)))
        child.signal(signal.SIGTERM)
        child.wait()
        effects = server.endpoint.count()
        played.wrong += [words for one in rows(home) if one.state != "cancelled" for words in broken(one, effects)]
        for one in rows(home):
            number = one.texts[0].split()[1]
            n = effects[f"old {number}"] + effects[f"new {number}"]
            played.expect(n == (one.state == "sent"), f"{one.texts} is {one.state}, and took effect {n} times")
        played.expect(0 < late < RACES, f"it was no race: {late} of {RACES} came too late: {last}")
        assert not played.wrong, "\n".join([*played.wrong, child.said])


# --- very many --------------------------------------------------------------------------------------------------------

MANY = 10_000
CALM = next(value for module, name, value in SHORTER if name == "CALM")


def _many(played: Scene, accounts: int, late: float) -> None:
    """As many deliveries as the first one has copies, all due, spread over copies of its account."""
    with contextlib.closing(sqlite3.connect(played.home / "sendoff.db")) as database, database:
        due = int((time.time() - late) * 1e6)
        account, post, delivery = database.execute("SELECT account_id, post_id, id FROM deliveries").fetchone()
        for table, condition, copies, changes in (
            ("accounts", f"id = {account}", accounts, {"name": "'many ' || n"}),
            ("posts", f"id = {post}", MANY,
             {"content": "json_set(content, '$.items[0].text', 'part ' || n)", "excerpt": "'part ' || n"}),
        ):  # fmt: skip
            _copy(database, table, condition, copies, changes)
        first = {
            table: database.execute(f"SELECT max(id) FROM {table}").fetchone()[0] for table in ("accounts", "posts")
        }
        owners = f"{first['accounts'] - accounts} + 1 + (n % {accounts})"
        _copy(database, "deliveries", f"id = {delivery}", MANY, {
            "post_id": f"{first['posts'] - MANY} + n", "account_id": owners, "due_at": f"{due} + n * 100",
            "planned_at": f"{due} + n * 100", "give_up_at": f"{due} + 86400000000",
        })  # fmt: skip
        newest = database.execute("SELECT max(id) FROM deliveries").fetchone()[0]
        _copy(database, "parts", f"delivery_id = {delivery}", MANY,
              {"delivery_id": f"{newest - MANY} + n", "key": "printf('%032x', n)"})  # fmt: skip
        database.execute("DELETE FROM deliveries WHERE id = ?", [delivery])
        database.execute("DELETE FROM parts WHERE delivery_id = ?", [delivery])


def _copy(database: sqlite3.Connection, table: str, condition: str, copies: int, changes: dict[str, str]) -> None:
    names = [row[1] for row in database.execute(f"PRAGMA table_info({table})") if row[1] != "id"]
    values = ", ".join(changes.get(name, name) for name in names)
    database.execute(
        f"WITH RECURSIVE many(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM many WHERE n < {copies}) "
        f"INSERT INTO {table} ({', '.join(names)}) SELECT {values} FROM many, {table} WHERE {condition}"
    )


def test_ten_thousand_of_many_accounts_are_due_at_once(room: Room) -> None:
    home, server = room.home("blind", 1, "send", 3600, 0), room.server()
    with contextlib.closing(server), scene(room, home) as played:
        _many(played, 200, 0)
        child = played.start()
        played.expect(child.wait(100) == ENDED_WELL, f"it ended with {child.code}")
        effects = server.endpoint.count()
        states = Counter(state for (state,) in played.sql("SELECT state FROM deliveries"))
        played.expect(states == {"sent": MANY}, f"they are {states}")
        twice = [text for text, n in effects.items() if n != 1]
        played.expect(
            len(effects) == MANY and not twice, f"{len(effects)} took effect, some more than once: {twice[:5]}"
        )
        assert not played.wrong, "\n".join(played.wrong)


def test_ten_thousand_of_one_account_leave_calmly_and_in_order(room: Room) -> None:
    """A backlog of hours: a pause between any two, the oldest first, and nobody is alarmed."""
    home, server = room.home("blind", 1, "send", 3600, 0), room.server()
    with contextlib.closing(server), scene(room, home) as played:
        _many(played, 1, 2 * HOUR)
        child = played.start("--for", "9")
        child.wait()
        wanted = 9 / CALM
        sent = [one.text for one in server.endpoint.effects]
        played.expect(sent == [f"part {number}" for number in range(1, len(sent) + 1)], f"the order was {sent}")
        played.expect(wanted / 4 <= len(sent) <= wanted + 2, f"{len(sent)} left within nine seconds")
        played.expect("nothing takes" not in child.said, "the watchdog took a calm pace for a standstill")
        states = Counter(state for (state,) in played.sql("SELECT state FROM deliveries"))
        # One may be between its intention and the wire when the time is over; the next sender takes it up.
        played.expect(states["sent"] == len(sent) and states["sending"] <= 1, f"they are {states}")
        played.expect(states.total() == MANY, f"they are {states}")
        assert not played.wrong, "\n".join([*played.wrong, child.said])
