"""An X on the loopback interface: an account with its app, and a ledger of posts.

    with XServer() as server:
        fields = {**KEYS, "base_url": server.url}
        …
        assert [one.text for one in server.posts] == ["Hello"]

The ledger `posts` is the judge: it holds what a reader would see, whatever the client believes. Requests are judged as
X's OpenAPI file and documentation say: signatures, fields that it does not know, duplicates, limits in its own headers.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from sendoff.channels.fault_server import FaultServer, Reply, Request
from tests.fakes import forms

KEYS = {
    "api_key": "CANARYapikey0123456789abc",
    "api_secret": "CANARYapisecret0123456789abcdefghijklmnopqrstuvwxyz",
    "access_token": "2244994945-CANARYaccesstoken0123456789abcdefgh",
    "access_secret": "CANARYaccesssecret0123456789abcdefghijklmnop",
}
USER, NAME, CLIENT = "2244994945", "harborcoffee", "c2VuZG9mZi10ZXN0LWFwcA"
SCOPES = "tweet.read tweet.write users.read media.write offline.access"
EPOCH = 1_288_834_974_657
"""Milliseconds since 1970 at which X's numbers begin."""

ALLOWED = {
    "text", "media", "poll", "reply", "reply_settings", "quote_tweet_id", "made_with_ai", "paid_partnership",
}  # fmt: skip


@dataclass
class Post:
    """One post, as the ledger keeps it."""

    id: str
    text: str
    at: datetime
    body: Mapping[str, Any] = field(default_factory=dict)
    parent: str = ""
    counts: dict[str, int] = field(default_factory=dict)


_COUNTS = dict.fromkeys((f"{one}_count" for one in ("repost", "reply", "like", "quote", "bookmark", "impression")), 0)
"""PostPublicMetrics requires all of them."""


@dataclass
class Upload:
    """One file: its pieces, and how often it says that it is still worked on."""

    told: Mapping[str, Any]
    pieces: dict[int, bytes] = field(default_factory=dict)
    alt: str = ""
    is_done: bool = False
    waits: int = 0

    @property
    def data(self) -> bytes:
        return b"".join(self.pieces[number] for number in sorted(self.pieces))


class FakeX:
    """The service behind the server: an `Endpoint` of channels/fault_server.py.

    What a test may set: `clock` (seconds that its clock is off), `refusal` (an answer to the next posts: status, body,
    headers), `credits` (False: used up), `reads` (how many posts were read, each of which costs), `hidden` (posts that
    a list does not show yet), `waits` (how often an upload says that it is worked on), `level` (what the keys may),
    `scope` (what the next tokens may), `fails` (the words with which uploads fail).
    """

    def __init__(self) -> None:
        self.effects: list[Any] = []
        self.posts: list[Post] = []
        self.keys = dict(KEYS)
        self.tokens: dict[str, datetime] = {}
        self.refresh: set[str] = set()
        self.renewals = 0
        self.uploads: dict[str, Upload] = {}
        self.clock = 0.0
        self.refusal: tuple[int, Mapping[str, Any], Mapping[str, str]] | None = None
        self.credits = True
        self.reads = 0
        self.hidden: set[str] = set()
        self.waits = 0
        self.fails = ""
        self.level = "read-write"
        self.scope = SCOPES
        self.public: set[str] = set()  # addresses under which a proxy shows it
        self.forms: list[dict[str, str]] = []
        self._serial = 0

    def is_effect(self, request: Request) -> bool:
        return (request.method, urlsplit(request.path).path) == ("POST", "/2/tweets")

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.clock)

    def handle(self, request: Request) -> Reply:
        path = urlsplit(request.path).path
        if path == "/2/oauth2/token":
            return self.token(dict(parse_qsl(request.text)))
        if refusal := self._stranger(request):
            return refusal
        for method, pattern, name in _ROUTES:
            found = re.fullmatch(pattern, path)
            if found and method == request.method:
                reply: Reply = getattr(self, name)(request, *found.groups())
                limits = {"x-rate-limit-limit": "100", "x-rate-limit-remaining": "99", "x-access-level": self.level}
                return Reply(reply.status, reply.body, {**limits, **reply.headers})
        return _problem(404, "resource-not-found", "Not Found Error", "Could not find it.")

    # --- who --------------------------------------------------------------------------------------------------------

    def _stranger(self, request: Request) -> Reply | None:
        """The refusal of somebody whose signature or token does not fit."""
        header = _header(request, "Authorization")
        if header.startswith("Bearer "):
            until = self.tokens.get(header.removeprefix("Bearer "))
            fits = until is not None and until > self.now()
        else:
            fits = header.startswith("OAuth ") and self._is_signed(request, header)
        return None if fits else _problem(401, "", "Unauthorized", "Unauthorized")

    def _is_signed(self, request: Request, header: str) -> bool:
        """RFC 5849 section 3.2, written once more and otherwise than the channel does it."""
        given = {name: unquote(value) for name, value in re.findall(r'(\w+)="([^"]*)"', header)}
        signature = given.pop("oauth_signature", "")
        if given.get("oauth_consumer_key") != self.keys["api_key"]:
            return False
        if given.get("oauth_token") != self.keys["access_token"] or given.get("oauth_signature_method") != "HMAC-SHA1":
            return False
        path, _, query = request.path.partition("?")
        all_of_it = sorted([*given.items(), *parse_qsl(query, keep_blank_values=True)])
        line = "&".join(f"{quote(name, '~')}={quote(value, '~')}" for name, value in all_of_it)
        secret = f"{self.keys['api_secret']}&{self.keys['access_secret']}"
        hosts = {f"http://{_header(request, 'Host')}", *self.public}
        bases = [f"{request.method}&{quote(host + path, '')}&{quote(line, '')}" for host in hosts]
        made = [hmac.new(secret.encode(), one.encode(), "sha1").digest() for one in bases]
        return signature in [base64.b64encode(one).decode() for one in made]

    def me(self, request: Request) -> Reply:
        return _json(200, {"data": {"id": USER, "name": "Harbor  Coffee", "username": NAME}})

    def hand_out(self) -> dict[str, Any]:
        access, refresh = f"CANARY-bearer-{secrets.token_hex(12)}", f"CANARY-refresh-{secrets.token_hex(12)}"
        self.tokens[access] = self.now() + timedelta(seconds=7200)
        self.refresh.add(refresh)
        return {
            "token_type": "bearer", "expires_in": 7200, "access_token": access, "refresh_token": refresh,
            "scope": self.scope,
        }  # fmt: skip

    def token(self, form: dict[str, str]) -> Reply:
        self.forms.append(form)
        if form.get("client_id") != CLIENT:
            return _json(401, {"error": "unauthorized_client", "error_description": "Missing valid authorization"})
        if form.get("grant_type") == "refresh_token":
            if form.get("refresh_token") not in self.refresh:
                words = "Value passed for the token was invalid."
                return _json(400, {"error": "invalid_request", "error_description": words})
            self.refresh.remove(form["refresh_token"])
            self.renewals += 1
            return _json(200, self.hand_out())
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest()).decode()
        if form.get("code") != f"code-for-{challenge.rstrip('=')}":
            return _json(400, {"error": "invalid_request", "error_description": "Value passed for code was invalid."})
        return _json(200, self.hand_out())

    # --- posts ------------------------------------------------------------------------------------------------------

    def write(self, text: str, *, at: datetime | None = None, **more: Any) -> Post:
        """A post that came by another way."""
        at = at or self.now()
        self._serial += 1
        made = Post(str((int(at.timestamp() * 1000) - EPOCH << 22) + self._serial), text, at, **more)
        self.posts.append(made)
        return made

    def post(self, request: Request) -> Reply:
        if self.refusal:
            status, body, headers = self.refusal
            return Reply(status, json.dumps(body).encode(), {"Content-Type": "application/json", **headers})
        if not self.credits:
            return _problem(402, "credits", "Payment Required", "Your account has no credits to fulfill this request.")
        try:
            body = json.loads(request.body)
        except ValueError:
            return _invalid("The request body is no JSON.")
        if wrong := self._wrong(body):
            return wrong
        recent = [one.text for one in self.posts if one.at > self.now() - timedelta(hours=12)]
        if body["text"] and body["text"] in recent:
            return _problem(403, "", "Forbidden", "You are not allowed to create a Tweet with duplicate content.")
        parent = body.get("reply", {}).get("in_reply_to_tweet_id", "")
        if parent and all(one.id != parent for one in self.posts):
            words = "You attempted to reply to a Tweet that is deleted or not visible to you."
            return _problem(403, "", "Forbidden", words)
        made = self.write(body["text"], body=body, parent=parent)
        self.effects.append(made)
        return _json(201, {"data": {"id": made.id, "text": made.text, "edit_history_post_ids": [made.id]}})

    def _wrong(self, body: Mapping[str, Any]) -> Reply | None:
        unknown = set(body) - ALLOWED
        if unknown:
            return _invalid(f"{sorted(unknown)} are not allowed.")
        media = body.get("media", {}).get("media_ids", [])
        if not body.get("text") and not media:
            return _invalid("A text or media are required.")
        if any(one not in self.uploads or not self.uploads[one].is_done for one in media) or len(media) > 4:
            return _invalid("Your media IDs are invalid.")
        poll = body.get("poll")
        if poll and (media or not 2 <= len(poll["options"]) <= 4 or not 5 <= poll["duration_minutes"] <= 10_080):
            return _invalid("The poll is invalid.")
        return None

    def list(self, request: Request, user: str) -> Reply:
        query = dict(parse_qsl(urlsplit(request.path).query))
        if user != USER:
            return _problem(403, "not-authorized-for-resource", "Authorization Error", "Not yours.")
        if not 5 <= int(query.get("max_results", "10")) <= 100:
            return _invalid("max_results must be between 5 and 100.")
        known = [one for one in sorted(self.posts, key=lambda one: -int(one.id)) if one.id not in self.hidden]
        start = int(query.get("pagination_token", "0"))
        page = known[start : start + int(query["max_results"])]
        self.reads += len(page)
        more = start + len(page) < len(known)
        meta: dict[str, Any] = {"result_count": len(page), **({"next_token": str(start + len(page))} if more else {})}
        return _json(200, {**({"data": [_shown(one, self._root(one)) for one in page]} if page else {}), "meta": meta})

    def some(self, request: Request) -> Reply:
        """GET /2/tweets: what is there, and a problem for each that is not."""
        query = dict(parse_qsl(urlsplit(request.path).query))
        ids = query.get("ids", "").split(",")
        if not 1 <= len(ids) <= 100 or query.get("post.fields") != "public_metrics":
            return _invalid("ids")
        there = {one.id: one for one in self.posts if one.id in ids and one.id not in self.hidden}
        self.reads += len(there)
        data = [{"id": one.id, "text": one.text, "public_metrics": {**_COUNTS, **one.counts}} for one in there.values()]
        errors = [
            {
                "value": one, "resource_id": one, "resource_type": "post", "parameter": "ids",
                "title": "Not Found Error", "detail": f"Could not find post with ids: [{one}].",
                "type": "https://api.x.com/2/problems/resource-not-found",
            }
            for one in ids
            if one not in there and one not in self.hidden
        ]  # fmt: skip
        return _json(200, {**({"data": data} if data else {}), **({"errors": errors} if errors else {})})

    def _root(self, post: Post) -> str:
        while parent := next((one for one in self.posts if one.id == post.parent), None):
            post = parent
        return post.parent or post.id

    def remove(self, request: Request, number: str) -> Reply:
        there = [one for one in self.posts if one.id == number]
        if not there:
            return _problem(404, "resource-not-found", "Not Found Error", "Could not find the post.")
        self.posts.remove(there[0])
        return _json(200, {"data": {"deleted": True}})

    # --- media ------------------------------------------------------------------------------------------------------

    def initialize(self, request: Request) -> Reply:
        told = json.loads(request.body)
        if set(told) - {"media_type", "total_bytes", "media_category", "shared", "additional_owners"}:
            return _invalid("unknown fields")
        number = str(1_900_000_000_000_000_000 + len(self.uploads))
        self.uploads[number] = Upload(told, waits=self.waits)
        return _json(200, {"data": {"id": number, "media_key": f"3_{number}", "expires_after_secs": 86_400}})

    def append(self, request: Request, number: str) -> Reply:
        form = forms.read(request.headers, request.body)
        piece = form.files[0]
        self.uploads[number].pieces[int(form.one("segment_index") or -1)] = piece.data
        return _json(200, {"data": {"expires_at": int(self.now().timestamp()) + 86_400}})

    def finalize(self, request: Request, number: str) -> Reply:
        upload = self.uploads[number]
        if len(upload.data) != upload.told["total_bytes"]:
            return _invalid("Segments do not add up to provided total file size.")
        return self._state(number)

    def status(self, request: Request) -> Reply:
        query = dict(parse_qsl(urlsplit(request.path).query))
        return self._state(query["media_id"]) if query.get("command") == "STATUS" else _invalid("command")

    def _state(self, number: str) -> Reply:
        upload, told = self.uploads[number], {"id": number, "media_key": f"3_{number}", "expires_after_secs": 86_400}
        if self.fails:
            error = {"code": 1, "name": "InvalidMedia", "message": self.fails}
            return _json(200, {"data": {**told, "processing_info": {"state": "failed", "error": error}}})
        if upload.waits:
            upload.waits -= 1
            working = {"state": "in_progress", "check_after_secs": 3, "progress_percent": 50}
            return _json(200, {"data": {**told, "processing_info": working}})
        upload.is_done = True
        return _json(200, {"data": {**told, "size": len(upload.data)}})

    def metadata(self, request: Request) -> Reply:
        told = json.loads(request.body)
        self.uploads[told["id"]].alt = told["metadata"]["alt_text"]["text"]
        return _json(200, {"data": {"id": told["id"]}})


_ROUTES = (
    ("GET", r"/2/users/me", "me"),
    ("POST", r"/2/tweets", "post"),
    ("GET", r"/2/tweets", "some"),
    ("DELETE", r"/2/tweets/(\d+)", "remove"),
    ("GET", r"/2/users/(\d+)/tweets", "list"),
    ("POST", r"/2/media/upload/initialize", "initialize"),
    ("POST", r"/2/media/upload/(\d+)/append", "append"),
    ("POST", r"/2/media/upload/(\d+)/finalize", "finalize"),
    ("GET", r"/2/media/upload", "status"),
    ("POST", r"/2/media/metadata", "metadata"),
)


class XServer(FaultServer):
    """FaultServer with this fake behind it."""

    endpoint: FakeX

    def __init__(self, mode: str = "accept", times: int | None = None) -> None:
        super().__init__(FakeX(), mode, times)

    @property
    def posts(self) -> list[Post]:
        return self.endpoint.posts

    @property
    def fields(self) -> dict[str, str]:
        """What one types to sign in."""
        return {**self.endpoint.keys, "base_url": self.url}


def _header(request: Request, name: str) -> str:
    return next((value for key, value in request.headers.items() if key.lower() == name.lower()), "")


def _shown(post: Post, root: str) -> dict[str, Any]:
    """A post of the conversation that begins with `root`, as X shows it: escaped, t.co for links and media."""
    urls = []
    text = post.text
    for number, url in enumerate(re.findall(r"https?://\S+", post.text)):
        short = f"https://t.co/{post.id[-8:]}{number}"
        text = text.replace(url, short, 1)
        urls.append({"start": 0, "end": 23, "url": short, "expanded_url": url, "display_url": url})
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    media = post.body.get("media", {}).get("media_ids", [])
    if media:
        short = f"https://t.co/{post.id[-8:]}m"
        text = f"{text} {short}".strip()
        where = f"https://x.com/{NAME}/status/{post.id}/photo/1"
        urls.append({"start": 0, "end": 23, "url": short, "expanded_url": where, "media_key": f"3_{media[0]}"})
    shown: dict[str, Any] = {
        "id": post.id, "text": text[:280], "created_at": f"{post.at:%Y-%m-%dT%H:%M:%S}.000Z",
        "edit_history_post_ids": [post.id], "conversation_id": root,
    }  # fmt: skip
    if len(text) > 280:
        shown["note_post"] = {"text": text}
    if urls:
        shown["entities"] = {"urls": urls}
    attached = {
        **({"media_keys": [f"3_{one}" for one in media]} if media else {}),
        **({"poll_ids": ["1"]} if post.body.get("poll") else {}),
    }
    if attached:
        shown["attachments"] = attached
    return shown


def _json(status: int, data: Any) -> Reply:
    return Reply(status, json.dumps(data).encode())


def _problem(status: int, kind: str, title: str, detail: str) -> Reply:
    where = f"https://api.x.com/2/problems/{kind}" if kind else "about:blank"
    body = {"title": title, "status": status, "detail": detail, "type": where}
    return Reply(status, json.dumps(body).encode(), {"Content-Type": "application/problem+json"})


def _invalid(detail: str) -> Reply:
    return _problem(400, "invalid-request", "Invalid Request", detail)
