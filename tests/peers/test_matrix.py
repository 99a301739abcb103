"""The Matrix preset of the HTTP endpoint against a real Synapse: posts are there once, word for word."""

from __future__ import annotations

import json
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from sendoff.channels.http import Transport
from sendoff.channels.http_endpoint import HttpEndpoint
from sendoff.channels.registry import Context
from sendoff.domain.account import Account
from sendoff.domain.channel import Parcel, Trace
from sendoff.domain.errors import NeedsLogin, Rejected
from sendoff.domain.post import Content, Item

pytestmark = pytest.mark.peer

SCRIPT = Path(__file__).with_name("matrix.sh")
TORTURE = 'Family 👨‍👩‍👧‍👦 🏳️‍🌈 שלום e\u0301 日本 zero\u200bwidth "quotes" \\ {{text}} <b>&amp;\nsecond line'


@dataclass(frozen=True)
class Room:
    """A room on a homeserver, and somebody who may write there."""

    base: str
    token: str
    id: str

    @property
    def bodies(self) -> list[str]:
        found = call("GET", f"{self.base}/_matrix/client/v3/rooms/{quote(self.id)}/messages?dir=f", token=self.token)
        return [one["content"]["body"] for one in found["chunk"] if one["type"] == "m.room.message"]


def call(method: str, url: str, data: Any = None, token: str = "") -> Any:
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    body = None if data is None else json.dumps(data).encode()
    with urllib.request.urlopen(urllib.request.Request(url, body, headers, method=method), timeout=20) as answer:
        return json.load(answer)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    folder = tmp_path_factory.mktemp("matrix")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    server = subprocess.Popen([SCRIPT, "serve", folder, port], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        base = f"http://127.0.0.1:{port}"
        until = time.monotonic() + 60
        while not answers(base):
            if server.poll() == 3:
                pytest.skip(server.communicate()[1].decode().strip())
            assert server.poll() is None, server.communicate()[1]
            assert time.monotonic() < until, "Synapse did not start"
            time.sleep(0.2)
        subprocess.run([SCRIPT, "user", port], check=True, capture_output=True)
        identifier = {"type": "m.id.user", "user": "alice"}
        login = {"type": "m.login.password", "identifier": identifier, "password": "alice-pw"}
        token = call("POST", f"{base}/_matrix/client/v3/login", login)["access_token"]
        yield Room(base, token, call("POST", f"{base}/_matrix/client/v3/createRoom", {}, token)["room_id"])
    finally:
        server.terminate()
        server.communicate()


def answers(base: str) -> bool:
    try:
        return bool(call("GET", f"{base}/_matrix/client/versions"))
    except OSError:
        return False


@pytest.fixture
def channel(tmp_path: Path) -> HttpEndpoint:
    return HttpEndpoint(Context(Transport(), tmp_path))


def settings(channel: HttpEndpoint, room: Room) -> dict[str, str]:
    """The preset, with what it leaves for the person to write."""
    values = dict(next(one for one in channel.presets if one.name == "Matrix room").values)
    values["url"] = values["url"].replace("https://YOUR-HOMESERVER", room.base).replace("YOUR-ROOM-ID", room.id)
    return values


def parcel(channel: HttpEndpoint, typed: dict[str, str], text: str, token: str, key: str) -> Parcel:
    account, now, item = Account(1, 1, "endpoint", "Room", "", settings=typed), datetime.now(UTC), Item(text)
    return Parcel(
        account=account, capabilities=channel.capabilities, secret={"secret": token}, content=Content((item,)),
        item=item, key=key, planned_at=now, now=now, file=lambda _: Path(),
    )  # fmt: skip


def test_posts_are_there_once_and_word_for_word(room: Room, channel: HttpEndpoint) -> None:
    typed = settings(channel, room)
    assert channel.connect({**typed, "secret": room.token}).note == ""
    made = parcel(channel, typed, TORTURE, room.token, "a" * 32)
    receipt = channel.publish(made)
    again = channel.publish(replace(made, first_try=made.now, trace=Trace()))
    assert again.remote_id == receipt.remote_id
    assert receipt.remote_id.startswith("$")
    channel.publish(parcel(channel, typed, TORTURE, room.token, "b" * 32))
    assert room.bodies == [TORTURE, TORTURE]


def test_refusals(room: Room, channel: HttpEndpoint) -> None:
    typed = settings(channel, room)
    with pytest.raises(NeedsLogin, match="Invalid access token"):
        channel.connect({**typed, "secret": "bad"})
    with pytest.raises(NeedsLogin):
        channel.publish(parcel(channel, typed, "x", "bad", "c" * 32))
    typed["url"] = typed["url"].replace(room.id, "!no:lab.test")
    with pytest.raises(Rejected, match="403"):
        channel.publish(parcel(channel, typed, "x", room.token, "d" * 32))
    with pytest.raises(Rejected, match="413"):
        channel.publish(parcel(channel, settings(channel, room), "x" * 70_000, room.token, "e" * 32))
