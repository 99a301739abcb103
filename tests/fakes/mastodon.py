"""A Mastodon on the loopback interface, with the habits of its relatives: flavours, a ledger, and an OAuth sign-in.

    with MastodonServer("gotosocial") as server:
        fields = {"server": server.url, "access_token": server.token}
        …
        assert [status.text for status in server.statuses] == ["Hello"]

The ledger `statuses` is the judge: it holds what a reader would see, whatever the client believes.
"""

from __future__ import annotations

import base64
import email
import email.policy
import hashlib
import html
import json
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import regex

from sendoff.channels.fault_server import FaultServer, Reply, Request

KEY_LIFE = timedelta(hours=1)
"""How long Mastodon and Pixelfed remember an Idempotency-Key."""

OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob"
SCOPES = ("profile", "read", "read:accounts", "read:statuses", "read:search", "write", "write:statuses", "write:media")


@dataclass(frozen=True)
class Flavour:
    """What sets a program apart. `repeat` is what happens to a second POST under one key."""

    software: str
    version: str
    repeat: str = "ignored"  # "same", "error_500", "replayed", "error_400", "burnt_408", "ignored"
    limit: int = 500
    counts: str = "mastodon"
    invalid: int = 422
    media: int = 4
    v2: bool = True
    granular: bool = True
    metadata: bool = False
    pkce: bool = False
    api: int = 0  # api_versions.mastodon
    quote: str = ""  # the parameter that names a quoted post
    keeps: bool = True  # scheduled posts; others publish at once


FLAVOURS = {
    "mastodon": Flavour(
        "mastodon", "4.5.2", "same", metadata=True, pkce=True, api=7, quote="quoted_status_id",
    ),
    "4.6": Flavour("mastodon", "4.6.0", "error_500", metadata=True, pkce=True, api=11, quote="quoted_status_id"),
    "old": Flavour("mastodon", "3.5.19", "same", v2=False),
    "gotosocial": Flavour("gotosocial", "0.20.0+git", limit=5000, counts="codepoints", invalid=400, media=6),
    "pleroma": Flavour(
        "pleroma", "2.7.2 (compatible; Pleroma 2.9.1)", "replayed", limit=5000, counts="graphemes", v2=False,
    ),
    "akkoma": Flavour(
        "akkoma", "3.13.2", "replayed", limit=5000, counts="graphemes", v2=False, quote="quote_id",
    ),
    "pixelfed": Flavour("pixelfed", "0.12.4", "error_400", counts="codepoints", granular=False, keeps=False),
    "friendica": Flavour("friendica", "2024.08", limit=200_000, counts="codepoints", v2=False, quote="quote_id"),
    "takahe": Flavour("takahe", "0.11.0", limit=2000, counts="codepoints", invalid=400, v2=False, keeps=False),
    "hollo": Flavour(
        "hollo", "0.6.8", "same", limit=10_000, counts="codepoints", quote="quoted_status_id", keeps=False,
    ),
    "iceshrimp": Flavour(
        "Iceshrimp.NET", "2025.1-beta5", "burnt_408", limit=8192, counts="codepoints", quote="quoted_status_id",
    ),
    "sharkey": Flavour("sharkey", "2025.5.2", limit=3000, counts="codepoints", quote="quote_id", keeps=False),
}  # fmt: skip


@dataclass
class Status:
    """One published post, as the ledger keeps it."""

    id: str
    text: str
    created_at: datetime
    visibility: str
    spoiler_text: str = ""
    sensitive: bool = False
    language: str | None = None
    in_reply_to_id: str | None = None
    quoted: str | None = None
    media: list[Upload] = field(default_factory=list)
    poll: Mapping[str, Any] | None = None
    reblog: bool = False
    body: Mapping[str, Any] = field(default_factory=dict)  # what was asked for, whole
    counts: Mapping[str, int] = field(default_factory=dict)  # favourites_count and the like


@dataclass
class Upload:
    """One uploaded file; `left` counts the looks for which it is still being worked on."""

    id: str
    mime: str
    data: bytes
    description: str = ""
    left: int = 0
    attached: bool = False
    broken: bool = False


class FakeMastodon:
    """The service behind the server: an `Endpoint` of channels/fault_server.py.

    What a test may set: `lets_in` (False: no program may introduce itself), `approve` (False: the person says no),
    `processing` (looks until an upload is ready, None: at once), `broken_uploads`,
    `allowance` (posts until 429, None: no limit), `scopes` of the pasted token, `skew`
    (how wrong its clock is, in seconds), `issuer` (sent with the OAuth answer, None: not sent), `hidden` (posts are
    kept but not listed yet), `respell` (changes a text before it is shown).
    """

    def __init__(self, flavour: str = "mastodon") -> None:
        self.flavour = FLAVOURS[flavour]
        self.effects: list[Any] = []
        self.statuses: list[Status] = self.effects
        self.uploads: dict[str, Upload] = {}
        self.token = f"canary-token-{secrets.token_hex(16)}"
        self.scopes: tuple[str, ...] = ("read", "write", "profile")
        self.tokens: dict[str, tuple[str, ...]] = {}
        self.user = "alice"
        self.apps: dict[str, dict[str, Any]] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.keys: dict[str, tuple[datetime, Reply, Status | None]] = {}
        self.lets_in = True
        self.approve = True
        self.processing: int | None = None
        self.broken_uploads = False
        self.allowance: int | None = None
        self.skew = 0.0
        self.issuer: str | None = None
        self.hidden = False
        self.respell: Callable[[str], str] = str
        self.scheduled: list[dict[str, Any]] = []
        self.elsewhere: dict[str, Status] = {}  # posts of other servers, by their address
        self.denied: set[str] = set()  # ids of posts that may not be quoted
        self.extra_metadata: dict[str, Any] = {}
        self._serial = 110_000_000_000_000_000

    # --- the endpoint ---------------------------------------------------------------------------------------------

    def is_effect(self, request: Request) -> bool:
        return request.method == "POST" and request.path.partition("?")[0] == "/api/v1/statuses"

    def handle(self, request: Request) -> Reply:
        path, _, query = request.path.partition("?")
        for method, pattern, name in _ROUTES:
            found = re.fullmatch(pattern, path)
            if found and method == request.method:
                reply: Reply = getattr(self, name)(_Call(request, dict(parse_qsl(query)), found.groups()))
                return self._with_limits(reply)
        return _error(404, "Record not found")

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.skew)

    def _next_id(self) -> str:
        self._serial += 1
        if self.flavour.software == "gotosocial":
            return f"01J{self._serial:023d}"[:26]
        return str(self._serial)

    def _with_limits(self, reply: Reply) -> Reply:
        reset = (self.now() + timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        left = 300 if self.allowance is None else max(self.allowance, 0)
        limits = {"X-RateLimit-Limit": "300", "X-RateLimit-Remaining": str(left), "X-RateLimit-Reset": reset}
        return Reply(reply.status, reply.body, {**limits, **reply.headers})

    def _granted(self, call: _Call, *wanted: str) -> Reply | None:
        """The refusal, if the token does not allow one of these."""
        token = call.header("Authorization").removeprefix("Bearer ")
        scopes = self.scopes if token == self.token else self.tokens.get(token)
        if scopes is None:
            return _error(401, "The access token is invalid")
        if not any(one in scopes or one.partition(":")[0] in scopes for one in wanted):
            return _error(403, "This action is outside the authorized scopes")
        return None

    # --- about the server -----------------------------------------------------------------------------------------

    def instance_v2(self, call: _Call) -> Reply:
        if not self.flavour.v2:
            return _error(404, "Not found")
        told = {"api_versions": {"mastodon": self.flavour.api}} if self.flavour.api else {}
        return _json({
            "domain": call.host, "title": "Lab", "version": self.flavour.version,
            "configuration": self._figures(), **told,
        })  # fmt: skip

    def instance_v1(self, call: _Call) -> Reply:
        about = {"uri": call.host, "title": "Lab", "version": self.flavour.version}
        if self.flavour.software in ("pleroma", "akkoma"):
            polls = {"max_options": 20, "max_option_chars": 200, "min_expiration": 0, "max_expiration": 31_536_000}
            return _json(about | {
                "uri": call.url, "max_toot_chars": self.flavour.limit, "poll_limits": polls,
                "upload_limit": 16_000_000, "description_limit": 5000,
            })  # fmt: skip
        return _json(about | {"configuration": self._figures()})

    def _figures(self) -> dict[str, Any]:
        return {
            "statuses": {
                "max_characters": self.flavour.limit, "max_media_attachments": self.flavour.media,
                "characters_reserved_per_url": 25 if self.flavour.software == "gotosocial" else 23,
            },
            "media_attachments": {
                "supported_mime_types": ["image/jpeg", "image/png", "image/gif", "video/mp4"],
                "description_limit": 1500, "image_size_limit": 16_777_216, "image_matrix_limit": 33_177_600,
                "video_size_limit": 103_809_024, "video_matrix_limit": 8_294_400, "video_frame_rate_limit": 120,
            },
            "polls": {
                "max_options": 4, "max_characters_per_option": 50, "min_expiration": 300, "max_expiration": 2_629_746,
            },
        }  # fmt: skip

    def nodeinfo_links(self, call: _Call) -> Reply:
        rel = "http://nodeinfo.diaspora.software/ns/schema/2.0"
        return _json({"links": [{"rel": rel, "href": f"{call.url}/nodeinfo/2.0"}]})

    def nodeinfo(self, call: _Call) -> Reply:
        return _json({"version": "2.0", "software": {"name": self.flavour.software, "version": self.flavour.version}})

    def webfinger(self, call: _Call) -> Reply:
        subject = call.query.get("resource", "")
        if subject != f"acct:{self.user}@{call.host}":
            return _error(404, "Not found")
        links = [{"rel": "self", "type": "application/activity+json", "href": f"{call.url}/users/{self.user}"}]
        return _json({"subject": subject, "links": links})

    # --- signing in -----------------------------------------------------------------------------------------------

    def metadata(self, call: _Call) -> Reply:
        if not self.flavour.metadata:
            return _error(404, "Not found")
        return _json({
            "issuer": f"{call.url}/", "authorization_endpoint": f"{call.url}/oauth/authorize",
            "token_endpoint": f"{call.url}/oauth/token", "revocation_endpoint": f"{call.url}/oauth/revoke",
            "app_registration_endpoint": f"{call.url}/api/v1/apps", "scopes_supported": list(SCOPES),
            "code_challenge_methods_supported": ["S256"], **self.extra_metadata,
        })  # fmt: skip

    def register(self, call: _Call) -> Reply:
        if not self.lets_in:
            return Reply(403, b"<html>Are you human?</html>", _PAGE)
        asked = call.body
        redirects = str(asked.get("redirect_uris", "")).split()
        if not asked.get("client_name") or not redirects:
            return _error(422, "Validation failed: Redirect URI must be an absolute URI.")
        if self.flavour.software == "pixelfed" and len(redirects) > 1:
            return _error(422, "The redirect uris format is invalid.")
        made = {
            "id": self._next_id(), "name": asked["client_name"], "client_id": f"client-{secrets.token_hex(8)}",
            "client_secret": f"canary-client-{secrets.token_hex(8)}", "client_secret_expires_at": 0,
            "redirect_uris": redirects, "scopes": str(asked.get("scopes", "read")).split(),
        }  # fmt: skip
        self.apps[made["client_id"]] = made
        return _json(made)

    def authorize(self, call: _Call) -> Reply:
        """The page on which a person would say yes; here `approve` says it at once."""
        asked = call.query
        app, redirect = self.apps.get(asked.get("client_id", "")), asked.get("redirect_uri", "")
        if app is None or redirect not in app["redirect_uris"]:
            return Reply(400, b"<html>The redirect uri included is not valid.</html>", _PAGE)
        answer = {"state": asked.get("state", "")} | ({"iss": self.issuer} if self.issuer else {})
        wanted = asked.get("scope", "read").split()
        if not set(wanted) <= set(app["scopes"]) or (not self.flavour.granular and set(wanted) - {"read", "write"}):
            answer |= {
                "error": "invalid_scope",
                "error_description": "The requested scope is invalid, unknown, or malformed.",
            }
        elif not self.approve:
            answer |= {
                "error": "access_denied",
                "error_description": "The resource owner or authorization server denied the request.",
            }
        else:
            answer["code"] = secrets.token_urlsafe(24)
            self.codes[answer["code"]] = dict(asked)
        if redirect == OUT_OF_BAND:
            return Reply(200, f"<html><code>{answer.get('code', '')}</code></html>".encode(), _PAGE)
        return Reply(302, b"", {"Location": f"{redirect}?{urlencode(answer)}"})

    def hand_out(self, call: _Call) -> Reply:
        asked = call.body
        app = self.apps.get(asked.get("client_id", ""))
        if app is None or app["client_secret"] != asked.get("client_secret"):
            return _oauth_error(401, "invalid_client", "Client authentication failed due to unknown client.")
        granted = self.codes.pop(asked.get("code", ""), None)  # a code works once
        digest = hashlib.sha256(asked.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if (
            granted is None or asked.get("grant_type") != "authorization_code"
            or granted["redirect_uri"] != asked.get("redirect_uri") or granted["client_id"] != asked["client_id"]
            or (self.flavour.pkce and granted.get("code_challenge") != challenge)
        ):  # fmt: skip
            return _oauth_error(
                400, "invalid_grant", "The provided authorization grant is invalid, expired, or revoked."
            )
        token = f"canary-token-{secrets.token_hex(16)}"
        self.tokens[token] = tuple(granted["scope"].split())
        return _json(
            {"access_token": token, "token_type": "Bearer", "scope": granted["scope"], "created_at": 1_700_000_000}
        )

    def revoke(self, call: _Call) -> Reply:
        self.tokens.pop(call.body.get("token", ""), None)
        return _json({})

    def app_credentials(self, call: _Call) -> Reply:
        if refusal := self._granted(call, *SCOPES, "push"):
            return refusal
        scopes = {"scopes": list(self.scopes)} if self.flavour.metadata else {}
        return _json({"name": "Sendoff", **scopes})

    def credentials(self, call: _Call) -> Reply:
        if refusal := self._granted(call, "profile", "read:accounts"):
            return refusal
        return _json({
            "id": "42", "username": self.user, "acct": self.user, "display_name": "Alice 🐘",
            "url": f"{call.url}/@{self.user}", "source": {"privacy": "public", "language": "en"},
        })  # fmt: skip

    # --- media ----------------------------------------------------------------------------------------------------

    def upload_v2(self, call: _Call) -> Reply:
        if self.flavour.software == "friendica":
            return _error(404, "Record not found")
        return self.upload(call)

    def upload(self, call: _Call) -> Reply:
        if refusal := self._granted(call, "write:media"):
            return refusal
        parts = call.parts()
        if "file" not in parts:
            return _error(422, "Validation failed: File can't be blank")
        mime, data = parts["file"]
        description = parts.get("description", ("", b""))[1].decode()
        made = Upload(self._next_id(), mime, data, description, self.processing or 0, broken=self.broken_uploads)
        self.uploads[made.id] = made
        return _json(self._shown_upload(made), 200 if self.processing is None else 202)

    def media(self, call: _Call) -> Reply:
        if refusal := self._granted(call, "write:media"):
            return refusal
        found = self.uploads.get(call.names[0])
        if found is None:
            return _error(404, "Record not found")
        if found.left > 0:
            found.left -= 1
            return _json(self._shown_upload(found), 206)
        if found.broken:
            return _error(422, "Error processing thumbnail for uploaded media")
        return _json(self._shown_upload(found))

    def _shown_upload(self, one: Upload) -> dict[str, Any]:
        return {
            "id": one.id,
            "type": one.mime.split("/")[0],
            "url": None if one.left else "x",
            "description": one.description,
        }

    # --- statuses -------------------------------------------------------------------------------------------------

    def post(self, call: _Call) -> Reply:
        if refusal := self._granted(call, "write:statuses"):
            return refusal
        key = call.header("Idempotency-Key")
        life = timedelta(hours=6) if self.flavour.repeat == "replayed" else KEY_LIFE
        known = self.keys.get(key) if key and self.flavour.repeat != "ignored" else None
        if known and self.now() - known[0] < life:
            return self._repeated(call, known)
        if self.flavour.repeat in ("error_400", "burnt_408"):  # keeps the key before it looks at the rest
            self.keys[key] = (self.now(), _json({}), None)
        reply, status = self._published(call)
        if self.flavour.repeat == "replayed" or status:
            self.keys[key] = (self.now(), reply, status)
        return reply

    def _repeated(self, call: _Call, known: tuple[datetime, Reply, Status | None]) -> Reply:
        _, first, status = known
        if self.flavour.repeat == "error_500":
            return Reply(500, b"<html>We're sorry, but something went wrong on our end.</html>", _PAGE)
        if self.flavour.repeat == "error_400":
            return _error(400, "Duplicate idempotency key.")
        if self.flavour.repeat == "burnt_408" and status is None:
            return _error(408, "Failed to resolve idempotency key note within 1000 ms")
        if self.flavour.repeat == "replayed":
            return Reply(first.status, first.body, {**first.headers, "idempotent-replayed": "true"})
        assert status is not None
        return _json(self._shown(status, call)) if status in self.statuses else _error(404, "Record not found")

    def _published(self, call: _Call) -> tuple[Reply, Status | None]:
        if self.allowance is not None:
            if self.allowance <= 0:
                return _error(429, "Too many requests"), None
            self.allowance -= 1
        asked = call.body
        media = [self.uploads.get(str(name)) for name in asked.get("media_ids", [])]
        wrong = self._wrong(asked, media)
        if wrong:
            return wrong, None
        for one in media:
            assert one is not None
            one.attached = True
        made = Status(
            id=self._next_id(), text=str(asked.get("status", "")).strip(), created_at=self.now(),
            visibility=asked.get("visibility", "public"), spoiler_text=asked.get("spoiler_text", ""),
            sensitive=bool(asked.get("sensitive") or asked.get("spoiler_text")), language=asked.get("language"),
            in_reply_to_id=asked.get("in_reply_to_id"), quoted=asked.get(self.flavour.quote or "-"),
            media=[one for one in media if one], poll=asked.get("poll"),
            body=asked,
        )  # fmt: skip
        self.statuses.append(made)
        return _json(self._shown(made, call)), made

    def _wrong(self, asked: Mapping[str, Any], media: list[Upload | None]) -> Reply | None:
        invalid = self.flavour.invalid
        parent = asked.get("in_reply_to_id")
        if parent and not any(one.id == parent for one in self.statuses):
            return _error(404, "Record not found")
        if self.flavour.software == "pixelfed" and not media and not parent:
            return _error(403, "You must attach media to post.")
        if not str(asked.get("status", "")).strip() and not media:
            return _error(invalid, "Validation failed: Text can't be blank")
        if asked.get("status") == "" and self.flavour.software == "hollo":
            return _error(422, "invalid_request")
        quoted = asked.get(self.flavour.quote or "-")
        if quoted and (self._known(quoted) is None or quoted in self.denied):
            return _error(422, "Validation failed: Quoted status is not quotable")
        if quoted and self.flavour.api and (media or asked.get("poll")):
            return _error(422, "Validation failed: Quotes can't have media")
        if media and asked.get("poll"):
            return _error(invalid, "Cannot attach media to a post with a poll")
        if any(one is None or one.attached for one in media):
            return _error(invalid, "Validation failed: Media not found")
        if any(one and one.left for one in media):
            return _error(422, "Cannot attach files that have not finished processing. Try again in a moment!")
        if self._length(str(asked.get("status", "")), str(asked.get("spoiler_text", ""))) > self.flavour.limit:
            return _error(invalid, f"Validation failed: Text character limit of {self.flavour.limit} exceeded")
        poll = asked.get("poll")
        if poll and len(poll.get("options", [])) < 2:
            return _error(invalid, "Validation failed: Poll options must have more than one item")
        return None

    def _length(self, text: str, spoiler: str) -> int:
        if self.flavour.counts == "mastodon":
            text = re.sub(r"https?://[^\s.]+\.\S+", "x" * 23, text)
            text = re.sub(r"@(\w+)@[\w.-]+\w", r"@\1", text)
        if self.flavour.counts == "codepoints":
            return len(text) + len(spoiler)
        return len(regex.findall(r"\X", text)) + len(regex.findall(r"\X", spoiler))

    def _known(self, name: str) -> Status | None:
        return next((one for one in (*self.statuses, *self.elsewhere.values()) if one.id == name), None)

    def search(self, call: _Call) -> Reply:
        if refusal := self._granted(call, "read:search"):
            return refusal
        found = self.elsewhere.get(call.query.get("q", "")) if call.query.get("resolve") == "true" else None
        return _json({"accounts": [], "hashtags": [], "statuses": [self._shown(found, call)] if found else []})

    def scheduled_list(self, call: _Call) -> Reply:
        """Those that it keeps, the latest made first; a page has 40 at most."""
        if refusal := self._granted(call, "read:statuses"):
            return refusal
        if not self.flavour.keeps:
            return _json([])
        older = [one for one in self.scheduled if "max_id" not in call.query or one["id"] < call.query["max_id"]]
        return _json(sorted(older, key=lambda one: str(one["id"]), reverse=True)[: int(call.query.get("limit", 20))])

    def plan_elsewhere(self, text: str, at: datetime, pictures: int = 0) -> None:
        """The person plans a post in another program."""
        self.scheduled.append({
            "id": self._next_id(), "scheduled_at": at.isoformat(), "params": {"text": text},
            "media_attachments": [{"id": str(one)} for one in range(pictures)],
        })  # fmt: skip

    def status(self, call: _Call) -> Reply:
        found = self._known(call.names[0])
        return _json(self._shown(found, call)) if found else _error(404, "Record not found")

    def take_back(self, call: _Call) -> Reply:
        """Its own posts alone; what it was is in the answer, for who wants to write it anew."""
        if refusal := self._granted(call, "write:statuses"):
            return refusal
        found = next((one for one in self.statuses if one.id == call.names[0]), None)
        if found is None:
            return _error(404, "Record not found")
        self.statuses.remove(found)
        return _json(self._shown(found, call) | {"text": found.text})

    def source(self, call: _Call) -> Reply:
        if refusal := self._granted(call, "read:statuses"):
            return refusal
        found = next((one for one in self.statuses if one.id == call.names[0]), None)
        if found is None or self.flavour.software in ("pixelfed", "friendica"):
            return _error(404, "Record not found")
        return _json({"id": found.id, "text": found.text, "spoiler_text": found.spoiler_text})

    def listed(self, call: _Call) -> Reply:
        """The own posts, newest first. Only Mastodon lists those for mentioned people."""
        if refusal := self._granted(call, "read:statuses"):
            return refusal
        if call.names[0] != "42":
            return _error(404, "Record not found")
        found = [
            one for one in reversed(self.statuses) if self.flavour.software == "mastodon" or one.visibility != "direct"
        ]
        if call.query.get("exclude_reblogs") == "true":
            found = [one for one in found if not one.reblog]
        if "max_id" in call.query:
            found = [one for one in found if one.id < call.query["max_id"]]
        shown = [] if self.hidden else found[: min(int(call.query.get("limit", 20)), 40)]
        return _json([self._shown(one, call) for one in shown])

    def _shown(self, one: Status, call: _Call) -> dict[str, Any]:
        return {
            "id": one.id, "uri": f"{call.url}/users/{self.user}/statuses/{one.id}",
            "url": f"{call.url}/@{self.user}/{one.id}",
            "content": _as_html(self.respell(one.text)) + _quote_link(one.quoted),
            "created_at": one.created_at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
            "visibility": one.visibility, "spoiler_text": one.spoiler_text, "sensitive": one.sensitive,
            "language": one.language, "in_reply_to_id": one.in_reply_to_id,
            "media_attachments": [self._shown_upload(upload) for upload in one.media],
            "poll": {"options": [{"title": name} for name in one.poll["options"]]} if one.poll else None,
            "application": {"name": "Sendoff"}, "account": {"id": "42", "acct": self.user},
            "favourites_count": 0, "reblogs_count": 0, "replies_count": 0, **one.counts,
            "quote_approval": {"current_user": "denied" if one.id in self.denied else "automatic"},
            **({"quote": {"state": "accepted", "quoted_status": {"id": one.quoted}}} if one.quoted else {}),
        }  # fmt: skip

    def write_elsewhere(self, text: str, **more: Any) -> Status:
        """The person posts something in another program."""
        made = Status(self._next_id(), text, self.now(), more.pop("visibility", "public"), **more)
        self.statuses.append(made)
        return made


class MastodonServer(FaultServer):
    """A fake Mastodon that listens. `mode` and `times` break its posts as channels/fault_server.py tells."""

    endpoint: FakeMastodon

    def __init__(self, flavour: str = "mastodon", mode: str = "accept", times: int | None = None) -> None:
        super().__init__(FakeMastodon(flavour), mode, times)

    def __enter__(self) -> MastodonServer:
        return self

    @property
    def statuses(self) -> list[Status]:
        return self.endpoint.statuses

    @property
    def token(self) -> str:
        return self.endpoint.token

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc


class _Call:
    """One request, taken apart."""

    def __init__(self, request: Request, query: dict[str, str], names: tuple[str, ...]) -> None:
        self.request = request
        self.query = query
        self.names = names
        self.host = self.header("Host")
        self.url = f"http://{self.host}"

    def header(self, name: str) -> str:
        return next((value for key, value in self.request.headers.items() if key.lower() == name.lower()), "")

    @property
    def body(self) -> dict[str, Any]:
        if self.header("Content-Type").startswith("application/json"):
            found = json.loads(self.request.body or b"{}")
            return found if isinstance(found, dict) else {}
        return {name: values[-1] for name, values in parse_qs(self.request.text).items()}

    def parts(self) -> dict[str, tuple[str, bytes]]:
        """The parts of a form by name: MIME type and bytes."""
        head = f"Content-Type: {self.header('Content-Type')}\r\n\r\n".encode()
        whole = email.message_from_bytes(head + self.request.body, policy=email.policy.HTTP)
        found = {}
        for part in whole.iter_parts():
            name = part.get_param("name", header="content-disposition")
            found[str(name)] = (part.get_content_type(), part.get_payload(decode=True) or b"")
        return found


_PAGE = {"Content-Type": "text/html; charset=utf-8"}

_ROUTES = (
    ("GET", "/api/v2/instance", "instance_v2"),
    ("GET", "/api/v1/instance", "instance_v1"),
    ("GET", "/.well-known/nodeinfo", "nodeinfo_links"),
    ("GET", "/nodeinfo/2.0", "nodeinfo"),
    ("GET", "/.well-known/webfinger", "webfinger"),
    ("GET", "/.well-known/oauth-authorization-server", "metadata"),
    ("POST", "/api/v1/apps", "register"),
    ("GET", "/api/v1/apps/verify_credentials", "app_credentials"),
    ("GET", "/oauth/authorize", "authorize"),
    ("POST", "/oauth/token", "hand_out"),
    ("POST", "/oauth/revoke", "revoke"),
    ("GET", "/api/v1/accounts/verify_credentials", "credentials"),
    ("GET", "/api/v1/accounts/([^/]+)/statuses", "listed"),
    ("POST", "/api/v2/media", "upload_v2"),
    ("POST", "/api/v1/media", "upload"),
    ("GET", "/api/v1/media/([^/]+)", "media"),
    ("POST", "/api/v1/statuses", "post"),
    ("GET", "/api/v2/search", "search"),
    ("GET", "/api/v1/scheduled_statuses", "scheduled_list"),
    ("GET", "/api/v1/statuses/([^/]+)", "status"),
    ("DELETE", "/api/v1/statuses/([^/]+)", "take_back"),
    ("GET", "/api/v1/statuses/([^/]+)/source", "source"),
)


def _json(found: Any, status: int = 200) -> Reply:
    return Reply(
        status, json.dumps(found, ensure_ascii=False).encode(), {"Content-Type": "application/json; charset=utf-8"}
    )


def _error(status: int, words: str) -> Reply:
    return _json({"error": words}, status)


def _oauth_error(status: int, name: str, words: str) -> Reply:
    return _json({"error": name, "error_description": words}, status)


def _as_html(text: str) -> str:
    """Text as Mastodon shows it: paragraphs, shortened links with hidden rest, mentions without their server."""
    marked = html.escape(text, quote=True)
    marked = re.sub(r"(https?://)([^\s<]+)", _link, marked)
    marked = re.sub(
        r"(?<![\w/=])@(\w+)(?:@([\w.-]+\w))?",
        r'<span class="h-card"><a href="https://\2/@\1" class="u-url mention">@<span>\1</span></a></span>', marked,
    )  # fmt: skip
    return "".join(f"<p>{part.replace(chr(10), '<br />')}</p>" for part in re.split(r"\n{2,}", marked))


def _quote_link(quoted: str | None) -> str:
    """What servers put behind (or before) the words of a quote for programs that know no quotes."""
    return f'<span class="quote-inline"><br><br>RE: <a href="https://b.example/{quoted}">x</a></span>' if quoted else ""


def _link(found: re.Match[str]) -> str:
    scheme, rest = found[1], found[2]
    shown, hidden = rest[:30], rest[30:]
    middle = (
        f'<span class="ellipsis">{shown}</span><span class="invisible">{hidden}</span>'
        if hidden
        else f"<span>{shown}</span>"
    )
    return f'<a href="{scheme}{rest}" rel="nofollow"><span class="invisible">{scheme}</span>{middle}</a>'
