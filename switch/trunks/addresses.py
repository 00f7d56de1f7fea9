"""Which trunk a call comes in on, by the address it came from."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from switch.trunks.settings import TrunkSettings

_REMEMBERED = 4096


class TrunkAddresses:
    """The addresses of all trunks, looked up once for every INVITE; the same few come again."""

    def __init__(self, trunks: Iterable[TrunkSettings]) -> None:
        self._networks: list[tuple[IPv4Network | IPv6Network, TrunkSettings]] = [
            (ip_network(entry), trunk) for trunk in trunks for entry in trunk.match
        ]

        self._remembered = lru_cache(maxsize=_REMEMBERED)(self._search)

    def find(self, host: str) -> TrunkSettings | None:
        """Find the trunk of `host`; the first that matches wins. What is no IP address has none."""
        return self._remembered(host)

    def _search(self, host: str) -> TrunkSettings | None:
        try:
            address = ip_address(host)
        except ValueError:
            return None
        for network, trunk in self._networks:
            if address in network:
                return trunk
        return None
