"""Rehearsals under the shipped conditions: a few seeds of what `make rehearse` does with a hundred."""

from __future__ import annotations

import numpy as np
import pytest

from acd.dialer.settings import Guard
from acd.dialer.wilson import upper_bound
from acd.simulation.conditions import Change, Conditions, Course, read_conditions
from acd.simulation.rehearsal import Rehearsal, Rule
from cti.paths import shipped


def shipped_conditions(name: str) -> Conditions:
    return read_conditions(shipped("rehearsal", f"{name}.toml").read_text(encoding="utf-8"))


C2 = shipped_conditions("c2")


def rehearsed(
    *, agents: int = 10, days: int = 1, seeds: int = 4, cap: float = 0.03, first_seed: int = 1,
    guard: Guard = Guard.NONE, rule: Rule = Rule.PACER, conditions: Conditions = C2,
) -> Rehearsal:  # fmt: skip
    rehearsal = Rehearsal(
        conditions, agents=agents, cap=cap, days=days, seeds=seeds, guard=guard, rule=rule,
        first_seed=first_seed,
    )  # fmt: skip
    for day in range(days):
        rehearsal.run(day)
    return rehearsal


@pytest.mark.parametrize(("agents", "days", "floor"), [(5, 3, 0.66), (10, 2, 0.70), (20, 1, 0.745)])
def test_agents_talk_and_the_cap_holds(agents: int, days: int, floor: float) -> None:
    rehearsal = rehearsed(agents=agents, days=days)
    assert rehearsal.talk_share.mean() > floor
    assert rehearsal.abandon_rate.max() <= 0.03


@pytest.mark.parametrize("cap", [0.01, 0.05])
def test_other_caps_hold_too(cap: float) -> None:
    assert rehearsed(cap=cap, days=2).abandon_rate.max() <= cap


@pytest.mark.parametrize(
    "name",
    ["answers-halve", "answers-double", "trunk-fails", "agents-leave", "tenth-answers", "machines"],
)
def test_the_cap_holds_whatever_happens(name: str) -> None:
    rehearsal = rehearsed(agents=12, days=2, seeds=2, conditions=shipped_conditions(name))
    one_each = rehearsed(
        agents=12, days=1, seeds=2, conditions=shipped_conditions(name), rule=Rule.PROGRESSIVE
    )
    assert rehearsal.abandon_rate.max() <= 0.03
    assert rehearsal.talk_share.mean() > one_each.talk_share.mean() + 0.05


def test_lines_of_a_trunk_bound_what_is_dialled() -> None:
    few = Conditions(changes=(Change(what=Course.LINES, points=((0.0, 9.0),)),))
    assert (
        rehearsed(conditions=few).talk_share.mean()
        < rehearsed(conditions=Conditions()).talk_share.mean()
    )


def test_agents_who_are_away_count_for_nothing() -> None:
    half = Conditions(changes=(Change(what=Course.AGENTS, points=((0.0, 0.5),)),))
    absent, there = rehearsed(conditions=half), rehearsed(agents=5, conditions=Conditions())
    assert absent.dials.mean() == pytest.approx(there.dials.mean(), rel=0.1)
    assert absent.talk_share.mean() == pytest.approx(there.talk_share.mean(), abs=0.02)


@pytest.mark.parametrize("rule", sorted(set(Rule) - {Rule.PACER}))
def test_for_what_a_rule_of_the_field_abandons_its_agents_talk_less(rule: Rule) -> None:
    theirs = rehearsed(rule=rule, days=2)
    cap = max(float(theirs.abandon_rate.mean()), 0.03)
    ours = rehearsed(days=2, cap=cap)
    assert ours.abandon_rate.mean() <= cap
    assert ours.talk_share.mean() > theirs.talk_share.mean() + 0.015


@pytest.mark.parametrize(
    ("rule", "talk_share", "abandoned"),
    [(Rule.PROGRESSIVE, 0.589, 0.0), (Rule.RATIO_2, 0.701, 3.3), (Rule.RATIO_3, 0.758, 10.9)],
)
def test_rules_of_the_field_come_out_about_as_known(
    rule: Rule, talk_share: float, abandoned: float
) -> None:
    rehearsal = rehearsed(rule=rule, days=2)
    assert rehearsal.talk_share.mean() == pytest.approx(talk_share, abs=0.02)
    assert 100 * rehearsal.abandon_rate.mean() == pytest.approx(abandoned, rel=0.2)


def test_the_statistical_guard_costs_talk_and_holds_the_bound() -> None:
    bare, guarded = rehearsed(days=2), rehearsed(days=2, guard=Guard.STATISTICAL)
    assert guarded.talk_share.mean() < bare.talk_share.mean()
    for rate, answered in zip(guarded.abandon_rate, 2 * guarded.answered, strict=True):
        assert upper_bound(rate * answered, answered) <= 0.03


def test_seeds_decide_and_nothing_else() -> None:
    together = rehearsed(seeds=3)
    alone = Rehearsal(C2, agents=10, cap=0.03, days=1, seeds=3)
    for seed in (2, 0, 1):
        alone.run(0, seed, 1)
    assert np.array_equal(together.talk_share, alone.talk_share)
    shifted = rehearsed(seeds=1, first_seed=3)
    assert shifted.talk_share[0] == together.talk_share[2]
    assert len(set(together.talk_share.tolist())) == 3
