"""Every state meets every input: by a step, or by a reason to ignore it."""

import itertools
from collections import deque
from pathlib import Path
from typing import Any

import pytest

from switch.sip import (
    diagrams,
    referral,
    referral_steps,
    referring,
    referring_steps,
    reliability,
    reliability_steps,
    renegotiation,
    renegotiation_steps,
    session_timer,
    session_timer_steps,
    usage,
    usage_steps,
)

FOLDER = Path(__file__).parents[3] / "docs" / "state-diagrams"
TABLES: list[Any] = [usage, renegotiation, reliability, session_timer, referral, referring]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__name__.rpartition(".")[2])
def test_every_pair_is_either_taken_or_ignored_with_a_reason(table: Any) -> None:
    states, inputs = tuple(table.State), tuple(table.Input)
    transitions, ignored = table.TRANSITIONS, table.IGNORED
    for pair in itertools.product(states, inputs):
        assert (pair in transitions) != (pair in ignored), pair
    assert all(ignored.values())
    assert {action for _, actions in transitions.values() for action in actions} == set(
        table.Action
    )


def test_every_action_has_an_effect() -> None:
    assert set(usage_steps._EFFECTS) == set(usage.Action)
    assert set(renegotiation_steps._EFFECTS) == set(renegotiation.Action)
    assert set(session_timer_steps._EFFECTS) == set(session_timer.Action)
    assert set(reliability_steps._EFFECTS) == set(reliability.Action)
    assert set(referral_steps._EFFECTS) == set(referral.Action)
    assert set(referring_steps._EFFECTS) == set(referring.Action)


@pytest.mark.parametrize("table", diagrams.TABLES, ids=lambda table: table.name)
def test_the_committed_drawing_is_current(table: diagrams.Table) -> None:
    committed = (FOLDER / diagrams.file_name(table)).read_text(encoding="utf-8")
    assert committed == diagrams.draw_table(table), "run: python -m switch.sip.diagrams"


def test_the_end_is_reached_from_every_state_and_reported_once() -> None:
    """On every path from Calling or Invited to the end stands exactly one report of the end."""
    reports = {usage.Action.REPORT_ENDED, usage.Action.REPORT_FAILED}
    seen = {(usage.State.CALLING, 0), (usage.State.INVITED, 0)}
    queue = deque(seen)
    while queue:
        state, told = queue.popleft()
        for (start, _), (end, actions) in usage.TRANSITIONS.items():
            if start is not state:
                continue
            now_told = told + sum(action in reports for action in actions)
            assert now_told <= 1, (start, end)
            if end in (usage.State.MORTAL, usage.State.TERMINATED):
                assert now_told == 1, (start, end)
            if (end, now_told) not in seen:
                seen.add((end, now_told))
                queue.append((end, now_told))
    assert {state for state, _ in seen} == set(usage.State)


def test_a_bye_that_we_send_is_waited_for() -> None:
    for (start, _), (end, actions) in usage.TRANSITIONS.items():
        if usage.Action.SEND_BYE in actions:
            assert end is usage.State.MORTAL, start
