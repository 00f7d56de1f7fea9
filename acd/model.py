"""The words of the distribution: agents, queues, contacts and their states."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NewType

from msgspec import Struct, field

ContactId = NewType("ContactId", str)
"""One request for attention. The same string as the id of its interaction."""
AgentId = NewType("AgentId", str)
"""The agent's number."""
QueueName = NewType("QueueName", str)


class AgentState(StrEnum):
    """What an agent is doing. States that follow from a live leg are never set by hand."""

    LOGGED_OUT = "logged-out"
    AVAILABLE = "available"
    RESERVED = "reserved"
    """Chosen for a contact; the offer is under way but does not ring yet."""
    RINGING = "ringing"
    TALKING = "talking"
    HELD = "held"
    """Talking, with the customer on hold."""
    WRAP_UP = "wrap-up"
    NOT_READY = "not-ready"
    """Signed on and not to be offered contacts; always with a reason."""
    ENGAGED = "engaged"
    """On a call that did not come from a queue."""


class ContactState(StrEnum):
    """Where a contact is."""

    WAITING = "waiting"
    OFFERED = "offered"
    TALKING = "talking"
    ENDED = "ended"


class OfferFailure(StrEnum):
    """Why an offer did not lead to a conversation. Each is counted apart."""

    NO_ANSWER = "no-answer"
    BUSY = "busy"
    REJECTED = "rejected"
    UNREACHABLE = "unreachable"
    NO_MEDIA = "no-media"
    """The agent could not be called for want of a media gateway or a port; nobody's fault."""
    WITHDRAWN = "withdrawn"
    """The caller went while the agent's phone rang; nobody's fault."""


class SignedOnBy(StrEnum):
    """What keeps an agent signed on."""

    DESK = "desk"
    PHONE = "phone"
    """A phone that is registered while no desk is connected."""
    STATIC = "static"
    """Configured as always available (load tests, hunt groups)."""


class SkillNeed(Struct, frozen=True, kw_only=True):
    """A skill a contact asks for."""

    skill: str
    level: int = 1
    """At least this level, 1 to 5."""


class AgentSettings(Struct, frozen=True, kw_only=True):
    """One agent as configured."""

    agent: AgentId
    name: str
    queues: tuple[QueueName, ...]
    skills: Mapping[str, int] = field(default_factory=dict)
    """Skill to level, 1 to 5."""
    ring_timeout_s: float = 20.0
    wrap_up_s: float = 5.0
    """With a desk; 0 without."""
    static: bool = False
    """Always available; a failed offer pauses for `retry_s` instead of not-ready."""
    retry_s: float = 1.0


class QueueSettings(Struct, frozen=True, kw_only=True):
    """One queue as configured."""

    queue: QueueName
    title: str
    service_level_s: float = 20.0
    """Threshold T of the service level."""
    skills: tuple[SkillNeed, ...] = ()
    announce_every_s: float = 30.0
    """Position and wait are told this often; 0: never."""
    announce_first_s: float = 10.0
    max_wait_s: float = 0.0
    """After this the contact leaves with `timeout`; 0: never."""
    priority: int = 0
    """Added to every contact's priority."""


class ContactRequest(Struct, frozen=True, kw_only=True):
    """A contact that wants to enter a queue."""

    contact: ContactId
    queue: QueueName
    priority: int = 0
    """One point counts as much as a minute of waiting."""
    skills: tuple[SkillNeed, ...] = ()
    preferred_agent: AgentId | None = None
    entered_at: float | None = None
    """When it first began to wait, if before now: a contact that comes back keeps its place."""
    only_preferred: bool = False
    """It is for the preferred agent or nobody, and leaves when that one does not take it."""
    patience_s: float = 0.0
    """So much longer than its phone rings the agent may take: it reads first, or waits for an answer."""
    outbound: bool = False
    """Of a campaign: the service level of the queue's callers knows nothing of it."""
    has_talked: bool = False
    """It talked to somebody since it first came: it keeps its place, but its wait counts from now."""


class Candidate(Struct, frozen=True, kw_only=True):
    """One agent that was weighed for a contact."""

    agent: AgentId
    score: float
    idle_s: float
    levels: Mapping[str, int]
    note: str
    """In words: `longest idle, 184 s`, or why not."""
    eligible: bool
    meets: Mapping[str, int] = {}
    """Its level in each skill that the contact asks for."""


class Decision(Struct, frozen=True, kw_only=True):
    """Why this agent got this contact. Kept with the interaction and shown to people."""

    contact: ContactId
    agent: AgentId
    queue: QueueName
    rule: str
    at: float
    waited_s: float
    candidates: tuple[Candidate, ...]
    """Best first; at most ten, with the number of the rest in `others`."""
    others: int = 0

    def in_words(self) -> str:
        """One sentence for the desk."""
        best = self.candidates[0].note if self.candidates else ""
        rule = self.rule.replace("-", " ")
        if not best or best.startswith(rule):  # the reason names the rule already
            return best or rule
        return f"{rule}: {best}"
