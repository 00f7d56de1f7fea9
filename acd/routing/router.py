"""Who gets whom: matches waiting contacts and available agents.

Contacts of one queue with the same needs share a *pool*, and so do the agents who can take
them. In a pool somebody waits or somebody is idle, never both: each arrival is matched at once.
So a contact looks at the head of one line, and an agent at the heads of its pools' lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from acd.model import AgentId, AgentSettings, ContactId, QueueName, QueueSettings, SkillNeed
from acd.routing.longest_idle import IdleLine, IdlePlace
from acd.routing.priority import WaitingLine, WaitingPlace
from acd.routing.skills import Needs, covers, merged

_SPARE_POOLS = 64
"""So many pools for contacts with needs of their own are kept although nobody waits in them."""


class Pool:
    """Contacts of one queue with equal needs, and the agents who are right for them."""

    __slots__ = ("idle", "members", "needs", "queue", "waiting")

    def __init__(self, queue: QueueName, needs: Needs, members: frozenset[AgentId]) -> None:
        self.queue = queue
        self.needs = needs
        self.members = members
        self.idle = IdleLine()
        self.waiting = WaitingLine()


class Router:
    """The lines of all pools. Knows nothing of time, calls or states."""

    def __init__(self, agents: Iterable[AgentSettings], queues: Iterable[QueueSettings]) -> None:
        self._agents = {agent.agent: agent for agent in agents}
        self._queues = {queue.queue: queue for queue in queues}
        self._members: dict[QueueName, list[AgentId]] = {name: [] for name in self._queues}
        for agent in self._agents.values():
            for name in agent.queues:
                self._members[name].append(agent.agent)
        self._pools_of: dict[AgentId, list[Pool]] = {name: [] for name in self._agents}
        self._idle_places: dict[AgentId, IdlePlace] = {}
        self._order = 0
        self._own = {
            queue.queue: self._new_pool(queue.queue, merged(queue.skills))
            for queue in self._queues.values()
        }
        self._special: dict[tuple[QueueName, Needs], Pool] = {}

    # --- pools ------------------------------------------------------------------------------

    def pool(self, queue: QueueName, skills: tuple[SkillNeed, ...]) -> Pool:
        """Return the pool for a contact of this queue with these needs of its own."""
        own = self._own[queue]
        if not skills:
            return own
        needs = merged(self._queues[queue].skills, skills)
        if needs == own.needs:
            return own
        pool = self._special.get((queue, needs))
        if pool is None:
            self._drop_spare_pools()
            pool = self._special[queue, needs] = self._new_pool(queue, needs)
        return pool

    def own_pool(self, queue: QueueName) -> Pool:
        """Return the pool of the contacts that need no more than the queue itself does."""
        return self._own[queue]

    def pools(self) -> list[Pool]:
        return [*self._own.values(), *self._special.values()]

    def pools_of(self, agent: AgentId) -> list[Pool]:
        return self._pools_of[agent]

    def _new_pool(self, queue: QueueName, needs: Needs) -> Pool:
        members = frozenset(
            name for name in self._members[queue] if covers(self._agents[name].skills, needs)
        )
        pool = Pool(queue, needs, members)
        for name in members:
            self._pools_of[name].append(pool)
        for place in sorted(self._idle_places[name] for name in members & self._idle_places.keys()):
            pool.idle.add(place)
        return pool

    def _drop_spare_pools(self) -> None:
        if len(self._special) < _SPARE_POOLS:
            return
        for key, pool in list(self._special.items()):
            if not pool.waiting:
                del self._special[key]
                for name in pool.members:
                    self._pools_of[name].remove(pool)

    # --- agents -----------------------------------------------------------------------------

    def add_idle(self, agent: AgentId, since: float) -> IdlePlace:
        """An agent is available, idle since then: it comes after those who are as long."""
        self._order += 1
        place = (since, self._order, agent)
        self.return_idle(place)
        return place

    def place_before(self, agent: AgentId, since: float, order: int) -> IdlePlace:
        """The place an agent had in an earlier process; whoever comes now stands behind it."""
        self._order = max(self._order, order)
        return (since, order, agent)

    def return_idle(self, place: IdlePlace) -> None:
        """An agent is available again, at the place it had."""
        agent = place[2]
        self._idle_places[agent] = place
        for pool in self._pools_of[agent]:
            pool.idle.add(place)

    def remove_idle(self, agent: AgentId) -> None:
        """An agent is no longer available."""
        place = self._idle_places.pop(agent)
        for pool in self._pools_of[agent]:
            pool.idle.remove(place)

    def is_idle(self, agent: AgentId) -> bool:
        return agent in self._idle_places

    def idle_since(self, agent: AgentId) -> float:
        return self._idle_places[agent][0]

    def skills(self, agent: AgentId) -> Mapping[str, int]:
        return self._agents[agent].skills

    # --- matching ---------------------------------------------------------------------------

    def agent_for(self, pool: Pool, preferred: AgentId | None) -> AgentId | None:
        """Return who should take a contact of this pool; None: it has to wait."""
        if preferred is not None and preferred in pool.members and preferred in self._idle_places:
            return preferred
        places = pool.idle.places
        return places[0][2] if places else None

    def contact_for(self, agent: AgentId) -> ContactId | None:
        """Return whom this agent should take: the best score over all its queues."""
        best: WaitingPlace | None = None
        for pool in self._pools_of[agent]:
            first = pool.waiting.first()
            if first is not None and (best is None or first < best):
                best = first
        return None if best is None else best[3]
