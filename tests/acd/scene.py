"""A small centre in virtual time: says what happens in one line each, and watches the events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import msgspec

from acd.actions import Action, Offer
from acd.core import Acd
from acd.events import AcdEvent, AgentStateChanged
from acd.inputs import (
    CustomerHeld,
    Enqueue,
    Input,
    OfferAccepted,
    OfferFailed,
    OfferRinging,
    PhoneReachability,
    SetNotReady,
    SetReady,
    SignOff,
    SignOn,
    TalkEnded,
    Withdraw,
)
from acd.model import (
    AgentId,
    AgentSettings,
    AgentState,
    ContactId,
    ContactRequest,
    OfferFailure,
    QueueName,
    QueueSettings,
    SignedOnBy,
    SkillNeed,
)
from acd.records import AgentRecord, DayRecord, QueuedRecord
from acd.restoring import agent_record, day_record, queued_record, restore
from acd.settings import AcdSettings

T = TypeVar("T")

SALES = QueueName("sales")
SUPPORT = QueueName("support")
ANN = AgentId("1001")
BOB = AgentId("1002")
CY = AgentId("1003")


def agent(
    name: AgentId,
    *queues: QueueName,
    static: bool = False,
    wrap_up_s: float = 5.0,
    **skills: int,
) -> AgentSettings:
    return AgentSettings(
        agent=name,
        name=f"Agent {name}",
        queues=queues or (SALES,),
        skills=skills,
        static=static,
        wrap_up_s=wrap_up_s,
    )


def queue(
    name: QueueName = SALES,
    *,
    skills: tuple[SkillNeed, ...] = (),
    priority: int = 0,
    max_wait_s: float = 0.0,
    announce_every_s: float = 30.0,
) -> QueueSettings:
    return QueueSettings(
        queue=name,
        title=name.title(),
        skills=skills,
        priority=priority,
        max_wait_s=max_wait_s,
        announce_every_s=announce_every_s,
    )


def _same(moment: float) -> float:
    """The clock of the records is the core's."""
    return moment


def _again(record: object, kind: type[T]) -> T:
    return msgspec.msgpack.decode(msgspec.msgpack.encode(record), type=kind)


class Scene:
    """A centre at time 0. Every step checks the invariants and the fold of the events."""

    def __init__(
        self,
        agents: Sequence[AgentSettings],
        queues: Sequence[QueueSettings] = (),
        settings: AcdSettings | None = None,
    ) -> None:
        self.now = 0.0
        self._agents = agents
        self._queues = queues or [queue(SALES), queue(SUPPORT)]
        self._settings = settings or AcdSettings()
        self.acd = self._new_core()
        self.events: list[AcdEvent] = []
        self.actions: list[Action] = []
        self.told = {status.agent: status.state for status in self.acd.agents()}
        self._number = 0

    def _new_core(self) -> Acd:
        return Acd(agents=self._agents, queues=self._queues, settings=self._settings, now=self.now)

    def restart(self) -> None:
        """Let another core go on from what this one's records say, through octets and back."""
        parts = self.acd.parts
        agents, contacts, days = {}, {}, {}
        for each in self.acd.agents():
            agents[each.agent] = _again(agent_record(parts, each.agent, _same), AgentRecord)
        for known in self.acd.contacts():
            record = queued_record(parts, known.contact, _same)
            contacts[known.contact] = _again(record, QueuedRecord)
        for name in parts.queues:
            days[name] = _again(day_record(parts, name), DayRecord)
        before = self.acd
        self.acd = self._new_core()
        faults = restore(self.acd.parts, agents, contacts, days, _same, self.now, same_day=True)
        assert faults == []
        self.acd.check_invariants()
        assert self.acd.agents() == before.agents()
        assert {c.contact: c for c in self.acd.contacts()} == {
            c.contact: c for c in before.contacts()
        }
        for name in parts.queues:
            assert self.acd.waiting(name) == before.waiting(name)
            assert self.acd.day(name) == before.day(name)
        for each in before.agents():
            figures = before.agent_figures(each.agent, self.now)
            assert self.acd.agent_figures(each.agent, self.now) == figures
        assert self.acd.resume(self.now) == [], "nobody was left beside an available agent"
        self.acd.take_events()

    # --- time -------------------------------------------------------------------------------

    def advance(self, seconds: float) -> list[Action]:
        """Let time pass, firing each timer at the moment it asked for."""
        until = self.now + seconds
        done: list[Action] = []
        while (due := self.acd.get_timer()) is not None and due <= until:
            self.now = max(self.now, due)
            done += self._settle(self.acd.handle_timer(self.now))
        self.now = until
        return done

    def tell(self, what: Input) -> list[Action]:
        return self._settle(self.acd.handle(what, self.now))

    def _settle(self, actions: list[Action]) -> list[Action]:
        for event in self.acd.take_events():
            self.events.append(event)
            if isinstance(event, AgentStateChanged):
                assert event.previous is self.told[event.agent]
                assert event.previous_for_s >= 0
                self.told[event.agent] = event.state
        assert self.told == {status.agent: status.state for status in self.acd.agents()}
        self.acd.check_invariants()
        self.actions += actions
        return actions

    # --- agents -----------------------------------------------------------------------------

    def phone(self, *agents: AgentId) -> None:
        """Phones register while no desk is connected: the agents become available."""
        for name in agents:
            self.tell(SignOn(agent=name, by=SignedOnBy.PHONE))
            self.tell(PhoneReachability(agent=name, reachable=True))

    def desk(self, *agents: AgentId) -> None:
        """Desks sign on and are ready."""
        for name in agents:
            self.tell(PhoneReachability(agent=name, reachable=True))
            self.tell(SignOn(agent=name, by=SignedOnBy.DESK, ready=True))

    def phone_gone(self, name: AgentId) -> list[Action]:
        return self.tell(SignOff(agent=name, by=SignedOnBy.PHONE))

    def desk_off(self, name: AgentId) -> list[Action]:
        return self.tell(SignOff(agent=name, by=SignedOnBy.DESK))

    def ready(self, name: AgentId) -> list[Action]:
        return self.tell(SetReady(agent=name))

    def not_ready(self, name: AgentId, reason: str = "lunch") -> list[Action]:
        return self.tell(SetNotReady(agent=name, reason=reason))

    def state(self, name: AgentId) -> AgentState:
        return self.acd.agent(name).state

    def reason(self, name: AgentId) -> str:
        return self.acd.agent(name).reason

    # --- contacts ---------------------------------------------------------------------------

    def call(
        self,
        name: QueueName = SALES,
        *,
        priority: int = 0,
        entered_at: float | None = None,
        preferred: AgentId | None = None,
        contact: ContactId | None = None,
        needs: dict[str, int] | None = None,
    ) -> ContactId:
        """A caller enters a queue. `needs` are skills with levels."""
        if contact is None:
            self._number += 1
            contact = ContactId(f"call-{self._number}")
        self.tell(
            Enqueue(
                request=ContactRequest(
                    contact=contact,
                    queue=name,
                    priority=priority,
                    entered_at=entered_at,
                    preferred_agent=preferred,
                    skills=tuple(SkillNeed(skill=s, level=n) for s, n in (needs or {}).items()),
                )
            )
        )
        return contact

    def offered_to(self, contact: ContactId) -> AgentId | None:
        return self.acd.contact(contact).agent

    def offer(self, contact: ContactId) -> Offer:
        """Return the latest offer of a contact."""
        offers = [a for a in self.actions if isinstance(a, Offer) and a.contact == contact]
        return offers[-1]

    def rings(self, contact: ContactId) -> None:
        self.tell(OfferRinging(contact=contact, agent=self._agent_of(contact)))

    def answers(self, contact: ContactId) -> AgentId:
        name = self._agent_of(contact)
        self.tell(OfferAccepted(contact=contact, agent=name))
        return name

    def fails(self, contact: ContactId, failure: OfferFailure) -> list[Action]:
        return self.tell(
            OfferFailed(contact=contact, agent=self._agent_of(contact), failure=failure)
        )

    def holds(self, contact: ContactId, *, held: bool = True) -> None:
        self.tell(CustomerHeld(contact=contact, held=held))

    def ends(self, contact: ContactId, *, by_agent: bool = False) -> list[Action]:
        return self.tell(TalkEnded(contact=contact, by_agent=by_agent))

    def hangs_up(self, contact: ContactId, reason: str = "abandoned") -> list[Action]:
        return self.tell(Withdraw(contact=contact, reason=reason))

    def talks(self, name: QueueName = SALES) -> ContactId:
        """A caller enters and is answered at once."""
        contact = self.call(name)
        self.rings(contact)
        self.answers(contact)
        return contact

    def _agent_of(self, contact: ContactId) -> AgentId:
        name = self.offered_to(contact)
        assert name is not None
        return name


def of_kind(things: Sequence[object], kind: type[T]) -> list[T]:
    """Return the things of one class."""
    return [thing for thing in things if isinstance(thing, kind)]
