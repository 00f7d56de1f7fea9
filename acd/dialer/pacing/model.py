"""What the pacer is told and what it decides."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Floor(Struct, frozen=True, kw_only=True):
    """The agents of a campaign and the answered people, at one moment.

    Only agents that will serve the campaign again: not those who leave after this call, nor those
    whom other campaigns were given.
    """

    free: int
    """Agents that would take a call now, without those kept for the queue's own callers."""
    waiting: int = 0
    """People who answered and have no agent yet."""
    talking: tuple[float, ...] = ()
    """Seconds each agent has talked, or has been connected; with the queue's callers, too."""
    wrapping: tuple[float, ...] = ()
    """Seconds each agent has been in wrap-up."""
    callers: int = 0
    """The queue's own callers who wait, and go first."""


class Limit(Struct, frozen=True, kw_only=True):
    """Something outside the pacer that bounds the number of dials."""

    code: str
    """As of `acd.dialer.model.Blocker`: `trunk-full`, `calls-per-second`, `list-empty`."""
    most: int
    """New dials that it allows now."""


class Reason(StrEnum):
    """What set the number of dials."""

    LEARNING = "learning"
    """Too few talks are known: one dial for each free agent."""
    PROGRESSIVE = "progressive"
    """The campaign wants no more than one dial for each free agent."""
    FORECAST = "forecast"
    """One dial more would find no agent too probably."""
    FREE_AGENTS = "free-agents"
    """The cap's allowance is all but used up; each free agent has one dial nevertheless."""
    LIMIT = "limit"
    """A limit allows fewer; `Decision.limit` names it."""
    NO_AGENTS = "no-agents"
    """Nobody is there who could talk."""


class Decision(Struct, frozen=True, kw_only=True):
    """A decision with all that it was made of. `replay(decision)` comes to the same `dials`."""

    number: int
    """Counted from 1 for a campaign; attempts carry it."""
    at: float
    """Monotonic seconds."""
    dials: int
    """New dials to make now."""
    reason: Reason
    limit: str = ""
    """Code of the limit that bound."""
    is_predictive: bool = True
    floor: Floor
    limits: tuple[Limit, ...] = ()
    in_flight: int = 0
    """Dials that ring."""
    judging: int = 0
    """Answered, and not yet known to be persons."""
    answer_rate: float = 0.0
    """The probability that a dial made now is answered."""
    human_rate: float = 1.0
    """The part of the answered that needs an agent."""
    talks: float = 0.0
    """Talks that are known, the older ones counting less."""
    ends_per_s: float = 0.0
    """Talks expected to end in a second now."""
    allowance: float = 0.0
    """Calls that may be abandoned before the cap is broken (`acd.dialer.legal`)."""
    cap: float = 0.03
    """0 to 1."""
    threshold: float = 0.0
    """Dialled is while the next dial, once answered, finds no agent with at most this probability."""
    risk: float = 0.0
    """That probability for the last dial made; for the next one, where none is made."""
    next_risk: float = 0.0
    """That probability for the first dial not made."""
    start: int = 0
    """Agents free, less people waiting, at the beginning of the forecast."""
    scale: int = 1
    """Agents a cell of the forecast's lattice."""
    slack: int = 0
    """Seconds for which a person waits, less those that agents take to hear it."""
    supply: tuple[tuple[float, float], ...] = ()
    """Mean and variance of agents that become free in each second of the forecast."""
    demand: tuple[tuple[float, float], ...] = ()
    """Mean and variance of people who will need an agent, of those in flight."""
    fresh: tuple[float, ...] = ()
    """The probability that a dial made now needs an agent in that second."""
