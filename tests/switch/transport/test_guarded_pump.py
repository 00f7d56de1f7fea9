"""What the sockets let in when a guard stands in front of them."""

from __future__ import annotations

import asyncio
import socket

from switch.guard.guard import Guard
from switch.guard.offences import Offence
from switch.guard.settings import GuardSettings
from switch.transport.limits import TransportLimits
from tests.kit.patience import PATIENCE_S
from tests.switch.transport.node import UNFRAMED, raw_options, running_node

STRANGER = "127.0.0.2"
HOST = "127.0.0.1"


def guard(**values: object) -> Guard:
    return Guard(GuardSettings(exempt=(HOST,), **values))  # type: ignore[arg-type]


def shut_out(watched: Guard, now: float) -> None:
    for _ in range(10):
        watched.offend(STRANGER, Offence.WRONG_PASSWORD, now)


def udp(host: str) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((host, 0))
    return sock


async def ended(reader: asyncio.StreamReader) -> bytes:
    """What came until the peer closed."""
    async with asyncio.timeout(PATIENCE_S):
        try:
            return await reader.read()
        except ConnectionResetError:
            return b""


async def connect(host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection(HOST, port, local_addr=(host, 0))


async def test_datagrams_of_a_banned_source_are_not_read() -> None:
    watched = guard()
    async with running_node(guard=watched) as node:
        address = await node.pump.listen_udp(HOST, 0)
        shut_out(watched, node.clock.now())
        with udp(STRANGER) as banned, udp(HOST) as good:
            for number in range(5):
                banned.sendto(raw_options(number), address)
            good.sendto(raw_options(100), address)
            await node.wait_for(1)
        assert node.endpoint.counters.requests == 1
        counters = watched.counters(node.clock.now())
        assert (counters.banned, counters.dropped_banned) == (1, 5)


async def test_datagrams_above_the_rate_are_dropped_and_others_go_on() -> None:
    watched = guard(stranger_rate=1.0)
    async with running_node(guard=watched) as node:
        address = await node.pump.listen_udp(HOST, 0)
        with udp(STRANGER) as stranger, udp(HOST) as good:
            for number in range(50):
                stranger.sendto(raw_options(number), address)
            for number in range(20):
                good.sendto(raw_options(100 + number), address)
            await node.wait_for(25)
        assert watched.counters(node.clock.now()).dropped_source == 45


async def test_an_office_of_phones_may_connect_from_one_address() -> None:
    async with running_node(guard=guard()) as node:
        address = await node.pump.listen_tcp(HOST, 0)
        phones = [await connect(HOST, address[1]) for _ in range(300)]
        for _, writer in phones:
            writer.write(b"\r\n\r\n")
        async with asyncio.timeout(30):
            for reader, _ in phones:
                assert await reader.readexactly(2) == b"\r\n"
        for _, writer in phones:
            writer.close()
        assert node.pump.streams.counters.refused_full == 0


async def test_a_banned_source_cannot_connect_and_what_it_has_is_cut() -> None:
    watched = guard()
    async with running_node(guard=watched) as node:
        port = (await node.pump.listen_tcp(HOST, 0))[1]
        mine, writer = await connect(STRANGER, port)
        writer.write(raw_options())
        assert (await mine.readline()).startswith(b"SIP/2.0 200")
        shut_out(watched, node.clock.now())
        node.pump.streams.cut_source(STRANGER, "banned")
        assert b"SIP/2.0 200" not in await ended(mine)
        late, other = await connect(STRANGER, port)
        assert await ended(late) == b""
        assert node.pump.streams.counters.refused_banned == 1
        for each in (writer, other):
            each.close()


async def test_a_stranger_must_bring_a_whole_message_soon() -> None:
    watched = guard()
    limits = TransportLimits(stranger_message_s=0.2)
    async with running_node(limits, guard=watched) as node:
        port = (await node.pump.listen_tcp(HOST, 0))[1]
        silent, a = await connect(STRANGER, port)
        pinging, b = await connect(STRANGER, port)
        b.write(b"\r\n\r\n")
        begun, c = await connect(STRANGER, port)
        c.write(b"OPTIONS sip:")
        exempt, d = await connect(HOST, port)
        for reader in (silent, pinging, begun):
            await ended(reader)
        assert node.pump.streams.counters.slow_closed == 3
        assert watched.counters(node.clock.now()).offences == {Offence.SLOW: 3}
        d.write(raw_options())
        assert (await exempt.readline()).startswith(b"SIP/2.0 200")
        for writer in (a, b, c, d):
            writer.close()


async def test_a_stranger_has_few_connections_and_an_exempt_address_many() -> None:
    limits = TransportLimits(max_connections_per_stranger=2)
    async with running_node(limits, guard=guard()) as node:
        port = (await node.pump.listen_tcp(HOST, 0))[1]
        pairs = [await connect(STRANGER, port) for _ in range(3)]
        assert await ended(pairs[2][0]) == b""
        pairs += [await connect(HOST, port) for _ in range(5)]
        pairs[-1][1].write(raw_options())
        assert (await pairs[-1][0].readline()).startswith(b"SIP/2.0 200")
        assert len(node.pump.streams) == 7
        assert node.pump.streams.strangers == 2
        for _, writer in pairs:
            writer.close()


async def test_the_oldest_stranger_gives_way_to_a_newer_one() -> None:
    limits = TransportLimits(max_strangers=2)
    async with running_node(limits, guard=guard()) as node:
        port = (await node.pump.listen_tcp(HOST, 0))[1]
        pairs = [await connect(f"127.0.0.{n}", port) for n in (2, 3, 4)]
        await ended(pairs[0][0])
        assert node.pump.streams.counters.strangers_displaced == 1
        pairs[1][1].write(raw_options())
        assert (await pairs[1][0].readline()).startswith(b"SIP/2.0 200")
        for _, writer in pairs:
            writer.close()


async def test_who_proves_a_password_is_no_stranger_any_more() -> None:
    watched = guard()
    limits = TransportLimits(stranger_idle_s=0.2, stranger_message_s=0.2)
    async with running_node(limits, guard=watched) as node:
        port = (await node.pump.listen_tcp(HOST, 0))[1]
        reader, writer = await connect(STRANGER, port)
        watched.accept(STRANGER, node.clock.now())  # as the registrar does when it has read this:
        writer.write(raw_options(1))
        assert (await reader.readline()).startswith(b"SIP/2.0 200")
        assert node.pump.streams.strangers == 0
        other, idle = await connect("127.0.0.3", port)
        idle.write(raw_options(2))
        await ended(other)  # the stranger's time is over
        writer.write(raw_options(3))
        while not (await reader.readline()).startswith(b"SIP/2.0 200"):
            pass
        assert node.pump.streams.counters.idle_closed == 1
        writer.close()
        idle.close()


async def test_nonsense_on_a_connection_is_an_offence() -> None:
    watched = guard()
    async with running_node(guard=watched) as node:
        port = (await node.pump.listen_tcp(HOST, 0))[1]
        reader, writer = await connect(STRANGER, port)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        await ended(reader)
        assert watched.counters(node.clock.now()).offences == {Offence.NO_SIP: 1}
        writer.close()


async def test_a_request_that_cannot_be_framed_is_an_offence_and_answered_until_its_ban() -> None:
    watched = guard()
    async with running_node(guard=watched) as node:
        port = (await node.pump.listen_tcp(HOST, 0))[1]
        bad, _ = UNFRAMED["negative"]
        answers = []
        while not watched.is_banned(STRANGER, node.clock.now()):
            reader, writer = await connect(STRANGER, port)
            writer.write(bad)
            answers.append(await ended(reader))
            writer.close()
        assert all(answer.startswith(b"SIP/2.0 400 ") for answer in answers[:-1])
        offences = watched.counters(node.clock.now()).offences
        assert offences == {Offence.NO_SIP: len(answers)}, "and not malformed as well"
        assert 10 <= len(answers) <= 12


async def test_over_tcp_a_peer_above_its_rate_waits_and_loses_nothing() -> None:
    watched = guard(stranger_rate=40.0)
    async with running_node(guard=watched) as node:
        port = (await node.pump.listen_tcp(HOST, 0))[1]
        reader, writer = await connect(STRANGER, port)
        writer.write(b"".join(raw_options(number) for number in range(180)))
        async with asyncio.timeout(30):
            for _ in range(180):
                head = await reader.readuntil(b"\r\n\r\n")
                assert head.startswith(b"SIP/2.0 200")
        counters = watched.counters(node.clock.now())
        assert (counters.dropped_source, counters.offences) == (0, {})
        assert node.pump.streams.counters.paused >= 1
        assert node.pump.streams.counters.slow_closed == 0
        writer.close()


async def test_a_peer_that_leaves_while_it_waits_leaves_nothing_behind() -> None:
    async with running_node(guard=guard(stranger_rate=1.0)) as node:
        port = (await node.pump.listen_tcp(HOST, 0))[1]
        _, writer = await connect(STRANGER, port)
        writer.write(b"".join(raw_options(number) for number in range(60)))
        async with asyncio.timeout(PATIENCE_S):
            while not node.pump.streams.counters.paused:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.01)
        assert node.endpoint.counters.requests <= 6
        node.pump.streams.cut_source(STRANGER, "a test")
        async with asyncio.timeout(PATIENCE_S):
            while len(node.pump.streams):  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.01)
        writer.close()


async def test_what_is_dropped_whole_while_others_wait_does_no_harm() -> None:
    watched = guard()
    async with running_node(guard=watched) as node:
        port = (await node.pump.listen_tcp(HOST, 0))[1]
        address = await node.pump.listen_udp(HOST, 0)
        reader, writer = await connect(STRANGER, port)
        writer.write(raw_options())
        assert (await reader.readline()).startswith(b"SIP/2.0 200")
        shut_out(watched, node.clock.now())
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
            for number in range(200):
                phone.sendto(raw_options(number), address)
            while not len(node.pump.inflow):  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0)
            writer.write(raw_options(201))
            await node.wait_for(201)
        assert len(node.pump.streams) == 1, "nobody cut it"
        assert watched.counters(node.clock.now()).dropped_banned >= 1
        writer.close()


async def test_what_the_guard_dropped_is_no_sign_that_others_wait() -> None:
    watched = guard()
    async with running_node(guard=watched) as node:
        address = await node.pump.listen_udp(HOST, 0)
        shut_out(watched, node.clock.now())
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
            phone.bind((STRANGER, 0))
            began = node.clock.now()
            phone.sendto(raw_options(), address)
            async with asyncio.timeout(PATIENCE_S):
                while not watched.counters(began).dropped_banned:  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(0.01)
        assert node.pump._looked_at >= began, "the socket was found empty"
