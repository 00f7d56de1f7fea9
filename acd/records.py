"""Agents, contacts and the day's figures as values that outlive the process (see `switch.journal`).

Moments are seconds since the epoch, as `switch.journal.times` makes them. What an agent or a contact
looks like inside is said where it lives: `acd.agents`, `acd.queued_contact`, `acd.contact`.
"""

from __future__ import annotations

import msgspec

from ivr.records import RunRecord


class AgentRecord(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One agent: its facts, where it stands, and how it spent the day."""

    desk: bool
    phone: bool
    phone_counts: bool
    reachable: bool
    engaged: bool
    not_ready: str | None
    pause: str | None
    pause_until: float | None
    state: str
    reason: str
    since: float
    idle: tuple[float, int] | None
    """Its last place in the line of the available."""
    contact: str | None
    until: float | None
    answered: int
    missed: int
    spent_s: dict[str, float]
    not_ready_s: dict[str, float]
    booked_to: float
    """Up to when the day is booked in the two."""
    last_queue: str | None


class QueuedRecord(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What the distribution knows of a contact that waits, is offered or talks."""

    queue: str
    state: str
    skills: tuple[tuple[str, int], ...]
    preferred: str | None
    priority: int
    entered_at: float
    order: int
    queued_at: float
    announce_at: float
    agent: str | None
    offers: int
    offered_at: float
    rings_since: float | None
    dead_offers: int
    answered_at: float | None
    held_since: float | None
    held_s: float
    only_preferred: bool = False
    patience_s: float = 0.0
    outbound: bool = False
    has_talked: bool = False


class PartyRecord(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One more leg of a contact; the fields of `acd.party.Party`."""

    number: str
    agent: str | None
    leg: str
    answered: bool
    rang: bool
    role: str | None
    watcher: str
    takes_over: bool = False


class ConsultRecord(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The fields of `acd.party.Consult`."""

    state: str
    target: PartyRecord
    ringback: str | None
    began_by: str | None
    is_return: bool
    is_by_phone: bool = False


class ParkRecord(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The fields of `acd.park.Park`."""

    slot: str
    by: str
    since: float
    due: float
    state: str
    caller: PartyRecord | None
    ring_backs: int
    telling: str | None = None


class ContactRecord(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One contact."""

    call: str
    customer_leg: str
    caller_number: str
    caller_name: str
    called: str
    started_at: float
    stage: str
    record: bool
    language: str
    customer_answered: bool
    run: RunRecord | None
    queue: str | None
    queued_at: float | None
    facts: dict[str, str]
    agent: str | None
    agent_leg: str | None
    recording: str | None
    announcement: str | None
    talking_since: float | None
    held_since: float | None
    waited_s: float
    held_s: float
    muted: bool
    rang: bool
    outbound: bool
    queued: QueuedRecord | None
    entered_at: float | None = None
    priority: int = 0
    skills: tuple[tuple[str, int], ...] = ()
    call_back_of: str | None = None
    call_backs: int = 0
    transferred_by: str | None = None
    """Of an earlier version, whose `agent_leg` is still called then: a consultation says so now."""
    others: tuple[PartyRecord, ...] = ()
    consult: ConsultRecord | None = None
    leg_held: bool = False
    served: bool = False
    talked_s: float = 0.0
    tune: str = ""
    park: ParkRecord | None = None
    campaign: str = ""
    list_record: str = ""
    silent: bool = False
    agent_first: bool = False
    agent_here: bool = False
    had_by: tuple[str, ...] = ()
    lost_by: tuple[str, ...] = ()


class CallBackRecord(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One customer who is to be called back; the fields of `acd.pending_call_back`."""

    caller_number: str
    caller_name: str
    called: str
    record: bool
    language: str
    facts: dict[str, str]
    agent: str | None
    priority: int
    skills: tuple[tuple[str, int], ...]
    queue: str
    entered_at: float
    attempts: int
    due: float
    until: float
    call: str
    leg: str | None
    again: str | None
    waited: int


class DayRecord(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A queue's counters since midnight, the fields of `acd.tallies.DayCounters`."""

    entered: int
    answered: int
    answered_within: int
    abandoned: int
    abandoned_within: int
    abandoned_short: int
    ended: int
    answered_wait_s: float
    abandoned_wait_s: float
    talk_s: float
    held_s: float
    left: dict[str, int]
    failures: dict[str, int]
