"""The composition root: the one file that knows every concrete class.

`Node` is one running server. `start` brings up, in this order: store, gateway process, calls, contacts,
SIP sockets, API. `stop` takes them down in the reverse order; nothing of it stays behind.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import secrets
import sys
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, Final

from acd.agent_dial import AgentDial
from acd.contact_events import ContactEvent
from acd.contacts import Contacts
from acd.conversation import Conversation
from acd.core import Acd
from acd.distribution import Distribution
from acd.events import AcdEvent
from acd.inbound import Inbound
from acd.model import AgentId
from acd.settings import AcdSettings
from acd.waiting_room import WaitingRoom
from crm_store.numbers import normalise
from crm_store.store import Store
from cti.accounts import PhoneCredentials, accounts
from cti.agent_views import AgentViews
from cti.api.accounts import PasswordAccounts
from cti.api.ports import ApiPorts, ApiSettings
from cti.api.server import ApiServer
from cti.bus import Bus
from cti.customers import CustomerDesk, InteractionDesk
from cti.floor import Floor, PhoneAddress
from cti.flows import flows_of, prompt_folders
from cti.free_ports import free_port
from cti.history import HistoryProjection
from cti.ids import Ids, Tokens
from cti.midnight import Midnight
from cti.pops import PopService
from cti.recording_paths import RecordingPaths
from cti.recovery import GATEWAY_LOST, RecordingRecovery
from cti.settings import Settings, port_range
from cti.site import Routes, Site, site_of
from cti.status import StatusBoard
from cti.translate import Translator
from recordings.outcome import Outcome
from recordings.recover import Recovered, recover
from recordings.settings import RecordingSettings
from switch.calls.causes import EndCause, Result
from switch.calls.control import Calls
from switch.calls.events import CallEvent, PhoneReachable, RecordingClosed
from switch.calls.settings import CallSettings
from switch.gateway.client import GatewayClient
from switch.gateway.process import GatewayProcess
from switch.gateway.protocol import Event as GatewayEvent
from switch.gateway.protocol import RecordingFinished
from switch.registrar.location import Location
from switch.registrar.registrar import Registrar, RegistrarSettings
from switch.sip.digest import Challenger, DigestSettings
from switch.sip.endpoint import Endpoint
from switch.sip.flow import Flow, Transport
from switch.sip.uri import Uri
from switch.sip.user_agent import UserAgent
from switch.sip.user_agent_settings import UserAgentSettings
from switch.transport.clock import LoopClock
from switch.transport.pump import Pump
from switch.trunks.number_plan import NumberPlan

log = logging.getLogger(__name__)

_LAG_EVERY_S: Final = 0.25
_STOP_S: Final = 6.0
"""Bound of each step of the way down."""
_GOODBYE_S: Final = 0.3


class Node:
    """One server, on the running event loop."""

    def __init__(self, settings: Settings) -> None:
        """Read the flows and derive the site.

        Raises:
            SettingsError: the configuration or a flow cannot be used.
        """
        self.settings = settings
        self.site: Site = site_of(settings)
        self.flows = flows_of(settings)
        self.data = Path(settings.data.folder).absolute()
        self.sip_port = settings.sip.port or free_port()
        self.api_port = settings.api.port
        self.started = False
        self._tasks: asyncio.TaskGroup | None = None
        self._stopping = asyncio.Event()
        self._ready = asyncio.Event()

    # --- life -----------------------------------------------------------------------------------

    async def serve(self) -> None:
        """Start, run until `stop` is called, take everything down."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            try:
                await self._start()
                self.started = True
                self._ready.set()
                await self._stopping.wait()
            finally:
                self.started = False
                await self._take_down()

    def stop(self) -> None:
        """Ask for the end; `serve` returns when everything is down."""
        self._stopping.set()

    async def wait_ready(self) -> None:
        """Return once calls are accepted."""
        await self._ready.wait()

    async def _start(self) -> None:
        self.data.mkdir(parents=True, exist_ok=True)
        recovered = self._recover_recordings()
        self.clock = LoopClock()
        self.bus = Bus()
        self.new_id = Ids()
        self.store = await Store.open(
            self._database_url(),
            data_dir=self.data,
            region=self.settings.site.region,
            must_be_there=False,
        )
        self.recovery = RecordingRecovery(
            append=self.store.history.append,
            interaction=self.store.get_interaction,
            stopping=self._stopping,
        )
        if recovered:
            self._spawn(self.recovery.index(recovered))
        self._build_gateway()
        self._build_calls()
        self._build_contacts()
        self._project()
        await self._open_sip()
        await self._open_api()
        await self.gateway_process.start()
        self._every(_LAG_EVERY_S, self._measure_lag)
        Midnight(self.clock, self._new_day).watch()

    async def _take_down(self) -> None:
        """Reverse of `_start`; each step is bounded, and one that fails does not keep the others."""
        with contextlib.suppress(AttributeError):
            self.bus.close("shutdown")
        steps: tuple[tuple[str, Callable[[], Awaitable[None]]], ...] = (
            ("api", lambda: self.api.stop()),
            ("calls", self._end_calls),
            ("sip", lambda: self.pump.close()),
            ("gateway", lambda: self.gateway_process.stop()),
            ("store", lambda: self.store.close()),
        )
        for name, step in steps:
            try:
                async with asyncio.timeout(_STOP_S):
                    await step()
            except AttributeError:
                pass  # never came up
            except Exception:
                log.exception("stopping %s", name)

    async def _end_calls(self) -> None:
        for leg in self.calls.describe():
            self.calls.hang_up(leg.leg, EndCause(Result.COMPLETED, "shutdown"))
        await asyncio.sleep(_GOODBYE_S)  # the last BYEs and their answers are on the wire

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run beside the calls. A fault ends this task alone, never the node with all its calls."""
        assert self._tasks is not None
        return self._tasks.create_task(_alone(work))

    # --- media ----------------------------------------------------------------------------------

    def _build_gateway(self) -> None:
        media = self.settings.media
        low, high = port_range(media.ports, "media.ports")
        socket = self.data / "gateway.sock"
        self.gateway = GatewayClient(
            on_event=self._gateway_event,
            on_lost=lambda detail: self.gateway_process.lost(detail),
            ports_ahead=media.reserve,
        )
        command = [
            sys.executable,
            "-m",
            "cti.cli.main",
            "gateway",
            "--socket",
            str(socket),
            "--rtp-address",
            media.address,
            "--rtp-ports",
            f"{low}-{high}",
            "--rtp-timeout",
            str(media.rtp_timeout_s),
            "--linger",
            str(media.linger_s),
        ]
        for folder in prompt_folders(self.settings):
            command += ["--prompts", str(folder)]
        self.gateway_process = GatewayProcess(
            command,
            socket,
            self.gateway,
            on_ready=lambda welcome: self.calls.gateway_ready(welcome),
            on_lost=lambda detail: self.calls.gateway_lost(detail),
        )

    def _gateway_event(self, event: GatewayEvent) -> None:
        # One that an earlier call agent began, and that a gateway which outlived it closed for us.
        foreign = isinstance(event, RecordingFinished) and not self.recording_paths.knows(
            event.recording
        )
        self.board.gateway_event(event)
        self.calls.gateway_event(event)
        if foreign and isinstance(event, RecordingFinished):
            self._spawn(
                self.recovery.index_file(
                    Outcome(
                        recording=event.recording,
                        path=event.path,
                        duration_ms=event.duration_ms,
                        octets=event.octets,
                        sha256=event.sha256,
                        error=None,
                    )
                )
            )

    def _recover_recordings(self) -> list[Recovered]:
        self.recording_paths = RecordingPaths(RecordingSettings(folder=self.data / "recordings"))
        recovered = recover(self.data / "recordings")
        for found in recovered:
            log.warning("finished a recording that a crash left behind: %s", found)
        return recovered

    # --- signalling -----------------------------------------------------------------------------

    def _build_calls(self) -> None:
        sip = self.settings.sip
        new_token = Tokens()
        self.endpoint = Endpoint(new_branch=new_token)
        self.user_agent = UserAgent(
            self.endpoint,
            settings=UserAgentSettings(),
            new_token=new_token,
            contact=self._contact,
            jitter=random.random,
        )
        self.credentials = PhoneCredentials(self.settings.phones, sip.realm)
        self.location = Location(on_change=lambda aor, up: self.calls.phone_changed(aor, up))
        challenger = Challenger(
            settings=DigestSettings(realm=sip.realm),
            secret=secrets.token_bytes(32),
            new_token=new_token,
        )
        registrar = Registrar(
            location=self.location,
            challenger=challenger,
            credentials=self.credentials,
            settings=RegistrarSettings(domains=frozenset(sip.domains)),
        )
        self.pump = Pump(
            self.endpoint,
            self.clock,
            self._consume,
            timers=self.user_agent.get_timer,
            connection_closed=lambda number: self.calls.connection_closed(number),
        )
        self.plan = NumberPlan(self.site.plan)
        self.calls = Calls(
            user_agent=self.user_agent,
            gateway=self.gateway,
            registrar=registrar,
            location=self.location,
            challenger=challenger,
            credentials=self.credentials,
            number_plan=self.plan,
            trunks=self.site.trunks,
            settings=CallSettings(
                host=sip.host, sip_address=(sip.host, self.sip_port), max_calls=sip.max_calls
            ),
            clock=self.clock,
            sink=self._call_event,
            new_id=self.new_id,
            recording_path=lambda recording, call: self.recording_paths.make(
                recording, self._interaction_of(call), self.clock.wall()
            ),
            flush=self.pump.schedule_flush,
        )

        self.board = StatusBoard(
            clock=self.clock,
            calls=self.calls,
            contacts=lambda: self.contacts,
            user_agent=self.user_agent,
            endpoint=self.endpoint,
            registrar=registrar,
            pump=self.pump,
            history=self.store.history,
            pops=lambda: self.pops,
        )

    def _consume(self, now: float) -> None:
        """One turn of the pump: everything that reads what the endpoint found out."""
        self.user_agent.handle_timer(now)
        self.user_agent.process(now)
        self.calls.process(now)

    def _contact(self, flow: Flow) -> str:
        transport = "" if flow.transport is Transport.UDP else ";transport=tcp"
        return f"sip:switchroom@{self.settings.sip.host}:{self.sip_port}{transport}"

    async def _open_sip(self) -> None:
        sip = self.settings.sip
        await self.pump.listen_udp(sip.host, self.sip_port)
        await self.pump.listen_tcp(sip.host, self.sip_port)
        local = (sip.host, self.sip_port)
        for number in self.credentials.numbers():
            binding = self.credentials.binding(number)
            if binding:
                uri = Uri.parse(binding)
                flow = Flow(Transport.UDP, (uri.host, uri.port or 5060), local)
                self.location.add_static(number, binding, flow)

    # --- contacts -------------------------------------------------------------------------------

    def _build_contacts(self) -> None:
        site = self.site
        self.agents = AgentViews(
            bus=self.bus, wall_of=self._wall_of, agents=site.agents, at=self.clock.now()
        )
        self.translator = Translator(
            bus=self.bus,
            wall_of=self._wall_of,
            agents=self.agents,
            queue_titles=site.queue_titles,
        )
        self.acd = Acd(
            agents=site.agents, queues=site.queues, settings=AcdSettings(), now=self.clock.now()
        )
        routes = Routes(self.plan)
        floor_of_pops = _LateFloor(self)
        self.pops = PopService(
            bus=self.bus,
            clock=self.clock,
            lookup=floor_of_pops,
            floor=floor_of_pops,
            normalise=self._normalise,
            queue_titles=site.queue_titles,
            spawn=self._spawn,
        )
        self.contacts = Contacts(
            control=self.calls, clock=self.clock, pops=self.pops, report=self._report
        )
        self.conversation = Conversation(self.calls, self.clock, self._report)
        waiting_room = WaitingRoom(self.calls, self.clock, self._report)
        self.distribution = Distribution(
            acd=self.acd,
            contacts=self.contacts,
            waiting_room=waiting_room,
            control=self.calls,
            clock=self.clock,
            pops=self.pops,
            report=self._report,
        )
        self.agent_dial = AgentDial(
            contacts=self.contacts,
            conversation=self.conversation,
            control=self.calls,
            clock=self.clock,
            routes=routes,
            new_id=self.new_id,
            report=self._report,
        )
        self.inbound = Inbound(
            distribution=self.distribution,
            contacts=self.contacts,
            conversation=self.conversation,
            waiting_room=waiting_room,
            control=self.calls,
            clock=self.clock,
            entries=site.entries,
            flows=self.flows,
            agents={agent.agent: AgentId(agent.agent) for agent in site.agents},
            routes=routes,
            new_id=self.new_id,
            report=self._report,
        )
        self.floor = Floor(
            distribution=self.distribution,
            contacts=self.contacts,
            conversation=self.conversation,
            agent_dial=self.agent_dial,
            translator=self.translator,
            secrets=self.credentials,
            phone_address=self._phone_address,
            agent_queues=site.agent_queues,
            dispositions=site.dispositions,
            not_ready_reasons=self.settings.site.not_ready_reasons,
            site=self.settings.site.name,
            clock=self.clock,
        )
        self.floor.pops = self.pops
        self.customers = CustomerDesk(self.store, self.floor)
        self.history = InteractionDesk(
            store=self.store,
            bus=self.bus,
            translator=self.translator,
            codes=frozenset(d.code for d in site.dispositions),
        )
        self.distribution.begin()

    def _call_event(self, event: CallEvent) -> None:
        """Everything the calls report passes here, once, in order."""
        if isinstance(event, RecordingClosed) and event.error == GATEWAY_LOST:
            # What the dead gateway wrote is on the disk; the event follows when the file is whole.
            self._spawn(self.recovery.resolve(event, self.translator.call_event))
            return
        self.agent_dial.handle(event)
        self.inbound.handle(event)
        self.translator.call_event(event)
        self.board.call_event(event)
        if isinstance(event, PhoneReachable) and event.phone in self.site.agent_queues:
            self.agents.presence(event.phone, event.at, phone=event.reachable)

    def _wall_of(self, at: float) -> float:
        """Seconds since the epoch of a moment on our monotonic clock."""
        return self.clock.wall() - (self.clock.now() - at)

    def _report(self, event: AcdEvent | ContactEvent) -> None:
        self.translator.report(event)

    def _normalise(self, number: str) -> str:
        return normalise(number, self.settings.site.region).value if number else ""

    def _interaction_of(self, call: str) -> str:
        contact = self.contacts.of_call(call)  # type: ignore[arg-type]  # CallId is a str
        return call if contact is None else contact.id

    def _phone_address(self) -> PhoneAddress:
        sip = self.settings.sip
        return PhoneAddress(host=sip.host, port=self.sip_port, transport="udp", realm=sip.realm)

    # --- history and API ------------------------------------------------------------------------

    def _project(self) -> None:
        projection = HistoryProjection(
            append=self.store.history.append,
            agent_name=lambda agent: self.site.agent_names.get(agent, agent),
            recording_path=self.recording_paths.of,
        )
        self.bus.listen(projection.on_event)

    async def _open_api(self) -> None:
        ports = ApiPorts(
            accounts=PasswordAccounts(accounts(self.settings)),
            floor=self.floor,
            customers=self.customers,
            history=self.history,
            health=self._health,
            bus=self.bus,
            status=self.board.status,
        )
        api = self.settings.api
        self.api = ApiServer(ports, ApiSettings(token_secret=self._token_secret()))
        await self.api.start(api.host, api.port)
        self.api_port = self.api.port

    def _health(self) -> tuple[bool, str]:
        if not self.started:
            return False, "starting"
        if not self.calls.accepts_calls:
            return False, "no media gateway is connected"
        return True, "calls are accepted"

    def _token_secret(self) -> bytes:
        """Kept over restarts, so that nobody has to sign on anew after an upgrade."""
        path = self.data / "token-secret"
        if not path.exists():
            path.touch(mode=0o600)
            path.write_bytes(secrets.token_bytes(32))
        return path.read_bytes()

    def _database_url(self) -> str:
        return self.settings.data.database or f"sqlite:///{self.data / 'switchroom.db'}"

    # --- clockwork ------------------------------------------------------------------------------

    def _every(self, seconds: float, work: Any) -> None:
        due = self.clock.now() + seconds

        def run() -> None:
            if not self._stopping.is_set():
                work(self.clock.now() - due)
                self._every(seconds, work)

        self.clock.call_at(due, run)

    def _measure_lag(self, lag: float) -> None:
        self.calls.overload.report_loop_lag(max(0.0, lag))

    def _new_day(self) -> None:
        if not self._stopping.is_set():
            self.distribution.new_day()


async def _alone(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except Exception:
        log.exception("a task beside the calls failed")


class _LateFloor:
    """Pops need the floor and the customers, which need the contacts, which need the pops."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def has_desk(self, agent_id: str) -> bool:
        return self._node.floor.has_desk(agent_id)

    def live(self, interaction_id: str) -> Any:
        return self._node.floor.live(interaction_id)

    def facts(self, interaction_id: str) -> dict[str, str]:
        return self._node.floor.facts(interaction_id)

    def link(self, interaction_id: str, customer: Any, how: str) -> None:
        self._node.floor.link(interaction_id, customer, how)

    async def by_number(self, number: str) -> Any:
        return await self._node.customers.by_number(number)
