"""When Sendoff could not send, and what became of the deliveries whose time fell into it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from sendoff.domain.absence import Absence, Cause
from sendoff.store import changes, timeline
from sendoff.store.tables import SCHEDULED, absences, deliveries, events


def note(connection: sa.Connection, cause: Cause, began_at: datetime, ended_at: datetime) -> bool:
    """Writes an absence down if something waited for its end. To be called before any of that has left."""
    waited = sa.select(deliveries.c.id).where(
        SCHEDULED, deliveries.c.due_at > began_at, deliveries.c.due_at <= ended_at
    )  # fmt: skip
    if connection.execute(waited.limit(1)).first() is None:
        return False
    connection.execute(sa.insert(absences).values(cause=cause, began_at=began_at, ended_at=ended_at))
    changes.bump(connection, changes.SENDER)
    return True


def unseen(connection: sa.Connection) -> list[Absence]:
    """The absences that the person has not been told of, oldest first."""
    rows = connection.execute(sa.select(absences).where(~absences.c.seen).order_by(absences.c.began_at))
    return [Absence(row.id, Cause(row.cause), row.began_at, row.ended_at, bool(row.seen)) for row in rows]


def mark_seen(connection: sa.Connection) -> None:
    connection.execute(sa.update(absences).where(~absences.c.seen).values(seen=True))
    changes.bump(connection, changes.SENDER)


@dataclass(frozen=True, slots=True)
class Return:
    """What there is to tell after one or several absences: which, and where their deliveries stand now."""

    absences: tuple[Absence, ...]
    rows: tuple[timeline.Row, ...]


def welcome(connection: sa.Connection) -> Return | None:
    """What became of everything that was planned for an absence nobody has been told of. None: there is none."""
    found = unseen(connection)
    rows = {
        row.delivery.id: row
        for one in found
        for row in (
            *timeline.queue(connection, since=one.began_at, until=one.ended_at),
            *timeline.queue(connection, ids=_moved(connection, one.began_at)),
        )
    }
    return Return(tuple(found), tuple(rows.values())) if found else None


def _moved(connection: sa.Connection, since: datetime) -> list[int]:
    """The deliveries that a lateness rule gave another time since then."""
    moved = sa.select(events.c.delivery_id).where(events.c.kind == "moved", events.c.at >= since)
    return [int(row[0]) for row in connection.execute(moved)]
