"""A post as a record of Bluesky's: its key, its JSON, and how the one that is there is told from another."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import unquote, urlsplit

from sendoff.channels import bluesky_text as rich
from sendoff.channels.reading import listed, table
from sendoff.domain.channel import Parcel
from sendoff.domain.delivery import Receipt
from sendoff.domain.post import Attachment, Content, Item, LinkCard

COLLECTION = "app.bsky.feed.post"
ALPHABET = "234567abcdefghijklmnopqrstuvwxyz"
"""The sortable base32 of record keys (atproto.com/specs/tid)."""

LABELS = ("sexual", "nudity", "porn", "graphic-media")
"""The content warnings that an author can give (lexicon com.atproto.label.defs)."""

LANGUAGES = 3
"""The most languages of a post (lexicon app.bsky.feed.post)."""


def tid(microseconds: int, clock_id: int) -> str:
    """A record key: microseconds since 1970 and ten bits of the clock's own, as 13 characters."""
    number = microseconds << 10 | clock_id
    return "".join(ALPHABET[number >> shift & 31] for shift in range(60, -1, -5))


def own_key(now: datetime, key: str) -> str:
    """The record key of a part: its instant, less a part of a second that follows from the part's own key.

    Many posts may be due in one instant. With 30 bits of their own beside the second, no two get the same record key,
    and those of a thread, which leave a second apart, still sort as they came.
    """
    own = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8])
    return tid(round(now.timestamp() * 1_000_000) - own % 1_000_000, own // 1_000_000 % 1024)


def created_at(now: datetime) -> str:
    """An instant (aware, UTC) as records have it: 2026-01-02T03:04:05.123Z."""
    return f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03}Z"


def languages(options: Mapping[str, str]) -> list[str]:
    """The language codes that were typed, apart from each other by commas or spaces."""
    return (
        re.split(r"[\s,;]+", options.get("languages", "").strip(" ,;")) if options.get("languages", "").strip() else []
    )


def record(
    parcel: Parcel,
    *,
    dids: Mapping[str, str],
    blobs: Iterable[Mapping[str, Any]],
    reply: Mapping[str, Any] | None,
    quoted: Mapping[str, str] | None,
) -> dict[str, Any]:
    """The whole record of a part (lexicon app.bsky.feed.post).

    Args:
        dids: who is behind the handles that the text mentions.
        blobs: the uploaded pictures in order, or the video, as the server named them.
        reply: root and parent of what it answers; quoted: the post that it shows; each by uri and cid.
    """
    item, options = parcel.item, parcel.options
    made: dict[str, Any] = {"$type": COLLECTION, "text": item.text, "createdAt": parcel.frozen["created_at"]}
    if facets := rich.facets(item.text, dids):
        made["facets"] = facets
    if codes := languages(options):
        made["langs"] = codes
    if options.get("labels"):
        made["labels"] = {"$type": "com.atproto.label.defs#selfLabels", "values": [{"val": options["labels"]}]}
    if reply:
        made["reply"] = dict(reply)
    if embed := _embed(_media(parcel, list(blobs)), quoted):
        made["embed"] = embed
    return made


def _media(parcel: Parcel, blobs: list[Mapping[str, Any]]) -> dict[str, Any] | None:
    """The pictures, the video, or the card of a link where nothing else is shown."""
    if film := video(parcel.item):
        made = {"$type": "app.bsky.embed.video", **_shown(film, "video", blobs[0])}
        words = [
            {"lang": one.language, "file": dict(blob)}
            for one, blob in zip(captions(parcel.item), blobs[1:], strict=True)
        ]
        return {**made, "captions": words} if words else made
    if parcel.item.shown:
        shown = [_shown(one, "image", blob) for one, blob in zip(parcel.item.shown, blobs, strict=True)]
        return {"$type": "app.bsky.embed.images", "images": shown}
    card = carded(parcel)
    if card is None:
        return None
    external: dict[str, Any] = {"uri": card.url, "title": card.title, "description": card.text}
    if blobs:
        external["thumb"] = dict(blobs[0])
    return {"$type": "app.bsky.embed.external", "external": external}


def video(item: Item) -> Attachment | None:
    """The video that an item shows; it stands alone."""
    return next((one for one in item.shown if one.is_video), None)


def captions(item: Item) -> tuple[Attachment, ...]:
    """The captions of its video."""
    return tuple(one for one in item.shown if one.is_captions)


def uploads(parcel: Parcel) -> tuple[Attachment, ...]:
    """The files that a part needs at the server: its own pictures, a video's captions, or the picture of its card."""
    if video(parcel.item):
        return captions(parcel.item)
    card = None if parcel.item.shown else carded(parcel)
    return parcel.item.shown or ((card.image,) if card and card.image else ())


def _shown(attachment: Attachment, kind: str, blob: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {kind: dict(blob), "alt": attachment.alt}
    if attachment.width and attachment.height:
        made["aspectRatio"] = {"width": attachment.width, "height": attachment.height}
    return made


def carded(parcel: Parcel) -> LinkCard | None:
    """The card that a part shows, if it shows one."""
    return (
        card_of(parcel.content, parcel.number - 1, parcel.options)
        if parcel.number <= len(parcel.content.items)
        else None
    )


def card_of(content: Content, number: int, options: Mapping[str, str]) -> LinkCard | None:
    """The card of an item: that of its first link. Words typed in the options lie over those of the post's first."""
    item = content.items[number]
    link = "" if item.shown else rich.first_link(item.text)
    if not link:
        return None
    known = item.card if item.card and item.card.url == link and not item.card.removed else None
    title = options.get("card_title", "").strip()
    if title and not any(rich.first_link(one.text) for one in content.items[:number]):
        known = replace(known or LinkCard(link), title=title, text=options.get("card_text", "").strip())
    return known


def _embed(media: dict[str, Any] | None, quoted: Mapping[str, str] | None) -> dict[str, Any] | None:
    if not quoted:
        return media
    shown = {"$type": "app.bsky.embed.record", "record": dict(quoted)}
    return {"$type": "app.bsky.embed.recordWithMedia", "record": shown, "media": media} if media else shown


def thread(previous: tuple[Receipt, ...], answered: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What a part answers: the part before it, in a thread whose root is the first part, or that of the post which
    the first part answers."""
    if not previous:
        return dict(answered) if answered else None
    return {"root": previous[0].data.get("root") or strong(previous[0]), "parent": strong(previous[-1])}


def strong(receipt: Receipt) -> dict[str, str]:
    """A sent part by its address and the hash of what it says."""
    return {"uri": receipt.remote_id, "cid": str(receipt.data["cid"])}


# --- addresses ----------------------------------------------------------------------------------------------------

_AT_URI = re.compile(r"at://([^/\s]+)/app\.bsky\.feed\.post/([A-Za-z0-9._:~-]{1,512})")
_PAGE_PATH = re.compile(r"/profile/([^/\s]+)/post/([A-Za-z0-9._:~-]{1,512})/?")


def named_post(typed: str) -> tuple[str, str] | None:
    """The author (handle or DID) and the record key of a post, by its at:// address or that of its page in an app."""
    text = typed.strip()
    hit = _AT_URI.fullmatch(text)
    if hit is None and text.startswith(("https://", "http://")):
        hit = _PAGE_PATH.fullmatch(unquote(urlsplit(text).path))
    return (hit[1].removeprefix("@"), hit[2]) if hit else None


def uri(did: str, rkey: str) -> str:
    return f"at://{did}/{COLLECTION}/{rkey}"


def receipt(parcel: Parcel, did: str, cid: str, answer: str = "") -> Receipt:
    """The receipt of a part that is out. `data` has its cid and, where it answers somebody, the thread's root."""
    rkey = str(parcel.frozen["rkey"])
    data: dict[str, Any] = {"cid": cid}
    if root := table(table(parcel.prepared.get("record")).get("reply")).get("root"):
        data["root"] = root
    return Receipt(uri(did, rkey), url=f"https://bsky.app/profile/{did}/post/{rkey}", answer=answer, data=data)


def is_same(there: Any, parcel: Parcel) -> bool:
    """Whether a record under this part's key is this part: nobody else writes the same words at the same instant."""
    value = table(there)
    return value.get("text") == parcel.item.text and value.get("createdAt") == parcel.frozen.get("created_at")


def refs(record: Mapping[str, Any]) -> list[str]:
    """The content hashes of the pictures that a record shows, in order; of a video its own and those of its captions,
    of a card its picture's."""
    embed = table(record.get("embed"))
    media = table(embed.get("media") or embed)
    blobs = [table(one).get("image") for one in listed(media.get("images"))]
    blobs += [media.get("video"), *(table(one).get("file") for one in listed(media.get("captions")))]
    blobs += [table(media.get("external")).get("thumb")]
    return [str(table(table(one).get("ref")).get("$link")) for one in blobs if one]
