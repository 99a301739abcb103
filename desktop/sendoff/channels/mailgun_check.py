"""What Mailgun would refuse, change or keep to itself, said while a mail is being written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from sendoff.channels import mailgun_form as form
from sendoff.channels import mime
from sendoff.domain.account import Account
from sendoff.domain.channel import Kind, Level, Option, Problem
from sendoff.domain.errors import Rejected
from sendoff.domain.post import Content, Mail

OPTIONS_BYTES = 16 * 1024
"""All fields that begin with o:, h:, v: or t: together (the official OpenAPI file, POST …/messages; 2026-05-28)."""

TAG, TAGS, OLD_TAGS = 128, 10, 3
"""Characters of a tag, and how many a mail may have: documentation.mailgun.com says 3, the official Go package 10."""

_TOKEN = re.compile(
    r"%(?:recipient(?:\.[^%\s]+|_(?:email|name|fname|lname))?"
    r"|(?:tag_|mailing_list_)?unsubscribe_url|unsubscribe_email)%"
)
_WITHIN = re.compile(r"(?=.)(?:\d+h)?(?:\d+m)?")


def problems(
    content: Content, options: Mapping[str, str], account: Account, declared: tuple[Option, ...]
) -> Iterator[Problem]:
    """Everything that can be said about a mail without asking Mailgun. `declared` are the channel's own options."""
    mail = content.mail or Mail()
    yield from mime.check(content)
    yield from _options(options, declared)
    yield from _tags(form.tags(options))
    yield from _size(mail, options)
    yield from _people(mail, content, account)
    yield from _tokens(mail, content)
    if account.learned.get("sandbox"):
        yield Problem(
            Level.WARNING, "sandbox", "This is a sandbox domain.",
            "It reaches only the addresses that you authorised in Mailgun, five at most.",
        )  # fmt: skip


def _options(options: Mapping[str, str], declared: tuple[Option, ...]) -> Iterator[Problem]:
    for option in declared:
        allowed = {"", "yes", "no"} if option.kind is Kind.SWITCH else {"", *dict(option.choices)}
        value = options.get(option.name, "")
        if option.kind in (Kind.SWITCH, Kind.CHOICE) and value not in allowed:
            known = ", ".join(sorted(allowed - {""}))
            yield Problem(
                Level.ERROR, "option", f"“{option.label}” can’t be “{value}”.", f"{option.name} is one of: {known}."
            )
    if (within := options.get("deliver_within", "").strip()) and not _WITHIN.fullmatch(within):
        yield Problem(Level.ERROR, "option", f"“{within}” is no span of time for Mailgun.", "Write it like 1h30m.")
    if options.get("test_mode") == "yes":
        yield Problem(Level.NOTE, "test_mode", "Test mode: nobody gets it.", "Mailgun takes it and bills it.")


def _tags(tags: list[str]) -> Iterator[Problem]:
    for tag in tags:
        if not tag.isascii() or len(tag) > TAG:
            yield Problem(
                Level.ERROR, "tag", f"Mailgun does not take the tag “{tag[:40]}”.",
                f"A tag has up to {TAG} characters, all of them ASCII.",
            )  # fmt: skip
    if len(tags) > TAGS:
        yield Problem(Level.ERROR, "tags", f"{len(tags)} tags are too many for Mailgun.", f"It takes {TAGS}.")
    elif len(tags) > OLD_TAGS:
        yield Problem(
            Level.NOTE, "tags", f"Mailgun may keep only {OLD_TAGS} of the {len(tags)} tags.",
            f"Older accounts have {OLD_TAGS} a mail.",
        )  # fmt: skip


def _size(mail: Mail, options: Mapping[str, str]) -> Iterator[Problem]:
    """What stands in fields that begin with o: and h: may have 16 KB together."""
    try:
        pairs = form.options(options) + form.headers(mail) + [("h:Message-Id", "x" * 80)]
    except Rejected:
        return  # said by mime.check
    size = sum(len(name.encode()) + len(value.encode()) for name, value in pairs)
    if size > OPTIONS_BYTES:
        yield Problem(
            Level.ERROR, "options_size", "Tags, options and headers are too long for Mailgun.",
            f"Together they have {size:,} bytes, and {OPTIONS_BYTES:,} is the limit.",
        )  # fmt: skip


def _people(mail: Mail, content: Content, account: Account) -> Iterator[Problem]:
    try:
        sender = mime.sender(account)
    except Rejected as wrong:
        yield Problem(Level.ERROR, "from", "The account’s own address can’t be used.", wrong.reason)
        return
    if not sender.address.rpartition("@")[0].isascii():
        yield Problem(
            Level.ERROR, "from", "Mailgun can’t send from this address.",
            "What stands before the @ has to be plain ASCII.",
        )  # fmt: skip
    odd = next((one for one in mail.to + mail.cc + mail.bcc if not one.address.rpartition("@")[0].isascii()), None)
    if odd:
        yield Problem(
            Level.WARNING, "eai", f"{odd.address} may not get it.",
            "Mailgun writes wrong headers for addresses with other than ASCII before the @.", "to",
        )  # fmt: skip
    if mail.separately and len(mail.to) > 1:
        yield from _batch(mail, content, sender.name)


def _batch(mail: Mail, content: Content, name: str) -> Iterator[Problem]:
    """What only Mailgun's own way of building copies gets wrong."""
    if form.name_suffers(name):
        yield Problem(
            Level.WARNING, "from_name", "Your name may arrive within quotes.",
            "Mailgun adds them to names that have both other than ASCII and one of ( ) , \".",
        )  # fmt: skip
    for attachment in content.items[0].media:
        if form.file_suffers(attachment):
            yield Problem(
                Level.WARNING, "file_name", f"“{attachment.name}” may arrive under another name.",
                "Take quotes and backslashes out of the file’s name.",
            )  # fmt: skip
    seen: set[str] = set()
    for one in mail.to:
        if one.address.lower() in seen:
            yield Problem(
                Level.WARNING, "once", f"Mailgun sends one copy to {one.address}.",
                "It is in To more than once; the fields of the last one count.", "to",
            )  # fmt: skip
            return
        seen.add(one.address.lower())


def _tokens(mail: Mail, content: Content) -> Iterator[Problem]:
    """Words between percent signs that Mailgun replaces. Its links for unsubscribing are mostly meant."""
    texts = (mail.subject, mail.preheader, mail.html, content.items[0].text, mail.reply_to, mail.unsubscribe)
    found = dict.fromkeys(hit[0] for text in texts if "%" in text for hit in _TOKEN.finditer(text))
    for token in found:
        is_meant = "unsubscribe" in token
        yield Problem(
            Level.NOTE if is_meant else Level.WARNING, "token", f"Mailgun replaces “{token}”.",
            "It puts a link of its own there." if is_meant else
            "It can’t be sent as it stands. For a personal field write {{name}}.",
        )  # fmt: skip
    values = (value for one in mail.to for value in (one.name, *one.fields.values()) if "%" in value)
    if odd := next((value for value in values if _TOKEN.search(value)), None):
        yield Problem(
            Level.WARNING, "token", f"Mailgun may replace a part of the value “{odd[:60]}”.",
            "It stands for something at Mailgun. Take the percent signs out.", "to",
        )  # fmt: skip
