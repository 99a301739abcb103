"""The one place where the parts meet: folder, store, secrets, channels, commands, engine."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sendoff import logs
from sendoff.channels import registry
from sendoff.channels.http import Transport
from sendoff.channels.link_card import Cards
from sendoff.domain.channel import Channel
from sendoff.domain.post import LinkCard
from sendoff.domain.when import Clock
from sendoff.engine.bell import Bell
from sendoff.engine.clock import SystemClock
from sendoff.engine.commands import Commands
from sendoff.store import profile, restore, whereabouts
from sendoff.store.db import Store
from sendoff.store.media import Media
from sendoff.store.secrets import Secrets

if TYPE_CHECKING:
    from sendoff.engine.engine import Engine


@dataclass(frozen=True, slots=True)
class Program:
    """Everything that the window and the command line work with. Close it at the end."""

    folder: Path
    store: Store
    secrets: Secrets
    media: Media
    channels: Mapping[str, Channel]
    failed_channels: Mapping[str, str]
    commands: Commands
    clock: Clock
    bell: Bell
    cards: Cards

    def link_card(self, url: str, *, again: bool = False) -> LinkCard:
        """What the page at `url` says of itself, its picture kept with the files of the posts. Takes seconds.

        Args:
            again: ask although the answer is known.

        Raises:
            Rejected, TryLater: there is no card, in a sentence.
        """
        page, image = self.cards.fetch(url, again=again), None
        if page.picture is not None:
            image = self.media.attach_bytes(page.picture.data, "card.jpg", "image/jpeg")
        return LinkCard(url, page.title, page.text, image)

    def engine(self) -> Engine:
        """A sender for this profile, not started yet."""
        from sendoff.engine.engine import Engine  # with APScheduler, which only the sender needs

        return Engine(
            store=self.store,
            secrets=self.secrets,
            files=self.media,
            channels=self.channels,
            clock=self.clock,
            bell=self.bell,
            get_ready=Transport.get_ready,
        )

    def close(self) -> None:
        self.store.close()


def open_program(
    folder: Path | None = None,
    *,
    passphrase: str | None = None,
    clock: Clock | None = None,
    transport: Transport | None = None,
    cards: Cards | None = None,
) -> Program:
    """Opens a profile: makes its folder and database if need be, and loads the channels.

    Args:
        folder: the profile; None: SENDOFF_HOME or the system's place.
        cards: what looks at linked pages; None: one that goes to the public internet only.
        passphrase: for the encrypted file of keys, where there is no keychain; None: SENDOFF_PASSPHRASE if set.

    Raises:
        SetupMissing, Damaged: the profile cannot be used; the message says why.
    """
    folder = profile.open_folder(folder or profile.home())
    clock, bell = clock or SystemClock(), Bell()
    secrets = Secrets(folder, passphrase or os.environ.get("SENDOFF_PASSPHRASE"))
    logs.start(folder, secrets.known_values)
    restore.before_opening(folder)
    store = Store(folder, bell.ring)
    try:
        if not profile.is_sender_running(folder):  # it has looked itself
            whereabouts.settle(store, clock.now())
    except BaseException:
        store.close()
        raise
    known = registry.load(registry.Context(transport or Transport(), folder))
    commands = Commands(store=store, secrets=secrets, channels=known.channels, clock=clock, zone=SystemZone())
    return Program(
        folder=folder,
        store=store,
        secrets=secrets,
        media=Media(folder),
        channels=known.channels,
        failed_channels=known.failed,
        commands=commands,
        clock=clock,
        bell=bell,
        cards=cards or Cards(),
    )


class SystemZone:
    """This computer's time zone; looked up again once a minute, because people travel."""

    def __init__(self) -> None:
        self._name, self._until = "", 0.0

    def __call__(self) -> str:
        if time.monotonic() > self._until:
            self._name, self._until = system_zone(), time.monotonic() + 60
        return self._name


def system_zone() -> str:
    """This computer's time zone by its IANA name as it is set now, or UTC."""
    import tzlocal

    try:
        tzlocal.reload_localzone()
        return str(tzlocal.get_localzone_name())
    except Exception:  # noqa: BLE001  # tzlocal raises many things on unusual systems; any zone is better than no start
        return "UTC"
