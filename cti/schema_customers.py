"""The part of the public catalogue that is about customers and the card that pops."""

from __future__ import annotations

from dataclasses import dataclass, field

from cti.schema_course import NoteAdded
from cti.schema_outbound import OutboundCard


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactPoint:
    """A number or address of a customer."""

    kind: str
    """`phone` or `email`."""
    value: str
    """E.164 for phones where the number could be normalised, else as given."""
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastInteraction:
    """One line of a customer's history."""

    interaction_id: str
    at: float
    channel: str
    queue: str | None
    agent_name: str | None
    disposition: str | None
    summary: str
    """The note's first line, or what happened: `abandoned after 35 s`."""
    talked_s: float
    recorded: bool
    note: str = ""
    """The note's first line alone."""
    result: str = ""
    """As in `Cleared`; empty while it is not over. With `waited_s` for those who word it themselves."""
    waited_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerCard:
    """What an agent sees of a customer."""

    customer_id: str
    name: str
    company: str = ""
    tier: str = ""
    language: str = ""
    contact_points: tuple[ContactPoint, ...] = ()
    remarks: str = ""
    """Standing remark on the customer."""
    recent: tuple[PastInteraction, ...] = ()
    """Newest first, at most ten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerLinked:
    """The interaction belongs to this customer: found, picked or created."""

    customer: CustomerCard
    how: str
    """`found`, `picked`, `created`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyView:
    """Why this agent was chosen, for those who put it into words of another language."""

    rule: str
    """`longest-idle`, `first-free` (the contact was the next in line), `preferred-agent`."""
    idle_s: float = 0.0
    skills: dict[str, int] = field(default_factory=dict)
    """The agent's level in each skill that the contact asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenPop:
    """The customer's card for one offered interaction. Sent to the offered agent only.

    Exactly one of three holds: `customer` is known; `candidates` share the number and the agent
    picks one; both are empty and `new_customer_number` prefills a new customer.
    """

    interaction_id: str
    channel: str
    queue: str | None
    queue_title: str
    caller_number: str
    """E.164 if it could be normalised, else as received; empty when withheld."""
    caller_name: str
    called: str
    waited_s: float
    why: str
    """Why this agent was chosen, in one English sentence."""
    chosen: WhyView | None = None
    """The same in parts."""
    facts: dict[str, str] = field(default_factory=dict)
    """What the caller entered in the menu."""
    customer: CustomerCard | None = None
    candidates: tuple[CustomerCard, ...] = ()
    new_customer_number: str = ""
    lookup_failed: bool = False
    """The customer store did not answer: nothing is known, which is not the same as unknown."""
    late: bool = False
    """The look-up took longer than the offer could wait; this follows the ring."""
    call_back_of: str | None = None
    """The interaction that our side cut off: we called the customer back."""
    notes: tuple[NoteAdded, ...] = ()
    """What was written on it so far, by those who had it before."""
    outbound: OutboundCard | None = None
    """We called, for a campaign: the record, with its script."""
