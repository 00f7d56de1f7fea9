"""Campaigns without agents: a flow answers, keys are heard, and it may lead to a queue."""

from __future__ import annotations

import pytest

from acd.contact import Stage
from acd.dialer.errors import BadCampaignError
from acd.dialer.model import Mode, Outcome
from acd.dialer.settings import Limits
from tests.acd.dialer.outbound import SPRING, Outbound
from tests.acd.hand_switch import Leg
from tests.acd.scene import ANN


@pytest.fixture
def centre() -> Outbound:
    return Outbound()


def _announced(centre: Outbound, *, calls: int = 1, **settings: object) -> Leg:
    centre.campaign(
        mode=Mode.ANNOUNCEMENT,
        flow="menu",
        limits=Limits(calls=calls, calls_per_s=10.0),
        **settings,  # type: ignore[arg-type]
    )
    centre.advance(1.0)
    leg = centre.customers()[0]
    centre.switch.confirm(leg)
    return leg


def test_a_flow_answers_without_any_agent(centre: Outbound) -> None:
    customer = _announced(centre)
    assert customer.players
    assert centre.contact(customer).stage is Stage.MENU
    assert centre.started()[0].campaign == SPRING
    centre.switch.end(customer)
    assert centre.outcomes() == ["announced"]
    (attempt,) = centre.attempts
    assert attempt.message_began_at == attempt.greeting_ended_at


def test_a_key_leads_to_a_queue_and_an_agent(centre: Outbound) -> None:
    centre.phones(ANN)
    customer = _announced(centre)
    centre.switch.digit(customer, "1")
    assert centre.contact(customer).agent == ANN
    centre.switch.confirm(centre.switch.phone_leg(ANN))
    centre.switch.end(customer)
    assert centre.outcomes() == ["connected"]
    assert centre.attempts[-1].agent == ANN


def test_who_waits_after_a_flow_waits_as_callers_do(centre: Outbound) -> None:
    customer = _announced(centre)
    centre.switch.digit(customer, "1")
    centre.advance(5.0)
    assert customer.music
    assert centre.contact(customer).stage is Stage.WAITING


def test_a_key_opts_out(centre: Outbound) -> None:
    customer = _announced(centre)
    centre.switch.digit(customer, "9")
    assert centre.outcomes() == ["opted-out"]
    assert customer.id not in centre.switch.legs


def test_it_dials_as_fast_and_as_many_as_it_may(centre: Outbound) -> None:
    centre.campaign(mode=Mode.ANNOUNCEMENT, flow="menu", limits=Limits(calls=3, calls_per_s=2.0))
    centre.advance(0.6)
    assert len(centre.customers()) == 2
    centre.advance(2.0)
    assert len(centre.customers()) == 3
    assert "calls" in centre.why()


def test_a_person_counts_as_live_and_not_as_abandoned(centre: Outbound) -> None:
    customer = _announced(centre)
    centre.switch.end(customer)
    us = centre.dialer.view(SPRING).rates[0]
    assert (us.live, us.abandoned) == (1, 0)
    assert centre.dialer.view(SPRING).today == {Outcome.ANNOUNCED: 1}


def test_a_flow_that_is_not_there_is_refused(centre: Outbound) -> None:
    with pytest.raises(BadCampaignError, match="no flow 'nothing'"):
        centre.campaign(mode=Mode.ANNOUNCEMENT, flow="nothing")
