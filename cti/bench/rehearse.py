"""`make rehearse`: every size, every rule, the guard, other caps and drift, on the same seeds.

    python -m cti.bench.rehearse [--only floors --only drift ...] [--seeds 100] [--days 22]

Each run becomes a file of JSON in `build/rehearse`; the report and the picture are made of all files
that lie there, so that parts can be run one after the other.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from acd.dialer.settings import Guard
from acd.simulation.conditions import Conditions, read_conditions
from acd.simulation.rehearsal import Rehearsal, Rule
from cti.bench.rehearse_report import Run, picture, report
from cti.paths import shipped
from cti.rehearsing import run_all

SIZES: Final = (5, 10, 20, 50, 100)
CAP: Final = 3.0
_FRONTIER_CAPS: Final = (0.5, 1.0, 2.0, 5.0, 8.0)
_DRIFTS: Final = (
    "answers-halve",
    "answers-double",
    "trunk-fails",
    "agents-leave",
    "tenth-answers",
    "machines",
)
_DRIFT_SIZES: Final = (5, 20, 50)
_PARTS: Final = ("floors", "rules", "guard", "frontier", "drift")


@dataclass(frozen=True, slots=True)
class Plan:
    """One run before it is made."""

    part: str
    agents: int
    seeds: int
    days: int
    rule: Rule = Rule.PACER
    guard: Guard = Guard.NONE
    cap: float = CAP
    conditions: str = "c2"

    @property
    def name(self) -> str:
        words = [self.part, self.conditions, self.rule.value, f"{self.agents}-agents"]
        return "_".join([*words, f"{self.cap:g}-percent"])


def plans(seeds: int, days: int) -> Iterator[Plan]:
    """All runs. Guard and drift take a fifth of the seeds, drift ten days, other caps less still."""
    few = max(seeds // 5, 1)
    for agents in SIZES:
        yield Plan("floors", agents, seeds, days)
        yield Plan("guard", agents, few, days, guard=Guard.STATISTICAL)
        for rule in Rule:
            if rule is not Rule.PACER:
                yield Plan("rules", agents, seeds, days, rule=rule)
        for cap in _FRONTIER_CAPS:
            yield Plan("frontier", agents, max(few // 2, 1), min(days, 5), cap=cap)
    for conditions in _DRIFTS:
        for agents in _DRIFT_SIZES:
            yield Plan("drift", agents, few, min(days, 10), conditions=conditions)


def made(plan: Plan, jobs: int) -> Run:
    """Make a run."""
    rehearsal = Rehearsal(
        conditions_of(plan.conditions),
        agents=plan.agents,
        cap=plan.cap / 100.0,
        days=plan.days,
        seeds=plan.seeds,
        guard=plan.guard,
        rule=plan.rule,
    )
    began = time.monotonic()
    run_all(rehearsal, jobs=jobs)
    return Run(
        part=plan.part,
        agents=plan.agents,
        rule=plan.rule.value,
        guard=plan.guard.value,
        cap_pct=plan.cap,
        conditions=plan.conditions,
        days=plan.days,
        took_s=round(time.monotonic() - began, 1),
        talk_share=[round(float(x), 4) for x in rehearsal.talk_share],
        abandon_rate_pct=[round(100.0 * float(x), 4) for x in rehearsal.abandon_rate],
        worst_day_end_pct=round(100.0 * float(rehearsal.daily_rates.max()), 3),
        dials_a_day=round(float(rehearsal.dials.mean()), 1),
    )


def conditions_of(name: str) -> Conditions:
    """The shipped conditions of that name."""
    return read_conditions(shipped("rehearsal", f"{name}.toml").read_text(encoding="utf-8"))


def main(argv: list[str] | None = None) -> int:
    """Make the runs that are asked for, and the report. 1: a floor or the cap was missed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--only", action="append", choices=_PARTS, help="may be given again")
    parser.add_argument("--agents", action="append", type=int, help="these sizes alone")
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--days", type=int, default=22)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--folder", type=Path, default=Path("build/rehearse"))
    args = parser.parse_args(argv)
    args.folder.mkdir(parents=True, exist_ok=True)
    for plan in plans(args.seeds, args.days):
        if plan.part not in (args.only or _PARTS):
            continue
        if args.agents and plan.agents not in args.agents:
            continue
        run = made(plan, args.jobs)
        sys.stdout.write(f"{plan.name}: {run.line()}\n")
        sys.stdout.flush()
        text = json.dumps(run.as_json(), indent=1) + "\n"
        (args.folder / f"{plan.name}.json").write_text(text, encoding="utf-8")
    runs = [
        Run(**json.loads(path.read_text(encoding="utf-8")))
        for path in sorted(args.folder.glob("*.json"))
    ]
    words, is_good = report(runs)
    (args.folder / "report.md").write_text(words, encoding="utf-8")
    (args.folder / "frontier.svg").write_text(picture(runs), encoding="utf-8")
    sys.stdout.write(f"\n{words}")
    return 0 if is_good else 1


if __name__ == "__main__":
    raise SystemExit(main())
