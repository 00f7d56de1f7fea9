"""Attempts: how likely a machine that was hung up on was a person."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; of what was kept before nothing is known."""
    op.add_column("attempt", sa.Column("doubt", sa.Double(), server_default="0", nullable=False))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("attempt", "doubt")
