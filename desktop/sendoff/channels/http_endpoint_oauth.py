"""OAuth 2.0 for an HTTP endpoint: client credentials, the code grant in the browser, and renewing (RFC 6749)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit

from sendoff.channels import http_endpoint_setup as setups
from sendoff.channels.http import Answer, Http, Transport
from sendoff.channels.http_endpoint_setup import Setup
from sendoff.channels.http_endpoint_template import as_words, at
from sendoff.channels.oauth import Client, CodeSignIn, Listener, Service
from sendoff.channels.reading import table
from sendoff.domain.errors import NeedsLogin

CALLBACK = "/callback"
"""The path for the way back where a port is fixed: a service that wants to know the address wants all of it."""

EARLY = timedelta(minutes=2)
"""How long before its end a token is replaced."""

KEYS = ("access_token", "refresh_token", "expires_at")
"""The secret fields that hold what the token endpoint gave."""


def client_token(transport: Transport, setup: Setup, now: datetime) -> dict[str, str]:
    """A token by the client credentials grant (section 4.4).

    Raises:
        NeedsLogin: there is none for this client. TryLater, Rejected.
    """
    answer = _asked(transport, setup, {"grant_type": "client_credentials", **_scope(setup)})
    found = table(answer.json())
    if not _is_good(answer):
        raise _refused(
            setup, answer, "hands out no token for this client", "Check the client ID, its secret and the scope."
        )
    return _kept(found, now, default=60)  # section 5.1: how long it lives need not be told


def sign_in(transport: Transport, setup: Setup, fields: Mapping[str, str]) -> CodeSignIn:
    """The authorization code grant with PKCE, by a way back on the loopback interface (RFC 8252 section 7.3).

    Raises:
        TryLater: the port is taken. Rejected: an address is not encrypted.
    """
    service = Service(setup.host, setup.authorize_url, setup.token_url)
    listener = Listener(port=setup.redirect_port, path=CALLBACK if setup.redirect_port else "")

    def finish(found: Mapping[str, Any]) -> Mapping[str, str]:
        return {**fields, "oauth": json.dumps(_kept(found, datetime.now(UTC), default=None))}

    try:
        return CodeSignIn(
            transport, service, Client(setup.username, setup.secret), listener,
            scopes=setup.scope.split(), finish=finish, ca_file=setup.ca_file,
        )  # fmt: skip
    except BaseException:
        listener.close()
        raise


def granted(fields: Mapping[str, str]) -> dict[str, str]:
    """What a sign-in with the browser brought a moment ago, or what is stored of one; {} where there was none."""
    try:
        fresh = json.loads(fields.get("oauth") or "{}")
    except ValueError:
        fresh = {}
    found = fresh if isinstance(fresh, dict) and fresh else fields
    kept = {name: value for name in KEYS if isinstance(value := found.get(name), str)}
    return kept if kept.get("access_token") else {}


def is_fresh(secret: Mapping[str, str], now: datetime) -> bool:
    """Whether a token is good for a while yet. One whose end was never told is, until it is refused."""
    until = secret.get("expires_at", "")
    return bool(secret.get("access_token")) and (not until or _instant(until) > now + EARLY)


def renewed(transport: Transport, setup: Setup, secret: Mapping[str, str], now: datetime) -> dict[str, str]:
    """New tokens by the refresh token (section 6), which may be replaced as well (RFC 9700 section 4.14.2).

    Raises:
        NeedsLogin: the sign-in is over. TryLater, Rejected.
    """
    refresh = secret.get("refresh_token", "")
    if not refresh:
        raise NeedsLogin(f"The sign-in at {setup.host} has run out.", advice="Sign in with the browser again.")
    answer = _asked(transport, setup, {"grant_type": "refresh_token", "refresh_token": refresh})
    if not _is_good(answer):
        raise _refused(setup, answer, "does not renew the sign-in", "Sign in with the browser again.")
    return {"refresh_token": refresh, **_kept(table(answer.json()), now, default=None)}


def _scope(setup: Setup) -> dict[str, str]:
    return {"scope": setup.scope} if setup.scope else {}


def _asked(transport: Transport, setup: Setup, form: Mapping[str, str]) -> Answer:
    """Asks the token endpoint. The client shows itself as the standard says, in the header; where that is not known
    (401), in the form (section 2.3.1). One without a secret just says who it is."""
    where = urlsplit(setup.token_url)
    http = Http(transport, f"{where.scheme}://{where.netloc}", where.netloc, ca_file=setup.ca_file)
    path = setup.token_url.removeprefix(http.base) or "/"
    ask: dict[str, Any] = {"method": "POST", "ok": (400, 401, 403)}
    if not setup.secret:
        return http.read(path, data={**form, "client_id": setup.username}, **ask)
    in_header = setups.basic(quote(setup.username, safe=""), quote(setup.secret, safe=""))
    answer = http.read(path, data=dict(form), headers={"Authorization": in_header}, **ask)
    if answer.status == 401 or as_words(at(answer.json(), "/error")) == "invalid_client":
        client = {"client_id": setup.username, "client_secret": setup.secret}
        answer = http.read(path, data={**form, **client}, **ask)
    return answer


def _is_good(answer: Answer) -> bool:
    found = table(answer.json())
    token, kind = found.get("access_token"), as_words(found.get("token_type", ""))
    return answer.status < 300 and isinstance(token, str) and bool(token) and kind.lower() in ("", "bearer")


def _refused(setup: Setup, answer: Answer, what: str, advice: str) -> NeedsLogin:
    said = as_words(at(answer.json(), "/error_description")) or as_words(at(answer.json(), "/error"))
    wrong = NeedsLogin(
        f"{urlsplit(setup.token_url).netloc} {what}" + (f": “{said[:200]}”." if said else "."),
        advice=advice, status=answer.status, detail=answer.text[:500],
    )  # fmt: skip
    wrong.at("secret")
    return wrong


def _kept(found: Mapping[str, Any], now: datetime, *, default: int | None) -> dict[str, str]:
    """What is stored of a token endpoint's answer. `expires_at` is "" where its end is not known (`default` None)."""
    lives = found.get("expires_in")
    seconds = lives if isinstance(lives, int) and not isinstance(lives, bool) and 0 < lives < 10**8 else default
    until = "" if seconds is None else (now + timedelta(seconds=seconds)).isoformat()
    refresh = found.get("refresh_token")
    more = {"refresh_token": refresh} if isinstance(refresh, str) and refresh else {}
    return {"access_token": str(found["access_token"]), "expires_at": until, **more}


def _instant(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
