"""An offer from its beginning to each of its ends."""

from __future__ import annotations

import logging

import pytest

from acd.actions import CancelOffer, Dismiss, Offer
from acd.errors import ContactExistsError, UnknownContactError, UnknownQueueError
from acd.events import ContactEnded, ContactLeft, ContactQueued, OfferEnded
from acd.inputs import Enqueue, OfferAccepted, OfferFailed, OfferRinging, PhoneReachability
from acd.model import (
    AgentId,
    AgentState,
    ContactId,
    ContactRequest,
    ContactState,
    OfferFailure,
    QueueName,
)
from tests.acd.scene import ANN, BOB, SALES, Scene, agent, of_kind, queue


@pytest.fixture
def scene() -> Scene:
    """Ann has been idle for 10 s longer than Bob."""
    scene = Scene([agent(ANN), agent(BOB)])
    scene.phone(ANN)
    scene.advance(10.0)
    scene.phone(BOB)
    return scene


def test_a_free_agent_is_reserved_rings_and_talks(scene: Scene) -> None:
    contact = scene.call()
    assert scene.state(ANN) is AgentState.RESERVED
    assert scene.acd.contact(contact).state is ContactState.OFFERED
    scene.rings(contact)
    assert scene.state(ANN) is AgentState.RINGING
    scene.answers(contact)
    assert scene.state(ANN) is AgentState.TALKING
    scene.holds(contact)
    assert scene.state(ANN) is AgentState.HELD
    scene.holds(contact, held=False)
    scene.ends(contact, by_agent=True)
    assert scene.state(ANN) is AgentState.AVAILABLE
    with pytest.raises(UnknownContactError):
        scene.acd.contact(contact)


def with_desks() -> Scene:
    """The same of two with desks."""
    scene = Scene([agent(ANN), agent(BOB)])
    scene.desk(ANN)
    scene.advance(10.0)
    scene.desk(BOB)
    return scene


@pytest.mark.parametrize(("seconds", "first"), [(1.0, ANN), (60.0, BOB)])
def test_who_is_away_for_a_moment_keeps_its_place_in_line(seconds: float, first: AgentId) -> None:
    """A phone may register anew, as that of a desk does when the server was started again."""
    scene = with_desks()
    scene.tell(PhoneReachability(agent=ANN, reachable=False))
    assert scene.state(ANN) is AgentState.NOT_READY
    scene.advance(seconds)
    scene.tell(PhoneReachability(agent=ANN, reachable=True))
    assert scene.acd.contact(scene.call()).agent == first


def test_who_was_away_in_a_talk_has_no_place_to_keep() -> None:
    scene = with_desks()
    contact = scene.call()
    scene.rings(contact)
    scene.answers(contact)
    scene.tell(PhoneReachability(agent=ANN, reachable=False))
    scene.ends(contact, by_agent=True)
    scene.ready(ANN)
    scene.tell(PhoneReachability(agent=ANN, reachable=True))
    assert scene.acd.contact(scene.call()).agent == BOB


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (OfferFailure.NO_ANSWER, "no-answer"),
        (OfferFailure.REJECTED, "rejected"),
        (OfferFailure.BUSY, "phone-busy"),
        (OfferFailure.UNREACHABLE, "phone-unreachable"),
    ],
)
def test_a_missed_offer_makes_not_ready_and_goes_to_the_next(
    scene: Scene, failure: OfferFailure, reason: str
) -> None:
    contact = scene.call()
    scene.fails(contact, failure)
    assert (scene.state(ANN), scene.reason(ANN)) == (AgentState.NOT_READY, reason)
    assert scene.offered_to(contact) == BOB
    assert scene.acd.day(SALES).failures == {failure: 1}
    assert scene.acd.agent_figures(ANN, scene.now).missed == 1


def test_a_contact_that_comes_back_keeps_its_place(scene: Scene) -> None:
    first = scene.call()
    scene.not_ready(BOB)
    scene.advance(3.0)
    second = scene.call()
    scene.fails(first, OfferFailure.NO_ANSWER)
    assert scene.acd.waiting(SALES) == (first, second)
    back = of_kind(scene.events, ContactQueued)[-1]
    assert (back.again, back.position) == (True, 1)


def test_an_unreachable_phone_that_registers_again_makes_its_agent_available(
    scene: Scene,
) -> None:
    scene.fails(scene.call(), OfferFailure.UNREACHABLE)
    assert scene.state(ANN) is AgentState.NOT_READY
    scene.phone(ANN)
    assert scene.state(ANN) is AgentState.AVAILABLE


def test_an_agent_that_asked_for_lunch_while_it_rang_gets_lunch(scene: Scene) -> None:
    contact = scene.call()
    scene.rings(contact)
    scene.not_ready(ANN, "lunch")
    scene.fails(contact, OfferFailure.NO_ANSWER)
    assert scene.reason(ANN) == "lunch"


def test_a_static_agent_pauses_after_a_failure_and_comes_back_by_itself() -> None:
    scene = Scene([agent(ANN, static=True)])
    contact = scene.call()
    scene.fails(contact, OfferFailure.BUSY)
    status = scene.acd.agent(ANN)
    assert (status.state, status.until) == (AgentState.NOT_READY, 1.0)
    assert status.next_state is AgentState.AVAILABLE
    scene.advance(0.999)
    assert scene.offered_to(contact) is None
    scene.advance(0.001)
    assert scene.offered_to(contact) == ANN


def test_a_static_agent_set_ready_by_hand_need_not_wait_for_the_pause() -> None:
    scene = Scene([agent(ANN, static=True)])
    scene.fails(scene.call(), OfferFailure.REJECTED)
    scene.ready(ANN)
    assert scene.state(ANN) is AgentState.RESERVED


def test_the_caller_hangs_up_while_the_agent_rings(scene: Scene) -> None:
    contact = scene.call()
    scene.rings(contact)
    scene.advance(4.0)
    (cancel,) = of_kind(scene.hangs_up(contact), CancelOffer)
    assert (cancel.agent, cancel.reason) == (ANN, "abandoned")
    assert scene.state(ANN) is AgentState.AVAILABLE
    assert of_kind(scene.events, OfferEnded)[-1].rang_s == 4.0
    assert of_kind(scene.events, ContactLeft)[-1].waited_s == 4.0
    # Ann is still who has been idle longest.
    assert scene.offered_to(scene.call()) == ANN


def test_an_agent_freed_by_a_hang_up_takes_the_next_in_line(scene: Scene) -> None:
    scene.not_ready(BOB)
    first, second = scene.call(), scene.call()
    scene.hangs_up(first)
    assert scene.offered_to(second) == ANN
    assert scene.offer(second).decision.rule == "first-free"


def test_an_offer_withdrawn_below_ends_the_contact_as_abandoned(scene: Scene) -> None:
    contact = scene.call()
    scene.fails(contact, OfferFailure.WITHDRAWN)
    assert scene.state(ANN) is AgentState.AVAILABLE
    assert of_kind(scene.events, ContactLeft)[-1].reason == "abandoned"
    late = scene.acd.late_inputs
    assert scene.hangs_up(contact) == []
    assert scene.acd.late_inputs == late + 1


def test_an_answer_to_an_offer_that_was_taken_back_is_to_be_hung_up(scene: Scene) -> None:
    contact = scene.call()
    scene.fails(contact, OfferFailure.NO_ANSWER)
    (cancel,) = of_kind(scene.tell(OfferAccepted(contact=contact, agent=ANN)), CancelOffer)
    assert (cancel.agent, cancel.reason) == (ANN, "late")
    assert scene.offered_to(contact) == BOB


def test_an_answer_said_twice_changes_nothing(scene: Scene) -> None:
    contact = scene.talks()
    assert scene.tell(OfferAccepted(contact=contact, agent=ANN)) == []
    assert scene.state(ANN) is AgentState.TALKING


def test_late_news_of_a_contact_that_is_gone_is_ignored(scene: Scene) -> None:
    gone = ContactId("gone")
    for what in (
        OfferRinging(contact=gone, agent=ANN),
        OfferFailed(contact=gone, agent=ANN, failure=OfferFailure.BUSY),
    ):
        assert scene.tell(what) == []
    scene.holds(gone)
    scene.ends(gone)
    assert scene.acd.late_inputs == 4


def test_a_withdrawal_while_talking_ends_the_talk(scene: Scene) -> None:
    contact = scene.talks()
    scene.hangs_up(contact)
    assert scene.state(ANN) is AgentState.AVAILABLE
    assert not of_kind(scene.events, ContactEnded)[-1].by_agent


def test_the_end_of_a_talk_that_never_began_withdraws_the_contact(scene: Scene) -> None:
    contact = scene.call()
    scene.ends(contact)
    assert scene.state(ANN) is AgentState.AVAILABLE
    assert of_kind(scene.events, ContactLeft)[-1].reason == "abandoned"


def test_held_time_is_counted_also_when_the_call_ends_on_hold(scene: Scene) -> None:
    contact = scene.talks()
    scene.advance(10.0)
    scene.holds(contact)
    scene.advance(5.0)
    scene.holds(contact, held=False)
    scene.advance(1.0)
    scene.holds(contact)
    scene.advance(2.0)
    scene.ends(contact)
    ended = of_kind(scene.events, ContactEnded)[-1]
    assert (ended.talked_s, ended.held_s) == (18.0, 7.0)
    figures = scene.acd.agent_figures(ANN, scene.now)
    assert (figures.talk_s, figures.hold_s) == (18.0, 7.0)


@pytest.mark.parametrize("rang", [False, True])
def test_an_offer_of_which_nothing_is_heard_is_taken_back_and_counted(
    scene: Scene, rang: bool, caplog: pytest.LogCaptureFixture
) -> None:
    contact = scene.call()
    if rang:
        scene.rings(contact)
    with caplog.at_level(logging.WARNING):
        scene.advance(24.9)
        assert scene.offered_to(contact) == ANN
        actions = scene.advance(0.1)
    assert [type(action) for action in actions] == [CancelOffer, Offer]
    assert scene.offered_to(contact) == BOB
    assert scene.state(ANN) is AgentState.AVAILABLE
    assert scene.acd.unheard_offers == 1
    scene.advance(25.0)
    assert scene.acd.unheard_offers == 2
    assert len(caplog.records) == 1


def test_a_queue_with_a_limit_lets_go_of_who_waits_too_long() -> None:
    scene = Scene([agent(ANN)], [queue(SALES, max_wait_s=60.0)])
    contact = scene.call()
    scene.advance(59.9)
    assert scene.acd.waiting(SALES) == (contact,)
    (dismiss,) = of_kind(scene.advance(0.1), Dismiss)
    assert (dismiss.contact, dismiss.reason) == (contact, "timeout")
    assert scene.acd.waiting(SALES) == ()
    assert scene.acd.day(SALES).abandoned == 0
    assert scene.acd.day(SALES).left == {"timeout": 1}


def test_the_limit_strikes_after_an_offer_that_came_to_nothing() -> None:
    scene = Scene([agent(ANN)], [queue(SALES, max_wait_s=15.0)])
    scene.phone(ANN)
    contact = scene.call()
    scene.advance(20.0)
    scene.fails(contact, OfferFailure.NO_ANSWER)
    assert of_kind(scene.advance(0.0), Dismiss)[0].contact == contact


def test_an_entry_that_makes_no_sense_is_refused_and_changes_nothing(scene: Scene) -> None:
    with pytest.raises(UnknownQueueError):
        scene.call(QueueName("nowhere"))
    contact = scene.call()
    with pytest.raises(ContactExistsError) as caught:
        scene.tell(Enqueue(request=ContactRequest(contact=contact, queue=SALES)))
    assert caught.value.details == {"contact": contact, "state": "offered"}
    assert len(scene.acd.contacts()) == 1


def test_a_hunt_group_of_dead_phones_is_not_tried_as_fast_as_it_fails() -> None:
    """Offers that fail before they ring: after three in a row the contact rests for a second."""
    scene = Scene([agent(AgentId(f"20{n:02}"), static=True) for n in range(20)])
    contact = scene.call()
    for _ in range(3):
        scene.fails(contact, OfferFailure.UNREACHABLE)
    assert scene.acd.contact(contact).state is ContactState.WAITING
    assert scene.acd.contact(contact).position == 1
    scene.advance(0.99)
    assert scene.acd.contact(contact).offers == 3
    scene.advance(0.02)
    assert scene.acd.contact(contact).offers == 4
    scene.rings(contact)
    scene.fails(contact, OfferFailure.NO_ANSWER)  # it rang: the next one is tried at once
    assert scene.acd.contact(contact).offers == 5


def test_a_caller_may_hang_up_while_its_contact_rests() -> None:
    scene = Scene([agent(AgentId(f"20{n:02}"), static=True) for n in range(5)])
    contact = scene.call()
    for _ in range(3):
        scene.fails(contact, OfferFailure.BUSY)
    scene.hangs_up(contact)
    scene.advance(2.0)
    with pytest.raises(UnknownContactError):
        scene.acd.contact(contact)
