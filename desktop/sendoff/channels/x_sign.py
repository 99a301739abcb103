"""Signing in to X: requests signed with the four keys (OAuth 1.0a), or tokens of a browser sign-in (OAuth 2.0)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from sendoff.channels.http import Answer, Http, Transport
from sendoff.channels.oauth import Client, CodeSignIn, Listener, Service
from sendoff.channels.reading import table
from sendoff.domain.errors import BadInput, NeedsLogin, Rejected, TryLater

API = "https://api.x.com"
PAGE = "https://x.com/i/oauth2/authorize"
"""Where the browser goes; at a server of one's own it is /2/oauth2/authorize, as X's OpenAPI file has it too."""

SCOPES = ("tweet.read", "tweet.write", "users.read", "media.write", "offline.access")
PORT, PATH = 47147, "/x"
"""Where the browser comes back. X wants the whole address in advance, and 127.0.0.1 instead of localhost."""

REDIRECT = f"http://127.0.0.1:{PORT}{PATH}"

SOON = timedelta(minutes=15)
"""A token that ends so soon is renewed first, so that it lasts for the looks after a try too. X's live two hours."""

KEYS = ("api_key", "api_secret", "access_token", "access_secret")
"""The four keys of an app, by the names that the form's fields have."""

TOKENS = ("bearer", "refresh_token", "grant")
"""What the keychain has of a browser sign-in."""


# --- OAuth 1.0a ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Keys:
    """The four keys: of the app (api_…) and of the account (access_…)."""

    api_key: str
    api_secret: str = field(repr=False)
    access_token: str = field(default="", repr=False)
    access_secret: str = field(default="", repr=False)

    @property
    def secrets(self) -> dict[str, str]:
        """As the keychain gets them."""
        return {name: getattr(self, name) for name in KEYS}

    def authorization(self, method: str, url: str, **more: str) -> str:
        """The Authorization header of one request, signed with HMAC-SHA1 (RFC 5849 section 3).

        The query is signed, bodies are not: X takes JSON and multipart, which do not belong to a signature (section
        3.4.1.3.1).

        Args:
            url: the whole address, with its query.
            more: what stands in the header beside the usual, or instead of it (oauth_nonce and oauth_timestamp).
        """
        oauth = {
            "oauth_consumer_key": self.api_key,
            "oauth_nonce": secrets.token_urlsafe(24),
            "oauth_signature_method": "HMAC-SHA1",
            "oauth_timestamp": str(int(time.time())),
            **({"oauth_token": self.access_token} if self.access_token else {}),
            **more,
        }
        oauth["oauth_signature"] = self.signature(method, url, oauth.items())
        return "OAuth " + ", ".join(f'{name}="{_escaped(value)}"' for name, value in sorted(oauth.items()))

    def signature(self, method: str, url: str, parameters: Iterable[tuple[str, str]]) -> str:
        """The signature over a request and its parameters other than those of the query."""
        key = f"{_escaped(self.api_secret)}&{_escaped(self.access_secret)}".encode()
        base = base_string(method, url, parameters).encode()
        return base64.b64encode(hmac.new(key, base, hashlib.sha1).digest()).decode()


def base_string(method: str, url: str, parameters: Iterable[tuple[str, str]]) -> str:
    """What is signed: the method, the address without its query, and all parameters in order (section 3.4.1)."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if parts.port and parts.port != {"http": 80, "https": 443}.get(parts.scheme):
        host = f"{host}:{parts.port}"
    given = [*parse_qsl(parts.query, keep_blank_values=True), *parameters]
    pairs = sorted((_escaped(name), _escaped(value)) for name, value in given)
    joined = "&".join(f"{name}={value}" for name, value in pairs)
    where = f"{parts.scheme.lower()}://{host}{parts.path or '/'}"
    return "&".join((method.upper(), _escaped(where), _escaped(joined)))


def _escaped(text: str) -> str:
    """As section 3.6 wants it: all but letters, digits and -._~ as UTF-8 bytes in hexadecimal."""
    return quote(text, safe="-._~")


def keys(fields: Mapping[str, str]) -> Keys:
    """The four keys that were typed.

    Raises:
        BadInput: one is missing or can't be one.
    """
    found = {}
    for name in KEYS:
        value = "".join(fields.get(name, "").split())
        if not value:
            raise BadInput("Paste all four keys of your app, or sign in with the browser.").at(name)
        if not value.isascii() or not value.isprintable() or len(value) < 20:
            raise BadInput("That is none of the four keys. Copy it once more.").at(name)
        found[name] = value
    if "-" not in found["access_token"]:
        raise BadInput(
            "That is no access token: those begin with your account’s number and a hyphen. Is it the API key?"
        ).at("access_token")
    return Keys(**found)


# --- OAuth 2.0 ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Grant:
    """What a sign-in with the browser brought. `until` is when the access token ends, aware UTC."""

    client_id: str
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    until: datetime

    @property
    def secrets(self) -> dict[str, str]:
        """As the keychain gets it, each token for itself, so that each is masked wherever texts are kept."""
        about = json.dumps({"client_id": self.client_id, "until": self.until.isoformat()})
        return {"bearer": self.access_token, "refresh_token": self.refresh_token, "grant": about}

    @property
    def text(self) -> str:
        """As the sign-in hands it on in the field "oauth"."""
        return json.dumps(self.secrets)


def granted(secret: Mapping[str, str]) -> Grant | None:
    """The grant among an account's secrets, or as `Grant.text` has it in the field "oauth"; None: it signed in with the
    four keys.

    Raises:
        Rejected: what there is is none.
    """
    try:
        found = json.loads(secret["oauth"]) if secret.get("oauth") else secret
        if not found.get("bearer"):
            return None
        about = json.loads(found["grant"])
        until = datetime.fromisoformat(about["until"])
        return Grant(str(about["client_id"]), found["bearer"], found["refresh_token"], until)
    except (ValueError, TypeError, KeyError, AttributeError):
        raise Rejected("What the browser sign-in brought is damaged. Sign in again.") from None


def in_browser(
    transport: Transport, base: str, fields: Mapping[str, str], *, port: int, now: Callable[[], datetime]
) -> CodeSignIn:
    """A sign-in with the browser for an app of the kind Native App, which has no secret.

    Raises:
        BadInput: there is no client ID. TryLater: the port is taken.
    """
    client_id = "".join(fields.get("client_id", "").split())
    if not client_id:
        raise BadInput("Paste the OAuth 2.0 Client ID of your app; it is no secret.").at("client_id")
    page = PAGE if base == API else f"{base}/2/oauth2/authorize"
    service = Service("X", page, f"{base}/2/oauth2/token")

    def finish(found: Mapping[str, Any]) -> Mapping[str, str]:
        lacking = {"tweet.write", "media.write"} - set(str(found.get("scope") or "").split())
        if lacking:
            raise Rejected(
                f"X let Sendoff in without the right to {' and '.join(sorted(lacking))}. Start the sign-in again, and "
                "allow everything that is asked for."
            )
        made = _grant(client_id, found, now())
        return {**fields, **dict.fromkeys(KEYS, ""), "client_id": client_id, "oauth": made.text}

    listener = Listener(port=port, path=PATH)
    try:
        return CodeSignIn(transport, service, Client(client_id), listener, scopes=SCOPES, finish=finish)
    except BaseException:
        listener.close()
        raise


def refreshed(http: Http, grant: Grant, now: datetime) -> Grant:
    """New tokens. A refresh token works once: with the answer the old one is void.

    Raises:
        NeedsLogin: X gives none. Rejected, TryLater.
    """
    form = {"grant_type": "refresh_token", "refresh_token": grant.refresh_token, "client_id": grant.client_id}
    answer = http.read("/2/oauth2/token", method="POST", data=form, ok=(400, 401, 403))
    if answer.status in (400, 401, 403):
        raise NeedsLogin(
            f"The browser sign-in at X is over{_quoted(answer)}",
            advice="Sign in again; the four keys last until you take them back.", status=answer.status,
        )  # fmt: skip
    return _grant(grant.client_id, table(answer.json()), now)


def _grant(client_id: str, found: Mapping[str, Any], now: datetime) -> Grant:
    """The token endpoint's answer (RFC 6749 section 5.1).

    Raises:
        TryLater: it is none.
    """
    access, refresh, seconds = (found.get(name) for name in ("access_token", "refresh_token", "expires_in"))
    if not (isinstance(access, str) and access and isinstance(refresh, str) and refresh):
        raise TryLater("X answered the sign-in with something else than a key and its successor.")
    lives = seconds if isinstance(seconds, int) and 0 < seconds < 10**8 else 7200
    return Grant(client_id, access, refresh, now + timedelta(seconds=lives))


def _quoted(answer: Answer) -> str:
    found = table(answer.json())
    words = found.get("error_description") or found.get("error")
    return f": “{' '.join(words.split())[:200]}”." if isinstance(words, str) and words else "."
