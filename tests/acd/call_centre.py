"""The distribution with its shells, real flows and real queues, over a switch made by hand."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import TypeVar

import msgspec

from acd.actions import Offer
from acd.adoption import ContactAdoption
from acd.agent_dial import AgentDial
from acd.arrangement import groups
from acd.call_back import CallBacks
from acd.call_back_events import CallBackMoved
from acd.consult_state import ConsultState
from acd.consultations import Consultations, TransferSettings
from acd.contact import Contact, Entry, Stage
from acd.contact_events import ContactEvent, ContactFinished, ContactStarted
from acd.contacts import Contacts
from acd.conversation import Conversation
from acd.core import Acd
from acd.dialled_codes import DialledCodes
from acd.distribution import Distribution
from acd.events import AcdEvent
from acd.hand_over import HandOver
from acd.inbound import Inbound
from acd.inputs import SetReady, SignOff, SignOn
from acd.invitations import Invitations
from acd.model import AgentId, AgentState, ContactId, ContactState, SignedOnBy
from acd.park import ParkSettings
from acd.parking import Parking
from acd.parties import Parties
from acd.pending_call_back import CallBackSettings
from acd.pick_up import PickUps, Whose
from acd.ports import Destination, NoRoute, ToPhone, ToTrunk
from acd.records import AgentRecord, CallBackRecord, ContactRecord
from acd.settings import AcdSettings
from acd.supervision import Supervision
from acd.waiting_room import WaitingRoom
from ivr.flow import Flow
from ivr.loader import parse_flow
from switch.calls.fan_out import FanOut
from switch.clock import TimerHandle
from switch.ids import LegId
from tests.acd.hand_switch import HandSwitch, Leg
from tests.acd.scene import ANN, BOB, CY, SALES, SUPPORT, agent, queue
from tests.kit.process_clock import ProcessClock
from tests.kit.virtual_clock import VirtualClock

T = TypeVar("T")

QUEUE, RECORDED, MENU, SILENT, TO_PHONE, NOWHERE = "100", "101", "102", "103", "104", "105"
"""The entries: a queue, a recorded one, a menu, and flows that decide without answering."""

CARD_S = 0.05
PARK = ParkSettings(slots=("701", "702", "703"), ring_back_s=60.0, ring_backs=2, otherwise=QUEUE)

_MENU = b"""
language: en
start: menu
nodes:
  menu:
    verb: menu
    prompts: [main-menu]
    invalid_prompts: [invalid]
    timeout_prompts: [no-input]
    first_digit_timeout_s: 5
    retries: 1
    choices: {"1": sales, "3": transfer}
    otherwise: end
  sales: {verb: queue, queue: sales}
  transfer: {verb: transfer, number: "1003"}
  end: {verb: hang_up}
"""
_SILENT = b"language: en\nstart: sales\nnodes:\n  sales: {verb: queue, queue: sales}\n"
_TRANSFER = b"language: en\nstart: on\nnodes:\n  on: {verb: transfer, number: '%s'}\n"


def _same(moment: float) -> float:
    """The records' clock is ours."""
    return moment


def _again(record: object, kind: type[T]) -> T:
    return msgspec.msgpack.decode(msgspec.msgpack.encode(record), type=kind)


class SlowCards:
    """Satisfies `acd.ports.Pops`: a card takes until `shown`, or 50 ms, when `slow`."""

    def __init__(self, clock: ProcessClock) -> None:
        self.slow = False
        self.waiting: dict[ContactId, tuple[Callable[[], None], TimerHandle]] = {}
        self._clock = clock

    def prefetch(self, contact: ContactId, caller_number: str) -> None:
        pass

    def offer(self, offer: Offer, then: Callable[[], None]) -> None:
        self.forget(offer.contact)
        if not self.slow:
            then()
            return
        timer = self._clock.call_at(self._clock.now() + CARD_S, lambda: self.shown(offer.contact))
        self.waiting[offer.contact] = then, timer

    def shown(self, contact: ContactId) -> None:
        """The card is on the screen."""
        then, timer = self.waiting.pop(contact)
        timer.cancel()
        then()

    def forget(self, contact: ContactId) -> None:
        waiting = self.waiting.pop(contact, None)
        if waiting is not None:
            waiting[1].cancel()


class Numbers:
    """Satisfies `acd.ports.Routes`: three phones, and everything with a plus over a trunk."""

    def destination(self, dialled_by: AgentId | None, number: str) -> Destination:
        if number in (ANN, BOB, CY):
            return ToPhone(phone=number)
        if number.startswith("+"):
            return ToTrunk(trunk="out", number=number)
        return NoRoute(reason="Nobody has that number")

    def call_back(self, number: str) -> Destination:
        found = self.destination(None, number)
        return NoRoute(reason="unknown-number") if isinstance(found, NoRoute) else found


class CallCentre:
    """Ann and Bob serve sales, Cy support. Phones are there, nobody has a desk at first."""

    def __init__(
        self,
        *,
        max_wait_s: float = 0.0,
        check: bool = True,
        call_back: CallBackSettings | None = None,
        transfers: TransferSettings | None = None,
        park: ParkSettings = PARK,
        pick_up: Whose = "all",
    ) -> None:
        self.clock = VirtualClock()
        self.switch = HandSwitch(self.clock)
        self.reports: list[AcdEvent | ContactEvent | CallBackMoved] = []
        self._checks = check
        self._ids = 0
        self._max_wait_s = max_wait_s
        self._call_back = call_back
        self._transfers = transfers or TransferSettings()
        self._park = park
        self._pick_up = pick_up
        self._kept: dict[ContactId, CallBackRecord | None] = {}
        self._make()
        self.distribution.begin()

    def _make(self) -> None:
        """A new process, which knows nothing."""
        clock = self.process = ProcessClock(self.clock)
        self.pops = SlowCards(clock)
        queues = [queue(SALES, max_wait_s=self._max_wait_s), queue(SUPPORT)]
        self.acd = Acd(
            agents=[agent(ANN, SALES), agent(BOB, SALES), agent(CY, SUPPORT)],
            queues=queues,
            settings=AcdSettings(),
            now=clock.now(),
        )
        report = self.reports.append
        self.contacts = Contacts(control=self.switch, clock=clock, pops=self.pops, report=report)
        self.conversation = Conversation(self.switch, clock, report)
        room = WaitingRoom(self.switch, clock, report)
        self.distribution = Distribution(
            acd=self.acd,
            contacts=self.contacts,
            waiting_room=room,
            control=self.switch,
            clock=clock,
            pops=self.pops,
            report=report,
        )
        self.agent_dial = AgentDial(
            contacts=self.contacts,
            conversation=self.conversation,
            control=self.switch,
            clock=clock,
            routes=Numbers(),
            new_id=self._new_id,
            report=report,
        )
        self.inbound = Inbound(
            distribution=self.distribution,
            contacts=self.contacts,
            conversation=self.conversation,
            waiting_room=room,
            control=self.switch,
            clock=clock,
            entries={
                QUEUE: Entry(number=QUEUE, queue=SALES),
                RECORDED: Entry(number=RECORDED, queue=SALES, record=True),
                MENU: Entry(number=MENU, flow="menu"),
                SILENT: Entry(number=SILENT, flow="silent"),
                TO_PHONE: Entry(number=TO_PHONE, flow="to-phone"),
                NOWHERE: Entry(number=NOWHERE, flow="nowhere"),
            },
            flows={
                "menu": _flow("menu", _MENU),
                "silent": _flow("silent", _SILENT),
                "to-phone": _flow("to-phone", _TRANSFER % b"1003"),
                "nowhere": _flow("nowhere", _TRANSFER % b"777"),
            },
            agents={name: name for name in (ANN, BOB, CY)},
            routes=Numbers(),
            new_id=self._new_id,
            report=report,
        )
        parties = Parties(contacts=self.contacts, clock=clock, report=report)
        self.hand_over = HandOver(
            contacts=self.contacts,
            conversation=self.conversation,
            distribution=self.distribution,
            parties=parties,
            control=self.switch,
            clock=clock,
            enqueue=self.inbound.enqueue,
            disengage=self.inbound.disengage,
            report=report,
        )
        invitations = Invitations(
            parties=parties,
            distribution=self.distribution,
            control=self.switch,
            clock=clock,
            routes=Numbers(),
            pops=self.pops,
            agents={name: name for name in (ANN, BOB, CY)},
        )
        self.consultations = Consultations(
            contacts=self.contacts,
            conversation=self.conversation,
            distribution=self.distribution,
            hand_over=self.hand_over,
            parties=parties,
            invitations=invitations,
            control=self.switch,
            clock=clock,
            queues=frozenset((SALES, SUPPORT)),
            settings=self._transfers,
        )
        self.supervision = Supervision(
            conversation=self.conversation,
            hand_over=self.hand_over,
            parties=parties,
            invitations=invitations,
            control=self.switch,
        )
        self.parking = Parking(
            contacts=self.contacts,
            distribution=self.distribution,
            hand_over=self.hand_over,
            parties=parties,
            invitations=invitations,
            waiting_room=room,
            control=self.switch,
            clock=clock,
            agents={name: name for name in (ANN, BOB, CY)},
            settings=self._park,
            begin_at=self.inbound.begin_at,
            new_id=self._new_id,
            report=report,
        )
        self.pick_ups = PickUps(
            contacts=self.contacts,
            distribution=self.distribution,
            parking=self.parking,
            control=self.switch,
            features=self.switch,
            agents={name: name for name in (ANN, BOB, CY)},
            whose=self._pick_up,
            disengage=self.inbound.disengage,
        )
        self.codes = DialledCodes(
            contacts=self.contacts,
            parking=self.parking,
            pick_ups=self.pick_ups,
            control=self.switch,
            features=self.switch,
            park_code="*68",
            pick_up_code="*8",
        )
        self.switch.refuses = self.codes.refuses
        self.inbound.is_code = self.codes.incoming
        self.inbound.agent_left = self.consultations.agent_left
        self.inbound.party_replaced = self.consultations.party_replaced
        self.agent_dial.agent_left = self.consultations.agent_left
        self.call_backs = CallBacks(
            queues={} if self._call_back is None else {SALES: self._call_back},
            contacts=self.contacts,
            waiting_room=room,
            control=self.switch,
            clock=clock,
            routes=Numbers(),
            enqueue=self.inbound.enqueue,
            new_id=self._new_id,
            report=self._moved,
        )
        self.call_backs.on_change = self._keep
        self.inbound.place_of = self.call_backs.place_of
        self.switch.handle = FanOut(
            self.codes.takes,
            self.pick_ups.takes,
            self.parking.takes,
            self.consultations.takes,
            self.supervision.takes,
            self.agent_dial.takes,
            self.inbound.takes,
            self.call_backs.takes,
        )
        self.adoption = ContactAdoption(
            acd=self.acd,
            contacts=self.contacts,
            distribution=self.distribution,
            inbound=self.inbound,
            agent_dial=self.agent_dial,
            consultations=self.consultations,
            parking=self.parking,
            clock=clock,
            hang_up=self.switch.hang_up,
        )

    def _moved(self, event: CallBackMoved | ContactStarted) -> None:
        self.reports.append(event)
        self._keep(event.contact)

    def _keep(self, contact: ContactId) -> None:
        """As the journal does: a record is as old as the last word of it."""
        self._kept[contact] = self.call_backs.record(contact, _same)

    def restart(self) -> None:
        """Another process goes on from what this one's records say; legs and sound outlive both."""
        self.settle()
        kept, is_slow = self.adoption, self.pops.slow
        contacts = {
            contact.id: _again(kept.contact(contact.id, _same), ContactRecord)
            for contact in self.contacts.live()
        }
        agents = {
            a.agent: _again(kept.agent(a.agent, _same), AgentRecord) for a in self.acd.agents()
        }
        pending = {name: _again(kept, CallBackRecord) for name, kept in self._kept.items() if kept}
        self.process.die()
        self._make()
        self.pops.slow = is_slow
        legs = self.switch.legs
        faults = self.adoption.restore(
            contacts, agents, {}, _same, lives=legs.__contains__, same_day=True
        )
        assert faults == []
        assert self.call_backs.restore(pending, _same, legs.__contains__) == []
        again = {name: self.adoption.contact(name, _same) for name in contacts}
        assert again == contacts, "another kill before they go on would cost something"
        self.acd.check_invariants()
        self.adoption.engage(
            (each.id, AgentId(each.phone)) for each in legs.values() if each.phone in (ANN, BOB, CY)
        )
        playing = {player for player, _ in self.adoption.playing()}
        for each in legs.values():
            each.players &= playing  # the switch stops those that nobody knows
        self.adoption.resume()
        self.settle()

    def is_dialled(self, leg: LegId) -> bool:
        """Whether a leg is a campaign's, and no contact yet."""
        return False

    # --- what happens ---------------------------------------------------------------------------

    def phones(self, *agents: AgentId) -> None:
        """Their phones register, which signs them on as available."""
        for name in agents:
            self.switch.phone(name, reachable=True)

    def registered_again(self, name: AgentId) -> None:
        """The agent's phone, which has a binding, registers once more."""
        self.switch.registered_again(name)
        self.settle()

    def desk(self, name: AgentId) -> None:
        """The agent signs on at a desk and is ready."""
        self.distribution.tell(SignOn(agent=name, by=SignedOnBy.DESK))
        self.distribution.tell(SetReady(agent=name))
        self.settle()

    def sign_off(self, name: AgentId) -> None:
        self.distribution.tell(SignOff(agent=name, by=SignedOnBy.DESK))
        self.settle()

    def call(self, entry: str = QUEUE) -> Leg:
        """Somebody calls an entry."""
        leg = self.switch.incoming(entry)
        self.settle()
        return leg

    def advance(self, seconds: float) -> None:
        """Let time pass, with what it brings about."""
        until = self.clock.now() + seconds
        while (due := self.clock.next_timer()) is not None and due <= until:
            self.clock.run_next()
            self.settle()
        self.clock.run_until(until)

    def settle(self) -> None:
        """Let everything come to rest, then look whether it makes sense."""
        self.switch.settle()
        if self._checks:
            self.check()

    # --- what can be seen -----------------------------------------------------------------------

    def state(self, name: AgentId) -> AgentState:
        return self.acd.agent(name).state

    def contact(self, leg: Leg) -> Contact:
        found = self.contacts.of_leg(leg.id)
        assert found is not None
        return found

    def told(self, kind: type[T]) -> list[T]:
        """Everything of a kind that was reported."""
        return [report for report in self.reports if isinstance(report, kind)]

    def finished(self) -> ContactFinished:
        """How the one contact that is over ended."""
        (found,) = self.told(ContactFinished)
        return found

    def check(self) -> None:
        """Fail if a contact, a leg or an agent is left in a state it cannot leave."""
        self.acd.check_invariants()
        assert self.acd.unheard_offers == 0, "an offer was lost"
        contacts = self.contacts
        for leg, contact in contacts._by_leg.items():
            assert leg in self.switch.legs, f"{leg} is gone and still belongs to {contact}"
            assert leg in (contact.customer_leg, contact.agent_leg, *contact.others)
            assert contacts._by_id[contact.id] is contact
        for leg in self.switch.legs:
            is_call_back = leg in self.call_backs._dialling
            is_direct = leg in (*self.switch.direct, *self.switch.direct.values())
            is_other = is_direct or leg in self.parking.telling or leg in self.pick_ups._wanted
            owners = (is_call_back, leg in contacts._by_leg, is_other or self.is_dialled(leg))
            assert sum(owners) == 1, f"{leg} belongs to nobody, or to two"
        assert len(contacts._by_call) == len(contacts)
        assert {c.contact for c in self.acd.contacts()} == {
            c.id for c in contacts._by_id.values() if c.stage in _QUEUED
        }
        for contact in contacts._by_id.values():
            self._check_contact(contact)
        for leg in self.inbound._engagements._legs:
            assert leg in self.switch.legs, f"an agent stays engaged by {leg}"

    def _check_contact(self, contact: Contact) -> None:
        switch = self.switch
        assert self.contacts._by_call[contact.call] is contact
        customer = switch.legs.get(contact.customer_leg)
        waits_for_dial = contact.outbound or contact.agent_first
        assert customer is not None or (waits_for_dial and not contact.customer_leg)
        assert contact.agent_leg is None or contact.agent_leg in switch.legs
        assert contact.customer_answered == (customer is not None and customer.answered)
        match contact.stage:
            case Stage.MENU:
                assert contact.flow is not None
            case Stage.WAITING | Stage.OFFERED | Stage.TALKING:
                found = self.acd.contact(contact.id)
                assert (found.state, found.agent) == (_QUEUED[contact.stage], contact.agent)
            case Stage.ENDED:
                raise AssertionError("an ended contact is kept")
            case _:
                pass
        if contact.stage is Stage.OFFERED:
            is_read = contact.agent_first and contact.agent_leg is None
            assert is_read or (contact.agent_leg is None) == (contact.id in self.pops.waiting)
        assert (contact.stage is Stage.PARKED) == (contact.park is not None)
        if contact.park is not None:
            assert self.parking.places.occupant(contact.park.slot) is contact
            assert customer is not None
            assert customer.music != bool(customer.players), f"{customer} hears nothing"
        if contact.silent:
            assert customer is None or not customer.music, f"{customer} hears music"
        elif contact.stage in (Stage.WAITING, Stage.OFFERED) and customer is not None:
            if customer.answered:
                assert customer.music != bool(customer.players), f"{customer} hears nothing"
            elif contact.stage is Stage.WAITING:
                waited = self.clock.now() - contact.started_at
                assert customer.answering or waited <= 1.0, f"{customer} rings for ever"
                assert "ring" in switch.verbs(customer.id), f"{customer} hears nothing"
        self._check_parties(contact)
        if contact.talking_since is not None and contact.customer_answered:
            consult = contact.consult
            is_handed = consult is not None and consult.state is ConsultState.HANDING
            assert (contact.agent_leg is None) == is_handed, "nobody has the customer"

    def _check_parties(self, contact: Contact) -> None:
        """Who hears whom is what the facts say, and nobody waits in silence."""
        switch = self.switch
        for leg, party in contact.others.items():
            assert leg in switch.legs
            assert party.leg == leg
            assert party.answered == switch.legs[leg].answered
            if party.role is not None and party.answered and contact.agent_leg is not None:
                assert switch.legs[leg].attends == (contact.agent_leg, party.role)
        together = groups(contact)
        for group in together:
            for a, b in combinations(group, 2):
                assert switch.are_bridged(a, b)
            if len(group) == 1:
                assert switch.legs[group[0]].music
        bridged = {frozenset(pair) for group in together for pair in combinations(group, 2)}
        legs = {contact.customer_leg, contact.agent_leg, *contact.others}
        live = {pair for pair in switch.bridged if pair <= switch.legs.keys()}
        assert {pair for pair in live if pair & legs} == bridged
        target = None if contact.consult is None else contact.consult.target
        waits = contact.id in self.pops.waiting
        assert target is None or (target.leg in contact.others) != waits, "nobody calls the target"

    # --- inside ---------------------------------------------------------------------------------

    def _new_id(self, kind: str) -> str:
        self._ids += 1
        return f"{kind}-{self._ids}"


_QUEUED = {
    Stage.WAITING: ContactState.WAITING,
    Stage.OFFERED: ContactState.OFFERED,
    Stage.TALKING: ContactState.TALKING,
}


def _flow(name: str, text: bytes) -> Flow:
    root = Path(__file__).parents[2] / "config" / "prompts"
    return parse_flow(
        text,
        f"{name}.yaml",
        name=name,
        has_prompt=lambda prompt: (root / f"{prompt}.ulaw").is_file(),
        has_queue={"sales", "support"}.__contains__,
    )
