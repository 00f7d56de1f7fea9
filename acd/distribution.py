"""Drives the pure distribution: feeds it, keeps its timer, carries out what it wants."""

from __future__ import annotations

from collections.abc import Callable

from acd.actions import Action, Announce, CancelOffer, Dismiss, Offer
from acd.agents import AgentStatus
from acd.at_once import AT_ONCE
from acd.contact import Contact, Stage
from acd.contact_events import ContactResult
from acd.contacts import Contacts
from acd.core import Acd
from acd.events import AcdEvent, AgentFigures, QueueChanged
from acd.inputs import Input, OfferMoved
from acd.model import AgentId, AgentState, ContactId, QueueName
from acd.ports import Pops
from acd.routing.longest_idle import IdlePlace
from acd.tallies import DayCounters
from acd.waiting_room import WaitingRoom
from switch.calls.causes import EndCause, Result
from switch.calls.ports import CallControl
from switch.clock import Clock, TimerHandle
from switch.ids import LegId


class Distribution:
    """The shell of `acd.core.Acd`: offers become calls to agents, announcements become sound."""

    def __init__(
        self,
        *,
        acd: Acd,
        contacts: Contacts,
        waiting_room: WaitingRoom,
        control: CallControl,
        clock: Clock,
        pops: Pops,
        report: Callable[[AcdEvent], None],
    ) -> None:
        self._acd = acd
        self._contacts = contacts
        self._waiting_room = waiting_room
        self._control = control
        self._clock = clock
        self._pops = pops
        self._report = report
        self._at_hand: dict[ContactId, LegId] = {}
        """The legs of agents who have dialled to pick up a contact, while it is moved to them."""
        self._asked_for: set[ContactId] = set()
        """Contacts that an agent picks up at its desk, while they are moved to it."""
        self._timer: TimerHandle | None = None
        self._timer_at: float | None = None
        self.on_reserved: Callable[[Contact], None] = lambda contact: None
        """Told that the card is shown of a contact whose agent is to say when its phone is called."""

    def begin(self) -> None:
        """Report how things stand at the start: static agents are there already."""
        self._perform([])

    def resume(self) -> None:
        """Go on after the core was restored; call when agents can be called."""
        self._perform(self._acd.resume(self._clock.now()))

    def call_again(self, contact: Contact) -> None:
        """The offer stands, but the call to its agent was not begun, or is lost."""
        agent = contact.agent
        if agent is not None and contact.stage is Stage.OFFERED and contact.agent_leg is None:
            self._call_agent(contact, agent, self._acd.ring_timeout_s(agent))

    def has(self, contact: Contact) -> bool:
        """Whether the contact waits, is offered or talks for the distribution."""
        return self._acd.has(contact.id)

    def can_join(self, agent: AgentId) -> bool:
        """Whether the agent can take a conversation over."""
        return self._acd.can_join(agent)

    def may_pick_up(self, agent: AgentId, contact: Contact) -> bool:
        """Whether the agent can have what rings at somebody else."""
        return self._acd.may_pick_up(agent, contact.id)

    def colleagues(self, agent: AgentId) -> list[AgentId]:
        """The others who serve a queue that this agent serves."""
        return self._acd.colleagues(agent)

    def pick_up(
        self,
        contact: Contact,
        agent: AgentId,
        leg: LegId | None = None,
        *,
        at_once: bool = False,
    ) -> None:
        """Let it ring at another agent, who may pick it up; `leg`: that one has called us for it.

        `at_once`: its phone is asked to answer by itself.
        """
        if leg is not None:
            self._at_hand[contact.id] = leg
        if at_once:
            self._asked_for.add(contact.id)
        self.tell(OfferMoved(contact=contact.id, agent=agent))
        self._asked_for.discard(contact.id)

    def agent_figures(self, agent: AgentId) -> AgentFigures:
        """An agent's own numbers since midnight, up to now."""
        return self._acd.agent_figures(agent, self._clock.now())

    def ring_timeout_s(self, agent: AgentId) -> float:
        """How long the agent's phone rings for a contact."""
        return self._acd.ring_timeout_s(agent)

    def priority_of_head(self, queue: QueueName, entered_at: float) -> int:
        """The least priority that puts a contact before all who wait in a queue."""
        return self._acd.priority_of_head(queue, entered_at)

    def agents(self) -> list[AgentStatus]:
        """Every agent, and what it does."""
        return self._acd.agents()

    def agent_state(self, agent: AgentId) -> AgentState:
        """What an agent does; raises `UnknownAgentError`."""
        return self._acd.agent(agent).state

    def is_at_desk(self, agent: AgentId) -> bool:
        """Whether it sees what is shown to it; raises `UnknownAgentError`."""
        return self._acd.is_at_desk(agent)

    def idle(self, queue: QueueName, most: int) -> list[IdlePlace]:
        """Who is free for a queue, longest first; raises `UnknownQueueError`."""
        return self._acd.idle(queue, most)

    def members(self, queue: QueueName) -> frozenset[AgentId]:
        """Who is right for a queue; raises `UnknownQueueError`."""
        return self._acd.members(queue)

    def waiting(self, queue: QueueName) -> tuple[ContactId, ...]:
        """Who waits in a queue, first in line first; raises `UnknownQueueError`."""
        return self._acd.waiting(queue)

    def new_day(self) -> None:
        """Begin the counters of the day anew."""
        self._perform(self._acd.new_day(self._clock.now()))

    def queues(self) -> list[QueueChanged]:
        """The live figures of every queue."""
        return self._acd.queues(self._clock.now())

    def day(self, queue: QueueName) -> DayCounters:
        """Every counter of a queue since midnight."""
        return self._acd.day(queue)

    def tell(self, event: Input) -> None:
        """Feed one input to the distribution and do what it wants."""
        self._perform(self._acd.handle(event, self._clock.now()))

    def _perform(self, actions: list[Action]) -> None:
        for event in self._acd.take_events():
            self._report(event)
        for action in actions:
            contact = self._contacts.get(action.contact)
            if contact is None:
                continue
            match action:
                case Offer():
                    self._offer(contact, action)
                case CancelOffer() if action.agent != contact.agent:
                    pass  # an answer to an offer that no longer stands; its leg is gone
                case CancelOffer():
                    self.drop_agent_leg(contact, EndCause(Result.CANCELLED, action.reason))
                    self._waiting_room.answer_late(contact)
                case Announce():
                    self._waiting_room.announce(contact, action)
                case Dismiss():
                    self._dismiss(contact, action)
        self._arm()

    def _arm(self) -> None:
        due = self._acd.get_timer()
        if due == self._timer_at:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = due
        self._timer = None if due is None else self._clock.call_at(due, self._timer_fired)

    def _timer_fired(self) -> None:
        self._timer = None
        self._timer_at = None
        self._perform(self._acd.handle_timer(self._clock.now()))

    def _offer(self, contact: Contact, offer: Offer) -> None:
        contact.stage = Stage.OFFERED
        contact.rang = False
        contact.agent = offer.agent
        contact.agent_leg = self._at_hand.pop(contact.id, None)
        if contact.agent_leg is not None:
            self._contacts.bind(contact.agent_leg, contact)
            self._control.answer(contact.agent_leg)
        at_once = contact.id in self._asked_for

        def ring() -> None:
            if contact.stage is not Stage.OFFERED or contact.agent != offer.agent:
                return  # the caller went, or the offer was cancelled, while the card travelled
            if contact.agent_leg is not None:
                return
            if contact.agent_first:
                self.on_reserved(contact)
            else:
                self._call_agent(contact, offer.agent, offer.ring_timeout_s, at_once=at_once)

        self._pops.offer(offer, ring)

    def _call_agent(
        self, contact: Contact, agent: AgentId, ring_timeout_s: float, *, at_once: bool = False
    ) -> None:
        # Who was called for a campaign waits two seconds at the most.
        at_once = at_once or bool(contact.campaign)
        leg = self._control.call_phone(
            str(agent),
            call=contact.call,
            caller_number=contact.caller_number,
            caller_name=contact.caller_name,
            ring_timeout_s=ring_timeout_s,
            headers={"X-Interaction-Id": contact.id, **(AT_ONCE if at_once else {})},
        )
        contact.agent_leg = leg
        self._contacts.bind(leg, contact)

    def _dismiss(self, contact: Contact, action: Dismiss) -> None:
        contact.stop_waiting(self._clock.now())
        if contact.agent_first:  # nobody was called but its agent
            self._contacts.finish(contact, ContactResult.CANCELLED, action.reason)
            return
        cause = EndCause(Result.NO_ANSWER, "queue-timeout", 480)
        self._contacts.finish(contact, ContactResult.TIMEOUT, action.reason, hang_up=cause)

    def drop_agent_leg(self, contact: Contact, cause: EndCause) -> None:
        """Stop calling the agent; the contact is on its own again."""
        leg, contact.agent_leg, contact.agent = contact.agent_leg, None, None
        if contact.stage is Stage.OFFERED:
            contact.stage = Stage.WAITING
        if leg is not None:
            self._contacts.unbind(leg)
            self._control.hang_up(leg, cause)
