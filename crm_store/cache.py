"""A small cache of customer cards, so that the pop of a frequent caller costs nothing.

Filled by look-ups, emptied by what this program writes. What other programs write (an import) shows
after `ttl_s` at the latest. That nobody has a number is remembered as well: most callers are unknown.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence

from crm_store.facts import CustomerFacts


class CardCache:
    """Who was found by a number, maybe nobody. Times are monotonic seconds, given by the caller."""

    def __init__(self, *, size: int = 5000, ttl_s: float = 30.0) -> None:
        self._size = size
        self._ttl_s = ttl_s
        self._by_number: OrderedDict[str, tuple[float, tuple[CustomerFacts, ...]]] = OrderedDict()
        self._numbers_of: dict[str, set[str]] = {}
        self._customer_of: dict[str, str] = {}
        self.generation = 0
        """Grows with every change; a look-up that began before one must not be kept."""

    def get(self, number: str, now: float) -> tuple[CustomerFacts, ...] | None:
        """What was found for this number, or None when it must be looked up."""
        entry = self._by_number.get(number)
        if entry is None:
            return None
        if entry[0] < now:
            self._remove(number)
            return None
        self._by_number.move_to_end(number)
        return entry[1]

    def put(self, number: str, found: Sequence[CustomerFacts], now: float, generation: int) -> None:
        """Keep what was found, unless something changed since `generation`."""
        if generation != self.generation:
            return
        self._remove(number)
        self._by_number[number] = (now + self._ttl_s, tuple(found))
        for customer in found:
            self._numbers_of.setdefault(customer.customer_id, set()).add(number)
            for past in customer.recent:
                self._customer_of[past.interaction_id] = customer.customer_id
        while len(self._by_number) > self._size:
            self._remove(next(iter(self._by_number)))

    def forget_customers(self, customer_ids: Iterable[str]) -> None:
        """Forget these customers' cards."""
        self.generation += 1
        for customer_id in customer_ids:
            for number in tuple(self._numbers_of.get(customer_id, ())):
                self._remove(number)

    def forget_interactions(self, interaction_ids: Iterable[str]) -> None:
        """Forget the cards on which these interactions stand."""
        known = {self._customer_of[id_] for id_ in interaction_ids if id_ in self._customer_of}
        self.forget_customers(known)

    def clear(self) -> None:
        """Forget everything: a number was added, and anybody's search may find it now."""
        self.generation += 1
        self._by_number.clear()
        self._numbers_of.clear()
        self._customer_of.clear()

    def _remove(self, number: str) -> None:
        entry = self._by_number.pop(number, None)
        if entry is None:
            return
        for customer in entry[1]:
            numbers = self._numbers_of.get(customer.customer_id, set())
            numbers.discard(number)
            if not numbers:
                self._numbers_of.pop(customer.customer_id, None)
            # Under the customer's other numbers may be an older or a newer card.
            shown = {past for other in numbers for past in self._shown(other, customer.customer_id)}
            for past in customer.recent:
                if past.interaction_id not in shown:
                    self._customer_of.pop(past.interaction_id, None)

    def _shown(self, number: str, customer_id: str) -> Iterator[str]:
        """The interactions on the card of one customer under one number."""
        for customer in self._by_number[number][1]:
            if customer.customer_id == customer_id:
                for past in customer.recent:
                    yield past.interaction_id
