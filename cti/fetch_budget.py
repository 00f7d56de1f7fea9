"""How many certificates may be fetched: pure. Strangers name their addresses, so little is enough."""

from __future__ import annotations

from typing import Final

AGAIN_S: Final = 60.0
"""One address is asked once in this time."""
MOST_IN_THAT_TIME: Final = 30
"""Fetches of all addresses together."""
MOST_AT_ONCE: Final = 4


class FetchBudget:
    """Which fetches may begin. One host is asked for one thing at a time."""

    __slots__ = ("_begun", "_hosts")

    def __init__(self) -> None:
        self._begun: dict[str, float] = {}
        """Address to when it was asked, those of the last `AGAIN_S`, oldest first."""
        self._hosts: set[str] = set()
        """Under way."""

    def begin(self, url: str, host: str, now: float) -> bool:
        """Tell whether a fetch may begin, and count it if so; `now` in monotonic seconds."""
        begun = self._begun
        while begun and next(iter(begun.values())) + AGAIN_S <= now:
            del begun[next(iter(begun))]
        if url in begun or len(begun) >= MOST_IN_THAT_TIME:
            return False
        if host in self._hosts or len(self._hosts) >= MOST_AT_ONCE:
            return False
        begun[url] = now
        self._hosts.add(host)
        return True

    def end(self, host: str) -> None:
        """The fetch from a host is over, however it went."""
        self._hosts.discard(host)
