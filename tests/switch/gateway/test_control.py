"""The control socket under peers that misbehave; the server runs in this process, turned by hand."""

from __future__ import annotations

import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from switch.gateway.control import MAX_CONNECTIONS, MAX_KEPT_EVENTS, ControlServer
from switch.gateway.framing import EVENTS, FrameSplitter, FramingError, encode_frame
from switch.gateway.protocol import (
    MAX_FRAME_OCTETS,
    VERSION,
    Command,
    Event,
    GetStats,
    Hello,
    PortsReserved,
    Refused,
    ReservePorts,
    Welcome,
)


class Desk:
    """A control server and peers on its socket."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.commands: list[Command] = []
        self.server = ControlServer(path, on_hello=self._welcome, on_command=self.commands.append)
        self.peers: list[socket.socket] = []

    def _welcome(self, hello: Hello) -> Welcome:
        return Welcome(version=VERSION, gateway="g", pid=1, rtp_address="127.0.0.1")

    def connect(self) -> socket.socket:
        peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        peer.settimeout(2)
        peer.connect(str(self.path))
        self.peers.append(peer)
        self.turn()
        return peer

    def turn(self) -> None:
        for _ in range(10):
            self.server.poll()
            self.server.flush()

    def say(self, peer: socket.socket, data: bytes) -> None:
        peer.sendall(data)
        self.turn()

    def hear(self, peer: socket.socket) -> list[Event]:
        """What has come; ends with the connection when it was closed."""
        splitter = FrameSplitter()
        events: list[Event] = []
        peer.setblocking(False)
        try:
            while data := peer.recv(1 << 20):
                events += [EVENTS.decode(body) for body in splitter.feed(data)]
        except BlockingIOError:
            return events
        return [*events, Refused(reason="closed")]

    def close(self) -> None:
        for peer in self.peers:
            peer.close()
        self.server.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path / "g.sock")
    yield desk
    desk.close()


def is_alive(desk: Desk, peer: socket.socket) -> bool:
    desk.commands.clear()
    desk.say(peer, encode_frame(GetStats()))
    return desk.commands == [GetStats()]


def test_a_hello_is_answered_and_commands_arrive_however_they_are_cut(desk: Desk) -> None:
    peer = desk.connect()
    for octet in encode_frame(Hello()) + encode_frame(ReservePorts(count=3)):
        desk.say(peer, bytes([octet]))
    assert isinstance(desk.hear(peer)[0], Welcome)
    assert desk.commands == [ReservePorts(count=3)]


def test_events_that_give_way_while_nobody_is_there_are_counted(desk: Desk) -> None:
    for number in range(MAX_KEPT_EVENTS + 3):
        desk.server.send(PortsReserved(ports=(number,)))
    assert desk.server.lost == 3
    agent = desk.connect()
    desk.say(agent, encode_frame(Hello()))
    told = [event.ports for event in desk.hear(agent) if isinstance(event, PortsReserved)]
    assert (told[0], told[-1]) == ((3,), (MAX_KEPT_EVENTS + 2,))


def test_what_a_killed_call_agent_wrote_is_read_though_it_takes_no_events(desk: Desk) -> None:
    agent = desk.connect()
    desk.say(agent, encode_frame(Hello()))
    agent.sendall(encode_frame(ReservePorts(count=3)))
    agent.close()
    desk.server.send(PortsReserved(ports=(4000,)))
    desk.server.flush()  # the send fails before the command is read
    desk.turn()
    assert desk.commands == [ReservePorts(count=3)]
    assert not desk.server.has_agent


BAD = {
    "no_hello": encode_frame(GetStats()),
    "wrong_version": encode_frame(Hello(version=VERSION + 1)),
    "not_messagepack": b"\x00\x00\x00\x01\xc1",
    "not_a_message": b"\x00\x00\x00\x01\x90",
    "unknown_tag": (body := msgspec.msgpack.encode({"t": "nonsense"}))
    and len(body).to_bytes(4) + body,
    "wrong_type": (body := msgspec.msgpack.encode({"t": "reserve_ports", "count": "x"}))
    and len(body).to_bytes(4) + body,
    "not_utf_8": b"\x00\x00\x00\x06\x81\xa1t\xa2\xff\xfe",
    "too_deep": (body := b"\x82\xa1t\xa5hello\xa1x" + b"\x91" * 100_000)
    and len(body).to_bytes(4) + body,
    "too_long": (MAX_FRAME_OCTETS + 1).to_bytes(4),
    "http": b"GET / HTTP/1.1\r\n\r\n",
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_peer_is_refused_and_the_call_agent_is_not_disturbed(desk: Desk, name: str) -> None:
    agent = desk.connect()
    desk.say(agent, encode_frame(Hello()))
    other = desk.connect()
    desk.say(other, BAD[name])
    first, last = desk.hear(other)
    assert isinstance(first, Refused)
    assert last == Refused(reason="closed")
    assert is_alive(desk, agent)


def test_the_last_to_say_hello_is_the_call_agent(desk: Desk) -> None:
    old, new = desk.connect(), desk.connect()
    desk.say(old, encode_frame(Hello()))
    desk.say(new, encode_frame(Hello()))
    assert isinstance(desk.hear(old)[-1], Refused)
    desk.server.send(PortsReserved(ports=(1,)))
    desk.turn()
    assert desk.hear(new)[-1] == PortsReserved(ports=(1,))


def test_too_many_connections_push_out_the_oldest_stranger_not_the_call_agent(desk: Desk) -> None:
    agent = desk.connect()
    desk.say(agent, encode_frame(Hello()))
    for _ in range(3 * MAX_CONNECTIONS):
        desk.connect()
    assert is_alive(desk, agent)
    assert len(desk.server._connections) <= MAX_CONNECTIONS


def test_events_wait_for_a_call_agent_within_bounds(desk: Desk) -> None:
    for n in range(10_000):
        desk.server.send(PortsReserved(ports=(n,)))
    peer = desk.connect()
    desk.say(peer, encode_frame(Hello()))
    events = desk.hear(peer)
    assert isinstance(events[0], Welcome)
    assert len(events) < 5000
    assert events[-1] == PortsReserved(ports=(9999,))


def test_a_call_agent_that_does_not_read_is_given_up(desk: Desk) -> None:
    peer = desk.connect()
    desk.say(peer, encode_frame(Hello()))
    big = PortsReserved(ports=tuple(range(65536)))
    for _ in range(100):
        desk.server.send(big)
        desk.turn()
    assert not desk.server.has_agent


def test_the_socket_is_for_its_user_alone_and_a_stale_one_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "g.sock"
    left_behind = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    left_behind.bind(str(path))
    left_behind.close()
    desk = Desk(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(OSError, match="another gateway"):
        Desk(path)
    desk.close()
    assert not path.exists()


def test_a_path_that_cannot_be_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"missing/g\.sock"):
        Desk(tmp_path / "missing" / "g.sock")


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(max_size=64), max_size=20))
def test_the_splitter_survives_any_octets(chunks: list[bytes]) -> None:
    splitter = FrameSplitter()
    try:
        for chunk in chunks:
            for body in splitter.feed(chunk):
                assert len(body) <= MAX_FRAME_OCTETS
    except FramingError:
        pass
