"""A node for the tests: an endpoint that answers everything, behind real sockets."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from switch.guard.guard import Guard
from switch.sip.endpoint import Endpoint
from switch.sip.events import EndpointEvent, RequestReceived
from switch.sip.headers import Headers
from switch.sip.limits import EndpointLimits
from switch.sip.message import Request
from switch.sip.timers import SipTimers
from switch.sip.writing import make_response
from switch.transport.clock import LoopClock
from switch.transport.inflow import InflowSettings
from switch.transport.limits import TransportLimits
from switch.transport.pump import Pump
from switch.transport.tls import TlsContexts
from tests.kit.patience import PATIENCE_S

_numbers = itertools.count(1)


class Node:
    """Answers every request with 200 and keeps every event."""

    def __init__(
        self,
        limits: TransportLimits | None,
        timers: SipTimers | None,
        guard: Guard | None = None,
        inflow: InflowSettings | None = None,
        tls: TlsContexts | None = None,
    ) -> None:
        self.clock = LoopClock()
        self.endpoint = Endpoint(
            new_branch=lambda: f"n{next(_numbers)}", timers=timers, limits=EndpointLimits()
        )
        self.pump = Pump(
            self.endpoint,
            self.clock,
            self.consume,
            connection_closed=lambda number: self.lost_connection.set(),
            limits=limits,
            guard=guard,
            inflow=inflow,
            tls=tls,
        )
        self.events: list[EndpointEvent] = []
        self.turns = 0
        self.lost_connection = asyncio.Event()
        self.answers = True
        """False: whoever wants an answer gives it."""
        self._news = asyncio.Event()

    def consume(self, now: float) -> None:
        self.turns += 1
        while (event := self.endpoint.next_event()) is not None:
            self.events.append(event)
            if isinstance(event, RequestReceived) and self.answers:
                answer = make_response(event.request, 200, to_tag="t")
                self.endpoint.respond(event.transaction, answer, now)
            self._news.set()

    async def wait_for(self, count: int) -> list[EndpointEvent]:
        """Wait until `count` events have come."""
        async with asyncio.timeout(PATIENCE_S):
            while len(self.events) < count:
                self._news.clear()
                await self._news.wait()
        return self.events


@asynccontextmanager
async def running_node(
    limits: TransportLimits | None = None,
    timers: SipTimers | None = None,
    *,
    guard: Guard | None = None,
    inflow: InflowSettings | None = None,
    tls: TlsContexts | None = None,
) -> AsyncIterator[Node]:
    node = Node(limits, timers, guard, inflow, tls)
    try:
        yield node
    finally:
        await node.pump.close()


def options(body: bytes = b"") -> Request:
    headers = Headers(
        [
            ("From", "<sip:a@127.0.0.1>;tag=a"),
            ("To", "<sip:b@127.0.0.1>"),
            ("Call-ID", f"c{next(_numbers)}"),
            ("CSeq", "1 OPTIONS"),
        ]
    )
    return Request("OPTIONS", "sip:b@127.0.0.1", headers, body)


def raw_options(number: int = 1, length: bytes = b"0") -> bytes:
    return raw(b"OPTIONS", number, length=length)


def raw(method: bytes, number: int, to_tag: bytes = b"", length: bytes = b"0") -> bytes:
    """A request of no body; with `to_tag` it is within a dialog."""
    tag = b";tag=" + to_tag if to_tag else b""
    return (
        b"%s sip:b@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK%d;rport\r\n"
        b"From: <sip:a@127.0.0.1>;tag=a\r\nTo: <sip:b@127.0.0.1>%s\r\nCall-ID: raw%d\r\n"
        b"CSeq: 1 %s\r\nContent-Length: %s\r\n\r\n" % (method, number, tag, number, method, length)
    )


UNFRAMED = {
    "contradicting": (raw_options(9, b"5\r\nContent-Length: 6") + b"hello", 400),
    "negative": (raw_options(9, b"-5"), 400),
    "no-number": (raw_options(9, b"five") + b"hello", 400),
    "missing": (raw_options(9).replace(b"Content-Length: 0\r\n", b""), 400),
    "too-large": (raw_options(9, b"200000") + b"x" * 200_000, 413),
    "long-head": (raw_options(9).replace(b"\r\n\r\n", b"\r\nX: y" * 20_000), 513),
}
"""Requests that no stream gives whole, and the answer to each."""
FOR_NOBODY = {
    "no-sip": b"GET / HTTP/1.0\r\n\r\n",
    "octets": b"x" * 20_000,
    "no-via": raw_options(9, b"-5").replace(b"Via", b"Xia"),
    "ack": raw(b"ACK", 9, length=b"-5"),
    "response": raw_options(9, b"-5").replace(
        b"OPTIONS sip:b@127.0.0.1 SIP/2.0", b"SIP/2.0 200 OK"
    ),
}
"""What is no request, or names no way back."""
