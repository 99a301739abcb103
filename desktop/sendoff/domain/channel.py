"""What a channel is: declared figures and fields, and a handful of verbs. The engine knows no more of it than this."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from sendoff.domain.account import Account
from sendoff.domain.capabilities import Capabilities
from sendoff.domain.delivery import Receipt
from sendoff.domain.errors import CannotLook, NotFound
from sendoff.domain.numbers import Numbers
from sendoff.domain.post import Attachment, Content, Item, LinkCard, Recipient
from sendoff.domain.text import LINK, Span, marks

PAID_READS = "paid_reads"
"""The setting, a switch, by which a person lets Sendoff read what the endpoint charges for."""


class Kind(StrEnum):
    """How a field of a form is asked for."""

    TEXT = "text"
    SECRET = "secret"  # noqa: S105
    CHOICE = "choice"
    NUMBER = "number"
    SWITCH = "switch"  # the values are "yes" and "no"
    FILE = "file"
    LINES = "lines"  # several lines of text
    ADDRESS = "address"  # a web address; https, or http on this computer


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the sign-in form. Secret ones go to the keychain and nowhere else.

    `advanced` ones are folded away, as "Advanced" or under the title `fold`. Where `shown` names another field and some
    of its values, it is shown only while that field has one of them.
    """

    name: str
    label: str
    kind: Kind = Kind.TEXT
    required: bool = True
    help: str = ""
    default: str = ""
    choices: tuple[tuple[str, str], ...] = ()  # value, label
    advanced: bool = False
    placeholder: str = ""
    fold: str = "Advanced"
    shown: tuple[str, tuple[str, ...]] | None = None
    hidden: bool = False  # filled in by the sign-in with the browser, and never asked for

    @property
    def secret(self) -> bool:
        return self.kind is Kind.SECRET


@dataclass(frozen=True, slots=True)
class Option:
    """Something that only this channel knows about a post: visibility, tags, a content warning.

    `sample` stands in for it where a channel is only tried.
    """

    name: str
    label: str
    kind: Kind = Kind.TEXT
    help: str = ""
    default: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    sample: str = ""


@dataclass(frozen=True, slots=True)
class Preset:
    """A known provider: what to fill in for its customers. `domains` are those of their mail addresses.

    `from_address` is laid over that of the channel.
    """

    name: str
    values: Mapping[str, str]
    domains: tuple[str, ...] = ()
    help: str = ""
    from_address: Mapping[str, str] = field(default_factory=dict)


class How(StrEnum):
    """How doubt about a part is settled."""

    REPEAT = "repeat"  # the same key again has one effect
    SEARCH = "search"  # the endpoint can be asked
    ASK = "ask"  # only the person can tell


@dataclass(frozen=True, slots=True)
class Settle:
    """The way out of doubt for one account, in seconds counted from the doubtful attempt.

    Args:
        how: the class.
        looks: when to look (SEARCH) or to repeat (REPEAT).
        absent_after: from when on "not found" may be believed. Before that it proves nothing.
        key_life: how long the endpoint remembers a key (REPEAT).
        why: for the person, what this account can and cannot find out.
    """

    how: How
    looks: tuple[int, ...] = ()
    absent_after: int = 0
    key_life: int | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who signed in, as the endpoint says. `settings` and `secrets` lie over what was typed; `learned` are figures.

    `expires` is when the sign-in ends for good, aware UTC, where the endpoint or the key itself says so. (A token that
    `renew` replaces is no end.)
    """

    handle: str
    name: str = ""
    url: str = ""
    learned: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    expires: datetime | None = None


@dataclass(frozen=True, slots=True)
class Frozen:
    """What is decided once for a part and never again: a Message-Id, a record key, the finished bytes of a mail."""

    data: Mapping[str, Any] = field(default_factory=dict)
    blob: bytes | None = None


def _untold(*_: object) -> None:
    """Nobody wants to know."""


class Trace:
    """What went over the wire in one try, for the person to read later. Filled by the channel, masked by the engine.

    Args:
        leaving: told once, just before the first byte leaves that may have an effect; what it raises keeps it here.
    """

    __slots__ = ("_leaving", "answer", "left", "request", "status")

    def __init__(self, leaving: Callable[[], None] = _untold) -> None:
        self.request = ""
        self.answer = ""
        self.status: int | None = None
        self.left = False  # bytes that may have an effect may have left
        self._leaving = leaving

    def leaving(self) -> None:
        """Bytes that may have an effect leave now. Until this is said, a crash leaves no doubt: nothing happened.

        Raises:
            TryLater: it could not be noted, so it must not leave.
        """
        self.left = True
        self.status = None  # what was answered before says nothing of what leaves now
        told, self._leaving = self._leaving, _untold
        told()


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """Everything that one try needs, complete and immutable: a channel asks for nothing else and stores nothing.

    Args:
        account: whose it is, without the secret.
        capabilities: the channel's figures with what the server told laid over them.
        secret: the secret fields of the sign-in form by name.
        content: the whole post as this account gets it.
        item: the item of this part; for a mail the first one.
        recipients: the people of this part (mail only).
        number: this part's number, from 1; `of` is how many there are.
        key: made once for the part, the same in every try.
        options: what only this channel knows about the post.
        frozen, blob: what `arm` decided.
        prepared: what `prepare` achieved (uploaded media ids).
        uploaded: what `upload` put there some minutes before, if it did and that is still good.
        previous: the receipts of the parts before this one, in order.
        planned_at: the instant that the person meant; `now`: the instant of this try, both aware UTC.
        first_try, last_try: when the first and the latest try of this part began; None before the first.
        known: ids of the account's other parts that are out, in a look only; what is found must be none of them.
        file: where an attachment's bytes lie on this computer.
        trace: where the channel notes what went over the wire.
        told: told while something large leaves: what it is, how many bytes of it have left, and of how many. It never
            raises.
    """

    account: Account
    capabilities: Capabilities
    secret: Mapping[str, str] = field(repr=False)
    content: Content
    item: Item
    recipients: tuple[Recipient, ...] = ()
    number: int = 1
    of: int = 1
    key: str
    options: Mapping[str, str] = field(default_factory=dict)
    frozen: Mapping[str, Any] = field(default_factory=dict)
    blob: bytes | None = None
    prepared: Mapping[str, Any] = field(default_factory=dict)
    uploaded: Mapping[str, Any] = field(default_factory=dict)
    previous: tuple[Receipt, ...] = ()
    planned_at: datetime
    now: datetime
    first_try: datetime | None = None
    last_try: datetime | None = None
    known: frozenset[str] = frozenset()
    file: Callable[[Attachment], Path]
    trace: Trace = field(default_factory=Trace, compare=False, repr=False)
    told: Callable[[str, int, int], None] = field(default=_untold, compare=False, repr=False)

    def telling(self, *attachments: Attachment) -> Callable[[int], None]:
        """What to tell how many bytes of these have left, as `Http.told` is."""
        size = sum(one.size for one in attachments)
        name = attachments[0].name if len(attachments) == 1 else f"{len(attachments)} files"
        return lambda out: self.told(name, min(out, size), size)


class Level(StrEnum):
    """How grave a problem is."""

    ERROR = "error"  # cannot be sent so
    WARNING = "warning"  # can, and somebody may mind
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something about a post that this account's endpoint will not take, or that deserves a look.

    `title` is the bold cause, `text` the consequence, `fix` the name of the remedy that the composer offers ("" none).
    """

    level: Level
    code: str
    title: str
    text: str = ""
    fix: str = ""
    item: int = 0


@dataclass(frozen=True, slots=True)
class Planned:
    """A post that the endpoint itself keeps until `at` (aware UTC) and that was planned there, not here."""

    id: str
    at: datetime
    text: str = ""
    pictures: int = 0


class BrowserSignIn:
    """A sign-in that happens in the person's own browser. Made by `Channel.browser`; used once.

    `url` is what to open. `wait` blocks until the browser came back, and returns the fields to connect with;
    `paste` does the same with a code that the page showed. `close` gives up; it may be called from another thread.
    `code_url` is what to open instead where the browser cannot come back here (it runs on another computer): its page
    shows a code to paste. "" where the service has no such page.
    """

    url: str
    code_url: str = ""

    def wait(self, seconds: float) -> Mapping[str, str]:
        raise NotImplementedError

    def paste(self, code: str) -> Mapping[str, str]:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError


class Channel:
    """The base of every channel: what it declares, and its verbs. One instance serves all accounts and all threads.

    Verbs raise the four ends of errors.py. They never sleep for long, never retry and never store: time and rows
    belong to the engine.
    """

    kind: str
    title: str
    needs: str = ""  # what a person has to have at hand, and the minutes it takes: "An app password · 1 min"
    group: str = "network"  # "network", "mail", "other" or "practice": where it stands in the list of channels
    mark: str = ""  # the name of its mark in resources/icons/marks
    steps: tuple[str, ...] = ()  # what to click where, to get what the form asks for
    capabilities: Capabilities
    fields: tuple[Field, ...] = ()
    options: tuple[Option, ...] = ()
    presets: tuple[Preset, ...] = ()
    preset_words: tuple[str, str] = ("Provider", "Another provider")  # what a preset is called; none of them
    imports: str = ""  # what `imported` reads: "OpenAPI document (JSON or YAML)"; "" nothing
    from_address: Mapping[str, str] = {}  # fields that follow from a mail address: name → shape of {address}, {local}
    signs_in_by_browser: bool = False
    browser_first: bool = True  # where it does: that is offered first, and a key is the other way
    can_reach: bool = False  # `reach` really asks; else whether the host is there is found out by sending
    renews: bool = False  # its tokens run out, and `renew` gets new ones
    uploads: bool = False  # `upload` puts a part's files there some minutes before its time
    tells_leaving: bool = False  # `publish` says `parcel.trace.leaving()` itself, as http.py does
    can_rehearse: bool = False  # `rehearse` shows what would leave
    arms_anew: bool = (
        False  # after a try of which nothing left, `arm` decides anew: its instant is that of the next try
    )
    stable: str = ""  # the name among what `connect` learned that stays when a handle changes; "" only the handle does
    own_ids: bool = False  # each post has an id there that no other of the account has or had: another's is no receipt
    places: tuple[str, ...] = ()  # what in learned and settings tells where an account's posts appear; its id first
    can_delete: bool = False  # `delete` takes back what was sent
    reads_cost: bool = False  # reading there has its price: only where the account's setting PAID_READS is "yes"
    tells_planned: bool = False  # `planned` says what the endpoint itself keeps for the account

    def place(self, account: Account) -> tuple[str, ...]:
        """Where an account's posts appear: two with the same place are one there. () where nothing tells it."""
        told = tuple(str(account.learned.get(name) or account.settings.get(name) or "") for name in self.places)
        return told if told and told[0] else ()

    def called(self, account: Account) -> str:
        """What to call an account's endpoint in a sentence: the program that its server runs, where that is known."""
        return self.title

    def browser(self, fields: Mapping[str, str]) -> BrowserSignIn:
        """Starts a sign-in in the browser with what was typed so far (the server's address)."""
        raise NotImplementedError

    def needs_browser(self, fields: Mapping[str, str]) -> bool:
        """Whether what was chosen in the form can't be connected with before `browser` has signed in. Pure."""
        return False

    def connect(self, fields: Mapping[str, str]) -> Identity:
        """Tries the fields on the real endpoint and says who signed in; changes nothing there.

        Raises:
            BadInput: a field cannot be right; the message names it.
            Rejected, NeedsLogin, TryLater: the endpoint's answer, in a sentence that says what to do.
        """
        raise NotImplementedError

    def reach(self, account: Account) -> None:
        """Whether the account's host can be reached now: a connection that says nothing. Asked after a sleep.

        Raises:
            TryLater: no, in a sentence.
        """

    def renew(self, account: Account, secret: Mapping[str, str], now: datetime) -> Mapping[str, str]:
        """New secret fields where the old ones are about to run out (RFC 6749 section 6); {} where they are not.

        Called for one account at a time; what it returns is in the keychain before it is used.

        Raises:
            NeedsLogin: the endpoint gives no new ones. TryLater: not now.
        """
        return {}

    def imported(self, document: bytes) -> Sequence[Preset]:
        """What a description of a service holds, each ready to be filled in. Pure: nothing that it names is fetched.

        Raises:
            BadInput: it is no such document.
        """
        raise NotImplementedError

    def rehearse(self, parcel: Parcel) -> str:
        """What `publish` would send, as text with the secrets masked. Pure: nothing leaves.

        Raises:
            BadInput: the account's settings can't make a request of this post.
        """
        raise NotImplementedError

    def check(self, content: Content, options: Mapping[str, str], account: Account) -> Iterable[Problem]:
        """What only this channel can say against a post, beyond the declared figures. Pure; called while typing."""
        return ()

    def linked(self, text: str) -> str:
        """The link whose card stands below a text, or "". Pure; by default the first with https:// or http://."""
        found = LINK.search(text)
        return found[0] if found else ""

    def marked(self, text: str) -> Sequence[Span]:
        """What the network makes a link, a mention or a tag of a text, in order, never overlapping. Pure; by default
        as Mastodon does."""
        return marks(text)

    def card(self, content: Content, number: int, options: Mapping[str, str]) -> LinkCard | None:
        """The card that stands below an item (by its place, from 0), as far as is known. Pure."""
        item = content.items[number]
        known, kind = item.card, self.capabilities.card
        if known is None or not kind or item.shown or known.url != self.linked(item.text):
            return None
        return known if kind == "own" or not known.removed else None

    def lacks(self, account: Account) -> Iterable[str]:
        """What this account's server has not or does otherwise than usual, in sentences for the person. Pure."""
        return ()

    def planned(self, account: Account, secret: Mapping[str, str]) -> Sequence[Planned]:
        """What the endpoint itself keeps for this account until its time, whoever planned it there; next one first.

        Raises:
            Rejected, NeedsLogin, TryLater: it can't be read.
        """
        raise NotImplementedError

    def settle(self, account: Account) -> Settle:
        """The way out of doubt that this account has."""
        return Settle(How.ASK, why=f"{self.title} can’t be asked what became of a post.")

    def arm(self, parcel: Parcel) -> Frozen:
        """Decides once what must be the same in every try. Pure; called before the first try, kept with the part (see
        `arms_anew`)."""
        return Frozen()

    def upload(self, parcel: Parcel) -> Mapping[str, Any]:
        """Puts a part's files there some minutes before its time, where nobody sees them; {} where it has none.

        What it returns comes to `prepare` as `parcel.uploaded`, for as long as `capabilities.prepared_life` says and
        only where the part is still what it was. It knows neither what `arm` decides nor the parts before.

        Raises:
            Rejected, NeedsLogin, TryLater: they are not there. Nothing follows from it: it is tried again at its time.
        """
        raise NotImplementedError

    def prepare(self, parcel: Parcel) -> Mapping[str, Any]:
        """Does what nobody sees, over the wire if need be (uploads). May be called again when its result is stale."""
        return {}

    def publish(self, parcel: Parcel) -> Receipt:
        """Makes the part happen, once.

        Raises:
            Rejected, NeedsLogin, TryLater, InDoubt: the four other ends.
        """
        raise NotImplementedError

    def delete(self, account: Account, secret: Mapping[str, str], receipt: Receipt) -> None:
        """Takes a sent part back at the endpoint. One that is gone already is no error, so it may be repeated.

        Raises:
            Rejected, NeedsLogin, TryLater: it is still there. InDoubt: nobody knows; ask again.
        """
        raise NotImplementedError

    def may_read(self, account: Account) -> bool:
        """Whether Sendoff may read there without being asked to."""
        return not self.reads_cost or account.settings.get(PAID_READS) == "yes"

    def numbers(
        self, account: Account, secret: Mapping[str, str], receipts: Sequence[Receipt]
    ) -> Mapping[str, Numbers | None]:
        """What people did with these posts, by `Receipt.remote_id`. At most `capabilities.numbers` are asked for.

        Returns:
            None for a post that is surely not there any more; one that the endpoint can't tell of now is left out.

        Raises:
            Rejected, NeedsLogin, TryLater: nothing could be read.
        """
        raise NotImplementedError

    def find(self, parcel: Parcel) -> Receipt | None:
        """Looks whether the part happened. None: not there (whether that may be believed yet is the engine's matter).

        Raises:
            CannotLook: this account cannot find out.
            Dropped: it was taken and then refused; nobody got it.
            TryLater, NeedsLogin, Rejected: the look itself did not work, which says nothing about the part.
        """
        raise CannotLook(f"{self.title} can’t be asked what became of a post.")


def channel_named(channels: Mapping[str, Channel], kind: str) -> Channel:
    """The channel of this kind.

    Raises:
        NotFound: there is none; the message lists what there is.
    """
    try:
        return channels[kind]
    except KeyError:
        raise NotFound(f"There is no channel “{kind}”. There are: {', '.join(sorted(channels))}.") from None
