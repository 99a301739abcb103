"""The secret of an account as it may be used now: with a new token where the old one runs out."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping
from pathlib import Path

from sendoff import killpoints
from sendoff.domain.account import Account
from sendoff.domain.channel import Channel
from sendoff.domain.when import Clock
from sendoff.store.profile import alone
from sendoff.store.secrets import Secrets

FOLDER = "renewing"
"""The folder of the profile with a lock for each account whose tokens run out."""


class Keys:
    """One at a time for each account, in this process and others, because a refresh token works once; and the new one
    is in the keychain before it is used, because the old one may be void already.
    """

    def __init__(self, secrets: Secrets, folder: Path, clock: Clock) -> None:
        self._secrets = secrets
        self._folder = folder / FOLDER
        self._clock = clock
        self._turns: dict[int, threading.Lock] = {}
        self._seen: dict[Path, str] = {}

    def secret(self, account: Account, channel: Channel | None) -> Mapping[str, str]:
        """The secret fields to use now.

        Raises:
            NeedsLogin, TryLater: there is no new token. KeychainError: they can't be had.
        """
        if channel is None or not channel.renews:
            return self._secrets.get(account.secret_ref)
        self._folder.mkdir(mode=0o700, exist_ok=True)
        lock = self._folder / f"{account.id}.lock"
        with self._turns.setdefault(account.id, threading.Lock()), alone(lock):
            return self._renewed(account, channel, lock)

    def _renewed(self, account: Account, channel: Channel, lock: Path) -> Mapping[str, str]:
        mark = lock.read_text()
        others_wrote = self._seen.get(lock) != mark
        self._seen[lock] = mark
        secret = self._secrets.get(account.secret_ref, anew=others_wrote)
        fresh = channel.renew(account, secret, self._clock.now())
        killpoints.reach("token.renewed")
        if fresh:
            secret = {**secret, **fresh}
            self._secrets.put(secret, account.secret_ref)
            self._seen[lock] = uuid.uuid4().hex  # another mark tells other processes that what they know is old
            lock.write_text(self._seen[lock])
        return secret
