"""The sign-in with the browser of the loopback PDS: pushed requests, PKCE, and tokens bound to the client's key."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from sendoff.channels.fault_server import Reply, Request

if TYPE_CHECKING:
    from tests.fakes.pds import FakePds

ACCESS = timedelta(minutes=30)


@dataclass
class Bound:
    """An access token: whose key it is bound to, until when, and what it belongs to."""

    thumbprint: str
    until: datetime
    session: str


@dataclass
class Desk:
    """Hands out tokens. A refresh token works once; one that is used again ends its whole session.

    Args:
        nonce: what the next proof has to carry; a test changes it to have a proof refused.
        approve: whether the person says yes. issuer: sent with the answer instead of the own address, if it
            `names_itself` at all.
    """

    pds: FakePds
    nonce: str = "nonce-1"
    approve: bool = True
    issuer: str = ""
    names_itself: bool = True
    pushed: dict[str, dict[str, str]] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    access: dict[str, Bound] = field(default_factory=dict)
    refresh: dict[str, dict[str, str]] = field(default_factory=dict)
    over: set[str] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)

    def handle(self, request: Request) -> Reply:
        path = urlsplit(request.path).path
        if path == "/.well-known/oauth-protected-resource":
            return _json({"resource": self.pds.url, "authorization_servers": [self.pds.url]})
        if path == "/.well-known/oauth-authorization-server":
            return _json(
                {
                    "issuer": self.pds.url,
                    "authorization_endpoint": f"{self.pds.url}/oauth/authorize",
                    "token_endpoint": f"{self.pds.url}/oauth/token",
                    "pushed_authorization_request_endpoint": f"{self.pds.url}/oauth/par",
                    "authorization_response_iss_parameter_supported": True,
                }
            )
        if path == "/oauth/authorize":
            return self._authorize(dict(parse_qsl(urlsplit(request.path).query)))
        wrong, thumbprint = self.proof(request)
        if wrong:
            return wrong
        asked = dict(parse_qsl(request.text))
        return self._push(asked) if path == "/oauth/par" else self._token(asked, thumbprint)

    def _push(self, asked: dict[str, str]) -> Reply:
        client = dict(parse_qsl(urlsplit(asked["client_id"]).query))
        same = [urlsplit(one)._replace(netloc="").geturl() for one in (client["redirect_uri"], asked["redirect_uri"])]
        if not asked["client_id"].startswith("http://localhost?") or same[0] != same[1]:
            return _error(400, "invalid_request", "Invalid redirect_uri parameter")
        if asked.get("code_challenge_method") != "S256" or "atproto" not in asked["scope"].split():
            return _error(400, "invalid_request", "Wrong challenge or scope")
        name = f"urn:ietf:params:oauth:request_uri:req-{secrets.token_hex(8)}"
        self.pushed[name] = asked
        return _json({"request_uri": name, "expires_in": 299}, 201)

    def _authorize(self, asked: dict[str, str]) -> Reply:
        """The page, with a person who decides at once."""
        request = self.pushed.pop(asked["request_uri"])
        assert request["client_id"] == asked["client_id"]
        answer = {"state": request["state"]}
        if self.names_itself:
            answer["iss"] = self.issuer or self.pds.url
        if self.approve:
            code = f"cod-{secrets.token_hex(8)}"
            self.codes[code] = request
            answer["code"] = code
        else:
            answer |= {"error": "access_denied", "error_description": "Access denied"}
        return Reply(303, b"", {"Location": f"{request['redirect_uri']}?{urlencode(answer)}"})

    def _token(self, asked: dict[str, str], thumbprint: str) -> Reply:
        if asked["grant_type"] == "refresh_token":
            return self._refresh(asked, thumbprint)
        request = self.codes.pop(asked["code"], None)
        if request is None:
            return _error(400, "invalid_grant", "Invalid code")
        challenge = _b64(hashlib.sha256(asked["code_verifier"].encode()).digest())
        if challenge != request["code_challenge"] or asked["client_id"] != request["client_id"]:
            return _error(400, "invalid_grant", "Invalid code_verifier")
        return self._hand_out(secrets.token_hex(8), thumbprint, asked["client_id"])

    def _refresh(self, asked: dict[str, str], thumbprint: str) -> Reply:
        known = self.refresh.get(asked["refresh_token"])
        if known is None or known["session"] in self.over or known["thumbprint"] != thumbprint:
            return _error(400, "invalid_grant", "Invalid refresh token")
        if known.pop("used", ""):
            self.over.add(known["session"])
            return _error(400, "invalid_grant", "Refresh token replayed")
        if asked["client_id"] != known["client_id"]:
            return _error(400, "invalid_grant", "Invalid client")
        known["used"] = "yes"
        return self._hand_out(known["session"], thumbprint, asked["client_id"])

    def _hand_out(self, session: str, thumbprint: str, client_id: str) -> Reply:
        until = self.pds.now() + ACCESS
        payload = {"exp": int(until.timestamp()), "jti": secrets.token_hex(8)}
        access = f"{_b64(b'{}')}.{_b64(json.dumps(payload).encode())}.x"
        refresh = f"ref-{secrets.token_hex(16)}"
        self.access[access] = Bound(thumbprint, until, session)
        self.refresh[refresh] = {"session": session, "thumbprint": thumbprint, "client_id": client_id}
        return _json(
            {
                "access_token": access, "refresh_token": refresh, "token_type": "DPoP", "sub": self.pds.did,
                "scope": "atproto transition:generic", "expires_in": int(ACCESS.total_seconds()),
            }
        )  # fmt: skip

    # --- proofs ---------------------------------------------------------------------------------------------------

    def proof(self, request: Request, token: str = "") -> tuple[Reply | None, str]:
        """What is wrong with a request's proof, else the thumbprint of its key (RFC 9449 section 4.3)."""
        said = next((value for name, value in request.headers.items() if name.lower() == "dpop"), "")
        try:
            head, claims, key = _opened(said)
        except (ValueError, KeyError, InvalidSignature) as wrong:
            return _error(401 if token else 400, "invalid_dpop_proof", f"Invalid proof: {wrong!r}"), ""
        method, url = request.method, self.pds.url + urlsplit(request.path).path
        ath = _b64(hashlib.sha256(token.encode()).digest()) if token else None
        right = (claims.get("htm"), claims.get("htu"), claims.get("ath")) == (method, url, ath)
        if head.get("typ") != "dpop+jwt" or not right or claims["jti"] in self.seen:
            return _error(401 if token else 400, "invalid_dpop_proof", "DPoP proof mismatch"), ""
        self.seen.add(claims["jti"])
        if claims.get("nonce") != self.nonce:
            more = {"DPoP-Nonce": self.nonce, "WWW-Authenticate": 'DPoP error="use_dpop_nonce"'}
            return _error(401 if token else 400, "use_dpop_nonce", "Authorization server requires nonce", more), ""
        return None, key

    def wrong_token(self, request: Request, token: str) -> Reply | None:
        """What is wrong with a request that brings a bound token."""
        known = self.access.get(token)
        if known is None:
            return _error(401, "InvalidToken", "Malformed token")
        if self.pds.now() >= known.until or known.session in self.over:
            return _error(401, "invalid_token", '"exp" claim timestamp check failed')
        wrong, thumbprint = self.proof(request, token)
        if wrong is None and thumbprint != known.thumbprint:
            return _error(401, "invalid_dpop_proof", "Invalid DPoP key binding")
        return wrong


def _opened(proof: str) -> tuple[dict[str, Any], dict[str, Any], str]:
    """A proof's head and claims, with its signature checked, and the thumbprint of its key (RFC 7638)."""
    head, claims, signature = proof.split(".")
    jwk = json.loads(_raw(head))["jwk"]
    x, y = (int.from_bytes(_raw(jwk[name])) for name in ("x", "y"))
    raw = _raw(signature)
    public = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    der = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    public.verify(der, f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))
    assert set(jwk) == {"kty", "crv", "x", "y"}, "a private key must never leave"
    canonical = json.dumps({name: jwk[name] for name in ("crv", "kty", "x", "y")}, separators=(",", ":"))
    return json.loads(_raw(head)), json.loads(_raw(claims)), _b64(hashlib.sha256(canonical.encode()).digest())


def _raw(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _json(found: Any, status: int = 200) -> Reply:
    return Reply(status, json.dumps(found).encode(), {"Content-Type": "application/json"})


def _error(status: int, name: str, words: str, more: dict[str, str] | None = None) -> Reply:
    body = json.dumps({"error": name, "error_description": words, "message": words}).encode()
    return Reply(status, body, {"Content-Type": "application/json", **(more or {})})
