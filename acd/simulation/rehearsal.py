"""A rehearsal: many seeds side by side, day after day, under one rule."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final

import numpy as np

from acd.dialer.pacing.mind import newborn
from acd.dialer.settings import Guard
from acd.simulation import baselines, day
from acd.simulation.conditions import Conditions

Numbers = np.ndarray[Any, np.dtype[np.float64]]


class Rule(StrEnum):
    """Who decides how many to dial: the shipped pacer, or a rule to compare it with."""

    PACER = "pacer"
    PROGRESSIVE = "progressive"
    RATIO_2 = "ratio-2"
    RATIO_3 = "ratio-3"
    ISSABEL = "issabel-like"
    VICIDIAL = "vicidial-average-like"


_NUMBERS: Final = {
    Rule.PACER: baselines.PACER,
    Rule.PROGRESSIVE: baselines.PROGRESSIVE,
    Rule.RATIO_2: baselines.RATIO_2,
    Rule.RATIO_3: baselines.RATIO_3,
    Rule.ISSABEL: baselines.ISSABEL,
    Rule.VICIDIAL: baselines.VICIDIAL,
}


class Rehearsal:
    """Call `run` for each day in turn, for all seeds; then look at the figures, one a seed.

    Different seeds may run in different threads: `run` works without the interpreter's lock.
    """

    def __init__(
        self,
        conditions: Conditions,
        *,
        agents: int,
        cap: float,
        days: int,
        seeds: int,
        guard: Guard = Guard.NONE,
        rule: Rule = Rule.PACER,
        first_seed: int = 1,
    ) -> None:
        """Prepare. `cap` is 0 to 1."""
        self.agents = agents
        self.days = days
        self.seeds = seeds
        self.conditions = conditions
        self._cap = cap
        self._is_guarded = guard is Guard.STATISTICAL
        self._rule = _NUMBERS[rule]
        self._first_seed = first_seed
        mind = newborn(conditions.wrap_up.mean_s, cap)
        self._minds = np.repeat(mind[np.newaxis, :], seeds, axis=0)
        self._owns = np.zeros((seeds, baselines.SIZE))
        self._figures = np.zeros((seeds, day.FIGURES))
        self._counts = np.zeros((seeds, 2, days))
        self._people = conditions.numbers()
        self._course = conditions.course()

    def run(self, number: int, first: int = 0, count: int | None = None) -> None:
        """Run day `number` (from 0) for seeds `first` to `first + count`; days must come in order."""
        day.run_day(
            first,
            self.seeds - first if count is None else count,
            number,
            self.agents,
            self._first_seed,
            self._rule,
            self._cap,
            self._is_guarded,
            self._minds,
            self._owns,
            self._figures,
            self._counts,
            self._people,
            self._course,
        )

    @property
    def talk_share(self) -> Numbers:
        """Of the time that agents were there, the part in which they talked to people."""
        return self._part(day.TALK_S, day.PRESENT_S)

    @property
    def abandon_rate(self) -> Numbers:
        """Of the people who answered, the part that was abandoned."""
        return self._part(day.ABANDONED, day.ANSWERED)

    @property
    def daily_rates(self) -> Numbers:
        """The same from the beginning to the end of each day: (seeds, days)."""
        sums = np.cumsum(self._counts, axis=2)
        return np.asarray(sums[:, 1] / np.maximum(sums[:, 0], 1.0))

    @property
    def idle_share(self) -> Numbers:
        """The part of their time in which agents waited for a call."""
        return self._part(day.FREE_S, day.PRESENT_S)

    @property
    def talks_per_hour(self) -> Numbers:
        """Talks with people, of an agent in an hour."""
        return self._part(day.CONNECTED, day.PRESENT_S) * 3600.0

    @property
    def dials(self) -> Numbers:
        """Dials a day: what is burnt of the list."""
        return np.asarray(self._figures[:, day.DIALS] / self.days)

    @property
    def answered(self) -> Numbers:
        """People who answered, a day."""
        return np.asarray(self._figures[:, day.ANSWERED] / self.days)

    @property
    def mistaken(self) -> Numbers:
        """People taken for machines, a day; they are among the abandoned."""
        return np.asarray(self._figures[:, day.MISJUDGED] / self.days)

    def _part(self, column: int, of: int) -> Numbers:
        return np.asarray(self._figures[:, column] / np.maximum(self._figures[:, of], 1.0))
