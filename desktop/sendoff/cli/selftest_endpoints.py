"""What the self-test sends to: a web service and a mail server of a few lines, inside this process."""

from __future__ import annotations

import itertools
import json
import socketserver
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sendoff.channels.fault_server import Reply, Request

HOST = "127.0.0.1"


class Board:
    """Takes posts, and gives each an id; see channels/fault_server.py."""

    def __init__(self) -> None:
        self.effects: list[str] = []

    def is_effect(self, request: Request) -> bool:
        return request.method == "POST"

    def handle(self, request: Request) -> Reply:
        if self.is_effect(request):
            self.effects.append(request.text)
        return Reply(201, json.dumps({"id": f"post-{len(self.effects)}"}).encode())


class MailServer:
    """Speaks as much SMTP over TLS as one mail needs (RFC 5321), with a certificate of its own.

    Args:
        folder: where the certificate is put, for the client to believe.
    """

    def __init__(self, folder: Path) -> None:
        self.taken: list[bytes] = []
        self._folder = folder

    def __enter__(self) -> MailServer:
        authority = _certificate(self._folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(authority)
        taken, numbers = self.taken, itertools.count(1)

        class Dialogue(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self._say("220 self-test ESMTP")
                while line := self.rfile.readline():
                    verb = line.split(maxsplit=1)[0].upper() if line.strip() else b""
                    if verb == b"EHLO":
                        self._say("250-self-test", "250 8BITMIME")
                    elif verb == b"DATA":
                        self._say("354 go on")
                        taken.append(b"".join(iter(self.rfile.readline, b".\r\n")))
                        self._say(f"250 taken as {next(numbers)}")
                    elif verb == b"QUIT":
                        self._say("221 bye")
                        return
                    else:
                        self._say("250 well")

            def _say(self, *lines: str) -> None:
                self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True

            def finish_request(self, request: object, client_address: object) -> None:
                with context.wrap_socket(request, server_side=True) as line:  # type: ignore[arg-type]
                    super().finish_request(line, client_address)

            def handle_error(self, request: object, client_address: object) -> None:
                """A client that only looks whether somebody is there is no error."""

        self._server = Server((HOST, 0), Dialogue)
        self.fields = {
            "host": HOST, "port": str(self._server.server_address[1]), "security": "tls", "from": "you@example.org",
            "ca_file": str(authority),
        }  # fmt: skip
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _certificate(folder: Path) -> Path:
    """A key and a certificate for this computer's own address, for a day, in one PEM file."""
    from ipaddress import ip_address

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Sendoff self-test")])
    now = datetime.now(UTC)
    usage = x509.KeyUsage(True, False, False, False, False, True, False, False, False)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "self-test.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(secret + certificate.public_bytes(serialization.Encoding.PEM))
    return path
