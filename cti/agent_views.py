"""The agents as the public sees them, and their own numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace

from acd.agents import AgentStatus
from acd.events import AgentFigures, AgentStateChanged
from acd.model import AgentSettings, AgentState
from cti.bus import Bus
from cti.schema import AgentFiguresView, AgentView, EventType


class AgentViews:
    """A view of every configured agent. Publishes what changes."""

    def __init__(
        self,
        *,
        bus: Bus,
        wall_of: Callable[[float], float],
        agents: Iterable[AgentSettings],
        at: float,
    ) -> None:
        """`at` is the start, monotonic; static agents are available from then on."""
        self._bus = bus
        self._wall_of = wall_of
        self._views: dict[str, AgentView] = {}
        self._static: set[str] = set()
        since = wall_of(at)
        for agent in sorted(agents, key=lambda each: each.agent):
            if agent.static:
                self._static.add(agent.agent)
            self._views[agent.agent] = AgentView(
                agent_id=agent.agent,
                name=agent.name,
                state=AgentState.AVAILABLE if agent.static else AgentState.LOGGED_OUT,
                reason="static" if agent.static else "",
                since=since,
                queues=tuple(agent.queues),
                phone_reachable=agent.static,
            )

    def agent(self, agent_id: str) -> AgentView:
        """One agent. Raises KeyError for one that is not configured."""
        return self._views[agent_id]

    def get(self, agent_id: str | None) -> AgentView | None:
        """One agent, or None."""
        return None if agent_id is None else self._views.get(agent_id)

    def by_state(self) -> dict[str, int]:
        """How many agents are in each state; every state is named."""
        counted = Counter(view.state for view in self._views.values())
        return {state.value: counted[state.value] for state in AgentState}

    def shown(self) -> tuple[AgentView, ...]:
        """Those worth a line on a screen, by number: people, and static agents that are busy."""
        return tuple(
            view
            for agent_id, view in self._views.items()
            if agent_id not in self._static or view.state != AgentState.AVAILABLE
        )

    def changed(self, event: AgentStateChanged) -> AgentView:
        """Take a new state; gives the view as it was before."""
        at = self._wall_of(event.at)
        old = self._views[event.agent]
        same = (event.state, event.reason) == (old.state, old.reason)
        view = AgentView(
            agent_id=event.agent,
            name=old.name,
            state=event.state,
            reason=event.reason,
            since=old.since if same else at,
            queues=old.queues,
            interaction_id=event.contact,
            until=None if event.until is None else self._wall_of(event.until),
            next_state=event.next_state,
            phone_reachable=old.phone_reachable,
            desk_connected=old.desk_connected,
        )
        self._publish(view, at)
        return old

    def restore(self, status: AgentStatus) -> None:
        """Take up an agent as an earlier process left it; nothing is published."""
        self._views[status.agent] = replace(
            self._views[status.agent],
            state=status.state,
            reason=status.reason,
            since=self._wall_of(status.since),
            interaction_id=status.contact,
            until=None if status.until is None else self._wall_of(status.until),
            next_state=status.next_state,
            phone_reachable=status.phone_reachable,
            desk_connected=status.desk_connected,
        )

    def presence(
        self, agent_id: str, at: float, *, phone: bool | None = None, desk: bool | None = None
    ) -> None:
        """The agent's phone or desk came or went."""
        old = self._views[agent_id]
        view = replace(
            old,
            phone_reachable=old.phone_reachable if phone is None else phone,
            desk_connected=old.desk_connected if desk is None else desk,
        )
        if view != old:
            self._publish(view, self._wall_of(at))

    def figures_changed(self, event: AgentFigures) -> None:
        """Publish new numbers."""
        self._bus.publish(
            EventType.AGENT_FIGURES,
            figures_view(event),
            agent_id=event.agent,
            at=self._wall_of(event.at),
        )

    def _publish(self, view: AgentView, at: float) -> None:
        self._views[view.agent_id] = view
        self._bus.publish(
            EventType.AGENT_STATE_CHANGED,
            view,
            agent_id=view.agent_id,
            interaction_id=view.interaction_id,
            at=at,
        )


def figures_view(event: AgentFigures) -> AgentFiguresView:
    """An agent's numbers in public words."""
    return AgentFiguresView(
        agent_id=event.agent,
        answered=event.answered,
        missed=event.missed,
        talk_s=event.talk_s,
        hold_s=event.hold_s,
        wrap_up_s=event.wrap_up_s,
        not_ready_s=dict(event.not_ready_s),
        signed_on_s=event.signed_on_s,
        occupancy=event.occupancy,
    )
