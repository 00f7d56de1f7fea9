"""How many records of each kind that a quota asks for were reached."""

from __future__ import annotations

from sqlalchemy import Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from crm_store.base import Base


class OutboundQuota(Base):
    """One quota of one campaign. Counted with each settlement, so that no claim has to."""

    __tablename__ = "outbound_quota"

    campaign_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    """Column, value and disposition, as JSON."""
    reached: Mapped[int] = mapped_column(Integer)
