"""Which form of a picture goes where: the original, or the copy that was made for networks that do not take it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sendoff.domain.capabilities import Capabilities
from sendoff.domain.post import CAPTIONS, Attachment, Content, Item, Role

WRITABLE = ("image/jpeg", "image/png", "image/webp", "image/gif")
"""The kinds of pictures that a copy can be made of, and made as."""


def takes_kind(figures: Capabilities, mime: str) -> bool:
    types = figures.media_types
    return not types or any(mime.startswith(one) if one.endswith("/") else mime == one for one in types)


def most_bytes(attachment: Attachment, figures: Capabilities) -> int | None:
    """The largest file of this kind that the endpoint takes, in bytes; None: no limit known."""
    other = figures.image_bytes if attachment.is_image else figures.file_bytes or figures.image_bytes
    if attachment.mime == "image/gif" and figures.gif_bytes:
        other = figures.gif_bytes
    return figures.video_bytes if attachment.is_video else other


def pixels(attachment: Attachment) -> int:
    return (attachment.width or 0) * (attachment.height or 0)


def fits(attachment: Attachment, figures: Capabilities) -> bool:
    """Whether the endpoint takes this file as it is, by kind, bytes and pixels."""
    most = most_bytes(attachment, figures)
    big = bool(most) and attachment.size > (most or 0)
    large = attachment.is_image and bool(figures.image_pixels) and pixels(attachment) > (figures.image_pixels or 0)
    return takes_kind(figures, attachment.mime) and not big and not large


def can_be_made_to_fit(attachment: Attachment, figures: Capabilities) -> bool:
    """Whether a copy could do where the file itself does not fit."""
    return attachment.is_image and any(takes_kind(figures, one) for one in WRITABLE)


def wants_copy(attachment: Attachment, figures: Capabilities) -> bool:
    """Whether the endpoint takes no form of a picture that there is, and would take a copy."""
    return not fits(best_form(attachment, figures), figures) and can_be_made_to_fit(attachment, figures)


def best_form(attachment: Attachment, figures: Capabilities) -> Attachment:
    """The file as this endpoint gets it: the original where it fits, else the largest copy that does, else as it is."""
    if not attachment.copies or fits(attachment, figures):
        return attachment
    forms = [form for form in attachment.forms if fits(form, figures)]
    return max(forms, key=lambda one: (pixels(one), one.size), default=attachment)


def stays_behind(attachment: Attachment, item: Item, figures: Capabilities) -> bool:
    """Whether these are captions of the item's video at an endpoint that takes none: the video goes without them."""
    has_film = any(one.is_video for one in item.shown)
    return attachment.is_captions and attachment.role is Role.MEDIA and has_film and not takes_kind(figures, CAPTIONS)


def for_endpoint(content: Content, figures: Capabilities, options: Mapping[str, str]) -> Content:
    """The content with each picture in the form that this endpoint gets, without captions where it takes none. Mails
    carry what was attached."""
    if figures.mail or not any(one.copies or one.is_captions for one in content.attachments):
        return content
    return replace(content, items=tuple(_item(item, figures.of(item, options)) for item in content.items))


def _item(item: Item, figures: Capabilities) -> Item:
    going = [one for one in item.media if not stays_behind(one, item, figures)]
    return replace(item, media=tuple(best_form(one, figures) if one.role is Role.MEDIA else one for one in going))
