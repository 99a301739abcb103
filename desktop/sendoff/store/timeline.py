"""What the screens and the command line read: chips, rows, what needs the person. Every question stays small."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa

from sendoff.domain.account import Account, opens
from sendoff.domain.delivery import BY_HAND, Attempt, Delivery, Event, Move, Part, State, can, most_urgent
from sendoff.domain.numbers import Reading
from sendoff.domain.outside import Outside
from sendoff.domain.post import Content, Post
from sendoff.domain.when import When
from sendoff.store import accounts as account_rows
from sendoff.store import codec
from sendoff.store import deliveries as delivery_rows
from sendoff.store import posts as post_rows
from sendoff.store import readings as reading_rows
from sendoff.store.tables import (
    SCHEDULED,
    TAKEN,
    accounts,
    attempts,
    deliveries,
    events,
    from_stamp,
    parts,
    posts,
    senders,
    tallies,
)


@dataclass(frozen=True, slots=True)
class Seat:
    """One account on a chip or row."""

    delivery_id: int
    account_id: int
    channel: str
    name: str
    handle: str
    state: State


@dataclass(frozen=True, slots=True)
class Chip:
    """One post at one time: what the planner shows. Its state is the most urgent of its deliveries.

    `at` is the instant it is planned for, in UTC; `when` is how the person said it.
    """

    post_id: int
    at: datetime
    when: When
    state: State
    excerpt: str
    seats: tuple[Seat, ...]

    @property
    def key(self) -> tuple[int, datetime]:
        """What tells a chip from all others."""
        return self.post_id, self.at

    @property
    def ids(self) -> tuple[int, ...]:
        return tuple(seat.delivery_id for seat in self.seats)

    def ids_that_can(self, what: Move) -> tuple[int, ...]:
        """The deliveries for which the table has this move."""
        return tuple(seat.delivery_id for seat in self.seats if can(seat.state, what))


_ROWS = (
    sa.select(
        deliveries.c.post_id, sa.type_coerce(deliveries.c.planned_at, sa.BigInteger), deliveries.c.wall,
        deliveries.c.zone, deliveries.c.fold, posts.c.excerpt,
        deliveries.c.id, deliveries.c.account_id, accounts.c.channel, accounts.c.name, accounts.c.handle,
        deliveries.c.state,
    )
    .join(posts, posts.c.id == deliveries.c.post_id)
    .join(accounts, accounts.c.id == deliveries.c.account_id)
)  # fmt: skip


def between(
    connection: sa.Connection,
    start: datetime,
    end: datetime,
    *,
    only_accounts: Collection[int] = (),
    workspace_id: int | None = None,
) -> list[Chip]:
    """The posts planned from `start` up to but not at `end`, in order, without the cancelled ones.

    With `only_accounts` those that go to one of these; they still have all their deliveries.
    """
    planned = deliveries.c.planned_at
    wanted = _shown(_ROWS, workspace_id).where(planned >= start, planned < end)
    if only_accounts:
        other = deliveries.alias()
        same = (other.c.post_id == deliveries.c.post_id) & (other.c.planned_at == planned)
        theirs = other.c.account_id.in_(only_accounts) & (other.c.state != "cancelled")
        wanted = wanted.where(sa.exists().where(same, theirs))
    return _chips(connection.execute(wanted.order_by(planned, deliveries.c.id)))


def _shown(wanted: Any, workspace_id: int | None) -> Any:
    wanted = wanted.where(deliveries.c.state != "cancelled")
    if workspace_id is not None:
        wanted = wanted.where(accounts.c.workspace_id == workspace_id)
    return wanted


def reach(
    connection: sa.Connection,
    start: datetime,
    n: int,
    *,
    back: bool = False,
    only_accounts: Collection[int] = (),
    workspace_id: int | None = None,
) -> datetime | None:
    """When the n-th delivery after `start` (or with `back` the n-th before it) is planned; None: there are fewer.

    So a list can be read in pages of about n rows that break between instants.
    """
    planned = deliveries.c.planned_at
    wanted = sa.select(planned).join(accounts, accounts.c.id == deliveries.c.account_id)
    wanted = _shown(wanted, workspace_id).where(planned < start if back else planned >= start)
    if only_accounts:
        wanted = wanted.where(deliveries.c.account_id.in_(only_accounts))
    found = connection.execute(wanted.order_by(planned.desc() if back else planned).limit(1).offset(n - 1)).scalar()
    return found if found is None else cast(datetime, found)


def of_posts(connection: sa.Connection, ids: Sequence[int]) -> list[Chip]:
    """The deliveries of these posts, for search results; posts in the order given."""
    rows = connection.execute(_ROWS.where(deliveries.c.post_id.in_(list(ids))).order_by(deliveries.c.planned_at))
    place = {post_id: number for number, post_id in enumerate(ids)}
    return sorted(_chips(rows), key=lambda chip: place[chip.post_id])


def upcoming(connection: sa.Connection, limit: int = 5) -> list[Chip]:
    """What leaves next. What waits to be tried again, or for its account, has the time of that as `when`."""
    waiting = (
        sa.select(deliveries.c.id, deliveries.c.due_at, accounts.c.ready_at, accounts.c.rest_until)
        .join(accounts, accounts.c.id == deliveries.c.account_id)
        .where(SCHEDULED)
        .order_by(deliveries.c.due_at)
        .limit(limit * 4)
    )
    due = {one.id: opens(one.due_at, one.ready_at, one.rest_until) for one in connection.execute(waiting)}
    rows = connection.execute(_ROWS.where(deliveries.c.id.in_(due)).order_by(deliveries.c.due_at, deliveries.c.id))
    found = [_as_due(chip, min(due[one] for one in chip.ids)) for chip in _chips(rows)]
    return sorted(found, key=lambda chip: chip.when.instant)[:limit]


def _as_due(chip: Chip, due: datetime) -> Chip:
    return chip if due <= chip.at else replace(chip, when=When.at(due, chip.when.zone))


def _chips(rows: Any) -> list[Chip]:
    grouped: dict[tuple[int, int], list[Any]] = {}
    for row in rows.all():
        grouped.setdefault((row[0], row[1]), []).append(row)
    return [_chip(group) for group in grouped.values()]


def _chip(group: list[Any]) -> Chip:
    # A busy week has thousands of rows: they are unpacked in the order of _ROWS, which is quicker than by name.
    post_id, stamp, wall, zone, fold, excerpt = group[0][:6]
    seats = tuple([Seat(row[6], row[7], row[8], row[9], row[10], _STATES[row[11]]) for row in group])
    state = seats[0].state if len(seats) == 1 else most_urgent([seat.state for seat in seats])
    when = When(datetime.fromisoformat(wall), zone, fold)
    return Chip(post_id, from_stamp(stamp), when, state, excerpt, seats)


_STATES = {state.value: state for state in State}


# --- activity -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Row:
    """One delivery in a list: planned and actual time, whose it is, where it stands. `parts`, `out` and `by_hand`
    count parts: all, those that are out, and those of which only the person says so. `ready_at` and `rest_until` are
    its account's."""

    delivery: Delivery
    excerpt: str
    channel: str
    account: str
    handle: str
    url: str
    parts: int
    out: int
    people: int
    deleted: bool = False
    by_hand: int = 0
    ready_at: datetime | None = None
    rest_until: datetime | None = None

    @property
    def leaves_at(self) -> datetime:
        """When what waits leaves, or is tried again: not before its account may send."""
        return opens(self.delivery.due_at, self.ready_at, self.rest_until)

    @property
    def outside(self) -> Outside:
        """What of it is out."""
        return Outside(self.delivery.state, self.out, self.by_hand)

    @property
    def when(self) -> When:
        return When(datetime.fromisoformat(self.delivery.wall), self.delivery.zone, self.delivery.fold)


def _row_query() -> Any:
    cut = parts.alias()
    mine = cut.c.delivery_id == deliveries.c.id

    def one(what: Any) -> Any:
        return sa.select(what).where(mine).scalar_subquery()

    return (
        sa.select(
            deliveries,
            posts.c.excerpt,
            accounts.c.channel,
            accounts.c.name.label("account"),
            accounts.c.handle,
            accounts.c.ready_at,
            accounts.c.rest_until,
            one(sa.func.count()).label("parts"),
            one(sa.func.count(cut.c.remote_id)).label("out"),
            one(sa.func.count(sa.case((cut.c.remote_id == BY_HAND.remote_id, 1)))).label("by_hand"),
            one(sa.func.coalesce(sa.func.sum(cut.c.count), 0)).label("people"),
            sa.select(cut.c.receipt)
            .where(mine, cut.c.receipt.is_not(None))
            .order_by(cut.c.number)
            .limit(1)
            .scalar_subquery()
            .label("receipt"),
            sa.exists().where(events.c.delivery_id == deliveries.c.id, events.c.kind == "deleted").label("deleted"),
        )
        .join(posts, posts.c.id == deliveries.c.post_id)
        .join(accounts, accounts.c.id == deliveries.c.account_id)
    )


_ROW = _row_query()


def _rows(found: Any) -> list[Row]:
    return [
        Row(
            delivery=delivery_rows.delivery_from(row),
            excerpt=row.excerpt,
            channel=row.channel,
            account=row.account,
            handle=row.handle,
            url=codec.receipt(row.receipt).url if row.receipt else "",
            parts=row.parts,
            out=row.out,
            people=row.people,
            deleted=bool(row.deleted),
            by_hand=row.by_hand,
            ready_at=row.ready_at,
            rest_until=row.rest_until,
        )
        for row in found
    ]


def queue(
    connection: sa.Connection,
    *,
    states: Collection[State] = (),
    since: datetime | None = None,
    until: datetime | None = None,
    workspace_id: int | None = None,
    ids: Sequence[int] | None = None,
    limit: int = 500,
    newest_first: bool = False,
) -> list[Row]:
    """Deliveries by planned time; without `states` all but the cancelled ones."""
    wanted = _ROW.where(deliveries.c.state.in_(states) if states else deliveries.c.state != "cancelled")
    if since is not None:
        wanted = wanted.where(deliveries.c.planned_at >= since)
    if until is not None:
        wanted = wanted.where(deliveries.c.planned_at < until)
    if workspace_id is not None:
        wanted = wanted.where(accounts.c.workspace_id == workspace_id)
    if ids is not None:
        wanted = wanted.where(deliveries.c.id.in_(ids))
    order = (
        (deliveries.c.planned_at.desc(), deliveries.c.id.desc())
        if newest_first
        else (deliveries.c.planned_at, deliveries.c.id)
    )
    return _rows(connection.execute(wanted.order_by(*order).limit(limit)))


def waiting(connection: sa.Connection, limit: int) -> list[Row]:
    """What waits for its time, the earliest first."""
    order = (deliveries.c.due_at, deliveries.c.id)
    return _rows(connection.execute(_ROW.where(SCHEDULED).order_by(*order).limit(limit)))


ATTENTION = (State.IN_DOUBT, State.FAILED, State.HELD, State.MISSED)
"""What only the person can decide, the most urgent first."""
_NEEDS = sa.text("deliveries.state IN ('in_doubt', 'failed', 'held', 'missed') AND NOT deliveries.acknowledged")


def needs_you(connection: sa.Connection, limit: int = 200) -> list[Row]:
    """What only the person can decide, most urgent first."""
    order = sa.case({state.value: place for place, state in enumerate(ATTENTION)}, value=deliveries.c.state)
    return _rows(connection.execute(_ROW.where(_NEEDS).order_by(order, deliveries.c.planned_at).limit(limit)))


def needs_you_count(connection: sa.Connection) -> int:
    """How many decisions are open; deliveries that wait for the same sign-in are one."""
    held = deliveries.c.state == "held"
    key = sa.case((held, -deliveries.c.account_id), else_=deliveries.c.id)
    return int(connection.execute(sa.select(sa.func.count(sa.distinct(key))).where(_NEEDS)).scalar_one())


@dataclass(frozen=True, slots=True)
class Detail:
    """All that is known of one delivery."""

    row: Row
    post: Post
    account: Account
    content: Content
    parts: tuple[Part, ...]
    attempts: tuple[Attempt, ...]
    events: tuple[Event, ...]
    readings: Mapping[int, Reading] = field(default_factory=dict)  # the last one of each part, by its number


def detail(connection: sa.Connection, delivery_id: int) -> Detail:
    """One delivery with its parts, attempts, receipts and events.

    Raises:
        NotFound: there is none with this id.
    """
    delivery = delivery_rows.get(connection, delivery_id)
    post = post_rows.get(connection, delivery.post_id)
    return Detail(
        row=_rows(connection.execute(_ROW.where(deliveries.c.id == delivery_id)))[0],
        post=post,
        account=account_rows.get(connection, delivery.account_id),
        content=post.content_for(delivery.account_id),
        parts=tuple(delivery_rows.parts_of(connection, delivery_id)),
        attempts=tuple(delivery_rows.attempts_of(connection, delivery_id)),
        events=tuple(delivery_rows.events_of(connection, delivery_id)),
        readings=reading_rows.latest_of(connection, delivery_id),
    )


def sent_since(connection: sa.Connection, attempt_id: int) -> tuple[int, list[Row]]:
    """The deliveries that were sent by an attempt after this one, and from which attempt on to ask next time.

    An attempt that is still open keeps that place back, so what ended after it may be told again.
    """
    newest = connection.execute(sa.select(sa.func.coalesce(sa.func.max(attempts.c.id), 0))).scalar_one()
    opened = connection.execute(sa.select(sa.func.min(attempts.c.id)).where(sa.text("outcome IS NULL"))).scalar_one()
    mark = int(newest if opened is None else opened - 1)
    if newest == attempt_id:
        return mark, []
    ended = sa.select(attempts.c.delivery_id).where(attempts.c.id > attempt_id, attempts.c.outcome == "sent")
    return mark, _rows(
        connection.execute(_ROW.where(deliveries.c.id.in_(ended), deliveries.c.state == "sent").limit(50))
    )


# --- totals -------------------------------------------------------------------------------------------------------


def totals(connection: sa.Connection) -> dict[State, int]:
    """How many deliveries stand in each state; kept, not counted (but for the few that are leaving)."""
    rows = connection.execute(sa.select(tallies.c.state, sa.func.sum(tallies.c.n)).group_by(tallies.c.state))
    found = {State(state): int(n) for state, n in rows if n}
    for state, n in connection.execute(_LEAVING):
        found[State(state)] = int(n)
        found[State.SCHEDULED] -= int(n)
    return {state: n for state, n in found.items() if n}


_LEAVING = sa.select(deliveries.c.state, sa.func.count()).where(TAKEN).group_by(deliveries.c.state)


@dataclass(frozen=True, slots=True)
class Sender:
    """The process that sends for this profile, as it last said of itself."""

    owner: str
    pid: int
    host: str
    started_at: datetime
    seen_at: datetime
    trouble: str


def sender(connection: sa.Connection) -> Sender | None:
    row = connection.execute(sa.select(senders)).first()
    return Sender(row.owner, row.pid, row.host, row.started_at, row.seen_at, row.trouble) if row else None


def say_alive(
    connection: sa.Connection, *, owner: str, pid: int, host: str, started_at: datetime, seen_at: datetime, trouble: str
) -> None:
    """The sender's sign of life, and what troubles it (a locked keychain, a full disk)."""
    connection.execute(sa.delete(senders))
    connection.execute(
        sa.insert(senders).values(
            id=1, owner=owner, pid=pid, host=host, started_at=started_at, seen_at=seen_at, trouble=trouble
        )
    )
