"""The first tables: customers, contact points, interactions and what belongs to them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create everything."""
    op.create_table(
        "customer",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("company", sa.String(length=200), nullable=False),
        sa.Column("search", sa.String(length=420), nullable=False),
        sa.Column("tier", sa.String(length=32), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("remarks", sa.Text(), nullable=False),
        sa.Column("reference", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer")),
        sa.UniqueConstraint("reference", name=op.f("uq_customer_reference")),
    )
    op.create_index(op.f("ix_customer_search"), "customer", ["search"], unique=False)
    op.create_table(
        "disposition",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("interaction_id", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disposition")),
    )
    op.create_index(
        op.f("ix_disposition_interaction_id"), "disposition", ["interaction_id"], unique=False
    )
    op.create_table(
        "interaction",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("direction", sa.String(length=16), nullable=False),
        sa.Column("caller_number", sa.String(length=80), nullable=False),
        sa.Column("caller_name", sa.String(length=200), nullable=False),
        sa.Column("called", sa.String(length=80), nullable=False),
        sa.Column("queue", sa.String(length=64), nullable=True),
        sa.Column("agent_id", sa.String(length=64), nullable=True),
        sa.Column("agent_name", sa.String(length=200), nullable=True),
        sa.Column("customer_id", sa.String(length=32), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("result", sa.String(length=32), nullable=True),
        sa.Column("reason", sa.String(length=64), nullable=True),
        sa.Column("waited_s", sa.Double(), nullable=False),
        sa.Column("talked_s", sa.Double(), nullable=False),
        sa.Column("held_s", sa.Double(), nullable=False),
        sa.Column("disposition", sa.String(length=64), nullable=True),
        sa.Column("disposition_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("decision", sa.JSON(), nullable=True),
        sa.Column("facts", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_interaction")),
    )
    op.create_index(op.f("ix_interaction_agent_id"), "interaction", ["agent_id"], unique=False)
    op.create_index(
        "ix_interaction_customer_id_started_at",
        "interaction",
        ["customer_id", "started_at"],
        unique=False,
    )
    op.create_index(op.f("ix_interaction_queue"), "interaction", ["queue"], unique=False)
    op.create_index(op.f("ix_interaction_started_at"), "interaction", ["started_at"], unique=False)
    op.create_table(
        "note",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("interaction_id", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_note")),
    )
    op.create_index(op.f("ix_note_interaction_id"), "note", ["interaction_id"], unique=False)
    op.create_table(
        "recording",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("interaction_id", sa.String(length=64), nullable=False),
        sa.Column("agent_id", sa.String(length=64), nullable=True),
        sa.Column("customer_id", sa.String(length=32), nullable=True),
        sa.Column("caller_number", sa.String(length=80), nullable=False),
        sa.Column("queue", sa.String(length=64), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("duration_s", sa.Double(), nullable=False),
        sa.Column("octets", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("path", sa.String(length=400), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recording")),
    )
    op.create_index(
        op.f("ix_recording_interaction_id"), "recording", ["interaction_id"], unique=False
    )
    op.create_index(op.f("ix_recording_started_at"), "recording", ["started_at"], unique=False)
    op.create_table(
        "timeline",
        sa.Column("interaction_id", sa.String(length=64), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("type", sa.String(length=48), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("interaction_id", "seq", name=op.f("pk_timeline")),
    )
    op.create_table(
        "contact_point",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("value", sa.String(length=200), nullable=False),
        sa.Column("raw", sa.String(length=200), nullable=False),
        sa.Column("is_e164", sa.Boolean(), nullable=False),
        sa.Column("tail", sa.String(length=8), nullable=False),
        sa.Column("label", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customer.id"],
            name=op.f("fk_contact_point_customer_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_point")),
        sa.UniqueConstraint(
            "customer_id", "kind", "value", name=op.f("uq_contact_point_customer_id_kind_value")
        ),
    )
    op.create_index("ix_contact_point_kind_value", "contact_point", ["kind", "value"], unique=False)
    op.create_index("ix_contact_point_tail", "contact_point", ["tail"], unique=False)


def downgrade() -> None:
    """Drop everything."""
    op.drop_index("ix_contact_point_tail", table_name="contact_point")
    op.drop_index("ix_contact_point_kind_value", table_name="contact_point")
    op.drop_table("contact_point")
    op.drop_table("timeline")
    op.drop_index(op.f("ix_recording_started_at"), table_name="recording")
    op.drop_index(op.f("ix_recording_interaction_id"), table_name="recording")
    op.drop_table("recording")
    op.drop_index(op.f("ix_note_interaction_id"), table_name="note")
    op.drop_table("note")
    op.drop_index(op.f("ix_interaction_started_at"), table_name="interaction")
    op.drop_index(op.f("ix_interaction_queue"), table_name="interaction")
    op.drop_index("ix_interaction_customer_id_started_at", table_name="interaction")
    op.drop_index(op.f("ix_interaction_agent_id"), table_name="interaction")
    op.drop_table("interaction")
    op.drop_index(op.f("ix_disposition_interaction_id"), table_name="disposition")
    op.drop_table("disposition")
    op.drop_index(op.f("ix_customer_search"), table_name="customer")
    op.drop_table("customer")
