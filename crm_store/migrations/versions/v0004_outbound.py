"""Outbound: campaigns, lists, attempts, do-not-call lists."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    _attempt()
    _campaign()
    _campaign_version()
    _do_not_call()
    _outbound_batch()
    _outbound_claim()
    _outbound_number()
    _outbound_place()
    _outbound_record()


def downgrade() -> None:
    """Drop them, with every attempt that was kept."""
    for name in (
        "attempt",
        "campaign",
        "campaign_version",
        "do_not_call",
        "outbound_batch",
        "outbound_claim",
        "outbound_number",
        "outbound_place",
        "outbound_record",
    ):
        op.drop_table(name)


def _attempt() -> None:
    op.create_table(
        "attempt",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("campaign", sa.String(length=64), nullable=False),
        sa.Column("settings_version", sa.Integer(), nullable=False),
        sa.Column("record_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("region", sa.String(length=8), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("caller_id", sa.String(length=80), nullable=False),
        sa.Column("mode", sa.String(length=16), nullable=False),
        sa.Column("dialled_at", sa.Double(), nullable=False),
        sa.Column("rang_at", sa.Double(), nullable=True),
        sa.Column("answered_at", sa.Double(), nullable=True),
        sa.Column("connected_at", sa.Double(), nullable=True),
        sa.Column("ended_at", sa.Double(), nullable=False),
        sa.Column("agent", sa.String(length=64), nullable=True),
        sa.Column("clicked_by", sa.String(length=64), nullable=False),
        sa.Column("clicked_at", sa.Double(), nullable=True),
        sa.Column("trunk", sa.String(length=64), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("disposition", sa.String(length=64), nullable=False),
        sa.Column("call_back_at", sa.Double(), nullable=True),
        sa.Column("sip_status", sa.SmallInteger(), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("rules", sa.SmallInteger(), nullable=False),
        sa.Column("judged", sa.Text(), nullable=False),
        sa.Column("decision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt")),
    )
    op.create_index(
        "ix_attempt_campaign_id_dialled_at_id",
        "attempt",
        ["campaign_id", "dialled_at", "id"],
        unique=False,
    )
    op.create_index("ix_attempt_dialled_at_id", "attempt", ["dialled_at", "id"], unique=False)
    op.create_index(
        "ix_attempt_number_dialled_at", "attempt", ["number", "dialled_at"], unique=False
    )
    op.create_index(op.f("ix_attempt_record_id"), "attempt", ["record_id"], unique=False)


def _campaign() -> None:
    op.create_table(
        "campaign",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("ranked_by", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("changed_at", sa.Double(), nullable=False),
        sa.Column("changed_by", sa.String(length=64), nullable=False),
        sa.Column("finished_at", sa.Double(), nullable=True),
        sa.Column("deleted_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign")),
        sa.UniqueConstraint("name", name=op.f("uq_campaign_name")),
    )


def _campaign_version() -> None:
    op.create_table(
        "campaign_version",
        sa.Column("campaign_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("campaign_id", "version", name=op.f("pk_campaign_version")),
    )


def _do_not_call() -> None:
    op.create_table(
        "do_not_call",
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("scope", sa.String(length=24), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("added_at", sa.Double(), nullable=False),
        sa.Column("until", sa.Double(), nullable=True),
        sa.Column("batch_id", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("number", "scope", name=op.f("pk_do_not_call")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_do_not_call_scope_number", "do_not_call", ["scope", "number"], unique=False)
    op.create_index(
        "ix_do_not_call_until",
        "do_not_call",
        ["until"],
        unique=False,
        sqlite_where=sa.text("until IS NOT NULL"),
        postgresql_where=sa.text("until IS NOT NULL"),
    )


def _outbound_batch() -> None:
    op.create_table(
        "outbound_batch",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=True),
        sa.Column("file", sa.String(length=200), nullable=False),
        sa.Column("mapping", sa.JSON(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("added", sa.Integer(), nullable=False),
        sa.Column("duplicates", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("blocked", sa.Integer(), nullable=False),
        sa.Column("remaining", sa.Integer(), nullable=True),
        sa.Column("first_record", sa.BigInteger(), nullable=True),
        sa.Column("last_record", sa.BigInteger(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbound_batch")),
    )
    op.create_index(
        op.f("ix_outbound_batch_campaign_id"), "outbound_batch", ["campaign_id"], unique=False
    )


def _outbound_claim() -> None:
    op.create_table(
        "outbound_claim",
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column(
            "record_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("until", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_outbound_claim")),
    )
    op.create_index(
        op.f("ix_outbound_claim_record_id"), "outbound_claim", ["record_id"], unique=False
    )


def _outbound_number() -> None:
    op.create_table(
        "outbound_number",
        sa.Column(
            "record_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("position", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("place_id", sa.Integer(), nullable=False),
        sa.Column("is_dead", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("record_id", "position", name=op.f("pk_outbound_number")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_outbound_number_number_campaign_id",
        "outbound_number",
        ["number", "campaign_id"],
        unique=False,
    )


def _outbound_place() -> None:
    op.create_table(
        "outbound_place",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("region", sa.String(length=8), nullable=False),
        sa.Column("zones", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbound_place")),
        sa.UniqueConstraint("region", "zones", name=op.f("uq_outbound_place_region_zones")),
    )


def _outbound_record() -> None:
    op.create_table(
        "outbound_record",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("customer_id", sa.String(length=32), nullable=True),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("place_id", sa.Integer(), nullable=False),
        sa.Column("rank", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("due_at", sa.Double(), nullable=True),
        sa.Column("agent", sa.String(length=64), nullable=True),
        sa.Column("owner", sa.String(length=64), nullable=True),
        sa.Column("is_promised", sa.Boolean(), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("last_outcome", sa.String(length=16), nullable=False),
        sa.Column("last_disposition", sa.String(length=64), nullable=False),
        sa.Column("last_at", sa.Double(), nullable=True),
        sa.Column("last_attempt", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbound_record")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_outbound_record_agent",
        "outbound_record",
        ["campaign_id", "agent"],
        unique=False,
        sqlite_where=sa.text("agent IS NOT NULL"),
        postgresql_where=sa.text("agent IS NOT NULL"),
    )
    op.create_index(
        "ix_outbound_record_due",
        "outbound_record",
        ["campaign_id", "stage", "due_at"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(
        "ix_outbound_record_next",
        "outbound_record",
        ["campaign_id", "stage", "place_id", "rank"],
        unique=False,
    )
    op.create_index(
        "ix_outbound_record_tried",
        "outbound_record",
        ["campaign_id", "last_outcome", "stage"],
        unique=False,
        sqlite_where=sa.text("last_outcome <> ''"),
        postgresql_where=sa.text("last_outcome <> ''"),
    )
