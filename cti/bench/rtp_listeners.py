"""Parties that only listen: a process that takes what is sent to many ports, and counts it."""

from __future__ import annotations

import multiprocessing
import select
import socket
import time
from multiprocessing.connection import Connection
from typing import Final

_PERIOD_S: Final = 0.005
_DATAGRAM: Final = 2048
_START_S: Final = 60.0


class RtpListeners:
    """Handle of the process. It sleeps by the clock: see `cti.bench.rtp_parties` for why."""

    def __init__(self, address: str, parties: int) -> None:
        """Start the process and let it open its sockets. Raises TimeoutError."""
        context = multiprocessing.get_context("spawn")
        self._pipe, child = context.Pipe()
        self._process = context.Process(target=_main, args=(child, address, parties), daemon=True)
        self._process.start()
        child.close()
        if not self._pipe.poll(_START_S):
            raise TimeoutError("the RTP listeners do not start")
        self.ports: list[int] = self._pipe.recv()

    def heard(self) -> int:
        """Packets so far."""
        self._pipe.send(None)
        count: int = self._pipe.recv()
        return count

    def close(self) -> None:
        """End the process."""
        self._pipe.close()
        self._process.kill()
        self._process.join(5)


def _main(pipe: Connection, address: str, parties: int) -> None:
    epoll = select.epoll()
    receivers = {}
    sockets = []
    for _ in range(parties):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind((address, 0))
        sock.setblocking(False)
        sockets.append(sock)
        receivers[sock.fileno()] = sock.recv_into
        epoll.register(sock.fileno(), select.EPOLLIN)
    buffer = bytearray(_DATAGRAM)
    heard = 0
    try:
        pipe.send([sock.getsockname()[1] for sock in sockets])
        while True:
            time.sleep(_PERIOD_S)
            for fd, _ in epoll.poll(0, parties):
                receivers[fd](buffer)
                heard += 1
            if pipe.poll():
                pipe.recv()
                pipe.send(heard)
    except (EOFError, OSError):
        return
