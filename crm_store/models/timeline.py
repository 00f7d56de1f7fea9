"""The timeline: every event of every interaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from crm_store.base import Base


class TimelineEntry(Base):
    """One event. Append-only: rows are never changed."""

    __tablename__ = "timeline"

    interaction_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    """Whose timeline."""
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    """The event's sequence number: order, and the key that makes replays harmless."""
    at: Mapped[datetime]
    """When it happened."""
    type: Mapped[str] = mapped_column(String(48))
    """The event's type."""
    data: Mapped[dict[str, Any]]
    """The event's data."""
