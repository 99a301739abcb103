"""One SMTP dialogue, step by step: commands out, whole replies in, every wait bounded, and known how far it got."""

from __future__ import annotations

import base64
import re
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from types import TracebackType

from sendoff import killpoints
from sendoff.channels import tls
from sendoff.domain.channel import Trace
from sendoff.domain.redact import MASK, Redactor

_CRLF = b"\r\n"
_BLOCK = 1 << 16
_LARGEST_REPLY = 1 << 16
"""Bytes. A line may have 512 (RFC 5321 section 4.5.3.1.5), and no honest reply has a hundred of them."""
_SHOWN_HEAD = 1500
_OURSELVES = "[127.0.0.1]"
"""What we greet with: an address literal (RFC 5321 section 4.1.3), which tells nothing about this computer."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long each step may take, in seconds. The defaults are what RFC 5321 section 4.5.3.2 asks a client to wait.

    `block` is for 64 kB of the mail and `body` for all of it. `end` follows the final dot: a client that waits less
    sends twice what a slow server has already taken (RFC 1047).
    """

    connect: float = 30.0
    greeting: float = 300.0
    command: float = 300.0
    data: float = 120.0
    block: float = 180.0
    body: float = 3600.0
    end: float = 600.0
    goodbye: float = 3.0

    def at_most(self, seconds: float) -> Patience:
        return replace(self, **{one.name: min(getattr(self, one.name), seconds) for one in fields(self)})


class Step(StrEnum):
    """How far a dialogue got; the value completes the sentence "the line broke …"."""

    CONNECT = "before it was there"
    TLS = "while the line was being encrypted"
    GREETING = "before the server’s greeting"
    HELLO = "after our greeting"
    SIGN_IN = "while signing in"
    SENDER = "when it was told the sender"
    RECIPIENTS = "when it was told the recipients"
    DATA = "just before the mail"
    BODY = "in the middle of the mail"
    END = "after the whole mail"


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole reply. `enhanced` is the status code of RFC 3463 ("5.7.8"), or ""; `text` is without it, on one line."""

    code: int
    enhanced: str
    text: str

    def __str__(self) -> str:
        return " ".join(str(part) for part in (self.code, self.enhanced, self.text) if part)


class Broken(Exception):
    """The dialogue ended without a readable reply: hung up, timed out, or not SMTP. Certain before `Step.END` only."""

    def __init__(self, step: Step, cause: BaseException) -> None:
        super().__init__(step)
        self.step = step
        self.cause = cause


class Negative(Exception):
    """The server answered a step with something else than what lets it go on."""

    def __init__(self, step: Step, reply: Reply) -> None:
        super().__init__(f"{step.name}: {reply.code}")
        self.step = step
        self.reply = reply


class NotSmtp(Exception):
    """What came is no reply of the protocol."""


class NotOffered(Exception):
    """The server does not offer what we do not go on without: STARTTLS, or a way to sign in. `what` names it."""

    def __init__(self, what: str, offered: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.offered = offered


@dataclass(frozen=True, slots=True)
class Server:
    """Where to connect. `starttls`: it begins in the open and is encrypted before anything is said."""

    host: str
    port: int
    starttls: bool
    ca_file: str = ""


class Dialogue:
    """A connection that is encrypted and greeted once it is entered, and left politely at the end.

    Args:
        hide: takes secrets out of what the server says; some echo what they were sent.
        trace: where commands and replies are noted down, without credentials and without the mail's body.

    Raises:
        Broken, Negative, NotOffered: by any step. Rejected: the CA file cannot be used.
    """

    def __init__(self, server: Server, patience: Patience, trace: Trace, hide: Redactor) -> None:
        self.keywords: dict[str, str] = {}
        self._server = server
        self._patience = patience
        self._trace = trace
        self._hide = hide
        self._step = Step.CONNECT
        self._buffer = b""
        self._socket: socket.socket | None = None

    def __enter__(self) -> Dialogue:
        context = tls.context(self._server.ca_file)
        try:
            self._connect()
            if not self._server.starttls:
                self._encrypt(context)
            self._step = Step.GREETING
            self._expect(self._reply(self._patience.greeting), 220)
            self._hello()
            if self._server.starttls:
                self._starttls(context)
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, wrong: BaseException | None, traceback: TracebackType | None
    ) -> None:
        status = self._trace.status
        try:
            if not isinstance(wrong, Broken):
                self._command(self._step, "QUIT", self._patience.goodbye)
        except Broken:
            pass  # whatever happens to a farewell changes nothing
        finally:
            self._trace.status = status
            self._close()

    # --- what can be said -----------------------------------------------------------------------------------------

    def sign_in(self, username: str, password: str) -> None:
        """AUTH PLAIN (RFC 4616, in UTF-8) or LOGIN."""
        offered = self.keywords.get("AUTH", "").upper().split()
        self._step = Step.SIGN_IN
        if "PLAIN" in offered:
            token = _base64(f"\0{username}\0{password}")
            reply = self._command(Step.SIGN_IN, f"AUTH PLAIN {token}", shown=f"AUTH PLAIN {MASK}")
        elif "LOGIN" in offered:
            self._expect(self._command(Step.SIGN_IN, "AUTH LOGIN"), 334)
            self._expect(self._command(Step.SIGN_IN, _base64(username), shown=MASK), 334)
            reply = self._command(Step.SIGN_IN, _base64(password), shown=MASK)
        else:
            raise NotOffered("AUTH", " ".join(offered))
        self._expect(reply, 235)

    def sender(self, address: str, size: int | None = None, *, utf8: bool = False) -> None:
        """MAIL FROM. `size` in bytes is told where the server wants to know (RFC 1870)."""
        parameters = [f"SIZE={size}"] if size is not None and "SIZE" in self.keywords else []
        parameters += ["BODY=8BITMIME", "SMTPUTF8"] if utf8 else []
        line = " ".join([f"MAIL FROM:<{address}>", *parameters])
        self._expect(self._command(Step.SENDER, line), 250)

    def recipients(self, addresses: list[str]) -> dict[str, Reply]:
        """RCPT TO for each; returns those that were refused."""
        refused = {}
        for address in addresses:
            reply = self._command(Step.RECIPIENTS, f"RCPT TO:<{address}>")
            if reply.code == 421:
                raise Negative(Step.RECIPIENTS, reply)
            if reply.code not in (250, 251, 252):
                refused[address] = reply
        return refused

    def data(self, mail: bytes) -> Reply:
        """The mail itself. From the final dot on, a break leaves it open whether the server has it.

        Until the dot nothing has happened: a server must not deliver what it did not get whole (RFC 5321 4.1.1.4).
        """
        self._expect(self._command(Step.DATA, "DATA", self._patience.data), 354)
        self._step = Step.BODY
        head = mail.partition(_CRLF + _CRLF)[0][:_SHOWN_HEAD].decode("utf-8", "replace").replace("\r\n", "\n")
        self._note(f"{head}\n\n[{len(mail):,} bytes in all]\n.")
        try:
            self._send_body(mail)
        except Broken:
            if last_words := self._last_words():
                raise Negative(Step.BODY, last_words) from None
            raise
        self._step = Step.END
        killpoints.reach("wire.connected")
        self._trace.leaving()
        killpoints.reach("wire.noted")
        self._send(b".\r\n", self._patience.block)
        killpoints.reach("wire.sent")
        reply = self._reply(self._patience.end)
        if not 200 <= reply.code < 300:
            raise Negative(Step.END, reply)
        return reply

    def reset(self) -> None:
        """RSET: what was begun is forgotten."""
        self._command(self._step, "RSET")

    # --- beginnings -----------------------------------------------------------------------------------------------

    def _connect(self) -> None:
        address = (self._server.host, self._server.port)
        try:
            self._socket = socket.create_connection(address, self._patience.connect)
            # The final dot is a small packet behind large ones: without this it waits for their acknowledgement.
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as wrong:
            raise Broken(Step.CONNECT, wrong) from None

    def _encrypt(self, context: ssl.SSLContext) -> None:
        self._step = Step.TLS
        plain = self._open
        plain.settimeout(self._patience.connect)
        try:
            plain.getpeername()  # of a line that is gone already wrap_socket makes a socket that nobody closes
            self._socket = context.wrap_socket(plain, server_hostname=self._server.host)
        except OSError as wrong:
            raise Broken(Step.TLS, wrong) from None

    def _hello(self) -> None:
        reply = self._command(Step.HELLO, f"EHLO {_OURSELVES}", keep_lines=True)
        self._expect(reply, 250)
        words = (line.replace("AUTH=", "AUTH ").partition(" ") for line in reply.text.split("\n")[1:])
        self.keywords = {}
        for keyword, _, parameters in words:
            known = self.keywords.get(keyword.upper(), "")
            self.keywords[keyword.upper()] = f"{known} {parameters}".strip()

    def _starttls(self, context: ssl.SSLContext) -> None:
        """What was said before counts for nothing (RFC 3207 section 4.2).

        What came too early, in the open, is an attack; the next command finds it in the buffer and goes no further.
        """
        if "STARTTLS" not in self.keywords:
            raise NotOffered("STARTTLS")
        self._expect(self._command(Step.HELLO, "STARTTLS"), 220)
        self._encrypt(context)
        self._hello()

    # --- the line -------------------------------------------------------------------------------------------------

    @property
    def _open(self) -> socket.socket:
        assert self._socket is not None
        return self._socket

    def _command(
        self, step: Step, line: str, seconds: float | None = None, *, shown: str = "", keep_lines: bool = False
    ) -> Reply:
        assert "\r" not in line
        assert "\n" not in line
        self._step = step
        if self._buffer:
            raise Broken(step, NotSmtp("a reply that nobody asked for"))
        self._note(shown or line)
        seconds = self._patience.command if seconds is None else seconds
        self._send(line.encode() + _CRLF, seconds)
        return self._reply(seconds, keep_lines=keep_lines)

    def _expect(self, reply: Reply, code: int) -> None:
        if reply.code != code:
            raise Negative(self._step, reply)

    def _send(self, data: bytes, seconds: float) -> None:
        try:
            self._open.settimeout(seconds)
            self._open.sendall(data)
        except OSError as wrong:
            raise Broken(self._step, wrong) from None

    def _send_body(self, mail: bytes) -> None:
        until = time.monotonic() + self._patience.body
        for block in _blocks(mail):
            if time.monotonic() > until:
                raise Broken(self._step, TimeoutError("the whole mail took too long"))
            self._send(block, self._patience.block)
        if self._buffer:
            raise Broken(self._step, NotSmtp("a reply that nobody asked for"))

    def _last_words(self) -> Reply | None:
        """A server that has enough says why and hangs up; sometimes that can still be read."""
        try:
            reply = self._reply(min(1.0, self._patience.command))
        except Broken:
            return None
        return reply if reply.code >= 400 else None

    def _reply(self, seconds: float, *, keep_lines: bool = False) -> Reply:
        """Reads a whole reply, in `seconds` altogether: a server that drips bytes gets no more time."""
        deadline = time.monotonic() + seconds
        texts: list[str] = []
        size = 0
        while True:
            line = self._line(deadline)
            size += len(line)
            hit = re.fullmatch(rb"([2-5]\d\d)(?:([ -])(.*))?", line, re.DOTALL)
            if hit is None or size > _LARGEST_REPLY:
                raise Broken(self._step, NotSmtp(line[:200].decode("ascii", "replace")))
            texts.append(self._hide.clean((hit[3] or b"").decode("utf-8", "replace").strip()))
            if hit[2] != b"-":
                return self._noted(_reply_from(int(hit[1]), texts, keep_lines))

    def _line(self, deadline: float) -> bytes:
        while b"\n" not in self._buffer:
            if len(self._buffer) > _LARGEST_REPLY:
                raise Broken(self._step, NotSmtp("a line without an end"))
            self._buffer += self._receive(deadline - time.monotonic())
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.removesuffix(b"\r")

    def _receive(self, seconds: float) -> bytes:
        try:
            if seconds <= 0:
                raise TimeoutError("no whole reply in time")
            self._open.settimeout(seconds)
            piece = self._open.recv(4096)
        except OSError as wrong:
            raise Broken(self._step, wrong) from None
        if not piece:
            raise Broken(self._step, EOFError("hung up"))
        return piece

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()

    # --- the record -----------------------------------------------------------------------------------------------

    def _note(self, line: str) -> None:
        self._trace.request += line + "\n"

    def _noted(self, reply: Reply) -> Reply:
        self._trace.status = reply.code
        self._trace.answer += f"{reply}\n"
        return reply


def _reply_from(code: int, texts: list[str], keep_lines: bool) -> Reply:
    """Takes the enhanced code off each line (RFC 2034 section 3 puts it there)."""
    enhanced = ""
    bare = []
    for text in texts:
        hit = re.match(r"([245]\.\d{1,3}\.\d{1,3})(?:\s+|$)", text)
        if hit:
            enhanced = enhanced or hit[1]
            text = text[hit.end() :]
        bare.append(_printable(text))
    joined = "\n".join(bare) if keep_lines else " ".join(one for one in bare if one)
    return Reply(code, enhanced, joined)


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text).strip()


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode("ascii")


def _blocks(mail: bytes) -> Iterator[bytes]:
    """The mail with its dots doubled at line starts (RFC 5321 section 4.5.2), in pieces, ending with a line's end."""
    stuffed = mail.replace(b"\r\n.", b"\r\n..")
    if stuffed.startswith(b"."):
        stuffed = b"." + stuffed
    if not stuffed.endswith(_CRLF):
        stuffed += _CRLF
    view = memoryview(stuffed)
    for start in range(0, len(view), _BLOCK):
        yield bytes(view[start : start + _BLOCK])
