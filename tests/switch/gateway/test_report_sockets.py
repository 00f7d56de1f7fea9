"""RTCP on real sockets: a port of its own, or that of the sound."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from switch.gateway.rtp_sockets import RtpSockets
from switch.ids import LegId
from switch.media.engine import MediaEngine
from switch.media.prompts import PromptStore
from tests.switch.media.studio import MemorySink
from tests.switch.rtp.rtcp_bytes import Block, Report, description, read, receiver_report
from tests.switch.rtp.single import RtpPacket

LEG = LegId("leg")
PEER_SSRC = 0x1234


class Talk:
    """One leg, its peer with a port for RTP and one for RTCP, and time that is moved."""

    def __init__(self) -> None:
        self.sockets = RtpSockets("127.0.0.1", 11800, 11998)
        self.engine = MediaEngine(
            self.sockets, MemorySink(), PromptStore(()), random_u32=lambda: 0xABCDEF, wall=time.time
        )
        self.sound, self.reports = _peer(), _peer()
        (self.port,) = self.sockets.ports.reserve(1)
        self.now = 100.0
        self.engine.add_leg(LEG, self.port, self.now)
        self.configure()
        self.engine.set_gain(LEG, LEG, 1.0)
        self.sequence = 0

    def configure(self) -> None:
        self.engine.configure_leg(
            LEG, remote=self.sound.getsockname(), codec="PCMU", payload_type=0, event_type=None,
            send=True, receive=True, now=self.now,
        )  # fmt: skip

    def step(self) -> None:
        """A frame: the peer speaks, the engine takes it."""
        packet = RtpPacket(
            payload_type=0, sequence=self.sequence, timestamp=160 * self.sequence, ssrc=PEER_SSRC,
            payload=bytes(160),
        )  # fmt: skip
        self.sound.sendto(packet.to_bytes(), ("127.0.0.1", self.port))
        self.sequence += 1
        self.now += 0.02
        self.engine.wake(self.now)
        self.engine.tick(self.now)

    def next_report(self, peer: socket.socket, at_most: int = 600) -> tuple[Report, int]:
        """What the peer is told next, and from which port."""
        peer.setblocking(False)
        for _ in range(at_most):
            self.step()
            try:
                while True:
                    data, source = peer.recvfrom(2048)
                    if 192 <= data[1] <= 223:
                        return read(data), source[1]
            except BlockingIOError:
                continue
        raise AssertionError("nothing was reported")

    def close(self) -> None:
        for sock in (self.sound, self.reports, self.sockets):
            sock.close()


def _peer() -> socket.socket:
    peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    peer.bind(("127.0.0.1", 0))
    return peer


@pytest.fixture
def talk() -> Iterator[Talk]:
    talk = Talk()
    yield talk
    talk.close()


def test_reports_leave_from_the_next_port_and_arrive_there(talk: Talk) -> None:
    talk.engine.exchange_reports(LEG, talk.reports.getsockname(), talk.now)
    report, port = talk.next_report(talk.reports)
    assert port == talk.port + 1
    for lost in (4, 9):  # the first makes the peer known, the second passes through the fast path
        said = receiver_report(PEER_SSRC, Block(report.ssrc, lost=lost)) + description(PEER_SSRC)
        talk.reports.sendto(said, ("127.0.0.1", port))
        talk.step()
        talk.step()
        assert talk.engine.packets_stray == 0
    assert talk.engine.remove_leg(LEG).quality.remote_lost == 9


def test_nobody_else_reports_once_the_peer_is_known(talk: Talk) -> None:
    talk.engine.exchange_reports(LEG, talk.reports.getsockname(), talk.now)
    report, port = talk.next_report(talk.reports)
    said = receiver_report(PEER_SSRC, Block(report.ssrc, lost=4))
    talk.reports.sendto(said, ("127.0.0.1", port))
    talk.step()
    stranger = _peer()
    stranger.sendto(receiver_report(PEER_SSRC, Block(report.ssrc, lost=99)), ("127.0.0.1", port))
    talk.step()
    stranger.close()
    assert talk.engine.remove_leg(LEG).quality.remote_lost == 4


def test_sound_at_the_port_of_reports_is_not_heard(talk: Talk) -> None:
    talk.engine.exchange_reports(LEG, talk.reports.getsockname(), talk.now)
    report, port = talk.next_report(talk.reports)
    talk.reports.sendto(receiver_report(PEER_SSRC, Block(report.ssrc)), ("127.0.0.1", port))
    talk.step()
    before = talk.engine.packets_received
    sound = RtpPacket(payload_type=0, sequence=9, timestamp=9, ssrc=1, payload=bytes(160))
    talk.reports.sendto(sound.to_bytes(), ("127.0.0.1", port))
    talk.step()
    assert talk.engine.packets_received == before + 1  # what `step` sent


def test_reports_that_share_the_port_need_no_other(talk: Talk) -> None:
    talk.engine.exchange_reports(LEG, None, talk.now)
    report, port = talk.next_report(talk.sound)
    assert port == talk.port
    talk.sound.sendto(receiver_report(PEER_SSRC, Block(report.ssrc, lost=3)), ("127.0.0.1", port))
    talk.step()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", talk.port + 1))  # free
    assert talk.engine.remove_leg(LEG).quality.remote_lost == 3


def test_a_taken_port_leaves_a_leg_without_reports(talk: Talk) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", talk.port + 1))
        talk.engine.exchange_reports(LEG, talk.reports.getsockname(), talk.now)
        with pytest.raises(AssertionError, match="nothing"):
            talk.next_report(talk.reports, 200)
        talk.engine.remove_leg(LEG)


def test_reports_go_on_where_the_peer_wants_them_now(talk: Talk) -> None:
    moved = _peer()
    talk.engine.exchange_reports(LEG, talk.reports.getsockname(), talk.now)
    talk.next_report(talk.reports)
    talk.engine.exchange_reports(LEG, moved.getsockname(), talk.now)
    assert talk.next_report(moved)[1] == talk.port + 1
    talk.engine.exchange_reports(LEG, None, talk.now)
    assert talk.next_report(talk.sound)[1] == talk.port
    talk.engine.exchange_reports(LEG, moved.getsockname(), talk.now)
    report, port = talk.next_report(moved)
    assert port == talk.port + 1
    moved.sendto(receiver_report(PEER_SSRC, Block(report.ssrc, lost=6)), ("127.0.0.1", port))
    talk.step()
    moved.close()
    assert talk.engine.remove_leg(LEG).quality.remote_lost == 6


def test_nobody_is_reported_to_for_a_leg_that_is_gone(talk: Talk) -> None:
    talk.engine.exchange_reports(LEG, talk.reports.getsockname(), talk.now)
    talk.next_report(talk.reports)
    talk.engine.remove_leg(LEG)
    talk.engine.tick(talk.now)
    talk.reports.recv(2048)  # goodbye
    other = LegId("other")
    (port,) = talk.sockets.ports.reserve(1)
    talk.engine.add_leg(other, port, talk.now)
    assert talk.engine._legs.rows[other] == 0, "it has the row of the first"
    talk.engine.exchange_reports(other, None, talk.now)  # its peer is not known yet
    with pytest.raises(AssertionError, match="nothing was reported"):
        talk.next_report(talk.reports, at_most=300)


def test_the_old_way_to_hold_leads_no_report_to_this_host(talk: Talk) -> None:
    here = talk.reports.getsockname()[1]
    talk.engine.exchange_reports(LEG, ("0.0.0.0", here), talk.now)
    with pytest.raises(AssertionError, match="nothing was reported"):
        talk.next_report(talk.reports, at_most=300)


def test_the_socket_goes_with_the_leg(talk: Talk) -> None:
    talk.engine.exchange_reports(LEG, talk.reports.getsockname(), talk.now)
    talk.next_report(talk.reports)
    talk.engine.remove_leg(LEG)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", talk.port + 1))
