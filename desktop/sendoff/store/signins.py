"""Which sign-ins end soon and what is planned for later, and for whom something is due soon."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from sendoff.domain.account import Account, AccountState
from sendoff.domain.signin import STEPS, Ending
from sendoff.store import accounts as account_rows
from sendoff.store.tables import SCHEDULED, accounts, deliveries, posts

NAMED = 2
"""How many of the posts at risk are named; the others are counted."""


def endings(connection: sa.Connection, now: datetime) -> list[Ending]:
    """The sign-ins that end within the first step, the earliest first; those too that ended and were not asked yet."""
    rows = connection.execute(
        sa.select(accounts.c.id, accounts.c.expires_at)
        .where(
            accounts.c.removed_at.is_(None),
            accounts.c.state == AccountState.WORKING,
            accounts.c.expires_at <= now + timedelta(days=STEPS[0]),
            sa.or_(accounts.c.probed_at.is_(None), accounts.c.probed_at < accounts.c.expires_at),
        )
        .order_by(accounts.c.expires_at, accounts.c.id)
    )
    return [_ending(connection, account_rows.get(connection, row.id), row.expires_at) for row in rows.all()]


def _ending(connection: sa.Connection, account: Account, at: datetime) -> Ending:
    mine = (SCHEDULED, deliveries.c.account_id == account.id, deliveries.c.due_at >= at)
    count = connection.execute(sa.select(sa.func.count()).select_from(deliveries).where(*mine)).scalar_one()
    first = (
        sa.select(posts.c.excerpt)
        .join(deliveries, deliveries.c.post_id == posts.c.id)
        .where(*mine)
        .order_by(deliveries.c.due_at, deliveries.c.id)
        .limit(NAMED)
    )
    return Ending(account, at, int(count), tuple(connection.execute(first).scalars()))


def next_due(connection: sa.Connection, now: datetime, ahead: timedelta) -> dict[int, datetime]:
    """By account: when its next post is due, where that is within `ahead`."""
    rows = connection.execute(
        sa.select(deliveries.c.account_id, sa.func.min(deliveries.c.due_at).label("due_at"))
        .where(SCHEDULED, deliveries.c.due_at > now, deliveries.c.due_at <= now + ahead)
        .group_by(deliveries.c.account_id)
    )
    return {row.account_id: row.due_at for row in rows}
