"""What the distribution wants done. Carried out by `acd.inbound`."""

from __future__ import annotations

from dataclasses import dataclass

from acd.model import AgentId, ContactId, Decision, QueueName


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Call this agent for this contact. The agent is reserved until an Offer* input follows."""

    contact: ContactId
    agent: AgentId
    ring_timeout_s: float
    decision: Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOffer:
    """Stop calling the agent: the contact is gone or the agent is no longer to be offered."""

    contact: ContactId
    agent: AgentId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Announce:
    """Tell the caller where it stands."""

    contact: ContactId
    position: int
    """From 1."""
    wait_s: float | None
    """Expected further wait (features: position-aware, with patience); None: not known yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dismiss:
    """The contact has waited as long as the queue allows: do what the entry says for that."""

    contact: ContactId
    queue: QueueName
    reason: str
    """`timeout`."""


Action = Offer | CancelOffer | Announce | Dismiss
