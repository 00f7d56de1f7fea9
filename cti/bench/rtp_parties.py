"""Parties that send and hear G.711 over RTP, in two kinds.

watched   take each packet as it comes and measure how long it was under way
crowd     send and take thousands of packets a millisecond apart, with as little work as Python allows

A sleeping program that is woken for each packet is charged to the sender on loopback, which no phone
at the far end of a network is: so the crowd sleeps by the clock, and only the few watched are woken.
"""

from __future__ import annotations

import abc
import select
import socket
import struct
import time
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

FRAME_S: Final = 0.02
PHASES: Final = 20
"""Groups of parties that send a millisecond after each other."""
_PACKET: Final = 172
_STAMP: Final = struct.Struct("!HI")
_TIME: Final = struct.Struct("!d")
_SIGN: Final = b"\x55\xaa\x55\xaa"
"""In octets 20 to 23 of each packet: silence and mixes do not match."""
END_SIGN: Final = b"\x5a\xc3\x3c\xa5"
"""The last octets of each packet, by which recordings are judged. The first 5 ms of a frame are blended
with what stood in for one that was late (`switch.media.concealment`)."""
_DRAIN_S: Final = 0.3
_DATAGRAM: Final = 2048


@dataclass(slots=True, kw_only=True)
class Heard:
    """What parties sent and heard."""

    sent: int = 0
    received: int = 0
    stamped: int = 0
    """Packets that carried a peer's sign."""
    slipped_s: float = 0.0
    """How much later than planned they were done: the machine was too busy."""
    delays_s: NDArray[np.float64]


class _Parties(abc.ABC):
    """The schedule that both kinds keep: a group speaks each millisecond."""

    def __init__(self, sockets: list[socket.socket]) -> None:
        self.sockets = sockets
        self.heard = Heard(delays_s=np.empty(0))
        self.packets = np.stack([_packet(i) for i in range(len(sockets))])
        """(parties, 172)"""
        self.epoll = select.epoll()
        for sock in sockets:
            self.epoll.register(sock.fileno(), select.EPOLLIN)

    def run(self, seconds: float) -> Heard:
        """Send for `seconds`, hear for a little longer."""
        begin = time.monotonic()
        slipped = 0.0
        for slot in range(packets_of_each(seconds) * PHASES):
            due = begin + slipped + slot * FRAME_S / PHASES
            if (late := time.monotonic() - due) > FRAME_S:
                # Real parties do not send in bursts because this machine is busy.
                slipped += late
                due += late
            self.hear_until(due)
            self.speak(slot % PHASES, slot // PHASES)
        end = time.monotonic() + _DRAIN_S
        while (left := end - time.monotonic()) > 0:
            self.hear_until(time.monotonic() + min(left, 0.001))
        self.heard.slipped_s = slipped
        return self.heard

    @abc.abstractmethod
    def hear_until(self, due: float) -> None:
        """Take what comes, and return at `due` (monotonic seconds)."""

    @abc.abstractmethod
    def speak(self, phase: int, frame: int) -> None:
        """Let the parties of this phase send packet number `frame`."""


class Watched(_Parties):
    """Few parties, each packet with the time at which it was sent."""

    def __init__(self, sockets: list[socket.socket]) -> None:
        super().__init__(sockets)
        self._sends = [sock.send for sock in sockets]
        self._views = [memoryview(row) for row in self.packets]
        self._receive_by_fd = {sock.fileno(): sock.recv_into for sock in sockets}
        self._buffer = bytearray(_DATAGRAM)
        self._delays: list[float] = []

    def run(self, seconds: float) -> Heard:
        """See `_Parties.run`."""
        heard = super().run(seconds)
        heard.delays_s = np.array(self._delays)
        return heard

    def hear_until(self, due: float) -> None:
        """Woken by each packet."""
        while True:
            self._take(max(due - time.monotonic(), 0.0))
            if time.monotonic() >= due:
                return

    def speak(self, phase: int, frame: int) -> None:
        """Stamp and send."""
        for i in range(phase, len(self._sends), PHASES):
            view = self._views[i]
            _STAMP.pack_into(view, 2, frame & 0xFFFF, frame * 160 & 0xFFFFFFFF)
            _TIME.pack_into(view, 12, time.monotonic())
            try:
                self._sends[i](view)
            except OSError:
                continue
            self.heard.sent += 1

    def _take(self, timeout_s: float) -> None:
        buffer, heard = self._buffer, self.heard
        for fd, _ in self.epoll.poll(timeout_s):
            try:
                size = self._receive_by_fd[fd](buffer)
            except OSError:
                continue
            heard.received += 1
            if size == _PACKET and buffer[20:24] == _SIGN:
                (then,) = _TIME.unpack_from(buffer, 12)
                self._delays.append(time.monotonic() - then)
                heard.stamped += 1


class Crowd(_Parties):
    """Many parties; headers are written and signs compared for a whole group at once."""

    def __init__(self, sockets: list[socket.socket]) -> None:
        super().__init__(sockets)
        self._groups = [
            [(sock.send, memoryview(row)) for sock, row in zip(sockets, self.packets, strict=True)][
                phase::PHASES
            ]
            for phase in range(PHASES)
        ]
        self._receive_by_fd = {sock.fileno(): sock.recv_into for sock in sockets}
        self._arrived = np.zeros((max(len(sockets), 1), _PACKET + 4), dtype=np.uint8)
        """A little longer than a packet, so that a longer one does not pass for ours."""
        memory, length = self._arrived.data.cast("B"), _PACKET + 4
        self._views = [memory[i * length : (i + 1) * length] for i in range(len(self._arrived))]
        self._sign = np.frombuffer(_SIGN, dtype=np.uint8)

    def hear_until(self, due: float) -> None:
        """Sleep by the clock, then take one packet of each party that has any."""
        if (left := due - time.monotonic()) > 0:
            time.sleep(left)
        taken = 0
        receive_by_fd, views = self._receive_by_fd, self._views
        for fd, _ in self.epoll.poll(0, len(views)):
            try:
                size = receive_by_fd[fd](views[taken])
            except OSError:
                continue
            taken += 1
            if size != _PACKET:
                self._arrived[taken - 1, 20] = 0
        self.heard.received += taken
        ours = (self._arrived[:taken, 20:24] == self._sign).all(axis=1)
        self.heard.stamped += int(np.count_nonzero(ours))

    def speak(self, phase: int, frame: int) -> None:
        """Number the group's packets and send them."""
        rows = self.packets[phase::PHASES]
        rows[:, 2:4] = np.frombuffer((frame & 0xFFFF).to_bytes(2), dtype=np.uint8)
        rows[:, 4:8] = np.frombuffer((frame * 160 & 0xFFFFFFFF).to_bytes(4), dtype=np.uint8)
        refused = 0
        for send, view in self._groups[phase]:
            try:
                send(view)
            except OSError:
                refused += 1
        self.heard.sent += len(rows) - refused


def packets_of_each(seconds: float) -> int:
    """How many packets a party sends in that time."""
    return int(seconds / FRAME_S)


def _packet(party: int) -> NDArray[np.uint8]:
    """A packet of mu-law noise with room for the time and a sign that it is ours."""
    noise = np.random.default_rng(party).integers(0, 256, 160, dtype=np.uint8).tobytes()
    head = b"\x80\x00" + bytes(6) + (0x10000 + party).to_bytes(4)
    payload = bytes(8) + _SIGN + noise[12 : -len(END_SIGN)] + END_SIGN
    return np.frombuffer(head + payload, dtype=np.uint8).copy()
