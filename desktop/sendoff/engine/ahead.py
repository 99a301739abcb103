"""Puts the files of what is due soon at its endpoint, so that a post with pictures leaves on time, too."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sendoff.domain.channel import Channel, Parcel
from sendoff.domain.delivery import Part, State
from sendoff.domain.errors import SendoffError
from sendoff.domain.when import Clock
from sendoff.engine.keys import Keys
from sendoff.engine.pool import Pool
from sendoff.store import deliveries, outgoing
from sendoff.store.db import Store
from sendoff.store.outgoing import Job

log = logging.getLogger(__name__)

AHEAD = timedelta(minutes=10)
"""How long before its time a post's files go up."""

LOOKS = 30.0
"""Seconds between two looks at what is due soon, where nothing was changed meanwhile."""

AGAIN = 60.0
"""Seconds after which files that could not be put there are tried again."""

AT_ONCE = 2
"""Of how many parts the files go up at a time. More would only share the line."""

MOST = 32
"""How many deliveries one look takes on, so that it is over in some milliseconds."""

LONGEST = 24 * 3600.0
"""Seconds after which nothing that was put there is remembered; no endpoint keeps it longer for a post to come."""


@dataclass(slots=True)
class _Upload:
    """The files of one part. `put` is what the channel said of them, `at` and `steady` when it was over."""

    began: bool = False
    over: threading.Event = field(default_factory=threading.Event)
    put: Mapping[str, Any] = field(default_factory=dict)
    at: datetime | None = None
    steady: float = 0.0


class Ahead:
    """Nothing of it is written down: no state changes, and a part that it knows nothing of is uploaded when it is
    claimed. Endpoints clear away by themselves what no post took.

    Args:
        pool: where the files go up; not the senders', which nothing may fill.
        parcel: what a channel needs for a part.
        rests: whether nothing is to leave now.
        unreached: the accounts whose hosts can't be reached now.
    """

    def __init__(
        self, *, store: Store, keys: Keys, channels: Mapping[str, Channel], clock: Clock, pool: Pool,
        parcel: Callable[[Job, Part, Channel, Mapping[str, str]], Parcel], rests: Callable[[], bool],
        unreached: Callable[[], Collection[int]],
    ) -> None:  # fmt: skip
        self._store, self._keys, self._clock, self._pool = store, keys, clock, pool
        self._channels = {kind: channel for kind, channel in channels.items() if channel.uploads}
        self._parcel, self._rests, self._unreached = parcel, rests, unreached
        self._next_look = -math.inf
        self._looked: dict[int, tuple[int, float]] = {}  # by delivery: at which version, and when to look again
        self._uploads: dict[tuple[str, int], _Upload] = {}  # by the part's key and the version of what is written
        self._lock = threading.Lock()

    def tick(self) -> None:
        """Called at every heartbeat."""
        steady = self._clock.monotonic()
        if steady < self._next_look or self._rests():
            return
        self._next_look = steady + LOOKS  # before the look: what changes during it asks for another
        with self._store.reading() as connection:
            until = self._clock.now() + AHEAD
            found = outgoing.soon(connection, until, list(self._channels), self._unreached())
            wanted = self._not_looked_at(found)
            if len(wanted) > MOST:
                wanted = wanted[:MOST]
                self.poke()
            jobs = outgoing.load_jobs(connection, wanted) if wanted else []
        for job in jobs:
            self._begin(job)
        self._forget()

    def poke(self) -> None:
        """Something may have become due soon: the next heartbeat looks."""
        self._next_look = -math.inf

    def files(self, job: Job, part: Part) -> Mapping[str, Any]:
        """What was put there for a part that is claimed now; {} nothing, or nothing that is still good.

        Files that are on their way are waited for. Those that only wait for their turn are left to who asks.
        """
        with self._lock:
            upload = self._uploads.pop(_key(job, part), None)
        if upload is None or not upload.began:
            return {}
        upload.over.wait()
        life = self._channels[job.account.channel].capabilities.prepared_life
        return upload.put if self._age(upload) < life else {}

    def _not_looked_at(self, found: Mapping[int, int]) -> list[int]:
        """Of these deliveries, with their versions, those that are new, have changed, or are to be tried again."""
        steady = self._clock.monotonic()
        with self._lock:
            self._looked = {one: self._looked[one] for one in found if one in self._looked}
            fresh = {one for one, (version, again) in self._looked.items() if version == found[one] and steady < again}
        return [one for one in found if one not in fresh]

    def _begin(self, job: Job) -> None:
        with self._lock:
            self._looked[job.delivery.id] = (job.delivery.version, math.inf)
            for part in job.parts if job.content.files else ():
                key = _key(job, part)
                if part.is_open and part.prepared_at is None and key not in self._uploads:
                    self._uploads[key] = upload = _Upload()
                    self._pool.submit(partial(self._put, job, part, upload))

    def _put(self, job: Job, part: Part, upload: _Upload) -> None:
        """On a thread of its own: the upload, unless the part was claimed before its turn came."""
        channel = self._channels[job.account.channel]
        try:
            with self._store.reading() as connection:
                is_waiting = deliveries.get(connection, job.delivery.id).state is State.SCHEDULED
            with self._lock:
                upload.began = is_waiting and self._uploads.get(_key(job, part)) is upload
            if upload.began:
                secret = self._keys.secret(job.account, channel)
                parcel = replace(self._parcel(job, part, channel, secret), now=self._clock.now())
                upload.put = channel.upload(parcel)
        except Exception as wrong:  # this is no send; what is wrong is told when it is tried at its time
            log.info("the files of delivery %d are not there yet: %s", job.delivery.id, type(wrong).__name__)
            if not isinstance(wrong, SendoffError):
                log.error("the channel %s failed to upload", job.account.channel, exc_info=wrong)
            with self._lock:
                self._uploads.pop(_key(job, part), None)
                self._looked[job.delivery.id] = (job.delivery.version, self._clock.monotonic() + AGAIN)
        finally:
            upload.at, upload.steady = self._clock.now(), self._clock.monotonic()
            upload.over.set()

    def _age(self, upload: _Upload) -> float:
        """Seconds: by the clock that goes on in a sleep, or by the one that nobody can set back."""
        by_wall = (self._clock.now() - upload.at).total_seconds() if upload.at else 0.0
        return max(by_wall, self._clock.monotonic() - upload.steady)

    def _forget(self) -> None:
        """What was put there for posts that were cancelled or changed meanwhile."""
        with self._lock:
            old = [key for key, one in self._uploads.items() if one.over.is_set() and self._age(one) > LONGEST]
            for key in old:
                del self._uploads[key]


def _key(job: Job, part: Part) -> tuple[str, int]:
    return part.key, job.written
