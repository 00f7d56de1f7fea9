"""Handshakes of many legs on wires in memory: what one peer does is no other leg's business."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from switch.gateway.handshakes import DtlsTerms, Handshakes
from switch.media.model import SrtpKeys
from switch.srtp.certificate import fingerprint_of, own_dtls_certificate
from switch.srtp.dtls import DtlsSession, make_context

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

    def expect(self, row: int, *, is_client: bool = False) -> None:
        terms = DtlsTerms(is_client=is_client, fingerprint=fingerprint_of(self.theirs))
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
