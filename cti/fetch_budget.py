"""How many certificates may be fetched: pure. Strangers name their addresses, so little is enough."""

from __future__ import annotations

from collections import Counter
from typing import Final

AGAIN_S: Final = 60.0
"""One address is asked once in this time."""
MOST_IN_THAT_TIME: Final = 30
"""Fetches of all addresses together."""
MOST_FROM_A_HOST: Final = 6
"""Of these: who names many paths of one host leaves something for others."""
MOST_AT_ONCE: Final = 4


class FetchBudget:
    """Which fetches may begin. One host is asked for one thing at a time."""

    __slots__ = ("_begun", "_hosts", "_shares")

    def __init__(self) -> None:
        self._begun: dict[str, tuple[str, float]] = {}
        """Address to its host and when it was asked, those of the last `AGAIN_S`, oldest first."""
        self._shares: Counter[str] = Counter()
        """How many of these are of a host."""
        self._hosts: set[str] = set()
        """Under way."""

    def begin(self, url: str, host: str, now: float) -> bool:
        """Tell whether a fetch may begin, and count it if so; `now` in monotonic seconds."""
        begun = self._begun
        self._forget(now)
        if url in begun or len(begun) >= MOST_IN_THAT_TIME:
            return False
        if self._shares[host] >= MOST_FROM_A_HOST:
            return False
        if host in self._hosts or len(self._hosts) >= MOST_AT_ONCE:
            return False
        begun[url] = host, now
        self._shares[host] += 1
        self._hosts.add(host)
        return True

    def _forget(self, now: float) -> None:
        """Let go of what was asked so long ago that it counts no more."""
        begun = self._begun
        while begun:
            url, (host, at) = next(iter(begun.items()))
            if at + AGAIN_S > now:
                return
            del begun[url]
            self._shares[host] -= 1
            if not self._shares[host]:
                del self._shares[host]

    def end(self, host: str) -> None:
        """The fetch from a host is over, however it went."""
        self._hosts.discard(host)
