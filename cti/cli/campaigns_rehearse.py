"""`switchroom campaigns rehearse`: a campaign against simulated people, before the first real call."""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cti.counted import counted
from cti.paths import shipped

if TYPE_CHECKING:
    from acd.simulation.conditions import Conditions
    from acd.simulation.rehearsal import Numbers, Rehearsal

_EPILOG: Final = """examples:
  switchroom campaigns rehearse --agents 10 --cap 3 --days 1 --seeds 5
  switchroom campaigns rehearse --agents 5 --cap 3 --days 22 --seeds 100 --json
  switchroom campaigns rehearse --agents 20 --guard statistical --contacts 2000
  switchroom campaigns rehearse --conditions mine.toml --rule ratio-2

The same seeds give the same figures. A day of eight hours and ten agents takes a tenth of a second.
"""
_RULES: Final = (
    "pacer",
    "progressive",
    "ratio-2",
    "ratio-3",
    "issabel-like",
    "vicidial-average-like",
)
"""As `acd.simulation.rehearsal.Rule`, which is not imported for a help text."""
_MOST_AGENTS: Final = 1000
_MOST_DAYS: Final = 366
_MOST_SEEDS: Final = 10_000


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the subcommand."""
    parser = subparsers.add_parser(
        "rehearse",
        help="run a campaign against simulated people",
        description=(
            "Run a campaign against simulated people, with the pacer that dials real ones: how much "
            "of their time agents talk, how many people find no agent, how fast the list is used up."
        ),
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--agents", type=int, default=10, metavar="A", help="agents on the floor (default: 10)")
    add("--cap", type=float, default=3.0, metavar="P", help="abandon cap in percent (default: 3)")
    add("--days", type=int, default=1, metavar="D", help="days; learning goes on (default: 1)")
    add("--seeds", type=int, default=10, metavar="N", help="rehearsals side by side (default: 10)")
    add("--first-seed", type=int, default=1, metavar="S", help="the first one's seed (default: 1)")
    add(
        "--guard",
        choices=("none", "statistical"),
        default="none",
        help="hold the rate itself under the cap, or its upper 95 %% confidence bound (default: none)",
    )
    add("--rule", choices=_RULES, default="pacer", help="another rule, to compare (default: pacer)")
    add(
        "--conditions",
        type=Path,
        metavar="FILE",
        help="people, talks, breaks, trunks; a shipped one by name (default: c2)",
    )
    add("--contacts", type=int, metavar="C", help="how many agents for C talks a day?")
    add("--json", action="store_true", help="one line of JSON, one value a seed")
    add("--jobs", type=int, metavar="J", help="threads (default: one a processor)")
    parser.set_defaults(act=run)


def run(args: argparse.Namespace) -> int:
    """Rehearse, and print what came of it. 0: done; 2: it cannot be."""
    from acd.simulation.conditions import ConditionsError, read_conditions

    path = Path()
    try:
        _check(args)
        path = conditions_file(args.conditions)
        conditions = read_conditions(path.read_text(encoding="utf-8"))
    except ConditionsError as error:
        print(f"switchroom campaigns rehearse: {path}: {error}", file=sys.stderr)
        return 2
    except (OSError, UnicodeDecodeError, ValueError) as error:
        print(f"switchroom campaigns rehearse: {error}", file=sys.stderr)
        return 2
    rehearsal = rehearsed(conditions, args, agents=args.agents)
    if args.json:
        found: dict[str, object] = summary(rehearsal)
        if args.contacts is not None:
            found["staffing_agents"] = staffing(conditions, args)[0]
        print(json.dumps(found))
    else:
        _print_table(rehearsal, args)
        if args.contacts is not None:
            agents, each = staffing(conditions, args)
            print(
                f"Staffing: {args.contacts} talks a day need {counted(agents, 'agent')} "
                f"({each:.0f} talks each, by one-day rehearsals)."
            )
    return 0


def conditions_file(given: Path | None) -> Path:
    """The file that was named, or the shipped one of that name. Raises ValueError for neither."""
    if given is None:
        return shipped("rehearsal", "c2.toml")
    if given.suffix == "" and not given.exists():
        named = shipped("rehearsal", f"{given.name}.toml")
        if named.exists():
            return named
        known = ", ".join(sorted(each.stem for each in named.parent.glob("*.toml")))
        raise ValueError(f"--conditions {given}: no such file; those that are shipped: {known}")
    return given


def summary(rehearsal: Rehearsal) -> dict[str, object]:
    """The figures as `--json` prints them."""
    return {
        "agents": rehearsal.agents,
        "talk_share": [round(float(x), 4) for x in rehearsal.talk_share],
        "abandon_rate_pct": [round(100.0 * float(x), 4) for x in rehearsal.abandon_rate],
    }


def rehearsed(conditions: Conditions, args: argparse.Namespace, *, agents: int) -> Rehearsal:
    """Run all days for all seeds, with a progress bar where somebody watches."""
    from rich.console import Console
    from rich.progress import Progress

    from acd.dialer.settings import Guard
    from acd.simulation.rehearsal import Rehearsal, Rule
    from cti.rehearsing import run_all

    rehearsal = Rehearsal(
        conditions,
        agents=agents,
        cap=args.cap / 100.0,
        days=args.days,
        seeds=args.seeds,
        guard=Guard(args.guard),
        rule=Rule(args.rule),
        first_seed=args.first_seed,
    )
    shown = Console(stderr=True)
    with Progress(console=shown, transient=True, disable=not shown.is_terminal) as progress:
        bar = progress.add_task(f"{agents} agents", total=args.days * args.seeds)
        run_all(rehearsal, jobs=args.jobs or 0, on_day=lambda: progress.advance(bar))
    return rehearsal


def _check(args: argparse.Namespace) -> None:
    if not 0.0 < args.cap < 100.0:
        raise ValueError(f"--cap {args.cap:g}: give a percentage above 0 and below 100")
    for name, most in (("agents", _MOST_AGENTS), ("days", _MOST_DAYS), ("seeds", _MOST_SEEDS)):
        value = getattr(args, name)
        if not 1 <= value <= most:
            raise ValueError(f"--{name} {value}: give a number of 1 to {most}")
    if not 0 <= args.first_seed <= 1_000_000_000:
        raise ValueError(f"--first-seed {args.first_seed}: give a number of 0 to 1000000000")
    if args.contacts is not None and args.contacts < 1:
        raise ValueError(f"--contacts {args.contacts}: give the talks wanted in a day, 1 or more")
    if args.jobs is not None and args.jobs < 1:
        raise ValueError(f"--jobs {args.jobs}: give a number of threads, 1 or more")


def _print_table(rehearsal: Rehearsal, args: argparse.Namespace) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    title = rehearsal.conditions.title or "Rehearsal"
    table = Table(title=title, title_justify="left")
    table.add_column("")
    for name in ("mean", "least", "most"):
        table.add_column(name, justify="right")
    talks_a_day = rehearsal.talks_per_hour * rehearsal.conditions.floor.day_s / 3600.0
    rows: list[tuple[str, Numbers, str]] = [
        ("talk share", rehearsal.talk_share, ".3f"),
        ("abandon rate, %", 100.0 * rehearsal.abandon_rate, ".2f"),
        ("waiting for a call, part of the time", rehearsal.idle_share, ".3f"),
        ("talks of an agent in an hour", rehearsal.talks_per_hour, ".1f"),
        ("talks of an agent in a day", talks_a_day, ".0f"),
        ("people who answered, a day", rehearsal.answered, ",.0f"),
        ("dials a day (list burn)", rehearsal.dials, ",.0f"),
    ]
    if rehearsal.conditions.people.machines:
        rows.append(("people taken for machines, a day", rehearsal.mistaken, ".1f"))
    for name, values, form in rows:
        table.add_row(name, *(format(float(x), form) for x in _spread(values)))
    console.print(table)
    print(_caption(rehearsal, args))


def _caption(rehearsal: Rehearsal, args: argparse.Namespace) -> str:
    rates = 100.0 * rehearsal.abandon_rate
    kept = int((rates <= args.cap).sum())
    guard = ", statistical guard" if args.guard == "statistical" else ""
    return (
        f"{counted(args.agents, 'agent')}, {counted(args.days, 'day')}, {args.rule}, "
        f"cap {args.cap:g} %{guard}: "
        f"kept in {kept} of {args.seeds} rehearsals."
    )


def _spread(values: Numbers) -> tuple[float, float, float]:
    return float(values.mean()), float(values.min()), float(values.max())


def staffing(conditions: Conditions, args: argparse.Namespace) -> tuple[int, float]:
    """How many agents the talks of a day need, and how many each has: those of larger floors do more."""
    hours = conditions.floor.day_s / 3600.0
    agents, tried = args.agents, dict[int, float]()
    small = argparse.Namespace(**{**vars(args), "days": 1, "seeds": min(args.seeds, 4)})
    for _ in range(6):
        if agents not in tried:
            rehearsal = rehearsed(conditions, small, agents=agents)
            tried[agents] = float(rehearsal.talks_per_hour.mean()) * hours
        if tried[agents] <= 0.0:
            break
        wanted = min(max(math.ceil(args.contacts / tried[agents]), 1), _MOST_AGENTS)
        if wanted == agents:
            break
        agents = wanted
    return agents, tried.get(agents) or list(tried.values())[-1]
