"""Discord, by a bot that is a member of the server, or by the address of a webhook: one message for each post."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sendoff import __version__
from sendoff.channels import discord_forum as forum
from sendoff.channels import discord_posts as posts
from sendoff.channels import tls
from sendoff.channels.discord_answers import ends, judged
from sendoff.channels.discord_rights import Right, rights
from sendoff.channels.http import Answer, Http
from sendoff.channels.reading import table
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
from sendoff.domain.errors import BadInput, CannotLook, NeedsLogin, Rejected, TryLater
from sendoff.domain.post import Content, Item
from sendoff.domain.text import Span

if TYPE_CHECKING:
    from sendoff.channels.registry import Context

API = "https://discord.com/api/v10"
HOSTS = frozenset({"discord.com", "discordapp.com"})

NONCE_LIFE = 120
"""Seconds for which a nonce is trusted. Discord says "the past few minutes" (docs: resources/message)."""

PAGE, PAGES = 100, 5
"""Messages of one page of a channel, the most that Discord gives, and how many pages a look reads."""

PAGE_BYTES = 16 << 20
"""Bytes of such a page that are read at most; a message may carry ten embeds."""

CAPABILITIES = Capabilities(
    checked="2026-11-26",
    sources=("discord/discord-api-docs c98d64bc", "discord/discord-api-spec 74fda0fa"),
    spacing=1.0,  # about 5 messages in 2 s, and 30 in a minute, for each channel; 429 says the rest
    text=2000,  # the specification lets bots write 4,000; the guide says 2,000
    counter="codepoints",
    card="own",
    media=10,
    image_bytes=10 << 20,  # more in boosted servers
    video_bytes=10 << 20,
    file_bytes=10 << 20,
    alt=1024,
    poll_options=10,
    poll_option=55,
    poll_min=3600,
    poll_max=768 * 3600,
)
REQUEST_BYTES = 25 << 20
"""The largest request, all files together."""

BASE = Field("base_url", "Server", Kind.ADDRESS, default=API, advanced=True, help="Only for a server of your own.")
OPTIONS = (
    Option(
        "mentions", "Who may be pinged", Kind.CHOICE,
        help="A mention of others is shown, and nobody is called.",
        choices=(("", "Nobody"), ("users", "People it names"), ("everyone", "Roles and @everyone too")),
    ),
    Option("silent", "Without a sound", Kind.SWITCH, default="no"),
    Option("embeds", "Show what links lead to", Kind.SWITCH, default="yes"),
)  # fmt: skip


class _Discord(Channel):
    """What both ways have in common."""

    group = "network"
    mark = "discord"
    can_reach = True
    can_delete = True
    tells_leaving = True
    own_ids = True
    places = ("channel", "base_url")
    capabilities = CAPABILITIES
    options: tuple[Option, ...] = OPTIONS

    def __init__(self, context: Context) -> None:
        self._transport = context.transport

    def reach(self, account: Account) -> None:
        tls.reach_web(account.settings["base_url"])

    def check(self, content: Content, options: Mapping[str, str], account: Account) -> Iterable[Problem]:
        for number, item in enumerate(content.items):
            yield from _against_item(item, number)

    def marked(self, text: str) -> Sequence[Span]:
        return posts.marks(text)

    def _line(self, base: str, trace: Trace, **headers: str) -> Http:
        # Discord wants to be told like this whose program it is (docs: reference, user agent).
        agent = f"DiscordBot (sendoff, {__version__})"
        return Http(self._transport, base, "Discord", headers={"User-Agent": agent, **headers}, trace=trace)

    def _patient(self, http: Http, parcel: Parcel) -> Http:
        files = parcel.item.shown
        patience = self._transport.patience.with_files
        return replace(http, patience=patience, told=parcel.telling(*files)) if files else http


class Discord(_Discord):
    """One part is one POST …/messages under a nonce of its own, which Discord enforces for a few minutes; after that
    the channel is read."""

    kind = "discord"
    title = "Discord"
    needs = "A bot on your server · 3 min"
    steps = (
        "Open discord.com/developers/applications, press New Application, and give it the name that your readers "
        "shall see.",
        "Under Bot press Reset Token and copy the token.",
        "Under OAuth2 → URL Generator tick “bot”, then View Channels, Send Messages, Attach Files, Embed Links and "
        "Read Message History. Open the address at the bottom and choose your server.",
        "In Discord click the channel with the right button, choose Copy Link, and paste it here.",
    )
    capabilities = replace(CAPABILITIES, prepares=True)
    fields = (
        Field("bot_token", "Bot token", Kind.SECRET, help="From the page of your application, under Bot."),
        Field(
            "channel", "Channel", help="Its link (right click → Copy Link) or its number.",
            placeholder="https://discord.com/channels/…",
        ),
        BASE,
    )  # fmt: skip

    # --- signing in -----------------------------------------------------------------------------------------------

    def connect(self, fields: Mapping[str, str]) -> Identity:
        token, channel_id = _token(fields.get("bot_token", "")), _channel_id(fields.get("channel", ""))
        base = fields.get("base_url") or API
        http = self._line(base, Trace(), Authorization=f"Bot {token}")
        bot = _table(_read(http, "/users/@me", wrong_key="bot_token"), http)
        channel = _table(_read(http, f"/channels/{channel_id}", wrong_place="channel"), http)
        kind, name = channel.get("type"), str(channel.get("name") or "direct message")
        if kind not in posts.WRITABLE and kind not in forum.KINDS:
            what = posts.OTHER_KINDS.get(kind if isinstance(kind, int) else -1, "no channel with messages")
            raise BadInput(f"#{name} is {what}. Choose a text or announcement channel, a thread or a forum.").at(
                "channel"
            )
        guild_id = str(channel.get("guild_id") or "")
        place, may = "", ~Right(0)
        if guild_id:
            guild = _table(_read(http, f"/guilds/{guild_id}"), http)
            member = _table(_read(http, f"/guilds/{guild_id}/members/{bot.get('id')}"), http)
            parent = channel
            if kind in posts.THREADS:
                parent = _table(_read(http, f"/channels/{channel.get('parent_id')}"), http)
            place, may = str(guild.get("name") or ""), rights(guild, member, parent, str(bot.get("id")))
            _may_write(may, name, is_thread=kind in posts.THREADS)
        return Identity(
            handle=f"@{bot.get('username')}",
            name=f"{place} #{name}".strip(),
            url=f"https://discord.com/channels/{guild_id or '@me'}/{channel_id}",
            learned={
                "bot_id": str(bot.get("id")), "guild_id": guild_id, "may_look": bool(may & Right.READ_MESSAGE_HISTORY),
                **(forum.learned(channel) if kind in forum.KINDS else {}),
            },
            settings={"channel": channel_id, "base_url": base},
            secrets={"bot_token": token},
            note=f"The bot {bot.get('username')} may write in #{name}. {_note(may)}".strip(),
        )  # fmt: skip

    def _http(self, account: Account, secret: Mapping[str, str], trace: Trace) -> Http:
        return self._line(account.settings["base_url"], trace, Authorization=f"Bot {secret['bot_token']}")

    def check(self, content: Content, options: Mapping[str, str], account: Account) -> Iterable[Problem]:
        yield from super().check(content, options, account)
        if forum.is_forum(account):
            yield from forum.check(content, options, account)

    # --- sending --------------------------------------------------------------------------------------------------

    def prepare(self, parcel: Parcel) -> Mapping[str, Any]:
        """Notes the channel's newest message, so that a look begins there by Discord's own clock: {"since": its id}."""
        if "since" in parcel.prepared:
            return parcel.prepared
        return {"since": self._newest(self._http(parcel.account, parcel.secret, Trace()), parcel.account)}

    def _newest(self, http: Http, account: Account) -> str:
        found = _table(_read(http, f"/channels/{account.settings['channel']}"), http).get("last_message_id")
        return found if isinstance(found, str) and found.isdecimal() else "0"

    def publish(self, parcel: Parcel) -> Receipt:
        http = self._patient(self._http(parcel.account, parcel.secret, parcel.trace), parcel)
        if forum.is_forum(parcel.account):
            path = f"/channels/{parcel.account.settings['channel']}/threads"
            answer = http.send("POST", path, effect=True, **posts.request(forum.body(parcel), parcel))
            return forum.judged(http, answer, parcel)
        http = self._within_nonce(http, parcel)
        nonce = posts.nonce(parcel.key)
        body = {**posts.body(parcel), "nonce": nonce, "enforce_nonce": True}
        path = f"/channels/{parcel.account.settings['channel']}/messages"
        answer = http.send("POST", path, effect=True, **posts.request(body, parcel))
        message = judged(http, answer, nonce)
        return posts.receipt(message, parcel.account.learned.get("guild_id"))

    def _within_nonce(self, http: Http, parcel: Parcel) -> Http:
        """A repeat must arrive while Discord still knows the nonce, so it is given no longer than that."""
        usual = http.patience or self._transport.patience
        age = (parcel.now - (parcel.first_try or parcel.now)).total_seconds()
        left = NONCE_LIFE - age
        return replace(http, patience=replace(usual, total=left)) if 0 < left < min(NONCE_LIFE, usual.total) else http

    # --- after a lost answer --------------------------------------------------------------------------------------

    def settle(self, account: Account) -> Settle:
        if forum.is_forum(account):
            return forum.settle(account)
        within = f"Within {NONCE_LIFE // 60} minutes Discord has one message for the post’s own number, however often "
        if account.learned.get("may_look") is False:
            return Settle(
                How.REPEAT, looks=(5, 30, 60), absent_after=NONCE_LIFE, key_life=NONCE_LIFE,
                why=f"{within}it is sent. After that only you can tell: the bot may not read the channel’s history.",
            )  # fmt: skip
        return Settle(
            How.REPEAT, looks=(5, 30, 60, NONCE_LIFE, 300), absent_after=NONCE_LIFE, key_life=NONCE_LIFE,
            why=f"{within}it is sent. After that Sendoff looks through the bot’s own messages in the channel.",
        )  # fmt: skip

    def find(self, parcel: Parcel) -> Receipt | None:
        """Looks for the part among the bot's messages that came after it was made ready.

        Raises:
            CannotLook: the history can't be read or is too long, or something like it is there.
        """
        http, since = self._http(parcel.account, parcel.secret, parcel.trace), parcel.prepared.get("since")
        if forum.is_forum(parcel.account):
            wide = replace(self._transport.patience, most=PAGE_BYTES)
            return forum.find(replace(http, patience=wide), parcel)
        if not isinstance(since, str):
            raise CannotLook("It is not known where in the channel to begin looking. Look there yourself.")
        own, nonce = parcel.account.learned.get("bot_id"), posts.nonce(parcel.key)
        guild_id, same = parcel.account.learned.get("guild_id"), []
        for message in self._since(http, parcel.account, since):
            if table(message.get("author")).get("id") != own or message.get("id") in parcel.known:
                continue
            if message.get("nonce") == nonce:
                return posts.receipt(message, guild_id, "Found in the channel.")
            if not message.get("nonce") and posts.says_the_same(message, parcel):
                same.append(posts.receipt(message, guild_id, "Found in the channel."))
        if len(same) > 1:
            places = ", ".join(one.url for one in same[:3])
            raise CannotLook(f"More than one message says the same, and Sendoff can’t tell which it is: {places}")
        return same[0] if same else None

    def _since(self, http: Http, account: Account, since: str) -> Iterator[dict[str, Any]]:
        """The channel's messages after one of them.

        A bot that may not read the history is given an empty page and no refusal (docs: resources/message), so an
        empty one is believed only if nothing came since.
        """
        wide = replace(http, patience=replace(self._transport.patience, most=PAGE_BYTES))
        after = since
        for number in range(PAGES):
            path = f"/channels/{account.settings['channel']}/messages?after={after}&limit={PAGE}"
            page = _read(wide, path).json()
            if not isinstance(page, list) or not all(posts.is_message(one) for one in page):
                raise TryLater("Discord answered the look with something else than messages.")
            if not page and number == 0 and int(self._newest(http, account)) > int(since):
                raise CannotLook(
                    "Messages came since, but the bot may not read them: it lacks the permission Read Message History. "
                    "Look into the channel yourself."
                )
            yield from page
            if len(page) < PAGE:
                return
            after = max((one["id"] for one in page), key=int)
        raise CannotLook(f"More than {PAGE * PAGES} messages came since. Look into the channel yourself.")

    # --- taking back ----------------------------------------------------------------------------------------------

    def delete(self, account: Account, secret: Mapping[str, str], receipt: Receipt) -> None:
        channel_id = receipt.data.get("channel_id") or account.settings["channel"]
        http = self._http(account, secret, Trace())
        if receipt.data.get("thread") and _closed(http, f"/channels/{channel_id}"):
            return
        _delete(http, f"/channels/{channel_id}/messages/{receipt.remote_id}")


class DiscordWebhook(_Discord):
    """One part is one POST to the webhook with wait=true, without which a message that is not kept is never told.
    Nothing can be asked afterwards."""

    kind = "discord_webhook"
    title = "Discord webhook"
    needs = "The webhook’s address · 1 min"
    steps = (
        "In Discord open your server’s settings, choose Integrations → Webhooks, and press New Webhook.",
        "Choose its channel and name, and press Copy Webhook URL. Who has that address can post there, so Sendoff "
        "keeps it like a password.",
    )
    fields = (
        Field(
            "webhook_url", "Webhook URL", Kind.SECRET, help="Server settings → Integrations → Webhooks.",
            placeholder="https://discord.com/api/webhooks/…",
        ),
        Field(
            "thread", "Thread", required=False, advanced=True,
            help="The link or number of a thread of the webhook’s channel, if it shall go there.",
        ),
        BASE,
    )  # fmt: skip
    options = (
        *OPTIONS,
        Option("username", "Name shown", help="Instead of the webhook’s own, up to 80 characters."),
        Option("thread_name", "Title", help="Only where the webhook’s channel is a forum: opens a post with it."),
    )

    def connect(self, fields: Mapping[str, str]) -> Identity:
        base = fields.get("base_url") or API
        number, token = _webhook(fields.get("webhook_url", ""), base)
        thread = _channel_id(fields["thread"], "thread") if fields.get("thread", "").strip() else ""
        http = self._line(base, Trace())
        http.hidden = token
        about = _table(_read(http, f"/webhooks/{number}/{token}", wrong_key="webhook_url"), http)
        channel_id, guild_id = str(about.get("channel_id") or ""), str(about.get("guild_id") or "")
        name = str(about.get("name") or "Webhook")
        return Identity(
            handle=name,
            name=name,
            url=f"https://discord.com/channels/{guild_id}/{thread or channel_id}" if guild_id and channel_id else "",
            learned={"guild_id": guild_id},
            settings={"webhook": number, "thread": thread, "base_url": base},
            # Both forms, because the token alone is what travels, and both are to be masked.
            secrets={"webhook_url": f"{base}/webhooks/{number}/{token}", "token": token},
            note=f"It posts as “{name}” to the channel with the number {thread or channel_id}.",
        )

    def _http(self, account: Account, secret: Mapping[str, str], trace: Trace) -> tuple[Http, str]:
        http = self._line(account.settings["base_url"], trace)
        http.hidden = secret["token"]
        return http, f"/webhooks/{account.settings['webhook']}/{secret['token']}"

    def check(self, content: Content, options: Mapping[str, str], account: Account) -> Iterable[Problem]:
        yield from super().check(content, options, account)
        for name, label, most in (("username", "name", 80), ("thread_name", "title", 100)):
            over = len(options.get(name, "")) - most
            if over > 0:
                yield Problem(
                    Level.ERROR, name, f"The {label} is {over} too long.", f"Discord takes {most} characters."
                )

    def publish(self, parcel: Parcel) -> Receipt:
        http, path = self._http(parcel.account, parcel.secret, parcel.trace)
        thread = parcel.account.settings.get("thread", "")
        body = posts.body(parcel)
        for name in ("username", "thread_name"):
            if parcel.options.get(name, "").strip():
                body[name] = parcel.options[name].strip()
        answer = self._patient(http, parcel).send(
            "POST", f"{path}?wait=true{thread and f'&thread_id={thread}'}", effect=True, **posts.request(body, parcel)
        )
        return posts.receipt(judged(http, answer), parcel.account.learned.get("guild_id"))

    def settle(self, account: Account) -> Settle:
        return Settle(How.ASK, why="A webhook can write and not read. Look into the channel whether it is there.")

    def delete(self, account: Account, secret: Mapping[str, str], receipt: Receipt) -> None:
        http, path = self._http(account, secret, Trace())
        thread = receipt.data.get("thread_id") or account.settings.get("thread", "")
        _delete(http, f"{path}/messages/{receipt.remote_id}{thread and f'?thread_id={thread}'}")


# --- one request --------------------------------------------------------------------------------------------------


def _read(http: Http, path: str, *, wrong_key: str = "", wrong_place: str = "") -> Answer:
    """A GET.

    Args:
        wrong_key, wrong_place: the field of the form that is to blame where the key, or the place, is not known.
    """
    answer = http.read(path, ok=range(300, 600))
    try:
        ends(http, answer, effect=False)
    except (NeedsLogin, Rejected) as wrong:
        raise wrong.at(wrong_key if answer.status == 401 or not wrong_place else wrong_place) from None
    return answer


def _table(answer: Answer, http: Http) -> Mapping[str, Any]:
    found = table(answer.json())
    if not isinstance(found.get("id"), str):
        raise TryLater(f"{http.name} answered with something else than it should.", advice="Is the server right?")
    return found


def _delete(http: Http, path: str) -> None:
    answer = http.read(path, method="DELETE", ok=range(300, 600))
    if answer.status != 404 or table(answer.json()).get("code") != 10008:  # Unknown Message: it is gone already
        ends(http, answer, effect=False)


def _closed(http: Http, path: str) -> bool:
    """Takes a whole thread away; False where the bot lacks the right to, which leaves it its own message."""
    answer = http.read(path, method="DELETE", ok=range(300, 600))
    if answer.status == 403:
        return False
    if answer.status != 404 or table(answer.json()).get("code") != 10003:  # Unknown Channel: it is gone already
        ends(http, answer, effect=False)
    return True


# --- what is typed ------------------------------------------------------------------------------------------------


def _token(typed: str) -> str:
    token = "".join(typed.split()).removeprefix("Bot")
    if not token.isascii() or not re.fullmatch(r"[\w.-]{20,}", token):
        raise BadInput("That is no bot token. Copy it from your application’s page, under Bot → Reset Token.").at(
            "bot_token"
        )
    return token


def _channel_id(typed: str, field: str = "channel") -> str:
    """The number of a channel or thread, from its number or its link."""
    wanted = typed.strip().rstrip("/")
    found = re.fullmatch(r"(?:<#)?(\d{15,21})>?", wanted) or re.search(r"/channels/(?:\d+|@me)/(\d{15,21})", wanted)
    if not found:
        raise BadInput("That is no channel. Click it with the right button in Discord and choose Copy Link.").at(field)
    return found[1]


def _webhook(typed: str, base: str) -> tuple[str, str]:
    """The number and the token of a webhook, from its address. The address is never quoted: it is the key."""
    try:
        parts = urlsplit("".join(typed.split()))
        host = (parts.hostname or "").lower()
    except ValueError:
        parts, host = urlsplit(""), ""
    found = re.fullmatch(r"(?:/api)?(?:/v\d+)?/webhooks/(\d+)/([\w-]{20,})(?:/(?:slack|github))?/?", parts.path)
    if not host or not found:
        raise BadInput("That is no webhook’s address. Press Copy Webhook URL in Discord and paste it here.").at(
            "webhook_url"
        )
    known = {*HOSTS, *(f"{name}.{one}" for one in HOSTS for name in ("ptb", "canary", "www")), urlsplit(base).hostname}
    if host not in known:
        raise BadInput(f"{host} is not Discord. Paste the address that Copy Webhook URL gave.").at("webhook_url")
    return found[1], found[2]


def _may_write(may: Right, name: str, *, is_thread: bool) -> None:
    write = Right.SEND_MESSAGES_IN_THREADS if is_thread else Right.SEND_MESSAGES
    lacking = [one for one in (Right.VIEW_CHANNEL, write) if not may & one]
    if lacking:
        raise Rejected(
            f"The bot may not write in #{name}: it lacks {' and '.join(one.words for one in lacking)}.",
            advice="In Discord: the channel’s settings → Permissions → add the bot’s role and allow it.",
        ).at("channel")


def _note(may: Right) -> str:
    lacking = [one.words for one in (Right.ATTACH_FILES, Right.EMBED_LINKS) if not may & one]
    said = [f"The bot lacks {' and '.join(lacking)}; give it that in the channel’s permissions."] if lacking else []
    if not may & Right.READ_MESSAGE_HISTORY:
        said.append("It can’t read the channel’s history, so Sendoff has to ask you when an answer gets lost.")
    return " ".join(said)


def _against_item(item: Item, number: int) -> Iterator[Problem]:
    size = sum(one.size for one in item.shown)
    if size > REQUEST_BYTES:
        yield Problem(
            Level.ERROR, "size", "The files are too big together for Discord.",
            f"They have {size / 1e6:.0f} MB, and {REQUEST_BYTES / 1e6:.0f} MB is the limit.", "customise", number,
        )  # fmt: skip
    if item.poll and not 0 < len(item.text.strip()) <= posts.QUESTION:
        yield Problem(
            Level.ERROR, "poll", "Discord shows the text as the poll’s question.",
            f"It needs one, of {posts.QUESTION} characters at most.", "customise", number,
        )  # fmt: skip
