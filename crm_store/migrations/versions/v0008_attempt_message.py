"""Attempts: when a person's greeting was over, and when a message of ours began."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_COLUMNS = ("greeting_ended_at", "message_began_at")


def upgrade() -> None:
    """Add the columns; of what was kept before nothing is known."""
    for name in _COLUMNS:
        op.add_column("attempt", sa.Column(name, sa.Double(), nullable=True))


def downgrade() -> None:
    """Drop them."""
    for name in _COLUMNS:
        op.drop_column("attempt", name)
