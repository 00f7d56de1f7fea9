"""How contacts end: each way a leg can end has one place here, by the stage of its contact."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from acd.contact import Contact, Stage
from acd.contact_events import ContactResult, of_unanswered
from acd.contacts import Contacts
from acd.conversation import reason_of_agent
from acd.distribution import Distribution
from acd.inputs import OfferFailed, TalkEnded, Withdraw
from acd.model import OfferFailure
from acd.waiting_room import WaitingRoom
from switch.calls.causes import EndCause, Result
from switch.calls.events import LegEnded

log = logging.getLogger(__name__)

_FAILURES: Mapping[Result, OfferFailure] = {
    Result.NO_ANSWER: OfferFailure.NO_ANSWER,
    Result.BUSY: OfferFailure.BUSY,
    Result.REJECTED: OfferFailure.REJECTED,
    Result.CANCELLED: OfferFailure.NO_ANSWER,
    Result.COMPLETED: OfferFailure.REJECTED,
    Result.UNREACHABLE: OfferFailure.UNREACHABLE,
    Result.FAILED: OfferFailure.UNREACHABLE,
}

_OURS = frozenset({"gateway-lost", "media-failed", "internal-error"})
"""Ends that are no fault of the agent's phone: nobody is made not-ready for them."""

_NO_MEDIA = "no-media"
"""Nor is this: no gateway, or no port, was there to call the agent. Soon there may be one; who waits hears
music as before, and waits on."""


class Endings:
    """Tells the distribution, ends the other leg, and finishes the contact or lets it wait again."""

    def __init__(
        self, contacts: Contacts, distribution: Distribution, waiting_room: WaitingRoom
    ) -> None:
        self._contacts = contacts
        self._distribution = distribution
        self._waiting_room = waiting_room

    def customer_gone(self, contact: Contact, event: LegEnded) -> None:
        """The caller's leg ended; it is no longer bound to the contact."""
        reason = event.cause.reason
        failed = event.cause.result is Result.FAILED
        match contact.stage:
            case Stage.MENU:
                if contact.flow is not None:
                    contact.flow.caller_gone()
                result = ContactResult.FAILED if failed else ContactResult.MENU
                self._contacts.finish(contact, result, reason)
            case Stage.OFFERED if contact.agent_first:
                contact.stop_waiting(event.at)
                self._distribution.tell(Withdraw(contact=contact.id, reason=reason))
                result = of_unanswered(event.cause.result)
                self._contacts.finish(contact, result, reason)
            case Stage.WAITING | Stage.OFFERED:
                contact.stop_waiting(event.at)
                self._distribution.tell(
                    Withdraw(contact=contact.id, reason="failed" if failed else "abandoned")
                )
                self._distribution.drop_agent_leg(
                    contact, EndCause(Result.CANCELLED, "caller-gone")
                )
                result = ContactResult.FAILED if failed else ContactResult.ABANDONED
                self._contacts.finish(contact, result, reason)
            case Stage.TALKING:
                # First, since the agent may be called for the next contact at once.
                self._contacts.hang_up(contact, EndCause(Result.COMPLETED, reason))
                self._distribution.tell(TalkEnded(contact=contact.id, by_agent=False))
                self._contacts.finish(contact, ContactResult.ANSWERED, reason)
            case Stage.DIRECT:
                result = ContactResult.DIRECT
                if contact.talking_since is None:
                    contact.stop_waiting(event.at)
                    result = ContactResult.FAILED if failed else ContactResult.ABANDONED
                self._contacts.finish(contact, result, reason)
            case Stage.PARKED:
                self._contacts.finish(contact, ContactResult.DIRECT, reason)
            case Stage.ENDED:
                pass

    def agent_gone(self, contact: Contact, event: LegEnded) -> None:
        """The agent's leg ended, whether it was answered or not; it is no longer bound."""
        agent, contact.agent_leg = contact.agent, None
        reason = reason_of_agent(event.cause)
        match contact.stage:
            case Stage.OFFERED if _is_ours(contact, event.cause):
                contact.stop_waiting(event.at)
                self._distribution.tell(Withdraw(contact=contact.id, reason="failed"))
                cause = EndCause(Result.FAILED, event.cause.reason, 500)
                self._contacts.finish(
                    contact, ContactResult.FAILED, event.cause.reason, hang_up=cause
                )
            case Stage.OFFERED if contact.agent_here:
                self._distribution.tell(Withdraw(contact=contact.id, reason="agent-gone"))
                cause = EndCause(Result.CANCELLED, "agent-gone")
                self._contacts.finish(contact, ContactResult.CANCELLED, "agent-gone", hang_up=cause)
            case Stage.OFFERED:
                contact.stage = Stage.WAITING
                contact.agent = None
                # Before the next offer: a row of offers that fail at once must not keep it ringing.
                self._waiting_room.answer_late(contact)
                if agent is not None:
                    log.info("contact %s: phone %s: %s", contact.id, agent, event.cause.reason)
                    failure = _FAILURES[event.cause.result]
                    if event.cause.reason == _NO_MEDIA:
                        failure = OfferFailure.NO_MEDIA
                    if failure is OfferFailure.BUSY and contact.rang:
                        failure = OfferFailure.REJECTED
                    self._distribution.tell(
                        OfferFailed(contact=contact.id, agent=agent, failure=failure)
                    )
            case Stage.TALKING:
                self._distribution.tell(TalkEnded(contact=contact.id, by_agent=True))
                cause = EndCause(Result.COMPLETED, reason)
                self._contacts.finish(contact, ContactResult.ANSWERED, reason, hang_up=cause)
            case Stage.DIRECT:
                answered = contact.talking_since is not None
                cause = EndCause(event.cause.result, reason, event.cause.status)
                result = ContactResult.DIRECT if answered else of_unanswered(event.cause.result)
                self._contacts.finish(contact, result, reason, hang_up=cause)
            case _:
                pass


def _is_ours(contact: Contact, cause: EndCause) -> bool:
    """Whether the contact ends with its agent's leg; whom a campaign called hears nothing, and is let go."""
    return cause.reason in _OURS or (cause.reason == _NO_MEDIA and contact.silent)
