"""The corpus as the gateway hears it: its own measures and features, many calls side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from switch.gateway.commands import event_of
from switch.gateway.protocol import SoundFeatures
from switch.ids import LegId
from switch.media.codecs import PCMU
from switch.media.legs import LEG
from switch.media.sound_watch import SoundWatch
from tests.answers import bank
from tests.answers.corpus import Item, frames_of, wave_of

_AT_ONCE: Final = 250


def listen(items: Sequence[Item]) -> list[list[SoundFeatures]]:
    """What the gateway tells of each item."""
    utterances = bank.read()
    told: list[list[SoundFeatures]] = []
    for begin in range(0, len(items), _AT_ONCE):
        part = items[begin : begin + _AT_ONCE]
        told += hear(np.stack([frames_of(wave_of(item, utterances)) for item in part]))
    return told


def hear(calls: NDArray[np.uint8]) -> list[list[SoundFeatures]]:
    """What it tells of these calls: (calls, frames, 160), mu-law."""
    count, ticks, _ = calls.shape
    legs = np.zeros(count, dtype=LEG)
    legs["law"] = PCMU
    watch = SoundWatch()
    for row in range(count):
        watch.watch(row, on=True)
    names = {row: LegId(str(row)) for row in range(count)}
    told: list[list[SoundFeatures]] = [[] for _ in range(count)]
    for tick in range(ticks):
        for heard in watch.hear(np.ascontiguousarray(calls[:, tick]), legs, names):
            event = event_of(heard)
            assert isinstance(event, SoundFeatures)
            told[int(heard.leg)].append(event)
    return told
