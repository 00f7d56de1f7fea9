"""The forecast: will a person who answers a dial made now find an agent?

For each second of the next minute it knows mean and variance of the agents who become free (supply)
and of the people who will need one (demand), and walks the distribution of "agents free, less people"
through them. A sum of independent events with mean m and variance v is taken as a fixed number d, one
more with probability f, and a Poisson number of mean l: d + f*f = m - v, l = v - f*(1 - f). That is
exact for certain events (a wrap-up of fixed length), for a single uncertain one, and for many rare ones.
"""

from __future__ import annotations

import math
from typing import Any, Final

from acd.compiled import inner
from acd.dialer.pacing.mind import (
    AGES,
    CALLERS_PER_S,
    GONE,
    HAZARD,
    HUMANS,
    JUDGE_S,
    JUDGED,
    NO_WRAP_UP,
    RING,
    STILL,
    TALK_BIN_S,
    TALK_BINS,
    WRAP_BINS,
    WRAP_ENDS,
    WRAP_SECONDS,
    answer_rate,
)

STEPS: Final = 72
"""Seconds that a forecast may reach, with those of patience."""
WIDTH: Final = 2048
"""Cells of the lattice. With `lattice_scale` a tenth of it is in use."""
SUPPLY: Final = 0
SUPPLY_VARIANCE: Final = 1
DEMAND: Final = 2
DEMAND_VARIANCE: Final = 3
FRESH: Final = 4
_STILL_RINGS: Final = 5
ROWS: Final = 6
_EXACT_AGENTS: Final = 120
_TAIL: Final = 1e-6


@inner
def lattice_scale(agents: int) -> int:
    """Agents a cell: one, and more on large floors, where single agents do not matter."""
    if agents <= _EXACT_AGENTS:
        return 1
    return (agents + 99) // 100


@inner
def expect_supply(
    mind: Any, talking: Any, n_talking: int, wrapping: Any, n_wrapping: int, table: Any
) -> float:
    """Fill in who becomes free, second by second; give the talks that end in a second now."""
    for step in range(STEPS):
        table[SUPPLY, step] = 0.0
        table[SUPPLY_VARIANCE, step] = 0.0
    for agent in range(n_wrapping):
        left = 1.0
        age = min(int(wrapping[agent] + 1e-9), WRAP_BINS - 1)
        for step in range(1, STEPS):
            at = age + step - 1
            if at >= WRAP_BINS:
                at = WRAP_BINS - 1
            ends = left * _wrap_hazard(mind, at)
            table[SUPPLY, step] += ends
            table[SUPPLY_VARIANCE, step] += ends * (1.0 - ends)
            left -= ends
            if left < 1e-4:
                break
    per_s = 0.0
    for agent in range(n_talking):
        per_s += mind[HAZARD + min(int(talking[agent] / TALK_BIN_S), TALK_BINS - 1)]
    wrapped = 0.0
    left = 1.0
    for step in range(1, STEPS):
        free = per_s * (mind[NO_WRAP_UP] + (1.0 - mind[NO_WRAP_UP]) * wrapped)
        table[SUPPLY, step] += free
        table[SUPPLY_VARIANCE, step] += free
        ends = left * _wrap_hazard(mind, min(step - 1, WRAP_BINS - 1))
        wrapped += ends
        left -= ends
    return per_s


@inner
def _wrap_hazard(mind: Any, age: int) -> float:
    seconds = float(mind[WRAP_SECONDS + age])
    if seconds < 0.05:
        return 0.05
    return min(float(mind[WRAP_ENDS + age]) / seconds, 1.0)


@inner
def expect_demand(mind: Any, ages: Any, judging: int, table: Any) -> int:
    """Fill in who will need an agent; give the last second in which a new dial may."""
    for step in range(STEPS):
        table[DEMAND, step] = mind[CALLERS_PER_S]
        table[DEMAND_VARIANCE, step] = mind[CALLERS_PER_S]
        table[FRESH, step] = 0.0
    rate = answer_rate(mind)
    human = min(mind[HUMANS] / mind[JUDGED], 1.0)
    judge_s = min(int(mind[JUDGE_S] + 0.5), STEPS - AGES - 3)
    total = 0.0
    for age in range(AGES):
        total += mind[RING + age]
    last = 0
    seen = 0.0
    while last < AGES - 1 and seen < 0.9995 * total:
        seen += mind[RING + last]
        last += 1
    # Who would answer in that second, of dials that nothing else ends.
    here = 1.0
    for age in range(last):
        table[_STILL_RINGS, age] = here * mind[RING + age] / total * rate * human
        table[FRESH, age + 1 + judge_s] = table[_STILL_RINGS, age]
        here *= 1.0 - _gone_hazard(mind, age)
    early = 0.0
    here = 1.0
    for age in range(last):
        n = ages[age]
        if n > 0:
            # It has not answered, and has not ended otherwise, for so long.
            may = 1.0 / ((1.0 - rate * early) * max(here, 1e-3))
            ahead = judge_s + 1 - age
            for later in range(age, last):
                p = min(may * table[_STILL_RINGS, later], 1.0)
                table[DEMAND, later + ahead] += n * p
                table[DEMAND_VARIANCE, later + ahead] += n * p * (1.0 - p)
        early += mind[RING + age] / total
        here *= 1.0 - _gone_hazard(mind, age)
    if judging > 0:
        soon = max(judge_s, 1)
        for step in range(1, soon + 1):
            table[DEMAND, step] += judging * human / soon
            table[DEMAND_VARIANCE, step] += judging * human * (1.0 - human) / soon
    return last + judge_s


@inner
def _gone_hazard(mind: Any, age: int) -> float:
    seconds = float(mind[STILL + age])
    if seconds < 20.0:
        return 0.0
    return min(float(mind[GONE + age]) / seconds, 1.0)


@inner
def risk(
    start: int, scale: int, slack: int, last: int, dials: int, table: Any, cells: Any
) -> float:
    """The probability that the next dial after `dials` new ones, once answered, finds no agent.

    `slack` are the seconds that a person waits; `cells` is scratch, (2, WIDTH).
    """
    mean = 0.0
    variance = 0.0
    for step in range(1, slack + 1):
        mean += table[SUPPLY, step]
        variance += table[SUPPLY_VARIANCE, step]
    x = 0
    first = start / scale
    mean = mean / scale + max(first, 0.0) - math.floor(max(first, 0.0))
    variance = variance / (scale * scale)
    base = math.floor(max(first, 0.0))
    cells[0, 0] = 1.0
    high = 0
    fixed, more, rare = _parts(mean, variance)
    base += fixed
    if first < 0.0:
        # Those who wait already take the first who become free.
        base = max(base + math.floor(first), 0)
    x, high = _more(cells, x, high, more, rare)
    bad = 0.0
    weight = 0.0
    for step in range(1, last + 1):
        fixed, more, rare = _parts(
            table[SUPPLY, step + slack] / scale,
            table[SUPPLY_VARIANCE, step + slack] / (scale * scale),
        )
        base += fixed
        x, high = _more(cells, x, high, more, rare)
        fresh = table[FRESH, step]
        fixed, more, rare = _parts(
            (table[DEMAND, step] + dials * fresh) / scale,
            (table[DEMAND_VARIANCE, step] + dials * fresh * (1.0 - fresh)) / (scale * scale),
        )
        x, base, high = _fewer(cells, x, base, high, fixed, more, rare)
        if fresh > 0.0:
            weight += fresh
            if base == 0:
                bad += fresh * cells[x, 0]
    return bad / weight if weight > 0.0 else 0.0


@inner
def _parts(mean: float, variance: float) -> tuple[int, float, float]:
    """Fixed number, probability of one more, mean of the Poisson rest."""
    sure = mean - variance
    if sure < 1e-9:
        return 0, 0.0, mean
    fixed = int(sure + 1e-9)
    more = math.sqrt(max(sure - fixed, 0.0))
    rare = variance - more * (1.0 - more)
    if rare < 0.0:
        rare = 0.0
        more = min(max(mean - fixed, 0.0), 1.0)
    return fixed, more, rare


@inner
def _more(cells: Any, x: int, high: int, more: float, rare: float) -> tuple[int, int]:
    """Move up: by one with probability `more`, and by a Poisson number."""
    if more > 1e-9 and high + 2 < WIDTH:
        cells[x, high + 1] = 0.0
        for cell in range(high + 1, 0, -1):
            cells[x, cell] = cells[x, cell] * (1.0 - more) + cells[x, cell - 1] * more
        cells[x, 0] *= 1.0 - more
        high += 1
    if rare > 1e-9:
        y = 1 - x
        top = min(high + _reach(rare), WIDTH - 1)
        for cell in range(top + 1):
            cells[y, cell] = 0.0
        share = math.exp(-rare)
        for jump in range(top - high + 1):
            for cell in range(high + 1):
                cells[y, cell + jump] += cells[x, cell] * share
            share *= rare / (jump + 1)
        x = y
        high = top
        while high > 0 and cells[x, high] < _TAIL:
            high -= 1
    return x, high


@inner
def _fewer(
    cells: Any, x: int, base: int, high: int, fixed: int, more: float, rare: float
) -> tuple[int, int, int]:
    """Move down, and no further than to nobody free: cell 0 of base 0 keeps what would go below."""
    reach = _reach(rare) if rare > 1e-9 else 0
    down = fixed + reach + (1 if more > 1e-9 else 0)
    if down == 0:
        return x, base, high
    # Make room below, as far as it is there: cell i of the new row is `base - room + i`.
    room = min(down, base)
    y = 1 - x
    top = min(high + room, WIDTH - 1)
    for cell in range(top + 1):
        cells[y, cell] = 0.0
    share = math.exp(-rare) if rare > 1e-9 else 1.0
    for jump in range(reach + 1):
        move = room - fixed - jump
        _put(cells, x, y, high, move, share * (1.0 - more), top)
        if more > 1e-9:
            _put(cells, x, y, high, move - 1, share * more, top)
        share *= rare / (jump + 1)
    while top > 0 and cells[y, top] < _TAIL:
        top -= 1
    base -= room
    low = 0
    while low < top and cells[y, low] < _TAIL:
        low += 1
    if low > 0:
        for cell in range(low, top + 1):
            cells[y, cell - low] = cells[y, cell]
        base += low
        top -= low
    return y, base, top


@inner
def _put(cells: Any, x: int, y: int, high: int, move: int, share: float, top: int) -> None:
    """Add a row, moved by so many cells, to the other; what goes below the first stays in it."""
    begin = 0
    if move < 0:
        begin = min(-move, high + 1)
        below = 0.0
        for cell in range(begin):
            below += cells[x, cell]
        cells[y, 0] += below * share
    for cell in range(begin, min(high, top - move) + 1):
        cells[y, cell + move] += cells[x, cell] * share


@inner
def _reach(rare: float) -> int:
    """The largest Poisson number worth looking at."""
    return int(rare + 4.0 * math.sqrt(rare) + 3.0)
