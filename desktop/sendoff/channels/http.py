"""HTTP, once for all channels: no redirects on writes, every time bounded, every end named by what is known of it."""

from __future__ import annotations

import email.utils
import json
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypedDict
from urllib.parse import urlsplit

from sendoff import __version__
from sendoff.channels import guarded, tls
from sendoff.channels.deadlines import DEADLINES
from sendoff.domain.address import web_address
from sendoff.domain.channel import Trace
from sendoff.domain.errors import BadInput, InDoubt, NeedsLogin, Rejected, SendError, TryLater
from sendoff.domain.redact import MASK

if TYPE_CHECKING:  # loaded at the first exchange
    import requests

    from sendoff.channels.lines import Exchange, Line

USER_AGENT = f"Sendoff/{__version__}"


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


class Transport:
    """The lines of this process: one for each thread, host and set of authorities.

    Args:
        allowed: which addresses may be connected to; None: all.
    """

    def __init__(self, patience: Patience = Patience(), allowed: guarded.Allowed | None = None) -> None:
        self.patience = patience
        self.allowed = allowed
        self._local = threading.local()

    def line(self, url: str, ca_file: str) -> Line:
        """This thread's line to where an address leads."""
        from sendoff.channels import lines

        known: dict[tuple[str, str], Line] = self._local.__dict__.setdefault("lines", {})
        way = _ORIGIN.match(url)[0], ca_file  # type: ignore[index]  # it was looked at before
        if way not in known:
            known[way] = lines.Line(url, tls.context(ca_file))
        return known[way]

    @staticmethod
    def get_ready() -> None:
        """Loads what the first exchange would have to wait for: code (a tenth of a second and seven megabytes), and the
        system's authorities, half as long.
        """
        from sendoff.channels import lines  # noqa: F401

        tls.context()


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
        told: told how many bytes of a request have left, again and again while they leave; it never raises.
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
    told: Callable[[int], None] | None = field(default=None, repr=False)

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
        from sendoff.channels import lines

        patience = self.patience or self.transport.patience
        url = self._url(path)
        prepared = self._prepared(method, url, headers, **request)
        self.trace.request = self.masked(_as_text(prepared))
        line = self.transport.line(str(prepared.url), self.ca_file)
        exchange = lines.Exchange(
            patience.total, lines.small(prepared.body), leaving=self.trace.leaving if effect else None,
            allowed=self.transport.allowed, told=self.told,
        )  # fmt: skip
        DEADLINES.watch(exchange, patience.total)
        try:
            with line.carry(prepared, exchange, patience.connect, patience.read) as response:
                body, whole = line.body(response, patience.most)
                answer = Answer(response.status, response.headers, body, whole and not exchange.expired)
        except lines.ERRORS as wrong:
            raise self._failure(lines.cause(wrong), exchange, effect, patience) from None
        finally:
            exchange.sock = None
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

    def _failure(self, cause: BaseException, exchange: Exchange, effect: bool, patience: Patience) -> SendError:
        """The end that an error means, by how far the request got."""
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
        status = answer.status
        if 200 <= status < 300 and (answer.whole or not effect):
            return
        said = self.masked(words or _said(answer))
        about, quoted = _About(detail=self.masked(answer.text)[:500], status=status), f": “{said}”." if said else "."
        if 200 <= status < 300:
            raise InDoubt(f"{self.name} began to answer and stopped. It may have gone out.", **about)
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
            after = retry_after(answer.headers)
            if after is None and status == 429:
                after = limit_ends(answer.headers, datetime.now(UTC))
            raise TryLater(f"{self.name} asks to wait{quoted}", after=after, **about)
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
        from sendoff.channels import lines

        return lines.prepare(method, url, {**_HEADERS, **self.headers, **(headers or {})}, self.auth, **request)

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


def _as_text(prepared: requests.PreparedRequest) -> str:
    """A request for a person to read: its headers without what they keep secret, and how its body begins."""
    lines = [f"{prepared.method} {prepared.url}"]
    lines += [f"{name}: {_shown(name, value)}" for name, value in prepared.headers.items()]
    body: Any = prepared.body or b""
    raw = body.encode() if isinstance(body, str) else getattr(body, "shown", body)
    raw = raw if isinstance(raw, bytes) else b"(streamed)"
    return "\n".join(lines) + "\n\n" + raw[:3000].decode("utf-8", "replace")


class _About(TypedDict):
    """What every end carries along."""

    detail: str
    status: int


_SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization", "x-api-key", "dpop"})


def _shown(name: str, value: str | bytes) -> str:
    text = value if isinstance(value, str) else value.decode("latin-1")
    if name.lower() not in _SECRET_HEADERS:
        return text
    scheme, space, _ = text.partition(" ")  # "Bearer KEY", or nothing but the key
    return f"{scheme} {MASK}" if space else MASK


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


LONGEST_LIMIT = timedelta(days=1)
"""A limit that is told to last longer is looked at again after this."""


def limit_ends(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """When the limit ends that an answer tells of, or None: RateLimit in its newer form ("name";r=0;t=30) and its older
    one (draft-ietf-httpapi-ratelimit-headers), and the X-RateLimit-Reset that many have."""
    newer = re.search(r";\s*t=(\d+)", headers.get("RateLimit", ""))
    told = (newer[1] if newer else "", headers.get("RateLimit-Reset", ""), headers.get("X-RateLimit-Reset", ""))
    ends = (reset_time(one, now) for one in told if one)
    after = next((one for one in ends if one is not None), None)
    return after and min(after, LONGEST_LIMIT)


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
    if not number < 1e14:  # “nan”, “inf”, the end of the world
        return None
    if number > 1e11:
        number /= 1000
    if number > 1e9:
        return max(datetime.fromtimestamp(number, UTC) - now, timedelta())
    return timedelta(seconds=max(number, 0.0))
