"""Sign-ins are watched: asked once a day and before posts are due, and their known ends told in time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from functools import partial

from sendoff.domain.account import Account, AccountState
from sendoff.domain.channel import Channel, Identity
from sendoff.domain.errors import NeedsLogin, SecretGone
from sendoff.domain.redact import Redactor
from sendoff.domain.signin import AHEAD, is_to_probe, step
from sendoff.domain.when import Clock
from sendoff.engine.asking import Asking
from sendoff.engine.keys import Keys
from sendoff.engine.pool import Pool
from sendoff.engine.writer import Writer
from sendoff.store import accounts, deliveries, signins
from sendoff.store.db import Connection, Store, StoreTrouble

CALM = 120.0
"""Seconds after the start in which nobody is asked."""


class SignIns:
    """Asks as a person would by Check. Only a clear “no” changes anything: what is planned is held, with the words.

    Where reading costs money, nothing is read: only tokens that run out are renewed, which costs nothing.

    Args:
        rests: whether nothing may leave now (paused, about to sleep).
        unreached: the accounts whose hosts can't be reached now.
    """

    def __init__(
        self, *, store: Store, writer: Writer, keys: Keys, channels: Mapping[str, Channel], pool: Pool, clock: Clock,
        rests: Callable[[], bool], unreached: Callable[[], Collection[int]],
    ) -> None:  # fmt: skip
        self._store = store
        self._writer = writer
        self._keys = keys
        self._channels = channels
        self._clock = clock
        self._rests = rests
        self._unreached = unreached
        self._asking = Asking(pool, clock, CALM)

    def tick(self) -> None:
        """Called at every heartbeat."""
        if not self._asking.is_time():
            return
        now = self._clock.now()
        with self._store.reading() as connection:
            known = accounts.every(connection)
            due = signins.next_due(connection, now, AHEAD)
        for account in known:
            self._warn(account, now)
        chosen = None if self._rests() else self._chosen(known, due, now)
        if chosen is not None:
            self._asking.ask(partial(self._ask, chosen))

    def _warn(self, account: Account, now: datetime) -> None:
        """Writes down the step that was reached; whoever shows things hears of it, once."""
        reached = step(account.expires_at, now)
        if reached is None or account.state is not AccountState.WORKING:
            return
        if account.warned is None or reached < account.warned:
            self._writer.run(lambda connection: accounts.update(connection, account.id, warned=reached))

    def _chosen(self, known: Collection[Account], due: Mapping[int, datetime], now: datetime) -> Account | None:
        """The account to ask now: one for which something is due soon comes first."""
        unreached = self._unreached()
        waiting = [
            one
            for one in known
            if one.state is AccountState.WORKING
            and one.rest_until is None
            and one.id not in unreached
            and self._asking.may_ask(one.id)
            and self._can_ask(one)
            and is_to_probe(one, due.get(one.id), now)
        ]
        return min(waiting, key=lambda one: (due.get(one.id, now + AHEAD), one.id), default=None)

    def _can_ask(self, account: Account) -> bool:
        channel = self._channels.get(account.channel)
        return channel is not None and (channel.renews or not channel.reads_cost)

    def _ask(self, account: Account) -> None:
        channel, clean, identity = self._channels[account.channel], Redactor(), None
        try:
            secret = self._keys.secret(account, channel)
            clean = Redactor(secret.values())
            if not channel.reads_cost:
                identity = channel.connect({**account.settings, **secret})
        except (NeedsLogin, SecretGone) as wrong:
            reason = clean.clean(wrong.reason if isinstance(wrong, NeedsLogin) else str(wrong))
            self._write(account, lambda connection: deliveries.hold_account(connection, account.id, reason))
        except StoreTrouble:
            raise
        except Exception as wrong:  # noqa: BLE001  # a mistake in the channel is told by the log; this is no send
            self._asking.failed(account.id, wrong)
        else:
            self._asking.answered(account.id)
            self._write(account, partial(self._works, account, identity))

    def _works(self, account: Account, identity: Identity | None, connection: Connection) -> None:
        ends = identity.expires if identity else account.expires_at
        if identity and dict(identity.learned) != dict(account.learned):
            accounts.update(connection, account.id, learned=identity.learned)
        accounts.signed_in(connection, account.id, ends, self._clock.now())

    def _write(self, account: Account, what: Callable[[Connection], object]) -> None:
        """Writes what the answer means, unless the person did something with the account meanwhile."""

        def write(connection: Connection) -> None:
            now = accounts.get(connection, account.id)
            if (now.secret_ref, now.state, now.settings) == (account.secret_ref, account.state, account.settings):
                what(connection)

        self._writer.run(write)
