"""Prism judges the Discord channel by Discord's own OpenAPI file, and the loopback Discord that it is tested on.

A form with files is one field to the file, so what stands in that field goes by JSON a second time.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sendoff.channels import discord_posts, testing
from sendoff.channels.discord import Discord, DiscordWebhook
from sendoff.channels.http import Transport
from sendoff.channels.registry import Context
from sendoff.domain.account import Account
from sendoff.domain.channel import Channel, Parcel, Trace
from sendoff.domain.delivery import Receipt
from sendoff.domain.errors import Rejected
from sendoff.domain.post import Content, Item, Poll, Role
from tests.fakes.discord import BOT_TOKEN, CHANNEL, WEBHOOK, WEBHOOK_TOKEN, DiscordServer
from tests.fakes.letters import attachment
from tests.peers.referee import Referee, judging

pytestmark = pytest.mark.peer

# The loopback Discord may tell less of a server, channel or member than the file wants, and nothing otherwise.
LESS = "must have required property"


@dataclass(frozen=True, slots=True)
class Ring:
    """The referee with the loopback Discord behind it."""

    referee: Referee
    discord: DiscordServer

    @property
    def base(self) -> str:
        return self.referee.url

    def breaches(self) -> list[str]:
        answers = [one for one in self.referee.violations("response") if LESS not in one]
        return self.referee.violations("request") + answers


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ring]:
    folder = tmp_path_factory.mktemp("prism")
    with DiscordServer() as discord, judging("discord-openapi.json", discord.base, folder) as referee:
        yield Ring(referee, discord)


class Bench:
    def __init__(self, ring: Ring, folder: Path, way: str, item: Item, **options: str) -> None:
        context = Context(Transport(), folder)
        self.channel: Channel = Discord(context) if way == "bot" else DiscordWebhook(context)
        self.identity = self.channel.connect(fields(ring, way))
        self.secrets, self.options = self.identity.secrets, options
        self.content, self.files = Content((item,)), folder

    def account(self, url: str) -> Account:
        return Account(1, 1, "discord", "d", "@herald", self.identity.settings, self.identity.learned)

    def parcel(self) -> Parcel:
        return testing.parcel(self, "", key=os.urandom(16).hex())


def fields(ring: Ring, way: str) -> dict[str, str]:
    address = f"https://discord.com/api/webhooks/{WEBHOOK}/{WEBHOOK_TOKEN}"
    bot = {"bot_token": BOT_TOKEN, "channel": CHANNEL}
    return {"base_url": ring.base, **(bot if way == "bot" else {"webhook_url": address})}


MESSAGES: dict[str, tuple[Item, dict[str, str]]] = {
    "text": (Item("Hello @everyone 👨‍👩‍👧‍👦 שלום"), {}),
    "longest": (Item("🐘" * 2000), {"silent": "yes", "embeds": "no"}),
    "pings": (Item("Hello @everyone"), {"mentions": "everyone"}),
    "names": (Item("Hello"), {"mentions": "users"}),
    "poll": (Item("Tea or coffee?", poll=Poll(("Tea", "Coffee"), lasts=768 * 3600, multiple=True)), {}),
}
BOTH = pytest.mark.parametrize("way", ["bot", "webhook"])


@BOTH
@pytest.mark.parametrize("kind", MESSAGES)
def test_no_message_breaks_the_official_file(ring: Ring, tmp_path: Path, way: str, kind: str) -> None:
    item, options = MESSAGES[kind]
    bench = Bench(ring, tmp_path, way, item, **options)
    receipt = bench.channel.publish(bench.parcel())
    assert ring.discord.messages[-1].id == receipt.remote_id
    assert ring.breaches() == []


def test_a_webhook_s_own_options_break_nothing(ring: Ring, tmp_path: Path) -> None:
    bench = Bench(ring, tmp_path, "webhook", Item("Hello"), username="Harbor", thread_name="Ideas")
    bench.channel.publish(bench.parcel())
    assert ring.breaches() == []


@BOTH
def test_files_break_nothing(ring: Ring, tmp_path: Path, way: str) -> None:
    # In letters, because the referee passes a form on as text.
    one = replace(attachment(tmp_path, b"a picture\r\n", "Ausflug.png", alt="Ein „Elefant“"), role=Role.MEDIA)
    bench = Bench(ring, tmp_path, way, Item("Look", (one, one)))
    parcel = bench.parcel()
    bench.channel.publish(parcel)
    assert [file.data for file in ring.discord.messages[-1].files] == [b"a picture\r\n"] * 2
    judged_alone = _sent_as_json(ring, discord_posts.body(parcel), way)
    assert judged_alone["attachments"][0]["description"] == "Ein „Elefant“"
    assert ring.breaches() == []


def _sent_as_json(ring: Ring, body: dict[str, Any], way: str) -> dict[str, Any]:
    """The field payload_json as a body of its own, for the referee alone: Discord would miss the files."""
    import requests

    path = f"/channels/{CHANNEL}/messages" if way == "bot" else f"/webhooks/{WEBHOOK}/{WEBHOOK_TOKEN}?wait=true"
    headers = {"Authorization": f"Bot {BOT_TOKEN}", "User-Agent": "DiscordBot (test, 1)"}
    assert requests.post(ring.base + path, json=body, headers=headers, timeout=10).status_code == 400
    return body


def test_repeating_looking_and_taking_back_break_nothing(ring: Ring, tmp_path: Path) -> None:
    bench = Bench(ring, tmp_path, "bot", Item("Once"))
    parcel = bench.parcel()
    receipt = bench.channel.publish(parcel)
    again = replace(parcel, first_try=parcel.now, now=parcel.now + timedelta(seconds=6), trace=Trace())
    assert bench.channel.publish(again).remote_id == receipt.remote_id
    found = bench.channel.find(again)
    assert isinstance(found, Receipt)
    assert found.remote_id == receipt.remote_id
    bench.channel.delete(bench.account(""), bench.secrets, receipt)
    other = Bench(ring, tmp_path, "webhook", Item("Twice"))
    other.channel.delete(other.account(""), other.secrets, other.channel.publish(other.parcel()))
    assert all(one.content not in ("Once", "Twice") for one in ring.discord.messages)
    assert ring.breaches() == []


def test_the_referee_sees_what_is_wrong(ring: Ring, tmp_path: Path) -> None:
    """Last: the breach stays in its log."""
    bench = Bench(ring, tmp_path, "bot", Item("x" * 4001))
    with pytest.raises(Rejected):
        bench.channel.publish(bench.parcel())
    assert any("content" in one for one in ring.referee.violations("request"))
