"""Somebody takes the place of who waits: an agent rang a queue first, and transfers the caller there then.

The phone that transfers waits by a call of its own, a contact like any other. The one it transfers takes
that contact's place in line, or begins the same menu; the contact of the phone is over.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from acd.contact import Contact, Stage
from acd.contact_events import ContactResult
from acd.contacts import Contacts
from acd.distribution import Distribution
from acd.inputs import Withdraw
from acd.model import QueueName
from acd.ports import EnqueueAgain
from ivr.flow import Flow
from switch.calls.causes import EndCause, Result
from switch.ids import LegId

log = logging.getLogger(__name__)

_TRANSFERRED: Final = EndCause(Result.CANCELLED, "transferred")


class WaitingPlaces:
    """Who waits where, and the change of places."""

    def __init__(
        self,
        *,
        contacts: Contacts,
        distribution: Distribution,
        enqueue: EnqueueAgain,
        start: Callable[[Contact, Flow], None],
    ) -> None:
        self._contacts = contacts
        self._distribution = distribution
        self._enqueue = enqueue
        self._start = start

    def number_of(self, leg: LegId) -> str | None:
        """What was dialled by a leg that waits for a queue or in a menu; None: it does not wait."""
        contact = self._contacts.of_leg(leg)
        return None if contact is None or not _waits(contact, leg) else contact.called

    def take(self, contact: Contact, leg: LegId) -> bool:
        """Put a contact where a leg waits, whose own contact is over; False: it waits no more."""
        former = self._contacts.of_leg(leg)
        if former is None or former is contact or not _waits(former, leg):
            return False
        log.info("contact %s takes the place of contact %s", contact.id, former.id)
        self._contacts.unbind(leg)
        contact.record = contact.record or former.record
        if former.queue is None or former.stage is Stage.MENU:
            self._take_menu(contact, former)
        else:
            self._take_line(contact, former, former.queue)
        return True

    def _take_line(self, contact: Contact, former: Contact, queue: QueueName) -> None:
        """The newcomer first: an agent who is asked for the other is free for it then."""
        self._enqueue(
            contact,
            queue,
            priority=former.priority,
            skills=former.skills,
            entered_at=former.entered_at,
        )
        self._distribution.tell(Withdraw(contact=former.id, reason="transferred"))
        self._distribution.drop_agent_leg(former, _TRANSFERRED)
        self._contacts.finish(former, ContactResult.DIRECT, "transferred")

    def _take_menu(self, contact: Contact, former: Contact) -> None:
        run = former.flow
        if run is not None:
            run.caller_gone()
            self._start(contact, run.flow)
        self._contacts.finish(former, ContactResult.MENU, "transferred")


def _waits(contact: Contact, leg: LegId) -> bool:
    if leg != contact.customer_leg or contact.outbound:
        return False
    if contact.stage is Stage.MENU:
        return contact.flow is not None
    return contact.queue is not None and contact.stage in (Stage.WAITING, Stage.OFFERED)
