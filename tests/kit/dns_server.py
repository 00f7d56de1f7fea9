"""A DNS server of the test, on loopback: it knows what it is told, and counts what it is asked."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import dns.message
import dns.rcode
import dns.rrset


class DnsServer(asyncio.DatagramProtocol):
    """Answers from `zone`: name and type to lines of zone text. Names that are not there are NXDOMAIN."""

    def __init__(self) -> None:
        self.zone: dict[tuple[str, str], list[str]] = {}
        self.ttl = 60
        self.asked: Counter[tuple[str, str]] = Counter()
        self.is_silent = False
        self.address = ("127.0.0.1", 0)
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        question = dns.message.from_wire(data)
        reply = dns.message.make_response(question)
        (asked,) = question.question
        name, kind = asked.name.to_text().rstrip("."), asked.rdtype.name
        self.asked[name, kind] += 1
        if self.is_silent:
            return
        if lines := self.zone.get((name, kind)):
            reply.answer.append(dns.rrset.from_text(asked.name, self.ttl, "IN", kind, *lines))
        elif not any(known == name for known, _ in self.zone):
            reply.set_rcode(dns.rcode.NXDOMAIN)
        assert self._transport is not None
        self._transport.sendto(reply.to_wire(), addr)


@asynccontextmanager
async def dns_server() -> AsyncIterator[DnsServer]:
    """One that runs, at `address`."""
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(DnsServer, local_addr=("127.0.0.1", 0))
    try:
        host, port = transport.get_extra_info("sockname")[:2]
        server.address = (host, port)
        yield server
    finally:
        transport.close()
