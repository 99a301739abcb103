"""The ledger: endpoints outside the program that count what took effect, break when told to, and kill their client."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import random
import signal
import socket
import ssl
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sendoff.channels.fault_server import FaultServer, Reply, Request

HALF, UNREAD = "half of the body", "accepted, unread"
"""The two moments at which it is the server that ends its client."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What a reader would see: one post, once for each time it took effect."""

    id: str
    kind: str
    text: str


@dataclass
class Ledger:
    """Four small services behind one address, one for each way out of doubt; `effects` is the judge.

    /key remembers idempotency keys for `key_life` seconds, /ownid lets the client name the record, /recent can be
    listed, /blind can be asked nothing. Every service takes uploads, which nobody sees.
    """

    key_life: float = 3600.0
    effects: list[Effect] = field(default_factory=list)
    uploads: list[str] = field(default_factory=list)
    refresh: int = 0  # the number of the refresh token that works next
    _keys: dict[str, tuple[float, Effect]] = field(default_factory=dict)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def is_effect(self, request: Request) -> bool:
        return request.method in ("POST", "PUT") and "/posts" in request.path

    def handle(self, request: Request) -> Reply:
        if request.path.startswith("/stranger"):
            return _json({"id": "a stranger's"})  # whoever comes here followed a redirect
        _, kind, what, *named = request.path.split("/")
        if what == "media":
            self.uploads.append(kind)
            return _json({"id": f"media-{len(self.uploads)}"})
        if what == "token":
            return self._renew(json.loads(request.body)["refresh"])
        if request.method == "GET":
            return self._look(kind, named)
        if named:
            return self._put(kind, named[0], request)
        if "Idempotency-Key" in request.headers:
            return self._under_key(kind, request)
        return _json(_shown(self._take(kind, request)))

    def _renew(self, token: str) -> Reply:
        if token != f"refresh-{self.refresh}":
            return Reply(401, b'{"error": "this token was used before"}')
        self.refresh += 1
        return _json({"refresh": f"refresh-{self.refresh}"})

    def _look(self, kind: str, named: list[str]) -> Reply:
        mine = [one for one in self.effects if one.kind == kind]
        if not named:
            return _json([_shown(one) for one in reversed(mine)])
        found = next((one for one in mine if one.id == named[0]), None)
        return _json(_shown(found)) if found else Reply(404)

    def _put(self, kind: str, name: str, request: Request) -> Reply:
        """Creates a record under the client's own name; one that is there stays as it is, and that is an error."""
        if any(one.id == name for one in self.effects):
            return Reply(409, b'{"error": "there is such a record"}')
        return _json(_shown(self._take(kind, request, name)))

    def _under_key(self, kind: str, request: Request) -> Reply:
        key, now = request.headers["Idempotency-Key"], time.monotonic()
        known = self._keys.get(key)
        if known is None or now - known[0] > self.key_life:
            known = self._keys[key] = (now, self._take(kind, request))
        return _json(_shown(known[1]))

    def _take(self, kind: str, request: Request, name: str = "") -> Effect:
        effect = Effect(name or f"{kind}-{next(self._numbers)}", kind, str(json.loads(request.body)["text"]))
        self.effects.append(effect)
        return effect

    def count(self) -> Counter[str]:
        """How often each text took effect."""
        return Counter(one.text for one in self.effects)


def _json(value: Any) -> Reply:
    return Reply(200, json.dumps(value).encode())


def _shown(effect: Effect) -> dict[str, str]:
    return {"id": effect.id, "text": effect.text}


class LedgerServer(FaultServer):
    """The ledger's HTTP server: breaks chosen requests, ends its client at a moment, goes away and comes back.

    Args:
        port: the same for all cells of a profile template, because accounts remember it.
        breaks: which requests with an effect, counted from 1, are broken and how (FaultServer's modes).
        always: how all of them are broken, from the first of `breaks` on ("" as told there).
        kills: at which of them, and at which moment (HALF or UNREAD), the client is killed.
        victim: the process that talks to this server now.
    """

    endpoint: Ledger

    def __init__(
        self, ledger: Ledger, port: int, *, breaks: Mapping[int, str] | None = None, always: str = "",
        kills: tuple[int, str] | None = None, secure: ssl.SSLContext | None = None,
    ) -> None:  # fmt: skip
        self.breaks = dict(breaks or {})
        self.always = always
        self.kills = kills
        self.victim: Callable[[], int] = lambda: 0
        self.port = port
        self.came = 0  # requests with an effect
        self.is_open = True
        super().__init__(ledger, port=port, secure=secure)

    def go_away(self) -> None:
        """From now on connections are refused."""
        self.close()
        self.is_open = False

    def come_back(self) -> None:
        self.listen()
        self.is_open = True

    def mode_for(self, request: Request) -> str:
        if not self.endpoint.is_effect(request):
            return "accept"
        self.came += 1
        return self.breaks.get(self.came) or self.always or "accept"

    def _answer(self, handler: Any) -> None:
        bare = Request(handler.command, handler.path, dict(handler.headers), b"")
        if self.kills == (self.came + 1, HALF) and self.endpoint.is_effect(bare):
            self.came += 1
            handler.rfile.read(int(handler.headers["Content-Length"]) // 2)
            self._kill()
            handler.close_connection = True
            return
        super()._answer(handler)

    def carry_out(self, request: Request) -> Reply:
        reply = super().carry_out(request)
        if self.kills == (self.came, UNREAD) and self.endpoint.is_effect(request):
            self._kill()
        return reply

    def _kill(self) -> None:
        """Ends the client and waits until it is over, so that nothing of the answer is read."""
        self.kills = None
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.victim(), signal.SIGKILL)


def free_port() -> int:
    """A port that stays free while nobody listens: outside the range from which systems take ports by themselves."""
    while True:
        port = random.randrange(10_000, 32_000)
        with socket.socket() as candidate:
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                candidate.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
