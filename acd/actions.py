"""What the distribution wants done. Carried out by `acd.inbound`."""

from __future__ import annotations

from msgspec import Struct

from acd.model import AgentId, ContactId, Decision, QueueName


class Offer(Struct, frozen=True, kw_only=True):
    """Call this agent for this contact. The agent is reserved until an Offer* input follows."""

    contact: ContactId
    agent: AgentId
    ring_timeout_s: float
    decision: Decision


class CancelOffer(Struct, frozen=True, kw_only=True):
    """Stop calling the agent: the contact is gone or the agent is no longer to be offered."""

    contact: ContactId
    agent: AgentId
    reason: str


class Announce(Struct, frozen=True, kw_only=True):
    """Tell the caller where it stands."""

    contact: ContactId
    position: int
    """From 1."""
    wait_s: float | None
    """Expected further wait (features: position-aware, with patience); None: not known yet."""


class Dismiss(Struct, frozen=True, kw_only=True):
    """The contact has waited as long as the queue allows: do what the entry says for that."""

    contact: ContactId
    queue: QueueName
    reason: str
    """`timeout`."""


Action = Offer | CancelOffer | Announce | Dismiss
