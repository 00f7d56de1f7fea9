"""The mixing part of a tick: decode what is needed once, sum each different mix once, encode.

    frames of legs    --decode--+
                                +--> lin (sources, 160) --gather, gain, sum--> (mixes, 160)
    frames of players --decode--+           --clip--> int16 --encode--> a frame a mix and codec

Sums are made in float32, which holds any sum of 16-bit samples that can still be heard as such.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from switch.media.codecs import DECODE, FRAME_SAMPLES, PCMA, PCMU, encode
from switch.media.gains import Plan, Rows

_DECODE: Final = DECODE.astype(np.float32)
_FEW: Final = 16
"""Up to so many sources a mix it is faster to add the first of all mixes, then the second ..."""


class Mixer:
    """Carries out the mixes of one plan; made anew with each plan, so that the plan's work is done once."""

    def __init__(self, plan: Plan, codec: NDArray[np.uint8]) -> None:
        sources, place = np.unique(plan.mix_sources, return_inverse=True)
        self._plan = plan
        self._place: Rows = place
        self._players: Rows = ~sources[sources < 0]
        self.legs: Rows = sources[sources >= 0]
        """Rows of the legs that are heard in a mix."""
        self._leg_codec = codec[self.legs]
        self._any_alaw = bool((self._leg_codec == PCMA).any())
        self._alaw_listeners = np.flatnonzero(codec[plan.mix_listeners] == PCMA)
        self._gains = None if plan.mix_is_unity else plan.mix_gains[:, None]
        self._later = _later_entries(plan.mix_starts, len(place))
        # Work room, so that a tick need not ask for any.
        self._lin = np.zeros((len(sources), FRAME_SAMPLES), dtype=np.float32)
        self._entries = np.zeros((len(place), FRAME_SAMPLES), dtype=np.float32)

    def mix(
        self, leg_frames: NDArray[np.uint8], player_frames: NDArray[np.uint8]
    ) -> NDArray[np.uint8]:
        """The encoded frames of `plan.mix_listeners`, each in the listener's codec."""
        plan = self._plan
        self._decode(leg_frames, player_frames)
        entries = self._entries
        np.take(self._lin, self._place, axis=0, out=entries, mode="clip")
        if self._gains is not None:
            entries *= self._gains
        mixed = self._sum(entries)
        np.clip(mixed, -32768, 32767, out=mixed)
        linear = mixed.astype(np.int16)
        heard: NDArray[np.uint8] = encode(linear, PCMU)[plan.mix_of_listener]
        if len(self._alaw_listeners):
            heard[self._alaw_listeners] = encode(linear, PCMA)[
                plan.mix_of_listener[self._alaw_listeners]
            ]
        return heard

    def _decode(self, leg_frames: NDArray[np.uint8], player_frames: NDArray[np.uint8]) -> None:
        players = len(self._players)
        lin, frames = self._lin, leg_frames[self.legs]
        lin[:players] = _DECODE[PCMU][player_frames[self._players]]
        if self._any_alaw:
            lin[players:] = _DECODE[self._leg_codec[:, None], frames]
        else:
            np.take(_DECODE[PCMU], frames, out=lin[players:], mode="clip")

    def _sum(self, entries: NDArray[np.float32]) -> NDArray[np.float32]:
        """The sum of each mix's entries; may use up `entries`."""
        starts = self._plan.mix_starts
        if self._later is None:
            return np.add.reduceat(entries, starts, axis=0)
        if len(starts) == len(entries):
            return entries  # one source each
        mixed: NDArray[np.float32] = entries[starts]
        for mixes, places in self._later:
            mixed[mixes] += entries[places]
        return mixed


def _later_entries(starts: Rows, entries: int) -> list[tuple[Rows, Rows]] | None:
    """For the second, third ... source of a mix: the mixes that have one, and where; None: too many."""
    lengths = np.diff(np.append(starts, entries))
    longest = int(lengths.max()) if len(lengths) else 0
    if longest > _FEW:
        return None
    having = [np.flatnonzero(lengths > nth) for nth in range(1, longest)]
    return [(mixes, starts[mixes] + nth) for nth, mixes in enumerate(having, start=1)]
