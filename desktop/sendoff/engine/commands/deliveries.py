"""Deliveries on the timeline: another time, back, once more, and the person's word on one in doubt."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta

from sendoff.domain.channel import Channel
from sendoff.domain.delivery import BY_HAND, Delivery, State
from sendoff.domain.errors import Refused
from sendoff.domain.when import Clock, When, parse_when, to_come
from sendoff.engine.commands import planning
from sendoff.store import accounts, changes, deliveries, doubts, posts, settings
from sendoff.store.db import Connection, Store

ENDED = (State.FAILED, State.MISSED, State.CANCELLED)
"""The states in which a delivery stands still while its post may be changed for other accounts."""


class Deliveries:
    """What a person does with deliveries; several at a time are all done or none."""

    def __init__(self, store: Store, channels: Mapping[str, Channel], clock: Clock) -> None:
        self._store = store
        self._channels = channels
        self._clock = clock

    def move(self, ids: Collection[int], when: When) -> list[State]:
        """Gives deliveries another time, all or none. Returns how they stand: held, where an account can't send."""
        now, found = self._clock.now(), []
        when = to_come(when, now)
        with self._store.writing(changes.DELIVERIES) as connection:
            patience = planning.patience(settings.read(connection))
            for delivery_id in ids:
                with _about(delivery_id, ids):
                    one = deliveries.get(connection, delivery_id)
                    found.append(self._plan_anew(connection, one, when, patience))
        return found

    def shift(self, ids: Collection[int], by: timedelta) -> None:
        """Moves several deliveries together, each in its own zone's wall time."""
        now = self._clock.now()
        with self._store.writing(changes.DELIVERIES) as connection:
            patience = planning.patience(settings.read(connection))
            for delivery_id in ids:
                with _about(delivery_id, ids):
                    one = deliveries.get(connection, delivery_id)
                    wall = datetime.fromisoformat(one.wall) + by
                    when = to_come(parse_when(wall.isoformat(timespec="microseconds"), now, one.zone), now)
                    self._plan_anew(connection, one, when, patience)

    def cancel(self, ids: Collection[int]) -> None:
        """Takes deliveries back, all or none. A post without any delivery left becomes a draft again."""
        with self._store.writing(changes.DELIVERIES) as connection:
            touched = set()
            for delivery_id in ids:
                with _about(delivery_id, ids):
                    touched.add(deliveries.get(connection, delivery_id).post_id)
                    deliveries.cancel(connection, delivery_id)
            for post_id in touched:
                if all(one.state is State.CANCELLED for one in deliveries.of_post(connection, post_id)):
                    posts.set_draft(connection, post_id, True)

    def restore(self, ids: Collection[int]) -> None:
        """Undoes `cancel`: the deliveries stand at their old times again, with the post's text of now.

        Raises:
            Refused: the post is planned for that account again already, or its text was changed after a part left.
        """
        now = self._clock.now()
        with self._store.writing(changes.DELIVERIES) as connection:
            patience = planning.patience(settings.read(connection))
            for delivery_id in ids:
                with _about(delivery_id, ids):
                    one = deliveries.get(connection, delivery_id)
                    when = When(datetime.fromisoformat(one.wall), one.zone, one.fold)
                    self._plan_anew(connection, one, to_come(when, now), patience)

    def retry(self, ids: Collection[int]) -> list[State]:
        """Sends now what failed, was missed, is held or still waits. Parts that are out stay out.

        Returns how they stand: held, where an account can't send.
        """
        now, found = self._clock.now(), []
        with self._store.writing(changes.DELIVERIES) as connection:
            patience = planning.patience(settings.read(connection))
            for delivery_id in ids:
                with _about(delivery_id, ids):
                    self._fit(connection, deliveries.get(connection, delivery_id))
                    found.append(deliveries.retry(connection, delivery_id, now, now + patience))
        return found

    def settle(self, delivery_id: int, sent: bool) -> State:
        """The person's word on a doubtful delivery: it is there, or it is not and shall go again.

        What is to go again is held where its account needs a sign-in, and cancelled where that was removed.
        """
        now = self._clock.now()
        receipt = BY_HAND if sent else None
        with self._store.writing(changes.DELIVERIES) as connection:
            goes = not accounts.get(connection, deliveries.get(connection, delivery_id).account_id).removed
            absent = "You said that it is not there, so it goes again." if goes else "You said that it is not there."
            summary = "You said that it is there." if sent else absent
            return doubts.settle(connection, delivery_id, receipt, now, summary=summary)

    def look_again(self, delivery_id: int) -> None:
        """Asks the endpoint once more about a doubtful delivery, as soon as the sender gets to it."""
        now = self._clock.now()
        with self._store.writing(changes.DELIVERIES) as connection:
            one = deliveries.get(connection, delivery_id)
            if one.state is not State.IN_DOUBT:
                raise Refused("There is nothing in doubt about this delivery.")
            doubts.looked(connection, delivery_id, next_look=now, reason=one.reason, advice=one.advice)

    def acknowledge(self, ids: Iterable[int], seen: bool = True) -> None:
        """Takes failed, missed and doubtful deliveries off the "Needs you" list; their state stays what it is."""
        with self._store.writing(changes.DELIVERIES) as connection:
            for delivery_id in ids:
                deliveries.acknowledge(connection, delivery_id, seen)

    def _plan_anew(self, connection: Connection, one: Delivery, when: When, patience: timedelta) -> State:
        """Another time, for what had ended too."""
        self._fit(connection, one)
        return deliveries.reschedule(connection, one.id, when, when.instant + patience)

    def _fit(self, connection: Connection, one: Delivery) -> None:
        """Makes a delivery that had ended fit what became of its post since: nothing goes twice, nothing is a mix."""
        if one.state not in ENDED:
            return
        if accounts.get(connection, one.account_id).removed:
            raise Refused(f"{deliveries.ACCOUNT_REMOVED} Copy the post to another one.")
        others = [other for other in deliveries.of_post(connection, one.post_id) if other.id != one.id]
        if any(other.account_id == one.account_id and other.state is not State.CANCELLED for other in others):
            raise Refused("This post stands on the timeline for that account already.")
        posts.set_draft(connection, one.post_id, False)
        post = posts.get(connection, one.post_id)
        cut = deliveries.parts_of(connection, one.id)
        if any(part.receipt for part in cut):
            if any(event.kind == "deleted" for event in deliveries.events_of(connection, one.id)):
                raise Refused("What was out of it is deleted, so the rest can’t follow it. Write it as a new post.")
            if post.version != doubts.carried(connection, one.id):
                raise Refused("Its text was changed after a part of it had left. Write the rest as a new post.")
            return
        account = accounts.get(connection, one.account_id)
        plans = planning.parts(post, account, self._channels)
        if plans != tuple(part.plan for part in cut):
            deliveries.replace_parts(connection, one.id, plans)


@contextmanager
def _about(delivery_id: int, ids: Collection[int]) -> Iterator[None]:
    """Names the one of several that a refusal is about."""
    try:
        yield
    except Refused as no:
        if len(ids) == 1:
            raise
        raise Refused(f"Delivery {delivery_id}: {no} Nothing was changed.") from None
