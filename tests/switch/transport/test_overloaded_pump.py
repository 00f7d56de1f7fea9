"""More comes than one turn takes: order, refusals, and what the log says, over real sockets."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from switch.sip.events import RequestReceived
from switch.sip.message import Response
from switch.sip.parsing import parse
from switch.transport.inflow import InflowSettings
from tests.switch.transport.node import Node, raw, raw_options, running_node

HOST = "127.0.0.1"
NO_PATIENCE = InflowSettings(patience_s=-1.0, burst_s=-1.0, kept_s=-1.0)
"""Whatever is new and not served at once is refused."""


@pytest.fixture
def peer() -> Iterator[socket.socket]:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with closing(sock):
        sock.bind((HOST, 0))
        sock.settimeout(10)
        yield sock


def methods(node: Node) -> list[str]:
    return [each.request.method for each in node.events if isinstance(each, RequestReceived)]


def answer(peer: socket.socket) -> Response:
    message = parse(peer.recvfrom(4096)[0])
    assert isinstance(message, Response)
    return message


async def test_what_goes_on_is_served_before_new_calls_that_came_earlier(
    peer: socket.socket,
) -> None:
    async with running_node() as node:
        address = await node.pump.listen_udp(HOST, 0)
        for number in range(40):
            peer.sendto(raw(b"INVITE", number), address)
        peer.sendto(raw(b"BYE", 100, b"x"), address)
        await node.wait_for(41)
        assert methods(node) == ["BYE", *["INVITE"] * 40]
        assert 3 <= node.turns <= 4, "sixteen new calls a turn"
        assert (node.pump.inflow.refused, len(node.pump.inflow)) == (0, 0)


async def test_what_cannot_wait_is_answered_503_and_its_ack_is_not_read(
    peer: socket.socket, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "switch.transport")
    async with running_node(inflow=NO_PATIENCE) as node:
        address = await node.pump.listen_udp(HOST, 0)
        for number in range(20):
            peer.sendto(raw(b"INVITE", number), address)
        peer.sendto(raw(b"BYE", 100, b"x"), address)
        await node.wait_for(1)
        assert methods(node) == ["BYE"]
        found = [answer(peer) for _ in range(21)]
        refusals = [each for each in found if each.status == 503]
        assert len(refusals) == node.pump.inflow.refused == 20
        assert all(each.headers.get("Retry-After") == "5" for each in refusals)
        read = node.endpoint.counters.requests
        for number in range(20):
            tag = refusals[number].to.tag or ""
            peer.sendto(raw(b"ACK", number, tag.encode()), address)
        peer.sendto(raw(b"BYE", 101, b"x"), address)
        await node.wait_for(2)
        assert methods(node) == ["BYE", "BYE"]
        assert node.endpoint.counters.requests <= read + 1 + 20
        assert node.endpoint.transactions_alive == 2
        assert [record.levelname for record in caplog.records] == ["WARNING"]


async def test_the_copy_of_a_call_under_way_is_read_however_much_comes(
    peer: socket.socket,
) -> None:
    async with running_node(inflow=NO_PATIENCE) as node:
        address = await node.pump.listen_udp(HOST, 0)
        peer.sendto(raw(b"INVITE", 0), address)
        await node.wait_for(1)
        for number in range(20):
            peer.sendto(raw(b"INVITE", number), address)
        peer.sendto(raw(b"BYE", 100, b"x"), address)
        await node.wait_for(2)
        assert methods(node) == ["INVITE", "BYE"]
        assert node.endpoint.counters.retransmissions_absorbed == 1
        assert node.pump.inflow.refused == 20


async def test_after_a_stall_of_the_loop_old_calls_are_not_taken_for_new_ones(
    peer: socket.socket,
) -> None:
    async with running_node() as node:
        address = await node.pump.listen_udp(HOST, 0)
        for number in range(100):
            peer.sendto(raw(b"INVITE", number), address)
        peer.sendto(raw(b"BYE", 100, b"x"), address)
        node.pump.loop_was_late(
            5.0, node.clock.now()
        )  # five seconds for which they may have waited
        await node.wait_for(20)
        assert methods(node)[0] == "BYE"
        assert 75 <= node.pump.inflow.refused <= 81, "all but those of the last second"


async def test_what_came_while_held_is_served_whatever_its_age(peer: socket.socket) -> None:
    async with running_node() as node:
        address = await node.pump.listen_udp(HOST, 0)
        node.pump.hold()
        for number in range(100):
            peer.sendto(raw_options(number), address)
        peer.sendto(raw(b"BYE", 100, b"x"), address)
        for _ in range(10):
            await asyncio.sleep(0)  # the loop looks at its sockets
        assert node.events == []
        node.pump.loop_was_late(5.0, node.clock.now())
        node.pump.release()
        await node.wait_for(101)
        assert node.pump.inflow.refused == 0


async def test_nothing_is_served_after_the_end(peer: socket.socket) -> None:
    async with running_node() as node:
        address = await node.pump.listen_udp(HOST, 0)
        for number in range(40):
            peer.sendto(raw(b"INVITE", number), address)
        await node.wait_for(1)
        turns = node.turns
        await node.pump.close()
        assert node.turns == turns
    assert len(node.events) < 40
