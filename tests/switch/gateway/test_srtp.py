"""SRTP in the loops, against peers that encrypt by themselves over real sockets."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from typing import Any

import pylibsrtp
import pytest

from switch.gateway.rtp_sockets import RtpSockets
from switch.ids import LegId
from switch.media.engine import MediaEngine
from switch.media.errors import MediaCommandError
from switch.media.model import SrtpKeys
from switch.media.prompts import PromptStore
from switch.media.receipt import Pause
from switch.srtp.crypt import MAX_STREAMS
from tests.switch.media.studio import MemorySink
from tests.switch.rtp.rtcp_bytes import Block, goodbye, read, receiver_report
from tests.switch.rtp.single import RtpPacket, parse_packet

PROFILES = {
    "AES_CM_128_HMAC_SHA1_80": (pylibsrtp.Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 30, 10),
    "AES_CM_128_HMAC_SHA1_32": (pylibsrtp.Policy.SRTP_PROFILE_AES128_CM_SHA1_32, 30, 4),
    "AEAD_AES_128_GCM": (pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 28, 16),
    "AEAD_AES_256_GCM": (pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_256_GCM, 44, 16),
}
CM = "AES_CM_128_HMAC_SHA1_80"


def session(suite: str, key: bytes, kind: int) -> Any:
    policy = pylibsrtp.Policy(key=key, ssrc_type=kind, srtp_profile=PROFILES[suite][0])
    return pylibsrtp.Session(policy)


class Peer:
    """A phone on a real socket; with keys it encrypts."""

    def __init__(self, ssrc: int) -> None:
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.sock.setblocking(False)
        self.ssrc = ssrc
        self.sequence = 0
        self.port = 0
        self.keys: SrtpKeys | None = None

    def agree(self, suite: str = CM) -> SrtpKeys:
        """Keys as the gateway is told them."""
        octets = PROFILES[suite][1]
        self.keys = SrtpKeys(suite, os.urandom(octets), os.urandom(octets))
        self.outbound = session(suite, self.keys.receive, pylibsrtp.Policy.SSRC_ANY_OUTBOUND)
        self.inbound = session(suite, self.keys.send, pylibsrtp.Policy.SSRC_ANY_INBOUND)
        return self.keys

    def packet(self, payload: bytes = b"\x55" * 160) -> bytes:
        packet = RtpPacket(
            payload_type=0, sequence=self.sequence & 0xFFFF,
            timestamp=160 * self.sequence & 0xFFFFFFFF, ssrc=self.ssrc, payload=payload,
        ).to_bytes()  # fmt: skip
        self.sequence += 1
        return self.outbound.protect(packet) if self.keys else packet

    def send(self, data: bytes) -> None:
        self.sock.sendto(data, ("127.0.0.1", self.port))

    def received(self) -> list[bytes]:
        """What has come, as it came."""
        found = []
        try:
            while True:
                found.append(self.sock.recv(2048))
        except BlockingIOError:
            return found


class Bridge:
    """Two legs that hear each other."""

    def __init__(self) -> None:
        self.sockets = RtpSockets("127.0.0.1", 12000, 12198)
        self.engine = MediaEngine(
            self.sockets, MemorySink(), PromptStore(()), random_u32=lambda: 0xABCDEF, wall=time.time
        )
        self.now = 100.0
        self.peers = [Peer(0x1111), Peer(0x2222)]
        for number, port in enumerate(self.sockets.ports.reserve(2)):
            self.peers[number].port = port
            self.engine.add_leg(LegId(str(number)), port, self.now)
        self.engine.set_gain(LegId("0"), LegId("1"), 1.0)
        self.engine.set_gain(LegId("1"), LegId("0"), 1.0)

    def configure(self, number: int, keys: SrtpKeys | None) -> None:
        leg = LegId(str(number))
        self.engine.secure_leg(leg, keys)
        self.engine.configure_leg(
            leg, remote=self.peers[number].sock.getsockname(), codec="PCMU", payload_type=0,
            event_type=101, send=True, receive=True, now=self.now,
        )  # fmt: skip
        self.engine.tick(self.now)
        self.peers[number].received()

    def step(self) -> None:
        self.now += 0.02
        self.engine.wake(self.now)
        self.engine.tick(self.now)

    def pass_on(self, source: int, payload: bytes) -> list[bytes]:
        """Let one peer say something; what the other was sent, as it came."""
        self.peers[1 - source].received()
        self.peers[source].send(self.peers[source].packet(payload))
        self.now += 0.004
        self.engine.wake(self.now)
        return self.peers[1 - source].received()

    def close(self) -> None:
        for peer in self.peers:
            peer.sock.close()
        self.sockets.close()


@pytest.fixture
def bridge() -> Iterator[Bridge]:
    bridge = Bridge()
    yield bridge
    bridge.close()


@pytest.mark.parametrize("suite", PROFILES)
def test_an_encrypted_leg_talks_to_a_plain_one(bridge: Bridge, suite: str) -> None:
    secure, _plain = bridge.peers
    bridge.configure(0, secure.agree(suite))
    bridge.configure(1, None)
    (came,) = bridge.pass_on(0, b"\x12" * 160)
    assert parse_packet(came).payload == b"\x12" * 160
    (sealed,) = bridge.pass_on(1, b"\x34" * 160)
    assert len(sealed) == 172 + PROFILES[suite][2]
    assert b"\x34" * 16 not in sealed
    assert parse_packet(secure.inbound.unprotect(sealed)).payload == b"\x34" * 160
    assert bridge.engine.packets_stray == 0


def test_the_time_of_encryption_is_counted_and_plain_sound_takes_none(bridge: Bridge) -> None:
    for number in (0, 1):
        bridge.configure(number, None)
    assert bridge.pass_on(0, b"\x12" * 160)
    assert bridge.sockets.crypt_s == 0.0
    bridge.configure(0, bridge.peers[0].agree("AES_CM_128_HMAC_SHA1_80"))
    assert bridge.pass_on(0, b"\x12" * 160)
    decrypted = bridge.sockets.crypt_s
    assert 0.0 < decrypted < 1.0
    assert bridge.pass_on(1, b"\x34" * 160)
    assert decrypted < bridge.sockets.crypt_s < 1.0


def test_two_encrypted_legs_with_different_suites(bridge: Bridge) -> None:
    bridge.configure(0, bridge.peers[0].agree("AEAD_AES_256_GCM"))
    bridge.configure(1, bridge.peers[1].agree("AES_CM_128_HMAC_SHA1_32"))
    for source in (0, 1):
        (sealed,) = bridge.pass_on(source, bytes([source]) * 160)
        opened = bridge.peers[1 - source].inbound.unprotect(sealed)
        assert parse_packet(opened).payload == bytes([source]) * 160


def test_what_the_switch_says_itself_is_encrypted(bridge: Bridge) -> None:
    bridge.configure(0, bridge.peers[0].agree())
    bridge.step()
    found = bridge.peers[0].received()
    assert found
    for sealed in found:
        assert len(parse_packet(bridge.peers[0].inbound.unprotect(sealed)).payload) == 160


def test_a_pause_of_the_interpreter_changes_nothing(bridge: Bridge) -> None:
    """The loop that relays alone decrypts and encrypts too."""
    bridge.configure(0, bridge.peers[0].agree())
    bridge.configure(1, None)
    bridge.peers[1].received()
    bridge.peers[0].send(bridge.peers[0].packet(b"\x77" * 160))
    assert bridge.engine.relay(bridge.sockets, Pause(0.002, time.monotonic() + 0.05))
    assert [parse_packet(p).payload for p in bridge.peers[1].received()] == [b"\x77" * 160]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda sealed: sealed[:-1] + bytes([sealed[-1] ^ 1]),  # the tag
        lambda sealed: sealed[:20] + bytes([sealed[20] ^ 1]) + sealed[21:],  # the sound
        lambda sealed: sealed[:8] + bytes([sealed[8] ^ 1]) + sealed[9:],  # the SSRC
        lambda sealed: sealed[:-10],  # no tag at all
        lambda sealed: sealed[:12],
        lambda sealed: sealed[:11],
        lambda sealed: b"\x80\x00" + os.urandom(170),
        lambda sealed: b"\x80\xc8" + os.urandom(60),
        lambda sealed: b"\x9f\x00" + os.urandom(200),
        lambda sealed: sealed + bytes(1200),
    ],
)
def test_what_is_not_authentic_is_stray(bridge: Bridge, spoil: Any) -> None:
    secure, plain = bridge.peers
    bridge.configure(0, secure.agree())
    bridge.configure(1, None)
    secure.send(spoil(secure.packet()))
    bridge.now += 0.004
    bridge.engine.wake(bridge.now)
    assert plain.received() == []
    assert bridge.engine.packets_stray == 1
    assert len(bridge.pass_on(0, bytes(160))) == 1


def test_plain_sound_is_not_taken_by_an_encrypted_leg(bridge: Bridge) -> None:
    secure, _plain = bridge.peers
    bridge.configure(0, secure.agree())
    bridge.configure(1, None)
    secure.keys = None
    assert bridge.pass_on(0, bytes(160)) == []
    assert bridge.engine.packets_stray == 1


def test_a_packet_is_taken_once(bridge: Bridge) -> None:
    secure, plain = bridge.peers
    bridge.configure(0, secure.agree())
    bridge.configure(1, None)
    sealed = secure.packet()
    for _ in range(3):
        secure.send(sealed)
        bridge.now += 0.6  # longer than a sweep: everything is read
        bridge.engine.wake(bridge.now)
        bridge.engine.wake(bridge.now)
    assert len(plain.received()) == 1
    assert bridge.engine.packets_stray == 2


def test_sequence_numbers_may_begin_anew_many_times(bridge: Bridge) -> None:
    """The rollover counter is not in the packets (RFC 3711 section 3.3.1)."""
    secure, _ = bridge.peers
    bridge.configure(0, secure.agree())
    bridge.configure(1, None)
    heard = 0
    for turn in range(3):
        secure.sequence = 65_536 * (turn + 1) - 40
        for _ in range(80):
            heard += len(bridge.pass_on(0, bytes(160)))
        # libsrtp takes a step of at most half the numbers for one forwards.
        for ahead in (20_000, 40_000):
            secure.sequence = 65_536 * (turn + 1) + ahead
            heard += len(bridge.pass_on(0, bytes(160)))
    assert heard == 3 * 82


def test_our_own_numbers_begin_anew_many_times(bridge: Bridge) -> None:
    secure, _plain = bridge.peers
    bridge.configure(0, secure.agree())
    bridge.configure(1, None)
    legs = bridge.engine._legs
    row = legs.rows[LegId("0")]
    for turn in range(6):
        legs.next_sequence[row] = (20_000 * turn + 20_000) & 0xFFFF
        legs.resync[row] = True
        (sealed,) = bridge.pass_on(1, bytes(160))
        assert parse_packet(secure.inbound.unprotect(sealed)).payload == bytes(160)


def test_the_same_keys_again_begin_nothing_anew(bridge: Bridge) -> None:
    """A call agent that came back says again what is agreed."""
    secure, _ = bridge.peers
    keys = secure.agree()
    bridge.configure(0, keys)
    bridge.configure(1, None)
    sealed = secure.packet()
    secure.send(sealed)
    bridge.step()
    bridge.configure(0, SrtpKeys(keys.suite, keys.send, keys.receive))
    bridge.peers[1].received()
    secure.send(sealed)  # a replay is still one
    bridge.step()
    assert bridge.engine.packets_stray == 1
    assert len(bridge.pass_on(0, bytes(160))) == 1


def test_new_keys_replace_the_old_ones(bridge: Bridge) -> None:
    secure, plain = bridge.peers
    bridge.configure(0, secure.agree())
    bridge.configure(1, None)
    assert len(bridge.pass_on(0, bytes(160))) == 1
    old = secure.packet()
    bridge.configure(0, secure.agree("AEAD_AES_128_GCM"))
    plain.received()
    secure.send(old)
    bridge.step()
    assert bridge.engine.packets_stray == 1
    plain.received()
    assert len(bridge.pass_on(0, bytes(160))) == 1


def test_a_leg_may_become_plain_again(bridge: Bridge) -> None:
    secure, _ = bridge.peers
    bridge.configure(0, secure.agree())
    bridge.configure(1, None)
    secure.keys = None
    bridge.configure(0, None)
    assert len(bridge.pass_on(0, bytes(160))) == 1


def test_a_peer_may_change_its_ssrc_a_few_times(bridge: Bridge) -> None:
    secure, _plain = bridge.peers
    bridge.configure(0, secure.agree())
    bridge.configure(1, None)
    for number in range(MAX_STREAMS + 5):
        secure.ssrc = 0x5000 + number
        came = bridge.pass_on(0, bytes(160))
        assert len(came) == (1 if number < MAX_STREAMS else 0), number
    secure.ssrc = 0x5000
    assert len(bridge.pass_on(0, bytes(160))) == 1


def test_a_call_that_is_held_thirty_times_stays_audible(bridge: Bridge) -> None:
    secure, _plain = bridge.peers
    bridge.configure(0, secure.agree())
    bridge.configure(1, None)
    for number in range(
        60
    ):  # the peer's exchange plays its own music, and connects the phone again
        secure.ssrc = 0x5000 + number
        assert len(bridge.pass_on(0, bytes(160))) == 1, number


def test_only_who_has_the_keys_is_followed(bridge: Bridge) -> None:
    secure, _plain = bridge.peers
    bridge.configure(0, secure.agree())
    bridge.configure(1, None)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.setblocking(False)
        at = ("127.0.0.1", secure.port)
        forged = RtpPacket(payload_type=0, sequence=1, timestamp=1, ssrc=5, payload=bytes(160))
        stranger.sendto(forged.to_bytes(), at)
        bridge.step()
        assert bridge.engine.packets_stray == 1
        stranger.sendto(secure.packet(), at)  # the peer itself, behind address translation
        bridge.step()
        bridge.step()
        assert bridge.engine.packets_stray == 1
        assert len(stranger.recv(2048)) == 182


def test_reports_are_encrypted_too(bridge: Bridge) -> None:
    secure, _ = bridge.peers
    bridge.configure(0, secure.agree())
    bridge.engine.exchange_reports(LegId("0"), None, bridge.now)
    report = None
    for _ in range(400):
        secure.send(secure.packet())
        bridge.step()
        for sealed in secure.received():
            if 192 <= sealed[1] <= 223:
                report = read(secure.inbound.unprotect_rtcp(sealed))
    assert report is not None
    told = receiver_report(secure.ssrc, Block(report.ssrc, lost=7))
    secure.send(told)  # in clear: not taken
    bridge.step()
    assert bridge.engine.packets_stray == 1
    secure.send(secure.outbound.protect_rtcp(told))
    bridge.step()
    assert bridge.engine.remove_leg(LegId("0")).quality.remote_lost == 7


def test_a_goodbye_too_short_for_a_tag_is_not_believed(bridge: Bridge) -> None:
    secure, _ = bridge.peers
    bridge.configure(0, secure.agree())
    bridge.configure(1, None)
    assert len(bridge.pass_on(0, bytes(160))) == 1
    legs, reports = bridge.engine._legs, bridge.engine._reports
    forged = goodbye(secure.ssrc)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.sendto(forged, ("127.0.0.1", secure.port))
        secure.send(forged)  # as from its own address
        bridge.step()
        bridge.step()
    assert bridge.engine.packets_stray == 2
    assert not reports.table[legs.rows[LegId("0")]]["gone"]


def test_a_stranger_at_the_port_of_reports_is_not_followed(bridge: Bridge) -> None:
    secure, _ = bridge.peers
    bridge.configure(0, secure.agree())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as expected:
        expected.bind(("127.0.0.1", 0))
        bridge.engine.exchange_reports(LegId("0"), expected.getsockname(), bridge.now)
        expected.setblocking(False)
        while not _has_come(expected):
            secure.send(secure.packet())
            bridge.step()
        stray = bridge.engine.packets_stray
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.sendto(goodbye(secure.ssrc), ("127.0.0.1", secure.port + 1))
            bridge.step()
        assert bridge.engine.packets_stray == stray + 1


def _has_come(sock: socket.socket) -> bool:
    try:
        return bool(sock.recv(2048))
    except BlockingIOError:
        return False


def test_digits_pass_encrypted(bridge: Bridge) -> None:
    secure, _ = bridge.peers
    bridge.configure(0, secure.agree())
    bridge.engine.send_digits(LegId("0"), "12", 60, 60)
    kinds = []
    for _ in range(30):
        bridge.step()
        kinds += [parse_packet(secure.inbound.unprotect(p)) for p in secure.received()]
    events = [packet for packet in kinds if packet.payload_type == 101]
    assert {packet.payload[0] for packet in events} == {1, 2}
    assert {len(packet.payload) for packet in events} == {4}


@pytest.mark.parametrize(
    "keys",
    [
        SrtpKeys("AES_CM_128_HMAC_SHA1_80", bytes(29), bytes(30)),
        SrtpKeys("AES_CM_128_HMAC_SHA1_80", bytes(30), bytes(31)),
        SrtpKeys("NULL", bytes(30), bytes(30)),
    ],
)
def test_keys_that_cannot_be_used_are_refused(bridge: Bridge, keys: SrtpKeys) -> None:
    with pytest.raises(MediaCommandError) as caught:
        bridge.engine.secure_leg(LegId("0"), keys)
    assert "\\x00" not in str(caught.value)
    assert "x00" not in repr(keys)
