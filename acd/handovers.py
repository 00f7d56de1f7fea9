"""A phone transfers a contact by itself (REFER): the contact goes on with whoever takes its place.

The switch does the transfer, and says who has taken whose place; here the books follow. The agent who
transfers is done with the contact: wrap-up. Whoever has it now was not chosen by a queue, so the
contact is a direct one from here on; a queue takes it back where nobody answers.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from acd.contact import Contact, Stage
from acd.contact_events import ContactConnected, ContactEvent, ContactHeld, ContactResult
from acd.contacts import Contacts
from acd.distribution import Distribution
from acd.inputs import TalkEnded
from acd.model import AgentId
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
        distribution: Distribution,
        control: CallControl,
        clock: Clock,
        agents: Mapping[str, AgentId],
        enqueue: EnqueueAgain,
        report: Callable[[ContactEvent], None],
    ) -> None:
        self._contacts = contacts
        self._distribution = distribution
        self._control = control
        self._clock = clock
        self._agents = agents
        self._enqueue = enqueue
        self._report = report

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
        contact.transferred_by = None
        self._record(contact)

    def refused(self, contact: Contact) -> bool:
        """The one who took the agent's place never answered: True when the contact goes on.

        The agent is gone: the queue that it came from finds another, or the same again.
        """
        by, contact.transferred_by = contact.transferred_by, None
        if by is None or contact.queue is None:
            return False
        log.info(
            "contact %s was transferred by %s to nobody: back to %s", contact.id, by, contact.queue
        )
        contact.agent = contact.agent_leg = None
        contact.talking_since = None
        self._control.silence(contact.customer_leg)
        self._enqueue(
            contact,
            contact.queue,
            priority=contact.priority,
            skills=contact.skills,
            entered_at=contact.entered_at,
            preferred=by,
        )
        return True

    def let_go(self, contact: Contact) -> AgentId | None:
        """The agent is done with the contact, which has none from here on; returns who it was."""
        agent, contact.agent = contact.agent, None
        if contact.agent_leg is not None:
            self._contacts.unbind(contact.agent_leg)
            contact.agent_leg = None
        now = self._clock.now()
        if contact.held_since is not None:
            contact.held_s += now - contact.held_since
            contact.held_since = None
            self._report(ContactHeld(contact=contact.id, at=now, held=False))
        contact.muted = contact.outbound = False
        if contact.stage is Stage.TALKING:
            self._distribution.tell(TalkEnded(contact=contact.id, by_agent=True))
        contact.stage = Stage.DIRECT
        return agent

    def _replace(self, contact: Contact, old: LegId, new: LegId, event: LegReplaced) -> None:
        if old == contact.customer_leg:
            self._contacts.unbind(old)
            contact.customer_leg = new
            self._contacts.bind(new, contact)
            return
        if old != contact.agent_leg or contact.customer_leg not in (event.peer, event.by):
            return
        by = self.let_go(contact)
        taker = event.phone if new == event.by else None
        contact.agent = None if taker is None else self._agents.get(taker)
        contact.agent_leg = new
        self._contacts.bind(new, contact)
        if not event.is_answered:
            contact.transferred_by = by
            return
        self._record(contact)
        self._report(ContactConnected(contact=contact.id, at=event.at, agent=contact.agent))

    def _record(self, contact: Contact) -> None:
        if contact.recording is not None and contact.agent_leg is not None:
            self._control.set_recording_others(contact.recording, (contact.agent_leg,))

    def _dissolve(self, contact: Contact) -> None:
        """Two contacts have become one talk: this one is over, and its legs are the other's."""
        for leg in (contact.customer_leg, contact.agent_leg):
            if leg is not None:
                self._contacts.unbind(leg)
        if contact.stage is Stage.TALKING:
            self._distribution.tell(TalkEnded(contact=contact.id, by_agent=True))
        self._contacts.finish(contact, ContactResult.DIRECT, "transferred")
