"""All live contacts of the node: where to find one, and how one ends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from acd.contact import Contact, Stage
from acd.contact_events import ContactEvent, ContactFinished, ContactResult
from acd.model import AgentId, ContactId
from acd.ports import Pops
from switch.calls.causes import EndCause, Result
from switch.calls.ports import CallControl
from switch.clock import Clock
from switch.ids import CallId, LegId


class Contacts:
    """The index of live contacts. A contact leaves it exactly once, in `finish`."""

    def __init__(
        self,
        *,
        control: CallControl,
        clock: Clock,
        pops: Pops,
        report: Callable[[ContactEvent], None],
    ) -> None:
        self._control = control
        self._clock = clock
        self._pops = pops
        self._report = report
        self._by_id: dict[ContactId, Contact] = {}
        self._by_leg: dict[LegId, Contact] = {}
        self._by_call: dict[CallId, Contact] = {}
        self.on_finish: Callable[[Contact, str], None] | None = None
        """Told of each contact that is over, and the reason, after everybody else."""
        self.finished: Counter[ContactResult] = Counter()
        """Contacts that are over, by outcome."""

    def __len__(self) -> int:
        return len(self._by_id)

    def live(self) -> list[Contact]:
        """All of them, the oldest first."""
        return list(self._by_id.values())

    def add(self, contact: Contact) -> None:
        """A contact began; the look-up of its customer begins with it."""
        self._by_id[contact.id] = contact
        self._by_call[contact.call] = contact
        self._pops.prefetch(contact.id, contact.caller_number)

    def restore(self, contact: Contact) -> None:
        """Take up a contact of an earlier process, with the legs it has."""
        self._by_id[contact.id] = contact
        self._by_call[contact.call] = contact
        for leg in (contact.customer_leg, contact.agent_leg, *contact.others):
            if leg:
                self._by_leg[leg] = contact
        if contact.talking_since is None:
            self._pops.prefetch(contact.id, contact.caller_number)

    def bind(self, leg: LegId, contact: Contact) -> None:
        """The leg belongs to the contact."""
        self._by_leg[leg] = contact

    def unbind(self, leg: LegId) -> Contact | None:
        """The leg is gone, or no longer the contact's; gives the contact it belonged to."""
        return self._by_leg.pop(leg, None)

    def get(self, contact: ContactId) -> Contact | None:
        """A live contact, or None when it is over."""
        return self._by_id.get(contact)

    def of_leg(self, leg: LegId) -> Contact | None:
        """The contact a leg belongs to."""
        return self._by_leg.get(leg)

    def of_call(self, call: CallId) -> Contact | None:
        """The contact a call belongs to."""
        return self._by_call.get(call)

    def of_agent(self, agent: AgentId) -> Contact | None:
        """The contact an agent is offered or talks to."""
        for contact in self._by_id.values():
            if contact.agent == agent:
                return contact
        return None

    def involving(self, agent: AgentId) -> Contact | None:
        """The contact that an agent has, or is asked about, or takes part in."""
        for contact in self._by_id.values():
            if contact.agent == agent:
                return contact
            if any(party.agent == agent for party in contact.others.values()):
                return contact
        return None

    def hang_up(self, contact: Contact, cause: EndCause) -> None:
        """End the legs that a contact still has; nothing more is heard of them here."""
        for leg in contact.legs:
            if self._by_leg.pop(leg, None) is not None:
                self._control.hang_up(leg, cause)

    def finish(
        self,
        contact: Contact,
        result: ContactResult,
        reason: str,
        *,
        hang_up: EndCause | None = None,
    ) -> None:
        """End a contact: the legs it still has are ended, it is reported and forgotten."""
        if contact.stage is Stage.ENDED:
            return
        if result is ContactResult.DIRECT and contact.served:
            result = ContactResult.ANSWERED
        contact.stage = Stage.ENDED
        self.finished[result] += 1
        now = self._clock.now()
        if contact.held_since is not None:
            contact.held_s += now - contact.held_since
            contact.held_since = None
        if contact.recording is not None:
            self._control.stop_recording(contact.recording)
        self.hang_up(contact, hang_up or EndCause(Result.COMPLETED, reason))
        del self._by_id[contact.id]
        del self._by_call[contact.call]
        self._report(
            ContactFinished(
                contact=contact.id,
                call=contact.call,
                customer_leg=contact.customer_leg,
                at=now,
                result=result,
                reason=reason,
                waited_s=contact.waited_s,
                talked_s=contact.talked_s
                + (0.0 if contact.talking_since is None else now - contact.talking_since),
                held_s=contact.held_s,
                queue=contact.queue,
                agent=contact.agent,
                facts=contact.facts,
            )
        )
        self._pops.forget(contact.id)
        if self.on_finish is not None:
            self.on_finish(contact, reason)
