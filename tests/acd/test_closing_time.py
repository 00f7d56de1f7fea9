"""The server stops while contacts are everywhere: all end, and their legs are left to be told."""

from __future__ import annotations

from acd.closing_time import ClosingTime
from acd.contact_events import ContactFinished, ContactResult
from acd.model import AgentState
from tests.acd.call_centre import MENU, QUEUE, RECORDED, CallCentre
from tests.acd.scene import ANN, BOB


def closing_time(centre: CallCentre) -> ClosingTime:
    return ClosingTime(
        contacts=centre.contacts,
        distribution=centre.distribution,
        clock=centre.clock,
        disengage=centre.inbound.disengage,
    )


def test_everybody_is_reported_and_nobody_who_comes_free_is_offered_a_call() -> None:
    centre = CallCentre(check=False)
    centre.phones(ANN)
    talks = centre.call(RECORDED)
    centre.switch.confirm(centre.switch.phone_leg(ANN))
    centre.settle()
    waits = centre.call(QUEUE)
    centre.advance(2.0)
    chooses = centre.call(MENU)
    agent = centre.switch.phone_leg(ANN)

    legs = closing_time(centre).end_all()
    centre.settle()
    assert set(legs) == {talks.id, waits.id, chooses.id}
    assert set(legs.values()) == {"en"}
    ended = {each.customer_leg: (each.result, each.reason) for each in centre.told(ContactFinished)}
    assert ended == {
        talks.id: (ContactResult.ANSWERED, "shutdown"),
        waits.id: (ContactResult.FAILED, "shutdown"),
        chooses.id: (ContactResult.FAILED, "shutdown"),
    }
    assert centre.state(ANN) is AgentState.AVAILABLE
    assert set(centre.switch.legs) == {talks.id, waits.id, chooses.id, agent.id}, "to be told"
    assert not centre.switch.recordings
    assert not centre.contacts.live()
    centre.advance(60.0)
    assert centre.clock.next_timer() is None
    assert closing_time(centre).end_all() == {}


def test_an_agent_who_is_being_called_is_no_longer() -> None:
    centre = CallCentre(check=False)
    centre.phones(ANN, BOB)
    caller = centre.call(QUEUE)
    ringing = [each for each in centre.switch.legs.values() if each.outbound]
    assert len(ringing) == 1
    assert set(closing_time(centre).end_all()) == {caller.id}
    centre.settle()
    assert set(centre.switch.legs) == {caller.id}
    assert centre.state(ANN) is centre.state(BOB) is AgentState.AVAILABLE


def test_a_call_that_an_agent_dialled_ends_with_the_rest() -> None:
    centre = CallCentre(check=False)
    centre.phones(ANN)
    assert centre.agent_dial.dial(ANN, "+12025550102") is None
    centre.settle()
    own = centre.switch.phone_leg(ANN)
    centre.switch.confirm(own)
    centre.settle()
    other = centre.switch.newest()
    assert set(closing_time(centre).end_all()) == {other.id}
    centre.settle()
    assert set(centre.switch.legs) == {own.id, other.id}
    assert centre.finished().reason == "shutdown"
    assert centre.state(ANN) is AgentState.AVAILABLE, "its leg counts no more"
