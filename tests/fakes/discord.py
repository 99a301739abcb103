"""A Discord on the loopback interface: a server with channels, a bot and a webhook, and a ledger of messages.

    with DiscordServer() as server:
        fields = {"bot_token": BOT_TOKEN, "channel": CHANNEL, "base_url": server.base}
        …
        assert [one.content for one in server.messages] == ["Hello"]

The ledger `messages` is the judge: it holds what a reader would see, whatever the client believes. Requests are judged
as Discord's documentation says (API v10): lengths in code points, nonces, permissions, rate limits with fractions.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from sendoff.channels.fault_server import FaultServer, Reply, Request
from tests.fakes import forms

BOT_TOKEN = "MTAwMDAwMDAwMDAwMDAwMDA1.GcAnRy.canary-bot-token-0123456789abcdef"
WEBHOOK_TOKEN = "canary-webhook_token-0123456789abcdefghijklmnopqrstuvwxyz-0123456789"
GUILD, CHANNEL, WEBHOOK, BOT = "100000000000000001", "100000000000000002", "100000000000000003", "100000000000000004"
FORUM, THREAD = "100000000000000005", "100000000000000006"
EVERYTHING = (1 << 10) | (1 << 11) | (1 << 14) | (1 << 15) | (1 << 16) | (1 << 38)
HISTORY, SEND, VIEW, ATTACH = 1 << 16, 1 << 11, 1 << 10, 1 << 15
EPOCH = datetime(2015, 1, 1, tzinfo=UTC)


@dataclass
class Message:
    """One message, as the ledger keeps it."""

    id: str
    channel_id: str
    author: str
    content: str
    at: datetime
    nonce: str = ""
    files: tuple[forms.File, ...] = ()
    body: Mapping[str, Any] = field(default_factory=dict)
    webhook: bool = False


class FakeDiscord:
    """The service behind the server: an `Endpoint` of channels/fault_server.py.

    What a test may set: `allowed` (the bot's permissions in the channels), `clock` (seconds that its clock is off),
    `nonce_life`, `allowance` (messages until 429), `gone` (channels and webhooks that were deleted), `refusal` (an
    answer to the next messages: status, code, words), `tells_nonce` (whether a list shows it).
    """

    def __init__(self) -> None:
        self.effects: list[Any] = []
        self.messages: list[Message] = self.effects
        self.allowed = EVERYTHING
        self.clock = 0.0
        self.nonce_life = 180.0
        self.allowance: int | None = None
        self.wait = 0.65
        self.gone: set[str] = set()
        self.refusal: tuple[int, int, str] | None = None
        self.tells_nonce = False
        self.bot_token, self.webhook_token = BOT_TOKEN, WEBHOOK_TOKEN
        self._serial = 0
        self.latest: dict[str, str] = {}
        self.threads: dict[str, dict[str, Any]] = {}
        self.archived: dict[str, datetime] = {}  # when a thread was put away
        self.needs_tag = False
        self.may_manage = False
        self.agents: set[str] = set()

    def is_effect(self, request: Request) -> bool:
        path = _path(request)
        made = bool(re.fullmatch(r"/channels/\d+/(messages|threads)|/webhooks/\d+/[^/]+", path))
        return request.method == "POST" and made

    def handle(self, request: Request) -> Reply:
        for method, pattern, name in _ROUTES:
            found = re.fullmatch(pattern, _path(request))
            if found and method == request.method:
                query = dict(parse_qsl(request.path.partition("?")[2]))
                reply: Reply = getattr(self, name)(request, query, *found.groups())
                limits = {"X-RateLimit-Limit": "5", "X-RateLimit-Remaining": "4", "X-RateLimit-Reset-After": "2.000"}
                return Reply(reply.status, reply.body, {**limits, **reply.headers})
        return _error(404, 0, "404: Not Found")

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.clock)

    def write(self, content: str, *, author: str = BOT, channel: str = CHANNEL, **more: Any) -> Message:
        """A message that came by another way."""
        made = Message(self._id(), channel, author, content, self.now(), **more)
        self.messages.append(made)
        self.latest[channel] = made.id
        return made

    def _id(self) -> str:
        """A snowflake: milliseconds since 2015, and a running number."""
        self._serial += 1
        return str((int((self.now() - EPOCH).total_seconds() * 1000) << 22) + self._serial)

    # --- who and where --------------------------------------------------------------------------------------------

    def _is_bot(self, request: Request) -> bool:
        self.agents.add(_header(request, "User-Agent"))
        return _header(request, "Authorization") == f"Bot {self.bot_token}"

    def me(self, request: Request, query: Mapping[str, str]) -> Reply:
        if not self._is_bot(request):
            return _error(401, 0, "401: Unauthorized")
        return _json(_user(BOT, "herald") | {"mfa_enabled": True, "locale": "en-US"})

    def channel(self, request: Request, query: Mapping[str, str], number: str) -> Reply:
        if not self._is_bot(request):
            return _error(401, 0, "401: Unauthorized")
        if number in self.threads:
            return _json(self.threads[number])
        if number not in (CHANNEL, FORUM, THREAD) or number in self.gone:
            return _error(404, 10003, "Unknown Channel")
        if not self.allowed & VIEW:
            return _error(403, 50001, "Missing Access")
        about: dict[str, Any] = {
            "id": number, "type": {FORUM: 15, THREAD: 11}.get(number, 0), "guild_id": GUILD, "flags": 0, "position": 1,
            "name": {FORUM: "ideas", THREAD: "a thread"}.get(number, "news"),
            "last_message_id": self.latest.get(number),
        }  # fmt: skip
        if number == FORUM:
            about |= {"flags": 16 if self.needs_tag else 0, "available_tags": [
                {"id": "71", "name": "News"}, {"id": "72", "name": "Ideas"},
            ]}  # fmt: skip
        if number == THREAD:
            about |= {"parent_id": CHANNEL}
        else:
            about |= {"permission_overwrites": [
                {"id": GUILD, "type": 0, "allow": "0", "deny": str(HISTORY | SEND)},
                {"id": BOT, "type": 1, "allow": str(self.allowed), "deny": str(EVERYTHING & ~self.allowed)},
            ]}  # fmt: skip
        return _json(about)

    def guild(self, request: Request, query: Mapping[str, str], number: str) -> Reply:
        if not self._is_bot(request) or number != GUILD:
            return _error(404, 10004, "Unknown Guild")
        role = {"id": GUILD, "name": "@everyone", "permissions": str(EVERYTHING)}
        return _json({"id": GUILD, "name": "Harbor Coffee", "owner_id": "1", "roles": [role]})

    def member(self, request: Request, query: Mapping[str, str], guild: str, number: str) -> Reply:
        if not self._is_bot(request) or number != BOT:
            return _error(404, 10007, "Unknown Member")
        return _json({"user": _user(BOT, "herald"), "roles": [], "id": number})

    def webhook(self, request: Request, query: Mapping[str, str], number: str, token: str) -> Reply:
        if refusal := self._no_webhook(number, token):
            return refusal
        return _json({
            "id": WEBHOOK, "type": 1, "channel_id": CHANNEL, "guild_id": GUILD, "name": "Harbor Herald", "avatar": None,
            "application_id": None, "token": token, "url": f"https://discord.com/api/webhooks/{number}/{token}",
        })  # fmt: skip

    def _no_webhook(self, number: str, token: str) -> Reply | None:
        if number != WEBHOOK or number in self.gone:
            return _error(404, 10015, "Unknown Webhook")
        return None if token == self.webhook_token else _error(401, 50027, "Invalid Webhook Token")

    # --- messages -------------------------------------------------------------------------------------------------

    def post(self, request: Request, query: Mapping[str, str], channel: str) -> Reply:
        if not self._is_bot(request):
            return _error(401, 0, "401: Unauthorized")
        if channel in self.gone:
            return _error(404, 10003, "Unknown Channel")
        if not self.allowed & SEND:
            return _error(403, 50013, "Missing Permissions")
        return self._take(request, channel, BOT, webhook=False)

    def open_thread(self, request: Request, query: Mapping[str, str], channel: str) -> Reply:
        """A post in a forum: a thread whose first message has its number. It knows no nonce."""
        if not self._is_bot(request):
            return _error(401, 0, "401: Unauthorized")
        if channel != FORUM or channel in self.gone:
            return _error(404, 10003, "Unknown Channel")
        if not self.allowed & SEND:
            return _error(403, 50013, "Missing Permissions")
        if self.allowance is not None:
            if self.allowance <= 0:
                return _limited(self.wait)
            self.allowance -= 1
        body, files = _read(request)
        name, tags, message = str(body.get("name") or ""), body.get("applied_tags", []), body.get("message", {})
        if not 1 <= len(name) <= 100:
            return _invalid("name", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")
        if self.needs_tag and not tags:
            return _error(400, 40067, "A tag is required to create a forum post in this channel")
        if len(tags) > 5 or "nonce" in message:
            return _invalid("applied_tags", "BASE_TYPE_MAX_LENGTH", "Must be 5 or fewer in length.")
        if wrong := _wrong(message, files, webhook=False):
            return wrong
        made = self.write(str(message.get("content") or "").strip(), channel=FORUM, files=files, body=message)
        made.channel_id = made.id
        self.threads[made.id] = {
            "id": made.id, "type": 11, "parent_id": FORUM, "owner_id": BOT, "name": name, "guild_id": GUILD, "flags": 0,
            "applied_tags": tags, "message_count": 0, "member_count": 1, "total_message_sent": 0,
            "thread_metadata": {"archived": False, "archive_timestamp": made.at.isoformat()},
        }  # fmt: skip
        return _json({**self.threads[made.id], "message": _shown(made, "")}, 201)

    def active_threads(self, request: Request, query: Mapping[str, str], guild: str) -> Reply:
        if not self._is_bot(request) or guild != GUILD:
            return _error(404, 10004, "Unknown Guild")
        found = [one for number, one in self.threads.items() if number not in self.archived]
        return _json({"threads": found, "members": []})

    def archived_threads(self, request: Request, query: Mapping[str, str], channel: str) -> Reply:
        """The latest put away first; a page has as many as were asked for."""
        if not self.allowed & HISTORY:
            return _error(403, 50001, "Missing Access")
        before = datetime.fromisoformat(query["before"]) if "before" in query else self.now() + timedelta(days=1)
        known = sorted(((at, number) for number, at in self.archived.items() if at < before), reverse=True)
        page = [
            {**self.threads[number], "thread_metadata": {"archived": True, "archive_timestamp": at.isoformat()}}
            for at, number in known[: int(query["limit"])]
        ]
        return _json({"threads": page, "members": [], "has_more": len(known) > len(page)})

    def one(self, request: Request, query: Mapping[str, str], channel: str, number: str) -> Reply:
        found = next((one for one in self.messages if one.id == number and one.channel_id == channel), None)
        return _json(_shown(found, "")) if found else _error(404, 10008, "Unknown Message")

    def close_thread(self, request: Request, query: Mapping[str, str], number: str) -> Reply:
        if not self.may_manage:
            return _error(403, 50013, "Missing Permissions")
        if self.threads.pop(number, None) is None:
            return _error(404, 10003, "Unknown Channel")
        self.messages[:] = [one for one in self.messages if one.channel_id != number]
        return _json({"id": number})

    def execute(self, request: Request, query: Mapping[str, str], number: str, token: str) -> Reply:
        if refusal := self._no_webhook(number, token):
            return refusal
        reply = self._take(request, query.get("thread_id", CHANNEL), WEBHOOK, webhook=True)
        return reply if query.get("wait") == "true" or reply.status != 200 else Reply(204, b"")

    def _take(self, request: Request, channel: str, author: str, *, webhook: bool) -> Reply:
        if self.allowance is not None:
            if self.allowance <= 0:
                return _limited(self.wait)
            self.allowance -= 1
        if self.refusal:
            return _error(*self.refusal)
        try:
            body, files = _read(request)
        except (forms.Malformed, ValueError):
            return _error(400, 50109, "The request body contains invalid JSON.")
        if wrong := _wrong(body, files, webhook=webhook):
            return wrong
        nonce = str(body.get("nonce") or "")
        if body.get("enforce_nonce") and nonce and (known := self._under(nonce)):
            return _json(_shown(known, nonce))
        made = self.write(
            str(body.get("content") or "").strip(), author=author, channel=channel, nonce=nonce, files=files, body=body,
            webhook=webhook,
        )  # fmt: skip
        return _json(_shown(made, nonce))

    def _under(self, nonce: str) -> Message | None:
        since = self.now() - timedelta(seconds=self.nonce_life)
        return next((one for one in self.messages if one.nonce == nonce and one.at > since), None)

    def list(self, request: Request, query: Mapping[str, str], channel: str) -> Reply:
        if not self._is_bot(request):
            return _error(401, 0, "401: Unauthorized")
        if not self.allowed & VIEW:
            return _error(403, 50001, "Missing Access")
        if not self.allowed & HISTORY:
            return _json([])  # no refusal, no messages
        after, limit = int(query.get("after", "0")), int(query.get("limit", "50"))
        if not 1 <= limit <= 100:
            return _error(400, 50035, "Invalid Form Body")
        known = sorted((one for one in self.messages if one.channel_id == channel), key=lambda one: int(one.id))
        page = [one for one in known if int(one.id) > after][:limit]
        return _json([_shown(one, one.nonce if self.tells_nonce else "") for one in reversed(page)])

    def remove(self, request: Request, query: Mapping[str, str], channel: str, number: str) -> Reply:
        if not self._is_bot(request):
            return _error(401, 0, "401: Unauthorized")
        return self._removed(number)

    def remove_own(self, request: Request, query: Mapping[str, str], hook: str, token: str, number: str) -> Reply:
        return self._no_webhook(hook, token) or self._removed(number)

    def _removed(self, number: str) -> Reply:
        there = [one for one in self.messages if one.id == number]
        if not there:
            return _error(404, 10008, "Unknown Message")
        self.messages.remove(there[0])
        return Reply(204, b"")


_ROUTES = (
    ("GET", r"/users/@me", "me"),
    ("GET", r"/channels/(\d+)", "channel"),
    ("GET", r"/guilds/(\d+)", "guild"),
    ("GET", r"/guilds/(\d+)/members/(\d+)", "member"),
    ("GET", r"/webhooks/(\d+)/([^/]+)", "webhook"),
    ("POST", r"/channels/(\d+)/messages", "post"),
    ("POST", r"/channels/(\d+)/threads", "open_thread"),
    ("GET", r"/guilds/(\d+)/threads/active", "active_threads"),
    ("GET", r"/channels/(\d+)/threads/archived/public", "archived_threads"),
    ("GET", r"/channels/(\d+)/messages/(\d+)", "one"),
    ("DELETE", r"/channels/(\d+)", "close_thread"),
    ("POST", r"/webhooks/(\d+)/([^/]+)", "execute"),
    ("GET", r"/channels/(\d+)/messages", "list"),
    ("DELETE", r"/channels/(\d+)/messages/(\d+)", "remove"),
    ("DELETE", r"/webhooks/(\d+)/([^/]+)/messages/(\d+)", "remove_own"),
)


class DiscordServer(FaultServer):
    """FaultServer with this fake behind it."""

    endpoint: FakeDiscord

    def __init__(self, mode: str = "accept", times: int | None = None) -> None:
        super().__init__(FakeDiscord(), mode, times)

    @property
    def base(self) -> str:
        return f"{self.url}/api/v10"

    @property
    def messages(self) -> list[Message]:
        return self.endpoint.messages


def _path(request: Request) -> str:
    return request.path.partition("?")[0].removeprefix("/api/v10")


def _header(request: Request, name: str) -> str:
    return next((value for key, value in request.headers.items() if key.lower() == name.lower()), "")


def _read(request: Request) -> tuple[dict[str, Any], tuple[forms.File, ...]]:
    if _header(request, "Content-Type").startswith("application/json"):
        return json.loads(request.body), ()
    form = forms.read(request.headers, request.body)
    return json.loads(form.one("payload_json") or "{}"), form.files


def _wrong(body: Mapping[str, Any], files: tuple[forms.File, ...], *, webhook: bool) -> Reply | None:
    """What Discord would say against a message."""
    content = str(body.get("content") or "")
    if len(content) > 2000:
        return _invalid("content", "BASE_TYPE_MAX_LENGTH", "Must be 2000 or fewer in length.")
    named = [one["filename"] for one in body.get("attachments", ())]
    if len(files) != len(named) or [one.field for one in files] != [f"files[{number}]" for number in range(len(files))]:
        return _error(400, 50146, "Invalid attachments")
    if any(len(one.get("description", "")) > 1024 for one in body.get("attachments", ())):
        return _invalid("attachments", "BASE_TYPE_MAX_LENGTH", "Must be 1024 or fewer in length.")
    if any(len(one.data) > 10 << 20 for one in files):
        return _error(413, 40005, "Request entity too large")
    poll = body.get("poll")
    if poll and not (1 <= len(poll["question"]["text"]) <= 300 and 1 <= poll["duration"] <= 768):
        return _invalid("poll", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 300 in length.")
    if not content.strip() and not files and not poll:
        return _error(400, 50006, "Cannot send an empty message")
    if len(str(body.get("nonce") or "")) > 25 or (webhook and "nonce" in body):
        return _invalid("nonce", "NONCE_TYPE_TOO_LONG", "Nonce must be at most 25 characters.")
    return None


def _shown(message: Message, nonce: str) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": message.id, "channel_id": message.channel_id, "type": 0, "content": message.content,
        "author": _user(message.author, "herald"), "timestamp": message.at.isoformat(), "edited_timestamp": None,
        "mentions": [], "mention_roles": [], "mention_everyone": False, "pinned": False, "tts": False, "embeds": [],
        "components": [], "flags": message.body.get("flags", 0),
        "attachments": [
            {
                "id": str(int(message.id) + number), "filename": one.name, "size": len(one.data),
                "url": f"https://cdn.example/{number}", "proxy_url": f"https://cdn.example/{number}",
            }
            for number, one in enumerate(message.files)
        ],
    }  # fmt: skip
    if nonce:
        shown["nonce"] = nonce
    if message.webhook:
        shown["webhook_id"] = message.author
    if poll := message.body.get("poll"):
        answers = [{"answer_id": number, **one} for number, one in enumerate(poll["answers"], 1)]
        shown["poll"] = {
            "question": poll["question"], "answers": answers, "expiry": message.at.isoformat(), "layout_type": 1,
            "allow_multiselect": poll.get("allow_multiselect", False),
            "results": {"is_finalized": False, "answer_counts": []},
        }  # fmt: skip
    return shown


def _user(number: str, name: str) -> dict[str, Any]:
    return {
        "id": number, "username": name, "avatar": None, "discriminator": "0", "public_flags": 0, "flags": 0,
        "bot": True, "global_name": None, "primary_guild": None,
    }  # fmt: skip


def _json(value: Any, status: int = 200, **headers: str) -> Reply:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Reply(status, json.dumps(value).encode(), {"Content-Type": "application/json", **named})


def _error(status: int, code: int, words: str) -> Reply:
    return _json({"message": words, "code": code}, status)


def _invalid(name: str, code: str, words: str) -> Reply:
    errors = {name: {"_errors": [{"code": code, "message": words}]}}
    return _json({"message": "Invalid Form Body", "code": 50035, "errors": errors}, 400)


def _limited(wait: float) -> Reply:
    """Whole seconds in the header, the exact wait in the body."""
    body = {"message": "You are being rate limited.", "retry_after": wait, "global": False}
    return _json(body, 429, Retry_After=str(-int(-wait // 1)), X_RateLimit_Remaining="0", X_RateLimit_Scope="user")
