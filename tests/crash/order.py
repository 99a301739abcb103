"""The order of system calls: the intention is on the disk before anything connects, the note before anything leaves."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.crash.cells import Room
from tests.crash.faults import ASKABLE, BLIND, SENT, scene
from tests.crash.machine import needs

CALL = re.compile(r"^(?P<pid>\d+) +(?P<name>\w+)\((?P<rest>.*)$")
RESUMED = re.compile(r"^(?P<pid>\d+) +<\.\.\. (?P<name>\w+) resumed>")
NAMED = re.compile(r"<((?:\\x[0-9a-f]{2})+)>")
BYTE = "\\x"
SENDING = re.compile(rb"sending.{1,20}20\d\d-\d\d-\d\dT", re.DOTALL)
"""A row of deliveries, as SQLite writes it: the state, some numbers, the wall time."""


@dataclass(frozen=True)
class Call:
    """A system call: the lines of the trace in which it began and was over."""

    name: str
    rest: str
    began: int
    over: int

    @property
    def socket(self) -> str:
        found = re.match(r"\d+<(socket:\[\d+\])>", self.rest)
        return found[1] if found else ""

    @property
    def data(self) -> bytes:
        found = re.search(r'"((?:\\x[0-9a-f]{2})*)"', self.rest)
        return bytes.fromhex(found[1].replace("\\x", "")) if found else b""


def calls(trace: Path) -> list[Call]:
    """The calls of all threads, in the order in which they began."""
    return sorted(_calls(trace), key=lambda call: call.began)


def _calls(trace: Path) -> Iterator[Call]:
    pending: dict[str, tuple[str, str, int]] = {}
    for number, line in enumerate(trace.read_text().splitlines()):
        line = NAMED.sub(lambda hit: f"<{bytes.fromhex(hit[1].replace(BYTE, '')).decode()}>", line, count=1)
        if hit := CALL.match(line):
            if "<unfinished ...>" in line:
                pending[hit["pid"]] = (hit["name"], hit["rest"], number)
            else:
                yield Call(hit["name"], hit["rest"], number, number)
        elif (hit := RESUMED.match(line)) and hit["pid"] in pending:
            yield Call(*pending.pop(hit["pid"]), number)


def may_trace() -> bool:
    scope = Path("/proc/sys/kernel/yama/ptrace_scope")
    return not scope.exists() or scope.read_text().strip() != "3"


@needs("strace")
@pytest.mark.skipif(not may_trace(), reason="this system lets nobody trace")
@pytest.mark.parametrize("kind", [*ASKABLE, *BLIND])
def test_order(room: Room, tmp_path: Path, kind: str, record_property: Callable[[str, object], None]) -> None:
    record_property("sort", "order")
    home, server, trace = room.home(kind, 1, "send", 3600, 0), room.server(), tmp_path / "trace"
    before = ["strace", "-f", "-y", "-xx", "-s", "40000", "-o", str(trace),
              "-e", "trace=connect,sendto,write,pwrite64,fdatasync,fsync"]  # fmt: skip
    with contextlib.closing(server), scene(room, home) as played:
        process = room.nursery.alone(home, "worker", "--until-idle", before=before)
        said, _ = process.communicate(timeout=60)
        if "ptrace" in said or "PTRACE" in said:
            pytest.skip(f"strace may not trace here: {said.splitlines()[0]}")
        assert process.returncode == 0, said
        judge(calls(trace))
        played.judge(kind, server.endpoint.count(), SENT)


def judge(found: list[Call]) -> None:
    """Intention written, synced, connected, noted, sent, recorded, synced: in this order."""

    def log(name: str) -> list[Call]:
        return [one for one in found if one.name == name and "sendoff.db-wal>" in one.rest]

    # A look at the media or an upload may come before; what has an effect is the last request of a channel's try.
    sent = [one for one in found if one.name == "sendto" and re.match(rb"(POST|PUT) /\w+/posts", one.data)]
    assert len(sent) == 1, [one.data[:60] for one in found if one.name == "sendto"]
    (note,) = [one for one in found if one.name == "write" and "/leaving>" in one.rest and len(one.data) == 8]
    intention = next(one for one in log("pwrite64") if SENDING.search(one.data))
    synced = next(one for one in log("fdatasync") if one.began > intention.over)
    connected = max((one for one in found if one.name == "connect" and one.socket == sent[0].socket
                     and one.over < sent[0].began), key=lambda one: one.began, default=None)  # fmt: skip
    if connected is not None and connected.began > synced.over:  # else the line of the upload before is used again
        assert connected.over < note.began, "the note lies before the line was there"
    assert synced.over < note.began <= note.over < sent[0].began, "it left without its intention, or without the note"
    record = next(one for one in log("pwrite64") if one.began > sent[0].over)
    assert any(one.began > record.over for one in log("fdatasync")), "its end was not synced"
