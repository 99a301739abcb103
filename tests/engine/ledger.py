"""Endpoints on one ledger outside the program: what took effect there, counted, is what every claim is held against."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from functools import partial

from sendoff.domain.account import Account
from sendoff.domain.capabilities import Capabilities
from sendoff.domain.channel import Channel, Frozen, How, Identity, Parcel, Settle
from sendoff.domain.delivery import Receipt
from sendoff.domain.errors import CannotLook, InDoubt, NeedsLogin, Rejected, TryLater

SHOWN_AFTER = 20.0
"""Seconds until an effect shows in the endpoint's own list."""

SLOW = 15.0
"""Seconds after which a slow endpoint makes happen what nobody waits for any more."""

KEY_LIFE = 600
"""Seconds for which an endpoint knows a key again."""


class Mode(StrEnum):
    """What an endpoint does with what comes in."""

    ACCEPT = "accept"
    LOSE_ANSWER = "lose the answer"  # it happened, and nobody hears of it
    LOSE_BEFORE = "lose it before"  # the connection breaks, and it never happened
    SLOW = "slow"  # the connection breaks, and it happens a little later
    REFUSE = "refuse"
    SIGN_IN = "401"
    LATER = "later"
    WISH = "later, with Retry-After"


@dataclass(frozen=True, slots=True)
class Effect:
    """Something that everybody can see: one post, or one copy of a mail."""

    tag: str
    version: int
    place: int | str  # the item's number, or the recipient's address
    account: int
    key: str
    own: str  # the id that the sender chose
    remote_id: str
    at: float


@dataclass(slots=True)
class Ledger:
    """What happened at the endpoints, in seconds of the true time, which no clock of the program can set.

    `steps` is told the places at which a crash is tried; `arrived` judges what comes in before it counts.
    """

    true: Callable[[], float]
    steps: Callable[[str], None] = lambda _: None
    arrived: Callable[[Parcel], None] = lambda _: None
    doubted: Callable[[Parcel], None] = lambda _: None
    online: bool = True
    effects: list[Effect] = field(default_factory=list)
    pending: list[tuple[float, str, Callable[[], object]]] = field(default_factory=list)
    answers: dict[int, deque[Mode]] = field(default_factory=dict)
    always: dict[int, Mode] = field(default_factory=dict)
    signed_out: set[int] = field(default_factory=set)
    in_flight: set[str] = field(default_factory=set)  # keys whose bytes left and whose end is not on the disk
    unclear: set[str] = field(default_factory=set)  # keys of which the sender could not know
    then: float | None = None

    def answer(self, account: int) -> Mode:
        scripted = self.answers.get(account)
        return scripted.popleft() if scripted else self.always.get(account, Mode.ACCEPT)

    def time_passes(self) -> None:
        """Lets happen what a slow endpoint still had to do."""
        due = sorted((one for one in self.pending if one[0] <= self.true()), key=lambda one: one[0])
        self.pending = [one for one in self.pending if one[0] > self.true()]
        for self.then, _, happen in due:  # at its own instant, however long nobody looked
            happen()
        self.then = None

    def time(self) -> float:
        return self.true() if self.then is None else self.then


@dataclass(frozen=True, slots=True)
class Text:
    """What stands in a post: "p3.v2.i1" is the first item of the second version of post 3."""

    tag: str
    version: int
    number: int

    def __str__(self) -> str:
        return f"{self.tag}.v{self.version}.i{self.number}"

    @classmethod
    def read(cls, written: str) -> Text:
        tag, version, number = written.split(".")
        return cls(tag, int(version[1:]), int(number[1:]))


class Endpoint(Channel):
    """One class of settling; see reliability: the key again, the own id, a list that can be searched, nothing."""

    tells_leaving = True
    way_out = Settle(How.ASK)

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._armed = 0

    def connect(self, fields: Mapping[str, str]) -> Identity:
        return Identity(handle=f"@{self.kind}")

    def settle(self, account: Account) -> Settle:
        return self.way_out

    def publish(self, parcel: Parcel) -> Receipt:
        ledger = self.ledger
        ledger.arrived(parcel)
        if not ledger.online:
            raise TryLater("There is no network.", offline=True)
        mode = Mode.SIGN_IN if parcel.account.id in ledger.signed_out else ledger.answer(parcel.account.id)
        parcel.trace.leaving()
        ledger.in_flight.add(parcel.key)
        if mode is Mode.SLOW:
            ledger.pending.append((ledger.true() + SLOW, parcel.key, partial(self.happens, parcel)))
        ledger.steps("body.half")
        if mode in (Mode.LOSE_BEFORE, Mode.SLOW):
            raise self._unclear(parcel)
        if mode is Mode.SIGN_IN:
            ledger.signed_out.add(parcel.account.id)
            raise NeedsLogin("The key is no longer valid.")
        if mode is Mode.REFUSE:
            raise Rejected("It was refused: too rude.")
        if mode in (Mode.LATER, Mode.WISH):
            raise TryLater("It is busy.", after=timedelta(seconds=90) if mode is Mode.WISH else None)
        receipt = self.happens(parcel)
        ledger.steps("accepted")
        if mode is Mode.LOSE_ANSWER:
            raise self._unclear(parcel)
        return receipt

    def _unclear(self, parcel: Parcel) -> InDoubt:
        self.ledger.unclear.add(parcel.key)
        self.ledger.doubted(parcel)
        return InDoubt("The connection broke before an answer came.")

    def known(self, parcel: Parcel) -> Receipt | None:
        """What a repeat is answered with, where the endpoint knows it again."""
        return None

    def happens(self, parcel: Parcel) -> Receipt:
        """At once or later: what the endpoint knows again has no second effect."""
        return self.known(parcel) or self._takes_effect(parcel)

    def _takes_effect(self, parcel: Parcel) -> Receipt:
        ledger, text = self.ledger, Text.read(parcel.item.text)
        remote_id = f"id-{len(ledger.effects) + 1}"
        places: list[int | str] = [one.address for one in parcel.recipients] or [text.number]
        own = str(parcel.frozen.get("own", ""))
        ledger.effects += [
            Effect(text.tag, text.version, place, parcel.account.id, parcel.key, own, remote_id, ledger.time())
            for place in places
        ]
        return Receipt(remote_id)

    def find(self, parcel: Parcel) -> Receipt | None:
        if not self.ledger.online:
            raise TryLater("There is no network.", offline=True)
        self.ledger.steps("looking")
        return self.look(parcel)

    def look(self, parcel: Parcel) -> Receipt | None:
        raise CannotLook("It can’t be asked.")

    def _among(self, wanted: Callable[[Effect], bool], shown_after: float = 0.0) -> Receipt | None:
        shown = (one for one in self.ledger.effects if one.at + shown_after <= self.ledger.true() and wanted(one))
        found = next(shown, None)
        return found and Receipt(found.remote_id)


_POSTS = Capabilities(checked="2026-11-26", threads=True, text=500, media=4, media_types=("image/",))


class Keyed(Endpoint):
    """It knows a key again for ten minutes, once what came under it has happened."""

    kind = title = "keyed"
    capabilities = _POSTS
    way_out = Settle(How.REPEAT, looks=(30, 120), key_life=KEY_LIFE)

    def known(self, parcel: Parcel) -> Receipt | None:
        since = self.ledger.time() - KEY_LIFE
        return self._among(lambda one: one.key == parcel.key and one.at >= since)


class Named(Endpoint):
    """The sender names what it makes, and the endpoint makes nothing twice under one name."""

    kind = title = "named"
    capabilities = _POSTS
    way_out = Settle(How.SEARCH, looks=(5, 30), absent_after=SLOW + 5)

    def arm(self, parcel: Parcel) -> Frozen:
        self._armed += 1
        return Frozen({"own": f"own-{parcel.key}-{self._armed}"})

    def known(self, parcel: Parcel) -> Receipt | None:
        return self._among(lambda one: one.own == parcel.frozen["own"])

    def look(self, parcel: Parcel) -> Receipt | None:
        return self.known(parcel)


class Searched(Endpoint):
    """It has a list of one's own posts, in which they show a little later; and pictures are uploaded before."""

    kind = title = "searched"
    capabilities = Capabilities(
        checked="2026-11-26", threads=True, text=500, media=4, media_types=("image/",), prepares=True
    )
    way_out = Settle(How.SEARCH, looks=(30, 60), absent_after=60)
    uploads = True

    def upload(self, parcel: Parcel) -> Mapping[str, str]:
        if not self.ledger.online:
            raise TryLater("There is no network.", offline=True)
        return {"picture of": parcel.item.text}

    def prepare(self, parcel: Parcel) -> Mapping[str, str]:
        return parcel.uploaded or self.upload(parcel)

    def look(self, parcel: Parcel) -> Receipt | None:
        text = Text.read(parcel.item.text)
        return self._among(
            lambda one: (
                (one.account, one.tag, one.place) == (parcel.account.id, text.tag, text.number)
                and one.remote_id not in parcel.known
            ),
            SHOWN_AFTER,
        )


class Asked(Endpoint):
    """It tells nothing afterwards."""

    kind = title = "asked"
    capabilities = _POSTS


class Letters(Endpoint):
    """Mail, two copies in one request, found in a log by an id of one's own."""

    kind = title = "letters"
    capabilities = Capabilities(checked="2026-11-26", mail=True, batch=2)
    way_out = Settle(How.SEARCH, looks=(30, 60), absent_after=60)

    def arm(self, parcel: Parcel) -> Frozen:
        self._armed += 1
        return Frozen({"own": f"<{self._armed}.{parcel.key}@letters.example>"}, parcel.item.text.encode())

    def look(self, parcel: Parcel) -> Receipt | None:
        return self._among(lambda one: one.own == parcel.frozen["own"], SHOWN_AFTER)


KINDS = (Keyed, Named, Searched, Asked, Letters)
SPACING = {"named": 10.0}
