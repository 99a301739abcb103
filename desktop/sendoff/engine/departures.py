"""From the table to the wire on time: claims shortly ahead, a delay queue, one lane for each account."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

import sqlalchemy as sa

from sendoff.domain.account import AccountState
from sendoff.domain.delivery import Move
from sendoff.domain.when import Clock
from sendoff.engine.dispatch import Ready
from sendoff.engine.writer import Writer
from sendoff.store import accounts, deliveries
from sendoff.store.db import Store, StoreTrouble
from sendoff.store.deliveries import Job, Unclaim

log = logging.getLogger(__name__)

LEAD = timedelta(seconds=0.5)
"""How far ahead of its time a delivery is claimed: the commit and the clock's jitter hide in it."""

ROOM = 1024
"""How many claimed deliveries wait in memory at most. A claim costs nothing to give back."""

PER_ACCOUNT = 8
"""How many of them may be one account's, so that none starves the others."""

LEASE = timedelta(minutes=15)
"""How long a claim is believed by another process; longer than any try may take, renewed at every heartbeat."""


@dataclass(slots=True)
class Lane:
    """One account's way out: one delivery at a time, with its spacing."""

    busy: bool = False
    ready_at: datetime | None = None
    waiting: deque[Ready] = field(default_factory=deque)
    claimed: int = 0  # in the delay queue, waiting, or leaving
    shut_out: bool = False  # left out of the last claim, so its end has to ask for another

    def takes_more(self, horizon: datetime) -> bool:
        return self.claimed < PER_ACCOUNT and (self.ready_at is None or self.ready_at <= horizon)


class Departures:
    """Two threads: one claims when it is told to, one releases what is due to the workers.

    Args:
        prepare: called with each job that was just claimed; in the end calls `enqueue` or `dropped`.
        depart: called with what is ready at its instant, never earlier; in the end calls `arrived`.
        wake_at: tells the clock when to ask for the next claim.
    """

    def __init__(
        self,
        store: Store,
        writer: Writer,
        clock: Clock,
        owner: str,
        *,
        prepare: Callable[[Job], None],
        depart: Callable[[Ready], None],
        wake_at: Callable[[datetime | None], None],
    ) -> None:
        self._store = store
        self._writer = writer
        self._clock = clock
        self._owner = owner
        self._prepare = prepare
        self._depart = depart
        self._wake_at = wake_at
        self._lanes: dict[int, Lane] = {}
        self._closed: set[int] = set()  # accounts that need a sign-in
        self._heap: list[tuple[datetime, int, Ready | int]] = []  # what leaves, or the account whose lane opens then
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._claim_wanted = threading.Event()
        self._paused = False
        self._stopped = False
        self._threads = [
            threading.Thread(target=self._claims, name="claims", daemon=True),
            threading.Thread(target=self._releases, name="departures", daemon=True),
        ]

    def start(self) -> None:
        self.read_accounts()
        for thread in self._threads:
            thread.start()
        self.poke()

    def stop(self, seconds: float) -> None:
        """Ends both threads and gives back what was claimed and has not left."""
        self._stopped = True
        self._claim_wanted.set()
        with self._changed:
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(seconds / 2)
        self.give_back()

    @property
    def alive(self) -> bool:
        return all(thread.is_alive() for thread in self._threads)

    @property
    def claimed(self) -> int:
        """How many deliveries are claimed, waiting or leaving."""
        with self._changed:
            return sum(lane.claimed for lane in self._lanes.values())

    def poke(self) -> None:
        """Something may be due: look."""
        self._claim_wanted.set()
        with self._changed:
            self._changed.notify_all()

    def pause(self, paused: bool) -> None:
        """While paused nothing is claimed, and what was claimed goes back."""
        self._paused = paused
        if paused:
            self.give_back()
        else:
            self.poke()

    def read_accounts(self) -> None:
        """Takes over what the accounts' rows say: who needs a sign-in, who may send when."""
        with self._store.reading() as connection:
            known = accounts.every(connection)
        with self._changed:
            self._closed = {one.id for one in known if one.state is AccountState.SIGN_IN}
            for one in known:
                lane = self._lane(one.id)
                if not lane.busy:
                    lane.ready_at = one.ready_at

    def _lane(self, account_id: int) -> Lane:
        return self._lanes.setdefault(account_id, Lane())

    # --- claiming -------------------------------------------------------------------------------------------------

    def _claims(self) -> None:
        while True:
            self._claim_wanted.wait()
            self._claim_wanted.clear()
            if self._stopped:
                return
            try:
                while not self._paused and self._claim_once():
                    pass
                self._arm()
            except StoreTrouble as trouble:
                log.error("claiming failed: %s", trouble)  # the heartbeat asks again

    def _claim_once(self) -> bool:
        """One claim and what follows from it. True if there may be more to take."""
        now = self._clock.now()
        with self._changed:
            room = ROOM - sum(lane.claimed for lane in self._lanes.values())
            blocked = self._blocked(now + LEAD)
        if room <= 0:
            return False

        def claim(connection: sa.Connection) -> list[int]:
            return deliveries.claim(
                connection, owner=self._owner, until=now + LEAD, lease_until=now + LEASE,
                room=room, per_account=PER_ACCOUNT, blocked=blocked,
            )  # fmt: skip

        with self._store.reading() as connection:  # most wake-ups find nothing, and asking is cheaper than claiming
            due = deliveries.next_due(connection, blocked)
        if due is None or due > now + LEAD:
            return False
        ids = self._writer.run(claim)
        with self._store.reading() as connection:
            jobs = deliveries.load_jobs(connection, ids)
        with self._changed:
            for job in jobs:
                self._lane(job.account.id).claimed += 1
        for job in jobs:
            self._prepare(job)
        return bool(ids)

    def _blocked(self, horizon: datetime) -> list[int]:
        blocked = list(self._closed)
        for account_id, lane in self._lanes.items():
            lane.shut_out = not lane.takes_more(horizon)
            if lane.shut_out and account_id not in self._closed:
                blocked.append(account_id)
        return blocked

    def _arm(self) -> None:
        """Tells the clock when to ask again: shortly before the next due instant, or before a lane opens."""
        with self._changed:
            blocked = self._blocked(self._clock.now() + LEAD)
            opens = [lane.ready_at for lane in self._lanes.values() if lane.shut_out and lane.ready_at and not lane.busy]
        with self._store.reading() as connection:
            due = deliveries.next_due(connection, blocked)
        instants = [*opens, due] if due else opens
        self._wake_at(min(instants) - LEAD if instants and not self._paused else None)

    def enqueue(self, ready: Ready) -> None:
        """A claimed delivery is ready to leave at its instant."""
        with self._changed:
            heapq.heappush(self._heap, (ready.job.delivery.due_at, next(self._order), ready))
            if self._heap[0][2] is ready:
                self._changed.notify_all()

    # --- releasing ------------------------------------------------------------------------------------------------

    def _releases(self) -> None:
        with self._changed:
            while not self._stopped:
                now = self._clock.now()
                while self._heap and self._heap[0][0] <= now:
                    what = heapq.heappop(self._heap)[2]
                    self._release(what, now)
                wait = (self._heap[0][0] - self._clock.now()).total_seconds() if self._heap else 60.0
                if wait > 0:
                    # In slices: the wait is monotonic, and the wall clock may jump meanwhile.
                    self._changed.wait(min(wait, 1.0) if self._heap else 60.0)

    def _release(self, what: Ready | int, now: datetime) -> None:
        account_id = what if isinstance(what, int) else what.job.account.id
        lane = self._lane(account_id)
        if not isinstance(what, int):
            lane.waiting.append(what)
        self._next_of(account_id, lane, now)

    def _next_of(self, account_id: int, lane: Lane, now: datetime) -> None:
        if lane.busy or not lane.waiting:
            return
        if lane.ready_at and lane.ready_at > now:
            heapq.heappush(self._heap, (lane.ready_at, next(self._order), account_id))
            return
        lane.busy = True
        self._depart(lane.waiting.popleft())

    def arrived(self, job: Job, ready_at: datetime | None) -> None:
        """The try of a job is over and written down; its account may send next at `ready_at`."""
        with self._changed:
            lane = self._lane(job.account.id)
            lane.busy = False
            lane.ready_at = ready_at
            self._settle_lane(job, lane)
            self._next_of(job.account.id, lane, self._clock.now())
            self._changed.notify_all()

    def dropped(self, job: Job) -> None:
        """A claimed job ended before it could leave (refused while preparing, missed, withdrawn)."""
        with self._changed:
            self._settle_lane(job, self._lane(job.account.id))

    def _settle_lane(self, job: Job, lane: Lane) -> None:
        lane.claimed -= 1
        if lane.shut_out:
            self._claim_wanted.set()  # it may take more now, or the clock has to be told from when on

    def give_back(self) -> None:
        """Ends the claims of everything that has not left."""
        with self._changed:
            jobs = [what.job for _, _, what in self._heap if not isinstance(what, int)]
            self._heap.clear()
            for lane in self._lanes.values():
                jobs += [ready.job for ready in lane.waiting]
                lane.waiting.clear()
            for job in jobs:
                self._lane(job.account.id).claimed -= 1
        now = self._clock.now()
        for job in jobs:
            delivery = job.delivery
            back = Unclaim(delivery.id, job.account.id, delivery.version, self._owner, Move.RELEASE, now, tries=delivery.tries)
            self._writer.run(partial(deliveries.unclaim, one=back))
