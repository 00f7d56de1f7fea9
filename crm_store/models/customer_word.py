"""The words of customers' names: the index of a search by name."""

from __future__ import annotations

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from crm_store.base import Base


class CustomerWord(Base):
    """One word of a customer's name or company, folded as `crm_store.names` does."""

    __tablename__ = "customer_word"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - SQLAlchemy's own form

    word: Mapped[str] = mapped_column(
        # By code points, so that all words with one beginning stand together.
        String(64).with_variant(String(64, collation="C"), "postgresql"),
        primary_key=True,
    )
    """As it is looked for: by its beginning."""
    customer_id: Mapped[str] = mapped_column(
        String(32), ForeignKey("customer.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    """Whose it is."""
