"""Coming back to the harbor after a weekend, for screenshots and tests: the sample's posts, and what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from sendoff.domain.absence import Cause
from sendoff.domain.delivery import PartPlan, State
from sendoff.domain.post import Content, Item, Plan, Variant
from sendoff.domain.when import When
from sendoff.store import absences, accounts, changes, deliveries, posts
from sendoff.store.db import Connection
from sendoff.store.tables import deliveries as table
from sendoff.store.tables import events
from tests.gui import sample
from tests.gui.desk import Desk
from tests.gui.sample import GRAM, NOW, SKY, TALK, TOOT, ZONE

_S = State
BEGAN, ENDED = NOW - timedelta(hours=9, minutes=38), NOW - timedelta(minutes=2)
"""Slept from 09:14 to 18:50."""


@dataclass(frozen=True, slots=True)
class Fell:
    """A post that was planned for the absence: minutes after it began, where, words, its rule, what became of it."""

    after: int
    where: int
    words: str
    late: str
    state: State
    reason: str = ""
    sent: float = 0.0  # minutes before now


WEEKEND = (
    Fell(526, TALK, "Harbor opens at eight", "ask 2h", _S.SENT, sent=1.5),
    Fell(540, SKY, "The kettle is on: filter bar until seven", "ask 2h", _S.SENT, sent=1.2),
    Fell(300, TOOT, "Sunday roast: 12 bags left", "skip 15m", _S.MISSED, "It was late."),
    Fell(310, GRAM, "Pier quiz, table list", "ask 2h", _S.MISSED, "It was late."),
    Fell(
        120, TOOT, "We looked for the dog, and the dog looked for the biscuits 🐕", "ask 1h", _S.MISSED, "It was late."
    ),
    Fell(570, TALK, "Tomorrow: Guji on the bar", "send", _S.SCHEDULED),
)


def fell_into_sleep(connection: Connection, fallen: Sequence[Fell], cause: Cause = Cause.SLEEP) -> list[int]:
    """An absence, and what became of the deliveries that were planned for it; returns their ids."""
    ids = [_plan(connection, one) for one in fallen]
    absences.note(connection, cause, BEGAN, ENDED)
    for delivery_id, one in zip(ids, fallen, strict=True):
        values: dict[str, object] = {"state": one.state, "reason": one.reason}
        if one.state is _S.SENT:
            values["sent_at"] = NOW - timedelta(minutes=one.sent)
        if one.state is _S.SENDING:
            values |= {"owner": "sample", "lease_until": NOW + timedelta(minutes=2), "began_at": NOW}
        if one.state is _S.MISSED:
            values["acknowledged"] = one.late.startswith("skip")
        connection.execute(sa.update(table).where(table.c.id == delivery_id).values(**values))
    return ids


def moved(connection: Connection, words: str = "Staff picks: what Tomás drinks") -> int:
    """A delivery that its rule gave another time."""
    delivery_id = _plan(connection, Fell(60, TALK, words, "next 2h", _S.SCHEDULED))
    when = When(datetime.fromisoformat("2026-11-24 10:14"), ZONE)
    deliveries.reschedule(connection, delivery_id, when, when.instant + timedelta(days=1))
    connection.execute(
        sa.insert(events).values(delivery_id=delivery_id, at=ENDED, kind="moved", recipient="", detail="")
    )
    return delivery_id


def _plan(connection: Connection, one: Fell) -> int:
    when = When.at(BEGAN + timedelta(minutes=one.after), ZONE)
    account_id = 1 + one.where
    content = Content(items=(Item(one.words),))
    post_id = posts.insert(connection, 1, content, [Variant(account_id)], Plan(), BEGAN - timedelta(hours=1))
    posts.set_draft(connection, post_id, False)
    return deliveries.insert(
        connection, post_id=post_id, account_id=account_id, when=when, late=one.late,
        give_up_at=when.instant + timedelta(days=1), plans=[PartPlan()], now=BEGAN,
    )  # fmt: skip


def clear(connection: Connection) -> None:
    """Takes what the sample itself planned out of the absence."""
    connection.execute(
        sa.update(table).where(table.c.planned_at >= BEGAN, table.c.planned_at <= ENDED).values(state="cancelled")
    )


def come_back(desk: Desk, fallen: Sequence[Fell] = WEEKEND, *, with_moved: bool = True) -> list[int]:
    """The computer slept over these."""
    with desk.program.store.writing(changes.DELIVERIES, changes.SENDER) as connection:
        clear(connection)
        ids = fell_into_sleep(connection, fallen)
        if with_moved:
            moved(connection)
    return ids


def rest(desk: Desk, *where: int, reason: str = "Telegram refused it: “chat not found”.") -> None:
    """These accounts rest after refusals."""
    with desk.program.store.writing(changes.ACCOUNTS) as connection:
        for one in where:
            for _ in range(5):
                accounts.strike(connection, 1 + one, reason, sample.NOW)
