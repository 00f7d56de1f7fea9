"""A live voice contact: its legs, its stage, and what it has gathered."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct, field

from acd.model import AgentId, ContactId, QueueName, SkillNeed
from acd.park import Park
from acd.party import Consult, Party
from ivr.runner import FlowRun
from switch.ids import CallId, LegId, PlayerId, RecordingId


class Stage(StrEnum):
    """Where a contact is. `DIRECT` contacts never see a queue: dialled by an agent, or transferred."""

    MENU = "menu"
    WAITING = "waiting"
    OFFERED = "offered"
    TALKING = "talking"
    DIRECT = "direct"
    PARKED = "parked"
    ENDED = "ended"


class Entry(Struct, frozen=True, kw_only=True):
    """A number that callers dial, and what it leads to: a flow or a queue."""

    number: str
    flow: str | None = None
    queue: QueueName | None = None
    record: bool = False
    language: str = "en"
    priority: int = 0


class Contact(Struct, kw_only=True):
    """One caller (or one number an agent dialled) and everyone it is connected to."""

    id: ContactId
    call: CallId
    customer_leg: LegId
    caller_number: str
    caller_name: str
    called: str
    started_at: float
    stage: Stage
    record: bool
    language: str
    customer_answered: bool = False
    flow: FlowRun | None = None
    queue: QueueName | None = None
    queued_at: float | None = None
    """Since when it waits for somebody: in a queue, or for the target of a transfer."""
    entered_at: float | None = None
    """When it first came to a queue: a call-back keeps the place of the contact it goes on for."""
    priority: int = 0
    """In the queue, as `skills`; kept for a call-back."""
    skills: tuple[SkillNeed, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    agent: AgentId | None = None
    """Who is offered the contact or talks to it."""
    agent_leg: LegId | None = None
    recording: RecordingId | None = None
    announcement: PlayerId | None = None
    talking_since: float | None = None
    held_since: float | None = None
    waited_s: float = 0.0
    held_s: float = 0.0
    muted: bool = False
    rang: bool = False
    """The offered agent's phone has alerted: a 486 after that is a refusal, not a busy line."""
    outbound: bool = False
    """Its agent dialled it (`acd.agent_dial`); those of campaigns are `campaign`'s."""
    campaign: str = ""
    """The campaign that dialled its customer."""
    list_record: str = ""
    """Whom it called: the record on the campaign's list."""
    silent: bool = False
    """While it waits it hears nothing: its agent is to be there at once."""
    agent_first: bool = False
    """Its agent's phone is answered before its customer is called."""
    agent_here: bool = False
    """With `agent_first`: the agent has answered and waits for the customer."""
    call_back_of: ContactId | None = None
    """The contact that our side cut off and that this one goes on for."""
    call_backs: int = 0
    """How often this customer was called back for it."""
    others: dict[LegId, Party] = field(default_factory=dict)
    """Everyone else who has a leg: who is consulted, who joined, who supervises."""
    consult: Consult | None = None
    park: Park | None = None
    """Set while it is parked."""
    leg_held: bool = False
    """The agent's leg holds; with `held_since`, which also counts consultations."""
    talked_s: float = 0.0
    """In talks that are over: before it came back to its queue."""
    served: bool = False
    """An agent has answered it from a queue, whoever has it now."""
    had_by: tuple[AgentId, ...] = ()
    """Agents who have had it and gave it away: of their figures it is no further contact."""
    lost_by: tuple[AgentId, ...] = ()
    """Agents whose phone was lost while they had it."""
    tune: str = ""
    """The music that its customer hears when it is to hear some, as last commanded."""
    pairs: tuple[tuple[LegId, LegId], ...] = ()
    """Who is bridged, as last commanded (`acd.arrangement`)."""
    alone: tuple[LegId, ...] = ()
    """Who hears music because nobody is with it, as last commanded."""

    @property
    def legs(self) -> tuple[LegId, ...]:
        """Its agent's, those of everyone else, its customer's."""
        agent = () if self.agent_leg is None else (self.agent_leg,)
        return (*agent, *self.others, self.customer_leg)

    def stop_waiting(self, now: float) -> None:
        """Note how long it waited for somebody, whether that one came or not."""
        if self.queued_at is not None:
            self.waited_s = now - self.queued_at
