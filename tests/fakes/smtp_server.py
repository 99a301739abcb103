"""A mail server on this computer that takes mail into a ledger, and breaks at any step it is told to."""

from __future__ import annotations

import base64
import email
import email.policy
import re
import socket
import socketserver
import ssl
import struct
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from tests.fakes.authority import ca_file, server_context

STEPS = ("GREETING", "EHLO", "STARTTLS", "HANDSHAKE", "AUTH", "MAIL", "RCPT", "DATA", "BODY", "DOT", "TAKEN", "QUIT")
"""Where a fault can be: at the connection, at a command, in the middle of the mail, after its final dot but before it
is taken, and after it is taken but before the answer."""

DROP, RESET, HANG, DRIP, GARBAGE, ENDLESS = "drop", "reset", "hang", "drip", "garbage", "endless"
"""Ways to break. Anything else in their place is a reply: "550 5.7.1 no"."""


@dataclass(frozen=True)
class Taken:
    """One mail in the ledger, as it came: the envelope, what MAIL FROM said besides, the bytes without the dots."""

    sender: str
    recipients: list[str]
    parameters: str
    data: bytes
    username: str

    @property
    def message(self) -> EmailMessage:
        parsed = email.message_from_bytes(self.data, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        return parsed


@dataclass
class SmtpServer:
    """A server in threads; use it in a `with`.

    Args:
        folder: where ca.pem is put.
        security: "tls" from the first byte, or "starttls".
        users: names and passwords. Empty: no AUTH is offered.
        faults: by step of STEPS: a way to break, or the reply to give.
        times: how often a fault happens before all is well; None: always.
        refuse: replies to RCPT by address.
        size: the limit that SIZE announces, in bytes; None: no SIZE.
        keywords: further EHLO keywords.
        mechanisms: what AUTH offers.
        names: the host names of the certificate.
        port: where to listen; 0: any port that is free.
        late: seconds that the answer to the final dot takes.
    """

    folder: Path
    security: str = "starttls"
    users: Mapping[str, str] = field(default_factory=lambda: {"grace@example.org": "correct horse"})
    faults: dict[str, str] = field(default_factory=dict)
    times: int | None = None
    refuse: Mapping[str, str] = field(default_factory=dict)
    size: int | None = 10_000_000
    keywords: tuple[str, ...] = ("8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "PIPELINING")
    mechanisms: str = "PLAIN LOGIN"
    names: tuple[str, ...] = ()
    expired: bool = False
    offers_starttls: bool = True
    banner: str = "220 fake.example.org ESMTP"
    port: int = 0
    late: float = 0.0
    taken: list[Taken] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)

    host = "127.0.0.1"  # a bare system does not even know the name localhost

    def __enter__(self) -> SmtpServer:
        self.context = server_context(*self.names, expired=self.expired)
        self.ca_file = ca_file(self.folder)
        self.changed = threading.Condition()
        self.closing = threading.Event()
        fake = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                talk = _Talk(fake, self.request)
                try:
                    talk.run()
                except (OSError, _HungUp):
                    pass
                finally:
                    talk.socket.close()

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            block_on_close = False
            request_queue_size = 64
            allow_reuse_address = True

            def server_bind(self) -> None:
                # So small that a mail of some megabytes can break in its middle.
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
                super().server_bind()

        self._server = Server(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()

    def fields(self, **more: str) -> dict[str, str]:
        """The fields of an account that can send here, as a person would fill them in."""
        name, password = next(iter(self.users.items()), ("", ""))
        own = {
            "host": self.host, "port": str(self.port), "security": self.security, "username": name,
            "password": password, "from": "grace@example.org", "ca_file": str(self.ca_file),
        }  # fmt: skip
        return own | more

    def wait(self, mails: int = 1, seconds: float = 10) -> list[Taken]:
        """Waits until so many mails are in the ledger."""
        with self.changed:
            arrived = self.changed.wait_for(lambda: len(self.taken) >= mails, seconds)
        assert arrived, f"{len(self.taken)} of {mails} mails came within {seconds} s"
        return self.taken

    def fault(self, step: str) -> str | None:
        """What shall go wrong at this step, if anything; counted."""
        with self.changed:
            if step not in self.faults or self.times == 0:
                return None
            if self.times:
                self.times -= 1
            return self.faults[step]

    def take(self, mail: Taken) -> None:
        with self.changed:
            self.taken.append(mail)
            self.changed.notify_all()


class _HungUp(Exception):
    """The fault, or the client, ended the connection."""


class _Talk:
    """One connection."""

    def __init__(self, fake: SmtpServer, raw: socket.socket) -> None:
        self.fake = fake
        self.socket = raw
        self.socket.settimeout(30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.lines: deque[bytes] = deque()
        self.rest = b""
        self.encrypted = False
        self.username = ""
        self.begin()

    def begin(self) -> None:
        self.sender: str | None = None
        self.parameters = ""
        self.recipients: list[str] = []

    def run(self) -> None:
        if self.fake.security == "tls":
            self.encrypt()
        if not self.broken("GREETING"):
            self.say(self.fake.banner)
        while True:
            line = self.line().decode("utf-8")
            self.fake.commands.append(line)
            verb, _, rest = line.partition(" ")
            answer = getattr(self, f"on_{verb.lower()}", None)
            if answer is None:
                self.say("502 5.5.2 what?")
            elif not self.broken(verb.upper()):
                answer(rest)

    # --- the commands ---------------------------------------------------------------------------------------------

    def on_ehlo(self, rest: str) -> None:
        offers = ["fake.example.org", *self.fake.keywords]
        if self.fake.size is not None:
            offers.append(f"SIZE {self.fake.size}")
        if self.encrypted and self.fake.users:
            offers.append(f"AUTH {self.fake.mechanisms}")
        if not self.encrypted and self.fake.offers_starttls:
            offers.append("STARTTLS")
        self.say(*(f"250{'-' if number < len(offers) else ' '}{one}" for number, one in enumerate(offers, 1)))

    def on_starttls(self, rest: str) -> None:
        self.say("220 2.0.0 go ahead")
        self.encrypt()

    def on_auth(self, rest: str) -> None:
        mechanism, _, first = rest.partition(" ")
        if mechanism.upper() == "PLAIN":
            _, name, password = _plain(first).split("\0")
        else:
            self.say("334 " + base64.b64encode(b"Username:").decode())
            name = _plain(self.line().decode())
            self.say("334 " + base64.b64encode(b"Password:").decode())
            password = _plain(self.line().decode())
        if self.fake.users.get(name) == password:
            self.username = name
            self.say("235 2.7.0 welcome")
        else:
            self.say("535 5.7.8 Error: authentication failed")

    def on_mail(self, rest: str) -> None:
        hit = re.fullmatch(r"FROM:<([^>]*)>(?: (.*))?", rest)
        declared = re.search(r"SIZE=(\d+)", rest)
        if hit is None:
            self.say("501 5.1.7 bad sender")
        elif self.fake.users and not self.username:
            self.say("530 5.7.0 Authentication required")
        elif declared and self.fake.size and int(declared[1]) > self.fake.size:
            self.say("552 5.3.4 Message size exceeds fixed limit")
        else:
            self.begin()
            self.sender, self.parameters = hit[1], hit[2] or ""
            self.say("250 2.1.0 Ok")

    def on_rcpt(self, rest: str) -> None:
        hit = re.fullmatch(r"TO:<([^>]*)>", rest)
        address = hit[1] if hit else ""
        if address in self.fake.refuse:
            self.say(self.fake.refuse[address])
        else:
            self.recipients.append(address)
            self.say("250 2.1.5 Ok")

    def on_data(self, rest: str) -> None:
        if not self.recipients:
            self.say("554 5.5.1 Error: no valid recipients")
            return
        self.say("354 End data with <CR><LF>.<CR><LF>")
        lines = []
        while (line := self.line()) != b".":
            if not lines and self.broken("BODY"):
                return
            lines.append(line.removeprefix(b".") if line.startswith(b".") else line)
        if self.broken("DOT"):
            return
        data = b"".join(line + b"\r\n" for line in lines)
        self.fake.take(Taken(self.sender or "", self.recipients, self.parameters, data, self.username))
        if not self.broken("TAKEN"):
            self.fake.closing.wait(self.fake.late)
            self.say(f"250 2.0.0 Ok: queued as {len(self.fake.taken):04X}")

    def on_rset(self, rest: str) -> None:
        self.begin()
        self.say("250 2.0.0 Ok")

    def on_noop(self, rest: str) -> None:
        self.say("250 2.0.0 Ok")

    def on_quit(self, rest: str) -> None:
        self.say("221 2.0.0 Bye")
        raise _HungUp

    # --- the line -------------------------------------------------------------------------------------------------

    def encrypt(self) -> None:
        if self.broken("HANDSHAKE"):
            raise _HungUp
        self.lines.clear()
        self.socket = self.fake.context.wrap_socket(self.socket, server_side=True)
        self.encrypted = True

    def line(self) -> bytes:
        while not self.lines:
            piece = self.socket.recv(65_536)
            if not piece:
                raise _HungUp
            *whole, self.rest = (self.rest + piece).split(b"\r\n")
            self.lines.extend(whole)
        return self.lines.popleft()

    def say(self, *lines: str) -> None:
        self.socket.sendall("".join(f"{line}\r\n" for line in lines).encode())

    def broken(self, step: str) -> bool:
        """Lets the fault of this step happen. True: it gave the answer, and the talk goes on."""
        fault = self.fake.fault(step)
        if fault is None:
            return False
        way = {
            DROP: self.drop, RESET: self.reset, HANG: self.hang, DRIP: self.drip, GARBAGE: self.garbage,
            ENDLESS: self.endless,
        }.get(fault)  # fmt: skip
        if way is None:
            self.say(*fault.split("\n"))
            if step == "BODY":
                self.hang()
            if fault.startswith("421"):
                raise _HungUp
        else:
            way()
        return True

    def drop(self) -> None:
        self.socket.close()
        raise _HungUp

    def reset(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raw = self.socket
        if isinstance(raw, ssl.SSLSocket):
            raw = socket.socket(fileno=raw.detach())
        raw.close()
        raise _HungUp

    def hang(self) -> None:
        self.fake.closing.wait(30)
        raise _HungUp

    def drip(self) -> None:
        for byte in b"250-" + b"x" * 400:
            self.socket.sendall(bytes([byte]))
            if self.fake.closing.wait(0.05):
                break
        raise _HungUp

    def garbage(self) -> None:
        self.say("HTTP/1.1 200 OK")

    def endless(self) -> None:
        while True:
            self.socket.sendall(b"250-still talking\r\n" * 1000)


def _plain(text: str) -> str:
    return base64.b64decode(text).decode("utf-8")


def port_that_is_closed() -> int:
    """A port where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: Any = free.getsockname()[1]
        return int(port)
