"""Words of customers' names in a table of their own, so that a search by name reads no other names."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from crm_store.names import words_of

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_AT_ONCE = 1000


def upgrade() -> None:
    """Create the table and fill it from the customers that are there."""
    table = op.create_table(
        "customer_word",
        sa.Column(
            "word",
            sa.String(length=64).with_variant(sa.String(length=64, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("customer_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customer.id"],
            name=op.f("fk_customer_word_customer_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("word", "customer_id", name=op.f("pk_customer_word")),
        sqlite_with_rowid=False,
    )
    connection = op.get_bind()
    customer = sa.table("customer", sa.column("id"), sa.column("name"), sa.column("company"))
    after = ""
    while rows := connection.execute(
        sa.select(customer).where(customer.c.id > after).order_by(customer.c.id).limit(_AT_ONCE)
    ).all():
        words = [
            {"word": word, "customer_id": row.id}
            for row in rows
            for word in words_of(f"{row.name} {row.company}")
        ]
        if words:
            connection.execute(sa.insert(table), words)
        after = rows[-1].id
    op.create_index(
        op.f("ix_customer_word_customer_id"), "customer_word", ["customer_id"], unique=False
    )


def downgrade() -> None:
    """The names themselves stay where they were."""
    op.drop_table("customer_word")
