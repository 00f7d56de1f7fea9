"""Customers."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from crm_store.base import Base


class Customer(Base):
    """A person or an organisation that calls us or that we call."""

    __tablename__ = "customer"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    """Opaque, random; never shown to callers."""
    kind: Mapped[str] = mapped_column(String(16), default="person")
    """`person` or `organisation`."""
    name: Mapped[str] = mapped_column(String(200))
    """As people write it."""
    company: Mapped[str] = mapped_column(String(200), default="")
    """The organisation a person belongs to, in words."""
    search: Mapped[str] = mapped_column(String(420), index=True)
    """Name and company, case-folded: the order of lists. A search looks into `customer_word`."""
    tier: Mapped[str] = mapped_column(String(32), default="")
    """`gold`, `silver`, ...; empty when nobody graded it."""
    language: Mapped[str] = mapped_column(String(16), default="")
    """Preferred language (`en`, `zh`); empty when not known."""
    remarks: Mapped[str] = mapped_column(Text, default="")
    """Standing remark, shown on each pop."""
    reference: Mapped[str | None] = mapped_column(String(64), unique=True)
    """The customer's key in another system; an import finds its rows by it."""
    created_at: Mapped[datetime]
    """When the record was made."""
    updated_at: Mapped[datetime]
    """When it last changed."""
