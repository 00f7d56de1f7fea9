"""The mixing part of a tick: decode what is needed once, sum each different mix once, encode.

    frames of legs    --decode--+                                             +--encode--> (2, mixes, 160)
                                +--> linear (sources, 160) --gain, sum, clip--+
    frames of players --decode--+                                             +--> (mixes, 160), for coders

Sums are made in float32, which holds any sum of 16-bit samples that can still be heard as such.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import types
from numpy.typing import NDArray

from switch.compiled import (
    FLAG_ROWS,
    FLAGS,
    INTS,
    OCTET_BLOCKS,
    OCTET_ROWS,
    OCTET_TABLE,
    REAL_ROWS,
    REALS,
    SAMPLE_TABLE,
    entry,
    table_of,
)
from switch.media.codecs import DECODE, ENCODE, FRAME_SAMPLES, PCMA, PCMU
from switch.media.gains import Plan, Rows
from switch.media.legs import LEG

_LAWS: Final = 2


class Mixer:
    """Carries out the mixes of one plan; made anew with each plan, so that the plan's work is done once."""

    def __init__(self, plan: Plan, codec: NDArray[np.uint8]) -> None:
        """`codec` is that of each leg."""
        sources = place = plan.mix_sources
        if len(sources):  # mostly there is nothing to be mixed
            sources, place = np.unique(sources, return_inverse=True)
        mixes = len(plan.mix_starts)
        self._sources: Rows = sources
        self._place: Rows = place
        self._plan = plan
        self._ends = np.append(plan.mix_starts[1:], len(place))
        self._wanted = np.zeros((_LAWS, mixes), dtype=np.bool_)
        self._coded = np.zeros(mixes, dtype=np.bool_)
        listening = codec[plan.mix_listeners]
        coded = listening > PCMA
        self._wanted[listening[~coded], plan.mix_of_listener[~coded]] = True
        self._coded[plan.mix_of_listener[coded]] = True
        self.legs: Rows = sources[sources >= 0]
        """Rows of the legs that are heard in a mix."""
        self._linear = np.zeros((len(sources), FRAME_SAMPLES), dtype=np.float32)
        self.heard = np.zeros((_LAWS, mixes, FRAME_SAMPLES), dtype=np.uint8)
        """(laws, mixes, 160): the frames of the last `mix`, where somebody hears them."""
        self.uncoded = np.zeros((mixes if coded.any() else 0, FRAME_SAMPLES), dtype=np.int16)
        """(mixes, 160): the same before they are coded, where a leg with a coder hears them."""

    def mix(
        self, leg_frames: NDArray[np.uint8], player_frames: NDArray[np.uint8], legs: NDArray[Any]
    ) -> None:
        """Make the frames of all mixes; the arguments are (rows, 160), encoded, and LEGs."""
        plan = self._plan
        mix_frames(
            leg_frames, player_frames, legs, self._sources, plan.mix_starts, self._ends, self._place,
            plan.mix_gains, DECODE, ENCODE, self._wanted, self._coded, self._linear, self.heard,
            self.uncoded,
        )  # fmt: skip


@entry(
    OCTET_ROWS, OCTET_ROWS, table_of(LEG), INTS, INTS, INTS, INTS, REALS, SAMPLE_TABLE, OCTET_TABLE,
    FLAG_ROWS, FLAGS, REAL_ROWS, OCTET_BLOCKS, types.int16[:, ::1],
)  # fmt: skip
def mix_frames(
    leg_frames: NDArray[np.uint8],
    player_frames: NDArray[np.uint8],
    legs: NDArray[Any],
    sources: Rows,
    starts: Rows,
    ends: Rows,
    places: Rows,
    gains: NDArray[np.float32],
    decode: NDArray[np.int16],
    encode: NDArray[np.uint8],
    wanted: NDArray[np.bool_],
    coded: NDArray[np.bool_],
    linear: NDArray[np.float32],
    heard: NDArray[np.uint8],
    uncoded: NDArray[np.int16],
) -> None:
    """Mix m is the sum of `gains[e] * sources[places[e]]`, e from `starts[m]` up to `ends[m]`.

    `heard[w, m]` becomes its frame in law w where `wanted[w, m]`, `uncoded[m]` its samples where `coded[m]`.
    """
    for i, source in enumerate(sources):
        frame = leg_frames[source] if source >= 0 else player_frames[~source]
        table = decode[legs[source].law if source >= 0 else PCMU]
        for j in range(FRAME_SAMPLES):
            linear[i, j] = table[frame[j]]
    total = np.empty(FRAME_SAMPLES, dtype=np.float32)
    clipped = np.empty(FRAME_SAMPLES, dtype=np.uint16)
    for mix in range(len(starts)):
        total[:] = 0.0
        for e in range(starts[mix], ends[mix]):
            gain, sound = gains[e], linear[places[e]]
            for j in range(FRAME_SAMPLES):
                total[j] += gain * sound[j]
        for j in range(FRAME_SAMPLES):
            clipped[j] = np.int32(min(max(total[j], np.float32(-32768)), np.float32(32767)))
        for law in range(_LAWS):
            if wanted[law, mix]:
                for j in range(FRAME_SAMPLES):
                    heard[law, mix, j] = encode[law, clipped[j]]
        if coded[mix]:
            for j in range(FRAME_SAMPLES):
                uncoded[mix, j] = np.int16(clipped[j])
