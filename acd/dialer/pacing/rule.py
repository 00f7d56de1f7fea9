"""The rule: dial while the next dial, once answered, would find no agent with at most this probability.

The threshold follows the allowance, calls that may be abandoned before the cap is broken: at once by
its size, and slowly by its integral, so that on average the cap is used and never overdrawn for long.
"""

from __future__ import annotations

import math
from typing import Any, Final

from numba import types

from acd.compiled import entry, inner
from acd.dialer.pacing.forecast import (
    expect_demand,
    expect_supply,
    lattice_scale,
    risk,
)
from acd.dialer.pacing.mind import (
    CONNECT_S,
    HUMANS,
    JUDGED,
    LEVEL,
    LONGEST_LOOK_S,
    TALKS,
    answer_rate,
    learn_answer,
    learn_caller,
    learn_connect,
    learn_end,
    learn_talk,
    learn_verdict,
    learn_wrap_up,
    look,
)
from switch.compiled import BOOL, INT, REAL

# What `decide` tells beside the number of dials.
OUT_RATE: Final = 0
OUT_HUMAN: Final = 1
OUT_TALKS: Final = 2
OUT_ENDS: Final = 3
OUT_THRESHOLD: Final = 4
OUT_RISK: Final = 5
OUT_NEXT_RISK: Final = 6
OUT_START: Final = 7
OUT_SCALE: Final = 8
OUT_SLACK: Final = 9
OUT_LAST: Final = 10
OUT_REASON: Final = 11
OUT_SIZE: Final = 12

LEARNING: Final = 0
FORECAST: Final = 1
FREE_AGENTS: Final = 2
LIMIT: Final = 3
NO_AGENTS: Final = 4

NEEDED_TALKS: Final = 30
GAIN: Final = 8.0
"""So many calls of allowance change the threshold by a factor e."""
RESERVE: Final = 4.0
RESERVE_OF_AGENT: Final = 0.08
"""Calls of the allowance that are left untouched, and more for each agent: they ring already."""
STIFFNESS: Final = 2.5
"""So much stronger is the pull where the reserve is touched, and it grows with the square."""
DRIFT_PER_S: Final = 1e-4
LOWEST: Final = 0.0025
HIGHEST: Final = 3.0
"""Times the cap: what an unspent allowance, of weeks perhaps, may never be made up for by."""
MOST_PER_AGENT: Final = 3

_TABLE: Final = types.float64[:, ::1]
_ROW: Final = types.float64[::1]
_COUNTS: Final = types.int64[::1]


@inner
def choose(
    start: int, scale: int, slack: int, last: int, most: int, threshold: float, table: Any,
    cells: Any, out: Any,
) -> int:  # fmt: skip
    """The largest number of dials up to `most` of which each is allowed by the threshold."""
    low = 0
    at_low = 0.0
    high = most + 1
    at_high = 1.0
    step = 1
    # The next dial after `dials` new ones must be within the threshold for dials + 1 to be made.
    probe = 0
    while low < most:
        found = risk(start, scale, slack, last, probe, table, cells)
        if found > threshold:
            high = probe + 1
            at_high = found
            break
        low = probe + 1
        at_low = found
        probe = min(probe + step, most - 1)
        step *= 2
    while high - low > 1:
        middle = (low + high) // 2
        found = risk(start, scale, slack, last, middle - 1, table, cells)
        if found > threshold:
            high = middle
            at_high = found
        else:
            low = middle
            at_low = found
    out[OUT_RISK] = at_low
    out[OUT_NEXT_RISK] = at_high
    return low


@inner
def decide(
    mind: Any, passed_s: float, day_s: float, free: int, waiting: int, callers: int, talking: Any,
    n_talking: int, wrapping: Any, n_wrapping: int, ages: Any, judging: int, allowance: float,
    cap: float, most: int, is_predictive: bool, patience_s: float, table: Any, cells: Any, out: Any,
) -> int:  # fmt: skip
    """How many to dial now; `look` has been called before. `out` and `table` tell why."""
    agents = free + n_talking + n_wrapping
    ringing = 0
    for age in range(len(ages)):
        ringing += ages[age]
    one_each = max(free - waiting - callers - ringing - judging, 0)
    out[OUT_RATE] = answer_rate(mind)
    out[OUT_HUMAN] = min(mind[HUMANS] / mind[JUDGED], 1.0)
    out[OUT_TALKS] = mind[TALKS]
    for at in range(OUT_ENDS, OUT_SIZE):
        out[at] = 0.0
    if agents == 0:
        out[OUT_REASON] = NO_AGENTS
        return 0
    if not is_predictive or mind[TALKS] < NEEDED_TALKS:
        out[OUT_REASON] = LEARNING if one_each <= most else LIMIT
        return min(one_each, most)
    scale = lattice_scale(agents)
    slack = max(int(patience_s - mind[CONNECT_S] + 1e-6), 0)
    out[OUT_ENDS] = expect_supply(mind, talking, n_talking, wrapping, n_wrapping, table)
    last = expect_demand(mind, ages, judging, table)
    spare = allowance - RESERVE - RESERVE_OF_AGENT * agents
    left = max(min(spare, GAIN), -3.0 * GAIN) / GAIN
    pull = left if left > 0.0 else STIFFNESS * (left - left * left)
    highest = min(max(HIGHEST * cap, LOWEST), 0.9)
    threshold = min(math.exp(mind[LEVEL] + pull), highest)
    start = free - waiting - callers
    out[OUT_THRESHOLD] = threshold
    out[OUT_START] = start
    out[OUT_SCALE] = scale
    out[OUT_SLACK] = slack
    out[OUT_LAST] = last
    bound = min(most, MOST_PER_AGENT * agents)
    dials = choose(start, scale, slack, last, bound, threshold, table, cells, out)
    is_bound = False
    if dials < one_each:
        dials = min(one_each, most)
        out[OUT_REASON] = FREE_AGENTS if spare < 0.0 else FORECAST
        if most < one_each:
            out[OUT_REASON] = LIMIT
    elif dials == most and most < MOST_PER_AGENT * agents:
        out[OUT_REASON] = LIMIT
        is_bound = True
    else:
        out[OUT_REASON] = FORECAST
    if not is_bound:
        level = mind[LEVEL] + DRIFT_PER_S * min(passed_s, LONGEST_LOOK_S) * left
        mind[LEVEL] = min(max(level, math.log(LOWEST)), math.log(highest))
    return dials


ANSWERED: Final = 0
ENDED: Final = 1
HUMAN: Final = 2
MACHINE: Final = 3
TALKED: Final = 4
WRAPPED_UP: Final = 5
CONNECTED: Final = 6
CALLER: Final = 7


@entry(_ROW, INT, REAL)
def learn(mind: Any, what: int, seconds: float) -> None:
    """Take in one piece of news, which took so many seconds."""
    if what == ANSWERED:
        learn_answer(mind, seconds)
    elif what == ENDED:
        learn_end(mind, seconds)
    elif what in (HUMAN, MACHINE):
        learn_verdict(mind, seconds, what == HUMAN)
    elif what == TALKED:
        learn_talk(mind, seconds)
    elif what == WRAPPED_UP:
        learn_wrap_up(mind, seconds)
    elif what == CONNECTED:
        learn_connect(mind, seconds)
    elif what == CALLER:
        learn_caller(mind)


@entry(
    _ROW, REAL, REAL, INT, INT, INT, _ROW, _ROW, _COUNTS, INT, REAL, REAL, INT, BOOL, REAL, _TABLE,
    _TABLE, _ROW,
)  # fmt: skip
def look_and_decide(
    mind: Any, passed_s: float, day_s: float, free: int, waiting: int, callers: int, talking: Any,
    wrapping: Any, ages: Any, judging: int, allowance: float, cap: float, most: int,
    is_predictive: bool, patience_s: float, table: Any, cells: Any, out: Any,
) -> int:  # fmt: skip
    """`look` and `decide`, as the dialer calls them."""
    look(mind, passed_s, day_s, ages)
    return decide(
        mind, passed_s, day_s, free, waiting, callers, talking, len(talking), wrapping,
        len(wrapping), ages, judging, allowance, cap, most, is_predictive, patience_s, table, cells,
        out,
    )  # fmt: skip


@entry(INT, INT, INT, INT, INT, REAL, _TABLE, _TABLE, _ROW)
def choose_again(
    start: int, scale: int, slack: int, last: int, most: int, threshold: float, table: Any,
    cells: Any, out: Any,
) -> int:  # fmt: skip
    """`choose`, for a decision that is replayed."""
    return choose(start, scale, slack, last, most, threshold, table, cells, out)
