"""What can happen to the distribution. Fed into `acd.core.Acd.handle`, one at a time."""

from __future__ import annotations

from msgspec import Struct

from acd.model import (
    AgentId,
    ContactId,
    ContactRequest,
    OfferFailure,
    QueueName,
    SignedOnBy,
)


class SignOn(Struct, frozen=True, kw_only=True):
    """An agent's desk connected, or its phone registered."""

    agent: AgentId
    by: SignedOnBy
    ready: bool = False
    """Be available at once; otherwise not-ready with reason `signed-on` (a desk), or as it was."""


class SignOff(Struct, frozen=True, kw_only=True):
    """The desk left for good, or the phone's last binding went."""

    agent: AgentId
    by: SignedOnBy


class SetReady(Struct, frozen=True, kw_only=True):
    """The agent (or a supervisor) wants contacts. While busy it takes effect afterwards."""

    agent: AgentId


class SetNotReady(Struct, frozen=True, kw_only=True):
    """The agent (or a supervisor) wants none. While busy it takes effect afterwards."""

    agent: AgentId
    reason: str


class FinishWrapUp(Struct, frozen=True, kw_only=True):
    """The agent is done with the paperwork."""

    agent: AgentId


class ExtendWrapUp(Struct, frozen=True, kw_only=True):
    """The agent needs longer: the countdown stops until `FinishWrapUp`."""

    agent: AgentId


class PhoneReachability(Struct, frozen=True, kw_only=True):
    """The agent's phone can be called, or cannot."""

    agent: AgentId
    reachable: bool


class Engaged(Struct, frozen=True, kw_only=True):
    """The agent's phone is on a call that did not come from a queue; `count` such legs live now."""

    agent: AgentId
    count: int


class Enqueue(Struct, frozen=True, kw_only=True):
    """A contact wants an agent."""

    request: ContactRequest


class Withdraw(Struct, frozen=True, kw_only=True):
    """A contact that waits or is offered is gone: the caller hung up, or left for elsewhere."""

    contact: ContactId
    reason: str
    """`abandoned`, or where it went: `overflow`, `callback`, ..."""
    is_unheeded: bool = False
    """It could wait no longer for the agent whose phone rings: if that rang for a second or more, the agent
    is last in the idle line now, and the second time in a row not-ready as after a ring time-out."""


class OfferRinging(Struct, frozen=True, kw_only=True):
    """The offered agent's phone alerts."""

    contact: ContactId
    agent: AgentId


class OfferAccepted(Struct, frozen=True, kw_only=True):
    """The offered agent answered; the two talk."""

    contact: ContactId
    agent: AgentId


class OfferFailed(Struct, frozen=True, kw_only=True):
    """The offered agent did not take it."""

    contact: ContactId
    agent: AgentId
    failure: OfferFailure


class OfferMoved(Struct, frozen=True, kw_only=True):
    """Another agent picks up what rings at the one chosen."""

    contact: ContactId
    agent: AgentId
    """Who picks it up."""


class CustomerHeld(Struct, frozen=True, kw_only=True):
    """The agent put the customer on hold, or took the hold off."""

    contact: ContactId
    held: bool


class TalkEnded(Struct, frozen=True, kw_only=True):
    """The conversation is over, whoever hung up."""

    contact: ContactId
    by_agent: bool


class Handed(Struct, frozen=True, kw_only=True):
    """An agent takes part in place of the one before, whom nobody needs any more; both have talked."""

    contact: ContactId
    queue: QueueName
    """The queue it came from: it may have left the distribution meanwhile."""
    agent: AgentId
    again: bool = False
    """This agent has had it before."""


Input = (
    SignOn
    | SignOff
    | SetReady
    | SetNotReady
    | FinishWrapUp
    | ExtendWrapUp
    | PhoneReachability
    | Engaged
    | Enqueue
    | Withdraw
    | OfferRinging
    | OfferAccepted
    | OfferFailed
    | OfferMoved
    | CustomerHeld
    | TalkEnded
    | Handed
)
