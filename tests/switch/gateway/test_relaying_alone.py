"""The sockets pass packets on by themselves until the next tick, or until something else is to be done."""

from __future__ import annotations

import itertools
import os
import select
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from switch.gateway.rtp_sockets import RtpSockets
from switch.ids import LegId, PlayerId
from switch.media.codecs import OPUS
from switch.media.engine import MediaEngine
from switch.media.events import DigitEnded, MediaEvent
from switch.media.frame_sender import ENCODED_AT_ONCE
from switch.media.model import ToneItem
from switch.media.prompts import PromptStore
from switch.media.receipt import Pause
from tests.switch.media.studio import MemorySink
from tests.switch.rtp.single import RtpPacket, parse_packet

LONG_S = 30.0
"""Longer than any of these tests may take: what ends a pause before is not its end."""


class Bridge:
    """Two legs that hear each other, with real peers."""

    def __init__(self) -> None:
        self.sockets = RtpSockets("127.0.0.1", 11600, 11798)
        self.engine = MediaEngine(
            self.sockets, MemorySink(), PromptStore(()), random_u32=lambda: 0xABCDEF
        )
        self.peers = [self._peer() for _ in range(2)]
        self.ports = list(self.sockets.ports.reserve(2))
        now = time.monotonic()
        for number, (peer, port) in enumerate(zip(self.peers, self.ports, strict=True)):
            leg = LegId(str(number))
            self.engine.add_leg(leg, port, now)
            self.engine.configure_leg(
                leg, remote=peer.getsockname(), codec="PCMU", payload_type=0, event_type=101,
                send=True, receive=True, now=now,
            )  # fmt: skip
            peer.connect(("127.0.0.1", port))
        self.engine.set_gain(LegId("0"), LegId("1"), 1.0)
        self.engine.set_gain(LegId("1"), LegId("0"), 1.0)
        self.engine.tick(now)
        self.engine.wake(now)
        for peer in self.peers:
            peer.recv(2048)  # silence, for nobody has said anything yet

    def _peer(self) -> socket.socket:
        peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        peer.bind(("127.0.0.1", 0))
        peer.settimeout(10)
        return peer

    def add_peer(self, leg: LegId, now: float) -> socket.socket:
        """One more leg, of Opus."""
        peer = self._peer()
        (port,) = self.sockets.ports.reserve(1)
        self.engine.add_leg(leg, port, now)
        self.engine.configure_leg(
            leg, remote=peer.getsockname(), codec="OPUS", payload_type=111, event_type=None,
            send=True, receive=True, now=now,
        )  # fmt: skip
        self.peers.append(peer)
        return peer

    def send(self, number: int, payload: bytes, payload_type: int = 0) -> None:
        """Let peer 0 say something."""
        packet = RtpPacket(
            payload_type=payload_type, sequence=number, timestamp=160 * number, ssrc=7,
            payload=payload,
        )  # fmt: skip
        self.peers[0].send(packet.to_bytes())

    def pause(self, length_s: float) -> float:
        """Let the sockets be alone; return how long they were."""
        began = time.monotonic()
        assert self.engine.relay(self.sockets, Pause(0.002, began + length_s))
        return time.monotonic() - began

    def next_events(self) -> list[MediaEvent]:
        return self.engine.next_events()

    def close(self) -> None:
        for peer in self.peers:
            peer.close()
        self.sockets.close()


@pytest.fixture
def bridge() -> Iterator[Bridge]:
    bridge = Bridge()
    yield bridge
    bridge.close()


def test_packets_pass_in_order_and_are_counted_until_the_pause_ends(bridge: Bridge) -> None:
    for number in range(5):
        bridge.send(number, bytes([number]) * 160)
    while bridge.engine.packets_received < 5:
        assert bridge.pause(0.05) < LONG_S
        bridge.engine.wake(time.monotonic())  # a second packet of a leg waits for the sweep
    heard = [parse_packet(bridge.peers[1].recv(2048)) for _ in range(5)]
    assert [packet.payload[0] for packet in heard] == [0, 1, 2, 3, 4]
    assert {b.sequence - a.sequence for a, b in itertools.pairwise(heard)} == {1}
    assert bridge.engine.packets_received == 5
    assert bridge.engine.packets_dropped == 0


def test_what_a_tick_left_for_later_is_encoded_and_sent_meanwhile(bridge: Bridge) -> None:
    """Ten legs of Opus hear a song: more than are encoded at the tick itself."""
    now = time.monotonic()
    peers = [bridge.add_peer(LegId(f"opus {n}"), now) for n in range(10)]
    listeners = [LegId(f"opus {n}") for n in range(len(peers))]
    bridge.engine.play(PlayerId("song"), (ToneItem((440.0,), 1000, -15.0),), listeners, loop=True)
    bridge.engine.tick(now)
    waiting = [peer for peer in peers if not select.select([peer], [], [], 0)[0]]
    assert len(waiting) == len(peers) - ENCODED_AT_ONCE[OPUS]
    sent = bridge.engine.packets_sent
    assert bridge.pause(0.05) < LONG_S
    assert bridge.engine.packets_sent == sent + len(waiting)
    assert {peer.recv(2048)[1] & 0x7F for peer in waiting} == {111}


def test_a_digit_ends_the_pause_and_is_heard(bridge: Bridge) -> None:
    bridge.send(0, bytes([5, 0x8A, 3, 32]), payload_type=101)
    assert bridge.pause(LONG_S) < LONG_S / 2
    (digit,) = bridge.next_events()
    assert isinstance(digit, DigitEnded)
    assert digit.digit == "5"


def test_a_stranger_ends_the_pause_and_is_counted(bridge: Bridge) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.sendto(b"who is there?", ("127.0.0.1", bridge.ports[0]))
        assert bridge.pause(LONG_S) < LONG_S / 2
    assert bridge.engine.packets_stray == 1


def test_what_the_owner_waits_for_ends_the_pause(bridge: Bridge, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    bridge.sockets.watch(reading)
    os.write(writing, b"!")
    assert bridge.pause(LONG_S) < LONG_S / 2
    os.close(reading)
    os.close(writing)


def test_a_plan_that_is_too_small_for_the_legs_is_not_used(bridge: Bridge) -> None:
    now = time.monotonic()
    for port in bridge.sockets.ports.reserve(80):
        bridge.engine.add_leg(LegId(f"more {port}"), port, now)
    assert not bridge.engine.relay(bridge.sockets, Pause(0.002, now + LONG_S))
    bridge.engine.wake(now)
    assert bridge.engine.relay(bridge.sockets, Pause(0.002, now))
