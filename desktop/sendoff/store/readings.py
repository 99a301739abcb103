"""What people did with the posts: the numbers as they were read, and which are to be read now."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from sendoff.domain.delivery import Receipt
from sendoff.domain.numbers import LAST, STEPS, Numbers, Reading, is_due
from sendoff.store import changes, codec
from sendoff.store.tables import deliveries, events, parts, readings

_NUMBERS = (readings.c.likes, readings.c.reposts, readings.c.replies, readings.c.quotes, readings.c.views)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A part whose numbers are to be read."""

    part_id: int
    account_id: int
    receipt: Receipt


def insert(connection: sa.Connection, part_id: int, reading: Reading) -> None:
    """Keeps a reading."""
    counts = {column.name: getattr(reading.numbers, column.name, None) for column in _NUMBERS}
    is_there = reading.numbers is not None
    connection.execute(sa.insert(readings).values(part_id=part_id, at=reading.at, is_there=is_there, **counts))
    changes.bump(connection, changes.DELIVERIES)


def latest_of(connection: sa.Connection, delivery_id: int) -> dict[int, Reading]:
    """The last reading of each part of a delivery, by the part's number."""
    rows = connection.execute(
        sa.select(parts.c.number, readings.c.at, readings.c.is_there, *_NUMBERS)
        .join(parts, parts.c.id == readings.c.part_id)
        .where(parts.c.delivery_id == delivery_id)
        .order_by(readings.c.id)
    )
    return {row.number: _reading(row) for row in rows}


def _reading(row: Any) -> Reading:
    counts = {column.name: getattr(row, column.name) for column in _NUMBERS}
    return Reading(row.at, Numbers(**counts) if row.is_there else None)


def wanted(
    connection: sa.Connection, account_ids: Collection[int], now: datetime, passed: Collection[int] = ()
) -> list[Wanted]:
    """The parts of these accounts that are to be read now, the latest posts first.

    What is gone, was deleted, or was only found by the person is not asked for again.

    Args:
        passed: parts that are not asked for now.
    """
    rows = connection.execute(
        _WANTED, {"accounts": list(account_ids), "now": now, "first": now - STEPS[0], "last": now - LAST}
    )
    return [
        Wanted(row.id, row.account_id, receipt)
        for row in rows
        if row.id not in passed
        and is_due(row.sent_at, row.read_at, now)
        and not (receipt := codec.receipt(row.receipt)).is_by_hand
    ]


_mine = readings.c.part_id == parts.c.id
_WANTED = (
    sa.select(
        parts.c.id, deliveries.c.account_id, parts.c.receipt, parts.c.sent_at,
        sa.select(sa.func.max(readings.c.at)).where(_mine).scalar_subquery().label("read_at"),
    )
    .join(deliveries, deliveries.c.id == parts.c.delivery_id)
    .where(
        deliveries.c.planned_at >= sa.bindparam("last"),
        deliveries.c.planned_at <= sa.bindparam("now"),
        deliveries.c.state == "sent",
        deliveries.c.account_id.in_(sa.bindparam("accounts", expanding=True)),
        parts.c.sent_at <= sa.bindparam("first"),
        parts.c.sent_at > sa.bindparam("last"),
        ~sa.exists().where(_mine, readings.c.is_there == sa.false()),
        ~sa.exists().where(events.c.delivery_id == deliveries.c.id, events.c.kind == "deleted"),
    )
    .order_by(parts.c.sent_at.desc(), parts.c.id)
)  # fmt: skip
