"""Agents' phones: whether they can be called, and calls on them that did not come from a queue.

An agent whose phone is on such a call is not offered contacts.
"""

from __future__ import annotations

from collections.abc import Callable

from acd.inputs import Engaged, Input, PhoneReachability, SignOff, SignOn
from acd.model import AgentId, SignedOnBy
from switch.ids import LegId


class Engagements:
    """Counts the live legs of each agent's phone, offers aside."""

    def __init__(self, tell: Callable[[Input], None]) -> None:
        self._tell = tell
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

    def reachable(self, agent: AgentId, is_reachable: bool) -> None:
        """The phone can be called now, or no longer; that may sign the agent on or off."""
        self._tell(PhoneReachability(agent=agent, reachable=is_reachable))
        if is_reachable:
            self._tell(SignOn(agent=agent, by=SignedOnBy.PHONE))
        else:
            self._tell(SignOff(agent=agent, by=SignedOnBy.PHONE))

    def _count(self, agent: AgentId, change: int) -> None:
        count = self._counts.get(agent, 0) + change
        if count:
            self._counts[agent] = count
        else:
            self._counts.pop(agent, None)
        self._tell(Engaged(agent=agent, count=count))
