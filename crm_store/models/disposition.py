"""Dispositions: the outcomes that agents chose."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from crm_store.base import Base


class DispositionEntry(Base):
    """One choice. The interaction carries the last; all are kept here. Append-only."""

    __tablename__ = "disposition"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    """Given by the writer, so that a replay adds nothing."""
    interaction_id: Mapped[str] = mapped_column(String(64), index=True)
    """What it is about."""
    at: Mapped[datetime]
    """When it was chosen."""
    author: Mapped[str] = mapped_column(String(64))
    """Login of who chose."""
    code: Mapped[str] = mapped_column(String(64))
    """The outcome's code."""
