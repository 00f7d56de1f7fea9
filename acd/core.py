"""The distribution: who waits, who is free, who gets whom.

A pure core. Inputs and the time go in by `handle` and `handle_timer`, actions come back, events
are fetched by `take_events`. Nothing here does I/O or reads a clock.

What is refused and what is ignored:

- An agent or queue that is not configured raises, as does a contact that is here already: the
  sender is mistaken. Nothing has changed then.
- News of a contact that is gone, or of an offer that no longer stands, is late and ignored
  (`late_inputs` counts it): signalling crosses. Only an answer to such an offer is acted on:
  `CancelOffer` says to hang up on that agent.
- `Withdraw` of a contact that talks ends the talk, and `TalkEnded` of one that does not talk
  yet withdraws it as `abandoned`: either way its leg is gone, and the state follows the leg.
- `OfferFailed(WITHDRAWN)` for an offer that stands means that the caller is gone, as
  `Withdraw(abandoned)`. If it left for another reason, say `Withdraw` first.
- A wrap-up that is finished or extended after it ended is ignored.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Mapping
from typing import assert_never

from acd import inputs, invariants
from acd.actions import Action
from acd.agent_state import JOINABLE, OFFERED, Effect
from acd.agents import Agent, AgentStatus
from acd.errors import (
    BadSettingsError,
    UnknownContactError,
    UnknownQueueError,
)
from acd.events import (
    AcdEvent,
    AgentFigures,
    QueueChanged,
)
from acd.floor import Floor
from acd.inputs import Input
from acd.metrics import ABANDONED, Metrics
from acd.model import (
    AgentId,
    AgentSettings,
    AgentState,
    ContactId,
    ContactState,
    OfferFailure,
    QueueName,
    QueueSettings,
)
from acd.outbox import Outbox
from acd.queued_contact import ContactStatus
from acd.queued_contacts import QueuedContacts
from acd.queues import Queue
from acd.restoring import Core
from acd.routing.longest_idle import IdlePlace
from acd.routing.priority import POINT_S
from acd.routing.router import Router
from acd.settings import AcdSettings
from acd.tallies import DayCounters
from acd.timers import Due, Timers

log = logging.getLogger(__name__)

_AgentNews = (
    inputs.SignOn
    | inputs.SignOff
    | inputs.SetReady
    | inputs.SetNotReady
    | inputs.FinishWrapUp
    | inputs.ExtendWrapUp
    | inputs.PhoneReachability
    | inputs.Engaged
)


class Acd:
    """Agents, queues and contacts, and the matching between them.

    `now` is monotonic seconds and must not go back. After every call that takes `now` fetch
    the events with `take_events` and set the timer by `get_timer`. At the start everybody is
    logged-out but the static agents, who are available; there is no event for that.
    """

    def __init__(
        self,
        *,
        agents: Iterable[AgentSettings],
        queues: Iterable[QueueSettings],
        settings: AcdSettings,
        now: float,
    ) -> None:
        agent_list, queue_list = list(agents), list(queues)
        _check_settings(agent_list, queue_list)
        self._queues = {queue.queue: Queue(queue) for queue in queue_list}
        self._timers = Timers()
        self._router = Router(agent_list, queue_list)
        self._metrics = Metrics(agent_list, queue_list, settings, now)
        self._outbox = Outbox(self._metrics, self._queues, self._timers, settings.queue_news_s)
        self._floor = Floor(
            agent_list,
            router=self._router,
            timers=self._timers,
            outbox=self._outbox,
            watchdog_grace_s=settings.watchdog_grace_s,
            now=now,
        )
        self._contacts = QueuedContacts(
            queues=self._queues,
            floor=self._floor,
            router=self._router,
            timers=self._timers,
            outbox=self._outbox,
            metrics=self._metrics,
            settings=settings,
        )

    # --- what goes in -----------------------------------------------------------------------

    def handle(self, what: Input, now: float) -> list[Action]:
        """Take one input in and return what is to be done.

        Raises:
            AcdError: what was asked for is not possible; nothing has changed.
        """
        match what:
            case inputs.Enqueue(request=request):
                self._contacts.enqueue(request, now)
            case inputs.OfferRinging():
                self._contacts.offer_ringing(what, now)
            case inputs.OfferAccepted():
                self._contacts.offer_accepted(what, now)
            case inputs.TalkEnded():
                self._contacts.leg_gone(what.contact, ABANDONED, now, by_agent=what.by_agent)
            case inputs.Withdraw():
                self._contacts.leg_gone(
                    what.contact, what.reason, now, by_agent=False, is_unheeded=what.is_unheeded
                )
            case inputs.OfferFailed():
                self._contacts.offer_failed(what, now)
            case inputs.OfferMoved():
                self._contacts.offer_moved(what, now)
            case inputs.Handed():
                self._contacts.handed(what, now)
            case inputs.CustomerHeld():
                self._contacts.customer_held(what, now)
            case _:
                self._agent_input(what, now)
        return self._close_turn(now)

    def get_timer(self) -> float | None:
        """Return when `handle_timer` wants to be called; None: not before the next input."""
        return self._timers.next()

    def handle_timer(self, now: float) -> list[Action]:
        """Do what is due. Harmless when nothing is."""
        while (key := self._timers.pop_due(now)) is not None:
            due, name = key
            if due is Due.AGENT:
                self._agent_due(self._floor.agents[AgentId(name)], now)
            elif due is Due.ANNOUNCE:
                self._contacts.announce(self._contacts.live[ContactId(name)], now)
            elif due is Due.NEWS:
                self._outbox.news_due(QueueName(name))
            elif due is Due.REST:
                self._contacts.end_rest(self._contacts.live[ContactId(name)], now)
            else:
                self._contacts.dismiss(self._contacts.live[ContactId(name)], now)
            self._contacts.serve_freed(now)
        return self._close_turn(now)

    def new_day(self, now: float) -> list[Action]:
        """Begin the counters anew, at midnight. Who waits, talks or works goes on."""
        self._metrics.new_day(now)
        return self._close_turn(now)

    def take_events(self) -> list[AcdEvent]:
        """Return the events since the last call, oldest first."""
        return self._outbox.take_events()

    # --- over a restart ---------------------------------------------------------------------

    @property
    def parts(self) -> Core:
        """The state, to be described or restored by `acd.restoring`."""
        return Core(
            floor=self._floor,
            contacts=self._contacts,
            queues=self._queues,
            router=self._router,
            timers=self._timers,
            metrics=self._metrics,
        )

    def resume(self, now: float) -> list[Action]:
        """After restoring: who waits beside somebody available after all is served."""
        self._floor.freed += [
            agent for agent in self._floor.agents.values() if agent.state is AgentState.AVAILABLE
        ]
        return self._close_turn(now)

    # --- what can be seen -------------------------------------------------------------------

    def agent(self, agent: AgentId) -> AgentStatus:
        return self._floor.get(agent).status()

    def is_at_desk(self, agent: AgentId) -> bool:
        """Whether the agent is signed on at a desk, where it sees what is shown to it."""
        return self._floor.get(agent).desk

    def can_join(self, agent: AgentId) -> bool:
        """Whether the agent can take a conversation over: it is offered nothing and has none."""
        return self._floor.get(agent).state in JOINABLE

    def priority_of_head(self, queue: QueueName, entered_at: float) -> int:
        """The least priority that puts a contact that entered then before all who wait."""
        line = self._queue(queue).line
        first = line.first()
        if first is None:
            return 0
        ahead = math.floor((entered_at - first[0]) / POINT_S) + 1
        return max(0, ahead - self._queue(queue).settings.priority)

    def may_pick_up(self, agent: AgentId, contact: ContactId) -> bool:
        """Whether a contact rings at another agent of a queue that this one serves, and it is free."""
        found = self._contacts.live.get(contact)
        taker = self._floor.get(agent)
        return (
            found is not None
            and found.state is ContactState.OFFERED
            and found.agent != agent
            and not found.only_preferred
            and found.queue in taker.settings.queues
            and taker.signed_on
            and taker.state in JOINABLE
        )

    def colleagues(self, agent: AgentId) -> list[AgentId]:
        """The others who serve a queue that this agent serves."""
        queues = set(self._floor.get(agent).settings.queues)
        return [
            name
            for name, each in self._floor.agents.items()
            if name != agent and not queues.isdisjoint(each.settings.queues)
        ]

    def ring_timeout_s(self, agent: AgentId) -> float:
        """How long an offer rings at this agent."""
        return self._floor.get(agent).settings.ring_timeout_s

    def agents(self) -> list[AgentStatus]:
        return [agent.status() for agent in self._floor.agents.values()]

    def agent_figures(self, agent: AgentId, now: float) -> AgentFigures:
        self._floor.get(agent)
        return self._metrics.agents[agent].figures(now)

    def queue(self, queue: QueueName, now: float) -> QueueChanged:
        """Return the live figures of a queue, as the event of the same name reports them."""
        return self._metrics.queues[queue].figures(now, self._queue(queue).oldest())

    def queues(self, now: float) -> list[QueueChanged]:
        return [self.queue(name, now) for name in self._queues]

    def day(self, queue: QueueName) -> DayCounters:
        """Return every counter of a queue's day, for other formulas of the service level."""
        self._queue(queue)
        return self._metrics.queues[queue].day

    def idle(self, queue: QueueName, most: int) -> list[IdlePlace]:
        """Return who is free for a queue, longest first."""
        self._queue(queue)
        return self._router.own_pool(queue).idle.first(most)

    def members(self, queue: QueueName) -> frozenset[AgentId]:
        """Return who is right for the contacts of a queue that need no more than it does."""
        self._queue(queue)
        return self._router.own_pool(queue).members

    def waiting(self, queue: QueueName) -> tuple[ContactId, ...]:
        """Return who waits in a queue, first in line first."""
        return self._queue(queue).waiting()

    def contact(self, contact: ContactId) -> ContactStatus:
        """Return a contact that waits, is offered or talks; raises `UnknownContactError`."""
        found = self._contacts.live.get(contact)
        if found is None:
            raise UnknownContactError(contact)
        is_waiting = found.state is ContactState.WAITING
        line = self._queues[found.queue].line
        return found.status(line.position(found.place) if is_waiting else None)

    def has(self, contact: ContactId) -> bool:
        """Whether a contact waits, is offered or talks."""
        return contact in self._contacts.live

    def contacts(self) -> list[ContactStatus]:
        return [self.contact(contact) for contact in self._contacts.live]

    def wait_s(self, contact: ContactId, now: float) -> float | None:
        """Return the expected further wait of a contact that waits; None: not known."""
        found = self._contacts.live.get(contact)
        if found is None or found.state is not ContactState.WAITING:
            return None
        return self._contacts.expected_wait_s(found, now)

    @property
    def late_inputs(self) -> int:
        """News that came when its subject was gone."""
        return self._contacts.late_inputs

    @property
    def unheard_offers(self) -> int:
        """Offers that the watchdog had to end. Anything but 0 is a fault of the layer above."""
        return self._contacts.unheard_offers

    def check_invariants(self) -> None:
        """Raise `InvariantError` if the state contradicts itself. For tests: it looks at all."""
        invariants.check(
            self._floor.agents,
            self._contacts.live,
            self._queues,
            self._router,
            self._metrics,
            self._timers,
        )

    # --- agents -----------------------------------------------------------------------------

    def _agent_input(self, what: _AgentNews, now: float) -> None:
        floor = self._floor
        agent = floor.get(what.agent)
        match what:
            case inputs.SignOn():
                floor.sign_on(agent, what.by, now, ready=what.ready)
            case inputs.SignOff():
                self._sign_off(agent, what, now)
            case inputs.SetReady():
                floor.set_ready(agent, now)
            case inputs.SetNotReady():
                floor.set_not_ready(agent, what.reason, now)
            case inputs.FinishWrapUp():
                floor.finish_wrap_up(agent, now)
            case inputs.ExtendWrapUp():
                floor.extend_wrap_up(agent, now)
            case inputs.PhoneReachability():
                floor.set_reachable(agent, now, reachable=what.reachable)
            case inputs.Engaged():
                floor.set_engaged(agent, now, engaged=what.count > 0)
            case _:
                assert_never(what)

    def _sign_off(self, agent: Agent, what: inputs.SignOff, now: float) -> None:
        contact = agent.contact
        effects = self._floor.sign_off(agent, what.by, now)
        if Effect.CANCEL_OFFER in effects and contact is not None:
            self._contacts.take_back(
                self._contacts.live[contact], "signed-off", OfferFailure.REJECTED, now
            )

    def _agent_due(self, agent: Agent, now: float) -> None:
        """The one timer of an agent: what it was for follows from the state.

        A wrap-up and a pause are over at their end, also when the timer comes long after it because the
        server was down meanwhile; an offer is taken back now.
        """
        if agent.state in OFFERED:
            self._contacts.offer_unheard_of(agent, now)
            return
        is_wrap_up = agent.state is AgentState.WRAP_UP
        end = agent.until if is_wrap_up else agent.pause_until
        over = now if end is None else max(end, agent.since)
        if is_wrap_up:
            self._floor.finish_wrap_up(agent, over)
        else:
            self._floor.end_pause(agent, over)

    # --- each turn ----------------------------------------------------------------------------

    def _queue(self, queue: QueueName) -> Queue:
        try:
            return self._queues[queue]
        except KeyError:
            raise UnknownQueueError(queue) from None

    def _close_turn(self, now: float) -> list[Action]:
        self._contacts.serve_freed(now)
        return self._outbox.close_turn(now)


def _check_settings(agents: list[AgentSettings], queues: list[QueueSettings]) -> None:
    names: Mapping[QueueName, QueueSettings] = {queue.queue: queue for queue in queues}
    if len(names) != len(queues):
        raise BadSettingsError("a queue is configured twice")
    seen: set[AgentId] = set()
    for agent in agents:
        if agent.agent in seen:
            raise BadSettingsError(f"agent {agent.agent} is configured twice", agent=agent.agent)
        seen.add(agent.agent)
        for queue in agent.queues:
            if queue not in names:
                raise BadSettingsError(
                    f"agent {agent.agent} is in queue {queue!r}, which is not configured",
                    agent=agent.agent,
                    queue=queue,
                )
