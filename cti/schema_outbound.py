"""The part of the public catalogue that is a record of a campaign as its agent sees it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundCard:
    """The record of a campaign as the agent sees it, before the dial and during the talk."""

    campaign: str
    campaign_title: str
    record_id: str
    number: str
    name: str = ""
    zone: str = ""
    """IANA time zone of the number: call-backs are arranged in it."""
    attempts: int = 0
    """Of this record, before this one."""
    facts: dict[str, str] = field(default_factory=dict)
    """Other columns of the list."""
    script: str = ""
    """Markdown, with the columns filled in."""
    dispositions: tuple[str, ...] = ()
    """Codes to choose from; empty: those of the centre."""
    call_back_of: float | None = None
    """The moment for which this call-back was asked."""
    why: str = ""
    """Why it may be dialled, in words."""
