"""Every state meets every input: a step, a reason to ignore it, or a fault of ours."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from switch.calls.diagrams import PAGE, leg_page
from switch.calls.leg import IGNORED, TRANSITIONS, Action, Input, State, step
from switch.errors import LocalProtocolError

LIVE = [state for state in State if state is not State.ENDED]
OUTBOUND = {State.CALLING, State.ALERTING}


@pytest.mark.parametrize(("state", "event"), list(product(State, Input)))
def test_every_pair_is_a_step_is_ignored_with_a_reason_or_raises(
    state: State, event: Input
) -> None:
    if (state, event) in TRANSITIONS:
        assert (state, event) not in IGNORED
        assert step(state, event) == TRANSITIONS[state, event]
    elif (state, event) in IGNORED:
        assert IGNORED[state, event]
        assert step(state, event) is None
    else:
        with pytest.raises(LocalProtocolError, match=event.name):
            step(state, event)


@pytest.mark.parametrize("state", LIVE)
@pytest.mark.parametrize("event", [Input.HANG_UP, Input.GONE])
def test_every_live_state_can_be_ended_from_both_sides(state: State, event: Input) -> None:
    found = step(state, event)
    assert found is not None
    assert found[0] is State.ENDED


def test_legs_finish_exactly_when_they_end() -> None:
    for (state, _), (following, actions) in TRANSITIONS.items():
        assert state is not State.ENDED
        assert (Action.FINISH in actions) == (following is State.ENDED)
        assert actions.count(Action.FINISH) <= 1


def test_a_peer_that_is_gone_is_sent_nothing() -> None:
    for (_, event), (_, actions) in TRANSITIONS.items():
        if event in (Input.GONE, Input.FAILED):
            assert actions == (Action.FINISH,)


def test_an_incoming_leg_ends_by_a_final_response_before_the_answer_and_by_bye_after() -> None:
    for (state, event), (_, actions) in TRANSITIONS.items():
        if event is Input.HANG_UP:
            unanswered = state in (State.INVITED, State.RUNG)
            assert actions[0] is (Action.SEND_FINAL if unanswered else Action.SEND_END)


def test_every_state_can_be_reached() -> None:
    begins = {State.INVITED, State.CALLING}
    assert begins | {following for following, _ in TRANSITIONS.values()} == set(State)


def test_the_page_in_the_docs_is_drawn_from_the_table() -> None:
    page = Path(__file__).parents[3] / PAGE
    assert page.read_text(encoding="utf-8") == leg_page(), "run python -m switch.calls.diagrams"
