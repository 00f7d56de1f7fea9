"""The pump over real TCP connections on the loopback."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from switch.sip.events import RequestReceived, ResponseReceived, TransportFailed
from switch.sip.flow import Flow, Transport
from switch.sip.writing import make_response
from switch.transport.limits import TransportLimits
from tests.kit.patience import PATIENCE_S
from tests.switch.transport.node import (
    FOR_NOBODY,
    UNFRAMED,
    Node,
    options,
    raw_options,
    running_node,
)

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def connected(remote: tuple[str, int]) -> AsyncIterator[Streams]:
    reader, writer = await asyncio.open_connection(*remote)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()
        with suppress(OSError):
            await writer.wait_closed()


async def ended(reader: asyncio.StreamReader) -> bool:
    """True when the other side closed or cut the connection."""
    async with asyncio.timeout(PATIENCE_S):
        try:
            return await reader.read(1) == b""
        except ConnectionError:
            return True


async def listening(node: Node) -> tuple[str, int]:
    return await node.pump.listen_tcp("127.0.0.1", 0)


async def test_connections_are_made_on_demand_and_used_again() -> None:
    async with running_node() as alice, running_node() as bob:
        local, remote = await listening(alice), await listening(bob)
        flow = Flow(Transport.TCP, remote, local)
        for count in (2, 4):
            for _ in range(2):
                alice.endpoint.send_request(options(), flow, alice.clock.now())
            alice.pump.schedule_flush()
            await alice.wait_for(count)
        assert all(isinstance(e, ResponseReceived) for e in alice.events)
        assert alice.pump.streams.counters.made == bob.pump.streams.counters.accepted == 1
        request = bob.events[0]
        assert isinstance(request, RequestReceived)
        assert request.flow.connection == 1
        assert request.flow.local == remote
        assert request.request.top_via.port == local[1], "Via names where we listen"


async def test_an_accepted_connection_carries_requests_of_ours_back() -> None:
    async with running_node() as alice, running_node() as bob:
        local, remote = await listening(alice), await listening(bob)
        alice.endpoint.send_request(
            options(), Flow(Transport.TCP, remote, local), alice.clock.now()
        )
        alice.pump.schedule_flush()
        await alice.wait_for(1)
        seen = bob.events[0]
        assert isinstance(seen, RequestReceived)
        bob.endpoint.send_request(options(), seen.flow, bob.clock.now())
        bob.pump.schedule_flush()
        await bob.wait_for(2)
        assert isinstance(bob.events[1], ResponseReceived)
        assert bob.pump.streams.counters.made == 0


async def test_a_refused_connection_fails_the_transaction() -> None:
    async with running_node() as alice:
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            port = sock.getsockname()[1]
        flow = Flow(Transport.TCP, ("127.0.0.1", port), ("127.0.0.1", 5060))
        alice.endpoint.send_request(options(), flow, alice.clock.now())
        alice.pump.schedule_flush()
        (event,) = await alice.wait_for(1)
        assert isinstance(event, TransportFailed)


async def test_a_connection_closed_by_the_peer_fails_what_went_over_it() -> None:
    async with running_node() as alice:
        accepted: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()
        server = await asyncio.start_server(lambda r, w: accepted.put_nowait(w), "127.0.0.1", 0)
        remote = server.sockets[0].getsockname()
        alice.endpoint.send_request(
            options(), Flow(Transport.TCP, remote, ("127.0.0.1", 1)), alice.clock.now()
        )
        alice.pump.schedule_flush()
        writer = await accepted.get()
        writer.close()
        await writer.wait_closed()
        (event,) = await alice.wait_for(1)
        assert isinstance(event, TransportFailed)
        server.close()
        await server.wait_closed()


async def test_messages_come_whole_however_they_were_cut_and_pings_get_pongs() -> None:
    async with running_node() as bob:
        async with connected(await listening(bob)) as (reader, writer):
            stream = b"\r\n\r\n" + raw_options(1) + raw_options(2)
            for start in range(0, len(stream), 50):
                writer.write(stream[start : start + 50])
                await writer.drain()
                await asyncio.sleep(0)
            assert await reader.readexactly(2) == b"\r\n"
            for _ in range(2):
                assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"SIP/2.0 200 OK")
        assert len(bob.events) == 2


async def until_ended(reader: asyncio.StreamReader) -> bytes:
    """What comes until the other side closes; to be cut instead is a failure."""
    async with asyncio.timeout(PATIENCE_S):
        return await reader.read()


async def test_requests_that_cannot_be_framed_are_answered_and_the_connection_closes() -> None:
    async with running_node() as bob:
        remote = await listening(bob)
        shown: list[bytes] = []
        bob.pump.observers = (lambda data, flow, is_sent: shown.append(data),)
        for name, (bad, status) in UNFRAMED.items():
            async with connected(remote) as (reader, writer):
                writer.write(bad)
                answer = await until_ended(reader)
                assert answer.startswith(b"SIP/2.0 %d " % status), name
                assert b"branch=z9hG4bK9;" in answer
                seen, sent = shown
                assert (bad.startswith(seen), sent) == (True, answer)
                shown.clear()
        assert bob.pump.streams.counters.framing_errors == len(UNFRAMED)
        assert bob.endpoint.malformed == {400: 4, 413: 1, 513: 1}
        assert bob.events == []


async def test_what_cannot_be_framed_nor_answered_closes_the_connection() -> None:
    async with running_node() as bob:
        remote = await listening(bob)
        for name, bad in FOR_NOBODY.items():
            async with connected(remote) as (reader, writer):
                writer.write(bad)
                assert await until_ended(reader) == b"", name
        assert bob.pump.streams.counters.framing_errors == len(FOR_NOBODY)
        assert bob.events == []


async def test_what_came_before_a_message_that_cannot_be_framed_is_served() -> None:
    async with running_node() as bob:
        async with connected(await listening(bob)) as (reader, writer):
            writer.write(raw_options(1) + b"\r\n\r\n" + raw_options(2) + UNFRAMED["negative"][0])
            answers = (await until_ended(reader)).removeprefix(b"\r\n").split(b"SIP/2.0 ")
        assert [answer[:3] for answer in answers] == [b"", b"200", b"200", b"400"]
        assert len(bob.events) == 2


async def test_a_peer_that_is_told_why_may_go_on_sending_while_it_reads() -> None:
    """Closed with octets that nobody read, the socket would be reset, and the answer be lost."""
    bad, _ = UNFRAMED["too-large"]
    async with running_node() as bob:
        async with connected(await listening(bob)) as (reader, writer):
            writer.write(bad[:1000])
            async with asyncio.timeout(PATIENCE_S):
                await reader.readuntil(b"\r\n\r\n")
                writer.write(bad[1000:])
                await writer.drain()
                writer.write(raw_options(2))
                assert await reader.read() == b""
        assert bob.events == []


async def test_who_was_told_why_and_stays_has_a_place_until_its_time_is_over() -> None:
    limits = TransportLimits(ending_s=0.3, max_connections=1)
    async with running_node(limits) as bob:
        remote = await listening(bob)
        async with connected(remote) as (reader, writer):
            writer.write(UNFRAMED["negative"][0])
            assert await until_ended(reader)
            assert bob.lost_connection.is_set(), "nothing is sent over it any more"
            assert len(bob.pump.streams) == 1
            async with connected(remote) as (other, _):
                assert await ended(other)
            async with asyncio.timeout(PATIENCE_S):
                while len(bob.pump.streams):  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(0.01)
        assert bob.pump.streams.by_kind == {Transport.TCP: 0}


async def test_a_node_that_closes_waits_for_nobody_who_was_told_why() -> None:
    async with (
        running_node(TransportLimits(ending_s=60.0)) as bob,
        connected(await listening(bob)) as (reader, writer),
    ):
        writer.write(UNFRAMED["negative"][0])
        assert await until_ended(reader)
        await bob.pump.close()
        assert len(bob.pump.streams) == 0


async def test_idle_and_slow_peers_are_closed() -> None:
    limits = TransportLimits(idle_s=0.05, message_s=0.05)
    async with running_node(limits) as bob:
        remote = await listening(bob)
        async with connected(remote) as (reader, _):
            assert await ended(reader)
        assert bob.pump.streams.counters.idle_closed == 1
    async with running_node(TransportLimits(message_s=0.05)) as bob:
        async with connected(await listening(bob)) as (reader, writer):
            writer.write(b"OPTIONS sip:a SIP/2.0\r\n")
            assert await ended(reader)
        assert bob.pump.streams.counters.slow_closed == 1
        assert len(bob.pump.streams) == 0


async def test_connections_are_bounded_in_all_and_per_address() -> None:
    bounds = (TransportLimits(max_connections=2), TransportLimits(max_connections_per_address=2))
    for limits in bounds:
        async with running_node(limits) as bob:
            remote = await listening(bob)
            async with connected(remote) as first, connected(remote) as second:
                for _, writer in (first, second):
                    writer.write(raw_options())
                await bob.wait_for(1)
                async with connected(remote) as (reader, _):
                    assert await ended(reader)
                assert len(bob.pump.streams) == 2
                assert bob.pump.streams.counters.refused_full == 1


async def test_a_full_node_makes_no_further_connection() -> None:
    async with running_node(TransportLimits(max_connections=0)) as alice:
        flow = Flow(Transport.TCP, ("127.0.0.1", 9), ("127.0.0.1", 5060))
        alice.endpoint.send_request(options(), flow, alice.clock.now())
        alice.pump.schedule_flush()
        (event,) = await alice.wait_for(1)
        assert isinstance(event, TransportFailed)
        assert "too many" in event.reason


async def test_a_peer_that_does_not_read_is_cut() -> None:
    async with running_node(TransportLimits(max_write_buffer=20_000, stream_buffer=4096)) as bob:
        remote = await listening(bob)
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(sock, remote)
            number = 0
            async with asyncio.timeout(PATIENCE_S):
                while not bob.pump.streams.counters.write_overflows:
                    number += 1
                    try:
                        await loop.sock_sendall(sock, raw_options(number))
                    except ConnectionError:
                        break
        assert bob.pump.streams.counters.write_overflows == 1


async def test_close_leaves_no_task_and_no_connection() -> None:
    async with running_node() as alice, running_node() as bob:
        remote = await listening(bob)
        alice.endpoint.send_request(
            options(), Flow(Transport.TCP, remote, remote), alice.clock.now()
        )
        alice.pump.schedule_flush()
        await alice.wait_for(1)
        await alice.pump.close()
        await bob.pump.close()
        assert len(alice.pump.streams) == len(bob.pump.streams) == 0
        assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_close_gives_up_connections_that_are_being_made() -> None:
    async with running_node() as alice, running_node() as bob:
        flow = Flow(Transport.TCP, await listening(bob), ("127.0.0.1", 5060))
        alice.endpoint.send_request(options(), flow, alice.clock.now())
        await alice.pump.close()
        assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_an_answer_reaches_a_peer_that_has_closed_the_connection_it_asked_by() -> None:
    """RFC 3261 section 18.2.2: it is connected to where its Via says that it listens."""
    answers: asyncio.Queue[bytes] = asyncio.Queue()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers.put_nowait(await reader.readuntil(b"\r\n\r\n"))
        writer.transport.abort()

    async with running_node() as node, await asyncio.start_server(take, "127.0.0.1", 0) as server:
        node.answers = False
        via = b"127.0.0.1:%d;branch" % server.sockets[0].getsockname()[1]
        async with connected(await listening(node)) as (_, writer):
            writer.write(raw_options().replace(b"127.0.0.1;branch", via))
            (event,) = await node.wait_for(1)
        assert isinstance(event, RequestReceived)
        async with asyncio.timeout(PATIENCE_S):
            await node.lost_connection.wait()
            response = make_response(event.request, 200, to_tag="t")
            node.endpoint.respond(event.transaction, response, node.clock.now())
            node.pump.schedule_flush()
            assert (await answers.get()).startswith(b"SIP/2.0 200 OK")
