"""How sure a share of few cases is: the upper end of Wilson's interval, and what it leaves room for.

Plain arithmetic on floats: the compiled rehearsal uses the same functions.
"""

from __future__ import annotations

import math
from typing import Final

ONE_SIDED_95: Final = 1.6448536269514722
"""Quantile of the normal distribution."""


def upper_bound(cases: float, of: float) -> float:
    """The share that is exceeded with 5 % probability at most, given `cases` of `of`; 1 of none."""
    if of <= 0.0:
        return 1.0
    z = ONE_SIDED_95
    share = min(cases / of, 1.0)
    middle = share + z * z / (2.0 * of)
    half = z * math.sqrt(share * (1.0 - share) / of + z * z / (4.0 * of * of))
    return min((middle + half) / (1.0 + z * z / of), 1.0)


def room(cap: float, of: float, is_guarded: bool) -> float:
    """So many cases of `of` keep the share, or its upper bound (`is_guarded`), at the cap; may be below 0.

    Wilson's bound is `cap` exactly where the share lies z standard deviations of `cap` below it.
    """
    if not is_guarded:
        return cap * of
    return cap * of - ONE_SIDED_95 * math.sqrt(cap * (1.0 - cap) * of)
