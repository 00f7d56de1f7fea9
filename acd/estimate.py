"""How long a caller will still wait, from its position and how patient callers are.

With q contacts ahead and s agents at work the next of them leaves the line at the rate
s / handle time + i / patience while i are in it, since agents take contacts and callers give
up. The wait is the sum of the times between, for i from 0 to q.
"""

from __future__ import annotations

from acd.settings import AcdSettings

_MEMORY = 100
"""A mean follows about this many of the latest values."""


def expected_wait_s(ahead: int, *, serving: int, handle_s: float, patience_s: float) -> float:
    """Return the expected further wait with `ahead` contacts in front and `serving` agents."""
    served_per_s = serving / handle_s
    return sum(1.0 / (served_per_s + place / patience_s) for place in range(ahead + 1))


class WaitHistory:
    """What a queue has shown so far: handle time, patience, the latest wait.

    Goes on over midnight, unlike the figures.
    """

    __slots__ = (
        "_gave_up",
        "_settings",
        "_talk",
        "_waited_s",
        "_wrap_up",
        "last_wait_s",
        "staffing_at",
    )

    def __init__(self, settings: AcdSettings) -> None:
        self._settings = settings
        self._talk = _Mean()
        self._wrap_up = _Mean()
        self._waited_s = 0.0
        self._gave_up = 0
        self.last_wait_s: float | None = None
        """The wait of the last contact that was answered."""
        self.staffing_at: float | None = None
        """When the number of agents at work last changed."""

    def answered(self, waited_s: float) -> None:
        self.last_wait_s = waited_s
        self._waited_s += waited_s

    def gave_up(self, waited_s: float) -> None:
        self._gave_up += 1
        self._waited_s += waited_s

    def talk_ended(self, talked_s: float) -> None:
        self._talk.add(talked_s)

    def wrapped_up(self, wrap_up_s: float) -> None:
        """Once a contact, also when there was no wrap-up."""
        self._wrap_up.add(wrap_up_s)

    @property
    def handle_s(self) -> float:
        """Mean of talk and wrap-up."""
        return self._talk.value + self._wrap_up.value

    @property
    def patience_s(self) -> float:
        """Seconds waited per caller who gave up; those who were answered count as well.

        That is the likeliest mean if patience is exponential and answers cut it off. The guess
        of the settings stands for the first few.
        """
        guess, weight = self._settings.patience_s, self._settings.patience_weight
        return (weight * guess + self._waited_s) / (weight + self._gave_up)

    def estimate_s(self, ahead: int, *, serving: int, waited_s: float, now: float) -> float | None:
        """Return the expected further wait; None while nothing honest can be said.

        The position-aware estimate takes the agents to be in full swing. For one handle
        time after their number changed they are not, and the wait that the last answered
        contact had is believed if it is longer.
        """
        if serving <= 0 or self._talk.count < self._settings.estimate_after or self.handle_s <= 0:
            return None
        handle_s = self.handle_s
        wait_s = expected_wait_s(
            ahead, serving=serving, handle_s=handle_s, patience_s=self.patience_s
        )
        is_changing = self.staffing_at is not None and now - self.staffing_at < handle_s
        if is_changing and self.last_wait_s is not None:
            wait_s = max(wait_s, self.last_wait_s - waited_s)
        return wait_s


class _Mean:
    """A mean that forgets: exact for the first `_MEMORY` values, then exponential."""

    __slots__ = ("count", "value")

    def __init__(self) -> None:
        self.count = 0
        self.value = 0.0

    def add(self, value: float) -> None:
        self.count += 1
        self.value += (value - self.value) / min(self.count, _MEMORY)
