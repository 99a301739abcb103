"""Signing in to the AT Protocol with the browser: pushed request, PKCE, and tokens bound to a key of our own (DPoP)."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from sendoff.channels.http import Answer, Http, Transport
from sendoff.channels.oauth import Client, CodeSignIn, Listener, Service, base64url, origin
from sendoff.channels.reading import listed, table
from sendoff.domain.address import may_name
from sendoff.domain.errors import NeedsLogin, Rejected, TryLater

SCOPES = ("atproto", "transition:generic")
"""What is asked for. Finer scopes (repo:…, blob:…) exist, and older servers refuse the whole request over them."""

LIFE = timedelta(days=14)
"""How long a sign-in of a program without a page on the web may last (atproto.com/specs/oauth, 2026-11-23)."""

Nonces = dict[str, str]
"""By origin the nonce that the server wants to see in the next proof (RFC 9449 section 8)."""


class Key:
    """The key that the tokens of one sign-in are bound to (ES256). `text` is how it is kept: a secret."""

    def __init__(self, text: str = "") -> None:
        from cryptography.hazmat.primitives.asymmetric import ec  # 7 MB that only this way of signing in needs

        number = int(text, 16) if text else 0
        self._private = (
            ec.derive_private_key(number, ec.SECP256R1()) if text else ec.generate_private_key(ec.SECP256R1())
        )
        public = self._private.public_key().public_numbers()
        x, y = (base64url(one.to_bytes(32)) for one in (public.x, public.y))
        self._jwk = {"kty": "EC", "crv": "P-256", "x": x, "y": y}

    @property
    def text(self) -> str:
        return f"{self._private.private_numbers().private_value:064x}"

    def proof(self, method: str, url: str, *, nonce: str = "", token: str = "") -> str:
        """A proof for one request (RFC 9449 section 4.2): a JWT over its method and its address without query."""
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

        claims: dict[str, Any] = {
            "jti": secrets.token_urlsafe(16), "htm": method, "htu": url.partition("?")[0], "iat": int(time.time()),
        }  # fmt: skip
        if nonce:
            claims["nonce"] = nonce
        if token:
            claims["ath"] = base64url(hashlib.sha256(token.encode()).digest())
        head = {"typ": "dpop+jwt", "alg": "ES256", "jwk": self._jwk}
        signed = f"{base64url(json.dumps(head).encode())}.{base64url(json.dumps(claims).encode())}"
        r, s = decode_dss_signature(self._private.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{base64url(r.to_bytes(32) + s.to_bytes(32))}"


@dataclass(frozen=True, slots=True)
class Proofs:
    """Sends requests with a proof each, and once more where the server wants another nonce: it did nothing then."""

    key: Key
    nonces: Nonces
    token: str = ""

    def send(
        self,
        http: Http,
        method: str,
        path: str,
        *,
        effect: bool,
        headers: Mapping[str, str] | None = None,
        **request: Any,
    ) -> Answer:
        """As `Http.send`.

        Raises:
            TryLater, Rejected, InDoubt (effect).
        """
        url = path if path.startswith(("https://", "http://")) else http.base + path
        for _ in range(2):
            nonce = self.nonces.get(origin(url), "")
            proof = self.key.proof(method, url, nonce=nonce, token=self.token)
            own = {"DPoP": proof} | ({"Authorization": f"DPoP {self.token}"} if self.token else {})
            answer = http.send(method, path, effect=effect, headers={**(headers or {}), **own}, **request)
            wanted = answer.headers.get("DPoP-Nonce", "")
            if wanted:
                self.nonces[origin(url)] = wanted
            if not (wanted and wanted != nonce and _wants_nonce(answer)):
                break
        return answer


def _wants_nonce(answer: Answer) -> bool:
    if answer.status not in (400, 401):
        return False
    challenge = answer.headers.get("WWW-Authenticate", "")
    return table(answer.json()).get("error") == "use_dpop_nonce" or "use_dpop_nonce" in challenge


# --- where to sign in ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Authority:
    """Who hands out tokens for a server (RFC 8414, RFC 9126)."""

    issuer: str
    authorize_url: str
    token_url: str
    push_url: str


def authority(transport: Transport, base: str, name: str, ca_file: str = "") -> Authority:
    """Whom a PDS trusts with sign-ins (atproto.com/specs/oauth: RFC 9728, then RFC 8414).

    Raises:
        Rejected: it knows no sign-in with the browser, or names somebody who says to be another. TryLater.
    """
    resource = Http(transport, base, name, ca_file=ca_file).read("/.well-known/oauth-protected-resource", ok=(404,))
    named = [one for one in listed(table(resource.json()).get("authorization_servers")) if isinstance(one, str)]
    if not named:
        raise Rejected(f"{name} knows no sign-in with the browser.", advice="Use an app password.")
    if not may_name(base, named[0]):
        raise Rejected(f"{name} names this computer as the place to sign in.", advice="Do not trust that server.")
    issuer = Http(transport, named[0], name, ca_file=ca_file)
    told = table(issuer.read("/.well-known/oauth-authorization-server").json())
    names = ("authorization_endpoint", "token_endpoint", "pushed_authorization_request_endpoint")
    urls = [one if isinstance(one := told.get(name), str) else "" for name in names]
    if told.get("issuer") != named[0] or not all(urls):
        raise Rejected(f"{named[0]} does not say properly how one signs in at {name}.", advice="Use an app password.")
    return Authority(named[0], *urls)


# --- the sign-in --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Grant:
    """What a sign-in with the browser brought: tokens, the key they are bound to, and who renews them for whom.

    `ends` is when no token renews it any more, ISO 8601; "" where it was not noted.
    """

    did: str
    access_token: str
    refresh_token: str
    key: str
    issuer: str
    token_url: str
    client_id: str
    ends: str = ""

    @property
    def text(self) -> str:
        return json.dumps({name: getattr(self, name) for name in self.__slots__})

    @property
    def secrets(self) -> dict[str, str]:
        """As the keychain gets it, each token for itself, so that each is masked wherever texts are kept."""
        client = {name: getattr(self, name) for name in ("did", "issuer", "token_url", "client_id", "ends")}
        tokens = {"access_jwt": self.access_token, "refresh_jwt": self.refresh_token}
        return {**tokens, "dpop_key": self.key, "dpop_client": json.dumps(client)}


def granted(secret: Mapping[str, str]) -> Grant | None:
    """The grant among an account's secrets, or as `Grant.text` has it in the field "oauth"; None: it signed in
    otherwise.

    Raises:
        Rejected: that is none.
    """
    try:
        if secret.get("oauth"):
            return Grant(**json.loads(secret["oauth"]))
        if not secret.get("dpop_client"):
            return None
        tokens = {
            "access_token": secret["access_jwt"],
            "refresh_token": secret["refresh_jwt"],
            "key": secret["dpop_key"],
        }
        return Grant(**json.loads(secret["dpop_client"]), **tokens)
    except (ValueError, TypeError, KeyError):
        raise Rejected("What the browser sign-in brought is damaged. Sign in again.") from None


class BoundSignIn(CodeSignIn):
    """The authorization code grant as the AT Protocol wants it: the request pushed ahead, every call with a proof.

    The client is the one that the specification has for programs without a page on the web: its name is
    http://localhost with the redirect address and the scopes behind it (atproto.com/specs/oauth, "Localhost Client
    Development"). Servers are encouraged to take it, not obliged.

    Args:
        who: the handle or DID to sign in; did: whom it has to be.
        fields: what was typed, to connect with in the end.
    """

    def __init__(
        self, transport: Transport, name: str, server: Authority, listener: Listener, *,
        who: str, did: str, fields: Mapping[str, str], nonces: Nonces, ca_file: str = "",
    ) -> None:  # fmt: skip
        scope = " ".join(SCOPES)
        self._server, self._did, self._who, self._fields = server, did, who, fields
        self._proofs = Proofs(Key(), nonces)
        self._http = Http(transport, origin(server.token_url), name, ca_file=ca_file)
        client = Client(f"http://localhost?{urlencode({'redirect_uri': listener.redirect_uri, 'scope': scope})}")
        service = Service(
            name, server.authorize_url, server.token_url, server.issuer, always_names_itself=True,
            told_by=server.issuer,
        )  # fmt: skip
        super().__init__(
            transport, service, client, listener, scopes=SCOPES, finish=self._finished, ca_file=ca_file,
            more={"login_hint": who},
        )  # fmt: skip

    def _authorize_url(self, redirect_uri: str) -> str:
        """Pushes the request to the server and returns the address that stands for it (RFC 9126)."""
        query = dict(self._query(redirect_uri))
        answer = self._proofs.send(self._http, "POST", self._server.push_url, effect=False, data=query)
        name = table(answer.json()).get("request_uri")
        if answer.status not in (200, 201) or not isinstance(name, str):
            raise _refusal(self._http, answer)
        return f"{self._server.authorize_url}?{urlencode({'client_id': self._client.id, 'request_uri': name})}"

    def _exchange(self, code: str, redirect_uri: str) -> Mapping[str, str]:
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri,
            "client_id": self._client.id, "code_verifier": self._verifier,
        }  # fmt: skip
        answer = self._proofs.send(self._http, "POST", self._server.token_url, effect=False, data=form)
        return self._finished(_tokens(self._http, answer))

    def _finished(self, found: Mapping[str, Any]) -> Mapping[str, str]:
        if self._did and found["sub"] != self._did:
            raise Rejected(f"The browser signed in as somebody else than {self._who}. Nothing was stored.")
        grant = Grant(
            found["sub"], found["access_token"], found["refresh_token"], self._proofs.key.text,
            self._server.issuer, self._server.token_url, self._client.id, (datetime.now(UTC) + LIFE).isoformat(),
        )  # fmt: skip
        return {**self._fields, "app_password": "", "oauth": grant.text}


def refreshed(transport: Transport, grant: Grant, nonces: Nonces, name: str, ca_file: str = "") -> dict[str, str]:
    """New tokens for a grant, as secrets. A refresh token works once: one that was used ends the whole sign-in.

    Raises:
        NeedsLogin: the sign-in is over (two weeks at most without a page of the program's own). TryLater.
    """
    http = Http(transport, origin(grant.token_url), name, ca_file=ca_file)
    form = {"grant_type": "refresh_token", "refresh_token": grant.refresh_token, "client_id": grant.client_id}
    answer = Proofs(Key(grant.key), nonces).send(http, "POST", grant.token_url, effect=False, data=form)
    if answer.status in (400, 401):
        raise NeedsLogin(
            f"The sign-in at {name} is over: browser sign-ins last two weeks at most.",
            advice="Sign in again; with an app password it lasts until you take that back.", status=answer.status,
        )  # fmt: skip
    found = _tokens(http, answer)
    if found["sub"] != grant.did:
        raise NeedsLogin(f"{name} signed somebody else in.", advice="Sign in again.")
    return {"access_jwt": found["access_token"], "refresh_jwt": found["refresh_token"]}


def _tokens(http: Http, answer: Answer) -> dict[str, str]:
    """The token endpoint's answer, if it is one that is bound to our key.

    Raises:
        Rejected, TryLater.
    """
    if answer.status >= 300:
        raise _refusal(http, answer)
    found = table(answer.json())
    names = ("access_token", "refresh_token", "sub", "token_type", "scope")
    said = {name: value if isinstance(value := found.get(name), str) else "" for name in names}
    if not (said["access_token"] and said["refresh_token"] and said["sub"].startswith("did:")):
        raise TryLater(f"{http.name} answered the sign-in with something else than tokens.")
    if said["token_type"].lower() != "dpop" or "atproto" not in said["scope"].split():
        raise Rejected(f"{http.name} handed out a kind of key that Sendoff can’t use.")
    return said


def _refusal(http: Http, answer: Answer) -> Rejected | TryLater:
    """What a refused request of the sign-in means."""
    found = table(answer.json())
    words = found.get("error_description") or found.get("error")
    said = f": “{' '.join(words.split())[:200]}”" if isinstance(words, str) else "."
    if answer.status == 429 or answer.status >= 500:
        return TryLater(f"{http.name} can’t sign you in now{said}", status=answer.status)
    return Rejected(f"{http.name} did not sign you in{said} Start the sign-in again.", status=answer.status)
