"""Rules of the field, re-created in short from what their documents say, to compare with.

Each is asked once a second, as the pacer is, and keeps what it needs in a row of numbers.
"""

from __future__ import annotations

import math
from typing import Any, Final

from acd.compiled import inner

PACER: Final = 0
PROGRESSIVE: Final = 1
RATIO_2: Final = 2
RATIO_3: Final = 3
ISSABEL: Final = 4
VICIDIAL: Final = 5

SIZE: Final = 512
"""Numbers that a rule may keep."""
_ISSABEL_CERTAINTY: Final = 0.97
_ISSABEL_LEAST_RATE: Final = 0.20
_ISSABEL_LEAST_CALLS: Final = 10
_WINDOW_MINUTES: Final = 30

# Of the Issabel-like rule: sums of talks and delays, then dials and answers by minute.
_TALKS: Final = 0
_TALK_S: Final = 1
_ANSWERS: Final = 2
_DELAY_S: Final = 3
_BY_MINUTE: Final = 16

# Of the VICIdial-like rule.
_LEVEL: Final = 100
_READY: Final = 101
_SAMPLES: Final = 102
_LAST_ANSWERS: Final = 110
_LAST_DROPS: Final = 170


@inner
def simple(rule: int, free: int, ringing: int, waiting: int) -> int:
    """One, two or three dials for each free agent."""
    if rule == PROGRESSIVE:
        return max(free - ringing - waiting, 0)
    return max(rule * free - ringing, 0)


@inner
def issabel_like(
    own: Any, second: int, free: int, ringing: int, waiting: int, talking: Any, n_talking: int
) -> int:
    """Free agents and those nearly free by an exponential law, over the success rate of half an hour.

    The law is asked for the whole length of the talk, though an exponential one has no memory.
    """
    dials = 0.0
    answers = 0.0
    for minute in range(_WINDOW_MINUTES):
        dials += own[_BY_MINUTE + 2 * minute]
        answers += own[_BY_MINUTE + 2 * minute + 1]
    rate = 1.0
    if dials >= _ISSABEL_LEAST_CALLS:
        rate = max(answers / dials, _ISSABEL_LEAST_RATE)
    near = 0
    if own[_TALKS] > 0.0:
        mean = own[_TALK_S] / own[_TALKS]
        delay = own[_DELAY_S] / max(own[_ANSWERS], 1.0)
        for agent in range(n_talking):
            if 1.0 - math.exp(-(talking[agent] + delay) / mean) >= _ISSABEL_CERTAINTY:
                near += 1
    return max(int((free + near - waiting) / rate + 0.5) - ringing, 0)


@inner
def issabel_saw(own: Any, second: int, dials: int, answers: int, delays: float) -> None:
    """Keep what happened in this second."""
    minute = (second // 60) % _WINDOW_MINUTES
    if second % 60 == 0:
        own[_BY_MINUTE + 2 * minute] = 0.0
        own[_BY_MINUTE + 2 * minute + 1] = 0.0
    own[_BY_MINUTE + 2 * minute] += dials
    own[_BY_MINUTE + 2 * minute + 1] += answers
    own[_ANSWERS] += answers
    own[_DELAY_S] += delays


@inner
def issabel_talked(own: Any, seconds: float) -> None:
    """A talk and its wrap-up ended."""
    own[_TALKS] += 1.0
    own[_TALK_S] += seconds


@inner
def vicidial_like(
    own: Any, second: int, cap: float, agents: int, free: int, waiting: int, active: int,
    answers_today: float, drops_today: float,
) -> int:  # fmt: skip
    """ADAPT_AVERAGE: a level of lines per agent, from the mean of ready agents every 15 seconds.

    Lines that ring, wait and talk count. More drops today than the limit halve the level.
    """
    if own[_LEVEL] < 1.0:
        own[_LEVEL] = 1.0
    own[_READY] += free - waiting
    own[_SAMPLES] += 1.0
    at = (second // 15) % 4
    if second % 15 == 14:
        level = own[_LEVEL]
        level *= 1.0 + own[_READY] / own[_SAMPLES] / max(agents, 1)
        own[_READY] = 0.0
        own[_SAMPLES] = 0.0
        answers = answers_today - own[_LAST_ANSWERS + at]
        drops = drops_today - own[_LAST_DROPS + at]
        own[_LAST_ANSWERS + at] = answers_today
        own[_LAST_DROPS + at] = drops_today
        if answers > 20.0 and drops > 0.5 * answers:
            level *= 0.5
        if answers_today > 50.0 and drops_today > cap * answers_today:
            level *= 0.5
        own[_LEVEL] = min(max(level, 1.0), 3.0)
    return max(int(own[_LEVEL] * agents) - active, 0)
