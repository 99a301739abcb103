"""What a database that is being replaced still knows of the world: what has left, and what the person changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from sendoff.domain.doubt import STOPPED_WHILE
from sendoff.store import changes, deliveries, doubts
from sendoff.store.db import Connection
from sendoff.store.dialect import open_read_only
from sendoff.store.tables import attempts, events, metadata, parts
from sendoff.store.tables import deliveries as delivery_table

Row = Mapping[str, Any]
"""A row as the file has it: columns that were added later are not in it."""

LEFT = frozenset({"sending", "sent", "in_doubt", "handed_over", "failed"})
"""States in which something left or may have left: what is written of such a delivery is the newer truth."""

CHANGED = "You changed or cancelled it after this backup was made. Look at it, then move, send or cancel it."


@dataclass(slots=True)
class Told:
    """What an older database was told: how many deliveries were tried since it was made, and how many were changed.

    `all_known`: everything that was asked for could be read.
    """

    tried: int = 0
    held: int = 0
    all_known: bool = True

    @property
    def words(self) -> str:
        """What the replaced database knew of the time since the copy was made, in a sentence."""
        if not self.all_known:
            return "What left since it was made is not known for certain, because what was here can’t be read."
        words = [f"{self.tried} of it left or was tried since" if self.tried else "Nothing of it was tried since"]
        words += [f"{self.held} you had changed or cancelled since, so they are held"] if self.held else []
        return f"{'; '.join(words)}."


class Witness:
    """The old database, read row by row, because a damaged one can be read in places. It is not changed."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._columns: dict[str, list[str]] = {}

    def rows(self, table: str, column: str, number: int) -> list[Row]:
        """The rows with this number; none where the file is older than the table.

        Raises:
            sqlite3.DatabaseError: they can't be read.
        """
        if table not in self._columns:
            there = {row[1] for row in self._connection.execute(f"PRAGMA table_info({table})")}
            self._columns[table] = [one.name for one in metadata.tables[table].columns if one.name in there]
        names = self._columns[table]
        if not names:
            return []
        question = f"SELECT {', '.join(names)} FROM {table} WHERE {column} = ? ORDER BY id"  # noqa: S608  # our own names
        return [dict(zip(names, row, strict=True)) for row in self._connection.execute(question, (number,))]


@contextmanager
def witness(path: Path) -> Iterator[Witness | None]:
    """Opens the old database; None where there is none."""
    if not path.is_file():
        yield None
        return
    with closing(open_read_only(path)) as connection:
        yield Witness(connection)


def tell(connection: Connection, path: Path, now: datetime) -> Told:
    """Lets an older database know what the one at `path` knows.

    What left is taken over with its parts, tries, events and numbers. What the person changed or cancelled is held: the
    older text or time must not go out unasked.
    """
    told = Told()
    with witness(path) as old:
        for row in connection.execute(_OPEN).all():
            try:
                if old is None:
                    told.all_known = False
                else:
                    _compare(connection, old, row, told)
            except (sqlite3.DatabaseError, UnicodeDecodeError):
                told.all_known = False
    doubts.recover(connection, now, None)
    changes.bump(connection, changes.DELIVERIES)
    return told


_OPEN = (
    sa.select(
        delivery_table.c.id,
        delivery_table.c.state,
        delivery_table.c.post_id,
        sa.type_coerce(delivery_table.c.created_at, sa.BigInteger).label("created"),
        sa.type_coerce(delivery_table.c.planned_at, sa.BigInteger).label("planned"),
        sa.text("(SELECT version FROM posts WHERE posts.id = deliveries.post_id) AS written"),
    )
    .where(delivery_table.c.state.not_in(("sent", "cancelled")))
    .order_by(delivery_table.c.id)
)


def _compare(connection: Connection, old: Witness, row: Any, told: Told) -> None:
    newer = next(iter(old.rows("deliveries", "id", row.id)), None)
    if newer is None or newer["created_at"] != row.created:
        return
    theirs = old.rows("parts", "delivery_id", row.id)
    if newer["state"] in LEFT or any(part["remote_id"] for part in theirs):
        tries, news = (old.rows(table, "delivery_id", row.id) for table in ("attempts", "events"))
        told.tried += len(tries) > len(deliveries.attempts_of(connection, row.id))
        counted = [one for part in theirs for one in old.rows("readings", "part_id", part["id"])]
        _take_over(connection, newer, theirs, tries, news, counted)
    elif row.state in ("scheduled", "held") and _was_changed(old, row, newer):
        connection.execute(
            sa.update(delivery_table)
            .where(delivery_table.c.id == row.id)
            .values(state="held", reason=CHANGED, advice="", acknowledged=False)
        )
        told.held += 1


def _was_changed(old: Witness, row: Any, newer: Row) -> bool:
    if newer["state"] == "cancelled" or newer["planned_at"] != row.planned:
        return True
    return any(post["version"] != row.written for post in old.rows("posts", "id", row.post_id))


def _take_over(
    connection: Connection, newer: Row, theirs: list[Row], tries: list[Row], news: list[Row], counted: list[Row]
) -> None:
    """Puts the newer rows in the place of the older ones. Their own ids may be taken here, so they get new ones."""
    delivery_id = newer["id"]
    for table in (events, attempts, parts):
        connection.execute(sa.delete(table).where(table.c.delivery_id == delivery_id))
    ids = {part["id"]: _insert(connection, "parts", part) for part in theirs}
    for one in tries:
        _insert(connection, "attempts", {**one, "part_id": ids[one["part_id"]]})
    for one in news:
        _insert(connection, "events", one)
    for one in counted:
        _insert(connection, "readings", {**one, "part_id": ids[one["part_id"]]})
    values = {name: value for name, value in newer.items() if name not in ("id", "post_id", "account_id")}
    if newer["state"] == "sending" and all(one["outcome"] for one in tries):
        values |= {"state": "in_doubt", "reason": STOPPED_WHILE}
    raw = sa.table("deliveries", *map(sa.column, newer))
    connection.execute(sa.update(raw).where(raw.c.id == delivery_id).values(**values))


def _insert(connection: Connection, table: str, row: Row) -> int:
    """Inserts a row as it is in the other file, without its id; returns the new one."""
    values = {name: value for name, value in row.items() if name != "id"}
    raw = sa.table(table, *map(sa.column, row))
    return int(connection.execute(sa.insert(raw).values(**values).returning(raw.c.id)).scalar_one())
