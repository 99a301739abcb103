"""Looks at what is written with the eyes of every chosen account: counts, limits, problems. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

from sendoff.domain import problems, signin
from sendoff.domain.account import Account
from sendoff.domain.capabilities import Capabilities
from sendoff.domain.channel import Channel, Level, Problem
from sendoff.domain.post import Content, Item
from sendoff.domain.split import Reader
from sendoff.domain.text import filled, fitting, graphemes, warning_size
from sendoff.domain.when import Clock, When
from sendoff.domain.words import counted, joined
from sendoff.ui.composer.preview.model import Preview
from sendoff.ui.composer.state import EVERYONE, Writing, wrong_addresses

MOST_WRONG = 3
"""So many wrong addresses are named; the others are counted."""

FIXES = {
    "split": "Split into thread",
    "split_numbered": "Split with numbers",
    "customise": "Customise",
    "alt": "Add it",
    "fit": "Make it fit",
    "sign_in": "Sign in",
    "to": "Show it",
    "subject": "Write one",
    "reply_to": "Show it",
    "unsubscribe": "Show it",
    "separately": "Send separately",
    "together": "Send one mail to all",
    "choose": "Choose",
    "once": "Take one out",
}


NAMED = 4
"""How many accounts are named in a matter at most; of more it says how many."""


@dataclass(frozen=True, slots=True)
class Matter:
    """One thing to look at; the same for all `accounts`. `fixes` are names of FIXES. `tab` and `item` say where."""

    level: Level
    code: str
    title: str
    text: str
    fixes: tuple[str, ...] = ()
    accounts: tuple[int, ...] = ()
    tab: int = EVERYONE
    item: int = 0

    @property
    def is_final(self) -> bool:
        """Whether it cannot be overridden."""
        return self.code in (*problems.FINAL, "nowhere", "address")


@dataclass(frozen=True, slots=True)
class Counted:
    """An item of a page: its characters, and how many code points of it fit everywhere (None: all)."""

    characters: int
    fits: int | None


@dataclass(frozen=True, slots=True)
class Seat:
    """How an account stands: the characters of its longest item, and its limit (None: it has none)."""

    used: int
    limit: int | None


@dataclass(frozen=True, slots=True)
class Assessment:
    """What a look found. `pages` and `people`, the number of those in To, go by tab."""

    matters: tuple[Matter, ...] = ()
    pages: Mapping[int, tuple[Counted, ...]] = field(default_factory=dict)
    seats: Mapping[int, Seat] = field(default_factory=dict)
    previews: tuple[Preview, ...] = ()
    people: Mapping[int, int] = field(default_factory=dict)

    @property
    def red(self) -> tuple[Matter, ...]:
        return tuple(one for one in self.matters if one.level is Level.ERROR)


@dataclass(frozen=True, slots=True)
class Eyes:
    """What a look is made with."""

    known: Mapping[int, Account]
    channels: Mapping[str, Channel]
    clock: Clock
    settings: Mapping[str, str]

    def figures(self, account_id: int) -> Capabilities | None:
        """An account's limits; None where its channel is not installed."""
        account = self.known.get(account_id)
        channel = self.channels.get(account.channel) if account else None
        return channel.capabilities.learned(account.learned) if account and channel else None

    def has_threads(self, account_id: int) -> bool:
        figures = self.figures(account_id)
        return figures is not None and (figures.threads or figures.mail)

    def readers(self, accounts: Iterable[int], options: Mapping[int, Mapping[str, str]]) -> list[Reader]:
        """These accounts as the ones whom the items of a thread have to fit."""
        known = [(one, figures) for one in accounts if (figures := self.figures(one)) and not figures.mail]
        return [Reader(figures, options.get(one, {})) for one, figures in known]

    def with_cards(self, accounts: Iterable[int]) -> list[Channel]:
        """The channels of those of these accounts that show cards, the ones first that have them sent along."""
        found = [self.channels[self.known[one].channel] for one in accounts if (own := self.figures(one)) and own.card]
        return sorted(found, key=lambda one: one.capabilities.card != "sent")

    def is_mail(self, account_id: int) -> bool:
        figures = self.figures(account_id)
        return figures is not None and figures.mail

    def takes_polls(self, account_id: int) -> bool:
        figures = self.figures(account_id)
        return figures is not None and figures.poll_options > 0

    @property
    def mails(self) -> frozenset[int]:
        return frozenset(one for one in self.known if self.is_mail(one))

    def mark(self, account_id: int) -> str:
        channel = self.channels.get(self.known[account_id].channel)
        return channel.mark if channel else ""


def assess(writing: Writing, eyes: Eyes, when: When | None) -> Assessment:
    """Everything that is shown beside the text."""
    content, variants = writing.sent(eyes.mails)
    contents = {one.account_id: one.content or content for one in variants}
    tabs = (EVERYONE, *(one for one in writing.chosen if one in writing.own))
    return Assessment(
        matters=tuple(_matters(writing, eyes, when)),
        pages={tab: _page(writing, tab, eyes) for tab in tabs},
        seats={one: _seat(contents[one], eyes.figures(one), writing.options.get(one, {})) for one in writing.chosen},
        previews=tuple(_previews(writing, eyes, contents, when)),
        people={tab: len(writing.page(tab).letter.mail().to) for tab in tabs},
    )


# --- counting -----------------------------------------------------------------------------------------------------


def _seat(content: Content, figures: Capabilities | None, options: Mapping[str, str]) -> Seat:
    if figures is None or figures.text is None or figures.mail:
        return Seat(0, None)
    return max(_seats(content, figures, options), key=lambda one: one.used - (one.limit or 0))


def _seats(content: Content, figures: Capabilities, options: Mapping[str, str]) -> list[Seat]:
    """How each item stands."""
    spare = warning_size(figures, options)
    each = [(item.text, figures.of(item, options)) for item in content.items]
    return [Seat(filled(text, own, spare), own.text) for text, own in each]


def _page(writing: Writing, tab: int, eyes: Eyes) -> tuple[Counted, ...]:
    readers = []
    for one in writing.readers(tab):
        figures = eyes.figures(one)
        if figures is not None and figures.text is not None and not figures.mail:
            options = writing.options.get(one, {})
            readers.append((figures, options, warning_size(figures, options)))
    return tuple(_counted(item, readers) for item in writing.page(tab).items)


def _counted(item: Item, readers: list[tuple[Capabilities, Mapping[str, str], int]]) -> Counted:
    ends = [fitting(item.text, figures.of(item, options), spare) for figures, options, spare in readers]
    fits = min(ends, default=len(item.text))
    return Counted(len(graphemes(item.text)), fits if fits < len(item.text) else None)


def _previews(writing: Writing, eyes: Eyes, contents: Mapping[int, Content], when: When | None) -> Iterator[Preview]:
    for one in writing.chosen:
        account = eyes.known[one]
        channel, figures = eyes.channels.get(account.channel), eyes.figures(one)
        if channel is None or figures is None:
            continue
        options = writing.options.get(one, {})
        yield Preview(account, channel, contents[one], options, when, _over(contents[one], figures, options))


def _over(content: Content, figures: Capabilities, options: Mapping[str, str]) -> int:
    if figures.text is None or figures.mail:
        return 0
    return sum(max(one.used - (one.limit or 0), 0) for one in _seats(content, figures, options))


# --- problems -----------------------------------------------------------------------------------------------------


def _matters(writing: Writing, eyes: Eyes, when: When | None) -> list[Matter]:
    content, variants = writing.sent(eyes.mails)
    found: dict[tuple[object, ...], Matter] = {}
    for one in problems.find(content, variants, eyes.known, eyes.channels, eyes.settings):
        tab = one.account.id if one.account.id in writing.own else EVERYONE
        matter = _matter(one.problem, one.account.id, tab, writing)
        key = (matter.level, matter.code, matter.title, matter.text, matter.item, tab)
        same = found.get(key)
        found[key] = replace(same, accounts=(*same.accounts, one.account.id)) if same else matter
    own = (_nowhere(writing), _wrong(writing, eyes), _signed_out_by_then(writing, eyes, when), _twice(writing, eyes))
    matters = [*chain.from_iterable(own), *found.values()]
    order = list(Level)
    return sorted(matters, key=lambda one: (order.index(one.level), one.code == "sign_in"))


def _matter(problem: Problem, account_id: int, tab: int, writing: Writing) -> Matter:
    return Matter(
        problem.level, problem.code, problem.title, problem.text,
        tuple(_fixes(problem, tab, writing)), (account_id,), tab, problem.item,
    )  # fmt: skip


def _fixes(problem: Problem, tab: int, writing: Writing) -> Iterable[str]:
    can_customise = tab == EVERYONE and len(writing.chosen) > 1
    if problem.fix in ("split", "customise") and can_customise:
        yield "customise"
    if problem.fix in FIXES and problem.fix != "customise":
        yield problem.fix
    if problem.fix == "split":
        yield "split_numbered"


def _nowhere(writing: Writing) -> Iterator[Matter]:
    if not writing.chosen:
        yield Matter(Level.ERROR, "nowhere", "It goes nowhere yet.", "Choose at least one account.", ("choose",))


def _signed_out_by_then(writing: Writing, eyes: Eyes, when: When | None) -> Iterator[Matter]:
    """Which sign-ins end before it is due."""
    now = eyes.clock.now()
    for one in writing.chosen if when else ():
        if when and (said := signin.ends_first(eyes.known[one], when.instant, now, when.zone)):
            more = "Sign in again before, and it goes."
            yield Matter(Level.WARNING, "signed_out_by_then", said, more, ("sign_in",), (one,))


def _twice(writing: Writing, eyes: Eyes) -> Iterator[Matter]:
    """Accounts that are one and the same at their network, and mail accounts that write to the same people."""
    places: dict[tuple[str, ...], list[int]] = {}
    for one in writing.chosen:
        account = eyes.known[one]
        channel = eyes.channels.get(account.channel)
        if channel and not eyes.is_mail(one) and (place := channel.place(account)):
            places.setdefault((account.channel, *place), []).append(one)
    for (kind, *_), same in places.items():
        if len(same) > 1:
            title = f"{_names(same, eyes)} are one account at {eyes.channels[kind].title}."
            yield Matter(Level.WARNING, "same_place", title, "It would be there twice.", ("once",), tuple(same))
    mails = [one for one in writing.chosen if eyes.is_mail(one)]
    people = [{person.address.lower() for person in writing.page(one).letter.everybody()} for one in mails]
    for at, (one, theirs) in enumerate(zip(mails, people, strict=True)):
        others = [other for other, whose in zip(mails[:at], people, strict=False) if theirs & whose]
        if others:
            again = theirs & set().union(*people[:at])
            who = next(iter(again)) if len(again) == 1 else counted(len(again), "person", "people")
            title, senders = f"{_names([*others, one], eyes)} each write to {who}.", (*others, one)
            yield Matter(Level.WARNING, "same_people", title, "It would arrive there twice.", ("once",), senders)


def _names(accounts: Sequence[int], eyes: Eyes) -> str:
    """Those that there is room for, and how many more."""
    names = [eyes.known[one].name for one in accounts]
    return joined(names if len(names) <= NAMED else [*names[: NAMED - 1], f"{len(names) - NAMED + 1} more"])


def _wrong(writing: Writing, eyes: Eyes) -> Iterator[Matter]:
    """What stands among the addresses and is none."""
    for tab in (EVERYONE, *writing.own):
        readers = tuple(one for one in writing.readers(tab) if eyes.is_mail(one))
        wrong = wrong_addresses(writing.page(tab).letter.mail()) if readers else []
        for sentence in wrong[:MOST_WRONG]:
            title, _, why = sentence.partition(": ")
            yield Matter(Level.ERROR, "address", f"{title.rstrip('.')}.", why, ("to",), readers, tab)
        if len(wrong) > MOST_WRONG:
            more = f"{len(wrong) - MOST_WRONG} more are no mail addresses."
            yield Matter(Level.ERROR, "address", more, "Mend them or take them out.", ("to",), readers, tab)
