"""What an encrypted leg costs above a plain one, and what libsrtp alone costs for the same packets.

Two gateways do the same work by turns: bridged calls that are relayed, all legs encrypted, then all plain.
The difference is what SRTP costs in the gateway. The same packets are encrypted and decrypted in a bare loop
of this process: that is the library alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import select
import socket
import struct
import tempfile
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import numba
import numpy as np
from numpy.typing import NDArray

from cti.bench.codec_parties import FRAME_S, PHASES
from cti.bench.gateway_run import GatewayRun, Window
from cti.bench.media import ADDRESS
from cti.bench.server import RTP_PORTS
from switch.gateway.protocol import Gain, SetGains, SrtpKeys
from switch.srtp.library import (
    OK,
    TRAILER_OCTETS,
    close_session,
    open_session,
    srtp_protect,
    srtp_unprotect,
)

_HEADER: Final = struct.Struct("!BBHII")
_SSRC: Final = 0x20000
_PLAIN_OCTETS: Final = 172
_ROW: Final = 256
_WARM_UP_S: Final = 1.5
_SPARE_S: Final = 20.0
"""Packets made ahead beyond what is measured: a start on a busy machine takes its time."""
_ROUNDS: Final = 3
_LIBRARY_FRAMES: Final = 50
_WAKE_S: Final = 0.0025
_START_S: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SrtpFigures:
    """One suite."""

    suite: str
    legs: int
    library_us: float
    """CPU to encrypt one packet and to decrypt one, nothing else, at the pace of a gateway's wakes."""
    hot_us: float
    """The same in one go."""
    leg_us: float
    """What the same costs in a gateway: CPU for a packet each way above what it is in clear."""
    plain_us: float
    """CPU of a plain leg for a packet each way."""
    load_reached: float
    """Share of the packets that were handled, the least of all runs."""

    @property
    def ratio(self) -> float:
        """The leg as a multiple of its library."""
        return self.leg_us / self.library_us


async def measure_srtp(
    suite: str, legs: int, seconds: float, ports: str = RTP_PORTS
) -> SrtpFigures:
    """Compare, in rounds by turns. Raises MediaUnavailableError, TimeoutError."""
    octets = {"AEAD_AES_128_GCM": 28, "AEAD_AES_256_GCM": 44}.get(suite, 30)
    keys = SrtpKeys(suite=suite, send=os.urandom(octets), receive=os.urandom(octets))
    count = int((seconds + _WARM_UP_S + _SPARE_S) / FRAME_S)
    plain = _packets(count)
    sealed = _sealed(suite, keys.receive, plain)
    library: list[float] = []
    hot: list[float] = []
    costs: dict[bool, list[float]] = {True: [], False: []}
    reached = 1.0
    for _ in range(_ROUNDS):
        library.append(await asyncio.to_thread(_library_us, suite, keys.send, legs, paced=True))
        hot.append(await asyncio.to_thread(_library_us, suite, keys.send, legs, paced=False))
        for secure, spent in costs.items():
            packets, agreed = (sealed, keys) if secure else (plain, None)
            window = await _relayed(packets, agreed, legs, seconds, ports)
            handled = 50 * legs * window.seconds
            reached = min(reached, min(window.packets_received, window.packets_sent) / handled)
            spent.append(1e6 * window.cpu_s / max(window.packets_received, 1))
    in_clear = float(np.median(costs[False]))
    return SrtpFigures(
        suite=suite,
        legs=legs,
        library_us=round(float(np.median(library)), 2),
        hot_us=round(float(np.median(hot)), 2),
        leg_us=round(float(np.median(costs[True])) - in_clear, 2),
        plain_us=round(in_clear, 2),
        load_reached=round(reached, 3),
    )


async def _relayed(
    packets: list[bytes], keys: SrtpKeys | None, legs: int, seconds: float, ports: str
) -> Window:
    parties = _Parties(legs, packets)
    try:
        with tempfile.TemporaryDirectory(prefix="switchroom-bench-") as folder:
            async with GatewayRun(Path(folder), ports) as run:
                made = await run.legs(parties.ports, srtp=keys)
                for (one, _), (other, _) in zip(made[::2], made[1::2], strict=True):
                    gains = (Gain(listener=one, source=other), Gain(listener=other, source=one))
                    run.send(SetGains(gains=gains))
                parties.start([port for _, port in made])
                await asyncio.sleep(_WARM_UP_S)
                return await run.window(seconds)
    finally:
        parties.close()


def _packets(count: int) -> list[bytes]:
    """Sound that nobody would take for silence, numbered from nothing."""
    noise = np.random.default_rng(1).integers(0, 256, (64, 160), dtype=np.uint8)
    return [
        _HEADER.pack(0x80, 0, i & 0xFFFF, 160 * i & 0xFFFFFFFF, _SSRC) + noise[i % 64].tobytes()
        for i in range(count)
    ]


def _rows(packets: list[bytes]) -> NDArray[np.uint8]:
    rows = np.zeros((len(packets), _ROW), dtype=np.uint8)
    for i, packet in enumerate(packets):
        rows[i, : len(packet)] = np.frombuffer(packet, dtype=np.uint8)
    return rows


def _sealed(suite: str, key: bytes, packets: list[bytes]) -> list[bytes]:
    """The packets, encrypted."""
    rows = _rows(packets)
    sizes = np.full(len(rows), _PLAIN_OCTETS, dtype=np.int64)
    session = open_session(suite, key, inbound=False)
    assert _protect_all(np.array([session]), rows, sizes) == len(rows)
    close_session(session)
    return [row[:size].tobytes() for row, size in zip(rows, sizes.tolist(), strict=True)]


def _library_us(suite: str, key: bytes, legs: int, *, paced: bool) -> float:
    """CPU time of this thread to encrypt a packet and to decrypt it, microseconds.

    There are as many sessions as legs, and they take turns. `paced`: as many packets at a time as a wake of
    a gateway finds, and its pause between: the caches are as cold as there. Otherwise all in one go.
    """
    packets = [packet for packet in _packets(_LIBRARY_FRAMES) for _ in range(legs)]
    outbound = np.array([open_session(suite, key, inbound=False) for _ in range(legs)])
    inbound = np.array([open_session(suite, key, inbound=True) for _ in range(legs)])
    rows, sizes = _rows(packets), np.full(len(packets), _PLAIN_OCTETS, dtype=np.int64)
    _protect_all(outbound, rows[:0], sizes)  # compiled
    _unprotect_all(inbound, rows[:0], sizes)
    batch = max(1, round(legs * _WAKE_S / FRAME_S)) if paced else len(rows)
    spent = [
        _spend(outbound, inbound, rows, sizes, batch, _WAKE_S if paced else 0.0, works)
        for works in (False, True)
    ]
    for session in (*outbound.tolist(), *inbound.tolist()):
        close_session(session)
    return 1e6 * (spent[1] - spent[0]) / len(packets)


def _spend(
    outbound: NDArray[np.int64],
    inbound: NDArray[np.int64],
    rows: NDArray[np.uint8],
    sizes: NDArray[np.int64],
    batch: int,
    pause_s: float,
    works: bool,
) -> float:
    """CPU seconds of this thread for all packets, in batches; without `works` all but the library."""
    done = 0
    began = time.thread_time()
    for first in range(0, len(rows), batch):
        some = slice(first, first + batch)
        turn = np.arange(first, min(first + batch, len(rows))) % len(outbound)
        used = rows[some] if works else rows[:0]
        done += _protect_all(outbound[turn], used, sizes[some])
        done += _unprotect_all(inbound[turn], used, sizes[some])
        if pause_s:
            time.sleep(pause_s)
    spent = time.thread_time() - began
    assert done == (2 * len(rows) if works else 0)
    return spent


def _compiled(function: Any) -> Any:
    return numba.njit(nogil=True, error_model="numpy")(function)


@_compiled
def _protect_all(
    sessions: NDArray[np.int64], rows: NDArray[np.uint8], sizes: NDArray[np.int64]
) -> int:
    done = 0
    for i in range(len(rows)):
        if sizes[i] + TRAILER_OCTETS <= rows.shape[1]:
            session = sessions[i % len(sessions)]
            done += srtp_protect(session, rows[i].ctypes.data, sizes[i:].ctypes.data) == OK
    return done


@_compiled
def _unprotect_all(
    sessions: NDArray[np.int64], rows: NDArray[np.uint8], sizes: NDArray[np.int64]
) -> int:
    done = 0
    for i in range(len(rows)):
        session = sessions[i % len(sessions)]
        done += srtp_unprotect(session, rows[i].ctypes.data, sizes[i:].ctypes.data) == OK
    return done


class _Parties:
    """Handle of the process in which they speak: all send the same packets, each once."""

    def __init__(self, parties: int, packets: list[bytes]) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, child = context.Pipe()
        self._process = context.Process(target=_main, args=(child, parties, packets), daemon=True)
        self._process.start()
        child.close()
        if not self._pipe.poll(_START_S):
            raise TimeoutError("the parties do not start")
        self.ports: list[int] = self._pipe.recv()

    def start(self, gateway_ports: list[int]) -> None:
        """Let party i send to `gateway_ports[i]`."""
        self._pipe.send(gateway_ports)

    def close(self) -> None:
        """End the process."""
        self._pipe.close()
        self._process.kill()
        self._process.join(5)


def _main(pipe: Connection, parties: int, packets: list[bytes]) -> None:
    sockets = []
    epoll = select.epoll()
    for _ in range(parties):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind((ADDRESS, 0))
        sock.setblocking(False)
        epoll.register(sock.fileno(), select.EPOLLIN)
        sockets.append(sock)
    receive = {sock.fileno(): sock.recv_into for sock in sockets}
    buffer = bytearray(2048)
    try:
        pipe.send([sock.getsockname()[1] for sock in sockets])
        ports = pipe.recv()
    except (EOFError, OSError):
        return
    for sock, port in zip(sockets, ports, strict=True):
        sock.connect((ADDRESS, port))
    begin = time.monotonic()
    for slot in range(len(packets) * PHASES):
        left = begin + slot * FRAME_S / PHASES - time.monotonic()
        if left > 0:
            time.sleep(left)
        elif left < -FRAME_S:
            begin -= left  # real parties do not send in bursts because this machine is busy
        frame, phase = divmod(slot, PHASES)
        for i in range(phase, parties, PHASES):
            with contextlib.suppress(OSError):
                sockets[i].send(packets[frame])
        for fd, _ in epoll.poll(0, parties):
            with contextlib.suppress(OSError):
                receive[fd](buffer)
