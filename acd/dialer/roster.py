"""What every agent does, kept from the news of them: a round must not look at thousands each time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Set
from typing import Final

from acd.agents import AgentStatus
from acd.events import AgentStateChanged
from acd.model import AgentId, AgentState, ContactId, QueueName

_TALK: Final = frozenset({AgentState.TALKING, AgentState.HELD})
_CALLED: Final = frozenset({AgentState.RESERVED, AgentState.RINGING})
_STAYS: Final = (None, AgentState.AVAILABLE)


class Roster:
    """Agents by what they do, and since when those are busy. Moments are monotonic seconds."""

    def __init__(self) -> None:
        self._queues: dict[AgentId, tuple[QueueName, ...]] = {}
        self._states: dict[AgentId, AgentState] = {}
        self._since: dict[AgentId, float] = {}
        self._counts: dict[QueueName, Counter[AgentState]] = {}
        self.talking: dict[AgentId, float] = {}
        """Who talks or is called for somebody, since when; not those who leave afterwards."""
        self.wrapping: dict[AgentId, float] = {}
        self.wrap_ups: dict[AgentId, ContactId] = {}
        """Whom an agent in wrap-up talked to."""
        self.taken_over: set[ContactId] = set()
        """Those of an earlier process: a campaign's or not."""

    def load(self, agents: Iterable[AgentStatus]) -> None:
        """Begin with how things are: at the start, and when another process has been taken over."""
        for known in (self._queues, self._states, self._since, self._counts):
            known.clear()
        self.talking.clear()
        self.wrapping.clear()
        self.wrap_ups.clear()
        for each in agents:
            if each.state is AgentState.WRAP_UP and each.contact is not None:
                self.wrap_ups[each.agent] = each.contact
            self._queues[each.agent] = each.queues
            self._states[each.agent] = each.state
            self._since[each.agent] = each.since
            for queue in each.queues:
                self._counts.setdefault(queue, Counter())[each.state] += 1
            self._file(each.agent, stays=each.next_state in _STAYS)
        self.taken_over = set(self.wrap_ups.values())

    def changed(self, event: AgentStateChanged) -> None:
        """An agent does something else, or will afterwards."""
        agent, state = event.agent, event.state
        was = self._states[agent]
        if state is AgentState.WRAP_UP and event.contact is not None:
            self.wrap_ups[agent] = event.contact
        else:
            self.wrap_ups.pop(agent, None)
        if was is not state:
            self._states[agent] = state
            if not ({was, state} <= _TALK or {was, state} <= _CALLED):
                self._since[agent] = event.at
            for queue in self._queues[agent]:
                counts = self._counts[queue]
                counts[was] -= 1
                counts[state] += 1
        self._file(agent, stays=event.next_state in _STAYS)

    def _file(self, agent: AgentId, *, stays: bool) -> None:
        self.talking.pop(agent, None)
        self.wrapping.pop(agent, None)
        state, since = self._states[agent], self._since[agent]
        if stays and (state in _TALK or state in _CALLED):
            self.talking[agent] = since
        elif stays and state is AgentState.WRAP_UP:
            self.wrapping[agent] = since

    def counts(self, queue: QueueName) -> Counter[AgentState]:
        """How many agents of a queue do what."""
        return +self._counts.get(queue, Counter())

    def queues_of(self, agent: AgentId) -> tuple[QueueName, ...]:
        """The queues of an agent."""
        return self._queues[agent]


def ages(busy: Mapping[AgentId, float], among: Set[AgentId], now: float) -> tuple[float, ...]:
    """For how long those of them have been busy who are among these."""
    return tuple(now - since for agent, since in busy.items() if agent in among)
