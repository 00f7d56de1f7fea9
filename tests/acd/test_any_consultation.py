"""Whatever agents, targets and customers do in consultations: somebody has the customer, or the queue.

As `test_any_course`, with a talk to begin from and the rules that move it. `CallCentre.check` looks
after each step whether who hears whom is what the facts say.
"""

from __future__ import annotations

from contextlib import suppress

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from acd.consult_state import ConsultInput, ConsultState, find_step
from acd.consultations import TransferSettings
from acd.contact import Contact, Stage
from acd.errors import AcdError
from acd.model import AgentId, AgentState, QueueName
from switch.calls.causes import EndCause, Result
from tests.acd.call_centre import QUEUE, RECORDED, CallCentre
from tests.acd.hand_switch import Leg
from tests.acd.scene import ANN, BOB, CY, SALES, SUPPORT
from tests.kit.machines import runs

AGENTS = (ANN, BOB, CY)
OUTSIDE = "+12025550102"
agents = st.sampled_from(AGENTS)
picks = st.integers(0, 7)
whoms = st.sampled_from([BOB, CY, OUTSIDE, ANN, "777"])
PHONE_LOST = EndCause(Result.FAILED, "rtp-timeout")
causes = st.sampled_from(
    [
        EndCause(Result.COMPLETED, "callee-hung-up"),
        EndCause(Result.BUSY, "busy", 486),
        EndCause(Result.NO_ANSWER, "no-answer"),
        EndCause(Result.UNREACHABLE, "not-found", 404),
        PHONE_LOST,
    ]
)


class AnyConsultation(RuleBasedStateMachine):
    """Three agents with desks or without, and callers who talk."""

    @initialize(to_queue=st.booleans(), goes_on=st.booleans(), desks=st.booleans())
    def begin(self, to_queue: bool, goes_on: bool, desks: bool) -> None:
        wanted = TransferSettings(agent_gone_to_queue=to_queue, conference_goes_on=goes_on)
        self.centre = CallCentre(transfers=wanted)
        self.switch = self.centre.switch
        self.centre.phones(ANN, BOB, CY)
        if desks:
            for name in AGENTS:
                self.centre.desk(name)
        self.begin_a_talk(RECORDED)

    @rule(entry=st.sampled_from([QUEUE, RECORDED]))
    def begin_a_talk(self, entry: str) -> None:
        caller = self.centre.call(entry)
        self.centre.advance(1.0)
        contact = self.centre.contacts.of_leg(caller.id)
        for leg in self.ringing():
            if contact is not None and leg.id == contact.agent_leg:
                self.switch.confirm(leg)

    @rule(name=agents, number=st.sampled_from([OUTSIDE, CY]))
    def dial(self, name: AgentId, number: str) -> None:
        self.centre.agent_dial.dial(name, number)
        for _ in range(2):
            for leg in self.ringing():
                self.switch.confirm(leg)

    def ringing(self) -> list[Leg]:
        return [leg for leg in self.switch.legs.values() if not leg.answered and leg.outbound]

    def talks(self) -> list[Contact]:
        return [each for each in self.centre.contacts.live() if each.talking_since is not None]

    def consulting(self) -> list[Contact]:
        return [each for each in self.talks() if each.consult is not None]

    @precondition(lambda self: self.talks())
    @rule(pick=picks, whom=whoms, blind=st.booleans())
    def ask_or_transfer(self, pick: int, whom: str, blind: bool) -> None:
        talks, consultations = self.talks(), self.centre.consultations
        with suppress(AcdError):
            do = consultations.transfer if blind else consultations.consult
            do(talks[pick % len(talks)], whom)
        self.centre.settle()

    @precondition(lambda self: self.talks())
    @rule(pick=picks, queue=st.sampled_from([SALES, SUPPORT]), head=st.booleans())
    def to_a_queue(self, pick: int, queue: QueueName, head: bool) -> None:
        talks = self.talks()
        with suppress(AcdError):
            self.centre.consultations.transfer_to_queue(talks[pick % len(talks)], queue, head=head)
        self.centre.settle()

    @precondition(lambda self: self.consulting())
    @rule(pick=picks, how=st.sampled_from(["complete", "join", "toggle", "cancel"]))
    def go_on_with_it(self, pick: int, how: str) -> None:
        found = self.consulting()
        contact = found[pick % len(found)]
        assert contact.consult is not None
        makes_sense = find_step(contact.consult.state, ConsultInput(how)) is not None
        try:
            getattr(self.centre.consultations, how)(contact)
        except AcdError:
            assert not makes_sense
        else:
            assert makes_sense
        self.centre.settle()

    @precondition(lambda self: any(each.others for each in self.talks()))
    @rule(pick=picks)
    def remove_a_party(self, pick: int) -> None:
        contacts = [each for each in self.talks() if each.others]
        contact = contacts[pick % len(contacts)]
        party = list(contact.others.values())[pick % len(contact.others)]
        self.centre.consultations.remove(contact, party.number)
        self.centre.settle()

    @precondition(lambda self: self.ringing())
    @rule(pick=picks, answers=st.booleans())
    def reach(self, pick: int, answers: bool) -> None:
        legs = self.ringing()
        leg = legs[pick % len(legs)]
        self.switch.ringing(leg)
        if answers:
            self.switch.confirm(leg)

    @precondition(lambda self: self.switch.legs)
    @rule(pick=picks, cause=causes)
    def end(self, pick: int, cause: EndCause) -> None:
        legs = list(self.switch.legs.values())
        leg = legs[pick % len(legs)]
        contact = self.centre.contacts.of_leg(leg.id)
        customer = contact is not None and contact.customer_leg == leg.id
        before = None if contact is None else self.kept(contact, leg, cause)
        self.switch.end(leg, cause)
        if contact is not None and before and not customer and contact.stage is Stage.ENDED:
            raise AssertionError(f"the customer was lost: {before}")

    @staticmethod
    def kept(contact: Contact, leg: Leg, cause: EndCause) -> str:
        """In words why this contact must outlive a leg that is not its customer's; empty: it need not."""
        consult = contact.consult
        if not contact.customer_answered:
            return ""
        if consult is None:
            is_lost = leg.id == contact.agent_leg and cause == PHONE_LOST
            is_lost = is_lost and contact.agent not in contact.lost_by  # twice by the same one
            return "its agent's phone is lost" if is_lost and contact.stage is Stage.TALKING else ""
        if consult.state is ConsultState.HANDING and contact.queue is None:
            return ""
        return f"{consult.state} in {contact.queue}"

    def talk_to_one(self) -> list[tuple[Leg, Leg]]:
        """Phones of ours that may transfer whom they talk to, and that one."""
        found = []
        for leg in self.switch.legs.values():
            pairs = [pair for pair in self.switch.bridged if leg.id in pair]
            if leg.phone in AGENTS and len(pairs) == 1:
                (peer,) = pairs[0] - {leg.id}
                if peer not in self.switch.rings_for.values():
                    found.append((leg, self.switch.legs[peer]))
        return found

    @precondition(lambda self: self.talk_to_one())
    @rule(pick=picks, whom=agents, waits=st.booleans())
    def transfer_by_phone(self, pick: int, whom: AgentId, waits: bool) -> None:
        pairs = self.talk_to_one()
        leg, peer = pairs[pick % len(pairs)]
        if whom == leg.phone or whom not in self.switch.reachable:
            return
        taker = self.switch.called_for(peer, whom)
        if waits:
            self.switch.confirm(taker)
        self.switch.replaced(leg, peer, taker)

    @precondition(lambda self: any(leg.answered for leg in self.switch.legs.values()))
    @rule(pick=picks)
    def hold(self, pick: int) -> None:
        legs = [leg for leg in self.switch.legs.values() if leg.answered]
        self.switch.press_hold(legs[pick % len(legs)])

    @precondition(lambda self: self.talks())
    @rule(pick=picks)
    def hang_up_at_the_desk(self, pick: int) -> None:
        self.centre.conversation.hang_up(self.talks()[pick % len(self.talks())])

    @rule()
    def restart(self) -> None:
        self.centre.restart()

    @rule(slow=st.booleans())
    def cards_take(self, slow: bool) -> None:
        self.centre.pops.slow = slow

    @rule(seconds=st.sampled_from([0.05, 1.0, 6.0, 21.0]))
    def wait(self, seconds: float) -> None:
        self.centre.advance(seconds)

    @rule(name=agents, reachable=st.booleans())
    def phone(self, name: AgentId, reachable: bool) -> None:
        self.switch.phone(name, reachable=reachable)

    @invariant()
    def nothing_is_dead(self) -> None:
        if hasattr(self, "centre"):
            self.centre.settle()

    def teardown(self) -> None:
        """When all have gone, nothing remains, and everybody can be offered a contact again."""
        if not hasattr(self, "centre"):
            return
        while self.switch.legs:
            self.switch.end(next(iter(self.switch.legs.values())))
            self.centre.settle()
            self.centre.advance(0.1)
        self.centre.advance(120.0)
        assert not self.switch.legs
        assert not self.switch.recordings
        assert not len(self.centre.contacts)
        assert not self.centre.pops.waiting
        for name in AGENTS:
            self.switch.phone(name, reachable=True)
            self.centre.desk(name)
            assert self.centre.state(name) is AgentState.AVAILABLE
        super().teardown()


TestAnyConsultation = AnyConsultation.TestCase
TestAnyConsultation.settings = runs(examples=40, steps=30)
