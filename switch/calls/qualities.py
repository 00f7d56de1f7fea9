"""How good the legs were that are over: a count for each step of the scale."""

from __future__ import annotations

from typing import Final

STEPS: Final = (1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.3, 4.5)
"""Mean opinion scores; below 3.6 many are dissatisfied (ITU-T G.107 annex B)."""


class Qualities:
    """Legs by their mean opinion score."""

    __slots__ = ("by_step", "total")

    def __init__(self) -> None:
        self.by_step = [0] * len(STEPS)
        """Legs whose score is not above the step, nor at or below the one before."""
        self.total = 0.0
        """Of all scores."""

    def count(self, mos: float) -> None:
        """A leg ended with this score, 1 to 4.5."""
        step = next((i for i, most in enumerate(STEPS) if mos <= most), len(STEPS) - 1)
        self.by_step[step] += 1
        self.total += mos
