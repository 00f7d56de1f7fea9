from __future__ import annotations

import random
from itertools import accumulate

import pytest

from cti.bench.flatness import BOUND, Verdict, trend

CALLS = [float(number) for number in range(0, 100_001, 250)]
MIB = 2**20


def memory(per_call: float, *, noise: float = 0.5 * MIB) -> list[float]:
    """Caches that fill in the first third, then growth, and an allocator that wanders."""
    chance = random.Random(7)
    wander = accumulate(chance.gauss(0, 1) for _ in CALLS)
    return [
        120 * MIB + 40 * MIB * min(1.0, calls / 30_000) + per_call * calls + noise * 0.1 * drift
        for calls, drift in zip(CALLS, wander, strict=True)
    ]


def test_caches_that_fill_are_no_leak() -> None:
    found = trend(CALLS, memory(0.0))
    assert found.verdict is Verdict.FLAT
    assert found.calls == 50_000


@pytest.mark.parametrize("octets", [2 * BOUND, 10 * BOUND])
def test_one_entry_a_call_in_one_table_is_seen(octets: float) -> None:
    found = trend(CALLS, memory(octets))
    assert found.verdict is Verdict.GROWS
    assert abs(found.octets_per_call - octets) < BOUND
    assert found.end_mib - found.begin_mib == pytest.approx(
        found.octets_per_call * found.calls / MIB
    )


def test_few_calls_say_nothing() -> None:
    assert trend(CALLS[:40], memory(0.0)[:40]).verdict is Verdict.TOO_SHORT
    assert trend([], []).verdict is Verdict.TOO_SHORT
    assert trend([5.0], [1.0]).verdict is Verdict.TOO_SHORT


def test_samples_that_scatter_more_than_the_bound_say_nothing() -> None:
    chance = random.Random(3)
    calls = CALLS[:72]
    resident = [100 * MIB + chance.uniform(0, 30) * MIB for _ in calls]
    assert trend(calls, resident).verdict is Verdict.TOO_SHORT
