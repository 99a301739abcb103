"""What the person wrote: text, thread items, media, mail fields, and a variant for each chosen account."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

CAPTIONS = "text/vtt"
_LANGUAGE = re.compile(r"\.([A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)\.vtt$", re.IGNORECASE)


class Role(StrEnum):
    """What an attached file is for."""

    MEDIA = "media"  # shown with the post: a picture, a video
    ATTACHMENT = "attachment"  # hangs on the mail
    INLINE = "inline"  # stands inside the mail's HTML, as cid:NAME


class Markup(StrEnum):
    """How the text of a mail is written."""

    PLAIN = "plain"
    MARKDOWN = "markdown"
    HTML = "html"


@dataclass(frozen=True, slots=True)
class Copy:
    """A smaller copy of a picture, for networks that do not take the original. Sizes as in Attachment."""

    sha256: str
    mime: str
    size: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes along, by its content: the bytes live in the media store under `sha256`.

    `size` is in bytes, `width` and `height` in pixels (None where it is no picture). `name` is what the person
    called it and what a recipient sees. `copies` were made because the person agreed; forms.py says who gets one.
    `unreadable`: it is called a picture or a video, and is none, or not whole.
    """

    sha256: str
    name: str
    mime: str
    size: int
    alt: str = ""
    role: Role = Role.MEDIA
    width: int | None = None
    height: int | None = None
    copies: tuple[Copy, ...] = ()
    unreadable: bool = False

    @property
    def forms(self) -> tuple[Attachment, ...]:
        """The file itself, and each copy as a file of its own under the same name and words."""
        alone = replace(self, copies=())
        return (alone, *(
            replace(alone, sha256=one.sha256, mime=one.mime, size=one.size, width=one.width, height=one.height)
            for one in self.copies
        ))  # fmt: skip

    @property
    def is_image(self) -> bool:
        return self.mime.startswith("image/")

    @property
    def is_video(self) -> bool:
        return self.mime.startswith("video/")

    @property
    def is_captions(self) -> bool:
        """Whether it holds the words of a video, as WebVTT."""
        return self.mime == CAPTIONS

    @property
    def language(self) -> str:
        """The language of captions, which stands in their name ("trip.pt-BR.vtt"); "" where it does not."""
        found = _LANGUAGE.search(self.name)
        return found[1] if found else ""


@dataclass(frozen=True, slots=True)
class LinkCard:
    """What the page at `url` says of itself, as it was when the post was written. `image` has no copies.

    `removed` is that the person wants no card for this link.
    """

    url: str
    title: str = ""
    text: str = ""
    image: Attachment | None = None
    removed: bool = False


@dataclass(frozen=True, slots=True)
class Poll:
    """A question with answers; `lasts` is in seconds."""

    options: tuple[str, ...]
    lasts: int = 86_400
    multiple: bool = False
    hide_totals: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that appears on its own: a status, one item of a thread, the body of a mail."""

    text: str = ""
    media: tuple[Attachment, ...] = ()
    poll: Poll | None = None
    card: LinkCard | None = None

    @property
    def is_empty(self) -> bool:
        return not (self.text.strip() or self.media or self.poll)

    @property
    def shown(self) -> tuple[Attachment, ...]:
        """The pictures and videos that appear with the text; a mail's attachments are not among them."""
        return tuple(one for one in self.media if one.role is Role.MEDIA)


@dataclass(frozen=True, slots=True)
class Recipient:
    """One addressee; `fields` fill the {{placeholders}} of this person's own copy."""

    address: str
    name: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Mail:
    """What only an e-mail has. The body is the text of the post's first item, written in `markup`.

    With `markup` HTML, `html` holds the source and the item's text is the plain alternative (made from the HTML
    where it is empty). `separately` sends each person of `to` an own copy that shows only the own address.
    `unsubscribe` is an https: or mailto: address for the List-Unsubscribe header, or "".
    """

    subject: str = ""
    preheader: str = ""
    markup: Markup = Markup.PLAIN
    html: str = ""
    to: tuple[Recipient, ...] = ()
    cc: tuple[Recipient, ...] = ()
    bcc: tuple[Recipient, ...] = ()
    reply_to: str = ""
    separately: bool = False
    unsubscribe: str = ""


@dataclass(frozen=True, slots=True)
class Content:
    """All of it: the items (more than one is a thread) and the mail fields where a mail account is chosen."""

    items: tuple[Item, ...] = (Item(),)
    mail: Mail | None = None

    @property
    def is_empty(self) -> bool:
        written = self.mail and (self.mail.subject or self.mail.html or self.mail.to)
        return not written and all(item.is_empty for item in self.items)

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        return tuple(attachment for item in self.items for attachment in item.media)

    @property
    def files(self) -> tuple[Attachment, ...]:
        """Everything that has bytes in the media store: the files, their copies, and the pictures of cards."""
        cards = tuple(item.card.image for item in self.items if item.card and item.card.image)
        return (*(form for attachment in self.attachments for form in attachment.forms), *cards)

    def excerpt(self, length: int = 120) -> str:
        """The first words, for a list: a mail's subject, else the text, else the name of the first picture."""
        candidates = [self.mail.subject if self.mail else "", self.items[0].text]
        candidates += [attachment.alt or attachment.name for attachment in self.attachments[:1]]
        words = next((" ".join(text.split()) for text in candidates if text.strip()), "")
        return words if len(words) <= length else words[: length - 1].rstrip() + "…"


@dataclass(frozen=True, slots=True)
class Variant:
    """The post as one account gets it. `content` None means: the same as everyone.

    `options` are what only this channel knows (visibility, tags, …), by the names its `Option`s declare.
    """

    account_id: int
    content: Content | None = None
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """When it shall leave, as the person put it: the words, the zone, and the lateness rule as text (see when.py)."""

    words: str = ""
    zone: str = ""
    late: str = ""


@dataclass(frozen=True, slots=True)
class Post:
    """A post as stored. Without deliveries it is a draft. `version` counts the edits."""

    id: int
    workspace_id: int
    content: Content
    version: int
    created_at: datetime
    updated_at: datetime
    variants: tuple[Variant, ...] = ()
    plan: Plan = Plan()

    def variant(self, account_id: int) -> Variant | None:
        return next((variant for variant in self.variants if variant.account_id == account_id), None)

    def content_for(self, account_id: int) -> Content:
        variant = self.variant(account_id)
        return variant.content if variant and variant.content else self.content
