"""The sender of a profile: lock, clock, writer, departures and chores, started and stopped together."""

from __future__ import annotations

import errno
import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sendoff import killpoints
from sendoff.domain.absence import Cause
from sendoff.domain.account import Account
from sendoff.domain.channel import Channel
from sendoff.domain.errors import OwnedElsewhere, SetupMissing
from sendoff.domain.when import Clock
from sendoff.engine import power
from sendoff.engine.ahead import AT_ONCE, Ahead
from sendoff.engine.bell import Bell
from sendoff.engine.circuit import Circuit
from sendoff.engine.clockwatch import TOLERANCE, Chronometer, ClockWatch
from sendoff.engine.departures import LEASE, Departures
from sendoff.engine.dispatch import Dispatch
from sendoff.engine.heart import Heart
from sendoff.engine.journal import Journal, boot_id
from sendoff.engine.keys import Keys
from sendoff.engine.looks import Looks
from sendoff.engine.pause import Pause
from sendoff.engine.pool import Pool
from sendoff.engine.quiet import Quiet
from sendoff.engine.readiness import Readiness
from sendoff.engine.readings import Readings
from sendoff.engine.returns import Returns
from sendoff.engine.settle import Settler
from sendoff.engine.signins import SignIns
from sendoff.engine.timeline import Timeline
from sendoff.engine.watchdog import Watchdog
from sendoff.engine.writer import Writer
from sendoff.store import changes, doubts, media, outgoing, posts, timeline, whereabouts
from sendoff.store.db import Connection, Store, StoreTrouble
from sendoff.store.media import Media
from sendoff.store.profile import SenderLock
from sendoff.store.secrets import Secrets
from sendoff.store.unsaved import Unsaved

log = logging.getLogger(__name__)

WORKERS = 128
"""Threads that send. They mostly wait for answers; more would not help a machine that is busy itself."""

SIGN_OF_LIFE = timedelta(seconds=15)

LOCK_HOLD = 60.0
"""Seconds for which nothing begins without the lock; it is tried again every second."""

SLEEP_HOLD = 60.0
"""Seconds for which nothing begins when sleep was announced, if neither it nor its end comes."""


@dataclass(frozen=True, slots=True)
class Status:
    """What the engine does now, for the strip, the tray and `doctor`. `unreached` accounts wait for their hosts."""

    running: bool
    paused: bool
    trouble: str
    leaving: int
    warning: str = ""  # what does not stop the sending, but somebody should see to
    unreached: frozenset[int] = frozenset()


class Engine:
    """Sends for one profile. Made by bootstrap; started once and stopped once.

    Args:
        get_ready: loads what sending needs; called half a second ahead of what is due.

    Raises on start:
        OwnedElsewhere: another process is this profile's sender.
    """

    def __init__(
        self,
        *,
        store: Store,
        secrets: Secrets,
        files: Media,
        channels: Mapping[str, Channel],
        clock: Clock,
        bell: Bell,
        workers: int = WORKERS,
        get_ready: Callable[[], None] = lambda: None,
    ) -> None:
        self._store, self._clock, self._bell = store, clock, bell
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self.running = False

        # What the profile's folder has of a sender: its lock, what left last, and how far the rows had come.
        self._lock = SenderLock(store.folder)
        self._journal = Journal(store.folder)
        self._marker = whereabouts.Marker(store.folder)

        # The way of a delivery, from its time to its end.
        keys, chronometer = Keys(secrets, store.folder, clock), Chronometer(clock, boot_id() or self.owner)
        self._writer = Writer(store, partial(self._trouble, "disk"), lambda: self._departures.hurried)
        self._pool = Pool(workers, "send")
        self._dispatch = Dispatch(
            store=store, writer=self._writer, secrets=secrets, keys=keys, media=files, channels=channels, clock=clock,
            chronometer=chronometer, owner=self.owner, leaving=self._note_leaving,
            trouble=partial(self._trouble, "keychain"), unreached=lambda account: self._readiness.doubt([account]),
            uploaded=lambda job, part: self._ahead.files(job, part),  # noqa: PLW0108  # which is made from this
        )  # fmt: skip
        self._timeline = Timeline(self._due)
        self._departures = Departures(
            store=store, writer=self._writer, clock=clock, owner=self.owner, dispatch=self._dispatch, pool=self._pool,
            wake_at=self._timeline.wake_at, look_at_clock=self._look_at_clock, unreached=self._unreached,
            get_ready=get_ready, begins=self._note_beginning,
        )  # fmt: skip

        self._uploading = Pool(AT_ONCE, "upload")
        self._ahead = Ahead(
            store=store, keys=keys, channels=channels, clock=clock, pool=self._uploading, parcel=self._dispatch.parcel,
            rests=lambda: self._departures.rests, unreached=self._unreached,
        )  # fmt: skip

        # What is asked of endpoints beside it.
        self._readiness = Readiness(
            ask=partial(_reach, channels), pool=self._pool, clock=clock, changed=self._departures.poke
        )
        settler = Settler(
            store=store, writer=self._writer, dispatch=self._dispatch, keys=keys, channels=channels, clock=clock,
            chronometer=chronometer,
        )  # fmt: skip
        self._looks = Looks(store=store, settler=settler, pool=self._pool, clock=clock, looked=self._departures.poke)
        self._circuit = Circuit(
            store=store, writer=self._writer, keys=keys, channels=channels, pool=self._pool, clock=clock
        )
        self._signins = SignIns(
            store=store, writer=self._writer, keys=keys, channels=channels, pool=self._pool, clock=clock,
            unreached=self._unreached, rests=lambda: self._departures.rests,
        )  # fmt: skip
        self._readings = Readings(
            store=store, writer=self._writer, keys=keys, channels=channels, pool=self._pool, clock=clock,
            unreached=self._unreached, is_busy=self._is_busy,
        )  # fmt: skip

        # What stops and watches it, and what is done once a day.
        self._pause = Pause(store, clock, self._pause_changed)
        self._returns = Returns(
            store=store, writer=self._writer, readiness=self._readiness, clock=clock,
            hold=partial(self._departures.hold, "clock"), trouble=partial(self._trouble, "clock"),
        )  # fmt: skip
        self._watchdog = Watchdog(
            store=store, departures=self._departures, clock=clock, alarm=partial(self._trouble, "watchdog")
        )
        self._watch, self._watch_lock = ClockWatch(clock), threading.Lock()
        self._heart = Heart(self._beat)
        self._quiet = Quiet()
        self._timeline.chore("unused files", partial(self._sweep, files), timedelta(days=1))
        self._timeline.chore("backup", self._back_up, timedelta(hours=1))

        # What was told and heard last.
        self._troubles: dict[str, str] = {}
        self._warning = ""
        self._started_at = clock.now()
        self._alive_at: datetime | None = None
        self._generation = -1
        self._seen: dict[str, int] = {}
        self._stop_listening = bell.listen(self._hear)

    # --- start and stop -------------------------------------------------------------------------------------------

    def start(self) -> doubts.Recovered:
        """Becomes the sender, and takes over what the last one left behind."""
        self._lock.acquire()
        try:
            whereabouts.settle(self._store, self._clock.now())
            with self._store.writing() as connection:
                before = timeline.sender(connection)
                recovered = doubts.recover(connection, self._clock.now(), self._journal.last())
                killpoints.reach("recover.before")
        except BaseException:
            self._lock.release()  # it may be tried again, and must not stand in its own way then
            raise
        killpoints.reach("recover.after")
        self._journal.start()
        self._writer.start()
        self._pause.read()
        self._returns.back(Cause.OFF, before.seen_at if before else None)
        self._circuit.read()
        self._timeline.start()
        self._departures.start()
        self.running = True
        self._quiet.start()
        self._power = power.watch(self._going_to_sleep, self._woke)
        self._beat()
        self._heart.start()
        return recovered

    def stop(self, seconds: float = 4.0) -> None:
        """Ends within about `seconds`: what leaves may finish; what does not is settled by the next sender."""
        if not self.running:
            return
        self.running = False
        self._stop_listening()
        self._power.stop()
        self._heart.stop(seconds / 4)
        self._timeline.stop()
        self._departures.stop(seconds / 4)
        self._uploading.stop(0.0)
        self._pool.stop(seconds / 4)
        self._writer.stop(seconds / 4)
        with suppress(StoreTrouble), self._store.reading() as connection:
            self._marker.note(whereabouts.mark(connection))
        self._journal.close()
        self._quiet.stop()
        self._lock.release()

    # --- questions ------------------------------------------------------------------------------------------------

    def status(self) -> Status:
        troubles = " ".join(self._troubles.values())
        return Status(
            self.running, self._pause.is_on, troubles, self._pool.busy, self._warning, self._readiness.waiting
        )  # fmt: skip

    def has_work(self, horizon: timedelta = timedelta(seconds=60)) -> bool:
        """Whether something leaves, is due within `horizon`, is tried again later, or is about to be looked for."""
        if self._pool.busy or self._departures.claimed:
            return True
        with self._store.reading() as connection:
            return outgoing.is_anything_left(connection, self._clock.now() + horizon)

    # --- what the threads call ------------------------------------------------------------------------------------

    def _due(self) -> None:
        self._departures.poke()

    def _hear(self, topics: frozenset[str]) -> None:
        """Rings come from commands in this process, from our own writer, and from the heartbeat for other processes."""
        if not self.running:
            return
        if changes.ACCOUNTS in topics:
            self._departures.read_accounts()
            self._circuit.read()
        if changes.SETTINGS in topics:
            self._pause.read()
        # What the writer itself changed is followed up where it is known whether anything became due by it.
        if topics & _WAKE and not self._writer.is_this_thread:
            self._departures.poke()
            self._ahead.poke()

    def _beat(self) -> None:
        """Once a second: the clock, what others wrote, whoever waits for something, the other threads, our own life."""
        try:
            self._keep_lock()
            self._look_at_clock()
            self._notice_others()
            for one in (
                self._looks, self._pause, self._readiness, self._circuit, self._returns, self._watchdog, self._signins,
                self._readings, self._ahead,
            ):  # fmt: skip
                one.tick()
            self._look_after_threads()
            self._power.hold_off(self._pool.busy > 0 or self._departures.is_anything_near)
            self._show_life()
            self._quiet.tidy(hurried=self._departures.claimed > 0)
            if self._journal.is_large and not self._departures.claimed:
                self._journal.start()
        except StoreTrouble as trouble:
            self._trouble("disk", str(trouble))

    def _unreached(self) -> frozenset[int]:
        """The accounts whose hosts can't be reached now."""
        return self._readiness.waiting

    def _is_busy(self) -> bool:
        """Whether something leaves, is about to, or must not."""
        return self._departures.rests or self._departures.is_anything_near or self._pool.busy > 0

    def _note_leaving(self, part_id: int) -> None:
        """Noted first and asked afterwards: whoever takes over meanwhile sees the note, or has the lock by then.

        Raises:
            OSError: it must not leave.
        """
        self._journal.note(part_id)
        if not self._lock.in_place:
            raise FileNotFoundError(errno.ENOENT, "its lock was taken away")

    def _note_beginning(self, part_id: int) -> None:
        with suppress(OSError):
            self._journal.begins(part_id)

    def _keep_lock(self) -> None:
        """Without the file of its lock a sender is not alone any more: another may have taken over, and even ended.

        So nothing begins, and what was about to leave meets `_note_leaving`; after that the lock is taken anew.
        """
        if self._lock.in_place:
            return
        self._departures.hold("lock", LOCK_HOLD)
        self._departures.give_back()
        if self._departures.claimed or self._pool.busy:
            return
        try:
            self._lock.keep()
        except (OwnedElsewhere, SetupMissing) as wrong:
            self._trouble("lock", f"{wrong} This one sends nothing meanwhile: quit one of them.")
        else:
            self._departures.hold("lock", 0.0)
            self._trouble("lock", "")

    def _going_to_sleep(self, seconds: float) -> None:
        """Nothing new begins; what leaves has so long to end, and the computer waits for it."""
        self._departures.hold("sleep", SLEEP_HOLD)
        self._departures.give_back()
        end = self._clock.monotonic() + seconds
        while (self._departures.claimed or self._pool.busy) and self._clock.monotonic() < end:
            time.sleep(0.02)

    def _woke(self) -> None:
        """Catches up at once instead of with the next beat."""
        self._departures.hold("sleep", 0.0)
        self._look_at_clock()
        self._departures.poke()

    def _look_at_clock(self) -> None:
        """Before anything is claimed, too: what the clock says now may have become due by a jump."""
        with self._watch_lock:  # whoever asks next waits until the jump is dealt with
            jump = self._watch.check()
            if jump is None:
                return
            self._returns.jumped(jump)
            self._watchdog.be_patient()
            if jump.slept > TOLERANCE:  # whether or not the system says that it woke
                self._departures.hold("sleep", 0.0)
        if jump.by < timedelta():
            self._departures.forget_pace()
            self._writer.run(lambda connection: doubts.look_now(connection, self._clock.now()))
        self._departures.poke()
        self._ahead.poke()

    def _look_after_threads(self) -> None:
        """A thread that an error has ended is started again; its work is in the database, not in it."""
        dead = self._departures.revive()
        if not self._timeline.is_alive:
            self._timeline.revive()
            dead.append("scheduler")
        if dead:
            log.error("started again: %s", ", ".join(dead))
            self._departures.poke()

    def _sweep(self, files: Media) -> None:
        """Once a day: the files that no post names any more, and the words that no post has.

        Only their list, and the index of words part by part, go through the writer.
        """
        unsaved = Unsaved(self._store.folder).every()
        with suppress(StoreTrouble):  # another day will do
            with self._store.reading() as connection:
                wanted = media.used(connection, unsaved)
            if gone := files.sweep(wanted, self._clock.now()):
                self._writer.run(lambda connection: media.forget(connection, gone))
            more = self._writer.run(partial(posts.drop_old_words, begin=True))
            while more:
                more = self._writer.run(partial(posts.drop_old_words, begin=False))

    def _back_up(self) -> None:
        """Asked every hour, done once a day. What goes wrong with it is shown, and stops nothing."""
        self._warning = self._store.keep_daily(self._clock.now())
        if self._store.damage:
            self._trouble("disk", str(self._store.damage))
        self._bell.ring(frozenset({changes.SENDER}))

    def _notice_others(self) -> None:
        """Asks the file first whether anybody wrote at all; mostly nobody did."""
        generation = self._store.generation()
        if generation == self._generation:
            if self._troubles:
                self._departures.poke()
            return
        self._generation = generation
        with self._store.reading() as connection:
            counters = changes.counters(connection)
            self._looks.read(connection)
        self._marker.note(sum(counters.values()))
        changed = frozenset(topic for topic, n in counters.items() if self._seen.get(topic) != n)
        self._seen = counters
        self._bell.ring(changed)

    def _show_life(self) -> None:
        now = self._clock.now()
        if self._alive_at and now - self._alive_at < SIGN_OF_LIFE:
            return
        self._alive_at = now
        trouble = self.status().trouble

        def say(connection: Connection) -> None:
            outgoing.renew_leases(connection, self.owner, now + LEASE)
            timeline.say_alive(
                connection, owner=self.owner, pid=os.getpid(), host=socket.gethostname(),
                started_at=self._started_at, seen_at=now, trouble=trouble,
            )  # fmt: skip

        self._writer.run(say)

    def _pause_changed(self, paused: bool, since: datetime | None) -> None:
        if not paused and self.running:
            self._returns.back(Cause.PAUSED, since)
        self._departures.pause(paused)
        self._bell.ring(frozenset({changes.SENDER}))

    def _trouble(self, what: str, text: str) -> None:
        if self._troubles.get(what, "") == text:
            return
        if text:
            self._troubles[what] = text
        else:
            self._troubles.pop(what, None)
        self._alive_at = None  # tell it with the next heartbeat
        self._bell.ring(frozenset({changes.SENDER}))


def _reach(channels: Mapping[str, Channel], account: Account) -> None:
    channel = channels.get(account.channel)
    if channel is not None:
        channel.reach(account)


_WAKE = frozenset({changes.DELIVERIES, changes.ACCOUNTS, changes.SETTINGS})
