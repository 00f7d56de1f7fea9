"""Why this agent: the candidates that were weighed, in words."""

from __future__ import annotations

from collections.abc import Mapping

from acd.model import AgentId, Candidate, ContactId, Decision
from acd.routing.router import Pool, Router
from acd.routing.skills import in_words, lacking

LONGEST_IDLE = "longest-idle"
"""Agents were idle; the one who had been so longest was taken."""
PREFERRED = "preferred-agent"
"""The agent the contact asked for was idle."""
FIRST_FREE = "first-free"
"""The contact was waiting with the best score when this agent became free."""

PICKED_UP = "picked-up"
"""It rang at another agent, and this one picked it up."""

_WHY_NOT = 3
"""So many idle agents of the queue that lack a skill are named too."""


def explain(
    router: Router,
    pool: Pool,
    contact: ContactId,
    agent: AgentId,
    *,
    rule: str,
    at: float,
    waited_s: float,
    at_most: int,
    preferred: Candidate | None = None,
) -> Decision:
    """Return the decision with its candidates, best first.

    To be called before `agent` leaves the idle line. `preferred` is the agent asked for, if
    that one could not be had.
    """
    skilled = bool(pool.needs)
    since = router.idle_since(agent) if router.is_idle(agent) else at
    chosen = _candidate(router, pool, agent, since, at, rule, skilled=skilled)
    weighed = [chosen]
    for since, _, name in pool.idle.places[:at_most]:
        if name != agent and len(weighed) < at_most:
            weighed.append(_candidate(router, pool, name, since, at, "idle", skilled=skilled))
    others = max(0, len(pool.idle) - len(weighed))
    if preferred is not None and len(weighed) < at_most:
        weighed.append(preferred)
    own = router.own_pool(pool.queue)
    if own is not pool and len(weighed) < at_most:
        weighed.extend(_lacking(router, pool, own, at, min(_WHY_NOT, at_most - len(weighed))))
    return Decision(
        contact=contact,
        agent=agent,
        queue=pool.queue,
        rule=rule,
        at=at,
        waited_s=waited_s,
        candidates=tuple(weighed),
        others=others,
    )


def preferred_elsewhere(router: Router, pool: Pool, wanted: AgentId, state: str) -> Candidate:
    """Say why the agent that the contact asked for, who is in this state, does not get it."""
    why = state if wanted in pool.members else "not one who can take it"
    return Candidate(
        agent=wanted,
        score=0.0,
        idle_s=0.0,
        levels=router.skills(wanted),
        note="preferred, but " + why,
        eligible=False,
    )


def _candidate(
    router: Router,
    pool: Pool,
    agent: AgentId,
    since: float,
    at: float,
    why: str,
    *,
    skilled: bool,
) -> Candidate:
    idle_s = at - since
    levels = router.skills(agent)
    note = f"{_OPENING.get(why, 'idle: ')}{int(idle_s)} s"
    meets = _NO_NEEDS
    if skilled:
        note += "; " + in_words(levels, pool.needs)
        meets = {skill: levels.get(skill, 0) for skill, _ in pool.needs}
    return Candidate(
        agent=agent,
        score=idle_s,
        idle_s=idle_s,
        levels=levels,
        note=note,
        eligible=True,
        meets=meets,
    )


_NO_NEEDS: Mapping[str, int] = {}
_OPENING = {
    LONGEST_IDLE: "longest idle: ",
    PREFERRED: "preferred agent; idle: ",
    FIRST_FREE: "first free; idle: ",
    PICKED_UP: "picked up; idle: ",
}


def _lacking(router: Router, pool: Pool, own: Pool, at: float, at_most: int) -> list[Candidate]:
    """Return the first idle agents of the queue who would be longest idle but lack a skill."""
    found: list[Candidate] = []
    for since, _, name in own.idle.places[: 4 * _WHY_NOT]:
        if name not in pool.members and len(found) < at_most:
            levels = router.skills(name)
            found.append(
                Candidate(
                    agent=name,
                    score=0.0,
                    idle_s=at - since,
                    levels=levels,
                    note=lacking(levels, pool.needs),
                    eligible=False,
                )
            )
    return found
