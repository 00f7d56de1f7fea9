"""The switch of a node, put together: SIP sockets, transactions, sessions, calls, media gateway."""

from __future__ import annotations

import asyncio
import random
import secrets
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from cti.accounts import PhoneCredentials
from cti.bans import guard_settings
from cti.capture import Capture
from cti.carriers import CarrierAddresses, Carriers
from cti.certificates import Certificates
from cti.flows import tunes_of
from cti.ids import Tokens
from cti.listening import ListenAddresses
from cti.media_gateways import MediaGateways
from cti.park_settings import park_slots
from cti.settings import Settings, expand
from cti.settings_check import dns_server
from cti.sip_addresses import SipAddresses, media_address
from cti.site import Site
from cti.stir import Stir
from switch.calls.control import Calls
from switch.calls.events import CallSink
from switch.calls.settings import CallSettings
from switch.clock import Clock
from switch.gateway.place import TcpPlace
from switch.gateway.protocol import Event as GatewayEvent
from switch.guard.bans import Ban
from switch.guard.forwarded import Forwarded
from switch.guard.guard import Guard
from switch.guard.watch import SipWatch
from switch.ids import CallId, RecordingId
from switch.presence.service import Presence
from switch.presence.settings import PresenceSettings, Watch
from switch.registrar.location import Location
from switch.registrar.registrar import Registrar, RegistrarSettings
from switch.sip.digest import Challenger, DigestSettings
from switch.sip.endpoint import Endpoint
from switch.sip.flow import Flow, Transport
from switch.sip.limits import EndpointLimits
from switch.sip.uri import Uri
from switch.sip.user_agent import UserAgent
from switch.sip.user_agent_settings import UserAgentSettings
from switch.srtp.certificate import own_dtls_certificate
from switch.transport.limits import TransportLimits
from switch.transport.pump import Pump
from switch.transport.tls import TlsContexts
from switch.trunks.number_plan import NumberPlan

PORT_KEYS: Final = {
    Transport.UDP: "port",
    Transport.TCP: "port",
    Transport.TLS: "tls_port",
    Transport.WS: "ws_port",
    Transport.WSS: "wss_port",
}
"""In the section `sip` of the configuration."""


def sip_ports(settings: Settings, sip_port: int) -> dict[Transport, int]:
    """The ports to listen at; `sip_port` is the one for UDP and TCP, also where any free one will do."""
    ports = {
        kind: sip_port if key == "port" else getattr(settings.sip, key)
        for kind, key in PORT_KEYS.items()
    }
    return {kind: port for kind, port in ports.items() if port}


class Switching:
    """Everything below the contacts. Made on the running loop; opens nothing until `open`."""

    def __init__(
        self,
        *,
        settings: Settings,
        site: Site,
        data: Path,
        sip_port: int,
        clock: Clock,
        new_id: Callable[[str], str],
        sink: CallSink,
        gateway_sink: Callable[[str, GatewayEvent], None],
        recording_path: Callable[[RecordingId, CallId], str],
        stir: Stir,
        remotes: Mapping[str, TcpPlace],
    ) -> None:
        """`sink` takes what the calls report, `gateway_sink` sees a gateway's events before they do.

        `remotes` are the places of gateways on other machines.
        """
        self._settings = settings
        self._sip_port = sip_port
        self._gateway_sink = gateway_sink
        self.at_turn_end: Callable[[], None] = lambda: None
        """Called when all of a turn is decided, before its messages are sent."""
        new_token = Tokens()
        sip = settings.sip
        self.on_ban: Callable[[Ban], None] = lambda ban: None
        """Called when a source is banned."""
        self.guard = Guard(guard_settings(settings, site), on_ban=lambda ban: self.on_ban(ban))
        self.watch = SipWatch(self.guard)
        agent = UserAgentSettings(
            session_interval_s=sip.session_interval_s,
            session_min_s=sip.session_min_s,
            max_sessions=max(UserAgentSettings().max_sessions, 2 * sip.max_calls),
        )
        ports = sip_ports(settings, sip_port)
        self.addresses = SipAddresses(sip, ports)
        self.tls = TlsContexts(sip.trusted_ca)
        self.certificates = Certificates(sip, data, self.tls, clock.wall)
        room = settings.limits.max_transactions
        self.endpoint = Endpoint(
            new_branch=new_token,
            allow=agent.allow,
            supported=agent.supported,
            sent_by=self.addresses.sent_by,
            limits=EndpointLimits(max_transactions=room, max_strangers=room // 4),
            doorkeeper=self.watch,
        )
        self.user_agent = UserAgent(
            self.endpoint,
            settings=agent,
            new_token=new_token,
            contact=self.addresses.contact,
            jitter=random.random,
        )
        self.credentials = PhoneCredentials(settings.phones, sip.realm)
        self.location = Location(on_change=lambda aor, up: self.calls.phone_changed(aor, up))
        self.location.on_again.append(lambda aor: self.calls.phone_registered_again(aor))
        challenger = self.challenger = Challenger(
            settings=DigestSettings(realm=sip.realm, algorithms=sip.digests),
            secret=secrets.token_bytes(32),
            new_token=new_token,
            witness=self.watch,
        )
        self.registrar = Registrar(
            location=self.location,
            challenger=challenger,
            credentials=self.credentials,
            settings=RegistrarSettings(
                domains=frozenset(sip.domains),
                service_route=sip.service_route,
                default_expires_s=min(3600, sip.most_expires_s),
                min_expires_s=min(sip.least_expires_s, sip.most_expires_s),
                max_expires_s=sip.most_expires_s,
            ),
        )
        self.pump = Pump(
            self.endpoint,
            clock,
            self._consume,
            timers=self.user_agent.get_timer,
            connection_closed=lambda number: self.calls.connection_closed(number),
            limits=TransportLimits(
                max_connections=settings.limits.max_connections,
                max_connections_per_address=settings.limits.max_connections // 2,
                max_strangers=settings.limits.max_connections // 4,
            ),
            guard=self.guard,
            tls=self.tls,
        )
        self.capture = Capture(settings.capture, clock)
        self.pump.observers = self.capture.observers
        self.pump.streams.origins = sip.origins
        self.pump.streams.forwarded = Forwarded(sip.proxies)
        self._dtls_certificate = data / "tls" / "dtls.pem"
        self.gateways = MediaGateways(
            settings,
            data,
            certificate=self._dtls_certificate,
            on_event=self._gateway_event,
            remotes=remotes,
        )
        self.plan = NumberPlan(site.plan)
        self.presence = Presence(
            user_agent=self.user_agent,
            challenger=challenger,
            credentials=self.credentials,
            plan=self.plan,
            location=self.location,
            settings=PresenceSettings(
                host=sip.host,
                watch=Watch(settings.presence.watch),
                see_numbers=frozenset(
                    number
                    for numbers in settings.presence.see_numbers
                    for number in expand(numbers, "presence.see_numbers")
                ),
                texts_a_minute=settings.presence.texts_a_minute,
                places=frozenset(park_slots(settings.park)),
            ),
            contact=self.addresses.contact,
            new_token=new_token,
            clock=clock,
            flush=self.pump.schedule_flush,
        )
        addresses = CarrierAddresses(
            site.trunks,
            tls=self.tls,
            guard=self.guard,
            clock=clock,
            dns=[dns_server(each) for each in sip.dns],
            ipv6=any(":" in host for host in (sip.host, *sip.more_hosts)),
        )
        self.calls = Calls(
            user_agent=self.user_agent,
            gateways=self.gateways.registry,
            registrar=self.registrar,
            location=self.location,
            challenger=challenger,
            credentials=self.credentials,
            number_plan=self.plan,
            trunks=site.trunks,
            settings=CallSettings(
                host=self.addresses.own_host,
                sip_address=(sip.host, sip_port),
                media_address=media_address(self.gateways.advertised, self.addresses.near),
                max_calls=sip.max_calls,
                codecs=settings.media.codecs,
                tunes=tunes_of(settings),
            ),
            clock=clock,
            sink=sink,
            new_id=new_id,
            recording_path=recording_path,
            flush=self.pump.schedule_flush,
            addresses=addresses,
            peer_names=self._peer_names,
            verifier=stir.verifier,
            signer=stir.signer,
            draw=random.random,
            srtp_of_phone=self.credentials.srtp,
            dtmf_of_phone=self.credentials.dtmf,
        )
        self.gateways.calls = self.calls
        self.calls.attach(self.presence)
        self.listening = ListenAddresses(())
        self.carriers = Carriers(
            site.trunks,
            addresses=addresses,
            user_agent=self.user_agent,
            calls=self.calls,
            contact=self.addresses.contact,
            host=sip.host,
            local=(sip.host, sip_port),
            new_token=new_token,
            clock=clock,
            flush=self.pump.schedule_flush,
        )

    async def open(self, *, held: bool = False) -> None:
        """Bind the SIP sockets, place the fixed phones, start the gateways. Raises OSError.

        `held`: what comes in waits for `pump.release`, because calls have to be taken up first.
        """
        if held:
            self.pump.hold()
        if self.gateways.local_names:
            _must_be_ours(self._settings.media.address)
        self.certificates.load()
        for host in (self._settings.sip.host, *self._settings.sip.more_hosts):
            for kind, port in sip_ports(self._settings, self._sip_port).items():
                await self._listen(kind, host, port)
        local = (self._settings.sip.host, self._sip_port)
        for number in self.credentials.numbers():
            binding = self.credentials.binding(number)
            if binding:
                uri = Uri.parse(binding)
                flow = Flow(Transport.UDP, (uri.host.strip("[]"), uri.port or 5060), local)
                self.location.add_static(number, binding, flow)
        if self._settings.media.dtls:
            self.calls.media.policies.fingerprint = await asyncio.to_thread(
                own_dtls_certificate, self._dtls_certificate, time.time()
            )
        sip, media = self._settings.sip, self._settings.media
        sound = (media.address,) if self.gateways.local_names else ()
        self.listening = ListenAddresses((sip.host, *sip.more_hosts, *sound))
        await self.gateways.start()
        self.carriers.start()

    async def close(self) -> None:
        """Send what is waiting, then close every SIP socket, and report no more to a capture server."""
        await self.pump.close()
        self.capture.close()

    async def _listen(self, kind: Transport, host: str, port: int) -> None:
        try:
            await self.pump.listen(kind, host, port)
        except OSError as error:
            where = f"sip.{PORT_KEYS[kind]}: {host}:{port}"
            raise OSError(error.errno, f"{where}: {error.strerror}") from error

    def _consume(self, now: float) -> None:
        """One turn of the pump: everything that reads what the endpoint found out."""
        self.user_agent.handle_timer(now)
        self.user_agent.process(now)
        self.calls.process(now)
        self.at_turn_end()

    def _peer_names(self, connection: int) -> Sequence[str]:
        identity = self.pump.streams.identity_of(connection)
        return () if identity is None else identity.names

    def _gateway_event(self, name: str, event: GatewayEvent) -> None:
        self._gateway_sink(name, event)
        self.calls.gateway_event(event)


def _must_be_ours(address: str) -> None:
    """Raise OSError where no RTP socket can be bound: every call would be refused for want of a port."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))
    except OSError as error:
        words = f"{error.strerror}; set it to an address of this machine, see `ip -brief address`"
        raise OSError(error.errno, f"media.address: {address}: {words}") from error
