"""Doubt: what a crash left behind, the looks at it, and how it is settled."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from sendoff.domain.delivery import Move, Receipt, State, why_not
from sendoff.domain.doubt import STOPPED_WHILE
from sendoff.domain.errors import Refused
from sendoff.store import changes, codec
from sendoff.store.deliveries import get, move, note, parts_of, some_refused
from sendoff.store.dialect import GIVEN
from sendoff.store.tables import (
    IN_DOUBT,
    SENDING,
    TAKEN,
    attempts,
    deliveries,
    parts,
    posts,
)

# --- settled --------------------------------------------------------------------------------------------------------


def settle(
    connection: sa.Connection,
    delivery_id: int,
    receipt: Receipt | None,
    now: datetime,
    *,
    summary: str,
    due_at: datetime | None = None,
    tries: int = 0,
) -> State:
    """Ends doubt: with a receipt the doubtful part is out there, without one it is surely not and goes again.

    What follows (the part itself, or the rest of a thread) goes whatever the lateness rule says: it was on time once.

    Args:
        due_at: when what is absent goes again; None: now. `tries` is what the budget has come to then.
    """
    delivery = get(connection, delivery_id)
    open_part = next((part for part in parts_of(connection, delivery_id) if part.is_open), None)
    if delivery.state is not State.IN_DOUBT or open_part is None:
        raise Refused(why_not(delivery.state, Move.FOUND))
    if receipt is None:
        note(connection, delivery_id, now, "settled", detail=summary)
        return move(connection, delivery_id, Move.ABSENT, due_at=due_at or now, tries=tries, late="send", **_CLEARED)
    left_at = last_attempt_at(connection, delivery_id) or now
    _write_receipt(connection, open_part.id, receipt, left_at)
    return found_after_all(connection, delivery_id, left_at, now, summary)


_CLEARED: dict[str, Any] = {
    "owner": None,
    "lease_until": None,
    "look_at": None,
    "looks": 0,
    "reason": "",
    "advice": "",
}


def found_after_all(
    connection: sa.Connection, delivery_id: int, left_at: datetime, now: datetime, summary: str
) -> State:
    """The part that was in doubt has its receipt: the rest follows, or it is sent."""
    note(connection, delivery_id, now, "settled", detail=summary)
    parts_now = parts_of(connection, delivery_id)
    if any(part.is_open for part in parts_now):
        return move(connection, delivery_id, Move.FOUND_PART, due_at=now, late="send", **_CLEARED)
    if any(part.refused for part in parts_now):
        return move(connection, delivery_id, Move.REFUSE, **(_CLEARED | {"reason": some_refused(parts_now)}))
    return move(connection, delivery_id, Move.FOUND, sent_at=left_at, **_CLEARED)


def _write_receipt(connection: sa.Connection, part_id: int, receipt: Receipt, now: datetime) -> None:
    connection.execute(
        sa.update(parts)
        .where(parts.c.id == part_id)
        .values(remote_id=receipt.remote_id, receipt=codec.encode(receipt), sent_at=now, blob=None)
    )


# --- after a crash --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Recovered:
    """What a new sender found of the last one: claims given back, and tries that nobody knows the end of."""

    released: int
    doubtful: int


def recover(connection: sa.Connection, now: datetime, left: frozenset[int] | None) -> Recovered:
    """Run once by a new sender that holds the profile's lock, so every other owner is gone for good.

    A claim has not left. What was sending has an open attempt, and nobody knows its end, unless it is known to have
    not left.

    Args:
        left: the parts that may have left; None: all of those that were about to.
    """
    gone = {"version": deliveries.c.version + 1, "owner": None, "lease_until": None, "advice": ""}
    opened = connection.execute(
        sa.select(attempts.c.part_id, attempts.c.delivery_id).where(attempts.c.outcome.is_(None))
    )
    doubtful: set[int] = set()
    safe: set[int] = set()
    for row in opened:
        (doubtful if left is None or row.part_id in left else safe).add(row.delivery_id)
    _close_open(connection, doubtful, now, "doubt", STOPPED_WHILE)
    _close_open(connection, safe, now, "later", STOPPED_BEFORE)
    connection.execute(
        sa.update(deliveries)
        .where(SENDING, deliveries.c.id.in_(doubtful))
        .values(state="in_doubt", reason=STOPPED_WHILE, look_at=now, looks=0, **gone)
    )
    released = connection.execute(sa.update(deliveries).where(TAKEN).values(state="scheduled", **gone)).rowcount
    if doubtful or released:
        changes.bump(connection, changes.DELIVERIES)
    forgotten = doubt(connection, _forgotten(connection, left), now, FORGOTTEN) if left else 0
    return Recovered(released, len(doubtful) + forgotten)


def _forgotten(connection: sa.Connection, left: frozenset[int]) -> list[int]:
    """What left although no intention of it was ever written: the database lost its last entries with its log."""
    found = connection.execute(
        sa.select(parts.c.id)
        .join(deliveries, deliveries.c.id == parts.c.delivery_id)
        .where(parts.c.id.in_(GIVEN), deliveries.c.began_at.is_(None)),
        {"rows": codec.encode([(part_id,) for part_id in left])},
    )
    return list(found.scalars())


def doubt(connection: sa.Connection, part_ids: Collection[int], now: datetime, why: str) -> int:
    """Puts deliveries in doubt of which a part left without this database knowing; returns how many.

    It is no move of the table: the database was replaced by an older one, which is told what it has missed. Each gets
    the try that it lacks, as if it had begun at its time, and no look by itself: the channel would have to know what
    the part was sent with.
    """
    tried = sa.select(attempts.c.part_id).where(attempts.c.part_id == parts.c.id).exists()
    open_now = ("scheduled", "claimed", "held", "missed", "failed")
    found = connection.execute(
        sa.select(parts.c.id, parts.c.delivery_id, deliveries.c.due_at, posts.c.version)
        .join(deliveries, deliveries.c.id == parts.c.delivery_id)
        .join(posts, posts.c.id == deliveries.c.post_id)
        .where(parts.c.id.in_(GIVEN), parts.c.remote_id.is_(None), ~tried, deliveries.c.state.in_(open_now))
        .order_by(parts.c.delivery_id, parts.c.number),
        {"rows": codec.encode([(part_id,) for part_id in part_ids])},
    ).all()
    for row in found:
        connection.execute(
            sa.insert(attempts).values(
                part_id=row.id, delivery_id=row.delivery_id, number=1, owner="", began_at=min(row.due_at, now),
                written=row.version, ended_at=now, outcome="doubt", summary=why,
            )
        )  # fmt: skip
    ids = sorted({row.delivery_id for row in found})
    connection.execute(
        sa.update(deliveries)
        .where(deliveries.c.id.in_(GIVEN))
        .values(
            state="in_doubt", version=deliveries.c.version + 1, owner=None, lease_until=None, look_at=None, looks=0,
            reason=why, advice="", acknowledged=False,
        ),
        {"rows": codec.encode([(delivery_id,) for delivery_id in ids])},
    )  # fmt: skip
    if ids:
        changes.bump(connection, changes.DELIVERIES)
    return len(ids)


FORGOTTEN = "The last entries of the database were lost, and this may have gone out before. Please look for yourself."
STOPPED_BEFORE = "Sendoff stopped before this could leave."


def _close_open(connection: sa.Connection, ids: set[int], now: datetime, outcome: str, summary: str) -> None:
    connection.execute(
        sa.update(attempts)
        .where(attempts.c.outcome.is_(None), attempts.c.delivery_id.in_(ids))
        .values(ended_at=now, outcome=outcome, summary=summary)
    )


# --- looks ----------------------------------------------------------------------------------------------------------


def to_look_at(connection: sa.Connection, now: datetime, limit: int = 20) -> list[int]:
    """The doubtful deliveries whose next look is due."""
    rows = connection.execute(
        sa.select(deliveries.c.id)
        .where(IN_DOUBT, deliveries.c.look_at <= now)
        .order_by(deliveries.c.look_at)
        .limit(limit)
    )
    return [int(row[0]) for row in rows]


def looked(
    connection: sa.Connection,
    delivery_id: int,
    *,
    next_look: datetime | None,
    reason: str,
    advice: str = "",
    looked_at: datetime | None = None,
) -> None:
    """A look that did not end the doubt: what it told, and when the next one is (None: it is the person's turn).

    Args:
        looked_at: when the endpoint was asked; None: it was not.
    """
    seen = {} if looked_at is None else {"looked_at": looked_at}
    connection.execute(
        sa.update(deliveries)
        .where(deliveries.c.id == delivery_id, deliveries.c.state == "in_doubt")
        .values(look_at=next_look, looks=deliveries.c.looks + 1, reason=reason, advice=advice, **seen)
    )
    changes.bump(connection, changes.DELIVERIES)


def look_now(connection: sa.Connection, now: datetime) -> None:
    """No look waits for its time any longer: the clock was set back, and their times with it moved ahead."""
    moved = connection.execute(sa.update(deliveries).where(IN_DOUBT, deliveries.c.look_at > now).values(look_at=now))
    if moved.rowcount:
        changes.bump(connection, changes.DELIVERIES)


def carried(connection: sa.Connection, delivery_id: int) -> int:
    """The version of the post that the parts with a receipt carried; 0: that is not known."""
    found = connection.execute(
        sa.select(sa.func.max(attempts.c.written))
        .join(parts, parts.c.id == attempts.c.part_id)
        .where(attempts.c.delivery_id == delivery_id, parts.c.remote_id.is_not(None))
    ).scalar_one_or_none()
    return int(found or 0)


def last_attempt_at(connection: sa.Connection, delivery_id: int) -> datetime | None:
    found: datetime | None = connection.execute(
        sa.select(attempts.c.began_at)
        .where(attempts.c.delivery_id == delivery_id)
        .order_by(attempts.c.id.desc())
        .limit(1)
    ).scalar_one_or_none()
    return found


def next_look(connection: sa.Connection) -> datetime | None:
    """When the next look at a doubtful delivery is due."""
    found: datetime | None = connection.execute(
        sa.select(deliveries.c.look_at)
        .where(IN_DOUBT, deliveries.c.look_at.is_not(None))
        .order_by(deliveries.c.look_at)
        .limit(1)
    ).scalar_one_or_none()
    return found


def is_anothers(connection: sa.Connection, account_id: int, part_id: int, remote_id: str) -> bool:
    """Whether another part of the account is out under this id of the endpoint's."""
    found = connection.execute(
        sa.select(parts.c.id)
        .join(deliveries, deliveries.c.id == parts.c.delivery_id)
        .where(parts.c.remote_id == remote_id, parts.c.id != part_id, deliveries.c.account_id == account_id)
        .limit(1)
    )
    return found.first() is not None


def known_remote_ids(connection: sa.Connection, account_id: int, since: datetime) -> frozenset[str]:
    """What the endpoint called the account's parts that are out since then: a look must not take one for another."""
    found = connection.execute(
        sa.select(parts.c.remote_id)
        .join(deliveries, deliveries.c.id == parts.c.delivery_id)
        .where(deliveries.c.account_id == account_id, deliveries.c.planned_at >= since, parts.c.remote_id.is_not(None))
    )
    return frozenset(str(remote_id) for remote_id in found.scalars())
