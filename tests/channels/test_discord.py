"""Discord in detail: signing in, what a message carries, what refusals say, the nonce, looking, taking back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sendoff.channels import discord_posts, testing
from sendoff.channels.discord import NONCE_LIFE, Discord, DiscordWebhook
from sendoff.channels.discord_answers import judged
from sendoff.channels.http import Answer, Http, Transport
from sendoff.channels.registry import Context
from sendoff.channels.testing import IMPATIENT
from sendoff.domain import limits
from sendoff.domain.account import Account
from sendoff.domain.channel import Channel, Identity, Level, Parcel, Trace
from sendoff.domain.delivery import Receipt
from sendoff.domain.errors import BadInput, CannotLook, InDoubt, NeedsLogin, Rejected, SendError, TryLater
from sendoff.domain.post import Attachment, Content, Item, Poll, Role
from sendoff.domain.redact import Redactor
from tests.fakes import discord as fake
from tests.fakes.discord import BOT_TOKEN, CHANNEL, GUILD, THREAD, WEBHOOK, WEBHOOK_TOKEN, DiscordServer
from tests.fakes.letters import PNG, attachment

WEBHOOK_URL = f"https://discord.com/api/webhooks/{WEBHOOK}/{WEBHOOK_TOKEN}"
TORTURE = (
    "👨‍👩‍👧‍👦 🇩🇪🇯🇵 שלום, مرحبا! e\u0301a\u0308 漢字かな 한국어 a\u200bb\u2060c \u202edlrow\u202c 𝔘𝔫𝔦 ﷽ "
    "‼️ <@1> *not bold*"
)


@pytest.fixture
def server() -> Iterator[DiscordServer]:
    with DiscordServer() as server:
        yield server


class Bench:
    """An account that was really connected, and a post."""

    def __init__(self, folder: Path, server: DiscordServer, item: Item = Item("Hello"), **options: str) -> None:
        self.channel: Channel = self.kind(Context(Transport(IMPATIENT), folder))
        self.content, self.files, self.server = Content((item,)), folder, server
        self.options: Mapping[str, str] = options
        self.identity = self.channel.connect(self.fields(server))
        self.secrets = self.identity.secrets

    kind: Any = Discord

    def fields(self, server: DiscordServer) -> dict[str, str]:
        return {"bot_token": BOT_TOKEN, "channel": CHANNEL, "base_url": server.base}

    def account(self, url: str) -> Account:
        about = self.identity
        return Account(1, 1, "discord", "d", about.handle, about.settings, about.learned)

    def parcel(self, **more: Any) -> Parcel:
        return testing.parcel(self, self.server.url, **more)

    def post(self, **more: Any) -> Receipt:
        return self.channel.publish(self.parcel(**more))


class WebhookBench(Bench):
    kind = DiscordWebhook

    def fields(self, server: DiscordServer) -> dict[str, str]:
        return {"webhook_url": WEBHOOK_URL, "base_url": server.base}


BOTH = pytest.mark.parametrize("bench", [Bench, WebhookBench], ids=["bot", "webhook"])


def connect(folder: Path, server: DiscordServer, **typed: str) -> Identity:
    fields = {"bot_token": BOT_TOKEN, "channel": CHANNEL, "base_url": server.base, **typed}
    return Discord(Context(Transport(IMPATIENT), folder)).connect(fields)


def hook(folder: Path, server: DiscordServer, **typed: str) -> Identity:
    fields = {"webhook_url": WEBHOOK_URL, "base_url": server.base, **typed}
    return DiscordWebhook(Context(Transport(IMPATIENT), folder)).connect(fields)


# --- signing in ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed",
    [
        CHANNEL,
        f"<#{CHANNEL}>",
        f" https://discord.com/channels/{GUILD}/{CHANNEL}/",
        f"discord://x/channels/{GUILD}/{CHANNEL}",
    ],
)
def test_the_live_test_names_bot_server_and_channel(server: DiscordServer, tmp_path: Path, typed: str) -> None:
    found = connect(tmp_path, server, channel=typed, bot_token=f" Bot {BOT_TOKEN}\n")
    assert (found.handle, found.name) == ("@herald", "Harbor Coffee #news")
    assert found.url == f"https://discord.com/channels/{GUILD}/{CHANNEL}"
    assert found.note == "The bot herald may write in #news."
    assert found.learned == {"bot_id": fake.BOT, "guild_id": GUILD, "may_look": True}
    assert found.secrets == {"bot_token": BOT_TOKEN}
    assert server.messages == []
    (agent,) = server.endpoint.agents  # Discord blocks programs that don't say what they are
    assert re.fullmatch(r"DiscordBot \(\S+, [\w.]+\)", agent)


def test_a_thread_has_the_rights_of_its_channel(server: DiscordServer, tmp_path: Path) -> None:
    assert connect(tmp_path, server, channel=THREAD).name == "Harbor Coffee #a thread"
    server.endpoint.allowed &= ~(1 << 38)
    with pytest.raises(Rejected, match="lacks Send Messages in Threads"):
        connect(tmp_path, server, channel=THREAD)


@pytest.mark.parametrize(
    ("typed", "field", "words"),
    [
        ({"bot_token": "short"}, "bot_token", "no bot token"),
        ({"bot_token": BOT_TOKEN[:-3] + "xyz"}, "bot_token", "Unauthorized"),
        ({"channel": "news"}, "channel", "no channel"),
        ({"channel": "999999999999999999"}, "channel", "The channel is not there"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_at_its_field(
    server: DiscordServer, tmp_path: Path, typed: dict[str, str], field: str, words: str
) -> None:
    with pytest.raises((BadInput, NeedsLogin, Rejected), match=words) as end:
        connect(tmp_path, server, **typed)
    assert end.value.field == field
    assert typed.get("bot_token", "nothing") not in str(end.value)


@pytest.mark.parametrize(
    ("right", "words"), [(fake.VIEW, "can’t see the channel"), (fake.SEND, "it lacks Send Messages")]
)
def test_a_bot_that_may_not_is_told_so_before_the_first_post(
    server: DiscordServer, tmp_path: Path, right: int, words: str
) -> None:
    server.endpoint.allowed &= ~right
    with pytest.raises((Rejected, NeedsLogin), match=words):
        connect(tmp_path, server)


def test_what_a_bot_lacks_besides_is_noted(server: DiscordServer, tmp_path: Path) -> None:
    server.endpoint.allowed &= ~(fake.HISTORY | fake.ATTACH)
    found = connect(tmp_path, server)
    assert found.learned["may_look"] is False
    assert "lacks Attach Files" in found.note
    assert "has to ask you" in found.note


@pytest.mark.parametrize(
    "address",
    [
        WEBHOOK_URL, WEBHOOK_URL.replace("discord.com/api", "ptb.discord.com/api/v10"), WEBHOOK_URL + "/slack",
        WEBHOOK_URL.replace("discord.com", "discordapp.com") + "\n", WEBHOOK_URL + "?wait=true",
    ],
)  # fmt: skip
def test_a_webhook_s_address_is_taken_as_it_is_copied(server: DiscordServer, tmp_path: Path, address: str) -> None:
    found = hook(tmp_path, server, webhook_url=address)
    assert (found.handle, found.settings["webhook"]) == ("Harbor Herald", WEBHOOK)
    assert found.secrets["token"] == WEBHOOK_TOKEN
    assert WEBHOOK_TOKEN not in json.dumps([found.handle, found.name, found.url, found.note, dict(found.settings)])


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("https://discord.com/channels/1/2", "no webhook’s address"), ("", "no webhook’s address"),
        (WEBHOOK_URL.replace("discord.com", "discord.example"), "discord.example is not Discord"),
        ("https://[", "no webhook’s address"),
        (WEBHOOK_URL.replace(WEBHOOK, "1" * 18), "somebody deleted it"),
        (WEBHOOK_URL[:-5] + "00000", "does not take the webhook’s address|no longer accepts"),
    ],
)  # fmt: skip
def test_a_wrong_address_is_never_quoted(server: DiscordServer, tmp_path: Path, address: str, words: str) -> None:
    with pytest.raises((BadInput, NeedsLogin), match=words) as end:
        hook(tmp_path, server, webhook_url=address)
    assert end.value.field == "webhook_url"
    assert "canary" not in str(end.value) + getattr(end.value, "detail", "")


# --- what a message carries ---------------------------------------------------------------------------------------


def test_what_discord_marks() -> None:
    text = "@everyone <@123> <@&4> <#56> @ada #tag <https://example.org/@here> https://a.org/x @heretic"
    found = [text[one.start : one.end] for one in discord_posts.marks(text)]
    assert found == ["@everyone", "<@123>", "<@&4>", "<#56>", "https://example.org/@here", "https://a.org/x"]


@BOTH
def test_a_text_is_read_back_identical(server: DiscordServer, tmp_path: Path, bench: type[Bench]) -> None:
    bench(tmp_path, server, Item(TORTURE)).post()
    (message,) = server.messages
    assert message.content == TORTURE
    assert message.body["allowed_mentions"] == {"parse": []}


@BOTH
def test_files_go_along_with_their_descriptions(server: DiscordServer, tmp_path: Path, bench: type[Bench]) -> None:
    files = (
        attachment(tmp_path, PNG, "Ausflug mit Anna.PNG", alt="Ein „Elefant“"),
        attachment(tmp_path, b"%PDF\r\n--x", 'Über "uns".pdf', "application/pdf"),
    )
    media = tuple(replace(one, role=Role.MEDIA) for one in files)
    made = bench(tmp_path, server, Item("Look", media))
    parcel = made.parcel()
    made.channel.publish(parcel)
    (message,) = server.messages
    assert [(one.name, one.data) for one in message.files] == [("file1.PNG", PNG), ("Über 'uns'.pdf", b"%PDF\r\n--x")]
    assert message.body["attachments"] == [
        {"id": "0", "filename": "file1.PNG", "description": "Ein „Elefant“"}, {"id": "1", "filename": 'Über "uns".pdf'},
    ]  # fmt: skip
    assert "payload_json" in parcel.trace.request
    assert "Look" in parcel.trace.request


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        ({"silent": "yes"}, {"flags": 4096}),
        ({"embeds": "no"}, {"flags": 4}),
        ({"silent": "yes", "embeds": "no"}, {"flags": 4100}),
        ({"mentions": "users"}, {"allowed_mentions": {"parse": ["users"]}}),
        ({"mentions": "everyone"}, {"allowed_mentions": {"parse": ["users", "roles", "everyone"]}}),
    ],
)  # fmt: skip
@BOTH
def test_options(
    server: DiscordServer, tmp_path: Path, bench: type[Bench], options: dict[str, str], sent: dict[str, Any]
) -> None:
    bench(tmp_path, server, **options).post()
    body = server.messages[0].body
    assert {name: body[name] for name in sent} == sent


def test_a_webhook_may_take_another_name_and_a_thread(server: DiscordServer, tmp_path: Path) -> None:
    bench = WebhookBench(tmp_path, server, username="Harbor", thread_name="Ideas")
    bench.identity = hook(tmp_path, server, thread=f"https://discord.com/channels/{GUILD}/{THREAD}")
    receipt = bench.post()
    (message,) = server.messages
    assert (message.body["username"], message.body["thread_name"], message.channel_id) == ("Harbor", "Ideas", THREAD)
    assert receipt.url.endswith(f"/{GUILD}/{THREAD}/{message.id}")


@BOTH
def test_a_poll(server: DiscordServer, tmp_path: Path, bench: type[Bench]) -> None:
    bench(tmp_path, server, Item("Tea or coffee?", poll=Poll(("Tea", "Coffee"), lasts=5400, multiple=True))).post()
    body = server.messages[0].body
    assert "content" not in body
    assert body["poll"] == {
        "question": {"text": "Tea or coffee?"}, "allow_multiselect": True, "duration": 2,
        "answers": [{"poll_media": {"text": "Tea"}}, {"poll_media": {"text": "Coffee"}}],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("item", "codes"),
    [
        (Item("👍🏽" * 1000), []),  # two code points each
        (Item("👍🏽" * 1000 + "!"), ["text"]),
        (Item("", (Attachment("a", "a.mp4", "video/mp4", 10 << 20),) * 2), []),
        (Item("", (Attachment("a", "a.mp4", "video/mp4", 10 << 20),) * 3), ["size"]),
        (Item("", (Attachment("a", "a.pdf", "application/pdf", (10 << 20) + 1),)), ["media_size"]),
        (Item("x", (Attachment("a", "a.pdf", "application/pdf", 1),) * 11), ["media"]),
        (Item("x" * 301, poll=Poll(("a", "b"))), ["poll"]),
        (Item("", poll=Poll(("a", "b"))), ["poll"]),
        (Item("x", poll=Poll(("a" * 56, "b"), lasts=60)), ["poll", "poll"]),
    ],
)  # fmt: skip
def test_limits(tmp_path: Path, item: Item, codes: list[str]) -> None:
    channel, content = Discord(Context(Transport(), tmp_path)), Content((item,))
    account = Account(1, 1, "discord", "d", "@herald")
    found = [*limits.check(content, channel.capabilities, "Discord", {}), *channel.check(content, {}, account)]
    assert [one.code for one in found if one.level is Level.ERROR] == codes


def test_names_that_are_too_long_are_said(tmp_path: Path) -> None:
    channel = DiscordWebhook(Context(Transport(), tmp_path))
    options = {"username": "x" * 81, "thread_name": "x" * 101}
    found = channel.check(Content((Item("x"),)), options, Account(1, 1, "w", "w", "w"))
    assert [one.code for one in found] == ["username", "thread_name"]


# --- refusals -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("refusal", "end", "words", "advice"),
    [
        ((404, 10003, "Unknown Channel"), NeedsLogin, "The channel is not there any more", "Name another one"),
        ((404, 10015, "Unknown Webhook"), NeedsLogin, "somebody deleted it", "Make a new one"),
        ((403, 50001, "Missing Access"), NeedsLogin, "can’t see the channel", "Invite it again"),
        ((401, 50027, "Invalid Webhook Token"), NeedsLogin, "any more", "Copy it once more"),
        ((403, 50013, "Missing Permissions"), Rejected, "lacks a permission", "Attach Files"),
        ((413, 40005, "Request entity too large"), Rejected, "too big for this server", "smaller"),
        ((400, 50006, "Cannot send an empty message"), Rejected, "no empty message", "Write something"),
        ((400, 240000, "Message blocked by harmful links filter"), Rejected, "harmful", "Take the link out"),
        ((400, 200000, "Blocked"), Rejected, "AutoMod", "Change the words"),
        ((400, 220001, "thread_name required"), Rejected, "is a forum", "title"),
        ((400, 99999, "Something new"), Rejected, "“Something new”", ""),
        ((404, 0, "404: Not Found"), Rejected, "refused it", ""),
    ],
)  # fmt: skip
def test_a_refusal_says_what_to_do(
    server: DiscordServer, tmp_path: Path, refusal: tuple[int, int, str], end: type[SendError], words: str, advice: str
) -> None:
    bench = WebhookBench(tmp_path, server)
    server.endpoint.refusal = refusal
    with pytest.raises(end, match=words) as met:
        bench.post()
    assert advice in met.value.advice
    assert refusal[2] in met.value.reason


def test_what_discord_says_of_a_field_is_told(server: DiscordServer, tmp_path: Path) -> None:
    with pytest.raises(Rejected, match="content: Must be 2000 or fewer in length"):
        Bench(tmp_path, server, Item("x" * 2001)).post()


@pytest.mark.parametrize(
    ("wish", "least", "most"), [(0.65, 1.0, 1.0), (31.25, 31.25, 32.0), (1e300, 86_400, 86_400), (-4, 0, 0)]
)
@BOTH
def test_the_pause_is_discord_s(
    server: DiscordServer, tmp_path: Path, bench: type[Bench], wish: float, least: float, most: float
) -> None:
    """Seconds with a fraction in the body; the header says whole ones. The longer of both counts."""
    made = bench(tmp_path, server)
    server.endpoint.allowance, server.endpoint.wait = 0, wish
    with pytest.raises(TryLater, match="You are being rate limited") as end:
        made.post()
    seconds = end.value.after.total_seconds() if end.value.after else 0
    assert least <= seconds <= max(most, 10**8 if wish == 1e300 else most)


@BOTH
def test_a_204_is_no_proof(server: DiscordServer, tmp_path: Path, bench: type[Bench]) -> None:
    """What a webhook without wait=true answers; it would hide that a message was not kept."""
    made = bench(tmp_path, server)
    made.post()
    assert all("wait=true" in one.path for one in server.requests if one.method == "POST" and "webhooks" in one.path)
    server.mode = "nothing"
    with pytest.raises(InDoubt):
        made.post(key="other")


# --- after a lost answer ------------------------------------------------------------------------------------------


def lost(server: DiscordServer, bench: Bench, mode: str, seconds: float) -> Parcel:
    made = bench.parcel()
    server.mode, server.times = mode, 1
    with pytest.raises(InDoubt):
        bench.channel.publish(made)
    return replace(
        made, first_try=made.now, last_try=made.now, now=made.now + timedelta(seconds=seconds), trace=Trace()
    )


def test_each_part_has_a_nonce_of_its_own_that_fits(server: DiscordServer, tmp_path: Path) -> None:
    bench = Bench(tmp_path, server)
    nonces = {discord_posts.nonce(bench.parcel(number=number).key) for number in range(1, 40)}
    assert len(nonces) == 39
    assert {len(one) for one in nonces} == {24}


def test_a_repeat_gets_no_longer_than_the_nonce_lives(server: DiscordServer, tmp_path: Path) -> None:
    """A body that is still on its way when Discord forgets the nonce would be a second message."""
    bench = Bench(tmp_path, server)
    again = lost(server, bench, "hang_up_before", NONCE_LIFE - 0.2)
    server.mode, server.times = "slow", 1
    with pytest.raises(InDoubt, match="within 0 s"):
        bench.channel.publish(again)


def test_an_answer_under_another_nonce_is_not_ours(server: DiscordServer) -> None:
    http = Http(Transport(), server.base, "Discord")
    about = {"id": "12", "channel_id": CHANNEL, "nonce": "another"}
    with pytest.raises(InDoubt):
        judged(http, Answer(200, {}, json.dumps(about).encode()), "mine")
    assert judged(http, Answer(200, {}, json.dumps(about | {"nonce": "mine"}).encode()), "mine")["id"] == "12"


def test_a_clock_that_is_wrong_does_not_hide_a_message(server: DiscordServer, tmp_path: Path) -> None:
    for skew in (-7200.0, 7200.0):
        server.endpoint.clock = skew
        bench = Bench(tmp_path, server)
        found = bench.channel.find(lost(server, bench, "hang_up_after", 3600))
        assert found is not None
        assert found.remote_id == server.messages[-1].id
        server.messages.clear()


@pytest.mark.parametrize("tells_nonce", [False, True])
def test_a_look_passes_over_what_is_not_ours(server: DiscordServer, tmp_path: Path, tells_nonce: bool) -> None:
    server.endpoint.tells_nonce = tells_nonce
    bench = Bench(tmp_path, server)
    made = lost(server, bench, "hang_up_before", 600)
    for number in range(120):
        server.endpoint.write("Hello", author=str(number))
    server.endpoint.write("Hello!")
    known = server.endpoint.write("Hello")
    assert bench.channel.find(replace(made, known=frozenset({known.id}))) is None
    if tells_nonce:
        known.nonce = "of-another-part"
        assert bench.channel.find(made) is None


def test_two_that_say_the_same_are_the_person_s_to_tell(server: DiscordServer, tmp_path: Path) -> None:
    bench = Bench(tmp_path, server)
    made = lost(server, bench, "hang_up_after", 600)
    twin = server.endpoint.write("Hello")
    with pytest.raises(CannotLook, match=twin.id):
        bench.channel.find(made)


def test_an_empty_page_proves_nothing_without_the_right_to_read(server: DiscordServer, tmp_path: Path) -> None:
    """Discord gives a bot without Read Message History an empty page instead of a refusal."""
    server.endpoint.allowed &= ~fake.HISTORY
    bench = Bench(tmp_path, server)
    assert "only you can tell" in bench.channel.settle(bench.account("")).why
    made = lost(server, bench, "hang_up_after", 600)
    with pytest.raises(CannotLook, match="Read Message History"):
        bench.channel.find(made)
    server.endpoint.latest.clear()
    server.messages.clear()
    assert bench.channel.find(made) is None  # nothing at all came since, which the channel itself says


def test_a_look_that_goes_too_far_asks(server: DiscordServer, tmp_path: Path) -> None:
    bench = Bench(tmp_path, server)
    made = lost(server, bench, "hang_up_before", 600)
    for _ in range(501):
        server.endpoint.write("noise", author="9")
    with pytest.raises(CannotLook, match="More than 500"):
        bench.channel.find(made)


# --- taking back --------------------------------------------------------------------------------------------------


@BOTH
def test_a_message_is_taken_back_once_or_more(server: DiscordServer, tmp_path: Path, bench: type[Bench]) -> None:
    made = bench(tmp_path, server)
    receipt = made.post()
    for _ in range(2):
        made.channel.delete(made.account(""), made.secrets, receipt)
        assert server.messages == []


@BOTH
def test_a_try_shows_no_key(server: DiscordServer, tmp_path: Path, bench: type[Bench]) -> None:
    """At the source, before the engine masks it again: addresses are noted without the key in them."""
    made = bench(tmp_path, server)
    parcel = made.parcel()
    made.channel.publish(parcel)
    assert "canary" not in parcel.trace.request + parcel.trace.answer + repr(parcel)


def test_an_address_is_masked_wherever_it_comes_from() -> None:
    for text in (WEBHOOK_URL, f"POST /api/v10/webhooks/{WEBHOOK}/{WEBHOOK_TOKEN}?wait=true"):
        assert "canary" not in Redactor().clean(f"failed at {text}")
