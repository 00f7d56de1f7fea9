"""Numbers that must not be called."""

from __future__ import annotations

from sqlalchemy import Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from crm_store.base import Base


class DoNotCall(Base):
    """One number on one list. Asked at each claim; a record whose number comes here is blocked at once."""

    __tablename__ = "do_not_call"
    __table_args__ = (
        Index("ix_do_not_call_scope_number", "scope", "number"),
        Index(
            "ix_do_not_call_until",
            "until",
            sqlite_where=text("until IS NOT NULL"),
            postgresql_where=text("until IS NOT NULL"),
        ),
        {"sqlite_with_rowid": False},
    )

    number: Mapped[str] = mapped_column(String(20), primary_key=True)
    """E.164."""
    scope: Mapped[str] = mapped_column(String(24), primary_key=True)
    """`centre`, `national`, or `campaign:` and the campaign's id."""
    reason: Mapped[str] = mapped_column(String(200))
    source: Mapped[str] = mapped_column(String(32))
    by: Mapped[str] = mapped_column(String(64))
    added_at: Mapped[float] = mapped_column()
    until: Mapped[float | None] = mapped_column()
    """It counts no longer then; NULL: for ever."""
    batch_id: Mapped[int | None] = mapped_column(Integer)
    """The import it came by."""


class DoNotCallRemoved(Base):
    """What somebody took off a list: the entry as it was, and who did it. Kept for years."""

    __tablename__ = "do_not_call_removed"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    number: Mapped[str] = mapped_column(String(20), index=True)
    scope: Mapped[str] = mapped_column(String(24))
    reason: Mapped[str] = mapped_column(String(200))
    source: Mapped[str] = mapped_column(String(32))
    by: Mapped[str] = mapped_column(String(64))
    added_at: Mapped[float] = mapped_column()
    until: Mapped[float | None] = mapped_column()
    removed_at: Mapped[float] = mapped_column()
    removed_by: Mapped[str] = mapped_column(String(64))
