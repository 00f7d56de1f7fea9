"""The course of a contact: menu, queue, offer, conversation, end.

Joins three parts that do not know each other: the call control of the switch (legs), the flows of
the IVR (what the caller chose) and the pure distribution (`acd.core`, who gets whom). Every method
is synchronous: something happened, the parts are asked, what they want is done, and what came of
it is reported. The state of a contact follows its live legs: each way a leg can end has one place
here, `_customer_gone` or `_agent_gone`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from acd.contact import Contact, Entry, Stage
from acd.contact_events import (
    ContactConnected,
    ContactEvent,
    ContactResult,
    ContactRinging,
    ContactStarted,
    of_unanswered,
)
from acd.contacts import Contacts
from acd.conversation import Conversation, reason_of_agent
from acd.distribution import Distribution
from acd.engagements import Engagements
from acd.events import AcdEvent
from acd.inputs import (
    CustomerHeld,
    Enqueue,
    OfferAccepted,
    OfferFailed,
    OfferRinging,
    PhoneReachability,
    SignOff,
    SignOn,
    TalkEnded,
    Withdraw,
)
from acd.model import (
    AgentId,
    ContactId,
    ContactRequest,
    OfferFailure,
    QueueName,
    SignedOnBy,
    SkillNeed,
)
from acd.ports import Routes
from acd.self_service import SelfService
from acd.waiting_room import ANSWER_AFTER_S, WaitingRoom
from ivr.flow import Flow
from ivr.records import RunRecord
from switch.calls.causes import EndCause, Result
from switch.calls.events import (
    CallEvent,
    DigitPressed,
    IncomingLeg,
    LegAnswered,
    LegEnded,
    LegHeld,
    LegResumed,
    LegRinging,
    LegStarted,
    PhoneReachable,
    PlayFinished,
)
from switch.calls.ports import CallControl
from switch.clock import Clock
from switch.ids import LegId

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

_OURS = frozenset({"gateway-lost", "no-media", "media-failed", "internal-error"})
"""Ends that are no fault of the agent's phone: nobody is made not-ready for them."""

Report = AcdEvent | ContactEvent


class Inbound:
    """All live contacts. One per node; not thread-safe, called from the loop's thread only."""

    def __init__(
        self,
        *,
        distribution: Distribution,
        contacts: Contacts,
        conversation: Conversation,
        waiting_room: WaitingRoom,
        control: CallControl,
        clock: Clock,
        entries: Mapping[str, Entry],
        flows: Mapping[str, Flow],
        agents: Mapping[str, AgentId],
        routes: Routes,
        new_id: Callable[[str], str],
        report: Callable[[Report], None],
    ) -> None:
        """Take the parts; `agents` maps a phone's number to the agent who uses it."""
        self._distribution = distribution
        self._contacts = contacts
        self._conversation = conversation
        self._waiting_room = waiting_room
        self._control = control
        self._clock = clock
        self._entries = entries
        self._flows = flows
        self._agents = agents
        self._new_id = new_id
        self._report = report
        self._engagements = Engagements(distribution.tell)
        self._self_service = SelfService(
            control=control,
            clock=clock,
            contacts=contacts,
            waiting_room=waiting_room,
            routes=routes,
            agents=agents,
            enqueue=self._enqueue,
            report=report,
        )

    # --- what happens ---------------------------------------------------------------------------

    def handle(self, event: CallEvent) -> None:
        """Take news from the switch."""
        match event:
            case IncomingLeg():
                self._incoming(event)
            case LegStarted():
                self._leg_started(event)
            case LegRinging():
                self._leg_ringing(event)
            case LegAnswered():
                self._leg_answered(event)
            case LegHeld() | LegResumed():
                self._leg_held(event)
            case LegEnded():
                self._leg_ended(event)
            case DigitPressed():
                contact = self._mine(event.leg)
                if contact is not None and contact.flow is not None:
                    contact.flow.digit(event.digit)
            case PlayFinished():
                self._play_finished(event)
            case PhoneReachable():
                self._phone_reachable(event)
            case _:
                pass  # recordings, statistics, the gateway: of interest to history, not to contacts

    def disengage(self, leg: LegId) -> None:
        """The leg is left over from a contact that was ended: its agent is on no call by it."""
        self._engagements.end(leg)

    def engaged(self, leg: LegId, agent: AgentId) -> None:
        """A leg of an agent's phone was taken up from an earlier process."""
        self._engagements.restore(leg, agent)

    def go_on(self, contact: Contact, run: RunRecord | None) -> None:
        """A contact was taken up from an earlier process (`acd.adoption`)."""
        if run is not None:
            self._self_service.resume(contact, self._flows.get(run.flow), run)
        elif contact.stage in (Stage.WAITING, Stage.OFFERED):
            self._waiting_room.enter(contact)
            if not contact.customer_answered:
                self._let_ring(contact)

    # --- the caller -----------------------------------------------------------------------------

    def _incoming(self, event: IncomingLeg) -> None:
        entry = self._entries.get(event.entry)
        if entry is None:
            log.error("the number plan names entry %s, which is not configured", event.entry)
            self._control.reject(event.leg, 404, "Not Found")
            return
        contact = Contact(
            id=ContactId(self._new_id("i")),
            call=event.call,
            customer_leg=event.leg,
            caller_number=event.caller_number,
            caller_name=event.caller_name,
            called=event.called,
            started_at=event.at,
            stage=Stage.MENU,
            record=entry.record,
            language=entry.language,
        )
        self._contacts.bind(event.leg, contact)
        self._report(
            ContactStarted(
                contact=contact.id,
                call=event.call,
                at=event.at,
                caller_number=event.caller_number,
                caller_name=event.caller_name,
                called=event.called,
            )
        )
        self._contacts.add(contact)
        if entry.queue is not None:
            self._enqueue(contact, entry.queue, priority=entry.priority)
        elif entry.flow is not None:
            self._self_service.start(contact, self._flows[entry.flow])

    def _enqueue(
        self,
        contact: Contact,
        queue: QueueName,
        *,
        priority: int = 0,
        skills: tuple[SkillNeed, ...] = (),
    ) -> None:
        contact.stage = Stage.WAITING
        contact.queue = queue
        contact.queued_at = self._clock.now()
        if not contact.customer_answered:
            self._let_ring(contact)
        request = ContactRequest(contact=contact.id, queue=queue, priority=priority, skills=skills)
        self._distribution.tell(Enqueue(request=request))
        if contact.stage in (Stage.WAITING, Stage.OFFERED):
            self._waiting_room.enter(contact)

    def _let_ring(self, contact: Contact) -> None:
        """The caller hears ringing, and if nobody is free soon music instead."""

        def answer() -> None:
            if self._contacts.get(contact.id) is contact:
                self._waiting_room.answer_late(contact)

        self._control.ring(contact.customer_leg)
        due = max(contact.started_at + ANSWER_AFTER_S, self._clock.now())
        self._clock.call_at(due, answer)

    # --- legs -----------------------------------------------------------------------------------

    def _leg_started(self, event: LegStarted) -> None:
        agent = None if event.phone is None else self._agents.get(event.phone)
        if agent is None or self._is_offer(event):
            return  # not an agent's phone, or the leg of an offer, which the distribution knows
        self._engagements.begin(event.leg, agent)

    def _is_offer(self, event: LegStarted) -> bool:
        """True for the leg on which an agent is offered a contact."""
        contact = self._contacts.of_call(event.call)
        return event.outbound and contact is not None and contact.stage is Stage.OFFERED

    def _mine(self, leg: LegId) -> Contact | None:
        """The contact of a leg, unless an agent began it (`acd.agent_dial`)."""
        contact = self._contacts.of_leg(leg)
        return None if contact is None or contact.outbound else contact

    def _leg_ringing(self, event: LegRinging) -> None:
        contact = self._mine(event.leg)
        if (
            contact is None
            or contact.agent is None
            or event.leg != contact.agent_leg
            or contact.stage is not Stage.OFFERED
        ):
            return
        contact.rang = True
        self._report(ContactRinging(contact=contact.id, agent=contact.agent, at=event.at))
        self._distribution.tell(OfferRinging(contact=contact.id, agent=contact.agent))

    def _leg_answered(self, event: LegAnswered) -> None:
        contact = self._mine(event.leg)
        if contact is None:
            return
        if event.leg == contact.customer_leg:
            contact.customer_answered = True
            if contact.flow is not None:
                contact.flow.leg_answered()
            elif contact.stage in (Stage.WAITING, Stage.OFFERED):
                self._waiting_room.enter(contact)
            elif contact.talking_since is not None:
                self._conversation.connect(contact)
        elif event.leg == contact.agent_leg:
            self._agent_answered(contact)

    def _agent_answered(self, contact: Contact) -> None:
        if contact.stage not in (Stage.OFFERED, Stage.DIRECT):
            return
        self._waiting_room.leave(contact)
        now = self._clock.now()
        contact.talking_since = now
        contact.stop_waiting(now)
        if contact.stage is Stage.OFFERED:
            contact.stage = Stage.TALKING
            if contact.agent is not None:
                self._distribution.tell(OfferAccepted(contact=contact.id, agent=contact.agent))
        else:
            self._report(ContactConnected(contact=contact.id, at=now, agent=contact.agent))
        if contact.customer_answered:
            self._conversation.connect(contact)
        else:
            self._control.answer(contact.customer_leg)

    def _leg_held(self, event: LegHeld | LegResumed) -> None:
        contact = self._mine(event.leg)
        if contact is None or event.leg != contact.agent_leg:
            return
        held = isinstance(event, LegHeld)
        changed = self._conversation.held_changed(contact, held, event.at)
        if changed and contact.stage is Stage.TALKING:
            self._distribution.tell(CustomerHeld(contact=contact.id, held=held))

    def _play_finished(self, event: PlayFinished) -> None:
        contact = self._mine(event.leg)
        if contact is None or self._waiting_room.announced(contact, event.player):
            return
        if contact.flow is not None:
            contact.flow.play_finished(event.player)

    def _phone_reachable(self, event: PhoneReachable) -> None:
        agent = self._agents.get(event.phone)
        if agent is None:
            return
        self._distribution.tell(PhoneReachability(agent=agent, reachable=event.reachable))
        if event.reachable:
            self._distribution.tell(SignOn(agent=agent, by=SignedOnBy.PHONE))
        else:
            self._distribution.tell(SignOff(agent=agent, by=SignedOnBy.PHONE))

    # --- ends -----------------------------------------------------------------------------------

    def _leg_ended(self, event: LegEnded) -> None:
        self._engagements.end(event.leg)
        contact = self._mine(event.leg)
        if contact is None:
            return
        self._contacts.unbind(event.leg)
        if event.leg == contact.customer_leg:
            self._customer_gone(contact, event)
        elif event.leg == contact.agent_leg:
            self._agent_gone(contact, event)

    def _customer_gone(self, contact: Contact, event: LegEnded) -> None:
        reason = event.cause.reason
        failed = event.cause.result is Result.FAILED
        match contact.stage:
            case Stage.MENU:
                if contact.flow is not None:
                    contact.flow.caller_gone()
                result = ContactResult.FAILED if failed else ContactResult.MENU
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
            case Stage.ENDED:
                pass

    def _agent_gone(self, contact: Contact, event: LegEnded) -> None:
        agent, contact.agent_leg = contact.agent, None
        reason = reason_of_agent(event.cause)
        match contact.stage:
            case Stage.OFFERED if event.cause.reason in _OURS:
                contact.stop_waiting(event.at)
                self._distribution.tell(Withdraw(contact=contact.id, reason="failed"))
                cause = EndCause(Result.FAILED, event.cause.reason, 500)
                self._contacts.finish(
                    contact, ContactResult.FAILED, event.cause.reason, hang_up=cause
                )
            case Stage.OFFERED:
                contact.stage = Stage.WAITING
                contact.agent = None
                # Before the next offer: a row of offers that fail at once must not keep it ringing.
                self._waiting_room.answer_late(contact)
                if agent is not None:
                    failure = _FAILURES[event.cause.result]
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
