"""Deliveries, parts, attempts and receipts: every move is one guarded UPDATE, and zero rows is a refusal.

The engine's own moves come in groups, because its one writer commits together whatever is waiting.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from sendoff.domain.account import Account, AccountState
from sendoff.domain.delivery import (
    TRANSITIONS,
    Attempt,
    Delivery,
    Event,
    Move,
    Outcome,
    Part,
    PartPlan,
    Receipt,
    State,
    sources,
    why_not,
)  # fmt: skip
from sendoff.domain.doubt import STOPPED_WHILE
from sendoff.domain.errors import NotFound, Refused
from sendoff.domain.post import Content
from sendoff.domain.when import Moment, When
from sendoff.store import accounts as account_rows
from sendoff.store import changes, codec
from sendoff.store import posts as post_rows
from sendoff.store.dialect import json_rows
from sendoff.store.tables import (
    CLAIMED,
    IN_DOUBT,
    SCHEDULED,
    SENDING,
    TAKEN,
    accounts,
    attempts,
    deliveries,
    events,
    inserted_id,
    parts,
    posts,
    to_stamp,
)

# --- made and moved by the person ---------------------------------------------------------------------------------


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
            **_planned(when),
        )
    )
    delivery_id = inserted_id(result)
    insert_parts(connection, delivery_id, plans)
    changes.bump(connection, changes.DELIVERIES)
    return delivery_id


def _planned(when: When) -> dict[str, Any]:
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
    return State(changed)


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
        owner=None, lease_until=None, acknowledged=False, **told, **_planned(when),
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


def cancel(connection: sa.Connection, delivery_id: int) -> State:
    return move(connection, delivery_id, Move.CANCEL, owner=None, lease_until=None, reason="", advice="")


def acknowledge(connection: sa.Connection, delivery_id: int, seen: bool = True) -> None:
    """Takes an ended delivery off the "Needs you" list, or puts it back."""
    connection.execute(sa.update(deliveries).where(deliveries.c.id == delivery_id).values(acknowledged=seen))
    changes.bump(connection, changes.DELIVERIES)


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
    return _found(connection, delivery_id, left_at, now, summary)


_CLEARED: dict[str, Any] = {
    "owner": None,
    "lease_until": None,
    "look_at": None,
    "looks": 0,
    "reason": "",
    "advice": "",
}


def _found(connection: sa.Connection, delivery_id: int, left_at: datetime, now: datetime, summary: str) -> State:
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


def some_refused(of: Sequence[Part]) -> str:
    """The sentence for a delivery of which some parts are out and some were refused for good."""
    out, refused = sum(part.receipt is not None for part in of), [part for part in of if part.refused]
    return f"{out} of {len(of)} went out. Not part {refused[0].number}: {refused[0].refused}" + (
        f" And {len(refused) - 1} more." if len(refused) > 1 else ""
    )


def replace_parts(connection: sa.Connection, delivery_id: int, plans: Sequence[PartPlan]) -> None:
    """New parts for changed content. Only while nothing of it is out: a part with a receipt is history."""
    if any(part.receipt for part in parts_of(connection, delivery_id)):
        raise Refused("A part of this is out already, so its text can't change. Write the rest as a new post.")
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


# --- read ---------------------------------------------------------------------------------------------------------


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


# --- the engine: claiming -----------------------------------------------------------------------------------------

SCAN = 1000
"""How many due rows one claim looks at. It bounds the work when thousands are due for one busy account."""


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed delivery with everything that sending it needs, as of `delivery.version`."""

    delivery: Delivery
    account: Account
    content: Content
    options: Mapping[str, str]
    parts: tuple[Part, ...]
    written: int = 0  # the post's version
    attempts: int = 0
    first_try: Moment | None = None
    last_try: Moment | None = None


def claim(
    connection: sa.Connection,
    *,
    owner: str,
    until: datetime,
    lease_until: datetime,
    room: int,
    per_account: int,
    blocked: Sequence[int],
) -> list[int]:
    """Takes what is due up to an instant, earliest first, in one statement; returns the ids.

    Args:
        owner: the sender's name; every later write of the row asks for it.
        room: how many rows at most; `per_account` how many of one account, so that none starves the others.
        blocked: accounts that cannot take more now.
    """
    rows = connection.execute(
        _CLAIM,
        {
            "by": owner,
            "until": until,
            "lease": lease_until,
            "room": room,
            "per_account": per_account,
            "blocked": blocked or [0],
        },
    )
    ids = [int(row[0]) for row in rows]
    if ids:
        changes.bump(connection, changes.DELIVERIES)
    return ids


def _claim_statement() -> sa.Executable:
    not_blocked = deliveries.c.account_id.not_in(sa.bindparam("blocked", expanding=True))
    shut = sa.select(accounts.c.id).where(sa.or_(accounts.c.rest_until.is_not(None), accounts.c.state != "working"))
    open_now = deliveries.c.account_id.not_in(shut)  # asked here as well: it may have changed since `blocked` was made
    due = (
        sa.select(deliveries.c.id, deliveries.c.account_id, deliveries.c.due_at)
        .where(SCHEDULED, deliveries.c.due_at <= sa.bindparam("until"), not_blocked, open_now)
        .order_by(deliveries.c.due_at, deliveries.c.id)
        .limit(SCAN)
        .subquery("due")
    )
    place = sa.func.row_number().over(partition_by=due.c.account_id, order_by=(due.c.due_at, due.c.id)).label("place")
    placed = sa.select(due.c.id, due.c.due_at, place).subquery("placed")
    first = (
        sa.select(placed.c.id)
        .where(placed.c.place <= sa.bindparam("per_account"))
        .order_by(placed.c.due_at, placed.c.id)
        .limit(sa.bindparam("room"))
    )
    return (
        sa.update(deliveries)
        .where(deliveries.c.id.in_(first), SCHEDULED)
        .values(state="claimed", owner=sa.bindparam("by"), lease_until=sa.bindparam("lease"))
        .returning(deliveries.c.id)
    )


_CLAIM = _claim_statement()


def next_due(connection: sa.Connection, blocked: Sequence[int] = ()) -> datetime | None:
    """The earliest due instant among the accounts that could send, or None."""
    found: datetime | None = connection.execute(_NEXT, {"blocked": blocked or [0]}).scalar_one_or_none()
    return found


_NEXT = (
    sa.select(deliveries.c.due_at)
    .where(SCHEDULED, deliveries.c.account_id.not_in(sa.bindparam("blocked", expanding=True)))
    .order_by(deliveries.c.due_at)
    .limit(1)
)


def load_jobs(connection: sa.Connection, ids: Sequence[int]) -> list[Job]:
    """What sending the claimed deliveries needs, in the order in which they are due."""
    rows = connection.execute(_BY_IDS, {"ids": ids})
    found = sorted((delivery_from(row) for row in rows), key=lambda one: (one.due_at, one.id))
    people = account_rows.get_many(connection, {one.account_id for one in found})
    written = post_rows.get_many(connection, {one.post_id for one in found})
    cut = parts_of_many(connection, ids)
    tried = {row.delivery_id: row for row in connection.execute(_TRIED, {"ids": ids})}
    jobs = []
    for one in found:
        post = written[one.post_id]
        variant = post.variant(one.account_id)
        row = tried.get(one.id)
        jobs.append(
            Job(
                delivery=one,
                account=people[one.account_id],
                content=post.content_for(one.account_id),
                options=variant.options if variant else {},
                parts=tuple(cut.get(one.id, ())),
                written=post.version,
                attempts=row.n if row else 0,
                first_try=Moment(row.first_wall, row.first_boot, row.first_ticks) if row else None,
                last_try=Moment(row.last_wall, row.last_boot, row.last_ticks) if row else None,
            )
        )
    return jobs


_BY_IDS = sa.select(deliveries).where(deliveries.c.id.in_(sa.bindparam("ids", expanding=True)))
# Tries of the part that comes next: those of parts that are out or were refused belong to the past. First and last are
# told by their ids, because the clock may have been set between them.
_tries = (
    sa.select(
        attempts.c.delivery_id,
        sa.func.count().label("n"),
        sa.func.min(attempts.c.id).label("first"),
        sa.func.max(attempts.c.id).label("last"),
    )
    .join(parts, parts.c.id == attempts.c.part_id)
    .where(
        attempts.c.delivery_id.in_(sa.bindparam("ids", expanding=True)),
        parts.c.remote_id.is_(None),
        parts.c.refused == "",
    )
    .group_by(attempts.c.delivery_id)
    .subquery("tries")
)
_first, _last = attempts.alias("first_try"), attempts.alias("last_try")
_TRIED = (
    sa.select(_tries.c.delivery_id, _tries.c.n)
    .add_columns(
        *(
            one.c[name].label(f"{which}_{label}")
            for which, one in (("first", _first), ("last", _last))
            for name, label in (("began_at", "wall"), ("boot", "boot"), ("ticks", "ticks"))
        )
    )
    .join(_first, _first.c.id == _tries.c.first)
    .join(_last, _last.c.id == _tries.c.last)
)


# --- the engine: intentions and ends, in groups -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Begin:
    """The intention to send one part, to be committed before anything is connected."""

    delivery_id: int
    version: int
    owner: str
    part_id: int
    number: int
    at: Moment
    written: int = 0  # the version of the post that it carries
    frozen: Mapping[str, Any] | None = None
    blob: str | None = None


def begin_many(connection: sa.Connection, wanted: Sequence[Begin]) -> set[int]:
    """Writes intentions; returns the deliveries for which it held. Others were cancelled, moved or edited meanwhile."""
    owner = wanted[0].owner  # one sender writes all of them
    rows = codec.encode([(one.delivery_id, one.version, to_stamp(one.at.wall)) for one in wanted])
    connection.execute(_BEGIN, {"rows": rows, "by": owner})
    sending = set(codec.numbers(connection.execute(_SENDING, {"by": owner}).scalar_one()))
    kept = [one for one in wanted if one.delivery_id in sending]
    if kept:
        rows = codec.encode([
            (one.part_id, one.delivery_id, one.number, to_stamp(one.at.wall), one.at.boot, one.at.ticks, one.written)
            for one in kept
        ])  # fmt: skip
        connection.execute(_INTENTION, {"rows": rows, "by": owner})
        changes.bump(connection, changes.DELIVERIES)
    newly = [(one.part_id, codec.encode(one.frozen), one.blob) for one in kept if one.frozen is not None]
    if newly:
        connection.execute(_FREEZE, {"rows": codec.encode(newly)})
    return {one.delivery_id for one in kept}


def _update(table: sa.Table, key: sa.ColumnElement[Any], rows: sa.Subquery, by: str, **values: Any) -> sa.Update:
    """An UPDATE of the rows that a JSON table names; columns without a value of their own come from there."""
    own = {
        column.name: column for column in rows.c if column.name in table.c and column.name not in (key.name, *values)
    }
    return sa.update(table).where(key == rows.c[by]).values(**own, **values)


_begun = json_rows("begun", "which", "loaded", "at")
_BEGIN = _update(
    deliveries,
    deliveries.c.id,
    _begun,
    "which",
    state="sending",
    advice="",
    began_at=sa.func.coalesce(deliveries.c.began_at, _begun.c.at),
).where(
    deliveries.c.version == _begun.c.loaded,
    deliveries.c.owner == sa.bindparam("by"),
    deliveries.c.state == "claimed",
)
_SENDING = sa.select(sa.func.json_group_array(deliveries.c.id)).where(
    SENDING,
    deliveries.c.owner == sa.bindparam("by"),
)
_meant = json_rows("meant", "part_id", "delivery_id", "number", "began_at", "boot", "ticks", "written")
_INTENTION = sa.insert(attempts).from_select(
    [*_meant.c.keys(), "owner"], sa.select(*_meant.c, sa.bindparam("by").label("owner"))
)
_frozen = json_rows("froze", "which", "frozen", "blob")
_FREEZE = _update(parts, parts.c.id, _frozen, "which")


@dataclass(frozen=True, slots=True)
class End:
    """The end of one try: what is known of the part, and the move of the delivery that follows.

    `due_at` is the next try where there is one. `refused` says why this part stays behind while others go on.
    `look_at` is the first look where it is in doubt. `ready_at` is
    when the account may send next. `tries` is what the budget has come to. `strike` counts against the account, which
    a receipt absolves. `thaw` forgets what this very try had frozen, because nothing of the part ever left.
    """

    delivery_id: int
    account_id: int
    owner: str
    part_id: int
    move: Move
    outcome: Outcome
    at: datetime
    summary: str
    receipt: Receipt | None = None
    status: int | None = None
    request: str = ""
    answer: str = ""
    reason: str = ""
    advice: str = ""
    due_at: datetime | None = None
    look_at: datetime | None = None
    ready_at: datetime | None = None
    tries: int = 0
    refused: str = ""
    strike: bool = False
    thaw: bool = False


def end_many(connection: sa.Connection, ends: Sequence[End]) -> None:
    """Writes the ends of tries. A row that is no longer the owner's stays as it is: a later truth has been written.

    But the receipt of what another sender holds in doubt by now is the end of that doubt.
    """
    by = {"by": ends[0].owner}  # one sender writes all of them
    closed = [
        (one.part_id, to_stamp(one.at), one.outcome, one.status, one.summary, one.request, one.answer) for one in ends
    ]
    connection.execute(_CLOSE, {"rows": codec.encode(closed), **by})
    taken = [
        (one.part_id, one.receipt.remote_id, codec.encode(one.receipt), to_stamp(one.at)) for one in ends if one.receipt
    ]
    if taken:
        connection.execute(_RECEIPT, {"rows": codec.encode(taken)})
    refused = [(one.part_id, one.refused) for one in ends if one.refused]
    if refused:
        connection.execute(_REFUSED, {"rows": codec.encode(refused)})
    thawed = [(one.part_id,) for one in ends if one.thaw]
    if thawed:
        connection.execute(_THAW, {"rows": codec.encode(thawed), **by})
    written = connection.execute(_END, {"rows": codec.encode([_end_row(one) for one in ends]), **by}).rowcount
    if written < len(ends):
        for one in ends:
            if one.receipt and get(connection, one.delivery_id).state is State.IN_DOUBT:
                _found(connection, one.delivery_id, one.at, one.at, "The answer came after all: it is out.")
    paced = [(one.account_id, _stamp(one.ready_at), to_stamp(one.at) if one.receipt else None) for one in ends]
    connection.execute(_PACE, {"rows": codec.encode(paced)})
    news = [
        {"delivery_id": one.delivery_id, "at": one.at, "kind": "refused", "recipient": who, "detail": why}
        for one in ends
        if one.receipt
        for who, why in one.receipt.refused
    ]
    if news:
        connection.execute(sa.insert(events), news)
    for one in ends:
        if one.move is Move.HOLD:
            hold_account(connection, one.account_id, one.reason)
        elif one.strike:
            strike(connection, one.account_id, one.summary, one.at)
    changes.bump(connection, changes.DELIVERIES)


def _stamp(instant: datetime | None) -> int | None:
    return None if instant is None else to_stamp(instant)


def _end_row(one: End) -> tuple[Any, ...]:
    sent_at = to_stamp(one.at) if one.move is Move.FINISH else None
    state = TRANSITIONS[State.SENDING, one.move].value
    return (one.delivery_id, state, _stamp(one.due_at), _stamp(one.look_at), one.reason, one.advice, sent_at, one.tries)


_closed = json_rows("closed", "which", "ended_at", "outcome", "status", "summary", "request", "answer")
_CLOSE = _update(attempts, attempts.c.part_id, _closed, "which").where(
    attempts.c.owner == sa.bindparam("by"), attempts.c.outcome.is_(None)
)
_taken = json_rows("taken", "which", "remote_id", "receipt", "sent_at")
_RECEIPT = _update(parts, parts.c.id, _taken, "which", blob=None)
_refused = json_rows("turned_down", "which", "refused")
_REFUSED = _update(parts, parts.c.id, _refused, "which")
_ended = json_rows("ended", "which", "state", "due", "look_at", "reason", "advice", "sent_at", "tries")
_END = _update(
    deliveries,
    deliveries.c.id,
    _ended,
    "which",
    due_at=sa.func.coalesce(_ended.c.due, deliveries.c.due_at),
    looks=0,
    owner=None,
    lease_until=None,
).where(deliveries.c.owner == sa.bindparam("by"), deliveries.c.state == "sending")
_given = json_rows("given", "id")
_GIVEN = sa.select(_given.c.id)  # ids by the thousand, as one parameter
_OURS = sa.select(deliveries.c.id).where(deliveries.c.owner == sa.bindparam("by"), deliveries.c.state == "sending")
_THAW = (
    sa.update(parts)
    .where(parts.c.id.in_(_GIVEN), parts.c.remote_id.is_(None), parts.c.delivery_id.in_(_OURS))
    .values(frozen=None, blob=None, prepared_at=None)
)
_paced = json_rows("paced", "which", "ready_at", "last")
_PACE = _update(
    accounts,
    accounts.c.id,
    _paced,
    "which",
    last_sent_at=sa.func.coalesce(_paced.c.last, accounts.c.last_sent_at),
    strikes=sa.case((_paced.c.last.is_(None), accounts.c.strikes), else_=0),
)


@dataclass(frozen=True, slots=True)
class Unclaim:
    """The end of a claim from which nothing left. With an outcome it was a try that ended before the wire.

    `when` is another time that the lateness rule found; the patience moves along with it.
    """

    delivery_id: int
    account_id: int
    version: int
    owner: str
    move: Move
    at: Moment
    reason: str = ""
    advice: str = ""
    due_at: datetime | None = None
    tries: int = 0
    acknowledged: bool = False
    part_id: int | None = None
    number: int = 0
    outcome: Outcome | None = None
    answer: str = ""
    refused: str = ""
    strike: bool = False
    when: When | None = None


def unclaim(connection: sa.Connection, one: Unclaim) -> bool:
    """Ends a claim: back to its time, or to a state that says why. False if it was no longer ours."""
    values: dict[str, Any] = {} if one.due_at is None else {"due_at": one.due_at}
    if one.when:
        moved_by = to_stamp(one.when.instant) - deliveries.c.planned_at.cast(sa.BigInteger)
        values = {"due_at": one.when.instant, "give_up_at": deliveries.c.give_up_at + moved_by, **_planned(one.when)}
    changed = connection.execute(
        sa.update(deliveries)
        .where(
            deliveries.c.id == one.delivery_id,
            deliveries.c.owner == one.owner,
            deliveries.c.version == one.version,
            deliveries.c.state == "claimed",
        )
        .values(
            state=TRANSITIONS[State.CLAIMED, one.move].value,
            owner=None,
            lease_until=None,
            reason=one.reason,
            advice=one.advice,
            tries=one.tries,
            acknowledged=one.acknowledged,
            **values,
        )
    )
    if changed.rowcount == 0:
        return False
    changes.bump(connection, changes.DELIVERIES)
    now = one.at.wall
    if one.outcome:
        connection.execute(
            sa.insert(attempts).values(
                part_id=one.part_id, delivery_id=one.delivery_id, number=one.number, owner=one.owner, began_at=now,
                boot=one.at.boot, ticks=one.at.ticks, ended_at=now, outcome=one.outcome, summary=one.reason,
                answer=one.answer,
            )
        )  # fmt: skip
    if one.refused:
        connection.execute(sa.update(parts).where(parts.c.id == one.part_id).values(refused=one.refused))
    if one.move is Move.MISS:
        note(connection, one.delivery_id, now, "missed", detail=one.reason)
    if one.when:
        note(connection, one.delivery_id, now, "moved", detail=one.reason)
    if one.move is Move.HOLD:
        hold_account(connection, one.account_id, one.reason)
    elif one.strike:
        strike(connection, one.account_id, one.reason, now)
    return True


def save_prepared(connection: sa.Connection, part_id: int, prepared: Mapping[str, Any], now: datetime) -> None:
    connection.execute(
        sa.update(parts).where(parts.c.id == part_id).values(prepared=codec.encode(prepared), prepared_at=now)
    )


def tell(connection: sa.Connection, delivery_id: int, owner: str, words: str) -> None:
    """Says how far something is that is on its way; what ends the try takes its place."""
    changed = connection.execute(
        sa.update(deliveries)
        .where(deliveries.c.id == delivery_id, deliveries.c.owner == owner, TAKEN)
        .values(advice=words)
    )
    if changed.rowcount:
        changes.bump(connection, changes.DELIVERIES)


# --- the engine: accounts that cannot send, crashes, looks --------------------------------------------------------


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
    """The account works again: what was held goes back to its time. Returns how many."""
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
            reason="Its account was removed.",
            advice="",
        )
    )
    changes.bump(connection, changes.DELIVERIES)
    return changed.rowcount


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
        .where(parts.c.id.in_(_GIVEN), deliveries.c.began_at.is_(None)),
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
        .where(parts.c.id.in_(_GIVEN), parts.c.remote_id.is_(None), ~tried, deliveries.c.state.in_(open_now))
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
        .where(deliveries.c.id.in_(_GIVEN))
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


def renew_leases(connection: sa.Connection, owner: str, until: datetime) -> None:
    connection.execute(sa.update(deliveries).where(deliveries.c.owner == owner, TAKEN).values(lease_until=until))


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


def set_late(connection: sa.Connection, delivery_id: int, rule: str) -> None:
    connection.execute(sa.update(deliveries).where(deliveries.c.id == delivery_id).values(late=rule))


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


def untouched(connection: sa.Connection, before: datetime, excused: Sequence[int]) -> tuple[int, datetime | None]:
    """How many deliveries have been due since before then and nobody took, and since when the oldest has.

    Args:
        excused: accounts that cannot send now, for a reason that the person sees elsewhere.
    """
    row = connection.execute(
        sa.select(sa.func.count(), sa.func.min(deliveries.c.due_at)).where(
            SCHEDULED, deliveries.c.due_at <= before, deliveries.c.account_id.not_in(excused or [0])
        )
    ).one()
    return int(row[0]), row[1]


def due_accounts(connection: sa.Connection, until: datetime) -> list[int]:
    """The accounts for which something is due by then."""
    rows = connection.execute(
        sa.select(deliveries.c.account_id).where(SCHEDULED, deliveries.c.due_at <= until).distinct()
    )
    return [int(row[0]) for row in rows]


def next_look(connection: sa.Connection) -> datetime | None:
    """When the next look at a doubtful delivery is due."""
    found: datetime | None = connection.execute(
        sa.select(deliveries.c.look_at)
        .where(IN_DOUBT, deliveries.c.look_at.is_not(None))
        .order_by(deliveries.c.look_at)
        .limit(1)
    ).scalar_one_or_none()
    return found


def leaving(connection: sa.Connection, account_id: int) -> list[int]:
    """What is leaving for an account right now."""
    rows = connection.execute(sa.select(deliveries.c.id).where(deliveries.c.account_id == account_id, SENDING))
    return [int(row[0]) for row in rows]


def is_anything_left(connection: sa.Connection, until: datetime) -> bool:
    """Whether something leaves, is due until then, is tried again within a day, or is about to be looked for."""
    due = deliveries.c.due_at
    found = (
        TAKEN,
        sa.and_(SCHEDULED, due <= until),
        sa.and_(SCHEDULED, due <= until + timedelta(days=1), deliveries.c.tries > 0),
        sa.and_(IN_DOUBT, deliveries.c.look_at <= until),
    )
    ids = (connection.execute(sa.select(deliveries.c.id).where(one).limit(1)).first() for one in found)
    return any(id_ is not None for id_ in ids)


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
