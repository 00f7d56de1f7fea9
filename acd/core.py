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
from collections.abc import Iterable, Mapping
from typing import assert_never

from acd import inputs, invariants
from acd.actions import Action, Announce, CancelOffer, Dismiss, Offer
from acd.agent_state import OFFERED, Effect
from acd.agents import Agent, AgentStatus
from acd.errors import (
    BadSettingsError,
    ContactExistsError,
    UnknownContactError,
    UnknownQueueError,
)
from acd.events import (
    AcdEvent,
    AgentFigures,
    ContactAnswered,
    ContactEnded,
    ContactLeft,
    ContactOffered,
    ContactQueued,
    OfferEnded,
    QueueChanged,
)
from acd.floor import Floor
from acd.inputs import Input
from acd.metrics import ABANDONED, Metrics
from acd.model import (
    AgentId,
    AgentSettings,
    AgentState,
    Candidate,
    ContactId,
    ContactRequest,
    ContactState,
    OfferFailure,
    QueueName,
    QueueSettings,
)
from acd.outbox import Outbox
from acd.queued_contact import ContactStatus, QueuedContact
from acd.queues import Queue
from acd.routing import explain as why
from acd.routing.priority import place_of
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
        self._settings = settings
        self._queues = {queue.queue: Queue(queue) for queue in queue_list}
        self._contacts: dict[ContactId, QueuedContact] = {}
        self._order = 0
        self._timers = Timers()
        self._router = Router(agent_list, queue_list)
        self._metrics = Metrics(agent_list, queue_list, settings, now)
        self._outbox = Outbox(self._metrics, self._queues)
        self._floor = Floor(
            agent_list,
            router=self._router,
            timers=self._timers,
            outbox=self._outbox,
            watchdog_grace_s=settings.watchdog_grace_s,
            now=now,
        )
        self.late_inputs = 0
        """News that came when its subject was gone."""
        self.unheard_offers = 0
        """Offers that the watchdog had to end. Anything but 0 is a fault of the layer above."""

    # --- what goes in -----------------------------------------------------------------------

    def handle(self, what: Input, now: float) -> list[Action]:
        """Take one input in and return what is to be done.

        Raises:
            AcdError: what was asked for is not possible; nothing has changed.
        """
        match what:
            case inputs.Enqueue(request=request):
                self._enqueue(request, now)
            case inputs.OfferRinging():
                self._offer_ringing(what, now)
            case inputs.OfferAccepted():
                self._offer_accepted(what, now)
            case inputs.TalkEnded():
                self._leg_gone(what.contact, ABANDONED, now, by_agent=what.by_agent)
            case inputs.Withdraw():
                self._leg_gone(what.contact, what.reason, now, by_agent=False)
            case inputs.OfferFailed():
                self._offer_failed(what, now)
            case inputs.CustomerHeld():
                self._customer_held(what, now)
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
                self._announce(self._contacts[ContactId(name)], now)
            else:
                self._dismiss(self._contacts[ContactId(name)], now)
            self._serve_freed(now)
        return self._close_turn(now)

    def new_day(self, now: float) -> list[Action]:
        """Begin the counters anew, at midnight. Who waits, talks or works goes on."""
        self._metrics.new_day(now)
        return self._close_turn(now)

    def take_events(self) -> list[AcdEvent]:
        """Return the events since the last call, oldest first."""
        return self._outbox.take_events()

    # --- what can be seen -------------------------------------------------------------------

    def agent(self, agent: AgentId) -> AgentStatus:
        return self._floor.get(agent).status()

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

    def waiting(self, queue: QueueName) -> tuple[ContactId, ...]:
        """Return who waits in a queue, first in line first."""
        return self._queue(queue).waiting()

    def contact(self, contact: ContactId) -> ContactStatus:
        """Return a contact that waits, is offered or talks; raises `UnknownContactError`."""
        found = self._contacts.get(contact)
        if found is None:
            raise UnknownContactError(contact)
        is_waiting = found.state is ContactState.WAITING
        line = self._queues[found.queue].line
        return found.status(line.position(found.place) if is_waiting else None)

    def contacts(self) -> list[ContactStatus]:
        return [self.contact(contact) for contact in self._contacts]

    def wait_s(self, contact: ContactId, now: float) -> float | None:
        """Return the expected further wait of a contact that waits; None: not known."""
        found = self._contacts.get(contact)
        if found is None or found.state is not ContactState.WAITING:
            return None
        return self._expected_wait_s(found, now)

    def check_invariants(self) -> None:
        """Raise `InvariantError` if the state contradicts itself. For tests: it looks at all."""
        invariants.check(
            self._floor.agents,
            self._contacts,
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
            self._take_back(self._contacts[contact], "signed-off", OfferFailure.REJECTED, now)

    def _agent_due(self, agent: Agent, now: float) -> None:
        """The one timer of an agent: what it was for follows from the state."""
        if agent.state is AgentState.WRAP_UP:
            self._floor.finish_wrap_up(agent, now)
        elif agent.state in OFFERED:
            self._offer_unheard_of(agent, now)
        else:
            self._floor.end_pause(agent, now)

    def _serve_freed(self, now: float) -> None:
        """Give those who became available in this turn to those who wait."""
        freed = self._floor.freed
        if not freed:
            return
        for agent in freed:
            if agent.state is AgentState.AVAILABLE:
                found = self._router.contact_for(agent.settings.agent)
                if found is not None:
                    contact = self._contacts[found]
                    self._leave_line(contact)
                    self._offer(contact, agent, why.FIRST_FREE, now)
        freed.clear()

    # --- contacts that wait -----------------------------------------------------------------

    def _enqueue(self, request: ContactRequest, now: float) -> None:
        queue = self._queue(request.queue)
        known = self._contacts.get(request.contact)
        if known is not None:
            raise ContactExistsError(request.contact, known.state.value)
        entered_at = now if request.entered_at is None else min(request.entered_at, now)
        priority = request.priority + queue.settings.priority
        self._order += 1
        contact = QueuedContact(
            request,
            pool=self._router.pool(request.queue, request.skills),
            place=place_of(request.contact, entered_at, priority, self._order),
            priority=priority,
            announce_at=now + queue.settings.announce_first_s,
            now=now,
        )
        self._contacts[contact.id] = contact
        self._wait(contact, now, again=False)

    def _wait(self, contact: QueuedContact, now: float, *, again: bool) -> None:
        """A contact is to have an agent: at once if one is free, else it stands in line."""
        contact.state = ContactState.WAITING
        contact.agent = None
        queue = self._queues[contact.queue]
        self._outbox.emit(
            ContactQueued(
                contact=contact.id,
                queue=contact.queue,
                at=now,
                position=queue.line.position(contact.place),
                priority=contact.priority,
                again=again,
            )
        )
        found = self._router.agent_for(contact.pool, contact.preferred)
        if found is not None:
            rule = why.PREFERRED if found == contact.preferred else why.LONGEST_IDLE
            self._offer(contact, self._floor.agents[found], rule, now)
            return
        queue.add(contact.place)
        contact.pool.waiting.add(contact.place)
        if queue.settings.announce_every_s > 0:
            self._timers.set((Due.ANNOUNCE, contact.id), max(contact.announce_at, now))
        if queue.settings.max_wait_s > 0:
            until = contact.queued_at + queue.settings.max_wait_s
            self._timers.set((Due.DISMISS, contact.id), max(until, now))

    def _leave_line(self, contact: QueuedContact) -> None:
        self._queues[contact.queue].remove(contact.place)
        contact.pool.waiting.remove(contact.place)
        self._timers.cancel((Due.ANNOUNCE, contact.id))
        self._timers.cancel((Due.DISMISS, contact.id))

    def _announce(self, contact: QueuedContact, now: float) -> None:
        queue = self._queues[contact.queue]
        self._outbox.do(
            Announce(
                contact=contact.id,
                position=queue.line.position(contact.place),
                wait_s=self._expected_wait_s(contact, now),
            )
        )
        contact.announce_at = now + queue.settings.announce_every_s
        self._timers.set((Due.ANNOUNCE, contact.id), contact.announce_at)

    def _dismiss(self, contact: QueuedContact, now: float) -> None:
        self._leave_line(contact)
        self._left(contact, "timeout", now)
        self._outbox.do(Dismiss(contact=contact.id, queue=contact.queue, reason="timeout"))

    def _left(self, contact: QueuedContact, reason: str, now: float) -> None:
        """The contact goes without a conversation."""
        self._forget(contact)
        self._outbox.emit(
            ContactLeft(
                contact=contact.id,
                queue=contact.queue,
                at=now,
                waited_s=now - contact.entered_at,
                reason=reason,
            )
        )

    def _expected_wait_s(self, contact: QueuedContact, now: float) -> float | None:
        return self._metrics.history[contact.queue].estimate_s(
            self._queues[contact.queue].line.position(contact.place) - 1,
            serving=self._metrics.queues[contact.queue].agents_working,
            waited_s=now - contact.entered_at,
            now=now,
        )

    # --- contacts that are offered ----------------------------------------------------------

    def _offer(self, contact: QueuedContact, agent: Agent, rule: str, now: float) -> None:
        """Reserve an available agent for a contact that is in no line."""
        name = agent.settings.agent
        decision = why.explain(
            self._router,
            contact.pool,
            contact.id,
            name,
            rule=rule,
            at=now,
            waited_s=now - contact.entered_at,
            at_most=self._settings.candidates,
            preferred=self._preferred_elsewhere(contact, name),
        )
        contact.state = ContactState.OFFERED
        contact.agent = name
        contact.offers += 1
        contact.offered_at = now
        contact.rings_since = None
        self._outbox.emit(
            ContactOffered(
                contact=contact.id, queue=contact.queue, agent=name, at=now, decision=decision
            )
        )
        self._floor.chosen(agent, contact.id, now)
        self._outbox.do(
            Offer(
                contact=contact.id,
                agent=name,
                ring_timeout_s=agent.settings.ring_timeout_s,
                decision=decision,
            )
        )

    def _preferred_elsewhere(self, contact: QueuedContact, chosen: AgentId) -> Candidate | None:
        """Say why the agent that the contact asked for does not get it."""
        wanted = None if contact.preferred is None else self._floor.agents.get(contact.preferred)
        if wanted is None or wanted.settings.agent == chosen:
            return None
        is_member = wanted.settings.agent in contact.pool.members
        reason = wanted.state.value if is_member else "not one who can take it"
        return why.not_to_be_had(self._router, wanted.settings.agent, reason)

    def _standing_offer(self, contact: ContactId, agent: AgentId) -> QueuedContact | None:
        found = self._contacts.get(contact)
        if found is None or found.agent != agent or found.state is not ContactState.OFFERED:
            self.late_inputs += 1
            return None
        return found

    def _offer_ringing(self, what: inputs.OfferRinging, now: float) -> None:
        contact = self._standing_offer(what.contact, what.agent)
        if contact is not None:
            if contact.rings_since is None:
                contact.rings_since = now
            self._floor.ringing(self._floor.agents[what.agent], now)

    def _offer_accepted(self, what: inputs.OfferAccepted, now: float) -> None:
        contact = self._standing_offer(what.contact, what.agent)
        if contact is None:
            known = self._contacts.get(what.contact)
            if known is None or known.agent != what.agent:  # else they talk: said twice
                self._cancel(what.contact, what.agent, "late")
            return
        contact.state = ContactState.TALKING
        contact.answered_at = now
        self._outbox.emit(
            ContactAnswered(
                contact=contact.id,
                queue=contact.queue,
                agent=what.agent,
                at=now,
                waited_s=now - contact.entered_at,
            )
        )
        self._floor.answered(self._floor.agents[what.agent], now)

    def _offer_failed(self, what: inputs.OfferFailed, now: float) -> None:
        contact = self._standing_offer(what.contact, what.agent)
        if contact is None:
            return
        agent = self._floor.agents[what.agent]
        self._offer_ended(contact, what.failure, now)
        if what.failure is OfferFailure.WITHDRAWN:
            self._left(contact, ABANDONED, now)
            self._floor.withdrawn(agent, now)
        else:
            self._floor.missed(agent, what.failure, now)
            self._wait(contact, now, again=True)

    def _offer_unheard_of(self, agent: Agent, now: float) -> None:
        """The layer above lost the offer: free the agent, give the contact to somebody else."""
        assert agent.contact is not None
        contact = self._contacts[agent.contact]
        self.unheard_offers += 1
        level = logging.WARNING if self.unheard_offers == 1 else logging.DEBUG
        log.log(
            level,
            "nothing heard of the offer of contact %s to agent %s in %.0f s; taken back "
            "(further ones are only counted)",
            contact.id,
            agent.settings.agent,
            now - contact.offered_at,
        )
        self._floor.unheard_of(agent, now)
        self._take_back(contact, "unheard-of", OfferFailure.UNREACHABLE, now)

    def _take_back(
        self, contact: QueuedContact, reason: str, failure: OfferFailure, now: float
    ) -> None:
        """End an offer of ours whose agent is free of it already; the contact waits again."""
        assert contact.agent is not None
        self._cancel(contact.id, contact.agent, reason)
        self._offer_ended(contact, failure, now)
        self._wait(contact, now, again=True)

    def _offer_ended(self, contact: QueuedContact, failure: OfferFailure, now: float) -> None:
        assert contact.agent is not None
        rings_since = contact.rings_since
        self._outbox.emit(
            OfferEnded(
                contact=contact.id,
                queue=contact.queue,
                agent=contact.agent,
                at=now,
                failure=failure,
                rang_s=0.0 if rings_since is None else now - rings_since,
            )
        )

    def _cancel(self, contact: ContactId, agent: AgentId, reason: str) -> None:
        self._outbox.do(CancelOffer(contact=contact, agent=agent, reason=reason))

    # --- contacts that talk, and the end of each ----------------------------------------------

    def _customer_held(self, what: inputs.CustomerHeld, now: float) -> None:
        contact = self._contacts.get(what.contact)
        if contact is None or contact.state is not ContactState.TALKING or contact.agent is None:
            self.late_inputs += 1
            return
        if what.held and contact.held_since is None:
            contact.held_since = now
        elif not what.held and contact.held_since is not None:
            contact.held_s += now - contact.held_since
            contact.held_since = None
        self._floor.held(self._floor.agents[contact.agent], now, held=what.held)

    def _leg_gone(self, name: ContactId, reason: str, now: float, *, by_agent: bool) -> None:
        """The contact is over, whatever it was doing."""
        contact = self._contacts.get(name)
        if contact is None:
            self.late_inputs += 1
            return
        agent = None if contact.agent is None else self._floor.agents[contact.agent]
        if agent is None:
            self._leave_line(contact)
            self._left(contact, reason, now)
        elif contact.state is ContactState.OFFERED:
            self._cancel(contact.id, agent.settings.agent, reason)
            self._offer_ended(contact, OfferFailure.WITHDRAWN, now)
            self._left(contact, reason, now)
            self._floor.withdrawn(agent, now)
        else:
            self._end_talk(contact, agent, now, by_agent=by_agent)

    def _end_talk(
        self, contact: QueuedContact, agent: Agent, now: float, *, by_agent: bool
    ) -> None:
        assert contact.answered_at is not None
        held_s = contact.held_s
        if contact.held_since is not None:
            held_s += now - contact.held_since
        self._forget(contact)
        self._outbox.emit(
            ContactEnded(
                contact=contact.id,
                queue=contact.queue,
                agent=agent.settings.agent,
                at=now,
                talked_s=now - contact.answered_at,
                held_s=held_s,
                by_agent=by_agent,
            )
        )
        self._floor.talk_ended(agent, now)

    def _forget(self, contact: QueuedContact) -> None:
        contact.state = ContactState.ENDED
        del self._contacts[contact.id]

    # --- each turn ----------------------------------------------------------------------------

    def _queue(self, queue: QueueName) -> Queue:
        try:
            return self._queues[queue]
        except KeyError:
            raise UnknownQueueError(queue) from None

    def _close_turn(self, now: float) -> list[Action]:
        self._serve_freed(now)
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
