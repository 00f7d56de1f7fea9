"""Caps: how often a record, and a number, may be dialled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from acd.dialer.compliance_places import Place, is_in
from acd.dialer.compliance_windows import day_began_at, day_ends_at
from acd.dialer.model import NOT_AN_ATTEMPT, Outcome
from acd.dialer.settings import Limits

ROLLING_S: Final = 86_400.0
LOOK_BACK_S: Final = 2 * ROLLING_S
"""How old an attempt may be and still count: a local day is at most 25 h long."""


class CapVerdict(Struct, frozen=True, kw_only=True):
    """Whether the caps let a number be dialled now."""

    allowed: bool
    words: str
    """"attempt 2 of 6; 1 of 3 today; 1 of 3 in 24 h"."""
    free_at: float | None = None
    """When the cap lets go; None while allowed, and where it never does."""


def counts_for_caps(outcome: Outcome, rang_at: float | None) -> bool:
    """Whether an attempt counts for a number's caps: all that may have rung a person."""
    return outcome not in NOT_AN_ATTEMPT or rang_at is not None


def most_in_24_h(limits: Limits, place: Place) -> int:
    """The lowest cap of any 24 hours for any region of a place; 0: none."""
    caps = [
        cap.per_24_h
        for cap in limits.by_region
        if cap.region and any(is_in(region, cap.region) for region in place.regions)
    ]
    return min((cap for cap in (limits.per_24_h, *caps) if cap > 0), default=0)


def judge_caps(
    limits: Limits, place: Place, attempts: int, dialled: Sequence[float], at: float
) -> CapVerdict:
    """Judge a record with so many attempts, and its number that was dialled at these times.

    `dialled` is of the last `LOOK_BACK_S`, of all campaigns, in any order.
    """
    rolling = most_in_24_h(limits, place)
    lately = sorted(moment for moment in dialled if moment > at - ROLLING_S)
    # The day of its own zone; where there are several, the one in which most was dialled.
    days = [(_today(zone, dialled, at), zone) for zone in place.zones]
    today = max((count for count, _ in days), default=0)
    words = [_of("attempt", attempts + 1, limits.attempts)]
    if limits.per_day:
        words.append(f"{today} of {limits.per_day} today")
    if rolling:
        words.append(f"{len(lately)} of {rolling} in 24 h")
    if 0 < limits.attempts <= attempts:
        return CapVerdict(allowed=False, words=f"all {limits.attempts} attempts of it are used up")
    frees: list[float] = []
    if 0 < limits.per_day <= today:
        frees += [day_ends_at(zone, at) for count, zone in days if count >= limits.per_day]
    if 0 < rolling <= len(lately):
        frees.append(lately[-rolling] + ROLLING_S)
    if frees:
        return CapVerdict(allowed=False, words="; ".join(words[1:]), free_at=max(frees))
    return CapVerdict(allowed=True, words="; ".join(words))


def _today(zone: str, dialled: Sequence[float], at: float) -> int:
    began = day_began_at(zone, at)
    return sum(1 for moment in dialled if moment >= began)


def _of(what: str, count: int, most: int) -> str:
    return f"{what} {count} of {most}" if most else f"{what} {count}"
