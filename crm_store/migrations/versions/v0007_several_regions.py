"""Places and attempts: room for several regions, as `US-FL US-TX`."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_TABLES = ("outbound_place", "attempt")


def upgrade() -> None:
    """Widen the columns; PostgreSQL reads no row for that."""
    _resize(8, 32)


def downgrade() -> None:
    """Fails where a row has several regions."""
    _resize(32, 8)


def _resize(old: int, new: int) -> None:
    if op.get_bind().dialect.name == "sqlite":
        return  # it has no widths, and would copy every attempt that was ever made
    for table in _TABLES:
        op.alter_column(
            table,
            "region",
            type_=sa.String(length=new),
            existing_type=sa.String(length=old),
            existing_nullable=False,
        )
