"""Accounts that rest after refusals and have their own lateness rule; looks with a time; when Sendoff was away."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

INSTANT = sa.BigInteger()
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    for column in (
        sa.Column("late", sa.Text(), server_default="", nullable=False),
        sa.Column("strikes", sa.Integer(), server_default="0", nullable=False),
        sa.Column("rest_until", INSTANT, nullable=True),
        sa.Column("rest_reason", sa.Text(), server_default="", nullable=False),
    ):
        op.add_column("accounts", column)
    op.add_column("deliveries", sa.Column("looked_at", INSTANT, nullable=True))
    op.create_table(
        "absences",
        sa.Column("id", ID, nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("began_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=False),
        sa.Column("seen", sa.Boolean(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("cause IN ('off', 'sleep', 'clock', 'paused')", name=op.f("ck_absences_cause")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_absences")),
    )
