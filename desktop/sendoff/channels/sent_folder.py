"""Looks into a mailbox's folder of sent mail over IMAP: the way to find out whether a mail did leave."""

from __future__ import annotations

import imaplib
import re
import ssl
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from sendoff.channels import tls
from sendoff.domain.errors import NeedsLogin, Rejected, SendError, TryLater
from sendoff.domain.redact import Redactor

STARTTLS_PORT = 143
"""The one port that begins in the open; 993 and any other begin with TLS (RFC 8314 section 3.2)."""

USUAL_NAMES = ("sent", "sent items", "sent messages", "sent mail")
"""Taken where the server marks no folder as the one for sent mail."""

_RECENT = 20  # mails of ours that are looked at to learn whether the server files them


class NoFolder(Exception):
    """There is no folder for sent mail, or not the one that was named. The message is for the person."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Where it is and how to sign in. `folder` is what the person calls the folder; "": the one that is marked."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    folder: str = ""
    ca_file: str = ""


@contextmanager
def opened(mailbox: Mailbox, seconds: float) -> Iterator[SentFolder]:
    """Signs in and opens the folder for reading only.

    Args:
        seconds: how long each answer may take.

    Raises:
        NeedsLogin, TryLater, Rejected: it could not be reached or does not let us in. NoFolder.
    """
    clean = Redactor([mailbox.password]).clean
    connection = _connected(mailbox, seconds)
    try:
        _sign_in(connection, mailbox, clean)
        found = _chosen(_folders(connection), mailbox)
        typ, answer = connection.select(found.wire, readonly=True)
        if typ != "OK":
            raise NoFolder(f"{mailbox.host} does not open the folder “{found.name}”: {clean(_text(answer))}.")
        yield SentFolder(connection, found.name)
    except (imaplib.IMAP4.error, OSError) as wrong:
        raise TryLater(
            f"{mailbox.host} broke off while the sent mail was looked through.", detail=clean(tls.words(wrong))
        ) from None
    finally:
        _leave(connection)


class SentFolder:
    """The open folder. `name` is what a person calls it."""

    def __init__(self, connection: imaplib.IMAP4, name: str) -> None:
        self.name = name
        self._connection = connection

    def has(self, message_id: str) -> bool:
        """Whether a mail with this Message-ID lies here. Microsoft renames some and keeps ours in another header."""
        return any(self._numbers(header, message_id) for header in ("Message-ID", "X-Microsoft-Original-Message-ID"))

    def message_ids(self, mailer: str) -> list[str]:
        """The Message-IDs of the latest mails here whose X-Mailer begins so."""
        numbers = self._numbers("X-Mailer", mailer)[-_RECENT:]
        if not numbers:
            return []
        _, answer = self._connection.fetch(",".join(numbers), "(BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])")
        texts = (part[1].decode("ascii", "replace") for part in answer if isinstance(part, tuple))
        return [hit[0] for text in texts if (hit := re.search(r"<[^<>\s]+>", text))]

    def _numbers(self, header: str, value: str) -> list[str]:
        typ, answer = self._connection.search(None, "HEADER", header, _quoted(value))
        if typ != "OK":
            raise imaplib.IMAP4.error(f"SEARCH: {_text(answer)}")
        return _text(answer).split()


# --- the way in ---------------------------------------------------------------------------------------------------


def _connected(mailbox: Mailbox, seconds: float) -> imaplib.IMAP4:
    context = tls.context(mailbox.ca_file)
    try:
        if mailbox.port != STARTTLS_PORT:
            return imaplib.IMAP4_SSL(mailbox.host, mailbox.port, ssl_context=context, timeout=seconds)
        return _upgraded(imaplib.IMAP4(mailbox.host, mailbox.port, timeout=seconds), context, mailbox)
    except (imaplib.IMAP4.error, OSError) as wrong:
        raise tls.not_reached(mailbox.host, mailbox.port, wrong) from None


def _upgraded(connection: imaplib.IMAP4, context: ssl.SSLContext, mailbox: Mailbox) -> imaplib.IMAP4:
    try:
        if "STARTTLS" not in connection.capabilities:
            raise Rejected(
                f"{mailbox.host} offers no encryption at port {mailbox.port}, and without it no password is sent.",
                advice="Use port 993.",
            )
        connection.starttls(context)
    except BaseException:
        _leave(connection)
        raise
    return connection


def _sign_in(connection: imaplib.IMAP4, mailbox: Mailbox, clean: Callable[[str], str]) -> None:
    try:
        if "AUTH=PLAIN" in connection.capabilities:
            token = f"\0{mailbox.username}\0{mailbox.password}".encode()
            connection.authenticate("PLAIN", lambda _: token)
        else:
            connection.login(mailbox.username, mailbox.password)
    except imaplib.IMAP4.abort:
        raise
    except UnicodeEncodeError:
        raise _not_let_in(mailbox, "it takes only ASCII letters in a password") from None
    except imaplib.IMAP4.error as wrong:
        raise _not_let_in(mailbox, clean(_text(wrong.args) or str(wrong))) from None


def _not_let_in(mailbox: Mailbox, said: str) -> SendError:
    """A refused sign-in; some refusals are for now only (RFC 5530)."""
    if re.search(r"\[(UNAVAILABLE|INUSE|LIMIT|SERVERBUG)\]", said):
        return TryLater(f"{mailbox.host} can’t let anybody in just now: “{said[:300]}”.")
    return NeedsLogin(
        f"{mailbox.host} (IMAP) does not accept the user name and password: “{said[:300]}”.",
        advice="Check both, and whether IMAP is switched on in the mailbox. Many want an app password here.",
    )


def _leave(connection: imaplib.IMAP4) -> None:
    try:
        connection.logout()
    except (imaplib.IMAP4.error, OSError):  # it ended by itself; logout does not close it then
        with suppress(OSError):
            connection.shutdown()


# --- the folders --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Folder:
    """One line of the list: `name` as a person calls it, `wire` as the protocol does."""

    name: str
    wire: str
    marked: bool
    last: str  # the name without the folders that it lies in


def _chosen(folders: list[_Folder], mailbox: Mailbox) -> _Folder:
    names = ", ".join(folder.name for folder in folders[:15]) or "none"
    if mailbox.folder:
        named = [folder for folder in folders if folder.name == mailbox.folder]
        why = f"{mailbox.host} has no folder “{mailbox.folder}”. It has: {names}."
    else:
        marked = [folder for folder in folders if folder.marked]
        named = marked or [folder for folder in folders if folder.last.lower() in USUAL_NAMES]
        why = (
            f"{mailbox.host} marks no folder as the one for sent mail. "
            f"Put its name into “Sent folder”. There are: {names}."
        )
    if not named:
        raise NoFolder(why)
    return named[0]


def _folders(connection: imaplib.IMAP4) -> list[_Folder]:
    """All folders, with the marks of RFC 6154; some servers tell them unasked, others only if asked."""
    _, can = connection.capability()
    asks = " RETURN (SPECIAL-USE)" if {"SPECIAL-USE", "LIST-EXTENDED"} <= set(_text(can).upper().split()) else ""
    typ, lines = connection.list('""', f'"*"{asks}')
    if typ != "OK":
        raise imaplib.IMAP4.error(f"LIST: {_text(lines)}")
    return [folder for folder in map(_folder, lines) if folder]


_LISTED = re.compile(r"\((?P<flags>[^)]*)\) +(?:\"\\?(?P<cut>[^\"])\"|NIL) +(?P<name>.+)", re.DOTALL | re.IGNORECASE)


def _folder(line: object) -> _Folder | None:
    if isinstance(line, tuple):  # the name came as a literal
        line = re.sub(rb"\{\d+\}$", b"", line[0]) + _quoted(line[1].decode("ascii", "replace")).encode()
    hit = _LISTED.match(line.decode("ascii", "replace")) if isinstance(line, bytes) else None
    if hit is None:
        return None
    raw = re.sub(r"\\(.)", r"\1", hit["name"][1:-1]) if hit["name"].startswith('"') else hit["name"]
    name = _decoded(raw)
    last = name.rsplit(hit["cut"], 1)[-1] if hit["cut"] else name
    return _Folder(name, _quoted(raw), "\\sent" in hit["flags"].lower().split(), last)


def _decoded(raw: str) -> str:
    """A folder's name out of IMAP's own UTF-7 (RFC 3501 section 5.1.3)."""

    def decode(hit: re.Match[str]) -> str:
        return f"+{hit[1].replace(',', '/')}-".encode().decode("utf-7", "replace") if hit[1] else "&"

    return re.sub(r"&([^-]*)-", decode, raw)


def _quoted(text: str) -> str:
    escaped = re.sub(r'(["\\])', r"\\\1", text)
    return f'"{escaped}"'


def _text(answer: Iterable[object]) -> str:
    return " ".join(part.decode("ascii", "replace") for part in answer if isinstance(part, bytes))
