"""A Bluesky PDS on the loopback interface, with the identity directory beside it, as the reference server behaves.

    with PdsServer() as server:
        fields = {"identifier": server.handle, "app_password": server.app_password, "base_url": server.url}
        …
        assert [post.value["text"] for post in server.posts] == ["Hello"]

The ledger `effects` is the judge: it holds what a reader would have seen happen, whatever the client believes. What it
answers was read off @atproto/pds 0.5.35; tests/peers/test_bluesky.py holds the two against each other.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import regex

from sendoff.channels.fault_server import FaultServer, Reply, Request
from tests.fakes.pds_oauth import Desk

ACCESS, REFRESH, GRACE = timedelta(hours=2), timedelta(days=90), timedelta(hours=2)
UPLOAD, IMAGE = 5 << 20, 2_000_000
POST, PROFILE = "app.bsky.feed.post", "app.bsky.actor.profile"
TID = re.compile("[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}")
WRITES = ("putRecord", "createRecord", "deleteRecord", "applyWrites")


@dataclass(frozen=True)
class Record:
    """One record as it stands in a repository."""

    uri: str
    cid: str
    value: dict[str, Any]


@dataclass
class Token:
    """A token that was handed out; `pair` is what a refresh token was once exchanged for."""

    kind: str
    until: datetime
    used_at: datetime | None = None
    pair: dict[str, str] | None = None
    revoked: bool = False


@dataclass
class FakePds:
    """Repositories by DID, and how one gets at them.

    Args:
        now: the server's clock. throttled: answers 429 to every request, with this many seconds to wait.
        called: the handle of the account that is signed in.
    """

    called: str = "alice.test"
    did: str = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"
    password: str = "the-main-password"
    app_password: str = "abcd-efgh-ijkl-mnop"
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    throttled: int = 0
    upload: int = UPLOAD
    active: bool = True
    effects: list[tuple[str, str]] = field(default_factory=list)
    records: dict[tuple[str, str, str], Record] = field(default_factory=dict)
    blobs: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    handles: dict[str, str] = field(default_factory=dict)
    sessions: int = 0
    url: str = ""
    desk: Desk = field(init=False)

    def __post_init__(self) -> None:
        self.handles[self.called] = self.did
        self.desk = Desk(self)

    # --- the endpoint ---------------------------------------------------------------------------------------------

    def is_effect(self, request: Request) -> bool:
        return request.method == "POST" and _method(request).rpartition(".")[2] in WRITES

    def handle(self, request: Request) -> Reply:
        if request.path.startswith("/did:plc:"):
            return self._document(request.path[1:])
        if self.throttled:
            reset = str(int(self.now().timestamp()) + self.throttled)
            limits = {"RateLimit-Limit": "3000", "RateLimit-Remaining": "0", "RateLimit-Reset": reset}
            return _error(429, "RateLimitExceeded", "Rate Limit Exceeded", limits)
        if request.path.startswith(("/oauth/", "/.well-known/oauth-")):
            return self.desk.handle(request)
        name = _method(request)
        if name.startswith("app.bsky."):
            return _error(400, "InvalidRequest", f"No service configured for {name}")
        said = _header(request, "Authorization")
        if said.startswith("DPoP ") and (wrong := self.desk.wrong_token(request, said.removeprefix("DPoP "))):
            return wrong
        verb = _VERBS.get((request.method, name))
        return verb(self, request) if verb else _error(501, "MethodNotImplemented", "Method Not Implemented")

    def _document(self, did: str) -> Reply:
        known = next((handle for handle, one in self.handles.items() if one == did), None)
        return _json(self.document(did, known)) if known else _json({"message": f"DID not registered: {did}"}, 404)

    def document(self, did: str, handle: str) -> dict[str, Any]:
        service = {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": self.url}
        return {"id": did, "alsoKnownAs": [f"at://{handle}"], "service": [service]}

    # --- sessions -------------------------------------------------------------------------------------------------

    def create_session(self, request: Request) -> Reply:
        self.sessions += 1
        asked = json.loads(request.body)
        who, password = asked.get("identifier"), asked.get("password")
        if who not in (self.called, self.did, "alice@example.org"):
            return _error(401, "AuthenticationRequired", "Invalid identifier or password")
        if password == self.password:
            return _error(401, "AuthFactorTokenRequired", "A sign in code has been sent to your email address")
        if password != self.app_password:
            return _error(401, "AuthenticationRequired", "Invalid identifier or password")
        return self._session(self.pair())

    def pair(self) -> dict[str, str]:
        """New tokens, as a sign-in hands them out."""
        return {"accessJwt": self._token("access", ACCESS), "refreshJwt": self._token("refresh", REFRESH)}

    def _token(self, kind: str, life: timedelta) -> str:
        until = self.now() + life
        payload = {"sub": self.did, "exp": int(until.timestamp()), "jti": secrets.token_hex(8)}
        token = ".".join((_b64({"typ": "at+jwt", "alg": "ES256K"}), _b64(payload), secrets.token_urlsafe(32)))
        self.tokens[token] = Token(kind, until)
        return token

    def _session(self, pair: Mapping[str, str]) -> Reply:
        state = {"active": True} if self.active else {"active": False, "status": "deactivated"}
        who = {"did": self.did, "handle": self.called, "didDoc": self.document(self.did, self.called)}
        return _json({**pair, **who, **state})

    def refresh_session(self, request: Request) -> Reply:
        """A refresh token that was used keeps giving the same pair for two hours."""
        refusal, token = self._bearer(request, "refresh")
        if refusal or token is None:
            return refusal or _error(400, "InvalidToken", "Token could not be verified")
        now = self.now()
        if token.used_at and now - token.used_at > GRACE:
            return _error(400, "ExpiredToken", "Token has been revoked")
        if token.pair is None:
            token.pair, token.used_at = self.pair(), now
        return self._session(token.pair)

    def get_session(self, request: Request) -> Reply:
        refusal, _ = self._bearer(request, "access")
        return refusal or _json({"did": self.did, "handle": self.called, "active": self.active})

    def _bearer(self, request: Request, kind: str) -> tuple[Reply | None, Token | None]:
        said = _header(request, "Authorization")
        if said.startswith("DPoP ") and kind == "access":
            return None, None  # `handle` has looked at it
        if not said:
            return _error(401, "AuthMissing", "Authentication Required"), None
        token = self.tokens.get(said.removeprefix("Bearer "))
        if token is None or token.kind != kind:
            return _error(400, "InvalidToken", "Token could not be verified"), None
        if token.revoked or self.now() >= token.until:
            return _error(400, "ExpiredToken", "Token has been revoked" if token.revoked else "Token has expired"), None
        return None, token

    # --- who is who, and what is there ----------------------------------------------------------------------------

    def resolve_handle(self, request: Request) -> Reply:
        did = self.handles.get(_query(request).get("handle", ""))
        return _json({"did": did}) if did else _error(400, "HandleNotFound", "Unable to resolve handle")

    def get_record(self, request: Request) -> Reply:
        asked = _query(request)
        did = self.handles.get(asked["repo"], asked["repo"])
        found = self.records.get((did, asked["collection"], asked["rkey"]))
        if found is None:
            uri = f"at://{did}/{asked['collection']}/{asked['rkey']}"
            return _error(400, "RecordNotFound", f"Could not locate record: {uri}")
        return _json({"uri": found.uri, "cid": found.cid, "value": found.value})

    def write_elsewhere(self, text: str, *, did: str = "", rkey: str = "3kzzzzzzzzz2k", **more: Any) -> Record:
        """Somebody posts something in another program."""
        value = {"$type": POST, "text": text, "createdAt": "2026-01-02T03:04:05.123Z", **more}
        return self._store(did or self.did, POST, rkey, value)

    def _store(self, did: str, collection: str, rkey: str, value: dict[str, Any]) -> Record:
        made = Record(f"at://{did}/{collection}/{rkey}", _cid(value), value)
        self.records[did, collection, rkey] = made
        return made

    # --- writing --------------------------------------------------------------------------------------------------

    def get_service_auth(self, request: Request) -> Reply:
        """A word for another service: a token that says for whom and for what."""
        refusal, _ = self._bearer(request, "access")
        if refusal:
            return refusal
        asked, until = _query(request), self.now() + timedelta(seconds=60)
        if "exp" in asked:
            until = datetime.fromtimestamp(int(asked["exp"]), UTC)
        if until < self.now() or until > self.now() + timedelta(hours=1):
            return _error(400, "BadExpiration", "cannot request a token with an expiration more than an hour away")
        payload = {"iss": self.did, "aud": asked["aud"], "lxm": asked.get("lxm"), "exp": int(until.timestamp())}
        token = ".".join((_b64({"typ": "JWT", "alg": "ES256K"}), _b64(payload), secrets.token_urlsafe(32)))
        self.tokens[token] = Token(f"{asked['aud']} {asked.get('lxm')}", until)
        return _json({"token": token})

    def upload_blob(self, request: Request) -> Reply:
        said = _header(request, "Authorization").removeprefix("Bearer ")
        own = f"did:web:{urlsplit(self.url).hostname} com.atproto.repo.uploadBlob"
        by_service = said in self.tokens and self.tokens[said].kind == own
        refusal, _ = self._bearer(request, own if by_service else "access")
        if refusal:
            return refusal
        if len(request.body) > self.upload:
            return _error(413, "PayloadTooLarge", "request entity too large")
        mime = _header(request, "Content-Type")
        link = _blob_cid(request.body)
        self.blobs[link] = (mime, request.body)
        return _json({"blob": {"$type": "blob", "ref": {"$link": link}, "mimeType": mime, "size": len(request.body)}})

    def put_record(self, request: Request) -> Reply:
        """The reference server looks for an equal record first, and only then at swapRecord."""
        asked = json.loads(request.body)
        refusal = self._wrong(request, asked)
        if refusal:
            return refusal
        key = (self.did, asked["collection"], asked["rkey"])
        there, cid = self.records.get(key), _cid(asked["record"])
        if there and there.cid == cid:
            return _json({"uri": there.uri, "cid": cid, "validationStatus": "valid"})
        if "swapRecord" in asked and asked["swapRecord"] != (there.cid if there else None):
            return _error(400, "InvalidSwap", f"Record was at {there.cid if there else 'null'}")
        made = self._store(*key, asked["record"])
        self.effects.append(("update" if there else "create", made.uri))
        return _json({"uri": made.uri, "cid": cid, "commit": {"cid": cid, "rev": "1"}, "validationStatus": "valid"})

    def create_record(self, request: Request) -> Reply:
        asked = json.loads(request.body)
        refusal = self._wrong(request, asked)
        if refusal:
            return refusal
        key = (self.did, asked["collection"], asked["rkey"])
        if key in self.records:
            return _error(500, "InternalServerError", "Internal Server Error")
        made = self._store(*key, asked["record"])
        self.effects.append(("create", made.uri))
        return _json({"uri": made.uri, "cid": made.cid, "validationStatus": "valid"})

    def delete_record(self, request: Request) -> Reply:
        refusal, _ = self._bearer(request, "access")
        if refusal:
            return refusal
        asked = json.loads(request.body)
        gone = self.records.pop((self.did, asked["collection"], asked["rkey"]), None)
        if gone:
            self.effects.append(("delete", gone.uri))
        return _json({"commit": {"cid": "bafy", "rev": "1"}} if gone else {})

    def _wrong(self, request: Request, asked: Mapping[str, Any]) -> Reply | None:
        """What keeps a record from being written, in the reference server's words."""
        refusal, _ = self._bearer(request, "access")
        if refusal:
            return refusal
        if asked["repo"] not in (self.did, self.called):
            return _error(403, "AccountNotFound", "Account not found")
        if asked["collection"] != POST:
            return None
        if not TID.fullmatch(asked["rkey"]):
            return _error(400, "InvalidRequest", f"Invalid record key for {POST}: Invalid TID string")
        found = _against(asked["record"])
        if found:
            return _error(400, "InvalidRequest", f"Invalid {POST} record: {found}")
        for blob in _blobs(asked["record"]):
            known = self.blobs.get(blob["ref"]["$link"])
            if known is None:
                return _error(400, "BlobNotFound", f"Could not find blob: {blob['ref']['$link']}")
            if known[0].startswith("image/") and len(known[1]) > IMAGE:
                words = f"blob too big (maximum {IMAGE}, got {len(known[1])}) at $.record.embed.images[0].image"
                return _error(400, "InvalidRequest", f"Invalid {POST} record: {words}")
        return None


class PdsServer(FaultServer):
    """A fake PDS that listens. `mode` and `times` break its writes as channels/fault_server.py tells."""

    endpoint: FakePds

    def __init__(self, mode: str = "accept", times: int | None = None, **more: Any) -> None:
        super().__init__(FakePds(**more), mode, times)
        self.endpoint.url = self.url

    def __enter__(self) -> PdsServer:
        return self

    @property
    def posts(self) -> list[Record]:
        """What stands in the own repository, by key."""
        found = self.endpoint.records.items()
        return [one for (did, kind, _), one in sorted(found) if did == self.endpoint.did and kind == POST]

    @property
    def handle(self) -> str:
        return self.endpoint.called

    @property
    def app_password(self) -> str:
        return self.endpoint.app_password


# --- lexicons -----------------------------------------------------------------------------------------------------

_CREATED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def _against(record: Mapping[str, Any]) -> str:
    """What the lexicon app.bsky.feed.post has against a record."""
    text = record.get("text")
    if record.get("$type") != POST or not isinstance(text, str):
        return "text must be a string at $.record.text"
    if len(text.encode()) > 3000:
        return f"string too big (maximum 3000, got {len(text.encode())}) at $.record.text"
    if (many := len(regex.findall(r"\X", text))) > 300:
        return f"grapheme too big (maximum 300, got {many}) at $.record.text"
    if not _CREATED.fullmatch(str(record.get("createdAt"))):
        return "Invalid datetime at $.record.createdAt"
    if len(record.get("langs", ())) > 3:
        return "array too big (maximum 3) at $.record.langs"
    if len(_images(record)) > 4:
        return f"array too big (maximum 4, got {len(_images(record))}) at $.record.embed.images"
    if any("alt" not in one for one in _images(record)):
        return 'Missing required key "alt" at $.record.embed.images[0]'
    octets = len(text.encode())
    for one in record.get("facets", ()):
        if not 0 <= one["index"]["byteStart"] < one["index"]["byteEnd"] <= octets:
            return "a facet is outside of the text"  # no rule of the server's: a client that does it is wrong
    return ""


def _images(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    embed = record.get("embed", {})
    return list((embed.get("media") or embed).get("images", ()))


def _blobs(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    embed = record.get("embed", {})
    media = embed.get("media") or embed
    more = (media.get("video"), media.get("external", {}).get("thumb"))
    return [one["image"] for one in _images(record)] + [one for one in more if one]


# --- wire ---------------------------------------------------------------------------------------------------------


def _method(request: Request) -> str:
    return urlsplit(request.path).path.removeprefix("/xrpc/")


def _query(request: Request) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(request.path).query))


def _header(request: Request, name: str) -> str:
    return next((value for key, value in request.headers.items() if key.lower() == name.lower()), "")


def _json(found: Any, status: int = 200, more: Mapping[str, str] | None = None) -> Reply:
    headers = {"Content-Type": "application/json; charset=utf-8", **(more or {})}
    return Reply(status, json.dumps(found, ensure_ascii=False).encode(), headers)


def _error(status: int, name: str, words: str, more: Mapping[str, str] | None = None) -> Reply:
    return _json({"error": name, "message": words}, status, more)


def _b64(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def _cid(value: Any) -> str:
    """Stands for the hash of the record's DAG-CBOR: the same for equal records, whatever the order of their keys."""
    digest = hashlib.sha256(json.dumps(value, sort_keys=True).encode()).digest()
    return "b" + base64.b32encode(b"\x01\x71\x12\x20" + digest).decode().lower().rstrip("=")


def _blob_cid(body: bytes) -> str:
    digest = hashlib.sha256(body).digest()
    return "b" + base64.b32encode(b"\x01\x55\x12\x20" + digest).decode().lower().rstrip("=")


_VERBS: Mapping[tuple[str, str], Callable[[FakePds, Request], Reply]] = {
    ("POST", "com.atproto.server.createSession"): FakePds.create_session,
    ("POST", "com.atproto.server.refreshSession"): FakePds.refresh_session,
    ("GET", "com.atproto.server.getSession"): FakePds.get_session,
    ("GET", "com.atproto.server.getServiceAuth"): FakePds.get_service_auth,
    ("GET", "com.atproto.identity.resolveHandle"): FakePds.resolve_handle,
    ("GET", "com.atproto.repo.getRecord"): FakePds.get_record,
    ("POST", "com.atproto.repo.uploadBlob"): FakePds.upload_blob,
    ("POST", "com.atproto.repo.putRecord"): FakePds.put_record,
    ("POST", "com.atproto.repo.createRecord"): FakePds.create_record,
    ("POST", "com.atproto.repo.deleteRecord"): FakePds.delete_record,
}
