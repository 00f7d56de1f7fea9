"""What can happen to the distribution. Fed into `acd.core.Acd.handle`, one at a time."""

from __future__ import annotations

from dataclasses import dataclass

from acd.model import AgentId, ContactId, ContactRequest, OfferFailure, SignedOnBy


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOn:
    """An agent's desk connected, or its phone registered."""

    agent: AgentId
    by: SignedOnBy
    ready: bool = False
    """Be available at once; otherwise not-ready with reason `signed-on` (a desk), or as it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOff:
    """The desk left for good, or the phone's last binding went."""

    agent: AgentId
    by: SignedOnBy


@dataclass(frozen=True, slots=True, kw_only=True)
class SetReady:
    """The agent (or a supervisor) wants contacts. While busy it takes effect afterwards."""

    agent: AgentId


@dataclass(frozen=True, slots=True, kw_only=True)
class SetNotReady:
    """The agent (or a supervisor) wants none. While busy it takes effect afterwards."""

    agent: AgentId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishWrapUp:
    """The agent is done with the paperwork."""

    agent: AgentId


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtendWrapUp:
    """The agent needs longer: the countdown stops until `FinishWrapUp`."""

    agent: AgentId


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneReachability:
    """The agent's phone can be called, or cannot."""

    agent: AgentId
    reachable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Engaged:
    """The agent's phone is on a call that did not come from a queue; `count` such legs live now."""

    agent: AgentId
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Enqueue:
    """A contact wants an agent."""

    request: ContactRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw:
    """A contact that waits or is offered is gone: the caller hung up, or left for elsewhere."""

    contact: ContactId
    reason: str
    """`abandoned`, or where it went: `overflow`, `callback`, ..."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferRinging:
    """The offered agent's phone alerts."""

    contact: ContactId
    agent: AgentId


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferAccepted:
    """The offered agent answered; the two talk."""

    contact: ContactId
    agent: AgentId


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferFailed:
    """The offered agent did not take it."""

    contact: ContactId
    agent: AgentId
    failure: OfferFailure


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerHeld:
    """The agent put the customer on hold, or took the hold off."""

    contact: ContactId
    held: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TalkEnded:
    """The conversation is over, whoever hung up."""

    contact: ContactId
    by_agent: bool


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
    | CustomerHeld
    | TalkEnded
)
