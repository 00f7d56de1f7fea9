"""Contact points: the numbers and addresses of customers."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crm_store.base import Base


class ContactPoint(Base):
    """A number or an address. Several customers may share one."""

    __tablename__ = "contact_point"
    __table_args__ = (
        UniqueConstraint("customer_id", "kind", "value"),
        Index("ix_contact_point_kind_value", "kind", "value"),
        Index("ix_contact_point_tail", "tail"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    """Order of entry: the first is the main one."""
    customer_id: Mapped[str] = mapped_column(
        String(32), ForeignKey("customer.id", ondelete="CASCADE")
    )
    """Whose it is."""
    kind: Mapped[str] = mapped_column(String(16))
    """`phone` or `email`."""
    value: Mapped[str] = mapped_column(String(200))
    """E.164 where the number could be normalised, else its digits; addresses in lower case."""
    raw: Mapped[str] = mapped_column(String(200))
    """As it was given."""
    is_e164: Mapped[bool] = mapped_column(default=False)
    """Whether `value` is E.164; others are matched by their last digits."""
    tail: Mapped[str] = mapped_column(String(8), default="")
    """The last seven digits of a phone number, the index of the loose match."""
    label: Mapped[str] = mapped_column(String(64), default="")
    """`mobile`, `office`, ...; free text."""
