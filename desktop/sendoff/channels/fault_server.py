"""A loopback server that breaks HTTP in every way: for the contract of channels, and for the self-test."""

from __future__ import annotations

import http.server
import socket
import ssl
import struct
import threading
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Protocol

SLOW, DRIPS, DRIP = 6.0, 80, 0.1
"""How long "slow" waits before it answers; how many blanks "drip" says before its answer, and each one's time; s."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request as the server got it."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server answers when it is not told to break something."""

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})


class Endpoint(Protocol):
    """A small imitation of one service, judged by its ledger. `handle` gets every request that is let through."""

    effects: list[Any]

    def is_effect(self, request: Request) -> bool:
        """Whether this request, if it is carried out, makes something happen that a person would see twice."""

    def handle(self, request: Request) -> Reply: ...


class FaultServer:
    """A real HTTP server on 127.0.0.1 in front of an endpoint. `mode` breaks the requests that have an effect.

    Args:
        endpoint: what answers when nothing is broken.
        times: how often the mode applies before everything is normal again; None: for ever.
        port: where to listen; 0: any port that is free.
        secure: the certificate to show; None: no TLS.
    """

    def __init__(
        self, endpoint: Endpoint, mode: str = "accept", times: int | None = None, port: int = 0,
        secure: ssl.SSLContext | None = None,
    ) -> None:  # fmt: skip
        self.endpoint = endpoint
        self.mode = mode
        self.times = times
        self.elsewhere = ""  # where redirects point to; "": to this server under another name
        self.requests: list[Request] = []
        self.strangers: list[str] = []  # what reached the address that redirects point to
        self.answered = Reply()  # to the latest request that had an effect
        self._lock = threading.Lock()
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 30
            disable_nagle_algorithm = True  # head and body go separately, and each answer would take 40 ms longer

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except (ConnectionError, TimeoutError, ValueError):
                    self.close_connection = True

            def __getattr__(self, name: str) -> Callable[[], None]:
                if name.startswith("do_"):
                    return lambda: server._answer(self)
                raise AttributeError(name)

            def log_message(self, *_: Any) -> None:
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

            def get_request(self) -> Any:
                raw, address = super().get_request()
                if secure is None:
                    return raw, address
                # The handshake comes with the first read, in the handler's thread.
                return secure.wrap_socket(raw, server_side=True, do_handshake_on_connect=False), address

            def handle_error(self, request: Any, client_address: Any) -> None:
                pass

        self._scheme = "https" if secure else "http"
        self._open: Callable[[], Any] = lambda: Server(("127.0.0.1", port), Handler)
        self.listen()

    def listen(self) -> None:
        """Opens the door, for the first time or again after `close` (with a port of one's own choice)."""
        self._server = self._open()
        self.url = f"{self._scheme}://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> FaultServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _answer(self, handler: Any) -> None:
        if handler.path.startswith("/stranger"):
            self.strangers.append(f"{handler.command} {handler.path} {dict(handler.headers)}")
        size = int(handler.headers.get("Content-Length") or 0)
        request = Request(handler.command, handler.path, dict(handler.headers), handler.rfile.read(size))
        with self._lock:
            self.requests.append(request)
            mode = self.mode_for(request)
        MODES[mode](self, handler, request)

    def mode_for(self, request: Request) -> str:
        """How this request is broken; called once for each, in the order in which they came."""
        mode = self.mode if self.endpoint.is_effect(request) and self.times != 0 else "accept"
        if mode != "accept" and self.times:
            self.times -= 1
        return mode

    def carry_out(self, request: Request) -> Reply:
        with self._lock:
            reply = self.endpoint.handle(request)
            if self.endpoint.is_effect(request):
                self.answered = reply
            return reply


def _send(handler: Any, reply: Reply, *, cut: int | None = None) -> None:
    handler.send_response(reply.status)
    for name, value in reply.headers.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(reply.body)))
    handler.end_headers()
    handler.wfile.write(reply.body if cut is None else reply.body[:cut])
    handler.wfile.flush()


def _hang_up(handler: Any, *, reset: bool = False) -> None:
    if reset:
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    else:
        handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True
    handler.connection.close()


def _accept(server: FaultServer, handler: Any, request: Request) -> None:
    _send(handler, server.carry_out(request))


def _fixed(status: int, body: bytes = b'{"error": "no", "message": "no"}', **headers: str) -> Any:
    named = {"Content-Type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}

    def answer(server: FaultServer, handler: Any, request: Request) -> None:
        _send(handler, Reply(status, body, named))

    return answer


def _redirect(status: int) -> Any:
    def answer(server: FaultServer, handler: Any, request: Request) -> None:
        host = server.elsewhere or server.url.replace("127.0.0.1", "localhost")
        _send(handler, Reply(status, b"", {"Location": f"{host}/stranger"}))

    return answer


def _redirect_loop(server: FaultServer, handler: Any, request: Request) -> None:
    _send(handler, Reply(307, b"", {"Location": server.url + request.path}))


def _after(status: int, body: bytes, content_type: str = "application/json") -> Any:
    """Carries it out and then answers with something else."""

    def answer(server: FaultServer, handler: Any, request: Request) -> None:
        server.carry_out(request)
        _send(handler, Reply(status, body, {"Content-Type": content_type}))

    return answer


def _anothers_id(server: FaultServer, handler: Any, request: Request) -> None:
    """Carries it out and then answers what it answered to the effect before."""
    earlier = server.answered
    server.carry_out(request)
    _send(handler, earlier)


def _huge(server: FaultServer, handler: Any, request: Request) -> None:
    """Ten megabytes that begin like an answer."""
    server.carry_out(request)
    _send(handler, Reply(200, b'{"id": "1", "rest": "' + b"x" * 10_000_000 + b'"}'))


def _bomb(server: FaultServer, handler: Any, request: Request) -> None:
    """A small answer that unpacks to 200 megabytes."""
    server.carry_out(request)
    _send(handler, Reply(200, _packed_zeros(), {"Content-Type": "application/json", "Content-Encoding": "gzip"}))


@cache
def _packed_zeros() -> bytes:
    """The bomb itself. Packing it takes most of a second."""
    pack = zlib.compressobj(9, wbits=31)
    return b"".join(pack.compress(bytes(1 << 20)) for _ in range(200)) + pack.flush()


def _raw(data: bytes) -> Any:
    """Carries it out and then says something that is no HTTP."""

    def answer(server: FaultServer, handler: Any, request: Request) -> None:
        server.carry_out(request)
        handler.wfile.write(data)
        handler.wfile.flush()
        _hang_up(handler)

    return answer


def _old_date(server: FaultServer, handler: Any, request: Request) -> None:
    """All is well, only the server's clock is not."""
    reply = server.carry_out(request)
    handler.send_response_only(reply.status)
    handler.send_header("Date", "Sat, 01 Jan 2000 00:00:00 GMT")
    handler.send_header("Content-Length", str(len(reply.body)))
    handler.end_headers()
    handler.wfile.write(reply.body)


def _slow(server: FaultServer, handler: Any, request: Request) -> None:
    reply = server.carry_out(request)
    time.sleep(SLOW)
    _send(handler, reply)


def _drip(server: FaultServer, handler: Any, request: Request) -> None:
    """A whole answer for whoever waits for it: JSON may begin with blanks."""
    reply = server.carry_out(request)
    handler.send_response(reply.status)
    handler.send_header("Content-Length", str(DRIPS + len(reply.body)))
    handler.end_headers()
    for _ in range(DRIPS):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(DRIP)
    handler.wfile.write(reply.body)


def _hang_up_after(server: FaultServer, handler: Any, request: Request) -> None:
    server.carry_out(request)
    _hang_up(handler)


def _cut_answer(server: FaultServer, handler: Any, request: Request) -> None:
    _send(handler, server.carry_out(request), cut=3)
    _hang_up(handler)


def _endless(server: FaultServer, handler: Any, request: Request) -> None:
    server.carry_out(request)
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.end_headers()
    while True:
        handler.wfile.write(b"[" * 65_536)


MODES: Mapping[str, Callable[[FaultServer, Any, Request], None]] = {
    "accept": _accept,
    "refuse": _fixed(422),
    "forbid": _fixed(403),
    "missing": _fixed(404, b"<html>not here</html>", Content_Type="text/html"),
    "unauthorized": _fixed(401),
    "limit": _fixed(429, Retry_After="7"),
    "limit_date": _fixed(429, Retry_After="Wed, 21 Oct 2099 07:28:00 GMT"),
    "limit_absurd": _fixed(429, Retry_After="99999999999999999999"),
    "limit_past": _fixed(429, Retry_After="Wed, 21 Oct 2015 07:28:00 GMT"),
    "unavailable": _fixed(503, Retry_After="9"),
    "unavailable_bare": _fixed(503),
    "conflict": _fixed(409),
    "too_large": _fixed(413),
    "error_before": _fixed(500),
    "error_after": _after(500, b"Internal Server Error", "text/plain"),
    "bad_gateway": _fixed(502, b"<html>bad gateway</html>", Content_Type="text/html"),
    "gateway_timeout": _fixed(504),
    "gateway_timeout_after": _after(504, b""),
    "bad_gateway_after": _after(502, b"<html>bad gateway</html>", "text/html"),
    "slow": _slow,
    "drip": _drip,
    "hang_up_after": _hang_up_after,
    "hang_up_before": lambda server, handler, request: _hang_up(handler),
    "reset": lambda server, handler, request: _hang_up(handler, reset=True),
    "cut_answer": _cut_answer,
    "redirect_301": _redirect(301),
    "redirect_302": _redirect(302),
    "redirect_303": _redirect(303),
    "redirect_307": _redirect(307),
    "redirect_308": _redirect(308),
    "redirect_loop": _redirect_loop,
    "captive": _fixed(200, b"<html>Welcome to the hotel</html>", Content_Type="text/html"),
    "nothing": _after(200, b""),
    "garbage": _after(200, b'{"id": '),
    "no_id": _after(200, b"{}"),
    "wrong_types": _after(200, b'{"id": null, "message": 5, "url": []}'),
    "a_list": _after(200, b"[]"),
    "anothers_id": _anothers_id,
    "endless": _endless,
    "huge": _huge,
    "bomb": _bomb,
    "no_http": _raw(b"220 mail.example.org ESMTP\r\n"),
    "many_headers": _raw(b"HTTP/1.1 200 OK\r\n" + b"X-More: and more\r\n" * 1000 + b'\r\n{"id": "1"}'),
    "old_date": _old_date,
}
