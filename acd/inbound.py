"""The course of a contact: menu, queue, offer, conversation, end.

Joins three parts that do not know each other: the call control of the switch (legs), the flows of
the IVR (what the caller chose) and the pure distribution (`acd.core`, who gets whom). Every method
is synchronous: something happened, the parts are asked, what they want is done, and what came of
it is reported. The state of a contact follows its live legs: each way a leg can end has one place
in `acd.endings`.
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
)
from acd.contacts import Contacts
from acd.conversation import Conversation
from acd.distribution import Distribution
from acd.endings import Endings
from acd.engagements import Engagements
from acd.events import AcdEvent
from acd.handovers import Handovers, PartyReplaced
from acd.inputs import CustomerHeld, Enqueue, OfferAccepted, OfferRinging
from acd.model import (
    AgentId,
    ContactId,
    ContactRequest,
    QueueName,
    SkillNeed,
)
from acd.ports import Routes
from acd.self_service import SelfService
from acd.waiting_places import WaitingPlaces
from acd.waiting_room import WaitingRoom
from ivr.flow import Flow
from ivr.records import RunRecord
from switch.calls.causes import EndCause, Result
from switch.calls.events import (
    DigitPressed,
    IncomingLeg,
    LegAnswered,
    LegEnded,
    LegHeld,
    LegRedirected,
    LegReplaced,
    LegResumed,
    LegRinging,
    LegStarted,
    PhoneReachable,
    PhoneRegisteredAgain,
    PlayFinished,
)
from switch.calls.fan_out import Takes
from switch.calls.ports import CallControl
from switch.clock import Clock
from switch.ids import LegId

log = logging.getLogger(__name__)

Report = AcdEvent | ContactEvent
AgentLeft = Callable[[Contact, LegEnded], bool]


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
        self._engagements = Engagements(distribution.tell, contacts, agents)
        self.place_of: Callable[[Contact, QueueName], float | None] | None = None
        """Since when a caller counts who was cut off and calls again (`acd.call_back`)."""
        self.agent_left: AgentLeft = lambda contact, event: False
        """Whether the contact goes on although its agent's leg ended (`acd.consultations`)."""
        self.party_replaced: PartyReplaced = lambda contact, former, party: None
        """Told whose phone has put another leg in the place of a party's (`acd.consultations`)."""
        self.is_code: Callable[[IncomingLeg], bool] = lambda event: False
        """Takes what phones dial to park and to pick up (`acd.dialled_codes`)."""
        self._endings = Endings(contacts, distribution, waiting_room)
        self._handovers = Handovers(
            contacts=contacts,
            conversation=conversation,
            distribution=distribution,
            control=control,
            clock=clock,
            agents=agents,
            enqueue=self.enqueue,
            disengage=self.disengage,
            party_replaced=lambda contact, former, party: self.party_replaced(
                contact, former, party
            ),
            report=report,
        )
        self._self_service = SelfService(
            control=control,
            clock=clock,
            contacts=contacts,
            waiting_room=waiting_room,
            routes=routes,
            agents=agents,
            enqueue=self.enqueue,
            report=report,
        )
        self.places = WaitingPlaces(
            contacts=contacts,
            distribution=distribution,
            enqueue=self.enqueue,
            start=self._self_service.start,
        )
        """Who waits, and may be transferred there."""
        self.takes: Takes = {
            IncomingLeg: self._incoming,
            LegStarted: self._engagements.leg_started,
            LegRinging: self._leg_ringing,
            LegReplaced: self._handovers.replaced,
            LegRedirected: self._engagements.leg_redirected,
            LegAnswered: self._leg_answered,
            LegHeld: self._leg_held,
            LegResumed: self._leg_held,
            LegEnded: self._leg_ended,
            DigitPressed: self._digit_pressed,
            PlayFinished: self._play_finished,
            PhoneReachable: self._engagements.phone_reachable,
            PhoneRegisteredAgain: self._engagements.phone_registered_again,
        }
        """News from the switch. Recordings, statistics and the gateway are for history."""

    # --- what happens ---------------------------------------------------------------------------

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
                self._waiting_room.let_ring(contact)

    # --- the caller -----------------------------------------------------------------------------

    def _incoming(self, event: IncomingLeg) -> None:
        if self.is_code(event):
            return
        known = self._contacts.of_leg(event.leg)
        if known is not None:
            self._sent_to(known, event)
            return
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
            customer_answered=event.is_answered,
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
                verstat=event.verstat,
                attestation=event.attestation,
            )
        )
        self._contacts.add(contact)
        if event.place_of is None or not self.places.take(contact, event.place_of):
            self._begin(contact, entry)

    def _sent_to(self, contact: Contact, event: IncomingLeg) -> None:
        """Its agent has transferred a contact to an entry: a queue, or a menu."""
        if event.leg != contact.customer_leg:
            self._control.hang_up(event.leg, EndCause(Result.COMPLETED, "transferred"))
            return
        self._handovers.to_entry(contact)
        if event.place_of is not None and self.places.take(contact, event.place_of):
            return
        if not self.begin_at(contact, event.entry):
            log.error("contact %s is sent to %s, which is not configured", contact.id, event.entry)
            cause = EndCause(Result.FAILED, "entry-gone", 404)
            self._contacts.finish(contact, ContactResult.FAILED, "entry-gone", hang_up=cause)

    def begin_at(self, contact: Contact, number: str) -> bool:
        """Let a contact that lives begin anew at an entry; False: there is none of that number."""
        entry = self._entries.get(number)
        if entry is not None:
            contact.record = contact.record or entry.record
            self._begin(contact, entry)
        return entry is not None

    def has_flow(self, flow: str) -> bool:
        """Whether there is a flow of this name."""
        return flow in self._flows

    def run_flow(self, contact: Contact, flow: str) -> None:
        """Let a contact hear a flow, which may lead it on to a queue."""
        contact.stage = Stage.MENU
        self._self_service.start(contact, self._flows[flow])

    def _begin(self, contact: Contact, entry: Entry) -> None:
        if entry.queue is not None:
            self.enqueue(contact, entry.queue, priority=entry.priority)
        elif entry.flow is not None:
            self._self_service.start(contact, self._flows[entry.flow])

    def enqueue(
        self,
        contact: Contact,
        queue: QueueName,
        *,
        priority: int = 0,
        skills: tuple[SkillNeed, ...] = (),
        entered_at: float | None = None,
        preferred: AgentId | None = None,
        patience_s: float = 0.0,
    ) -> None:
        """Let it wait; one that was here before keeps its place and is for its agent first.

        One whose agent comes first is for the preferred one alone, who has `patience_s` to take it.
        """
        contact.stage = Stage.WAITING
        contact.queue = queue
        contact.queued_at = self._clock.now()
        if entered_at is None and self.place_of is not None:
            entered_at = self.place_of(contact, queue)
        contact.entered_at = contact.queued_at if entered_at is None else entered_at
        contact.priority, contact.skills = priority, skills
        if not (contact.customer_answered or contact.silent):
            self._waiting_room.let_ring(contact)
        request = ContactRequest(
            contact=contact.id,
            queue=queue,
            priority=priority,
            skills=skills,
            preferred_agent=preferred,
            entered_at=entered_at,
            only_preferred=contact.agent_first,
            patience_s=patience_s,
            outbound=contact.silent,
            has_talked=contact.talked_s > 0.0,
        )
        self._distribution.tell(Enqueue(request=request))
        if contact.stage in (Stage.WAITING, Stage.OFFERED):
            self._waiting_room.enter(contact)

    # --- legs -----------------------------------------------------------------------------------

    def _mine(self, leg: LegId) -> Contact | None:
        """The contact of a caller's or agent's leg, unless an agent began it (`acd.agent_dial`)."""
        contact = self._contacts.of_leg(leg)
        if contact is None or contact.outbound or leg in contact.others:
            return None
        return contact

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
            self._waiting_room.tune(contact)
            if contact.flow is not None:
                contact.flow.leg_answered()
            elif contact.agent_here and contact.stage is Stage.OFFERED:
                self._agent_answered(contact)
            elif contact.stage in (Stage.WAITING, Stage.OFFERED):
                self._waiting_room.enter(contact)
            elif contact.talking_since is not None:
                self._conversation.connect(contact)
        elif event.leg == contact.agent_leg:
            self._agent_answered(contact)

    def _agent_answered(self, contact: Contact) -> None:
        if contact.stage not in (Stage.OFFERED, Stage.DIRECT):
            return
        if contact.talking_since is not None:
            return  # somebody took it over who was called for that, and they are connected
        if contact.agent_first and not contact.customer_answered:
            contact.agent_here = True  # the dialer calls the customer now
            return
        self._waiting_room.leave(contact)
        contact.silent = contact.agent_first = contact.agent_here = False
        now = self._clock.now()
        contact.talking_since = now
        contact.stop_waiting(now)
        if contact.stage is Stage.OFFERED:
            contact.stage = Stage.TALKING
            contact.served = True
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
        changed = self._conversation.leg_held(contact, held, event.at)
        if changed and contact.stage is Stage.TALKING:
            self._distribution.tell(CustomerHeld(contact=contact.id, held=held))

    def _digit_pressed(self, event: DigitPressed) -> None:
        contact = self._mine(event.leg)
        if contact is not None and contact.flow is not None:
            contact.flow.digit(event.digit)

    def _play_finished(self, event: PlayFinished) -> None:
        contact = self._mine(event.leg)
        if contact is None or self._waiting_room.announced(contact, event.player):
            return
        if contact.flow is not None:
            contact.flow.play_finished(event.player)

    # --- ends -----------------------------------------------------------------------------------

    def _leg_ended(self, event: LegEnded) -> None:
        self._engagements.end(event.leg)
        contact = self._mine(event.leg)
        if contact is None:
            return
        self._contacts.unbind(event.leg)
        if event.leg == contact.customer_leg:
            self._endings.customer_gone(contact, event)
        elif event.leg == contact.agent_leg and not self.agent_left(contact, event):
            self._endings.agent_gone(contact, event)
