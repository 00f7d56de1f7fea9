"""Sound without devices: the hummed tone, and the WAV file of what was heard."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Final

import numpy as np

SAMPLE_RATE: Final = 8000


class Hum:
    """A sine that goes on without a step from one block to the next."""

    def __init__(self, hz: float = 440.0, level: int = 0) -> None:
        self.hz = hz
        self.level = level
        """Peak, 0 to 32767."""
        self._phase = 0.0

    def next(self, n_samples: int, rate: int = SAMPLE_RATE) -> bytes:
        """The next samples as int16 in native order."""
        step = 2 * np.pi * self.hz / rate
        angles = self._phase + step * np.arange(n_samples)
        self._phase = float((self._phase + step * n_samples) % (2 * np.pi))
        pcm: bytes = (np.sin(angles) * self.level).astype(np.int16).tobytes()
        return pcm


class WavCapture:
    """A mono WAV file at 8 kHz; other rates that are multiples of it are thinned out."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._wav = wave.open(str(Path(path)), "wb")  # noqa: SIM115  lives as long as the capture
        self._wav.setnchannels(1)
        self._wav.setsampwidth(2)
        self._wav.setframerate(SAMPLE_RATE)

    def write(self, pcm: bytes, rate: int = SAMPLE_RATE, channels: int = 1) -> None:
        """Append int16 PCM of the given rate and channels."""
        step = max(1, rate // SAMPLE_RATE) * channels
        samples = np.frombuffer(pcm, dtype=np.int16)
        self._wav.writeframesraw(samples[::step].tobytes() if step > 1 else pcm)

    def close(self) -> None:
        """Complete the header."""
        self._wav.close()
