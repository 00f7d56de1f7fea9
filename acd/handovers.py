"""A phone transfers a contact by itself (REFER): the contact goes on with whoever takes its place.

The switch does the transfer, and says who has taken whose place; here the books follow, by the steps of
`acd.hand_over`. The agent who transfers is done with the contact and wraps up.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from acd.contact import Contact, Stage
from acd.contact_events import ContactEvent, ContactResult, TransferKind
from acd.contacts import Contacts
from acd.conversation import Conversation
from acd.distribution import Distribution
from acd.hand_over import HandOver
from acd.inputs import TalkEnded
from acd.model import AgentId
from acd.party import Party
from acd.ports import EnqueueAgain
from switch.calls.events import LegReplaced
from switch.calls.ports import CallControl
from switch.clock import Clock
from switch.ids import LegId

log = logging.getLogger(__name__)


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
        report: Callable[[ContactEvent], None],
    ) -> None:
        self._contacts = contacts
        self._conversation = conversation
        self._distribution = distribution
        self._hand_over = HandOver(
            contacts=contacts,
            conversation=conversation,
            distribution=distribution,
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
            return
        if other is not None and other is not contact:
            self._dissolve(other)
        self._replace(contact, event.leg, event.by, event)

    def answered(self, contact: Contact) -> None:
        """The one who took the agent's place has answered."""
        leg, taker = contact.agent_leg, contact.agent
        by, contact.transferred_by = contact.transferred_by, None
        if leg is None:
            return
        contact.agent, contact.agent_leg = by, None
        party = Party(number=str(taker or ""), agent=taker, leg=leg, answered=True)
        self._hand_over.to_party(contact, party, TransferKind.BLIND)

    def refused(self, contact: Contact) -> bool:
        """The one who took the agent's place never answered: True when the contact goes on.

        The agent is gone: the queue that it came from finds another, or the same again.
        """
        by, contact.transferred_by = contact.transferred_by, None
        if by is None or contact.queue is None:
            return False
        contact.agent, contact.agent_leg = by, None
        self._hand_over.to_queue(contact, contact.queue, TransferKind.RETURNED, head=True)
        return True

    def to_entry(self, contact: Contact) -> None:
        """The agent has sent it to a menu or another queue, where it begins anew."""
        self._hand_over.set_aside(contact)
        contact.stage = Stage.MENU

    def _replace(self, contact: Contact, old: LegId, new: LegId, event: LegReplaced) -> None:
        if old == contact.customer_leg:
            self._contacts.unbind(old)
            contact.customer_leg = new
            self._contacts.bind(new, contact)
            self._conversation.arrange(contact)
            return
        if old != contact.agent_leg or contact.customer_leg not in (event.peer, event.by):
            return
        is_taker = new == event.by
        agent = self._agents.get(event.phone or "") if is_taker else None
        self._contacts.bind(new, contact)
        if event.is_answered:
            number = event.number if is_taker else ""
            party = Party(number=number, agent=agent, leg=new, answered=True)
            kind = TransferKind.BLIND if event.other is None else TransferKind.ATTENDED
            self._hand_over.to_party(contact, party, kind)
            return
        by = contact.agent
        self._hand_over.let_go(contact)
        contact.stage, contact.transferred_by = Stage.DIRECT, by
        contact.agent, contact.agent_leg = agent, new

    def _dissolve(self, contact: Contact) -> None:
        """Two contacts have become one talk: this one is over, and its legs are the other's."""
        for leg in (contact.customer_leg, contact.agent_leg):
            if leg is not None:
                self._contacts.unbind(leg)
        if contact.stage is Stage.TALKING:
            self._distribution.tell(TalkEnded(contact=contact.id, by_agent=True))
        self._contacts.finish(contact, ContactResult.DIRECT, "transferred")
