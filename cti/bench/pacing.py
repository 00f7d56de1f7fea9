"""What one decision of the pacer costs: `python -m cti.bench.pacing`.

A pacer that has learned from talks and answers decides for floors of several sizes; each decision is for
other agents and other dials, as in a real second.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from typing import Final

from acd.dialer.pacing.model import Floor
from acd.dialer.pacing.pacer import Pacer

_FLOORS: Final = ((10, 40), (100, 350), (500, 1_700), (500, 5_000))
"""Agents and dials in flight."""


def learned(chance: random.Random) -> Pacer:
    """A pacer that has seen 2,000 answers and talks."""
    pacer = Pacer(wrap_up_s=20.0)
    for turn in range(2_000):
        at = turn * 0.5
        pacer.dialled(at)
        pacer.answered(at + chance.uniform(6.0, 22.0), at)
        pacer.needs_agent(at, at)
        pacer.talked(chance.lognormvariate(4.8, 0.7))
        pacer.wrapped_up(20.0)
        for _ in range(3):
            pacer.dialled(at)
            pacer.ended(at + 22.0, at)
    return pacer


def measured(agents: int, in_flight: int, turns: int) -> list[float]:
    """How long each decision took, in seconds, shortest first."""
    chance = random.Random(1)
    pacer = learned(chance)
    took = []
    for turn in range(turns):
        now = 10_000.0 + 100.0 * turn
        for number in range(in_flight):
            pacer.dialled(now - 21.0 + 21.0 * number / in_flight)
        wrapping = tuple(chance.uniform(0.0, 20.0) for _ in range(agents // 9))
        free = chance.randrange(1 + agents // 12)
        talking = tuple(
            chance.expovariate(1.0 / 90.0) for _ in range(agents - len(wrapping) - free)
        )
        floor = Floor(free=free, talking=talking, wrapping=wrapping)
        began = time.perf_counter()
        pacer.decide(now, now % 86400.0, floor, allowance=10.0)
        took.append(time.perf_counter() - began)
    return sorted(took)


def main(argv: list[str] | None = None) -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description="What one decision of the pacer costs.")
    parser.add_argument("--turns", type=int, default=500)
    turns = max(parser.parse_args(argv).turns, 1)
    for agents, in_flight in _FLOORS:
        took = measured(agents, in_flight, turns)
        median, late = took[len(took) // 2], took[min(int(len(took) * 0.99), len(took) - 1)]
        sys.stdout.write(
            f"{agents:4d} agents, {in_flight:5d} dials: "
            f"p50 {1000 * median:.3f} ms, p99 {1000 * late:.3f} ms\n"
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
