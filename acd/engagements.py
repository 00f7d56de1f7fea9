"""Agents' phones: whether they can be called, and calls on them that did not come from a queue.

An agent whose phone is on such a call is not offered contacts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from acd.contact import Stage
from acd.contacts import Contacts
from acd.inputs import Engaged, Input, PhoneReachability, SignOff, SignOn
from acd.model import AgentId, SignedOnBy
from switch.calls.events import LegRedirected, LegStarted, PhoneReachable, PhoneRegisteredAgain
from switch.ids import LegId


class Engagements:
    """Counts the live legs of each agent's phone, offers aside."""

    def __init__(
        self, tell: Callable[[Input], None], contacts: Contacts, agents: Mapping[str, AgentId]
    ) -> None:
        """`agents` maps a phone's number to the agent who uses it."""
        self._tell = tell
        self._contacts = contacts
        self._agents = agents
        self._legs: dict[LegId, AgentId] = {}
        self._counts: dict[AgentId, int] = {}

    def begin(self, leg: LegId, agent: AgentId) -> None:
        """A leg of the agent's phone lives."""
        self._legs[leg] = agent
        self._count(agent, 1)

    def restore(self, leg: LegId, agent: AgentId) -> None:
        """A leg of an earlier process lives; the distribution's own record counts it already."""
        self._legs[leg] = agent
        self._counts[agent] = self._counts.get(agent, 0) + 1

    def end(self, leg: LegId) -> None:
        """A leg ended; of no interest unless it was counted."""
        agent = self._legs.pop(leg, None)
        if agent is not None:
            self._count(agent, -1)

    def leg_started(self, event: LegStarted) -> None:
        """A leg began: of interest if it is of an agent's phone, and not that of an offer."""
        agent = None if event.phone is None else self._agents.get(event.phone)
        if agent is None or self._is_offer(event):
            return
        self.begin(event.leg, agent)

    def _is_offer(self, event: LegStarted) -> bool:
        """True for the leg on which an agent is offered a contact."""
        contact = self._contacts.of_call(event.call)
        return event.outbound and contact is not None and contact.stage is Stage.OFFERED

    def leg_redirected(self, event: LegRedirected) -> None:
        """The call goes to another phone: its agent is on it, and not the one who sent it on."""
        self.end(event.leg)
        agent = None if event.phone is None else self._agents.get(event.phone)
        if agent is not None:
            self.begin(event.leg, agent)

    def phone_reachable(self, event: PhoneReachable) -> None:
        """The phone can be called now, or no longer; that may sign the agent on or off."""
        agent = self._agents.get(event.phone)
        if agent is None:
            return
        self._tell(PhoneReachability(agent=agent, reachable=event.reachable))
        if event.reachable:
            self._tell(SignOn(agent=agent, by=SignedOnBy.PHONE))
        else:
            self._tell(SignOff(agent=agent, by=SignedOnBy.PHONE))

    def phone_registered_again(self, event: PhoneRegisteredAgain) -> None:
        """The phone is there; it may have been taken for lost. Who signed off stays so."""
        agent = self._agents.get(event.phone)
        if agent is not None:
            self._tell(PhoneReachability(agent=agent, reachable=True))

    def _count(self, agent: AgentId, change: int) -> None:
        count = self._counts.get(agent, 0) + change
        if count:
            self._counts[agent] = count
        else:
            self._counts.pop(agent, None)
        self._tell(Engaged(agent=agent, count=count))
