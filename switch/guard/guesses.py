"""Slow down who guesses passwords: per login and address, and per address over all logins."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class GuessSettings:
    """When the pauses begin and how long they are."""

    tries: int = 5
    """Wrong passwords of one login from one address before the first pause."""
    pause_s: float = 1.0
    """The first pause; each further wrong password doubles it."""
    pause_max_s: float = 900.0
    address_factor: int = 20
    """An address may fail so many times more often than one login: many phones share an address."""
    remembered: int = 10_000
    """Pairs of login and address; the oldest are forgotten first, so memory stays bounded."""


class Guesses:
    """Counts wrong passwords. Times are monotonic seconds.

    `wait` before a password is looked at, `count` when it may be wrong, `forgive` when it was right.
    """

    __slots__ = ("_failures", "_limits", "_settings")

    def __init__(self, settings: GuessSettings) -> None:
        self._settings = settings
        self._limits = (settings.tries, settings.tries * settings.address_factor)
        self._failures: OrderedDict[tuple[str, str], tuple[int, float]] = OrderedDict()
        """Failures, and the end of the pause or, when there was none, the time of the last one."""

    def __len__(self) -> int:
        """Pairs on record."""
        return len(self._failures)

    def wait(self, login: str, address: str, now: float, *, is_shared: bool = False) -> float:
        """Seconds until the next password of this login, or of this address, is looked at.

        `is_shared`: people who belong here use the address; for them only their own failures count.
        """
        if not self._failures:
            return 0.0
        own, all_ = self._limits
        wait = self._left((login, address), own, now)
        return wait if is_shared else max(wait, self._left(("", address), all_, now))

    def is_slowed(self, login: str, address: str) -> bool:
        """Tell whether the pauses of this login have begun."""
        return self._failures.get((login, address), (0, 0.0))[0] >= self._limits[0]

    def count(self, login: str, address: str, now: float) -> None:
        """A wrong password, or one that is not known to be right yet."""
        own, all_ = self._limits
        self._add((login, address), own, now)
        self._add(("", address), all_, now)

    def forgive(self, login: str, address: str, *, counted: bool) -> None:
        """The password was right: nothing stands against this login from this address.

        `counted`: this try was counted before it was known to be right.
        """
        self._failures.pop((login, address), None)
        count, until = self._failures.get(("", address), (0, 0.0))
        if counted and count:
            self._failures["", address] = (count - 1, until)

    def _left(self, key: tuple[str, str], limit: int, now: float) -> float:
        count, until = self._failures.get(key, (0, 0.0))
        return max(0.0, until - now) if count >= limit else 0.0

    def _add(self, key: tuple[str, str], limit: int, now: float) -> None:
        settings = self._settings
        count, until = self._failures.pop(key, (0, now))
        if now - until > settings.pause_max_s:
            count = 0  # long ago
        count += 1
        until = now
        if count >= limit:
            pause = settings.pause_s * 2.0 ** min(count - limit, 20)
            until = now + min(pause, settings.pause_max_s)
        self._failures[key] = (count, until)
        while len(self._failures) > settings.remembered:
            self._failures.popitem(last=False)
