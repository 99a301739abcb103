"""Accounts that rest after refusals in a row: each is asked in the end whether it works again, and then goes on."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from datetime import timedelta
from functools import partial

from sendoff.domain.account import Account
from sendoff.domain.channel import Channel
from sendoff.domain.errors import KeychainError, NeedsLogin, SendoffError
from sendoff.domain.redact import Redactor
from sendoff.domain.when import Clock
from sendoff.engine.keys import Keys
from sendoff.engine.pool import Pool
from sendoff.engine.writer import Writer
from sendoff.store import accounts, deliveries
from sendoff.store.db import Store, StoreTrouble

log = logging.getLogger(__name__)

KEYCHAIN_PAUSE = timedelta(minutes=1)


class Circuit:
    """Ends rests. (They begin where the end of a try is written: store.accounts.strike.)"""

    def __init__(
        self,
        *,
        store: Store,
        writer: Writer,
        keys: Keys,
        channels: Mapping[str, Channel],
        pool: Pool,
        clock: Clock,
    ) -> None:
        self._store = store
        self._writer = writer
        self._keys = keys
        self._channels = channels
        self._pool = pool
        self._clock = clock
        self._resting: list[Account] = []
        self._asking: set[int] = set()
        self._lock = threading.Lock()

    def read(self) -> None:
        """Takes over from the rows who rests until when."""
        with self._store.reading() as connection:
            self._resting = accounts.resting(connection)

    def tick(self) -> None:
        """Asks those whose rest is over. Called at every heartbeat."""
        now = self._clock.now()
        for account in self._resting:
            if account.rest_until and account.rest_until <= now:
                with self._lock:
                    if account.id in self._asking:
                        continue
                    self._asking.add(account.id)
                self._pool.submit(partial(self._ask, account))

    def _ask(self, account: Account) -> None:
        try:
            self._settle(account)
        except StoreTrouble as trouble:
            log.error("the rest of account %d could not be ended: %s", account.id, trouble)  # the next beat asks again
        finally:
            with self._lock:
                self._asking.discard(account.id)

    def _settle(self, account: Account) -> None:
        """Signs in as a person would by Test; a channel that is gone has nothing that could be asked."""
        channel, now, clean = self._channels.get(account.channel), self._clock.now(), Redactor()
        try:
            if channel is not None:
                secret = self._keys.secret(account, channel)
                clean = Redactor(secret.values())
                channel.connect({**account.settings, **secret})
        except NeedsLogin as wrong:
            reason = clean.clean(wrong.reason)
            self._writer.run(lambda connection: deliveries.hold_account(connection, account.id, reason))
        except KeychainError:
            later = now + KEYCHAIN_PAUSE
            self._writer.run(lambda connection: accounts.update(connection, account.id, rest_until=later))
        except SendoffError as wrong:
            why = clean.clean(str(wrong))
            self._writer.run(lambda connection: deliveries.strike(connection, account.id, why, now))
        except Exception as fault:  # a mistake in the channel; this is no send, and it ends
            log.exception("the channel %s failed when it was asked", account.channel)
            why = f"Sendoff itself failed when it asked whether this works ({type(fault).__name__})."
            self._writer.run(lambda connection: deliveries.strike(connection, account.id, why, now))
        else:
            self._writer.run(lambda connection: accounts.end_rest(connection, account.id))
