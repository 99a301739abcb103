"""Topics: every write says what it changed, so that screens and other processes know when to ask again."""

from __future__ import annotations

import sqlalchemy as sa

from sendoff.store.tables import changes

POSTS = "posts"
DELIVERIES = "deliveries"
ACCOUNTS = "accounts"
WORKSPACES = "workspaces"
SETTINGS = "settings"
SENDER = "sender"

TOPICS = (POSTS, DELIVERIES, ACCOUNTS, WORKSPACES, SETTINGS, SENDER)


def bump(connection: sa.Connection, *topics: str) -> None:
    """Counts a topic up, once for each transaction."""
    told: set[str] = connection.info.setdefault("topics", set())
    for topic in topics:
        if topic not in told:
            told.add(topic)
            connection.execute(_BUMP, {"which": topic})


_BUMP = sa.update(changes).where(changes.c.topic == sa.bindparam("which")).values(n=changes.c.n + 1)


def counters(connection: sa.Connection) -> dict[str, int]:
    """How often each topic has changed since the database was made."""
    return {row.topic: row.n for row in connection.execute(sa.select(changes.c.topic, changes.c.n))}
