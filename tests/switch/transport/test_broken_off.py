"""Peers that end in the midst of things: nothing escapes, and the others notice nothing."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import Any

import pytest

from switch.sip.events import RequestReceived, TransportFailed
from switch.sip.flow import Flow, Transport
from switch.sip.limits import MessageLimits
from switch.transport.pump import Pump
from switch.transport.tls import TlsError, TlsPeer, TlsSession
from switch.transport.websocket import SipWebSocket
from tests.kit.certificates import certificate, contexts, trusting
from tests.kit.patience import PATIENCE_S
from tests.switch.transport.node import UNFRAMED, Node, options, raw_options, running_node
from tests.switch.transport.raw_tls import RawTls, raw_tls

HOST = "127.0.0.1"
UPGRADE = (
    b"GET /sip HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Protocol: sip\r\n\r\n"
)
NO_RECORD = b"\x17\x03\x03\x00\x20" + bytes(32)


@pytest.fixture
async def faults() -> list[Any]:
    """What escapes to the loop."""
    found: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, fault: found.append(fault))
    return found


async def gone(node: Node, left: int) -> None:
    """Wait until so many connections are left."""
    async with asyncio.timeout(PATIENCE_S):
        while len(node.pump.streams) > left:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)


async def is_served(client: RawTls, number: int) -> bool:
    client.put(raw_options(number))
    client.send()
    return (await client.receive()).startswith(b"SIP/2.0 200")


def ask(node: Node, flow: Flow) -> None:
    node.endpoint.send_request(options(), flow, node.clock.now())
    node.pump.schedule_flush()


def flow_of(node: Node, index: int) -> Flow:
    event = node.events[index]
    assert isinstance(event, RequestReceived)
    return event.flow


async def test_messages_and_the_end_of_tls_in_one_piece(tmp_path: Path, faults: list[Any]) -> None:
    async with running_node(tls=contexts(tmp_path)) as bob:
        remote = await bob.pump.listen(Transport.TLS, HOST, 0)
        trusted = trusting(tmp_path)
        async with raw_tls(remote, trusted) as other, raw_tls(remote, trusted) as client:
            for number in range(20):  # more than one turn takes: the rest is answered after the end
                client.put(raw_options(number))
            client.put_end()
            client.send()
            await bob.wait_for(20)
            await gone(bob, 1)
            assert await is_served(other, 20)
    assert faults == []


async def test_a_request_that_cannot_be_framed_in_one_piece_with_the_end_of_the_handshake(
    tmp_path: Path, faults: list[Any]
) -> None:
    async with running_node(tls=contexts(tmp_path)) as bob:
        reader, writer = await asyncio.open_connection(
            *await bob.pump.listen(Transport.TLS, HOST, 0)
        )
        client = RawTls(reader, writer, trusting(tmp_path))
        async with asyncio.timeout(PATIENCE_S):
            await client.shake_hands(UNFRAMED["negative"][0])
        assert (await client.receive()).startswith(b"SIP/2.0 400 ")
        assert await client.receive() == b"", "and TLS is closed in its own words"
        writer.close()
    assert faults == []


async def test_a_write_after_the_close_is_reported_and_those_after_it_leave(
    tmp_path: Path, faults: list[Any]
) -> None:
    async with running_node(tls=contexts(tmp_path)) as bob:
        remote = await bob.pump.listen(Transport.TLS, HOST, 0)
        trusted = trusting(tmp_path)
        async with raw_tls(remote, trusted) as other, raw_tls(remote, trusted) as client:
            assert await is_served(client, 1)
            assert await is_served(other, 2)
            closing, open_ = flow_of(bob, 0), flow_of(bob, 1)
            ask(bob, closing)  # both leave in one turn, and the first is closed before it
            ask(bob, open_)
            connection = bob.pump.streams._connections[closing.connection]
            connection.close()
            connection._ask(bob.clock.now())
            assert (await other.receive()).startswith(b"OPTIONS ")
            (failure,) = (await bob.wait_for(3))[2:]
            assert isinstance(failure, TransportFailed)
    assert faults == []


async def test_a_damaged_record_in_a_websocket(tmp_path: Path, faults: list[Any]) -> None:
    async with running_node(tls=contexts(tmp_path)) as bob:
        remote = await bob.pump.listen(Transport.WSS, HOST, 0)
        async with raw_tls(remote, trusting(tmp_path)) as client:
            client.put(UPGRADE)
            client.send()
            assert (await client.receive()).startswith(b"HTTP/1.1 101 ")
            client.send(NO_RECORD)
            with pytest.raises(ssl.SSLError, match=r"(?i)alert"):
                await client.receive()
            await gone(bob, 0)
    assert faults == []


async def test_what_fails_with_one_peer_costs_the_others_nothing(
    faults: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_node() as alice, running_node() as bob:
        remote = await bob.pump.listen_udp(HOST, 0)
        local = await alice.pump.listen_udp(HOST, 0)
        send = Pump._send_udp

        def failing(pump: Pump, data: bytes, flow: Flow) -> None:
            if flow.remote == (HOST, 9):
                raise RuntimeError("a fault")
            send(pump, data, flow)

        monkeypatch.setattr(Pump, "_send_udp", failing)
        ask(alice, Flow(Transport.UDP, (HOST, 9), local))
        ask(alice, Flow(Transport.UDP, remote, local))
        failure, answer = await alice.wait_for(2)
        assert isinstance(failure, TransportFailed)
        assert "a fault" in failure.reason
        assert not isinstance(answer, TransportFailed)
    assert faults == []


async def test_a_server_whose_session_cannot_begin_is_reported_each_time(
    tmp_path: Path, faults: list[Any]
) -> None:
    certificate(tmp_path)
    async with running_node() as alice:
        remote = (HOST, 9)
        peer = TlsPeer(server_name=".example.com", ca_file=str(tmp_path / "ca.pem"))
        alice.pump.streams.tls.expect(remote, peer)
        for count in (1, 2):
            ask(alice, Flow(Transport.TLS, remote, (HOST, 5061)))
            event = (await alice.wait_for(count))[-1]
            assert isinstance(event, TransportFailed)
            assert "idna" in event.reason
    assert faults == []


@pytest.mark.parametrize("is_damaged", [True, False])
def test_a_session_that_is_over_says_so(tmp_path: Path, is_damaged: bool) -> None:
    tls = contexts(tmp_path)
    server, client = tls.accept(), TlsSession(trusting(tmp_path), server_name=HOST)
    client.begin()
    while not (server.is_open and client.is_open):
        server.feed(client.take_output())
        client.feed(server.take_output())
    assert server.wrap(b"something")
    if is_damaged:
        with pytest.raises(TlsError):
            server.feed(NO_RECORD)
        assert not server.is_open
    else:
        server.goodbye()
    with pytest.raises(TlsError):
        server.wrap(b"more")
    assert not server.is_open


@pytest.mark.parametrize("message", [b"text", b"\xff\xfe"])
def test_a_websocket_that_is_closed_takes_neither_text_nor_binary(message: bytes) -> None:
    socket = SipWebSocket(MessageLimits())
    socket.feed(UPGRADE)
    assert socket.wrap(message)
    socket.goodbye()
    assert socket.wrap(message) == b""
