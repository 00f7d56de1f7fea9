"""The carriers of a node: names looked up, registrations and OPTIONS, beside the calls."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from cti.tls_places import Place, TlsPlaces, places_of
from switch.calls.control import Calls
from switch.clock import Clock
from switch.guard.guard import Guard
from switch.sip.flow import Flow, Transport
from switch.sip.user_agent import UserAgent
from switch.transport.locating import Wanted
from switch.transport.resolver import DnsResolver
from switch.transport.tls import TlsContexts, TlsPeer
from switch.trunks.probes import Probes
from switch.trunks.registrations import Registrations
from switch.trunks.settings import TrunkSettings
from switch.trunks.targets import Server, Target
from switch.trunks.upkeep import Upkeep

log = logging.getLogger(__name__)

_MOST_UNNAMED: Final = 1000
"""Names that a certificate had not; of those beyond the first is forgotten."""
_WHY: Final = {
    False: "%s is not called at %s port %d: %s is there, with other TLS settings; give their trunks the same",
    True: "%s is not called at %s port %d until the next start: %s is there, and its certificate has not"
    " both names",
}
"""By whether the certificate was looked at."""


class CarrierAddresses:
    """The addresses of all servers of carriers, looked up ahead; satisfies `TargetSource`.

    Made on the running loop; `run` has to run where a server is named.
    """

    def __init__(
        self,
        trunks: Mapping[str, TrunkSettings],
        *,
        tls: TlsContexts,
        guard: Guard,
        clock: Clock,
        dns: Sequence[tuple[str, int]] = (),
        ipv6: bool = False,
    ) -> None:
        """`guard` hears of their addresses, which are no strangers; `tls` learns who they must be.

        `dns` are the servers to ask for names, `ipv6` tells whether we reach such addresses.
        """
        self._tls = tls
        self._guard = guard
        self._clock = clock
        self._peers = {
            server: TlsPeer(
                server_name=server.host,
                ca_file=trunk.tls.authorities,
                pins=trunk.tls.pins,
                certificate=trunk.tls.certificate,
                key=trunk.tls.key,
            )
            for trunk in trunks.values()
            for server in servers_of(trunk)
        }
        self._places = TlsPlaces({}, {})
        self._unnamed: dict[tuple[str, Place], None] = {}
        tls.unnamed = self._is_unnamed
        self.resolver = DnsResolver(servers=dns, ipv6=ipv6, changed=self._changed)

    def watch(self) -> None:
        """Begin to look up; once TLS is set up."""
        for server in self._peers:
            if not server.is_address:
                self.resolver.watch(_wanted(server))
        self._settle()

    def targets(self, server: Server) -> Sequence[Target]:
        """The addresses of a server, in the order in which they shall be tried; empty: none known."""
        found = self._found(server)
        taken = self._places.taken
        if not taken:
            return found
        return [each for each in found if not _is_tls(each) or (server, _place(each)) not in taken]

    def _found(self, server: Server) -> Sequence[Target]:
        """Its addresses, whoever else is there."""
        if server.is_address:
            return (server.target,)
        return [
            Target(found.transport, *found.address)
            for found in self.resolver.targets(_wanted(server))
        ]

    @property
    def is_needed(self) -> bool:
        """Whether a server is written by its name, so that `run` is needed."""
        return any(not server.is_address for server in self._peers)

    async def run(self) -> None:
        """Look up names, until cancelled."""
        await self.resolver.run()

    def _changed(self, wanted: Wanted) -> None:
        for server in self._peers:
            if not server.is_address and _wanted(server) == wanted:
                for target in self._found(server):
                    self._guard.accept(target.host, self._clock.now())
        self._settle()

    def _is_unnamed(self, place: Place, names: Sequence[str]) -> None:
        """A certificate has not the names of all who share the place: from now on it is the first one's.

        One connection has failed for that; more must not, since the DNS of one carrier would end the
        calls of another.
        """
        self._note_unnamed(place, names)
        self._settle()

    def _note_unnamed(self, place: Place, names: Sequence[str]) -> None:
        for name in names:
            self._unnamed[name, place] = None
        while len(self._unnamed) > _MOST_UNNAMED:
            del self._unnamed[next(iter(self._unnamed))]

    def _settled(self) -> TlsPlaces:
        claims = (
            (server, peer, [_place(each) for each in self._found(server) if _is_tls(each)])
            for server, peer in self._peers.items()
        )
        return places_of(claims, self._unnamed)

    def _settle(self) -> None:
        """Who is connected to over TLS, and where: what one name leaves may be another's.

        Where a connection is open already, its certificate is asked for the names that come to it now:
        nothing goes over it to a server that it was not proved to be (RFC 5923).
        """
        before, self._places = self._places, self._settled()
        shown = [
            (place, self._tls.unnamed_at(place, peer, also))
            for place, (peer, also) in self._places.peers.items()
        ]
        if any(names for _, names in shown):
            for place, names in shown:
                self._note_unnamed(place, names)
            self._places = self._settled()
        for (server, place), owner in self._places.taken.items():
            if before.taken.get((server, place)) != owner:
                log.error(_WHY[(server.host, place) in self._unnamed], *(server, *place, owner))
        for place, (peer, also) in self._places.peers.items():
            try:
                self._tls.expect(place, peer, also=also)
            except OSError as error:
                words = error.strerror or str(error)
                log.error("%s cannot be reached over TLS: %s", peer.server_name, words)


class Carriers:
    """Registrations and OPTIONS of a node, and what they say to the calls."""

    def __init__(
        self,
        trunks: Mapping[str, TrunkSettings],
        *,
        addresses: CarrierAddresses,
        user_agent: UserAgent,
        calls: Calls,
        contact: Callable[[Flow], str],
        host: str,
        local: tuple[str, int],
        new_token: Callable[[], str],
        clock: Clock,
        flush: Callable[[], None],
    ) -> None:
        self.addresses = addresses
        self.trunks = calls.trunks
        self.registrations = Registrations(
            trunks,
            requests=user_agent,
            addresses=addresses,
            contact=contact,
            local=local,
            new_token=new_token,
            draw=random.random,
        )
        self.probes = Probes(
            calls.trunks,
            requests=user_agent,
            local=local,
            host=host,
            new_token=new_token,
            draw=random.random,
        )
        self._upkeep = Upkeep(self.registrations, self.probes, clock=clock, flush=flush)
        calls.trunks.is_usable = lambda trunk: self.registrations.is_registered(trunk, clock.now())
        calls.trunks.service_route = self._service_route
        calls.attach(self._upkeep)

    def start(self) -> None:
        """Begin to look up, to register and to ask."""
        self.addresses.watch()
        self._upkeep.start()

    def leave(self) -> None:
        """No new calls are taken: carriers are told."""
        self._upkeep.leave()

    def _service_route(self, trunk: str) -> tuple[str, ...]:
        return next((each.routes for each in self.registrations.of(trunk) if each.routes), ())


def servers_of(trunk: TrunkSettings) -> Iterator[Server]:
    """The proxy and the registrars of a trunk."""
    if trunk.server is not None:
        yield trunk.server
    if trunk.registration is not None:
        yield from trunk.registration.registrars


def _is_tls(target: Target) -> bool:
    return target.transport is Transport.TLS


def _place(target: Target) -> Place:
    return target.host, target.port


def _wanted(server: Server) -> Wanted:
    return Wanted(server.host, server.port, server.transport)
