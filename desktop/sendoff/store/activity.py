"""What Activity reads: the decisions that are open, what became of every post, and the same as a CSV file."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from sendoff.domain.delivery import State, most_urgent
from sendoff.domain.errors import SetupMissing
from sendoff.domain.numbers import Numbers
from sendoff.domain.post import Content
from sendoff.domain.when import zone_info
from sendoff.store import codec, timeline
from sendoff.store import posts as post_rows
from sendoff.store.tables import accounts, deliveries, parts, posts, readings, variants
from sendoff.store.timeline import Row

MOST_FOUND = 300
"""How many posts a search by words brings at most; those written last."""

AT_ONCE = 200
"""How many rows are fetched from the database in one go."""

_QUIET = ("scheduled", "claimed", "handed_over", "held")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which deliveries are asked for; by itself all but the cancelled ones.

    Args:
        states: only these.
        account_id: only this account's.
        words: only where the post has these words, or the account this name.
        until: only what is planned before this instant.
        now: not what waits quietly for a time after this instant.
    """

    states: frozenset[State] = frozenset()
    account_id: int | None = None
    words: str = ""
    until: datetime | None = None
    now: datetime | None = None

    @property
    def is_everything(self) -> bool:
        """Whether the person left nothing out."""
        return not (self.states or self.account_id is not None or self.words)


@dataclass(frozen=True, slots=True)
class Entry:
    """One post at one time, with its deliveries as they stand."""

    post_id: int
    planned_at: datetime
    rows: tuple[Row, ...]

    @property
    def state(self) -> State:
        """The most urgent of its deliveries."""
        return most_urgent([row.delivery.state for row in self.rows])


def history(connection: sa.Connection, wanted: Wanted, limit: int, after: Entry | None = None) -> list[Entry]:
    """The latest posts, newest first, at most `limit`; every one with all its wanted deliveries.

    Args:
        after: the last entry of the page before this one.
    """
    query = _where(connection, timeline._ROW, wanted).order_by(
        deliveries.c.planned_at.desc(), deliveries.c.post_id.desc(), deliveries.c.id
    )
    if after is not None:
        earlier = sa.or_(deliveries.c.planned_at < after.planned_at, deliveries.c.post_id < after.post_id)
        query = query.where(deliveries.c.planned_at <= after.planned_at, earlier)
    grouped: dict[tuple[int, datetime], list[Any]] = {}
    with connection.execute(query.execution_options(yield_per=AT_ONCE)) as rows:
        for row in rows:
            key = (row.post_id, row.planned_at)
            if key not in grouped and len(grouped) == limit:
                break
            grouped.setdefault(key, []).append(row)
    return [Entry(*key, tuple(timeline._rows(group))) for key, group in grouped.items()]


def tally(connection: sa.Connection, wanted: Wanted, since: datetime, until: datetime) -> dict[State, int]:
    """How many of the wanted deliveries are planned from `since` up to but not at `until`, by state."""
    query = sa.select(deliveries.c.state, sa.func.count()).select_from(
        deliveries.join(accounts, accounts.c.id == deliveries.c.account_id)
    )
    query = query.where(deliveries.c.planned_at >= since, deliveries.c.planned_at < until)
    found = connection.execute(_where(connection, query, wanted).group_by(deliveries.c.state))
    return {State(state): int(n) for state, n in found}


def _where(connection: sa.Connection, query: Any, wanted: Wanted) -> Any:
    if wanted.states:
        query = query.where(deliveries.c.state.in_(sorted(wanted.states)))
    else:
        query = query.where(deliveries.c.state != "cancelled")
    if wanted.account_id is not None:
        query = query.where(deliveries.c.account_id == wanted.account_id)
    if wanted.until is not None:
        query = query.where(deliveries.c.planned_at < wanted.until)
    if wanted.now is not None:
        query = query.where(sa.or_(deliveries.c.planned_at <= wanted.now, deliveries.c.state.not_in(_QUIET)))
    if wanted.words.strip():
        query = query.where(_matches(connection, wanted.words))
    return query


def _matches(connection: sa.Connection, words: str) -> sa.ColumnElement[bool]:
    found = deliveries.c.post_id.in_(post_rows.search(connection, words, MOST_FOUND, newest=True))
    named = sa.and_(
        *(
            sa.or_(accounts.c.name.icontains(word, autoescape=True), accounts.c.handle.icontains(word, autoescape=True))
            for word in words.split()
        )
    )
    whose = list(connection.execute(sa.select(accounts.c.id).where(named)).scalars())
    return sa.or_(found, deliveries.c.account_id.in_(whose)) if whose else found


# --- what needs the person ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Decision:
    """One thing that only the person can decide. `waiting` deliveries of one account share a sign-in."""

    row: Row
    waiting: int = 1


def decisions(connection: sa.Connection, limit: int) -> list[Decision]:
    """What needs the person, most urgent first; deliveries that wait for the same sign-in are one decision."""
    order = sa.case({state.value: place for place, state in enumerate(timeline.ATTENTION)}, value=deliveries.c.state)
    whose = sa.case((deliveries.c.state == "held", -deliveries.c.account_id), else_=deliveries.c.id)
    by_time = (deliveries.c.planned_at, deliveries.c.id)
    open_ones = (
        sa.select(
            deliveries.c.id,
            sa.func.row_number().over(partition_by=whose, order_by=by_time).label("place"),
            sa.func.count().over(partition_by=whose).label("n"),
        )
        .where(timeline._NEEDS)
        .subquery("open_ones")
    )
    first = (
        sa.select(open_ones.c.id, open_ones.c.n)
        .join(deliveries, deliveries.c.id == open_ones.c.id)
        .where(open_ones.c.place == 1)
        .order_by(order, *by_time)
        .limit(limit)
    )
    waiting = {row.id: int(row.n) for row in connection.execute(first)}
    query = timeline._ROW.where(deliveries.c.id.in_(list(waiting))).order_by(order, *by_time)
    return [Decision(row, waiting[row.delivery.id]) for row in timeline._rows(connection.execute(query))]


def dismissible(connection: sa.Connection) -> list[int]:
    """The failed and missed deliveries that still ask for the person."""
    query = sa.select(deliveries.c.id).where(timeline._NEEDS, deliveries.c.state.in_(("failed", "missed")))
    return [int(found) for found in connection.execute(query).scalars()]


# --- as a file ----------------------------------------------------------------------------------------------------

COUNTS = tuple(one.name for one in fields(Numbers))
HEAD = (
    "planned", "sent", "deviation in s", "account", "channel", "state", "link", "text", "reason", *COUNTS,
    "counted at",
)  # fmt: skip

_LINK = (
    sa.select(parts.c.receipt)
    .where(parts.c.delivery_id == deliveries.c.id, parts.c.receipt.is_not(None))
    .order_by(parts.c.number)
    .limit(1)
    .scalar_subquery()
)
_LATEST = sa.select(sa.func.max(readings.c.id)).group_by(readings.c.part_id)
_TOLD = (
    sa.select(
        parts.c.delivery_id, sa.func.max(readings.c.at).label("read_at"),
        *(sa.func.sum(readings.c[name]).label(name) for name in COUNTS),
    )
    .join(parts, parts.c.id == readings.c.part_id)
    .where(readings.c.id.in_(_LATEST))
    .group_by(parts.c.delivery_id)
    .subquery("told")
)  # fmt: skip
"""By delivery the last numbers of its parts together, as domain/numbers.py sums them."""

_LEDGER = (
    sa.select(
        deliveries.c.planned_at, deliveries.c.sent_at, deliveries.c.state, deliveries.c.reason,
        accounts.c.name, accounts.c.channel, posts.c.content,
        variants.c.content.label("own"), _LINK.label("receipt"), _TOLD.c.read_at, *(_TOLD.c[name] for name in COUNTS),
    )
    .join(posts, posts.c.id == deliveries.c.post_id)
    .join(accounts, accounts.c.id == deliveries.c.account_id)
    .outerjoin(
        variants, sa.and_(variants.c.post_id == deliveries.c.post_id, variants.c.account_id == deliveries.c.account_id)
    )
    .outerjoin(_TOLD, _TOLD.c.delivery_id == deliveries.c.id)
)  # fmt: skip


def write_csv(
    connection: sa.Connection, path: Path, wanted: Wanted, *, zone: str, titles: Mapping[str, str] = {}
) -> int:
    """Writes the wanted deliveries as CSV (RFC 4180, UTF-8 with a mark that spreadsheets look for), earliest first.

    What people did with a post is told as it was read last (`COUNTS`; a thread's parts together), and when that was;
    empty is what the network does not tell, or what is gone. The file appears whole or not at all. Returns the number
    of deliveries.

    Args:
        zone: whose wall time the times are written in; each carries its offset.
        titles: the channels' names for people.

    Raises:
        SetupMissing: the file can't be written there.
    """
    query = _where(connection, _LEDGER, wanted).order_by(deliveries.c.planned_at, deliveries.c.id)
    beside = path.with_name(f".{path.name}.part")
    count = 0
    try:
        with (
            open(beside, "w", encoding="utf-8-sig", newline="") as file,
            connection.execute(query.execution_options(yield_per=AT_ONCE)) as rows,
        ):
            writer = csv.writer(file)
            writer.writerow(HEAD)
            for cells in _cells(rows, zone, titles):
                writer.writerow(cells)
                count += 1
        os.replace(beside, path)
    except OSError as wrong:
        beside.unlink(missing_ok=True)
        raise SetupMissing(f"{path} can’t be written: {wrong.strerror}. Choose another place.") from None
    return count


def _cells(rows: Any, zone: str, titles: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    for row in rows:
        late = (row.sent_at - row.planned_at).total_seconds() if row.sent_at else None
        yield (
            _time(row.planned_at, zone),
            _time(row.sent_at, zone),
            "" if late is None else f"{late:.2f}",
            tame(row.name),
            tame(titles.get(row.channel, row.channel)),
            row.state.replace("_", " "),
            tame(codec.receipt(row.receipt).url if row.receipt else ""),
            tame(_text(codec.content(row.own or row.content))),
            tame(row.reason),
            *("" if row._mapping[name] is None else str(int(row._mapping[name])) for name in COUNTS),
            _time(row.read_at, zone),
        )


def _time(instant: datetime | None, zone: str) -> str:
    return instant.astimezone(zone_info(zone)).isoformat(" ", "milliseconds") if instant else ""


def _text(content: Content) -> str:
    """What was written, as far as a report wants it: the subject of a mail, else the items of a thread."""
    if content.mail and content.mail.subject:
        return content.mail.subject
    return "\n\n".join(item.text for item in content.items)


def tame(text: str) -> str:
    """Text that no spreadsheet takes for a formula: one that begins like a formula gets an apostrophe before it.

    (OWASP, "CSV Injection": = + - @, tab and carriage return; spreadsheets skip spaces before them.)
    """
    return f"'{text}" if text.lstrip()[:1] in tuple("=+-@") or text[:1] in tuple("\t\r\n") else text
