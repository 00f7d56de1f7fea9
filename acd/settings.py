"""Settings of the distribution as a whole; those of an agent and a queue are in `acd.model`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class AcdSettings:
    """What holds for every agent and every queue."""

    watchdog_grace_s: float = 5.0
    """An offer of which nothing was heard for its ring time-out plus this is taken back."""
    dead_offers: int = 3
    """After so many offers in a row that failed before they rang, a contact rests before the next."""
    rest_s: float = 1.0
    """How long it rests. Otherwise a hunt group of dead phones would be tried as fast as it fails."""
    candidates: int = 10
    """So many agents are kept with a decision, 1 to 10."""
    patience_s: float = 120.0
    """How long a caller is thought to wait before it gives up, until callers have shown it."""
    patience_weight: float = 3.0
    """That guess counts as much as this many callers who gave up."""
    estimate_after: int = 3
    """No wait is told before a queue has seen this many conversations end."""
    queue_news_s: float = 0.0
    """The figures of a queue are reported at most so often: at once, then what became of them."""
    short_abandon_s: float = 5.0
    """Whoever leaves sooner is counted as a short call, for the formula that ignores those."""
