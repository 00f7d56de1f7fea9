"""Which trunk a call comes in on: by the address it came from, or by who the connection proved to be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final

from switch.sip.flow import Flow
from switch.trunks.settings import TrunkSettings
from switch.trunks.targets import AddressesOnly, TargetSource

_REMEMBERED = 4096
_ADDRESSES_ONLY: Final = AddressesOnly()

PeerNames = Callable[[int], Sequence[str]]
"""Connection number -> the names that its peer's certificate proves, in small letters; or none."""


class TrunkAddresses:
    """How all trunks are told apart, looked up once for every INVITE; the same few come again.

    A trunk that registers is known by the addresses of its servers, unless it names some of its own or
    certificates: an address alone is less than a certificate proves.
    """

    def __init__(
        self,
        trunks: Iterable[TrunkSettings],
        servers: TargetSource = _ADDRESSES_ONLY,
        peer_names: PeerNames = lambda connection: (),
    ) -> None:
        trunks = tuple(trunks)
        self._networks: list[tuple[IPv4Network | IPv6Network, TrunkSettings]] = [
            (ip_network(entry), trunk) for trunk in trunks for entry in trunk.match
        ]
        self._by_name = {name: trunk for trunk in trunks for name in trunk.certificates}
        self._by_servers = [
            trunk
            for trunk in trunks
            if trunk.registration is not None and not (trunk.match or trunk.certificates)
        ]
        self._servers = servers
        self._peer_names = peer_names
        self._remembered = lru_cache(maxsize=_REMEMBERED)(self._search)

    def of_flow(self, flow: Flow) -> TrunkSettings | None:
        """Find the trunk at the other end of a flow: its certificate goes before its address."""
        if self._by_name and flow.connection:
            for name in self._peer_names(flow.connection):
                trunk = self._by_name.get(name)
                if trunk is not None:
                    return trunk
        return self.find(flow.remote[0])

    def find(self, host: str) -> TrunkSettings | None:
        """Find the trunk of `host`; the first that matches wins. What is no IP address has none."""
        found = self._remembered(host)
        if found is None and self._by_servers:
            return next((t for t in self._by_servers if self._is_server_of(t, host)), None)
        return found

    def _is_server_of(self, trunk: TrunkSettings, host: str) -> bool:
        registration = trunk.registration
        servers = [] if trunk.server is None else [trunk.server]
        if registration is not None:
            servers += registration.registrars
        return any(
            target.host == host for server in servers for target in self._servers.targets(server)
        )

    def _search(self, host: str) -> TrunkSettings | None:
        try:
            address = ip_address(host)
        except ValueError:
            return None
        for network, trunk in self._networks:
            if address in network:
                return trunk
        return None
