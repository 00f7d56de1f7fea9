"""The hold music: a short piece of our own, computed, so that nobody else has a right to it.

Twelve bars of four at 72 beats a minute, 40 seconds, which end where they begin: every note that
rings past the end rings on at the start, so the loop has no seam. Written for the telephone: all of
it sounds between 200 and 3,000 Hz, soft attacks, no drums.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from ivr.prompts.levels import RATE_HZ, Sound, limit

BEAT_S: Final = 60 / 72
BARS: Final = 12
LENGTH: Final = round(BARS * 4 * BEAT_S * RATE_HZ)
"""In samples."""

RMS: Final = 10 ** (-25 / 20)
"""Below speech, so that an announcement over it is understood."""

# Semitones from A4 (440 Hz): root for the low voice, then the four notes that are broken upwards.
_CHORDS: Final = (
    (-16, (-4, 0, 3, 7)),  # F with A C E
    (-12, (-5, 0, 3, 7)),  # A minor seventh
    (-19, (-7, -4, 0, 3)),  # D minor seventh
    (-14, (-7, -2, 1, 5)),  # G seventh
    (-9, (-5, -2, 2, 7)),  # C with B
    (-16, (-4, 0, 3, 8)),  # F
    (-23 + 12, (-7, -4, 1, 5)),  # B flat
    (-9, (-5, -2, 3, 7)),  # C
    (-12, (-5, 0, 3, 8)),  # A minor
    (-19 + 12, (-7, -4, 0, 5)),  # D minor
    (-14, (-2, 1, 5, 8)),  # G minor seventh
    (-9, (-5, -2, 1, 7)),  # C seventh, leads back to F
)

_PATTERN: Final = (0, 1, 2, 3, 2, 1, 2, 1)
"""Which note of the chord on each half beat."""

# (beat within the piece, semitones from A4, length in beats): a tune with much room in it.
_TUNE: Final = (
    (2, 12, 2), (4, 10, 1), (5, 7, 3), (10, 12, 1), (11, 15, 1), (12, 14, 4),
    (18, 10, 1), (19, 14, 1), (20, 12, 3), (24, 8, 2), (26, 10, 2), (28, 7, 4),
    (34, 12, 1), (35, 10, 1), (36, 8, 3), (40, 10, 1), (41, 8, 1), (42, 5, 2), (44, 7, 4),
)  # fmt: skip


def hold_music() -> Sound:
    """Return the loop, full scale 1, LENGTH samples."""
    loop = np.zeros(LENGTH)
    for bar, (root, notes) in enumerate(_CHORDS):
        _add(loop, bar * 4, _tone(root, 4.5, soft=0.12, partials=(0.5, 1.0, 0.5, 0.2)), 0.30)
        for half, note in enumerate(_PATTERN):
            strength = 0.36 if half % 4 == 0 else 0.28
            _add(loop, bar * 4 + half / 2, _bell(notes[note]), strength)
    for beat, note, length in _TUNE:
        _add(loop, beat, _tone(note, length, soft=0.06, partials=(1.0, 0.35, 0.15)), 0.32)
    loop *= RMS / np.sqrt(np.mean(loop**2))
    return limit(loop)


def beep() -> Sound:
    """Return the tone that asks to speak: 440 Hz, 0.3 s."""
    time = np.arange(round(0.3 * RATE_HZ)) / RATE_HZ
    edge = np.clip(np.minimum(time, 0.3 - time) / 0.01, 0, 1)
    return 0.14 * np.sin(2 * np.pi * 440 * time) * edge


def _add(loop: Sound, beat: float, note: Sound, gain: float) -> None:
    """Lay a note into the loop; what passes the end goes on at the start."""
    at = (round(beat * BEAT_S * RATE_HZ) + np.arange(note.size)) % LENGTH
    np.add.at(loop, at, note * gain)


def _hz(semitones: float) -> float:
    return 440.0 * 2 ** (semitones / 12)


def _tone(semitones: int, beats: float, *, soft: float, partials: tuple[float, ...]) -> Sound:
    """Return a held note: it swells within `soft` seconds and dies away over its last third."""
    length_s = beats * BEAT_S
    time = np.arange(round(length_s * RATE_HZ)) / RATE_HZ
    vibrato = 0.0015 * np.sin(2 * np.pi * 4.6 * time) * np.clip(time - 0.3, 0, 1)
    phase = 2 * np.pi * _hz(semitones) * (time + vibrato / 4.6)
    sound = sum(
        (gain * np.sin(n * phase) for n, gain in enumerate(partials, 1)), start=np.zeros(time.size)
    )
    swell = 0.5 - 0.5 * np.cos(np.pi * np.clip(time / soft, 0, 1))
    away = 0.5 - 0.5 * np.cos(np.pi * np.clip((length_s - time) / (length_s / 3), 0, 1))
    return sound * swell * away


def _bell(semitones: int) -> Sound:
    """Return a soft struck note; higher partials die sooner, as on an electric piano."""
    time = np.arange(round(2.4 * RATE_HZ)) / RATE_HZ
    sound = np.zeros(time.size)
    for n, gain in enumerate((1.0, 0.30, 0.12, 0.05), 1):
        if (hz := n * _hz(semitones)) < 3400:
            sound += gain * np.exp(-time * (1.6 + 1.1 * n)) * np.sin(2 * np.pi * hz * time)
    return sound * np.clip(time / 0.008, 0, 1) * np.clip((2.4 - time) / 0.1, 0, 1)
