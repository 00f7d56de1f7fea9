"""Whatever legs, phones, agents and time do, in whatever order: nothing is left in a dead state."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from acd.errors import NotSignedOnError
from acd.inputs import FinishWrapUp, SetNotReady, SetReady
from acd.model import AgentId, AgentState
from switch.calls.causes import EndCause, Result
from tests.acd.call_centre import (
    MENU,
    NOWHERE,
    QUEUE,
    RECORDED,
    SILENT,
    TO_PHONE,
    CallCentre,
)
from tests.acd.hand_switch import Leg
from tests.acd.scene import ANN, BOB, CY
from tests.kit.machines import runs

AGENTS = (ANN, BOB, CY)
agents = st.sampled_from(AGENTS)
picks = st.integers(0, 7)
causes = st.sampled_from(
    [
        EndCause(Result.COMPLETED, "caller-hung-up"),
        EndCause(Result.COMPLETED, "callee-hung-up"),
        EndCause(Result.BUSY, "busy", 486),
        EndCause(Result.UNREACHABLE, "no-response", 408),
        EndCause(Result.FAILED, "rtp-timeout"),
        EndCause(Result.FAILED, "gateway-lost", 503),
    ]
)


class AnyCourse(RuleBasedStateMachine):
    """Three agents, two queues, every entry; cards and answers that take their time."""

    def __init__(self) -> None:
        super().__init__()
        self.centre = CallCentre(max_wait_s=40.0)
        self.switch = self.centre.switch
        self.centre.phones(ANN, BOB, CY)

    def legs(self, *, answered: bool | None = None, outbound: bool | None = None) -> list[Leg]:
        return [
            leg
            for leg in self.switch.legs.values()
            if (answered is None or leg.answered == answered)
            and (outbound is None or leg.outbound == outbound)
        ]

    @rule(entry=st.sampled_from([QUEUE, RECORDED, MENU, SILENT, TO_PHONE, NOWHERE]))
    def call(self, entry: str) -> None:
        self.centre.call(entry)

    @rule(name=agents, entry=st.sampled_from([QUEUE, MENU]))
    def call_from_a_desk(self, name: AgentId, entry: str) -> None:
        self.switch.incoming(entry, phone=name)

    @rule(name=agents, number=st.sampled_from(["+12025550102", ANN, BOB, "777"]))
    def dial(self, name: AgentId, number: str) -> None:
        self.centre.agent_dial.dial(name, number)

    @precondition(lambda self: self.legs(answered=False, outbound=True))
    @rule(pick=picks, rings=st.booleans(), answers=st.booleans())
    def reach(self, pick: int, rings: bool, answers: bool) -> None:
        legs = self.legs(answered=False, outbound=True)
        leg = legs[pick % len(legs)]
        if rings:
            self.switch.ringing(leg)
        if answers:
            self.switch.confirm(leg)

    @rule(at_once=st.booleans())
    def answers_take(self, at_once: bool) -> None:
        self.switch.confirms = at_once

    @precondition(lambda self: any(leg.answering for leg in self.legs()))
    @rule(pick=picks)
    def our_answer_is_through(self, pick: int) -> None:
        legs = [leg for leg in self.legs() if leg.answering]
        self.switch.confirm(legs[pick % len(legs)])

    @precondition(lambda self: self.legs())
    @rule(pick=picks, cause=causes)
    def end(self, pick: int, cause: EndCause) -> None:
        legs = self.legs()
        self.switch.end(legs[pick % len(legs)], cause)

    @rule()
    def lose_the_gateway(self) -> None:
        for leg in self.legs():
            self.switch.end(leg, EndCause(Result.FAILED, "gateway-lost", 503))

    @rule()
    def restart(self) -> None:
        self.centre.restart()

    @rule(there=st.booleans())
    def media(self, there: bool) -> None:
        self.switch.has_media = there

    @precondition(lambda self: self.legs(answered=True))
    @rule(pick=picks, digit=st.sampled_from("139"))
    def press(self, pick: int, digit: str) -> None:
        legs = self.legs(answered=True)
        self.switch.digit(legs[pick % len(legs)], digit)

    @precondition(lambda self: self.legs(answered=True))
    @rule(pick=picks)
    def hold(self, pick: int) -> None:
        legs = self.legs(answered=True)
        self.switch.press_hold(legs[pick % len(legs)])

    @rule(name=agents)
    def hang_up_at_the_desk(self, name: AgentId) -> None:
        contact = self.centre.contacts.of_agent(name)
        if contact is not None and contact.talking_since is not None:
            self.centre.conversation.hang_up(contact)

    @precondition(lambda self: any(leg.players for leg in self.legs()))
    @rule(pick=picks)
    def play_out(self, pick: int) -> None:
        legs = [leg for leg in self.legs() if leg.players]
        self.switch.play_out(legs[pick % len(legs)])

    @rule(slow=st.booleans())
    def cards_take(self, slow: bool) -> None:
        self.centre.pops.slow = slow

    @precondition(lambda self: self.centre.pops.waiting)
    @rule(pick=picks)
    def show_a_card(self, pick: int) -> None:
        waiting = sorted(self.centre.pops.waiting)
        self.centre.pops.shown(waiting[pick % len(waiting)])

    @rule(name=agents, reachable=st.booleans())
    def phone(self, name: AgentId, reachable: bool) -> None:
        self.switch.phone(name, reachable=reachable)

    @rule(name=agents, on=st.booleans())
    def desk(self, name: AgentId, on: bool) -> None:
        if on:
            self.centre.desk(name)
        else:
            self.centre.sign_off(name)

    @rule(name=agents, what=st.sampled_from([SetReady, FinishWrapUp, None]))
    def key(self, name: AgentId, what: type[SetReady] | type[FinishWrapUp] | None) -> None:
        tell = self.centre.distribution.tell
        with suppress(NotSignedOnError):
            tell(SetNotReady(agent=name, reason="lunch") if what is None else what(agent=name))

    @rule(seconds=st.sampled_from([0.03, 0.05, 0.5, 1.0, 6.0, 21.0, 61.0]))
    def wait(self, seconds: float) -> None:
        self.centre.advance(seconds)

    @invariant()
    def nothing_is_dead(self) -> None:
        self.centre.settle()

    def teardown(self) -> None:
        """When all have gone, nothing remains, and everybody can be offered a contact again."""
        for leg in self.legs():
            self.switch.end(leg)
            self.centre.settle()
        self.centre.advance(120.0)
        assert not self.switch.legs
        assert not self.switch.recordings
        assert not len(self.centre.contacts)
        assert not self.centre.pops.waiting
        self.switch.has_media = self.switch.confirms = True
        for name in AGENTS:
            self.switch.phone(name, reachable=True)
            self.centre.desk(name)
            assert self.centre.state(name) is AgentState.AVAILABLE
        super().teardown()


TestAnyCourse = AnyCourse.TestCase
TestAnyCourse.settings = runs(examples=60, steps=40)
