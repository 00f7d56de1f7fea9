"""Interactions: one record per contact."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from crm_store.base import Base


class Interaction(Base):
    """What became of one contact. No foreign keys: history must be writable whatever is missing."""

    __tablename__ = "interaction"
    __table_args__ = (Index("ix_interaction_customer_id_started_at", "customer_id", "started_at"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    """The id of the contact."""
    revision: Mapped[int] = mapped_column(BigInteger, default=0)
    """Grows with each write; an older row that is replayed changes nothing."""
    channel: Mapped[str] = mapped_column(String(16), default="voice")
    """`voice`, `chat`, `mail`."""
    direction: Mapped[str] = mapped_column(String(16), default="inbound")
    """`inbound`, `outbound` or `internal`."""
    caller_number: Mapped[str] = mapped_column(String(80), default="")
    """E.164 where possible; empty when withheld."""
    caller_name: Mapped[str] = mapped_column(String(200), default="")
    """As the network gave it."""
    called: Mapped[str] = mapped_column(String(80), default="")
    """The number that was dialled."""
    queue: Mapped[str | None] = mapped_column(String(64), index=True)
    """The last queue it was in."""
    agent_id: Mapped[str | None] = mapped_column(String(64), index=True)
    """The agent who had it last."""
    agent_name: Mapped[str | None] = mapped_column(String(200))
    """That agent's name at that time."""
    customer_id: Mapped[str | None] = mapped_column(String(32))
    """Whose it is, as far as known."""
    started_at: Mapped[datetime] = mapped_column(index=True)
    """When it reached us."""
    ended_at: Mapped[datetime | None]
    """When nothing more could come; NULL while it lives."""
    result: Mapped[str | None] = mapped_column(String(32))
    """`answered`, `abandoned`, `menu`, `timeout`, `failed`, `direct`, `busy`, `no-answer`,
    `rejected`, `unreachable`, `cancelled`."""
    reason: Mapped[str | None] = mapped_column(String(64))
    """One slug: why it ended."""
    waited_s: Mapped[float] = mapped_column(default=0.0)
    """Seconds in queues."""
    talked_s: Mapped[float] = mapped_column(default=0.0)
    """Seconds with an agent, holds included."""
    held_s: Mapped[float] = mapped_column(default=0.0)
    """Seconds of those on hold."""
    disposition: Mapped[str | None] = mapped_column(String(64))
    """The outcome that was chosen last."""
    disposition_at: Mapped[datetime | None]
    """When it was chosen."""
    why: Mapped[str] = mapped_column(Text, default="")
    """Why this agent, in one sentence."""
    decision: Mapped[dict[str, Any] | None]
    """The routing decision: rule, candidates, scores."""
    facts: Mapped[dict[str, Any] | None]
    """What the caller entered in the menu."""
