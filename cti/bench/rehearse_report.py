"""What rehearsals came to: tables in Markdown, and the picture of talk against abandoned calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from cti.bench.scatter import Axis, Series, scatter

FLOORS: Final = {5: 0.66, 10: 0.70, 20: 0.745, 50: 0.795, 100: 0.82}
"""Talk share to be reached at a cap of 3 %, by agents."""
_CAP_PCT: Final = 3.0
_MOST_PCT: Final = 3.2
_KEPT_SEEDS: Final = 0.95
_RULES: Final = ("progressive", "ratio-2", "ratio-3", "issabel-like", "vicidial-average-like")
_MARKS: Final = {
    "progressive": "triangle",
    "ratio-2": "square",
    "ratio-3": "diamond",
    "vicidial-average-like": "cross",
}


@dataclass(frozen=True, slots=True)
class Run:
    """One run: figures with a value for each seed, or over all of them."""

    part: str
    agents: int
    rule: str
    guard: str
    cap_pct: float
    conditions: str
    days: int
    took_s: float
    talk_share: list[float]
    abandon_rate_pct: list[float]
    worst_day_end_pct: float
    """The highest rate, of all seeds, that stood at the end of any day, counted from the first."""
    dials_a_day: float

    def as_json(self) -> dict[str, Any]:
        """For a file."""
        return asdict(self)

    @property
    def talk(self) -> float:
        return sum(self.talk_share) / len(self.talk_share)

    @property
    def abandoned(self) -> float:
        return sum(self.abandon_rate_pct) / len(self.abandon_rate_pct)

    @property
    def kept(self) -> int:
        """Seeds that held the cap."""
        return sum(rate <= self.cap_pct for rate in self.abandon_rate_pct)

    @property
    def holds(self) -> bool:
        """The cap in 95 of 100 seeds, and never much more."""
        seeds = len(self.abandon_rate_pct)
        most = self.cap_pct * _MOST_PCT / _CAP_PCT
        return self.kept >= _KEPT_SEEDS * seeds and max(self.abandon_rate_pct) <= most

    def line(self) -> str:
        """In one line."""
        return (
            f"talk {self.talk:.4f} ({min(self.talk_share):.4f} to {max(self.talk_share):.4f}), "
            f"abandoned {self.abandoned:.3f} %, most {max(self.abandon_rate_pct):.3f} %, "
            f"kept {self.kept} of {len(self.talk_share)}, {self.took_s:.0f} s"
        )


def report(runs: Sequence[Run]) -> tuple[str, bool]:
    """All tables, and whether floors and cap are held by the pacer, and by nobody better."""
    floors = sorted((r for r in runs if r.part == "floors"), key=lambda r: r.agents)
    rules = [r for r in runs if r.part == "rules"]
    is_good = all(_is_reached(run) for run in floors) and not _better(floors, rules)
    parts = [
        _floors(floors),
        _rules(floors, rules),
        _guard(floors, sorted((r for r in runs if r.part == "guard"), key=lambda r: r.agents)),
        _drift([r for r in runs if r.part == "drift"]),
    ]
    return "\n".join(part for part in parts if part), is_good


def _is_reached(run: Run) -> bool:
    return run.holds and run.talk >= FLOORS.get(run.agents, 0.0)


def _better(floors: Sequence[Run], rules: Sequence[Run]) -> list[Run]:
    """Rules that hold the cap and have agents talk more than the pacer."""
    ours = {run.agents: run.talk for run in floors}
    return [r for r in rules if r.holds and r.talk > ours.get(r.agents, 1.0)]


def _floors(runs: Sequence[Run]) -> str:
    if not runs:
        return ""
    rows = [
        f"| {r.agents} | {r.talk:.3f} ({min(r.talk_share):.3f}–{max(r.talk_share):.3f}) "
        f"| {FLOORS.get(r.agents, 0.0):.3f} | {r.abandoned:.3f} | {max(r.abandon_rate_pct):.3f} "
        f"| {r.kept} of {len(r.talk_share)} | {r.dials_a_day:,.0f} | {_verdict(r)} |"
        for r in runs
    ]
    head = (
        "| agents | talk share (least–most) | to reach | abandoned, % | most, % | cap kept "
        "| dials a day | |\n|---|---|---|---|---|---|---|---|\n"
    )
    return head + "\n".join(rows) + "\n"


def _verdict(run: Run) -> str:
    return "reached" if _is_reached(run) else "missed"


def _rules(floors: Sequence[Run], rules: Sequence[Run]) -> str:
    if not rules:
        return ""
    names = list(_RULES)
    head = "| agents | pacer | " + " | ".join(names) + " |\n|" + "---|" * (len(names) + 2) + "\n"
    rows = []
    for ours in floors:
        cells = [f"**{ours.talk:.3f} / {ours.abandoned:.2f}**"]
        for name in names:
            found = [r for r in rules if r.agents == ours.agents and r.rule == name]
            cells.append(f"{found[0].talk:.3f} / {found[0].abandoned:.2f}" if found else "")
        rows.append(f"| {ours.agents} | " + " | ".join(cells) + " |")
    return head + "\n".join(rows) + "\n"


def _guard(floors: Sequence[Run], guarded: Sequence[Run]) -> str:
    if not guarded:
        return ""
    bare = {run.agents: run.talk for run in floors}
    rows = []
    for run in guarded:
        cost = f"{100 * (bare[run.agents] - run.talk):.1f}" if run.agents in bare else ""
        rows.append(
            f"| {run.agents} | {run.talk:.3f} | {cost} | {run.abandoned:.2f} "
            f"| {run.worst_day_end_pct:.2f} |"
        )
    head = (
        "| agents | talk share, guarded | cost, points | abandoned, % | worst day's end, % |\n"
        "|---|---|---|---|---|\n"
    )
    return head + "\n".join(rows) + "\n"


def _drift(runs: Sequence[Run]) -> str:
    if not runs:
        return ""
    rows = [
        f"| {r.conditions} | {r.agents} | {r.talk:.3f} | {r.abandoned:.2f} "
        f"| {max(r.abandon_rate_pct):.2f} | {r.kept} of {len(r.talk_share)} |"
        for r in sorted(runs, key=lambda r: (r.conditions, r.agents))
    ]
    head = (
        "| conditions | agents | talk share | abandoned, % | most, % | cap kept |\n"
        "|---|---|---|---|---|---|\n"
    )
    return head + "\n".join(rows) + "\n"


def picture(runs: Sequence[Run]) -> str:
    """Talk share over abandoned calls: a line of the pacer for each size, marks of other rules."""
    c2 = [r for r in runs if r.conditions == "c2" and r.guard == "none"]
    sizes = sorted({r.agents for r in c2})
    series = []
    for number, agents in enumerate(sizes):
        ours = [r for r in c2 if r.agents == agents and r.rule == "pacer"]
        points = sorted((r.abandoned, r.talk) for r in ours)
        series.append(Series(f"pacer, {agents} agents", points, number))
    for name, mark in _MARKS.items():
        for number, agents in enumerate(sizes):
            points = [(r.abandoned, r.talk) for r in c2 if r.agents == agents and r.rule == name]
            if points:
                label = f"{name}, {agents} agents"
                series.append(Series(label, points, number, is_line=False, mark=mark))
    return scatter(
        "What agents talk, and what it costs the people who are called",
        Axis("answered and abandoned, %", 0.0, 12.0, 1.0),
        Axis("talk share", 0.55, 0.90, 0.05, ".2f"),
        series,
        limit=_CAP_PCT,
    )
