"""Deliveries, parts, attempts and events as they are made, read and moved: every move is one guarded UPDATE.

Zero rows are a refusal. What the sender writes is in `sending`, what is in doubt in `doubts`.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from sendoff.domain.account import AccountState
from sendoff.domain.delivery import (
    TRANSITIONS,
    Attempt,
    Delivery,
    Event,
    Move,
    Outcome,
    Part,
    PartPlan,
    State,
    sources,
    why_not,
)  # fmt: skip
from sendoff.domain.errors import NotFound, Refused
from sendoff.domain.when import When
from sendoff.store import accounts as account_rows
from sendoff.store import changes, codec
from sendoff.store.tables import (
    CLAIMED,
    SENDING,
    attempts,
    deliveries,
    events,
    inserted_id,
    parts,
)

ACCOUNT_REMOVED = "Its account was removed."

# --- made and moved -------------------------------------------------------------------------------------------------


def insert(
    connection: sa.Connection,
    *,
    post_id: int,
    account_id: int,
    when: When,
    late: str,
    give_up_at: datetime,
    plans: Sequence[PartPlan],
    now: datetime,
    state: State = State.SCHEDULED,
    reason: str = "",
) -> int:
    """Stores a delivery with its parts and returns its id. Each part gets the key that it keeps for ever."""
    result = connection.execute(
        sa.insert(deliveries).values(
            post_id=post_id,
            account_id=account_id,
            state=state,
            due_at=when.instant,
            late=late,
            give_up_at=give_up_at,
            reason=reason,
            created_at=now,
            **as_planned(when),
        )
    )
    delivery_id = inserted_id(result)
    insert_parts(connection, delivery_id, plans)
    changes.bump(connection, changes.DELIVERIES)
    return delivery_id


def as_planned(when: When) -> dict[str, Any]:
    """The columns that say when the person means it to leave."""
    return {"planned_at": when.instant, "wall": when.wall.isoformat(), "zone": when.zone, "fold": when.fold}


def insert_parts(connection: sa.Connection, delivery_id: int, plans: Sequence[PartPlan], start: int = 1) -> None:
    connection.execute(
        sa.insert(parts),
        [
            {"delivery_id": delivery_id, "number": number, "key": uuid.uuid4().hex,
             "item": plan.item, "first": plan.first, "count": plan.count}
            for number, plan in enumerate(plans, start)
        ],
    )  # fmt: skip


def move(connection: sa.Connection, delivery_id: int, what: Move, **values: Any) -> State:
    """Makes one move, if the table allows it from where the delivery stands now; returns the new state.

    Raises:
        Refused: it does not, with the reason; nothing was changed.
        NotFound: there is no such delivery.
    """
    changed = connection.execute(
        sa.update(deliveries)
        .where(deliveries.c.id == delivery_id, deliveries.c.state.in_(sources(what)))
        .values(state=_target(what), version=deliveries.c.version + 1, **values)
        .returning(deliveries.c.state)
    ).scalar_one_or_none()
    if changed is None:
        raise Refused(why_not(get(connection, delivery_id).state, what))
    changes.bump(connection, changes.DELIVERIES)
    state = State(changed)
    return _as_its_account_is(connection, delivery_id) if state is State.SCHEDULED else state


def _as_its_account_is(connection: sa.Connection, delivery_id: int) -> State:
    """What is to go again does not where its account can't send: it waits for the sign-in, or it is over."""
    account = account_rows.get(connection, get(connection, delivery_id).account_id)
    if account.removed:
        return move(connection, delivery_id, Move.CANCEL, reason=ACCOUNT_REMOVED)
    if account.state is not AccountState.WORKING:
        return move(connection, delivery_id, Move.HOLD, reason=account.reason)
    return State.SCHEDULED


def _target(what: Move) -> Any:
    """The state that a move leads to, as SQL where it depends on the state it comes from."""
    leads = {source: target for (source, allowed), target in TRANSITIONS.items() if allowed is what}
    targets = set(leads.values())
    if len(targets) == 1:
        return targets.pop().value
    return sa.case({source.value: target.value for source, target in leads.items()}, value=deliveries.c.state)


def reschedule(connection: sa.Connection, delivery_id: int, when: When, give_up_at: datetime) -> State:
    """Another time. Tries start anew, and a sender that has claimed it finds its claim gone.

    What is held still waits for the same thing, and goes on saying for what.
    """
    _thaw(connection, deliveries.c.id == delivery_id)
    told = {
        name: sa.case((deliveries.c.state == "held", deliveries.c[name]), else_="") for name in ("reason", "advice")
    }
    return move(
        connection, delivery_id, Move.RESCHEDULE, due_at=when.instant, give_up_at=give_up_at, tries=0,
        owner=None, lease_until=None, acknowledged=False, **told, **as_planned(when),
    )  # fmt: skip


def retry(connection: sa.Connection, delivery_id: int, now: datetime, give_up_at: datetime) -> State:
    """Now, by the person's word: the lateness rule no longer stands against it."""
    _thaw(connection, deliveries.c.id == delivery_id)
    return move(
        connection, delivery_id, Move.RETRY, due_at=now, give_up_at=give_up_at, tries=0, late="send",
        owner=None, lease_until=None, reason="", advice="", acknowledged=False,
    )  # fmt: skip


def _thaw(connection: sa.Connection, which: sa.ColumnElement[bool]) -> None:
    """Forgets what was frozen for tries that certainly had no effect.

    The person may have mended the account meanwhile, and an endpoint may replay its refusal of a key. So the parts
    that are not out get new keys, and are armed anew.
    """
    stuck = sa.select(deliveries.c.id).where(which, deliveries.c.state.in_(("failed", "held", "missed", "cancelled")))
    rows = connection.execute(sa.select(parts.c.id).where(parts.c.delivery_id.in_(stuck), parts.c.remote_id.is_(None)))
    for part_id in list(rows.scalars()):
        connection.execute(
            sa.update(parts)
            .where(parts.c.id == part_id)
            .values(key=uuid.uuid4().hex, frozen=None, blob=None, prepared=None, prepared_at=None, refused="")
        )


def set_late(connection: sa.Connection, delivery_id: int, rule: str) -> None:
    connection.execute(sa.update(deliveries).where(deliveries.c.id == delivery_id).values(late=rule))


def cancel(connection: sa.Connection, delivery_id: int) -> State:
    return move(connection, delivery_id, Move.CANCEL, owner=None, lease_until=None, reason="", advice="")


def acknowledge(connection: sa.Connection, delivery_id: int, seen: bool = True) -> None:
    """Takes an ended delivery off the "Needs you" list, or puts it back."""
    connection.execute(sa.update(deliveries).where(deliveries.c.id == delivery_id).values(acknowledged=seen))
    changes.bump(connection, changes.DELIVERIES)


def some_refused(of: Sequence[Part]) -> str:
    """The sentence for a delivery of which some parts are out and some were refused for good."""
    out, refused = sum(part.receipt is not None for part in of), [part for part in of if part.refused]
    return f"{out} of {len(of)} went out. Not part {refused[0].number}: {refused[0].refused}" + (
        f" And {len(refused) - 1} more." if len(refused) > 1 else ""
    )


def replace_parts(connection: sa.Connection, delivery_id: int, plans: Sequence[PartPlan]) -> None:
    """New parts for changed content. Only while nothing of it is out: a part with a receipt is history."""
    if any(part.receipt for part in parts_of(connection, delivery_id)):
        raise Refused("A part of this is out already, so its text can’t change. Write the rest as a new post.")
    theirs = parts.c.delivery_id == delivery_id
    connection.execute(sa.delete(attempts).where(attempts.c.delivery_id == delivery_id))
    # The new ones come first: the database gives the highest id anew once its row is gone, and the journal of what left
    # knows parts by their ids.
    connection.execute(sa.update(parts).where(theirs).values(number=-parts.c.number))
    insert_parts(connection, delivery_id, plans)
    connection.execute(sa.delete(parts).where(theirs, parts.c.number < 0))


def note(
    connection: sa.Connection, delivery_id: int, at: datetime, kind: str, *, recipient: str = "", detail: str = ""
) -> None:
    """Adds an event to a delivery."""
    connection.execute(
        sa.insert(events).values(delivery_id=delivery_id, at=at, kind=kind, recipient=recipient, detail=detail)
    )
    changes.bump(connection, changes.DELIVERIES)


# --- read -----------------------------------------------------------------------------------------------------------


def get(connection: sa.Connection, delivery_id: int) -> Delivery:
    """One delivery.

    Raises:
        NotFound: there is none with this id.
    """
    row = connection.execute(sa.select(deliveries).where(deliveries.c.id == delivery_id)).first()
    if row is None:
        raise NotFound(f"There is no delivery {delivery_id}. See what there is: sendoff queue.")
    return delivery_from(row)


def of_post(connection: sa.Connection, post_id: int) -> list[Delivery]:
    rows = connection.execute(sa.select(deliveries).where(deliveries.c.post_id == post_id).order_by(deliveries.c.id))
    return [delivery_from(row) for row in rows]


def parts_of(connection: sa.Connection, delivery_id: int) -> list[Part]:
    return parts_of_many(connection, [delivery_id]).get(delivery_id, [])


def parts_of_many(connection: sa.Connection, ids: Sequence[int]) -> dict[int, list[Part]]:
    found: dict[int, list[Part]] = {}
    for row in connection.execute(_PARTS, {"ids": ids}):
        found.setdefault(row.delivery_id, []).append(_part(row))
    return found


_PARTS = (
    sa.select(parts)
    .where(parts.c.delivery_id.in_(sa.bindparam("ids", expanding=True)))
    .order_by(parts.c.delivery_id, parts.c.number)
)


def attempts_of(connection: sa.Connection, delivery_id: int) -> list[Attempt]:
    rows = connection.execute(
        sa.select(attempts, parts.c.number.label("part_number"))
        .join(parts, parts.c.id == attempts.c.part_id)
        .where(attempts.c.delivery_id == delivery_id)
        .order_by(attempts.c.id)
    )
    return [
        Attempt(
            id=row.id,
            part_number=row.part_number,
            number=row.number,
            began_at=row.began_at,
            ended_at=row.ended_at,
            outcome=Outcome(row.outcome) if row.outcome else None,
            status=row.status,
            summary=row.summary,
            request=row.request,
            answer=row.answer,
        )
        for row in rows
    ]


def events_of(connection: sa.Connection, delivery_id: int) -> list[Event]:
    rows = connection.execute(sa.select(events).where(events.c.delivery_id == delivery_id).order_by(events.c.id))
    return [Event(row.at, row.kind, row.recipient, row.detail) for row in rows]


def planned_times(connection: sa.Connection, account_id: int, since: datetime) -> list[datetime]:
    """When the account has something planned from then on that has not left."""
    rows = connection.execute(
        sa.select(deliveries.c.planned_at).where(
            deliveries.c.account_id == account_id,
            deliveries.c.planned_at >= since,
            deliveries.c.state.in_(("scheduled", "claimed", "held")),
        )
    )
    return list(rows.scalars())


def leaving(connection: sa.Connection, account_id: int) -> list[int]:
    """What is leaving for an account right now."""
    rows = connection.execute(sa.select(deliveries.c.id).where(deliveries.c.account_id == account_id, SENDING))
    return [int(row[0]) for row in rows]


def delivery_from(row: Any) -> Delivery:
    return Delivery(
        id=row.id,
        post_id=row.post_id,
        account_id=row.account_id,
        state=State(row.state),
        planned_at=row.planned_at,
        wall=row.wall,
        zone=row.zone,
        fold=row.fold,
        due_at=row.due_at,
        late=row.late,
        give_up_at=row.give_up_at,
        version=row.version,
        created_at=row.created_at,
        tries=row.tries,
        reason=row.reason,
        advice=row.advice,
        look_at=row.look_at,
        looks=row.looks,
        began_at=row.began_at,
        sent_at=row.sent_at,
        acknowledged=bool(row.acknowledged),
        looked_at=row.looked_at,
    )


def _part(row: Any) -> Part:
    return Part(
        id=row.id,
        number=row.number,
        key=row.key,
        plan=PartPlan(row.item, row.first, row.count),
        frozen=codec.mapping(row.frozen) if row.frozen is not None else None,
        blob=row.blob,
        prepared=codec.mapping(row.prepared) if row.prepared is not None else None,
        prepared_at=row.prepared_at,
        receipt=codec.receipt(row.receipt) if row.receipt else None,
        sent_at=row.sent_at,
        refused=row.refused,
    )


# --- all of an account ----------------------------------------------------------------------------------------------


def hold_account(connection: sa.Connection, account_id: int, reason: str) -> int:
    """The account needs a sign-in: everything of it that has not left waits. Returns how many."""
    account_rows.update(connection, account_id, state=AccountState.SIGN_IN, reason=reason)
    changed = connection.execute(
        sa.update(deliveries)
        .where(
            deliveries.c.account_id == account_id,
            deliveries.c.state.in_(sources(Move.HOLD)),
            deliveries.c.state != "sending",
        )
        .values(state="held", version=deliveries.c.version + 1, owner=None, lease_until=None, reason=reason, advice="")
    )
    changes.bump(connection, changes.DELIVERIES)
    return changed.rowcount


def strike(connection: sa.Connection, account_id: int, reason: str, now: datetime) -> None:
    """A refusal counts against the account. If it rests from now on, what was claimed for it goes back."""
    if account_rows.strike(connection, account_id, reason, now):
        connection.execute(
            sa.update(deliveries)
            .where(deliveries.c.account_id == account_id, CLAIMED)
            .values(state="scheduled", version=deliveries.c.version + 1, owner=None, lease_until=None)
        )
        changes.bump(connection, changes.DELIVERIES)


def release_account(connection: sa.Connection, account_id: int) -> int:
    """The account works again: what was held goes back to its time, and may leave at once. Returns how many."""
    account_rows.update(
        connection, account_id, state=AccountState.WORKING, reason="", ready_at=None,
        strikes=0, rest_until=None, rest_reason="",
    )  # fmt: skip
    _thaw(connection, deliveries.c.account_id == account_id)
    changed = connection.execute(
        sa.update(deliveries)
        .where(deliveries.c.account_id == account_id, deliveries.c.state == "held")
        .values(state="scheduled", version=deliveries.c.version + 1, reason="", advice="")
    )
    changes.bump(connection, changes.DELIVERIES)
    return changed.rowcount


def cancel_account(connection: sa.Connection, account_id: int) -> int:
    """The account goes away: what has not left is cancelled. Returns how many."""
    states = [state for state in sources(Move.CANCEL) if state is not State.HANDED_OVER]
    changed = connection.execute(
        sa.update(deliveries)
        .where(deliveries.c.account_id == account_id, deliveries.c.state.in_(states))
        .values(
            state="cancelled",
            version=deliveries.c.version + 1,
            owner=None,
            lease_until=None,
            reason=ACCOUNT_REMOVED,
            advice="",
        )
    )
    changes.bump(connection, changes.DELIVERIES)
    return changed.rowcount
