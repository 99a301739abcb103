"""`sendoff --self-test`: whether this installed Sendoff works on this computer. Nothing leaves it, nothing is kept."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sqlite3
import ssl
import time
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from sendoff import APP_ID, haste, release
from sendoff.bootstrap import Program, open_program
from sendoff.channels.fault_server import FaultServer
from sendoff.cli import display
from sendoff.cli.findings import Finding, as_json, is_well
from sendoff.cli.selftest_endpoints import Board, MailServer
from sendoff.domain.delivery import State
from sendoff.domain.errors import KeychainError, KeychainMissing
from sendoff.domain.post import Content, Item, Mail, Recipient, Variant
from sendoff.domain.when import When
from sendoff.resources import resource
from sendoff.store import timeline
from sendoff.store.db import FILE
from sendoff.store.secrets import Secrets

SOON = timedelta(seconds=1)
PATIENCE = 30.0
"""Seconds within which a post and a mail have to be out."""

UNFINISHED = Finding.wrong("end", "it did not come to its end: Qt or the system ended it")
"""Stands in the report until it does. Where Qt finds no display it ends the process."""

PICTURE = b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==")
"""The smallest PNG."""

PASSPHRASE = "self-test"  # noqa: S105  # of a file of keys that lives as long as this test


def examine(arguments: argparse.Namespace) -> int:
    """Looks at everything and returns 0 if all of it works.

    `arguments.report` is a file that gets the same as JSON, where the console shows nothing (Windows).
    """
    findings: list[Finding] = []
    with TemporaryDirectory(prefix="sendoff-self-test-", ignore_cleanup_errors=True) as name:
        for one in _all(Path(name)):
            findings.append(one)
            print(one.line, flush=True)
            _write(arguments.report, [*findings, UNFINISHED])
    _write(arguments.report, findings)
    well = is_well(findings)
    print("\nAll of it works here." if well else "\nSomething does not work here; the lines marked “wrong” say what.")
    return 0 if well else 1


def _write(path: Path | None, findings: Sequence[Finding]) -> None:
    if path:
        path.write_text(json.dumps(as_json(findings), indent=1), encoding="utf-8")


def _all(folder: Path) -> Iterator[Finding]:
    yield _program()
    yield _files()
    yield _authorities()
    with closing(open_program(folder / "profile", passphrase=PASSPHRASE)) as program:
        yield _channels(program)
        yield _database(program)
        yield _pictures(program)
        yield _keychain(folder)
        yield from _sending(program)
    yield from _window(folder / "window")


def _program() -> Finding:
    versions = {
        "sendoff": release.version(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "openssl": ssl.OPENSSL_VERSION.split()[1],
        "system": f"{platform.system()} {platform.release()}",
    }
    return Finding.ok("program", ", ".join(f"{name} {version}" for name, version in versions.items()), **versions)


def _files() -> Finding:
    """What Sendoff brings along: without it there would be boxes and holes."""
    wanted = ("tokens.json", "fonts/Inter-Regular.ttf", "icons/send.svg", "icons/app/sendoff.svg", "licences/Inter.txt")
    missing = [name for name in wanted if not resource(*name.split("/")).is_file()]
    if missing:
        return Finding.wrong("files", f"missing: {', '.join(missing)}. Install Sendoff again.")
    n = len(list(resource("icons").glob("*.svg")))
    return Finding.ok("files", f"fonts, licences and {n} icons are there")


def _authorities() -> Finding:
    """Whom a connection to the internet would believe."""
    n = len(ssl.create_default_context().get_ca_certs())
    if not n:
        return Finding.note("trust", "this system names no certificate authorities, so mail servers can’t be believed")
    return Finding.ok("trust", f"{n} certificate authorities", authorities=n)


def _channels(program: Program) -> Finding:
    if program.failed_channels:
        why = ", ".join(f"{name} ({said})" for name, said in program.failed_channels.items())
        return Finding.wrong("channels", f"could not be loaded: {why}")
    if not program.channels:
        return Finding.wrong("channels", "none is there: the list of what this Sendoff brings along is missing")
    return Finding.ok("channels", ", ".join(sorted(program.channels)), loaded=sorted(program.channels))


def _database(program: Program) -> Finding:
    path = program.folder / FILE
    mode = path.stat().st_mode & 0o777
    if os.name == "posix" and mode & 0o077:
        return Finding.wrong("database", f"it could be read by others (mode {mode:04o})")
    with program.store.reading() as connection:
        totals = timeline.totals(connection)
    return Finding.ok("database", "made, written and read, for its owner alone", deliveries=sum(totals.values()))


def _pictures(program: Program) -> Finding:
    """Pictures are read by a library of others, and of its parts some may be missing."""
    try:
        found = program.media.attach_bytes(PICTURE, "dot.png", "image/png")
    except ImportError as missing:
        return Finding.wrong("pictures", f"the library that reads them can’t be loaded: {missing}")
    if (found.width, found.height) != (1, 1):
        return Finding.wrong("pictures", f"one of 1 × 1 is taken for {found.width} × {found.height}")
    return Finding.ok("pictures", "one was read")


def _keychain(folder: Path) -> Finding:
    """Keeps a key, reads it back and removes it again: in the system's keychain, or in a file of its own."""
    secrets = Secrets(folder, PASSPHRASE)
    values = {"token": "of the self-test, and of no use"}
    try:
        ref = secrets.put(values)
        kept = Secrets(folder, PASSPHRASE).get(ref)
        secrets.remove(ref)
    except KeychainMissing as missing:
        return Finding.wrong("keychain", str(missing))
    except KeychainError as wrong:
        return Finding.note("keychain", f"{secrets.place()}: {wrong}")
    if kept != values:
        return Finding.wrong("keychain", f"{secrets.place()} does not give back what it was given")
    find = Finding.ok if ref.startswith("os:") else Finding.note
    return find("keychain", f"{secrets.place()}: a key was kept, read back and removed", place=secrets.place())


def _sending(program: Program) -> Iterator[Finding]:
    """A post over HTTP and a mail over TLS, planned a second ahead, to servers inside this process."""
    board = Board()
    with FaultServer(board) as web, MailServer(program.folder) as post_office:
        first = program.commands.accounts.add(
            "endpoint", "A service", {"url": f"{web.url}/posts", "body": '{"text": "{{text}}"}', "id_at": "/id"}
        )
        second = program.commands.accounts.add("smtp", "A mail server", post_office.fields)
        when = When.at(program.clock.now() + SOON, program.commands.settings.zone())
        contents = {
            first: Content((Item("Hello from the self-test. 👋"),)),
            second: Content((Item("It works."),), Mail("Self-test", to=(Recipient("ada@example.org", "Ada"),))),
        }
        ids = {}
        for account, content in contents.items():
            post_id, _ = program.commands.posts.save_draft(content, [Variant(account)])
            (ids[account],) = program.commands.posts.schedule(post_id, when, "send")
        _send(program, list(ids.values()))
        yield _became(program, "post", ids[first], len(board.effects))
        yield _became(program, "mail", ids[second], len(post_office.taken))


def _send(program: Program, ids: list[int]) -> None:
    engine, end = program.engine(), time.monotonic() + PATIENCE
    engine.start()
    try:
        while time.monotonic() < end:
            with program.store.reading() as connection:
                states = {timeline.detail(connection, one).row.delivery.state for one in ids}
            if states == {State.SENT} or states & {State.FAILED, State.IN_DOUBT, State.HELD, State.MISSED}:
                break
            time.sleep(0.05)
    finally:
        engine.stop()


def _became(program: Program, name: str, delivery_id: int, arrived: int) -> Finding:
    with program.store.reading() as connection:
        delivery = timeline.detail(connection, delivery_id).row.delivery
    data = {"state": delivery.state, "arrived": arrived}
    if delivery.state is not State.SENT or arrived != 1 or delivery.sent_at is None:
        why = f"{delivery.state.replace('_', ' ')}, and {arrived} arrived. {delivery.reason}"
        return Finding.wrong(name, why, **data)
    late = (delivery.sent_at - delivery.planned_at).total_seconds()
    return Finding.ok(name, f"out once, {late * 1000:.0f} ms after its time", late_seconds=round(late, 3), **data)


def _window(folder: Path) -> Iterator[Finding]:
    """Opens every screen once, on a display if there is one."""
    if trouble := display.trouble():
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        yield Finding.note("display", f"{trouble} The window is tried without one.")
    began = time.perf_counter()
    haste.begin()
    try:
        from sendoff.ui import selftest
    except ImportError as missing:
        haste.end()
        yield Finding.wrong("window", f"Qt can’t be loaded: {missing}")
        return
    seen = selftest.look(folder, began)
    data: Mapping[str, object] = {
        "platform": seen.platform, "first_paint_ms": round(seen.first_paint), "ready_ms": round(seen.ready),
        "screens": list(seen.screens), "tray": seen.tray, "desktop_id": APP_ID,
    }  # fmt: skip
    if seen.faults:
        yield Finding.wrong("window", "; ".join(seen.faults), **data)
        return
    yield Finding.ok(
        "window",
        f"painted after {seen.first_paint:.0f} ms, ready after {seen.ready:.0f} ms; {len(seen.screens)} screens on "
        f"{seen.platform}, Qt {seen.qt}",
        **data,
    )
    if seen.tray:
        yield Finding.ok("tray", "there is a panel with a tray, and Sendoff stands in it")
    else:
        yield Finding.note("tray", "there is no panel with a tray here; closing the window asks what that means")
