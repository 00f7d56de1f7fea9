"""One dial for each free agent: who answers has one, or the message within two seconds."""

from __future__ import annotations

import pytest

from acd.contact import Stage
from acd.contact_events import ContactResult, ContactStarted
from acd.dialer.attempt_state import AttemptState
from acd.dialer.errors import UnknownCampaignError
from acd.dialer.model import AttemptId, Outcome
from acd.dialer.settings import AbandonCap, Limits
from acd.model import AgentId, AgentState
from switch.calls.causes import EndCause, Result
from tests.acd.dialer.outbound import BUSY, SPRING, UNKNOWN, Outbound
from tests.acd.scene import ANN, BOB, SALES


@pytest.fixture
def centre() -> Outbound:
    return Outbound()


def test_each_free_agent_has_one_dial(centre: Outbound) -> None:
    centre.phones(ANN, BOB)
    centre.campaign()
    centre.advance(1.0)
    assert len(centre.customers()) == 2
    centre.advance(5.0)
    assert len(centre.customers()) == 2, "nobody has answered and nobody else is free"


def test_nobody_is_dialled_without_an_agent(centre: Outbound) -> None:
    centre.campaign()
    centre.advance(3.0)
    assert centre.customers() == []
    assert centre.why() == ["no-agents"]


def test_who_answers_talks_to_the_agent(centre: Outbound) -> None:
    centre.phones(ANN)
    centre.campaign()
    centre.advance(1.0)
    customer = centre.customer()
    centre.switch.ringing(customer)
    centre.advance(6.0)
    centre.switch.confirm(customer)
    contact = centre.contact(customer)
    assert (contact.stage, contact.agent) == (Stage.OFFERED, ANN)
    assert "music" not in centre.switch.verbs(customer.id)
    centre.switch.confirm(centre.switch.phone_leg(ANN))
    assert centre.state(ANN) is AgentState.TALKING
    assert centre.switch.are_bridged(customer.id, centre.switch.phone_leg(ANN).id)
    (early,) = centre.attempts
    assert (early.outcome, early.agent) == (Outcome.CONNECTED, ANN)
    centre.advance(30.0)
    centre.switch.end(customer)
    first, last = centre.attempts
    assert str(first.id) == str(last.id) == str(contact.id)
    assert last.ended_at - (last.connected_at or 0.0) == pytest.approx(30.0)
    assert (last.rang_at or 0.0) < (last.answered_at or 0.0)
    assert centre.finished().result is ContactResult.ANSWERED


def test_the_interaction_says_which_campaign_and_whom(centre: Outbound) -> None:
    centre.phones(ANN)
    centre.campaign()
    centre.advance(1.0)
    assert centre.told(ContactStarted) == [], "nobody has answered: there is no interaction"
    centre.switch.confirm(centre.customer())
    (started,) = centre.started()
    assert (started.campaign, started.list_record, started.outbound) == (SPRING, "r1", True)
    assert started.caller_number == "+12025550101"


def test_who_finds_no_agent_hears_the_message_within_two_seconds(centre: Outbound) -> None:
    centre.phones(ANN)
    centre.campaign(cap=AbandonCap(patience_s=2.0))
    centre.advance(1.0)
    customer = centre.customer()
    centre.switch.confirm(customer)
    centre.advance(1.8)
    assert "play" not in centre.switch.verbs(customer.id)
    centre.advance(0.15)
    assert "play" in centre.switch.verbs(customer.id), "Ann does not pick up"
    assert centre.state(ANN) is AgentState.AVAILABLE
    assert [leg for leg in centre.switch.legs.values() if leg.phone == ANN] == []
    centre.switch.play_out(customer)
    assert centre.outcomes() == ["abandoned"]
    assert customer.id not in centre.switch.legs
    assert centre.finished().result is ContactResult.ABANDONED


def test_the_abandoned_are_counted_before_the_message_is_over(centre: Outbound) -> None:
    centre.phones(ANN)
    centre.campaign()
    centre.advance(1.0)
    centre.switch.confirm(centre.customer())
    centre.advance(2.5)
    us = centre.dialer.view(SPRING).rates[0]
    assert (us.abandoned, us.live, us.percent) == (1, 1, 100.0)


def test_a_key_during_the_message_opts_out(centre: Outbound) -> None:
    centre.phones(ANN)
    centre.campaign()
    centre.advance(1.0)
    customer = centre.customer()
    centre.switch.confirm(customer)
    centre.switch.digit(customer, "9")
    assert centre.attempts == [], "the message does not play yet"
    centre.advance(2.0)
    centre.switch.digit(customer, "5")
    centre.switch.digit(customer, "9")
    assert centre.outcomes() == ["opted-out"]
    assert centre.dialer.view(SPRING).rates[0].abandoned == 1, "and yet no agent came"
    (attempt,) = centre.attempts
    assert attempt.greeting_ended_at is not None
    assert attempt.message_began_at is not None
    assert 0.0 < attempt.message_began_at - attempt.greeting_ended_at < 2.0


def test_who_hangs_up_first_was_not_abandoned(centre: Outbound) -> None:
    centre.phones(ANN)
    centre.campaign()
    centre.advance(1.0)
    customer = centre.customer()
    centre.switch.confirm(customer)
    centre.advance(1.0)
    centre.switch.end(customer)
    assert centre.outcomes() == ["hung-up"]
    assert centre.state(ANN) is AgentState.AVAILABLE


def test_an_agent_who_goes_leaves_the_person_to_the_message(centre: Outbound) -> None:
    centre.phones(ANN)
    centre.campaign()
    centre.advance(1.0)
    customer = centre.customer()
    centre.switch.phone(ANN, reachable=False)
    centre.switch.confirm(customer)
    centre.advance(2.0)
    centre.switch.play_out(customer)
    assert centre.outcomes() == ["abandoned"]


def test_an_agent_whose_phone_refuses_leaves_the_person_to_the_next(centre: Outbound) -> None:
    centre.phones(ANN)
    centre.campaign()
    centre.advance(1.0)
    customer = centre.customer()
    centre.phones(BOB)
    centre.switch.confirm(customer)
    centre.switch.end(centre.switch.phone_leg(ANN), BUSY)
    centre.switch.confirm(centre.switch.phone_leg(BOB))
    assert centre.attempts[-1].agent == BOB


def test_a_dial_that_nobody_answers_is_followed_by_the_next(centre: Outbound) -> None:
    centre.phones(ANN)
    centre.campaign()
    centre.advance(1.0)
    centre.switch.end(centre.customer(), BUSY)
    centre.advance(1.0)
    centre.switch.end(centre.customer(), UNKNOWN)
    centre.advance(1.0)
    centre.switch.ringing(centre.customer())
    centre.advance(26.0)
    assert centre.outcomes() == ["busy", "invalid-number", "no-answer"]
    assert [each.sip_status for each in centre.attempts] == [486, 404, 408]
    assert len(centre.customers()) == 1


def test_a_phone_rings_at_least_fifteen_seconds(centre: Outbound) -> None:
    centre.phones(ANN)
    centre.campaign(ring_s=5.0)
    centre.advance(9.0)
    centre.switch.ringing(centre.customer())
    centre.advance(14.0)
    assert centre.attempts == []
    centre.advance(3.0)
    assert centre.outcomes() == ["no-answer"]


def test_a_network_that_never_says_that_it_rings_is_given_up(centre: Outbound) -> None:
    centre.phones(ANN)
    centre.campaign(ring_s=20.0)
    centre.advance(29.0)
    assert centre.attempts == []
    centre.advance(3.0)
    assert centre.outcomes() == ["no-answer"]


def test_a_number_that_leads_nowhere_keeps_nobody_waiting(centre: Outbound) -> None:
    centre.phones(ANN)
    centre.ways.unknown.add("+12025550101")
    centre.campaign(records=2)
    centre.advance(2.0)
    assert [view.record for view in centre.dialer.attempts(SPRING)] == ["r2"]
    assert centre.attempts == []
    assert centre.released == [("r1", "unknown-number")]


def test_one_of_many_without_a_way_stays_to_be_seen(centre: Outbound) -> None:
    centre.phones(ANN)
    centre.ways.refused = "blocked"
    centre.campaign(records=3)
    centre.advance(2.0)
    assert centre.released == [("r2", "blocked"), ("r3", "blocked")]
    assert "numbers-blocked" in centre.why()
    centre.advance(62.0)
    assert ("r1", "blocked") in centre.released


def test_so_many_are_kept_for_callers(centre: Outbound) -> None:
    centre.phones(ANN, BOB)
    centre.campaign(inbound_reserve=1)
    centre.advance(3.0)
    assert len(centre.customers()) == 1
    centre.call()
    centre.advance(3.0)
    assert len(centre.customers()) == 1, "the one who is left is dialled for already"


def test_no_more_than_the_reserve_is_free(centre: Outbound) -> None:
    centre.phones(ANN)
    centre.campaign(inbound_reserve=1)
    centre.advance(2.0)
    assert centre.customers() == []
    assert centre.why() == ["inbound-reserve"]


def test_callers_who_wait_go_first_where_the_campaign_says_so(centre: Outbound) -> None:
    centre.phones(ANN)
    centre.campaign(priority=-1)
    centre.advance(1.0)
    customer = centre.customer()
    caller = centre.call()
    centre.switch.end(centre.switch.phone_leg(ANN), BUSY)
    centre.switch.confirm(customer)
    centre.phones(BOB)
    assert centre.contact(caller).agent == BOB
    assert centre.contact(customer).agent is None


def test_who_answered_goes_before_callers_otherwise(centre: Outbound) -> None:
    centre.phones(ANN)
    centre.campaign()
    centre.advance(1.0)
    customer = centre.customer()
    caller = centre.call()
    centre.switch.end(centre.switch.phone_leg(ANN), BUSY)
    centre.advance(10.0)
    centre.switch.confirm(customer)
    centre.phones(BOB)
    assert centre.contact(customer).agent == BOB
    assert centre.contact(caller).agent is None


def test_dials_are_spread_over_the_second(centre: Outbound) -> None:
    centre.phones(ANN, BOB)
    centre.campaign(limits=Limits(calls_per_s=2.0))
    assert len(centre.customers()) == 0
    centre.advance(0.0)
    assert len(centre.customers()) == 1
    centre.advance(0.35)
    assert len(centre.customers()) == 1
    centre.advance(0.2)
    assert len(centre.customers()) == 2


def test_no_more_calls_than_the_campaign_may(centre: Outbound) -> None:
    centre.phones(ANN, BOB)
    centre.campaign(limits=Limits(calls=1))
    centre.advance(3.0)
    assert len(centre.customers()) == 1
    assert "calls" in centre.why()


@pytest.mark.parametrize("step", ["paused", "finished"])
def test_what_is_in_flight_goes_on_when_a_campaign_is(centre: Outbound, step: str) -> None:
    centre.phones(ANN, BOB)
    centre.campaign(records=5)
    centre.advance(1.0)
    (centre.dialer.pause if step == "paused" else centre.dialer.finish)(SPRING)
    assert [reason for _, reason in centre.released] == [step] * 3
    first, second = centre.customers()
    centre.switch.end(second, BUSY)
    centre.advance(5.0)
    assert centre.why() == ["not-running"]
    centre.switch.confirm(first)
    agent = centre.contact(first).agent
    assert agent is not None
    centre.switch.confirm(centre.switch.phone_leg(agent))
    assert centre.outcomes() == ["busy", "connected"]


def test_records_that_lie_too_long_go_back(centre: Outbound) -> None:
    centre.campaign(records=2)
    centre.advance(62.0)
    assert centre.released == [("r1", "stale"), ("r2", "stale")]


def test_the_gateway_dies_under_a_dial_and_a_person(centre: Outbound) -> None:
    centre.phones(ANN, BOB)
    centre.campaign()
    centre.advance(1.0)
    person, _ = centre.customers()
    centre.switch.confirm(person)
    centre.switch.lose_gateway()
    assert centre.outcomes() == ["abandoned", "congested"]
    centre.advance(3.0)
    assert centre.why() == ["gateway-away"]
    centre.switch.bring_gateway()
    centre.advance(1.0)
    assert len(centre.customers()) == 2


def test_the_server_stops(centre: Outbound) -> None:
    centre.phones(ANN, BOB)
    centre.campaign(records=4)
    centre.advance(1.0)
    person, _ = centre.customers()
    centre.switch.confirm(person)
    centre.dialer.close()
    centre.settle()
    assert centre.outcomes() == ["cancelled"]
    assert len(centre.released) == 2
    assert person.id in centre.switch.legs
    assert centre.why() == ["stopping"]


def test_the_agents_wait_is_told(centre: Outbound) -> None:
    centre.phones(ANN)
    centre.advance(10.0)
    centre.campaign()
    centre.advance(5.0)
    centre.switch.confirm(centre.customer())
    centre.switch.confirm(centre.switch.phone_leg(ANN))
    assert centre.dialer.view(SPRING).agents_wait_s == pytest.approx(15.0)


def test_figures_of_the_panel(centre: Outbound) -> None:
    centre.phones(ANN, BOB)
    centre.campaign(caller_ids=("+12025550190", "+12025550191"))
    centre.advance(1.0)
    first, second = centre.customers()
    centre.switch.ringing(first)
    centre.switch.end(second, BUSY)
    view = centre.dialer.view(SPRING)
    assert (view.in_flight, view.ringing, view.dials) == (1, 1, 1)
    assert view.today == {Outcome.BUSY: 1}
    assert [each.number for each in view.caller_ids] == ["+12025550191"]
    assert view.agents.signed_on == view.agents.available == 2
    assert [each.state for each in centre.dialer.attempts(SPRING)] == [AttemptState.RINGING]
    assert view.pacing["free"] == 2.0
    assert view.pacing_words


def test_the_queue_knows_nothing_of_campaigns_in_its_service_level(centre: Outbound) -> None:
    centre.phones(ANN)
    centre.campaign()
    centre.advance(1.0)
    customer = centre.customer()
    centre.switch.confirm(customer)
    centre.switch.confirm(centre.switch.phone_leg(ANN))
    centre.switch.end(customer)
    figures = centre.acd.queue(SALES, centre.clock.now())
    assert (figures.entered, figures.answered, figures.service_level) == (0, 0, None)


def test_our_fault_after_the_answer_is_an_abandoned_call(centre: Outbound) -> None:
    centre.phones(ANN)
    centre.campaign()
    centre.advance(1.0)
    customer = centre.customer()
    centre.switch.confirm(customer)
    cause = EndCause(Result.FAILED, "no-media", 503)
    centre.switch.end(centre.switch.phone_leg(ANN), cause)
    assert centre.outcomes() == ["abandoned"]


def test_a_campaign_that_is_deleted_goes_with_its_last_talk(centre: Outbound) -> None:
    centre.phones(ANN, BOB)
    centre.campaign()
    centre.advance(1.5)
    talks, _ = centre.customers()
    centre.switch.confirm(talks)
    agent = centre.contact(talks).agent
    assert agent is not None
    centre.switch.confirm(centre.switch.phone_leg(agent))
    centre.dialer.unload(SPRING)
    centre.settle()
    assert centre.dialer.names() == ()
    assert centre.outcomes() == ["connected", "cancelled"]
    centre.switch.end(talks)
    assert centre.attempts[-1].outcome is Outcome.CONNECTED
    assert len(centre.dialer) == 0
    with pytest.raises(UnknownCampaignError):
        centre.dialer.view(SPRING)


def test_the_agents_phone_is_asked_to_answer_by_itself(centre: Outbound) -> None:
    centre.phones(ANN, BOB)
    centre.campaign(records=1)
    centre.advance(1.0)
    customer = centre.customer()
    centre.switch.confirm(customer)
    offered = centre.contact(customer).agent
    assert offered is not None
    headers = centre.switch.headers[centre.switch.phone_leg(offered).id]
    assert headers["Call-Info"].endswith(";answer-after=0")
    caller = centre.contact(centre.call())
    assert caller.agent is not None
    headers = centre.switch.headers[centre.switch.phone_leg(caller.agent).id]
    assert "Call-Info" not in headers, "callers may wait until it is picked up"


def test_an_agent_who_lets_it_ring_comes_last_and_then_is_not_ready(centre: Outbound) -> None:
    centre.phones(ANN, BOB)
    centre.campaign(records=30)
    centre.advance(2.0)
    rung: list[AgentId] = []
    for _ in range(4):
        customer = centre.customers()[0]
        centre.switch.confirm(customer)
        agent = next(each for each in (ANN, BOB) if centre.state(each) is AgentState.RESERVED)
        rung.append(agent)
        leg = centre.switch.phone_leg(agent)
        centre.switch.ringing(leg)
        if agent == BOB:
            centre.switch.confirm(leg)
            centre.advance(2.0)
            centre.switch.end(customer)
        else:
            centre.advance(2.0)
            centre.switch.end(customer)
        centre.advance(6.0)
    assert rung.count(ANN) == 2
    assert centre.state(ANN) is AgentState.NOT_READY
    assert centre.outcomes().count("abandoned") == 2


def test_a_machine_that_an_agent_talked_to_is_no_live_answer(centre: Outbound) -> None:
    centre.phones(ANN)
    centre.campaign(machine_dispositions=("machine",))
    centre.advance(1.0)
    customer = centre.customer()
    centre.switch.confirm(customer)
    centre.switch.confirm(centre.switch.phone_leg(ANN))
    attempt = AttemptId(centre.contact(customer).id)
    us = centre.dialer.view(SPRING).rates[0]
    assert us.live == 1
    centre.dialer.dispose(attempt, "machine")
    centre.dialer.dispose(attempt, "machine", call_back_at=1.0)
    assert centre.dialer.view(SPRING).rates[0].live == 0
    centre.switch.end(customer)
    assert centre.dialer.dispose(attempt, "sale"), "chosen anew, after the talk"
    assert centre.dialer.view(SPRING).rates[0].live == 1
    assert centre.dialer.dispose(attempt, "machine")
    assert centre.dialer.view(SPRING).rates[0].live == 0
