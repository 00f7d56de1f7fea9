"""Imports of lists."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Boolean, Integer, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from crm_store.base import Base


class OutboundBatch(Base):
    """One file that was imported: as a campaign's list, or as a do-not-call list."""

    __tablename__ = "outbound_batch"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    campaign_id: Mapped[int | None] = mapped_column(Integer, index=True)
    """NULL: a do-not-call list."""
    is_national: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    """The national do-not-call list."""
    file: Mapped[str] = mapped_column(String(200))
    """Its name, as people know it."""
    mapping: Mapped[dict[str, Any] | None]
    """What was made of its columns."""
    state: Mapped[str] = mapped_column(String(16))
    """`running`, `done`, `failed`, `undone`."""
    at: Mapped[float] = mapped_column()
    by: Mapped[str] = mapped_column(String(64))
    rows: Mapped[int] = mapped_column(Integer, default=0)
    added: Mapped[int] = mapped_column(Integer, default=0)
    duplicates: Mapped[int] = mapped_column(Integer, default=0)
    refused: Mapped[int] = mapped_column(Integer, default=0)
    blocked: Mapped[int] = mapped_column(Integer, default=0)
    remaining: Mapped[int | None] = mapped_column(Integer)
    first_record: Mapped[int | None] = mapped_column(BigInteger)
    """Its records lie between these, perhaps with others: no index of their own is needed."""
    last_record: Mapped[int | None] = mapped_column(BigInteger)
    note: Mapped[str] = mapped_column(Text, default="")
