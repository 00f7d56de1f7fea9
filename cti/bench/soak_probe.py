"""Is the sound right while the server is loaded? A call now and then whose parties hum and listen.

Each hums a pitch of its own; what each hears in the middle of the call must be the other's pitch
and little else. Gaps count: of the packets that should come in that time nine tenths must.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cti.bench.call_sound import HearingSound
from cti.bench.sip_load import CallerPool
from cti.bench.sip_text import Address
from cti.bench.soak_report import Probed
from recordings.mulaw import decode, encode

Pcm = NDArray[np.float64]

_HOST: Final = "127.0.0.1"
_RATE: Final = 8000
_FRAME: Final = 160
CALLER_HZ: Final = 650.0
AGENT_HZ: Final = 1050.0
"""Whole periods in a frame of 20 ms, so that one frame repeated is a tone."""
_AMPLITUDE: Final = 8000.0
_HEARD: Final = 6000.0
_UNHEARD: Final = 400.0
_TALK_S: Final = 4.5
_ANSWER_S: Final = 2.5
_SETTLE_S: Final = 0.7
"""After the agent's answer: until then a caller who has to wait hears music."""
_LISTEN_S: Final = 1.0
_HEADER: Final = 12
_LEAST_PACKETS: Final = 0.9 * _LISTEN_S / 0.02
_EVERY_S: Final = 10.0
_MOST_WORDS: Final = 10


def tone(hz: float) -> bytes:
    """A frame of mu-law."""
    at = np.arange(_FRAME) / _RATE
    return encode((_AMPLITUDE * np.sin(2 * np.pi * hz * at)).astype(np.int16)).tobytes()


def level(pcm: Pcm, hz: float) -> float:
    """The amplitude of a pitch."""
    if not len(pcm):
        return 0.0
    at = np.arange(len(pcm)) / _RATE
    return float(2 * abs(np.mean(pcm * np.exp(-2j * np.pi * hz * at))))


class Hummer(HearingSound):
    """Hums a pitch at every party it is connected to, and keeps what it hears."""

    def __init__(self, hz: float) -> None:
        """Bind a socket. Raises OSError."""
        super().__init__(_HOST, tone(hz))
        self.heard: deque[bytes] = deque(maxlen=int(_LISTEN_S / 0.02))
        self.is_connected = asyncio.Event()
        """Somebody to hum at was added; to be cleared before a call."""

    def add(self, key: bytes, address: Address) -> None:
        """Hum at `address` from now on."""
        super().add(key, address)
        self.is_connected.set()

    def hear(self, packet: bytes) -> None:
        """Keep what was said lately."""
        self.heard.append(packet[_HEADER:])


@dataclass(slots=True)
class Probe:
    """Calls through the server, one after the other, and judges what was heard."""

    server: Address
    called: tuple[str, ...]
    agent: Hummer = field(default_factory=lambda: Hummer(AGENT_HZ))
    """To be given to the agents."""
    calls: int = 0
    gaps: int = 0
    """Calls with too few packets, or that did not come about."""
    wrong: int = 0
    """Calls with another sound than there should be."""
    words: list[str] = field(default_factory=list)
    """What was not as it should be; the first few."""
    _caller: Hummer = field(default_factory=lambda: Hummer(CALLER_HZ))
    _pools: list[CallerPool] = field(default_factory=list)
    _calling: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def open(self) -> None:
        """Bind, hum, listen."""
        self.agent.open()
        self._caller.open()
        for number in self.called:
            pool = CallerPool(
                host=_HOST,
                server=self.server,
                rtp_port=self._caller.port,
                called=number,
                talk_s=_TALK_S,
                prefix=f"probe{number}x",
                sound=self._caller,
            )
            await pool.open()
            self._pools.append(pool)

    async def finish(self) -> None:
        """Wait for the end of the call that is up; cancel `run` right after."""
        async with self._calling:
            pass

    async def close(self) -> None:
        """Let everything go."""
        for pool in self._pools:
            pool.close()
        await self._caller.close()
        await self.agent.close()

    async def run(self) -> None:
        """A call every ten seconds, until cancelled."""
        while True:
            for pool in self._pools:
                async with self._calling:
                    await self._call(pool)
                await asyncio.sleep(_EVERY_S - _TALK_S)

    async def _call(self, pool: CallerPool) -> None:
        """One call, judged."""
        pool.records.clear()
        self.agent.is_connected.clear()
        record = pool.dial()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_ANSWER_S):
                await self.agent.is_connected.wait()
        await asyncio.sleep(_SETTLE_S)
        self.agent.heard.clear()
        self._caller.heard.clear()
        await asyncio.sleep(_LISTEN_S)
        pcm = sound_of(self._caller.heard), sound_of(self.agent.heard)
        await pool.all_over()
        self.calls += 1
        if record.status != 200 or not self.agent.is_connected.is_set():
            trouble = f"status {record.status}, no agent within {_ANSWER_S:g} s"
        else:
            trouble = gap("caller", pcm[0]) or gap("agent", pcm[1])
        self.gaps += bool(trouble)
        if not trouble:
            trouble = wrong("caller", pcm[0], AGENT_HZ, CALLER_HZ)
            trouble = trouble or wrong("agent", pcm[1], CALLER_HZ, AGENT_HZ)
            self.wrong += bool(trouble)
            if trouble:
                del self.words[_MOST_WORDS - 1 :]  # what is wrong is told in any case
        if trouble and len(self.words) < _MOST_WORDS:
            self.words.append(f"call {self.calls} to {pool.called}: {trouble}")

    def result(self) -> Probed:
        """So far."""
        return Probed(calls=self.calls, gaps=self.gaps, wrong=self.wrong, words=list(self.words))


def sound_of(packets: Iterable[bytes]) -> Pcm:
    """What was heard, as samples."""
    return decode(np.frombuffer(b"".join(packets), np.uint8)).astype(np.float64)


def gap(who: str, pcm: Pcm) -> str:
    """How much is missing, in words; empty: nothing."""
    packets = len(pcm) / _FRAME
    return f"the {who} got {packets:.0f} packets in a second" if packets < _LEAST_PACKETS else ""


def wrong(who: str, pcm: Pcm, other_hz: float, own_hz: float) -> str:
    """What somebody hears that should not be, in words; empty: nothing."""
    other, own = level(pcm, other_hz), level(pcm, own_hz)
    if other < _HEARD:
        return f"the {who} hears the other at {other:.0f} of {_AMPLITUDE:.0f}"
    if own > _UNHEARD:
        return f"the {who} hears itself at {own:.0f}"
    return ""
