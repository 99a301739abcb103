"""Signing in with the person's own browser: a code by loopback redirect or by hand, always with PKCE."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.server
import secrets
import select
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from sendoff.channels.http import Http, Transport
from sendoff.domain.address import is_this_computer, may_name
from sendoff.domain.channel import BrowserSignIn
from sendoff.domain.errors import Rejected, TryLater

LIMIT = 300.0
"""Seconds that a sign-in stays open. A code lives ten minutes at most (RFC 6749 section 4.1.2)."""

OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob"
"""The redirect address that asks the service to show the code instead of sending the browser on with it."""

PAGE = b"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Sendoff</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { margin: 20vh auto 0; max-width: 26rem; padding: 0 1.5rem; text-align: center }
h1 { font-size: 1.25rem; font-weight: 600; margin: 0 0 .5rem }
p { margin: 0; opacity: .75 }
</style></head>
<body><h1>Back to Sendoff</h1><p>Your browser has done its part. You can close this page.</p></body></html>
"""
"""What the browser shows at the end: the same for every end, and nothing of the sign-in in it."""


class GivenUp(Rejected):
    """The sign-in was closed before it came to an end. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Service:
    """Where a service signs people in.

    Args:
        name: what to call it in sentences.
        authorize_url: what the browser opens; token_url: where a code becomes a key. https, or http to this computer.
        issuer: who the service says it is (RFC 8414 section 2); compared with `iss` where that is sent (RFC 9207).
        always_names_itself: it promised to send `iss` with every answer, so an answer without one is not its own.
        told_by: the address of the server that told these; "": nobody did.
    """

    name: str
    authorize_url: str
    token_url: str
    issuer: str = ""
    always_names_itself: bool = False
    told_by: str = ""

    def __post_init__(self) -> None:
        for url in (self.authorize_url, self.token_url):
            if not _is_safe(url):
                raise Rejected(
                    f"{self.name} wants to sign you in over an address that is not encrypted ({_shown(url)}). "
                    "Nothing was sent there.",
                    advice="Tell the people who run the server.",
                )
            if self.told_by and not may_name(self.told_by, url):
                raise Rejected(
                    f"{self.name} wants to sign you in at an address of your own computer ({_shown(url)}). "
                    "Nothing was sent there.",
                    advice="Do not trust that server.",
                )


def _is_safe(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and is_this_computer(host)))


def _shown(url: str) -> str:
    return url.split("?", 1)[0][:100]


@dataclass(frozen=True, slots=True)
class Client:
    """This program as the service knows it. The secret of a program on a desk is none; it is sent where asked for."""

    id: str
    secret: str = field(default="", repr=False)
    redirects: tuple[str, ...] = ()  # the addresses that the service was told of


class Listener:
    """Waits on the loopback interface for the browser to come back, and answers it exactly once (RFC 8252 section 7.3).

    It listens from the moment it is made, at a random path where none is given. Requests for other paths, or that name
    another host (a page that rebinds its name to this computer), are turned away and change nothing. It closes itself
    after the answer, after `limit` seconds, or when told to.

    Args:
        port: a fixed one, for services that want the whole address in advance; 0: any that is free.
        path: a fixed one for them, too; "" one that nobody can guess.

    Raises:
        TryLater: the port is taken.
    """

    def __init__(self, *, port: int = 0, path: str = "", limit: float = LIMIT) -> None:
        self._socket = _bound(port)
        self._socket.listen(8)
        host, number = self._socket.getsockname()[:2]
        self.host = f"[{host}]:{number}" if ":" in host else f"{host}:{number}"
        self.path = path or "/" + secrets.token_urlsafe(16)
        self.redirect_uri = f"http://{self.host}{self.path}"
        self._deadline = time.monotonic() + limit
        self._lock = threading.Lock()
        self._came: dict[str, str] | None = None
        self._closed = False
        self._ended = threading.Event()
        self._woken, self._waker = socket.socketpair()
        self._serving = threading.Thread(target=self._serve, name="sign-in", daemon=True)
        self._serving.start()

    @property
    def is_open(self) -> bool:
        return not self._ended.is_set()

    def wait(self, seconds: float) -> Mapping[str, str]:
        """What the browser brought: the parameters of its request.

        Raises:
            TryLater: it did not come within `seconds`. GivenUp: the listener was closed meanwhile.
        """
        self._ended.wait(min(seconds, max(self._deadline - time.monotonic(), 0.0) + 1.0))
        if self._came is not None:
            return self._came
        if self._closed:
            raise GivenUp("The sign-in was given up. Nothing was changed.")
        raise TryLater("The browser did not come back. Start the sign-in again when you are ready.")

    def close(self) -> None:
        """Stops listening; whoever waits is told. May be called from any thread, and again."""
        with self._lock:
            self._closed = True
        self._end()
        self._serving.join(1.0)  # so that its port is free again; it is woken, and has nothing left to do

    def take(self, parameters: dict[str, str]) -> bool:
        """Keeps the first answer that comes; says whether this was it."""
        with self._lock:
            if self._closed or self._came is not None:
                return False
            self._came = parameters
        return True

    def _end(self) -> None:
        self._ended.set()
        try:
            self._waker.send(b"x")
        except OSError:
            pass  # it has ended already

    def _serve(self) -> None:
        """Takes connections until the end. Each gets a thread: browsers open some ahead and say nothing on them."""
        with self._socket, self._woken, self._waker:
            while not self._ended.is_set() and (left := self._deadline - time.monotonic()) > 0:
                ready, _, _ = select.select([self._socket, self._woken], [], [], left)
                if self._socket in ready and not self._ended.is_set():
                    connection, address = self._socket.accept()
                    threading.Thread(target=self._answer, args=(connection, address), daemon=True).start()
            self._ended.set()

    def _answer(self, connection: socket.socket, address: Any) -> None:
        try:
            with connection:
                _Callback(connection, address, self)  # type: ignore[arg-type]  # it needs no real server behind it
                connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the browser went away
        if self._came is not None:
            self._end()


def _bound(port: int) -> socket.socket:
    """A socket on the loopback interface; nobody else can share its port."""
    reason: OSError | None = None
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        bound = socket.socket(family, socket.SOCK_STREAM)
        try:
            if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):  # Windows lets another program take the port over without it
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
            elif port:  # its last sign-in may have left a connection that is still ending
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind((host, port))
        except OSError as wrong:
            bound.close()
            reason = reason or wrong
            if port:
                break
        else:
            return bound
    which = f"Port {port} of this computer" if port else "This computer’s loopback interface"
    raise TryLater(
        f"{which} can’t be listened on ({(reason and reason.strerror) or 'no reason given'}), so the browser could not "
        "come back.",
        advice="Close the program that uses it, or paste a key instead.",
    )


class _Callback(http.server.BaseHTTPRequestHandler):
    """Answers one connection with static pages."""

    timeout = 10  # seconds for a browser to say what it wants
    server: Any
    protocol_version = "HTTP/1.0"

    def do_GET(self) -> None:
        listener: Listener = self.server
        path, _, query = self.path.partition("?")
        if self.headers.get("Host") != listener.host:
            self._reply(421, b"This address is for Sendoff alone.\n")
        elif not hmac.compare_digest(path.encode(), listener.path.encode()):
            self._reply(404, b"There is nothing here.\n")
        elif listener.take(_parameters(query)):
            self._reply(200, PAGE)
        else:
            self._reply(410, b"This sign-in is over.\n")

    def _reply(self, status: int, body: bytes) -> None:
        self.send_response(status)
        kind = "text/html" if body is PAGE else "text/plain"
        for name, value in (
            ("Content-Type", f"{kind}; charset=utf-8"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            ("Referrer-Policy", "no-referrer"),
            ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"),
            ("X-Content-Type-Options", "nosniff"),
            ("Connection", "close"),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def version_string(self) -> str:
        return "Sendoff"

    def log_message(self, *_: Any) -> None:
        """The request line holds the code."""


def _parameters(query: str) -> dict[str, str]:
    """The parameters of an answer; one that stands there twice is worth nothing (RFC 6749 section 3.1)."""
    pairs = parse_qsl(query, keep_blank_values=True)
    names = [name for name, _ in pairs]
    return {name: value for name, value in pairs if names.count(name) == 1}


class CodeSignIn(BrowserSignIn):
    """One sign-in with the authorization code grant (RFC 6749 section 4.1) and PKCE (RFC 7636), always S256.

    Args:
        listener: where the browser comes back; bound before anybody is told of its address.
        scopes: what to ask for.
        finish: makes the fields to connect with of the token endpoint's answer.
        more: further parameters of the authorization request.
        ca_file: an authority of the person's own, for the token endpoint.
    """

    def __init__(
        self,
        transport: Transport,
        service: Service,
        client: Client,
        listener: Listener,
        *,
        scopes: Iterable[str],
        finish: Callable[[Mapping[str, Any]], Mapping[str, str]],
        more: Mapping[str, str] | None = None,
        ca_file: str = "",
    ) -> None:
        self._transport = transport
        self._service = service
        self._client = client
        self._listener = listener
        self._scopes = " ".join(scopes)
        self._finish = finish
        self._more = dict(more or {})
        self._ca_file = ca_file
        self._state = secrets.token_urlsafe(32)
        self._verifier = secrets.token_urlsafe(64)  # 86 characters; RFC 7636 section 4.1 allows 43 to 128
        self.url = self._authorize_url(listener.redirect_uri)
        self.code_url = self._authorize_url(OUT_OF_BAND) if OUT_OF_BAND in client.redirects else ""

    def _query(self, redirect_uri: str) -> dict[str, str]:
        """The authorization request."""
        challenge = base64url(hashlib.sha256(self._verifier.encode()).digest())
        return {
            "response_type": "code",
            "client_id": self._client.id,
            "redirect_uri": redirect_uri,
            **({"scope": self._scopes} if self._scopes else {}),
            "state": self._state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            **self._more,
        }

    def _authorize_url(self, redirect_uri: str) -> str:
        query = self._query(redirect_uri)
        joint = "&" if "?" in self._service.authorize_url else "?"
        return self._service.authorize_url + joint + urlencode(query)

    def wait(self, seconds: float = LIMIT) -> Mapping[str, str]:
        """Waits until the browser came back, and returns the fields to connect with. May be called again in time.

        Raises:
            TryLater: the browser did not come back within `seconds`, or the service could not be reached.
            GivenUp: `close` was called, or a code was pasted meanwhile.
            Rejected: the person or the service said no, or the answer was not meant for this sign-in.
        """
        came = self._listener.wait(seconds)
        return self._exchange(self._code(came), self._listener.redirect_uri)

    def paste(self, code: str) -> Mapping[str, str]:
        """Does the same with what the person copied: the code that the page at `code_url` shows, or the whole address
        at which a browser on another computer got stuck.

        Raises:
            Rejected: that is no code of this sign-in; another one may be pasted. TryLater: see `wait`.
        """
        text = code.strip()
        redirect_uri = OUT_OF_BAND
        if text.startswith(("http://", "https://")):
            address, _, query = text.partition("?")
            if address != self._listener.redirect_uri:
                raise Rejected("That address does not belong to this sign-in. Copy the one that the browser shows now.")
            text, redirect_uri = self._code(_parameters(query.partition("#")[0])), address
        if not text or not text.isascii() or any(character.isspace() for character in text):
            raise Rejected("That is no code. Copy it from the page that the browser shows.")
        fields = self._exchange(text, redirect_uri)
        self.close()
        return fields

    def close(self) -> None:
        """Gives up. May be called from another thread, and again."""
        self._listener.close()

    def _code(self, came: Mapping[str, str]) -> str:
        """The code in the browser's answer, if the answer is one to this sign-in (RFC 9700 section 2.1)."""
        name = self._service.name
        again = "Start the sign-in again."
        if not hmac.compare_digest(came.get("state", "").encode(), self._state.encode()):
            raise Rejected(f"The browser came back with an answer that was not meant for this sign-in. {again}")
        issuer = came.get("iss", "")
        wanted = self._service.issuer
        if (issuer or self._service.always_names_itself) and wanted and issuer.rstrip("/") != wanted.rstrip("/"):
            raise Rejected(f"The browser came back with an answer from somebody else than {name}. {again}")
        if came.get("error") == "access_denied":
            raise Rejected(f"{name} was told not to let Sendoff in. {again[:-1]} if that was a slip.")
        if "error" in came:
            words = " ".join((came.get("error_description") or came["error"]).split())[:200]
            raise Rejected(f"{name} did not sign you in: “{words}”. {again}")
        if not came.get("code"):
            raise Rejected(f"{name} sent the browser back without a code. {again}")
        return came["code"]

    def _exchange(self, code: str, redirect_uri: str) -> Mapping[str, str]:
        """A key for the code. The code works once, so a broken line means another sign-in."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "client_id": self._client.id,
            "code_verifier": self._verifier,
        }
        if self._client.secret:
            form["client_secret"] = self._client.secret
        name = self._service.name
        http = Http(self._transport, origin(self._service.token_url), name, ca_file=self._ca_file)
        ask: dict[str, Any] = {"method": "POST", "ok": (400, 401, 403, 422)}
        answer = http.read(self._service.token_url, data=form, **ask)
        if answer.status == 401 and self._client.secret:  # it may know clients by the header alone (section 2.3.1)
            who = f"{quote(self._client.id, safe='')}:{quote(self._client.secret, safe='')}"
            shown = {"Authorization": f"Basic {base64.b64encode(who.encode()).decode()}"}
            del form["client_secret"]
            answer = http.read(self._service.token_url, data=form, headers=shown, **ask)
        found = answer.json()
        token = found.get("access_token") if isinstance(found, dict) else None
        if answer.status < 300 and isinstance(token, str) and token:
            kind = found.get("token_type", "Bearer")
            if not isinstance(kind, str) or kind.lower() != "bearer":
                raise Rejected(f"{name} handed out a kind of key that Sendoff can’t use.")
            return self._finish(found)
        words = found.get("error_description") or found.get("error") if isinstance(found, dict) else ""
        said = f": “{' '.join(words.split())[:200]}”" if isinstance(words, str) and words else "."
        raise Rejected(f"{name} did not hand out a key{said} Start the sign-in again.", status=answer.status)


def base64url(data: bytes) -> str:
    """As RFC 7636 and RFC 7515 write bytes: URL-safe, without padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def origin(url: str) -> str:
    return urlsplit(url)._replace(path="", query="", fragment="").geturl()
