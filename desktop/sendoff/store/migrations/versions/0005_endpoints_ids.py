"""Parts found by the endpoint's id, because an answer that names another post's is no receipt."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    named = sa.text("remote_id IS NOT NULL")
    op.create_index(
        "ix_parts_remote_id", "parts", ["remote_id"], unique=False, sqlite_where=named, postgresql_where=named
    )
