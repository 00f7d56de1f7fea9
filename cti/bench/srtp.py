"""What an encrypted leg costs above a plain one, and what libsrtp alone costs for the same packets.

Gateways and bare loops (`cti.bench.bare_gateway`) do the same work by turns: bridged calls that are relayed,
all legs encrypted, then all plain. The difference is what SRTP costs in the one, and what the library costs
in the other: same packets, sockets, sessions, pace.
"""

from __future__ import annotations

import asyncio
import os
import struct
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numba
import numpy as np
from numpy.typing import NDArray

from cti.bench.bare_gateway import SRTP, WARM_UP_S, Work, passed_on
from cti.bench.gateway_run import GatewayRun, Window
from cti.bench.server import RTP_PORTS
from cti.bench.speakers import FRAME_S, Prepared, Speakers
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
_SPARE_S: Final = 20.0
"""Packets made ahead beyond what is measured: a start on a busy machine takes its time."""
_ROUNDS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class SrtpFigures:
    """One suite."""

    suite: str
    legs: int
    library_us: float
    """CPU to decrypt one packet and to encrypt one: a bare loop with the library above one without."""
    hot_us: float
    """The same with nothing between, one session, one packet after the other."""
    leg_us: float
    """What the same costs in a gateway: CPU for a packet each way above what it is in clear."""
    plain_us: float
    """CPU of a plain leg for a packet each way."""
    bare_us: float
    """The same in the bare loop."""
    load_reached: float
    """Share of the packets that the gateways handled, the least of all runs."""

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
    count = int((seconds + WARM_UP_S + _SPARE_S) / FRAME_S)
    plain = _packets(count)
    sealed = _sealed(suite, keys.receive, plain)
    work = Work(kind=SRTP, suite=suite, send_key=keys.send, receive_key=keys.receive)
    costs: dict[bool, list[float]] = {True: [], False: []}
    bare: dict[bool, list[float]] = {True: [], False: []}
    reached = 1.0
    for _ in range(_ROUNDS):
        for secure, spent in costs.items():
            speech = Prepared(sealed if secure else plain)
            done = work if secure else Work()
            bare[secure].append(await asyncio.to_thread(passed_on, speech, done, legs, seconds))
            window = await _relayed(speech, keys if secure else None, legs, seconds, ports)
            handled = 50 * legs * window.seconds
            reached = min(reached, min(window.packets_received, window.packets_sent) / handled)
            spent.append(1e6 * window.cpu_s / max(window.packets_received, 1))
    in_clear, on_its_way = float(np.median(costs[False])), float(np.median(bare[False]))
    return SrtpFigures(
        suite=suite,
        legs=legs,
        library_us=round(float(np.median(bare[True])) - on_its_way, 2),
        hot_us=round(_hot_us(suite, keys.send, plain), 2),
        leg_us=round(float(np.median(costs[True])) - in_clear, 2),
        plain_us=round(in_clear, 2),
        bare_us=round(on_its_way, 2),
        load_reached=round(reached, 3),
    )


async def _relayed(
    speech: Prepared, keys: SrtpKeys | None, legs: int, seconds: float, ports: str
) -> Window:
    parties = Speakers(legs, speech)
    try:
        with tempfile.TemporaryDirectory(prefix="switchroom-bench-") as folder:
            async with GatewayRun(Path(folder), ports) as run:
                made = await run.legs(parties.ports, srtp=keys)
                for (one, _), (other, _) in zip(made[::2], made[1::2], strict=True):
                    gains = (Gain(listener=one, source=other), Gain(listener=other, source=one))
                    run.send(SetGains(gains=gains))
                parties.start([port for _, port in made])
                await asyncio.sleep(WARM_UP_S)
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
    assert _protect_all(session, rows, sizes) == len(rows)
    close_session(session)
    return [row[:size].tobytes() for row, size in zip(rows, sizes.tolist(), strict=True)]


def _hot_us(suite: str, key: bytes, packets: list[bytes]) -> float:
    """CPU time of this thread to encrypt a packet and to decrypt it, microseconds."""
    outbound, inbound = (open_session(suite, key, inbound=inbound) for inbound in (False, True))
    rows, sizes = _rows(packets), np.full(len(packets), _PLAIN_OCTETS, dtype=np.int64)
    _unprotect_all(inbound, rows[:0], sizes)  # compiled
    began = time.thread_time()
    done = _protect_all(outbound, rows, sizes) + _unprotect_all(inbound, rows, sizes)
    spent = time.thread_time() - began
    assert done == 2 * len(rows)
    close_session(outbound)
    close_session(inbound)
    return 1e6 * spent / len(rows)


def _compiled(function: Any) -> Any:
    return numba.njit(nogil=True, error_model="numpy")(function)


@_compiled
def _protect_all(session: int, rows: NDArray[np.uint8], sizes: NDArray[np.int64]) -> int:
    done = 0
    for i in range(len(rows)):
        if sizes[i] + TRAILER_OCTETS <= rows.shape[1]:
            done += srtp_protect(session, rows[i].ctypes.data, sizes[i:].ctypes.data) == OK
    return done


@_compiled
def _unprotect_all(session: int, rows: NDArray[np.uint8], sizes: NDArray[np.int64]) -> int:
    done = 0
    for i in range(len(rows)):
        done += srtp_unprotect(session, rows[i].ctypes.data, sizes[i:].ctypes.data) == OK
    return done
