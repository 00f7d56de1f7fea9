"""A contact changes hands: to another agent, to a number, back to a queue. Nobody is lost on the way."""

from __future__ import annotations

import logging
from collections.abc import Callable

from acd.arrangement import is_away
from acd.contact import Contact, Stage
from acd.contact_events import ContactEvent, ContactTransferred, TransferKind
from acd.contacts import Contacts
from acd.conversation import Conversation
from acd.distribution import Distribution
from acd.inputs import CustomerHeld, Handed, TalkEnded
from acd.model import AgentId, QueueName
from acd.parties import Parties
from acd.party import Consult, Party, PartyState
from acd.ports import EnqueueAgain
from switch.calls.causes import EndCause, Result
from switch.calls.ports import CallControl
from switch.clock import Clock
from switch.ids import LegId

log = logging.getLogger(__name__)

TRANSFERRED = EndCause(Result.COMPLETED, "transferred")
"""How the leg of an agent ends who gave the contact to somebody else."""
CANCELLED = EndCause(Result.CANCELLED, "consultation-cancelled")


class HandOver:
    """The steps by which a contact leaves one who had it and comes to the next."""

    def __init__(
        self,
        *,
        contacts: Contacts,
        conversation: Conversation,
        distribution: Distribution,
        parties: Parties,
        control: CallControl,
        clock: Clock,
        enqueue: EnqueueAgain,
        disengage: Callable[[LegId], None],
        report: Callable[[ContactEvent], None],
    ) -> None:
        self._contacts = contacts
        self._conversation = conversation
        self._distribution = distribution
        self._parties = parties
        self._control = control
        self._clock = clock
        self._enqueue = enqueue
        self._disengage = disengage
        self._report = report

    def let_go(self, contact: Contact) -> None:
        """The agent, whose leg may be gone already, is done with it; its wrap-up begins."""
        self._release_leg(contact)
        self._end_hold(contact)
        _note_had(contact)
        contact.agent = None
        contact.outbound = contact.muted = False
        if contact.stage is Stage.TALKING:
            contact.stage = Stage.DIRECT
            self._distribution.tell(TalkEnded(contact=contact.id, by_agent=True))

    def to_party(
        self,
        contact: Contact,
        party: Party,
        kind: TransferKind,
        *,
        let_go_by: AgentId | None = None,
    ) -> None:
        """Somebody who is on the phone already takes the agent's place, who may have let go before."""
        has_it = contact.agent is not None and contact.agent_leg is not None
        if has_it and party.agent == contact.agent:
            self._to_device(contact, party.leg)
            return
        former, queue = contact.agent or let_go_by, contact.queue
        had_talk = contact.stage is Stage.TALKING
        self._release_leg(contact)
        self._end_hold(contact)
        _note_had(contact)
        self.give_up(contact)
        contact.others.pop(party.leg, None)
        contact.agent, contact.agent_leg = party.agent, party.leg
        contact.outbound = contact.muted = False
        contact.stage = Stage.DIRECT
        agent = party.agent
        if party.role is not None:
            self._control.leave(party.leg)
        if agent is not None and queue is not None and self._distribution.can_join(agent):
            contact.stage = Stage.TALKING
            again = agent in contact.had_by
            self._distribution.tell(
                Handed(contact=contact.id, queue=queue, agent=agent, again=again)
            )
            self._disengage(party.leg)  # it is the contact's from now on
        elif had_talk:
            self._distribution.tell(TalkEnded(contact=contact.id, by_agent=True))
        self._connect(contact, party.leg)
        self._transferred(contact, kind, former, number=party.number)

    def _to_device(self, contact: Contact, leg: LegId) -> None:
        """The agent talks on at another phone of the same number, muted as before, also to whom it asks."""
        self._release_leg(contact)
        held = is_away(contact)
        changed = self._end_hold(contact, held=held)
        contact.agent_leg = leg
        if contact.muted:
            self._control.mute(leg, True)
        self._disengage(leg)  # it is the contact's from now on
        if changed and contact.stage is Stage.TALKING:
            self._distribution.tell(CustomerHeld(contact=contact.id, held=held))
        self._connect(contact, leg)

    def _connect(self, contact: Contact, leg: LegId) -> None:
        """Customer and agent hear each other; who attends the talk does so at the agent's new leg."""
        self._conversation.connect(contact)
        for each in contact.others.values():
            if each.role is not None and each.answered:
                self._control.attend(each.leg, leg, each.role)

    def to_queue(
        self,
        contact: Contact,
        queue: QueueName,
        kind: TransferKind,
        *,
        head: bool,
        let_go_by: AgentId | None = None,
    ) -> None:
        """It waits in a queue, with all that is known of it; nobody has it."""
        now = self._clock.now()
        former = contact.agent or let_go_by
        self.set_aside(contact)
        same = queue == contact.queue
        entered_at = now
        if head:
            entered_at = now if contact.entered_at is None else contact.entered_at
        priority = contact.priority if same else 0
        if head:
            priority = max(priority, self._distribution.priority_of_head(queue, entered_at))
        contact.queue = queue
        self._transferred(contact, kind, former)
        self._enqueue(
            contact,
            queue,
            priority=priority,
            skills=contact.skills if same else (),
            entered_at=entered_at,
        )

    def to_park(self, contact: Contact, slot: str) -> None:
        """It waits in a parking place; nobody has it."""
        former = contact.agent
        self.set_aside(contact)
        contact.stage = Stage.PARKED
        self._transferred(contact, TransferKind.PARKED, former, number=slot)

    def set_aside(self, contact: Contact) -> None:
        """Everybody but the customer is done with it, and it hears nobody."""
        self.let_go(contact)
        self.give_up(contact)
        for party in tuple(contact.others.values()):
            self.drop(contact, party, TRANSFERRED.reason)
        if contact.talking_since is not None:
            contact.talked_s += self._clock.now() - contact.talking_since
            contact.talking_since = None
        self._conversation.arrange(contact)

    def give_up(self, contact: Contact) -> None:
        """End the consultation, whatever it is at; who is asked is let go, and told so."""
        consult, contact.consult = contact.consult, None
        if consult is not None:
            self.end_ringback(consult)
            self.drop(contact, consult.target, "cancelled", CANCELLED)

    def end_ringback(self, consult: Consult) -> None:
        """The agent does not hear the target ring any more."""
        if consult.ringback is not None:
            self._control.stop(consult.ringback)
            consult.ringback = None

    def drop(
        self, contact: Contact, party: Party, reason: str, cause: EndCause = TRANSFERRED
    ) -> None:
        """End the leg of a party, which may not have one yet, and say so; no more is heard of it."""
        if contact.others.pop(party.leg, None) is not None:
            self._contacts.unbind(party.leg)
            self._control.hang_up(party.leg, cause)
            self._disengage(party.leg)
        self._parties.tell(contact, party, PartyState.LEFT, reason)

    def _release_leg(self, contact: Contact) -> None:
        """First: the agent may be called for the next contact at once."""
        leg, contact.agent_leg = contact.agent_leg, None
        if leg is not None:
            self._contacts.unbind(leg)
            self._control.hang_up(leg, TRANSFERRED)
            self._disengage(leg)

    def _end_hold(self, contact: Contact, *, held: bool = False) -> bool:
        """The agent's leg holds no more; `held`: the customer waits all the same. Whether that is news."""
        contact.leg_held = False
        return self._conversation.held_changed(contact, held, self._clock.now())

    def _transferred(
        self, contact: Contact, kind: TransferKind, former: AgentId | None, number: str = ""
    ) -> None:
        to = contact.agent or number or contact.queue
        log.info("contact %s: %s, from %s to %s", contact.id, kind, former, to)
        self._report(
            ContactTransferred(
                contact=contact.id,
                at=self._clock.now(),
                kind=kind,
                former=former,
                agent=contact.agent,
                number=number,
                queue=contact.queue,
                is_queued=contact.stage is Stage.TALKING,
            )
        )


def _note_had(contact: Contact) -> None:
    agent = contact.agent
    if contact.stage is Stage.TALKING and agent is not None and agent not in contact.had_by:
        contact.had_by = (*contact.had_by, agent)
