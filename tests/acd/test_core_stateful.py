"""Random centres: whatever happens in whatever order, the state never contradicts itself."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from acd.actions import Offer
from acd.agent_state import OFFERED
from acd.errors import BadReasonError, NotSignedOnError
from acd.events import ContactEnded, ContactLeft
from acd.inputs import (
    CustomerHeld,
    Engaged,
    ExtendWrapUp,
    FinishWrapUp,
    Input,
    OfferAccepted,
    OfferFailed,
    OfferRinging,
    PhoneReachability,
    SetNotReady,
    SetReady,
    SignOff,
    SignOn,
    TalkEnded,
    Withdraw,
)
from acd.model import AgentId, AgentState, ContactId, ContactState, OfferFailure, SignedOnBy
from acd.queued_contact import ContactStatus
from tests.acd.scene import ANN, BOB, CY, SALES, SUPPORT, Scene, agent, queue
from tests.kit.machines import runs

STATIC = AgentId("2000")
AGENTS = (ANN, BOB, CY, STATIC)
agents = st.sampled_from(AGENTS)
sides = st.sampled_from([SignedOnBy.DESK, SignedOnBy.PHONE])
picks = st.integers(0, 7)
pauses = st.sampled_from([0.0, 0.1, 1.0, 4.9, 5.0, 12.0, 25.0, 61.0])


class RandomCentre(RuleBasedStateMachine):
    """Two queues, four agents, and every input at any time, late and mistaken ones too."""

    contacts = Bundle("contacts")

    def __init__(self) -> None:
        super().__init__()
        self.scene = Scene(
            [
                agent(ANN, SALES, SUPPORT, german=3),
                agent(BOB, SALES, wrap_up_s=0.0, german=1),
                agent(CY, SUPPORT, german=5),
                agent(STATIC, SALES, SUPPORT, static=True, wrap_up_s=0.0),
            ],
            [queue(SALES, max_wait_s=60.0), queue(SUPPORT, priority=1)],
        )
        self.entered: set[ContactId] = set()
        self.scene.desk(ANN)
        self.scene.phone(ANN, BOB)

    def tell(self, what: Input) -> None:
        before = (self.scene.acd.agents(), self.scene.acd.contacts())
        try:
            self.scene.tell(what)
        except (NotSignedOnError, BadReasonError):
            assert (self.scene.acd.agents(), self.scene.acd.contacts()) == before

    @rule(name=agents, by=sides, ready=st.booleans())
    def sign_on(self, name: AgentId, by: SignedOnBy, ready: bool) -> None:
        self.tell(SignOn(agent=name, by=by, ready=ready))

    @rule(name=agents, by=sides)
    def sign_off(self, name: AgentId, by: SignedOnBy) -> None:
        self.tell(SignOff(agent=name, by=by))

    @rule(name=agents)
    def set_ready(self, name: AgentId) -> None:
        self.tell(SetReady(agent=name))

    @rule(name=agents, reason=st.sampled_from(["lunch", "phone-unreachable", "no-answer", ""]))
    def set_not_ready(self, name: AgentId, reason: str) -> None:
        self.tell(SetNotReady(agent=name, reason=reason))

    @rule(name=agents, reachable=st.booleans())
    def reachability(self, name: AgentId, reachable: bool) -> None:
        self.tell(PhoneReachability(agent=name, reachable=reachable))

    @rule(name=agents, count=st.integers(0, 2))
    def engaged(self, name: AgentId, count: int) -> None:
        self.tell(Engaged(agent=name, count=count))

    @rule(name=agents, finish=st.booleans())
    def wrap_up_key(self, name: AgentId, finish: bool) -> None:
        self.tell(FinishWrapUp(agent=name) if finish else ExtendWrapUp(agent=name))

    @rule(
        target=contacts,
        name=st.sampled_from([SALES, SUPPORT]),
        priority=st.integers(0, 3),
        german=st.sampled_from([0, 0, 2, 4]),
        preferred=st.none() | agents,
        count=st.integers(1, 3),
    )
    def call(
        self, name: str, priority: int, german: int, preferred: AgentId | None, count: int
    ) -> object:
        calls = [
            self.scene.call(
                SALES if name == SALES else SUPPORT,
                priority=priority,
                preferred=preferred,
                needs={"german": german} if german else None,
            )
            for _ in range(count)
        ]
        self.entered.update(calls)
        return multiple(*calls)

    # What the layer above does properly: news of an offer that stands, of a talk that is on.

    @rule(pick=picks)
    def ring(self, pick: int) -> None:
        if (offer := self._pick(pick, ContactState.OFFERED)) is not None:
            self.tell(OfferRinging(contact=offer.contact, agent=offer.agent or ANN))

    @rule(pick=picks)
    def answer(self, pick: int) -> None:
        if (offer := self._pick(pick, ContactState.OFFERED)) is not None:
            self.tell(OfferAccepted(contact=offer.contact, agent=offer.agent or ANN))

    @rule(pick=picks, failure=st.sampled_from(list(OfferFailure)))
    def fail(self, pick: int, failure: OfferFailure) -> None:
        if (offer := self._pick(pick, ContactState.OFFERED)) is not None:
            agent_id = offer.agent or ANN
            self.tell(OfferFailed(contact=offer.contact, agent=agent_id, failure=failure))

    @rule(pick=picks, held=st.booleans())
    def hold(self, pick: int, held: bool) -> None:
        if (talk := self._pick(pick, ContactState.TALKING)) is not None:
            self.tell(CustomerHeld(contact=talk.contact, held=held))

    @rule(pick=picks, by_agent=st.booleans())
    def end(self, pick: int, by_agent: bool) -> None:
        if (talk := self._pick(pick, ContactState.TALKING)) is not None:
            self.tell(TalkEnded(contact=talk.contact, by_agent=by_agent))

    # What crosses on the wire, comes twice, or is mistaken.

    @rule(contact=contacts, name=agents)
    def ring_of_anybody(self, contact: ContactId, name: AgentId) -> None:
        self.tell(OfferRinging(contact=contact, agent=name))

    @rule(contact=contacts, name=agents)
    def answer_of_anybody(self, contact: ContactId, name: AgentId) -> None:
        self.tell(OfferAccepted(contact=contact, agent=name))

    @rule(contact=contacts, name=agents, failure=st.sampled_from(list(OfferFailure)))
    def failure_of_anybody(self, contact: ContactId, name: AgentId, failure: OfferFailure) -> None:
        self.tell(OfferFailed(contact=contact, agent=name, failure=failure))

    @rule(contact=contacts, held=st.booleans())
    def hold_of_anybody(self, contact: ContactId, held: bool) -> None:
        self.tell(CustomerHeld(contact=contact, held=held))

    @rule(contact=contacts)
    def end_of_anybody(self, contact: ContactId) -> None:
        self.tell(TalkEnded(contact=contact, by_agent=False))

    @rule(contact=consumes(contacts), reason=st.sampled_from(["abandoned", "overflow"]))
    def withdraw(self, contact: ContactId, reason: str) -> None:
        self.tell(Withdraw(contact=contact, reason=reason))

    @rule(seconds=pauses)
    def wait(self, seconds: float) -> None:
        self.scene.advance(seconds)

    @rule()
    def restart(self) -> None:
        self.scene.restart()

    @rule()
    def midnight(self) -> None:
        self.scene.acd.new_day(self.scene.now)

    @invariant()
    def nobody_is_lost(self) -> None:
        """Each contact is here, or left exactly once; figures and streams agree."""
        gone = [e.contact for e in self.scene.events if isinstance(e, ContactLeft | ContactEnded)]
        here = {status.contact for status in self.scene.acd.contacts()}
        assert len(gone) == len(set(gone))
        assert here.isdisjoint(gone)
        assert here.union(gone) == self.entered

    @invariant()
    def every_call_to_an_agent_is_accounted_for(self) -> None:
        """Offers less those cancelled, failed or answered are the agents reserved or ringing."""
        standing = {
            (status.contact, status.agent)
            for status in self.scene.acd.contacts()
            if status.state is ContactState.OFFERED
        }
        reserved = {
            (status.contact, status.agent)
            for status in self.scene.acd.agents()
            if status.state in OFFERED
        }
        assert standing == reserved
        latest: dict[AgentId, ContactId | None] = {}
        for action in self.scene.actions:
            if isinstance(action, Offer):
                latest[action.agent] = action.contact
        assert all(latest[name] == contact for contact, name in standing if name is not None)

    def teardown(self) -> None:
        """Silence from now on: every offer, wait and countdown runs out by itself."""
        self.scene.advance(600.0)
        for status in self.scene.acd.agents():
            extended = status.state is AgentState.WRAP_UP and status.until is None
            assert status.state is not AgentState.WRAP_UP or extended
        for contact in list(self.entered):
            self.scene.hangs_up(contact)
        assert self.scene.acd.contacts() == []
        assert not any(status.state in OFFERED for status in self.scene.acd.agents())
        self.nobody_is_lost()

    def _pick(self, pick: int, state: ContactState) -> ContactStatus | None:
        found = [status for status in self.scene.acd.contacts() if status.state is state]
        return found[pick % len(found)] if found else None


TestRandomCentre = RandomCentre.TestCase
TestRandomCentre.settings = runs(examples=80, steps=60)
