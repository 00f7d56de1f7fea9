"""Live figures: a fold over the events of the distribution, which holds for replays too."""

from __future__ import annotations

from collections.abc import Iterable

from acd.estimate import WaitHistory
from acd.events import (
    AcdEvent,
    AgentStateChanged,
    ContactAnswered,
    ContactEnded,
    ContactHanded,
    ContactLeft,
    ContactOffered,
    ContactQueued,
    OfferEnded,
)
from acd.model import (
    AgentId,
    AgentSettings,
    AgentState,
    OfferFailure,
    QueueName,
    QueueSettings,
)
from acd.settings import AcdSettings
from acd.tallies import AgentTally, QueueTally

ABANDONED = "abandoned"
"""The reason of `ContactLeft` that the service level counts."""

NOBODYS_FAULT = (OfferFailure.WITHDRAWN, OfferFailure.NO_MEDIA)
"""Failures that are no offer missed by the agent."""

_IN_TALK = (AgentState.TALKING, AgentState.HELD)
_NOT_WORKING = (AgentState.LOGGED_OUT, AgentState.NOT_READY)


class Metrics:
    """Counters of every queue and every agent, and what the wait estimate stands on."""

    def __init__(
        self,
        agents: Iterable[AgentSettings],
        queues: Iterable[QueueSettings],
        settings: AcdSettings,
        now: float,
    ) -> None:
        self._short_s = settings.short_abandon_s
        self.queues = {queue.queue: QueueTally(queue) for queue in queues}
        self.history = {name: WaitHistory(settings) for name in self.queues}
        self.agents: dict[AgentId, AgentTally] = {}
        self._queues_of: dict[AgentId, tuple[QueueName, ...]] = {}
        self.changed_queues: dict[QueueName, None] = {}
        """Queues in which something may have changed; emptied by whoever reports it."""
        self.changed_agents: dict[AgentId, None] = {}
        """Agents whose contact is over; emptied by whoever reports it."""
        for agent in agents:
            self.agents[agent.agent] = AgentTally(agent, now)
            self._queues_of[agent.agent] = agent.queues
            if agent.static:
                self._count_agent(agent.agent, AgentState.LOGGED_OUT, AgentState.AVAILABLE, now)

    def new_day(self, now: float) -> None:
        """Begin the counters anew; who waits or talks now goes on."""
        for queue in self.queues.values():
            queue.day = type(queue.day)()
            self.changed_queues[queue.queue] = None
        for name, agent in self.agents.items():
            if agent.has_news_of_the_day:
                self.changed_agents[name] = None
            agent.new_day(now)

    def fold(self, event: AcdEvent) -> None:
        """Take one event in. `QueueChanged` and `AgentFigures` are results and change nothing."""
        match event:
            case AgentStateChanged():
                self._agent_changed(event)
            case ContactQueued():
                self._queued(event)
            case ContactOffered(queue=queue):
                tally = self.queues[queue]
                tally.waiting -= 1
                tally.offered += 1
                self.changed_queues[queue] = None
            case ContactAnswered():
                self._answered(event)
            case ContactEnded():
                self._ended(event)
            case ContactHanded():
                self._handed(event)
            case OfferEnded():
                self._offer_ended(event)
            case ContactLeft():
                self._left(event)
            case _:
                pass

    def _queued(self, event: ContactQueued) -> None:
        if event.again:
            return  # the end of its offer has counted it as waiting
        tally = self.queues[event.queue]
        tally.waiting += 1
        tally.day.entered += not event.outbound
        self.changed_queues[event.queue] = None

    def _offer_ended(self, event: OfferEnded) -> None:
        tally = self.queues[event.queue]
        tally.offered -= 1
        tally.waiting += 1
        tally.day.failures[event.failure] += 1
        self.changed_queues[event.queue] = None
        if event.failure not in NOBODYS_FAULT:
            self.agents[event.agent].missed += 1
            self.changed_agents[event.agent] = None

    def _answered(self, event: ContactAnswered) -> None:
        tally = self.queues[event.queue]
        tally.offered -= 1
        tally.talking += 1
        if not event.outbound:
            day = tally.day
            day.answered += 1
            day.answered_wait_s += event.waited_s
            if event.waited_s <= tally.settings.service_level_s:
                day.answered_within += 1
            self.history[event.queue].answered(event.waited_s)
        agent = self.agents[event.agent]
        agent.answered += 1
        agent.queue = event.queue
        self.changed_queues[event.queue] = None

    def _left(self, event: ContactLeft) -> None:
        tally = self.queues[event.queue]
        tally.waiting -= 1
        if not event.outbound:
            tally.day.left[event.reason] += 1
            if event.reason == ABANDONED:
                self._abandoned(tally, event.waited_s)
        self.changed_queues[event.queue] = None

    def _abandoned(self, tally: QueueTally, waited_s: float) -> None:
        day = tally.day
        day.abandoned += 1
        day.abandoned_wait_s += waited_s
        if waited_s <= tally.settings.service_level_s:
            day.abandoned_within += 1
        if waited_s <= self._short_s:
            day.abandoned_short += 1
        self.history[tally.queue].gave_up(waited_s)

    def _ended(self, event: ContactEnded) -> None:
        tally = self.queues[event.queue]
        tally.talking -= 1
        if not event.outbound:
            tally.day.ended += 1
            tally.day.talk_s += event.talked_s
            tally.day.held_s += event.held_s
        self.history[event.queue].talk_ended(event.talked_s)
        self.changed_queues[event.queue] = None
        self.changed_agents[event.agent] = None

    def _handed(self, event: ContactHanded) -> None:
        """It counts once for the queue, and for each agent who had it."""
        tally = self.queues[event.queue]
        tally.talking += event.former is None
        tally.day.talk_s += event.talked_s
        tally.day.held_s += event.held_s
        agent = self.agents[event.agent]
        agent.answered += not event.again
        agent.queue = event.queue
        self.changed_queues[event.queue] = None
        if event.former is not None:
            self.changed_agents[event.former] = None

    def _agent_changed(self, event: AgentStateChanged) -> None:
        agent = self.agents[event.agent]
        was, state = event.previous, event.state
        if was is state and state is not AgentState.NOT_READY:
            return  # only what comes afterwards changed
        agent.moved(state, event.reason, event.at)
        if was is state:
            return
        if was is AgentState.WRAP_UP:
            self._wrapped_up(agent, event.previous_for_s)
            self.changed_agents[event.agent] = None
        elif was in _IN_TALK and state not in _IN_TALK and state is not AgentState.WRAP_UP:
            self._wrapped_up(agent, 0.0)
        self._count_agent(event.agent, was, state, event.at)

    def _wrapped_up(self, agent: AgentTally, wrap_up_s: float) -> None:
        if agent.queue is not None:
            self.history[agent.queue].wrapped_up(wrap_up_s)

    def restore_agent(
        self, agent: AgentId, was: AgentState, state: AgentState, reason: str, now: float
    ) -> None:
        """An agent was taken up in another state than it was made in."""
        self.agents[agent].take_up(state, reason, now)
        self._count_agent(agent, was, state, now)

    def _count_agent(self, agent: AgentId, was: AgentState, state: AgentState, at: float) -> None:
        available = (state is AgentState.AVAILABLE) - (was is AgentState.AVAILABLE)
        signed_on = (was is AgentState.LOGGED_OUT) - (state is AgentState.LOGGED_OUT)
        working = (was in _NOT_WORKING) - (state in _NOT_WORKING)
        if not (available or signed_on or working):
            return
        for name in self._queues_of[agent]:
            tally = self.queues[name]
            tally.agents_available += available
            tally.agents_signed_on += signed_on
            self.changed_queues[name] = None
            if working:
                tally.agents_working += working
                self.history[name].staffing_at = at
