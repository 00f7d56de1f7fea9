"""The part of the public catalogue that is about interactions as they are kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cti.schema_course import RecordingView


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """One line of an interaction's timeline."""

    seq: int
    at: float
    type: str
    """A value of `EventType`, as it was when the line was written."""
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteView:
    """A note on an interaction."""

    at: float
    author: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractionDetail:
    """Answer of `GET /api/v1/interactions/{id}`: an interaction with its whole timeline."""

    interaction_id: str
    channel: str
    direction: str
    """`inbound`, `outbound` or `internal`."""
    started: float
    ended: float | None = None
    """None while it lives."""
    caller_number: str = ""
    caller_name: str = ""
    called: str = ""
    queue: str | None = None
    agent_id: str | None = None
    agent_name: str = ""
    customer_id: str | None = None
    customer_name: str = ""
    result: str = ""
    """As in `Cleared`; empty while it lives."""
    reason: str = ""
    waited_s: float = 0.0
    talked_s: float = 0.0
    held_s: float = 0.0
    disposition: str | None = None
    why: str = ""
    """Why this agent was chosen."""
    notes: tuple[NoteView, ...] = ()
    recordings: tuple[RecordingView, ...] = ()
    timeline: tuple[TimelineEntry, ...] = ()
