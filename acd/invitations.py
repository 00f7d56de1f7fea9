"""Whom an agent may call for a contact, and the call to them: the card first, then the ring."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from acd.actions import Offer
from acd.agent_dial import NUMBER_RING_S
from acd.consult_state import ConsultState
from acd.contact import Contact, Stage
from acd.contacts import Contacts
from acd.distribution import Distribution
from acd.errors import CannotReachError, NotNowError
from acd.model import AgentId, Decision, QueueName
from acd.party import Consult, Party
from acd.ports import Destination, NoRoute, Pops, Routes, ToPhone, ToTrunk
from switch.calls.attempt import Rights
from switch.calls.ports import CallControl
from switch.clock import Clock
from switch.trunks.source import Source

PHONE_RING_S: Final = 30.0
"""How long the target's phone rings when it is no agent's."""


class Invitations:
    """Checks targets and calls them."""

    def __init__(
        self,
        *,
        contacts: Contacts,
        distribution: Distribution,
        control: CallControl,
        clock: Clock,
        routes: Routes,
        pops: Pops,
        agents: Mapping[str, AgentId],
        called: Callable[[Contact, Party], None],
    ) -> None:
        """`agents` maps a phone's number to its agent; `called` is told of each call that began."""
        self._contacts = contacts
        self._distribution = distribution
        self._control = control
        self._clock = clock
        self._routes = routes
        self._pops = pops
        self._agents = agents
        self._called = called

    def prepare(
        self, contact: Contact, number: str, state: ConsultState
    ) -> tuple[Consult, ToPhone | ToTrunk]:
        """A consultation to begin, and where its target is. Raises NotNowError, CannotReachError."""
        self.demand_talk(contact)
        if contact.consult is not None:
            raise NotNowError("Somebody is consulted already", contact=contact.id)
        destination = self._routes.destination(contact.agent, number)
        if isinstance(destination, NoRoute):
            raise CannotReachError(destination.reason, number=number)
        agent = None
        if isinstance(destination, ToPhone):
            agent = self._agents.get(destination.phone)
            self._demand_phone(contact, destination.phone, agent)
        target = Party(number=number, agent=agent)
        return Consult(state=state, target=target, began_by=contact.agent), destination

    def demand_talk(self, contact: Contact) -> None:
        """Raise NotNowError unless customer and agent are connected."""
        is_talking = contact.stage in (Stage.TALKING, Stage.DIRECT)
        if not is_talking or contact.agent_leg is None or contact.talking_since is None:
            raise NotNowError("Customer and agent are not connected", contact=contact.id)
        if not contact.customer_answered:
            raise NotNowError("The customer is not connected yet", contact=contact.id)

    def _demand_phone(self, contact: Contact, phone: str, agent: AgentId | None) -> None:
        taken = {party.number for party in contact.others.values()}
        if phone in taken or (contact.agent is not None and agent == contact.agent):
            raise CannotReachError("That phone is on this call already", number=phone)
        if not self._control.is_reachable(phone):
            raise CannotReachError("That phone is not registered", number=phone)
        if agent is not None and not self._distribution.can_join(agent):
            raise CannotReachError("That agent is on a call", number=phone)

    def invite(self, contact: Contact, consult: Consult, destination: Destination) -> None:
        """Call the target; an agent with a desk sees the customer's card first."""
        agent = consult.target.agent
        ring_s = PHONE_RING_S if agent is None else self._distribution.ring_timeout_s(agent)

        def call() -> None:
            if contact.consult is consult and not consult.target.leg:
                self._call(contact, consult, destination, ring_s)

        if agent is None:
            call()
            return
        now = self._clock.now()
        decision = Decision(
            contact=contact.id,
            agent=agent,
            queue=contact.queue or QueueName(""),
            rule="transfer" if consult.state is ConsultState.HANDING else "consultation",
            at=now,
            waited_s=contact.waited_s,
            candidates=(),
        )
        offer = Offer(contact=contact.id, agent=agent, ring_timeout_s=ring_s, decision=decision)
        self._pops.offer(offer, call)

    def _call(
        self, contact: Contact, consult: Consult, destination: Destination, ring_s: float
    ) -> None:
        target, caller = consult.target, str(consult.began_by or "")
        if isinstance(destination, ToPhone):
            is_blind = consult.state is ConsultState.HANDING
            target.leg = self._control.call_phone(
                destination.phone,
                call=contact.call,
                caller_number=contact.caller_number if is_blind else caller,
                caller_name=contact.caller_name if is_blind else "",
                ring_timeout_s=ring_s,
                headers={"X-Interaction-Id": contact.id},
                rights=Rights(Source.PHONE, caller),
            )
        elif isinstance(destination, ToTrunk):
            target.leg = self._control.call_trunk(
                destination.trunk,
                destination.number,
                call=contact.call,
                caller_number=caller,
                caller_name="",
                ring_timeout_s=NUMBER_RING_S,
                rights=Rights(Source.PHONE, caller),
            )
        contact.others[target.leg] = target
        self._contacts.bind(target.leg, contact)
        self._called(contact, target)
