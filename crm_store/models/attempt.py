"""Attempts: who was called when, why that was allowed, and what became of it. Kept for years.

Whatever a regulator may ask stands in the row itself: lists and campaigns may be gone by then.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Integer, SmallInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from crm_store.base import Base


class Attempt(Base):
    """One number of one record, dialled once. No foreign keys: it must be writable whatever is missing."""

    __tablename__ = "attempt"
    __table_args__ = (
        Index("ix_attempt_campaign_id_dialled_at_id", "campaign_id", "dialled_at", "id"),
        Index("ix_attempt_number_dialled_at", "number", "dialled_at"),
        Index("ix_attempt_dialled_at_id", "dialled_at", "id"),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    """The same as the id of its interaction."""
    campaign_id: Mapped[int] = mapped_column(Integer)
    """0: a campaign that is not known any more."""
    campaign: Mapped[str] = mapped_column(String(64))
    """Its name at that time."""
    settings_version: Mapped[int] = mapped_column(Integer)
    record_id: Mapped[int] = mapped_column(BigInteger, index=True)
    name: Mapped[str] = mapped_column(String(200))
    """The person, as the list had it."""
    number: Mapped[str] = mapped_column(String(20))
    region: Mapped[str] = mapped_column(String(32))
    """The regions whose rules it was judged by, with blanks between them."""
    zone: Mapped[str] = mapped_column(String(64))
    """One zone of the number; the others lie inside their windows as well."""
    caller_id: Mapped[str] = mapped_column(String(80))
    mode: Mapped[str] = mapped_column(String(16))
    dialled_at: Mapped[float] = mapped_column()
    rang_at: Mapped[float | None] = mapped_column()
    answered_at: Mapped[float | None] = mapped_column()
    greeting_ended_at: Mapped[float | None] = mapped_column()
    """What the person said first was over."""
    message_began_at: Mapped[float | None] = mapped_column()
    """Of ours: for who is abandoned, an announcement, or left on a machine."""
    connected_at: Mapped[float | None] = mapped_column()
    ended_at: Mapped[float] = mapped_column()
    agent: Mapped[str | None] = mapped_column(String(64))
    clicked_by: Mapped[str] = mapped_column(String(64))
    """The person whose click dialled it; empty: none did."""
    clicked_at: Mapped[float | None] = mapped_column()
    trunk: Mapped[str] = mapped_column(String(64))
    outcome: Mapped[str] = mapped_column(String(16))
    disposition: Mapped[str] = mapped_column(String(64))
    call_back_at: Mapped[float | None] = mapped_column()
    sip_status: Mapped[int] = mapped_column(SmallInteger)
    reason: Mapped[str] = mapped_column(String(64))
    why: Mapped[str] = mapped_column(Text)
    rules: Mapped[int] = mapped_column(SmallInteger)
    """Version of the rules that allowed it."""
    judged: Mapped[str] = mapped_column(Text)
    """How the answer was classified, with its features, as JSON."""
    doubt: Mapped[float] = mapped_column(server_default="0")
    """So much of an abandoned person, where it was ended as a machine's."""
    decision: Mapped[int] = mapped_column(BigInteger)
    """Number of the pacer's decision."""
