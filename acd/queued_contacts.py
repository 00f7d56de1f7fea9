"""The contacts of the core: they wait, are offered, talk, and go."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from acd import inputs
from acd.actions import Announce, CancelOffer, Dismiss, Offer
from acd.agents import Agent
from acd.errors import ContactExistsError, UnknownQueueError
from acd.events import ContactHanded
from acd.floor import Floor
from acd.metrics import ABANDONED, Metrics
from acd.model import (
    AgentId,
    AgentState,
    ContactId,
    ContactRequest,
    ContactState,
    OfferFailure,
    QueueName,
)
from acd.outbox import Outbox
from acd.queued_contact import QueuedContact, in_talk
from acd.queues import Queue
from acd.routing import explain as why
from acd.routing.priority import place_of
from acd.routing.router import Router
from acd.settings import AcdSettings
from acd.timers import Due, Timers

log = logging.getLogger(__name__)


class QueuedContacts:
    """All contacts that wait, are offered or talk, each by its id in `live`.

    Counts on the way: `late_inputs` and `unheard_offers` (see `acd.core.Acd`).
    """

    def __init__(
        self,
        *,
        queues: Mapping[QueueName, Queue],
        floor: Floor,
        router: Router,
        timers: Timers,
        outbox: Outbox,
        metrics: Metrics,
        settings: AcdSettings,
    ) -> None:
        self._queues = queues
        self._floor = floor
        self._router = router
        self._timers = timers
        self._outbox = outbox
        self._metrics = metrics
        self._settings = settings
        self._order = 0
        self.live: dict[ContactId, QueuedContact] = {}
        self.late_inputs = 0
        self.unheard_offers = 0

    # --- contacts that wait -----------------------------------------------------------------

    def enqueue(self, request: ContactRequest, now: float) -> None:
        """A contact enters a queue. Raises if the queue is unknown or the contact is here."""
        queue = self._queues.get(request.queue)
        if queue is None:
            raise UnknownQueueError(request.queue)
        known = self.live.get(request.contact)
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
        self.live[contact.id] = contact
        self._wait(contact, now, again=False)

    def restore(self, contact: QueuedContact, now: float) -> None:
        """A contact of an earlier process is here again, in the state it was in."""
        self._order = max(self._order, contact.place[2])
        self.live[contact.id] = contact
        if contact.state is ContactState.WAITING:
            contact.resting = contact.dead_offers >= self._settings.dead_offers
            self._stand_in_line(contact, now)

    def _wait(self, contact: QueuedContact, now: float, *, again: bool) -> None:
        """A contact is to have an agent: at once if one is free, else it stands in line."""
        contact.state = ContactState.WAITING
        contact.agent = None
        if again and contact.skills:
            # While nobody waited in its pool the router may have dropped it.
            contact.pool = self._router.pool(contact.queue, contact.skills)
        queue = self._queues[contact.queue]
        position = queue.line.position(contact.place)
        self._outbox.emit(contact.queued(position, now, again=again))
        contact.resting = contact.dead_offers >= self._settings.dead_offers
        if contact.only_preferred:
            if again or not self._offer_to_idle(contact, now):
                self._left(contact, "agent-gone", now)
                dismiss = Dismiss(contact=contact.id, queue=contact.queue, reason="agent-gone")
                self._outbox.do(dismiss)
        elif contact.resting or not self._offer_to_idle(contact, now):
            self._stand_in_line(contact, now)

    def _stand_in_line(self, contact: QueuedContact, now: float) -> None:
        """It waits: in its queue's line, and in its pool's unless it rests."""
        if contact.resting:
            self._timers.set((Due.REST, contact.id), now + self._settings.rest_s)
        else:
            contact.pool.waiting.add(contact.place)
        queue = self._queues[contact.queue]
        queue.add(contact.place, contact.waits_since)
        if queue.settings.announce_every_s > 0:
            self._timers.set((Due.ANNOUNCE, contact.id), max(contact.announce_at, now))
        if queue.settings.max_wait_s > 0:
            until = contact.queued_at + queue.settings.max_wait_s
            self._timers.set((Due.DISMISS, contact.id), max(until, now))

    def _offer_to_idle(self, contact: QueuedContact, now: float) -> bool:
        """Offer it to an agent who is free, if there is one; it must stand in no line."""
        found = self._router.agent_for(contact.pool, contact.preferred)
        if found is None or (contact.only_preferred and found != contact.preferred):
            return False
        rule = why.PREFERRED if found == contact.preferred else why.LONGEST_IDLE
        self._offer(contact, self._floor.agents[found], rule, now)
        return True

    def end_rest(self, contact: QueuedContact, now: float) -> None:
        """A contact has rested: it is to have an agent again."""
        self._leave_line(contact)
        contact.dead_offers = 0
        self._wait(contact, now, again=True)

    def _leave_line(self, contact: QueuedContact) -> None:
        self._queues[contact.queue].remove(contact.place, contact.waits_since)
        if contact.resting:
            contact.resting = False
            self._timers.cancel((Due.REST, contact.id))
        else:
            contact.pool.waiting.remove(contact.place)
        self._timers.cancel((Due.ANNOUNCE, contact.id))
        self._timers.cancel((Due.DISMISS, contact.id))

    def announce(self, contact: QueuedContact, now: float) -> None:
        """Tell a contact that waits where it stands, and when to do so again."""
        queue = self._queues[contact.queue]
        self._outbox.do(
            Announce(
                contact=contact.id,
                position=queue.line.position(contact.place),
                wait_s=self.expected_wait_s(contact, now),
            )
        )
        contact.announce_at = now + queue.settings.announce_every_s
        self._timers.set((Due.ANNOUNCE, contact.id), contact.announce_at)

    def dismiss(self, contact: QueuedContact, now: float) -> None:
        """Let go of a contact that waited as long as its queue allows."""
        self._leave_line(contact)
        self._left(contact, "timeout", now)
        self._outbox.do(Dismiss(contact=contact.id, queue=contact.queue, reason="timeout"))

    def _left(self, contact: QueuedContact, reason: str, now: float) -> None:
        """The contact goes without a conversation."""
        self._forget(contact)
        self._outbox.emit(contact.left(reason, now))

    def expected_wait_s(self, contact: QueuedContact, now: float) -> float | None:
        """Return the further wait of a contact that waits; None: not known."""
        return self._metrics.history[contact.queue].estimate_s(
            self._queues[contact.queue].line.position(contact.place) - 1,
            serving=self._metrics.queues[contact.queue].agents_working,
            waited_s=now - contact.waits_since,
            now=now,
        )

    # --- contacts that are offered ----------------------------------------------------------

    def serve_freed(self, now: float) -> None:
        """Give those who became available in this turn to those who wait."""
        freed = self._floor.freed
        if not freed:
            return
        for agent in freed:
            if agent.state is AgentState.AVAILABLE:
                found = self._router.contact_for(agent.settings.agent)
                if found is not None:
                    contact = self.live[found]
                    self._leave_line(contact)
                    self._offer(contact, agent, why.FIRST_FREE, now)
        freed.clear()

    def _offer(self, contact: QueuedContact, agent: Agent, rule: str, now: float) -> None:
        """Reserve an available agent for a contact that is in no line."""
        name = agent.settings.agent
        wanted = self._floor.agents.get(contact.preferred or name)
        decision = why.explain(
            self._router,
            contact.pool,
            contact.id,
            name,
            rule=rule,
            at=now,
            waited_s=now - contact.waits_since,
            at_most=self._settings.candidates,
            preferred=why.preferred_elsewhere(
                self._router, contact.pool, wanted.settings.agent, wanted.state.value
            )
            if wanted is not None and wanted is not agent
            else None,
        )
        self._outbox.emit(contact.offered(name, decision, now))
        agent.patience_s = contact.patience_s
        took = self._floor.picks_up if rule is why.PICKED_UP else self._floor.chosen
        took(agent, contact.id, now)
        self._outbox.do(
            Offer(
                contact=contact.id,
                agent=name,
                ring_timeout_s=agent.settings.ring_timeout_s,
                decision=decision,
            )
        )

    def _standing_offer(self, contact: ContactId, agent: AgentId) -> QueuedContact | None:
        found = self.live.get(contact)
        if found is None or found.agent != agent or found.state is not ContactState.OFFERED:
            self.late_inputs += 1
            return None
        return found

    def offer_ringing(self, what: inputs.OfferRinging, now: float) -> None:
        """The agent's phone alerts."""
        contact = self._standing_offer(what.contact, what.agent)
        if contact is not None:
            if contact.rings_since is None:
                contact.rings_since = now
            self._floor.ringing(self._floor.agents[what.agent], now)

    def offer_accepted(self, what: inputs.OfferAccepted, now: float) -> None:
        """The agent answered; if the offer no longer stands, say to hang up."""
        contact = self._standing_offer(what.contact, what.agent)
        if contact is None:
            known = self.live.get(what.contact)
            if known is None or known.agent != what.agent:  # else they talk: said twice
                self._cancel(what.contact, what.agent, "late")
            return
        contact.state = ContactState.TALKING
        contact.answered_at = now
        self._outbox.emit(contact.answered(what.agent, now))
        self._floor.answered(self._floor.agents[what.agent], now)

    def offer_failed(self, what: inputs.OfferFailed, now: float) -> None:
        """The agent did not take it: the contact is offered to the next, at its place in line."""
        contact = self._standing_offer(what.contact, what.agent)
        if contact is None:
            return
        agent = self._floor.agents[what.agent]
        contact.dead_offers = contact.dead_offers + 1 if contact.rings_since is None else 0
        if what.failure is OfferFailure.NO_MEDIA:  # by another agent it would not be heard either
            contact.dead_offers = self._settings.dead_offers
        self._offer_ended(contact, what.failure, now)
        if what.failure is OfferFailure.WITHDRAWN:
            self._left(contact, ABANDONED, now)
            self._floor.withdrawn(agent, now)
            return
        if what.failure is OfferFailure.NO_MEDIA:
            self._floor.withdrawn(agent, now)
        else:
            self._floor.missed(agent, what.failure, now)
        self._wait(contact, now, again=True)

    def offer_moved(self, what: inputs.OfferMoved, now: float) -> None:
        """Let it ring at the agent who picks it up, as any other offer; `Acd.may_pick_up` says so."""
        contact = self.live[what.contact]
        assert contact.agent is not None
        former = self._floor.agents[contact.agent]
        self._cancel(contact.id, contact.agent, "picked-up")
        self._offer_ended(contact, OfferFailure.WITHDRAWN, now)
        self._offer(contact, self._floor.agents[what.agent], why.PICKED_UP, now)
        self._floor.withdrawn(former, now)

    def offer_unheard_of(self, agent: Agent, now: float) -> None:
        """The layer above lost the offer: free the agent, give the contact to somebody else."""
        assert agent.contact is not None
        contact = self.live[agent.contact]
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
        self.take_back(contact, "unheard-of", OfferFailure.UNREACHABLE, now)

    def take_back(
        self, contact: QueuedContact, reason: str, failure: OfferFailure, now: float
    ) -> None:
        """End an offer of ours whose agent is free of it already; the contact waits again."""
        assert contact.agent is not None
        self._cancel(contact.id, contact.agent, reason)
        self._offer_ended(contact, failure, now)
        self._wait(contact, now, again=True)

    def _offer_ended(self, contact: QueuedContact, failure: OfferFailure, now: float) -> None:
        assert contact.agent is not None
        self._outbox.emit(contact.offer_ended(contact.agent, failure, now))

    def _cancel(self, contact: ContactId, agent: AgentId, reason: str) -> None:
        self._outbox.do(CancelOffer(contact=contact, agent=agent, reason=reason))

    # --- contacts that talk, and the end of each ----------------------------------------------

    def customer_held(self, what: inputs.CustomerHeld, now: float) -> None:
        """The customer is on hold, or no longer."""
        contact = self.live.get(what.contact)
        if contact is None or contact.state is not ContactState.TALKING or contact.agent is None:
            self.late_inputs += 1
            return
        contact.hold(now, held=what.held)
        self._floor.held(self._floor.agents[contact.agent], now, held=what.held)

    def handed(self, what: inputs.Handed, now: float) -> None:
        """Another agent has the conversation: of the one before, or of nobody for a while."""
        contact = self.live.get(what.contact)
        if contact is not None and contact.state is not ContactState.TALKING:
            self.late_inputs += 1
            return
        former = None if contact is None else contact.agent
        talked_s = held_s = 0.0
        if contact is None:
            contact = self._without_queueing(what, now)
        else:
            contact.hold(now, held=False)
            talked_s = now - (contact.answered_at or now)
            held_s = contact.held_s
        contact.agent, contact.answered_at, contact.held_s = what.agent, now, 0.0
        self._outbox.emit(
            ContactHanded(
                contact=contact.id,
                queue=contact.queue,
                former=former,
                agent=what.agent,
                at=now,
                talked_s=talked_s,
                held_s=held_s,
                again=what.again,
            )
        )
        self._floor.joined(self._floor.agents[what.agent], contact.id, now)
        if former is not None:
            self._floor.talk_ended(self._floor.agents[former], now)

    def _without_queueing(self, what: inputs.Handed, now: float) -> QueuedContact:
        self._order += 1
        request = ContactRequest(contact=what.contact, queue=what.queue)
        pool = self._router.pool(what.queue, ())
        contact = self.live[what.contact] = in_talk(request, pool, self._order, now)
        return contact

    def leg_gone(
        self, name: ContactId, reason: str, now: float, *, by_agent: bool, is_unheeded: bool = False
    ) -> None:
        """The contact is over, whatever it was doing."""
        if (contact := self.live.get(name)) is None:
            self.late_inputs += 1
            return
        agent = None if contact.agent is None else self._floor.agents[contact.agent]
        if agent is None:
            self._leave_line(contact)
            self._left(contact, reason, now)
        elif contact.state is ContactState.OFFERED:
            self._cancel(contact.id, agent.settings.agent, reason)
            failure = self._floor.failure_of_withdrawal(agent, now, is_unheeded=is_unheeded)
            self._offer_ended(contact, failure, now)
            self._left(contact, reason, now)
            self._floor.withdrawn(agent, now, failure)
        else:
            self._end_talk(contact, agent, now, by_agent=by_agent)

    def _end_talk(
        self, contact: QueuedContact, agent: Agent, now: float, *, by_agent: bool
    ) -> None:
        self._forget(contact)
        self._outbox.emit(contact.ended(agent.settings.agent, now, by_agent=by_agent))
        self._floor.talk_ended(agent, now)

    def _forget(self, contact: QueuedContact) -> None:
        contact.state = ContactState.ENDED
        del self.live[contact.id]
