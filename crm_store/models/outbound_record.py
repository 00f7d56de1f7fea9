"""The people on lists, and their numbers.

A claim must find the next record of two million within milliseconds. So each record carries what the
choice depends on: its stage, the place of the number that comes next, and a rank; one index has them in
this order. Records whose time has not come, or whose place is outside its window, are never read.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Boolean, Index, Integer, SmallInteger, String, text
from sqlalchemy.orm import Mapped, mapped_column

from crm_store.base import Base

BIG_ID = BigInteger().with_variant(Integer, "sqlite")
"""SQLite gives numbers by itself only to a column of this very type."""


class OutboundRecord(Base):
    """One person on the list of one campaign."""

    __tablename__ = "outbound_record"
    __table_args__ = (
        Index("ix_outbound_record_next", "campaign_id", "stage", "place_id", "rank"),
        Index(
            "ix_outbound_record_due",
            "campaign_id",
            "stage",
            "due_at",
            sqlite_where=text("due_at IS NOT NULL"),
            postgresql_where=text("due_at IS NOT NULL"),
        ),
        Index(
            "ix_outbound_record_agent",
            "campaign_id",
            "agent",
            sqlite_where=text("agent IS NOT NULL"),
            postgresql_where=text("agent IS NOT NULL"),
        ),
        Index(
            "ix_outbound_record_tried",
            "campaign_id",
            "last_outcome",
            "stage",
            sqlite_where=text("last_outcome <> ''"),
            postgresql_where=text("last_outcome <> ''"),
        ),
        {"sqlite_autoincrement": True},  # an id is never given again: attempts are kept by it
    )

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True)
    campaign_id: Mapped[int] = mapped_column(Integer)
    batch_id: Mapped[int] = mapped_column(Integer)
    """The import it came by."""
    name: Mapped[str] = mapped_column(String(200))
    customer_id: Mapped[str | None] = mapped_column(String(32))
    facts: Mapped[dict[str, Any]]
    """The other columns of the list."""
    priority: Mapped[int] = mapped_column(SmallInteger)
    stage: Mapped[str] = mapped_column(String(16))
    """`acd.dialer.compliance_moves.Stage`."""
    place_id: Mapped[int] = mapped_column(Integer)
    """Of the number that comes next."""
    rank: Mapped[int] = mapped_column(BigInteger)
    """Lower ones are dialled first."""
    position: Mapped[int] = mapped_column(SmallInteger)
    """The number that comes next."""
    number: Mapped[str] = mapped_column(String(20))
    """That number; empty: none is usable."""
    due_at: Mapped[float | None] = mapped_column()
    """When it becomes ready; of one that is claimed: when the claim lapses."""
    agent: Mapped[str | None] = mapped_column(String(64))
    """Who alone may dial it next."""
    owner: Mapped[str | None] = mapped_column(String(64))
    """Who alone may ever dial it, as the list said."""
    is_promised: Mapped[bool] = mapped_column(Boolean)
    """The person asked for the next call."""
    attempts: Mapped[int] = mapped_column(SmallInteger)
    """Those that count."""
    counts: Mapped[dict[str, Any]]
    """How often each outcome came."""
    last_outcome: Mapped[str] = mapped_column(String(16))
    last_disposition: Mapped[str] = mapped_column(String(64))
    last_at: Mapped[float | None] = mapped_column()
    last_attempt: Mapped[str | None] = mapped_column(String(64))


class OutboundNumber(Base):
    """One number of a record."""

    __tablename__ = "outbound_number"
    __table_args__ = (
        Index("ix_outbound_number_number_campaign_id", "number", "campaign_id"),
        {"sqlite_with_rowid": False},
    )

    record_id: Mapped[int] = mapped_column(BIG_ID, primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    campaign_id: Mapped[int] = mapped_column(Integer)
    number: Mapped[str] = mapped_column(String(20))
    """E.164."""
    place_id: Mapped[int] = mapped_column(Integer)
    is_dead: Mapped[bool] = mapped_column(Boolean)
    """Nobody will ever answer there."""


class OutboundClaim(Base):
    """A number in the hands of a dialer: never in two at once, whatever records it stands on."""

    __tablename__ = "outbound_claim"

    number: Mapped[str] = mapped_column(String(20), primary_key=True)
    record_id: Mapped[int] = mapped_column(BIG_ID, index=True)
    until: Mapped[float] = mapped_column()
    """It lapses then."""
    token: Mapped[int] = mapped_column(BigInteger, server_default="0")
    """Another one with each claim: who holds an old one has no say any more."""
