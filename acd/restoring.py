"""The distribution's state as records, and from records: what `acd.core.Acd` offers over a restart.

Restoring commands nobody and reports nothing. What contradicts itself, because the journal was cut
short or the configuration is another, is put right in favour of the callers: who was with an agent
that is gone waits again at its place, an agent whose contact is gone rests.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Final

from acd.agent_state import AT_REST, IN_TALK, OFFERED
from acd.agents import Agent
from acd.floor import Floor
from acd.metrics import Metrics
from acd.model import (
    AgentId,
    AgentState,
    ContactId,
    ContactRequest,
    ContactState,
    OfferFailure,
    QueueName,
    SkillNeed,
)
from acd.queued_contact import QueuedContact
from acd.queued_contacts import QueuedContacts
from acd.queues import Queue
from acd.records import AgentRecord, DayRecord, QueuedRecord
from acd.routing.priority import place_of
from acd.routing.router import Router
from acd.tallies import DayCounters
from acd.timers import Due, Timers

Moment = Callable[[float], float]
"""From the clock of the core to that of the records, or back."""

_DAY_FIELDS: Final = tuple(field.name for field in fields(DayCounters))
_day_values = attrgetter(*_DAY_FIELDS)


@dataclass(slots=True, kw_only=True)
class Core:
    """The parts of the core that hold its state."""

    floor: Floor
    contacts: QueuedContacts
    queues: Mapping[QueueName, Queue]
    router: Router
    timers: Timers
    metrics: Metrics


# --- describing ---------------------------------------------------------------------------------


def agent_record(core: Core, name: AgentId, wall: Moment) -> AgentRecord:
    """Describe an agent. Raises KeyError for one that is not configured."""
    agent = core.floor.agents[name]
    tally = core.metrics.agents[name]
    idle = agent.idle_place
    return AgentRecord(
        agent.desk,
        agent.phone,
        agent.phone_counts,
        agent.reachable,
        agent.engaged,
        agent.not_ready,
        agent.pause,
        _at(agent.pause_until, wall),
        agent.state,
        agent.reason,
        wall(agent.since),
        None if idle is None else (wall(idle[0]), idle[1]),
        agent.contact,
        _at(agent.until, wall),
        tally.answered,
        tally.missed,
        *tally.spent(),
        wall(tally.booked_to),
        tally.queue,
    )


def queued_record(core: Core, contact: ContactId, wall: Moment) -> QueuedRecord | None:
    """Describe a contact; None when the distribution does not have it."""
    found = core.contacts.live.get(contact)
    if found is None:
        return None
    return QueuedRecord(
        found.queue,
        found.state,
        tuple((need.skill, need.level) for need in found.skills),
        found.preferred,
        found.priority,
        wall(found.entered_at),
        found.place[2],
        wall(found.queued_at),
        wall(found.announce_at),
        found.agent,
        found.offers,
        wall(found.offered_at),
        _at(found.rings_since, wall),
        found.dead_offers,
        _at(found.answered_at, wall),
        _at(found.held_since, wall),
        found.held_s,
        found.only_preferred,
        found.patience_s,
        found.outbound,
        found.has_talked,
    )


def day_record(core: Core, queue: QueueName) -> DayRecord:
    """Describe a queue's day. Raises KeyError for one that is not configured."""
    return DayRecord(*_day_values(core.metrics.queues[queue].day))


# --- taking up ----------------------------------------------------------------------------------


def restore(
    core: Core,
    agents: Mapping[AgentId, AgentRecord],
    contacts: Mapping[ContactId, QueuedRecord],
    days: Mapping[QueueName, DayRecord],
    mono: Moment,
    now: float,
    *,
    same_day: bool,
) -> list[str]:
    """Take up the state of an earlier process; returns in words what could not be.

    To be called once, on a core that is as it was made. `same_day`: its figures still count.
    """
    strangers = sorted(agents.keys() - core.floor.agents.keys())
    faults = [f"agent {name} is not configured any more" for name in strangers]
    in_line = sorted(contacts.items(), key=lambda item: (item[1].entered_at, item[1].order))
    for contact, record in in_line:
        if record.queue in core.queues:
            with _noted(faults, f"contact {contact}"):
                _restore_contact(core, contact, record, agents, mono, now)
        else:
            faults.append(f"contact {contact}: queue {record.queue} is not configured any more")
    for name, kept in agents.items():
        agent = core.floor.agents.get(name)
        if agent is not None:
            with _noted(faults, f"agent {name}"):
                _restore_agent(core, agent, kept, mono, now, same_day=same_day)
    for queue, day in days.items():
        if same_day and queue in core.metrics.queues:
            with _noted(faults, f"the day of queue {queue}"):
                core.metrics.queues[queue].day = _day(day)
    core.metrics.changed_queues.update(dict.fromkeys(core.queues))
    return faults


@contextmanager
def _noted(faults: list[str], what: str) -> Iterator[None]:
    """A state or a reason of another version, which this one has no word for, costs its record."""
    try:
        yield
    except ValueError as error:
        faults.append(f"{what}: {error}")


def _restore_contact(
    core: Core,
    name: ContactId,
    record: QueuedRecord,
    agents: Mapping[AgentId, AgentRecord],
    mono: Moment,
    now: float,
) -> None:
    queue = core.queues[QueueName(record.queue)]
    state = ContactState(record.state)
    agent = None if record.agent is None else AgentId(record.agent)
    if state is not ContactState.WAITING and not _has(core, agents, agent, name, state):
        state, agent = ContactState.WAITING, None
    skills = tuple(SkillNeed(skill=skill, level=level) for skill, level in record.skills)
    request = ContactRequest(
        contact=name,
        queue=queue.settings.queue,
        skills=skills,
        preferred_agent=None if record.preferred is None else AgentId(record.preferred),
        only_preferred=record.only_preferred,
        patience_s=record.patience_s,
        outbound=record.outbound,
        has_talked=record.has_talked,
    )
    found = QueuedContact(
        request,
        pool=core.router.pool(queue.settings.queue, skills),
        place=place_of(name, mono(record.entered_at), record.priority, record.order),
        priority=record.priority,
        announce_at=mono(record.announce_at),
        now=mono(record.queued_at),
    )
    found.state, found.agent = state, agent
    found.offers = record.offers
    found.offered_at = mono(record.offered_at)
    found.rings_since = _at(record.rings_since, mono)
    found.dead_offers = record.dead_offers
    if state is ContactState.TALKING:
        found.answered_at = _at(record.answered_at, mono)
        found.held_since = _at(record.held_since, mono)
        found.held_s = record.held_s
    core.contacts.restore(found, now)
    tally = core.metrics.queues[found.queue]
    tally.waiting += state is ContactState.WAITING
    tally.offered += state is ContactState.OFFERED
    tally.talking += state is ContactState.TALKING


def _has(
    core: Core,
    agents: Mapping[AgentId, AgentRecord],
    agent: AgentId | None,
    contact: ContactId,
    state: ContactState,
) -> bool:
    """Whether the agent says the same of the two."""
    record = agents.get(agent) if agent is not None and agent in core.floor.agents else None
    if record is None or record.contact != contact:
        return False
    return AgentState(record.state) in (OFFERED if state is ContactState.OFFERED else IN_TALK)


def _restore_agent(
    core: Core, agent: Agent, record: AgentRecord, mono: Moment, now: float, *, same_day: bool
) -> None:
    name, was = agent.settings.agent, agent.state
    state = AgentState(record.state)
    if was is AgentState.AVAILABLE:
        core.router.remove_idle(name)
    agent.desk, agent.phone, agent.phone_counts = record.desk, record.phone, record.phone_counts
    agent.reachable, agent.engaged = record.reachable, record.engaged
    agent.not_ready = record.not_ready
    if agent.settings.static:
        agent.pause, agent.pause_until = record.pause, _at(record.pause_until, mono)
    _place(core, agent, state, record, mono)
    if record.idle is not None:
        agent.idle_place = core.router.place_before(name, mono(record.idle[0]), record.idle[1])
    if agent.state is AgentState.AVAILABLE:
        if agent.idle_place is None:
            agent.idle_place = core.router.add_idle(name, now)
        else:
            core.router.return_idle(agent.idle_place)
    _set_timer(core, agent, now)
    agent.next_state = agent.afterwards()
    core.metrics.restore_agent(name, was, agent.state, agent.reason, now)
    if same_day:
        core.metrics.agents[name].restore(
            answered=record.answered,
            missed=record.missed,
            spent=record.spent_s,
            not_ready=record.not_ready_s,
            booked_to=mono(record.booked_to),
            queue=None if record.last_queue is None else QueueName(record.last_queue),
        )


def _place(core: Core, agent: Agent, state: AgentState, record: AgentRecord, mono: Moment) -> None:
    """Put it where it stood, or where the facts say if that cannot be any more."""
    contact = None if record.contact is None else ContactId(record.contact)
    with_it = core.contacts.live.get(contact) if contact is not None else None
    if state in OFFERED or state in IN_TALK:
        is_kept = with_it is not None and with_it.agent == agent.settings.agent
    else:
        # The contact may be with somebody else by now: it was transferred.
        is_elsewhere = with_it is None or with_it.agent != agent.settings.agent
        is_kept = state is AgentState.WRAP_UP and contact is not None and is_elsewhere
    if is_kept:
        agent.state, agent.reason, agent.contact = state, record.reason, contact
        agent.until = _at(record.until, mono)
    else:
        rest, reason = agent.rest()
        agent.state, agent.contact = rest, None
        agent.reason = reason or (record.reason if state in AT_REST else "contact-lost")
        agent.until = agent.pause_until if agent.is_paused else None
    agent.since = mono(record.since)


def _set_timer(core: Core, agent: Agent, now: float) -> None:
    key = (Due.AGENT, agent.settings.agent)
    if agent.state in OFFERED:
        assert agent.contact is not None
        agent.patience_s = core.contacts.live[agent.contact].patience_s
        core.floor.watch_offer(agent, now)
    elif agent.state is AgentState.WRAP_UP and agent.until is not None:
        core.timers.set(key, agent.until)
    elif agent.pause_until is not None and agent.state in AT_REST:
        core.timers.set(key, agent.pause_until)


def _day(record: DayRecord) -> DayCounters:
    values = {name: getattr(record, name) for name in _DAY_FIELDS}
    values["left"] = Counter(record.left)
    failures = {OfferFailure(name): count for name, count in record.failures.items()}
    values["failures"] = Counter(failures)
    return DayCounters(**values)


def _at(moment: float | None, change: Moment) -> float | None:
    return None if moment is None else change(moment)
