"""The agent comes first: it reads, consents, hears the customer's phone ring."""

from __future__ import annotations

import pytest

from acd.contact_events import ContactFinished
from acd.dialer.errors import NoPreviewError, NothingToDialError
from acd.dialer.model import Mode, Outcome
from acd.dialer.views import PreviewStep
from acd.model import AgentState
from switch.calls.causes import EndCause, Result
from tests.acd.dialer.outbound import BUSY, SPRING, Outbound
from tests.acd.scene import ANN, BOB, SALES

_STEP = PreviewStep


@pytest.fixture
def centre() -> Outbound:
    centre = Outbound()
    centre.phones(ANN)
    centre.desk(ANN)
    return centre


def _previewed(centre: Outbound, **settings: object) -> None:
    centre.campaign(mode=Mode.PREVIEW, preview_s=30.0, **settings)  # type: ignore[arg-type]
    centre.advance(1.0)


def _steps(centre: Outbound) -> list[PreviewStep]:
    return [view.step for view in centre.previews(ANN)]


def test_a_free_agent_has_a_record_to_read(centre: Outbound) -> None:
    _previewed(centre, script="Ask {name} at {number}.")
    assert centre.state(ANN) is AgentState.RESERVED
    assert centre.customers() == []
    view = centre.dialer.preview(ANN)
    assert view is not None
    assert (view.step, view.candidate.record) == (_STEP.READING, "r1")
    assert "2025550101" in view.script
    assert view.until == pytest.approx(centre.clock.now() + 30.0, abs=1.1)


def test_who_has_no_desk_is_shown_no_record_and_stays_free_for_callers() -> None:
    centre = Outbound()
    centre.phones(ANN, BOB)
    _previewed(centre)
    centre.advance(40.0)
    assert centre.previews(ANN) == []
    assert centre.outcomes() == []
    assert (centre.state(ANN), centre.state(BOB)) == (AgentState.AVAILABLE, AgentState.AVAILABLE)
    assert centre.why() == ["no-desk"]
    (blocker,) = centre.dialer.blockers(SPRING)
    assert blocker.words.startswith("2 free agents are signed on without a desk")
    centre.call()
    assert centre.switch.phone_leg(ANN)


def test_the_desk_of_a_signed_on_phone_brings_the_next_record(centre: Outbound) -> None:
    centre.phones(BOB)
    _previewed(centre)
    assert (centre.state(ANN), centre.state(BOB)) == (AgentState.RESERVED, AgentState.AVAILABLE)
    assert centre.why() == ["no-desk"], "there could be another"
    centre.desk(BOB)
    centre.advance(1.0)
    assert centre.dialer.preview(BOB) is not None
    assert centre.why() == ["no-agent-free"]


def test_a_dial_that_waits_for_its_agents_click_needs_a_desk_too() -> None:
    centre = Outbound()
    centre.phones(ANN)
    centre.campaign(records=0, human_initiated=True)
    centre.supply(1, needs_agent=True)
    centre.advance(1.0)
    assert centre.state(ANN) is AgentState.AVAILABLE
    centre.desk(ANN)
    centre.advance(1.0)
    assert centre.dialer.preview(ANN) is not None


def test_what_is_told_of_a_record_that_is_only_read_says_so(centre: Outbound) -> None:
    _previewed(centre)
    (started,) = centre.started()
    assert started.agent_first
    centre.dialer.skip(ANN, "not-now")
    centre.settle()
    finished = centre.told(ContactFinished)[0]
    assert (finished.reason, finished.customer_leg) == ("not-now", ""), "nobody was called"


def test_the_agents_phone_comes_before_the_customers(centre: Outbound) -> None:
    _previewed(centre)
    centre.dialer.dial(ANN)
    centre.settle()
    agent_leg = centre.switch.phone_leg(ANN)
    assert centre.customers() == []
    centre.switch.ringing(agent_leg)
    centre.switch.confirm(agent_leg)
    customer = centre.customer()
    assert agent_leg.players, "the agent hears it ring"
    assert centre.state(ANN) is AgentState.RINGING
    centre.switch.ringing(customer)
    centre.advance(4.0)
    centre.switch.confirm(customer)
    assert not agent_leg.players
    assert centre.switch.are_bridged(customer.id, agent_leg.id)
    assert centre.state(ANN) is AgentState.TALKING
    centre.advance(20.0)
    centre.switch.end(customer)
    assert centre.outcomes() == ["connected"]
    assert centre.attempts[-1].clicked_by == ANN
    assert _steps(centre) == [
        *(_STEP.READING, _STEP.CALLING_AGENT, _STEP.DIALLING, _STEP.RINGING),
        *(_STEP.TALKING, _STEP.OVER),
    ]


def test_a_customer_who_is_busy_leaves_the_agent_to_the_next(centre: Outbound) -> None:
    _previewed(centre)
    centre.dialer.dial(ANN)
    centre.settle()
    centre.switch.confirm(centre.switch.phone_leg(ANN))
    centre.switch.end(centre.customer(), BUSY)
    assert centre.outcomes() == ["busy"]
    assert centre.previews(ANN)[-1].outcome is Outcome.BUSY
    centre.advance(1.0)
    view = centre.dialer.preview(ANN)
    assert view is not None
    assert view.candidate.record == "r2"
    assert [leg for leg in centre.switch.legs.values() if leg.phone == ANN] == []
    figures = centre.acd.agent_figures(ANN, centre.clock.now())
    assert (figures.answered, figures.missed) == (0, 0)


def test_the_agent_hears_what_the_network_says(centre: Outbound) -> None:
    _previewed(centre)
    centre.dialer.dial(ANN)
    centre.settle()
    agent_leg = centre.switch.phone_leg(ANN)
    centre.switch.confirm(agent_leg)
    customer = centre.customer()
    centre.switch.sounds(customer)
    assert f"hear-early {customer.id}" in centre.switch.verbs(agent_leg.id)
    assert not agent_leg.players


def test_a_record_that_is_not_dialled_in_time_goes_back(centre: Outbound) -> None:
    _previewed(centre)
    centre.advance(28.0)
    assert centre.attempts == []
    centre.advance(2.0)
    assert centre.outcomes() == ["agent-gone"]
    assert centre.attempts[0].reason == "not-dialled"
    assert centre.previews(ANN)[1].step is _STEP.OVER


def test_or_is_dialled_then_where_the_campaign_does_so(centre: Outbound) -> None:
    _previewed(centre, preview_dials_itself=True)
    centre.advance(31.0)
    assert centre.switch.phone_leg(ANN)
    assert centre.attempts == []


def test_nothing_is_dialled_by_itself_where_a_person_must_click(centre: Outbound) -> None:
    _previewed(centre, preview_dials_itself=True, human_initiated=True)
    centre.advance(31.0)
    assert centre.outcomes() == ["agent-gone"]


def test_the_agent_gives_a_record_back(centre: Outbound) -> None:
    _previewed(centre)
    centre.dialer.skip(ANN, "known to be away")
    centre.settle()
    assert centre.outcomes() == ["agent-gone"]
    assert centre.attempts[0].reason == "known to be away"
    centre.advance(1.0)
    view = centre.dialer.preview(ANN)
    assert view is not None
    assert view.candidate.record == "r2"


def test_the_agent_gives_up_while_the_customer_rings(centre: Outbound) -> None:
    _previewed(centre)
    centre.dialer.dial(ANN)
    centre.settle()
    leg = centre.switch.phone_leg(ANN)
    centre.switch.confirm(leg)
    centre.switch.ringing(centre.customer())
    centre.switch.end(leg, EndCause(Result.COMPLETED, "callee-hung-up"))
    assert centre.customers() == []
    assert centre.outcomes() == ["agent-gone"]
    assert centre.state(ANN) is AgentState.AVAILABLE


def test_an_agent_whose_phone_is_not_answered_is_not_ready(centre: Outbound) -> None:
    _previewed(centre)
    centre.dialer.dial(ANN)
    centre.settle()
    centre.advance(30.0)
    assert centre.outcomes() == ["agent-gone"]
    assert centre.state(ANN) is AgentState.NOT_READY
    assert centre.customers() == []


def test_a_colleague_is_never_offered_a_record_that_was_left(centre: Outbound) -> None:
    _previewed(centre)
    centre.phones(BOB)
    centre.desk(BOB)
    centre.sign_off(ANN)
    assert centre.outcomes() == ["agent-gone"]
    centre.advance(1.0)
    view = centre.dialer.preview(BOB)
    assert view is not None
    assert view.candidate.record == "r2"


def test_a_pause_takes_unread_records_back(centre: Outbound) -> None:
    _previewed(centre)
    centre.dialer.pause(SPRING)
    centre.settle()
    assert centre.outcomes() == ["agent-gone"]
    assert centre.state(ANN) is AgentState.AVAILABLE


def test_the_agents_own_call_backs_come_first(centre: Outbound) -> None:
    centre.campaign(mode=Mode.PREVIEW, records=0)
    centre.supply(1)
    centre.supply(1, agent=BOB)
    centre.supply(1, agent=ANN)
    centre.advance(1.0)
    view = centre.dialer.preview(ANN)
    assert view is not None
    assert view.candidate.agent == ANN


def test_an_agent_takes_a_record_by_hand(centre: Outbound) -> None:
    centre.campaign(mode=Mode.MANUAL)
    centre.advance(3.0)
    assert centre.dialer.preview(ANN) is None
    view = centre.dialer.take(ANN)
    assert view.step is _STEP.READING
    centre.advance(600.0)
    centre.dialer.dial(ANN)
    centre.settle()
    centre.switch.confirm(centre.switch.phone_leg(ANN))
    centre.switch.confirm(centre.customer())
    assert centre.outcomes() == ["connected"]


def test_who_is_busy_takes_none(centre: Outbound) -> None:
    centre.campaign(mode=Mode.MANUAL)
    centre.call()
    with pytest.raises(NothingToDialError, match="Finish what you are at"):
        centre.dialer.take(ANN)
    with pytest.raises(NoPreviewError):
        centre.dialer.dial(ANN)


def test_a_record_that_must_find_an_agent_is_dialled_with_one_reserved(centre: Outbound) -> None:
    centre.campaign(records=0)
    centre.supply(1, needs_agent=True)
    centre.advance(1.0)
    assert centre.customers() == []
    centre.switch.confirm(centre.switch.phone_leg(ANN))
    centre.switch.confirm(centre.customer())
    assert centre.outcomes() == ["connected"]
    assert _steps(centre)[0] is _STEP.CALLING_AGENT, "there is nothing to read"


def test_a_promised_call_back_waits_for_its_agent(centre: Outbound) -> None:
    centre.campaign(records=0)
    centre.supply(1, agent=BOB)
    centre.supply(1)
    centre.advance(1.0)
    assert len(centre.customers()) == 1, "Ann has the other one"
    centre.phones(BOB)
    centre.advance(1.0)
    assert centre.switch.phone_leg(BOB)


def test_each_dial_waits_for_a_click(centre: Outbound) -> None:
    centre.campaign(human_initiated=True)
    centre.advance(3.0)
    assert centre.customers() == []
    assert "waiting-for-click" in centre.why()
    centre.dialer.click(SPRING, "eve")
    with pytest.raises(NothingToDialError):
        centre.dialer.click(SPRING, "eve")  # there is one agent
    centre.settle()
    centre.switch.end(centre.customer(), BUSY)
    (attempt,) = centre.attempts
    assert attempt.clicked_by == "eve"
    assert attempt.clicked_at == attempt.dialled_at


def test_the_queue_does_not_count_it(centre: Outbound) -> None:
    _previewed(centre)
    centre.dialer.skip(ANN)
    figures = centre.acd.queue(SALES, centre.clock.now())
    assert (figures.entered, figures.abandoned, figures.waiting, figures.offered) == (0, 0, 0, 0)


def test_a_record_that_was_read_beyond_its_hours_is_not_dialled(centre: Outbound) -> None:
    centre.campaign(mode=Mode.PREVIEW, preview_s=300.0, records=0)
    centre.supply(1, until=centre.clock.wall() + 120.0)
    centre.advance(130.0)
    assert centre.dialer.preview(ANN) is not None
    centre.dialer.dial(ANN)
    centre.settle()
    agent_leg = centre.switch.phone_leg(ANN)
    centre.switch.ringing(agent_leg)
    centre.switch.confirm(agent_leg)
    assert centre.customers() == []
    assert (centre.attempts[-1].outcome, centre.attempts[-1].reason) == (
        Outcome.CANCELLED,
        "outside-window",
    )
