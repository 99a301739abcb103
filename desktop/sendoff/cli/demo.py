"""`sendoff demo`: two posts and a mail to endpoints inside the program, seen as they happen, and their receipts."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from sendoff.bootstrap import Program, open_program
from sendoff.channels.practice import Practice
from sendoff.cli import lines, render
from sendoff.cli.worker import BREATH, Told, ended_by_signals
from sendoff.domain.delivery import State
from sendoff.domain.post import Content, Item, Mail, Recipient, Variant
from sendoff.domain.when import When, clock_text
from sendoff.store import news, timeline
from sendoff.store.timeline import Row

LEAD = timedelta(seconds=2)
APART = timedelta(seconds=1)
PATIENCE = 60.0
"""Seconds after which the demo gives up. It takes about eight."""

_ACCOUNTS = (
    ("A calm network", {"handle": "@you@calm"}),
    ("A busy network", {"handle": "@you@busy", "answers": "later:2"}),
    ("A mail server", {"handle": "you@mail", "takes": "mail", "answers": "drop"}),
)
_CONTENTS = (
    Content((Item("Hello! Written once, and it leaves by itself."),)),
    Content((Item("A thread of three."), Item("Each item is a request of its own."), Item("They leave in order."))),
    Content((Item("Dear {{name}}, this is a mail."),), Mail("A mail", to=(Recipient("ada@example.org", "Ada"),))),
)
_WHAT = ("a post", "a thread of three", "a mail")
_INTRODUCTION = """\
Sendoff demo. Nothing reaches the internet: the endpoints are inside the program.
The busy network asks to wait two seconds. The mail server takes its mail, but the answer gets lost on the way.
"""


def play(_: argparse.Namespace) -> int:
    with TemporaryDirectory(prefix="sendoff-demo-", ignore_cleanup_errors=True) as name:
        program = open_program(Path(name))
        try:
            print(_INTRODUCTION)
            ids = _prepare(program)
            is_done = _watch(program, ids) and _arrived_once(program)
            print("\n".join(_receipts(program, ids)))
        finally:
            program.close()
    if not is_done:
        print("\nNot everything arrived. The lines above say what happened.")
        return 1
    print("\nEverything arrived once. Nothing reached the internet, and nothing is left of this on the disk.")
    return 0


def _prepare(program: Program) -> list[int]:
    zone, base = program.commands.settings.zone(), program.clock.now() + LEAD
    ids = []
    for number, ((name, fields), content) in enumerate(zip(_ACCOUNTS, _CONTENTS, strict=True)):
        account_id = program.commands.accounts.add("practice", name, fields)
        post_id, _ = program.commands.posts.save_draft(content, [Variant(account_id)])
        ids += program.commands.posts.schedule(post_id, When.at(base + number * APART, zone), "send")
    return ids


def _rows(program: Program, ids: list[int]) -> list[Row]:
    with program.store.reading() as connection:
        return [timeline.detail(connection, one).row for one in ids]


def _watch(program: Program, ids: list[int]) -> bool:
    """Shows what happens until all of it is over. True if everything was sent."""
    screen = _Screen(program, ids) if _can_redraw() else _Lines(program)
    end, woken = Told(), threading.Event()
    engine, until = program.engine(), time.monotonic() + PATIENCE
    stop_listening = program.bell.listen(lambda _: woken.set())
    with ended_by_signals(end):
        engine.start()
        try:
            while not end.is_set() and time.monotonic() < until:
                woken.clear()
                screen.show()
                if all(row.delivery.state is State.SENT for row in _rows(program, ids)):
                    break
                woken.wait(0.25)
                time.sleep(BREATH)
        finally:
            stop_listening()
            engine.stop()
    screen.show()
    return all(row.delivery.state is State.SENT for row in _rows(program, ids))


def _arrived_once(program: Program) -> bool:
    """Asks the endpoints themselves, which keep what they took."""
    network = program.channels["practice"]
    assert isinstance(network, Practice)
    return len(network.received()) == sum(len(content.items) for content in _CONTENTS)


class _Lines:
    """A line for each thing that happens, where nothing can be drawn twice."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._zone = program.commands.settings.zone()
        with program.store.reading() as connection:
            self._seen = news.seen_now(connection)

    def show(self) -> None:
        now = self._program.clock.now()
        with self._program.store.reading() as connection:
            happened, self._seen = news.since(connection, self._seen, now)
        for one in happened:
            print(lines.line(one, self._zone, now), flush=True)


class _Screen:
    """A table that is drawn over itself (ECMA-48: CUU moves up, EL clears a line)."""

    def __init__(self, program: Program, ids: list[int]) -> None:
        self._program = program
        self._ids = ids
        self._drawn: list[str] = []

    def show(self) -> None:
        rows = [
            [clock_text(row.when.wall.replace(microsecond=0)), what, row.account, _progress(row)]
            for what, row in zip(_WHAT, _rows(self._program, self._ids), strict=True)
        ]
        drawn = render.table(["PLANNED", "WHAT", "WHERE", "STATE"], rows)
        if drawn == self._drawn:
            return
        up = f"\033[{len(self._drawn)}A" if self._drawn else ""
        width = shutil.get_terminal_size().columns
        print(up + "\n".join(f"\033[2K{render.cut(line, width)}" for line in drawn), flush=True)
        self._drawn = drawn


def _can_redraw() -> bool:
    return sys.stdout is not None and sys.stdout.isatty() and os.environ.get("TERM") != "dumb" and os.name == "posix"


def _progress(row: Row) -> str:
    one = row.delivery
    out = f", {row.out} of {row.parts} out" if 0 < row.out < row.parts else ""
    if one.sent_at:
        return f"sent, {render.lateness(one.sent_at, one.planned_at)}"
    if one.state in _ON_ITS_WAY:
        return _ON_ITS_WAY[one.state] + out
    return f"{one.state.replace('_', ' ')}: {one.reason}" if one.reason else f"waits for its time{out}"


_ON_ITS_WAY = {State.CLAIMED: "about to leave", State.SENDING: "leaving"}


def _receipts(program: Program, ids: list[int]) -> Iterator[str]:
    yield "\nReceipts"
    with program.store.reading() as connection:
        found = [timeline.detail(connection, one) for one in ids]
    table = [
        [one.row.account, f"{part.number} of {len(one.parts)}", part.receipt.remote_id, part.receipt.answer]
        for one in found
        for part in one.parts
        if part.receipt
    ]
    yield from render.table(["WHERE", "PART", "RECEIPT", "ANSWER"], table)
