"""The table of consultations."""

from __future__ import annotations

from pathlib import Path

import pytest

from acd.consult_diagram import PAGE, consult_page
from acd.consult_state import TRANSITIONS, ConsultInput, ConsultState, Effect, find_step

_KEEPS = {Effect.HAND_OVER, Effect.GIVE_BACK}


@pytest.mark.parametrize("state", list(ConsultState))
@pytest.mark.parametrize("what", list(ConsultInput))
def test_every_pair_moves_or_makes_no_sense(state: ConsultState, what: ConsultInput) -> None:
    assert find_step(state, what) is TRANSITIONS.get((state, what))


@pytest.mark.parametrize(("state", "what"), list(TRANSITIONS))
def test_whoever_goes_somebody_has_the_customer(state: ConsultState, what: ConsultInput) -> None:
    step = TRANSITIONS[state, what]
    agent_is_gone = (
        state is ConsultState.HANDING
        or what in (ConsultInput.AGENT_GONE, ConsultInput.AGENT_GONE_BACK)
        or Effect.LET_GO in step.effects
    )
    if agent_is_gone and step.to is None:
        assert _KEEPS & set(step.effects)
    if agent_is_gone and step.to is not None:
        assert step.to is ConsultState.HANDING


@pytest.mark.parametrize("state", list(ConsultState))
def test_the_target_may_go_at_any_time(state: ConsultState) -> None:
    assert (state, ConsultInput.GONE) in TRANSITIONS


def test_the_drawn_page_is_current() -> None:
    page = Path(__file__).parents[2] / PAGE
    text = page.read_text(encoding="utf-8")
    assert text == consult_page(), "run: python -m acd.consult_diagram"
