"""The mixing part of a tick: decode what is needed once, sum each different mix once, encode.

frames of legs    --decode--+
                            +--> lin (sources, 160) --gather, gain, sum--> (mixes, 160)
frames of players --decode--+           --clip--> int16 --encode--> a frame a mix and codec
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from switch.media.codecs import (
    DECODE,
    FRAME_SAMPLES,
    PCMA,
    PCMU,
    clip_to_int16,
    decode_by_codec,
    encode,
)
from switch.media.gains import Plan, Rows


class Mixer:
    """Carries out the mixes of one plan; made anew with each plan, so that the plan's work is done once."""

    def __init__(self, plan: Plan, codec: NDArray[np.uint8]) -> None:
        sources, place = np.unique(plan.mix_sources, return_inverse=True)
        self._place: Rows = place
        self._players: Rows = ~sources[sources < 0]
        self.legs: Rows = sources[sources >= 0]
        """Rows of the legs that are heard in a mix."""
        self._leg_codec = codec[self.legs]
        self._plan = plan
        self._alaw_listeners = np.flatnonzero(codec[plan.mix_listeners] == PCMA)
        self._lin = np.zeros((len(sources), FRAME_SAMPLES), dtype=np.int32)
        self._gains = None if plan.mix_is_unity else plan.mix_gains[:, None]

    def mix(
        self, leg_frames: NDArray[np.uint8], player_frames: NDArray[np.uint8]
    ) -> NDArray[np.uint8]:
        """The encoded frames of `plan.mix_listeners`, each in the listener's codec."""
        plan = self._plan
        players = len(self._players)
        self._lin[:players] = DECODE[PCMU][player_frames[self._players]]
        decode_by_codec(leg_frames[self.legs], self._leg_codec, self._lin[players:])
        entries = self._lin[self._place]
        if self._gains is not None:
            entries = (entries * self._gains).astype(np.int32)
        mixed = clip_to_int16(np.add.reduceat(entries, plan.mix_starts, axis=0))
        heard: NDArray[np.uint8] = encode(mixed, PCMU)[plan.mix_of_listener]
        if len(self._alaw_listeners):
            heard[self._alaw_listeners] = encode(mixed, PCMA)[
                plan.mix_of_listener[self._alaw_listeners]
            ]
        return heard
