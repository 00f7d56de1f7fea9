"""Slow down who guesses passwords: per login and address, and per address over all logins."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from cti.api.counters import ApiCounters
from cti.api.ports import ApiSettings
from cti.errors import TooMany
from switch.guard.guesses import Guesses, GuessSettings

MOST_WAITING: Final = 100
"""Passwords that are being verified or wait for it: some seconds of work. The rest has to come again."""
_BUSY_S: Final = 3.0


class SignOnThrottle:
    """Pauses for sign-ons, as phones have them. `now` gives monotonic seconds."""

    def __init__(
        self,
        settings: ApiSettings,
        now: Callable[[], float] = time.monotonic,
        counters: ApiCounters | None = None,
    ) -> None:
        self._now = now
        self._counters = counters or ApiCounters()
        self._guesses = Guesses(
            GuessSettings(
                tries=settings.sign_on_tries,
                pause_s=settings.sign_on_pause_s,
                pause_max_s=settings.sign_on_pause_max_s,
            )
        )

    @property
    def remembered(self) -> int:
        """Pairs of login and address that are remembered."""
        return len(self._guesses)

    def is_slowed(self, login: str, address: str) -> bool:
        """Tell whether the pauses of this login have begun."""
        return self._guesses.is_slowed(login, address)

    def begin(self, login: str, address: str, *, is_shared: bool = False) -> None:
        """Call before a password is verified, and `ended` after. Raises `TooMany` while there is a pause.

        `is_shared`: people of ours use the address, so only the failures of this login count.
        The attempt counts as failed until `succeeded` is called, so many at the same time do not
        get through together.
        """
        if self._counters.verifying >= MOST_WAITING:
            raise TooMany("busy", "Too many sign on at the same time; try again.", _BUSY_S)
        now = self._now()
        wait = self._guesses.wait(login, address, now, is_shared=is_shared)
        if wait > 0:
            raise TooMany(
                "too-many-sign-ons",
                f"Too many wrong passwords; try again in {max(1, round(wait))} s.",
                wait,
            )
        self._guesses.count(login, address, now)
        self._counters.verifying += 1

    def ended(self) -> None:
        """The password that `begin` let through is verified, or nobody waits for it any more."""
        self._counters.verifying -= 1

    def succeeded(self, login: str, address: str) -> None:
        """The password was right: nothing stands against this login from this address."""
        self._guesses.forgive(login, address, counted=True)
