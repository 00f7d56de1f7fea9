"""What a pacer has learned: one row of numbers, and the functions that learn.

A row so that a rehearsal can hold many pacers side by side, and a restart can keep one as it is.
Seconds of a dial and of a wrap-up are bins: what happens between the ages b and b + 1 is in bin b.
Old experience fades, each kind by its own count.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from acd.compiled import inner

AGES: Final = 64
"""Seconds a dial may ring; nobody is expected to answer later."""
TALK_BIN_S: Final = 5.0
TALK_BINS: Final = 400
WRAP_BINS: Final = 180
HOURS: Final = 96
"""Quarters of an hour of a day."""

# Single numbers.
ANSWERS: Final = 0
"""Answers of the last minutes."""
EXPOSURE: Final = 1
"""Answers there would have been, had every dial been answered at some time."""
ALL_ANSWERS: Final = 2
ALL_EXPOSURE: Final = 3
LEVEL: Final = 4
"""Logarithm of the threshold, learned from how the allowance is used."""
TALKS: Final = 5
NEW_TALKS: Final = 6
"""Talks since the hazard was computed."""
HUMANS: Final = 7
JUDGED: Final = 8
JUDGE_S: Final = 9
CONNECT_S: Final = 10
CALLERS_PER_S: Final = 11
NO_WRAP_UP: Final = 12
"""The part of talks without a wrap-up."""
QUARTER: Final = 13
"""The quarter of the day at the last look, counted from 1."""

# Tables.
RING: Final = 16
"""Answers by the second after the dial."""
GONE: Final = RING + AGES
"""Dials that ended otherwise, by second."""
STILL: Final = GONE + AGES
"""Dials that rang in that second."""
TALK_SECONDS: Final = STILL + AGES
TALK_ENDS: Final = TALK_SECONDS + TALK_BINS
HAZARD: Final = TALK_ENDS + TALK_BINS
"""Ends a second of a talk so old."""
WRAP_SECONDS: Final = HAZARD + TALK_BINS
WRAP_ENDS: Final = WRAP_SECONDS + WRAP_BINS
HOUR_ANSWERS: Final = WRAP_ENDS + WRAP_BINS
HOUR_EXPOSURE: Final = HOUR_ANSWERS + HOURS
SIZE: Final = HOUR_EXPOSURE + HOURS

LONGEST_LOOK_S: Final = 5.0
"""What happened while nobody looked, as when a campaign was paused, counts for so long at most."""
WINDOW_S: Final = 600.0
"""The answer rate follows the last minutes by this constant."""
_PRIOR_RATE: Final = 0.25
_PRIOR_DIALS: Final = 20.0
_PRIOR_RINGS: Final = 10.0
_SHORTEST_RING_S: Final = 4
_LONGEST_RING_S: Final = 25
_HOUR_PRIOR: Final = 30.0
_RECENT_PRIOR: Final = 5.0
_KEPT_ANSWERS: Final = 1.0 - 1.0 / 4000.0
_KEPT_ENDS: Final = 1.0 - 1.0 / 1000.0
_KEPT_TALKS: Final = 1.0 - 1.0 / 4000.0
_KEPT_WRAPS: Final = 1.0 - 1.0 / 500.0
_KEPT_DAY: Final = 0.9
_LOWEST_THRESHOLD: Final = 0.0025


def newborn(wrap_up_s: float, cap: float) -> np.ndarray[Any, np.dtype[np.float64]]:
    """A mind that has seen nothing: guesses that weigh little. The threshold begins at thrice the cap."""
    mind = np.zeros(SIZE)
    mind[LEVEL] = math.log(min(max(1.5 * cap, _LOWEST_THRESHOLD), 0.5))
    mind[EXPOSURE] = _RECENT_PRIOR
    mind[ANSWERS] = _RECENT_PRIOR * _PRIOR_RATE
    mind[JUDGED] = 2.0
    mind[HUMANS] = 2.0
    rings = slice(RING + _SHORTEST_RING_S, RING + _LONGEST_RING_S)
    mind[rings] = _PRIOR_RINGS / (_LONGEST_RING_S - _SHORTEST_RING_S)
    mind[HAZARD : HAZARD + TALK_BINS] = 1.0 / 150.0
    last = min(max(math.ceil(wrap_up_s) - 1, 0), WRAP_BINS - 1)
    mind[WRAP_SECONDS : WRAP_SECONDS + last + 1] = 1.0
    mind[WRAP_ENDS + last] = 1.0
    mind[NO_WRAP_UP] = 1.0 if wrap_up_s <= 0.0 else 0.0
    return mind


@inner
def bin_of(seconds: float, bins: int) -> int:
    """The bin in which something ended that lasted so long."""
    return min(max(math.ceil(seconds - 1e-9) - 1, 0), bins - 1)


@inner
def learn_answer(mind: Any, rang_s: float) -> None:
    """A dial was answered after so long."""
    ring = bin_of(rang_s, AGES)
    total = 0.0
    for age in range(AGES):
        mind[RING + age] *= _KEPT_ANSWERS
        total += mind[RING + age]
    exposure = mind[RING + ring] / total
    mind[RING + ring] += 1.0
    mind[STILL + ring] += 1.0
    mind[ANSWERS] += 1.0
    mind[EXPOSURE] += exposure
    mind[ALL_ANSWERS] += 1.0
    mind[ALL_EXPOSURE] += exposure
    quarter = int(mind[QUARTER]) - 1
    if quarter >= 0:
        mind[HOUR_ANSWERS + quarter] += 1.0
        mind[HOUR_EXPOSURE + quarter] += exposure


@inner
def learn_end(mind: Any, rang_s: float) -> None:
    """A dial ended unanswered after so long: busy, refused, given up."""
    ring = bin_of(rang_s, AGES)
    for age in range(AGES):
        mind[GONE + age] *= _KEPT_ENDS
        mind[STILL + age] *= _KEPT_ENDS
    mind[GONE + ring] += 1.0
    mind[STILL + ring] += 1.0


@inner
def learn_verdict(mind: Any, took_s: float, is_human: bool) -> None:
    """An answer was judged after so long."""
    mind[JUDGED] = mind[JUDGED] * 0.995 + 1.0
    mind[HUMANS] = mind[HUMANS] * 0.995 + (1.0 if is_human else 0.0)
    mind[JUDGE_S] += (took_s - mind[JUDGE_S]) * 0.05


@inner
def learn_connect(mind: Any, seconds: float) -> None:
    """An agent heard its person so long after it was chosen; nine of ten are to be shorter."""
    late = seconds - mind[CONNECT_S]
    mind[CONNECT_S] += late * (0.2 if late > 0.0 else 0.02)


@inner
def learn_caller(mind: Any) -> None:
    """An agent went to a caller of the queue."""
    mind[CALLERS_PER_S] += 1.0 / WINDOW_S


@inner
def learn_talk(mind: Any, seconds: float) -> None:
    """A talk ended after so long."""
    last = min(int(seconds / TALK_BIN_S), TALK_BINS - 1)
    for step in range(last):
        mind[TALK_SECONDS + step] += TALK_BIN_S
    mind[TALK_SECONDS + last] += seconds - TALK_BIN_S * last
    mind[TALK_ENDS + last] += 1.0
    mind[TALKS] += 1.0
    mind[NEW_TALKS] += 1.0
    if mind[NEW_TALKS] >= 8.0:
        _fade_and_smooth(mind)


@inner
def _fade_and_smooth(mind: Any) -> None:
    """The hazard by age: ends over seconds of seven bins, drawn a little to the mean talk."""
    kept = _KEPT_TALKS ** mind[NEW_TALKS]
    mind[NEW_TALKS] = 0.0
    mind[TALKS] *= kept
    ends = 0.0
    seconds = 0.0
    for step in range(TALK_BINS):
        mind[TALK_ENDS + step] *= kept
        mind[TALK_SECONDS + step] *= kept
        ends += mind[TALK_ENDS + step]
        seconds += mind[TALK_SECONDS + step]
    usual = (ends + 0.5) / (seconds + 75.0)
    ends = 0.0
    seconds = 0.0
    for step in range(3):
        ends += mind[TALK_ENDS + step]
        seconds += mind[TALK_SECONDS + step]
    for step in range(TALK_BINS):
        if step + 3 < TALK_BINS:
            ends += mind[TALK_ENDS + step + 3]
            seconds += mind[TALK_SECONDS + step + 3]
        if step >= 4:
            ends -= mind[TALK_ENDS + step - 4]
            seconds -= mind[TALK_SECONDS + step - 4]
        mind[HAZARD + step] = (max(ends, 0.0) + 0.5) / (max(seconds, 0.0) + 0.5 / usual)


@inner
def learn_wrap_up(mind: Any, seconds: float) -> None:
    """A wrap-up ended after so long; 0: there was none."""
    if seconds <= 0.0:
        mind[NO_WRAP_UP] += (1.0 - mind[NO_WRAP_UP]) * 0.05
        return
    mind[NO_WRAP_UP] *= 0.95
    last = bin_of(seconds, WRAP_BINS)
    for step in range(WRAP_BINS):
        mind[WRAP_SECONDS + step] *= _KEPT_WRAPS
        mind[WRAP_ENDS + step] *= _KEPT_WRAPS
    for step in range(last + 1):
        mind[WRAP_SECONDS + step] += 1.0
    mind[WRAP_ENDS + last] += 1.0


@inner
def look(mind: Any, passed_s: float, day_s: float, ages: Any) -> None:
    """Count the seconds for which dials have rung since the last look; `ages` are dials by age."""
    quarter = min(max(int(day_s / 900.0), 0), HOURS - 1)
    if int(mind[QUARTER]) - 1 != quarter:
        mind[QUARTER] = quarter + 1.0
        mind[HOUR_ANSWERS + quarter] *= _KEPT_DAY
        mind[HOUR_EXPOSURE + quarter] *= _KEPT_DAY
    total = 0.0
    for age in range(AGES):
        total += mind[RING + age]
    exposure = 0.0
    seen_s = min(passed_s, LONGEST_LOOK_S)
    for age in range(1, AGES):
        if ages[age] > 0:
            exposure += ages[age] * mind[RING + age - 1]
            mind[STILL + age - 1] += ages[age] * seen_s
    exposure *= seen_s / total
    usual = (mind[ALL_ANSWERS] + _PRIOR_RATE * _PRIOR_DIALS) / (mind[ALL_EXPOSURE] + _PRIOR_DIALS)
    of_hour = (mind[HOUR_ANSWERS + quarter] + usual * _HOUR_PRIOR) / (
        mind[HOUR_EXPOSURE + quarter] + _HOUR_PRIOR
    )
    kept = math.exp(-passed_s / WINDOW_S)
    mind[EXPOSURE] = mind[EXPOSURE] * kept + exposure + (1.0 - kept) * _RECENT_PRIOR
    mind[ANSWERS] = mind[ANSWERS] * kept + (1.0 - kept) * _RECENT_PRIOR * of_hour
    mind[HOUR_EXPOSURE + quarter] += exposure
    forgotten = math.exp(-passed_s / 864000.0)
    mind[ALL_EXPOSURE] = mind[ALL_EXPOSURE] * forgotten + exposure
    mind[ALL_ANSWERS] *= forgotten
    mind[CALLERS_PER_S] *= kept


@inner
def answer_rate(mind: Any) -> float:
    """The probability that a dial made now is answered, if it is not busy.

    Answers over exposure are a hazard: on average half of those who answer at all have done so.
    """
    hazard = float(mind[ANSWERS] / mind[EXPOSURE])
    return min(hazard / (1.0 + 0.5 * hazard), 0.98)
