"""The part of the public catalogue that is a record of a campaign as its agent sees it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class PastAttempt:
    """What came of a record before: one line of its card."""

    attempt_id: str
    at: float
    outcome: str
    """The slug of an attempt: `connected`, `no-answer`, ..."""
    disposition: str = ""
    agent_name: str = ""
    note: str = ""
    """The newest note's first line."""
    talked_s: float = 0.0


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
    call_back_by: str = ""
    """The agent who arranged it."""
    recent: tuple[PastAttempt, ...] = ()
    """Attempts of the record before this one, newest first, at most ten."""
    why: str = ""
    """Why it may be dialled, in words."""
