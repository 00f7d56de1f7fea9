"""Those who take part in a contact beside its customer and its agent."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from acd.consult_state import ConsultState
from acd.model import AgentId
from switch.calls.roles import Role
from switch.ids import LegId, PlayerId


class Party(Struct, kw_only=True):
    """One more leg of a contact: somebody who is asked, takes part, or supervises."""

    number: str
    """What was called: a phone of ours or a number outside."""
    agent: AgentId | None = None
    """The agent whose phone it is."""
    leg: LegId = LegId("")
    """Empty while the agent's card travels and its phone is not called yet."""
    answered: bool = False
    rang: bool = False
    at_once: bool = False
    """It has asked for this call at its desk: its phone is asked to answer by itself."""
    role: Role | None = None
    """Set: it attends the agent's talk and is no party to it."""
    watcher: str = ""
    """Who it is, by login, where it attends."""
    takes_over: bool = False
    """It becomes the contact's agent as soon as it answers."""

    @property
    def takes_part(self) -> bool:
        """Whether it talks and listens as everybody does, once it has answered."""
        return self.role is None


class Consult(Struct, kw_only=True):
    """Somebody is called for the contact: to be asked, or to be given it."""

    state: ConsultState
    target: Party
    ringback: PlayerId | None = None
    """What the agent hears while the target is called."""
    began_by: AgentId | None = None
    is_return: bool = False
    """The agent is called back, because nobody took the contact from it."""
    is_by_phone: bool = False
    """The agent's phone has asked for it: the switch calls the target, and lets the customer hear it ring."""


class PartyState(StrEnum):
    """What is told of a party."""

    CALLING = "calling"
    RINGING = "ringing"
    TALKING = "talking"
    """With the agent alone: the customer hears music."""
    HELD = "held"
    """The agent went back to the customer; the party hears music."""
    JOINED = "joined"
    """With everybody."""
    ATTENDING = "attending"
    """In a supervisor's role."""
    LEFT = "left"
    FAILED = "failed"
    """It could not be reached, or did not want."""
