"""The sender as a whole: paused, resumed, and back from an absence."""

from __future__ import annotations

from datetime import datetime

from sendoff.domain.errors import Refused
from sendoff.domain.when import Clock
from sendoff.store import absences, changes, deliveries, settings, whereabouts, wouldsend
from sendoff.store.db import Store


class Sender:
    """What a person says to whatever sends for this profile, be it this process or another."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def pause(self, until: datetime | None = None) -> None:
        """Nothing leaves until then; None: until `resume`. Times pass meanwhile; the lateness rules decide after.

        Raises:
            Refused: it is paused until the person has looked what would leave, and that can't end by itself.
        """
        with self._store.writing(changes.SETTINGS) as connection:
            why = whereabouts.why_paused(settings.read(connection))
            if why and until is not None:
                raise Refused(f"It is paused already: {why} Look at what it would send, then resume.")
            settings.write(connection, "paused_until", until.isoformat() if until else settings.FOREVER)

    def resume(self) -> None:
        """Things leave again, by their rules."""
        with self._store.writing(changes.SETTINGS) as connection:
            settings.write(connection, "paused_until", "")
            settings.write(connection, "paused_why", "")

    def cancel_overdue(self) -> list[int]:
        """Takes back everything whose time is past and that waits for nothing else; returns what it was."""
        with self._store.writing(changes.DELIVERIES) as connection:
            ids = list(wouldsend.outlook(connection, self._clock.now(), 0).overdue)
            for delivery_id in ids:
                deliveries.cancel(connection, delivery_id)
        return ids

    def welcomed(self) -> None:
        """The person has seen what became of the deliveries of all absences so far."""
        with self._store.writing(changes.SENDER) as connection:
            absences.mark_seen(connection)
