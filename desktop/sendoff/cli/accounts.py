"""`sendoff accounts`: signing in, checking and removing; secrets come by prompt, environment or standard input."""

from __future__ import annotations

import argparse
import os
import queue
import sys
import threading
import webbrowser
from collections.abc import Iterable, Mapping
from datetime import datetime
from getpass import getpass
from typing import Any

from sendoff.bootstrap import Program
from sendoff.cli import render, session, trying
from sendoff.domain.account import Account, rest_span, rest_words
from sendoff.domain.channel import BrowserSignIn, Channel, Field, Preset, channel_named
from sendoff.domain.errors import BadInput, Rejected, SendError, SendoffError
from sendoff.domain.when import moment, parse_late, within
from sendoff.store import accounts as account_rows
from sendoff.store import settings

DEFAULT = "default"
"""Said instead of a rule: the account has none of its own."""

PATIENCE = 300.0
"""Seconds that a browser sign-in may take; codes do not live much longer."""


def show(arguments: argparse.Namespace) -> int:
    with session.opened(arguments) as program, program.store.reading() as connection:
        known, counts = account_rows.every(connection), account_rows.counts(connection)
        if arguments.json:
            render.print_json({"accounts": [as_json(one, counts.get(one.id, {})) for one in known]})
            return 0
        now, zone = program.clock.now(), program.commands.settings.zone()
    rows = [
        [
            str(one.id),
            one.name,
            one.channel,
            one.handle,
            _standing(one, now, zone),
            str(sum(counts.get(one.id, {}).values())),
        ]
        for one in known
    ]
    if rows:
        print("\n".join(render.table(["ID", "NAME", "CHANNEL", "HANDLE", "STATE", "DELIVERIES"], rows)))
        for one in known:
            if rests := rest_words(one, now, zone):
                session.remark(f"{render.plain(one.name)}: {render.one_line(rests)}")
    else:
        session.remark("There is no account yet. Add one: sendoff accounts add KIND (see sendoff channels)")
    return 0


def as_json(account: Account, counts: Mapping[str, int]) -> dict[str, Any]:
    """An account as JSON has it; it never holds a secret."""
    return {
        "id": account.id,
        "name": account.name,
        "channel": account.channel,
        "handle": account.handle,
        "url": account.url,
        "state": account.state,
        "reason": account.reason,
        "settings": dict(account.settings),
        "spacing": account.spacing,
        "late_rule": account.late,
        "strikes": account.strikes,
        "rest_until": render.instant(account.rest_until),
        "rest_reason": account.rest_reason,
        "expires_at": render.instant(account.expires_at),
        "checked_at": render.instant(account.probed_at),
        "last_sent_at": render.instant(account.last_sent_at),
        "deliveries": dict(counts),
    }


def _standing(account: Account, now: datetime, zone: str) -> str:
    if account.state == "sign_in":
        return "needs a sign-in"
    words = rest_span(account, now, zone)
    ends = f", signed in until {within(moment(account.expires_at, zone, now))}" if account.expires_at else ""
    return f"{words[:1].lower()}{words[1:]}" if words else f"works{ends}"


# --- signing in ---------------------------------------------------------------------------------------------------


def add(arguments: argparse.Namespace) -> int:
    with session.opened(arguments) as program:
        channel = channel_named(program.channels, arguments.kind)
        _refuse_taken_name(program, arguments.name)
        fields = _plain_fields(channel, arguments)
        if arguments.document:
            fields = {**trying.chosen(channel, arguments.document, arguments.operation), **fields}
        else:
            fields = {**_preset(channel, arguments.preset, fields), **fields}
        if any(field.secret for field in channel.fields):
            session.unlock_for_new(program.secrets)
        fields |= _secret_fields(program, channel, arguments, fields)
        identity = program.commands.accounts.connect(channel.kind, fields)
        account_id = program.commands.accounts.add(channel.kind, arguments.name, fields, identity=identity)
        return _tell(program, account_id, arguments.json, "Added", identity.note)


def sign_in(arguments: argparse.Namespace) -> int:
    with session.opened(arguments) as program:
        account = session.account(program, arguments.account)
        channel = channel_named(program.channels, account.channel)
        fields = _plain_fields(channel, arguments)
        session.unlock(program.secrets, [account])
        if any(field.secret for field in channel.fields):
            session.unlock_for_new(program.secrets)
        kept = {field.name: account.settings.get(field.name, "") for field in channel.fields if not field.secret}
        fields |= _secret_fields(program, channel, arguments, {**kept, **fields}, account.id)
        released = program.commands.accounts.reconnect(account.id, fields)
        note = f"Deliveries that waited for it and go at their times again: {released}." if released else ""
        return _tell(program, account.id, arguments.json, "Signed in again:", note)


def _refuse_taken_name(program: Program, name: str) -> None:
    """Said before somebody goes through a sign-in for nothing."""
    with program.store.reading() as connection:
        if name and account_rows.by_name(connection, name):
            raise BadInput(f"There is an account called “{name}” already. Give this one another name.")


def _plain_fields(channel: Channel, arguments: argparse.Namespace) -> dict[str, str]:
    """The fields of the command line, none of them secret: it can be read by every program of this computer."""
    fields = session.pairs(arguments.field, "--field")
    for field in channel.fields:
        if field.secret and field.name in fields:
            raise BadInput(
                f"“{field.label}” ({field.name}) is secret, and others can see a command line. Leave it out and you "
                f"are asked for it, or use --secret-env {field.name}=VARIABLE or --secrets-stdin."
            )
    return fields


def _secret_fields(
    program: Program,
    channel: Channel,
    arguments: argparse.Namespace,
    fields: Mapping[str, str],
    account_id: int | None = None,
) -> dict[str, str]:
    """What the command line must not hold: given, fetched by the browser, or asked for."""

    def by_browser(typed: Mapping[str, str]) -> dict[str, str]:
        return dict(
            _browser_sign_in(program.commands.accounts.browser(channel.kind, typed, account_id=account_id), arguments)
        )

    given = _given_secrets(channel, arguments)
    if channel.signs_in_by_browser and not given and (channel.browser_first or arguments.browser):
        return by_browser(fields)
    secrets = given | _asked(channel, given, is_new=account_id is None)
    if channel.needs_browser(fields):
        return by_browser({**fields, **secrets})
    return secrets


def _tell(program: Program, account_id: int, is_json: bool, done: str, note: str) -> int:
    with program.store.reading() as connection:
        account = account_rows.get(connection, account_id)
    if is_json:
        render.print_json({**as_json(account, {}), "note": note})
        return 0
    channel = program.channels[account.channel].title
    print(f"{done} account {account.id}, “{render.plain(account.name)}” ({render.plain(account.handle)}) at {channel}.")
    session.remark(note)
    return 0


def _preset(channel: Channel, name: str, fields: Mapping[str, str]) -> dict[str, str]:
    """What a known provider fills in: the one that was named, or the one whose mail address is among the fields."""
    if name:
        found = next((one for one in channel.presets if one.name.lower() == name.lower()), None)
        if found is None:
            there = ", ".join(one.name for one in channel.presets) or "none"
            raise BadInput(f"{channel.title} has no preset “{name}”. It has: {there}.")
        return _taken(found)
    domains = {value.rpartition("@")[2].lower() for value in fields.values() if "@" in value}
    for preset in channel.presets:
        if domains.intersection(preset.domains) and not set(fields).intersection(preset.values):
            return _taken(preset)
    return {}


def _taken(preset: Preset) -> dict[str, str]:
    session.remark(f"Filled in for {preset.name}. {preset.help}".strip())
    return dict(preset.values)


# --- secrets ------------------------------------------------------------------------------------------------------


def _given_secrets(channel: Channel, arguments: argparse.Namespace) -> dict[str, str]:
    """Secrets from environment variables and standard input.

    Raises:
        BadInput: a variable is not set, or a name is none of the channel's secret fields.
    """
    found = {}
    for name, variable in session.pairs(arguments.secret_env, "--secret-env").items():
        if not os.environ.get(variable):
            raise BadInput(f"--secret-env {name}: the environment variable {variable} is not set, or is empty.")
        found[name] = os.environ[variable]
    if arguments.secrets_stdin:
        lines = (line.rstrip("\r\n") for line in sys.stdin)
        found |= session.pairs((line for line in lines if line.strip()), "A line of --secrets-stdin")
    names = [field.name for field in channel.fields if field.secret]
    for name in found:
        if name not in names:
            there = ", ".join(names) or "none"
            raise BadInput(f"{channel.title} has no secret field “{name}”. Its secret fields: {there}.")
    return found


def _asked(channel: Channel, given: Mapping[str, str], *, is_new: bool) -> dict[str, str]:
    """Asks for the secrets that were not given, where there is somebody to ask."""
    missing = [field for field in channel.fields if field.secret and field.name not in given and not field.advanced]
    if given:
        missing = [field for field in missing if field.required]
    if not session.is_interactive():
        needed = [field.name for field in missing if field.required]
        if needed and is_new:
            raise BadInput(
                f"{channel.title} needs {', '.join(needed)}, and there is nobody to ask. "
                f"Use --secret-env {needed[0]}=VARIABLE or --secrets-stdin."
            )
        return {}
    answers = {field.name: getpass(f"{field.label}{_hint(field, is_new)}: ") for field in missing}
    return {name: answer for name, answer in answers.items() if answer}


def _hint(field: Field, is_new: bool) -> str:
    if not is_new:
        return " (Enter: as it was)"
    return "" if field.required else " (optional)"


# --- by browser ---------------------------------------------------------------------------------------------------


def _browser_sign_in(flow: BrowserSignIn, arguments: argparse.Namespace) -> Mapping[str, str]:
    """Shows or opens the page to sign in on, then takes whatever comes first: the browser, or a pasted code."""
    try:
        session.remark(f"Sign in with your browser:\n\n    {flow.url}\n")
        if flow.code_url:
            session.remark(f"If it runs on another computer, open this and paste the code:\n\n    {flow.code_url}\n")
        if not arguments.no_browser and session.has_browser():
            with session.hidden_from_children(_variables(arguments)):
                webbrowser.open(flow.url)
        session.remark("Waiting for the browser. Or paste the code that it shows, and press Enter.")
        return _first(flow)
    finally:
        flow.close()


def _variables(arguments: argparse.Namespace) -> Iterable[str]:
    return session.pairs(arguments.secret_env, "--secret-env").values()


def _first(flow: BrowserSignIn) -> Mapping[str, str]:
    came: queue.SimpleQueue[Mapping[str, str] | SendoffError | str] = queue.SimpleQueue()
    threading.Thread(target=_wait, args=(flow, came), name="browser", daemon=True).start()
    threading.Thread(target=_read_codes, args=(came,), name="pasted", daemon=True).start()
    while True:
        answer = came.get()
        if isinstance(answer, SendoffError):
            raise answer
        if not isinstance(answer, str):
            return answer
        try:
            return flow.paste(answer)
        except Rejected as wrong:
            session.remark(f"{wrong.reason} {wrong.advice}".strip())


def _wait(flow: BrowserSignIn, came: queue.SimpleQueue[Any]) -> None:
    try:
        came.put(flow.wait(PATIENCE))
    except SendoffError as wrong:
        came.put(wrong)


def _read_codes(came: queue.SimpleQueue[Any]) -> None:
    """Lines from standard input, read past Python's buffer: a thread that waits in that would hang the end."""
    try:
        descriptor, rest = sys.stdin.fileno(), b""
        while data := os.read(descriptor, 4096):
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                if line.strip():
                    came.put(line.decode(errors="replace").strip())
    except (OSError, ValueError, AttributeError):
        return  # there is no standard input; the browser is still waited for


# --- check and remove ---------------------------------------------------------------------------------------------


def check(arguments: argparse.Namespace) -> int:
    with session.opened(arguments) as program:
        named = [session.account(program, which) for which in arguments.accounts]
        chosen = named or session.every_account(program)
        session.unlock(program.secrets, chosen)
        results = [(one, *_checked(program, one)) for one in chosen]
    if arguments.json:
        shown = [{"id": one.id, "name": one.name, "ok": works, "text": words} for one, works, words in results]
        render.print_json({"accounts": shown})
    else:
        for one, works, words in results:
            print(f"{render.plain(one.name)}: {'works' if works else 'does not work'}, {render.plain(words)}")
    return 0 if all(works for _, works, _ in results) else 1


def _checked(program: Program, account: Account) -> tuple[bool, str]:
    try:
        identity = program.commands.accounts.check(account.id)
    except SendError as wrong:
        return False, f"{wrong.reason} {wrong.advice}".strip()
    except SendoffError as wrong:
        return False, str(wrong)
    return True, f"signed in as {identity.handle}. {identity.note}".strip()


def late(arguments: argparse.Namespace) -> int:
    """The lateness rule of an account for what is planned from now on, or none of its own."""
    with session.opened(arguments) as program:
        account = session.account(program, arguments.account)
        program.commands.accounts.set_late(account.id, "" if arguments.rule == DEFAULT else arguments.rule)
        with program.store.reading() as connection:
            rule = account_rows.get(connection, account.id).late or settings.read(connection)["late"]
    own = " as the preference says" if arguments.rule == DEFAULT else ""
    print(f"“{render.plain(account.name)}”, what is planned from now on{own}: {parse_late(rule).words}.")
    return 0


def remove(arguments: argparse.Namespace) -> int:
    with session.opened(arguments) as program:
        account = session.account(program, arguments.account)
        session.unlock(program.secrets, [account])
        cancelled = program.commands.accounts.remove(account.id)
    gone = f" What had not left was cancelled: {cancelled}." if cancelled else ""
    print(f"Removed “{render.plain(account.name)}” and its key.{gone} What was sent stays in the history.")
    return 0
