"""Parties that say the same sentences in any codec, over and over, and take what they are sent.

One process for all of them; it sleeps by the clock, see `cti.bench.rtp_parties` for why. Each party is a
millisecond behind the one before and some way further into the sentences.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import select
import socket
import struct
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Final

FRAME_S: Final = 0.02
PHASES: Final = 20
_APART: Final = 37
"""Frames between what two parties say: so they never say the same."""
_HEADER: Final = struct.Struct("!BBHII")
_DATAGRAM: Final = 2048
_START_S: Final = 60.0


class CodecParties:
    """Handle of the process."""

    def __init__(
        self, address: str, parties: int, payloads: Sequence[bytes], payload_type: int, step: int
    ) -> None:
        """`payloads` are frames of 20 ms, `step` units of timestamps each. Raises TimeoutError."""
        context = multiprocessing.get_context("spawn")
        self._pipe, child = context.Pipe()
        self._process = context.Process(
            target=_main,
            args=(child, address, parties, list(payloads), payload_type, step),
            daemon=True,
        )
        self._process.start()
        child.close()
        if not self._pipe.poll(_START_S):
            raise TimeoutError("the parties do not start")
        self.ports: list[int] = self._pipe.recv()

    def start(self, gateway_ports: list[int]) -> None:
        """Let party i send to `gateway_ports[i]` until `close`."""
        self._pipe.send(gateway_ports)

    def close(self) -> None:
        """End the process."""
        self._pipe.close()
        self._process.kill()
        self._process.join(5)


def _main(
    pipe: Connection,
    address: str,
    parties: int,
    payloads: list[bytes],
    payload_type: int,
    step: int,
) -> None:
    sockets = []
    epoll = select.epoll()
    for _ in range(parties):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind((address, 0))
        sock.setblocking(False)
        epoll.register(sock.fileno(), select.EPOLLIN)
        sockets.append(sock)
    receive = {sock.fileno(): sock.recv_into for sock in sockets}
    try:
        pipe.send([sock.getsockname()[1] for sock in sockets])
        ports = pipe.recv()
    except (EOFError, OSError):
        return
    for sock, port in zip(sockets, ports, strict=True):
        sock.connect((address, port))
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
        for i in range(phase, parties, PHASES):
            payload = payloads[(frame + _APART * i) % len(payloads)]
            header = _HEADER.pack(
                0x80, payload_type, frame & 0xFFFF, frame * step & 0xFFFFFFFF, 0x20000 + i
            )
            with contextlib.suppress(OSError):
                sockets[i].send(header + payload)
        for fd, _ in epoll.poll(0, parties):
            with contextlib.suppress(OSError):
                receive[fd](buffer)
