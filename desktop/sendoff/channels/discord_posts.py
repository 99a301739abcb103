"""A message in Discord's JSON: how a part becomes one, and how the one that a part became is told from others."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from sendoff.channels.multipart import FileForm, FormFile, unnamed
from sendoff.channels.reading import listed, table
from sendoff.domain.channel import Parcel
from sendoff.domain.delivery import Receipt
from sendoff.domain.post import Attachment
from sendoff.domain.text import LINK, Mark, Span

THREADS = frozenset({10, 11, 12})
WRITABLE = frozenset({0, 1, 2, 3, 5, 13}) | THREADS
"""Kinds of channel that take messages (docs: resources/channel, channel types)."""

OTHER_KINDS: Mapping[int, str] = {
    4: "a category", 14: "a directory",
}  # fmt: skip

QUESTION = 300
"""Characters of a poll's question (docs: resources/poll)."""

SUPPRESS_EMBEDS, SUPPRESS_NOTIFICATIONS = 1 << 2, 1 << 12
_MENTIONS: Mapping[str, list[str]] = {"users": ["users"], "everyone": ["users", "roles", "everyone"]}


_PING = re.compile(r"<(?:@[!&]?|#)\d{1,20}>|@(?:everyone|here)\b")
"""Somebody, a role, a channel, all (docs: reference, message formatting). There are no hashtags."""


def marks(text: str) -> list[Span]:
    """The links and mentions of a text as Discord shows them."""
    links = [Span(*hit.span(), Mark.LINK) for hit in LINK.finditer(text)]
    pings = [Span(*hit.span(), Mark.MENTION) for hit in _PING.finditer(text)]
    free = [one for one in pings if not any(one.start < link.end and link.start < one.end for link in links)]
    return sorted(links + free, key=lambda one: one.start)


def nonce(key: str) -> str:
    """The part's own number, the same in every try; Discord takes 25 characters."""
    return hashlib.blake2b(key.encode(), digest_size=12).hexdigest()


def body(parcel: Parcel) -> dict[str, Any]:
    """The body of a new message (docs: resources/message, resources/webhook). Without a word of the person nobody is
    pinged, whatever the text says."""
    item, options = parcel.item, parcel.options
    made: dict[str, Any] = {"allowed_mentions": {"parse": _MENTIONS.get(options.get("mentions", ""), [])}}
    if item.poll:
        made["poll"] = {
            "question": {"text": item.text.strip()},
            "answers": [{"poll_media": {"text": option}} for option in item.poll.options],
            "duration": max(-(-item.poll.lasts // 3600), 1),
            "allow_multiselect": item.poll.multiple,
        }
    elif item.text:
        made["content"] = item.text
    flags = SUPPRESS_NOTIFICATIONS if options.get("silent") == "yes" else 0
    flags |= SUPPRESS_EMBEDS if options.get("embeds") == "no" else 0
    if flags:
        made["flags"] = flags
    if item.shown:
        made["attachments"] = [
            {"id": str(number), "filename": _name(one, number), **({"description": one.alt} if one.alt else {})}
            for number, one in enumerate(item.shown)
        ]
    return made


def request(made: Mapping[str, Any], parcel: Parcel) -> dict[str, Any]:
    """What Http.send is given: JSON, or a form where files go along."""
    if not parcel.item.shown:
        return {"json": made}
    files = [
        FormFile(f"files[{number}]", parcel.file(one), _name(one, number), one.mime)
        for number, one in enumerate(parcel.item.shown)
    ]
    form = FileForm({"payload_json": json.dumps(made, ensure_ascii=False)}, *files)
    return {"data": form, "headers": {"Content-Type": form.content_type}}


def _name(one: Attachment, number: int) -> str:
    """A picture's name is shown nowhere; of a file it is all that is."""
    return unnamed(one.name, f"file{number + 1}") if one.is_image or one.is_video else one.name


def is_message(found: Any) -> bool:
    """Whether an answer is a message of a channel."""
    about = table(found)
    number, place = about.get("id"), about.get("channel_id")
    return isinstance(number, str) and number.isdecimal() and isinstance(place, str) and place.isdecimal()


def receipt(message: Mapping[str, Any], guild_id: Any, answer: str = "") -> Receipt:
    place = f"{guild_id or '@me'}/{message['channel_id']}/{message['id']}"
    return Receipt(
        message["id"],
        url=f"https://discord.com/channels/{place}",
        answer=answer,
        data={"channel_id": message["channel_id"]},
    )


def says_the_same(message: Mapping[str, Any], parcel: Parcel) -> bool:
    """Whether a message has our words, as many files, and a poll where we have one."""
    item, poll = parcel.item, table(message.get("poll"))
    shown = table(poll.get("question")).get("text") if item.poll else message.get("content")
    return (
        _bare(str(shown or "")) == _bare(item.text)
        and len(listed(message.get("attachments"))) == len(item.shown)
        and bool(poll) == bool(item.poll)
    )


def _bare(text: str) -> str:
    """What two forms of one text have in common: Discord takes white space away at both ends."""
    return "".join(unicodedata.normalize("NFC", text).split())
