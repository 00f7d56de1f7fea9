"""The rows about calls: set-up, capacity and overload, the menu path, memory, screen pops."""

from __future__ import annotations

from dataclasses import asdict
from typing import Final

from cti.bench import sipp
from cti.bench.calls import measure_calls, measure_pops
from cti.bench.capacity import CapacityFigures, Step, measure_capacity
from cti.bench.memory import measure_memory
from cti.bench.menu import measure_menu
from cti.bench.rows import Options, Outcome, Say

_POP_CALLS: Final = 400
_CALL_SECONDS: Final = 2.0
"""Calls are set up for so many times the seconds of sound."""
_MENU_RATE: Final = 10.0
_MENU_SECONDS: Final = 2.0
_LIVE_CALLS: Final = 1000
_BURST_CALLS: Final = 5000
_KEPT_MIB: Final = 32.0
"""A burst may fill the rings and caches that are bounded by design; an Asterisk keeps 600 and more."""
_BEARABLE_MS: Final = 300.0
"""INVITE to agent's INVITE under overload, p95."""
_GENERATOR_BUSY: Final = 0.9
"""Share of a core from which on the generator may be what was measured."""


async def calls(options: Options, say: Say) -> Outcome:
    """Set-up and tear-down at a steady rate; SIPp as well, where it is installed."""
    outcome = Outcome()
    rate = options.rate
    wanted = max(1, int(rate * _CALL_SECONDS * options.seconds))
    say(f"{rate:.0f} calls a second ...")
    figures = await measure_calls(rate, wanted)
    outcome.raw["calls"] = asdict(figures)
    outcome.add(
        f"{rate:.0f} calls a second: failures",
        f"{figures.failures} of {figures.calls}",
        "none",
        figures.failures == 0,
    )
    outcome.add(
        f"{rate:.0f} calls a second: CPU a call, set-up to tear-down",
        f"{figures.cpu_ms:.2f} ms ({figures.call_agent_cpu_ms:.2f} of it the call agent), "
        f"{figures.kernel_share:.0%} in the kernel",
        "at most 1.5 ms",
        figures.cpu_ms <= 1.5,
        "set-up",
    )
    outcome.add(
        f"{rate:.0f} calls a second: caller's INVITE to agent's INVITE",
        f"p50 {figures.invite_p50_ms:.2f}, p95 {figures.invite_p95_ms:.2f}, "
        f"max {figures.invite_max_ms:.1f} ms",
        "p50 at most 1.5, p95 at most 2.6 ms",
        figures.invite_p50_ms <= 1.5 and figures.invite_p95_ms <= 2.6,
        "invite",
    )
    if sipp.is_installed():
        say(f"SIPp, {rate:.0f} calls a second ...")
        independent = await sipp.measure_sipp(rate, wanted)
        outcome.raw["sipp"] = asdict(independent)
        outcome.add(
            f"{rate:.0f} calls a second by SIPp: failures, CPU a call",
            f"{independent.failures} of {independent.calls}, {independent.cpu_ms:.2f} ms",
            "none",
            independent.failures == 0,
        )
    return outcome


async def capacity(options: Options, say: Say) -> Outcome:
    """The highest rate, and what happens above it."""
    say("rising rates of calls ...")
    figures = await measure_capacity(options.seconds)
    outcome = Outcome(raw={"capacity": asdict(figures) | {"peak": figures.peak}})
    where = "one core" if figures.one_core else "the only core, shared with the generator"
    best = figures.best
    outcome.add(
        f"highest rate of calls without failures and set-up p95 within half a second, on {where}",
        "none"
        if best is None
        else f"{best.rate:.0f} a second at {best.cpu_ms:.2f} ms, set-up p95 {best.setup_p95_ms:.0f} ms",
        "400 a second",
        best is not None and best.rate >= 400.0,
        "rate",
    )
    for overload in figures.overloads:
        _add_overload(outcome, figures, overload)
    return outcome


def _add_overload(outcome: Outcome, figures: CapacityFigures, overload: Step) -> None:
    """What is answered, what is refused and how fast, and how long those wait who are let in."""
    shed = overload.statuses.get(503, 0)
    others = {k: v for k, v in overload.statuses.items() if k not in (200, 503)}
    goodput = figures.goodput(overload)
    waited = (
        f"; of those let in, INVITE to agent's INVITE p95 {overload.invite_p95_ms:.0f} ms"
        if overload.statuses.get(200)
        else ""
    )
    busy = "; the generator was at its limit" if overload.generator_share > _GENERATOR_BUSY else ""
    outcome.add(
        f"overload of {overload.rate:.0f} a second: answered and ended well",
        f"{overload.answered_a_second:.0f} a second, {goodput:.0%} of the most that were ever; "
        f"{shed} of {overload.calls} shed with 503 (p95 after {overload.refused_p95_ms:.0f} ms), "
        f"others {others or 'none'}, {overload.lost} BYEs unanswered{waited}{busy}",
        "at least 90 %, the rest 503; p95 at most 300 ms",
        goodput >= 0.9
        and not others
        and not overload.lost
        and overload.invite_p95_ms <= _BEARABLE_MS,
    )


async def menu(options: Options, say: Say) -> Outcome:
    """Menu with prompt and digit, queue, agent, recorded."""
    say("callers in a menu ...")
    wanted = max(10, int(_MENU_RATE * _MENU_SECONDS * options.seconds))
    figures = await measure_menu(_MENU_RATE, wanted)
    outcome = Outcome(raw={"menu": asdict(figures)})
    what = f"menu, digit, queue, agent, recorded, 10 s, {figures.rate:.0f} calls a second"
    outcome.add(f"{what}: failures", f"{figures.failures} of {figures.calls}", "none",
                figures.failures == 0)  # fmt: skip
    outcome.add(
        f"{what}: CPU a call",
        f"{figures.cpu_ms:.1f} ms ({figures.call_agent_cpu_ms:.1f} of it the call agent)",
        "at most 12 ms",
        figures.cpu_ms <= 12.0,
        "menu",
    )
    outcome.add(
        f"{what}: end of digit to agent's INVITE",
        f"p50 {figures.digit_p50_ms:.1f}, p95 {figures.digit_p95_ms:.1f}, "
        f"max {figures.digit_max_ms:.0f} ms",
        "p50 at most 4, p95 at most 8 ms",
        figures.digit_p50_ms <= 4.0 and figures.digit_p95_ms <= 8.0,
        "digit",
    )
    return outcome


async def memory(options: Options, say: Say) -> Outcome:
    """Memory of live calls and after a burst."""
    say("memory of calls; takes three minutes ...")
    figures = await measure_memory(_LIVE_CALLS, _BURST_CALLS, options.rate)
    outcome = Outcome(raw={"memory": asdict(figures) | {"mib_per_call": figures.mib_per_call}})
    outcome.add(
        f"memory a call, {figures.calls} calls up",
        f"{figures.mib_per_call:.3f} MiB ({figures.idle_mib:.0f} to {figures.up_mib:.0f})",
        "at most 0.1 MiB",
        figures.mib_per_call <= 0.1 and figures.failures == 0,
        "memory",
    )
    left = figures.burst_mib - figures.after_mib
    outcome.add(
        f"memory left by a burst of {figures.burst_calls} short calls",
        f"{left:+.1f} MiB",
        f"at most {_KEPT_MIB:.0f} MiB",
        left <= _KEPT_MIB,
        "burst",
    )
    return outcome


async def pops(options: Options, say: Say) -> Outcome:
    """Cards that come before the ring."""
    say("screen pops ...")
    figures = await measure_pops(_POP_CALLS)
    outcome = Outcome(raw={"pops": asdict(figures)})
    share = figures.pop_first / figures.calls if figures.calls else 0.0
    outcome.add(
        "pop at the desk before the agent's INVITE",
        f"{share:.1%} of {figures.calls} calls, by {figures.lead_p50_ms:.2f} ms (p50)",
        "at least 99 %",
        share >= 0.99,
    )
    outcome.add(
        "INVITE to agent's INVITE with the pop in between",
        f"p95 {figures.invite_p95_ms:.2f} ms",
        "p95 under 20 ms",
        figures.invite_p95_ms < 20.0,
    )
    return outcome
