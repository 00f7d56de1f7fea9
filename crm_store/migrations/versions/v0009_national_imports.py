"""Imports of do-not-call lists: whether it was the national one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column. Of imports before it the one that the national list is from is known."""
    op.add_column(
        "outbound_batch",
        sa.Column("is_national", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    batch = sa.table("outbound_batch", sa.column("id"), sa.column("is_national", sa.Boolean()))
    entry = sa.table("do_not_call", sa.column("scope"), sa.column("batch_id"))
    theirs = sa.select(entry.c.batch_id).where(
        entry.c.scope == "national", entry.c.batch_id.is_not(None)
    )
    op.execute(sa.update(batch).where(batch.c.id.in_(theirs)).values(is_national=True))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("outbound_batch", "is_national")
