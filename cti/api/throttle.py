"""Slow down who guesses passwords: per login and address, and per address over all logins."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from cti.api.ports import ApiSettings
from cti.errors import TooMany

_REMEMBERED: Final = 10_000
"""Pairs of login and address; the oldest are forgotten first, so memory stays bounded."""
_ADDRESS_FACTOR: Final = 20
"""An address may fail so many times more often than one login: many desks share an address."""


class SignOnThrottle:
    """Counts failures. `now` gives monotonic seconds."""

    def __init__(self, settings: ApiSettings, now: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._now = now
        self._failures: OrderedDict[tuple[str, str], tuple[int, float]] = OrderedDict()

    def begin(self, login: str, address: str) -> None:
        """Call before a password is verified. Raises `TooMany` while there is a pause.

        The attempt counts as failed until `succeeded` is called, so many at the same time do not
        get through together.
        """
        tries = self._settings.sign_on_tries
        for key, limit in (((login, address), tries), (("", address), tries * _ADDRESS_FACTOR)):
            self._check(key, limit)
        for key, limit in (((login, address), tries), (("", address), tries * _ADDRESS_FACTOR)):
            self._count(key, limit)

    def succeeded(self, login: str, address: str) -> None:
        """The password was right: nothing stands against this login from this address."""
        self._failures.pop((login, address), None)
        count, until = self._failures.get(("", address), (0, 0.0))
        if count:
            self._failures[("", address)] = (count - 1, until)

    def _check(self, key: tuple[str, str], limit: int) -> None:
        count, until = self._failures.get(key, (0, 0.0))
        wait = until - self._now()
        if count >= limit and wait > 0:
            raise TooMany(
                "too-many-sign-ons",
                f"Too many wrong passwords; try again in {max(1, round(wait))} s.",
                wait,
            )

    def _count(self, key: tuple[str, str], limit: int) -> None:
        """Add a failure. `until` is the end of the pause, or when there was none, the last try."""
        now = self._now()
        count, until = self._failures.pop(key, (0, now))
        if now - until > self._settings.sign_on_pause_max_s:
            count = 0  # long ago
        count += 1
        until = now
        if count >= limit:
            pause = self._settings.sign_on_pause_s * 2.0 ** min(count - limit, 20)
            until = now + min(pause, self._settings.sign_on_pause_max_s)
        self._failures[key] = (count, until)
        while len(self._failures) > _REMEMBERED:
            self._failures.popitem(last=False)
