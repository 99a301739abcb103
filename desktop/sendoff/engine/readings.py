"""What people did with the posts: read an hour, a day and a week after the sending, out of the way of every send."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial

from sendoff.domain.account import Account, AccountState
from sendoff.domain.channel import Channel
from sendoff.domain.numbers import Reading
from sendoff.domain.when import Clock
from sendoff.engine.asking import LATER, Asking
from sendoff.engine.keys import Keys
from sendoff.engine.pool import Pool
from sendoff.engine.writer import Writer
from sendoff.store import accounts, readings
from sendoff.store.db import Connection, Store, StoreTrouble
from sendoff.store.readings import Wanted

CALM = 300.0
"""Seconds after the start in which nobody is asked."""


class Readings:
    """Asks one account at a time for as many posts as one question takes.

    Args:
        is_busy: whether something leaves now or is about to.
        unreached: the accounts whose hosts can't be reached now.
    """

    def __init__(
        self, *, store: Store, writer: Writer, keys: Keys, channels: Mapping[str, Channel], pool: Pool, clock: Clock,
        is_busy: Callable[[], bool], unreached: Callable[[], Collection[int]],
    ) -> None:  # fmt: skip
        self._asking = Asking(pool, clock, CALM)
        self._store, self._writer, self._keys = store, writer, keys
        self._channels, self._clock = channels, clock
        self._is_busy, self._unreached = is_busy, unreached
        self._passed: dict[int, float] = {}  # parts of which nothing could be told, until when

    def tick(self) -> None:
        """Called at every heartbeat."""
        if self._is_busy() or not self._asking.is_time():
            return
        steady = self._clock.monotonic()
        self._passed = {part_id: until for part_id, until in self._passed.items() if until > steady}
        with self._store.reading() as connection:
            known = {one.id: one for one in accounts.every(connection) if self._can_ask(one)}
            wanted = readings.wanted(connection, known, self._clock.now(), self._passed) if known else []
        if not wanted:
            return
        account = known[wanted[0].account_id]
        mine = [one for one in wanted if one.account_id == account.id]
        at_once = self._figure(account)
        self._asking.ask(partial(self._ask, account, mine[:at_once]))

    def _figure(self, account: Account) -> int:
        return self._channels[account.channel].capabilities.learned(account.learned).numbers

    def _can_ask(self, account: Account) -> bool:
        channel = self._channels.get(account.channel)
        return (
            channel is not None
            and account.state is AccountState.WORKING
            and account.rest_until is None
            and account.id not in self._unreached()
            and self._figure(account) > 0
            and channel.may_read(account)
            and self._asking.may_ask(account.id)
        )

    def _ask(self, account: Account, wanted: Sequence[Wanted]) -> None:
        channel = self._channels[account.channel]
        try:
            secret = self._keys.secret(account, channel)
            told = channel.numbers(account, secret, [one.receipt for one in wanted])
        except StoreTrouble:
            raise
        except Exception as wrong:  # noqa: BLE001  # a mistake in the channel is told by the log; this is no send
            self._asking.failed(account.id, wrong)
            return
        self._asking.answered(account.id)
        now = self._clock.now()

        def write(connection: Connection) -> None:
            for one in wanted:
                if one.receipt.remote_id in told:
                    readings.insert(connection, one.part_id, Reading(now, told[one.receipt.remote_id]))

        self._writer.run(write)
        later = self._clock.monotonic() + LATER
        self._passed |= {one.part_id: later for one in wanted if one.receipt.remote_id not in told}
