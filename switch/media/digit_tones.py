"""Digits as pairs of tones (ITU-T Q.23): their frequencies, and the frames of a digit that is sent so."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from switch.media.codecs import FRAME_MS, FRAME_SAMPLES, SAMPLE_RATE_HZ
from switch.rtp.telephone_event import DIGITS, MAX_EVENT_MS

LOW_HZ: Final = (697.0, 770.0, 852.0, 941.0)
HIGH_HZ: Final = (1209.0, 1336.0, 1477.0, 1633.0)
KEYPAD: Final = "123A456B789C*0#D"
"""Row by row: digit `KEYPAD[4 * low + high]`."""
LEVEL_DBM0: Final = -7.0
"""Of each of the two."""
FULL_SCALE_DBM0: Final = 3.17
"""A sine that just does not overload mu-law."""
FULL_SCALE: Final = 32124.0
"""Its amplitude."""
_SILENCE: Final[NDArray[np.int16]] = np.zeros(FRAME_SAMPLES, dtype=np.int16)


def amplitude_of(level_dbm0: float) -> float:
    """The amplitude of a sine."""
    return float(FULL_SCALE * 10 ** ((level_dbm0 - FULL_SCALE_DBM0) / 20))


class ToneDigitSender:
    """Sends digits one after the other: asked once a frame for its 160 samples."""

    __slots__ = ("_digits", "_frames", "_gap_frames", "_step", "pace_ms")

    def __init__(self, digits: str, *, duration_ms: int, gap_ms: int) -> None:
        """Raise ValueError for what is no digit."""
        self.pace_ms = duration_ms, gap_ms
        """As asked for, whatever the sender makes of it."""
        self._digits: list[str] = []
        self._frames = max(2, -(-min(max(0, duration_ms), MAX_EVENT_MS) // FRAME_MS))
        self._gap_frames = max(2, -(-min(max(0, gap_ms), MAX_EVENT_MS) // FRAME_MS))
        self._step = 0
        self.extend(digits)

    def extend(self, digits: str) -> None:
        """Queue more digits behind those under way; raise ValueError for what is no digit."""
        if not digits or any(d not in DIGITS for d in digits.upper()):
            raise ValueError(f"{digits!r} are not digits of 0-9 * # A-D")
        self._digits.extend(digits.upper())

    @property
    def waiting(self) -> int:
        """Digits that are not sent yet, that under way included."""
        return len(self._digits)

    @property
    def not_begun(self) -> str:
        """Digits of which nothing was sent yet."""
        return "".join(self._digits[1 if self._step else 0 :])

    @property
    def is_done(self) -> bool:
        """Nothing is left to send, the last gap included."""
        return not self._digits

    def next_frame(self) -> NDArray[np.int16]:
        """The samples of the frame that begins now; silence in the gap behind a digit."""
        step = self._step
        self._step += 1
        if step >= self._frames:
            if self._step == self._frames + self._gap_frames:
                self._step = 0
                self._digits.pop(0)
            return _SILENCE
        row, column = divmod(KEYPAD.index(self._digits[0]), 4)
        time = (step * FRAME_SAMPLES + np.arange(FRAME_SAMPLES)) * (2 * np.pi / SAMPLE_RATE_HZ)
        wave = np.sin(LOW_HZ[row] * time) + np.sin(HIGH_HZ[column] * time)
        samples: NDArray[np.int16] = (amplitude_of(LEVEL_DBM0) * wave).astype(np.int16)
        return samples
