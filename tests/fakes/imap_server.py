"""A mailbox on this computer that can be searched: just enough IMAP to look into the sent mail."""

from __future__ import annotations

import base64
import email
import email.policy
import re
import socketserver
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.fakes.authority import ca_file, server_context


@dataclass
class ImapServer:
    """A server in threads; use it in a `with`.

    Args:
        folders: mails by the folder's name as the protocol writes it.
        marks: the folder that is marked as the one for sent mail, or "".
        drops_at: a command at which it hangs up.
        denies: the reply to a wrong password, after "NO".
    """

    folder: Path
    users: Mapping[str, str] = field(default_factory=lambda: {"grace@example.org": "correct horse"})
    folders: dict[str, list[bytes]] = field(default_factory=lambda: {"INBOX": [], "Sent": []})
    marks: str = "Sent"
    drops_at: str = ""
    denies: str = "[AUTHENTICATIONFAILED] Authentication failed."
    plain: bool = True
    commands: list[str] = field(default_factory=list)

    def __enter__(self) -> ImapServer:
        self.context = server_context()
        self.ca_file = ca_file(self.folder)
        fake = self

        class Handler(socketserver.StreamRequestHandler):
            def setup(self) -> None:
                self.request = fake.context.wrap_socket(self.request, server_side=True)
                super().setup()

            def handle(self) -> None:
                try:
                    _Talk(fake, self).run()
                except OSError:
                    pass

            def finish(self) -> None:
                try:
                    super().finish()
                finally:
                    self.request.close()

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            block_on_close = False

            def handle_error(self, request: object, client_address: object) -> None:
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def fields(self, **more: str) -> dict[str, str]:
        """What an account needs to look in here."""
        return {"imap_host": "127.0.0.1", "imap_port": str(self.port)} | more


class _Talk:
    """One connection."""

    def __init__(self, fake: ImapServer, handler: socketserver.StreamRequestHandler) -> None:
        self.fake = fake
        self.read, self.write = handler.rfile, handler.wfile
        self.open: list[bytes] = []

    def say(self, line: str) -> None:
        self.write.write(line.encode() + b"\r\n")
        self.write.flush()

    def run(self) -> None:
        self.say("* OK ready")
        while line := self.read.readline().decode().rstrip("\r\n"):
            tag, verb, rest = [*line.split(" ", 2), ""][:3]
            self.fake.commands.append(f"{verb} {rest}".strip())
            if verb == self.fake.drops_at:
                return
            done = getattr(self, f"on_{verb.lower()}")(rest)
            self.say(f"{tag} {done or 'OK done'}")
            if verb == "LOGOUT":
                return

    def on_capability(self, rest: str) -> None:
        self.say(f"* CAPABILITY IMAP4rev1 {'AUTH=PLAIN ' * self.fake.plain}SPECIAL-USE LIST-EXTENDED")

    def on_authenticate(self, rest: str) -> str | None:
        self.say("+ ")
        _, name, password = base64.b64decode(self.read.readline()).decode().split("\0")
        return None if self.fake.users.get(name) == password else f"NO {self.fake.denies}"

    def on_login(self, rest: str) -> str | None:
        name, password = (re.sub(r"\\(.)", r"\1", one.strip('"')) for one in rest.split(" ", 1))
        return None if self.fake.users.get(name) == password else f"NO {self.fake.denies}"

    def on_list(self, rest: str) -> None:
        for name in self.fake.folders:
            mark = "\\Sent" if name == self.fake.marks else "\\HasNoChildren"
            self.say(f'* LIST ({mark}) "/" "{name}"')

    def on_examine(self, rest: str) -> str | None:
        name = rest.strip('"')
        if name not in self.fake.folders:
            return "NO there is no such folder"
        self.open = self.fake.folders[name]
        self.say(f"* {len(self.open)} EXISTS")
        return "OK [READ-ONLY] done"

    def on_search(self, rest: str) -> None:
        hit = re.fullmatch(r'HEADER (\S+) "(.*)"', rest)
        assert hit
        self.say(
            " ".join(["* SEARCH", *(str(number) for number, mail in self.mails() if hit[2] in (mail[hit[1]] or ""))])
        )

    def on_fetch(self, rest: str) -> None:
        wanted = {int(number) for number in rest.split(" ")[0].split(",")}
        for number, mail in self.mails():
            if number in wanted:
                head = f"Message-ID: {mail['Message-ID']}\r\n\r\n"
                self.say(f"* {number} FETCH (BODY[HEADER.FIELDS (MESSAGE-ID)] {{{len(head)}}}")
                self.write.write(head.encode())
                self.say(")")

    def on_logout(self, rest: str) -> None:
        self.say("* BYE")

    def mails(self) -> list[tuple[int, email.message.Message]]:
        return [(number, email.message_from_bytes(data)) for number, data in enumerate(self.open, 1)]
