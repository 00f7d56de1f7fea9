"""Where a request comes from: the peer of its connection, or whom a proxy of ours passed it on for."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import HTTPConnection

from switch.guard.forwarded import Forwarded


class Origins:
    """Finds the address that limits count against."""

    def __init__(self, proxies: Sequence[str]) -> None:
        """`proxies` are the addresses and networks whose word is taken."""
        self._forwarded = Forwarded(proxies)

    def of(self, connection: HTTPConnection) -> str:
        """The address, the proxy's where that does not tell; empty when the connection has none."""
        peer = connection.client.host if connection.client is not None else ""
        headers = connection.headers
        plain, named = headers.getlist("x-forwarded-for"), headers.getlist("forwarded")
        return self._forwarded.client(peer, plain, named) or peer
