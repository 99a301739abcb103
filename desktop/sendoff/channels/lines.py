"""One request on a line: how far it got, what of the answer came, and what broke. Loaded at the first exchange.

What leaves is prepared by requests and carried by urllib3's connections, without the sessions and pools between them,
which do what must not be done here (proxies and .netrc from the surroundings, cookies, redirects, repeating), or work
out anew for each request what is the same each time. Both take a tenth of a second to load, and seven megabytes.
"""

from __future__ import annotations

import http.client
import logging
import re
import socket
import ssl
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import requests
import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, NewConnectionError

from sendoff import killpoints
from sendoff.channels import guarded, tls

logging.getLogger("urllib3").setLevel(logging.WARNING)  # its debug lines carry whole URLs, and some hold tokens

ERRORS = (HTTPError, http.client.HTTPException, OSError)
"""What an exchange may end with instead of an answer."""


@dataclass(slots=True)
class Exchange:
    """How far one request got; filled in by the connection that carries it.

    `body` is the size of a body that is small enough to leave together with its `head`. `leaving` is told before the
    first byte, where the request has an effect. `allowed` says which addresses may be connected to. `told` is told how
    many bytes have left, which `out` counts.
    """

    seconds: float
    body: int = 0
    head: bytes = b""
    leaving: Callable[[], None] | None = None
    allowed: guarded.Allowed | None = None
    told: Callable[[int], None] | None = None
    out: int = 0
    on_wire: bool = False
    sock: Any = None
    expired: bool = False


class _Watched:
    """A connection that tells how far it got: whether a byte of this request may have left."""

    exchange: Exchange
    sock: Any
    port: int
    timeout: Any
    _dns_host: str

    def _new_conn(self) -> socket.socket:
        if self.exchange.allowed is None:
            return cast(socket.socket, super()._new_conn())  # type: ignore[misc]
        return guarded.connect(self._dns_host, self.port, self.timeout, self.exchange.allowed)

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]  # mixed in before urllib3's connections
        self._note()

    def send(self, data: Any) -> None:
        exchange = self.exchange
        if exchange.body and not exchange.on_wire and not exchange.head:
            exchange.head = data  # one packet and one system call instead of two
            return
        self._note()
        if not exchange.on_wire:
            if exchange.leaving is not None:
                killpoints.reach("wire.connected")
                exchange.leaving()
                killpoints.reach("wire.noted")
            exchange.on_wire = True
        data, exchange.head = exchange.head + data if exchange.head else data, b""
        pieces = _blocks(data) if isinstance(data, bytes) else (data,)
        for piece in pieces:
            super().send(piece)  # type: ignore[misc]
            if exchange.told is not None:
                exchange.out += len(piece)
                exchange.told(exchange.out)

    def getresponse(self) -> Any:
        if self.exchange.leaving is not None:
            killpoints.reach("wire.sent")
        return super().getresponse()  # type: ignore[misc]

    def _note(self) -> None:
        self.exchange.sock = self.sock
        # urllib3 writes the request under the time-out for connecting, too short for a large body on a slow line.
        self.sock.settimeout(self.exchange.seconds)


SMALL = 16_384
"""Bytes. A body up to this size leaves together with its head."""

BLOCK = 65_536
"""Bytes handed to the socket at once. Its time-out is for each call, so a slow line may still carry a big mail."""


def _blocks(data: bytes) -> Iterator[memoryview]:
    whole = memoryview(data)
    return (whole[start : start + BLOCK] for start in range(0, len(whole), BLOCK))


class _PlainConnection(_Watched, HTTPConnection):
    pass


class _SecureConnection(_Watched, HTTPSConnection):
    pass


FRESH = 2.0
"""Seconds for which an idle connection is used again. Servers close idle ones (Node after 5 s), and a write that
meets such a closing is in doubt for nothing."""


class Line:
    """A way to one origin: one connection, made when it is needed. For one thread, and one request at a time.

    Args:
        url: an address there.
        context: verifies, always, with the system's authorities and the account's own.
    """

    def __init__(self, url: str, context: ssl.SSLContext) -> None:
        host, port = tls.host_and_port(url)
        self._connection = (
            _SecureConnection(host, port, ssl_context=context, cert_reqs=ssl.CERT_REQUIRED)
            if url.startswith("https:")
            else _PlainConnection(host, port)
        )
        self._used = 0.0
        weakref.finalize(self, self._connection.close).atexit = False  # a thread that ends leaves no connection open

    def carry(
        self, request: requests.PreparedRequest, exchange: Exchange, connect: float, read: float
    ) -> urllib3.HTTPResponse:
        """Sends a request once, and returns the answer when its head is there. What came of it is told by `exchange`.

        Args:
            connect: seconds in which a new connection has to stand; `read`: seconds to wait for the next bytes.

        Raises:
            ERRORS, and what the exchange's own calls raise.
        """
        try:
            return self._carried(request, exchange, connect, read)
        except BaseException:
            self.close()  # whatever stands on it is no beginning for the next
            raise

    def _carried(
        self, request: requests.PreparedRequest, exchange: Exchange, connect: float, read: float
    ) -> urllib3.HTTPResponse:
        line, body = self._connection, request.body
        line.exchange, line.timeout = exchange, connect
        if time.monotonic() - self._used > FRESH or not line.is_connected:
            line.close()
            line.connect()
        try:
            line.request(
                str(request.method), _target(request), body, request.headers,
                chunked=body is not None and "Content-Length" not in request.headers,
                preload_content=False, decode_content=False,
            )  # fmt: skip
        except (BrokenPipeError, ConnectionResetError):
            pass  # it may have answered before it had heard all of it
        line.timeout = read
        answer: urllib3.HTTPResponse = line.getresponse()
        return answer

    def body(self, response: urllib3.HTTPResponse, most: int) -> tuple[bytes, bool]:
        """The body of an answer, up to so many bytes, and whether all of it came, or at least so many."""
        pieces, size, whole = [], 0, True
        try:
            for piece in response.stream(65_536, decode_content=False):
                pieces.append(piece[: most - size])
                size += len(pieces[-1])
                if size >= most:
                    break
        except (HTTPError, OSError):
            whole = False
        if whole and size < most:
            self._used = time.monotonic()
        else:
            self.close()
        return b"".join(pieces), whole

    def close(self) -> None:
        self._connection.close()


def _target(request: requests.PreparedRequest) -> str:
    """The path alone, because there are no proxies. One slash: two would name another host."""
    return "/" + _PATH.match(str(request.url))[1]  # type: ignore[index]  # it has been prepared


_PATH = re.compile("https?://[^/?#]*/*([^#]*)")


def prepare(
    method: str, url: str, headers: Mapping[str, str], auth: tuple[str, str] | None, *,
    params: Any = None, data: Any = None, files: Any = None, json: Any = None,
) -> requests.PreparedRequest:  # fmt: skip
    """A request as requests prepares it, without cookies and hooks, and an address as it is if nothing is to quote."""
    prepared = requests.PreparedRequest()
    prepared.prepare_method(method)
    if params is None and _AS_IT_IS.fullmatch(url):
        prepared.url = url
    else:
        prepared.prepare_url(url, params)
    prepared.prepare_headers(headers)
    prepared.prepare_body(data, files, json)
    if auth:
        prepared.prepare_auth(auth)
    return prepared


_AS_IT_IS = re.compile(r"https?://[a-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9_~-]+)+")


def small(body: object) -> int:
    """The size of a body that leaves together with its head; 0: it goes on its own."""
    return len(body) if isinstance(body, (bytes, str)) and len(body) <= SMALL else 0


def cause(wrong: BaseException) -> BaseException:
    """The system's own error, where urllib3 has put one of its own around it."""
    if isinstance(wrong, NewConnectionError):
        return wrong.__cause__ or wrong
    return TimeoutError(str(wrong)) if isinstance(wrong, urllib3.exceptions.TimeoutError) else wrong
