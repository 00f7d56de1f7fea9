"""Alembic's entry: runs on the connection that the caller hands over."""

from __future__ import annotations

from alembic import context

from crm_store.models.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,  # SQLite cannot alter most things in place
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
