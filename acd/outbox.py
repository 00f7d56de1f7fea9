"""What a turn produced: actions for the caller of the core, events for everyone else."""

from __future__ import annotations

from collections.abc import Mapping

from acd.actions import Action
from acd.events import AcdEvent
from acd.metrics import Metrics
from acd.model import QueueName
from acd.queues import Queue


class Outbox:
    """Collects actions and events; every event is counted on its way."""

    def __init__(self, metrics: Metrics, queues: Mapping[QueueName, Queue]) -> None:
        self._metrics = metrics
        self._queues = queues
        self._actions: list[Action] = []
        self._events: list[AcdEvent] = []

    def do(self, action: Action) -> None:
        self._actions.append(action)

    def emit(self, event: AcdEvent) -> None:
        self._events.append(event)
        self._metrics.fold(event)

    def close_turn(self, now: float) -> list[Action]:
        """Report the figures that changed, once each, and hand over the actions."""
        metrics = self._metrics
        if metrics.changed_queues:
            for name in metrics.changed_queues:
                tally = metrics.queues[name]
                if tally.is_news():
                    self._events.append(tally.figures(now, self._queues[name].oldest()))
            metrics.changed_queues.clear()
        if metrics.changed_agents:
            for agent in metrics.changed_agents:
                self._events.append(metrics.agents[agent].figures(now))
            metrics.changed_agents.clear()
        actions, self._actions = self._actions, []
        return actions

    def take_events(self) -> list[AcdEvent]:
        events, self._events = self._events, []
        return events
