"""Consultation, transfer and conference, and every way in which the target or the agent can fail."""

from __future__ import annotations

import pytest

from acd.consultations import TransferSettings
from acd.contact import Contact, Stage
from acd.contact_events import ContactHeld, ContactParty, ContactResult, ContactTransferred
from acd.errors import CannotReachError, NotNowError, UnknownQueueError
from acd.events import ContactAnswered, ContactHanded
from acd.inputs import SignOff
from acd.model import AgentState, QueueName, SignedOnBy
from acd.party import PartyState
from switch.calls.causes import EndCause, Result
from tests.acd.call_centre import QUEUE, RECORDED, TO_PHONE, CallCentre
from tests.acd.hand_switch import Leg
from tests.acd.scene import ANN, BOB, CY, SALES, SUPPORT

OUTSIDE = "+12025550102"
BUSY = EndCause(Result.BUSY, "busy", 486)
NO_ANSWER = EndCause(Result.NO_ANSWER, "no-answer")
NOT_FOUND = EndCause(Result.UNREACHABLE, "not-found", 404)
BYE = EndCause(Result.COMPLETED, "callee-hung-up")


class Talk:
    """A customer who talks to Ann; Bob and Cy are there, everybody has a desk."""

    def __init__(self, entry: str = QUEUE, *, settings: TransferSettings | None = None) -> None:
        self.centre = CallCentre(transfers=settings)
        self.switch = self.centre.switch
        self.do = self.centre.consultations
        self.centre.phones(ANN)
        self.centre.desk(ANN)
        self.customer = self.centre.call(entry)
        self.ann = self.switch.phone_leg(ANN)
        self.switch.confirm(self.ann)
        self.centre.phones(BOB, CY)
        self.centre.desk(BOB)
        self.centre.desk(CY)

    @property
    def contact(self) -> Contact:
        return self.centre.contact(self.customer)

    def consult(self, number: str = BOB) -> Leg:
        """Ann calls somebody; gives the leg."""
        self.do.consult(self.contact, number)
        self.centre.settle()
        return self.switch.newest()

    def asked(self, number: str = BOB) -> Leg:
        """Ann talks to somebody while the customer waits."""
        leg = self.consult(number)
        self.switch.confirm(leg)
        return leg

    def together(self, *legs: Leg) -> bool:
        """Whether exactly these hear each other."""
        pairs = {frozenset((a.id, b.id)) for a in legs for b in legs if a is not b}
        return self.switch.bridged == pairs

    def states(self) -> tuple[AgentState, AgentState]:
        return self.centre.state(ANN), self.centre.state(BOB)


@pytest.fixture
def talk() -> Talk:
    return Talk()


# --- consultation -------------------------------------------------------------------------------


def test_while_the_target_is_called_the_customer_hears_music_and_the_agent_ringing(
    talk: Talk,
) -> None:
    talk.consult()
    assert talk.customer.music
    assert talk.ann.players
    assert talk.together()
    assert talk.states() == (AgentState.HELD, AgentState.ENGAGED)


def test_agent_and_target_talk_and_the_agent_may_go_to_and_fro(talk: Talk) -> None:
    bob = talk.asked()
    assert talk.together(talk.ann, bob)
    assert talk.customer.music
    assert not talk.ann.players
    talk.do.toggle(talk.contact)
    talk.centre.settle()
    assert talk.together(talk.ann, talk.customer)
    assert bob.music
    assert talk.centre.state(ANN) is AgentState.TALKING
    talk.do.toggle(talk.contact)
    talk.centre.settle()
    assert talk.together(talk.ann, bob)
    assert [event.held for event in talk.centre.told(ContactHeld)] == [True, False, True]


def test_a_transfer_is_completed_and_each_agent_has_its_state_and_its_share(talk: Talk) -> None:
    bob = talk.asked()
    talk.centre.advance(10.0)
    talk.do.complete(talk.contact)
    talk.centre.settle()
    assert talk.together(talk.customer, bob)
    assert not talk.customer.music
    assert talk.states() == (AgentState.WRAP_UP, AgentState.TALKING)
    assert talk.contact.agent == BOB
    (handed,) = talk.centre.told(ContactHanded)
    assert (handed.former, handed.agent, handed.held_s) == (ANN, BOB, 10.0)
    (told,) = talk.centre.told(ContactTransferred)
    assert (told.kind, told.former, told.agent) == ("attended", ANN, BOB)
    talk.centre.advance(7.0)
    talk.switch.end(talk.customer)
    assert talk.centre.finished().result is ContactResult.ANSWERED
    assert talk.centre.finished().talked_s == 17.0
    assert talk.states() == (AgentState.AVAILABLE, AgentState.WRAP_UP)
    assert not talk.switch.legs


def test_a_consultation_is_cancelled_and_the_customer_is_back(talk: Talk) -> None:
    for answers in (False, True):
        leg = talk.asked() if answers else talk.consult()
        talk.do.cancel(talk.contact)
        talk.centre.settle()
        assert leg.id not in talk.switch.legs
        assert talk.together(talk.ann, talk.customer)
        assert talk.states() == (AgentState.TALKING, AgentState.AVAILABLE)


@pytest.mark.parametrize("cause", [BUSY, NO_ANSWER, NOT_FOUND])
@pytest.mark.parametrize("number", [BOB, OUTSIDE])
def test_a_target_that_fails_gives_the_customer_back(
    talk: Talk, cause: EndCause, number: str
) -> None:
    talk.switch.end(talk.consult(number), cause)
    assert talk.together(talk.ann, talk.customer)
    assert talk.centre.state(ANN) is AgentState.TALKING
    last = talk.centre.told(ContactParty)[-1]
    assert (last.state, last.reason) == (PartyState.FAILED, cause.reason)


def test_a_target_that_hangs_up_gives_the_customer_back(talk: Talk) -> None:
    talk.switch.end(talk.asked(), BYE)
    assert talk.together(talk.ann, talk.customer)
    assert not talk.customer.music


def test_completing_while_it_rings_frees_the_agent_and_the_target_answers(talk: Talk) -> None:
    bob = talk.consult()
    talk.do.complete(talk.contact)
    talk.centre.settle()
    assert talk.customer.music
    assert talk.centre.state(ANN) is AgentState.WRAP_UP
    talk.switch.confirm(bob)
    assert talk.together(talk.customer, bob)
    assert talk.centre.state(BOB) is AgentState.TALKING


def test_an_agent_who_hangs_up_in_the_middle_leaves_the_customer_to_the_target(talk: Talk) -> None:
    bob = talk.asked()
    talk.switch.end(talk.ann, BYE)
    assert talk.together(talk.customer, bob)
    assert talk.states() == (AgentState.WRAP_UP, AgentState.TALKING)


def test_or_to_the_head_of_the_queue_where_the_site_wants_that() -> None:
    talk = Talk(settings=TransferSettings(agent_gone_to_queue=True))
    bob = talk.asked(CY)
    other = talk.centre.call(QUEUE)  # Bob, who is free, is offered this one
    third = talk.centre.call(QUEUE)
    talk.centre.advance(3.0)
    talk.switch.end(talk.ann, BYE)
    assert bob.id not in talk.switch.legs
    assert talk.centre.contact(other).agent == BOB
    assert talk.centre.acd.waiting(SALES)[0] == talk.contact.id
    assert talk.centre.contact(third).id in talk.centre.acd.waiting(SALES)
    assert talk.customer.music


def test_a_customer_who_hangs_up_meanwhile_ends_it_for_all(talk: Talk) -> None:
    talk.asked()
    talk.switch.end(talk.customer)
    assert not talk.switch.legs
    assert talk.states() == (AgentState.WRAP_UP, AgentState.AVAILABLE)


def test_a_dead_gateway_ends_all_of_it(talk: Talk) -> None:
    talk.asked()
    talk.switch.lose_gateway()
    assert not len(talk.centre.contacts)
    assert talk.centre.state(ANN) is AgentState.WRAP_UP


def test_what_makes_no_sense_is_refused_in_words(talk: Talk) -> None:
    contact = talk.contact
    for command in (talk.do.complete, talk.do.join, talk.do.toggle, talk.do.cancel):
        with pytest.raises(NotNowError):
            command(contact)
    for number in ("777", ANN):
        with pytest.raises(CannotReachError):
            talk.do.consult(contact, number)
    with pytest.raises(UnknownQueueError):
        talk.do.transfer_to_queue(contact, QueueName("nowhere"), head=False)
    talk.consult()
    with pytest.raises(NotNowError):
        talk.do.join(contact)
    with pytest.raises(NotNowError):
        talk.do.transfer(contact, CY)
    with pytest.raises(NotNowError):
        talk.do.transfer_to_queue(contact, SUPPORT, head=False)


def test_an_agent_on_a_call_of_its_own_is_not_called(talk: Talk) -> None:
    other = talk.centre.call(QUEUE)
    talk.switch.confirm(talk.switch.phone_leg(BOB))
    assert talk.centre.contact(other).agent == BOB
    with pytest.raises(CannotReachError):
        talk.do.consult(talk.contact, BOB)


# --- blind transfer -----------------------------------------------------------------------------


def test_a_blind_transfer_frees_the_agent_at_once(talk: Talk) -> None:
    talk.do.transfer(talk.contact, BOB)
    talk.centre.settle()
    assert talk.ann.id not in talk.switch.legs
    assert talk.centre.state(ANN) is AgentState.WRAP_UP
    assert talk.customer.music
    bob = talk.switch.phone_leg(BOB)
    talk.switch.confirm(bob)
    assert talk.together(talk.customer, bob)
    assert talk.centre.state(BOB) is AgentState.TALKING
    assert talk.contact.stage is Stage.TALKING
    (told,) = talk.centre.told(ContactTransferred)
    assert (told.kind, told.former, told.agent) == ("blind", ANN, BOB)


def test_one_that_fails_puts_the_customer_first_in_line(talk: Talk) -> None:
    talk.do.transfer(talk.contact, CY)
    talk.centre.settle()
    talk.switch.end(talk.switch.phone_leg(CY), BUSY)
    (told,) = talk.centre.told(ContactTransferred)
    assert (told.kind, told.former, told.agent) == ("returned", ANN, None)
    assert talk.contact.stage is Stage.OFFERED
    assert talk.contact.agent == BOB
    talk.switch.confirm(talk.switch.phone_leg(BOB))
    assert talk.centre.state(BOB) is AgentState.TALKING


@pytest.mark.parametrize("reason", ["rtp-timeout", "peer-vanished", "transport", "phone-lost"])
@pytest.mark.parametrize("held", [False, True])
def test_a_customer_whose_agents_phone_is_lost_is_first_in_line(reason: str, held: bool) -> None:
    talk = Talk(RECORDED)
    recording = talk.contact.recording
    if held:
        talk.switch.press_hold(talk.ann)
        talk.centre.settle()
    talk.switch.end(talk.ann, EndCause(Result.FAILED, reason))
    talk.centre.settle()
    assert talk.customer.music
    assert talk.centre.state(ANN) is AgentState.WRAP_UP
    (told,) = talk.centre.told(ContactTransferred)
    assert (told.kind, told.former, told.agent) == ("returned", ANN, None)
    assert talk.contact.agent == BOB
    talk.switch.confirm(talk.switch.phone_leg(BOB))
    assert talk.together(talk.customer, talk.switch.phone_leg(BOB))
    assert talk.contact.recording == recording, "it is one recording"
    talk.switch.end(talk.customer)
    assert talk.centre.finished().result is ContactResult.ANSWERED


def test_an_agent_whose_phone_is_lost_gets_no_call_until_it_registers_again() -> None:
    centre = CallCentre()
    centre.phones(ANN)
    customer = centre.call(QUEUE)
    centre.switch.confirm(centre.switch.phone_leg(ANN))
    centre.switch.end(centre.switch.phone_leg(ANN), EndCause(Result.FAILED, "rtp-timeout"))
    centre.settle()
    assert centre.state(ANN) is AgentState.NOT_READY
    assert centre.contact(customer).stage is Stage.WAITING
    centre.registered_again(ANN)
    assert centre.contact(customer).agent == ANN


def test_an_agent_who_signed_off_stays_so_when_its_phone_registers_again() -> None:
    centre = CallCentre()
    centre.phones(ANN)
    centre.distribution.tell(SignOff(agent=ANN, by=SignedOnBy.DESK))
    centre.registered_again(ANN)
    assert centre.state(ANN) is AgentState.LOGGED_OUT


def test_a_customer_whom_the_same_agent_loses_twice_goes_round_no_more() -> None:
    centre = CallCentre()
    centre.phones(ANN)
    customer = centre.call(QUEUE)
    for _ in range(2):
        centre.switch.confirm(centre.switch.phone_leg(ANN))
        centre.switch.end(centre.switch.phone_leg(ANN), EndCause(Result.FAILED, "rtp-timeout"))
        centre.settle()
        centre.registered_again(ANN)
    assert customer.id not in centre.switch.legs
    assert centre.finished().reason == "rtp-timeout"


def test_an_agent_who_gave_a_customer_away_may_still_lose_it_once() -> None:
    centre = CallCentre()
    centre.phones(ANN)
    customer = centre.call(QUEUE)
    centre.switch.confirm(centre.switch.phone_leg(ANN))
    centre.consultations.transfer_to_queue(centre.contact(customer), SALES, head=True)
    centre.settle()
    centre.switch.confirm(centre.switch.phone_leg(ANN))
    centre.switch.end(centre.switch.phone_leg(ANN), EndCause(Result.FAILED, "rtp-timeout"))
    centre.settle()
    assert centre.contact(customer).stage is Stage.WAITING


def test_a_desk_says_that_its_phone_has_died(talk: Talk) -> None:
    talk.centre.conversation.phone_lost(talk.contact)
    talk.centre.settle()
    assert talk.ann.id not in talk.switch.legs
    assert talk.contact.agent == BOB


def test_a_lost_phone_ends_the_talk_of_a_contact_without_a_queue() -> None:
    centre = CallCentre()
    centre.phones(CY)
    customer = centre.call(TO_PHONE)
    centre.switch.confirm(centre.switch.phone_leg(CY))
    centre.switch.end(centre.switch.phone_leg(CY), EndCause(Result.FAILED, "rtp-timeout"))
    centre.settle()
    assert customer.id not in centre.switch.legs
    assert centre.finished().reason == "rtp-timeout"


def test_one_of_a_contact_without_a_queue_comes_back_to_the_agent() -> None:
    centre = CallCentre()
    centre.phones(BOB, CY)
    customer = centre.call(TO_PHONE)
    centre.switch.confirm(centre.switch.phone_leg(CY))
    contact = centre.contact(customer)
    centre.consultations.transfer(contact, BOB)
    centre.settle()
    centre.switch.end(centre.switch.phone_leg(BOB), NO_ANSWER)
    again = centre.switch.phone_leg(CY)
    assert customer.music
    centre.switch.confirm(again)
    assert centre.switch.are_bridged(customer.id, again.id)
    assert centre.told(ContactTransferred)[-1].kind == "returned"


def test_a_transfer_outside_lets_the_contact_talk_on_without_an_agent(talk: Talk) -> None:
    talk.do.transfer(talk.contact, OUTSIDE)
    talk.centre.settle()
    expert = talk.switch.newest()
    talk.switch.confirm(expert)
    assert talk.together(talk.customer, expert)
    assert talk.contact.agent is None
    talk.switch.end(expert, BYE)
    assert talk.centre.finished().result is ContactResult.ANSWERED
    assert not talk.switch.legs


def test_the_talk_is_no_wait_of_one_that_comes_back(talk: Talk) -> None:
    """Else it counts as answered late, and the next callers are told to wait as long."""
    talk.centre.advance(600.0)
    talk.centre.sign_off(ANN)
    talk.centre.sign_off(BOB)
    talk.do.transfer(talk.contact, CY)
    talk.centre.settle()
    talk.switch.end(talk.switch.phone_leg(CY), BUSY)
    assert talk.contact.stage is Stage.WAITING
    talk.centre.advance(7.0)
    talk.centre.restart()
    (sales,) = (each for each in talk.centre.distribution.queues() if each.queue == SALES)
    assert sales.longest_wait_s == 7.0
    talk.centre.desk(BOB)
    talk.switch.confirm(talk.switch.phone_leg(BOB))
    assert talk.centre.told(ContactAnswered)[-1].waited_s == 7.0
    day = talk.centre.distribution.day(SALES)
    assert (day.answered, day.answered_within, day.answered_wait_s) == (1, 1, 7.0)


@pytest.mark.parametrize("head", [False, True])
def test_a_transfer_to_a_queue_keeps_what_is_known_and_its_place_as_wanted(head: bool) -> None:
    talk = Talk()
    cys = talk.centre.call(QUEUE)
    talk.switch.confirm(talk.switch.phone_leg(BOB))
    waiting = talk.centre.call(QUEUE)
    talk.centre.advance(30.0)
    talk.contact.facts = {"order": "4711"}
    talk.centre.sign_off(ANN)
    talk.do.transfer_to_queue(talk.contact, SALES, head=head)
    talk.centre.settle()
    line = talk.centre.acd.waiting(SALES)
    mine, theirs = talk.contact.id, talk.centre.contact(waiting).id
    assert line == ((mine, theirs) if head else (theirs, mine))
    assert talk.contact.facts == {"order": "4711"}
    assert talk.customer.music
    assert talk.centre.contact(cys).agent == BOB


# --- conference ---------------------------------------------------------------------------------


def conference(talk: Talk) -> tuple[Leg, Leg]:
    """The customer, Ann, Bob and somebody outside."""
    bob = talk.asked(BOB)
    talk.do.join(talk.contact)
    talk.centre.settle()
    assert talk.together(talk.customer, talk.ann, bob)
    expert = talk.asked(OUTSIDE)
    assert talk.switch.are_bridged(talk.customer.id, bob.id), "the others talk on meanwhile"
    assert talk.switch.are_bridged(talk.ann.id, expert.id)
    talk.do.join(talk.contact)
    talk.centre.settle()
    return bob, expert


def test_in_a_conference_all_are_together_and_anybody_may_leave(talk: Talk) -> None:
    bob, expert = conference(talk)
    assert talk.together(talk.customer, talk.ann, bob, expert)
    assert talk.states() == (AgentState.TALKING, AgentState.ENGAGED)
    talk.switch.end(expert, BYE)
    assert talk.together(talk.customer, talk.ann, bob)
    talk.do.remove(talk.contact, BOB)
    talk.centre.settle()
    assert talk.together(talk.customer, talk.ann)
    assert talk.states() == (AgentState.TALKING, AgentState.AVAILABLE)


@pytest.mark.parametrize("cause", [BUSY, NO_ANSWER, NOT_FOUND])
def test_one_more_who_fails_leaves_the_conference_as_it_was(cause: EndCause) -> None:
    talk = Talk(RECORDED)
    recordings = list(talk.switch.recordings)
    bob = talk.asked(BOB)
    talk.do.join(talk.contact)
    talk.centre.settle()
    expert = talk.consult(OUTSIDE)
    assert talk.together(talk.customer, bob), "the others talk on meanwhile"
    talk.switch.end(expert, cause)
    assert talk.together(talk.customer, talk.ann, bob)
    assert talk.states() == (AgentState.TALKING, AgentState.ENGAGED)
    assert list(talk.switch.recordings) == recordings


def test_the_agent_leaves_and_an_agent_among_the_others_has_the_contact(talk: Talk) -> None:
    bob, expert = conference(talk)
    talk.centre.conversation.hang_up(talk.contact)
    talk.centre.settle()
    assert talk.together(talk.customer, bob, expert)
    assert talk.states() == (AgentState.WRAP_UP, AgentState.TALKING)
    talk.switch.end(bob, BYE)
    assert talk.together(talk.customer, expert)
    assert talk.contact.agent is None
    assert talk.centre.state(BOB) is AgentState.WRAP_UP


def test_or_it_ends_for_all_where_the_site_wants_that() -> None:
    talk = Talk(settings=TransferSettings(conference_goes_on=False))
    conference(talk)
    talk.centre.conversation.hang_up(talk.contact)
    talk.centre.settle()
    assert not talk.switch.legs


# --- what lasts ---------------------------------------------------------------------------------


def test_the_recording_goes_on_through_all_of_it() -> None:
    talk = Talk(RECORDED)
    (recording,) = talk.switch.recordings
    talk.switch.end(talk.asked(), BYE)
    talk.asked()
    talk.do.complete(talk.contact)
    talk.centre.settle()
    assert list(talk.switch.recordings) == [recording]
    talk.switch.end(talk.customer)
    assert not talk.switch.recordings


@pytest.mark.parametrize("how", ["consult", "asked", "conference", "blind"])
def test_a_restart_keeps_it(how: str) -> None:
    talk = Talk(RECORDED)
    match how:
        case "consult":
            bob = talk.consult()
        case "asked":
            bob = talk.asked()
        case "conference":
            bob, _ = conference(talk)
        case _:
            talk.do.transfer(talk.contact, BOB)
            talk.centre.settle()
            bob = talk.switch.phone_leg(BOB)
    bridged = set(talk.switch.bridged)
    talk.centre.restart()
    talk.do = talk.centre.consultations
    assert talk.switch.bridged == bridged
    if how in ("consult", "blind"):
        talk.switch.confirm(bob)
    if how in ("consult", "asked"):
        talk.do.complete(talk.contact)
        talk.centre.settle()
    if how == "conference":
        talk.switch.end(talk.ann, BYE)
        assert len(talk.switch.bridged) == 3
    else:
        assert talk.together(talk.customer, bob)
    assert talk.centre.state(BOB) is AgentState.TALKING
