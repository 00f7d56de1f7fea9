"""What networks and faxes send: ring-back, busy and congestion of many countries (ITU-T E.180), and the rest.

The cadences are those of the supplement to E.180 as it is commonly given; frequencies in Hz, times in ms.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

RATE_HZ: Final = 8000
Sound = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Cadence:
    """Tone and silence in turn."""

    country: str
    hertz: tuple[float, ...]
    """All at once."""
    times_ms: tuple[int, ...]
    """On, off, on, off ..."""
    beat_hz: float = 0.0
    """The tone swells and fades so often a second."""


def _all(hertz: tuple[float, ...], times: tuple[int, ...], countries: str) -> list[Cadence]:
    return [Cadence(country, hertz, times) for country in countries.split()]


RING_BACK: Final = [
    *_all((440, 480), (2000, 4000), "US CA PH"),
    *_all((400, 450), (400, 200, 400, 2000), "GB IE NZ AU ZA"),
    *_all((425,), (1000, 4000), "DE AT CN ES IT PT DK FI RU CZ PL HU RO"),
    *_all((425,), (1000, 5000), "SE NO"),
    *_all((440,), (1500, 3500), "FR"),
    *_all((425,), (1000, 3000), "BE"),
    *_all((425,), (1000, 4000), "NL BR"),
    *_all((400,), (1000, 2000), "JP"),
    *_all((440, 480), (1000, 2000), "KR TW"),
    *_all((440, 480), (400, 200, 400, 3000), "HK"),
    *_all((425,), (400, 200, 400, 2000), "SG MY"),
    *_all((400, 450), (400, 200, 400, 2000), "IN"),
    *_all((425,), (1200, 4650), "SA"),
    *_all((425,), (1000, 4000), "MX AR CL"),
]
BUSY: Final = [
    *_all((480, 620), (500, 500), "US CA TW PH KR"),
    *_all((400,), (375, 375), "GB"),
    *_all((425,), (480, 480), "DE"),
    *_all((425,), (350, 350), "CN"),
    *_all((440,), (500, 500), "FR"),
    *_all((425,), (500, 500), "IT BE NL DK NO PT CZ PL"),
    *_all((425,), (375, 375), "AU"),
    *_all((400,), (500, 500), "JP ZA NZ"),
    *_all((425,), (400, 400), "AT RU"),
    *_all((425,), (300, 300), "FI HU"),
    *_all((480, 620), (500, 500), "HK"),
    *_all((425,), (750, 750), "IN SG"),
]
CONGESTION: Final = [
    *_all((480, 620), (250, 250), "US CA HK TW"),
    *_all((425,), (240, 240), "DE"),
    *_all((425,), (200, 200), "IT AT"),
    *_all((425,), (250, 250), "NL SE FI RU IN"),
    *_all((400,), (250, 250), "NZ ZA"),
]
_SIT_HZ: Final = {"L": (913.8, 1370.6, 1776.7), "H": (985.2, 1428.5, 1776.7)}
_SIT: Final = {
    "reorder-local": ("HHL", "LSL"),
    "vacant": ("HLL", "LSL"),
    "no-circuit-local": ("HHL", "LLL"),
    "intercept": ("LLL", "SSL"),
    "reorder-far": ("LHL", "SLL"),
    "no-circuit-far": ("LLL", "LLL"),
}
"""Pitch (low, high) and length (short 276 ms, long 380 ms) of each of the three tones."""
SIT: Final = tuple(_SIT)


def tone(hertz: tuple[float, ...], length_ms: int, beat_hz: float = 0.0) -> Sound:
    """Sines at once, each of amplitude 0.1; faded in and out over 3 ms."""
    time = np.arange(length_ms * RATE_HZ // 1000) / RATE_HZ
    wave: Sound = np.zeros(len(time))
    for each in hertz:
        wave += 0.1 * np.sin(2 * np.pi * each * time)
    if beat_hz:
        wave *= 0.75 + 0.25 * np.sin(2 * np.pi * beat_hz * time)
    ramp = min(24, len(wave) // 2)
    wave[:ramp] *= np.linspace(0, 1, ramp)
    wave[len(wave) - ramp :] *= np.linspace(1, 0, ramp)
    return wave


def silence(length_ms: int) -> Sound:
    """Nothing."""
    return np.zeros(length_ms * RATE_HZ // 1000)


def cadence(of: Cadence, seconds: float) -> Sound:
    """A cadence for so long."""
    parts: list[Sound] = []
    length = 0
    while length < seconds * RATE_HZ:
        for number, ms in enumerate(of.times_ms):
            parts.append(silence(ms) if number % 2 else tone(of.hertz, ms, of.beat_hz))
            length += len(parts[-1])
    return np.concatenate(parts)[: int(seconds * RATE_HZ)]


def sit(name: str) -> Sound:
    """Special information tones of one meaning."""
    pitches, lengths = _SIT[name]
    return np.concatenate(
        [
            tone((_SIT_HZ[pitch][place],), 276 if length == "S" else 380)
            for place, (pitch, length) in enumerate(zip(pitches, lengths, strict=True))
        ]
    )


def cng(seconds: float) -> Sound:
    """A calling fax: half a second of 1100 Hz every three and a half (ITU-T T.30)."""
    return cadence(Cadence("", (1100.0,), (500, 3000)), seconds)


def ansam(seconds: float) -> Sound:
    """A called fax of today: 2100 Hz that swells and turns its phase every 450 ms (ITU-T V.8)."""
    wave = tone((2100.0,), 3600, beat_hz=15.0)
    turns = np.arange(len(wave)) * 1000 // RATE_HZ // 450 % 2
    return np.resize(
        np.concatenate([wave * (1 - 2 * turns), silence(2000)]), int(seconds * RATE_HZ)
    )


def ced(seconds: float) -> Sound:
    """A called fax: 2100 Hz for 2.6 to 4 s, then noise of its modem."""
    noise = np.random.default_rng(7).normal(0, 0.07, int(seconds * RATE_HZ))
    return np.concatenate([tone((2100.0,), 2800), silence(75), noise])[: int(seconds * RATE_HZ)]
