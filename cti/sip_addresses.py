"""What stands in Contact and Via of our messages: where whoever gets them reaches us."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Final

from cti.settings import SipSection
from switch.sip.flow import Flow, Transport

_REMEMBERED: Final = 8192
_PARAMETERS: Final = {
    Transport.UDP: "",
    Transport.TCP: ";transport=tcp",
    Transport.TLS: ";transport=tls",
    Transport.WS: ";transport=ws",
    Transport.WSS: ";transport=ws",  # over TLS if the connection is (RFC 7118 section 5.2.4)
}


class PeerNetworks:
    """The networks on this side of a NAT."""

    def __init__(self, networks: Iterable[str]) -> None:
        self._networks = [ip_network(each, strict=False) for each in networks]
        self.has = lru_cache(maxsize=_REMEMBERED)(self._has)
        """Whether a host is there."""

    def _has(self, host: str) -> bool:
        try:
            address = ip_address(host)
        except ValueError:
            return False
        return any(address in network for network in self._networks)


def media_address(
    advertised: Mapping[str, str], networks: PeerNetworks
) -> Callable[[str, str], str]:
    """What SDP tells a peer at a host, for a gateway's own address: that, or what a NAT forwards to it.

    `advertised` has the latter by the former, and may grow.
    """
    return lambda host, own: own if networks.has(host) else advertised.get(own, own)


class SipAddresses:
    """Host and port by transport and by peer: the address it reaches, or the one that is advertised."""

    def __init__(self, sip: SipSection, ports: Mapping[Transport, int]) -> None:
        """`ports` are those that we listen at."""
        self._sip = sip
        self._ports = dict(ports)
        self.near = PeerNetworks(sip.local_networks)
        """Peers there are told our own addresses, and not those that are advertised."""
        self._told = lru_cache(maxsize=_REMEMBERED)(self._tell)

    @property
    def own_host(self) -> str:
        """What stands for this site in From and To, as in a URI."""
        return _in_uri(self._sip.advertise or self._sip.host)

    def sent_by(self, flow: Flow) -> str:
        """Host and port for Via, with `alias` where requests may come back this way (RFC 5923)."""
        return self._told(flow.transport, flow.local[0], flow.remote[0])[0]

    def contact(self, flow: Flow) -> str:
        """The URI for Contact."""
        return self._told(flow.transport, flow.local[0], flow.remote[0])[1]

    def _tell(self, kind: Transport, local: str, remote: str) -> tuple[str, str]:
        host = _in_uri(self._host(local, remote))
        port = self._ports.get(kind) or self._ports[Transport.UDP]
        where = f"{host}:{port}"
        alias = ";alias" if kind is Transport.TLS else ""
        return where + alias, f"sip:switchroom@{where}{_PARAMETERS[kind]}"

    def _host(self, local: str, remote: str) -> str:
        sip, is_ipv6 = self._sip, ":" in remote
        advertised = sip.advertise
        # An address of the other family would not be reached from there.
        fits = not _is_address(advertised) or (":" in advertised) == is_ipv6
        if advertised and fits and not self.near.has(remote):
            return advertised
        if local not in ("", "0.0.0.0", "::") and (":" in local) == is_ipv6:
            return local
        ours = (sip.host, *sip.more_hosts)
        return next((host for host in ours if (":" in host) == is_ipv6), sip.host)


def _in_uri(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
