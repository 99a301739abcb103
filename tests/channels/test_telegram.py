"""Telegram in detail: finding the chat, formatting and counting, files and albums, refusals, taking back."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sendoff.channels import telegram_markup as markup
from sendoff.channels import testing
from sendoff.channels.fault_server import FaultServer, Reply, Request
from sendoff.channels.http import Transport
from sendoff.channels.registry import Context
from sendoff.channels.telegram import FILE_BYTES, PHOTO_BYTES, Telegram
from sendoff.channels.testing import IMPATIENT
from sendoff.domain import limits
from sendoff.domain.account import Account
from sendoff.domain.channel import Identity, Level, Parcel
from sendoff.domain.delivery import Receipt
from sendoff.domain.errors import BadInput, NeedsLogin, Rejected, SendError, TryLater
from sendoff.domain.post import Attachment, Content, Item, Poll, Role
from sendoff.domain.redact import Redactor
from sendoff.domain.text import count
from tests.fakes import telegram as fake
from tests.fakes.letters import PNG, attachment
from tests.fakes.telegram import CHANNEL, GROUP, PERSON, PRIVATE, TOKEN, UPGRADED, TelegramServer

TORTURE = (
    "👨‍👩‍👧‍👦 🇩🇪🇯🇵 שלום, مرحبا! e\u0301a\u0308 漢字かな 한국어 a\u200bb\u2060c \u202edlrow\u202c 𝔘𝔫𝔦 ﷽ "
    "<b> & &amp; _x_ *y*"
)


@pytest.fixture
def server() -> Iterator[TelegramServer]:
    with TelegramServer() as server:
        yield server


def connect(folder: Path, server: TelegramServer, **typed: str) -> Identity:
    fields = {"token": TOKEN, "chat": "@harbor", "base_url": server.url, **typed}
    return Telegram(Context(Transport(IMPATIENT), folder)).connect(fields)


class Bench:
    """An account that was really connected, and a post."""

    def __init__(
        self, folder: Path, server: TelegramServer, item: Item = Item("Hello"), chat: str = "@harbor", **options: str
    ) -> None:
        self.channel = Telegram(Context(Transport(IMPATIENT), folder))
        self.content, self.files, self.server = Content((item,)), folder, server
        self.options: Mapping[str, str] = options
        self.identity = connect(folder, server, chat=chat)
        self.secrets = self.identity.secrets

    def account(self, url: str) -> Account:
        about = self.identity
        return Account(1, 1, "telegram", "t", about.handle, {"topic": "", **about.settings}, about.learned)

    def parcel(self) -> Parcel:
        return testing.parcel(self, self.server.url)

    def post(self) -> Receipt:
        return self.channel.publish(self.parcel())


def medium(folder: Path, data: bytes, name: str, mime: str) -> Attachment:
    return replace(attachment(folder, data, name, mime), role=Role.MEDIA)


# --- signing in ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed",
    [
        "@harbor", "harbor", "https://t.me/harbor", "t.me/harbor/12", "https://t.me/s/harbor/", str(CHANNEL),
        "https://t.me/c/1111111111/77",
    ],
)  # fmt: skip
def test_the_live_test_names_bot_and_channel(server: TelegramServer, tmp_path: Path, typed: str) -> None:
    found = connect(tmp_path, server, chat=typed, token=f" bot{TOKEN}\n")
    assert (found.handle, found.name, found.url) == ("@herald_bot", "Harbor News", "https://t.me/harbor")
    assert found.note == "The bot @herald_bot may post in “Harbor News”."
    assert (found.settings["chat"], found.secrets) == (str(CHANNEL), {"token": TOKEN})
    assert server.messages == []


def test_a_private_channel_is_found_by_what_the_bot_heard(server: TelegramServer, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="has heard from no chat yet"):
        connect(tmp_path, server, chat="")
    server.endpoint.heard = [
        {"update_id": 1, "my_chat_member": {"chat": server.endpoint.chats[PRIVATE]}},
        {"update_id": 2, "channel_post": {"chat": server.endpoint.chats[PRIVATE]}},
        {"update_id": 3, "poll": {}},
    ]
    found = connect(tmp_path, server, chat="")
    assert (found.name, found.settings["chat"]) == ("Harbor Crew", str(PRIVATE))
    server.endpoint.heard.append({"update_id": 4, "message": {"chat": server.endpoint.chats[PERSON]}})
    with pytest.raises(BadInput, match=rf"{PRIVATE} \(Harbor Crew\), {PERSON} \(Ada Lovelace\)"):
        connect(tmp_path, server, chat="")


@pytest.mark.parametrize(
    ("typed", "field", "words"),
    [
        ({"token": "123:short"}, "token", "no bot token"),
        ({"token": "123456789:" + "x" * 35}, "token", "no longer accepts the key"),
        ({"chat": "@nobody_there"}, "chat", "can’t find the chat"),
        ({"chat": "https://t.me/+AbCdEf"}, "chat", "That is no chat"),
        ({"chat": "not a chat"}, "chat", "That is no chat"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_at_its_field(
    server: TelegramServer, tmp_path: Path, typed: dict[str, str], field: str, words: str
) -> None:
    with pytest.raises((BadInput, NeedsLogin, Rejected), match=words) as end:
        connect(tmp_path, server, **typed)
    assert end.value.field == field
    assert typed.get("token", "nothing") not in str(end.value) + getattr(end.value, "detail", "")


@pytest.mark.parametrize(
    ("chat", "member", "words"),
    [
        (CHANNEL, {"status": "member"}, "no administrator of the channel"),
        (CHANNEL, {"status": "administrator", "can_post_messages": False}, "lacks the right to post"),
        (GROUP, {"status": "left"}, "not in the group"),
        (GROUP, {"status": "restricted", "can_send_messages": False}, "taken away"),
    ],
)  # fmt: skip
def test_a_bot_that_may_not_is_told_so_before_the_first_post(
    server: TelegramServer, tmp_path: Path, chat: int, member: dict[str, Any], words: str
) -> None:
    server.endpoint.members[chat] = member
    with pytest.raises(Rejected, match=words) as end:
        connect(tmp_path, server, chat=str(chat))
    assert "Administrators" in end.value.advice


def test_a_group_takes_fewer_messages(server: TelegramServer, tmp_path: Path) -> None:
    assert connect(tmp_path, server, chat=str(GROUP)).learned == {"chat_type": "group", "spacing": 3.0}
    assert connect(tmp_path, server, chat=str(PERSON)).learned == {"chat_type": "private"}


# --- text ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("@durov @abc @a_name, me@home.com x@name (@name) @" + "a" * 33, ["@durov", "@a_name", "@name"]),
        ("#tag,#ключ #1 #1a a#b #a#b #café", ["#tag", "#ключ", "#1a", "#café"]),
        ("$USD $1INCH $usd $TOOLONGTAG $A$B", ["$USD", "$1INCH"]),
        ("https://example.org/@name#tag. 👩‍👩‍👧 https://a.org", ["https://example.org/@name#tag", "https://a.org"]),
    ],
)
def test_what_telegram_marks(text: str, found: list[str]) -> None:
    assert [text[one.start : one.end] for one in markup.marks(text)] == found


@pytest.mark.parametrize("written", ["", "html"])
def test_a_text_is_read_back_identical(server: TelegramServer, tmp_path: Path, written: str) -> None:
    text = TORTURE.replace("&", "&amp;").replace("<", "&lt;") if written else TORTURE
    parcel = Bench(tmp_path, server, Item(text), format=written).parcel()
    Telegram(Context(Transport(IMPATIENT), tmp_path)).publish(parcel)
    assert server.messages[0].text == TORTURE
    assert parcel.trace.status == 200


@pytest.mark.parametrize(
    ("written", "text", "read", "entities"),
    [
        ("markdown", "**b** *i* ~~s~~ `a<b`", "b i s a<b", ("b", "i", "s", "code")),
        ("markdown", "[w & x](https://e.org/?a=1&b=2)", "w & x", ("a https://e.org/?a=1&b=2",)),
        ("markdown", "1. one\n  - two\n\n# <three> & snake_case", "1. one\n  - two\n\n# <three> & snake_case", ()),
        ("markdown", r"\*no\* 2 * 3 * 4", "*no* 2 * 3 * 4", ()),
        ("markdown", "a\n**b**\nc", "a\nb\nc", ("b",)),
        ("html", "<b>b</b> <tg-spoiler>x</tg-spoiler> 1 &lt; 2 &#128024;", "b x 1 < 2 🐘", ("b", "tg-spoiler")),
        ("html", '<a href="https://e.org/?a&gt;b">w</a>', "w", ("a https://e.org/?a>b",)),
        ("", "<b>b</b> **x**", "<b>b</b> **x**", ()),
    ],
)  # fmt: skip
def test_formatting_and_what_is_counted(
    server: TelegramServer, tmp_path: Path, written: str, text: str, read: str, entities: tuple[str, ...]
) -> None:
    bench = Bench(tmp_path, server, Item(text), format=written)
    bench.post()
    assert (server.messages[0].text, server.messages[0].entities) == (read, entities)
    figures = bench.channel.capabilities.of(Item(text), {"format": written})
    assert count(text, figures) == len(read)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1 < 2", "is no tag"), ("<h1>x</h1>", "has no <h1>"), ("<b>x", "<b> is not closed"),
        ("<b><i>x</b></i>", "</b> closes"), ("</b>", "</b> closes"), ("<b>x</b> &amp; y & z", ""),
        ('<a href="x">y</a>', ""), ("<pre><code class='language-x'>y</code></pre>", ""),
    ],
)  # fmt: skip
def test_html_that_telegram_can_not_read_is_said_while_writing(
    server: TelegramServer, tmp_path: Path, text: str, words: str
) -> None:
    """The fake's parser is another one, and they agree."""
    assert words in markup.wrong(text) if words else markup.wrong(text) == ""
    bench = Bench(tmp_path, server, Item(text), format="html")
    problems = list(bench.channel.check(bench.content, bench.options, bench.account("")))
    assert bool(problems) == bool(words)
    if words:
        with pytest.raises(Rejected, match="can’t read the formatting"):
            bench.post()
    else:
        bench.post()


PHOTO = Attachment("a", "a.jpg", "image/jpeg", 100, width=40, height=30)
FILM = Attachment("v", "v.mp4", "video/mp4", 100)
GIF = Attachment("g", "g.gif", "image/gif", 100, width=4, height=3)
PDF = Attachment("p", "p.pdf", "application/pdf", 100)
BOLD = {"format": "markdown"}


@pytest.mark.parametrize(
    ("item", "options", "codes"),
    [
        (Item("🐘" * 4096), {}, []),
        (Item("🐘" * 4097), {}, ["text"]),
        (Item("**" + "x" * 4096 + "**"), BOLD, []),
        (Item("**" + "x" * 4097 + "**"), BOLD, ["text"]),
        (Item("x" * 1024, (PHOTO,)), {}, []),
        (Item("x" * 1025, (PHOTO,)), {}, ["text"]),
        (Item("", (PHOTO, FILM)), {}, []),
        (Item("", (PHOTO, PDF)), {}, ["media_mix"]),
        (Item("", (PHOTO, PDF)), {"as_files": "yes"}, []),
        (Item("", (GIF, GIF)), {}, ["media_mix"]),
        (Item("", (PHOTO,) * 11), {}, ["media"]),
        (Item("", (replace(PHOTO, size=PHOTO_BYTES + 1),)), {}, ["media_size"]),
        (Item("", (replace(PHOTO, size=PHOTO_BYTES + 1),)), {"as_files": "yes"}, []),
        (Item("", (replace(PDF, size=FILE_BYTES),)), {}, []),
        (Item("", (replace(FILM, size=FILE_BYTES + 1),)), {}, ["media_size"]),
        (Item("", (replace(PHOTO, width=6000, height=4001),)), {}, ["media_shape"]),
        (Item("", (replace(PHOTO, width=2001, height=100),)), {}, ["media_shape"]),
        (Item("", (replace(PHOTO, width=2001, height=100),)), {"as_files": "yes"}, []),
        (Item("<b> </b>"), {"format": "html"}, ["empty"]),
    ],
)  # fmt: skip
def test_limits(tmp_path: Path, item: Item, options: dict[str, str], codes: list[str]) -> None:
    channel, content = Telegram(Context(Transport(), tmp_path)), Content((item,))
    account = Account(1, 1, "telegram", "t", "@herald_bot")
    found = [
        *limits.check(content, channel.capabilities, "Telegram", options),
        *channel.check(content, options, account),
    ]
    assert [one.code for one in found if one.level is not Level.NOTE] == codes


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        ({}, {"chat_id": CHANNEL, "text": "Hello"}),
        ({"silent": "yes"}, {"disable_notification": True}),
        ({"protect": "yes"}, {"protect_content": True}),
        ({"preview": "none"}, {"link_preview_options": {"is_disabled": True}}),
        ({"preview": "large"}, {"link_preview_options": {"prefer_large_media": True}}),
        ({"preview": "above"}, {"link_preview_options": {"show_above_text": True}}),
    ],
)  # fmt: skip
def test_options(server: TelegramServer, tmp_path: Path, options: dict[str, str], sent: dict[str, Any]) -> None:
    Bench(tmp_path, server, **options).post()
    asked = server.messages[0].asked
    assert {name: asked[name] for name in sent} == sent
    assert options or asked == sent


def test_a_topic_of_a_group(server: TelegramServer, tmp_path: Path) -> None:
    bench = Bench(tmp_path, server)
    bench.identity = replace(bench.identity, settings={**bench.identity.settings, "topic": "7"})
    bench.post()
    assert server.messages[0].asked["message_thread_id"] == 7


# --- files --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "mime", "options", "kind", "shown"),
    [
        ("Anna.PNG", "image/png", {}, "photo", "file1.PNG"),
        ("Anna.png", "image/png", {"as_files": "yes"}, "document", "Anna.png"),
        ("x.heic", "image/heic", {}, "document", "x.heic"),
        ("x.gif", "image/gif", {}, "animation", "file1.gif"),
        ("x.mp4", "video/mp4", {}, "video", "file1.mp4"),
        ("x.mov", "video/quicktime", {}, "document", "x.mov"),
        ("Lied.mp3", "audio/mpeg", {}, "audio", "Lied.mp3"),
        ('Über "uns".pdf', "application/pdf", {}, "document", "Über 'uns'.pdf"),
    ],
)  # fmt: skip
def test_each_kind_goes_its_own_way(
    server: TelegramServer, tmp_path: Path, name: str, mime: str, options: dict[str, str], kind: str, shown: str
) -> None:
    file = medium(tmp_path, PNG, name, mime)
    bench = Bench(tmp_path, server, Item("**Look** & see", (file,)), format="markdown", silent="yes", **options)
    parcel = bench.parcel()
    bench.channel.publish(parcel)
    (message,) = server.messages
    assert message.file is not None
    assert (message.kind, message.file.data, message.file.name) == (kind, PNG, shown)
    assert (message.text, message.entities, message.asked["disable_notification"]) == ("Look & see", ("b",), True)
    assert "Look" in parcel.trace.request


def test_an_album_is_one_request_with_one_caption(server: TelegramServer, tmp_path: Path) -> None:
    files = (medium(tmp_path, PNG, "a.png", "image/png"), medium(tmp_path, PNG + b"!", "b.mp4", "video/mp4"))
    receipt = Bench(tmp_path, server, Item("Two", files)).post()
    assert [(one.kind, one.text) for one in server.messages] == [("photo", "Two"), ("video", "")]
    assert receipt.data["message_ids"] == [one.id for one in server.messages]
    papers = (medium(tmp_path, b"1", "1.pdf", "application/pdf"), medium(tmp_path, b"2", "2.pdf", "application/pdf"))
    Bench(tmp_path, server, Item("Papers", papers)).post()
    assert [(one.kind, one.text) for one in server.messages[2:]] == [("document", ""), ("document", "Papers")]


@pytest.mark.parametrize(
    ("chat", "url"),
    [
        ("@harbor", "https://t.me/harbor/11"), (str(PRIVATE), "https://t.me/c/2222222222/11"), (str(GROUP), ""),
        (str(PERSON), ""),
    ],
)  # fmt: skip
def test_the_receipt_leads_there_where_there_is_a_way(
    server: TelegramServer, tmp_path: Path, chat: str, url: str
) -> None:
    assert Bench(tmp_path, server, chat=chat).post().url == url


# --- refusals -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("refusal", "end", "words", "advice"),
    [
        ((401, "Unauthorized"), NeedsLogin, "no longer accepts the key", "Sign in again"),
        ((404, "Not Found"), NeedsLogin, "does not know this bot token", "@BotFather"),
        ((403, "Forbidden: bot was kicked from the channel chat"), NeedsLogin, "was removed", "as administrator"),
        ((403, "Forbidden: bot is not a member of the channel chat"), NeedsLogin, "not in the chat any more", "Add"),
        ((403, "Forbidden: bot was blocked by the user"), NeedsLogin, "blocked the bot", "start it again"),
        ((403, "Forbidden: something new"), NeedsLogin, "“something new”", "Add the bot"),
        ((400, "Bad Request: chat not found"), NeedsLogin, "can’t find the chat", "Add the bot"),
        ((400, "Bad Request: need administrator rights in the channel chat"), NeedsLogin, "no administrator", "Add"),
        ((400, "Bad Request: not enough rights to send photos to the chat"), Rejected, "may not post this", "right"),
        ((400, "Bad Request: message is too long"), Rejected, "too long", "4,096"),
        ((400, "Bad Request: message caption is too long"), Rejected, "beside media", "1,024"),
        ((400, "Bad Request: can't parse entities: x"), Rejected, "formatting", "Mend it"),
        ((400, "Bad Request: PHOTO_INVALID_DIMENSIONS"), Rejected, "of that shape", "Send as files"),
        ((413, "Request Entity Too Large"), Rejected, "too big", "50 MB"),
        ((400, "Bad Request: TOPIC_CLOSED"), Rejected, "closed", "Open it"),
        ((400, "Bad Request: something new"), Rejected, "“something new”", ""),
    ],
)  # fmt: skip
def test_a_refusal_says_what_to_do(
    server: TelegramServer, tmp_path: Path, refusal: tuple[int, str], end: type[SendError], words: str, advice: str
) -> None:
    bench = Bench(tmp_path, server)
    server.endpoint.refusal = (*refusal, {})
    with pytest.raises(end, match=words) as met:
        bench.post()
    assert advice in met.value.advice
    assert server.messages == []


def test_the_pause_is_telegram_s(server: TelegramServer, tmp_path: Path) -> None:
    bench = Bench(tmp_path, server)
    server.endpoint.allowance = 0
    with pytest.raises(TryLater, match="retry after 31") as end:
        bench.post()
    assert end.value.after is not None
    assert end.value.after.total_seconds() == 31


def test_ok_false_is_no_success_whatever_the_status(tmp_path: Path) -> None:
    class Lying(fake.FakeTelegram):
        def handle(self, request: Request) -> Reply:
            body = {"ok": False, "error_code": 400, "description": "Bad Request: message is too long"}
            return Reply(200, json.dumps(body).encode()) if self.is_effect(request) else super().handle(request)

    with FaultServer(Lying()) as server, pytest.raises(Rejected, match="too long"):
        Bench(tmp_path, server).post()  # type: ignore[arg-type]  # the same with another endpoint


def test_a_group_that_became_a_supergroup_is_followed(server: TelegramServer, tmp_path: Path) -> None:
    bench = Bench(tmp_path, server, chat=str(GROUP))
    server.endpoint.upgraded = True
    receipt = bench.post()
    assert [one.chat for one in server.messages] == [UPGRADED]
    assert receipt.data["chat_id"] == str(UPGRADED)
    assert connect(tmp_path, server, chat=str(GROUP)).settings["chat"] == str(UPGRADED)


# --- taking back, and keys ----------------------------------------------------------------------------------------


def test_an_album_is_taken_back_whole_once_or_more(server: TelegramServer, tmp_path: Path) -> None:
    files = (medium(tmp_path, PNG, "a.png", "image/png"),) * 2
    bench = Bench(tmp_path, server, Item("", files))
    receipt = bench.post()
    for _ in range(2):
        bench.channel.delete(bench.account(""), bench.secrets, receipt)
        assert server.messages == []
    server.endpoint.refusal = (400, "Bad Request: message can't be deleted for everyone", {})
    with pytest.raises(Rejected, match="does not let it be deleted"):
        bench.channel.delete(bench.account(""), bench.secrets, receipt)


def test_a_try_shows_no_key(server: TelegramServer, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """At the source, before the engine masks it again: the token is in the address, and a server may echo it."""
    bench = Bench(tmp_path, server)
    parcel = bench.parcel()
    server.endpoint.refusal = (400, f"Bad Request: /bot{TOKEN}/sendMessage", {})
    with caplog.at_level(logging.DEBUG), pytest.raises(Rejected) as end:
        bench.channel.publish(parcel)
    shown = [parcel.trace.request, parcel.trace.answer, repr(parcel), str(end.value), end.value.detail, caplog.text]
    assert "canary" not in "".join(shown)
    assert "POST" in parcel.trace.request


def test_an_address_is_masked_wherever_it_comes_from() -> None:
    real = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw_"[:45]
    quoted = f"bot{real.replace(':', '%3A')}"
    for text in (f"https://api.telegram.org/bot{TOKEN}/getMe", f"/bot{real}/x", f"token {real}", quoted):
        assert "canary" not in Redactor().clean(text)
        assert "AAHdq" not in Redactor().clean(text)


# --- polls --------------------------------------------------------------------------------------------------------


def test_a_poll_asks_what_the_text_says(tmp_path: Path, server: TelegramServer) -> None:
    poll = Poll(("Yes", "No 🫖"), lasts=3600, multiple=True)
    receipt = Bench(tmp_path, server, Item(" **Tea** or not? ", poll=poll), silent="yes", format="markdown").post()
    (message,) = server.messages
    assert (message.kind, message.text, str(message.id)) == ("poll", "Tea or not?", receipt.remote_id)
    assert message.asked == {
        "chat_id": CHANNEL, "disable_notification": True, "question": "Tea or not?",
        "options": [{"text": "Yes"}, {"text": "No 🫖"}], "allows_multiple_answers": True, "open_period": 3600,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "poll", "codes"),
    [
        ("Tea?", Poll(("a", "b")), []),
        ("", Poll(("a", "b")), ["poll"]),
        ("x" * 300, Poll(tuple("abcdefghijkl")), []),
        ("x" * 301, Poll(("a", "b")), ["poll"]),
        ("Tea?", Poll(tuple("abcdefghijklm")), ["poll"]),
        ("Tea?", Poll(("a", "b" * 101)), ["poll"]),
        ("Tea?", Poll(("a", "b"), lasts=4), ["poll"]),
        ("Tea?", Poll(("a", "b"), lasts=2_628_001), ["poll"]),
    ],
)  # fmt: skip
def test_what_stands_against_a_poll_is_what_telegram_refuses(
    tmp_path: Path, server: TelegramServer, text: str, poll: Poll, codes: list[str]
) -> None:
    bench = Bench(tmp_path, server, Item(text, poll=poll))
    account = bench.account(server.url)
    found = limits.check(bench.content, bench.channel.capabilities, "Telegram", {})
    found += bench.channel.check(bench.content, {}, account)
    assert [one.code for one in found] == codes
    if codes:
        with pytest.raises(Rejected):
            bench.post()
    else:
        bench.post()
