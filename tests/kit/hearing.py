"""Who hears whom: each party hums a pitch of its own, and the sound of the others is measured."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from tests.kit.patience import PATIENCE_S
from tests.kit.phone import SAMPLE_RATE, Phone, loudest_tone, read_wav, tone_levels

CALLER_HZ, AGENT_HZ, OTHER_HZ = 640.0, 1080.0, 1440.0
"""The agent's lies between the notes of the hold music, so that they are not taken for it."""

HEARD = 2000.0
"""A hummed tone has an amplitude of 8000: this much of it must arrive to count as heard."""

UNHEARD = 150.0
"""Less than this is not heard; hold music has notes of about half of it at these pitches."""

GAP_S = 0.2
"""What is missing of a tone that goes on is less, all in all: ten frames, which a busy machine may cost.

A gateway that is stopped for 0.3 s is found out by this at baresip, which plays nothing for what did not
come. PJSIP conceals some 0.3 s by what it had before: there it takes 0.6 s. What waits for a process to be
started again is away for longer than either.
"""

_ACTS = 3
_BESIDE_S = 0.5
_LEVEL_S = 0.02
_LOOK_S = 0.4
_LEAST_SAMPLES = 2000
_TRIES = 20


def hears(pcm: np.ndarray, *pitches: float) -> None:
    """Assert that exactly these of the three pitches are in the sound."""
    levels = dict(
        zip(
            (CALLER_HZ, AGENT_HZ, OTHER_HZ),
            tone_levels(pcm, [CALLER_HZ, AGENT_HZ, OTHER_HZ]),
            strict=True,
        )
    )
    for pitch, level in levels.items():
        if pitch in pitches:
            assert level > HEARD, f"{pitch} Hz should be heard: {levels}"
        else:
            assert level < UNHEARD, f"{pitch} Hz should not be heard: {levels}"


async def listen(phone: Phone, call: str) -> np.ndarray:
    """What a phone hears now: 0.6 s, after what its playout buffer still held from before.

    That is up to 0.5 s with pjsua2, and 20 ms of a loud tone in the 0.6 s would already be "heard".

    On a machine that is busy with other things a phone may get less time than that: then longer.
    """
    for seconds in (1.2, 2.2, 4.2):
        pcm = (await phone.hear(call, seconds))[4800:]
        if len(pcm) >= 2400:
            break
    return pcm


async def until_heard(phone: Phone, call: str, *pitches: float) -> None:
    """Wait until exactly these of the three pitches are heard, of which there is at least one.

    What the playout buffer held from before passes by, as do the gaps that a busy machine makes.
    """
    for tries_left in reversed(range(_TRIES)):
        pcm = await phone.hear(call, _LOOK_S)
        try:
            assert len(pcm) >= _LEAST_SAMPLES, f"{len(pcm)} samples came in {_LOOK_S} s"
            hears(pcm, *pitches)
        except AssertionError:
            if not tries_left:
                raise
        else:
            return


async def until_each_hears(*ears: tuple[Phone, str, float]) -> None:
    """Wait until each phone hears on its call this pitch, and no other; they listen all at once."""
    await asyncio.gather(*(until_heard(phone, call, pitch) for phone, call, pitch in ears))


async def until_loudest(phone: Phone, call: str, hertz: float) -> None:
    """Wait until this pitch, any one, is what a phone hears most of: music ends, keys are agreed on."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            found = loudest_tone(await phone.hear(call, _LOOK_S))
            if found is not None and abs(found - hertz) <= 10:
                return


def was_heard(pcm: np.ndarray, pitch: float) -> None:
    """Assert that this one of the three pitches, alone, was recorded for a quarter of a second or more."""
    pieces = [pcm[at : at + _LEAST_SAMPLES] for at in range(0, len(pcm) - _LEAST_SAMPLES, 400)]
    for piece in pieces:
        with contextlib.suppress(AssertionError):
            return hears(piece, pitch)
    raise AssertionError(f"{pitch} Hz is nowhere alone in {len(pcm) / 8000:.1f} s")


def gaps(pcm: np.ndarray, pitch: float, level: float = HEARD) -> list[float]:
    """How long a tone was softer than `level`, each time, in seconds; measured over 20 ms, at each sample."""
    size = round(_LEVEL_S * SAMPLE_RATE)
    turned = pcm * np.exp(-2j * np.pi * pitch / SAMPLE_RATE * np.arange(len(pcm)))
    sums = np.concatenate(([0], np.cumsum(turned)))
    is_soft = 2 * np.abs(sums[size:] - sums[:-size]) / size < level
    edges = np.flatnonzero(np.diff(np.concatenate(([False], is_soft, [False]))))
    return [float(length) / SAMPLE_RATE for length in edges[1::2] - edges[::2]]


@dataclass(frozen=True, slots=True)
class Ear:
    """What somebody must hear on a call all the time."""

    phone: Phone
    call: str
    who: str
    pitches: tuple[float, ...]
    pause_s: float = 0.0
    """So long the sound pauses by itself, as ring-back does: it is waited for that it comes again."""
    level: float = HEARD
    """Softer is silence."""

    def heard_without_gap(self, pcm: np.ndarray, listened_s: float) -> None:
        """Assert it of what came in that time: a phone that gets nothing may write nothing either."""
        missing_s = listened_s - len(pcm) / SAMPLE_RATE
        for pitch in self.pitches:
            found = gaps(pcm, pitch, self.level)
            away_s = max(found, default=0.0) - self.pause_s if self.pause_s else sum(found)
            assert missing_s + away_s < GAP_S, (
                f"{self.who} does not hear {pitch} Hz: {missing_s:.2f} s of {listened_s:.1f} s are"
                f" missing, and there are gaps of {found}"
            )


async def heard_through(act: Callable[[], Awaitable[object]], *ears: Ear) -> None:
    """Assert that all of this is heard while something is done, from before it until after it.

    It is done again when not: a machine that has no time makes gaps of its own. What the act itself keeps
    from being heard is away each time.
    """
    for tries_left in reversed(range(_ACTS)):
        try:
            return await _listen_through(act, ears)
        except AssertionError:
            if not tries_left:
                raise


async def _listen_through(act: Callable[[], Awaitable[object]], ears: Sequence[Ear]) -> None:
    with tempfile.TemporaryDirectory(prefix="heard-") as folder:
        paths = [Path(folder) / f"{number}.wav" for number in range(len(ears))]
        for ear, path in zip(ears, paths, strict=True):
            ear.phone.process.capture(ear.call, str(path))
        began = time.monotonic()
        await asyncio.sleep(_BESIDE_S)
        await act()
        await asyncio.sleep(_BESIDE_S + max((ear.pause_s for ear in ears), default=0.0))
        listened_s = time.monotonic() - began
        for ear in ears:
            await ear.phone.process.stop_capture(ear.call, PATIENCE_S)
        for ear, path in zip(ears, paths, strict=True):
            ear.heard_without_gap(read_wav(path), listened_s)


def stereo(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """The channels of a mu-law WAV, as int16."""
    samples, rate = soundfile.read(path, dtype="int16")
    assert rate == 8000
    return samples[:, 0], samples[:, 1]


async def says_something(rtp: socket.socket, remote: tuple[str, int]) -> None:
    """Send G.711 sound from a raw socket and take what comes, until half a second of it was no silence.

    It sends as a phone does, whatever comes: the first packets of a call may be there before the
    gateway has heard of it, and are lost.
    """

    async def speak() -> None:
        for number in range(10_000):
            head = struct.pack("!BBHII", 0x80, 0, number, number * 160, 4711)
            rtp.sendto(head + bytes([0x9A]) * 160, remote)
            await asyncio.sleep(0.02)

    loop = asyncio.get_running_loop()
    speaking = asyncio.create_task(speak())
    try:
        async with asyncio.timeout(PATIENCE_S):
            heard = 0
            while heard < 25:
                heard += len(set((await loop.sock_recv(rtp, 2000))[12:])) > 8
    finally:
        speaking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await speaking
