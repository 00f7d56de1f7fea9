"""What a browser does about media, by aiortc: ICE, DTLS-SRTP, one audio track. Signalling is the test's.

browser = Browser(640.0)
offer = await browser.offer()          # or: answer = await browser.answer(their_offer)
...
await browser.hears(1080.0)
"""

from __future__ import annotations

import asyncio
import fractions
from typing import Any

import av
import numpy as np
from aiortc import RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.mediastreams import MediaStreamTrack

from tests.kit.phone import tone_levels

_RATE = 8000
_SAMPLES = 160


class _Hum(MediaStreamTrack):
    """A tone, frame by frame on the clock."""

    kind = "audio"

    def __init__(self, hertz: float) -> None:
        super().__init__()
        self._hertz = hertz
        self._frame = 0
        self._began = 0.0

    async def recv(self) -> Any:
        loop = asyncio.get_running_loop()
        self._began = self._began or loop.time()
        await asyncio.sleep(max(0.0, self._began + self._frame * 0.02 - loop.time()))
        at = self._frame * _SAMPLES
        time_s = (at + np.arange(_SAMPLES)) / _RATE
        wave = (8000 * np.sin(2 * np.pi * self._hertz * time_s)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(wave.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts = _RATE, at
        frame.time_base = fractions.Fraction(1, _RATE)
        self._frame += 1
        return frame


class Browser:
    """One peer connection that hums and keeps what it hears."""

    def __init__(self, hertz: float) -> None:
        self._connection = RTCPeerConnection()
        self._sound: list[np.ndarray[Any, Any]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._connection.addTrack(_Hum(hertz))
        for transceiver in self._connection.getTransceivers():
            spoken = RTCRtpSender.getCapabilities("audio").codecs
            transceiver.setCodecPreferences([c for c in spoken if c.mimeType == "audio/PCMU"])
        self._connection.on("track", self._listen)

    @property
    def state(self) -> str:
        return str(self._connection.connectionState)

    async def offer(self) -> bytes:
        """Our offer, candidates included."""
        await self._connection.setLocalDescription(await self._connection.createOffer())
        return self._local()

    async def accept(self, answer: bytes) -> None:
        """The answer to it."""
        await self._connection.setRemoteDescription(
            RTCSessionDescription(answer.decode(), "answer")
        )

    async def answer(self, offer: bytes) -> bytes:
        """Our answer to an offer."""
        await self._connection.setRemoteDescription(RTCSessionDescription(offer.decode(), "offer"))
        await self._connection.setLocalDescription(await self._connection.createAnswer())
        return self._local()

    async def hears(self, hertz: float, timeout_s: float = 30.0) -> None:
        """Wait until a pitch is what is heard."""
        async with asyncio.timeout(timeout_s):
            while True:
                await asyncio.sleep(0.1)
                recent = self._sound[-25:]
                if len(recent) == 25:
                    pcm = np.concatenate(recent)
                    if tone_levels(pcm, [hertz], self._rate)[0] > 2000:
                        return

    async def round_trip_s(self, timeout_s: float = 30.0) -> float:
        """The way there and back, once the other end's reports tell it."""
        async with asyncio.timeout(timeout_s):
            while True:
                for each in (await self._connection.getStats()).values():
                    if each.type == "remote-inbound-rtp" and each.roundTripTime is not None:
                        return float(each.roundTripTime)
                await asyncio.sleep(0.1)

    async def close(self) -> None:
        await self._connection.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _local(self) -> bytes:
        return str(self._connection.localDescription.sdp).encode()

    def _listen(self, track: MediaStreamTrack) -> None:
        self._tasks.append(asyncio.create_task(self._keep(track)))

    async def _keep(self, track: MediaStreamTrack) -> None:
        while True:
            frame: Any = await track.recv()
            self._rate = frame.sample_rate
            self._sound.append(
                frame.to_ndarray()[0].astype(np.int16)[:: len(frame.layout.channels)]
            )

    _rate = _RATE
