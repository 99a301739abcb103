"""`sendoff post`: makes content of texts and files, checks it, and puts it on the timeline."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from sendoff.bootstrap import Program
from sendoff.cli import recipients, render, session, shapes
from sendoff.domain import forms, price, problems, signin
from sendoff.domain.account import Account
from sendoff.domain.channel import Channel, Kind, Level, Option, channel_named
from sendoff.domain.errors import BadInput, SendError, SendoffError
from sendoff.domain.mail import parse_recipients
from sendoff.domain.post import Attachment, Content, Item, Mail, Markup, Plan, Recipient, Role, Variant
from sendoff.domain.problems import FINAL, AccountProblem, Problems
from sendoff.domain.split import Reader, split_item
from sendoff.domain.when import When, describe, parse_late
from sendoff.domain.words import one_of
from sendoff.store import media, settings, timeline
from sendoff.store.timeline import Row

PLAIN_FACTS = frozenset({*FINAL, "merge"})
"""Problems that no endpoint could see otherwise; the others are figures that may have changed."""

_MAIL_WORDS = ("recipient", "cc", "bcc", "recipients_csv", "subject", "markdown", "html_file", "preheader",
               "reply_to", "unsubscribe", "together")  # fmt: skip


def post(arguments: argparse.Namespace) -> int:
    with session.opened(arguments) as program:
        chosen = _chosen(program, arguments)
        _refuse_mail_words(arguments, chosen)
        given = session.pairs(arguments.option, "--option")
        variants = [
            Variant(account.id, None, options)
            for account, options in zip((one for one, _ in chosen), _options(chosen, given), strict=True)
        ]
        readers = _readers(chosen, variants)
        content = _split(_content(program, arguments, chosen), arguments, chosen, readers)
        content = _fitted(program, content, arguments, readers)
        content = _carded(program, content, arguments, chosen)
        # An empty WHEN, as a script's empty variable gives it, must not mean now.
        when = session.when(program, "now" if arguments.at is None else arguments.at, arguments.zone)
        late = "" if arguments.late is None else str(parse_late(arguments.late))
        plan = Plan(arguments.at or "", when.zone if arguments.at else "", late)
        found = _problems(program, content, variants, chosen)
        _tell_cost(found)
        post_id, _ = program.commands.posts.save_draft(content, variants, plan)
        if arguments.draft:
            return _tell_draft(arguments, post_id)
        ids = _schedule(program, post_id, when, late, arguments.override)
        _warn(found)
        for account, _channel in chosen:
            if said := signin.ends_first(account, when.instant, program.clock.now(), when.zone):
                session.remark(f"{said} Sign in again before, and it goes: sendoff accounts sign-in {account.id}")
        return _tell(program, arguments, post_id, ids, when)


def _schedule(program: Program, post_id: int, when: When, late: str, override: bool) -> list[int]:
    """The deliveries. What can't be scheduled leaves no draft behind: the words are still at the prompt."""
    try:
        return program.commands.posts.schedule(post_id, when, late, override=override)
    except SendoffError as wrong:
        program.commands.posts.delete_draft(post_id)
        if isinstance(wrong, Problems) and not any(one.problem.code in PLAIN_FACTS for one in wrong.found):
            raise BadInput(f"{wrong} If you know better, add --override.") from None
        raise


# --- where to -----------------------------------------------------------------------------------------------------

Chosen = Sequence[tuple[Account, Channel]]


def _chosen(program: Program, arguments: argparse.Namespace) -> Chosen:
    """The accounts that were named; without a name the only one there is.

    Raises:
        BadInput: none was named and there are several. NotFound: there is none of this name.
    """
    named = [session.account(program, which) for which in arguments.to]
    if not named and not arguments.draft:
        known = session.every_account(program)
        if len(known) != 1:
            there = ", ".join(one.name for one in known)
            raise BadInput(
                f"Say where to, with --to ACCOUNT. There {f'are: {there}' if there else 'is no account yet'}."
            )
        named = known
    if twice := next((one.name for one in named if named.count(one) > 1), ""):
        raise BadInput(f"--to {twice} is there twice. One post goes to one account once.")
    return [(one, channel_named(program.channels, one.channel)) for one in named]


def _sends_mail(account: Account, channel: Channel) -> bool:
    return channel.capabilities.learned(account.learned).mail


def _refuse_mail_words(arguments: argparse.Namespace, chosen: Chosen) -> None:
    if not chosen or any(_sends_mail(account, channel) for account, channel in chosen):
        return
    used = next((name for name in _MAIL_WORDS if getattr(arguments, name)), None)
    if used:
        names = ", ".join(account.name for account, _ in chosen)
        raise BadInput(f"--{used.replace('_', '-')} is for mail, and none of these accounts sends mail: {names}.")


def _options(chosen: Chosen, given: Mapping[str, str]) -> list[dict[str, str]]:
    """For each account those of the options that its channel declares.

    Raises:
        BadInput: no chosen channel has such an option, or it does not take this value.
    """
    declared = {option.name for _, channel in chosen for option in channel.options}
    for name in given:
        if name not in declared:
            raise BadInput(f"No chosen channel has an option “{name}”. {_there_are(chosen)}")
    return [
        {option.name: _checked(option, given[option.name]) for option in channel.options if option.name in given}
        for _, channel in chosen
    ]


def _there_are(chosen: Chosen) -> str:
    channels = {channel.title: channel.options for _, channel in chosen}
    return " ".join(
        f"{title} has: {', '.join(option.name for option in options) or 'none'}." for title, options in channels.items()
    )


def _checked(option: Option, value: str) -> str:
    choices = dict(option.choices)
    if option.kind is Kind.SWITCH and value not in ("yes", "no"):
        raise BadInput(f"--option {option.name} is yes or no, not “{value}”.")
    if option.kind is Kind.CHOICE and value not in choices:
        raise BadInput(f"--option {option.name} is {one_of(choices)}, not “{value}”.")
    if option.kind is Kind.NUMBER and not value.isdecimal():
        raise BadInput(f"--option {option.name} is a number, not “{value}”.")
    return value


# --- what it says -------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Draft:
    """An item while its words and files are being collected."""

    text: str = ""
    files: list[tuple[Path, Role, str]] = field(default_factory=list)


def _content(program: Program, arguments: argparse.Namespace, chosen: Chosen) -> Content:
    with program.store.reading() as connection:
        strip = settings.read(connection)["strip_location"] == "yes"
    drafts = _drafts(arguments.pieces)
    items = tuple(
        Item(draft.text, tuple(_attached(program, path, role, alt, strip) for path, role, alt in draft.files))
        for draft in drafts
    )
    wanted = any(_sends_mail(account, channel) for account, channel in chosen)
    wanted |= any(getattr(arguments, name) for name in _MAIL_WORDS)
    return Content(items, _mail(arguments) if wanted else None)


def _readers(chosen: Chosen, variants: Sequence[Variant]) -> list[Reader]:
    """Whom the items of a thread have to fit: the accounts that get no mail of it."""
    known = [channel.capabilities.learned(account.learned) for account, channel in chosen]
    return [Reader(one, variant.options) for one, variant in zip(known, variants, strict=True) if not one.mail]


def _split(content: Content, arguments: argparse.Namespace, chosen: Chosen, readers: Sequence[Reader]) -> Content:
    """The content with each item that is too long for an account cut into several, where that is wanted.

    Raises:
        BadInput: nobody is there to cut for, or an account has no threads.
    """
    if arguments.numbered and not arguments.split:
        raise BadInput("--numbered goes with --split.")
    if not arguments.split:
        return content
    if not readers:
        raise BadInput("--split cuts by the limits of the accounts, so say where to, with --to ACCOUNT.")
    items = tuple(piece for item in content.items for piece in split_item(item, readers, numbered=arguments.numbered))
    alone = next((channel.title for _, channel in chosen if not _has_threads(channel)), "")
    if alone and len(items) > len(content.items):
        raise BadInput(f"{alone} has no threads, so nothing can be split for it. Write a post of its own.")
    return replace(content, items=items)


def _has_threads(channel: Channel) -> bool:
    return channel.capabilities.threads or channel.capabilities.mail


def _carded(program: Program, content: Content, arguments: argparse.Namespace, chosen: Chosen) -> Content:
    """The content with the card of each item's first link, where that is wanted and somebody sends cards along."""
    senders = [channel for _, channel in chosen if channel.capabilities.card == "sent"]
    if not arguments.card:
        return content
    if not senders:
        raise BadInput("--card is for networks that get a link’s card sent along, and none of these accounts does.")
    return replace(content, items=tuple(_with_card(program, item, senders) for item in content.items))


def _with_card(program: Program, item: Item, senders: Sequence[Channel]) -> Item:
    link = next((link for one in senders if (link := one.linked(item.text))), "")
    if not link or item.shown:
        return item
    try:
        return replace(item, card=program.link_card(link))
    except SendError as wrong:
        session.remark(wrong.reason)
        return item


def _attached(program: Program, path: Path, role: Role, alt: str, strip: bool) -> Attachment:
    made = program.media.attach(path, role=role, alt=alt, strip_location=strip)
    if alt or role is not Role.MEDIA or not made.is_image:
        return made
    with program.store.reading() as connection:
        known = media.described(connection, made.sha256)
    if known:
        session.remark(f"{made.name} has its alt text from last time: “{known}”")
    return replace(made, alt=known)


def _fitted(program: Program, content: Content, arguments: argparse.Namespace, readers: Sequence[Reader]) -> Content:
    """The content with a copy of each picture for those who do not take it as it is, where that is wanted."""
    if not arguments.fit:
        return content
    items = []
    for item in content.items:
        files = list(item.media)
        for figures in (one.figures.of(item, one.options) for one in readers):
            files = [
                program.media.fit(one, figures) if one.role is Role.MEDIA and forms.wants_copy(one, figures) else one
                for one in files
            ]
        items.append(replace(item, media=tuple(files)))
    return replace(content, items=tuple(items))


def _drafts(pieces: Sequence[tuple[str, object]]) -> list[_Draft]:
    """The items in order. A picture belongs to the item that was begun last, a mail's files to the first.

    Raises:
        BadInput: two texts, or a description without a picture.
    """
    drafts = [_Draft()]
    has_text = False
    for name, value in pieces:
        if name in ("text", "text-file"):
            if has_text:
                raise BadInput("There are two texts. For one more item of a thread use --thread.")
            has_text, drafts[0].text = True, session.read_text(value) if isinstance(value, Path) else str(value)
        elif name == "thread":
            drafts.append(_Draft(str(value)))
        elif name == "alt":
            _describe(drafts[-1], str(value))
        elif isinstance(value, Path):
            target = drafts[-1] if name == "media" else drafts[0]
            target.files.append((value, _ROLES[name], ""))
    return drafts


_ROLES = {"media": Role.MEDIA, "attach": Role.ATTACHMENT, "inline": Role.INLINE}


def _describe(draft: _Draft, alt: str) -> None:
    if not draft.files or draft.files[-1][1] is Role.ATTACHMENT or draft.files[-1][2]:
        raise BadInput("--alt describes the picture before it: --media FILE --alt TEXT.")
    path, role, _ = draft.files[-1]
    draft.files[-1] = (path, role, alt)


def _mail(arguments: argparse.Namespace) -> Mail:
    if arguments.markdown and arguments.html_file:
        raise BadInput("--markdown and --html-file exclude each other: the HTML file is finished HTML.")
    html = session.read_text(arguments.html_file) if arguments.html_file else ""
    to = recipients.parse(arguments.recipient)
    if arguments.recipients_csv:
        to += recipients.from_csv(arguments.recipients_csv)
    cc, bcc = recipients.parse(arguments.cc), recipients.parse(arguments.bcc)
    several = len(to) > 1 or arguments.recipients_csv is not None
    return Mail(
        subject=arguments.subject or "",
        preheader=arguments.preheader or "",
        markup=Markup.HTML if html else Markup.MARKDOWN if arguments.markdown else Markup.PLAIN,
        html=html,
        to=to,
        cc=cc,
        bcc=bcc,
        reply_to=_address(arguments.reply_to),
        separately=several and not (arguments.together or cc or bcc),
        unsubscribe=_unsubscribe(arguments.unsubscribe),
    )


def _address(text: str | None) -> str:
    """Where answers go, as the header has it."""
    return ", ".join(_written(one) for one in parse_recipients(text or ""))


def _written(one: Recipient) -> str:
    return f'"{one.name.replace(chr(92), "").replace(chr(34), "")}" <{one.address}>' if one.name else one.address


def _unsubscribe(text: str | None) -> str:
    if text and not text.startswith(("https://", "mailto:")):
        raise BadInput("--unsubscribe is an address that starts with https:// or mailto:.")
    return text or ""


# --- what is said about it ----------------------------------------------------------------------------------------


def _problems(
    program: Program, content: Content, variants: Sequence[Variant], chosen: Chosen
) -> Sequence[AccountProblem]:
    with program.store.reading() as connection:
        preferences = settings.read(connection)
    known = {account.id: account for account, _ in chosen}
    return problems.find(content, variants, known, program.channels, preferences)


def _warn(found: Iterable[AccountProblem]) -> None:
    """What does not stand in the way, but somebody may mind."""
    for one in found:
        if one.problem.level is not Level.NOTE:
            session.remark(f"{one.account.name}: {one.problem.title} {one.problem.text}".strip())


def _tell_cost(found: Iterable[AccountProblem]) -> None:
    """What it costs where the network charges for it, before anything is planned."""
    for one in found:
        if one.problem.code == price.CODE:
            session.remark(f"{one.account.name}: {one.problem.title} {one.problem.text}")


def _tell_draft(arguments: argparse.Namespace, post_id: int) -> int:
    if arguments.json:
        render.print_json({"post": post_id, "deliveries": []})
    else:
        print(f"Kept as draft {post_id}. Nothing is sent.")
    return 0


def _tell(program: Program, arguments: argparse.Namespace, post_id: int, ids: list[int], when: When) -> int:
    rows = _rows(program, ids)
    if arguments.json:
        render.print_json({"post": post_id, "deliveries": [shapes.delivery(row) for row in rows]})
    else:
        time = describe(when, program.clock.now())
        for row in rows:
            print(f"{row.delivery.id}  {render.one_line(row.account)} ({render.one_line(row.handle)})  {time}")
    return session.tell_what_waits(program, rows)


def _rows(program: Program, ids: list[int]) -> list[Row]:
    with program.store.reading() as connection:
        return [timeline.detail(connection, one).row for one in ids]
