"""The pump over real WebSockets: the client is the `websockets` library, which knows nothing of ours."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin, Subprotocol

from switch.guard.bans import Verdict
from switch.guard.forwarded import Forwarded
from switch.guard.guard import Guard
from switch.guard.offences import Offence
from switch.guard.settings import GuardSettings
from switch.sip.events import RequestReceived, ResponseReceived, TransportFailed
from switch.sip.flow import Flow, Transport
from switch.transport.limits import TransportLimits
from tests.kit.certificates import contexts, trusting
from tests.kit.patience import PATIENCE_S
from tests.switch.transport.node import UNFRAMED, Node, options, raw_options, running_node

HOST = "127.0.0.1"
SIP = [Subprotocol("sip")]


WORLD, OTHER = "203.0.113.9", "203.0.113.10"


def browser(
    remote: tuple[str, int], *, origin: str | None = None, behind: str = "", forwarded: str = ""
) -> connect:
    headers = {"X-Forwarded-For": behind, "Forwarded": forwarded}
    return connect(
        f"ws://{remote[0]}:{remote[1]}/sip",
        subprotocols=SIP,
        origin=Origin(origin) if origin else None,
        additional_headers={name: value for name, value in headers.items() if value},
        ping_interval=None,
        compression=None,
    )


async def listening(node: Node) -> tuple[str, int]:
    return await node.pump.listen(Transport.WS, HOST, 0)


async def answer(socket: ClientConnection) -> str:
    async with asyncio.timeout(PATIENCE_S):
        told = await socket.recv()
    return told if isinstance(told, str) else told.decode()


async def test_a_browser_asks_and_is_asked_in_text_frames() -> None:
    async with running_node() as bob:
        remote = await listening(bob)
        async with browser(remote) as socket:
            assert socket.subprotocol == "sip"
            await socket.send(raw_options(1).decode())
            assert (await answer(socket)).startswith("SIP/2.0 200 OK")
            await socket.send(raw_options(2))
            assert (await answer(socket)).startswith("SIP/2.0 200 OK")
            request = bob.events[0]
            assert isinstance(request, RequestReceived)
            assert request.flow.transport is Transport.WS
            bob.endpoint.send_request(options(), request.flow, bob.clock.now())
            bob.pump.schedule_flush()
            asked = await answer(socket)
            assert asked.startswith("OPTIONS ")
            assert f"\r\nVia: SIP/2.0/WS {HOST}:{remote[1]};" in asked
            via = next(line for line in asked.split("\r\n") if line.startswith("Via"))
            rest = [n for n in asked.split("\r\n") if n.startswith(("From", "Call-ID", "CSeq"))]
            lines = ["SIP/2.0 200 OK", via, *rest, "To: <sip:b@127.0.0.1>;tag=x", "", ""]
            await socket.send("\r\n".join(lines))
            await bob.wait_for(3)
            assert isinstance(bob.events[2], ResponseReceived), "no Content-Length is needed"


async def test_pieces_of_a_message_are_put_together_and_keepalives_answered() -> None:
    async with running_node() as bob, browser(await listening(bob)) as socket:
        text = raw_options(1).decode()
        await socket.send(text[at : at + 7] for at in range(0, len(text), 7))
        assert (await answer(socket)).startswith("SIP/2.0 200 OK")
        await socket.send("\r\n\r\n")
        assert await answer(socket) == "\r\n"
        async with asyncio.timeout(PATIENCE_S):
            await (await socket.ping())


async def test_over_tls_it_is_wss(tmp_path: Path) -> None:
    async with running_node(tls=contexts(tmp_path)) as bob:
        remote = await bob.pump.listen(Transport.WSS, HOST, 0)
        async with connect(
            f"wss://{HOST}:{remote[1]}", subprotocols=SIP, ssl=trusting(tmp_path)
        ) as socket:
            await socket.send(raw_options(1).decode())
            assert (await answer(socket)).startswith("SIP/2.0 200 OK")
            request = bob.events[0]
            assert isinstance(request, RequestReceived)
            assert request.flow.transport is Transport.WSS
            assert bob.pump.streams.by_kind == {Transport.WSS: 1}


async def test_who_speaks_another_subprotocol_or_comes_from_elsewhere_is_told_and_not_let_in() -> (
    None
):
    watched = Guard(GuardSettings())
    async with running_node(guard=watched) as bob:
        remote = await listening(bob)
        bob.pump.streams.origins = ("https://desk.example.com",)
        with pytest.raises(InvalidStatus) as refused:
            async with connect(f"ws://{HOST}:{remote[1]}"):
                pass
        assert refused.value.response.status_code == 400
        with pytest.raises(InvalidStatus) as refused:
            async with browser(remote, origin="https://evil.example.com"):
                pass
        assert refused.value.response.status_code == 403
        async with browser(remote, origin="https://desk.example.com"), browser(remote):
            pass
        assert bob.pump.streams.counters.upgrades_refused == 2
        assert watched.counters(bob.clock.now()).offences == {}


@pytest.mark.parametrize(("proxies", "counted"), [((HOST,), WORLD), (("192.0.2.1",), HOST)])
async def test_whom_a_proxy_of_ours_brings_is_who_it_says(
    proxies: tuple[str, ...], counted: str
) -> None:
    async with running_node(guard=Guard(GuardSettings())) as bob:
        remote = await listening(bob)
        bob.pump.streams.forwarded = Forwarded(proxies)
        async with browser(remote, behind=WORLD) as socket:
            await socket.send(raw_options(1).decode())
            assert (await answer(socket)).startswith("SIP/2.0 200 OK")
            request = bob.events[0]
            assert isinstance(request, RequestReceived)
            assert request.flow.remote[0] == counted
            assert bob.pump.streams.strangers == 1


async def test_who_is_banned_is_banned_behind_a_proxy_too_and_the_others_there_are_not() -> None:
    watched = Guard(GuardSettings(exempt=(HOST,)))
    async with running_node(guard=watched) as bob:
        remote = await listening(bob)
        bob.pump.streams.forwarded = Forwarded((HOST,))
        for _ in range(1000):
            watched.offend(WORLD, Offence.NO_SIP, bob.clock.now(), is_connected=True)
        assert watched.judge(WORLD, bob.clock.now(), is_connected=True) is not Verdict.PASS
        with pytest.raises(InvalidStatus) as refused:
            async with browser(remote, behind=WORLD):
                pass
        assert refused.value.response.status_code == 403
        assert refused.value.response.body == f"{WORLD} may not connect\n".encode()
        async with browser(remote, behind="203.0.113.77") as socket:
            await socket.send(raw_options(1).decode())
            assert (await answer(socket)).startswith("SIP/2.0 200 OK")


@pytest.mark.parametrize("written", [f"for={OTHER}", "for=unknown", "nonsense"])
async def test_who_leaves_open_who_it_is_behind_a_proxy_is_not_let_in(written: str) -> None:
    watched = Guard(GuardSettings(exempt=(HOST,)))
    async with running_node(guard=watched) as bob:
        remote = await listening(bob)
        bob.pump.streams.forwarded = Forwarded((HOST,))
        with pytest.raises(InvalidStatus) as refused:
            async with browser(remote, behind=WORLD, forwarded=written):
                pass
        assert refused.value.response.status_code == 403
        assert b"does not say for whom" in (refused.value.response.body or b"")
        assert watched.counters(bob.clock.now()).offences == {}
        async with browser(remote, behind=WORLD, forwarded=f"for={WORLD}"):
            pass


async def told(remote: tuple[str, int], data: bytes) -> bytes:
    """What a server says to these octets until it closes."""
    reader, writer = await asyncio.open_connection(*remote)
    writer.write(data)
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def test_what_is_no_upgrade_is_told_so_and_an_offence() -> None:
    watched = Guard(GuardSettings())
    async with running_node(guard=watched) as bob:
        remote = await listening(bob)
        host = b"Host: x\r\n"
        assert (await told(remote, b"GET / HTTP/1.1\r\n" + host + b"\r\n")).startswith(
            b"HTTP/1.1 4"
        )
        assert (await told(remote, raw_options(1))).startswith(b"HTTP/1.1 400 ")
        long = b"GET / HTTP/1.1\r\n" + host + b"X: " + b"y" * 20_000
        assert (await told(remote, long)).startswith(b"HTTP/1.1 4")
        assert bob.pump.streams.counters.upgrades_refused == 3
        assert watched.counters(bob.clock.now()).offences == {Offence.NO_SIP: 3}
        assert bob.events == []


async def closed(socket: ClientConnection) -> int | None:
    """The code with which the server closes."""
    async with asyncio.timeout(PATIENCE_S):
        with suppress(ConnectionClosed):
            while True:
                await socket.recv()
    return socket.close_code


async def test_messages_without_end_and_unmasked_frames_end_the_connection() -> None:
    async with running_node() as bob:
        remote = await listening(bob)
        async with browser(remote) as socket:
            await socket.send("x" * 200_000)
            assert await closed(socket) == 1009
        async with browser(remote) as socket:
            socket.transport.write(b"\x81\x05hello")
            assert await closed(socket) == 1002
        async with browser(remote) as socket:
            await socket.send(raw_options(1).decode())
            await answer(socket)
            socket.transport.write(b"\x8a\x80abcd" * 5000)
            assert await closed(socket) == 1008
        assert bob.pump.streams.counters.framing_errors == 3


@pytest.mark.parametrize(("name", "status"), [("too-large", 413), ("long-head", 513)])
async def test_a_request_that_is_too_large_is_answered_before_the_connection_closes(
    name: str, status: int
) -> None:
    async with running_node() as bob, browser(await listening(bob)) as socket:
        await socket.send(UNFRAMED[name][0].decode())
        assert (await answer(socket)).startswith(f"SIP/2.0 {status} ")
        assert await closed(socket) == 1009
        assert bob.pump.streams.counters.framing_errors == 1


@pytest.mark.parametrize("name", ["contradicting", "negative", "no-number"])
async def test_in_a_frame_a_wrong_length_is_a_fault_of_the_message_alone(name: str) -> None:
    async with running_node() as bob, browser(await listening(bob)) as socket:
        await socket.send(UNFRAMED[name][0].decode())
        assert (await answer(socket)).startswith("SIP/2.0 400 ")
        await socket.send(raw_options(1).decode())
        assert (await answer(socket)).startswith("SIP/2.0 200 ")


async def test_frames_without_a_message_count_like_messages() -> None:
    watched = Guard(GuardSettings(stranger_rate=5.0))
    async with running_node(guard=watched) as bob:
        async with browser(await listening(bob)) as socket:
            socket.transport.write(b"\x8a\x80abcd" * 100)
            await closed(socket)
        assert watched.counters(bob.clock.now()).offences[Offence.FLOOD] >= 1


async def test_an_upgrade_must_be_asked_for_soon() -> None:
    async with running_node(TransportLimits(handshake_s=0.1)) as bob:
        remote = await listening(bob)
        assert await told(remote, b"GET / HTTP/1.1\r\n") == b""
        assert bob.pump.streams.counters.slow_closed == 1


async def test_a_silent_browser_is_pinged_and_one_that_is_gone_is_let_go() -> None:
    async with running_node(TransportLimits(websocket_ping_s=0.4)) as bob:
        remote = await listening(bob)
        async with browser(remote) as socket:
            await socket.send(raw_options(1).decode())
            await answer(socket)
            (connection,) = bob.pump.streams._connections.values()
            began = connection._patience.active_at
            async with asyncio.timeout(PATIENCE_S):
                while connection._patience.active_at == began:  # noqa: ASYNC110 - a pong is no event
                    await asyncio.sleep(0.01)
            socket.transport.pause_reading()  # nothing is answered any more
            async with asyncio.timeout(PATIENCE_S):
                while len(bob.pump.streams):  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(0.01)
            assert bob.pump.streams.counters.pings_unanswered == 1
            socket.transport.resume_reading()
            request = bob.events[0]
            assert isinstance(request, RequestReceived)
            bob.endpoint.send_request(options(), request.flow, bob.clock.now())
            bob.pump.schedule_flush()
            await bob.wait_for(2)
            assert isinstance(bob.events[1], TransportFailed)
            assert "WebSocket is gone" in bob.events[1].reason


async def test_we_cannot_make_a_websocket_ourselves() -> None:
    async with running_node() as alice:
        flow = Flow(Transport.WS, (HOST, 9), (HOST, 5066))
        alice.endpoint.send_request(options(), flow, alice.clock.now())
        alice.pump.schedule_flush()
        (event,) = await alice.wait_for(1)
        assert isinstance(event, TransportFailed)
        assert alice.pump.streams.counters.made == 0


async def test_the_node_says_goodbye() -> None:
    async with running_node() as bob, browser(await listening(bob)) as socket:
        await socket.send(raw_options(1).decode())
        await answer(socket)
        await bob.pump.close()
        assert await closed(socket) == 1001
