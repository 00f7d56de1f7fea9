"""Call legs: which supervisor attended a conversation by it, and how."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; what was kept before has it in the timeline of its interaction alone."""
    op.add_column("call_leg", sa.Column("attended", sa.String(128), nullable=True))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("call_leg", "attended")
