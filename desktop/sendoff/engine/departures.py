"""From the table to the wire on time: claims shortly ahead, a delay queue, one lane for each account."""

from __future__ import annotations

import heapq
import itertools
import logging
import math
import threading
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

from sendoff import killpoints
from sendoff.domain.account import AccountState
from sendoff.domain.delivery import Move
from sendoff.domain.when import Clock, Moment
from sendoff.engine.dispatch import Dispatch, Ready
from sendoff.engine.pool import Pool
from sendoff.engine.writer import Writer
from sendoff.store import accounts, outgoing
from sendoff.store.db import Connection, Store, StoreTrouble
from sendoff.store.outgoing import End, Job, Unclaim

log = logging.getLogger(__name__)

NEAR = timedelta(seconds=10)
"""What is due within this keeps the computer from going to sleep, as far as the system allows."""

LEAD = timedelta(seconds=0.53)
"""How far ahead of its time a delivery is claimed: the commit and the clock's jitter hide in it. No round part of a
second, so that nothing is claimed at the very instant in which another leaves that was planned half a second before.
"""

EARLY = timedelta(seconds=0.2)
"""How far ahead the intention is written, for the same reason: a thousand due in one instant take four transactions of
up to 30 ms. Nothing connects before the time itself."""

TOGETHER = 256
"""How many intentions are written in one transaction at most."""

UNWRITABLE = timedelta(seconds=1)
"""How soon to try again when an intention could not be written."""

UNREACHED = timedelta(seconds=1)
"""How soon to see again whether a host that has to answer first has done so."""

ROOM = 1024
"""How many claimed deliveries wait in memory at most. A claim costs nothing to give back."""

PER_ACCOUNT = 8
"""How many of them may be one account's, so that none starves the others."""

LATELY = 120.0
"""Seconds for which an account that has just sent something counts as being at it."""

RUNS_LOW = PER_ACCOUNT // 2
"""How few an account has left when more are claimed for it: one claim for many costs little more than for one."""

LEASE = timedelta(minutes=15)
"""How long a claim is believed by another process; longer than any try may take, renewed at every heartbeat."""


@dataclass(slots=True)
class Lane:
    """One account's way out: one delivery at a time, with its spacing."""

    busy: bool = False
    ready_at: datetime | None = None
    waiting: deque[Ready] = field(default_factory=deque)
    unready: deque[Job] = field(default_factory=deque)  # made ready one after the other; the first is at it
    claimed: int = 0  # in the delay queue, waiting, or leaving
    moved_at: float = -math.inf  # when something last ended here, by the steady clock
    shut_out: bool = False  # left out of the last claim, so its end has to ask for another

    def takes_more(self, horizon: datetime) -> bool:
        return self.claimed < PER_ACCOUNT and (self.ready_at is None or self.ready_at <= horizon)


class Departures:
    """Two threads: one claims when it is told to, one releases what is due to the workers.

    A claimed delivery waits in the delay queue; shortly before its instant, when its lane is free, its intention is
    written, together with those of others; at its instant, never earlier, a worker gets it, and the journal notes that
    it leaves.

    Args:
        dispatch: makes ready, and says what the intention is.
        pool: the workers; `send` is called there.
        wake_at: tells the clock when to ask for the next claim.
        look_at_clock: called before every claim, because a clock that has just jumped must be noticed first.
        unreached: the accounts whose hosts have to answer first.
        get_ready: loads what sending needs; done by a worker with each claim, so that one is there at the time.
        begins: told of a part whose intention is about to be written.
    """

    def __init__(
        self,
        *,
        store: Store,
        writer: Writer,
        clock: Clock,
        owner: str,
        dispatch: Dispatch,
        pool: Pool,
        wake_at: Callable[[datetime | None], None],
        look_at_clock: Callable[[], None],
        unreached: Callable[[], frozenset[int]],
        get_ready: Callable[[], None],
        begins: Callable[[int], None],
    ) -> None:
        self._store = store
        self._writer = writer
        self._clock = clock
        self._owner = owner
        self._dispatch = dispatch
        self._pool = pool
        self._wake_at = wake_at
        self._look_at_clock = look_at_clock
        self._unreached = unreached
        self._get_ready = get_ready
        self._begins = begins
        self._lanes: dict[int, Lane] = {}
        self._closed: set[int] = set()  # accounts that need a sign-in, or rest
        self._strays: deque[Job] = deque()  # claimed, and on no way out, because nothing could be written
        self._queue: list[tuple[datetime, int, Ready | int]] = []  # what leaves, or the account whose lane opens then
        self._gate: list[datetime] = []  # when it opens; a heap
        self._at_gate: dict[datetime, list[Callable[[], None]]] = {}  # who leaves then: its intention is written
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._claim_wanted = threading.Event()
        self._intending = False  # a group is on its way to the disk; the next one gathers meanwhile
        self._next: datetime | None = None  # when something is to be claimed next
        self._paused = False
        self._holds = {"": 0.0}  # until when by the steady clock, for each reason
        self._stopped = False
        self._threads: dict[str, threading.Thread] = {}

    def start(self) -> None:
        self.read_accounts()
        self.revive()
        self.poke()

    def revive(self) -> list[str]:
        """Starts the two threads where they do not run; returns the names of those that had ended."""
        dead = []
        for name, work in (("claims", self._claims), ("departures", self._releases)):
            thread = self._threads.get(name)
            if thread is None or not (thread.is_alive() or self._stopped):
                dead += [name] if thread else []
                self._threads[name] = threading.Thread(target=work, name=name, daemon=True)
                self._threads[name].start()
        return dead

    def stop(self, seconds: float) -> None:
        """Ends both threads and gives back what was claimed and has not left."""
        self._stopped = True
        self._claim_wanted.set()
        with self._changed:
            self._changed.notify_all()
        for thread in self._threads.values():
            thread.join(seconds / 2)
        self.give_back()

    @property
    def claimed(self) -> int:
        """How many deliveries are claimed, waiting or leaving."""
        with self._changed:
            return sum(lane.claimed for lane in self._lanes.values())

    @property
    def is_anything_near(self) -> bool:
        """Whether something is claimed, or due so soon that the computer should not go to sleep before it."""
        return self.claimed > 0 or (self._next is not None and self._next - self._clock.now() < NEAR)

    @property
    def hurried(self) -> bool:
        """Whether somebody's time has come who has not left."""
        return (bool(self._queue) and self._queue[0][0] <= self._clock.now()) or self._pool.is_behind

    def poke(self) -> None:
        """Something may be due: look."""
        self._claim_wanted.set()
        with self._changed:
            self._changed.notify_all()

    def pause(self, paused: bool) -> None:
        """While paused nothing is claimed, and what was claimed goes back."""
        self._paused = paused
        if paused:
            self._next = None
            self.give_back()
        else:
            self.poke()

    def hold(self, why: str, seconds: float) -> None:
        """Nothing is claimed for so long; what is claimed already was due before and goes. 0: this hold is over."""
        self._holds[why] = self._clock.monotonic() + seconds

    @property
    def rests(self) -> bool:
        """Whether nothing is claimed now, by the person's wish or because the clock is strange."""
        return self._paused or self._clock.monotonic() < max(self._holds.values())

    def forget_pace(self) -> None:
        """The clock was set back: "not before 9:00:05" no longer means in a moment."""
        with self._changed:
            for lane in self._lanes.values():
                lane.ready_at = None
        self.poke()

    def excused(self) -> list[int]:
        """The accounts that have a reason for not sending what is due: told elsewhere, or busy, or keeping its pace."""
        now, lately = self._clock.now(), self._clock.monotonic() - LATELY
        with self._changed:
            pacing = {
                account_id
                for account_id, lane in self._lanes.items()
                if lane.busy or lane.moved_at > lately or (lane.ready_at and lane.ready_at > now)
            }
            return list(pacing | self._closed | self._unreached())

    def read_accounts(self) -> None:
        """Takes over what the accounts' rows say: who needs a sign-in, who may send when."""
        with self._store.reading() as connection:
            known = accounts.every(connection)
        with self._changed:
            self._closed = {one.id for one in known if one.state is AccountState.SIGN_IN or one.rest_until}
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
                self._release_strays()
                while not (self.rests or self._stopped) and self._claim_once():
                    pass
                self._arm()
            except StoreTrouble as trouble:
                log.error("claiming failed: %s", trouble)  # the heartbeat asks again

    def _claim_once(self) -> bool:
        """One claim and what follows from it. True if there may be more to take."""
        self._look_at_clock()
        if self.rests:
            return False
        now = self._clock.now()
        with self._changed:
            room = ROOM - sum(lane.claimed for lane in self._lanes.values())
            blocked = self._blocked(now + LEAD)
        with self._store.reading() as connection:  # most wake-ups find nothing, and asking is cheaper than claiming
            due = outgoing.next_due(connection, blocked)
        if room <= 0 or due is None or due > now + LEAD:
            return False

        def claim(connection: Connection) -> list[int]:
            return outgoing.claim(
                connection, owner=self._owner, until=now + LEAD, lease_until=now + LEASE,
                room=room, per_account=PER_ACCOUNT, blocked=blocked,
            )  # fmt: skip

        killpoints.reach("claim.before")
        ids = self._writer.run(claim)
        killpoints.reach("claim.after")
        self._pool.submit(self._get_ready)
        with self._store.reading() as connection:
            jobs = outgoing.load_jobs(connection, ids)
        with self._changed:
            for job in jobs:
                self._lane(job.account.id).claimed += 1
        slow = defaultdict[int, deque[Job]](deque)
        for job in jobs:
            if self._dispatch.is_quick(job):
                self._make_ready(job)
            else:
                slow[job.account.id].append(job)
        for account_id, row in slow.items():
            self._line_up(self._lane(account_id), row, is_late=row[0].delivery.due_at <= now)
        return bool(ids)

    def _line_up(self, lane: Lane, row: deque[Job], *, is_late: bool) -> None:
        """Has what was claimed together for an account made ready one after the other, so that it leaves in its order.

        What is late already goes behind what is being made ready there; what is on time does not wait for that.
        """
        with self._changed:
            if lane.unready and is_late:
                lane.unready += row
                return
            if not lane.unready:
                lane.unready = row
        self._pool.submit(partial(self._make_first_ready, row))

    def _make_first_ready(self, row: deque[Job]) -> None:
        try:
            self._make_ready(row[0])
        finally:
            with self._changed:
                row.popleft()
                more = bool(row)
            if more:
                self._pool.submit(partial(self._make_first_ready, row))

    def _blocked(self, horizon: datetime) -> list[int]:
        blocked = self._closed | self._unreached()
        for account_id, lane in self._lanes.items():
            lane.shut_out = not lane.takes_more(horizon)
            if lane.shut_out:
                blocked.add(account_id)
        return list(blocked)

    def _arm(self) -> None:
        """Tells the clock when to ask again: shortly before the next due instant, or before a lane opens."""
        self._next = None
        if self.rests:
            held = timedelta(seconds=max(self._holds.values()) - self._clock.monotonic())
            self._wake_at(None if self._paused else self._clock.now() + held)
            return
        with self._changed:
            blocked = self._blocked(self._clock.now() + LEAD)
            opens = [
                lane.ready_at for lane in self._lanes.values() if lane.shut_out and lane.ready_at and not lane.busy
            ]
        with self._store.reading() as connection:
            due = outgoing.next_due(connection, blocked)
        instants = [*opens, due] if due else opens
        self._next = min(instants, default=None)
        self._wake_at(self._next - LEAD if self._next else None)

    def _make_ready(self, job: Job) -> None:
        """Ahead of the time: whatever can be done before anything leaves."""
        ready = None
        try:
            if self._paused or self._stopped:
                self._strays.append(job)
            else:
                ready = self._dispatch.prepare(job)
        except StoreTrouble as trouble:
            log.error("it could not be made ready, so it is claimed anew: %s", trouble)
            self._strays.append(job)
        finally:
            with self._changed:
                if ready is None:
                    self._drop(job)
                else:
                    heapq.heappush(self._queue, (job.delivery.due_at - EARLY, next(self._order), ready))
                    if self._queue[0][2] is ready:
                        self._changed.notify_all()
        if self._paused or self._stopped:
            self.give_back()  # the pause came between the claim and now

    def _drop(self, job: Job) -> None:
        """A claim is over. It may be due again later, and its lane may take more."""
        self._lane(job.account.id).claimed -= 1
        self._claim_wanted.set()

    # --- releasing ------------------------------------------------------------------------------------------------

    def _releases(self) -> None:
        while True:
            with self._changed:
                if self._stopped:
                    return
                now = self._clock.now()
                self._open_gate(now)
                group = self._due(now)
                if not group:
                    self._sleep(now)
            if group:
                self._intend(group)

    def _sleep(self, now: datetime) -> None:
        """Waits for the next instant, in slices, because the wait is monotonic and the wall clock may jump."""
        instants = self._gate[:1]
        if self._queue and not self._intending:
            instants.append(self._queue[0][0])
        if not instants:
            self._changed.wait()  # whoever puts something there says so
            return
        wait = (min(instants) - now).total_seconds()
        if wait > 0:
            self._changed.wait(min(wait, 1.0))

    def _due(self, now: datetime) -> list[Ready]:
        """What is to leave next: its time has nearly come, and its lane is free."""
        group: list[Ready] = []
        if self._intending:
            return group
        while self._queue and self._queue[0][0] <= now and len(group) < TOGETHER:
            what = heapq.heappop(self._queue)[2]
            account_id = what if isinstance(what, int) else what.job.account.id
            lane = self._lane(account_id)
            if not isinstance(what, int):
                lane.waiting.append(what)
            if lane.busy or not lane.waiting:
                continue
            if account_id in self._unreached():
                heapq.heappush(self._queue, (now + UNREACHED, next(self._order), account_id))
                continue
            if lane.ready_at and lane.ready_at - EARLY > now:
                heapq.heappush(self._queue, (lane.ready_at - EARLY, next(self._order), account_id))
                continue
            lane.busy = True
            group.append(lane.waiting.popleft())
        self._intending = bool(group)
        return group

    def _intend(self, group: list[Ready]) -> None:
        """Writes the intentions of a group; those that hold wait at the gate for their instant."""
        try:
            intentions = {ready.job.delivery.id: self._dispatch.intention(ready) for ready in group}
        except StoreTrouble as trouble:
            log.error("what is too late could not be written down: %s", trouble)
            self._put_back(group)
            return
        wanted = [one for one in intentions.values() if one]
        for ready in group:
            if intentions[ready.job.delivery.id] is None:
                self.arrived(ready)
        kept = [one for one in group if intentions[one.job.delivery.id]]
        for ready in kept:
            self._begins(ready.part.id)
        if wanted:
            killpoints.reach("intention.before")
            self._writer.begin(wanted, partial(self._intended, kept))
        else:
            self._intended([], set())

    def _intended(self, group: list[Ready], held: set[int] | None) -> None:
        killpoints.reach("intention.after")
        if held is None:
            self._put_back(group)
            return
        lost = [ready for ready in group if ready.job.delivery.id not in held]
        with self._changed:
            self._intending = False
            for ready in group:
                if ready.job.delivery.id in held:
                    self._wait_at_gate(ready)
            self._open_gate(self._clock.now())
            if self._gate or self._queue:
                self._changed.notify_all()
        for ready in lost:
            self.arrived(ready)

    def _put_back(self, group: list[Ready]) -> None:
        """Nothing can be written, so nothing may leave: the same again in a moment."""
        again = self._clock.now() + UNWRITABLE
        with self._changed:
            self._intending = False
            for ready in group:
                self._lane(ready.job.account.id).busy = False
                heapq.heappush(self._queue, (again, next(self._order), ready))
            self._changed.notify_all()

    def _wait_at_gate(self, ready: Ready) -> None:
        due_at, lane = ready.job.delivery.due_at, self._lane(ready.job.account.id)
        opens = max(due_at, lane.ready_at or due_at)
        if opens not in self._at_gate:
            self._at_gate[opens] = []
            heapq.heappush(self._gate, opens)
        self._at_gate[opens].append(partial(self._send, ready))

    def _open_gate(self, now: datetime) -> None:
        """Lets out whose instant has come; a thousand of one instant cost no more here than one."""
        while self._gate and self._gate[0] <= now:
            self._pool.submit(*self._at_gate.pop(heapq.heappop(self._gate)))

    def _send(self, ready: Ready) -> None:
        """On a worker: the try itself. Its end is written by the writer, which tells when it is on the disk."""
        told = self._dispatch.publish(ready)
        self._writer.end(told, partial(self._landed, ready), partial(self._dispatch.untold, ready))

    def _landed(self, ready: Ready, end: End) -> None:
        killpoints.reach("end.after")
        self._free_lane(ready, end.ready_at, again=end.move in (Move.CONTINUE, Move.POSTPONE))

    def arrived(self, ready: Ready) -> None:
        """It did not leave after all: its lane is free again, and no sooner open than before."""
        self._free_lane(ready, self._lane(ready.job.account.id).ready_at, again=True)

    def _free_lane(self, ready: Ready, ready_at: datetime | None, *, again: bool) -> None:
        account_id = ready.job.account.id
        with self._changed:
            lane = self._lane(account_id)
            lane.busy = False
            lane.ready_at = ready_at
            lane.moved_at = self._clock.monotonic()
            lane.claimed -= 1
            if again or (lane.shut_out and lane.claimed <= RUNS_LOW):
                self._claim_wanted.set()  # it may take more now, or the clock has to be told from when on
            if lane.waiting:
                heapq.heappush(self._queue, (ready_at - EARLY if ready_at else _AT_ONCE, next(self._order), account_id))
                self._changed.notify_all()

    def give_back(self) -> None:
        """Ends the claims of everything whose intention is not written."""
        with self._changed:
            jobs = [what.job for _, _, what in self._queue if not isinstance(what, int)]
            self._queue.clear()
            for lane in self._lanes.values():
                jobs += [ready.job for ready in lane.waiting]
                lane.waiting.clear()
            for job in jobs:
                self._lane(job.account.id).claimed -= 1
        self._strays += jobs
        try:
            self._release_strays()
        except StoreTrouble as trouble:
            log.error("claims could not be given back yet: %s", trouble)

    def _release_strays(self) -> None:
        """Ends claims that are on no way out.

        Raises:
            StoreTrouble: not now; what is left of them is kept, and the heartbeat asks again.
        """
        while True:
            try:
                job = self._strays.popleft()
            except IndexError:
                return
            delivery = job.delivery
            back = Unclaim(
                delivery.id, job.account.id, delivery.version, self._owner, Move.RELEASE,
                Moment(self._clock.now()), tries=delivery.tries,
            )  # fmt: skip
            try:
                self._writer.run(partial(outgoing.unclaim, one=back))
            except StoreTrouble:
                self._strays.append(job)
                raise


_AT_ONCE = datetime.min.replace(tzinfo=UTC)
