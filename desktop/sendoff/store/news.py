"""What has happened to deliveries since one last looked: for the lines of a worker and of the demo."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from sendoff.domain.account import opens
from sendoff.domain.delivery import Outcome, State
from sendoff.store import codec
from sendoff.store.tables import accounts, attempts, deliveries, events, parts, tallies


@dataclass(frozen=True, slots=True)
class Standing:
    """The deliveries that are held or missed, with how many there are of each."""

    counts: tuple[tuple[str, int], ...]
    ids: frozenset[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class Seen:
    """How far one has read: the newest attempt and event, the tries then open, and what stood still then."""

    attempt: int
    event: int
    open: frozenset[int]
    standing: Standing


@dataclass(frozen=True, slots=True)
class News:
    """One thing that happened to a delivery, and where it stands now.

    Args:
        what: how a try ended ("sent", "refused", "needs_login", "later", "doubt"), the kind of an event ("settled",
            "refused_recipient", …), or "held" or "missed" where no try was made.
        reason: why, in a sentence; "" where it simply went.
        part, parts: which one of how many; 0 where it is about the whole delivery.
        remote_id: the endpoint's name for the part, where it was taken.
        due_at: the next try, where there is one; not before its account may send.
        began_at: when the try began.
    """

    at: datetime
    delivery_id: int
    account: str
    state: State
    what: str
    planned_at: datetime
    reason: str = ""
    part: int = 0
    parts: int = 0
    remote_id: str = ""
    url: str = ""
    due_at: datetime | None = None
    began_at: datetime | None = None


def seen_now(connection: sa.Connection) -> Seen:
    """The place from which on everything is new. Tries that are open now are news when they end."""
    attempt = connection.execute(sa.select(sa.func.coalesce(sa.func.max(attempts.c.id), 0))).scalar_one()
    event = connection.execute(sa.select(sa.func.coalesce(sa.func.max(events.c.id), 0))).scalar_one()
    still = sa.select(attempts.c.id).where(attempts.c.outcome.is_(None))
    return Seen(attempt, event, frozenset(connection.execute(still).scalars()), _standing(connection))


def since(connection: sa.Connection, seen: Seen, now: datetime) -> tuple[list[News], Seen]:
    """What happened since, in its order, and the place from which to ask the next time."""
    tried = list(connection.execute(_TRIES, {"last": seen.attempt, "open": list(seen.open) or [0]}))
    noted = list(connection.execute(_EVENTS, {"last": seen.event}))
    standing = _standing(connection, seen.standing)
    ended = [row for row in tried if row.outcome is not None]
    found = [_try(row) for row in ended] + [_event(row) for row in noted]
    told = {one.delivery_id for one in found}
    stopped = [delivery_id for delivery_id, _ in standing.ids - seen.standing.ids if delivery_id not in told]
    if stopped:
        found += [_stop(row, now) for row in connection.execute(_STOPPED, {"ids": stopped})]
    return sorted(found, key=lambda one: one.at), Seen(
        attempt=max([seen.attempt, *(row.id for row in tried)]),
        event=max([seen.event, *(row.id for row in noted)]),
        open=frozenset(row.id for row in tried if row.outcome is None),
        standing=standing,
    )


def _standing(connection: sa.Connection, before: Standing | None = None) -> Standing:
    """What was held or missed. Their numbers are kept in a table, so most looks need not list them."""
    counts = tuple((row.state, int(row.n)) for row in connection.execute(_COUNTS))
    if before and before.counts == counts:
        return before
    return Standing(counts, frozenset((row.id, row.state) for row in connection.execute(_STANDING)))


_STATES = ("held", "missed")
_COUNTS = (
    sa.select(tallies.c.state, sa.func.sum(tallies.c.n).label("n"))
    .where(tallies.c.state.in_(_STATES))
    .group_by(tallies.c.state)
    .order_by(tallies.c.state)
)
_STANDING = sa.select(deliveries.c.id, deliveries.c.state).where(deliveries.c.state.in_(_STATES))
_ABOUT = (deliveries.c.id.label("delivery_id"), deliveries.c.state, deliveries.c.planned_at, deliveries.c.due_at,
          deliveries.c.reason, accounts.c.name.label("account"),
          accounts.c.ready_at, accounts.c.rest_until)  # fmt: skip
_all = parts.alias()
_COUNT = sa.select(sa.func.count()).where(_all.c.delivery_id == deliveries.c.id).scalar_subquery()
_TRIES = (
    sa.select(
        *_ABOUT, attempts.c.id, attempts.c.outcome, attempts.c.began_at, attempts.c.ended_at, attempts.c.summary,
        parts.c.number, parts.c.receipt, _COUNT.label("parts"),
    )
    .join(deliveries, deliveries.c.id == attempts.c.delivery_id)
    .join(parts, parts.c.id == attempts.c.part_id)
    .join(accounts, accounts.c.id == deliveries.c.account_id)
    .where(
        sa.or_(
            attempts.c.id > sa.bindparam("last"),
            attempts.c.id.in_(sa.bindparam("open", expanding=True)),
        )
    )
    .order_by(attempts.c.id)
)  # fmt: skip
_EVENTS = (
    sa.select(*_ABOUT, events.c.id, events.c.at, events.c.kind, events.c.recipient, events.c.detail)
    .join(deliveries, deliveries.c.id == events.c.delivery_id)
    .join(accounts, accounts.c.id == deliveries.c.account_id)
    .where(events.c.id > sa.bindparam("last"))
    .order_by(events.c.id)
)
_STOPPED = (
    sa.select(*_ABOUT)
    .join(accounts, accounts.c.id == deliveries.c.account_id)
    .where(deliveries.c.id.in_(sa.bindparam("ids", expanding=True)))
    .order_by(deliveries.c.id)
)


def _try(row: Any) -> News:
    taken = Outcome(row.outcome) is Outcome.SENT and row.receipt
    receipt = codec.receipt(row.receipt) if taken else None
    state = State(row.state)
    return News(
        at=row.ended_at, delivery_id=row.delivery_id, account=row.account, state=state, what=row.outcome,
        planned_at=row.planned_at, reason=_reason(row, state), part=row.number, parts=row.parts,
        remote_id=receipt.remote_id if receipt else "", url=receipt.url if receipt else "",
        due_at=opens(row.due_at, row.ready_at, row.rest_until) if state is State.SCHEDULED else None,
        began_at=row.began_at,
    )  # fmt: skip


def _reason(row: Any, state: State) -> str:
    """Why a try ended as it did; where that was the end of the delivery, its row says more."""
    if row.outcome == Outcome.SENT:
        return ""
    return row.reason if row.reason and state in (State.FAILED, State.HELD) else str(row.summary)


def _event(row: Any) -> News:
    who = f"{row.recipient}: " if row.recipient else ""
    return News(
        at=row.at, delivery_id=row.delivery_id, account=row.account, state=State(row.state), planned_at=row.planned_at,
        what="refused_recipient" if row.kind == "refused" else row.kind, reason=f"{who}{row.detail}",
    )  # fmt: skip


def _stop(row: Any, now: datetime) -> News:
    return News(
        at=now, delivery_id=row.delivery_id, account=row.account, state=State(row.state), what=row.state,
        planned_at=row.planned_at, reason=row.reason,
    )  # fmt: skip
