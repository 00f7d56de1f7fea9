"""Notes that agents write."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from crm_store.base import Base


class Note(Base):
    """A note on an interaction. Append-only."""

    __tablename__ = "note"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    """Given by the writer, so that a replay adds nothing."""
    interaction_id: Mapped[str] = mapped_column(String(64), index=True)
    """What it is about."""
    at: Mapped[datetime]
    """When it was written."""
    author: Mapped[str] = mapped_column(String(64))
    """Login of the writer."""
    text: Mapped[str] = mapped_column(Text)
    """The note."""
