"""Everything that players can play, encoded once as mu-law in one long array: the arena.

A player then is a position in the arena, and the frames of all players are copied out of it in one loop.

    arena   | silence | tone a, 1 s | prompt en/welcome ......... | tone b, 1 s | prompt zh/welcome ...
              160       8000          whole frames                  8000
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from switch.media.codecs import FRAME_MS, FRAME_SAMPLES, PCMU, SAMPLE_RATE_HZ, SILENCE
from switch.media.tones import tone_second

PROMPT_SUFFIX: Final = ".ulaw"
"""Raw mu-law at 8 kHz, no header."""
MAX_ARENA_OCTETS: Final = 512 << 20
"""18 hours of sound; what comes after counts as missing. Bounds the memory, whatever is asked for."""
MAX_PROMPT_OCTETS: Final = 64 << 20
MAX_TONES: Final = 1000
MAX_ITEM_MS: Final = 24 * 3600 * 1000
_FIRST_OCTETS: Final = 1 << 20


class Segment(NamedTuple):
    """One item ready to be played."""

    start: int
    """Index of the first sample in the arena."""
    cycle: int
    """Frames until it repeats itself."""
    frames: int
    """Frames to play."""
    continuous: bool
    """Its place in the cycle follows the player's own time, so that a tone goes on in phase."""


def frames_of(duration_ms: int) -> int:
    """Whole frames that cover a duration: at least one, at most those of a day."""
    return max(1, -(-min(duration_ms, MAX_ITEM_MS) // FRAME_MS))


class PromptStore:
    """The arena and what lies where in it. Prompts are read when first played, or by `preload`."""

    def __init__(self, folders: Sequence[Path]) -> None:
        """Earlier folders win when two hold a prompt of the same name."""
        self._folders = [Path(os.path.realpath(f)) for f in folders]
        self._arena = np.full(_FIRST_OCTETS, SILENCE[PCMU], dtype=np.uint8)
        self._used = FRAME_SAMPLES  # the first frame is silence
        self._prompts: dict[str, tuple[Segment, Path, int, int]] = {}
        self._tones: dict[tuple[tuple[float, ...], float], int] = {}

    @property
    def arena(self) -> NDArray[np.uint8]:
        """All samples; replaced when it grows."""
        return self._arena

    def silence(self, duration_ms: int) -> Segment:
        """Silence of a given length."""
        return Segment(0, 1, frames_of(duration_ms), continuous=False)

    def tone(self, frequencies_hz: tuple[float, ...], duration_ms: int, level: float) -> Segment:
        """A tone; its second of samples is made at the first use."""
        key = (frequencies_hz, level)
        start = self._tones.get(key)
        if start is None:
            if len(self._tones) >= MAX_TONES:
                return self.silence(duration_ms)
            found = self._append(tone_second(frequencies_hz, level))
            if found is None:
                return self.silence(duration_ms)
            start = self._tones[key] = found
        return Segment(
            start, SAMPLE_RATE_HZ // FRAME_SAMPLES, frames_of(duration_ms), continuous=True
        )

    def prompt(self, name: str) -> Segment | None:
        """A prompt by its name below the folders, without suffix; None when there is none.

        A file that was replaced is read again. While that cannot be, because it is gone or is just being
        written, what was read before still sounds.
        """
        known = self._prompts.get(name)
        if known is None:
            return self._load(name)
        segment, path, changed, size = known
        try:
            status = path.stat()
        except OSError:
            return segment
        if (status.st_mtime_ns, status.st_size) == (changed, size):
            return segment
        return self._load(name) or segment

    def preload(self) -> int:
        """Read all prompts of the folders; return how many there are."""
        for folder in self._folders:
            for path in sorted(folder.rglob("*" + PROMPT_SUFFIX)):
                self.prompt(path.relative_to(folder).as_posix().removesuffix(PROMPT_SUFFIX))
        return len(self._prompts)

    def _load(self, name: str) -> Segment | None:
        for folder in self._folders:
            try:
                path = Path(os.path.realpath(folder / (name + PROMPT_SUFFIX)))
                # A name must not lead out of the folder: by `..`, a slash at its head, or a link.
                if not path.is_relative_to(folder):
                    continue
                status = path.stat()
                if not stat.S_ISREG(status.st_mode) or not 0 < status.st_size <= MAX_PROMPT_OCTETS:
                    continue
                samples = np.frombuffer(path.read_bytes(), dtype=np.uint8)
            except (OSError, ValueError):
                continue  # not there, not readable, or no possible name
            if not len(samples):
                continue  # emptied since, to be written anew
            start = self._append(samples)
            if start is None:
                return None
            frames = -(-len(samples) // FRAME_SAMPLES)
            segment = Segment(start, frames, frames, continuous=False)
            self._prompts[name] = (segment, path, status.st_mtime_ns, status.st_size)
            return segment
        return None

    def _append(self, samples: NDArray[np.uint8]) -> int | None:
        """Put samples at the end, filled up with silence to a whole frame; None: no room."""
        start = self._used
        end = start + -(-len(samples) // FRAME_SAMPLES) * FRAME_SAMPLES
        if end > MAX_ARENA_OCTETS:
            return None
        if end > len(self._arena):
            grown = np.full(
                max(2 * len(self._arena), end + FRAME_SAMPLES), SILENCE[PCMU], dtype=np.uint8
            )
            grown[:start] = self._arena[:start]
            self._arena = grown
        self._arena[start : start + len(samples)] = samples
        self._used = end
        return start
