"""What is out: taking it back at the endpoint, and asking there what people did with it."""

from __future__ import annotations

from collections.abc import Mapping

from sendoff.domain.channel import Channel, channel_named
from sendoff.domain.errors import Refused, TryLater
from sendoff.domain.numbers import Numbers, Reading
from sendoff.domain.outside import Outside, why_no_numbers, why_not_deleted
from sendoff.domain.when import Clock
from sendoff.engine.keys import Keys
from sendoff.store import accounts, changes, deliveries, readings
from sendoff.store.db import Store


class Sent:
    """What a person does about deliveries that are at their endpoints. Each asks there, so it takes a while."""

    def __init__(self, store: Store, keys: Keys, channels: Mapping[str, Channel], clock: Clock) -> None:
        self._store = store
        self._keys = keys
        self._channels = channels
        self._clock = clock

    def delete(self, delivery_id: int) -> int:
        """Takes what is out back at the endpoint, the last part first; returns how many parts that were.

        The delivery stays what it was, sent; an event says that it is gone. What is gone already is no error, so this
        may be repeated.

        Raises:
            Refused: nothing is out, something of it is on its way, or this network takes nothing back.
            Rejected, NeedsLogin, TryLater, InDoubt: it is still there, or that is not known.
        """
        with self._store.reading() as connection:
            one = deliveries.get(connection, delivery_id)
            account = accounts.get(connection, one.account_id)
            out = [part.receipt for part in deliveries.parts_of(connection, delivery_id) if part.receipt]
        channel = channel_named(self._channels, account.channel)
        if why_not := why_not_deleted(Outside.of(one.state, out), channel):
            raise Refused(why_not)
        secret = self._keys.secret(account, channel)
        for receipt in reversed(out):
            channel.delete(account, secret, receipt)
        with self._store.writing(changes.DELIVERIES) as connection:
            deliveries.note(connection, delivery_id, self._clock.now(), "deleted", detail="You took it back.")
        return len(out)

    def read_numbers(self, delivery_id: int) -> dict[int, Reading]:
        """Asks the network now what people did with what is out; returns and keeps the answers by the parts' numbers.

        Raises:
            Refused: nothing is out that could be asked for, or the network does not tell, or charges for it.
            Rejected, NeedsLogin, TryLater: it did not answer.
        """
        with self._store.reading() as connection:
            one = deliveries.get(connection, delivery_id)
            account = accounts.get(connection, one.account_id)
            cut = {part.id: part for part in deliveries.parts_of(connection, delivery_id)}
        out = {part_id: part.receipt for part_id, part in cut.items() if part.receipt}
        channel = channel_named(self._channels, account.channel)
        if why_not := why_no_numbers(Outside.of(one.state, list(out.values())), account, channel):
            raise Refused(why_not)
        at_once = channel.capabilities.learned(account.learned).numbers
        asked = {part_id: receipt for part_id, receipt in out.items() if not receipt.is_by_hand}
        secret, receipts = self._keys.secret(account, channel), list(asked.values())
        told: dict[str, Numbers | None] = {}
        for first in range(0, len(receipts), at_once):
            told |= channel.numbers(account, secret, receipts[first : first + at_once])
        now = self._clock.now()
        found = {part_id: Reading(now, told[it.remote_id]) for part_id, it in asked.items() if it.remote_id in told}
        if not found:
            raise TryLater(f"{channel.title} does not show it yet.")
        with self._store.writing(changes.DELIVERIES) as connection:
            for part_id, reading in found.items():
                readings.insert(connection, part_id, reading)
        return {cut[part_id].number: reading for part_id, reading in found.items()}
