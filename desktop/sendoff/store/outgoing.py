"""What the sender writes, in groups: claims, intentions and ends. Its one writer commits together what waits."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from sendoff.domain.account import Account
from sendoff.domain.delivery import TRANSITIONS, Delivery, Move, Outcome, Part, Receipt, State
from sendoff.domain.post import Content
from sendoff.domain.when import Moment, When
from sendoff.store import accounts as account_rows
from sendoff.store import changes, codec
from sendoff.store import posts as post_rows
from sendoff.store.deliveries import as_planned, delivery_from, get, hold_account, note, parts_of_many, strike
from sendoff.store.dialect import GIVEN, json_rows
from sendoff.store.doubts import found_after_all
from sendoff.store.tables import (
    IN_DOUBT,
    SCHEDULED,
    SENDING,
    TAKEN,
    accounts,
    attempts,
    deliveries,
    events,
    parts,
    to_stamp,
)

# --- claims ---------------------------------------------------------------------------------------------------------

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


def soon(
    connection: sa.Connection, until: datetime, kinds: Sequence[str], unreached: Collection[int] = ()
) -> dict[int, int]:
    """What is due until an instant at accounts of these kinds that could send, the earliest first: ids and versions.

    Args:
        unreached: accounts that can't.
    """
    rows = connection.execute(_SOON, {"until": until, "kinds": kinds, "unreached": list(unreached)})
    return {int(row.id): int(row.version) for row in rows}


_SOON = (
    sa.select(deliveries.c.id, deliveries.c.version)
    .join(accounts, accounts.c.id == deliveries.c.account_id)
    .where(
        SCHEDULED,
        deliveries.c.due_at <= sa.bindparam("until"),
        accounts.c.channel.in_(sa.bindparam("kinds", expanding=True)),
        accounts.c.id.not_in(sa.bindparam("unreached", expanding=True)),
        accounts.c.state == "working",
        accounts.c.rest_until.is_(None),
        accounts.c.removed_at.is_(None),
    )
    .order_by(deliveries.c.due_at, deliveries.c.id)
    .limit(SCAN)
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


# --- intentions -----------------------------------------------------------------------------------------------------


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


# --- ends -----------------------------------------------------------------------------------------------------------


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
                found_after_all(connection, one.delivery_id, one.at, one.at, "The answer came after all: it is out.")
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
            hold_account(connection, one.account_id, one.summary)
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
_OURS = sa.select(deliveries.c.id).where(deliveries.c.owner == sa.bindparam("by"), deliveries.c.state == "sending")
_THAW = (
    sa.update(parts)
    .where(parts.c.id.in_(GIVEN), parts.c.remote_id.is_(None), parts.c.delivery_id.in_(_OURS))
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

    `summary` is what went wrong, where `reason` tells how far the delivery is besides. `when` is another time that the
    lateness rule found; the patience moves along with it.
    """

    delivery_id: int
    account_id: int
    version: int
    owner: str
    move: Move
    at: Moment
    summary: str = ""
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
        values = {"due_at": one.when.instant, "give_up_at": deliveries.c.give_up_at + moved_by, **as_planned(one.when)}
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
    now, why = one.at.wall, one.summary or one.reason
    if one.outcome:
        connection.execute(
            sa.insert(attempts).values(
                part_id=one.part_id, delivery_id=one.delivery_id, number=one.number, owner=one.owner, began_at=now,
                boot=one.at.boot, ticks=one.at.ticks, ended_at=now, outcome=one.outcome, summary=why,
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
        hold_account(connection, one.account_id, why)
    elif one.strike:
        strike(connection, one.account_id, why, now)
    return True


# --- on the way -----------------------------------------------------------------------------------------------------


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


def renew_leases(connection: sa.Connection, owner: str, until: datetime) -> None:
    connection.execute(sa.update(deliveries).where(deliveries.c.owner == owner, TAKEN).values(lease_until=until))


# --- what waits -----------------------------------------------------------------------------------------------------


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
