"""A phone transfers a contact by itself (REFER): the contact goes on with whoever takes its place.

The switch does the transfer, and says who has taken whose place; here the books follow, by the steps of
`acd.hand_over`. The agent who transfers is done with the contact and wraps up.

    who leaves              who takes its place
        the customer            is the customer
        the agent               has the contact, and asks nobody; at its own next phone it goes on asking
            while it asks       takes part: who was asked has the contact
        who is asked, or
        takes part              is asked, or takes part
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Final

from acd.consult_state import ConsultState
from acd.contact import Contact, Stage
from acd.contact_events import ContactEvent, ContactResult, TransferKind
from acd.contacts import Contacts
from acd.conversation import Conversation
from acd.distribution import Distribution
from acd.hand_over import TRANSFERRED, HandOver
from acd.inputs import TalkEnded
from acd.model import AgentId
from acd.parties import Parties
from acd.party import Consult, Party, PartyState
from acd.ports import EnqueueAgain
from switch.calls.causes import EndCause, Result
from switch.calls.events import LegReplaced
from switch.calls.ports import CallControl
from switch.clock import Clock
from switch.ids import LegId

log = logging.getLogger(__name__)

PartyReplaced = Callable[[Contact, Party, Party], None]

_CALLED_OFF: Final = EndCause(Result.CANCELLED, "transferred")


class Handovers:
    """Keeps contacts right over transfers that the switch has carried out."""

    def __init__(
        self,
        *,
        contacts: Contacts,
        conversation: Conversation,
        distribution: Distribution,
        control: CallControl,
        clock: Clock,
        agents: Mapping[str, AgentId],
        enqueue: EnqueueAgain,
        disengage: Callable[[LegId], None],
        party_replaced: PartyReplaced,
        report: Callable[[ContactEvent], None],
    ) -> None:
        """`party_replaced` is told which party stands in the place of which."""
        self._contacts = contacts
        self._conversation = conversation
        self._distribution = distribution
        self._control = control
        self._party_replaced = party_replaced
        self._parties = Parties(contacts=contacts, clock=clock, report=report)
        self._hand_over = HandOver(
            contacts=contacts,
            conversation=conversation,
            distribution=distribution,
            parties=self._parties,
            control=control,
            clock=clock,
            enqueue=enqueue,
            disengage=disengage,
            report=report,
        )
        self._agents = agents

    def replaced(self, event: LegReplaced) -> None:
        """Somebody has taken the place of a leg; its `LegEnded` concerns the contact no more."""
        contact = self._contacts.of_leg(event.leg)
        other = None if event.other is None else self._contacts.of_leg(event.other)
        if contact is None and other is not None and event.other is not None:
            self._replace(other, event.other, event.peer, event)
            return
        if contact is None:
            self._call_off(event)
            return
        if other is not None and other is not contact:
            self._dissolve(other)
        self._replace(contact, event.leg, event.by, event)

    def to_entry(self, contact: Contact) -> None:
        """The agent has sent it to a menu or another queue, where it begins anew."""
        self._hand_over.set_aside(contact)
        contact.stage = Stage.MENU

    def _call_off(self, event: LegReplaced) -> None:
        """Who transferred was let go of meanwhile: whom the switch calls for that is not wanted any more."""
        if not event.is_answered and self._contacts.of_leg(event.peer) is not None:
            self._control.hang_up(event.by, _CALLED_OFF)

    def _replace(self, contact: Contact, old: LegId, new: LegId, event: LegReplaced) -> None:
        former = contact.others.get(old)
        if event.is_answered:  # the switch has bridged them: what is commanded next builds on that
            contact.pairs = (*contact.pairs, (event.peer, event.by))
        if former is not None:
            self._replace_party(contact, former, self._party(new, event))
        elif old == contact.customer_leg:
            self._contacts.unbind(old)
            contact.customer_leg = new
            if not event.is_answered:  # its answer joins it with the agent
                contact.customer_answered = False
            self._contacts.bind(new, contact)
            self._conversation.arrange(contact)
        elif old == contact.agent_leg:
            self._replace_agent(contact, self._party(new, event), event)

    def _party(self, leg: LegId, event: LegReplaced) -> Party:
        """Who has a new leg; of the far end of another call no more is known than that."""
        is_taker = leg == event.by
        return Party(
            number=event.number if is_taker else "",
            agent=self._agents.get(event.phone or "") if is_taker else None,
            leg=leg,
            answered=event.is_answered,
        )

    def _replace_party(self, contact: Contact, former: Party, party: Party) -> None:
        self._contacts.unbind(former.leg)
        del contact.others[former.leg]
        self._parties.tell(contact, former, PartyState.LEFT, TRANSFERRED.reason)
        self._parties.add(contact, party)
        self._party_replaced(contact, former, party)

    def _replace_agent(self, contact: Contact, party: Party, event: LegReplaced) -> None:
        is_own = party.answered and party.agent is not None and party.agent == contact.agent
        if contact.customer_leg not in (event.peer, event.by) and not is_own:
            # With who is asked, and who has the customer as soon as the agent's leg ends.
            self._parties.add(contact, party)
            if party.answered:
                self._parties.tell(contact, party, PartyState.JOINED)
            return
        if party.answered:
            self._contacts.bind(party.leg, contact)
            kind = TransferKind.BLIND if event.other is None else TransferKind.ATTENDED
            self._hand_over.to_party(contact, party, kind)
            return
        # As a transfer at the desk whose target is called: `acd.consultations` goes on with it.
        self._hand_over.give_up(contact)
        contact.consult = Consult(
            state=ConsultState.HANDING, target=party, began_by=contact.agent, is_by_phone=True
        )
        self._hand_over.let_go(contact)
        self._parties.add(contact, party)

    def _dissolve(self, contact: Contact) -> None:
        """Two contacts have become one talk: this one is over, and its legs are the other's."""
        for leg in (contact.customer_leg, contact.agent_leg):
            if leg is not None:
                self._contacts.unbind(leg)
        if contact.stage is Stage.TALKING:
            self._distribution.tell(TalkEnded(contact=contact.id, by_agent=True))
        self._contacts.finish(contact, ContactResult.DIRECT, "transferred")
