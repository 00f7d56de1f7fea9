"""A contact as the core knows it: its place in line, who is called for it, since when it talks.

Its legs and its history are `acd.contact.Contact`, which the core never sees.
"""

from __future__ import annotations

from dataclasses import dataclass

from acd.events import (
    ContactAnswered,
    ContactEnded,
    ContactLeft,
    ContactOffered,
    ContactQueued,
    OfferEnded,
)
from acd.model import (
    AgentId,
    ContactId,
    ContactRequest,
    ContactState,
    Decision,
    OfferFailure,
    QueueName,
)
from acd.routing.priority import WaitingPlace, place_of
from acd.routing.router import Pool


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactStatus:
    """A contact as others see it."""

    contact: ContactId
    queue: QueueName
    state: ContactState
    priority: int
    """With that of its queue."""
    entered_at: float
    """When it first began to wait."""
    queued_at: float
    """When it entered this queue."""
    position: int | None
    """In its queue, from 1; None unless it waits."""
    offers: int
    """How often an agent was called for it."""
    agent: AgentId | None
    answered_at: float | None


class QueuedContact:
    """A contact that waits, is offered or talks. Changed by `acd.queued_contacts` alone."""

    __slots__ = (
        "agent",
        "announce_at",
        "answered_at",
        "dead_offers",
        "entered_at",
        "has_talked",
        "held_s",
        "held_since",
        "id",
        "offered_at",
        "offers",
        "only_preferred",
        "outbound",
        "patience_s",
        "place",
        "pool",
        "preferred",
        "priority",
        "queue",
        "queued_at",
        "resting",
        "rings_since",
        "skills",
        "state",
    )

    def __init__(
        self,
        request: ContactRequest,
        *,
        pool: Pool,
        place: WaitingPlace,
        priority: int,
        announce_at: float,
        now: float,
    ) -> None:
        self.id = request.contact
        self.queue = request.queue
        self.skills = request.skills
        self.preferred = request.preferred_agent
        self.only_preferred = request.only_preferred
        self.patience_s = request.patience_s
        self.outbound = request.outbound
        self.has_talked = request.has_talked
        self.priority = priority
        self.pool = pool
        self.place = place
        self.entered_at = place[1]
        self.queued_at = now
        self.announce_at = announce_at
        self.state = ContactState.WAITING
        self.agent: AgentId | None = None
        self.offers = 0
        self.offered_at = 0.0
        self.rings_since: float | None = None
        self.dead_offers = 0
        """Offers in a row that failed before they rang."""
        self.resting = False
        """It stands in its queue's line, but is not to be offered yet."""
        self.answered_at: float | None = None
        self.held_since: float | None = None
        self.held_s = 0.0

    @property
    def waits_since(self) -> float:
        """From when its wait counts."""
        return self.queued_at if self.has_talked else self.entered_at

    def hold(self, now: float, *, held: bool) -> None:
        """Count the time on hold; saying the same twice changes nothing."""
        if held and self.held_since is None:
            self.held_since = now
        elif not held and self.held_since is not None:
            self.held_s += now - self.held_since
            self.held_since = None

    def status(self, position: int | None) -> ContactStatus:
        return ContactStatus(
            contact=self.id,
            queue=self.queue,
            state=self.state,
            priority=self.priority,
            entered_at=self.entered_at,
            queued_at=self.queued_at,
            position=position,
            offers=self.offers,
            agent=self.agent,
            answered_at=self.answered_at,
        )

    # --- what is told of it -------------------------------------------------------------------

    def queued(self, position: int, now: float, *, again: bool) -> ContactQueued:
        return ContactQueued(
            contact=self.id,
            queue=self.queue,
            at=now,
            position=position,
            priority=self.priority,
            again=again,
            outbound=self.outbound,
        )

    def left(self, reason: str, now: float) -> ContactLeft:
        return ContactLeft(
            contact=self.id,
            queue=self.queue,
            at=now,
            waited_s=now - self.waits_since,
            reason=reason,
            outbound=self.outbound,
        )

    def offered(self, agent: AgentId, decision: Decision, now: float) -> ContactOffered:
        """It is offered to an agent."""
        self.state = ContactState.OFFERED
        self.agent = agent
        self.offers += 1
        self.offered_at = now
        self.rings_since = None
        return ContactOffered(
            contact=self.id, queue=self.queue, agent=agent, at=now, decision=decision
        )

    def answered(self, agent: AgentId, now: float) -> ContactAnswered:
        return ContactAnswered(
            contact=self.id,
            queue=self.queue,
            agent=agent,
            at=now,
            waited_s=now - self.waits_since,
            outbound=self.outbound,
        )

    def offer_ended(self, agent: AgentId, failure: OfferFailure, now: float) -> OfferEnded:
        return OfferEnded(
            contact=self.id,
            queue=self.queue,
            agent=agent,
            at=now,
            failure=failure,
            rang_s=0.0 if self.rings_since is None else now - self.rings_since,
        )

    def ended(self, agent: AgentId, now: float, *, by_agent: bool) -> ContactEnded:
        """Tell the end of a talk, on hold or not."""
        self.hold(now, held=False)
        return ContactEnded(
            contact=self.id,
            queue=self.queue,
            agent=agent,
            at=now,
            talked_s=0.0 if self.answered_at is None else now - self.answered_at,
            held_s=self.held_s,
            by_agent=by_agent,
            outbound=self.outbound,
        )


def in_talk(request: ContactRequest, pool: Pool, order: int, now: float) -> QueuedContact:
    """One that never waited, or left its queue: an agent has taken the talk over."""
    place = place_of(request.contact, now, 0, order)
    contact = QueuedContact(request, pool=pool, place=place, priority=0, announce_at=now, now=now)
    contact.state = ContactState.TALKING
    return contact
