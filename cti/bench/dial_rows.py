"""The rows about dialling out."""

from __future__ import annotations

from dataclasses import asdict
from typing import Final

from cti.bench.dials import measure_dials
from cti.bench.rows import Options, Outcome, Say

RATE: Final = 50.0
"""Dials a second that a node makes."""
_SECONDS: Final = 2.0
"""It is dialled for so many times the seconds of sound."""


async def dials(options: Options, say: Say) -> Outcome:
    """A campaign that dials 50 numbers a second, with agents, people and the store."""
    say(f"{RATE:.0f} dials a second ...")
    figures = await measure_dials(RATE, _SECONDS * options.seconds)
    outcome = Outcome(raw={"dials": asdict(figures)})
    outcome.add(
        f"{RATE:.0f} dials a second: dialled",
        f"{figures.dialled_per_s:.1f} a second, at least {figures.fewest_in_a_second} in each; "
        f"INVITE to INVITE p95 {figures.gap_p95_ms:.0f} ms",
        "at least 49 a second",
        figures.dialled_per_s >= 49.0,
    )
    outcome.add(
        f"{RATE:.0f} dials a second: CPU a dial, three of ten being talks",
        f"{figures.cpu_ms:.2f} ms ({figures.call_agent_cpu_ms:.2f} of it the call agent)",
        "",
    )
    kept = ", ".join(f"{count} {name}" for name, count in sorted(figures.outcomes.items()))
    outcome.add(
        f"{RATE:.0f} dials a second: outcomes, all in the store",
        kept,
        "nobody abandoned, nothing unsettled",
        not figures.abandoned and not figures.unsettled,
    )
    outcome.add(
        f"{RATE:.0f} dials a second: answer to the agent's INVITE",
        f"p95 {figures.connect_p95_ms:.1f} ms",
        "below 100 ms",
        figures.connect_p95_ms < 100.0,
    )
    return outcome
