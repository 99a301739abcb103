"""Whatever a person, a clock, a network and an endpoint do, in any order: the ledger agrees with what Sendoff says.

The engine is the real one (standstill.py), and so are its database, its journal and its lock; the endpoints keep a
ledger outside of it (ledger.py). SENDOFF_PROPERTIES=wide plays more worlds, the same ones each time, as `./test crash`
does; =deep plays others each time (minutes), =long for hours.
"""

from __future__ import annotations

import faulthandler
import os
import shutil
import sqlite3
import sys
import tempfile
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from sendoff import killpoints
from sendoff.domain.channel import Parcel
from sendoff.domain.delivery import State
from sendoff.domain.errors import BadInput, OwnedElsewhere, Refused
from sendoff.domain.post import Attachment, Content, Item, Mail, Recipient, Variant
from sendoff.domain.when import Late, When, parse_late
from sendoff.engine import writer
from sendoff.engine.commands import Commands
from sendoff.store import accounts, dialect
from sendoff.store.db import FILE, Store
from sendoff.store.media import Media
from sendoff.store.profile import open_folder
from sendoff.store.secrets import Secrets
from sendoff.store.tables import from_stamp
from tests.conftest import SetClock
from tests.engine.ledger import KINDS, SPACING, Effect, Ledger, Mode, Text
from tests.engine.standstill import Process, commands_on, share_statements

START = datetime(2026, 11, 23, 17, 52, tzinfo=UTC)
KEYED, MAIL = 1, 5
NETWORKS = (KEYED, 2, 3, 4)
PICTURE = b"the picture as it was composed"
POINTS = (
    "claim.before", "claim.after", "media.uploaded", "intention.before", "intention.after", "publish.before",
    "body.half", "accepted", "answer.read", "end.after", "look.before", "looking", "look.after",
)  # fmt: skip
SOON = st.sampled_from([0, 0, 0.3, 5, 120, 3600])
RULES = st.sampled_from(["send", "send", "ask 10m", "skip 0s", "skip 10m"])
WHICH = st.integers(0, 30)
A_WHILE = st.sampled_from([0, 0, 1, 40, 130])
LATE_ENOUGH = timedelta(seconds=6)
"""More than the grace of a lateness rule."""


class Crash(BaseException):
    """The process is gone."""


@dataclass(slots=True)
class Written:
    """A post as its person wrote it last."""

    id: int
    tag: str
    version: int
    count: int  # items, or recipients
    accounts: tuple[int, ...]


@dataclass(slots=True)
class Planned:
    """A delivery as its person wants it. `excused`: the rule of lateness no longer stands against it."""

    post: Written
    account: int
    at: datetime
    late: str
    excused: bool = False
    version: int = 0
    count: int = 0

    def __post_init__(self) -> None:
        self.takes_the_text()

    def takes_the_text(self) -> None:
        self.version, self.count = self.post.version, self.post.count


@dataclass(slots=True)
class Row:
    """A delivery as the database has it."""

    id: int
    account: int
    state: State
    owner: str | None
    reason: str
    look_at: int | None
    told: int  # attempts and events
    parts: list[sqlite3.Row] = field(default_factory=list)

    def places(self, part: sqlite3.Row) -> list[int | str]:
        if part["count"]:
            return [address(number) for number in range(part["first"], part["first"] + part["count"])]
        return [part["item"] + 1]

    @property
    def open_part(self) -> sqlite3.Row | None:
        return next((part for part in self.parts if not part["remote_id"] and not part["refused"]), None)


def address(number: int) -> str:
    return f"r{number}@letters.example"


class Judge(RuleBasedStateMachine):
    """The world around the sender, and what must be true of both at any time."""

    base: Path
    """A profile with one account for each way out of doubt, to be copied."""
    now: Judge
    """The one whose steps are reached; there is one at a time."""

    def __init__(self) -> None:
        super().__init__()
        type(self).now = self
        self.folder = Path(tempfile.mkdtemp(dir=self.base.parent)) / "profile"
        shutil.copytree(self.base, self.folder)
        self.clock = SetClock(START)
        self.ledger = Ledger(self.clock.monotonic, self.reach, self.arrives, self.was_doubted)
        self.channels = {one.kind: one(self.ledger) for one in KINDS}
        self.picture = Media(self.folder).keep(PICTURE)
        self.outside = Store(self.folder)
        share_statements(self.outside)
        self.elsewhere = commands_on(self.outside, Secrets(self.folder), self.clock, self.channels)
        self.judges = sqlite3.connect(self.folder / FILE, isolation_level=None)
        self.judges.row_factory = sqlite3.Row
        self.posts: list[Written] = []
        self.planned: dict[int, Planned] = {}
        self.armed: tuple[str, int, Callable[[], None]] | None = None
        self.process: Process | None = None
        self.latest = START  # the latest that the wall clock ever showed
        self.paused_while: set[int] | None = None  # what was leaving when the sending was paused
        self.last_arrival: dict[int, float] = {}  # since the last crash and the last hand on the clock
        self.whose: dict[str, int] = {}  # the delivery of each key that came to an endpoint
        self.fault: AssertionError | None = None  # of what came to an endpoint
        self.start()

    def teardown(self) -> None:
        try:
            if sys.exc_info()[0] is None:  # else it is over already, and that is what has to be told
                self.all_comes_to_rest()
        finally:
            if self.process:
                self.process.die()
            self.outside.close()
            self.judges.close()
            shutil.rmtree(self.folder.parent)

    # --- the process ----------------------------------------------------------------------------------------------

    def start(self) -> None:
        self.process = Process(self.folder, self.clock, self.channels)
        owners = {one.owner for one in self.rows() if one.owner}
        assert not owners, "the last sender's claims are still there"

    def reach(self, point: str) -> None:
        """A named step of the engine or of an endpoint: what was armed for it happens here."""
        if self.armed and self.armed[0] == point:
            _, nth, happens = self.armed
            self.armed = (point, nth - 1, happens) if nth > 1 else None
            if nth <= 1:
                assert self.process
                inside, self.process.writer.inside = self.process.writer.inside, False
                try:
                    happens()
                finally:
                    if self.process:
                        self.process.writer.inside = inside

    def dies(self) -> None:
        raise Crash

    def do(self, step: Callable[[], None]) -> None:
        """One step of the sender, during which it may die."""
        try:
            step()
        except Crash:
            if self.fault:
                raise self.fault from None
            self.crashes()
        self.settle_books()

    def crashes(self) -> None:
        assert self.process
        self.process.die()
        self.process = None
        self.last_arrival.clear()
        self.ledger.unclear |= self.ledger.in_flight
        for one in self.rows():
            if any(part["key"] in self.ledger.in_flight for part in one.parts):
                self.planned[one.id].excused = True
        self.ledger.in_flight.clear()

    def settle_books(self) -> None:
        """Keys whose try has an end on the disk are in flight no more."""
        if self.ledger.in_flight:
            opened = {row[0] for row in self.judges.execute(
                "SELECT parts.key FROM parts JOIN attempts ON part_id = parts.id WHERE outcome IS NULL"
            )}  # fmt: skip
            self.ledger.in_flight &= opened

    def quiet(self) -> None:
        """Lets the sender do all that it can do at this instant."""
        for _ in range(400):
            steps = self.process.steps() if self.process else []
            if not steps:
                return
            self.do(steps[0])
        raise AssertionError("the sender never comes to rest")

    def beat(self) -> None:
        if self.process:
            self.do(self.process.heartbeat)

    def passes(self, seconds: float) -> None:
        """Time passes while the sender does nothing: it is slow, stopped, or off."""
        self.clock.advance(seconds)
        self.latest = max(self.latest, self.clock.now())
        self.ledger.time_passes()

    def lives(self, seconds: float, most: int = 40) -> None:
        """Time passes, and the sender does everything when it is due."""
        until = self.clock.monotonic() + seconds
        while self.process:
            self.beat()
            self.quiet()
            left = until - self.clock.monotonic()
            if left <= 0:
                return
            most -= 1
            self.passes(min(left, self._next() if most > 0 else left))

    def _next(self) -> float:
        """Seconds to the next instant at which something happens."""
        now = self.clock.now()
        instants = self.process.instants() if self.process else []
        row = self.judges.execute("SELECT min(look_at) FROM deliveries WHERE state = 'in_doubt'").fetchone()
        if row[0] is not None:
            instants.append(from_stamp(row[0]))
        ahead = [(instant - now).total_seconds() for instant in instants if instant > now]
        slow = [at - self.clock.monotonic() for at, _, _ in self.ledger.pending]
        return max(min([*ahead, *slow, 3600.0]), 0.001)

    # --- the person -----------------------------------------------------------------------------------------------

    def commands(self, elsewhere: bool = False) -> Commands:
        return self.elsewhere if elsewhere or self.process is None else self.process.commands

    def content(self, tag: str, version: int, count: int, mail: bool) -> Content:
        if mail:
            people = tuple(Recipient(address(number)) for number in range(count))
            return Content((Item(str(Text(tag, version, 1))),), Mail(subject=tag, to=people, separately=True))
        picture = Attachment(self.picture, "p.png", "image/png", len(PICTURE), alt=str(Text(tag, version, 1)))
        texts = [str(Text(tag, version, number)) for number in range(1, count + 1)]
        return Content(tuple(Item(text, (picture,) if number == 0 else ()) for number, text in enumerate(texts)))

    def writes(self, chosen: tuple[int, ...], count: int, seconds: float, late: str, elsewhere: bool) -> None:
        tag = f"p{len(self.posts) + 1}"
        commands = self.commands(elsewhere)
        when = When.at(self.clock.now() + timedelta(seconds=seconds), "UTC")
        content = self.content(tag, 1, count, MAIL in chosen)
        post_id, _ = commands.posts.save_draft(content, [Variant(one) for one in chosen])
        post = Written(post_id, tag, 1, count, chosen)
        self.posts.append(post)
        for one, account in zip(commands.posts.schedule(post_id, when, late, override=True), chosen, strict=True):
            self.planned[one] = Planned(post, account, when.instant, late)

    def edits(
        self, which: int, count: int, seconds: float, late: str, chosen: tuple[int, ...], elsewhere: bool
    ) -> None:
        post = self.posts[which % len(self.posts)]
        mail = MAIL in post.accounts
        chosen = (MAIL,) if mail else chosen
        when = When.at(self.clock.now() + timedelta(seconds=seconds), "UTC")
        content = self.content(post.tag, post.version + 1, count, mail)
        variants = [Variant(one) for one in chosen]
        try:
            ids = self.commands(elsewhere).posts.edit(post.id, content, variants, when, late, override=True)
        except (Refused, BadInput):
            return
        post.version, post.count, post.accounts = post.version + 1, count, chosen
        for one in self.rows():
            if one.id in ids:
                self.planned[one.id] = Planned(post, one.account, when.instant, late)

    def cancels(self, which: int, elsewhere: bool) -> None:
        if ids := list(self.planned):
            with refusable():
                self.commands(elsewhere).deliveries.cancel([ids[which % len(ids)]])

    def moves(self, which: int, seconds: float, elsewhere: bool) -> None:
        if ids := list(self.planned):
            one = ids[which % len(ids)]
            when = When.at(self.clock.now() + timedelta(seconds=seconds), "UTC")
            had_ended = self.had_ended(one)
            with refusable():
                self.commands(elsewhere).deliveries.move([one], when)
                self.planned[one].at = when.instant
                if had_ended:
                    self.planned[one].takes_the_text()

    def retries(self, which: int, elsewhere: bool) -> None:
        if ids := list(self.planned):
            one = ids[which % len(ids)]
            had_ended = self.had_ended(one)
            with refusable():
                self.commands(elsewhere).deliveries.retry([one])
                if had_ended:
                    self.planned[one].takes_the_text()
                self.planned[one].at = min(self.planned[one].at, self.clock.now())
                self.planned[one].excused = True

    def had_ended(self, delivery_id: int) -> bool:
        """Whether it stood still, so that its post may have been changed for other accounts."""
        one = next(row for row in self.rows() if row.id == delivery_id)
        return one.state in (State.FAILED, State.MISSED, State.CANCELLED)

    def pauses(self) -> None:
        self.commands().sender.pause()
        self.paused_while = {one.id for one in self.rows() if one.state is State.SENDING}

    def answers(self, one: Row) -> None:
        """The person looks at the endpoint and says what is there; not while a slow one is still at work."""
        part = one.open_part
        if part is None or any(key == part["key"] for _, key, _ in self.ledger.pending):
            return
        there = any(effect.key == part["key"] for effect in self.ledger.effects)
        self.commands().deliveries.settle(one.id, there)
        self.ledger.unclear.discard(part["key"])
        self.planned[one.id].excused = True

    def settles(self, which: int) -> None:
        doubtful = [one for one in self.rows() if one.state is State.IN_DOUBT]
        if doubtful:
            self.answers(doubtful[which % len(doubtful)])

    def jumps(self, seconds: float) -> None:
        """Somebody sets the clock."""
        self.clock.jump(seconds)
        self.last_arrival.clear()
        self.latest = max(self.latest, self.clock.now())

    def signs_in(self, account: int) -> None:
        """What was held may leave at once then: the pause after a refused try was the old sign-in's."""
        self.ledger.signed_out.discard(account)
        self.last_arrival.pop(account, None)
        self.commands().accounts.reconnect(account, {})

    # --- the judge ------------------------------------------------------------------------------------------------

    def rows(self) -> list[Row]:
        told = Counter(row[0] for row in self.judges.execute(
            "SELECT delivery_id FROM attempts UNION ALL SELECT delivery_id FROM events"
        ))  # fmt: skip
        found = {
            row["id"]: Row(
                row["id"], row["account_id"], State(row["state"]), row["owner"], row["reason"], row["look_at"],
                told[row["id"]],
            )
            for row in self.judges.execute("SELECT * FROM deliveries ORDER BY id")
        }  # fmt: skip
        for part in self.judges.execute("SELECT * FROM parts ORDER BY delivery_id, number"):
            found[part["delivery_id"]].parts.append(part)
        return list(found.values())

    def was_doubted(self, parcel: Parcel) -> None:
        row = self.judges.execute("SELECT delivery_id FROM parts WHERE key = ?", (parcel.key,)).fetchone()
        self.planned[row[0]].excused = True

    def arrives(self, parcel: Parcel) -> None:
        """Before anything comes of it: may this part be here, now, and so? A fault passes through the sender."""
        try:
            self._may_be_here(parcel)
        except AssertionError as fault:
            self.fault = fault
            raise Crash from fault

    def _may_be_here(self, parcel: Parcel) -> None:
        row = self.judges.execute(
            "SELECT d.id, d.state, d.owner, p.remote_id, count(a.id) AS open FROM parts p "
            "JOIN deliveries d ON d.id = p.delivery_id "
            "LEFT JOIN attempts a ON a.part_id = p.id AND a.outcome IS NULL WHERE p.key = ? GROUP BY d.id",
            (parcel.key,),
        ).fetchone()
        assert row, "a key that the database does not know"
        assert self.process
        assert row["remote_id"] is None, "this part has a receipt"
        self.whose[parcel.key] = row["id"]
        wanted, now = self.planned[row["id"]], self.clock.now()
        self._the_text_is_one(parcel, wanted)
        if (row["state"], parcel.account.id) == ("in_doubt", KEYED):
            assert parcel.key in self.ledger.unclear, "repeated although nothing was in doubt"
            return
        assert (row["state"], row["owner"]) == ("sending", self.process.engine.owner), "no intention was written"
        assert row["open"] == 1
        assert self.latest >= wanted.at, f"{wanted.at - self.latest} too early"
        rule = parse_late(wanted.late)
        started = any(part["remote_id"] for part in self._parts(row["id"]))
        if not started and not wanted.excused:
            assert rule.allows(wanted.at, now), f"{now - wanted.at} late in spite of its rule"
        assert self.paused_while is None or row["id"] in self.paused_while, "sent while paused"
        previous = [part["remote_id"] for part in self._parts(row["id"]) if part["number"] < parcel.number]
        if not parcel.recipients:
            assert all(previous), "a part before the one that it follows"
            assert [one.remote_id for one in parcel.previous] == previous
        before = self.last_arrival.get(parcel.account.id)
        if before is not None:
            waited = self.clock.monotonic() - before
            assert waited >= parcel.account.spacing - 0.001, f"only {waited} s after the last one"
        if self.ledger.online:
            self.last_arrival[parcel.account.id] = self.clock.monotonic()

    def _parts(self, delivery_id: int) -> list[sqlite3.Row]:
        return list(self.judges.execute("SELECT * FROM parts WHERE delivery_id = ? ORDER BY number", (delivery_id,)))

    def _the_text_is_one(self, parcel: Parcel, wanted: Planned) -> None:
        text = Text.read(parcel.item.text)
        assert (text.tag, text.version) == (wanted.post.tag, wanted.version), "not what the person wrote last"
        if parcel.recipients:
            assert parcel.blob == parcel.item.text.encode(), "an old mail"
            return
        assert text.number == parcel.number
        assert parcel.prepared.get("picture of", parcel.item.text) == parcel.item.text, "the picture of another version"
        for attachment in parcel.item.media:
            assert attachment.alt == parcel.item.text, "the alternative text of another version"
            assert parcel.file(attachment).read_bytes() == PICTURE

    @invariant()
    def the_ledger_agrees(self) -> None:
        effects: dict[int, list[Effect]] = defaultdict(list)
        for effect in self.ledger.effects:
            effects[self.whose[effect.key]].append(effect)
        for delivery_id, found in effects.items():
            twice = [place for place, n in Counter(effect.place for effect in found).items() if n > 1]
            assert not twice, f"{found[0].tag}, delivery {delivery_id}, is out twice: {twice}"
            assert len({effect.version for effect in found}) == 1, f"a mix of versions: {found}"
        rows = self.rows()
        for one in rows:
            out = {effect.place: effect.remote_id for effect in effects[one.id]}
            self._is_true(one, self.planned[one.id], out)
        sending = Counter(one.account for one in rows if one.state is State.SENDING)
        assert all(n == 1 for n in sending.values()), f"more than one in flight: {sending}"
        live = Counter((self.planned[one.id].post.id, one.account) for one in rows if one.state is not State.CANCELLED)
        assert all(n == 1 for n in live.values()), f"a post stands twice for one account: {live}"

    def _is_true(self, one: Row, planned: Planned, out: dict[int | str, str]) -> None:
        what = f"{planned.post.tag} at account {one.account} is {one.state}"
        unsure = one.open_part if one.state in (State.SENDING, State.IN_DOUBT) else None
        for part in one.parts:
            places = one.places(part)
            there = [place for place in places if place in out]
            if part["remote_id"]:
                assert there == places, f"{what}, and part {part['number']} with a receipt is not there"
                assert part["remote_id"] in ("by hand", out[places[0]]), f"{what}: a receipt for something else"
            elif unsure is None or part["id"] != unsure["id"]:
                assert not there, f"{what}, and part {part['number']} without a receipt is out"
        if one.state is State.SENT:
            numbers = range(planned.count)
            everything = {address(n) for n in numbers} if one.account == MAIL else {n + 1 for n in numbers}
            assert set(out) == everything, f"{what}, and out are {sorted(out)}"
        if one.state is State.IN_DOUBT:
            assert unsure is not None
            assert unsure["key"] in self.ledger.unclear, f"{what}, and its answer was clear"
        if one.state in (State.FAILED, State.MISSED, State.IN_DOUBT, State.HELD):
            assert one.reason, f"{what} without a sentence"
        if one.state in (State.FAILED, State.MISSED, State.IN_DOUBT, State.SENT):
            assert one.told, f"{what} without an attempt or an event"
        if one.state is State.MISSED:
            rule = parse_late(planned.late)
            assert rule.action is not Late.SEND
            assert self.latest > planned.at + rule.within, f"{what}, and it was never late"

    def all_comes_to_rest(self) -> None:
        """With good endpoints and the person's help everything that was not cancelled is out, once."""
        self.armed = None
        self.ledger.answers.clear()
        self.ledger.always.clear()
        self.ledger.online = True
        if self.process is None:
            self.start()
        self.paused_while = None
        self.commands().sender.resume()
        for account in self.judges.execute("SELECT id FROM accounts WHERE state = 'sign_in'").fetchall():
            self.signs_in(account[0])
        for _ in range(60):
            self.lives(1800)
            self.the_ledger_agrees()
            rows = self.rows()
            for one in rows:
                if one.state is State.IN_DOUBT and one.look_at is None:
                    self.answers(one)
                elif one.state in (State.FAILED, State.MISSED):
                    self.retries(list(self.planned).index(one.id), elsewhere=False)
            if all(one.state in (State.SENT, State.CANCELLED) for one in rows):
                return
            if not any(
                one.state is not State.SCHEDULED for one in rows if one.state not in (State.SENT, State.CANCELLED)
            ):
                self.passes_until_due()
        left = [
            (one.id, str(one.state), one.reason)
            for one in self.rows()
            if one.state not in (State.SENT, State.CANCELLED)
        ]
        raise AssertionError(f"lost: {left}")

    def passes_until_due(self) -> None:
        first = self.judges.execute("SELECT min(due_at) FROM deliveries WHERE state = 'scheduled'").fetchone()[0]
        self.lives(max((from_stamp(first) - self.clock.now()).total_seconds(), 0) + 1)


def refusable() -> AbstractContextManager[None]:
    """What is not allowed now is refused with a sentence, and changes nothing."""
    return suppress(Refused, BadInput)


class World(Judge):
    """What may happen, in any order."""

    chosen = st.sets(st.sampled_from(NETWORKS), min_size=1, max_size=2).map(lambda some: tuple(sorted(some)))
    senders = st.one_of(chosen, st.just((MAIL,)))

    @initialize(chosen=chosen, seconds=SOON, late=RULES)
    def a_first_post(self, chosen: tuple[int, ...], seconds: float, late: str) -> None:
        self.writes(chosen, 2, seconds, late, elsewhere=False)

    @rule(
        chosen=senders,
        count=st.integers(1, 4),
        seconds=SOON,
        late=RULES,
        elsewhere=st.booleans(),
    )
    def add(self, chosen: tuple[int, ...], count: int, seconds: float, late: str, elsewhere: bool) -> None:
        if len(self.posts) < 8:
            self.writes(chosen, count, seconds, late, elsewhere)

    @rule(which=WHICH, count=st.integers(1, 3), seconds=SOON, late=RULES, chosen=chosen, elsewhere=st.booleans())
    def edit(self, which: int, count: int, seconds: float, late: str, chosen: tuple[int, ...], elsewhere: bool) -> None:
        self.edits(which, count, seconds, late, chosen, elsewhere)

    @rule(which=WHICH, elsewhere=st.booleans())
    def cancel(self, which: int, elsewhere: bool) -> None:
        self.cancels(which, elsewhere)

    @rule(which=WHICH)
    def restore(self, which: int) -> None:
        cancelled = [one for one in self.rows() if one.state is State.CANCELLED]
        if cancelled:
            one = cancelled[which % len(cancelled)].id
            with refusable():
                self.commands().deliveries.restore([one])
                self.planned[one].takes_the_text()

    @rule(which=WHICH, seconds=SOON, elsewhere=st.booleans())
    def move(self, which: int, seconds: float, elsewhere: bool) -> None:
        self.moves(which, seconds, elsewhere)

    @rule(which=WHICH, elsewhere=st.booleans())
    def retry(self, which: int, elsewhere: bool) -> None:
        self.retries(which, elsewhere)

    @rule()
    def pause(self) -> None:
        self.pauses()

    @precondition(lambda self: self.paused_while is not None)
    @rule()
    def resume(self) -> None:
        self.commands().sender.resume()
        self.paused_while = None

    @rule(which=WHICH)
    def settle(self, which: int) -> None:
        self.settles(which)

    @rule(which=WHICH)
    def look_again(self, which: int) -> None:
        ids = list(self.planned)
        with refusable():
            self.commands().deliveries.look_again(ids[which % len(ids)])

    @precondition(lambda self: bool(self.ledger.signed_out))
    @rule()
    def sign_in(self) -> None:
        self.signs_in(min(self.ledger.signed_out))

    @rule(
        account=st.sampled_from([*NETWORKS, MAIL]),
        modes=st.lists(st.sampled_from(Mode), min_size=1, max_size=3),
        always=st.booleans(),
        seconds=A_WHILE,
    )
    def server_mode(self, account: int, modes: list[Mode], always: bool, seconds: float) -> None:
        self.something_leaves((account,))
        self.ledger.answers[account] = deque(modes)
        self.ledger.always[account] = modes[-1] if always else Mode.ACCEPT
        self.lives(seconds)

    @rule(online=st.booleans())
    def network(self, online: bool) -> None:
        self.ledger.online = online

    @rule(seconds=st.sampled_from([-3600, -40, -3, 3, 40, 700, 3600]))
    def clock_jump(self, seconds: float) -> None:
        self.jumps(seconds)

    @rule(seconds=st.sampled_from([0.05, 0.3, 1, 6, 30, 120, 1800]))
    def tick(self, seconds: float) -> None:
        self.passes(seconds)

    @rule(steps=st.lists(st.integers(0, 5), min_size=1, max_size=6))
    def work(self, steps: list[int]) -> None:
        """A few steps of the sender's threads, in some order."""
        for which in steps:
            found = self.process.steps() if self.process else []
            if found:
                self.do(found[which % len(found)])

    @rule(seconds=st.sampled_from([0, 1, 6, 40, 130, 1000, 4000]))
    def live(self, seconds: float) -> None:
        self.lives(seconds)

    @rule(point=st.sampled_from(POINTS), nth=st.integers(1, 3), chosen=senders, seconds=A_WHILE)
    def crash_at(self, point: str, nth: int, chosen: tuple[int, ...], seconds: float) -> None:
        """The sender dies at a step, if it comes to that."""
        self.something_leaves(chosen)
        self.armed = (point, nth, self.dies)
        self.lives(seconds)

    @precondition(lambda self: self.process is not None and len(self.posts) < 8)
    @rule(point=st.sampled_from(["body.half", "accepted", "answer.read"]), chosen=senders, nth=st.integers(1, 2))
    def crash_on_the_wire(self, point: str, chosen: tuple[int, ...], nth: int) -> None:
        """The sender dies between the first byte of a new post and the end on the disk, and is started again."""
        self.writes(chosen, 2, 0, "send", elsewhere=False)
        self.armed = (point, nth, self.dies)
        self.lives(1)
        if self.process is None:
            self.start()

    @rule(
        point=st.sampled_from(POINTS),
        nth=st.integers(1, 2),
        what=st.sampled_from(["edit", "cancel", "move", "retry", "pause", "settle", "stand still", "jump"]),
        which=WHICH,
        elsewhere=st.booleans(),
        chosen=senders,
    )
    def meanwhile(self, point: str, nth: int, what: str, which: int, elsewhere: bool, chosen: tuple[int, ...]) -> None:
        """Something happens just when the sender reaches a step."""
        self.something_leaves(chosen)
        happens: dict[str, Callable[[], None]] = {
            "edit": lambda: self.edits(which, 1 + which % 3, 0, "send", NETWORKS[which % 4 :][:2], elsewhere),
            "cancel": lambda: self.cancels(which, elsewhere),
            "move": lambda: self.moves(which, 5, elsewhere),
            "retry": lambda: self.retries(which, elsewhere),
            "pause": self.pauses,
            "settle": lambda: self.settles(which),
            "stand still": lambda: self.passes(3600),
            "jump": lambda: self.jumps(-3600 if which % 2 else 3600),
        }
        self.armed = (point, nth, happens[what])
        self.lives(1)

    def something_leaves(self, chosen: tuple[int, ...]) -> None:
        """A step of a sending is reached only if something is sent."""
        soon = self.clock.now() + timedelta(seconds=10)
        if not any(one.at <= soon and one.account in chosen for one in self.planned.values()) and len(self.posts) < 8:
            self.writes(chosen, 2, 0, "send", elsewhere=False)

    @precondition(lambda self: self.process is not None)
    @rule()
    def crash(self) -> None:
        self.crashes()

    @precondition(lambda self: self.process is None)
    @rule(seconds=st.sampled_from([0, 0, 1, 30, 1000]))
    def restart(self, seconds: float) -> None:
        self.passes(seconds)
        self.start()

    @precondition(lambda self: self.process is not None)
    @rule()
    def stop_and_start(self) -> None:
        assert self.process
        self.process.stop()
        self.process = None
        self.settle_books()
        self.ledger.unclear |= self.ledger.in_flight
        self.ledger.in_flight.clear()
        self.start()

    @precondition(lambda self: self.process is not None)
    @rule()
    def second_instance(self) -> None:
        with pytest.raises(OwnedElsewhere):
            Process(self.folder, self.clock, self.channels)

    @precondition(lambda self: self.process is not None)
    @rule(steps=st.lists(st.integers(0, 5), min_size=1, max_size=6))
    def locked(self, steps: list[int]) -> None:
        """Another program holds the database for a few steps."""
        blocker = sqlite3.connect(self.folder / FILE, isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        try:
            armed, self.armed = self.armed, None
            self.work(steps)
            self.armed = armed
        finally:
            blocker.execute("ROLLBACK")
            blocker.close()
        self.beat()


settings.register_profile("quick", max_examples=12, stateful_step_count=30, derandomize=True, database=None)
settings.register_profile("wide", max_examples=150, stateful_step_count=40, derandomize=True, database=None)
settings.register_profile("deep", max_examples=200, stateful_step_count=40, database=None)
settings.register_profile("long", max_examples=3000, stateful_step_count=80, database=None)


@pytest.mark.expects_log("could not be written|claiming failed|a task failed|the clock moved|nothing takes")
@pytest.mark.timeout(3600)
def test_whatever_happens_the_ledger_agrees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    faulthandler.cancel_dump_traceback_later()  # the mark has its own time: a long run takes its hour
    World.base = tmp_path / "base"
    store = Store(open_folder(World.base))
    with store.writing() as connection:
        for kind in KINDS:
            accounts.insert(
                connection, workspace_id=1, channel=kind.kind, name=kind.kind, handle=f"@{kind.kind}", url="",
                settings={}, learned={}, secret_ref=None, spacing=SPACING.get(kind.kind, 0.0), now=START,
            )  # fmt: skip
    store.close()
    monkeypatch.setattr(dialect, "BUSY_SECONDS", 0.0)
    monkeypatch.setattr(writer, "RETRY_SECONDS", 0.0)
    monkeypatch.setattr(killpoints, "reach", lambda point: World.now.reach(point))
    profile = settings.get_profile(os.environ.get("SENDOFF_PROPERTIES", "quick"))
    run_state_machine_as_test(World, settings=settings(profile, deadline=None, suppress_health_check=list(HealthCheck)))
