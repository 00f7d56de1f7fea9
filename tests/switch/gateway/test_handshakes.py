"""Handshakes of many legs on wires in memory: what one peer does is no other leg's business."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from switch.gateway import handshakes
from switch.gateway.handshakes import STEPS_A_TURN, DtlsTerms, Handshakes
from switch.gateway.protocol import AddLeg, ConfigureLeg, Dtls
from switch.gateway.server import GatewayServer
from switch.gateway.settings import GatewaySettings
from switch.ids import LegId, RecordingId
from switch.media.model import SrtpKeys
from switch.media.ports import RecordingOutcome
from switch.srtp.certificate import fingerprint_of, own_dtls_certificate
from switch.srtp.dtls import DtlsSession, make_context
from tests.switch.gateway.house import HIGH, LOW
from tests.switch.media.sinks import NothingWaits

LEG = LegId("leg")
WALL = 1_800_000_000.0
PEER = ("192.0.2.1", 4000)


class Wire:
    """The legs' ports, in memory."""

    def __init__(self) -> None:
        self.sent: list[tuple[int, bytes]] = []
        self.keys: dict[int, SrtpKeys | None] = {}

    def peer(self, row: int) -> tuple[str, int] | None:
        return PEER

    def connect(self, row: int, address: str, port: int) -> None:
        raise AssertionError("nobody sends checks")

    def reply(self, row: int, data: bytes, to: tuple[str, int]) -> None:
        self.sent.append((row, data))

    def expect_security(self, row: int) -> None:
        self.keys[row] = None

    def secure(self, row: int, keys: SrtpKeys | None) -> None:
        self.keys[row] = keys


class House:
    """Our side of the legs, and a certificate for their peers."""

    def __init__(self, folder: Path) -> None:
        own, self.theirs = folder / "own.pem", folder / "theirs.pem"
        self.shown = own_dtls_certificate(own, WALL)
        own_dtls_certificate(self.theirs, WALL)
        self.wire = Wire()
        self.failed: list[tuple[int, str]] = []
        self.handshakes = Handshakes(
            self.wire, own, on_failed=lambda row, why: self.failed.append((row, why))
        )
        self.now = 100.0

    def expect(self, row: int, *, is_client: bool = False, association: str = "") -> None:
        terms = DtlsTerms(is_client, fingerprint_of(self.theirs), association)
        self.handshakes.configure(row, None, terms)
        loader = self.handshakes._loader
        assert loader is not None
        loader.join()

    def peer(self) -> Any:
        """A session that begins."""
        return DtlsSession(make_context(self.theirs), is_client=True, fingerprint=self.shown)

    def turn(self) -> list[tuple[int, bytes]]:
        """One turn, a while later; what was sent."""
        self.now += 0.06
        self.handshakes.turn(self.now)
        sent, self.wire.sent = self.wire.sent, []
        return sent

    def talk(self, row: int, peer: Any) -> None:
        """Carry to and fro until nothing is said any more."""
        said = peer.start()
        while said or self.handshakes.is_busy:
            self.handshakes.receive([], [(row, data) for data in said])
            said = [answer for _, data in self.turn() for answer in peer.receive(data)]


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_a_handshake_keys_its_leg(house: House) -> None:
    house.expect(3)
    peer = house.peer()
    house.talk(3, peer)
    keys = house.wire.keys[3]
    assert keys is not None
    assert (keys.send, keys.receive) == (peer.keys.receive, peer.keys.send)
    assert house.failed == []


def test_another_association_of_one_certificate_is_another_handshake(house: House) -> None:
    house.expect(3)
    house.talk(3, house.peer())
    house.expect(3)
    house.talk(3, house.peer())
    assert house.wire.keys[3] is None, "the same terms again begin nothing anew"
    house.expect(3, association="b" * 20)  # the page was loaded anew
    peer = house.peer()
    house.talk(3, peer)
    keys = house.wire.keys[3]
    assert keys is not None
    assert keys.send == peer.keys.receive


def test_what_nobody_foresaw_fails_its_leg_and_no_turn(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    house.expect(3)
    house.expect(4)

    class Refusing(Wire):
        def secure(self, row: int, keys: SrtpKeys | None) -> None:
            if row == 3:
                raise ValueError("no room")
            super().secure(row, keys)

    house.handshakes._wire = refusing = Refusing()
    house.wire = refusing
    house.talk(3, house.peer())
    assert house.failed == [(3, "DTLS: ValueError")]
    assert "nobody foresaw" in caplog.text
    house.talk(4, house.peer())
    assert refusing.keys[4] is not None


def test_a_session_that_cannot_be_made_fails_its_leg_once(house: House) -> None:
    house.expect(3)
    house.handshakes._context = None
    house.handshakes.receive([], [(3, data) for data in 2 * house.peer().start()])
    for _ in range(3):
        house.turn()
    assert house.failed == [(3, "DTLS: TypeError")]


def test_what_one_peer_sends_too_much_and_what_too_many_send_is_counted(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handshakes, "MAX_DATAGRAMS", 3)
    monkeypatch.setattr(handshakes, "MAX_WAITING", 4)
    (hello, *_) = house.peer().start()
    for row in (1, 2):
        house.expect(row)
    house.handshakes.receive([], [(1, hello)] * 5)
    assert (house.handshakes.waiting, house.handshakes.dropped) == (3, 2)
    house.handshakes.receive([], [(2, hello)] * 3)
    assert (house.handshakes.waiting, house.handshakes.dropped) == (4, 4)
    assert house.handshakes.refused == 0


def test_many_legs_begin_a_few_a_turn(house: House) -> None:
    for row in range(20):
        house.expect(row, is_client=True)
    begun: set[int] = set()
    for _ in range(10):
        rows = {row for row, _ in house.turn()}
        assert len(rows) <= STEPS_A_TURN
        begun |= rows
    assert begun == set(range(20))


def test_what_is_sent_again_is_a_few_a_turn_too(house: House) -> None:
    for row in range(6):
        house.expect(row, is_client=True)
    for _ in range(3):
        house.turn()
    time.sleep(1.1)  # OpenSSL has a clock of its own: its first timer is a second
    assert [len({row for row, _ in house.turn()}) for _ in range(3)] == [2, 2, 2]


def test_a_handshake_goes_on_while_many_begin(house: House) -> None:
    house.expect(0)
    peer = house.peer()
    for row in range(1, 40):
        house.expect(row, is_client=True)
    said = peer.start()
    for _ in range(20):
        house.handshakes.receive([], [(0, data) for data in said])
        said = [answer for row, data in house.turn() if row == 0 for answer in peer.receive(data)]
    assert house.wire.keys[0] is not None


def test_a_leg_gets_nothing_that_came_for_the_one_before(house: House) -> None:
    house.expect(3)
    house.handshakes.receive([], [(3, data) for data in house.peer().start()])
    house.handshakes.remove(3)
    house.expect(3)
    assert [house.turn() for _ in range(3)] == [[], [], []]


class Silent(NothingWaits):
    """Records nothing."""

    def open(self, recording: RecordingId, path: str) -> None: ...

    def append(self, recordings: Sequence[RecordingId], block: NDArray[np.uint8]) -> None: ...

    def close(self, recording: RecordingId) -> None: ...

    def poll(self) -> list[RecordingOutcome]:
        return []


def test_after_a_handshake_that_failed_nothing_is_put_aside(tmp_path: Path) -> None:
    own, theirs = tmp_path / "own.pem", tmp_path / "theirs.pem"
    shown = own_dtls_certificate(own, WALL)
    own_dtls_certificate(theirs, WALL)
    server = GatewayServer(
        GatewaySettings(
            place=tmp_path / "gateway.sock", rtp_address="127.0.0.1",
            rtp_port_low=LOW, rtp_port_high=HIGH, dtls_certificate=own,
        ),
        Silent(),
    )  # fmt: skip
    (port,) = server._sockets.ports.reserve(1)
    client = DtlsSession(make_context(theirs), is_client=True, fingerprint=shown)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", 0))
        peer.setblocking(False)
        server._take(AddLeg(leg=LEG, port=port))
        server._take(
            ConfigureLeg(
                leg=LEG, remote_address="127.0.0.1", remote_port=peer.getsockname()[1],
                codec="PCMU", payload_type=0,
                dtls=Dtls(is_client=False, fingerprint=":".join(["AB"] * 32)),
            )
        )  # fmt: skip
        end = time.monotonic() + 20.0
        while not server._handshakes._is_loaded():  # what comes before that has to be sent again
            assert time.monotonic() < end
            server._turn()
        said = client.start()
        while len(server._handshakes):
            assert time.monotonic() < end
            for data in said:
                peer.sendto(data, ("127.0.0.1", port))
            server._turn()
            said = [answer for data in _received(peer) for answer in client.receive(data)]
        stray = server._engine.packets_stray
        for first in (b"\x00", b"\x16"):
            peer.sendto(first + bytes(30), ("127.0.0.1", port))
        while server._engine.packets_stray < stray + 2:
            assert time.monotonic() < end
            server._turn()
        assert not server._engine.has_handshakes
    server.stop()
    assert server.run() == 0


def _received(sock: socket.socket) -> list[bytes]:
    found = []
    with contextlib.suppress(BlockingIOError):
        while True:
            found.append(sock.recv(2048))
    return found
