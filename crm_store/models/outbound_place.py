"""Places: regions and time zones that many numbers share."""

from __future__ import annotations

from sqlalchemy import Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crm_store.base import Base


class OutboundPlace(Base):
    """One `acd.dialer.compliance_places.Place`. Whether it may be called now is asked once for all."""

    __tablename__ = "outbound_place"
    __table_args__ = (UniqueConstraint("region", "zones"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    region: Mapped[str] = mapped_column(String(32))
    """All its regions with blanks between them."""
    zones: Mapped[str] = mapped_column(Text)
    """IANA names with commas between them."""
