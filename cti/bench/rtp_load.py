"""An RTP load generator: many parties in processes of their own, each sends and hears G.711.

Packets are made ahead; a relay passes the payload on as it is, so the hearer knows by its first octets
that it came from a party and how long it was under way. Parties send in phases spread over the frame,
as real ones do. A few are watched, the rest are a crowd: see `cti.bench.rtp_parties`.
"""

from __future__ import annotations

import multiprocessing
import socket
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Final

import numpy as np

from cti.bench.rtp_parties import Crowd, Heard, Watched

WATCHED: Final = 20
"""Parties whose packets are timed; even, so that both ends of a call are."""
_START_S: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadResult:
    """What the parties saw."""

    sent: int
    received: int
    received_from_peer: int
    """Packets that carried a peer's sign: silence sent by the switch itself is not counted."""
    delay_p50_ms: float
    delay_p99_ms: float
    delay_max_ms: float
    """Of the packets of the watched parties."""
    slipped_s: float
    """How much later than planned the generator was done: it was short of CPU itself."""


class RtpLoad:
    """Handle of the generator's processes."""

    def __init__(self, address: str, parties: int) -> None:
        """Start the processes and let them open their sockets. Raises TimeoutError."""
        watched = min(parties, WATCHED)
        self._groups = [_Group(address, watched, Watched)]
        if parties > watched:
            self._groups.append(_Group(address, parties - watched, Crowd))
        self.ports: list[int] = [port for group in self._groups for port in group.take_ports()]
        """The parties' own ports."""

    def start(self, gateway_ports: list[int], seconds: float) -> None:
        """Let party i send to `gateway_ports[i]` for so long."""
        first = 0
        for group in self._groups:
            group.start(gateway_ports[first : first + group.parties], seconds)
            first += group.parties

    def result(self, timeout_s: float) -> LoadResult:
        """Wait for the end. Raises TimeoutError."""
        end = time.monotonic() + timeout_s
        heard = [group.heard(end - time.monotonic()) for group in self._groups]
        delays = heard[0].delays_s * 1000
        p50, p99, most = np.percentile(delays, (50, 99, 100)) if len(delays) else (0.0, 0.0, 0.0)
        return LoadResult(
            sent=sum(one.sent for one in heard),
            received=sum(one.received for one in heard),
            received_from_peer=sum(one.stamped for one in heard),
            delay_p50_ms=float(p50),
            delay_p99_ms=float(p99),
            delay_max_ms=float(most),
            slipped_s=max(one.slipped_s for one in heard),
        )

    def close(self) -> None:
        """End the processes that still run."""
        for group in self._groups:
            group.close()


class _Group:
    """One process of parties."""

    def __init__(self, address: str, parties: int, kind: type[Watched] | type[Crowd]) -> None:
        context = multiprocessing.get_context("spawn")
        self.parties = parties
        self._pipe, child = context.Pipe()
        self._process = context.Process(
            target=_main, args=(child, address, parties, kind), daemon=True
        )
        self._process.start()
        child.close()

    def take_ports(self) -> list[int]:
        if not self._pipe.poll(_START_S):
            raise TimeoutError("the RTP load generator does not start")
        ports: list[int] = self._pipe.recv()
        return ports

    def start(self, gateway_ports: list[int], seconds: float) -> None:
        self._pipe.send((gateway_ports, seconds))

    def heard(self, timeout_s: float) -> Heard:
        if not self._pipe.poll(max(timeout_s, 0.0)):
            raise TimeoutError("the RTP load generator does not end")
        found: Heard = self._pipe.recv()
        self._process.join(5)
        return found

    def close(self) -> None:
        self._pipe.close()
        if self._process.is_alive():
            self._process.kill()
        self._process.join(5)


def _main(pipe: Connection, address: str, parties: int, kind: type[Watched] | type[Crowd]) -> None:
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
    pipe.send(kind(sockets).run(seconds))
    pipe.close()
