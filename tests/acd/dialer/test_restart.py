"""Another process goes on: no attempt is lost without an outcome, talks go on as they were."""

from __future__ import annotations

import pytest

from acd.contact_events import ContactResult
from acd.dialer.attempt_state import AttemptState
from acd.dialer.legal import Counts
from acd.dialer.model import CampaignState, Mode, Outcome
from acd.dialer.settings import AnswerRules
from acd.dialer.views import PreviewStep
from acd.model import AgentState
from tests.acd.dialer.outbound import BUSY, SPRING, Outbound
from tests.acd.hand_switch import Leg
from tests.acd.scene import ANN, BOB


@pytest.fixture
def centre() -> Outbound:
    centre = Outbound()
    centre.phones(ANN)
    return centre


def _dialled(centre: Outbound) -> Leg:
    centre.campaign()
    centre.advance(1.0)
    return centre.customer()


def test_a_dial_rings_on_and_is_answered(centre: Outbound) -> None:
    customer = _dialled(centre)
    centre.switch.ringing(customer)
    centre.restart()
    assert [view.state for view in centre.dialer.attempts(SPRING)] == [AttemptState.RINGING]
    centre.advance(3.0)
    assert len(centre.customers()) == 1, "the agent is dialled for already"
    centre.switch.confirm(customer)
    centre.switch.confirm(centre.switch.phone_leg(ANN))
    assert centre.outcomes() == ["connected"]


def test_a_dial_that_ended_meanwhile_has_its_outcome(centre: Outbound) -> None:
    customer = _dialled(centre)
    centre.restart(without=customer)
    assert centre.outcomes() == ["congested"]
    assert centre.attempts[0].reason == "call-agent-lost"
    assert centre.dialer.attempts(SPRING) == ()


def test_who_waits_has_its_two_seconds_and_no_more(centre: Outbound) -> None:
    customer = _dialled(centre)
    centre.switch.confirm(customer)
    centre.advance(1.5)
    centre.restart()
    centre.advance(0.5)
    assert "play" in centre.switch.verbs(customer.id)
    centre.switch.play_out(customer)
    assert centre.outcomes() == ["abandoned"]


def test_the_message_plays_on(centre: Outbound) -> None:
    customer = _dialled(centre)
    centre.switch.confirm(customer)
    centre.advance(2.0)
    centre.restart()
    assert customer.players
    centre.switch.play_out(customer)
    assert centre.outcomes() == ["abandoned"]
    assert centre.attempts[0].message_began_at is not None, "before the restart"
    assert centre.finished().result is ContactResult.ABANDONED


def test_a_talk_goes_on_and_is_kept(centre: Outbound) -> None:
    customer = _dialled(centre)
    centre.switch.confirm(customer)
    centre.switch.confirm(centre.switch.phone_leg(ANN))
    centre.restart()
    assert centre.state(ANN) is AgentState.TALKING
    centre.advance(30.0)
    centre.switch.end(customer)
    assert centre.outcomes() == ["connected"]
    assert centre.attempts[-1].ended_at > (centre.attempts[-1].connected_at or 0.0)


def test_a_talk_that_goes_on_is_counted_beside_what_the_store_knows(centre: Outbound) -> None:
    customer = _dialled(centre)
    centre.switch.confirm(customer)
    centre.switch.confirm(centre.switch.phone_leg(ANN))
    centre.restart()
    earlier = Counts(live=4.0, connected=4.0)
    centre.dialer.load(
        centre.dialer.settings(SPRING),
        state=CampaignState.RUNNING,
        totals={Outcome.CONNECTED: 4},
        history=[(centre.process.wall(), earlier)],
    )
    centre.switch.end(customer)
    view = centre.dialer.view(SPRING)
    assert view.total[Outcome.CONNECTED] == 5
    assert view.rates[0].live == 5.0


def test_who_was_being_judged_goes_to_an_agent(centre: Outbound) -> None:
    centre.campaign(answers=AnswerRules())
    centre.advance(1.0)
    centre.switch.confirm(centre.customer())
    centre.restart()
    centre.switch.confirm(centre.switch.phone_leg(ANN))
    assert centre.outcomes() == ["connected"]


def test_an_agent_reads_on(centre: Outbound) -> None:
    centre.desk(ANN)
    centre.campaign(mode=Mode.PREVIEW, preview_s=30.0)
    centre.advance(1.0)
    centre.restart()
    assert centre.state(ANN) is AgentState.RESERVED
    assert [leg for leg in centre.switch.legs.values() if leg.phone == ANN] == []
    view = centre.dialer.preview(ANN)
    assert view is not None
    assert view.step is PreviewStep.READING
    centre.dialer.dial(ANN)
    centre.settle()
    centre.switch.confirm(centre.switch.phone_leg(ANN))
    centre.switch.confirm(centre.customer())
    assert centre.outcomes() == ["connected"]


def test_an_agent_goes_on_listening_to_the_ring_back(centre: Outbound) -> None:
    centre.desk(ANN)
    centre.campaign(mode=Mode.PREVIEW)
    centre.advance(1.0)
    centre.dialer.dial(ANN)
    centre.settle()
    centre.switch.confirm(centre.switch.phone_leg(ANN))
    centre.restart()
    assert centre.switch.phone_leg(ANN).players
    centre.switch.end(centre.customer(), BUSY)
    assert centre.outcomes() == ["busy"]
    assert centre.state(ANN) is AgentState.AVAILABLE


def test_a_campaign_runs_on(centre: Outbound) -> None:
    centre.phones(BOB)
    centre.campaign(records=2)
    centre.advance(1.5)
    centre.restart()
    assert centre.dialer.view(SPRING).state is CampaignState.RUNNING
    for leg in centre.customers():
        centre.switch.end(leg, BUSY)
    centre.supply(2)
    centre.advance(1.5)
    assert len(centre.customers()) == 2
