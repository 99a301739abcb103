"""HTTP, once for all channels: no redirects on writes, every time bounded, every end named by what is known of it."""

from __future__ import annotations

import email.utils
import heapq
import itertools
import json
import logging
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, TypedDict, cast
from urllib.parse import urlsplit

import requests
import requests.adapters
import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from sendoff import __version__, killpoints
from sendoff.channels import guarded, tls
from sendoff.domain.address import web_address
from sendoff.domain.channel import Trace
from sendoff.domain.errors import BadInput, InDoubt, NeedsLogin, Rejected, SendError, TryLater
from sendoff.domain.redact import MASK

USER_AGENT = f"Sendoff/{__version__}"
FRESH = 2.0
"""Seconds for which an idle connection is used again. Servers close idle ones (Node after 5 s), and a write that
meets such a closing is in doubt for nothing."""

logging.getLogger("urllib3").setLevel(logging.WARNING)  # its debug lines carry whole URLs, and some hold tokens


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, in seconds: for the connection, for the next bytes, for all of it; and how much to read."""

    connect: float = 10.0
    read: float = 60.0
    total: float = 120.0
    most: int = 1 << 20

    @property
    def with_files(self) -> Patience:
        """The same for a request that carries files, which take time on a slow line."""
        return replace(self, read=self.read * 2, total=self.total * 5)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whole. `body` is capped at `Patience.most` bytes."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    whole: bool = True

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON, or None if it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


@dataclass(slots=True)
class _Exchange:
    """How far one request got; filled in by the connection that carries it.

    `body` is the size of a body that is small enough to leave together with its `head`. `leaving` is told before the
    first byte, where the request has an effect. `allowed` says which addresses may be connected to.
    """

    seconds: float
    body: int = 0
    head: bytes = b""
    leaving: Callable[[], None] | None = None
    allowed: guarded.Allowed | None = None
    on_wire: bool = False
    sock: Any = None
    expired: bool = False


_current = threading.local()


class _Watched:
    """A connection that tells how far it got: whether a byte of this request may have left."""

    sock: Any
    port: int
    timeout: Any
    _dns_host: str

    def _new_conn(self) -> socket.socket:
        exchange: _Exchange | None = getattr(_current, "exchange", None)
        if exchange is None or exchange.allowed is None:
            return cast(socket.socket, super()._new_conn())  # type: ignore[misc]
        return guarded.connect(self._dns_host, self.port, self.timeout, exchange.allowed)

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]  # mixed in before urllib3's connections
        self._note()

    def send(self, data: Any) -> None:
        exchange: _Exchange | None = getattr(_current, "exchange", None)
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

    def getresponse(self, *arguments: Any, **more: Any) -> Any:
        exchange: _Exchange | None = getattr(_current, "exchange", None)
        if exchange is not None and exchange.leaving is not None:
            killpoints.reach("wire.sent")
        return super().getresponse(*arguments, **more)  # type: ignore[misc]

    def _note(self) -> None:
        exchange: _Exchange | None = getattr(_current, "exchange", None)
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


class _Adapter(requests.adapters.HTTPAdapter):
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

    def exchange(self, request: requests.PreparedRequest, patience: Patience) -> urllib3.BaseHTTPResponse:
        """Sends, and returns the answer when its head is there."""
        answer: Any = self.send(request, stream=True, timeout=(patience.connect, patience.read))
        return cast(urllib3.BaseHTTPResponse, answer)

    def build_response(self, _: requests.PreparedRequest, resp: Any) -> Any:
        """The answer as urllib3 has it, without what a session would want to know."""
        return resp

    def close(self) -> None:
        self._pool = None
        super().close()


class _Reaper:
    """Cuts connections whose total time is over: a server that drips bytes never meets a read time-out."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, _Exchange]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def watch(self, exchange: _Exchange, seconds: float) -> None:
        with self._changed:
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="http-deadlines", daemon=True)
                self._thread.start()
            entry = (time.monotonic() + seconds, next(self._order), exchange)
            heapq.heappush(self._heap, entry)
            if self._heap[0] is entry:
                self._changed.notify()

    def _serve(self) -> None:
        with self._changed:
            while True:
                if not self._heap:
                    self._changed.wait()
                    continue
                left = self._heap[0][0] - time.monotonic()
                if left > 0:
                    self._changed.wait(left)
                    continue
                exchange = heapq.heappop(self._heap)[2]
                if exchange.sock is not None:
                    exchange.expired = True
                    _cut(exchange.sock)


def _cut(sock: Any) -> None:
    """Ends a connection under the thread that waits for it. The plain call: TLS has nothing to say in time."""
    raw = sock if isinstance(sock, socket.socket) else getattr(sock, "socket", None)
    if raw is not None:
        try:
            socket.socket.shutdown(raw, socket.SHUT_RDWR)
        except OSError:
            pass  # it ended by itself


@dataclass(slots=True)
class _Line:
    """A thread's way to one host, and when it was used last (monotonic seconds)."""

    adapter: _Adapter
    used: float


class Transport:
    """The lines of this process: one for each thread, host and set of authorities, used again while fresh.

    They are the adapters of requests without its sessions, which add what must not be here: proxies and .netrc from
    the surroundings, cookies, redirects.

    Args:
        allowed: which addresses may be connected to; None: all.
    """

    def __init__(self, patience: Patience = Patience(), allowed: guarded.Allowed | None = None) -> None:
        self.patience = patience
        self.allowed = allowed
        self._local = threading.local()
        self._reaper = _Reaper()

    def line(self, origin: str, ca_file: str) -> _Line:
        known: dict[tuple[str, str], _Line] = self._local.__dict__.setdefault("lines", {})
        line, now = known.get((origin, ca_file)), time.monotonic()
        if line is None:
            line = known[origin, ca_file] = _Line(_Adapter(tls.context(ca_file)), now)
        elif now - line.used > FRESH:
            line.adapter.close()
        return line

    def watch(self, exchange: _Exchange, seconds: float) -> None:
        self._reaper.watch(exchange, seconds)


@dataclass(slots=True)
class Http:
    """One endpoint as one account talks to it.

    Args:
        base: the address before the path; https, or http to this computer.
        name: what to call the endpoint in sentences.
        headers: sent with every request.
        auth: a user name and password for Basic authentication.
        ca_file: an authority of the person's own, beside the system's.
        trace: where the last exchange is noted down.
        hidden: a secret that stands in the paths; it is masked wherever an address or an answer is noted.
        any_http: http to other computers too, because no secret goes along.
    """

    transport: Transport
    base: str
    name: str
    headers: Mapping[str, str] = field(default_factory=dict)
    auth: tuple[str, str] | None = None
    ca_file: str = ""
    trace: Trace = field(default_factory=Trace)
    patience: Patience | None = None
    hidden: str = field(default="", repr=False)
    any_http: bool = False

    def __post_init__(self) -> None:
        self.base = _address(self.base, self.any_http)

    def read(self, path: str, *, ok: Iterable[int] = (), **request: Any) -> Answer:
        """A GET, or another request without effect (method=…). Nothing is ever in doubt about it.

        Args:
            ok: statuses outside 2xx that the caller wants to see.

        Raises:
            Rejected, NeedsLogin, TryLater.
        """
        answer = self.send(request.pop("method", "GET"), path, effect=False, **request)
        if answer.status not in ok:
            self.judge(answer, effect=False)
        return answer

    def write(self, path: str, *, method: str = "POST", ok: Iterable[int] = (), **request: Any) -> Answer:
        """A request that has an effect. It is sent once, and redirects are not followed.

        Raises:
            Rejected, NeedsLogin, TryLater, InDoubt.
        """
        answer = self.send(method, path, effect=True, **request)
        if answer.status not in ok:
            self.judge(answer, effect=True)
        return answer

    def send(
        self, method: str, path: str, *, effect: bool, headers: Mapping[str, str] | None = None, **request: Any
    ) -> Answer:
        """Sends a request and reads the whole answer, whatever its status.

        Raises:
            TryLater, Rejected: nothing left. InDoubt (effect) or TryLater: something did, and no answer came.
        """
        patience = self.patience or self.transport.patience
        url = self._url(path)
        prepared = self._prepared(method, url, headers, **request)
        self.trace.request = self.masked(_as_text(prepared))
        line = self.transport.line(_ORIGIN.match(url)[0], self.ca_file)  # type: ignore[index]  # _url checked it
        exchange = _Exchange(patience.total, _small(prepared.body), leaving=self.trace.leaving if effect else None)
        exchange.allowed = self.transport.allowed
        _current.exchange = exchange
        self.transport.watch(exchange, patience.total)
        try:
            with line.adapter.exchange(prepared, patience) as response:
                body, whole = _read(response, patience.most)
                answer = Answer(response.status, response.headers, body, whole and not exchange.expired)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as wrong:
            line.adapter.close()
            raise self._failure(wrong, exchange, effect, patience) from None
        finally:
            exchange.sock = None
            _current.exchange = None
        line.used = time.monotonic()
        self._trace_answer(answer)
        return answer

    def _url(self, path: str) -> str:
        """The whole address: a path of this endpoint, or an address of its own that is no less safe.

        Raises:
            BadInput: it is neither. Behind the base it would make another host of it.
        """
        if not path or path.startswith(("/", "?")):
            return self.base + path
        if not path.startswith(("https://", "http://")):
            raise BadInput(f"“{path}” is no path of {self.name}.")
        web_address(re.split("[?#]", path, maxsplit=1)[0])
        return path

    def _failure(self, wrong: Exception, exchange: _Exchange, effect: bool, patience: Patience) -> SendError:
        """The end that an exception means, by how far the request got."""
        cause = _innermost(wrong)
        if isinstance(cause, guarded.Forbidden):
            return Rejected(str(cause))
        if not exchange.on_wire:
            return tls.not_reached(*tls.host_and_port(self.base), cause)
        waited = f"{self.name} gave no whole answer within {patience.total:.0f} s" if exchange.expired else None
        if waited is None and isinstance(cause, TimeoutError):
            waited = f"{self.name} did not answer within {patience.read:.0f} s"
        what = waited or f"The line to {self.name} broke before it answered"
        if effect:
            return InDoubt(f"{what}. It may have gone out.", detail=tls.words(cause))
        return TryLater(f"{what}.", detail=tls.words(cause))

    def judge(self, answer: Answer, *, effect: bool, words: str = "") -> None:
        """Turns a status into an end; returns for 2xx that came whole.

        Args:
            words: what the endpoint said, if the channel knows where it says it.
        """
        said = self.masked(words or _said(answer))
        status, about = answer.status, _About(detail=self.masked(answer.text)[:500], status=answer.status)
        quoted = f": “{said}”." if said else "."
        if 200 <= status < 300:
            if not answer.whole and effect:
                raise InDoubt(f"{self.name} began to answer and stopped. It may have gone out.", **about)
            return
        if 300 <= status < 400:
            where = urlsplit(answer.headers.get("Location", "")).hostname or "another address"
            raise Rejected(
                f"{self.name} wants to send us on to {where}. Nothing was sent there.",
                advice="Check the address in the account.",
                **about,
            )
        if status == 401:
            raise NeedsLogin(
                f"{self.name} no longer accepts the key{quoted}",
                advice="Sign in again; planned times are kept.",
                **about,
            )
        if status in (408, 425, 429) or (status == 503 and "Retry-After" in answer.headers):
            raise TryLater(f"{self.name} asks to wait{quoted}", after=retry_after(answer.headers), **about)
        if status >= 500:
            own = f"{self.name} answered with an error of its own ({status}){quoted}"
            if effect:
                raise InDoubt(f"{own} It may have gone out.", **about)
            raise TryLater(own, **about)
        raise Rejected(f"{self.name} refused it ({status}){quoted}", **about)

    def rehearse(self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **request: Any) -> str:
        """The request that `send` would make, as it stands in a trace. Nothing leaves."""
        return self.masked(_as_text(self._prepared(method, self._url(path), headers, **request)))

    def _prepared(
        self, method: str, url: str, headers: Mapping[str, str] | None, **request: Any
    ) -> requests.PreparedRequest:
        return _prepared(method, url, {**_HEADERS, **self.headers, **(headers or {})}, self.auth, **request)

    def _trace_answer(self, answer: Answer) -> None:
        lines = [
            str(answer.status),
            *(f"{name}: {value}" for name, value in answer.headers.items() if name.lower() != "set-cookie"),
        ]
        self.trace.status = answer.status
        self.trace.answer = self.masked("\n".join(lines) + "\n\n" + answer.text[:3000])

    def masked(self, text: str) -> str:
        """A text as it may be kept: without what is hidden."""
        return text.replace(self.hidden, MASK) if self.hidden else text


_address = lru_cache(maxsize=256)(web_address)  # asked for each exchange
_HEADERS = {"User-Agent": USER_AGENT, "Accept": "application/json", "Accept-Encoding": "identity"}
_ORIGIN = re.compile("https?://[^/?#]+")


def _prepared(
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


def _as_text(prepared: requests.PreparedRequest) -> str:
    """A request for a person to read: its headers without what they keep secret, and how its body begins."""
    lines = [f"{prepared.method} {prepared.url}"]
    lines += [f"{name}: {_shown(name, value)}" for name, value in prepared.headers.items()]
    body: Any = prepared.body or b""
    raw = body.encode() if isinstance(body, str) else getattr(body, "shown", body)
    raw = raw if isinstance(raw, bytes) else b"(streamed)"
    return "\n".join(lines) + "\n\n" + raw[:3000].decode("utf-8", "replace")


def _small(body: object) -> int:
    """The size of a body that leaves together with its head; 0: it goes on its own."""
    return len(body) if isinstance(body, (bytes, str)) and len(body) <= SMALL else 0


class _About(TypedDict):
    """What every end carries along."""

    detail: str
    status: int


_SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization", "x-api-key", "dpop"})


def _shown(name: str, value: str | bytes) -> str:
    text = value if isinstance(value, str) else value.decode("latin-1")
    return f"{text.split(' ')[0]} {MASK}" if name.lower() in _SECRET_HEADERS else text


def _read(response: urllib3.BaseHTTPResponse, most: int) -> tuple[bytes, bool]:
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


def _innermost(wrong: BaseException) -> BaseException:
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


def _said(answer: Answer) -> str:
    """The endpoint's own words, wherever it put them."""
    found = answer.json()
    if isinstance(found, dict):
        for name in ("error_description", "message", "error", "detail", "Description", "Reason", "title"):
            if isinstance(found.get(name), str) and found[name]:
                return _short(found[name])
    if answer.headers.get("Content-Type", "").startswith("text/plain"):
        return _short(answer.text)
    return ""


def _short(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= 300 else words[:299] + "…"


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> timedelta | None:
    """The pause that the answer asks for, or None. Seconds or a date (RFC 9110 section 10.2.3)."""
    text = headers.get("Retry-After", "").strip()
    if text.isdecimal():
        return timedelta(seconds=min(int(text), 10**8))
    try:
        until = email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(until - (now or datetime.now(UTC)), timedelta())


def reset_time(text: str, now: datetime) -> timedelta | None:
    """The pause that a rate limit's reset header means. There is no standard: ISO 8601, or a number whose size tells.

    Above 1e11 it is milliseconds since 1970, above 1e9 seconds since 1970, else seconds from now.
    """
    text = text.strip()
    try:
        number = float(text)
    except ValueError:
        try:
            until = datetime.fromisoformat(text)
        except ValueError:
            return None
        return max((until if until.tzinfo else until.replace(tzinfo=UTC)) - now, timedelta())
    if number > 1e11:
        number /= 1000
    if number > 1e9:
        return max(datetime.fromtimestamp(number, UTC) - now, timedelta())
    return timedelta(seconds=max(number, 0.0))
