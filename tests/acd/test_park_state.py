"""The table of parked calls: every state is left, whatever happens, and is drawn as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from acd.consult_diagram import PARK_PAGE, park_page
from acd.park_state import TRANSITIONS, Effect, ParkInput, ParkState, find_step

ROOT = Path(__file__).parents[2]
ENDS = {Effect.HAND_OVER, Effect.PASS_ON, Effect.LET_GO}


def test_a_parked_call_ends_with_somebody_who_has_it_or_a_word_to_the_customer() -> None:
    for (state, what), step in TRANSITIONS.items():
        assert (step.to is None) == bool(ENDS & set(step.effects)), f"{state}, {what}"


@pytest.mark.parametrize("state", ParkState)
def test_every_state_can_be_left_and_none_but_that_of_who_fetches_refuses_another(
    state: ParkState,
) -> None:
    assert any(step.to is not state for (at, _), step in TRANSITIONS.items() if at is state)
    can_fetch = find_step(state, ParkInput.FETCH) is not None
    assert can_fetch == (state is not ParkState.FETCHING)


def test_the_page_shows_the_table() -> None:
    text = (ROOT / PARK_PAGE).read_text(encoding="utf-8")
    assert text == park_page(), "run: python -m acd.consult_diagram"
