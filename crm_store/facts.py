"""What the store tells: plain records, free of tables and sessions.

Times are seconds since the epoch (UTC), durations seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactPointFacts:
    """A number or an address."""

    kind: str
    """`phone` or `email`."""
    value: str
    """E.164 where the number could be normalised."""
    raw: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastInteractionFacts:
    """One line of a customer's history."""

    interaction_id: str
    at: float
    channel: str
    direction: str
    queue: str | None
    agent_id: str | None
    agent_name: str | None
    disposition: str | None
    result: str | None
    reason: str | None
    note: str
    """First line of the newest note; empty when there is none."""
    waited_s: float
    talked_s: float
    recorded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerFacts:
    """A customer with contact points and the newest interactions."""

    customer_id: str
    kind: str
    name: str
    company: str
    tier: str
    language: str
    remarks: str
    reference: str | None
    contact_points: tuple[ContactPointFacts, ...] = ()
    recent: tuple[PastInteractionFacts, ...] = ()
    """Newest first, at most ten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerDraft:
    """A customer to be created or changed."""

    name: str
    kind: str = "person"
    company: str = ""
    tier: str = ""
    language: str = ""
    remarks: str = ""
    reference: str | None = None
    phones: tuple[str, ...] = ()
    """In any notation."""
    emails: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteFacts:
    """A note."""

    note_id: str
    at: float
    author: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DispositionFacts:
    """One choice of an outcome."""

    at: float
    author: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingFacts:
    """One recording of the index."""

    recording_id: str
    interaction_id: str
    agent_id: str | None
    customer_id: str | None
    caller_number: str
    queue: str | None
    started: float
    duration_s: float
    octets: int
    sha256: str
    path: str
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineFacts:
    """One event of a timeline."""

    seq: int
    at: float
    type: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractionFacts:
    """An interaction with all that belongs to it."""

    interaction_id: str
    channel: str
    direction: str
    caller_number: str
    caller_name: str
    called: str
    queue: str | None
    agent_id: str | None
    agent_name: str | None
    customer_id: str | None
    customer_name: str
    started: float
    ended: float | None
    result: str | None
    reason: str | None
    waited_s: float
    talked_s: float
    held_s: float
    disposition: str | None
    why: str
    decision: Mapping[str, Any] | None = None
    facts: Mapping[str, Any] | None = None
    notes: tuple[NoteFacts, ...] = ()
    dispositions: tuple[DispositionFacts, ...] = ()
    recordings: tuple[RecordingFacts, ...] = ()
    timeline: tuple[TimelineFacts, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLegFilter:
    """Which legs are wanted; what is empty does not matter."""

    since: float | None = None
    """Begun then or later."""
    until: float | None = None
    """Begun before."""
    number: str = ""
    """Caller, called or phone."""
    call_id: str = ""
    interaction_id: str = ""
    phone: str = ""
    trunk: str = ""
    result: str = ""
    direction: str = ""
