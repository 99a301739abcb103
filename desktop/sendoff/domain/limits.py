"""What an endpoint will not take: one check of a post against a channel's figures, as sentences with a remedy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from sendoff.domain import forms, price
from sendoff.domain import mail as mails
from sendoff.domain.capabilities import Capabilities
from sendoff.domain.channel import Level, Problem
from sendoff.domain.post import Attachment, Content, Item, Mail, Recipient, Role
from sendoff.domain.text import count, filled, warning_size
from sendoff.domain.words import counted

ALT_REQUIRED = "alt_required"
"""The preference that no picture goes without alt text, and the code of the problem that one has none."""


def check(
    content: Content, capabilities: Capabilities, title: str, options: Mapping[str, str], *, alt_required: bool = False
) -> list[Problem]:
    """Everything that the declared figures say against a post, gravest first.

    Args:
        capabilities: the channel's figures with the server's own laid over them.
        title: what to call the endpoint in the sentences.
        options: what only this channel knows; a content warning counts as text.
        alt_required: the person wants no picture to go without alt text where there is such a thing.
    """
    found = list(
        _mail(content, capabilities, title) if capabilities.mail else _post(content, capabilities, title, options)
    )
    if alt_required:
        found = [_insisted(problem) if problem.code == "no_alt" else problem for problem in found]
    order = list(Level)
    return sorted(found, key=lambda problem: order.index(problem.level))


def same_words(going: Mapping[str, Content], title: str) -> dict[str, Problem]:
    """What stands against the accounts, by their names, that say the same at an endpoint whose rules forbid that.

    Another case, other spaces and other signs make no other words.
    """
    whose: dict[str, list[str]] = {}
    for name, content in going.items():
        for words in {_bare(item.text) for item in content.items if item.text.strip()}:
            whose.setdefault(words, []).append(name)
    found: dict[str, Problem] = {}
    for names in whose.values():
        if len(names) > 1:
            together = f"{', '.join(names[:-1])} and {names[-1]} say the same, and it may close them for that."
            problem = Problem(
                Level.WARNING, "same_words", f"{title} forbids the same words from several accounts.",
                f"{together} Give each its own words, or leave one out.", "customise",
            )  # fmt: skip
            found |= {name: problem for name in names if name not in found}
    return found


def _bare(text: str) -> str:
    """The letters and digits of a text, or the whole of one that has none."""
    return "".join(filter(str.isalnum, text.casefold())) or text.strip()


def _insisted(missing: Problem) -> Problem:
    """The missing alt text of a picture, where none may be missing."""
    return replace(missing, level=Level.ERROR, code=ALT_REQUIRED, text="You let no picture go without.")


def _post(content: Content, figures: Capabilities, title: str, options: Mapping[str, str]) -> Iterator[Problem]:
    if all(item.is_empty for item in content.items):
        yield Problem(Level.ERROR, "empty", "There is nothing to post yet.", "Write a few words or add a picture.")
        return
    if len(content.items) > 1 and not figures.threads:
        yield Problem(
            Level.ERROR, "thread", f"{title} has no threads.", "Only one item can be posted there.", "customise"
        )
    for number, item in enumerate(content.items):
        where = f"Item {number + 1}: " if len(content.items) > 1 else ""
        if item.is_empty:
            yield Problem(
                Level.ERROR, "empty", f"Item {number + 1} is empty.", "Write something or take it out.", item=number
            )
        own = figures.of(item, options)
        yield from _text(item, own, title, where, number, warning_size(own, options))
        yield from _media(item, own, title, where, number)
        yield from _poll(item, figures, title, where, number)
    if cost := price.note(content, figures, title):
        yield cost
    for attachment in content.attachments:
        if attachment.role is not Role.MEDIA:
            yield Problem(
                Level.WARNING,
                "attachment",
                f"{attachment.name} stays behind.",
                f"{title} takes pictures, not attachments.",
            )


def _text(item: Item, figures: Capabilities, title: str, where: str, number: int, warning: int) -> Iterator[Problem]:
    if figures.text is None:
        return
    over = filled(item.text, figures, warning) - figures.text
    if over > 0:
        beside = " beside media" if figures.text == figures.caption else ""
        limit = f"The limit there is {figures.text} characters{beside}."
        if count(item.text, figures) + warning <= figures.text:
            limit = f"The limit there is {figures.text_bytes:,} bytes, and this has {len(item.text.encode()):,}."
        yield Problem(
            Level.ERROR,
            "text",
            f"{where}{over} too many for {title}.",
            limit,
            "split" if figures.threads else "customise",
            number,
        )


def _media(item: Item, figures: Capabilities, title: str, where: str, number: int) -> Iterator[Problem]:
    media = [one for one in item.shown if not forms.stays_behind(one, item, figures)]
    for left in item.shown:
        if left not in media:
            yield Problem(
                Level.WARNING, "captions_left", f"{where}{left.name} stays behind.", f"{title} takes no captions.", "",
                number,
            )  # fmt: skip
    if len(media) > figures.media:
        most = f"takes {figures.media} at most" if figures.media else "takes none"
        yield Problem(
            Level.ERROR,
            "media",
            f"{where}{len(media)} pictures are too many for {title}.",
            f"It {most}.",
            "customise",
            number,
        )
    for place, attachment in enumerate(media, 1):
        if attachment.unreadable:
            yield _unreadable(attachment, Level.ERROR, where, number)
            continue
        name = f"Picture {place}" if attachment.is_image else attachment.name
        yield from _file(attachment, figures, title, where, name, number)
        if figures.alt and len(attachment.alt) > figures.alt:
            yield Problem(
                Level.ERROR,
                "alt",
                f"{where}{name}: the description is too long.",
                f"{title} takes {figures.alt} characters.",
                "alt",
                number,
            )
        if attachment.is_image and not attachment.alt.strip() and figures.alt:
            yield Problem(
                Level.WARNING,
                "no_alt",
                f"{where}{name} has no alt text.",
                "People who can’t see it get nothing.",
                "alt",
                number,
            )


def _unreadable(attachment: Attachment, level: Level, where: str, number: int) -> Problem:
    kind = "video" if attachment.is_video else "picture"
    title = f"{where}{attachment.name} is no {kind} that can be read."
    return Problem(level, "unreadable", title, "Choose another file.", "", number)


def _file(
    attachment: Attachment, figures: Capabilities, title: str, where: str, name: str, number: int
) -> Iterator[Problem]:
    """What stands against one file, in the form that this endpoint gets; a copy is told, because it is not the same."""
    form = forms.best_form(attachment, figures)
    if forms.fits(form, figures):
        if form is not attachment and form.sha256 != attachment.sha256:
            size = f"It goes there with {size_text(form.size)}, {form.width} × {form.height}."
            yield Problem(Level.NOTE, "media_copy", f"{where}{name} is smaller on {title}.", size, "", number)
        return
    fix = "fit" if forms.can_be_made_to_fit(attachment, figures) else "customise"
    if not forms.takes_kind(figures, attachment.mime):
        way = f"Another kind can be made of {name}." if fix == "fit" else f"{name} has to go."
        yield Problem(Level.ERROR, "media_type", f"{where}{title} does not take {attachment.mime}.", way, fix, number)
        return
    yield Problem(
        Level.ERROR, "media_size", f"{where}{name} is too big for {title}.", _too_big(attachment, figures), fix, number
    )


def _too_big(attachment: Attachment, figures: Capabilities) -> str:
    limit = forms.most_bytes(attachment, figures)
    if limit and attachment.size > limit:
        return f"It has {size_text(attachment.size)}, and {size_text(limit)} is the limit."
    most = (figures.image_pixels or 0) / 1e6
    return f"It has {forms.pixels(attachment) / 1e6:.1f} megapixels, and {most:.1f} is the limit."


def _poll(item: Item, figures: Capabilities, title: str, where: str, number: int) -> Iterator[Problem]:
    poll = item.poll
    if poll is None:
        return
    if not figures.poll_options:
        yield Problem(
            Level.ERROR,
            "poll",
            f"{where}Sendoff sends no polls to {title}.",
            "Take the poll out for it.",
            "customise",
            number,
        )
        return
    filled = [option for option in poll.options if option.strip()]
    if len(filled) < 2 or len(filled) != len(poll.options) or len(set(filled)) != len(filled):
        yield Problem(Level.ERROR, "poll", f"{where}The poll needs at least two different answers.", "", "", number)
    if len(filled) > figures.poll_options:
        yield Problem(
            Level.ERROR,
            "poll",
            f"{where}{len(filled)} answers are too many for {title}.",
            f"It takes {figures.poll_options}.",
            "",
            number,
        )
    for option in filled:
        if figures.poll_option and count(option, figures) > figures.poll_option:
            yield Problem(
                Level.ERROR,
                "poll",
                f"{where}The answer “{option[:20]}…” is too long.",
                f"{title} takes {figures.poll_option} characters.",
                "",
                number,
            )
    if (figures.poll_min and poll.lasts < figures.poll_min) or (figures.poll_max and poll.lasts > figures.poll_max):
        yield Problem(Level.ERROR, "poll", f"{where}{title} does not run a poll that long.", "", "", number)
    if item.media:
        yield Problem(
            Level.ERROR, "poll", f"{where}A poll and pictures do not go together on {title}.", "", "customise", number
        )


def _mail(content: Content, figures: Capabilities, title: str) -> Iterator[Problem]:
    mail = content.mail or Mail()
    everyone = mail.to + mail.cc + mail.bcc
    if not mail.to:
        yield Problem(Level.ERROR, "no_recipient", "Nobody is in To.", "A mail needs at least one address.", "to")
    if not mail.subject.strip():
        yield Problem(
            Level.WARNING, "no_subject", "There is no subject.", "Many readers will take it for spam.", "subject"
        )
    if not (content.items[0].text.strip() or mail.html.strip()):
        yield Problem(Level.ERROR, "empty", "The mail is empty.", "Write a few words.")
    if len(content.items) > 1:
        yield Problem(
            Level.WARNING, "thread", "Only the first item goes into the mail.", f"{title} has no threads.", "customise"
        )
    if content.items[0].poll:
        yield Problem(Level.WARNING, "poll", "The poll stays out of the mail.", "", "customise")
    if mail.separately and (mail.cc or mail.bcc):
        yield Problem(
            Level.ERROR,
            "copies",
            "Cc and Bcc would get every copy.",
            "Each person of To gets an own mail. Take Cc and Bcc out, or send one mail to all.",
            "together",
        )
    if not mail.separately and len(everyone) > 1:
        yield Problem(
            Level.NOTE,
            "visible",
            "Everyone in To and Cc sees the other addresses.",
            "Send it separately to keep them private.",
            "separately",
        )
    if not mail.separately and figures.recipients and len(everyone) > figures.recipients:
        yield Problem(
            Level.ERROR,
            "recipients",
            f"{len(everyone)} people are too many for one mail.",
            f"{title} takes {figures.recipients}. Send it separately.",
            "separately",
        )
    if twice := _twice(everyone):
        yield Problem(Level.WARNING, "twice", f"{twice} is there twice.", "That person would get it once more.", "to")
    for attachment in content.attachments:
        if attachment.unreadable:
            yield _unreadable(attachment, Level.WARNING, "", 0)
    yield from _merge(content, mail)
    yield from _size(content, figures, title)


def _twice(everyone: tuple[Recipient, ...]) -> str:
    seen: set[str] = set()
    for one in everyone:
        if one.address.lower() in seen:
            return one.address
        seen.add(one.address.lower())
    return ""


def _merge(content: Content, mail: Mail) -> Iterator[Problem]:
    """Fields that nobody, or not everybody, has a value for."""
    named = mails.placeholders(content)
    if not named:
        return
    if not mail.separately and (len(mail.to) > 1 or mail.cc or mail.bcc):
        yield Problem(
            Level.ERROR, "merge", "Personal fields need a mail for each person.", "Send it separately.", "separately"
        )
        return
    for name, has_fallback in named.items():
        if has_fallback or name in ("email", "address"):
            continue
        without = sum(not (one.name if name == "name" else dict(one.fields).get(name, "")) for one in mail.to)
        if without:
            people = counted(without, "person has", "people have")
            yield Problem(
                Level.ERROR, "merge", f"{people} no “{name}”.", f"Write {{{{{name}|something}}}} for those.", "to"
            )


def _size(content: Content, figures: Capabilities, title: str) -> Iterator[Problem]:
    if figures.message_bytes is None:
        return
    # Base64 makes three bytes four, and every 76 characters two more (RFC 2045 section 6.8).
    files = sum(attachment.size for attachment in content.attachments)
    words = len(content.items[0].text.encode()) + len((content.mail or Mail()).html.encode())
    encoded = round(files * 4 / 3 * 78 / 76) + 2 * words
    if encoded > figures.message_bytes:
        yield Problem(
            Level.ERROR,
            "size",
            f"The mail is too big for {title}.",
            f"Encoded it has {size_text(encoded)}, and {size_text(figures.message_bytes)} is the limit.",
        )


def size_text(size: int) -> str:
    """Bytes for a person: "940 B", "1.8 MB"."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= factor:
            return f"{size / factor:.1f}".removesuffix(".0") + f" {unit}"
    return f"{size} B"
