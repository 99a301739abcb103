"""One request on a line: how far it got, what of the answer came, and what broke. Loaded at the first exchange.

The connections are those of requests and urllib3, which take a tenth of a second to load and seven megabytes to keep.
"""

from __future__ import annotations

import logging
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import requests
import requests.adapters
import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from sendoff import killpoints
from sendoff.channels import guarded

logging.getLogger("urllib3").setLevel(logging.WARNING)  # its debug lines carry whole URLs, and some hold tokens

ERRORS = (requests.RequestException, urllib3.exceptions.HTTPError, OSError)
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


current = threading.local()
"""`exchange`: what this thread is at."""


class _Watched:
    """A connection that tells how far it got: whether a byte of this request may have left."""

    sock: Any
    port: int
    timeout: Any
    _dns_host: str

    def _new_conn(self) -> socket.socket:
        exchange: Exchange | None = getattr(current, "exchange", None)
        if exchange is None or exchange.allowed is None:
            return cast(socket.socket, super()._new_conn())  # type: ignore[misc]
        return guarded.connect(self._dns_host, self.port, self.timeout, exchange.allowed)

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]  # mixed in before urllib3's connections
        self._note()

    def send(self, data: Any) -> None:
        exchange: Exchange | None = getattr(current, "exchange", None)
        if exchange is not None:
            if exchange.body and not exchange.on_wire and not exchange.head:
                exchange.head = data  # one packet and one system call instead of two
                return
            if self.sock is None:
                self.connect()
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
            if exchange is not None and exchange.told is not None:
                exchange.out += len(piece)
                exchange.told(exchange.out)

    def getresponse(self, *arguments: Any, **more: Any) -> Any:
        exchange: Exchange | None = getattr(current, "exchange", None)
        if exchange is not None and exchange.leaving is not None:
            killpoints.reach("wire.sent")
        return super().getresponse(*arguments, **more)  # type: ignore[misc]

    def _note(self) -> None:
        exchange: Exchange | None = getattr(current, "exchange", None)
        if exchange is not None:
            exchange.sock = self.sock
            # urllib3 writes the request under the time-out for connecting, too short for a large body on a slow line.
            self.sock.settimeout(exchange.seconds)


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


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class Adapter(requests.adapters.HTTPAdapter):
    """Connections of ours to one origin, TLS 1.2 at least, verified always; nothing is ever repeated by itself.

    What requests works out anew for each request is left out where it is the same each time or not wanted here: which
    pool the origin has, proxies, cookies.
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._pool: Any = None
        super().__init__(pool_connections=2, pool_maxsize=2, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._context, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """The context verifies, with the system's authorities and the account's own; requests' bundle stays out."""
        conn.cert_reqs = "CERT_REQUIRED"

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        self._pool = self._pool or super().get_connection_with_tls_context(*args, **kwargs)
        return self._pool

    def request_url(self, request: requests.PreparedRequest, *_: object) -> str:
        """The path alone, because there are no proxies. One slash: two would name another host."""
        return re.sub("^/+", "/", request.path_url)

    def exchange(self, request: requests.PreparedRequest, timeout: tuple[float, float]) -> urllib3.BaseHTTPResponse:
        """Sends, and returns the answer when its head is there.

        Args:
            timeout: seconds to connect in, and to wait for the next bytes.
        """
        answer: Any = self.send(request, stream=True, timeout=timeout)
        return cast(urllib3.BaseHTTPResponse, answer)

    def build_response(self, _: requests.PreparedRequest, resp: Any) -> Any:
        """The answer as urllib3 has it, without what a session would want to know."""
        return resp

    def close(self) -> None:
        self._pool = None
        super().close()


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


def read(response: urllib3.BaseHTTPResponse, most: int) -> tuple[bytes, bool]:
    """The body, up to the cap, and whether all of it came."""
    pieces, size = [], 0
    try:
        for piece in response.stream(65_536, decode_content=False):
            pieces.append(piece[: most - size])
            size += len(pieces[-1])
            if size >= most:
                response.close()
                break
    except (urllib3.exceptions.HTTPError, OSError):
        return b"".join(pieces), False
    return b"".join(pieces), True


def innermost(wrong: BaseException) -> BaseException:
    """The error at the bottom: requests and urllib3 wrap the one that tells."""
    seen: set[int] = set()
    while id(wrong) not in seen:
        seen.add(id(wrong))
        candidates = [wrong.__cause__, wrong.__context__, getattr(wrong, "reason", None), *wrong.args]
        below = [one for one in candidates if isinstance(one, BaseException) and id(one) not in seen]
        refused = isinstance(wrong, urllib3.exceptions.NewConnectionError)  # which urllib3 counts as a time-out too
        if not refused and isinstance(wrong, urllib3.exceptions.TimeoutError):
            return TimeoutError(str(wrong))
        if not below or (isinstance(wrong, OSError) and not isinstance(wrong, requests.RequestException)):
            return wrong
        wrong = below[0]
    return wrong
