"""Discord against the contract, by bot and by webhook; and what becomes of every doubt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from sendoff.channels import testing
from sendoff.channels.discord import Discord, DiscordWebhook
from sendoff.channels.http import Transport
from sendoff.channels.registry import Context
from sendoff.channels.testing import HTTP_CASES, IMPATIENT, Case
from sendoff.domain.account import Account
from sendoff.domain.channel import Channel, How, Parcel, Trace
from sendoff.domain.delivery import Receipt
from sendoff.domain.errors import InDoubt
from sendoff.domain.post import Attachment, Content, Item
from tests.fakes.discord import BOT, BOT_TOKEN, CHANNEL, GUILD, WEBHOOK, WEBHOOK_TOKEN, DiscordServer

DOUBTS = (
    "error_before", "error_after", "hang_up_before", "hang_up_after", "reset", "cut_answer", "captive", "garbage",
    "no_id", "wrong_types",
)  # fmt: skip
DOUBTFUL = [case for case in HTTP_CASES if case.mode in DOUBTS]
HEAVY = ("slow", "drip", "endless", "huge", "bomb", "many_headers")
"""Of the line and not of the channel; the bot's test plays them."""
FEW = ("accept", "hang_up_after", "unauthorized", "no_id", "limit", "redirect_307")
PICTURE = Attachment(sha256="a" * 64, name="Anna.png", mime="image/png", size=67, alt="Ein Elefant.")


class BotBench:
    secrets: Mapping[str, str] = {"bot_token": BOT_TOKEN}
    options: Mapping[str, str] = {"silent": "yes"}

    def __init__(self, folder: Path, item: Item = Item("Hello @everyone 🐘")) -> None:
        context = Context(Transport(IMPATIENT), folder)
        self.channel: Channel = self.make(context)
        self.content, self.files = Content((item,)), folder
        (folder / PICTURE.sha256).write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 59)

    def make(self, context: Context) -> Channel:
        return Discord(context)

    def account(self, url: str) -> Account:
        settings = {"channel": CHANNEL, "base_url": f"{url}/api/v10"}
        return Account(1, 1, "discord", "d", "@herald", settings, {"bot_id": BOT, "guild_id": GUILD, "may_look": True})


class WebhookBench(BotBench):
    """Its address is its key, and the token alone is what travels."""

    secrets: Mapping[str, str] = {
        "webhook_url": f"https://discord.com/api/webhooks/{WEBHOOK}/{WEBHOOK_TOKEN}", "token": WEBHOOK_TOKEN,
    }  # fmt: skip
    options: Mapping[str, str] = {"username": "Harbor"}

    def make(self, context: Context) -> Channel:
        return DiscordWebhook(context)

    def account(self, url: str) -> Account:
        settings = {"webhook": WEBHOOK, "thread": "", "base_url": f"{url}/api/v10"}
        return Account(1, 1, "discord_webhook", "w", "Herald", settings, {"guild_id": GUILD})


@pytest.fixture
def server() -> Iterator[DiscordServer]:
    with DiscordServer() as server:
        yield server


@pytest.mark.parametrize("case", HTTP_CASES, ids=lambda case: case.mode)
def test_the_bot_keeps_the_contract(server: DiscordServer, tmp_path: Path, case: Case) -> None:
    """Without a deviation."""
    testing.run(BotBench(tmp_path), server, case)


@pytest.mark.parametrize("case", [one for one in HTTP_CASES if one.mode not in HEAVY], ids=lambda case: case.mode)
def test_the_webhook_keeps_the_contract(server: DiscordServer, tmp_path: Path, case: Case) -> None:
    testing.run(WebhookBench(tmp_path), server, case)


@pytest.mark.parametrize("mode", FEW)
@pytest.mark.parametrize("bench", [BotBench, WebhookBench])
def test_both_keep_it_with_a_picture(server: DiscordServer, tmp_path: Path, bench: type[BotBench], mode: str) -> None:
    case = next(one for one in HTTP_CASES if one.mode == mode)
    testing.run(bench(tmp_path, Item("Look", media=(PICTURE,))), server, case)


@pytest.mark.parametrize("bench", [BotBench, WebhookBench])
def test_a_refused_connection_is_certainly_not_sent(tmp_path: Path, bench: type[BotBench]) -> None:
    assert "refused the connection" in testing.refused_connection(bench(tmp_path)).reason


def doubtful(server: DiscordServer, bench: BotBench, case: Case) -> Parcel:
    """A part whose answer got lost, as the engine hands it over some seconds later."""
    made = testing.parcel(bench, server.url)
    server.mode, server.times = case.mode, 1
    with pytest.raises(InDoubt):
        bench.channel.publish(made)
    return replace(made, first_try=made.now, last_try=made.now, now=made.now + timedelta(seconds=6), trace=Trace())


@pytest.mark.parametrize("case", DOUBTFUL, ids=lambda case: case.mode)
def test_a_repeat_under_the_same_nonce_has_one_effect(server: DiscordServer, tmp_path: Path, case: Case) -> None:
    bench = BotBench(tmp_path)
    assert bench.channel.settle(bench.account("")).how is How.REPEAT
    again = bench.channel.publish(doubtful(server, bench, case))
    assert [one.id for one in server.messages] == [again.remote_id]


@pytest.mark.parametrize("case", DOUBTFUL, ids=lambda case: case.mode)
def test_a_look_after_the_nonce_is_forgotten_tells_the_truth(server: DiscordServer, tmp_path: Path, case: Case) -> None:
    server.endpoint.write("Hello @everyone 🐘")  # the same words, but before
    bench = BotBench(tmp_path)
    found = bench.channel.find(doubtful(server, bench, case))
    assert (found is not None) == bool(case.effects)
    if found:
        assert found.remote_id == server.messages[1].id
    assert len(server.messages) == 1 + case.effects


def test_a_webhook_s_doubt_is_the_person_s(tmp_path: Path) -> None:
    bench = WebhookBench(tmp_path)
    assert bench.channel.settle(bench.account("")).how is How.ASK


@pytest.mark.parametrize("bench", [BotBench, WebhookBench])
def test_a_receipt_says_where_it_is(server: DiscordServer, tmp_path: Path, bench: type[BotBench]) -> None:
    made = bench(tmp_path)
    receipt = made.channel.publish(testing.parcel(made, server.url))
    assert receipt == Receipt(
        server.messages[0].id, f"https://discord.com/channels/{GUILD}/{CHANNEL}/{server.messages[0].id}",
        data={"channel_id": CHANNEL},
    )  # fmt: skip
