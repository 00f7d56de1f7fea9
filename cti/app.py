"""The composition root: one running server.

    Node
    ├── store      crm_store.store       customers and history
    ├── Switching  cti.switching         SIP, calls, the gateway process
    ├── Centre     cti.centre            contacts, distribution, pops, floor
    └── api        cti.api.server        HTTP and WebSocket

`serve` brings them up in this order and takes them down in the reverse one; nothing stays behind.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from acd.closing_time import SHUTDOWN
from crm_store.store import Store
from cti.api.counters import ApiCounters
from cti.api.ports import ApiSettings
from cti.api_ports import api_ports, take_port
from cti.bans import Bans
from cti.bus import Bus
from cti.call_records import CallRecords
from cti.calls_desk import CallsDesk
from cti.centre import Centre
from cti.certificate_check import check_certificates
from cti.continuity import Continuity
from cti.counted import counted
from cti.data_folder import claim, token_secret, why_not_writable
from cti.draining import Draining
from cti.floor import PhoneAddress
from cti.flows import flows_of
from cti.free_ports import free_port
from cti.history import KEPT, HistoryProjection
from cti.huge_pages import HugePages
from cti.ids import Ids
from cti.lag_watch import LagWatch
from cti.left_behind import LeftBehind
from cti.media_gateways import remote_places
from cti.metrics.sources import Sources
from cti.midnight import Midnight
from cti.phones import Phones
from cti.recording_paths import RecordingPaths
from cti.settings import Settings
from cti.settings_check import dns_server
from cti.side_tasks import alone, bounded
from cti.site import site_of
from cti.status import StatusBoard
from cti.stir import Stir
from cti.switching import Switching
from cti.tidying import Tidying
from recordings.settings import RecordingSettings
from switch.calls.captures import GATEWAY_LOST
from switch.calls.events import CallEvent, RecordingClosed
from switch.calls.fan_out import FanOut
from switch.gateway.protocol import Event as GatewayEvent
from switch.gateway.protocol import RecordingFinished
from switch.transport.clock import LoopClock

if TYPE_CHECKING:
    from cti.api.server import ApiServer

log = logging.getLogger(__name__)

_GOODBYE_S: Final = 0.3
"""So long the last BYEs and their answers may take."""


class Node:
    """One server, on the running event loop."""

    def __init__(self, settings: Settings) -> None:
        """Read the flows and derive the site.

        Raises:
            SettingsError: the configuration, a flow or a secret cannot be used.
        """
        self.settings = settings
        self.data = Path(settings.data.folder).absolute()
        self.sip_port = settings.sip.port or free_port()
        self.api_port = settings.api.port
        self._site = site_of(settings)
        self._flows = flows_of(settings)
        self._remotes = remote_places(settings)
        check_certificates(settings)
        self._stir = Stir(
            settings.stir,
            spawn=lambda work: self._spawn(work),
            now=monotonic,
            dns=[dns_server(each) for each in settings.sip.dns],
        )
        self._serving = False
        self._tasks: asyncio.TaskGroup | None = None
        self._asked = asyncio.Event()
        self._at_once = False
        self._draining: Draining | None = None
        self._took_up = False
        """Calls of an earlier process are ours, to be gone on with and to be ended."""
        self._api: ApiServer
        self._stopping = asyncio.Event()
        """Calls may go on after `stop` was asked for; not after this."""
        self._ready = asyncio.Event()

    async def serve(self) -> None:
        """Start, run until `stop` is called, take everything down. Raises OSError."""
        async with asyncio.TaskGroup() as tasks, AsyncExitStack() as way_down:
            self._tasks = tasks
            await self._start(way_down)
            self._serving = True
            self._ready.set()
            await self._asked.wait()
            await self._drain()
            self._serving = False
            self._stopping.set()

    def stop(self, *, at_once: bool = False) -> None:
        """Ask for the end; `serve` returns when everything is down.

        Calls that run may finish first, up to the configured limit; not `at_once`, nor when asked
        a second time.
        """
        if at_once or self._asked.is_set():
            self._at_once = True
            if self._draining is not None:
                self._draining.hurry()
        self._asked.set()

    async def _drain(self) -> None:
        assert self._draining is not None
        if self._at_once:
            self._draining.hurry()
        await self._draining.run()

    async def wait_ready(self) -> None:
        """Return once calls are accepted."""
        await self._ready.wait()

    # --- up and down ----------------------------------------------------------------------------

    async def _start(self, way_down: AsyncExitStack) -> None:
        """Bring everything up; what is up is put on `way_down` at once."""

        def down(name: str, step: Callable[[], Awaitable[None]]) -> None:
            way_down.push_async_callback(bounded, name, step)

        way_down.callback(claim(self.data))
        recordings = self.data / "recordings"
        if why := why_not_writable(recordings):
            log.error("calls will not be recorded: %s; change what is there, or its owner", why)
        self._recording_paths = RecordingPaths(RecordingSettings(folder=recordings))
        assert self._tasks is not None
        self._clock = LoopClock()
        self._left_behind = LeftBehind(recordings, self._tasks, self._stopping, self._clock.wall)
        self._bus = Bus()
        self._store = await Store.open(
            self.settings.data.database or f"sqlite:///{self.data / 'switchroom.db'}",
            data_dir=self.data,
            region=self.settings.site.region,
            must_be_there=False,
        )
        down("store", self._store.close)
        self._left_behind.use(self._store)
        down("recovered recordings", self._left_behind.index)
        self._spawn(self._left_behind.index())
        api = take_port(self.settings.api)
        way_down.callback(api.close)
        self._compose()
        down("campaigns", self._centre.campaigns.close)
        down("journal", self._close_journal)
        down("gateway", self._stop_gateway)
        down("sip", self._switching.close)
        down("calls", self._end_calls)
        # Calls first: an earlier process may have left some that wait to be taken up.
        await self._switching.open(held=self._continuity.has_calls)
        if self._switching.carriers.addresses.is_needed:
            looking = self._spawn(self._switching.carriers.addresses.run())
            way_down.callback(looking.cancel)
        self._took_up = True
        self._continuity.resume()
        self._phones.resume()
        await self._open_api(api)
        down("api", self._api.stop)
        way_down.callback(self._bus.close, "shutdown")
        self._centre.campaigns.start()
        self._lags.watch()
        way_down.callback(self._lags.stop)
        Midnight(self._clock, self._new_day).watch()
        way_down.callback(HugePages(self._clock, self._spawn).watch())
        Tidying(self._clock, lambda: self._switching.calls.calls_alive).watch()

    def _compose(self) -> None:
        new_id = Ids()
        self._switching = Switching(
            settings=self.settings,
            site=self._site,
            data=self.data,
            sip_port=self.sip_port,
            clock=self._clock,
            new_id=new_id,
            sink=self._call_event,
            gateway_sink=self._gateway_event,
            recording_path=lambda recording, call: self._recording_paths.make(
                recording, self._centre.interaction_of(call), self._clock.wall()
            ),
            stir=self._stir,
            remotes=self._remotes,
        )
        self._lags = LagWatch(self._clock, self._switching)
        self._centre = Centre(
            settings=self.settings,
            site=self._site,
            flows=self._flows,
            clock=self._clock,
            bus=self._bus,
            store=self._store,
            switching=self._switching,
            new_id=new_id,
            phone_address=self._phone_address,
            spawn=self._spawn,
        )
        self._board = StatusBoard(
            clock=self._clock,
            gateways=self._switching.gateways,
            calls=self._switching.calls,
            contacts=self._centre.contacts,
            user_agent=self._switching.user_agent,
            endpoint=self._switching.endpoint,
            registrar=self._switching.registrar,
            pump=self._switching.pump,
            history=self._store.history,
            pops=self._centre.pops,
            watch=self._switching.watch,
        )
        self._phones = Phones(
            presence=self._switching.presence,
            calls=self._switching.calls,
            credentials=self._switching.credentials,
            agents=self._centre.agents,
            agent_of=self._centre.agent_of,
            parked=self._centre.translator.parked,
            bus=self._bus,
        )
        self._records = CallRecords(
            calls=self._switching.calls,
            user_agent=self._switching.user_agent,
            location=self._switching.location,
            clock=self._clock,
            append=self._store.history.append,
            interaction_of=self._centre.contact_of,
            new_id=new_id,
            bus=self._bus,
        )
        self._switching.capture.follow(self._records)
        self._calls_desk = CallsDesk(
            store=self._store,
            records=self._records,
            trace=self._switching.capture.trace,
            clock=self._clock,
            keep_days=self.settings.data.call_records_days,
        )
        self._bans = Bans(
            guard=self._switching.guard,
            clock=self._clock,
            bus=self._bus,
            cut=self._switching.pump.streams.cut_source,
        )
        self._switching.on_ban = self._bans.begun
        self._draining = Draining(
            limit_s=self.settings.server.drain_s,
            language=self.settings.site.language,
            clock=self._clock,
            calls=self._switching.calls,
            close_door=self._close_door,
            end_contacts=self._centre.closing_time.end_all,
            tell=self._centre.server_changed,
        )
        projection = HistoryProjection(
            append=self._store.history.append,
            agent_name=lambda agent: self._site.agent_names.get(agent, agent),
            recording_path=self._recording_paths.of,
        )
        self._bus.listen(projection.on_event, *KEPT)
        self._centre.distribution.begin()
        self._continuity = Continuity(
            data=self.data,
            clock=self._clock,
            bus=self._bus,
            switching=self._switching,
            centre=self._centre,
            history=projection,
            recording_paths=self._recording_paths,
            bans=self._bans,
        )
        self._records.restore()
        parts = (self._phones, self._continuity.journal, self._board, self._draining)
        takes = (*self._centre.takes, *(part.takes for part in parts))
        self._hand_out = FanOut(self._records.takes, *takes)  # first: contacts end with their legs

    async def _open_api(self, listener: socket.socket) -> None:
        # Not at the top: its libraries take as long to load as all the rest, and calls wait.
        from cti.api.server import ApiServer

        sources = Sources(
            settings=self.settings,
            clock=self._clock,
            switching=self._switching,
            centre=self._centre,
            history=self._store.history,
            bus=self._bus,
            board=self._board,
            journal=self._continuity.journal,
            records=self._records,
            lag=self._lags.lag,
            waits=self._lags.waits,
            api=ApiCounters(),
            tasks=lambda: len(asyncio.all_tasks()),
        )
        ports = api_ports(
            sources,
            bans=self._bans,
            phones=self._phones,
            calls=self._calls_desk,
            health=self._health,
        )
        secret, proxies = token_secret(self.data), self.settings.api.proxies
        self._api = ApiServer(ports, ApiSettings(token_secret=secret, proxies=proxies))
        await self._api.serve(listener)
        self._api.expect_desks(self._continuity.desks)
        self.api_port = self._api.port

    async def _close_journal(self) -> None:
        await self._continuity.close(taken_up=self._took_up)

    async def _stop_gateway(self) -> None:
        """End the gateways; a start that failed leaves alone what an earlier process left talking."""
        if not self._took_up and self._continuity.has_calls:
            log.error(
                "%d calls of an earlier process are left alone, with their media gateway: they go"
                " on if another start succeeds within %.0f s",
                self._switching.calls.calls_alive,
                self.settings.media.linger_s,
            )
            self._switching.gateways.leave()
        await self._switching.gateways.stop()

    async def _end_calls(self) -> None:
        if not self._took_up:
            return
        calls = self._switching.calls
        for leg in calls.describe():
            calls.hang_up(leg.leg, SHUTDOWN)
        await asyncio.sleep(_GOODBYE_S)
        self._records.close()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run beside the calls. A fault ends this task alone, never the node with all its calls."""
        assert self._tasks is not None
        return self._tasks.create_task(alone(work))

    # --- what passes through --------------------------------------------------------------------

    def _call_event(self, event: CallEvent) -> None:
        """Everything the calls report passes here, once, in order."""
        if isinstance(event, RecordingClosed) and event.error == GATEWAY_LOST:
            self._spawn(self._left_behind.resolve(event, self._hand_out))
            return
        self._hand_out(event)

    def _gateway_event(self, gateway: str, event: GatewayEvent) -> None:
        """The gateways' events on their way to the calls."""
        self._board.gateway_event(gateway, event)
        if not isinstance(event, RecordingFinished):
            return
        if self._recording_paths.knows(event.recording):
            self._left_behind.told(event)
        else:
            # An earlier call agent began it, or we gave it up; the gateway closed it for us.
            self._spawn(self._left_behind.index_file(event))

    def _close_door(self) -> None:
        self._centre.close_door()
        self._switching.carriers.leave()

    def _phone_address(self) -> PhoneAddress:
        sip = self.settings.sip
        return PhoneAddress(host=sip.host, port=self.sip_port, transport="udp", realm=sip.realm)

    def _health(self) -> tuple[bool, str]:
        if not self._serving:
            return False, "starting"
        if self._draining is not None and self._draining.has_begun:
            return False, f"draining: {counted(self._draining.calls_left, 'call')} left"
        if not self._switching.calls.accepts_calls:
            return False, self._switching.gateways.why_no_calls
        if lost := self._switching.listening.lost:
            return False, f"{', '.join(lost)} is no address of this machine any more"
        return True, "calls are accepted"

    def reload(self) -> None:
        """Take the TLS certificate anew, as its files are now; what cannot be read stays as it was."""
        if self._serving:
            self._switching.certificates.reload()

    def _new_day(self) -> None:
        if not self._stopping.is_set():
            self._switching.certificates.reload(is_asked=False)
            self._centre.distribution.new_day()
            self._centre.campaigns.dialer.new_day()
            self._continuity.new_day()
            self._spawn(self._calls_desk.drop_old())
