"""The contract itself, seen from both sides: a channel that keeps it passes, channels that break it are caught."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from sendoff.channels import testing
from sendoff.channels.fault_server import FaultServer, Reply, Request
from sendoff.channels.http import Http, Transport
from sendoff.channels.testing import HTTP_CASES, Case
from sendoff.domain.account import Account
from sendoff.domain.capabilities import Capabilities
from sendoff.domain.channel import Channel, Parcel
from sendoff.domain.delivery import Receipt
from sendoff.domain.errors import InDoubt, Rejected, SendError, TryLater
from sendoff.domain.post import Content, Item


class Board:
    """A service with one call: POST /notes."""

    def __init__(self) -> None:
        self.effects: list[Any] = []

    def is_effect(self, request: Request) -> bool:
        return request.method == "POST"

    def handle(self, request: Request) -> Reply:
        self.effects.append(json.loads(request.body))
        return Reply(200, json.dumps({"id": str(len(self.effects))}).encode())


class Notes(Channel):
    """A channel for it, as simple as a channel can be."""

    kind = "notes"
    title = "Notes"
    capabilities = Capabilities(checked="2026-11-23", text=500)

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    def publish(self, parcel: Parcel) -> Receipt:
        http = Http(
            self.transport,
            parcel.account.settings["base_url"],
            self.title,
            headers={"Authorization": f"Bearer {parcel.secret['token']}"},
            trace=parcel.trace,
        )
        answer = http.write("/notes", json={"text": parcel.item.text}).json()
        if not isinstance(answer, dict) or not isinstance(answer.get("id"), str):
            raise InDoubt("Notes answered something else than an id. It may have gone out.")
        return Receipt(answer["id"])


class NotesBench:
    secrets: Mapping[str, str] = {"token": "CANARY-a1b2c3d4e5"}
    content = Content((Item("hello"),))
    options: Mapping[str, str] = {}
    files = Path()

    def __init__(self, channel: Channel | None = None) -> None:
        self.channel = channel or Notes(testing.fast_transport())

    def account(self, url: str) -> Account:
        return Account(1, 1, "notes", "n", "@n", settings={"base_url": url})


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer(Board()) as server:
        yield server


@pytest.mark.parametrize("case", HTTP_CASES, ids=lambda case: case.mode)
def test_a_channel_that_keeps_the_contract(server: FaultServer, case: Case) -> None:
    testing.run(NotesBench(), server, case)


def test_a_refused_connection_is_certainly_not_sent() -> None:
    assert "refused the connection" in testing.refused_connection(NotesBench()).reason


class Hopeful(Notes):
    """Takes any 2xx for success."""

    def publish(self, parcel: Parcel) -> Receipt:
        http = Http(self.transport, parcel.account.settings["base_url"], self.title)
        http.write("/notes", json={"text": parcel.item.text})
        return Receipt("some id")


class Careless(Notes):
    """Takes doubt for failure."""

    def publish(self, parcel: Parcel) -> Receipt:
        try:
            return super().publish(parcel)
        except InDoubt as doubt:
            raise TryLater(doubt.reason) from None


class Chatty(Notes):
    """Puts the token into what a person reads."""

    def publish(self, parcel: Parcel) -> Receipt:
        try:
            return super().publish(parcel)
        except SendError:
            raise Rejected(f"no, with {parcel.secret['token']}") from None


@pytest.mark.parametrize(
    ("wrong", "mode"),
    [(Hopeful, "captive"), (Hopeful, "no_id"), (Careless, "hang_up_after"), (Careless, "slow"), (Chatty, "refuse")],
)
def test_the_contract_catches(server: FaultServer, wrong: type[Notes], mode: str) -> None:
    case = next(one for one in HTTP_CASES if one.mode == mode)
    with pytest.raises(AssertionError):
        testing.run(NotesBench(wrong(testing.fast_transport())), server, case)
