"""The schema. Invariants live here: states are checked, one delivery in flight per account, counts are kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from sendoff.domain.absence import Cause
from sendoff.domain.account import AccountState
from sendoff.domain.delivery import Outcome, State

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_stamp(instant: datetime) -> int:
    """Microseconds since 1970 in UTC: exact, short, and the same order as time."""
    return (instant - _EPOCH) // _MICROSECOND


def from_stamp(stamp: int) -> datetime:
    return _EPOCH + timedelta(microseconds=stamp)


class Instant(sa.TypeDecorator[datetime]):
    """An aware instant, kept as microseconds since 1970 in UTC."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> int | None:
        return None if value is None else to_stamp(value)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> datetime | None:
        return None if value is None else from_stamp(value)


def _in(column: str, values: Any) -> str:
    return f"{column} IN ({', '.join(repr(str(value)) for value in values)})"


_Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")  # SQLite counts up by itself only on INTEGER


def _id() -> sa.Column[int]:
    return sa.Column("id", _Id, primary_key=True)


def _to(target: str, **more: Any) -> sa.Column[int]:
    table = target.split(".")[0]
    name = more.pop(
        "name", {"deliveries": "delivery_id", "parts": "part_id"}.get(table, table.removesuffix("s") + "_id")
    )
    nullable = more.pop("nullable", False)
    return sa.Column(name, _Id, sa.ForeignKey(target, ondelete=more.pop("ondelete", None)), nullable=nullable, **more)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default="")


workspaces = sa.Table("workspaces", metadata, _id(), sa.Column("name", sa.Text, nullable=False))

accounts = sa.Table(
    "accounts",
    metadata,
    _id(),
    _to("workspaces.id"),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    _text("handle"),
    _text("url"),
    sa.Column("settings", sa.Text, nullable=False, server_default="{}"),
    sa.Column("learned", sa.Text, nullable=False, server_default="{}"),
    sa.Column("secret_ref", sa.Text),
    sa.Column("state", sa.Text, nullable=False),
    _text("reason"),
    sa.Column("spacing", sa.Float, nullable=False, server_default="0"),
    sa.Column("ready_at", Instant),
    sa.Column("last_sent_at", Instant),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("removed_at", Instant),
    _text("late"),
    sa.Column("strikes", sa.Integer, nullable=False, server_default="0"),
    sa.Column("rest_until", Instant),
    _text("rest_reason"),
    sa.Column("expires_at", Instant),
    sa.Column("warned", sa.Integer),
    sa.Column("probed_at", Instant),
    sa.CheckConstraint(_in("state", AccountState), name="state"),
)

posts = sa.Table(
    "posts",
    metadata,
    _id(),
    _to("workspaces.id"),
    sa.Column("content", sa.Text, nullable=False),
    _text("excerpt"),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    _text("plan_words"),
    _text("plan_zone"),
    _text("plan_late"),
    sa.Column("is_draft", sa.Boolean, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("updated_at", Instant, nullable=False),
    sa.Index("ix_posts_drafts", "updated_at", sqlite_where=sa.text("is_draft")),
)

variants = sa.Table(
    "variants",
    metadata,
    _to("posts.id", primary_key=True, ondelete="CASCADE"),
    _to("accounts.id", primary_key=True),
    sa.Column("content", sa.Text),
    sa.Column("options", sa.Text, nullable=False, server_default="{}"),
)


deliveries = sa.Table(
    "deliveries",
    metadata,
    _id(),
    _to("posts.id"),
    _to("accounts.id"),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("planned_at", Instant, nullable=False),
    sa.Column("wall", sa.Text, nullable=False),
    sa.Column("zone", sa.Text, nullable=False),
    sa.Column("fold", sa.Integer, nullable=False, server_default="0"),
    sa.Column("due_at", Instant, nullable=False),
    _text("late"),
    sa.Column("give_up_at", Instant, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    _text("reason"),
    _text("advice"),
    sa.Column("owner", sa.Text),
    sa.Column("lease_until", Instant),
    sa.Column("look_at", Instant),
    sa.Column("looks", sa.Integer, nullable=False, server_default="0"),
    sa.Column("began_at", Instant),
    sa.Column("sent_at", Instant),
    sa.Column("acknowledged", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("looked_at", Instant),
    sa.CheckConstraint(_in("state", State), name="state"),
    sa.CheckConstraint("state <> 'sent' OR sent_at IS NOT NULL", name="sent_has_time"),
    sa.CheckConstraint("state NOT IN ('claimed', 'sending') OR owner IS NOT NULL", name="taken_has_owner"),
    sa.Index("ix_deliveries_due", "due_at", sqlite_where=sa.text("state = 'scheduled'")),
    sa.Index("ix_deliveries_taken", "owner", sqlite_where=sa.text("state IN ('claimed', 'sending')")),
    sa.Index("uq_deliveries_in_flight", "account_id", unique=True, sqlite_where=sa.text("state = 'sending'")),
    sa.Index("ix_deliveries_look", "look_at", sqlite_where=sa.text("state = 'in_doubt'")),
    sa.Index(
        "ix_deliveries_attention",
        "state",
        sqlite_where=sa.text("state IN ('in_doubt', 'failed', 'held', 'missed') AND NOT acknowledged"),
    ),
    sa.Index("ix_deliveries_planned_at", "planned_at"),
    sa.Index("ix_deliveries_post_id", "post_id"),
)

_state = deliveries.c.state
_claimed: sa.ColumnElement[str] = sa.literal_column("'claimed'")
_sending: sa.ColumnElement[str] = sa.literal_column("'sending'")
# The conditions of the partial indices above. The states stand in statements as text, not as parameters: a database
# uses such an index only where it can see that the condition is the index's own.
SCHEDULED = _state == sa.literal_column("'scheduled'")
CLAIMED = _state == _claimed
SENDING = _state == _sending
TAKEN = _state.in_([_claimed, _sending])
IN_DOUBT = _state == sa.literal_column("'in_doubt'")

parts = sa.Table(
    "parts",
    metadata,
    _id(),
    _to("deliveries.id", ondelete="CASCADE"),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("item", sa.Integer, nullable=False, server_default="0"),
    sa.Column("first", sa.Integer, nullable=False, server_default="0"),
    sa.Column("count", sa.Integer, nullable=False, server_default="0"),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("frozen", sa.Text),
    sa.Column("blob", sa.Text),
    sa.Column("prepared", sa.Text),
    sa.Column("prepared_at", Instant),
    sa.Column("remote_id", sa.Text),
    sa.Column("receipt", sa.Text),
    sa.Column("sent_at", Instant),
    _text("refused"),
    sa.CheckConstraint("remote_id <> ''", name="remote_id"),
    sa.CheckConstraint("(remote_id IS NULL) = (sent_at IS NULL)", name="receipt_has_time"),
    sa.UniqueConstraint("delivery_id", "number"),
    sa.Index("ix_parts_remote_id", "remote_id", sqlite_where=sa.text("remote_id IS NOT NULL")),
)

attempts = sa.Table(
    "attempts",
    metadata,
    _id(),
    _to("parts.id", ondelete="CASCADE"),
    _to("deliveries.id", ondelete="CASCADE"),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("began_at", Instant, nullable=False),
    _text("boot"),  # with `ticks` the same instant by a clock that nobody can set; see domain.when.Moment
    sa.Column("ticks", sa.Float, nullable=False, server_default="0"),
    sa.Column("written", sa.Integer, nullable=False, server_default="0"),  # the version of the post that it carried
    sa.Column("ended_at", Instant),
    sa.Column("outcome", sa.Text),
    sa.Column("status", sa.Integer),
    _text("summary"),
    _text("request"),
    _text("answer"),
    sa.CheckConstraint(_in("outcome", Outcome), name="outcome"),
    sa.CheckConstraint("(ended_at IS NULL) = (outcome IS NULL)", name="ended_has_outcome"),
    sa.Index("ix_attempts_delivery_id", "delivery_id"),
    # One open attempt per part: a second try cannot begin before the first one's end is written.
    sa.Index("uq_attempts_open", "part_id", unique=True, sqlite_where=sa.text("outcome IS NULL")),
)

events = sa.Table(
    "events",
    metadata,
    _id(),
    _to("deliveries.id", ondelete="CASCADE"),
    sa.Column("at", Instant, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    _text("recipient"),
    _text("detail"),
    sa.Index("ix_events_delivery_id", "delivery_id"),
)

readings = sa.Table(
    "readings",
    metadata,
    _id(),
    _to("parts.id", ondelete="CASCADE"),
    sa.Column("at", Instant, nullable=False),
    sa.Column("is_there", sa.Boolean, nullable=False),
    *(sa.Column(name, sa.BigInteger) for name in ("likes", "reposts", "replies", "quotes", "views")),
    sa.Index("ix_readings_part_id", "part_id"),
)

media = sa.Table(
    "media",
    metadata,
    sa.Column("sha256", sa.Text, primary_key=True),
    sa.Column("mime", sa.Text, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
)

settings = sa.Table(
    "settings", metadata, sa.Column("name", sa.Text, primary_key=True), sa.Column("value", sa.Text, nullable=False)
)

changes = sa.Table(
    "changes",
    metadata,
    sa.Column("topic", sa.Text, primary_key=True),
    sa.Column("n", sa.BigInteger, nullable=False, server_default="0"),
)

tallies = sa.Table(
    "tallies",
    metadata,
    _to("accounts.id", primary_key=True),
    sa.Column("state", sa.Text, primary_key=True),
    sa.Column("n", sa.BigInteger, nullable=False),
)

senders = sa.Table(
    "senders",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("pid", sa.Integer, nullable=False),
    sa.Column("host", sa.Text, nullable=False),
    sa.Column("started_at", Instant, nullable=False),
    sa.Column("seen_at", Instant, nullable=False),
    _text("trouble"),
    sa.CheckConstraint("id = 1", name="one"),
)

absences = sa.Table(
    "absences",
    metadata,
    _id(),
    sa.Column("cause", sa.Text, nullable=False),
    sa.Column("began_at", Instant, nullable=False),
    sa.Column("ended_at", Instant, nullable=False),
    sa.Column("seen", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.CheckConstraint(_in("cause", Cause), name="cause"),
)


def inserted_id(result: sa.CursorResult[Any]) -> int:
    """The id that the database gave to the one row just inserted."""
    key = result.inserted_primary_key
    assert key is not None
    return int(key[0])
