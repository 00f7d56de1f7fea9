"""Parties that speak, each from a socket of its own, and take what they are sent; one process for all.

It sleeps by the clock, see `cti.bench.rtp_parties` for why. Each party is a millisecond behind the one
before.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import select
import socket
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Final, Protocol

ADDRESS: Final = "127.0.0.1"
FRAME_S: Final = 0.02
PHASES: Final = 20
_APART: Final = 37
"""Frames between what two parties say: so they never say the same."""
_HEADER: Final = struct.Struct("!BBHII")
_FIRST_SSRC: Final = 0x20000
_DATAGRAM: Final = 2048
_START_S: Final = 60.0


class Speech(Protocol):
    """What parties say."""

    def packet(self, party: int, frame: int) -> bytes | None:
        """Packet number `frame` of a party; None: nothing is left to say."""


@dataclass(frozen=True, slots=True)
class Sentences:
    """The same sentences over and over, in any codec; each party is some way further into them."""

    payloads: Sequence[bytes]
    """Frames of 20 ms."""
    payload_type: int
    step: int
    """Units of timestamps a frame."""

    def packet(self, party: int, frame: int) -> bytes:
        """See `Speech`."""
        payload = self.payloads[(frame + _APART * party) % len(self.payloads)]
        stamp = frame * self.step & 0xFFFFFFFF
        head = (0x80, self.payload_type, frame & 0xFFFF, stamp, _FIRST_SSRC + party)
        return _HEADER.pack(*head) + payload


@dataclass(frozen=True, slots=True)
class Prepared:
    """Packets made ahead, the same for all, each sent once: encrypted ones cannot be repeated."""

    packets: Sequence[bytes]

    def packet(self, party: int, frame: int) -> bytes | None:
        """See `Speech`."""
        return self.packets[frame] if frame < len(self.packets) else None


class Speakers:
    """Handle of the process."""

    def __init__(self, parties: int, *speeches: Speech) -> None:
        """Start it and let it open its sockets; the first of `speeches` is said. Raises TimeoutError."""
        context = multiprocessing.get_context("spawn")
        self._pipe, child = context.Pipe()
        self._process = context.Process(target=_main, args=(child, parties, speeches), daemon=True)
        self._process.start()
        child.close()
        if not self._pipe.poll(_START_S):
            raise TimeoutError("the parties do not start")
        self.ports: list[int] = self._pipe.recv()

    def start(self, gateway_ports: list[int]) -> None:
        """Let party i send to `gateway_ports[i]` until `close`."""
        self._pipe.send(gateway_ports)

    def say(self, which: int | None) -> None:
        """Let them go on with another of the speeches, from the frame where they are; None: be quiet."""
        self._pipe.send(which)

    def close(self) -> None:
        """End the process."""
        self._pipe.close()
        self._process.kill()
        self._process.join(5)


def _main(pipe: Connection, parties: int, speeches: Sequence[Speech]) -> None:
    sockets = []
    epoll = select.epoll()
    for _ in range(parties):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind((ADDRESS, 0))
        sock.setblocking(False)
        epoll.register(sock.fileno(), select.EPOLLIN)
        sockets.append(sock)
    try:
        pipe.send([sock.getsockname()[1] for sock in sockets])
        ports = pipe.recv()
    except (EOFError, OSError):
        return
    for sock, port in zip(sockets, ports, strict=True):
        sock.connect((ADDRESS, port))
    with contextlib.suppress(EOFError, OSError):
        _speak(sockets, epoll, speeches, pipe)


def _speak(
    sockets: list[socket.socket],
    epoll: select.epoll,
    speeches: Sequence[Speech],
    pipe: Connection,
) -> None:
    speech: Speech | None = speeches[0]
    receive = {sock.fileno(): sock.recv_into for sock in sockets}
    buffer = bytearray(_DATAGRAM)
    begin = time.monotonic()
    slot = 0
    while True:
        slot += 1
        left = begin + slot * FRAME_S / PHASES - time.monotonic()
        if left > 0:
            time.sleep(left)
        elif left < -FRAME_S:
            begin -= left  # real parties do not send in bursts because this machine is busy
        frame, phase = divmod(slot, PHASES)
        if phase == 0 and pipe.poll():
            which = pipe.recv()
            speech = None if which is None else speeches[which]
        for i in range(phase, len(sockets) if speech else 0, PHASES):
            packet = speech.packet(i, frame) if speech else None
            if packet is None:
                return
            with contextlib.suppress(OSError):
                sockets[i].send(packet)
        for fd, _ in epoll.poll(0, len(sockets)):
            with contextlib.suppress(OSError):
                receive[fd](buffer)
