"""A day of a campaign, second by second, for many seeds side by side: the compiled loop.

Arrays have a row for each seed. In a second: agents become free, dials are answered or end, answered
people get agents, those who waited too long are abandoned, and the rule says how many to dial.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numba import types

from acd.compiled import entry, inner
from acd.dialer.pacing.forecast import ROWS, STEPS, WIDTH
from acd.dialer.pacing.mind import (
    AGES,
    learn_answer,
    learn_end,
    learn_talk,
    learn_verdict,
    learn_wrap_up,
    look,
)
from acd.dialer.pacing.rule import OUT_SIZE, decide
from acd.dialer.wilson import room
from acd.simulation import baselines as rules
from switch.compiled import INT, REAL

# What is counted: columns of `figures`.
TALK_S: Final = 0
PRESENT_S: Final = 1
ANSWERED: Final = 2
ABANDONED: Final = 3
DIALS: Final = 4
CONNECTED: Final = 5
MACHINES: Final = 6
BUSY: Final = 7
FREE_S: Final = 8
MISJUDGED: Final = 9
THRESHOLD: Final = 10
FIGURES: Final = 12

# Columns of `people`: numbers of the conditions.
ANSWER: Final = 0
SWING: Final = 1
PERIOD_S: Final = 2
RING_LOW_S: Final = 3
RING_HIGH_S: Final = 4
GIVE_UP_S: Final = 5
BUSY_SHARE: Final = 6
MACHINE_SHARE: Final = 7
JUDGE_S: Final = 8
HUMAN_MISTAKEN: Final = 9
MACHINE_FOUND: Final = 10
TALK_MEAN_S: Final = 11
TALK_CV: Final = 12
WRAP_MEAN_S: Final = 13
WRAP_CV: Final = 14
PATIENCE_S: Final = 15
BREAK_EVERY_S: Final = 16
BREAK_S: Final = 17
BEGIN_S: Final = 18
MACHINE_TALK_S: Final = 19
CONDITIONS: Final = 24

# Rows of `course`: factors by second of the day.
ANSWER_FACTOR: Final = 0
REFUSED: Final = 1
PRESENT: Final = 2
TRUNK: Final = 3
"""Dials and talks that the trunks carry at a time; 0: any number."""

_FREE: Final = 0
_TALK: Final = 1
_WRAP: Final = 2
_AWAY: Final = 3
_PERSON: Final = 0
_MACHINE: Final = 1
_END: Final = 2
_DAYS: Final = 30
_plain_room = inner(room)
_ROWS: Final = types.float64[:, ::1]


@inner
def log_normal(mean: float, cv: float) -> float:
    """A random length with this mean and coefficient of variation."""
    if cv <= 0.0:
        return mean
    variance = math.log(1.0 + cv * cv)
    return math.exp(math.log(mean) - variance / 2.0 + math.sqrt(variance) * np.random.normal())


@inner
def dial(people: Any, chance: float, refused: float, due: Any, second: int) -> None:
    """Draw what comes of a dial, and note it for when it comes."""
    draw = np.random.random()
    kind = _END
    after = int(people[GIVE_UP_S])
    if refused > 0.0 and np.random.random() < refused:
        after = 1
    elif draw < chance:
        low = people[RING_LOW_S]
        after = math.ceil(low + (people[RING_HIGH_S] - low) * np.random.random())
        kind = _PERSON
        if people[MACHINE_SHARE] > 0.0 and np.random.random() < people[MACHINE_SHARE]:
            kind = _MACHINE
    elif draw > 1.0 - people[BUSY_SHARE]:
        after = 1 + int(3.0 * np.random.random())
    after = min(max(after, 1), AGES - 1)
    due[kind, (second + after) % AGES, after] += 1


@inner
def _one(
    row: int, day: int, agents: int, seed: int, rule: int, cap: float, is_guarded: bool, mind: Any,
    own: Any, figures: Any, counts: Any, people: Any, course: Any, cells: Any, table: Any, out: Any,
) -> None:  # fmt: skip
    np.random.seed(seed)
    phase = np.random.random() * 2.0 * math.pi
    np.random.seed((seed * 1000003 + day * 7919 + 12345) % 4294967291)
    state = np.zeros(agents, np.int64)
    since = np.zeros(agents)
    until = np.zeros(agents)
    talking = np.zeros(agents)
    wrapping = np.zeros(agents)
    is_machine = np.zeros(agents, np.bool_)
    began = np.zeros(agents)
    due = np.zeros((3, AGES, AGES), np.int64)
    ages = np.zeros(AGES, np.int64)
    judged_at = np.zeros((2, AGES), np.int64)
    judging = 0
    wait_since = np.zeros(4096, np.int64)
    wait_machine = np.zeros(4096, np.bool_)
    waiting = 0
    answered_before = 0.0
    abandoned_before = 0.0
    for earlier in range(max(day - _DAYS + 1, 0), day):
        answered_before += counts[0, earlier]
        abandoned_before += counts[1, earlier]
    answered = 0.0
    abandoned = 0.0
    judge_s = int(people[JUDGE_S])
    patience = int(people[PATIENCE_S])
    for at in range(len(own)):
        own[at] = 0.0
    seconds = course.shape[1]
    for second in range(seconds):
        # Agents: talks and wrap-ups end; some leave, some come back.
        present = 0
        wanted = int(course[PRESENT, second] * agents + 0.5)
        for agent in range(agents):
            if state[agent] != _AWAY:
                present += 1
        free = 0
        for agent in range(agents):
            if state[agent] == _TALK and second >= until[agent]:
                learn_talk(mind, second - since[agent])
                state[agent] = _WRAP
                since[agent] = second
                until[agent] = second + log_normal(people[WRAP_MEAN_S], people[WRAP_CV])
            if state[agent] == _WRAP and second >= until[agent]:
                learn_wrap_up(mind, second - since[agent])
                rules.issabel_talked(own, second - began[agent])
                state[agent] = _FREE
                if people[BREAK_EVERY_S] > 0.0:
                    handled = second - began[agent]
                    if np.random.random() < handled / people[BREAK_EVERY_S]:
                        state[agent] = _AWAY
                        until[agent] = second + log_normal(people[BREAK_S], 0.5)
                        present -= 1
            if state[agent] == _AWAY and present < wanted and second >= until[agent]:
                state[agent] = _FREE
                present += 1
            if state[agent] == _FREE:
                if present > wanted:
                    state[agent] = _AWAY
                    until[agent] = second
                    present -= 1
                else:
                    free += 1
        # Dials: older by a second; some are answered, some end.
        for age in range(AGES - 1, 0, -1):
            ages[age] = ages[age - 1]
        ages[0] = 0
        now = second % AGES
        picked = 0
        delays = 0.0
        for kind in range(3):
            for after in range(1, AGES):
                number = due[kind, now, after]
                if number == 0:
                    continue
                due[kind, now, after] = 0
                ages[after] -= number
                for _ in range(number):
                    if kind == _END:
                        learn_end(mind, after)
                        continue
                    learn_answer(mind, after)
                    picked += 1
                    delays += after
                    if judge_s == 0:
                        learn_verdict(mind, 0.0, True)
                        if waiting < len(wait_since):
                            wait_since[waiting] = second
                            wait_machine[waiting] = kind == _MACHINE
                            waiting += 1
                            if kind == _PERSON:
                                answered += 1.0
                            else:
                                figures[MACHINES] += 1.0
                    else:
                        judging += 1
                        judged_at[kind, (second + judge_s) % AGES] += 1
        if judge_s > 0:
            for kind in range(2):
                for _ in range(judged_at[kind, now]):
                    judging -= 1
                    if kind == _PERSON:
                        answered += 1.0
                        goes_on = np.random.random() >= people[HUMAN_MISTAKEN]
                        if not goes_on:
                            abandoned += 1.0
                            figures[MISJUDGED] += 1.0
                    else:
                        figures[MACHINES] += 1.0
                        goes_on = np.random.random() >= people[MACHINE_FOUND]
                    learn_verdict(mind, float(judge_s), goes_on)
                    if goes_on and waiting < len(wait_since):
                        wait_since[waiting] = second
                        wait_machine[waiting] = kind == _MACHINE
                        waiting += 1
                judged_at[kind, now] = 0
        # People get agents, first come, first served.
        taken = 0
        if waiting > 0 and free > 0:
            for agent in range(agents):
                if taken == waiting:
                    break
                if state[agent] == _FREE:
                    state[agent] = _TALK
                    since[agent] = second
                    began[agent] = second
                    is_machine[agent] = wait_machine[taken]
                    if is_machine[agent]:
                        until[agent] = second + people[MACHINE_TALK_S]
                    else:
                        until[agent] = second + log_normal(people[TALK_MEAN_S], people[TALK_CV])
                        figures[CONNECTED] += 1.0
                    taken += 1
                    free -= 1
        gone = taken
        while gone < waiting and second - wait_since[gone] >= patience:
            if not wait_machine[gone]:
                abandoned += 1.0
            gone += 1
        if gone > 0:
            waiting -= gone
            for place in range(waiting):
                wait_since[place] = wait_since[place + gone]
                wait_machine[place] = wait_machine[place + gone]
        # The floor as the rule sees it.
        n_talking = 0
        n_wrapping = 0
        for agent in range(agents):
            if state[agent] == _TALK:
                talking[n_talking] = second - since[agent]
                n_talking += 1
                if not is_machine[agent]:
                    figures[TALK_S] += 1.0
            elif state[agent] == _WRAP:
                wrapping[n_wrapping] = second - since[agent]
                n_wrapping += 1
        here = free + n_talking + n_wrapping
        figures[PRESENT_S] += here
        figures[FREE_S] += free
        ringing = 0
        for age in range(AGES):
            ringing += ages[age]
        most = 1 << 30
        if course[TRUNK, second] > 0.0:
            active = ringing + judging + waiting + n_talking
            most = max(int(course[TRUNK, second]) - active, 0)
        # The rule.
        if rule == rules.PACER:
            day_s = people[BEGIN_S] + second
            look(mind, 1.0, day_s, ages)
            allowance = (
                _plain_room(cap, answered_before + answered, is_guarded)
                - abandoned_before
                - abandoned
            )
            dials = decide(
                mind, 1.0, day_s, free, waiting, 0, talking, n_talking, wrapping, n_wrapping,
                ages, judging, allowance, cap, most, True, people[PATIENCE_S], table, cells, out,
            )  # fmt: skip
        else:
            if rule == rules.ISSABEL:
                dials = rules.issabel_like(
                    own, second, free, ringing + judging, waiting, talking, n_talking
                )
            elif rule == rules.VICIDIAL:
                dials = rules.vicidial_like(
                    own, second, cap, here, free, waiting,
                    ringing + judging + waiting + n_talking, answered, abandoned,
                )  # fmt: skip
            else:
                dials = rules.simple(rule, free, ringing + judging, waiting)
            dials = min(dials, most)
            rules.issabel_saw(own, second, dials, picked, delays)
        wave = math.sin(2.0 * math.pi * second / people[PERIOD_S] + phase)
        chance = people[ANSWER] * (1.0 + people[SWING] * wave) * course[ANSWER_FACTOR, second]
        for _ in range(dials):
            dial(people, chance, course[REFUSED, second], due, second)
        ages[0] += dials
        figures[DIALS] += dials
    counts[0, day] = answered
    counts[1, day] = abandoned
    figures[ANSWERED] += answered
    figures[ABANDONED] += abandoned
    figures[THRESHOLD] = out[4]


@entry(
    INT, INT, INT, INT, INT, INT, REAL, types.boolean, _ROWS, _ROWS, _ROWS,
    types.float64[:, :, ::1], types.float64[::1], _ROWS,
)  # fmt: skip
def run_day(
    first: int, count: int, day: int, agents: int, seed: int, rule: int, cap: float,
    is_guarded: bool, minds: Any, owns: Any, figures: Any, counts: Any, people: Any, course: Any,
) -> None:  # fmt: skip
    """Run a day for the seeds `first` to `first + count`.

    `minds`: what the pacers have learned, `owns`: what baselines keep; `figures` (seeds, FIGURES);
    `counts` (seeds, 2, days): answered and abandoned; `people` the conditions, `course` (4, seconds).
    """
    cells = np.zeros((2, WIDTH))
    table = np.zeros((ROWS, STEPS))
    out = np.zeros(OUT_SIZE)
    for row in range(first, first + count):
        _one(
            row, day, agents, seed + row, rule, cap, is_guarded, minds[row], owns[row],
            figures[row], counts[row], people, course, cells, table, out,
        )  # fmt: skip
