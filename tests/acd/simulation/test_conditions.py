"""Files of conditions: what they can say, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from acd.simulation.conditions import Conditions, ConditionsError, read_conditions
from cti.paths import shipped


@pytest.mark.parametrize("path", sorted(shipped("rehearsal").glob("*.toml")), ids=lambda p: p.stem)
def test_shipped_conditions_are_good(path: Path) -> None:
    conditions = read_conditions(path.read_text(encoding="utf-8"))
    assert conditions.title


def test_without_anything_said_it_is_c2_without_the_swing() -> None:
    assert read_conditions("") == Conditions()


def test_changes_run_evenly_between_their_points() -> None:
    conditions = read_conditions(
        '[[changes]]\nwhat = "answers"\npoints = [[100, 1.0], [200, 0.5]]\n'
        '[[changes]]\nwhat = "lines"\npoints = [[0, 30]]\n'
    )
    answers, refused, agents, lines = conditions.course()
    assert (answers[0], answers[150], answers[9000]) == (1.0, 0.75, 0.5)
    assert (refused.max(), agents.min(), lines.min(), lines.max()) == (0.0, 1.0, 30.0, 30.0)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[people]\nanswer = 1.5", "people.answer is 1.5; it must be a part of 0 to 1"),
        ("[people]\nring_s = [9, 3]", "people.ring_s"),
        ("[people]\ngive_up_s = 10", "people.give_up_s is 10"),
        ("[people]\nperiod_s = 0", "people.period_s"),
        ("[talk]\nmean_s = 0", "talk.mean_s"),
        ("[floor]\nday_s = 5", "floor.day_s"),
        ("[peeple]", "peeple"),
        ("[people]\nanswer = 'x'", "answer"),
        ("people = [", "Invalid value"),
        ("[[changes]]\nwhat = 'rain'\npoints = []", "rain"),
        ("[[changes]]\nwhat = 'agents'\npoints = []", "changes.agents.points"),
        ("[[changes]]\nwhat = 'agents'\npoints = [[9, 1], [3, 1]]", "in the order of time"),
    ],
)
def test_what_is_wrong_is_said(text: str, told: str) -> None:
    with pytest.raises(ConditionsError, match=told.replace("[", r"\[")):
        read_conditions(text)
