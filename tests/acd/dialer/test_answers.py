"""Who answered is judged by sound: persons go to agents, machines are hung up on or told."""

from __future__ import annotations

import pytest

from acd.dialer.attempt import LiveAttempt
from acd.dialer.attempt_state import AttemptState
from acd.dialer.model import Outcome
from acd.dialer.settings import AnswerRules
from acd.model import AgentState
from switch.calls.events import SoundHeard
from switch.gateway.protocol import SoundFeatures
from tests.acd.dialer.outbound import SPRING, Outbound
from tests.acd.hand_switch import Leg
from tests.acd.scene import ANN
from tests.kit.cycles import none_left

TOLD = AnswerRules(message="welcome", after_beep_s=0.3)


@pytest.fixture
def centre() -> Outbound:
    centre = Outbound()
    centre.phones(ANN)
    return centre


def _dialled(centre: Outbound, answers: AnswerRules | None = None) -> Leg:
    centre.campaign(answers=answers or AnswerRules())
    centre.advance(1.0)
    return centre.customer()


def _hear(
    centre: Outbound,
    leg: Leg,
    at_ms: int,
    tone: str = "",
    *,
    speaking: bool = False,
    since_ms: int = 0,
) -> None:
    """The gateway tells what the leg sounds like."""
    level = -25.0 if speaking else -70.0
    sound = SoundFeatures(
        leg=leg.id,
        at_ms=at_ms,
        level_dbov=level,
        mean_dbov=level,
        floor_dbov=-70.0,
        spread_db=5.0,
        crossings=0.2,
        voiced=0.7 if speaking else 0.0,
        voice_hz=120.0 if speaking else 0.0,
        speaking=speaking,
        since_ms=since_ms,
        bursts=0,
        tone=tone,
        tone_hz=1000.0 if tone else 0.0,
        tone_ms=500 if tone else 0,
    )
    centre.switch.handle(SoundHeard(leg=leg.id, at=centre.clock.now(), sound=sound))
    centre.settle()


def _greet(centre: Outbound, leg: Leg) -> None:
    """A greeting that goes on and on, as machines have it."""
    for at_ms in range(100, 6600, 100):
        centre.advance(0.1)
        speaking = at_ms > 500
        _hear(centre, leg, at_ms, speaking=speaking, since_ms=500 if speaking else 0)


def test_who_answers_is_listened_to_before_an_agent_is_called(centre: Outbound) -> None:
    customer = _dialled(centre)
    centre.switch.confirm(customer)
    assert "watch_sound" in centre.switch.verbs(customer.id)
    assert [view.state for view in centre.dialer.attempts(SPRING)] == [AttemptState.JUDGING]
    assert centre.state(ANN) is AgentState.AVAILABLE


def test_somebody_who_says_nothing_goes_to_an_agent(centre: Outbound) -> None:
    customer = _dialled(centre)
    centre.switch.confirm(customer)
    centre.advance(2.6)
    assert "unwatch_sound" in centre.switch.verbs(customer.id)
    centre.switch.confirm(centre.switch.phone_leg(ANN))
    assert centre.outcomes() == ["connected"]
    assert '"kind":"uncertain"' in centre.attempts[0].judged


def test_a_fax_is_hung_up_on(centre: Outbound) -> None:
    customer = _dialled(centre)
    centre.switch.confirm(customer)
    _hear(centre, customer, 500, "fax-ced")
    assert centre.outcomes() == ["fax"]
    assert customer.id not in centre.switch.legs
    assert centre.started() == [], "nobody was there: no interaction"


@pytest.mark.parametrize(
    ("tone", "outcome"), [("sit", "invalid-number"), ("busy", "busy"), ("fax-ced", "fax")]
)
def test_tones_before_the_answer_tell_as_well(centre: Outbound, tone: str, outcome: str) -> None:
    customer = _dialled(centre)
    centre.switch.sounds(customer)
    _hear(centre, customer, 900, tone)
    assert centre.outcomes() == [outcome]


def test_who_speaks_on_and_on_is_a_machine(centre: Outbound) -> None:
    customer = _dialled(centre)
    centre.switch.confirm(customer)
    _greet(centre, customer)
    assert centre.outcomes() == ["machine"]
    assert customer.id not in centre.switch.legs
    assert centre.state(ANN) is AgentState.AVAILABLE
    us = centre.dialer.view(SPRING).rates[0]
    assert 0.0 < us.abandoned < 0.05, (
        "it may have been a person with little probability: a part of a call"
    )
    assert us.percent is None, "and of nobody for certain: no rate, and not 100 %"


def test_who_was_taken_for_a_machine_counts_as_abandoned_with_what_counted_already(
    centre: Outbound,
) -> None:
    customer = _dialled(centre)
    centre.switch.confirm(customer)
    _greet(centre, customer)
    (ended,) = centre.attempts
    assert ended.answered_at is not None
    centre.dialer.misjudged(SPRING, ended.answered_at, ended.outcome, ended.doubt, today=True)
    view = centre.dialer.view(SPRING)
    assert (view.rates[0].abandoned, view.rates[0].live) == pytest.approx((1.0, 1.0))
    assert (view.today[Outcome.MACHINE], view.today[Outcome.ABANDONED]) == (0, 1)


def test_a_machine_is_told_after_its_beep(centre: Outbound) -> None:
    customer = _dialled(centre, TOLD)
    centre.switch.confirm(customer)
    _greet(centre, customer)
    assert "play" not in centre.switch.verbs(customer.id)
    _hear(centre, customer, 6600, "beep", since_ms=6550)
    centre.advance(0.5)
    assert "play" in centre.switch.verbs(customer.id)
    assert centre.dialer.view(SPRING).messages == 1
    centre.switch.play_out(customer)
    assert centre.outcomes() == ["message-left"]
    assert customer.id not in centre.switch.legs


def test_a_machine_that_never_beeps_is_given_up(centre: Outbound) -> None:
    rules = AnswerRules(message="welcome", beep_within_s=10.0)
    customer = _dialled(centre, rules)
    centre.switch.confirm(customer)
    _greet(centre, customer)
    centre.advance(10.0)
    assert "play" not in centre.switch.verbs(customer.id)
    assert centre.outcomes() == ["machine"]
    assert centre.attempts[0].reason == "no-beep"


def test_a_machine_that_hangs_up_was_not_told(centre: Outbound) -> None:
    customer = _dialled(centre, TOLD)
    centre.switch.confirm(customer)
    _greet(centre, customer)
    centre.switch.end(customer)
    assert centre.outcomes() == ["machine"]


def test_who_hangs_up_while_being_judged_was_not_abandoned(centre: Outbound) -> None:
    customer = _dialled(centre)
    centre.switch.confirm(customer)
    centre.advance(1.0)
    centre.switch.end(customer)
    assert centre.outcomes() == ["hung-up"]
    assert centre.dialer.attempts(SPRING) == ()


def test_for_who_says_nothing_patience_counts_from_the_verdict(centre: Outbound) -> None:
    """There is no end of a greeting to count from."""
    customer = _dialled(centre)
    centre.switch.confirm(customer)
    centre.advance(2.5 + 1.8)
    assert "play" not in centre.switch.verbs(customer.id)
    centre.advance(0.2)
    assert "play" in centre.switch.verbs(customer.id)


def test_patience_counts_from_the_end_of_the_greeting(centre: Outbound) -> None:
    customer = _dialled(centre)
    centre.switch.confirm(customer)
    for at_ms in range(100, 2500, 100):  # "hello?", and then nothing more
        centre.advance(0.1)
        speaking = 300 < at_ms <= 800
        _hear(centre, customer, at_ms, speaking=speaking, since_ms=300 if speaking else 800)
        if len(centre.switch.legs) > 1:
            break  # judged: an agent is called
    judged_after_s = at_ms / 1000 - 0.8
    assert 0.2 < judged_after_s < 1.6, "this test needs a pause before the verdict"
    centre.advance(1.8 - judged_after_s)
    assert "play" not in centre.switch.verbs(customer.id)
    centre.advance(0.2)
    assert "play" in centre.switch.verbs(customer.id)


def test_a_machine_that_is_told_counts_as_far_as_it_may_be_a_person(centre: Outbound) -> None:
    customer = _dialled(centre, TOLD)
    centre.switch.confirm(customer)
    _greet(centre, customer)
    run = centre.dialer._runs[SPRING]
    counts = run.ledger.total(centre.clock.wall(), 24)
    assert 0.0 < counts.abandoned < 0.5
    assert counts.live == counts.abandoned


def test_an_attempt_that_is_over_leaves_nothing_to_the_collector(centre: Outbound) -> None:
    with none_left(LiveAttempt):
        customer = _dialled(centre, TOLD)
        centre.switch.confirm(customer)
        _greet(centre, customer)
        _hear(centre, customer, 6600, "beep", since_ms=6550)
        centre.advance(0.5)
        centre.switch.play_out(customer)
        centre.advance(1.5)
        customer = centre.customer()
        centre.switch.confirm(customer)
        centre.advance(2.6)
        centre.switch.confirm(centre.switch.phone_leg(ANN))
        centre.switch.end(customer)
        centre.dialer.pause(SPRING)
        for leg in centre.customers():
            centre.switch.end(leg)
        centre.advance(120.0)  # timers that were cancelled are dropped when their time comes
        assert len(centre.dialer) == 0
