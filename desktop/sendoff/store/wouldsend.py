"""What would leave if the sending went on now: what is overdue, with what its rule makes of it, and what comes next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa

from sendoff.domain.when import Late, LateRule, parse_late
from sendoff.domain.words import counted
from sendoff.store import timeline
from sendoff.store.db import Connection
from sendoff.store.tables import SCHEDULED, deliveries, parts
from sendoff.store.timeline import Row


class Fate(StrEnum):
    """What would become of a delivery; the value is for a list."""

    NOW = "leaves at once"
    ASK = "asks you first"
    SKIP = "is skipped"
    NEXT = "moves to the next free time"
    LATER = "leaves at its time"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A delivery that waits, and what would become of it now."""

    row: Row
    fate: Fate


@dataclass(frozen=True, slots=True)
class Outlook:
    """What would happen. `shown` are the first ones, overdue ones first; `fates` counts the overdue ones."""

    shown: tuple[Candidate, ...]
    overdue: tuple[int, ...]
    fates: dict[Fate, int]
    to_come: int

    @property
    def words(self) -> str:
        """In one sentence: "3 are overdue: 2 leave at once, 1 asks you first. 5 are still to come."."""
        if not self.overdue:
            if not self.to_come:
                return "Nothing waits to be sent."
            return f"Nothing is overdue. {counted(self.to_come, 'is', 'are')} still to come."
        parts = (f"{n:,} {_of(fate, n)}" for fate, n in self.fates.items())
        overdue = f"{counted(len(self.overdue), 'is', 'are')} overdue: {', '.join(parts)}."
        return f"{overdue} {counted(self.to_come, 'is', 'are')} still to come." if self.to_come else overdue


def outlook(connection: Connection, now: datetime, limit: int = 100) -> Outlook:
    """What would leave if nothing was paused.

    Args:
        limit: how many deliveries are shown one by one.
    """
    overdue = connection.execute(
        sa.select(deliveries.c.id, deliveries.c.late, deliveries.c.planned_at, _BEGUN.label("begun"))
        .where(SCHEDULED, deliveries.c.due_at <= now)
        .order_by(deliveries.c.due_at, deliveries.c.id)
    ).all()
    rules = {row.late: parse_late(row.late or "send") for row in overdue}
    found = {row.id: _fate(rules[row.late], row.planned_at, row.begun, now) for row in overdue}
    fates: dict[Fate, int] = {}
    for fate in found.values():
        fates[fate] = fates.get(fate, 0) + 1
    rows = timeline.waiting(connection, limit)
    to_come = connection.execute(sa.select(sa.func.count()).where(SCHEDULED, deliveries.c.due_at > now)).scalar_one()
    shown = tuple(Candidate(row, found.get(row.delivery.id, Fate.LATER)) for row in rows)
    return Outlook(shown, tuple(found), fates, int(to_come))


_BEGUN = sa.exists().where(parts.c.delivery_id == deliveries.c.id, parts.c.remote_id.is_not(None))


def _fate(rule: LateRule, planned_at: datetime, begun: bool, now: datetime) -> Fate:
    """As the sender itself decides: of what is half out, the rest goes on in any case."""
    if begun or rule.allows(planned_at, now):
        return Fate.NOW
    return _FATES[rule.action]


_FATES = {Late.SEND: Fate.NOW, Late.ASK: Fate.ASK, Late.SKIP: Fate.SKIP, Late.NEXT: Fate.NEXT}


def _of(fate: Fate, n: int) -> str:
    """The value of a fate, for one or for several."""
    first, _, rest = fate.value.partition(" ")
    return fate.value if n == 1 else f"{ {'is': 'are'}.get(first, first.removesuffix('s')) } {rest}"
