"""Outbound: claims have a number, what is taken off a do-not-call list is kept, quotas are counted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create them."""
    op.add_column(
        "outbound_claim",
        sa.Column("token", sa.BigInteger(), server_default="0", nullable=False),
    )
    op.create_table(
        "do_not_call_removed",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("scope", sa.String(length=24), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("added_at", sa.Double(), nullable=False),
        sa.Column("until", sa.Double(), nullable=True),
        sa.Column("removed_at", sa.Double(), nullable=False),
        sa.Column("removed_by", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_do_not_call_removed")),
    )
    op.create_index(
        op.f("ix_do_not_call_removed_number"), "do_not_call_removed", ["number"], unique=False
    )
    op.create_table(
        "outbound_quota",
        sa.Column("campaign_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reached", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("campaign_id", "kind", name=op.f("pk_outbound_quota")),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("outbound_quota")
    op.drop_table("do_not_call_removed")
    op.drop_column("outbound_claim", "token")
