"""Where a request comes from: the peer of its connection, or whom a proxy of ours passed it on for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Final

from starlette.requests import HTTPConnection

from switch.guard.source import Exempt

_MOST_HOPS: Final = 20
"""What is longer was not written by proxies."""
_FOR: Final = re.compile(r'(?:^|[;,])\s*for\s*=\s*("[^"]*"|[^;,\s]*)', re.IGNORECASE)
_WITH_PORT: Final = re.compile(r"\[([^\]]*)\](?::\d+)?|([0-9.]+)(?::\d+)?")


class Origins:
    """Finds the address that limits count against. What strangers write in headers counts for nothing."""

    def __init__(self, proxies: Sequence[str]) -> None:
        """`proxies` are the addresses and networks whose word is taken."""
        self._proxies = Exempt(proxies) if proxies else None

    def of(self, connection: HTTPConnection) -> str:
        """The address; empty when the connection has none.

        A proxy adds the peer it saw at the end of `Forwarded` (RFC 7239) or `X-Forwarded-For`, so the
        last address that is no proxy of ours is the one to believe. Where both headers are there and
        do not agree, the client wrote one of them itself: then it is the proxy's own address.
        """
        peer = connection.client.host if connection.client is not None else ""
        if self._proxies is None or peer not in self._proxies:
            return peer
        headers = connection.headers
        plain = ",".join(headers.getlist("x-forwarded-for"))
        named = ",".join(headers.getlist("forwarded"))
        told = []
        if plain:
            told.append(self._last(plain.split(",")))
        if named:
            told.append(self._last(_FOR.findall(named)))
        if not told or any(address != told[0] for address in told):
            return peer
        return told[0] or peer

    def _last(self, hops: Sequence[str]) -> str:
        """The last hop that is no proxy of ours; empty when that is no address."""
        assert self._proxies is not None
        address = ""
        for hop in reversed(hops[-_MOST_HOPS:]):
            address = _address(hop)
            if not address or address not in self._proxies:
                break
        return address


def _address(hop: str) -> str:
    """The address of one hop without port, brackets and quotes; empty for `unknown` and nonsense."""
    text = hop.strip().strip('"')
    found = _WITH_PORT.fullmatch(text)
    if found is not None:
        text = found[1] or found[2] or ""
    try:
        return str(ip_address(text))
    except ValueError:
        return ""
