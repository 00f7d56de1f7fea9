"""Service level: the formulas in use, over the same counters.

One day gives 81 to 86 per cent depending on the formula, so every counter is kept and the
formula is named beside the number. Ours is `IGNORE_EARLY_ABANDONS`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never


class Formula(StrEnum):
    """How abandoned contacts count. T is the threshold of the queue."""

    ANSWERED_ONLY = "answered-only"
    """answered within T / answered"""
    ALL_OFFERED = "all-offered"
    """answered within T / (answered + abandoned)"""
    CREDIT_EARLY_ABANDONS = "credit-early-abandons"
    """(answered within T + abandoned within T) / (answered + abandoned)"""
    IGNORE_EARLY_ABANDONS = "ignore-early-abandons"
    """answered within T / (answered + abandoned after T)"""
    IGNORE_SHORT_CALLS = "ignore-short-calls"
    """answered within T / (answered + abandoned - abandoned at once)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """The counters that every formula is made of."""

    answered: int
    answered_within: int
    abandoned: int
    abandoned_within: int
    abandoned_short: int
    """Within `AcdSettings.short_abandon_s`."""


def service_level(
    outcomes: Outcomes, formula: Formula = Formula.IGNORE_EARLY_ABANDONS
) -> float | None:
    """Return the service level, 0 to 1; None if nothing happened that counts."""
    good = outcomes.answered_within
    match formula:
        case Formula.ANSWERED_ONLY:
            total = outcomes.answered
        case Formula.ALL_OFFERED:
            total = outcomes.answered + outcomes.abandoned
        case Formula.CREDIT_EARLY_ABANDONS:
            good += outcomes.abandoned_within
            total = outcomes.answered + outcomes.abandoned
        case Formula.IGNORE_EARLY_ABANDONS:
            total = outcomes.answered + outcomes.abandoned - outcomes.abandoned_within
        case Formula.IGNORE_SHORT_CALLS:
            total = outcomes.answered + outcomes.abandoned - outcomes.abandoned_short
        case _:
            assert_never(formula)
    return good / total if total else None
