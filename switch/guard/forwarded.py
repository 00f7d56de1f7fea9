"""Whom a reverse proxy passed a connection on for: `Forwarded` (RFC 7239) and `X-Forwarded-For`. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Final

from switch.guard.source import Exempt

_MOST_HOPS: Final = 20
"""What is longer was not written by proxies."""
_FOR: Final = re.compile(r'(?:^|[;,])\s*for\s*=\s*("[^"]*"|[^;,\s]*)', re.IGNORECASE)
_WITH_PORT: Final = re.compile(r"\[([^\]]*)\](?::\d+)?|([0-9.]+)(?::\d+)?")


class Forwarded:
    """Finds the address that limits count against. What strangers write in headers counts for nothing."""

    def __init__(self, proxies: Sequence[str]) -> None:
        """`proxies` are the addresses and networks whose word is taken."""
        self._proxies = Exempt(proxies) if proxies else None

    def client(self, peer: str, plain: Sequence[str], named: Sequence[str]) -> str:
        """The address behind `peer`, empty where a proxy of ours leaves open who that is.

        `plain` are the values of X-Forwarded-For, `named` those of Forwarded; without any it is the peer.
        A proxy adds the peer it saw at the end, so the last address that is no proxy of ours is the one
        to believe. Where both headers are there and do not agree, the client wrote one of them itself.
        """
        if self._proxies is None or peer not in self._proxies:
            return peer
        told = []
        if hops := ",".join(plain):
            told.append(self._last(hops.split(",")))
        if hops := ",".join(named):
            told.append(self._last(_FOR.findall(hops)))
        if not told:
            return peer
        return told[0] if told[0] == told[-1] else ""

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
