from __future__ import annotations

from pathlib import Path

import pytest

from acd.agent_state import (
    AT_REST,
    FACTS,
    IGNORED,
    TRANSITIONS,
    AgentInput,
    Effect,
    Target,
    find_step,
)
from acd.diagrams import PAGE, agent_page
from acd.errors import InvariantError
from acd.model import AgentState

EVERY_PAIR = [(state, what) for state in AgentState for what in AgentInput]


@pytest.mark.parametrize(("state", "what"), EVERY_PAIR)
def test_every_pair_moves_or_is_ignored_with_a_reason_or_raises(
    state: AgentState, what: AgentInput
) -> None:
    if (state, what) in TRANSITIONS:
        assert find_step(state, what) is TRANSITIONS[state, what]
        assert (state, what) not in IGNORED
    elif (state, what) in IGNORED:
        assert find_step(state, what) is None
        assert IGNORED[state, what]
    else:
        with pytest.raises(InvariantError) as caught:
            find_step(state, what)
        assert caught.value.details == {"state": state.value, "input": what.value}


@pytest.mark.parametrize("state", list(AgentState))
def test_news_of_facts_is_welcome_in_every_state(state: AgentState) -> None:
    assert all((state, fact) in TRANSITIONS for fact in FACTS)


def test_only_an_available_agent_is_chosen() -> None:
    chosen = [state for state, what in TRANSITIONS if what is AgentInput.CHOSEN]
    assert chosen == [AgentState.AVAILABLE]


def test_every_state_can_come_to_rest_or_is_at_rest() -> None:
    for state in AgentState:
        assert state in AT_REST or any(
            step.to is Target.REST for (origin, _), step in TRANSITIONS.items() if origin is state
        )


def test_whatever_ends_an_offer_or_a_wrap_up_stops_its_timer() -> None:
    timed = (AgentState.RESERVED, AgentState.RINGING, AgentState.WRAP_UP)
    for (state, what), step in TRANSITIONS.items():
        if state in timed and step.to not in (Target.STAY, AgentState.RINGING):
            assert Effect.STOP_TIMER in step.effects, (state, what)


def test_the_drawn_page_is_current() -> None:
    page = Path(__file__).parents[2] / PAGE
    assert page.read_text(encoding="utf-8") == agent_page(), "run: python -m acd.diagrams"
