"""What verbs have in common: the profile opened and closed, passphrases, and files that people name."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sendoff.bootstrap import Program, open_program
from sendoff.cli import render
from sendoff.domain.account import Account, AccountState
from sendoff.domain.delivery import State
from sendoff.domain.errors import BadInput
from sendoff.domain.limits import size_text
from sendoff.domain.when import When, parse_when
from sendoff.store import accounts, profile
from sendoff.store.secrets import Secrets, is_in_file
from sendoff.store.timeline import Row

LARGEST_TEXT = 16 << 20
"""Bytes of a text, an HTML page or a table of people."""


@contextmanager
def opened(arguments: argparse.Namespace) -> Iterator[Program]:
    """The profile, closed at the end. The key file stays shut until `unlock`."""
    refuse_broken_words(arguments)
    descriptor = arguments.passphrase_fd
    program = open_program(passphrase=None if descriptor is None else from_descriptor(descriptor))
    try:
        yield program
    finally:
        program.close()


def refuse_broken_words(arguments: argparse.Namespace) -> None:
    """Bytes that are no text arrive as halves of characters, and no database and no endpoint takes those.

    Raises:
        BadInput: a word is not text in the terminal's encoding. File names may be anything.
    """
    for name, value in vars(arguments).items():
        for word in _strings(value):
            if any("\ud800" <= character <= "\udfff" for character in word):
                option = name.replace("_", "-")
                raise BadInput(f"What was given for {option} is not text in this terminal’s encoding. Try UTF-8.")


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _strings(one)


# --- passphrases --------------------------------------------------------------------------------------------------


def from_descriptor(number: int) -> str:
    """The passphrase: the first line that comes from an open file.

    Raises:
        BadInput: there is no such file, or nothing in it.
    """
    try:
        with os.fdopen(number, "rb", closefd=False) as file:
            line = file.readline(4096).decode().rstrip("\r\n")
    except (OSError, ValueError):
        raise BadInput(f"--passphrase-fd {number}: no text can be read from that file descriptor.") from None
    if not line:
        raise BadInput(f"--passphrase-fd {number}: there is no passphrase in it.")
    return line


def unlock(secrets: Secrets, known: Iterable[Account]) -> None:
    """Opens the key file if one of these accounts needs it, asking for the passphrase if nobody gave it.

    Raises:
        KeychainMissing: there is nobody to ask. KeychainLocked: it is not the file's passphrase.
    """
    if any(is_in_file(account.secret_ref) for account in known):
        _open_file(secrets)


def unlock_for_new(secrets: Secrets) -> None:
    """The same for a secret that is going to be stored."""
    if secrets.place() == secrets.vault.name:
        _open_file(secrets)


def _open_file(secrets: Secrets) -> None:
    vault = secrets.vault
    if not vault.is_open and not vault.passphrase and is_interactive():
        vault.passphrase = _asked() if vault.exists else _chosen()
    vault.open()


def _asked() -> str:
    return getpass.getpass("Passphrase of Sendoff’s key file: ")


def _chosen() -> str:
    print(
        "This computer has no keychain, so keys go into a file of Sendoff’s own that a passphrase locks.\n"
        "It can’t be recovered: without it you sign in to your accounts again.",
        file=sys.stderr,
    )
    first = getpass.getpass("Choose a passphrase: ")
    if not first:
        raise BadInput("The key file needs a passphrase. Nothing was stored.")
    if getpass.getpass("Type it again: ") != first:
        raise BadInput("Those were two different passphrases. Nothing was stored.")
    return first


def is_interactive() -> bool:
    """Whether there is somebody to ask."""
    return sys.stdin is not None and sys.stdin.isatty()


def has_browser() -> bool:
    """Whether a browser could come up in a window of its own; one inside this terminal would be in the way."""
    if not sys.platform.startswith("linux"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))


@contextmanager
def hidden_from_children(names: Iterable[str]) -> Iterator[None]:
    """Takes variables with secrets out of the environment while another program is started."""
    kept = {name: os.environ.pop(name) for name in {"SENDOFF_PASSPHRASE", *names} if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(kept)


# --- what people name ---------------------------------------------------------------------------------------------


def account(program: Program, which: str) -> Account:
    with program.store.reading() as connection:
        return accounts.resolve(connection, which)


def every_account(program: Program) -> list[Account]:
    with program.store.reading() as connection:
        return accounts.every(connection)


def when(program: Program, words: str, zone: str | None = None) -> When:
    """A time as the person wrote it, in the zone that they named or live in."""
    return parse_when(words, program.clock.now(), program.commands.settings.zone() if zone is None else zone)


def pairs(words: Iterable[str], option: str) -> dict[str, str]:
    """NAME=VALUE words as a mapping.

    Raises:
        BadInput: a word has no “=”, or a name stands there twice.
    """
    found: dict[str, str] = {}
    for word in words:
        name, sign, value = word.partition("=")
        name = name.strip()
        if not sign or not name:
            raise BadInput(f"{option} is written NAME=VALUE; one of them has no name or no “=”.")
        if name in found:
            raise BadInput(f"{option}: “{name}” is there twice.")
        found[name] = value
    return found


def read_bytes(path: Path, most: int = LARGEST_TEXT, what: str = "text for a post") -> bytes:
    """A file that a person named; “-” is standard input.

    Raises:
        BadInput: it can't be read, or is larger than any text.
    """
    try:
        if str(path) == "-":
            data = sys.stdin.buffer.read(most + 1)
        else:
            with path.open("rb") as file:
                data = file.read(most + 1)
    except (OSError, ValueError) as wrong:
        why = getattr(wrong, "strerror", None) or str(wrong)
        raise BadInput(f"{named(path)} can’t be read: {why}.") from None
    if len(data) > most:
        raise BadInput(f"{named(path)} is larger than {size_text(most)}. That is no {what}.")
    return data


def named(path: Path) -> str:
    """A file as a sentence names it."""
    return "standard input" if str(path) == "-" else str(path)


def read_text(path: Path) -> str:
    """A UTF-8 text without the line end that editors add.

    Raises:
        BadInput: it can't be read, or is no UTF-8 text.
    """
    data = read_bytes(path)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        raise BadInput(f"{named(path)} is not UTF-8 text (byte {wrong.start + 1}). Save it as UTF-8.") from None
    if "\0" in text:
        raise BadInput(f"{named(path)} is not a text: it has zero bytes in it.")
    return text.replace("\r\n", "\n").removesuffix("\n")


def remark(sentence: str) -> None:
    """Says something that is not the answer: on standard error, where a script's pipe does not see it."""
    if sentence:
        print(render.plain(sentence), file=sys.stderr)


def tell_if_nobody_sends(program: Program) -> None:
    """A word on standard error where something waits and nothing will happen by itself."""
    if not profile.is_sender_running(program.folder):
        remark("Nothing sends for this profile now. Open Sendoff, or run: sendoff worker")


def tell_what_waits(program: Program, rows: Iterable[Row]) -> int:
    """A word on standard error for each account that stands in the way. Returns the exit code: 1 where one does."""
    held = {row.delivery.account_id: row.delivery.reason for row in rows if row.delivery.state is State.HELD}
    for account_id, reason in held.items():
        with program.store.reading() as connection:
            account = accounts.get(connection, account_id)
        wants = account.state is AccountState.SIGN_IN
        remark(f"{account.name} waits for a sign-in: sendoff accounts sign-in {account_id}" if wants else reason)
    tell_if_nobody_sends(program)
    return 1 if held else 0
