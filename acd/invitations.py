"""Whom one may call for a contact, and the call to them: the card first, then the ring."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from acd.actions import Offer
from acd.agent_dial import NUMBER_RING_S
from acd.at_once import AT_ONCE
from acd.consult_state import ConsultState
from acd.contact import Contact, Stage
from acd.distribution import Distribution
from acd.errors import CannotReachError, NotNowError
from acd.model import AgentId, Decision, QueueName
from acd.parties import Parties
from acd.party import Consult, Party
from acd.ports import Destination, NoRoute, Pops, Routes, ToPhone, ToTrunk
from switch.calls.attempt import Rights
from switch.calls.ports import CallControl
from switch.clock import Clock
from switch.trunks.source import Source

PHONE_RING_S: Final = 30.0
"""How long the target's phone rings when it is no agent's."""


class Invitations:
    """Checks targets and calls them: for consultations, supervisors, and who fetches parked calls."""

    def __init__(
        self,
        *,
        parties: Parties,
        distribution: Distribution,
        control: CallControl,
        clock: Clock,
        routes: Routes,
        pops: Pops,
        agents: Mapping[str, AgentId],
    ) -> None:
        """`agents` maps a phone's number to its agent."""
        self._parties = parties
        self._distribution = distribution
        self._control = control
        self._clock = clock
        self._routes = routes
        self._pops = pops
        self._agents = agents

    # --- may it be? -----------------------------------------------------------------------------

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
        target = Party(number=number)
        if isinstance(destination, ToPhone):
            target.agent = self.demand_phone(contact, destination.phone)
        return Consult(state=state, target=target, began_by=contact.agent), destination

    def demand_talk(self, contact: Contact, *, alone: bool = False) -> None:
        """Raise NotNowError unless customer and agent are connected; `alone`: and nobody else is."""
        is_talking = contact.stage in (Stage.TALKING, Stage.DIRECT)
        if not is_talking or contact.agent_leg is None or contact.talking_since is None:
            raise NotNowError("Customer and agent are not connected", contact=contact.id)
        if not contact.customer_answered:
            raise NotNowError("The customer is not connected yet", contact=contact.id)
        has_others = any(party.takes_part for party in contact.others.values())
        if alone and (contact.consult is not None or has_others):
            raise NotNowError("End the consultation or the conference first", contact=contact.id)

    def demand_phone(self, contact: Contact, phone: str, *, own: bool = False) -> AgentId | None:
        """Give the agent of a phone that can be called; `own`: it is the one's who asks.

        Raises CannotReachError.
        """
        agent = self._agents.get(phone)
        taken = {party.number for party in contact.others.values()}
        if phone in taken or (agent is not None and agent == contact.agent):
            raise CannotReachError("That phone is on this call already", number=phone)
        if not self._control.is_reachable(phone):
            raise CannotReachError(
                "Your phone is not registered" if own else "That phone is not registered",
                number=phone,
            )
        if agent is not None and not self._distribution.can_join(agent):
            raise CannotReachError(
                "Your phone is on a call" if own else "That agent is on a call", number=phone
            )
        return agent

    # --- the call -------------------------------------------------------------------------------

    def invite(
        self,
        contact: Contact,
        party: Party,
        destination: Destination,
        *,
        rule: str,
        by: str | None,
        is_wanted: Callable[[], bool],
    ) -> None:
        """Call somebody; an agent with a desk sees the customer's card first.

        `rule` says in the decision why. `by`: who calls, as shown to the one called; None: the
        customer. `is_wanted` is asked when the card has travelled.
        """
        agent = party.agent
        ring_s = PHONE_RING_S if agent is None else self._distribution.ring_timeout_s(agent)

        def call() -> None:
            if is_wanted() and not party.leg:
                self._call(contact, party, destination, ring_s, by)

        if agent is None:
            call()
            return
        decision = Decision(
            contact=contact.id,
            agent=agent,
            queue=contact.queue or QueueName(""),
            rule=rule,
            at=self._clock.now(),
            waited_s=contact.waited_s,
            candidates=(),
        )
        offer = Offer(contact=contact.id, agent=agent, ring_timeout_s=ring_s, decision=decision)
        self._pops.offer(offer, call)

    def call_phone(
        self,
        contact: Contact,
        party: Party,
        phone: str,
        ring_s: float,
        *,
        by: str | None = None,
        rights: Rights | None = None,
    ) -> None:
        """Call a phone now; for `by` see `invite`."""
        party.leg = self._control.call_phone(
            phone,
            call=contact.call,
            caller_number=contact.caller_number if by is None else by,
            caller_name=contact.caller_name if by is None else "",
            ring_timeout_s=ring_s,
            headers={"X-Interaction-Id": contact.id, **(AT_ONCE if party.at_once else {})},
            rights=rights,
        )
        self._parties.add(contact, party)

    def _call(
        self,
        contact: Contact,
        party: Party,
        destination: Destination,
        ring_s: float,
        by: str | None,
    ) -> None:
        own = str(contact.consult.began_by or "") if contact.consult is not None else by or ""
        rights = Rights(Source.PHONE, own)
        if isinstance(destination, ToPhone):
            self.call_phone(contact, party, destination.phone, ring_s, by=by, rights=rights)
        elif isinstance(destination, ToTrunk):
            party.leg = self._control.call_trunk(
                destination.trunk,
                destination.number,
                call=contact.call,
                caller_number=own,
                caller_name="",
                ring_timeout_s=NUMBER_RING_S,
                rights=rights,
            )
            self._parties.add(contact, party)
