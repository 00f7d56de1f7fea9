"""Independent SIP user agents as scriptable phones, and the physics that tells who hears whom.

async with Phone("baresip") as caller, Phone("pjsua2") as agent:
    await agent.register_to("127.0.0.1", port, "1001", "lab-1001")
    call = await caller.call(f"sip:4001@127.0.0.1:{port}")
    ring = await agent.answer_next()
    await caller.established(call)
    agent.hum(1000)
    assert loudest_tone(await caller.hear(call, 0.5)) == pytest.approx(1000, abs=10)
"""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
import wave
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from cti.phone.client import PhoneProcess
from cti.phone.protocol import (
    Closed,
    Digit,
    Established,
    Event,
    Incoming,
    Registered,
    RegistrationFailed,
    Ringing,
)
from tests.kit.patience import PATIENCE_S

SAMPLE_RATE: Final = 8000
Pcm = NDArray[np.int16]


class Phone:
    """One phone in a process of its own, on loopback, without sound devices."""

    def __init__(
        self,
        backend: str = "baresip",
        *,
        bind: str = "127.0.0.1",
        number: str = "phone",
        port: int = 0,
        srtp: str = "off",
        ca_file: Path | None = None,
    ) -> None:
        self.backend = backend
        self._srtp = srtp
        self._port = port
        self._number = number
        self._bind = bind
        self._ca_file = "" if ca_file is None else str(ca_file)
        self._process: PhoneProcess | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="phone-")
        self._captures = 0

    async def __aenter__(self) -> Self:
        """Start the process."""
        self._process = await PhoneProcess.start(
            self.backend,
            bind=self._bind,
            number=self._number,
            local_port=self._port,
            srtp=self._srtp,
            ca_file=self._ca_file,
        )
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Hang up, unregister, end the process."""
        await self.process.stop()
        self._folder.cleanup()

    def kill(self) -> None:
        """End it as a crash would: nobody is told."""
        os.kill(self.process.pid, signal.SIGKILL)

    @property
    def process(self) -> PhoneProcess:
        """The process, for whatever has no method here."""
        assert self._process is not None, "use `async with Phone(...)`"
        return self._process

    @property
    def uri(self) -> str:
        """Where this phone can be called directly, without a server."""
        assert self.process.ready is not None
        return f"sip:{self._number}@{self._bind}:{self.process.ready.port}"

    # --- registration ---

    async def register_to(
        self,
        host: str,
        port: int,
        user: str,
        password: str,
        *,
        transport: str = "udp",
        expires_s: int = 120,
        timeout_s: float = PATIENCE_S,
    ) -> Registered:
        """Register; raises `PermissionError` with the status when refused."""
        done = self.process.expect(lambda e: isinstance(e, Registered | RegistrationFailed))
        self.process.register(user, password, host, port, transport=transport, expires_s=expires_s)
        async with asyncio.timeout(timeout_s):
            outcome = await done
        if isinstance(outcome, RegistrationFailed):
            raise PermissionError(f"{outcome.status} {outcome.reason}")
        assert isinstance(outcome, Registered)
        return outcome

    # --- calls ---

    async def call(self, target: str, headers: dict[str, str] | None = None) -> str:
        """Send an INVITE; returns the name of the call at once."""
        return self.process.dial(target, headers)

    async def call_until_it_rings(self, target: str, timeout_s: float = PATIENCE_S) -> str:
        """Call, and again when that is refused: a server on a busy machine sheds some calls."""
        async with asyncio.timeout(timeout_s):
            while True:
                call = await self.call(target)
                if isinstance(await self.process.expect(partial(_is_told, call)), Ringing):
                    return call
                await asyncio.sleep(0.5)

    async def ringing(self, call: str, timeout_s: float = PATIENCE_S) -> Ringing:
        """Wait for 180 or 183."""
        return await self.process.wait_for(Ringing, timeout_s, call=call)

    async def established(self, call: str, timeout_s: float = PATIENCE_S) -> Established:
        """Wait until the call is answered."""
        return await self.process.wait_for(Established, timeout_s, call=call)

    async def incoming(self, timeout_s: float = PATIENCE_S) -> Incoming:
        """Wait for a call to ring here."""
        return await self.process.wait_for(Incoming, timeout_s)

    async def answer_next(self, timeout_s: float = PATIENCE_S) -> Incoming:
        """Wait for a call, answer it, and wait until it is established."""
        ring = await self.incoming(timeout_s)
        self.process.answer(ring.call)
        await self.established(ring.call, timeout_s)
        return ring

    async def hang_up(self, call: str, timeout_s: float = PATIENCE_S) -> Closed:
        """End the call and wait until it is closed."""
        self.process.hang_up(call)
        return await self.closed(call, timeout_s)

    async def closed(self, call: str, timeout_s: float = PATIENCE_S) -> Closed:
        """Wait until the call is over."""
        return await self.process.wait_for(Closed, timeout_s, call=call)

    def press(self, call: str, digits: str) -> None:
        """Send RFC 4733 digits."""
        self.process.digits(call, digits)

    async def digits(self, call: str, count: int, timeout_s: float = PATIENCE_S) -> str:
        """Wait for so many digits from the far end."""
        found = ""
        async with asyncio.timeout(timeout_s):
            while len(found) < count:
                found += (await self.process.wait_for(Digit, timeout_s, call=call)).digit
        return found

    # --- sound ---

    def hum(self, hz: float, level: int = 8000) -> None:
        """Send a sine into all calls."""
        self.process.tone(hz, level)

    def be_silent(self) -> None:
        """Stop humming."""
        self.process.tone(440.0, 0)

    async def hear(self, call: str, seconds: float) -> Pcm:
        """What comes in over the next `seconds` of real time: int16, mono, 8 kHz."""
        self._captures += 1
        path = Path(self._folder.name) / f"{self._captures}.wav"
        self.process.capture(call, str(path))
        await asyncio.sleep(seconds)
        await self.process.stop_capture(call, PATIENCE_S)
        return read_wav(path)


def _is_told(call: str, event: Event) -> bool:
    """Whether an event says what becomes of a call that was begun."""
    return isinstance(event, Ringing | Closed) and event.call == call


def read_wav(path: Path) -> Pcm:
    """The samples of a 16-bit WAV file; stereo has the shape (n, 2)."""
    with wave.open(str(path)) as wav:
        assert wav.getsampwidth() == 2
        samples = np.frombuffer(wav.readframes(wav.getnframes()), dtype=np.int16)
        return samples.reshape(-1, wav.getnchannels()) if wav.getnchannels() > 1 else samples


def spectrum(pcm: Pcm, rate: int = SAMPLE_RATE) -> tuple[NDArray[Any], NDArray[Any]]:
    """Frequencies in Hz and the peak amplitude of a sine at each of them."""
    window = np.hanning(len(pcm))
    levels = np.abs(np.fft.rfft(pcm * window)) * 2 / window.sum()
    return np.fft.rfftfreq(len(pcm), 1 / rate), levels


def loudest_tone(pcm: Pcm, rate: int = SAMPLE_RATE, *, quietest: float = 50.0) -> float | None:
    """The strongest pitch in Hz; None when nothing is louder than `quietest` (peak)."""
    if len(pcm) < rate // 20:
        return None
    hz, levels = spectrum(pcm, rate)
    best = int(np.argmax(levels))
    return float(hz[best]) if levels[best] >= quietest else None


def tone_levels(pcm: Pcm, pitches: Sequence[float], rate: int = SAMPLE_RATE) -> list[float]:
    """Peak amplitude of each pitch, the best within 15 Hz of it."""
    hz, levels = spectrum(pcm, rate)
    return [float(levels[np.abs(hz - pitch) <= 15].max()) for pitch in pitches]
