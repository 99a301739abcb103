"""An HTTP API as somebody might have built one: notes with an id, a key that is known again, a look, and tokens."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from sendoff.channels.fault_server import FaultServer, Reply, Request

KEY = "CANARY-key-0123456789abcdef"


def answer(status: int, found: Any, **headers: str) -> Reply:
    return Reply(status, json.dumps(found).encode(), {"Content-Type": "application/json", **headers})


@dataclass
class Notes:
    """POST /notes makes one; PUT /notes/KEY too, once. GET /notes/KEY and GET /notes look, DELETE /notes/ID takes it
    away. POST /token is OAuth.

    `effects` are the requests that made a note.
    """

    effects: list[Request] = field(default_factory=list)
    known: dict[str, str] = field(default_factory=dict)
    tokens: int = 0
    token_life: int | None = 3600
    knows_basic_client: bool = True
    reply: Reply | None = None

    def is_effect(self, request: Request) -> bool:
        return request.method != "GET" and not request.path.startswith("/token")

    def handle(self, request: Request) -> Reply:
        path = unquote(urlsplit(request.path).path)
        if path == "/token":
            return self._token(request)
        if path == "/me":
            is_known = request.headers.get("Authorization") == f"Bearer {KEY}"
            return answer(200, {"name": "ada"}) if is_known else answer(401, {"error": "who are you?"})
        if request.method == "GET" and path == "/notes":
            return answer(200, {"items": [{"id": value, "ref": key} for key, value in self.known.items()]})
        if request.method == "GET" and path.startswith("/notes/"):
            key = path.removeprefix("/notes/")
            return answer(200, {"id": self.known[key], "ref": key}) if key in self.known else answer(404, {})
        if request.method == "DELETE" and path.startswith("/notes/"):
            gone = [key for key, number in self.known.items() if f"/notes/{number}" == path]
            return answer(200, self.known.pop(gone[0]) and {}) if gone else answer(404, {})
        return self.reply or self._made(request, path)

    def _made(self, request: Request, path: str) -> Reply:
        key = request.headers.get("Idempotency-Key", "").strip('"') or path.removeprefix("/notes").strip("/")
        key = key or (request.headers.get("X-Ref") or "")
        if key not in self.known or not key:
            self.effects.append(request)
            self.known[key or f"-{len(self.effects)}"] = str(len(self.effects))
        number = self.known.get(key, str(len(self.effects)))
        return answer(201, {"id": number, "url": f"/n/{number}", "ok": True}, Location=f"/notes/{number}")

    def _token(self, request: Request) -> Reply:
        form = parse_qs(request.text)
        shown = request.headers.get("Authorization", "")
        in_header = shown == f"Basic {base64.b64encode(f'robot:{KEY}'.encode()).decode()}"
        in_form = (form.get("client_id"), form.get("client_secret")) == (["robot"], [KEY])
        if not (in_header if self.knows_basic_client else in_form):
            return answer(401, {"error": "invalid_client", "error_description": "There is no such client."})
        self.tokens += 1
        made = {"access_token": f"CANARY-token-{self.tokens:08}", "token_type": "Bearer", "expires_in": self.token_life}
        return answer(200, {name: value for name, value in made.items() if value is not None})


class NotesServer(FaultServer):
    """The API behind a real HTTP server."""

    endpoint: Notes

    def __init__(self) -> None:
        super().__init__(Notes())
