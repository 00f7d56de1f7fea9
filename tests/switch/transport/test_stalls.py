"""Peers that do not read what we send: what waits for them is bounded, and so is the time."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from pathlib import Path

import pytest

from switch.guard.guard import Guard
from switch.guard.offences import Offence
from switch.guard.settings import GuardSettings
from switch.sip.flow import Transport
from switch.transport.connection import StreamConnection
from switch.transport.limits import TransportLimits
from switch.transport.streams import StreamHub
from switch.transport.tls import TlsSession
from tests.kit.certificates import contexts, trusting
from tests.kit.patience import PATIENCE_S
from tests.kit.virtual_clock import VirtualClock, VirtualTimer
from tests.switch.transport.memory_transport import MemoryTransport
from tests.switch.transport.node import Node, raw_options, running_node

HOST = "127.0.0.1"
STRANGER = "127.0.0.2"
MARK = TransportLimits().stall_mark


class VirtualLoop:
    """Of an event loop, what connections use: its time and its timers."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.time = self.clock.now
        self.call_at = self.clock.call_at

    def call_later(self, delay: float, callback: object) -> VirtualTimer:
        return self.clock.call_at(self.clock.now() + delay, callback)  # type: ignore[arg-type]


def guard() -> Guard:
    return Guard(GuardSettings(exempt=(HOST,)))


def virtual(node: Node) -> tuple[StreamHub, VirtualClock]:
    """The connections of the node, in time that only a test moves."""
    loop = VirtualLoop()
    node.pump.streams.loop = loop  # type: ignore[assignment]
    return node.pump.streams, loop.clock


def connected(
    hub: StreamHub, host: str, port: int = 40_000, kind: Transport = Transport.TCP
) -> tuple[MemoryTransport, StreamConnection]:
    transport = MemoryTransport((host, port))
    connection = StreamConnection(hub, kind, (HOST, 5060))
    transport.connect(connection)
    return transport, connection


def stall(transport: MemoryTransport, connection: StreamConnection, octets: int = MARK + 1) -> None:
    transport.is_read = False
    connection.write(b"x" * octets)


async def test_a_stranger_that_does_not_read_is_not_read_and_then_cut() -> None:
    watched = guard()
    async with running_node(guard=watched) as node:
        hub, clock = virtual(node)
        transport, connection = connected(hub, STRANGER)
        transport.give(raw_options())
        stall(transport, connection, MARK)
        assert not transport.is_reading_paused, "so much may always wait"
        connection.write(b"x")
        assert transport.is_reading_paused
        clock.advance(hub.limits.stranger_stall_s - 0.1)
        assert not transport.is_closing()
        clock.advance(0.2)
        assert transport.was_aborted
        assert (hub.counters.stalled_closed, hub.counters.slow_closed) == (1, 0)
        assert watched.counters(0.0).offences == {Offence.SLOW: 1}
        assert (len(hub), len(hub.stalls)) == (0, 0)


async def test_who_reads_again_in_time_is_read_again() -> None:
    async with running_node(guard=guard()) as node:
        hub, clock = virtual(node)
        transport, connection = connected(hub, STRANGER)
        transport.give(raw_options(1)[:-9])
        for _ in range(5):
            stall(transport, connection)
            clock.advance(hub.limits.stranger_stall_s - 0.1)
            transport.read_on()
            assert not transport.is_reading_paused
        transport.give(raw_options(1)[-9:])
        assert transport.written.endswith(b"Content-Length: 0\r\n\r\n")
        assert len(hub.stalls) == 0
        assert hub.counters.stalled_closed == hub.counters.slow_closed == 0


async def test_who_is_known_is_read_on_has_longer_and_is_blamed_for_nothing() -> None:
    """Two servers that stop reading while the other does not read would wait for each other."""
    watched = guard()
    async with running_node(guard=watched) as node:
        hub, clock = virtual(node)
        transport, connection = connected(hub, HOST)
        stall(transport, connection)
        clock.advance(hub.limits.stall_s - 0.1)
        transport.give(raw_options())
        assert len(node.events) == 1
        clock.advance(0.2)
        assert transport.was_aborted
        assert hub.counters.stalled_closed == 1
        assert watched.counters(0.0).offences == {}


async def test_a_stranger_that_proves_a_password_while_it_does_not_read_is_read_on() -> None:
    watched = guard()
    async with running_node(TransportLimits(stall_mark=100), guard=watched) as node:
        hub, clock = virtual(node)
        received = hub.handlers.received

        def proving(connection: StreamConnection, messages: list[bytes]) -> None:
            received(connection, messages)
            assert transport.is_reading_paused, "a stranger as yet"
            watched.accept(STRANGER, clock.now())

        hub.handlers = hub.handlers._replace(received=proving)
        transport, connection = connected(hub, STRANGER)
        transport.is_read = False
        transport.give(raw_options(1))
        assert not connection.is_stranger
        assert not transport.is_reading_paused
        clock.advance(hub.limits.stall_s - 0.1)
        transport.read_on()
        assert not transport.is_reading_paused
        assert transport.written.startswith(b"SIP/2.0 200")


async def test_a_stranger_that_does_not_read_our_handshake_is_not_read(tmp_path: Path) -> None:
    limits = TransportLimits(strangers_handshakes_per_s=0.5, stall_mark=100)
    async with running_node(limits, guard=guard(), tls=contexts(tmp_path)) as node:
        hub, clock = virtual(node)
        client = TlsSession(trusting(tmp_path), server_name=HOST)
        client.begin()
        hello = client.take_output()
        connected(hub, STRANGER, 1, Transport.TLS)[0].give(hello)  # there is time for one
        transport, _ = connected(hub, STRANGER, 2, Transport.TLS)
        transport.is_read = False
        transport.give(hello)
        assert transport.is_reading_paused
        clock.advance(1.1)
        assert hub.stalls.octets > limits.stall_mark, "it had its turn"
        assert transport.is_reading_paused
        transport.read_on()
        client.feed(bytes(transport.written))
        transport.give(client.take_output() + client.wrap(raw_options()))
        assert len(node.events) == 1


async def test_what_waits_for_all_is_bounded_and_strangers_go_first() -> None:
    limits = TransportLimits(max_write_buffers=10 * MARK)
    async with running_node(limits, guard=guard()) as node:
        hub, clock = virtual(node)
        phone = connected(hub, HOST, 1)
        stall(*phone, 3 * MARK)
        strangers = [connected(hub, STRANGER, 2 + number) for number in range(3)]
        for each in strangers:
            stall(*each, 2 * MARK)
            clock.advance(0.1)
        assert [each.is_closing() for each, _ in strangers] == [False] * 3
        assert hub.stalls.octets == 9 * MARK
        phone[1].write(b"x" * 2 * MARK)
        assert [each.is_closing() for each, _ in strangers] == [True, False, False], "the first"
        assert not phone[0].is_closing()
        assert hub.counters.write_overflows == 1
        phone[1].write(b"x" * 6 * MARK)
        assert phone[0].is_closing(), "alone too much"
        assert len(hub.stalls) == 0


async def test_what_was_read_meanwhile_does_not_count() -> None:
    limits = TransportLimits(max_write_buffers=4 * MARK)
    async with running_node(limits) as node:
        hub, _ = virtual(node)
        other = connected(hub, HOST, 1)
        stall(*other)  # lest the count begin anew
        transport, connection = connected(hub, HOST, 2)
        for _ in range(50):
            stall(transport, connection)
            transport.read_on()
        assert hub.counters.write_overflows == 0


async def test_an_answer_to_what_cannot_be_framed_does_not_wait_for_who_does_not_read() -> None:
    async with running_node() as node:
        hub, _ = virtual(node)
        transport, connection = connected(hub, HOST)
        stall(transport, connection)
        transport.give(raw_options(1, b"-5"))
        assert transport.was_aborted
        assert len(hub) == 0


@pytest.mark.parametrize("host", [HOST, STRANGER])
async def test_a_peer_that_asks_and_never_reads(host: str) -> None:
    """Over a real socket: the questions are large, so that their answers are."""
    limits = TransportLimits(
        stall_s=0.5,
        stranger_stall_s=0.5,
        stall_mark=2000,
        stream_buffer=4096,
        max_write_buffer=50_000,
    )
    watched = Guard(GuardSettings(exempt=(HOST,), stranger_rate=10_000.0, strangers_rate=10_000.0))
    async with running_node(limits, guard=watched) as node:
        hub = node.pump.streams
        remote = await node.pump.listen_tcp(HOST, 0)
        question = raw_options(1).replace(b"To:", b"Via: SIP/2.0/TCP x;y=%b\r\nTo:" % (b"z" * 4000))
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.bind((host, 0))
            sock.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(sock, remote)
            sending = asyncio.create_task(_send_on(sock, question))
            most = 0
            async with asyncio.timeout(PATIENCE_S):
                while not (hub.counters.stalled_closed or hub.counters.write_overflows):
                    await asyncio.sleep(0.01)
                    most = max([most, *(each.unsent for each in hub._connections.values())])
            sending.cancel()
            await asyncio.wait([sending])
        assert (hub.counters.stalled_closed == 1) is (host == STRANGER), (
            "others are read on, to a limit"
        )
        assert watched.counters(node.clock.now()).offences == {Offence.SLOW: 1}
        assert most <= limits.max_write_buffer


async def _send_on(sock: socket.socket, question: bytes) -> None:
    loop = asyncio.get_running_loop()
    with suppress(ConnectionError):
        for number in range(100_000):
            await loop.sock_sendall(sock, question.replace(b"z9hG4bK1", b"z9hG4bK%d" % number))
