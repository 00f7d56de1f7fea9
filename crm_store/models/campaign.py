"""Campaigns, and everything that they were ever told."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from crm_store.base import Base


class Campaign(Base):
    """One campaign as it is now."""

    __tablename__ = "campaign"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    """Of one that was deleted: with its id behind it, so that the name is free again."""
    state: Mapped[str] = mapped_column(String(16))
    """`draft`, `running`, `paused`, `finished`."""
    settings: Mapped[dict[str, Any]]
    """`acd.dialer.settings.CampaignSettings`."""
    version: Mapped[int] = mapped_column(Integer)
    """Grows with each change."""
    ranked_by: Mapped[str] = mapped_column(String(16))
    """The order that the records' ranks stand for."""
    created_at: Mapped[float] = mapped_column()
    created_by: Mapped[str] = mapped_column(String(64))
    changed_at: Mapped[float] = mapped_column()
    changed_by: Mapped[str] = mapped_column(String(64))
    finished_at: Mapped[float | None] = mapped_column()
    deleted_at: Mapped[float | None] = mapped_column()


class CampaignVersion(Base):
    """What a campaign was told, by whom. Append-only, and kept when the campaign is deleted."""

    __tablename__ = "campaign_version"

    campaign_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    at: Mapped[float] = mapped_column()
    by: Mapped[str] = mapped_column(String(64))
    what: Mapped[str] = mapped_column(Text)
    """The change in words."""
    state: Mapped[str] = mapped_column(String(16))
    settings: Mapped[dict[str, Any]]
