"""The end of all contacts at once, when the server stops: each is reported, its legs are left over.

What the callers are told on those legs, and when they are hung up, is decided above
(`cti.draining`); nothing that happens to them matters here any more.
"""

from __future__ import annotations

from collections.abc import Callable

from acd.contact import Contact, Stage
from acd.contact_events import ContactResult
from acd.contacts import Contacts
from acd.distribution import Distribution
from acd.inputs import TalkEnded, Withdraw
from switch.calls.causes import EndCause, Result
from switch.clock import Clock
from switch.ids import LegId

SHUTDOWN = EndCause(Result.COMPLETED, "shutdown", 503)
"""How a leg ends that the server's end takes with it."""


class ClosingTime:
    """Ends every contact of the node."""

    def __init__(
        self,
        *,
        contacts: Contacts,
        distribution: Distribution,
        clock: Clock,
        disengage: Callable[[LegId], None],
    ) -> None:
        """`disengage` is told of each leg that stays: its agent is on no call because of it."""
        self._contacts = contacts
        self._distribution = distribution
        self._clock = clock
        self._disengage = disengage

    def end_all(self) -> dict[LegId, str]:
        """End all contacts; gives the legs of customers that still live, with their language.

        Who waits goes first: no agent that comes free meanwhile is offered anybody.
        """
        legs: dict[LegId, str] = {}
        for contact in sorted(self._contacts.live(), key=lambda each: each.stage is Stage.TALKING):
            if contact.customer_leg:
                legs[contact.customer_leg] = contact.language
            self._end(contact)
        return legs

    def _end(self, contact: Contact) -> None:
        stage = contact.stage
        result = ContactResult.FAILED
        if contact.flow is not None:
            contact.flow.caller_gone()
        if stage in (Stage.WAITING, Stage.OFFERED):
            contact.stop_waiting(self._clock.now())
            self._distribution.tell(Withdraw(contact=contact.id, reason="shutdown"))
            self._distribution.drop_agent_leg(contact, SHUTDOWN)
        elif stage is Stage.TALKING:
            result = ContactResult.ANSWERED
            self._distribution.tell(TalkEnded(contact=contact.id, by_agent=False))
        elif stage is Stage.PARKED or contact.talking_since is not None:
            result = ContactResult.DIRECT
        for other in contact.others:
            self._disengage(other)
        for leg in (contact.agent_leg, contact.customer_leg):
            if leg:
                self._contacts.unbind(leg)
                self._disengage(leg)
        self._contacts.finish(contact, result, "shutdown", hang_up=SHUTDOWN)
