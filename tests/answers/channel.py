"""What lies between a voice and the switch: noise, level, clipping, codecs, lost packets. All from a seed."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Final

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from switch.media.codecs import DECODE, ENCODE, FRAME_SAMPLES, PCMA, PCMU
from tests.answers import bank

Sound = NDArray[np.float64]
Random = np.random.Generator
RATE_HZ: Final = 8000


# --- noises: of any length, of power 1 --------------------------------------------------------------


def _coloured(length: int, random: Random, slope: float, low_hz: float = 60.0) -> Sound:
    """Noise whose power falls by `slope` decades a decade."""
    spectrum = np.fft.rfft(random.normal(size=length))
    hertz = np.maximum(np.fft.rfftfreq(length, 1 / RATE_HZ), low_hz)
    wave: Sound = np.fft.irfft(spectrum * hertz ** (-slope / 2), length)
    return _even(wave)


def _even(wave: Sound) -> Sound:
    level: Sound = wave / max(float(np.sqrt((wave**2).mean())), 1e-9)
    return level


def _swell(length: int, random: Random, every_s: float, depth: float) -> Sound:
    """Rises and falls slowly, as cars that pass by."""
    points = random.uniform(1 - depth, 1 + depth, max(int(length / RATE_HZ / every_s) + 3, 4))
    wave: Sound = np.interp(np.arange(length) / RATE_HZ / every_s, np.arange(len(points)), points)
    return wave


def _street(length: int, random: Random) -> Sound:
    return _even(_coloured(length, random, 1.4) * _swell(length, random, 1.5, 0.6))


def _hum(length: int, random: Random, mains_hz: float = 50.0) -> Sound:
    time = np.arange(length) / RATE_HZ + random.uniform(0, 1)
    tones = sum(np.sin(2 * np.pi * mains_hz * n * time + n) / n for n in (2, 3, 4, 6, 8))
    return _even(np.asarray(tones) + 0.3 * random.normal(size=length))


def _train(length: int, random: Random) -> Sound:
    time = np.arange(length) / RATE_HZ + random.uniform(0, 1)
    clatter = 1 + 2.0 * (np.mod(time, 0.55) < 0.06) + 1.5 * (np.mod(time + 0.12, 0.55) < 0.06)
    return _even(_coloured(length, random, 1.0) * clatter)


def _babble(length: int, random: Random, *, is_held: bool) -> Sound:
    """Six people who speak at the same time, none of whom is the one who answers in the other part."""
    voices = sorted({u.voice for u in bank.read() if u.is_held == is_held})
    wave = np.zeros(length)
    for name in random.choice(voices, size=6):
        sound = cached(str(name))  # minutes: longer than any call here
        begin = int(random.integers(len(sound) - length))
        wave += sound[begin : begin + length]
    return _even(wave)


NOISES: Final[dict[str, tuple[bool, Callable[[int, Random], Sound]]]] = {
    "white": (False, lambda length, random: _even(random.normal(size=length))),
    "pink": (False, lambda length, random: _coloured(length, random, 1.0)),
    "hum-50": (False, _hum),
    "people": (False, lambda length, random: _babble(length, random, is_held=False)),
    "brown": (True, lambda length, random: _coloured(length, random, 2.0)),
    "street": (True, _street),
    "train": (True, _train),
    "hum-60": (True, lambda length, random: _hum(length, random, 60.0)),
    "canteen": (True, lambda length, random: _babble(length, random, is_held=True)),
}
"""Each with whether it is kept back."""

_cache: dict[str, Sound] = {}


def cached(voice: str) -> Sound:
    """All that a voice says; kept, because it is asked for again and again."""
    if voice not in _cache:
        _cache[voice] = bank.sounds(voice)
    return _cache[voice]


# --- codecs: sound of amplitude 1 in and out --------------------------------------------------------


def _g711(law: int) -> Callable[[Sound], Sound]:
    def through(wave: Sound) -> Sound:
        out: Sound = DECODE[law][ENCODE[law][pcm(wave).view(np.uint16)]] / 32768.0
        return out

    return through


def pcm(wave: Sound) -> NDArray[np.int16]:
    """As 16-bit samples; what is too loud is clipped."""
    return np.clip(np.round(wave * 32768), -32768, 32767).astype(np.int16)


def _file(format_: str, subtype: str, rate: int, **more: float) -> Callable[[Sound], Sound]:
    """Through a codec of libsndfile."""

    def through(wave: Sound) -> Sound:
        kept = io.BytesIO()
        soundfile.write(kept, wave, rate, format=format_, subtype=subtype, **more)
        kept.seek(0)
        back, back_rate = soundfile.read(kept, dtype="float64")
        if back_rate != rate:
            back = soxr.resample(back, back_rate, rate)
        out = np.zeros(len(wave))
        out[: min(len(back), len(wave))] = back[: len(wave)]
        return out

    return through


def _g722(wave: Sound) -> Sound:
    from G722 import G722

    wide = pcm(soxr.resample(wave, RATE_HZ, 2 * RATE_HZ))
    coder = G722(2 * RATE_HZ, 64000)
    back = np.asarray(G722(2 * RATE_HZ, 64000).decode(coder.encode(wide)), dtype=np.float64)
    out = np.zeros(len(wave))
    narrow = soxr.resample(back / 32768, 2 * RATE_HZ, RATE_HZ)
    out[: min(len(narrow), len(wave))] = narrow[: len(wave)]
    return out


CODECS: Final[dict[str, tuple[bool, Callable[[Sound], Sound]]]] = {
    "pcmu": (False, _g711(PCMU)),
    "pcma": (False, _g711(PCMA)),
    "g722": (False, _g722),
    "gsm": (True, _file("WAV", "GSM610", RATE_HZ)),
    "opus-10": (True, _file("OGG", "OPUS", RATE_HZ, compression_level=0.985)),
    "tandem": (True, lambda wave: _g711(PCMA)(_g711(PCMU)(_g711(PCMA)(wave)))),
}
"""Each with whether it is kept back. `opus-10` has about 10 kbit/s."""


def lose(wave: Sound, share: float, random: Random) -> Sound:
    """Lose packets, one or two in a row; in their place the one before sounds on, softer."""
    frames = wave[: len(wave) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES).copy()
    for number in np.flatnonzero(random.random(len(frames)) < share / 1.5).tolist():
        for lost in range(number, min(number + int(random.integers(1, 3)), len(frames))):
            frames[lost] = 0.6 * frames[lost - 1] if lost else 0.0
    return frames.reshape(-1)
