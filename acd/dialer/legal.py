"""What the law counts: live answers and abandoned calls of a campaign, by hour, for thirty days.

The rate is told under every formula; what is enforced is the worst of those that the campaign
chose. A person whom the classifier took for a machine was abandoned, too: `misjudged` says so for
certain, `doubt` by the probability that it was one. Times are seconds since 1970.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct, structs

from acd.dialer.model import Attempt, Outcome
from acd.dialer.settings import AbandonCap, Formula, Guard
from acd.dialer.wilson import room, upper_bound

HOURS: Final = 30 * 24
_HOUR_S: Final = 3600.0


class Counts(Struct, kw_only=True):
    """What became of the answered calls of some time. Parts of calls are possible (`Ledger.doubt`)."""

    live: float = 0.0
    """A person answered, whatever came of it."""
    abandoned: float = 0.0
    """Of those: no agent came in time, or the person was taken for a machine."""
    connected: float = 0.0
    """An agent talked, to a person or a machine."""
    reported: float = 0.0
    """Of those connected: the agent said that it was a machine."""

    def add(self, other: Counts) -> None:
        """Count the other's calls as well."""
        self.live += other.live
        self.abandoned += other.abandoned
        self.connected += other.connected
        self.reported += other.reported


class Rate(Struct, frozen=True, kw_only=True):
    """The abandon rate under one formula."""

    formula: Formula
    hours: int
    abandoned: float
    """The numerator, as the formula has it."""
    answered: float
    """The denominator."""
    rate: float
    """0 to 1."""
    bound: float
    """One-sided 95 % upper bound of it (Wilson), 0 to 1."""
    is_selected: bool
    """The campaign's cap is held under this formula."""


_NO_CHANCE: Final = 3.0
"""Abandoned: the first one of a day breaks any cap until thirty have found an agent."""


class Enforcement(Struct, frozen=True, kw_only=True):
    """What the pacer has to hold: the worst of the selected formulas."""

    formula: Formula
    cap: float
    """0 to 1."""
    guard: Guard
    answered: float
    abandoned: float
    rate: float
    bound: float
    allowance: float
    """So many more may be abandoned now without breaking the cap; below 0: overdrawn."""

    @property
    def value(self) -> float:
        """What is compared with the cap: the rate, or with a statistical guard its bound."""
        return self.bound if self.guard is Guard.STATISTICAL else self.rate

    @property
    def is_broken(self) -> bool:
        """More were abandoned than the cap allows, whatever a guard says of it, and not by chance."""
        return self.abandoned >= _NO_CHANCE and self.rate > self.cap

    @property
    def is_kept(self) -> bool:
        """The cap holds now."""
        return self.answered == 0.0 or self.value <= self.cap


class Ledger:
    """The counts of one campaign: a ring of the last 720 hours."""

    def __init__(self) -> None:
        self._hours: dict[int, Counts] = {}
        self._totals: dict[int, tuple[int, Counts]] = {}
        """By how many hours back: the last hour, and what they came to; decisions ask every second."""

    def attempt(self, attempt: Attempt) -> None:
        """Count what an attempt came to."""
        at = attempt.answered_at if attempt.answered_at is not None else attempt.ended_at
        self.count(at, attempt.outcome)

    def count(self, at: float, outcome: Outcome) -> None:
        """Count an answered call; outcomes that nobody answered live count nothing."""
        match outcome:
            case Outcome.ABANDONED:
                self._add(at, Counts(live=1.0, abandoned=1.0))
            case Outcome.CONNECTED:
                self._add(at, Counts(live=1.0, connected=1.0))
            case Outcome.OPTED_OUT | Outcome.HUNG_UP | Outcome.ANNOUNCED:
                self._add(at, Counts(live=1.0))
            case _:
                pass

    def reported(self, at: float, *, is_machine: bool = True) -> None:
        """An agent says that the person it was connected to at `at` was a machine; False: takes it back."""
        part = 1.0 if is_machine else -1.0
        self._add(at, Counts(live=-part, reported=part))

    def misjudged(self, at: float, doubted: float = 0.0) -> None:
        """A call that was ended as a machine's at `at` was a person's: one more abandoned.

        `doubted` is what `doubt` counted of it already.
        """
        self.doubt(at, 1.0 - doubted)

    def doubt(self, at: float, human: float) -> None:
        """A call was ended as a machine's, which it was not with the probability `human` (0 to 1)."""
        part = min(max(human, 0.0), 1.0)
        self._add(at, Counts(live=part, abandoned=part))

    def add(self, at: float, counts: Counts) -> None:
        """Count what is known as a sum: that of the hour of `at`."""
        self._add(at, Counts(**structs.asdict(counts)))

    def total(self, at: float, hours: int) -> Counts:
        """The counts of the last hours up to `at`, with the one that is not over. Not to be changed."""
        last = int(at // _HOUR_S)
        found = self._totals.get(hours)
        if found is None or found[0] != last:
            total = Counts()
            for hour, counts in self._hours.items():
                if last - hours < hour <= last:
                    total.add(counts)
            found = self._totals[hours] = (last, total)
        return found[1]

    def rates(self, at: float, cap: AbandonCap) -> tuple[Rate, ...]:
        """The rate under every formula, selected or not."""
        return tuple(self._rate(at, formula, cap) for formula in Formula)

    def enforced(self, at: float, cap: AbandonCap) -> Enforcement:
        """What is to be held now: of the selected formulas the one with the least allowance."""
        share = cap.percent / 100.0
        is_guarded = cap.guard is Guard.STATISTICAL
        formulas = cap.formulas or (Formula.US,)
        chosen = [self._rate(at, formula, cap) for formula in formulas]
        left = [room(share, rate.answered, is_guarded) - rate.abandoned for rate in chosen]
        allowance = min(left)
        worst = chosen[left.index(allowance)]
        return Enforcement(
            formula=worst.formula,
            cap=share,
            guard=cap.guard,
            answered=worst.answered,
            abandoned=worst.abandoned,
            rate=worst.rate,
            bound=worst.bound,
            allowance=allowance,
        )

    def record(self) -> dict[str, list[float]]:
        """What is kept over a restart: per hour live, abandoned, connected, reported."""
        return {
            str(hour): [c.live, c.abandoned, c.connected, c.reported]
            for hour, c in self._hours.items()
        }

    def restore(self, kept: dict[str, list[float]]) -> None:
        """Go on from what was recorded; what was counted meanwhile is added."""
        for hour, (live, abandoned, connected, reported) in kept.items():
            counts = Counts(live=live, abandoned=abandoned, connected=connected, reported=reported)
            self._add(int(hour) * _HOUR_S, counts)

    def _add(self, at: float, counts: Counts) -> None:
        hour = int(at // _HOUR_S)
        for hours, (last, total) in self._totals.items():
            if last - hours < hour <= last:
                total.add(counts)
        kept = self._hours.get(hour)
        if kept is not None:
            kept.add(counts)
            return
        self._hours[hour] = counts
        while len(self._hours) > HOURS:  # not by age: a clock may be wrong for a moment
            del self._hours[min(self._hours)]

    def _rate(self, at: float, formula: Formula, cap: AbandonCap) -> Rate:
        hours = hours_of(formula, cap)
        counts = self.total(at, hours)
        if formula is Formula.UK:
            abandoned, answered = uk_parts(
                drops=counts.abandoned,
                live=counts.connected - counts.reported,
                machines=counts.reported,
            )
        else:
            abandoned, answered = counts.abandoned, max(counts.live, 0.0)
        return Rate(
            formula=formula,
            hours=hours,
            abandoned=abandoned,
            answered=answered,
            rate=abandoned / answered if answered > 0.0 else 0.0,
            bound=upper_bound(abandoned, answered),
            is_selected=formula in (cap.formulas or (Formula.US,)),
        )


def hours_of(formula: Formula, cap: AbandonCap) -> int:
    """How far a formula looks back."""
    match formula:
        case Formula.US:
            return HOURS
        case Formula.UK:
            return 24
        case Formula.OWN:
            return min(max(cap.own_days, 1) * 24, HOURS)


def uk_parts(*, drops: float, live: float, machines: float) -> tuple[float, float]:
    """Numerator and denominator of the UK rate: x and H + x, with x = D - D M / (H + M).

    Of the drops the share that will have been machines is taken out: as many as agents report.
    """
    reached = live + machines
    x = drops - drops * machines / reached if reached > 0.0 else drops
    return x, live + x
