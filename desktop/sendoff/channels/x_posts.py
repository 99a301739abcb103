"""A post in X's JSON: how a part becomes one, and how the one that a part became is told from others."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sendoff.channels.reading import listed, moment, table
from sendoff.channels.x_text import links, without_links
from sendoff.domain.channel import Parcel
from sendoff.domain.delivery import Receipt
from sendoff.domain.post import Attachment

FIELDS = "created_at,conversation_id,attachments,entities,note_post"
"""What is asked of the own posts (X's OpenAPI file 2.167, post.fields). What they answer would be an expansion, which
costs more."""

_ADDRESS = re.compile(
    r"(?:https?://)?(?:\w+\.)?(?:x|twitter)\.com/(?:i/web|i|\w+)/status(?:es)?/(\d{1,19})(?:[/?#].*)?"
)


def body(parcel: Parcel) -> dict[str, Any]:
    """The body of POST /2/tweets (X's OpenAPI file 2.167). X refuses fields that it does not know."""
    item, options = parcel.item, parcel.options
    made: dict[str, Any] = {"text": item.text}
    if parcel.prepared.get("media"):
        made["media"] = {"media_ids": list(parcel.prepared["media"])}
    if item.poll:
        made["poll"] = {"options": list(item.poll.options), "duration_minutes": -(-item.poll.lasts // 60)}
    if answered := answers(parcel):
        made["reply"] = {"in_reply_to_tweet_id": answered}
    if not parcel.previous:
        if quoted := number(options.get("quote", "")):
            made["quote_tweet_id"] = quoted
        if options.get("reply_settings"):
            made["reply_settings"] = options["reply_settings"]
    for name in ("made_with_ai", "paid_partnership"):
        if options.get(name) == "yes":
            made[name] = True
    return made


def answers(parcel: Parcel) -> str:
    """The number of the post that a part answers: the part before it, or what the option says; "" none."""
    return parcel.previous[-1].remote_id if parcel.previous else number(parcel.options.get("reply_to", ""))


def number(typed: str) -> str:
    """The number of a post, from its address or itself; "" where it is none."""
    text = typed.strip()
    found = re.fullmatch(r"\d{1,19}", text) or _ADDRESS.fullmatch(text)
    return found[found.lastindex or 0] if found else ""


def category(attachment: Attachment) -> str:
    """What X calls a kind of media (media_category)."""
    if attachment.is_video:
        return "tweet_video"
    return "tweet_gif" if attachment.mime == "image/gif" else "tweet_image"


def receipt(name: str, handle: str, answer: str = "") -> Receipt:
    """The receipt of the post with this number, by an account with this handle."""
    return Receipt(name, url=f"https://x.com/{handle.lstrip('@') or 'i'}/status/{name}", answer=answer)


# --- telling posts apart ------------------------------------------------------------------------------------------


def came(post: Mapping[str, Any]) -> datetime | None:
    """When a post came, by X's clock."""
    return moment(post.get("created_at"))


def says_the_same(post: Mapping[str, Any], parcel: Parcel) -> bool:
    """Whether a post has our words. X puts its own short links in the place of ours and behind media, and escapes &,
    < and >."""
    shown = table(post.get("note_post") or post.get("note_tweet")).get("text") or post.get("text")
    return _bare(html.unescape(str(shown or ""))) == _bare(parcel.item.text)


def is_built_the_same(post: Mapping[str, Any], parcel: Parcel) -> bool:
    """Whether a post with our words stands in this part's conversation, with as many media, our links, and a poll if we
    have one."""
    attached = table(post.get("attachments"))
    return (
        _is_in_place(post, parcel)
        and len(listed(attached.get("media_keys"))) == len(parcel.item.shown)
        and bool(listed(attached.get("poll_ids"))) == bool(parcel.item.poll)
        and _leads_there(post, parcel.item.text)
    )


def _is_in_place(post: Mapping[str, Any], parcel: Parcel) -> bool:
    """Whether a post begins a conversation where this part does, and else is in that of the thread's first part, or in
    that of somebody, which nobody knows the number of."""
    conversation = post.get("conversation_id")
    if not answers(parcel):
        return bool(conversation == post.get("id"))
    if number(parcel.options.get("reply_to", "")):
        return isinstance(conversation, str) and conversation != post.get("id")
    return bool(conversation == parcel.previous[0].remote_id)


def _leads_there(post: Mapping[str, Any], written: str) -> bool:
    """Whether a post's links are ours. X tells where they lead, those of its media aside."""
    entities = table(table(post.get("note_post")).get("entities")) or table(post.get("entities"))
    told = [table(one) for one in listed(entities.get("urls"))]
    there = [str(one.get("expanded_url") or "") for one in told if not one.get("media_key")]
    return sorted(map(_place, there)) == sorted(_place(written[start:end]) for start, end in links(written))


def _place(url: str) -> str:
    """An address as two ways of writing it have it in common."""
    return re.sub(r"^https?://", "", url.lower()).rstrip("/")


def _bare(text: str) -> str:
    """What two forms of one text have in common: no links and no white space."""
    words = "".join(without_links(unicodedata.normalize("NFC", text)))
    return "".join(words.split())
