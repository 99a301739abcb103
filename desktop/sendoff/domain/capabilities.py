"""What an endpoint can do and takes, in figures: declared by its channel, and learned from its server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from sendoff.domain.post import Item


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What an endpoint can do and takes. None means: no limit known. Sizes are in bytes, times in seconds.

    Args:
        checked: the day on which the figures were last compared with their sources, ISO 8601.
        sources: where the figures are written down.
        mail: it sends e-mail; otherwise it publishes posts.
        threads: several items can follow each other.
        batch: how many people one request serves with a copy each (mail sent separately).
        spacing: the shortest time between two sends of one account, by default.
        prepares: the channel has work to do shortly before the due time (building a mail, uploading pictures).
        prepared_life: how long what `prepare` achieved stays usable at the endpoint.
        text: the longest text, counted as `counter` says (text.py); a link counts as `url_length` where that is fixed.
        text_bytes: the most UTF-8 bytes of a text, where that is a second limit beside `text`.
        caption: the longest text beside media, where that is shorter than `text`.
        media: how many pictures or videos one item takes; `media_types` are MIME types or prefixes ending in "/".
        file_bytes: the largest file that is neither picture nor video.
        gif_bytes: the largest GIF, where that is not the limit of pictures.
        post_cost, link_cost, alt_cost: what a post costs, one with a link, and each alt text, in thousandths of a US
            dollar, by the prices that counted from the day `costs_of` (ISO 8601) on.
        read_cost: what it costs to read one own post there, in thousandths of a US dollar.
        card: whether a link gets a card: "sent" along with the post, "own" where the network looks at the page itself.
        varies: figures that an option of the post changes, each as (option, its value, figure, what it is then).
        recipients: the most people of one request, all of To, Cc and Bcc.
        message_bytes: the largest encoded mail.
        numbers: of how many posts one question tells likes, reposts and replies; 0: it tells none.
        own_words: the same words from several accounts are against its rules.
    """

    checked: str
    sources: tuple[str, ...] = ()
    mail: bool = False
    threads: bool = False
    batch: int = 1
    spacing: float = 0.0
    prepares: bool = False
    prepared_life: int = 3600
    text: int | None = None
    counter: str = "graphemes"
    text_bytes: int | None = None
    url_length: int | None = None
    caption: int | None = None
    media: int = 0
    media_types: tuple[str, ...] = ()
    image_bytes: int | None = None
    image_pixels: int | None = None
    video_bytes: int | None = None
    file_bytes: int | None = None
    gif_bytes: int | None = None
    alt: int | None = None
    poll_options: int = 0
    poll_option: int | None = None
    poll_min: int | None = None
    poll_max: int | None = None
    recipients: int | None = None
    message_bytes: int | None = None
    post_cost: int | None = None
    link_cost: int | None = None
    alt_cost: int | None = None
    read_cost: int | None = None
    costs_of: str = ""
    card: str = ""
    varies: tuple[tuple[str, str, str, Any], ...] = ()
    numbers: int = 0
    own_words: bool = False

    def of(self, item: Item, options: Mapping[str, str]) -> Capabilities:
        """The figures that count for one item of a post with these options."""
        varied = {figure: then for name, value, figure, then in self.varies if options.get(name, "") == value}
        figures: Capabilities = replace(self, **varied) if varied else self
        return replace(figures, text=figures.caption) if figures.caption and item.shown else figures

    def learned(self, known: Mapping[str, Any]) -> Capabilities:
        """These figures with a server's own laid over them; names that this version does not know are left out."""
        if not known:
            return self
        names = {one.name for one in fields(self)}
        values = {name: tuple(value) if isinstance(value, list) else value for name, value in known.items()}
        kept: dict[str, Any] = {name: value for name, value in values.items() if name in names}
        return replace(self, **kept)
