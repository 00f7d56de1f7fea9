"""The sockets of the legs, real ones, without a process around them."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import numpy as np
import pytest

from switch.gateway.rtp_ports import REST_S
from switch.gateway.rtp_sockets import RtpSockets
from switch.media.errors import MediaCommandError
from switch.media.packets import PacketBuffer

ROWS = 4


class Wire:
    """The sockets and two peers."""

    def __init__(self) -> None:
        self.sockets = RtpSockets("127.0.0.1", 11000, 11398)
        self.now = 100.0
        """Seconds; a receive takes place every 4 ms."""
        self.peer = self._peer()
        self.other = self._peer()
        self.buffer = PacketBuffer(ROWS)

    def _peer(self) -> socket.socket:
        peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        peer.bind(("127.0.0.1", 0))
        peer.settimeout(2)
        return peer

    def leg(self, row: int) -> int:
        (port,) = self.sockets.ports.reserve(1)
        self.sockets.attach(row, port)
        return port

    def receive(self) -> tuple[list[tuple[int, bytes]], list[tuple[int, bytes, int]]]:
        self.now += 0.004
        taken, strays = self.sockets.receive(self.now, self.buffer)
        packets = [
            (int(row), octets[:size].tobytes())
            for row, octets, size in zip(
                self.buffer.legs[:taken], self.buffer.octets, self.buffer.sizes, strict=False
            )
        ]
        return packets, [(s.row, s.data, s.source[1]) for s in strays]

    def send(self, *packets: tuple[int, bytes]) -> int:
        buffer = PacketBuffer(ROWS)
        for i, (row, data) in enumerate(packets):
            buffer.octets[i, : len(data)] = np.frombuffer(data, dtype=np.uint8)
            buffer.legs[i], buffer.sizes[i] = row, len(data)
        return self.sockets.send(buffer, 0, len(packets))

    def close(self) -> None:
        self.peer.close()
        self.other.close()
        self.sockets.close()


@pytest.fixture
def wire() -> Iterator[Wire]:
    wire = Wire()
    yield wire
    wire.close()


def test_ports_are_even_and_belong_to_us_alone(wire: Wire) -> None:
    ports = wire.sockets.ports.reserve(10)
    assert len(set(ports)) == 10
    assert all(port % 2 == 0 for port in ports)
    for options in ((), (socket.SO_REUSEADDR,), (socket.SO_REUSEPORT,)):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as thief:
            for option in options:
                thief.setsockopt(socket.SOL_SOCKET, option, 1)
            with pytest.raises(OSError, match="in use"):
                thief.bind(("127.0.0.1", ports[0]))


def test_packets_that_came_together_are_all_read_one_a_wake(wire: Wire) -> None:
    ports = [wire.leg(row) for row in range(3)]
    for row in range(3):
        wire.sockets.connect(row, *wire.peer.getsockname())
    wire.receive()
    for port in ports:
        for n in range(4):
            wire.peer.sendto(b"%d" % n, ("127.0.0.1", port))
    # Told of once, and the sweep finds the rest within half a second each.
    heard: list[tuple[int, bytes]] = []
    for _ in range(200):
        packets, _ = wire.receive()
        assert len({row for row, _ in packets}) == len(packets)
        heard += packets
    assert sorted(heard) == [(row, b"%d" % n) for row in range(3) for n in range(4)]


def test_after_a_standstill_the_legs_are_read_until_nothing_is_left(wire: Wire) -> None:
    port = wire.leg(0)
    wire.sockets.connect(0, *wire.peer.getsockname())
    for _ in range(60):
        wire.receive()  # the first sweeps are over
    wire.now += 0.1
    for n in range(5):
        wire.peer.sendto(b"%d" % n, ("127.0.0.1", port))
    assert [wire.receive()[0] for _ in range(5)] == [[(0, b"%d" % n)] for n in range(5)]


def test_the_peer_is_heard_and_others_are_at_the_doorstep(wire: Wire) -> None:
    port = wire.leg(2)
    wire.sockets.connect(2, *wire.peer.getsockname())
    wire.peer.sendto(b"peer", ("127.0.0.1", port))
    wire.other.sendto(b"other", ("127.0.0.1", port))
    packets, strays = wire.receive()
    assert packets == [(2, b"peer")]
    assert strays == [(2, b"other", wire.other.getsockname()[1])]
    wire.sockets.connect(2, *wire.other.getsockname())
    wire.peer.sendto(b"peer", ("127.0.0.1", port))
    wire.other.sendto(b"other", ("127.0.0.1", port))
    packets, strays = wire.receive()
    assert packets == [(2, b"other")]
    assert strays[0][:2] == (2, b"peer")


def test_one_packet_of_each_leg_is_taken_at_a_time(wire: Wire) -> None:
    ports = [wire.leg(row) for row in range(3)]
    for row, port in enumerate(ports):
        wire.sockets.connect(row, *wire.peer.getsockname())
        for n in range(3):
            wire.peer.sendto(b"%d" % n, ("127.0.0.1", port))
    for n in range(3):
        assert sorted(wire.receive()[0]) == [(row, b"%d" % n) for row in range(3)]
    assert wire.receive() == ([], [])


def test_what_came_before_the_leg_was_connected_is_not_heard(wire: Wire) -> None:
    (port,) = wire.sockets.ports.reserve(1)
    wire.peer.sendto(b"early", ("127.0.0.1", port))
    wire.sockets.attach(0, port)
    wire.other.sendto(b"early too", ("127.0.0.1", port))
    wire.sockets.connect(0, *wire.peer.getsockname())
    assert wire.receive() == ([], [])


def test_what_came_of_the_peer_before_is_not_heard_of_the_next(wire: Wire) -> None:
    port = wire.leg(0)
    wire.sockets.connect(0, *wire.peer.getsockname())
    wire.peer.sendto(b"before", ("127.0.0.1", port))
    wire.sockets.connect(0, *wire.other.getsockname())
    assert wire.receive() == ([], [])
    wire.other.sendto(b"after", ("127.0.0.1", port))
    assert wire.receive() == ([(0, b"after")], [])


def test_sending_goes_to_the_peer_and_nowhere_without_one(wire: Wire) -> None:
    for row in range(3):
        wire.leg(row)
    wire.sockets.connect(0, *wire.peer.getsockname())
    wire.sockets.connect(2, *wire.other.getsockname())
    assert wire.send((0, b"a"), (1, b"b"), (2, b"c")) == 0
    assert wire.peer.recv(9) == b"a"
    assert wire.other.recv(9) == b"c"


def test_a_peer_whose_port_is_closed_hinders_nobody(wire: Wire) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gone:
        gone.bind(("127.0.0.1", 0))
        closed = gone.getsockname()
    wire.leg(0)
    wire.leg(1)
    wire.sockets.connect(0, *closed)
    wire.sockets.connect(1, *wire.peer.getsockname())
    for _ in range(5):
        wire.send((0, b"x"), (1, b"y"))
        assert wire.peer.recv(9) == b"y"
        assert wire.receive()[0] == []


@pytest.mark.parametrize(
    ("address", "port"),
    [
        ("example.com", 4000),
        ("", 4000),
        ("127.0.0.1", 0),
        ("127.0.0.1", 70000),
        ("::1", 4000),
        ("300.1.1.1", 1),
    ],
)
def test_impossible_peers_are_refused_without_a_name_look_up(
    wire: Wire, address: str, port: int
) -> None:
    wire.leg(0)
    with pytest.raises(MediaCommandError, match="RTP cannot go"):
        wire.sockets.connect(0, address, port)


def test_a_port_that_is_not_reserved_cannot_be_attached(wire: Wire) -> None:
    port = wire.leg(0)
    for wrong in (port, port + 1, 80):
        with pytest.raises(MediaCommandError, match="not reserved"):
            wire.sockets.attach(1, wrong)


def test_a_released_port_rests_before_it_is_used_again() -> None:
    sockets = RtpSockets("127.0.0.1", 11500, 11500)
    sockets.ports.handle_rested(100.0)
    (port,) = sockets.ports.reserve(5)
    sockets.attach(0, port)
    sockets.detach(0)
    assert sockets.ports.reserve(1) == ()
    sockets.ports.handle_rested(100.0 + REST_S - 0.1)
    assert sockets.ports.reserve(1) == ()
    sockets.ports.handle_rested(100.0 + REST_S)
    assert sockets.ports.reserve(1) == (port,)
    sockets.close()


def test_offers_to_a_call_agent_that_is_gone_are_made_again(wire: Wire) -> None:
    first = wire.sockets.ports.reserve(3)
    assert not set(first) & set(wire.sockets.ports.reserve(2))
    wire.sockets.ports.forget_offers()
    assert set(wire.sockets.ports.reserve(5)) >= set(first)


def test_a_flood_of_strangers_takes_bounded_work(wire: Wire) -> None:
    port = wire.leg(0)
    wire.sockets.connect(0, *wire.peer.getsockname())
    for _ in range(500):
        wire.other.sendto(bytes(200), ("127.0.0.1", port))
    wire.peer.sendto(b"peer", ("127.0.0.1", port))
    packets, strays = wire.receive()
    assert packets == [(0, b"peer")]
    assert len(strays) == 1
