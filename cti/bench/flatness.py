"""Does memory grow with the calls? A line through the samples after the caches are full, and a bound.

The bound is 64 octets a call. Whatever leaks is at least an entry in a table: a short string as
key takes 56 octets or more, its slot in a dictionary another 50 to 100, so the smallest leak there can be
is twice the bound. A server that takes fifty calls a second grows by less than 270 MiB in a day at the bound.
Below it lies what allocators do: freed memory in other sizes than asked for next, pages of the
database's cache.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

BOUND: Final = 64.0
"""Octets of memory a call."""
LEAST_CALLS: Final = 10_000
"""Over fewer calls nothing is said: caches still fill, and an allocator's steps of a MiB hide any slope."""
_WARM_UP: Final = 0.5
"""Share of the calls in which caches fill: the last 10,000 interactions, the last 20,000 events,
figures of each agent, the database's own cache."""


class Verdict(StrEnum):
    """What the samples say."""

    FLAT = "flat"
    GROWS = "grows"
    TOO_SHORT = "too short to tell"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """A line through memory over calls."""

    verdict: Verdict
    octets_per_call: float
    uncertainty: float
    """Twice the standard error of the slope, octets a call."""
    calls: float
    """Over so many calls."""
    begin_mib: float
    """The line at its begin and end."""
    end_mib: float
    reference: float = BOUND


def trend(calls: Sequence[float], resident: Sequence[float]) -> Trend:
    """Fit the samples after the warm-up. `resident` is in octets; both have one value a sample."""
    first = next((i for i, n in enumerate(calls) if n >= _WARM_UP * calls[-1]), 0) if calls else 0
    x, y = calls[first:], resident[first:]
    if len(x) < 3 or x[-1] <= x[0]:
        return Trend(
            verdict=Verdict.TOO_SHORT,
            octets_per_call=0.0,
            uncertainty=math.inf,
            calls=0.0,
            begin_mib=_mib(y[0]) if y else 0.0,
            end_mib=_mib(y[-1]) if y else 0.0,
        )
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    spread = sum((each - mean_x) ** 2 for each in x)
    slope = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / spread
    rest = [b - mean_y - slope * (a - mean_x) for a, b in zip(x, y, strict=True)]
    uncertainty = 2 * math.sqrt(_variance(rest) / spread)
    span = x[-1] - x[0]
    return Trend(
        verdict=_verdict(slope, uncertainty, span),
        octets_per_call=slope,
        uncertainty=uncertainty,
        calls=span,
        begin_mib=_mib(mean_y + slope * (x[0] - mean_x)),
        end_mib=_mib(mean_y + slope * (x[-1] - mean_x)),
    )


def _verdict(slope: float, uncertainty: float, span: float) -> Verdict:
    if span < LEAST_CALLS:
        return Verdict.TOO_SHORT
    if slope - uncertainty > BOUND:
        return Verdict.GROWS
    if uncertainty > BOUND:
        return Verdict.TOO_SHORT  # the samples scatter more than the slope that is looked for
    return Verdict.GROWS if slope > BOUND else Verdict.FLAT


def _variance(rest: Sequence[float]) -> float:
    """Of the residuals; neighbours that move together count as fewer samples."""
    n = len(rest)
    total = sum(each * each for each in rest)
    if total == 0:
        return 0.0
    together = sum(a * b for a, b in itertools.pairwise(rest)) / total
    together = min(max(together, 0.0), 0.95)
    independent = max(n * (1 - together) / (1 + together), 3.0)
    return total / n * n / independent


def _mib(octets: float) -> float:
    return octets / 2**20
