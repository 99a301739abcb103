"""Ways out of doubt: repeat under the same key where that has one effect, look where one can look, else ask."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sendoff import killpoints
from sendoff.domain.channel import Channel, How, Parcel, Settle
from sendoff.domain.delivery import Move, Receipt, State
from sendoff.domain.doubt import GONE
from sendoff.domain.errors import CannotLook, Dropped, KeychainError, NotFound, SendError, TryLater
from sendoff.domain.redact import Redactor
from sendoff.domain.when import Clock, Moment, span_text
from sendoff.engine import limiter
from sendoff.engine.clockwatch import Chronometer
from sendoff.engine.dispatch import Dispatch
from sendoff.engine.keys import Keys
from sendoff.engine.writer import Writer
from sendoff.store import deliveries, doubts, outgoing
from sendoff.store.db import Connection, Store, StoreTrouble
from sendoff.store.outgoing import Job

log = logging.getLogger(__name__)

REPEAT_SHARE = 0.8
"""How much of a key's life at the endpoint is trusted; its clock is not ours."""

RECENT = timedelta(days=2)
"""How far back the account's other deliveries are kept apart from the one that is looked for."""

MOST_LOOKS = 60
"""How often to look at most: a day and more. After that nobody but the person can tell."""

AGAIN = timedelta(seconds=30)
"""When to look again if the look itself did not work; doubled each time, up to half an hour."""


class Settler:
    """Looks after one doubtful delivery at a time, on a worker thread."""

    def __init__(
        self,
        *,
        store: Store,
        writer: Writer,
        dispatch: Dispatch,
        keys: Keys,
        channels: Mapping[str, Channel],
        clock: Clock,
        chronometer: Chronometer,
        chance: random.Random | None = None,
    ) -> None:
        self._store = store
        self._writer = writer
        self._dispatch = dispatch
        self._keys = keys
        self._channels = channels
        self._clock = clock
        self._chronometer = chronometer
        self._chance = chance or random.Random()

    def look(self, delivery_id: int) -> None:
        """One look, and what follows from it."""
        with self._store.reading() as connection:
            jobs = outgoing.load_jobs(connection, [delivery_id])
        if not jobs or jobs[0].delivery.state is not State.IN_DOUBT:
            return
        job, channel = jobs[0], self._channels.get(jobs[0].account.channel)
        if job.first_try is None or job.last_try is None:
            return
        left_at = self._chronometer.on_this_clock(job.last_try)
        if channel is None:
            self._ask(job, f"There is no channel “{job.account.channel}” in this Sendoff, so it can’t look.")
            return
        if job.account.removed:
            self._ask(job, job.delivery.reason, GONE)
            return
        settle = channel.settle(job.account)
        if settle.how is How.REPEAT and self._knows_the_key(settle, job.first_try):
            self._repeat(job, channel, settle, left_at)
        elif settle.how is How.ASK:
            self._ask(job, job.delivery.reason, settle.why)
        else:
            self._ask_endpoint(job, channel, channel.find, settle, left_at, "It was found: it did go out.")

    def _knows_the_key(self, settle: Settle, first_try: Moment) -> bool:
        """Whether the endpoint surely still knows the key. Its life began with the first try that may have arrived."""
        age = (self._clock.now() - self._chronometer.on_this_clock(first_try)).total_seconds()
        return 0 <= age <= (settle.key_life or 0) * REPEAT_SHARE

    def _repeat(self, job: Job, channel: Channel, settle: Settle, left_at: datetime) -> None:
        """Sends it again under the same key and reads the answer, which the endpoint gives for the one effect.

        It stays in doubt meanwhile, because anything but a receipt says nothing of the first try. And not before the
        channel says so: an endpoint that is still busy with the first try does not know the key yet.
        """
        soonest = left_at + timedelta(seconds=min(settle.looks, default=0))
        if self._clock.now() < soonest:
            self._again(job, soonest, job.delivery.reason, asked=False)
            return
        self._ask_endpoint(
            job, channel, channel.publish, settle, left_at, "It went again under the same key: it is out."
        )

    def _ask_endpoint(
        self, job: Job, channel: Channel, ask: Callable[[Parcel], Receipt | None], settle: Settle, left_at: datetime,
        summary: str,
    ) -> None:  # fmt: skip
        part = next(one for one in job.parts if one.is_open)
        redactor = Redactor()
        try:
            secret = self._keys.secret(job.account, channel)
            redactor = Redactor(secret.values())
            parcel = replace(self._dispatch.parcel(job, part, channel, secret), known=self._known(job))
            killpoints.reach("look.before")
            receipt = ask(parcel)
            killpoints.reach("look.after")
            if receipt and self._dispatch.is_anothers(job, part, receipt):
                raise TryLater(f"{channel.title} answered with the id of another post ({receipt.remote_id}).")
        except CannotLook as why:
            self._ask(job, job.delivery.reason, redactor.clean(str(why)))
        except Dropped as dropped:
            reason, advice = redactor.clean(dropped.reason), redactor.clean(dropped.advice)
            self._refuse(job, reason, advice)
        except (SendError, KeychainError, NotFound) as wrong:
            reason = wrong.reason if isinstance(wrong, SendError) else str(wrong)
            self._in_vain(job, f"The look for it did not work: {redactor.clean(reason)}")
        except StoreTrouble:
            raise  # the heartbeat asks again
        except Exception as fault:  # our own mistake, said as such; a look has no effect, so it may be repeated
            log.exception("the channel %s failed to look", job.account.channel)
            self._in_vain(job, f"The look for it did not work: Sendoff itself failed ({type(fault).__name__}).")
        else:
            self._found(job, receipt and receipt.masked(redactor), settle, left_at, summary)

    def _found(self, job: Job, receipt: Receipt | None, settle: Settle, left_at: datetime, summary: str) -> None:
        now = self._clock.now()
        believed_at = left_at + timedelta(seconds=settle.absent_after)
        if receipt is not None:
            self._settle(job, receipt, summary)
        elif now >= believed_at:
            self._send_again(job, now)
        else:
            later = [left_at + timedelta(seconds=look) for look in settle.looks]
            next_look = min([at for at in later if at > now] + [believed_at])
            ago = span_text((now - left_at).total_seconds())
            self._again(
                job, next_look, f"Not found so far, {ago} after it left. That proves nothing yet; Sendoff looks again."
            )

    def _known(self, job: Job) -> frozenset[str]:
        with self._store.reading() as connection:
            return doubts.known_remote_ids(connection, job.account.id, job.delivery.planned_at - RECENT)

    def _send_again(self, job: Job, now: datetime) -> None:
        """It is surely not there. It goes again after a pause, as after any try that certainly failed; not for ever."""
        one = job.delivery
        due_at = now + limiter.pause(one.tries, None, False, self._chance) if one.tries else now
        summary = "It was looked for and is surely not there"
        if due_at > one.give_up_at or one.tries + 1 >= limiter.MOST_TRIES:
            tried = span_text((now - one.planned_at).total_seconds())
            reason = f"{summary}. Given up after {tried} of trying. Last: {one.reason}"
            self._refuse(job, reason)
            return
        self._settle(job, None, f"{summary}, so it goes again.", due_at=due_at, tries=one.tries + 1)

    def _in_vain(self, job: Job, reason: str) -> None:
        """The look itself failed. It is repeated ever later, and in the end the person is asked."""
        if job.delivery.looks >= MOST_LOOKS:
            self._ask(job, reason, "Please look for yourself.")
            return
        wait = min(AGAIN * 2 ** min(job.delivery.looks, 6), timedelta(minutes=30))
        self._again(job, self._clock.now() + wait, reason)

    def _settle(self, job: Job, receipt: Receipt | None, summary: str, **again: Any) -> None:
        now = self._clock.now()
        killpoints.reach("settled.before")
        self._write(
            job,
            lambda connection: doubts.settle(connection, job.delivery.id, receipt, now, summary=summary, **again),
        )
        killpoints.reach("settled.after")

    def _refuse(self, job: Job, reason: str, advice: str = "") -> None:
        """It is surely not there, and it does not go again."""
        self._write(
            job,
            lambda connection: deliveries.move(
                connection, job.delivery.id, Move.REFUSE, reason=reason, advice=advice, look_at=None
            ),
        )

    def _again(self, job: Job, at: datetime, reason: str, *, asked: bool = True) -> None:
        now = self._clock.now() if asked else None
        self._write(
            job,
            lambda connection: doubts.looked(connection, job.delivery.id, next_look=at, reason=reason, looked_at=now),
        )

    def _ask(self, job: Job, reason: str, advice: str = "") -> None:
        self._write(
            job,
            lambda connection: doubts.looked(connection, job.delivery.id, next_look=None, reason=reason, advice=advice),
        )

    def _write(self, job: Job, what: Callable[[Connection], object]) -> None:
        """Writes what a look came to, unless the person was quicker and this doubt is over."""

        def write(connection: Connection) -> None:
            if deliveries.get(connection, job.delivery.id).version == job.delivery.version:
                what(connection)

        self._writer.run(write)
