"""`sendoff doctor`: whether all is well, with nothing in it that could not stand in a public bug report."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sendoff import release
from sendoff.bootstrap import Program, system_zone
from sendoff.cli import render, session
from sendoff.cli.findings import Finding, Verdict, as_json, is_well
from sendoff.domain.account import Account, AccountState, rest_span
from sendoff.domain.delivery import State
from sendoff.domain.errors import Damaged, KeychainError, SecretGone, SendoffError
from sendoff.domain.limits import size_text
from sendoff.domain.redact import Redactor
from sendoff.domain.signin import Ending
from sendoff.domain.when import Clock, distance, span_text
from sendoff.domain.words import counted
from sendoff.engine.engine import SIGN_OF_LIFE
from sendoff.engine.pause import is_paused
from sendoff.engine.watchdog import UNTOUCHED, untaken
from sendoff.store import (
    accounts,
    backups,
    health,
    outgoing,
    profile,
    settings,
    signins,
    timeline,
    whereabouts,
    wouldsend,
)
from sendoff.store.db import FILE, Connection

LITTLE_ROOM = 100 << 20
"""Bytes of free disk below which something is wrong."""

OLD_COPY = timedelta(days=2)
"""How old the latest copy may be while something sends."""

DRIFT = 0.5
"""Seconds by which the clock may move against the steady one while the doctor looks."""


def examine(arguments: argparse.Namespace) -> int:
    steady, wall = time.monotonic(), time.time()
    folder = profile.home()
    findings = [*_computer(folder), *_profile(folder, arguments), _clock(steady, wall)]
    clean = _Public(folder).clean
    findings = [Finding(one.name, one.verdict, clean(one.text), one.data) for one in findings]
    if arguments.json:
        render.print_json(as_json(findings))
    else:
        print("\n".join(one.line for one in findings))
        session.remark(f"PROFILE is {folder}")  # for this person, not for the report
    return 0 if is_well(findings) else 1


class _Public:
    """Takes out of a text what is nobody's business: this person's folders and name, and anything like a key."""

    def __init__(self, folder: Path) -> None:
        self._names = {str(folder): "PROFILE", str(Path.home()): "~"}
        self._redactor = Redactor()

    def clean(self, text: str) -> str:
        for private, public in self._names.items():
            if len(private) > 1:
                text = text.replace(private, public)
        return self._redactor.clean(text)


# --- the computer -------------------------------------------------------------------------------------------------


def _computer(folder: Path) -> Iterator[Finding]:
    versions = {
        "sendoff": release.version(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "system": f"{platform.system()} {platform.release()}",
    }
    yield Finding.ok("program", ", ".join(f"{name} {version}" for name, version in versions.items()), **versions)
    there = next((one for one in (folder, *folder.parents) if one.exists()), folder)
    free = shutil.disk_usage(there).free
    find = Finding.wrong if free < LITTLE_ROOM else Finding.ok
    yield find("disk", f"{size_text(free)} free where the profile is", free_bytes=free)


def _clock(steady: float, wall: float) -> Finding:
    zone = system_zone()
    drift = (time.time() - wall) - (time.monotonic() - steady)
    data = {"zone": zone, "now": render.instant(datetime.now(UTC)), "drift_seconds": round(drift, 3)}
    if abs(drift) > DRIFT:
        return Finding.wrong("clock", f"somebody moves the clock: {drift:+.1f} s while this looked", **data)
    return Finding.ok("clock", f"runs steadily, in {zone}", **data)


# --- the profile --------------------------------------------------------------------------------------------------


def _profile(folder: Path, arguments: argparse.Namespace) -> Iterator[Finding]:
    if not (folder / FILE).exists() and not (folder / whereabouts.FILE).exists():
        yield Finding.note("folder", f"There is no profile yet at {folder}; the first start makes it.", exists=False)
        return
    yield _folder(folder)
    found = _guarded("database", lambda: _database(folder))
    yield found
    yield _lock(folder)
    yield _copies(folder)
    if found.verdict is Verdict.WRONG:
        yield Finding.note("rest", "was not looked at, because the database can’t be used")
        return
    try:
        with session.opened(arguments) as program:
            yield from _program(program)
    except SendoffError as wrong:
        yield Finding.wrong("profile", str(wrong))


def _guarded(name: str, look: Callable[[], Finding]) -> Finding:
    try:
        return look()
    except SendoffError as wrong:
        return Finding.wrong(name, str(wrong))


def _folder(folder: Path) -> Finding:
    """Everything in the profile is for its owner alone."""
    if os.name != "posix":
        return Finding.ok("folder", str(folder))
    mode = folder.stat().st_mode & 0o777
    open_to_others = [one for one in folder.rglob("*") if not one.is_symlink() and one.stat().st_mode & 0o077]
    data = {"mode": f"{mode:04o}", "open_to_others": len(open_to_others)}
    if mode & 0o077:
        return Finding.wrong(
            "folder", f"{folder} can be read by others (mode {mode:04o}). Close it: chmod 700 {folder}", **data
        )
    if open_to_others:
        names = ", ".join(sorted(one.name for one in open_to_others if one.suffix in (".db", ".vault", ".log")))
        words = f"{len(open_to_others)} files in it could be read by others{f' ({names})' if names else ''}"
        return Finding.wrong("folder", f"{folder}: {words}. Close them: chmod -R go= {folder}", **data)
    return Finding.ok("folder", f"{folder}, for its owner alone", **data)


def _database(folder: Path) -> Finding:
    if not (folder / FILE).exists():
        raise Damaged(f"is gone: {folder / FILE}. {backups.advice(folder)}")
    found = health.look(folder / FILE)
    data = {"version": found.version, "faults": list(found.faults), "bytes": found.size}
    if found.faults:
        words = f"is damaged: {'; '.join(found.faults)}. {backups.advice(folder)}"
        return Finding.wrong("database", words, **data)
    if not found.is_current:
        return Finding.note("database", f"is at step {found.version}; the next start brings it up to date", **data)
    return Finding.ok("database", f"step {found.version}, whole, {size_text(found.size)}", **data)


def _copies(folder: Path) -> Finding:
    """Whether the automatic copies are made. The sender makes one a day, soon after it has started."""
    found = backups.every(folder)
    latest = backups.latest(folder)
    data = {"copies": len(found), "latest": render.instant(latest.at if latest else None)}
    if latest is None:
        return Finding.note("copies", "there is none yet; the sender makes one a day", **data)
    age = datetime.now(UTC) - latest.at
    words = f"{len(found)} in {folder / backups.FOLDER}, the latest {span_text(max(age.total_seconds(), 0))} old"
    if age > OLD_COPY and profile.is_sender_running(folder):
        return Finding.wrong("copies", f"{words}, although a sender runs. Is there room on the disk?", **data)
    return Finding.ok("copies", words, **data)


def _lock(folder: Path) -> Finding:
    running = profile.is_sender_running(folder)
    holder = profile.SenderLock(folder).holder() if running else ""
    return Finding.ok(
        "lock", f"held by a sender{holder}" if running else "free: nothing sends for this profile now", held=running
    )


def _program(program: Program) -> Iterator[Finding]:
    yield _channels(program)
    yield _guarded("keychain", lambda: _keychain(program))
    with program.store.reading() as connection:
        totals = timeline.totals(connection)
        sender = timeline.sender(connection)
        due, resting = outgoing.next_due(connection), accounts.resting(connection)
        ending = signins.endings(connection, program.clock.now())
        untouched = outgoing.untouched(connection, program.clock.now() - UNTOUCHED, _excused(connection, program))
        chosen = settings.read(connection)
        paused, zone = chosen["paused_until"], chosen["zone"]
        why = whereabouts.why_paused(chosen)
        outlook = wouldsend.outlook(connection, program.clock.now(), 0)
        needs_you = timeline.needs_you_count(connection)
    yield _sender(program, sender)
    words = ", ".join(f"{n} {state.replace('_', ' ')}" for state, n in totals.items()) or "none"
    yield Finding.ok("deliveries", words, **{state.value: totals.get(state, 0) for state in State})
    if needs_you:
        waits = counted(needs_you, "thing waits", "things wait")
        yield Finding.note("you", f"{waits} for a decision of yours", needs_you=needs_you)
    yield from _rests(resting, program.clock.now(), program.commands.settings.zone())
    yield from _ends(ending, program.clock.now())
    yield _due(program.clock, due, untouched, paused, f"{why} {outlook.words}" if why else "")
    if zone:
        yield Finding.ok("zone", f"times are read in {zone}, by choice", zone=zone)


def _channels(program: Program) -> Finding:
    used = {one.channel for one in session.every_account(program)}
    data = {"loaded": sorted(program.channels), "failed": dict(program.failed_channels)}
    words = f"{len(program.channels)} loaded ({', '.join(sorted(program.channels))})"
    if program.failed_channels:
        words += f", failed: {', '.join(f'{name} ({why})' for name, why in program.failed_channels.items())}"
    if missing := used - set(program.channels):
        return Finding.wrong("channels", f"{words}; accounts need {', '.join(sorted(missing))}", **data)
    return Finding.note("channels", words, **data) if program.failed_channels else Finding.ok("channels", words, **data)


def _keychain(program: Program) -> Finding:
    """Whether the keys of the accounts can be had now. What they are stays where it is."""
    known = [one for one in session.every_account(program) if one.secret_ref]
    place, vault = program.secrets.place(), program.secrets.vault
    gone, locked = 0, ""
    for account in known:
        try:
            program.secrets.get(account.secret_ref)
        except SecretGone:
            gone += 1
        except KeychainError as wrong:
            locked = str(wrong)
    data = {"place": place, "keys": len(known), "gone": gone, "locked": bool(locked), "file": vault.exists}
    if locked:
        return Finding.wrong("keychain", f"{place}: {locked}", **data)
    if gone:
        return Finding.wrong(
            "keychain", f"{place}: {gone} of {len(known)} keys are gone; sign those accounts in again", **data
        )
    return Finding.ok("keychain", f"{place}; {len(known)} of {len(known)} keys can be read", **data)


def _sender(program: Program, sender: timeline.Sender | None) -> Finding:
    if not profile.is_sender_running(program.folder):
        return Finding.ok("sender", "none is running", running=False)
    if sender is None:
        return Finding.note("sender", "one is starting", running=True)
    silent = program.clock.now() - sender.seen_at
    data = {"running": True, "silent_seconds": round(silent.total_seconds(), 1), "trouble": bool(sender.trouble)}
    if sender.trouble:
        return Finding.wrong("sender", f"is in trouble: {sender.trouble}", **data)
    if silent < -UNTOUCHED:
        words = f"gave its last sign of life {span_text(-silent.total_seconds())} from now: the clock was set back"
        return Finding.wrong("sender", words, **data)
    if silent > 4 * SIGN_OF_LIFE:
        return Finding.wrong(
            "sender", f"has given no sign of life for {span_text(silent.total_seconds())}. Start it again", **data
        )
    return Finding.ok("sender", f"gave a sign of life {span_text(silent.total_seconds())} ago", **data)


def _excused(connection: Connection, program: Program) -> list[int]:
    """The accounts that have a reason for not sending what is due: they rest, want a sign-in, or keep their pace."""
    now = program.clock.now()
    return [
        one.id
        for one in accounts.every(connection)
        if one.rest_until or one.state is AccountState.SIGN_IN or (one.ready_at and one.ready_at > now - UNTOUCHED)
    ]


def _rests(resting: Sequence[Account], now: datetime, zone: str) -> Iterator[Finding]:
    """Who rests and why. Names, and what an endpoint said, would be somebody's business."""
    for one in resting:
        rests = rest_span(one, now, zone)
        words = f"account {one.id} ({one.channel}): {rests} after {one.strikes} refusals in a row. What is due waits"
        advice = f"Its words: sendoff accounts list. Ask it now: sendoff accounts check {one.id}"
        yield Finding.note("rest", f"{words}. {advice}", account=one.id, strikes=one.strikes)


def _ends(ending: Sequence[Ending], now: datetime) -> Iterator[Finding]:
    """Which sign-ins end soon. The posts at risk are counted; their words would be somebody's business."""
    for one in ending:
        ends = "ends" if one.expires_at > now else "ended"
        words = f"account {one.account.id} ({one.account.channel}): its sign-in {ends} {distance(one.expires_at - now)}"
        what = counted(one.at_risk, "post is planned for later", "posts are planned for later")
        advice = f"Sign in again: sendoff accounts sign-in {one.account.id}"
        data = {"account": one.account.id, "expires_at": render.instant(one.expires_at), "at_risk": one.at_risk}
        yield Finding.note("sign-in", f"{words}; {what}. {advice}", **data)


def _due(clock: Clock, due: datetime | None, untouched: tuple[int, datetime | None], paused: str, why: str) -> Finding:
    now, (n, oldest) = clock.now(), untouched
    if is_paused(paused, now) and why:
        return Finding.wrong("due", f"sending is paused: {why} Look (sendoff queue), then: sendoff resume", paused=True)
    if is_paused(paused, now):
        return Finding.note("due", "sending is paused", paused=True)
    if oldest is not None:
        late = (now - oldest).total_seconds()
        words = f"{untaken(n)}, the oldest for {span_text(late)}. Start a sender: sendoff worker"
        return Finding.wrong("due", words, untouched=n, oldest=render.instant(oldest), late_seconds=round(late, 1))
    if due is None or due > now:
        return Finding.ok("due", "nothing waits past its time", oldest=render.instant(due))
    late = (now - due).total_seconds()
    words = f"the oldest has been due for {span_text(late)}"
    return Finding.ok("due", words, oldest=render.instant(due), late_seconds=round(late, 1))
