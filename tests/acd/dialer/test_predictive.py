"""Predictive campaigns ask the pacer, and what it decided can be told and made again."""

from __future__ import annotations

import pytest

from acd.dialer.errors import NothingToDialError
from acd.dialer.events import PacerDecided
from acd.dialer.legal import Counts
from acd.dialer.model import CampaignName, CampaignState, Mode, Outcome
from acd.dialer.pacing.replay import replay
from acd.dialer.settings import AbandonCap, AnswerRules, CampaignSettings, Guard
from acd.model import AgentState
from tests.acd.dialer.outbound import BUSY, SPRING, Outbound
from tests.acd.scene import ANN, BOB, SALES


@pytest.fixture
def centre() -> Outbound:
    centre = Outbound()
    centre.phones(ANN, BOB)
    return centre


def test_it_is_progressive_until_it_has_learned(centre: Outbound) -> None:
    centre.campaign(mode=Mode.PREDICTIVE)
    centre.advance(3.0)
    assert len(centre.customers()) == 2
    assert centre.dialer.view(SPRING).is_learning
    assert "learning" in centre.why()


def test_each_decision_that_dials_is_told_and_can_be_made_again(centre: Outbound) -> None:
    centre.campaign(mode=Mode.PREDICTIVE)
    centre.advance(2.0)
    for leg in centre.customers():
        centre.switch.end(leg, BUSY)
    centre.advance(2.0)
    decided = [event for event in centre.events if isinstance(event, PacerDecided)]
    dialling = [event for event in decided if event.dial]
    assert sum(event.dial for event in dialling) >= 4
    assert len(centre.attempts) >= 2
    assert {attempt.decision for attempt in centre.attempts} <= {e.number for e in dialling}
    for event in decided:
        assert replay(event.decision) == event.dial
        assert event.vector["free"] == 2.0


def test_over_its_cap_each_agent_is_called_before_its_customer(centre: Outbound) -> None:
    wall = centre.clock.wall()
    history = [(wall - 3600.0, Counts(live=100.0, connected=90.0, abandoned=10.0))]
    centre.dialer.load(
        CampaignSettings(
            name=SPRING,
            mode=Mode.PREDICTIVE,
            queue=SALES,
            answers=AnswerRules(classify=False),
        ),
        state=CampaignState.RUNNING,
        history=history,
    )
    centre.supply(20)
    centre.advance(3.0)
    assert centre.customers() == []
    for agent in (ANN, BOB):
        centre.switch.confirm(centre.switch.phone_leg(agent))
    assert len(centre.customers()) == 2
    for customer in centre.customers():
        centre.switch.confirm(customer)
        assert centre.dialer.view(SPRING).rates[0].abandoned == 10
    (blocker,) = [each for each in centre.dialer.blockers(SPRING) if each.code == "abandon-cap"]
    assert "10 of 102" in blocker.words
    centre.dialer._run(SPRING).ledger.doubt(wall, 0.0919)
    (blocker,) = [each for each in centre.dialer.blockers(SPRING) if each.code == "abandon-cap"]
    assert "(us: 10.1 of 102.1, 9.89 %)" in blocker.words
    view = centre.dialer.view(SPRING)
    assert view.enforced_percent is not None
    assert view.enforced_percent > view.cap_percent


def test_over_its_cap_those_who_ring_from_before_have_an_agent(centre: Outbound) -> None:
    wall = centre.clock.wall()
    settings = CampaignSettings(
        name=SPRING,
        mode=Mode.PREDICTIVE,
        queue=SALES,
        cap=AbandonCap(guard=Guard.NONE),
        answers=AnswerRules(classify=False),
    )
    history = [(wall - 3600.0, Counts(live=1000.0, connected=970.5, abandoned=29.5))]
    centre.dialer.load(settings, state=CampaignState.RUNNING, history=history)
    centre.supply(20)
    centre.advance(3.0)
    ringing = centre.customers()
    assert len(ringing) == 2
    centre.dialer._run(SPRING).ledger.doubt(wall, 1.0)
    centre.switch.end(ringing[0], BUSY)
    centre.advance(3.0)
    assert sorted(map(centre.state, (ANN, BOB))) == [AgentState.AVAILABLE, AgentState.RESERVED]
    centre.switch.confirm(ringing[1])
    centre.switch.confirm(centre.switch.phone_leg(ANN))
    centre.advance(0.5)
    assert AgentState.TALKING in map(centre.state, (ANN, BOB))


def test_over_its_cap_no_click_dials_without_an_agent_on_the_line(centre: Outbound) -> None:
    wall = centre.clock.wall()
    settings = CampaignSettings(
        name=SPRING,
        queue=SALES,
        human_initiated=True,
        answers=AnswerRules(classify=False),
    )
    history = [(wall - 3600.0, Counts(live=100.0, connected=90.0, abandoned=10.0))]
    centre.dialer.load(settings, state=CampaignState.RUNNING, history=history)
    centre.supply(20)
    centre.desk(ANN)
    with pytest.raises(NothingToDialError, match="over the cap"):
        centre.dialer.click(SPRING, "eve")
    centre.advance(1.0)
    assert centre.customers() == []
    centre.dialer.dial(ANN)
    centre.settle()
    centre.switch.confirm(centre.switch.phone_leg(ANN))
    assert len(centre.customers()) == 1


def test_what_the_store_had_counted_goes_on(centre: Outbound) -> None:
    wall = centre.clock.wall()
    name = CampaignName("autumn")
    centre.dialer.load(
        CampaignSettings(name=name, mode=Mode.PREDICTIVE, queue=SALES),
        history=[(wall - 60.0, Counts(live=1.0, abandoned=1.0))],
        totals={Outcome.BUSY: 7},
        today={Outcome.BUSY: 2},
    )
    view = centre.dialer.view(name)
    assert (view.rates[0].abandoned, view.rates[0].live) == (1, 1)
    assert (view.total[Outcome.BUSY], view.today[Outcome.BUSY], view.dials) == (7, 2, 2)
