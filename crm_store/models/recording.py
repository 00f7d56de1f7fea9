"""The index of recordings."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from crm_store.base import Base


class Recording(Base):
    """One recording: who, when, queue, length, checksum, where."""

    __tablename__ = "recording"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    """The id of the recording."""
    interaction_id: Mapped[str] = mapped_column(String(64), index=True)
    """What was recorded."""
    agent_id: Mapped[str | None] = mapped_column(String(64))
    """Who is on the right channel."""
    customer_id: Mapped[str | None] = mapped_column(String(32))
    """Who is on the left channel, as far as known."""
    caller_number: Mapped[str] = mapped_column(String(80), default="")
    """That side's number."""
    queue: Mapped[str | None] = mapped_column(String(64))
    """Through which queue it came."""
    started_at: Mapped[datetime] = mapped_column(index=True)
    """When the sound begins."""
    duration_s: Mapped[float] = mapped_column(default=0.0)
    """Length in seconds."""
    octets: Mapped[int] = mapped_column(BigInteger, default=0)
    """Size of the file."""
    sha256: Mapped[str] = mapped_column(String(64), default="")
    """Checksum of the file, hexadecimal."""
    path: Mapped[str] = mapped_column(String(400))
    """Below the folder of recordings."""
    error: Mapped[str | None] = mapped_column(Text)
    """Why it is incomplete; NULL when it is whole."""
