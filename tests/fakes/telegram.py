"""A Telegram Bot API on the loopback interface: a bot, chats with their rights, and a ledger of messages.

    with TelegramServer() as server:
        fields = {"token": TOKEN, "chat": "@harbor", "base_url": server.url}
        …
        assert [one.text for one in server.messages] == ["Hello"]

The ledger `messages` is the judge: it holds what a reader would see, whatever the client believes. Lengths count after
the entities were parsed, by a parser of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from sendoff.channels.fault_server import FaultServer, Reply, Request
from tests.fakes import forms

TOKEN = "123456789:canary-telegram-token-0123456789ab"
BOT = 123456789
CHANNEL, PRIVATE, GROUP, PERSON = -1001111111111, -1002222222222, -333333333, 444444444
UPGRADED = -1003333333333


@dataclass
class Message:
    """One message, as the ledger keeps it: what is read, and what was asked for."""

    id: int
    chat: int
    text: str
    kind: str = "text"
    file: forms.File | None = None
    asked: Mapping[str, Any] = field(default_factory=dict)
    entities: tuple[str, ...] = ()
    album: str = ""


class FakeTelegram:
    """The service behind the server: an `Endpoint` of channels/fault_server.py.

    What a test may set: `members` (the bot's ChatMember by chat), `refusal` (status, description and parameters of the
    next answers), `allowance` (messages until 429), `heard` (the updates that wait), `upgraded` (the group became a
    supergroup).
    """

    def __init__(self) -> None:
        self.effects: list[Any] = []
        self.messages: list[Message] = self.effects
        self.token = TOKEN
        self.chats: dict[int, dict[str, Any]] = {
            CHANNEL: {"id": CHANNEL, "type": "channel", "title": "Harbor News", "username": "harbor"},
            PRIVATE: {"id": PRIVATE, "type": "channel", "title": "Harbor Crew"},
            GROUP: {"id": GROUP, "type": "group", "title": "Harbor Friends"},
            PERSON: {"id": PERSON, "type": "private", "first_name": "Ada", "last_name": "Lovelace", "username": "ada"},
        }
        poster = {"status": "administrator", "can_post_messages": True}
        self.members: dict[int, dict[str, Any]] = {CHANNEL: poster, PRIVATE: poster}
        self.refusal: tuple[int, str, Mapping[str, Any]] | None = None
        self.allowance: int | None = None
        self.heard: list[dict[str, Any]] = []
        self.upgraded = False
        self._serial = 10

    def is_effect(self, request: Request) -> bool:
        return bool(re.search(r"/bot[^/]*/send\w+$", request.path))

    def handle(self, request: Request) -> Reply:
        found = re.fullmatch(r"/bot([^/]+)/(\w+)", request.path)
        if not found:
            return _error(404, "Not Found")
        if found[1] != self.token:
            return _error(401, "Unauthorized")
        try:
            asked, files = _read(request)
        except (forms.Malformed, ValueError):
            return _error(400, "Bad Request: can't parse the request")
        name = _snake(found[2])
        return getattr(self, name)(asked, files) if hasattr(self, name) else _error(404, "Not Found: method not found")

    # --- who and where --------------------------------------------------------------------------------------------

    def get_me(self, asked: Mapping[str, Any], files: Mapping[str, forms.File]) -> Reply:
        return _ok({"id": BOT, "is_bot": True, "first_name": "Herald", "username": "herald_bot"})

    def get_chat(self, asked: Mapping[str, Any], files: Mapping[str, forms.File]) -> Reply:
        chat = self._chat(asked)
        return chat if isinstance(chat, Reply) else _ok(chat)

    def get_chat_member(self, asked: Mapping[str, Any], files: Mapping[str, forms.File]) -> Reply:
        chat = self._chat(asked)
        if isinstance(chat, Reply):
            return chat
        return _ok({"user": {"id": asked["user_id"]}, **self.members.get(chat["id"], {"status": "member"})})

    def get_updates(self, asked: Mapping[str, Any], files: Mapping[str, forms.File]) -> Reply:
        assert "offset" not in asked, "an offset would take updates away from the bot's own program"
        return _ok(self.heard)

    def _chat(self, asked: Mapping[str, Any]) -> dict[str, Any] | Reply:
        wanted = asked.get("chat_id")
        number = int(wanted) if re.fullmatch(r"-?\d+", str(wanted)) else wanted
        if self.upgraded and number == GROUP:
            return _error(
                400, "Bad Request: group chat was upgraded to a supergroup chat", {"migrate_to_chat_id": UPGRADED}
            )
        if self.upgraded and number == UPGRADED:
            return {"id": UPGRADED, "type": "supergroup", "title": "Harbor Friends"}
        named = next((one for one in self.chats.values() if f"@{one.get('username')}" == number), None)
        return self.chats.get(number) or named or _error(400, "Bad Request: chat not found")  # type: ignore[call-overload]

    # --- messages -------------------------------------------------------------------------------------------------

    def send_message(self, asked: Mapping[str, Any], files: Mapping[str, forms.File]) -> Reply:
        return self._send(asked, [("text", asked, None)])

    def send_poll(self, asked: Mapping[str, Any], files: Mapping[str, forms.File]) -> Reply:
        answers, lasts = [one["text"] for one in asked["options"]], asked.get("open_period")
        if not 1 <= len(str(asked.get("question", "")).strip()) <= 300:
            return _error(400, "Bad Request: poll question must be non-empty")
        if not 2 <= len(answers) <= 12 or len(set(answers)) != len(answers):
            return _error(400, "Bad Request: poll must have at least 2 option")
        if any(not 1 <= len(one) <= 100 for one in answers):
            return _error(400, "Bad Request: poll options length must not exceed 100")
        if lasts is not None and not 5 <= lasts <= 2_628_000:
            return _error(400, "Bad Request: wrong poll open period")
        return self._send(asked, [("poll", {"text": asked["question"]}, None)])

    def send_photo(self, asked: Mapping[str, Any], files: Mapping[str, forms.File]) -> Reply:
        return self._send(asked, [("photo", asked, files.get("photo"))])

    def send_video(self, asked: Mapping[str, Any], files: Mapping[str, forms.File]) -> Reply:
        return self._send(asked, [("video", asked, files.get("video"))])

    def send_animation(self, asked: Mapping[str, Any], files: Mapping[str, forms.File]) -> Reply:
        return self._send(asked, [("animation", asked, files.get("animation"))])

    def send_audio(self, asked: Mapping[str, Any], files: Mapping[str, forms.File]) -> Reply:
        return self._send(asked, [("audio", asked, files.get("audio"))])

    def send_document(self, asked: Mapping[str, Any], files: Mapping[str, forms.File]) -> Reply:
        return self._send(asked, [("document", asked, files.get("document"))])

    def send_media_group(self, asked: Mapping[str, Any], files: Mapping[str, forms.File]) -> Reply:
        album = asked["media"]
        kinds = {one["type"] for one in album}
        if not 2 <= len(album) <= 10:
            return _error(400, "Bad Request: wrong number of messages in the album")
        if "animation" in kinds or (len(kinds) > 1 and not kinds <= {"photo", "video"}):
            return _error(400, "Bad Request: can't use the media of the specified type in the album")
        parts = [(one["type"], one, files.get(one["media"].removeprefix("attach://"))) for one in album]
        return self._send(asked, parts, album="album")

    def _send(
        self, asked: Mapping[str, Any], parts: list[tuple[str, Mapping[str, Any], forms.File | None]], album: str = ""
    ) -> Reply:
        chat = self._chat(asked)
        if isinstance(chat, Reply):
            return chat
        if self.refusal:
            return _error(*self.refusal)
        if self.allowance is not None:
            if self.allowance <= 0:
                return _error(429, "Too Many Requests: retry after 31", {"retry_after": 31})
            self.allowance -= 1
        made = []
        for kind, about, file in parts:
            one = self._message(chat, kind, about, file, asked)
            if isinstance(one, Reply):
                return one
            one.album = album
            made.append(one)
        for one in made:
            self._serial += 1
            one.id = self._serial
            self.messages.append(one)
        shown = [{"message_id": one.id, "date": 1_790_000_000, "chat": chat} for one in made]
        return _ok(shown if album else shown[0])

    def _message(
        self, chat: Mapping[str, Any], kind: str, about: Mapping[str, Any], file: forms.File | None,
        asked: Mapping[str, Any],
    ) -> Message | Reply:  # fmt: skip
        is_text = kind in ("text", "poll")
        text, entities = str(about.get("text" if is_text else "caption", "")), ()
        if about.get("parse_mode") == "HTML":
            parser = _Entities()
            parser.feed(text)
            parser.close()
            if parser.wrong:
                return _error(400, f"Bad Request: can't parse entities: {parser.wrong}")
            text, entities = "".join(parser.pieces), tuple(parser.found)
        text = text.strip()
        if is_text and not text:
            return _error(400, "Bad Request: message text is empty")
        if len(text) > (4096 if is_text else 1024):
            what = "message is too long" if is_text else "message caption is too long"
            return _error(400, f"Bad Request: {what}")
        if not is_text and (file is None or not file.data):
            return _error(400, f"Bad Request: there is no {kind} in the request")
        if file and len(file.data) > (10_000_000 if kind == "photo" else 50_000_000):
            return _error(413, "Request Entity Too Large")
        return Message(0, chat["id"], text, kind, file, dict(asked), entities)

    def delete_messages(self, asked: Mapping[str, Any], files: Mapping[str, forms.File]) -> Reply:
        chat = self._chat(asked)
        if isinstance(chat, Reply):
            return chat
        if self.refusal:
            return _error(*self.refusal)
        wanted = set(asked["message_ids"])
        self.messages[:] = [one for one in self.messages if one.id not in wanted or one.chat != chat["id"]]
        return _ok(True)


class TelegramServer(FaultServer):
    """FaultServer with this fake behind it."""

    endpoint: FakeTelegram

    def __init__(self, mode: str = "accept", times: int | None = None) -> None:
        super().__init__(FakeTelegram(), mode, times)

    @property
    def messages(self) -> list[Message]:
        return self.endpoint.messages


class _Entities(HTMLParser):
    """Reads parse_mode HTML: the text without marks, and the tags that were there."""

    KNOWN = (
        "a", "b", "blockquote", "code", "del", "em", "i", "ins", "pre", "s", "span", "strike", "strong", "tg-emoji",
        "tg-spoiler", "u",
    )  # fmt: skip

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.pieces: list[str] = []
        self.found: list[str] = []
        self.wrong = ""
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.KNOWN:
            self.wrong = f'unsupported start tag "{tag}"'
        self._open.append(tag)
        address = dict(attrs).get("href")
        self.found.append(f"{tag} {address}" if address else tag)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.wrong = f'unmatched end tag "{tag}"'

    def handle_data(self, data: str) -> None:
        if "<" in data:
            self.wrong = "unclosed start tag"
        self.pieces.append(data)

    def handle_entityref(self, name: str) -> None:
        known = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
        self.pieces.append(known.get(name) or f"&{name}")

    def handle_charref(self, name: str) -> None:
        self.pieces.append(chr(int(name[1:], 16) if name[:1] in "xX" else int(name)))

    def close(self) -> None:
        super().close()
        if self._open:
            self.wrong = f'can\'t find end tag corresponding to start tag "{self._open[-1]}"'


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def _read(request: Request) -> tuple[dict[str, Any], dict[str, forms.File]]:
    """Parameters as they are meant: in a form, what is no text is JSON."""
    if request.headers.get("Content-Type", "").startswith("application/json"):
        return json.loads(request.body), {}
    form = forms.read(request.headers, request.body)
    asked: dict[str, Any] = dict(form.fields)
    for name in ("media", "chat_id", "message_thread_id", "disable_notification", "protect_content"):
        if name in asked:
            asked[name] = json.loads(asked[name])
    return asked, {file.field: file for file in form.files}


def _ok(found: Any) -> Reply:
    return Reply(200, json.dumps({"ok": True, "result": found}).encode())


def _error(status: int, description: str, parameters: Mapping[str, Any] | None = None) -> Reply:
    body: dict[str, Any] = {"ok": False, "error_code": status, "description": description}
    if parameters:
        body["parameters"] = dict(parameters)
    return Reply(status, json.dumps(body).encode())
