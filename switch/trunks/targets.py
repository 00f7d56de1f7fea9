"""Where a trunk's requests go: a server as it is configured, and the addresses behind it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Final, Protocol

from msgspec import Struct

from switch.shown import without_password
from switch.sip.flow import Transport

_SERVER: Final = re.compile(
    r"(?P<scheme>sips?):(?P<host>\[[0-9a-fA-F:.]{2,45}\]|[A-Za-z0-9.-]{1,253})"
    r"(?::(?P<port>\d{1,5}))?(?:;transport=(?P<transport>[A-Za-z]{2,4}))?",
    re.IGNORECASE,
)
_TRANSPORTS: Final = ("UDP", "TCP", "TLS")


class Target(Struct, frozen=True):
    """One address that requests can be sent to."""

    transport: Transport
    host: str
    """IP address."""
    port: int


class Server(Struct, frozen=True):
    """A server of a carrier: `sip:HOST[:PORT][;transport=udp|tcp|tls]`, the host a name or an address."""

    host: str
    """Without brackets."""
    port: int | None = None
    """None: looked up for a name, the usual one for an address."""
    transport: Transport | None = None
    """None: looked up for a name, UDP for an address."""

    @classmethod
    def parse(cls, text: str) -> Server:
        """Read a server. Raises ValueError, which says how to write one."""
        found = _SERVER.fullmatch(text)
        if found is None:
            words = "write sip:host:port, with ;transport=tcp if need be, not"
            raise ValueError(f"{words} {without_password(text)!r}")
        port = int(found["port"]) if found["port"] else None
        if port is not None and not 0 < port < 65536:
            raise ValueError(f"{port} is no port")
        named = (found["transport"] or "").upper()
        if named and named not in _TRANSPORTS:
            raise ValueError(f"{text!r}: the transport is udp, tcp or tls")
        if found["scheme"].lower() == "sips":
            named = "TLS"
        host = found["host"].strip("[]").lower()
        if "[" in found["host"] and not _is_address(host):
            raise ValueError(f"{text!r}: there is no IPv6 address in the brackets")
        return cls(host, port, Transport(named) if named else None)

    @property
    def is_address(self) -> bool:
        """The host is an IP address: nothing is to be looked up."""
        return _is_address(self.host)

    @property
    def uri_host(self) -> str:
        """The host as it stands in URIs."""
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def target(self) -> Target:
        """The one target of a server whose host is an address."""
        transport = self.transport or Transport.UDP
        return Target(transport, self.host, self.port or transport.default_port)

    def __str__(self) -> str:
        port = f":{self.port}" if self.port is not None else ""
        named = "" if self.transport is None else f";transport={self.transport.lower()}"
        return f"sip:{self.uri_host}{port}{named}"


class TargetSource(Protocol):
    """Knows the addresses of servers (RFC 3263). Never waits: looking up is done ahead of calls."""

    def targets(self, server: Server) -> Sequence[Target]:
        """The addresses of a server, in the order in which they shall be tried; empty: none known."""


class AddressesOnly:
    """A `TargetSource` for servers that are written as addresses."""

    def targets(self, server: Server) -> Sequence[Target]:
        """The address itself; none for a name."""
        return (server.target,) if server.is_address else ()


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
