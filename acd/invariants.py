"""What must hold after every input, whatever the input was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from acd.agent_state import IN_TALK, OFFERED
from acd.agents import Agent
from acd.errors import InvariantError
from acd.metrics import Metrics
from acd.model import AgentId, AgentState, ContactId, ContactState, QueueName
from acd.queued_contact import QueuedContact
from acd.queues import Queue
from acd.routing.router import Router
from acd.timers import Due, Timers


def check(
    agents: Mapping[AgentId, Agent],
    contacts: Mapping[ContactId, QueuedContact],
    queues: Mapping[QueueName, Queue],
    router: Router,
    metrics: Metrics,
    timers: Timers,
) -> None:
    """Raise `InvariantError` in words if the state contradicts itself. Looks at everything."""
    for agent in agents.values():
        _check_agent(agent, contacts, router, timers)
    for contact in contacts.values():
        _check_contact(contact, agents, queues, router)
    for name, queue in queues.items():
        waiting = {
            contact.id
            for contact in contacts.values()
            if contact.queue == name and contact.state is ContactState.WAITING
        }
        _demand(set(queue.waiting()) == waiting, "the line of a queue is not who waits", queue=name)
        _demand(len(queue) == len(waiting), "a queue's line by age has others in it", queue=name)
    for pool in router.pools():
        both = len(pool.idle) > 0 and len(pool.waiting) > 0
        _demand(not both, "somebody waits beside an available agent", queue=pool.queue)
    _check_figures(agents, contacts, metrics)


def _demand(holds: bool, words: str, **details: str) -> None:
    if not holds:
        about = ", ".join(f"{what} {which}" for what, which in details.items())
        raise InvariantError(f"{words}: {about}", **details)


def _check_agent(
    agent: Agent, contacts: Mapping[ContactId, QueuedContact], router: Router, timers: Timers
) -> None:
    name, state = agent.settings.agent, agent.state
    contact = contacts.get(agent.contact) if agent.contact is not None else None
    is_available = state is AgentState.AVAILABLE
    _demand(router.is_idle(name) == is_available, "the idle line is not who is free", agent=name)
    for pool in router.pools_of(name):
        found = [place for place in pool.idle.places if place[2] == name]
        _demand(len(found) == is_available, "an agent stands wrongly in an idle line", agent=name)
    timer = timers.when((Due.AGENT, name))
    if state in OFFERED or state in IN_TALK:
        wanted = ContactState.OFFERED if state in OFFERED else ContactState.TALKING
        _demand(contact is not None, f"{state.value} without a contact", agent=name)
        assert contact is not None
        _demand(
            contact.agent == name and contact.state is wanted,
            f"an agent is {state.value} and its contact {contact.state.value} with {contact.agent}",
            agent=name,
            contact=contact.id,
        )
        _demand((timer is not None) == (state in OFFERED), "the watchdog is amiss", agent=name)
    elif state is AgentState.WRAP_UP:
        _demand(contact is None or contact.agent != name, "wraps up a live contact", agent=name)
        _demand(timer == agent.until, "the countdown is not the timer", agent=name)
    else:
        rest = agent.rest()[0]
        _demand(agent.contact is None, f"{state.value} with a contact", agent=name)
        _demand(state is rest, f"{state.value}, but the facts say {rest.value}", agent=name)
        _demand(timer == agent.pause_until, "the pause is not the timer", agent=name)


def _check_contact(
    contact: QueuedContact,
    agents: Mapping[AgentId, Agent],
    queues: Mapping[QueueName, Queue],
    router: Router,
) -> None:
    is_waiting = contact.state is ContactState.WAITING
    in_queue = contact.place in queues[contact.queue].line
    in_pool = contact.place in contact.pool.waiting
    words = f"a contact that is {contact.state.value} stands wrongly in line"
    may_be_offered = is_waiting and not contact.resting
    _demand(in_queue == is_waiting and in_pool == may_be_offered, words, contact=contact.id)
    _demand(contact.state is not ContactState.ENDED, "an ended contact is kept", contact=contact.id)
    _demand(not is_waiting or contact.agent is None, "waits with an agent", contact=contact.id)
    is_served = not may_be_offered or contact.pool in router.pools()
    _demand(is_served, "waits in a pool that is gone", contact=contact.id)
    # A contact's wrap-up is over for the contact: it may be with somebody else by then.
    having = [
        agent.settings.agent
        for agent in agents.values()
        if agent.contact == contact.id and agent.state is not AgentState.WRAP_UP
    ]
    expected = [] if contact.agent is None else [contact.agent]
    _demand(having == expected, f"with {having} instead of {expected}", contact=contact.id)


def _check_figures(
    agents: Mapping[AgentId, Agent], contacts: Mapping[ContactId, QueuedContact], metrics: Metrics
) -> None:
    counted = Counter((contact.queue, contact.state) for contact in contacts.values())
    for name, tally in metrics.queues.items():
        folded = (tally.waiting, tally.offered, tally.talking)
        live = tuple(
            counted[name, state]
            for state in (ContactState.WAITING, ContactState.OFFERED, ContactState.TALKING)
        )
        _demand(folded == live, f"events say {folded}, contacts {live}", queue=name)
        states = [agent.state for agent in agents.values() if name in agent.settings.queues]
        away = states.count(AgentState.LOGGED_OUT)
        staff = (
            len(states) - away,
            states.count(AgentState.AVAILABLE),
            len(states) - away - states.count(AgentState.NOT_READY),
        )
        told = (tally.agents_signed_on, tally.agents_available, tally.agents_working)
        _demand(told == staff, f"events say {told} agents, there are {staff}", queue=name)
    for agent in agents.values():
        told_state = metrics.agents[agent.settings.agent].state
        _demand(told_state is agent.state, f"events say {told_state}", agent=agent.settings.agent)
