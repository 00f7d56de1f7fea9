"""The contact centre joined together in virtual time: everything but the switch and the store.

Legs are names that the test speaks for: `calls.to("1001")` is the leg that was made to a phone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from itertools import count
from typing import Any

from acd.agent_dial import AgentDial
from acd.contact import Entry
from acd.contact_events import ContactEvent, ContactFinished
from acd.contacts import Contacts
from acd.conversation import Conversation
from acd.core import Acd
from acd.distribution import Distribution
from acd.events import AcdEvent
from acd.inbound import Inbound
from acd.inputs import PhoneReachability
from acd.model import AgentId, AgentSettings, QueueName, QueueSettings
from acd.ports import Destination, ToPhone, ToTrunk
from acd.settings import AcdSettings
from acd.waiting_room import WaitingRoom
from cti.accounts import PhoneCredentials
from cti.agent_views import AgentViews
from cti.api.ports import Account
from cti.bus import Bus
from cti.floor import Floor, PhoneAddress
from cti.pops import PopService
from cti.schema import CustomerCard, Event, EventType, Role
from cti.translate import Translator
from ivr.flow import Flow
from switch.calls.causes import EndCause, Result
from switch.calls.events import IncomingLeg, LegAnswered, LegEnded, LegRinging, LegStarted
from switch.calls.fan_out import FanOut
from switch.ids import CallId, LegId
from switch.trunks.source import Source
from tests.kit.virtual_clock import VirtualClock


class Legs:
    """Remembers what was asked of the switch, and answers as it would: later, by events."""

    def __init__(self) -> None:
        self.made: list[tuple[LegId, str, CallId]] = []
        self.hung_up: dict[LegId, EndCause] = {}
        self.answered: list[LegId] = []
        self.started: list[tuple[LegId, str, CallId]] = []

    def to(self, number: str) -> LegId:
        """The newest leg to this phone or number."""
        return next(leg for leg, whom, _ in reversed(self.made) if whom == number)

    def _make(self, number: str, call: CallId) -> LegId:
        leg = LegId(f"leg-{len(self.made)}")
        self.made.append((leg, number, call))
        self.started.append((leg, number, call))
        return leg

    def call_phone(self, phone: str, *, call: CallId, **_: object) -> LegId:
        return self._make(phone, call)

    def call_trunk(self, trunk: str, number: str, *, call: CallId, **_: object) -> LegId:
        return self._make(number, call)

    def answer(self, leg: LegId) -> None:
        self.answered.append(leg)

    def hang_up(self, leg: LegId, cause: EndCause) -> None:
        self.hung_up[leg] = cause

    def is_reachable(self, phone: str) -> bool:
        return True

    def play(self, *_: object, **__: object) -> str:
        return "player"

    def __getattr__(self, name: str) -> Callable[..., None]:
        """Sound: of no interest here."""
        return lambda *_, **__: None


class Lookup:
    """A store of `cards`: whoever calls, these are found."""

    def __init__(self) -> None:
        self.cards: list[CustomerCard] = []

    def known(self, number: str) -> list[CustomerCard] | None:
        return None

    async def by_number(self, number: str) -> list[CustomerCard]:
        return self.cards


class Centre:
    """Agents 1001 and 1002 with desks; entry 4001 leads to the queue, others to `flows`."""

    def __init__(
        self,
        *,
        wrap_up_s: float = 5.0,
        max_wait_s: float = 0.0,
        flows: Mapping[str, Flow] | None = None,
    ) -> None:
        self.clock = VirtualClock()
        self.calls = Legs()
        control: Any = self.calls
        self.bus = Bus(wall=self.clock.wall)
        self.published: list[Event] = []
        self.bus.listen(self.published.append)
        self._searches: list[Coroutine[Any, Any, None]] = []
        self.store = Lookup()
        sales = QueueName("sales")
        agents = [
            AgentSettings(agent=AgentId(name), name=name, queues=(sales,), wrap_up_s=wrap_up_s)
            for name in ("1001", "1002")
        ]
        self.acd = Acd(
            agents=agents,
            queues=[QueueSettings(queue=sales, title="Sales", max_wait_s=max_wait_s)],
            settings=AcdSettings(),
            now=self.clock.now(),
        )
        self.finished: list[ContactFinished] = []
        views = AgentViews(bus=self.bus, wall_of=self._wall_of, agents=agents, at=self.clock.now())
        self.translator = Translator(
            bus=self.bus, wall_of=self._wall_of, agents=views, queue_titles={"sales": "Sales"}
        )
        self.pops = PopService(
            bus=self.bus,
            clock=self.clock,
            lookup=self.store,
            floor=_Late(self),
            normalise=lambda number: number,
            queue_titles={"sales": "Sales"},
            spawn=self._searches.append,
        )
        contacts = Contacts(control=control, clock=self.clock, pops=self.pops, report=self._report)
        conversation = Conversation(control, self.clock, self._report)
        waiting_room = WaitingRoom(control, self.clock, self._report)
        distribution = Distribution(
            acd=self.acd,
            contacts=contacts,
            waiting_room=waiting_room,
            control=control,
            clock=self.clock,
            pops=self.pops,
            report=self._report,
        )
        ids = count(1)

        def new_id(prefix: str) -> str:
            return f"{prefix}{next(ids)}"

        self.dialling = AgentDial(
            contacts=contacts,
            conversation=conversation,
            control=control,
            clock=self.clock,
            routes=_Routes(),
            new_id=new_id,
            report=self._report,
        )
        self.inbound = Inbound(
            distribution=distribution,
            contacts=contacts,
            conversation=conversation,
            waiting_room=waiting_room,
            control=control,
            clock=self.clock,
            entries={
                "4001": Entry(number="4001", queue=sales),
                **{name: Entry(number=name, flow=name) for name in flows or {}},
            },
            flows=flows or {},
            agents={name: AgentId(name) for name in ("1001", "1002")},
            routes=_Routes(),
            new_id=new_id,
            report=self._report,
        )
        self.floor = Floor(
            distribution=distribution,
            contacts=contacts,
            conversation=conversation,
            agent_dial=self.dialling,
            translator=self.translator,
            secrets=PhoneCredentials((), "test"),
            phone_address=lambda: PhoneAddress(host="", port=0, transport="udp", realm=""),
            agent_queues=dict.fromkeys(("1001", "1002"), ("sales",)),
            dispositions=(),
            not_ready_reasons=("break",),
            site="Test",
            shows_supervisors=False,
            clock=self.clock,
        )
        self.floor.pops = self.pops
        self._hand_out = FanOut(self.dialling.takes, self.inbound.takes)
        self.distribution = distribution
        self._callers = count(1)
        self.store_is_slow = False
        """True: look-ups wait for `store_answers`, which the test must call."""

    def _wall_of(self, at: float) -> float:
        return self.clock.wall() - (self.clock.now() - at)

    def _report(self, event: AcdEvent | ContactEvent) -> None:
        if isinstance(event, ContactFinished):
            self.finished.append(event)
        self.translator.report(event)

    # --- what happens ---------------------------------------------------------------------------

    def tell(self, event: Any) -> None:
        """One event of the switch, and those of the legs that it led to."""
        for each in (event, *self._begun()):
            self._hand_out(each)
        for each in self._begun():
            self.tell(each)
        self.acd.check_invariants()
        if not self.store_is_slow:
            self.store_answers()

    def store_answers(self) -> None:
        """End the look-ups under way."""
        while self._searches:
            asyncio.run(self._searches.pop())

    def _begun(self) -> list[LegStarted]:
        begun, self.calls.started = self.calls.started, []
        return [
            LegStarted(
                leg=leg,
                call=call,
                at=self.clock.now(),
                phone=number if len(number) == 4 else None,
                outbound=True,
                number=number,
            )
            for leg, number, call in begun
        ]

    def settle(self) -> None:
        """Let the legs begin that a command led to."""
        for event in self._begun():
            self.tell(event)

    def ready(self, agent: str) -> None:
        """The agent's phone and desk are there, and it wants contacts."""
        self.distribution.tell(PhoneReachability(agent=AgentId(agent), reachable=True))
        self.floor.desk_connected(agent, "session")
        self.floor.set_state(agent, "available", "")
        self.settle()

    def call(self, entry: str = "4001") -> LegId:
        """Somebody calls."""
        leg = LegId(f"caller-{next(self._callers)}")
        self.tell(
            IncomingLeg(
                leg=leg,
                call=CallId(f"call-of-{leg}"),
                at=self.clock.now(),
                entry=entry,
                called=entry,
                caller_number="+12025550101",
                caller_name="",
                source=Source.TRUNK,
                source_name="lab",
            )
        )
        return leg

    def rings(self, leg: LegId) -> None:
        self.tell(LegRinging(leg=leg, at=self.clock.now()))

    def answers(self, leg: LegId) -> None:
        self.tell(LegAnswered(leg=leg, at=self.clock.now()))

    def ends(self, leg: LegId, reason: str, result: Result = Result.COMPLETED) -> None:
        cause = EndCause(result, reason)
        self.tell(
            LegEnded(leg=leg, call=CallId(""), at=self.clock.now(), cause=cause, by_peer=True)
        )

    def passes(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.settle()

    # --- what is seen ---------------------------------------------------------------------------

    def of(self, *types: EventType) -> list[Event]:
        return [event for event in self.published if event.type in types]

    def state(self, agent: str) -> str:
        return self.translator.agents.agent(agent).state


def agent(number: str) -> Account:
    """The account of an agent."""
    return Account(login=number, name=number, role=Role.AGENT, agent_id=number)


class _Routes:
    def destination(self, dialled_by: AgentId | None, number: str) -> Destination:
        return ToPhone(phone=number) if len(number) == 4 else ToTrunk(trunk="out", number=number)


class _Late:
    """Pops need the floor, which needs the pops."""

    def __init__(self, centre: Centre) -> None:
        self._centre = centre

    def __getattr__(self, name: str) -> Any:
        return getattr(self._centre.floor, name)
