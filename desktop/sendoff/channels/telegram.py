"""Telegram, by a bot that posts to a channel, a group or a person: text, photos, files, albums."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sendoff.channels import telegram_markup as markup
from sendoff.channels import telegram_posts as posts
from sendoff.channels import tls
from sendoff.channels.http import Answer, Http
from sendoff.channels.reading import listed, table
from sendoff.domain.account import Account
from sendoff.domain.capabilities import Capabilities
from sendoff.domain.channel import (
    Channel,
    Field,
    How,
    Identity,
    Kind,
    Level,
    Option,
    Parcel,
    Problem,
    Settle,
    Trace,
)
from sendoff.domain.delivery import Receipt
from sendoff.domain.errors import BadInput, NeedsLogin, Rejected
from sendoff.domain.post import Attachment, Content, Item
from sendoff.domain.text import Span

if TYPE_CHECKING:
    from sendoff.channels.registry import Context

API = "https://api.telegram.org"
PHOTO_BYTES, FILE_BYTES = 10_000_000, 50_000_000
SIDES, RATIO = 10_000, 20
"""The most pixels of a photo's width and height together, and how many times as long as wide it may be."""

GROUP_SPACING = 3.0
"""Seconds. A group takes 20 messages in a minute from a bot, a channel one each second."""


class Telegram(Channel):
    """One part is one call of the Bot API. A bot can't read what it sent and there are no keys, so that after a lost
    answer only the person can tell."""

    kind = "telegram"
    title = "Telegram"
    needs = "A bot from @BotFather · 2 min"
    group = "network"
    mark = "telegram"
    steps = (
        "Open @BotFather in Telegram, send it /newbot, and answer what it asks. Copy the token that it gives you.",
        "Add the bot to your channel: channel info → Administrators → Add Admin, with the right to post messages. In a "
        "group, being a member is enough; a person has to press Start.",
        "Write the channel’s @name here. A private one has none: leave the field empty, write one message in it, and "
        "Sendoff finds it.",
    )
    can_reach = True
    can_delete = True
    places = ("chat", "topic", "base_url")
    tells_leaving = True
    capabilities = Capabilities(
        checked="2026-11-27",
        sources=("core.telegram.org/bots/api (Bot API 10.1)", "tdlib/telegram-bot-api 01a3679c"),
        spacing=1.0,
        text=4096,
        caption=1024,
        counter="codepoints",
        card="own",
        media=10,
        image_bytes=PHOTO_BYTES,
        video_bytes=FILE_BYTES,
        file_bytes=FILE_BYTES,
        poll_options=12,
        poll_option=100,
        poll_min=5,
        poll_max=2_628_000,
        varies=(
            ("format", markup.MARKDOWN, "counter", f"telegram_{markup.MARKDOWN}"),
            ("format", markup.HTML, "counter", f"telegram_{markup.HTML}"),
            ("as_files", "yes", "image_bytes", FILE_BYTES),
        ),
    )
    fields = (
        Field("token", "Bot token", Kind.SECRET, help="From @BotFather.", placeholder="123456789:AAE…"),
        Field(
            "chat", "Channel, group or person", required=False, placeholder="@yourchannel",
            help="Its @name, its t.me link or its number. Empty: the one chat that the bot was added to.",
        ),
        Field(
            "topic", "Topic", Kind.NUMBER, required=False, advanced=True,
            help="The number of a topic of the group, if it shall go there: the last but one of a message’s link.",
        ),
        Field("base_url", "Server", Kind.ADDRESS, default=API, advanced=True, help="Only for a Bot API of your own."),
    )  # fmt: skip
    options = (
        Option(
            "format", "The text is written", Kind.CHOICE,
            choices=(
                (markup.PLAIN, "As it is shown"), (markup.MARKDOWN, "With **bold**, *italic*, [links](https://…)"),
                (markup.HTML, "As Telegram’s HTML"),
            ),
        ),
        Option("silent", "Without a sound", Kind.SWITCH, default="no"),
        Option(
            "preview", "Link preview", Kind.CHOICE,
            choices=(
                ("", "As Telegram likes"), ("none", "None"), ("small", "With a small picture"),
                ("large", "With a large picture"), ("above", "Above the text"),
            ),
        ),
        Option("as_files", "Send as files", Kind.SWITCH, "Uncompressed, and not shown in the chat.", default="no"),
        Option("protect", "Forbid forwarding and saving", Kind.SWITCH, default="no"),
    )  # fmt: skip

    def __init__(self, context: Context) -> None:
        self._transport = context.transport

    # --- signing in -----------------------------------------------------------------------------------------------

    def connect(self, fields: Mapping[str, str]) -> Identity:
        token, base = _token(fields.get("token", "")), fields.get("base_url") or API
        http = self._line(base, token, Trace())
        try:
            bot = table(_asked(http, token, "getMe"))
        except (NeedsLogin, Rejected) as wrong:
            raise wrong.at("token") from None
        wanted = _chat(fields.get("chat", ""))
        if not wanted:
            wanted = _only_chat(http, token, str(bot.get("username")))
        try:
            chat = self._found(http, token, wanted)
            may = _may_post(
                table(_asked(http, token, "getChatMember", chat_id=chat["id"], user_id=bot.get("id"))), chat
            )
        except (NeedsLogin, Rejected) as wrong:
            raise wrong.at("chat") from None
        if may:
            raise Rejected(
                f"@{bot.get('username')} may not post in “{_name(chat)}”: {may}.",
                advice="In Telegram: the chat’s info → Administrators → the bot → allow it to post messages.",
            ).at("chat")
        is_group = chat.get("type") in ("group", "supergroup")
        return Identity(
            handle=f"@{bot.get('username')}",
            name=_name(chat),
            url=posts.url(chat),
            learned={"chat_type": str(chat.get("type") or ""), **({"spacing": GROUP_SPACING} if is_group else {})},
            settings={"chat": str(chat["id"]), "base_url": base},
            secrets={"token": token},
            note=f"The bot @{bot.get('username')} may post in “{_name(chat)}”.",
        )

    def _found(self, http: Http, token: str, wanted: str) -> Mapping[str, Any]:
        answer = _called(http, token, "getChat", {"chat_id": wanted}, effect=False)
        if moved := posts.moved_to(answer):
            answer = _called(http, token, "getChat", {"chat_id": moved}, effect=False)
        chat = table(posts.result(http, answer, effect=False))
        if not posts.is_chat(chat):
            raise Rejected("Telegram answered with something else than a chat.", advice="Is the server right?")
        return chat

    def _line(self, base: str, token: str, trace: Trace) -> Http:
        return Http(self._transport, base, self.title, trace=trace, hidden=token)

    def reach(self, account: Account) -> None:
        tls.reach_web(account.settings["base_url"])

    # --- before it is sent ----------------------------------------------------------------------------------------

    def check(self, content: Content, options: Mapping[str, str], account: Account) -> Iterable[Problem]:
        for number, item in enumerate(content.items):
            if options.get("format") == markup.HTML and (why := markup.wrong(item.text)):
                yield Problem(Level.ERROR, "format", "Telegram can’t read the HTML.", why, "customise", number)
            yield from _against_media(item.shown, number, options)
            yield from _against_empty(item, number, options)
            yield from _against_poll(item, number, options)

    def marked(self, text: str) -> Sequence[Span]:
        return markup.marks(text)

    # --- sending --------------------------------------------------------------------------------------------------

    def publish(self, parcel: Parcel) -> Receipt:
        token = parcel.secret["token"]
        http = self._line(parcel.account.settings["base_url"], token, parcel.trace)
        if parcel.item.shown:
            http.patience = self._transport.patience.with_files
            http.told = parcel.telling(*parcel.item.shown)
        answer = self._sent(http, token, posts.call(parcel, parcel.account.settings["chat"]))
        if moved := posts.moved_to(answer):  # a refusal that names the place to go to: nothing happened so far
            answer = self._sent(http, token, posts.call(parcel, moved))
        return posts.receipt(http, posts.result(http, answer, effect=True), answer)

    def _sent(self, http: Http, token: str, call: posts.Call) -> Answer:
        return http.send("POST", f"/bot{token}/{call.method}", effect=True, **call.request())

    def settle(self, account: Account) -> Settle:
        return Settle(How.ASK, why="A Telegram bot can’t read what it sent. Look into the chat whether it is there.")

    # --- taking back ----------------------------------------------------------------------------------------------

    def delete(self, account: Account, secret: Mapping[str, str], receipt: Receipt) -> None:
        """Within 48 hours, or later where the bot is an administrator with that right."""
        token = secret["token"]
        http = self._line(account.settings["base_url"], token, Trace())
        numbers = receipt.data.get("message_ids") or [int(receipt.remote_id)]
        about = {"chat_id": int(receipt.data.get("chat_id") or account.settings["chat"]), "message_ids": numbers}
        answer = _called(http, token, "deleteMessages", about, effect=False)
        if "message to delete not found" not in posts.words(http, answer).lower():
            posts.result(http, answer, effect=False)


# --- one request --------------------------------------------------------------------------------------------------


def _called(http: Http, token: str, method: str, parameters: Mapping[str, Any], *, effect: bool) -> Answer:
    return http.send("POST", f"/bot{token}/{method}", effect=effect, json=dict(parameters))


def _asked(http: Http, token: str, method: str, **parameters: Any) -> Any:
    return posts.result(http, _called(http, token, method, parameters, effect=False), effect=False)


def _only_chat(http: Http, token: str, bot: str) -> str:
    """The one chat from which the bot heard lately. Asking takes nothing away: no update is confirmed.

    Raises:
        BadInput: it heard from none, or from several; the message names them.
    """
    heard: dict[int, str] = {}
    for update in listed(_asked(http, token, "getUpdates", limit=100, timeout=0)):
        for kind in ("my_chat_member", "channel_post", "message"):
            chat = table(table(table(update).get(kind)).get("chat"))
            if posts.is_chat(chat):
                heard[chat["id"]] = _name(chat)
    if len(heard) == 1:
        return str(next(iter(heard)))
    if not heard:
        raise BadInput(
            f"@{bot} has heard from no chat yet. Add it to your channel as administrator, write a message there, and "
            "try again; or write the channel’s @name."
        ).at("chat")
    named = ", ".join(f"{number} ({name})" for number, name in sorted(heard.items()))
    raise BadInput(f"@{bot} is in more than one chat. Write the number of the one that you mean: {named}.").at("chat")


# --- what is typed, and what is told ------------------------------------------------------------------------------


def _token(typed: str) -> str:
    """The bot's token; it is never quoted."""
    token = "".join(typed.split()).removeprefix("bot")
    if not re.fullmatch(r"[0-9]{3,}:[A-Za-z0-9_-]{20,}", token):
        raise BadInput("That is no bot token. Copy the line from @BotFather that looks like 123456789:AAE….").at(
            "token"
        )
    return token


def _chat(typed: str) -> str:
    """A chat as the Bot API names it: @name or number; "" where nothing was typed."""
    wanted = typed.strip().rstrip("/")
    bare = re.sub(r"^(?:https?://)?(?:www\.)?(?:t|telegram)\.me/(?:s/)?", "", wanted)
    if found := re.fullmatch(r"c/(\d+)(?:/\d+)*", bare):
        return f"-100{found[1]}"
    if re.fullmatch(r"-?\d+", bare) or not bare:
        return bare
    if found := re.fullmatch(r"@?([A-Za-z][A-Za-z0-9_]{3,31})(?:/\d+)*", bare):
        return f"@{found[1]}"
    raise BadInput(
        "That is no chat. Write the channel’s @name or number; for a private one leave it empty and write a message "
        "there."
    ).at("chat")


def _name(chat: Mapping[str, Any]) -> str:
    names = (chat.get("title"), " ".join(str(chat[one]) for one in ("first_name", "last_name") if chat.get(one)))
    return next((str(one) for one in names if one), str(chat.get("id")))


def _may_post(member: Mapping[str, Any], chat: Mapping[str, Any]) -> str:
    """Why the bot may not post there; "" if it may (core.telegram.org/bots/api, ChatMember)."""
    status = member.get("status")
    if chat.get("type") == "channel":
        if status not in ("administrator", "creator"):
            return "it is no administrator of the channel"
        return "" if status == "creator" or member.get("can_post_messages") is True else "it lacks the right to post"
    if status in ("left", "kicked"):
        return "it is not in the group"
    is_muted = status == "restricted" and member.get("can_send_messages") is not True
    return "its right to send messages was taken away" if is_muted else ""


def _against_empty(item: Item, number: int, options: Mapping[str, str]) -> Iterator[Problem]:
    """Marks alone are no text."""
    if item.text.strip() and not item.shown and not markup.shown(item.text, options.get("format", "")).strip():
        yield Problem(Level.ERROR, "empty", "There is nothing to read in it.", "Write a few words.", "", number)


def _against_poll(item: Item, number: int, options: Mapping[str, str]) -> Iterator[Problem]:
    if item.poll and not 0 < len(posts.question(item, options)) <= posts.QUESTION:
        yield Problem(
            Level.ERROR, "poll", "Telegram shows the text as the poll’s question.",
            f"It needs one, of {posts.QUESTION} characters at most.", "customise", number,
        )  # fmt: skip


def _against_media(files: tuple[Attachment, ...], number: int, options: Mapping[str, str]) -> Iterator[Problem]:
    kinds = {posts.kind(one, options) for one in files}
    if len(files) > 1 and len(kinds) > 1 and not kinds <= {"photo", "video"}:
        yield Problem(
            Level.ERROR, "media_mix", "These can’t stand together on Telegram.",
            "An album holds photos and videos, or files alone. Send all as files, or apart.", "customise", number,
        )  # fmt: skip
    elif len(files) > 1 and kinds == {"animation"}:
        yield Problem(
            Level.ERROR,
            "media_mix",
            "A GIF stands alone on Telegram.",
            "Send one, or all as files.",
            "customise",
            number,
        )
    for place, one in enumerate(files, 1):
        width, height = one.width or 1, one.height or 1
        if posts.kind(one, options) == "photo" and (
            width + height > SIDES or max(width, height) > RATIO * min(width, height)
        ):
            yield Problem(
                Level.ERROR, "media_shape",
                f"Telegram can’t show picture {place} as a photo: {width} × {height} pixels.",
                f"Width and height may have {SIDES:,} together, and one {RATIO} times the other. Send it as a file.",
                "customise", number,
            )  # fmt: skip
