"""A switch and any number of phones in memory: real user agents, real registrar, virtual time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any, TypeVar

from switch.calls.causes import EndCause
from switch.calls.control import Calls
from switch.calls.events import CallEvent, LegEnded, LegStarted, PickUpAsked
from switch.calls.gateway_port import Gateway
from switch.calls.gateways import Gateways, Member, alone
from switch.calls.invariants import check_invariants
from switch.calls.settings import CallSettings
from switch.ids import CallId, LegId, PlayerId, RecordingId
from switch.registrar.location import Location
from switch.registrar.registrar import Registrar, RegistrarSettings
from switch.sip.digest import Challenger, DigestSettings, ha1
from switch.sip.endpoint import Endpoint
from switch.sip.flow import Flow, Transport
from switch.sip.user_agent import UserAgent, UserAgentSettings
from switch.trunks.number_plan import NumberPlan
from switch.trunks.settings import (
    EntrySettings,
    NumberPlanSettings,
    PhoneRange,
    RouteSettings,
    TrunkSettings,
)
from tests.kit.process_clock import ProcessClock
from tests.kit.virtual_clock import VirtualClock
from tests.switch.calls.kept import Kept
from tests.switch.calls.phone import Phone
from tests.switch.calls.recording_gateway import RecordingGateway

REALM = "switchroom"
SWITCH = ("127.0.0.1", 5060)
CARRIER = ("127.0.0.1", 5090)

E_ = TypeVar("E_")


class LabCredentials:
    """Phones 1001-1050 with the passwords of the laboratory."""

    def ha1(self, user: str, algorithm: str) -> Sequence[str]:
        return [ha1(user, REALM, f"lab-{user}", algorithm)] if self.knows(user) else []

    def knows(self, number: str) -> bool:
        return number in PhoneRange(first="1001", last="1050")


TRUNKS = {
    "lab": TrunkSettings(name="lab", match=("127.0.0.1",), max_calls=8),
    "out": TrunkSettings(
        name="out",
        proxy_host=CARRIER[0],
        proxy_port=CARRIER[1],
        callers=frozenset({"1001", "1002"}),
        max_calls=2,
    ),
}

PLAN = NumberPlanSettings(
    entries=(EntrySettings(name="menu", numbers=("4000",)),),
    phones=(PhoneRange(first="1001", last="1050"), PhoneRange(first="2000", last="5999")),
    routes=(RouteSettings(trunk="out", prefixes=("+",), min_digits=7),),
    trunks=TRUNKS,
)


class Bench:
    """The switch under test, its phones, and the wire between them."""

    def __init__(
        self,
        settings: CallSettings | None = None,
        *,
        ports: int = 40,
        gateways: int = 1,
        real_gateway: Gateway | None = None,
        plan: NumberPlanSettings = PLAN,
        **options: Any,
    ) -> None:
        """With a `real_gateway` its owner tells when it is ready; `options` are those of `Calls`."""
        self.clock = VirtualClock()
        self._numbers = count(1)
        self._phones: dict[tuple[str, int], Phone] = {}
        self.kept = Kept()
        """What another process of the call agent would find."""
        self.kept_gateways: dict[str, str] = {}
        """The processes of gateways that it would find there, by the names of the gateways."""
        self.events: list[CallEvent] = []
        self.recordings = "/rec"
        self.faults_made = 0
        """Faults of the application that a test has caused."""
        self.react: Callable[[CallEvent], None] = self.let_pick_up
        self.gateways = [RecordingGateway(ports, number) for number in range(gateways)]
        self.gateway = self.gateways[0]
        self.wire: list[tuple[bytes, Flow, Phone | None]] = []
        """Datagrams under way: octets, the flow as its receiver sees it, None for the switch."""
        self.lose: Callable[[bytes], bool] = lambda _: False
        self.is_stepped = False
        """True while a test carries every datagram itself, with `deliver`."""

        self.location = Location(
            on_change=lambda phone, reachable: self.calls.phone_changed(phone, reachable)
        )
        self._settings = settings or CallSettings()
        self._plan = plan
        self._options = options
        self._make_switch(real_gateway)
        if real_gateway is None:
            for gateway in self.gateways:
                self._gateway_starts(gateway)
            self.events.clear()

    def _make_switch(self, real_gateway: Gateway | None = None) -> None:
        """A new process of the call agent, which knows nothing."""
        self.process = ProcessClock(self.clock)
        self.endpoint = Endpoint(new_branch=self.new_token)
        self.user_agent = UserAgent(
            self.endpoint,
            settings=UserAgentSettings(),
            new_token=self.new_token,
            contact=lambda flow: f"sip:{flow.local[0]}:{flow.local[1]}",
        )
        challenger = Challenger(
            settings=DigestSettings(realm=REALM), secret=b"s" * 32, new_token=self.new_token
        )
        credentials = LabCredentials()
        self.calls = Calls(
            user_agent=self.user_agent,
            gateways=Gateways([Member(each.name, each) for each in self.gateways])
            if real_gateway is None
            else alone(real_gateway),
            registrar=Registrar(
                location=self.location,
                challenger=challenger,
                credentials=credentials,
                settings=RegistrarSettings(),
            ),
            location=self.location,
            challenger=challenger,
            credentials=credentials,
            number_plan=NumberPlan(self._plan),
            trunks=self._plan.trunks,
            settings=self._settings,
            clock=self.process,
            sink=self._sink,
            new_id=self.new_id,
            recording_path=lambda recording, call: f"{self.recordings}/{call}/{recording}",
            flush=self._flush,
            **self._options,
        )

    def restart(
        self, plays: Mapping[PlayerId, LegId] | None = None, *, out_of_reach: int | None = None
    ) -> None:
        """Kill the call agent and let another one go on with what the first one wrote down.

        `plays`: the players that the application knows of; `out_of_reach`: a gateway that is not connected.
        """
        assert self.calls.faults == self.faults_made
        self.faults_made = 0
        self.process.die()
        for connection in tuple(self.location._by_connection):  # they end with the process
            self.location.drop_connection(connection)
        self.endpoint.datagrams_to_send()  # what is sent is on the wire, see `settle`
        self._make_switch()
        legs, invites, captures, music = self.kept.read()
        restore = self.calls.adoption.restore
        processes = self.kept_gateways
        assert restore(legs, invites, captures, music, lambda moment: moment, processes) == []
        for player, leg in (plays or {}).items():
            self.calls.adoption.play_on(player, leg)
        for number, gateway in enumerate(self.gateways):
            if number != out_of_reach:
                self.calls.gateway_ready(gateway.still_there(), gateway.name)
        self.calls.go_on()
        self.pump()

    # --- phones ---------------------------------------------------------------------------------

    def phone(self, number: str, *, address: tuple[str, int] | None = None) -> Phone:
        """Switch a phone on, with a static binding."""
        address = address or ("127.0.0.1", 7000 + len(self._phones))
        phone = Phone(number, address, SWITCH, self.clock, self.new_token, self.pump)
        self._phones[address] = phone
        flow = Flow(Transport.UDP, address, SWITCH)
        self.location.add_static(number, f"sip:{number}@{address[0]}:{address[1]}", flow)
        return phone

    def stranger(self, user: str, address: tuple[str, int] = ("127.0.0.1", 6900)) -> Phone:
        """A caller that is no phone of ours and has no binding."""
        phone = Phone(user, address, SWITCH, self.clock, self.new_token, self.pump)
        self._phones[address] = phone
        return phone

    # --- moving ---------------------------------------------------------------------------------

    def pump(self) -> None:
        """Carry every datagram and gateway event until nothing moves any more."""
        while not self.is_stepped:
            moved = self.settle()
            while self.wire:
                self.deliver(0)
                moved = True
            if not moved:
                return

    def settle(self) -> bool:
        """Let the switch finish its turn and collect what is sent; True when something moved."""
        self.calls.process(self.clock.now())
        self.clock.advance(0)
        moved = False
        for gateway in self.gateways:
            while gateway.events:
                moved = True
                self.calls.gateway_event(gateway.events.popleft())
        check_invariants(self.calls)
        self.kept.write(self.calls.adoption)
        for data, flow in self.endpoint.datagrams_to_send():
            phone = self._phones.get(flow.remote)
            if phone is not None:
                self.wire.append((data, Flow(Transport.UDP, flow.local, flow.remote), phone))
        for phone in self._phones.values():
            for data, _ in phone.endpoint.datagrams_to_send():
                self.wire.append((data, Flow(Transport.UDP, phone.address, SWITCH), None))
        return moved

    def deliver(self, index: int) -> None:
        """Carry one datagram to where it goes, or lose it."""
        data, flow, phone = self.wire.pop(index)
        if self.lose(data):
            return
        if phone is not None:
            phone.receive(data, flow)
        else:
            self.endpoint.receive_datagram(data, flow, self.clock.now())
            self.calls.process(self.clock.now())

    def advance(self, seconds: float) -> None:
        """Let time pass, timer by timer."""
        end = self.clock.now() + seconds
        while True:
            due = [t for t in self._timers() if t <= end]
            if not due:
                break
            self.clock.run_until(max(self.clock.now(), min(due)))
            now = self.clock.now()
            self.endpoint.handle_timer(now)
            self.user_agent.process(now)
            self.user_agent.handle_timer(now)
            for phone in self._phones.values():
                phone.handle_timer()
            self.settle()
            self.pump()
        self.clock.run_until(end)
        self.settle()
        self.pump()

    def lose_gateway(self, number: int = 0) -> None:
        gateway = self.gateways[number]
        gateway.stop()
        self.calls.gateway_lost("test", gateway.name)
        self.pump()

    def restart_gateway(self, number: int = 0) -> None:
        self._gateway_starts(self.gateways[number])
        self.pump()

    def _gateway_starts(self, gateway: RecordingGateway) -> None:
        welcome = gateway.start()
        self.kept_gateways[gateway.name] = welcome.gateway
        self.calls.gateway_ready(welcome, gateway.name)

    # --- looking --------------------------------------------------------------------------------

    def of(self, kind: type[E_]) -> list[E_]:
        """The events of one kind, oldest first."""
        return [event for event in self.events if isinstance(event, kind)]

    def ends(self) -> dict[LegId, EndCause]:
        """How legs ended; each leg once."""
        ended = self.of(LegEnded)
        assert len({event.leg for event in ended}) == len(ended), "a leg ended twice"
        return {event.leg: event.cause for event in ended}

    def leg_of(self, phone: str) -> LegId:
        """The last leg to or from a phone."""
        return next(e.leg for e in reversed(self.of(LegStarted)) if e.phone == phone)

    def new_call(self) -> CallId:
        return CallId(self.new_id("call"))

    def heard(self) -> dict[LegId, set[str]]:
        """Who hears whom, as the gateways have it; without those who hear nothing.

        What comes from a leg of another gateway is what that one hears.
        """
        at = {
            (gateway.address, port): (gateway, leg)
            for gateway in self.gateways
            for leg, port in gateway.legs.items()
        }
        behind: dict[str, set[str]] = {}
        ends: set[str] = set()
        for gateway in self.gateways:
            for leg, told in gateway.configured.items():
                found = at.get((told.remote_address, told.remote_port))
                if found is not None:
                    other, near = found
                    ends |= {leg, near}
                    behind[leg] = set(other.heard[near])
        return {
            leg: set[str]().union(*(behind.get(source, {source}) for source in row))
            for gateway in self.gateways
            for leg, row in gateway.heard.items()
            if row and leg not in ends
        }

    @property
    def music(self) -> PlayerId:
        player = self.calls.sound.matrix.music_player
        assert player is not None
        return player

    def let_pick_up(self, event: CallEvent) -> None:
        """An application that lets every phone have every direct call."""
        if not isinstance(event, PickUpAsked):
            return
        if not self.calls.replacements.pick_up(event.leg, event.ringing):
            self.calls.reject(event.leg, 403, "Forbidden")

    def check_clean(self) -> None:
        """Nothing is left of any call."""
        self.pump()
        assert self.calls.legs_alive == 0, self.calls.describe()
        assert self.calls.calls_alive == self.calls.direct_calls == 0
        assert len(self.calls.sound.wiring.crossings) == 0
        for gateway in self.gateways:
            assert gateway.legs == {}
            assert gateway.taken == set()
            assert gateway.free == gateway.all_ports
            assert gateway.recordings == {}
            assert set(gateway.players) <= {self.music}
            assert gateway.objections == []
        assert self.calls.faults == self.faults_made
        started = {event.leg for event in self.of(LegStarted)}
        assert set(self.ends()) == started
        self.check_order()

    def check_forgotten(self) -> None:
        """After the longest SIP timer nothing of any call is left anywhere, no timer either."""
        self.lose = lambda _: False
        self.advance(70)
        self.check_clean()
        assert self.user_agent.sessions_alive == 0
        assert self.endpoint.transactions_alive == 0
        assert self.clock.pending == 0
        assert self.kept.is_empty

    def check_order(self) -> None:
        """After its end a leg is heard of only in its statistics."""
        over: set[LegId] = set()
        for event in self.events:
            leg = getattr(event, "leg", None)
            if leg is not None and type(event).__name__ != "LegMeasured":
                assert leg not in over, f"after the end: {event}"
            if isinstance(event, LegEnded):
                over.add(event.leg)

    # --- inside ---------------------------------------------------------------------------------

    def new_token(self) -> str:
        return f"t{next(self._numbers)}"

    def new_id(self, prefix: str) -> str:
        return f"{prefix}-{next(self._numbers)}"

    def recording_ids(self) -> list[RecordingId]:
        return list(self.gateway.recordings)

    def _sink(self, event: CallEvent) -> None:
        self.events.append(event)
        self.react(event)

    def _flush(self) -> None:
        """The shell would send here; the wire is carried by `pump`."""

    def _timers(self) -> list[float]:
        timers = [
            self.clock.next_timer(),
            self.endpoint.get_timer(),
            self.user_agent.get_timer(),
        ]
        timers += [phone.get_timer() for phone in self._phones.values()]
        return [timer for timer in timers if timer is not None]
