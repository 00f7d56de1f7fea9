"""How many server transactions strangers have, all together and each of them."""

from __future__ import annotations

from collections import Counter

from switch.sip.transaction import Transaction


class Strangers:
    """Counts those of their transactions that are not at rest."""

    def __init__(self) -> None:
        self.alive = 0
        self._by_host: Counter[str] = Counter()

    def __len__(self) -> int:
        """How many hosts have one."""
        return len(self._by_host)

    @property
    def fullest(self) -> int:
        """Those of the host that has most."""
        return max(self._by_host.values(), default=0)

    def of(self, host: str) -> int:
        """Those of one host."""
        return self._by_host[host]

    def add(self, transaction: Transaction, host: str) -> None:
        """A transaction of a stranger begins."""
        transaction.stranger = host
        self.alive += 1
        self._by_host[host] += 1

    def release(self, transaction: Transaction) -> None:
        """It does not count any more."""
        host, transaction.stranger = transaction.stranger, ""
        self.alive -= 1
        self._by_host[host] -= 1
        if not self._by_host[host]:
            del self._by_host[host]
