"""What is being written, as plain values: the page for everyone, pages of single accounts, options and the plan."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from sendoff.domain.errors import BadInput
from sendoff.domain.mail import parse_recipient
from sendoff.domain.post import Attachment, Content, Item, Mail, Markup, Plan, Post, Recipient, Role, Variant
from sendoff.domain.split import Reader, split_item

EVERYONE = 0
"""The tab of the page that all accounts get which have none of their own; other tabs are account ids."""

_PARTS = re.compile(r'(?:[^,;\n"]|"(?:[^"\\]|\\.)*"|")+')


@dataclass(frozen=True, slots=True)
class Letter:
    """The fields of a mail as they are typed; addresses are text, right or wrong. `known` keeps people's own fields."""

    subject: str = ""
    preheader: str = ""
    markup: Markup = Markup.MARKDOWN
    html: str = ""
    to: str = ""
    cc: str = ""
    bcc: str = ""
    reply_to: str = ""
    separately: bool = False
    unsubscribe: str = ""
    known: tuple[Recipient, ...] = ()

    @classmethod
    def of(cls, mail: Mail) -> Letter:
        return cls(
            subject=mail.subject,
            preheader=mail.preheader,
            markup=mail.markup,
            html=mail.html,
            to=listed(mail.to),
            cc=listed(mail.cc),
            bcc=listed(mail.bcc),
            reply_to=mail.reply_to,
            separately=mail.separately,
            unsubscribe=mail.unsubscribe,
            known=tuple(one for one in (*mail.to, *mail.cc, *mail.bcc) if one.fields),
        )

    def mail(self) -> Mail:
        """The mail. What is no address is kept as it was typed, so that nothing is lost; see `wrong_addresses`."""
        return Mail(
            subject=self.subject,
            preheader=self.preheader,
            markup=self.markup,
            html=self.html,
            to=people(self.to, self.known),
            cc=people(self.cc, self.known),
            bcc=people(self.bcc, self.known),
            reply_to=self.reply_to,
            separately=self.separately,
            unsubscribe=self.unsubscribe,
        )

    def everybody(self) -> tuple[Recipient, ...]:
        """All whom it goes to, in whichever field they stand."""
        return tuple(one for text in (self.to, self.cc, self.bcc) for one in people(text))

    @property
    def is_blank(self) -> bool:
        return replace(self, markup=Markup.MARKDOWN, separately=False, known=()) == Letter()


@dataclass(frozen=True, slots=True)
class Page:
    """What one tab holds: the items (more than one is a thread) and the fields of a mail."""

    items: tuple[Item, ...] = (Item(),)
    letter: Letter = Letter()

    @classmethod
    def of(cls, content: Content) -> Page:
        return cls(content.items, Letter.of(content.mail) if content.mail else Letter())

    def content(self, *, mail: bool) -> Content:
        """The content; with the mail fields where a mail account gets it."""
        return Content(self.items, self.letter.mail() if mail else None)

    @property
    def is_blank(self) -> bool:
        return self.letter.is_blank and all(item.is_empty for item in self.items)

    def without_item(self, number: int) -> Page:
        kept = self.items[:number] + self.items[number + 1 :]
        return replace(self, items=kept or (Item(),))

    def split(self, number: int, readers: Sequence[Reader], *, numbered: bool = False) -> Page:
        """Cuts an item's text into items that fit all readers; files and poll stay with the first."""
        pieces = split_item(self.items[number], readers, numbered=numbered)
        return replace(self, items=(*self.items[:number], *pieces, *self.items[number + 1 :]))


@dataclass(frozen=True, slots=True)
class Writing:
    """All of it. `chosen` are the accounts that it goes to; pages and options of others are kept while it is open.

    `words`, `zone` ("" is the person's) and `late` ("" is as set for the account) say when, as they were typed and
    chosen.
    """

    everyone: Page = Page()
    own: Mapping[int, Page] = field(default_factory=dict)
    chosen: tuple[int, ...] = ()
    options: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
    words: str = ""
    zone: str = ""
    late: str = ""

    @classmethod
    def of(cls, post: Post, known: Collection[int]) -> Writing:
        """A stored post. Accounts that are gone (not in `known`) are left out."""
        variants = [one for one in post.variants if one.account_id in known]
        return cls(
            everyone=Page.of(post.content),
            own={one.account_id: Page.of(one.content) for one in variants if one.content},
            chosen=tuple(one.account_id for one in variants),
            options={one.account_id: dict(one.options) for one in variants if one.options},
            words=post.plan.words,
            zone=post.plan.zone,
            late=post.plan.late,
        )

    # --- reading --------------------------------------------------------------------------------------------------

    def page(self, tab: int) -> Page:
        return self.own.get(tab, self.everyone)

    def readers(self, tab: int) -> tuple[int, ...]:
        """The chosen accounts that get the page of a tab."""
        if tab != EVERYONE:
            return tuple(one for one in self.chosen if one == tab)
        return tuple(one for one in self.chosen if one not in self.own)

    @property
    def is_blank(self) -> bool:
        """Whether nothing is written; accounts and times alone are nothing."""
        return self.everyone.is_blank and all(page.is_blank for page in self.own.values())

    @property
    def plan(self) -> Plan:
        return Plan(self.words, self.zone, self.late)

    def stored(self) -> tuple[Content, tuple[Variant, ...]]:
        """As a draft is kept: with everything that was typed."""
        return _kept(self.everyone), self._variants(lambda page, _id: _kept(page))

    def sent(self, mails: Collection[int]) -> tuple[Content, tuple[Variant, ...]]:
        """As it goes out: mail fields only where a mail account (one of `mails`) gets the page."""
        mail = any(one in mails for one in self.readers(EVERYONE))
        return self.everyone.content(mail=mail), self._variants(lambda page, one: page.content(mail=one in mails))

    def _variants(self, content: Callable[[Page, int], Content]) -> tuple[Variant, ...]:
        return tuple(
            Variant(one, content(self.own[one], one) if one in self.own else None, dict(self.options.get(one, {})))
            for one in self.chosen
        )


def _kept(page: Page) -> Content:
    return page.content(mail=not page.letter.is_blank)


# --- people -------------------------------------------------------------------------------------------------------


def listed(recipients: Iterable[Recipient]) -> str:
    """People as one types them: "Ada Lovelace <ada@example.org>, bob@example.org"."""
    return ", ".join(_written(one) for one in recipients)


def _written(one: Recipient) -> str:
    if not one.name:
        return one.address
    special = any(character in one.name for character in '",;<>')
    escaped = one.name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}" <{one.address}>' if special else f"{one.name} <{one.address}>"


def people(text: str, known: Iterable[Recipient] = ()) -> tuple[Recipient, ...]:
    """Who stands in a field, between commas, semicolons and lines; fields of those in `known` are kept."""
    fields = {one.address.lower(): one.fields for one in known}
    if not fields:
        return _people(text)
    return tuple(replace(one, fields=fields.get(one.address.lower(), {})) for one in _people(text))


@lru_cache(maxsize=32)
def _people(text: str) -> tuple[Recipient, ...]:
    return tuple(_person(part.strip()) for part in _PARTS.findall(text) if part.strip())


@lru_cache(maxsize=8192)
def _person(part: str) -> Recipient:
    try:
        return parse_recipient(part)
    except BadInput:
        return Recipient(part)


@lru_cache(maxsize=8192)
def why_wrong(address: str) -> str:
    """What is wrong with an address, or ""."""
    try:
        parse_recipient(address)
    except BadInput as wrong:
        return str(wrong)
    return ""


def wrong_addresses(mail: Mail) -> list[str]:
    """The sentences for what stands in To, Cc and Bcc and is no address."""
    return [wrong for one in (*mail.to, *mail.cc, *mail.bcc) if (wrong := why_wrong(one.address))]


# --- files --------------------------------------------------------------------------------------------------------


def enclosed(item: Item) -> tuple[Attachment, ...]:
    """What hangs on the mail, or stands inside it."""
    return tuple(one for one in item.media if one.role is not Role.MEDIA)
