"""The pump over real UDP sockets on the loopback."""

from __future__ import annotations

import asyncio
import socket

import pytest

from switch.sip.events import (
    RequestReceived,
    ResponseReceived,
    TransactionTimedOut,
    TransportFailed,
)
from switch.sip.flow import Flow, Transport
from switch.sip.timers import SipTimers
from switch.transport import pump
from switch.transport.limits import TransportLimits
from tests.kit.patience import PATIENCE_S
from tests.switch.transport.node import options, raw, raw_options, running_node


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


async def test_a_request_gets_its_answer_from_another_node() -> None:
    async with running_node() as alice, running_node() as bob:
        local = await alice.pump.listen_udp("127.0.0.1", 0)
        remote = await bob.pump.listen_udp("127.0.0.1", 0)
        flow = Flow(Transport.UDP, remote, local)
        alice.endpoint.send_request(options(), flow, alice.clock.now())
        alice.pump.schedule_flush()
        (event,) = await alice.wait_for(1)
        assert isinstance(event, ResponseReceived)
        assert event.response.status == 200
        assert event.response.top_via.params["rport"] == str(local[1])
        assert [type(e) for e in bob.events] == [RequestReceived]


async def test_what_is_too_much_while_held_is_counted_and_the_rest_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pump, "_MOST_HELD", 5)
    async with running_node() as bob:
        address = await bob.pump.listen_udp("127.0.0.1", 0)
        bob.pump.hold()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            for number in range(8):
                peer.sendto(raw_options(number), address)
            async with asyncio.timeout(PATIENCE_S):
                while bob.pump.held_dropped < 3:  # noqa: ASYNC110 - nobody is told while it is held
                    await asyncio.sleep(0.005)
        assert bob.events == []
        bob.pump.release()
        assert len(await bob.wait_for(5)) == 5
        assert bob.pump.held_dropped == 3


async def test_ipv6_works_too() -> None:
    async with running_node() as alice, running_node() as bob:
        local = await alice.pump.listen_udp("::1", 0)
        remote = await bob.pump.listen_udp("::1", 0)
        flow = Flow(Transport.UDP, remote, local)
        alice.endpoint.send_request(options(), flow, alice.clock.now())
        alice.pump.schedule_flush()
        (event,) = await alice.wait_for(1)
        assert isinstance(event, ResponseReceived)


async def test_a_socket_hears_on_after_a_peer_refused_a_datagram() -> None:
    """libuv stops watching a descriptor that reports an error; ours must not go deaf."""
    async with running_node() as alice, running_node() as bob:
        local = await alice.pump.listen_udp("127.0.0.1", 0)
        remote = await bob.pump.listen_udp("127.0.0.1", 0)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gone:
            gone.bind(("127.0.0.1", 0))
            nobody = gone.getsockname()
        alice.endpoint.send_request(
            options(), Flow(Transport.UDP, nobody, local), alice.clock.now()
        )
        alice.pump.schedule_flush()
        (refused,) = await alice.wait_for(1)
        assert isinstance(refused, TransportFailed)
        flow = Flow(Transport.UDP, remote, local)
        alice.endpoint.send_request(options(), flow, alice.clock.now())
        alice.pump.schedule_flush()
        _, answered = await alice.wait_for(2)
        assert isinstance(answered, ResponseReceived)


async def test_a_burst_is_taken_in_few_turns_and_all_of_it_answered() -> None:
    async with running_node() as bob:
        remote = await bob.pump.listen_udp("127.0.0.1", 0)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind(("127.0.0.1", 0))
            for number in range(100):
                sock.sendto(raw(b"BYE", number, b"x"), remote)
            await bob.wait_for(100)
            assert bob.turns <= 4
            sock.settimeout(2)
            answers = {sock.recvfrom(4096)[0].split(b"branch=")[1][:12] for _ in range(100)}
            assert len(answers) == 100


async def test_many_commands_make_one_turn() -> None:
    async with running_node() as alice, running_node() as bob:
        local = await alice.pump.listen_udp("127.0.0.1", 0)
        remote = await bob.pump.listen_udp("127.0.0.1", 0)
        flow = Flow(Transport.UDP, remote, local)
        for _ in range(20):
            alice.endpoint.send_request(options(), flow, alice.clock.now())
            alice.pump.schedule_flush()
        assert alice.turns == 0
        await bob.wait_for(20)
        await alice.wait_for(20)
        assert bob.turns < 5


async def test_retransmissions_run_on_the_loop_until_the_timeout() -> None:
    async with running_node(timers=SipTimers(t1_s=0.01, t2_s=0.04)) as alice:
        local = await alice.pump.listen_udp("127.0.0.1", 0)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
            silent.bind(("127.0.0.1", 0))
            flow = Flow(Transport.UDP, silent.getsockname(), local)
            alice.endpoint.send_request(options(), flow, alice.clock.now())
            alice.pump.schedule_flush()
            (event,) = await alice.wait_for(1)
        assert isinstance(event, TransactionTimedOut)
        assert 5 <= alice.endpoint.counters.retransmissions_sent <= 20


async def test_a_refused_datagram_fails_its_transaction_and_the_socket_lives_on() -> None:
    async with running_node() as alice, running_node() as bob:
        local = await alice.pump.listen_udp("127.0.0.1", 0)
        remote = await bob.pump.listen_udp("127.0.0.1", 0)
        for expected in (1, 3):
            dead = Flow(Transport.UDP, ("127.0.0.1", free_port()), local)
            alice.endpoint.send_request(options(), dead, alice.clock.now())
            alice.pump.schedule_flush()
            await alice.wait_for(expected)
            assert isinstance(alice.events[-1], TransportFailed)
            live = Flow(Transport.UDP, remote, local)
            alice.endpoint.send_request(options(), live, alice.clock.now())
            alice.pump.schedule_flush()
            await alice.wait_for(expected + 1)
            assert isinstance(alice.events[-1], ResponseReceived)


async def test_a_flow_to_a_name_or_an_impossible_port_fails_without_a_look_up() -> None:
    async with running_node() as alice:
        local = await alice.pump.listen_udp("127.0.0.1", 0)
        for remote in (("sip.example.com", 5060), ("127.0.0.1", 0), ("127.0.0.1", 70_000)):
            flow = Flow(Transport.UDP, remote, local)
            alice.endpoint.send_request(options(), flow, alice.clock.now())
        alice.pump.schedule_flush()
        events = await alice.wait_for(3)
        assert [type(e) for e in events] == [TransportFailed] * 3


async def test_a_message_too_large_for_a_datagram_fails() -> None:
    async with running_node() as alice:
        local = await alice.pump.listen_udp("127.0.0.1", 0)
        flow = Flow(Transport.UDP, ("127.0.0.1", 9), local)
        alice.endpoint.send_request(options(b"x" * 66_000), flow, alice.clock.now())
        alice.pump.schedule_flush()
        (event,) = await alice.wait_for(1)
        assert isinstance(event, TransportFailed)


async def test_noise_disturbs_nobody() -> None:
    async with running_node() as bob:
        remote = await bob.pump.listen_udp("127.0.0.1", 0)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            for noise in (b"", b"\r\n\r\n", b"\0", b"\xff" * 60_000, b"SIP/2.0 200 OK\r\n\r\n"):
                sock.sendto(noise, remote)
            sock.sendto(raw_options(), remote)
            await bob.wait_for(1)
        assert bob.endpoint.counters.malformed == 2
        assert bob.endpoint.counters.keepalives == 3


async def test_nothing_is_left_after_close() -> None:
    async with running_node(TransportLimits(udp_batch=2)) as alice:
        local = await alice.pump.listen_udp("127.0.0.1", 0)
        flow = Flow(Transport.UDP, ("127.0.0.1", free_port()), local)
        alice.endpoint.send_request(options(), flow, alice.clock.now())
        await alice.pump.close()
        alice.pump.schedule_flush()
        await alice.pump.close()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind(local)
        assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_what_the_kernel_could_not_keep_for_us_is_counted() -> None:
    async with running_node(TransportLimits(udp_buffer=4096)) as node:
        address = await node.pump.listen_udp("127.0.0.1", 0)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            for number in range(200):  # in one go: the loop does not read meanwhile
                peer.sendto(raw_options(number), address)
            assert node.pump.udp_missed > 100
            missed = node.pump.udp_missed
            await node.wait_for(200 - missed)
        assert node.pump.udp_missed == missed
    assert node.pump.udp_missed == 0, "a socket that is closed tells nothing"
