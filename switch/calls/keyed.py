"""Digits of a peer that sends each key twice: by telephone-events or tones, and in INFO.

Many phones can be set to do so, and nothing in SDP tells. The first twin shows it: from then on only what
comes with the sound counts, which the gateway passes on by itself.

    INFO 5   the sound's 5   INFO 7        the sound's 7
    counts   its twin        left out      counts
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct, field

_TWIN_WITHIN_S: Final = 1.5
"""Between the ways of one key, beside its length: a digit of the sound is told when the key is let go."""
_MOST: Final = 16
"""Digits that may still meet their twins."""


class _Digit(Struct, frozen=True):
    digit: str
    by_info: bool
    at: float


class Keyed(Struct, eq=False):
    """What one leg keyed lately."""

    both_ways: bool = False
    latest: list[_Digit] = field(default_factory=list)
    """Those without a twin, the oldest first."""

    def counts(self, digit: str, duration_ms: int, now: float, *, by_info: bool) -> bool:
        """Whether this digit is one that was not told before. `now`: monotonic seconds."""
        if by_info and self.both_ways:
            return False
        since = now - _TWIN_WITHIN_S - duration_ms / 1000
        for each in self.latest:
            if each.digit == digit and each.by_info is not by_info and each.at >= since:
                self.latest.remove(each)
                self.both_ways = True
                return False
        self.latest = [*self.latest[1 - _MOST :], _Digit(digit, by_info, now)]
        return True
