"""An RTP load generator in a process of its own: many parties, each sends and hears G.711.

Packets are made ahead; sending one patches its sequence number, its timestamp and, in the first
octets of the payload, the time it was sent. A relay passes the payload on as it is, so the hearer
knows how long the packet was under way. Parties send in phases spread over the frame, as real ones do.
"""

from __future__ import annotations

import multiprocessing
import select
import socket
import struct
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Final

import numpy as np

_FRAME_S: Final = 0.02
_PACKET: Final = 172
_STAMP: Final = struct.Struct("!HI")
_TIME: Final = struct.Struct("!d")
_DRAIN_S: Final = 0.3
_PHASES: Final = 20
"""Groups of parties that send a millisecond after each other."""
_MAX_DELAYS: Final = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadResult:
    """What the parties saw."""

    sent: int
    received: int
    received_from_peer: int
    """Packets that carried a peer's stamp: silence sent by the switch itself is not counted."""
    delay_p50_ms: float
    delay_p99_ms: float
    delay_max_ms: float
    slipped_s: float
    """How much later than planned the generator was done: it was short of CPU itself."""


class RtpLoad:
    """Handle of the generator process."""

    def __init__(self, address: str, parties: int) -> None:
        """Start the process and let it open its sockets."""
        context = multiprocessing.get_context("spawn")
        self._pipe, child = context.Pipe()
        self._process = context.Process(target=_main, args=(child, address, parties), daemon=True)
        self._process.start()
        child.close()
        self.ports: list[int] = self._pipe.recv()
        """The parties' own ports."""

    def start(self, gateway_ports: list[int], seconds: float) -> None:
        """Let party i send to `gateway_ports[i]` for so long."""
        self._pipe.send((gateway_ports, seconds))

    def result(self, timeout_s: float) -> LoadResult:
        """Wait for the end. Raises TimeoutError."""
        if not self._pipe.poll(timeout_s):
            raise TimeoutError("the RTP load generator does not end")
        found: LoadResult = self._pipe.recv()
        self._process.join(5)
        return found

    def close(self) -> None:
        """End the process if it still runs."""
        self._pipe.close()
        if self._process.is_alive():
            self._process.kill()
        self._process.join(5)


def _main(pipe: Connection, address: str, parties: int) -> None:
    sockets = []
    for _ in range(parties):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind((address, 0))
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 256 * 1024)
        sockets.append(sock)
    try:
        pipe.send([sock.getsockname()[1] for sock in sockets])
        gateway_ports, seconds = pipe.recv()
    except (EOFError, OSError):
        return
    for sock, port in zip(sockets, gateway_ports, strict=True):
        sock.connect((address, port))
    pipe.send(_Parties(sockets).run(seconds))
    pipe.close()


class _Parties:
    """All parties of one process."""

    def __init__(self, sockets: list[socket.socket]) -> None:
        self._sends = [sock.send for sock in sockets]
        self._packets = [_packet(i) for i in range(len(sockets))]
        self._epoll = select.epoll()
        self._recv_by_fd = {sock.fileno(): sock.recv_into for sock in sockets}
        for sock in sockets:
            self._epoll.register(sock.fileno(), select.EPOLLIN)
        self._delays = np.zeros(_MAX_DELAYS, dtype=np.float32)
        self._buffer = bytearray(2048)
        self.sent = self.received = self.stamped = 0

    def run(self, seconds: float) -> LoadResult:
        """Send for `seconds`, hear for a little longer."""
        begin = time.monotonic()
        slots = int(seconds / _FRAME_S) * _PHASES
        slipped = 0.0
        for slot in range(slots):
            due = begin + slipped + slot * _FRAME_S / _PHASES
            if (late := time.monotonic() - due) > _FRAME_S:
                # Real parties do not send in bursts because this machine is busy.
                slipped += late
                due += late
            while (left := due - time.monotonic()) > 0:
                self._hear(left)
            self._hear(0.0)
            self._speak(slot % _PHASES, slot // _PHASES)
        end = time.monotonic() + _DRAIN_S
        while (left := end - time.monotonic()) > 0:
            self._hear(left)
        delays = self._delays[: min(self.stamped, _MAX_DELAYS)] * 1000
        p50, p99, most = np.percentile(delays, (50, 99, 100)) if len(delays) else (0.0, 0.0, 0.0)
        return LoadResult(
            sent=self.sent,
            received=self.received,
            received_from_peer=self.stamped,
            delay_p50_ms=float(p50),
            delay_p99_ms=float(p99),
            delay_max_ms=float(most),
            slipped_s=slipped,
        )

    def _speak(self, phase: int, frame: int) -> None:
        now = time.monotonic
        for i in range(phase, len(self._sends), _PHASES):
            packet = self._packets[i]
            _STAMP.pack_into(packet, 2, frame & 0xFFFF, frame * 160 & 0xFFFFFFFF)
            _TIME.pack_into(packet, 12, now())
            try:
                self._sends[i](packet)
            except OSError:
                continue
            self.sent += 1

    def _hear(self, timeout_s: float) -> None:
        buffer = self._buffer
        for fd, _ in self._epoll.poll(timeout_s):
            receive = self._recv_by_fd[fd]
            while True:
                try:
                    size = receive(buffer)
                except OSError:
                    break
                self.received += 1
                # The stamp's last octets are 0x55 by construction: silence and mixes do not match.
                if size == _PACKET and buffer[20:24] == b"\x55\xaa\x55\xaa":
                    if self.stamped < _MAX_DELAYS:
                        (then,) = _TIME.unpack_from(buffer, 12)
                        self._delays[self.stamped] = time.monotonic() - then
                    self.stamped += 1


def _packet(party: int) -> bytearray:
    """A packet of mu-law noise with room for the time and a sign that it is ours."""
    noise = np.random.default_rng(party).integers(0, 256, 160, dtype=np.uint8).tobytes()
    head = b"\x80\x00" + bytes(6) + (0x10000 + party).to_bytes(4)
    return bytearray(head + bytes(8) + b"\x55\xaa\x55\xaa" + noise[12:])
