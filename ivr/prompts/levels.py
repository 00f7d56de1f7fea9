"""Bring rendered sound to the telephone: 8 kHz, one loudness, no silence around it, mu-law."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ivr.prompts.errors import SpeechMissingError
from recordings import mulaw

RATE_HZ: Final = 8000

SPEECH_RMS: Final = 10 ** (-20 / 20)
"""Root mean square of the parts that are speech, of full scale."""

PEAK: Final = 10 ** (-3.3 / 20)
KNEE: Final = 10 ** (-7 / 20)
"""Between knee and peak the limiter bends."""

_FRAME: Final = RATE_HZ // 100
_SILENT: Final = 10 ** (-46 / 20)
_BEFORE, _AFTER = 3, 6
"""Frames of 10 ms kept around the sound, so that soft consonants survive the cut."""

Sound = NDArray[np.float64]
"""Linear samples, full scale is 1."""


def to_telephone(sound: Sound, rate_hz: int) -> Sound:
    """Resample to 8 kHz, take away what a telephone does not carry, even out, trim."""
    try:
        import soxr
    except ImportError as error:
        raise SpeechMissingError(
            "soxr is not installed; install `switchroom[speech]` to render prompts"
        ) from error
    narrow: Sound = np.asarray(soxr.resample(sound, rate_hz, RATE_HZ, "VHQ"), np.float64)
    return fade(trim(even_out(high_pass(narrow))))


def high_pass(sound: Sound, hz: float = 150.0) -> Sound:
    """Remove rumble and offset, with a slope of one octave."""
    spectrum = np.fft.rfft(sound, sound.size + 2048)
    frequency = np.fft.rfftfreq(sound.size + 2048, 1 / RATE_HZ)
    kept = np.clip((frequency - hz / 2) / (hz / 2), 0, 1)
    return np.fft.irfft(spectrum * kept, sound.size + 2048)[: sound.size]


def speech_rms(sound: Sound) -> float:
    """Return the level of the parts that are speech: frames within 25 dB of the loudest."""
    power = _frame_power(sound)
    if not power.size or power.max() == 0:
        return 0.0
    return float(np.sqrt(power[power > power.max() / 10**2.5].mean()))


def even_out(sound: Sound, rms: float = SPEECH_RMS) -> Sound:
    """Bring speech to the common loudness; the limiter takes a little of it, so twice."""
    for _ in range(2):
        level = speech_rms(sound)
        if level == 0:
            return sound
        sound = limit(sound * (rms / level))
    return sound


def limit(sound: Sound) -> Sound:
    """Bend peaks so that none passes PEAK; what is below KNEE stays as it is."""
    size = np.abs(sound)
    room = PEAK - KNEE
    bent = KNEE + room * np.tanh((size - KNEE) / room)
    return np.sign(sound) * np.where(size > KNEE, bent, size)


def trim(sound: Sound) -> Sound:
    """Cut silence off both ends."""
    loud = np.flatnonzero(_frame_power(sound) > _SILENT**2)
    if not loud.size:
        return sound[:0]
    begin = max(0, loud[0] - _BEFORE) * _FRAME
    return sound[begin : (loud[-1] + 1 + _AFTER) * _FRAME]


def fade(sound: Sound, milliseconds: int = 5) -> Sound:
    """Let both ends begin and end at nothing, without a click."""
    length = min(milliseconds * RATE_HZ // 1000, sound.size // 2)
    ramp = np.linspace(0, 1, length, endpoint=False)
    faded = sound.copy()
    faded[:length] *= ramp
    faded[sound.size - length :] *= ramp[::-1]
    return faded


def to_octets(sound: Sound) -> bytes:
    """Return the mu-law octets."""
    return mulaw.encode(np.round(np.clip(sound, -1, 1) * 32767).astype(np.int16)).tobytes()


def _frame_power(sound: Sound) -> NDArray[np.float64]:
    """Return the mean square of each 10 ms; the last, shorter frame is filled with silence."""
    frames = -(-sound.size // _FRAME)
    padded = np.zeros(frames * _FRAME)
    padded[: sound.size] = sound
    power: NDArray[np.float64] = (padded.reshape(frames, _FRAME) ** 2).mean(axis=1)
    return power
