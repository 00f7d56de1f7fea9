"""What an encrypted leg costs, and what libsrtp alone costs for the same packets.

A gateway and a bare loop (`cti.bench.bare_gateway`) do the same work: bridged calls that are relayed, all
legs plain, then all encrypted, both by turns of a second: same packets, sockets, sessions, pace. Two figures
come of it.

    by the clock        both read it before and behind the loops that decrypt and encrypt a wake's packets
    by the difference   CPU of an encrypted packet above that of a plain one

The second has the kernel's work in it, which is the larger part of a packet and swings from one second to the
next by more than what is looked for. So only windows that lie beside each other are compared, in turns that
change places (in clear first, then encrypted first), and the median of many is taken, with its interval.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import struct
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numba
import numpy as np
from numpy.typing import NDArray

from cti.bench.bare_gateway import NOTHING, SRTP, WAKE_S, WARM_UP_S, BareGateway, Work
from cti.bench.gateway_run import GatewayRun
from cti.bench.server import RTP_PORTS
from cti.bench.speakers import FRAME_S, Prepared, Speakers, Speech
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
_WINDOW_S: Final = 1.0
_TURNS: Final = ((0, 1), (1, 0))
"""In clear, encrypted."""
_DRAWN: Final = 2000
"""Times that the rounds are drawn anew for the interval."""
_SETTLE_S: Final = 0.35
"""What is on its way at the turn, and new keys for all legs, is not measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SrtpFigures:
    """One suite."""

    suite: str
    legs: int
    library_us: float
    """To decrypt one packet and to encrypt one, by the clock, in the bare loop."""
    hot_us: float
    """The same with nothing between, one session, one packet after the other."""
    leg_us: float
    """The same in a gateway, with all that a leg needs for it."""
    more_library_us: float
    """CPU of an encrypted packet above that of a plain one in the bare loop."""
    more_leg_us: float
    """The same in a gateway."""
    plain_us: float
    """CPU of a plain leg for a packet each way."""
    bare_us: float
    """The same in the bare loop."""
    ratio: float
    """The leg as a multiple of its library by the clock: medians of all rounds."""
    interval: tuple[float, float]
    """95 % of it, by drawing the rounds anew."""
    more_ratio: float
    """The same by the difference."""
    more_interval: tuple[float, float]
    load_reached: float
    """Share of the packets that the gateways handled, the least of all runs."""


async def measure_srtp(
    suite: str, legs: int, seconds: float, ports: str = RTP_PORTS
) -> SrtpFigures:
    """Compare in rounds, twice as many as `seconds`. Raises MediaUnavailableError, TimeoutError."""
    octets = {"AEAD_AES_128_GCM": 28, "AEAD_AES_256_GCM": 44}.get(suite, 30)
    keys = SrtpKeys(suite=suite, send=os.urandom(octets), receive=os.urandom(octets))
    rounds = max(3, round(2 * seconds))
    count = int((4 * rounds * (_WINDOW_S + _SETTLE_S) + WARM_UP_S + _SPARE_S) / FRAME_S)
    plain = _packets(count)
    said = Prepared(plain), Prepared(_sealed(suite, keys.receive, plain))
    in_loop, in_gateway = _Costs(), _Costs()
    with tempfile.TemporaryDirectory(prefix="switchroom-bench-") as folder:
        async with GatewayRun(Path(folder), ports) as run:
            with (
                contextlib.closing(await _bridged(run, said, legs)) as callers,
                contextlib.closing(_Loop(said, keys, legs)) as loop,
            ):
                await asyncio.sleep(WARM_UP_S)
                for turns in itertools.islice(itertools.cycle(_TURNS), rounds):
                    await asyncio.to_thread(loop.measure, in_loop, turns)
                    await _measure(run, callers, keys, in_gateway, turns)
    return SrtpFigures(
        suite=suite,
        legs=legs,
        library_us=round(float(np.median(in_loop.crypt)), 2),
        hot_us=round(_hot_us(suite, keys.send, plain), 2),
        leg_us=round(float(np.median(in_gateway.crypt)), 2),
        more_library_us=round(float(np.median(in_loop.more)), 2),
        more_leg_us=round(float(np.median(in_gateway.more)), 2),
        plain_us=round(in_gateway.plain_us, 2),
        bare_us=round(in_loop.plain_us, 2),
        ratio=_ratio(in_gateway.crypt, in_loop.crypt),
        interval=_interval(in_gateway.crypt, in_loop.crypt),
        more_ratio=_ratio(in_gateway.more, in_loop.more),
        more_interval=_interval(in_gateway.more, in_loop.more),
        load_reached=round(min(in_gateway.packets) / (50 * legs * _WINDOW_S), 3),
    )


@dataclass(slots=True)
class _Costs:
    """Of a packet, microseconds, in windows of one process by turns."""

    by_turn: tuple[list[float], list[float]] = field(default_factory=lambda: ([], []))
    """CPU in clear and encrypted."""
    of_crypt: list[float] = field(default_factory=list)
    """By the clock, in the encrypted windows."""
    packets: list[float] = field(default_factory=list)
    """Handled in each window, as many as there would be in `_WINDOW_S`."""

    @property
    def plain_us(self) -> float:
        return float(np.median(self.by_turn[0]))

    @property
    def crypt(self) -> NDArray[np.float64]:
        """To decrypt and to encrypt, in each round."""
        return np.array(self.of_crypt)

    @property
    def more(self) -> NDArray[np.float64]:
        """What encryption adds in each round: windows beside each other, so a slow minute counts for both."""
        return np.subtract(self.by_turn[1], self.by_turn[0])

    def take(self, turn: int, packet_us: float, crypt_us: float) -> None:
        """Keep what a window said."""
        self.by_turn[turn].append(packet_us)
        if turn:
            self.of_crypt.append(crypt_us)


class _Loop:
    """The bare loop with its parties, quiet until it is measured."""

    def __init__(self, said: tuple[Speech, Speech], keys: SrtpKeys, legs: int) -> None:
        """Start both. Raises TimeoutError."""
        work = Work(kind=SRTP, suite=keys.suite, send_key=keys.send, receive_key=keys.receive)
        self._parties = Speakers(legs, *said)
        self._loop = BareGateway(self._parties.ports, WAKE_S, work)
        self._parties.start(self._loop.ports)
        self._parties.say(None)

    def measure(self, costs: _Costs, turns: tuple[int, int]) -> None:
        """One window in clear and one encrypted, in this order or the other."""
        for turn in turns:
            self._loop.turn_to(SRTP if turn else NOTHING)
            self._parties.say(turn)
            time.sleep(_SETTLE_S)
            window = self._loop.window(_WINDOW_S)
            costs.take(turn, window.packet_us, window.crypt_us)
        self._parties.say(None)

    def close(self) -> None:
        """End both."""
        self._loop.close()
        self._parties.close()


async def _bridged(run: GatewayRun, said: tuple[Speech, Speech], legs: int) -> Speakers:
    """Parties whose legs are bridged in pairs; quiet."""
    parties = Speakers(legs, *said)
    made = await run.legs(parties.ports)
    for (one, _), (other, _) in zip(made[::2], made[1::2], strict=True):
        gains = (Gain(listener=one, source=other), Gain(listener=other, source=one))
        run.send(SetGains(gains=gains))
    parties.start([port for _, port in made])
    parties.say(None)
    return parties


async def _measure(
    run: GatewayRun, parties: Speakers, keys: SrtpKeys, costs: _Costs, turns: tuple[int, int]
) -> None:
    """The same as `_Loop.measure`, of the gateway."""
    for turn in turns:
        run.secure(keys if turn else None)
        await run.stats()  # answered when all legs have their sessions: those are not measured
        parties.say(turn)
        await asyncio.sleep(_SETTLE_S)
        window = await run.window(_WINDOW_S)
        handled = min(window.packets_received, window.packets_sent)
        costs.packets.append(handled * _WINDOW_S / window.seconds)
        each_us = 1e6 / max(window.packets_received, 1)
        costs.take(turn, window.cpu_s * each_us, window.crypt_s * each_us)
    parties.say(None)


def _ratio(gateway: NDArray[np.float64], loop: NDArray[np.float64]) -> float:
    return round(float(np.median(gateway) / np.median(loop)), 3)


def _interval(gateway: NDArray[np.float64], loop: NDArray[np.float64]) -> tuple[float, float]:
    """Of the quotient of the medians, 95 %: rounds are drawn anew, those of gateway and loop together."""
    drawn = np.random.default_rng(1).integers(0, len(loop), (_DRAWN, len(loop)))
    ratios = np.median(gateway[drawn], axis=1) / np.median(loop[drawn], axis=1)
    least, most = np.percentile(ratios, (2.5, 97.5))
    return round(float(least), 2), round(float(most), 2)


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
