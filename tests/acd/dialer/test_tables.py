"""The tables of attempts and campaigns: every pair is looked at, every state can be left."""

from __future__ import annotations

from pathlib import Path

import pytest

from acd.dialer import attempt_state, campaign_state, diagrams
from acd.dialer.attempt_state import AttemptInput, AttemptState, Effect
from acd.dialer.campaign_state import CampaignInput
from acd.dialer.model import CampaignState


@pytest.mark.parametrize("state", list(AttemptState))
def test_an_attempt_is_over_when_its_customer_is_gone(state: AttemptState) -> None:
    step = attempt_state.find_step(state, AttemptInput.GONE)
    assert step is not None
    assert (step.to, step.effects) == (None, (Effect.SETTLE,))


@pytest.mark.parametrize("state", list(AttemptState))
@pytest.mark.parametrize("what", list(AttemptInput))
def test_whatever_ends_is_settled_once(state: AttemptState, what: AttemptInput) -> None:
    step = attempt_state.find_step(state, what)
    if step is None:
        return
    assert (step.to is None) == (step.effects[-1:] == (Effect.SETTLE,))
    assert step.effects.count(Effect.SETTLE) <= 1


def test_a_person_is_never_just_dropped() -> None:
    for what in (AttemptInput.CANCEL, AttemptInput.AGENT_GONE, AttemptInput.MACHINE):
        for state in (AttemptState.WAITING, AttemptState.REGRETTING, AttemptState.TALKING):
            assert attempt_state.find_step(state, what) is None


def test_every_state_is_reached() -> None:
    reached = {step.to for step in attempt_state.TRANSITIONS.values()}
    assert reached >= set(AttemptState) - {AttemptState.READING}


def test_only_a_campaign_that_runs_is_paused() -> None:
    for state in CampaignState:
        found = campaign_state.find_step(state, CampaignInput.PAUSE)
        assert (found is CampaignState.PAUSED) == (state is CampaignState.RUNNING)


def test_a_campaign_that_runs_is_not_started_again() -> None:
    assert campaign_state.find_step(CampaignState.RUNNING, CampaignInput.START) is None
    for state in set(CampaignState) - {CampaignState.RUNNING}:
        assert campaign_state.find_step(state, CampaignInput.START) is CampaignState.RUNNING


def test_the_committed_drawings_are_current() -> None:
    folder = Path(__file__).parents[3]
    for page, drawn in (
        (diagrams.ATTEMPT_PAGE, diagrams.attempt_page()),
        (diagrams.CAMPAIGN_PAGE, diagrams.campaign_page()),
    ):
        committed = (folder / page).read_text(encoding="utf-8")
        assert committed == drawn, "run python -m acd.dialer.diagrams"
