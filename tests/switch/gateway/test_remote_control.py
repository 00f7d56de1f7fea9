"""The control protocol over TCP: strangers, wrong secrets, broken lines; the server turns in a thread."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from switch.errors import MediaUnavailableError
from switch.gateway.client import GatewayClient
from switch.gateway.control import GONE_S, MAX_CONNECTIONS, PROOF_WITHIN_S, ControlServer
from switch.gateway.framing import LENGTH_OCTETS, FrameSplitter, encode_frame, frame_of
from switch.gateway.place import TcpPlace
from switch.gateway.protocol import (
    VERSION,
    Command,
    Event,
    GetStats,
    Hello,
    PortsReserved,
    ReservePorts,
    Shutdown,
    Welcome,
)
from switch.gateway.remote import RemoteGateway
from switch.gateway.trust import MAGIC, NONCE_OCTETS, AgentProof

SECRET, OTHER = b"s" * 32, b"t" * 32


class Hall:
    """A control server on another host, as far as TCP can tell."""

    def __init__(self) -> None:
        self.commands: list[Command] = []
        self.hellos: list[Hello] = []
        self.server = ControlServer(
            TcpPlace("127.0.0.1", 0, SECRET), on_hello=self._welcome, on_command=self._take
        )
        self.port = self.server.port()
        self._lock = threading.Lock()
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _welcome(self, hello: Hello) -> Welcome:
        self.hellos.append(hello)
        return Welcome(version=VERSION, gateway="g", pid=1, rtp_address="127.0.0.1")

    def _take(self, command: Command) -> None:
        self.commands.append(command)
        if isinstance(command, ReservePorts):
            ports = tuple(range(12000, 12000 + 2 * command.count, 2))
            self.server.send(PortsReserved(ports=ports))

    def _run(self) -> None:
        while not self._ends.is_set():
            with self._lock:
                self.server.poll(0.01)
                self.server.flush()

    def expire(self, now: float) -> None:
        with self._lock:
            self.server.expire(now)

    def hang_up(self) -> None:
        """Break every connection that stands."""
        with self._lock:
            for connection in tuple(self.server._connections.values()):
                self.server._drop(connection)

    def place(self, secret: bytes = SECRET) -> TcpPlace:
        return TcpPlace("127.0.0.1", self.port, secret)

    def call(self, source: str = "127.0.0.1") -> socket.socket:
        """A stranger's connection, with the challenge read."""
        there = ("127.0.0.1", self.port)
        peer = socket.create_connection(there, timeout=10, source_address=(source, 0))
        assert len(read(peer, LENGTH_OCTETS + len(MAGIC) + NONCE_OCTETS)) > NONCE_OCTETS
        return peer

    def close(self) -> None:
        self._ends.set()
        self._thread.join()
        self.server.close()


def read(peer: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size and (more := peer.recv(size - len(data))):
        data += more
    return data


def is_closed_in_silence(peer: socket.socket) -> bool:
    """Nothing more comes but the end, in whatever way."""
    try:
        return peer.recv(100) == b""
    except ConnectionResetError:
        return True


@pytest.fixture(scope="module")
def hall() -> Iterator[Hall]:
    hall = Hall()
    yield hall
    hall.close()


def client(events: list[Event] | None = None) -> GatewayClient:
    kept = [] if events is None else events
    return GatewayClient(on_event=kept.append, on_lost=lambda why: None, ports_ahead=4)


async def test_with_the_secret_it_is_a_gateway_like_any_other(hall: Hall) -> None:
    agent = client()
    welcome = await agent.connect(hall.place(), Hello(recordings="/r"))
    assert welcome.gateway == "g"
    assert hall.hellos[-1].recordings == "/r"
    assert agent.take_port() == 12000
    before = len(hall.commands)
    agent.send(GetStats())
    async with asyncio.timeout(10):
        while GetStats() not in hall.commands[before:]:  # noqa: ASYNC110 - it is a thread
            await asyncio.sleep(0.01)
    agent.close()


async def test_a_wrong_secret_is_told_at_the_end_that_can_set_it_right(
    hall: Hall, caplog: pytest.LogCaptureFixture
) -> None:
    before = len(hall.commands)
    with pytest.raises(MediaUnavailableError, match="is it the same at both ends"):
        await client().connect(hall.place(OTHER))
    assert len(hall.commands) == before
    assert OTHER.decode() not in caplog.text
    assert SECRET.decode() not in caplog.text


async def test_what_answers_at_the_place_and_is_no_gateway_is_told(hall: Hall) -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH\r\n")
        await writer.drain()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(MediaUnavailableError):
        await client().connect(TcpPlace("127.0.0.1", port, SECRET))
    server.close()
    await server.wait_closed()


async def test_who_answers_nothing_is_let_go_of() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(10)
        agent = GatewayClient(on_event=lambda event: None, on_lost=lambda why: None, patience_s=0.1)
        with pytest.raises(MediaUnavailableError, match="time is up"):
            await agent.connect(TcpPlace("127.0.0.1", silent.getsockname()[1], SECRET))
        peer, _ = silent.accept()
        with peer:
            peer.settimeout(10)
            assert await asyncio.to_thread(is_closed_in_silence, peer)


async def test_a_name_that_cannot_be_looked_up_is_told_like_one_that_nobody_has() -> None:
    with pytest.raises(MediaUnavailableError, match="no media gateway answers"):
        await client().connect(TcpPlace("a..b", 7000, SECRET))


async def test_the_end_of_an_earlier_connection_is_not_that_of_the_next(hall: Hall) -> None:
    agent = client()
    await agent.connect(hall.place())
    assert agent._transport is not None
    earlier = agent._transport.get_protocol()
    agent.close()
    await agent.connect(hall.place())
    earlier.connection_lost(None)  # what was unsent took long
    assert agent.connected
    agent.close()


@pytest.mark.parametrize(
    "said",
    [
        encode_frame(Hello()),
        encode_frame(Shutdown()),
        frame_of(b"x" * 64),
        frame_of(b""),
        (1 << 19).to_bytes(LENGTH_OCTETS),
        b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n",
    ],
)
def test_strangers_hear_nothing_and_command_nothing(hall: Hall, said: bytes) -> None:
    before = len(hall.commands)
    with hall.call() as peer:
        peer.sendall(said)
        assert is_closed_in_silence(peer)
    assert len(hall.commands) == before


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.binary(min_size=1, max_size=300))
def test_whatever_a_stranger_sends_the_server_goes_on(hall: Hall, data: bytes) -> None:
    before = len(hall.commands)
    with hall.call() as peer:
        peer.sendall(data)
        peer.shutdown(socket.SHUT_WR)
        assert is_closed_in_silence(peer)
    assert len(hall.commands) == before


def test_after_the_proof_a_frame_that_was_not_sealed_ends_the_connection(hall: Hall) -> None:
    before = len(hall.commands)
    with socket.create_connection(("127.0.0.1", hall.port), timeout=10) as peer:
        splitter = FrameSplitter()
        (challenge,) = splitter.feed(read(peer, LENGTH_OCTETS + len(MAGIC) + NONCE_OCTETS))
        proof = AgentProof(SECRET, lambda size: b"n" * size)
        answer = proof.receive(challenge)
        assert answer is not None
        peer.sendall(frame_of(answer))
        (theirs,) = splitter.feed(read(peer, LENGTH_OCTETS + 32))
        assert proof.receive(theirs) is None
        peer.sendall(encode_frame(Shutdown()))
        sealed = read(peer, 1 << 16)
        assert b"did not seal" not in sealed, "even the refusal is sealed"
    assert len(hall.commands) == before


def test_a_call_agent_whose_host_is_gone_is_not_waited_for(hall: Hall) -> None:
    with socket.create_connection(("127.0.0.1", hall.port)) as sock:
        assert sock.recv(1), "it is accepted"
        (connection,) = hall.server._connections.values()
        patience = connection.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
    assert patience == 1000 * GONE_S


def test_who_proves_nothing_is_shown_out(hall: Hall) -> None:
    with hall.call() as peer:
        hall.expire(time.monotonic() + PROOF_WITHIN_S / 2)
        hall.expire(time.monotonic() + PROOF_WITHIN_S + 1)
        assert is_closed_in_silence(peer)


def test_a_host_that_connects_without_end_drives_out_no_other(hall: Hall) -> None:
    with contextlib.ExitStack() as stack:
        agent = stack.enter_context(hall.call())
        crowd = [stack.enter_context(hall.call("127.0.0.2")) for _ in range(2 * MAX_CONNECTIONS)]
        assert is_closed_in_silence(crowd[0])
        agent.setblocking(False)
        with pytest.raises(BlockingIOError):
            agent.recv(1)


class Watched:
    """A remote gateway, and what is told of it."""

    def __init__(self, hall: Hall, grace_s: float) -> None:
        self.told: list[str] = []
        self.client = GatewayClient(
            on_event=lambda event: None,
            on_lost=lambda why: self.gateway.lost(why),
            ports_ahead=4,
        )
        self.gateway = RemoteGateway(
            "hall",
            hall.place(),
            self.client,
            hello=Hello(),
            on_ready=lambda welcome: self.told.append("ready"),
            on_away=lambda why: self.told.append("away"),
            on_lost=lambda why: self.told.append("lost"),
            grace_s=grace_s,
        )

    async def until(self, *told: str) -> None:
        async with asyncio.timeout(20):
            while self.told != list(told):  # noqa: ASYNC110 - sockets
                await asyncio.sleep(0.01)


async def test_a_broken_line_is_mended_before_the_calls_are_given_up() -> None:
    hall = Hall()
    try:
        watched = Watched(hall, grace_s=60.0)
        await watched.gateway.start()
        assert watched.told == ["ready"]
        hall.hang_up()
        await watched.until("ready", "away", "ready")
        assert watched.client.take_port() == 12000
        await watched.gateway.stop()
        assert watched.told == ["ready", "away", "ready"]
    finally:
        hall.close()


async def test_who_is_not_back_in_time_is_lost_and_still_tried() -> None:
    hall = Hall()
    port = hall.port
    watched = Watched(hall, grace_s=0.2)
    await watched.gateway.start()
    hall.close()
    await watched.until("ready", "away", "lost")
    again = socket.create_server(("127.0.0.1", port))
    again.settimeout(20)
    peer, _ = await asyncio.to_thread(again.accept)
    peer.close()
    again.close()
    await watched.gateway.stop()


async def test_who_is_not_there_at_the_start_is_waited_for_and_then_lost() -> None:
    hall = Hall()
    watched = Watched(hall, grace_s=0.2)
    hall.close()
    await watched.gateway.start()
    await watched.until("lost")
    await watched.gateway.stop()
