"""What a turn produced: actions for the caller of the core, events for everyone else."""

from __future__ import annotations

from collections.abc import Mapping

from acd.actions import Action
from acd.events import AcdEvent
from acd.metrics import Metrics
from acd.model import QueueName
from acd.queues import Queue
from acd.timers import Due, Timers


class Outbox:
    """Collects actions and events; every event is counted on its way."""

    def __init__(
        self,
        metrics: Metrics,
        queues: Mapping[QueueName, Queue],
        timers: Timers,
        queue_news_s: float,
    ) -> None:
        """`queue_news_s` is the least time between two reports of one queue."""
        self._metrics = metrics
        self._queues = queues
        self._timers = timers
        self._queue_news_s = queue_news_s
        self._quiet_until: dict[QueueName, float] = {}
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
                self._report_queue(name, now)
            metrics.changed_queues.clear()
        if metrics.changed_agents:
            for agent in metrics.changed_agents:
                self._events.append(metrics.agents[agent].figures(now))
            metrics.changed_agents.clear()
        actions, self._actions = self._actions, []
        return actions

    def news_due(self, queue: QueueName) -> None:
        """What was kept back of a queue may be reported now."""
        self._metrics.changed_queues[queue] = None

    def _report_queue(self, name: QueueName, now: float) -> None:
        """Many calls a second change a queue's figures faster than anybody can read them."""
        quiet_until = self._quiet_until.get(name)
        if quiet_until is not None and now < quiet_until:
            if self._timers.when((Due.NEWS, name)) is None:
                self._timers.set((Due.NEWS, name), quiet_until)
            return
        tally = self._metrics.queues[name]
        if tally.is_news():
            self._events.append(tally.figures(now, self._queues[name].oldest()))
            if self._queue_news_s:
                self._quiet_until[name] = now + self._queue_news_s

    def take_events(self) -> list[AcdEvent]:
        events, self._events = self._events, []
        return events
