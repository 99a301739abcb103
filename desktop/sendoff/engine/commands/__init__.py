"""All that a person can do, from the window or the command line: one transaction each, refused with a sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sendoff.domain.channel import Channel
from sendoff.domain.when import Clock
from sendoff.engine.commands.accounts import Accounts
from sendoff.engine.commands.deliveries import Deliveries
from sendoff.engine.commands.posts import Posts
from sendoff.engine.commands.sender import Sender
from sendoff.engine.commands.sent import Sent
from sendoff.engine.commands.settings import Settings
from sendoff.engine.commands.trials import Trials
from sendoff.engine.keys import Keys
from sendoff.store.db import Store
from sendoff.store.secrets import Secrets


class Commands:
    """Writes what a person wants. Safe to use from any thread and any process; the sender hears of it."""

    def __init__(
        self,
        *,
        store: Store,
        secrets: Secrets,
        channels: Mapping[str, Channel],
        clock: Clock,
        zone: Callable[[], str],
    ) -> None:
        keys = Keys(secrets, store.folder, clock)
        self.posts = Posts(store, channels, clock)
        self.deliveries = Deliveries(store, channels, clock)
        self.sent = Sent(store, keys, channels, clock)
        self.accounts = Accounts(store, secrets, keys, channels, clock)
        self.trials = Trials(self.accounts, channels, clock)
        self.sender = Sender(store, clock)
        self.settings = Settings(store, zone)
