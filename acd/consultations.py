"""Consultation, transfer and conference: what an agent does with a contact and somebody else.

The course is the table of `acd.consult_state`; who hears whom follows from it (`acd.arrangement`).
Every way in which the target or the agent can fail ends in one row of that table, so the customer is
always with somebody, or first in line.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Final

from acd.agent_dial import RINGBACK
from acd.arrangement import is_away
from acd.consult_state import ConsultInput, ConsultState, Effect, find_step
from acd.contact import Contact, Stage
from acd.contact_events import ContactResult, TransferKind
from acd.contacts import Contacts
from acd.conversation import PHONE_LOST, Conversation
from acd.distribution import Distribution
from acd.errors import NotNowError, UnknownQueueError
from acd.hand_over import CANCELLED, HandOver
from acd.inputs import CustomerHeld, PhoneReachability
from acd.invitations import Invitations
from acd.model import QueueName
from acd.parties import Parties
from acd.party import Consult, Party, PartyState
from acd.ports import Destination, ToPhone
from switch.calls.causes import EndCause, Result
from switch.calls.events import LegAnswered, LegEarlyMedia, LegEnded, LegRinging
from switch.calls.fan_out import Takes
from switch.calls.ports import CallControl
from switch.clock import Clock
from switch.ids import LegId

log = logging.getLogger(__name__)

_FAILED: Final = EndCause(Result.FAILED, "transfer-failed")
_OURS: Final = frozenset({"gateway-lost", "no-media", "internal-error", "shutdown"})
"""Ends of an agent's leg that end the contact too: everybody's legs are gone, or are to go."""
_PHONE_LOST: Final = frozenset({"rtp-timeout", "peer-vanished", "transport", PHONE_LOST.reason})
"""Ends of an agent's leg that nobody wanted: its phone is gone without a word, the customer is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferSettings:
    """What the site wants where an agent leaves in the middle."""

    agent_gone_to_queue: bool = False
    """An agent who hangs up while asking somebody gives the contact back to the queue's head;
    otherwise the one who is asked has it."""
    conference_goes_on: bool = True
    """The others talk on when the agent leaves a conference; otherwise it ends."""


class Consultations:
    """The consultations of all contacts. Commands raise `AcdError` where they make no sense."""

    def __init__(
        self,
        *,
        contacts: Contacts,
        conversation: Conversation,
        distribution: Distribution,
        hand_over: HandOver,
        parties: Parties,
        invitations: Invitations,
        control: CallControl,
        clock: Clock,
        queues: frozenset[QueueName],
        settings: TransferSettings,
    ) -> None:
        self._contacts = contacts
        self._conversation = conversation
        self._distribution = distribution
        self._hand_over = hand_over
        self._control = control
        self._clock = clock
        self._parties = parties
        self._invitations = invitations
        self._queues = queues
        self._settings = settings
        self.takes: Takes = {
            LegRinging: self._leg_rings,
            LegEarlyMedia: self._leg_sounds,
            LegAnswered: self._leg_answered,
            LegEnded: self._leg_ended,
        }
        """News of those who are called."""

    # --- commands -------------------------------------------------------------------------------

    def consult(self, contact: Contact, number: str) -> None:
        """Call somebody; the customer hears music meanwhile."""
        consult, destination = self._invitations.prepare(contact, number, ConsultState.CALLING)
        assert contact.agent_leg is not None
        self._end_own_hold(contact)
        contact.consult = consult
        self._settle(contact)
        consult.ringback = self._control.play(contact.agent_leg, RINGBACK, loop=True)
        self._invite(contact, consult, destination)

    def transfer(self, contact: Contact, number: str) -> None:
        """Let the agent go at once, and call the target for the customer."""
        consult, destination = self._invitations.prepare(contact, number, ConsultState.HANDING)
        contact.consult = consult
        self._hand_over.let_go(contact)
        self._settle(contact)
        self._invite(contact, consult, destination)

    def transfer_to_queue(self, contact: Contact, queue: QueueName, *, head: bool) -> None:
        """Let the agent go, and the customer wait in a queue."""
        if queue not in self._queues:
            raise UnknownQueueError(queue)
        self._invitations.demand_talk(contact, alone=True)
        self._hand_over.to_queue(contact, queue, TransferKind.QUEUE, head=head)

    def complete(self, contact: Contact) -> None:
        """The target gets the contact; while it still rings, as soon as it answers."""
        self._command(contact, ConsultInput.COMPLETE)

    def join(self, contact: Contact) -> None:
        """Bring everybody together."""
        self._command(contact, ConsultInput.JOIN)

    def toggle(self, contact: Contact) -> None:
        """Go back to the customer and let the target hear music, or the other way round."""
        self._command(contact, ConsultInput.TOGGLE)

    def cancel(self, contact: Contact) -> None:
        """Hang up on the target and go back to the customer."""
        self._command(contact, ConsultInput.CANCEL)

    def remove(self, contact: Contact, number: str) -> None:
        """Hang up on one who joined."""
        for party in tuple(contact.others.values()):
            if party.number == number and party.takes_part:
                self._hand_over.drop(contact, party, "removed")
                if contact.consult is not None and contact.consult.target is party:
                    self._feed(contact, ConsultInput.GONE)
                self._settle(contact)
                return
        raise NotNowError(f"Nobody with number {number} takes part", contact=contact.id)

    # --- what happens ---------------------------------------------------------------------------

    def _leg_rings(self, event: LegRinging) -> None:
        found = self._find(event.leg)
        if found is not None:
            self._parties.rings(*found)

    def _leg_sounds(self, event: LegEarlyMedia) -> None:
        found = self._find(event.leg)
        consult = None if found is None else found[0].consult
        if found is not None and consult is not None and consult.target is found[1]:
            self._hand_over.end_ringback(consult)
            if found[0].agent_leg is not None:
                self._control.hear_early(found[0].agent_leg, event.leg)

    def _leg_answered(self, event: LegAnswered) -> None:
        found = self._find(event.leg)
        if found is not None:
            self._answered(*found)

    def _leg_ended(self, event: LegEnded) -> None:
        found = self._find(event.leg)
        if found is not None:
            self._ended(*found, event)

    def _find(self, leg: LegId) -> tuple[Contact, Party] | None:
        """The contact and the party of a leg, of one who is no supervisor."""
        found = self._parties.find(leg)
        return found if found is not None and found[1].takes_part else None

    def agent_left(self, contact: Contact, event: LegEnded) -> bool:
        """The agent's leg ended; whether the contact goes on without it, with somebody else."""
        if event.cause.reason in _OURS or contact.talking_since is None:
            return False
        members = self._members(contact)
        if contact.consult is not None:
            contact.agent_leg = None
            back = self._settings.agent_gone_to_queue and contact.queue is not None
            what = ConsultInput.AGENT_GONE_BACK if back else ConsultInput.AGENT_GONE
            self._feed(contact, what)
            return True
        if members and self._settings.conference_goes_on:
            contact.agent_leg = None
            self._hand_over.to_party(contact, members[0], TransferKind.LEFT)
            return True
        queue = contact.queue if contact.stage is Stage.TALKING else None
        is_lost = event.cause.reason in _PHONE_LOST and contact.agent not in contact.lost_by
        if queue is not None and contact.customer_answered and is_lost:
            contact.agent_leg = None
            self._back_in_line(contact, queue)
            return True
        return False

    def _back_in_line(self, contact: Contact, queue: QueueName) -> None:
        """Its agent's phone is lost. No call goes there until it registers again.

        A second time the same agent does not lose it but ends it: what is broken may be on the
        customer's way, and it would go round for ever.
        """
        if contact.agent is not None:
            contact.lost_by = (*contact.lost_by, contact.agent)
            self._distribution.tell(PhoneReachability(agent=contact.agent, reachable=False))
        self._hand_over.to_queue(contact, queue, TransferKind.RETURNED, head=True)

    def party_replaced(self, contact: Contact, former: Party, party: Party) -> None:
        """Another leg stands for a party: its phone has sent the call on, or goes on at another place."""
        consult = contact.consult
        if consult is None or consult.target is not former:
            self._joined(contact, party)
            return
        consult.target = party
        if party.answered:
            self._settle(contact)
            self._tell_target(contact, consult)
        else:
            self._feed(contact, ConsultInput.PASSED_ON)

    def go_on(self, contact: Contact) -> None:
        """A contact was taken up from an earlier process, which may not have called the target."""
        consult = contact.consult
        if consult is not None and consult.target.leg not in contact.others:
            log.info("contact %s: its target is not called any more", contact.id)
            self._feed(contact, ConsultInput.GONE)

    # --- inside ---------------------------------------------------------------------------------

    def _command(self, contact: Contact, what: ConsultInput) -> None:
        consult = contact.consult
        if consult is None:
            raise NotNowError("Nobody is consulted", contact=contact.id)
        if find_step(consult.state, what) is None:
            raise NotNowError("Not while the other one is still called", contact=contact.id)
        self._end_own_hold(contact)
        self._feed(contact, what)

    def _end_own_hold(self, contact: Contact) -> None:
        """Whom the agent goes to is to hear it; whom it leaves hears music all the same."""
        if contact.leg_held and contact.agent_leg is not None:
            self._control.resume(contact.agent_leg)

    def _answered(self, contact: Contact, party: Party) -> None:
        party.answered = True
        if contact.consult is not None and contact.consult.target is party:
            self._feed(contact, ConsultInput.ANSWERED)
        else:
            self._joined(contact, party)

    def _joined(self, contact: Contact, party: Party) -> None:
        """It takes part, as soon as it is there."""
        self._settle(contact)
        if party.answered:
            self._parties.tell(contact, party, PartyState.JOINED)

    def _ended(self, contact: Contact, party: Party, event: LegEnded) -> None:
        self._parties.ended(contact, party, event.cause.reason)
        if contact.consult is not None and contact.consult.target is party:
            self._feed(contact, ConsultInput.GONE)
        else:
            self._settle(contact)

    def _feed(self, contact: Contact, what: ConsultInput) -> None:
        """Apply the table: the only place where a consultation moves."""
        consult = contact.consult
        assert consult is not None
        step = find_step(consult.state, what)
        if step is None:
            log.error("contact %s: %s cannot meet %s", contact.id, consult.state, what)
            return
        log.debug("contact %s: %s, %s -> %s", contact.id, what, consult.state, step.to)
        self._hand_over.end_ringback(consult)
        contact.consult = None if step.to is None else consult
        if step.to is not None:
            consult.state = step.to
        for effect in step.effects:
            self._do(effect, contact, consult)
        if contact.stage in (Stage.TALKING, Stage.DIRECT):
            self._settle(contact)
            self._tell_target(contact, consult)

    def _do(self, effect: Effect, contact: Contact, consult: Consult) -> None:
        target = consult.target
        match effect:
            case Effect.DROP:
                self._hand_over.drop(contact, target, "cancelled", CANCELLED)
            case Effect.LET_GO:
                self._hand_over.let_go(contact)
            case Effect.HAND_OVER:
                blind = consult.state is ConsultState.HANDING
                kind = TransferKind.BLIND if blind else TransferKind.ATTENDED
                kind = TransferKind.RETURNED if consult.is_return else kind
                self._hand_over.to_party(contact, target, kind, let_go_by=consult.began_by)
            case Effect.ADMIT:
                pass  # being no target any more it is with everybody
            case Effect.GIVE_BACK:
                self._give_back(contact, consult)

    def _give_back(self, contact: Contact, consult: Consult) -> None:
        """Nobody took it: those who are there have it, else the queue, else the agent who had it."""
        members = self._members(contact)
        agent = consult.began_by
        if members:
            self._hand_over.to_party(contact, members[0], TransferKind.LEFT, let_go_by=agent)
        elif contact.queue is not None:
            self._hand_over.to_queue(
                contact, contact.queue, TransferKind.RETURNED, head=True, let_go_by=agent
            )
        elif agent is not None and not consult.is_return:
            again = Consult(
                state=ConsultState.HANDING,
                target=Party(number=str(agent), agent=agent),
                began_by=agent,
                is_return=True,
            )
            contact.consult = again
            self._invite(contact, again, ToPhone(phone=str(agent)))
        else:
            self._contacts.finish(contact, ContactResult.FAILED, _FAILED.reason, hang_up=_FAILED)

    def _invite(self, contact: Contact, consult: Consult, destination: Destination) -> None:
        is_blind = consult.state is ConsultState.HANDING
        self._invitations.invite(
            contact,
            consult.target,
            destination,
            rule="transfer" if is_blind else "consultation",
            by=None if is_blind else str(consult.began_by or ""),
            is_wanted=lambda: contact.consult is consult,
        )

    def _members(self, contact: Contact) -> list[Party]:
        """Who talks with everybody, agents first."""
        target = None if contact.consult is None else contact.consult.target
        found = [
            party
            for party in contact.others.values()
            if party.answered and party.takes_part and party is not target
        ]
        return sorted(found, key=lambda party: party.agent is None)

    def _settle(self, contact: Contact) -> None:
        """Sound and hold as the facts say now."""
        self._conversation.arrange(contact)
        if contact.agent_leg is None:
            return
        held = contact.leg_held or is_away(contact)
        changed = self._conversation.held_changed(contact, held, self._clock.now())
        if changed and contact.stage is Stage.TALKING:
            self._distribution.tell(CustomerHeld(contact=contact.id, held=held))

    def _tell_target(self, contact: Contact, consult: Consult) -> None:
        if consult.target.leg not in contact.others:
            return
        if contact.consult is None:
            self._parties.tell(contact, consult.target, PartyState.JOINED)
        elif consult.state is ConsultState.PRIVATE:
            self._parties.tell(contact, consult.target, PartyState.TALKING)
        elif consult.state is ConsultState.ASIDE:
            self._parties.tell(contact, consult.target, PartyState.HELD)
