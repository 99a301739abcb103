"""The engine without its threads: one step at a time, on a clock that stands still until it is moved."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from sendoff.domain.account import Account
from sendoff.domain.capabilities import Capabilities
from sendoff.domain.channel import Channel, Frozen, How, Identity, Parcel, Settle
from sendoff.domain.delivery import Delivery, Receipt, State
from sendoff.domain.post import Content, Item, Plan, Variant
from sendoff.domain.when import When
from sendoff.engine.clockwatch import Chronometer
from sendoff.engine.commands import Commands
from sendoff.engine.dispatch import Dispatch
from sendoff.engine.keys import Keys
from sendoff.engine.settle import Settler
from sendoff.store import accounts, deliveries, doubts, outgoing, timeline
from sendoff.store.db import Connection, Store
from sendoff.store.media import Media
from sendoff.store.outgoing import Begin, End
from sendoff.store.profile import open_folder
from sendoff.store.secrets import Secrets
from tests.conftest import SetClock

ZONE = "Europe/Berlin"


class Inline:
    """The writer's contract without its thread: everything at once, in the asking thread."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def begin(self, wanted: Sequence[Begin]) -> set[int]:
        with self._store.writing() as connection:
            return outgoing.begin_many(connection, wanted)

    def end(self, end: End) -> None:
        with self._store.writing() as connection:
            outgoing.end_many(connection, [end])

    def run(self, work: Callable[[Connection], Any]) -> Any:
        with self._store.writing() as connection:
            return work(connection)

    note = run


class Scripted(Channel):
    """A channel that answers as it is told: what to raise, or a receipt. Its ledger is the judge."""

    kind = "scripted"
    title = "Scripted"
    capabilities = Capabilities(checked="2026-11-23", threads=True, text=500, batch=2)

    def __init__(self) -> None:
        self.answers: list[Exception | Receipt | None] = []
        self.looks: list[Exception | Receipt | None] = []
        self.way_out = Settle(How.ASK)
        self.ledger: list[str] = []
        self.parcels: list[Parcel] = []
        self.found: list[Parcel] = []
        self.arms = 0

    def connect(self, fields: Mapping[str, str]) -> Identity:
        return Identity("@scripted")

    def settle(self, account: Account) -> Settle:
        return self.way_out

    def arm(self, parcel: Parcel) -> Frozen:
        self.arms += 1
        return Frozen({"armed": self.arms}, b"frozen bytes")

    def publish(self, parcel: Parcel) -> Receipt:
        self.parcels.append(parcel)
        parcel.trace.request = f"POST with {dict(parcel.secret)}"
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Exception):
            raise answer
        self.ledger.append(parcel.key)
        return answer or Receipt(f"id-{len(self.ledger)}", f"https://scripted.example/{len(self.ledger)}")

    def find(self, parcel: Parcel) -> Receipt | None:
        self.found.append(parcel)
        look = self.looks.pop(0)
        if isinstance(look, Exception):
            raise look
        return look


class Drawer:
    """A keychain in memory; it can be locked."""

    name = "a drawer"

    def __init__(self) -> None:
        self.items: dict[str, str] = {}
        self.trouble: Exception | None = None

    def read(self, item: str) -> str | None:
        if self.trouble:
            raise self.trouble
        return self.items.get(item)

    def write(self, item: str, value: str) -> None:
        self.items[item] = value

    def erase(self, item: str) -> None:
        del self.items[item]


class Driver:
    """A profile, one account, and the parts of the engine that decide."""

    def __init__(self, folder: Path, clock: SetClock, channel: Scripted | None = None) -> None:
        self.clock = clock
        self.store = Store(open_folder(folder))
        self.channel = channel or Scripted()
        self.drawer = Drawer()
        self.secrets = Secrets(folder, system=lambda: self.drawer)
        self.media = Media(folder)
        self.troubles: list[str] = []
        self.left: list[int] = []
        self.unreached: list[int] = []
        self.writer = Inline(self.store)
        channels: Mapping[str, Channel] = {self.channel.kind: self.channel}
        self.commands = Commands(
            store=self.store, secrets=self.secrets, channels=channels, clock=clock, zone=lambda: ZONE
        )
        chronometer = Chronometer(clock, "this boot")
        self.keys = Keys(self.secrets, folder, clock)
        self.dispatch = Dispatch(
            store=self.store, writer=self.writer, secrets=self.secrets, keys=self.keys, media=self.media,  # type: ignore[arg-type]
            channels=channels, clock=clock, chronometer=chronometer, owner="me", leaving=self.left.append,
            trouble=self.troubles.append, unreached=lambda account: self.unreached.append(account.id),
            uploaded=lambda job, part: {},
            chance=random.Random(7),
        )  # fmt: skip
        self.settler = Settler(
            store=self.store, writer=self.writer, dispatch=self.dispatch, keys=self.keys,  # type: ignore[arg-type]
            channels=channels, clock=clock, chronometer=chronometer, chance=random.Random(7),
        )  # fmt: skip
        with self.store.reading() as connection:
            known = accounts.every(connection)
        self.account = known[0].id if known else self.add_account("ada", {"token": "CANARY-0123456789"})

    def add_account(self, name: str, secret: Mapping[str, str] | None = None, spacing: float = 0.0) -> int:
        ref = self.secrets.put(secret) if secret else None
        with self.store.writing() as connection:
            return accounts.insert(
                connection, workspace_id=1, channel=self.channel.kind, name=name, handle=f"@{name}", url="",
                settings={}, learned={}, secret_ref=ref, spacing=spacing, now=self.clock.now(),
            )  # fmt: skip

    def schedule(self, *texts: str, seconds: float = 0, late: str = "send", account: int | None = None) -> int:
        """Plans a post (several texts are a thread) and returns the delivery's id."""
        variant = Variant(account or self.account)
        post_id, _ = self.commands.posts.save_draft(
            Content(tuple(Item(text) for text in texts or ("hello",))), [variant], Plan()
        )
        when = When.at(self.clock.now() + timedelta(seconds=seconds), ZONE)
        return self.commands.posts.schedule(post_id, when, late)[0]

    def step(self) -> list[int]:
        """Claims what is due, one of each account, and sends it; returns what was claimed."""
        now = self.clock.now()
        with self.store.writing() as connection:
            ids = outgoing.claim(
                connection, owner="me", until=now, lease_until=now, room=100, per_account=1, blocked=()
            )
        with self.store.reading() as connection:
            jobs = outgoing.load_jobs(connection, ids)
        for job in jobs:
            ready = self.dispatch.prepare(job)
            intention = self.dispatch.intention(ready) if ready else None
            if ready and intention and self.writer.begin([intention]):
                self.writer.end(self.dispatch.publish(ready)())
        return ids

    def wake(self) -> None:
        """Ends the account's rest, which refusals in a row bring about; the circuit would do that in time."""
        with self.store.writing() as connection:
            accounts.end_rest(connection, self.account)

    def run(self, most: int = 20) -> None:
        """Steps until nothing is due."""
        for _ in range(most):
            if not self.step():
                return
        raise AssertionError("it never comes to rest")

    def look(self) -> list[int]:
        with self.store.reading() as connection:
            ids = doubts.to_look_at(connection, self.clock.now())
        for delivery_id in ids:
            self.settler.look(delivery_id)
        return ids

    def settled(self, delivery_id: int) -> float:
        """Goes on until a delivery has come to an end, or to a doubt that only the person can settle; returns how many
        seconds that took."""
        began = self.clock.now()
        for _ in range(200):
            self.run()
            self.look()
            found = self.get(delivery_id)
            following = found.look_at if found.state is State.IN_DOUBT else found.due_at
            if found.state not in (State.SCHEDULED, State.IN_DOUBT) or following is None:
                return (self.clock.now() - began).total_seconds()
            self.clock.advance(max((following - self.clock.now()).total_seconds(), 0.001))
        raise AssertionError(f"it circles: {self.get(delivery_id)}")

    def recover(self) -> None:
        """What a start does with what the process before left behind."""
        with self.store.writing() as connection:
            doubts.recover(connection, self.clock.now(), None)

    def get(self, delivery_id: int) -> Delivery:
        with self.store.reading() as connection:
            return deliveries.get(connection, delivery_id)

    def detail(self, delivery_id: int) -> timeline.Detail:
        with self.store.reading() as connection:
            return timeline.detail(connection, delivery_id)

    def close(self) -> None:
        self.store.close()
