"""How often and how far a state machine of the tests runs."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

_USUAL = 100
"""Examples of the profile that `make test` has; `make soak` has one of twenty times as many."""


def runs(examples: int, steps: int) -> settings:
    """So many random lives of so many steps; in a longer profile more in proportion."""
    return settings(
        max_examples=examples * settings().max_examples // _USUAL,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
