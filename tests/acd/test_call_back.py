"""The media gateway dies under callers who wait or talk: they are called back, and join again."""

from __future__ import annotations

import pytest

from acd.call_back import AT_ONCE, MOST_WAITS
from acd.call_back_events import CallBackMoved, CallBackState
from acd.call_back_plan import GIVE_UP_S
from acd.contact import Stage
from acd.contact_events import ContactFinished, ContactResult, ContactStarted
from acd.model import AgentState
from acd.pending_call_back import CallBackSettings
from switch.calls.causes import EndCause, Result
from tests.acd.call_centre import MENU, QUEUE, CallCentre
from tests.acd.scene import ANN, BOB, SALES

NUMBER = "+12025550101"
BUSY = EndCause(Result.BUSY, "busy", 486)
UNKNOWN = EndCause(Result.UNREACHABLE, "unknown-number", 404)

_S = CallBackState


@pytest.fixture
def centre() -> CallCentre:
    centre = CallCentre(call_back=CallBackSettings(attempts=3, pause_s=30.0))
    centre.switch.bring_gateway()
    return centre


def steps(centre: CallCentre) -> list[tuple[CallBackState, int, str]]:
    """What was told of call-backs."""
    return [(each.state, each.attempt, each.reason) for each in centre.told(CallBackMoved)]


def cut_off(centre: CallCentre) -> None:
    """The gateway dies, and another one comes."""
    centre.switch.lose_gateway()
    centre.settle()
    centre.advance(1.0)
    centre.switch.bring_gateway()
    centre.settle()


def dialled(centre: CallCentre) -> int:
    """How often the caller's number was called."""
    return centre.switch.log.count(("call", NUMBER))


def test_who_waited_is_called_back_and_keeps_the_place(centre: CallCentre) -> None:
    centre.call(QUEUE)
    came_at = centre.clock.now()
    centre.advance(40.0)
    cut_off(centre)
    lost = centre.finished()
    assert (lost.result, lost.reason) == (ContactResult.FAILED, "gateway-lost")
    centre.advance(5.0)
    other = centre.switch.incoming(QUEUE, number="+12025550102")
    centre.settle()
    leg = next(each for each in centre.switch.legs.values() if each.outbound)
    centre.switch.confirm(leg)
    centre.settle()
    again = centre.contact(leg)
    assert (again.stage, again.call_back_of, again.caller_number) == (
        Stage.WAITING,
        lost.contact,
        NUMBER,
    )
    assert leg.players, "it is told why it is called"
    assert centre.acd.contact(again.id).entered_at == came_at
    assert centre.acd.waiting(SALES) == (again.id, centre.contact(other).id)
    assert centre.told(ContactStarted)[-1].call_back_of == lost.contact
    joined = centre.told(CallBackMoved)[-1]
    assert (joined.state, joined.contact, joined.joined) == (_S.ANSWERED, lost.contact, again.id)
    assert steps(centre) == [(_S.PLANNED, 0, ""), (_S.DIALLED, 1, ""), (_S.ANSWERED, 1, "")]

    centre.phones(ANN)
    agent = centre.switch.phone_leg(ANN)
    assert agent.call == leg.call
    centre.switch.confirm(agent)
    centre.settle()
    assert centre.switch.are_bridged(leg.id, agent.id)
    assert len(centre.call_backs) == 0


def test_who_talked_is_called_back_and_gets_the_same_agent(centre: CallCentre) -> None:
    centre.phones(BOB)
    centre.advance(1.0)
    centre.phones(ANN)
    centre.call(QUEUE)
    centre.switch.confirm(centre.switch.phone_leg(BOB))
    centre.settle()
    cut_off(centre)
    assert centre.finished().result is ContactResult.ANSWERED
    assert centre.state(BOB) is AgentState.AVAILABLE
    leg = centre.switch.newest()
    centre.switch.confirm(leg)
    centre.settle()
    assert centre.contact(leg).agent == BOB, "not Ann, who is idle for longer"


def test_a_menu_and_a_queue_that_says_nothing_call_nobody_back() -> None:
    centre = CallCentre()
    centre.switch.bring_gateway()
    centre.call(QUEUE)
    cut_off(centre)
    assert steps(centre) == []
    centre = CallCentre(call_back=CallBackSettings())
    centre.switch.bring_gateway()
    centre.call(MENU)
    cut_off(centre)
    assert steps(centre) == []


@pytest.mark.parametrize(("number", "why"), [("", "no-number"), ("777", "unknown-number")])
def test_without_a_number_or_a_way_nobody_is_dialled(
    centre: CallCentre, number: str, why: str
) -> None:
    centre.switch.incoming(QUEUE, number=number)
    centre.settle()
    cut_off(centre)
    assert steps(centre) == [(_S.NOT_POSSIBLE, 0, why)]
    assert not centre.switch.legs


def test_a_number_that_is_busy_is_dialled_again_and_then_no_more(centre: CallCentre) -> None:
    centre.call(QUEUE)
    cut_off(centre)
    for attempt in (1, 2, 3):
        assert dialled(centre) == attempt
        centre.switch.end(centre.switch.newest(), BUSY)
        centre.settle()
        centre.advance(29.0)
        assert dialled(centre) == attempt, "not before the pause is over"
        centre.advance(1.5)
    assert dialled(centre) == 3
    assert steps(centre)[-1] == (_S.GIVEN_UP, 3, "busy")
    assert len(centre.call_backs) == 0


def test_a_number_that_does_not_answer_rings_for_half_a_minute(centre: CallCentre) -> None:
    centre.call(QUEUE)
    cut_off(centre)
    centre.advance(30.0)
    assert not centre.switch.legs
    assert steps(centre)[-1] == (_S.FAILED, 1, "ring-timeout")


def test_a_number_that_nobody_has_is_not_dialled_again(centre: CallCentre) -> None:
    centre.call(QUEUE)
    cut_off(centre)
    centre.switch.end(centre.switch.newest(), UNKNOWN)
    centre.settle()
    assert steps(centre)[-1] == (_S.GIVEN_UP, 1, "unknown-number")
    centre.advance(60.0)
    assert dialled(centre) == 1


def test_a_gateway_that_dies_again_and_again_does_not_call_for_ever(centre: CallCentre) -> None:
    centre.call(QUEUE)
    for _ in range(3):
        cut_off(centre)
        centre.switch.confirm(centre.switch.newest())
        centre.settle()
    cut_off(centre)
    assert dialled(centre) == 3
    assert steps(centre)[-1] == (_S.GIVEN_UP, 0, "out-of-attempts")
    assert not centre.switch.legs


def test_a_gateway_that_dies_while_it_rings_is_waited_for(centre: CallCentre) -> None:
    centre.call(QUEUE)
    cut_off(centre)
    centre.switch.lose_gateway()
    centre.settle()
    centre.advance(5.0)
    assert not centre.switch.legs
    centre.switch.bring_gateway()
    centre.settle()
    assert dialled(centre) == 2


def test_when_one_of_several_gateways_dies_while_it_rings_another_has_the_call(
    centre: CallCentre,
) -> None:
    """The news that there is a gateway may be older than the end of the leg, as after a restart."""
    centre.call(QUEUE)
    cut_off(centre)
    assert dialled(centre) == 1
    centre.switch.end(centre.switch.newest(), EndCause(Result.FAILED, "gateway-lost", 503))
    centre.settle()
    assert dialled(centre) == 2
    centre.switch.confirm(centre.switch.newest())
    assert steps(centre)[-1][0] is _S.ANSWERED


def test_no_gateway_for_long_means_no_call_back(centre: CallCentre) -> None:
    centre.call(QUEUE)
    centre.switch.lose_gateway()
    centre.settle()
    centre.advance(GIVE_UP_S + 1.0)
    assert steps(centre)[-1] == (_S.GIVEN_UP, 0, "too-late")
    centre.switch.bring_gateway()
    centre.settle()
    assert dialled(centre) == 0


def test_who_calls_again_is_not_called_as_well(centre: CallCentre) -> None:
    centre.call(QUEUE)
    cut_off(centre)
    ringing = centre.switch.newest()
    centre.phones(ANN)
    centre.call(QUEUE)
    assert ringing.id not in centre.switch.legs
    assert steps(centre)[-1] == (_S.FAILED, 1, "called-again")
    agent = centre.switch.phone_leg(ANN)
    centre.switch.confirm(agent)
    centre.settle()
    centre.advance(60.0)
    centre.switch.end(agent)
    centre.settle()
    assert steps(centre)[-1] == (_S.GIVEN_UP, 0, "called-again")
    assert len(centre.call_backs) == 0
    assert dialled(centre) == 1


def test_who_only_shows_the_number_of_another_does_not_keep_him_from_being_called(
    centre: CallCentre,
) -> None:
    """Anybody may show any number: calls that lead to nobody put the call-back off, not away."""
    centre.call(QUEUE)
    came_at = centre.clock.now()
    cut_off(centre)
    for times in range(MOST_WAITS):
        forged = centre.call(QUEUE)
        assert centre.acd.contact(centre.contact(forged).id).entered_at == came_at
        centre.switch.end(forged)
        centre.settle()
        assert steps(centre)[-1] == (_S.PLANNED, 0, "")
        centre.advance(30.0)
        assert dialled(centre) == 2 + times
    ringing = centre.switch.newest()
    forged = centre.call(QUEUE)
    assert ringing.id in centre.switch.legs, "it does not wait for ever"
    assert centre.acd.contact(centre.contact(forged).id).entered_at > came_at
    centre.switch.confirm(ringing)
    centre.settle()
    assert steps(centre)[-1] == (_S.ANSWERED, 1, "")
    assert centre.acd.waiting(SALES)[0] == centre.contact(ringing).id


@pytest.mark.parametrize("stage", ["dialled", "pause", "answered"])
def test_another_process_goes_on_with_it(centre: CallCentre, stage: str) -> None:
    centre.call(QUEUE)
    came_at = centre.clock.now()
    cut_off(centre)
    ringing = centre.switch.newest()
    if stage == "pause":
        centre.switch.end(ringing, BUSY)
        centre.settle()
    if stage == "answered":
        centre.switch.confirm(ringing)
        centre.settle()
    centre.restart()
    centre.switch.bring_gateway()  # the new process is told so when it is connected
    centre.settle()
    if stage == "pause":
        assert dialled(centre) == 1
        centre.advance(30.0)
        assert dialled(centre) == 2
        ringing = centre.switch.newest()
    if stage != "answered":
        assert len(centre.call_backs) == 1
        centre.switch.confirm(ringing)
        centre.settle()
    assert len(centre.call_backs) == 0
    again = centre.contact(ringing)
    assert (again.stage, again.caller_number) == (Stage.WAITING, NUMBER)
    assert again.call_back_of == centre.finished().contact
    assert centre.acd.contact(again.id).entered_at == came_at


def test_another_process_knows_who_called_again(centre: CallCentre) -> None:
    centre.call(QUEUE)
    cut_off(centre)
    centre.switch.end(centre.switch.newest(), BUSY)
    centre.settle()
    again = centre.call(QUEUE)
    centre.restart()
    centre.switch.bring_gateway()
    centre.settle()
    centre.advance(60.0)
    assert dialled(centre) == 1, "nobody is called who waits in the queue"
    centre.switch.end(again)
    centre.settle()
    centre.advance(30.0)
    assert dialled(centre) == 2


def test_who_calls_again_keeps_the_place_also_by_way_of_the_menu(centre: CallCentre) -> None:
    centre.call(QUEUE)
    came_at = centre.clock.now()
    centre.advance(20.0)
    centre.switch.lose_gateway()
    centre.settle()
    centre.switch.bring_gateway()
    centre.settle()
    other = centre.switch.incoming(QUEUE, number="+12025550102")
    centre.settle()
    again = centre.call(MENU)
    centre.switch.digit(again, "1")
    centre.settle()
    place = centre.acd.contact(centre.contact(again).id)
    assert (place.entered_at, place.position) == (came_at, 1)
    assert centre.acd.contact(centre.contact(other).id).position == 2
    third = centre.call(QUEUE)
    assert centre.acd.contact(centre.contact(third).id).position == 3, "it is used up"


def test_few_are_dialled_at_a_time_the_earliest_first(centre: CallCentre) -> None:
    for index in range(AT_ONCE + 3):
        centre.switch.incoming(QUEUE, number=f"+1202555012{index}")
        centre.advance(1.0)
    cut_off(centre)
    numbers = [number for verb, number in centre.switch.log if verb == "call"]
    assert numbers == [f"+1202555012{index}" for index in range(AT_ONCE)]
    centre.switch.confirm(next(iter(centre.switch.legs.values())))
    centre.settle()
    assert centre.switch.log.count(("call", f"+1202555012{AT_ONCE}")) == 1


def test_a_server_that_stops_calls_nobody_back(centre: CallCentre) -> None:
    centre.call(QUEUE)
    cut_off(centre)
    centre.call_backs.close()
    centre.settle()
    assert not centre.switch.legs
    assert steps(centre)[-1] == (_S.GIVEN_UP, 1, "shutdown")
    centre.switch.incoming(QUEUE, number="+12025550109")
    centre.settle()
    cut_off(centre)
    assert steps(centre)[-1] == (_S.NOT_POSSIBLE, 0, "shutdown")


def test_a_call_back_that_gives_up_waiting_is_over(centre: CallCentre) -> None:
    centre.call(QUEUE)
    cut_off(centre)
    leg = centre.switch.newest()
    centre.switch.confirm(leg)
    centre.settle()
    centre.switch.end(leg)
    centre.settle()
    assert [each.result for each in centre.told(ContactFinished)] == [
        ContactResult.FAILED,
        ContactResult.ABANDONED,
    ]
    assert not centre.contacts.live()


def test_a_number_that_many_calls_showed_is_rung_once(centre: CallCentre) -> None:
    for _ in range(4):
        centre.call(QUEUE)
        centre.advance(1.0)
    cut_off(centre)
    assert dialled(centre) == 1
    assert len(centre.call_backs) == 1
    assert steps(centre).count((_S.NOT_POSSIBLE, 0, "already-planned")) == 3


def test_a_gateway_without_a_port_is_tried_again_though_it_never_went(centre: CallCentre) -> None:
    centre.call(QUEUE)
    cut_off(centre)
    for _ in range(5):
        centre.switch.end(centre.switch.newest(), EndCause(Result.FAILED, "no-media", 503))
        centre.settle()
        assert not centre.switch.legs
        centre.advance(30.0)
    centre.switch.confirm(centre.switch.newest())
    centre.settle()
    assert steps(centre)[-1] == (_S.ANSWERED, 1, "")
