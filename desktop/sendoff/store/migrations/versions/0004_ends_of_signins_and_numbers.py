"""When sign-ins end and were last tried, and what people did with the posts."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

INSTANT = sa.BigInteger()
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    for column in (
        sa.Column("expires_at", INSTANT, nullable=True),
        sa.Column("warned", sa.Integer(), nullable=True),
        sa.Column("probed_at", INSTANT, nullable=True),
    ):
        op.add_column("accounts", column)
    op.create_table(
        "readings",
        sa.Column("id", ID, nullable=False),
        sa.Column("part_id", ID, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("is_there", sa.Boolean(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=True) for name in ("likes", "reposts", "replies", "quotes", "views")),
        sa.ForeignKeyConstraint(["part_id"], ["parts.id"], name=op.f("fk_readings_part_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_readings")),
    )
    op.create_index("ix_readings_part_id", "readings", ["part_id"])
