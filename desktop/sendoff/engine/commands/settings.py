"""What the person prefers, one setting at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sendoff.store import changes, settings
from sendoff.store.db import Store


class Settings:
    """Sets the preferences, and tells the time zone that follows from them.

    Args:
        system_zone: this computer's time zone by its IANA name.
    """

    def __init__(self, store: Store, system_zone: Callable[[], str]) -> None:
        self._store = store
        self._system_zone = system_zone

    def set(self, name: str, value: str) -> None:
        """Changes one setting (store/settings.py lists them)."""
        with self._store.writing(changes.SETTINGS) as connection:
            settings.write(connection, name, value)

    def zone(self) -> str:
        """The person's time zone: the preference, or this computer's."""
        with self._store.reading() as connection:
            return self.zone_in(settings.read(connection))

    def zone_in(self, chosen: Mapping[str, str]) -> str:
        """The same, from settings that were read already."""
        return chosen["zone"] or self._system_zone()
