"""Tries know their age by a clock that nobody can set, and the version of the post that they carried."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    for column in (
        sa.Column("boot", sa.Text(), server_default="", nullable=False),
        sa.Column("ticks", sa.Float(), server_default="0", nullable=False),
        sa.Column("written", sa.Integer(), server_default="0", nullable=False),
    ):
        op.add_column("attempts", column)
    # Until now a text was taken for unchanged if it was written before the try.
    op.execute(
        "UPDATE attempts SET written = coalesce((SELECT posts.version FROM posts"
        " JOIN deliveries ON deliveries.post_id = posts.id"
        " WHERE deliveries.id = attempts.delivery_id AND posts.updated_at <= attempts.began_at), 0)"
    )
