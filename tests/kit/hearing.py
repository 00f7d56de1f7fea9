"""Who hears whom: each party hums a pitch of its own, and the sound of the others is measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from tests.kit.phone import Phone, tone_levels

CALLER_HZ, AGENT_HZ, OTHER_HZ = 640.0, 1080.0, 1440.0
"""The agent's lies between the notes of the hold music, so that they are not taken for it."""

HEARD = 2000.0
"""A hummed tone has an amplitude of 8000: this much of it must arrive to count as heard."""

UNHEARD = 150.0
"""Less than this is not heard; hold music has notes of about half of it at these pitches."""


def hears(pcm: np.ndarray, *pitches: float) -> None:
    """Assert that exactly these of the three pitches are in the sound."""
    levels = dict(
        zip(
            (CALLER_HZ, AGENT_HZ, OTHER_HZ),
            tone_levels(pcm, [CALLER_HZ, AGENT_HZ, OTHER_HZ]),
            strict=True,
        )
    )
    for pitch, level in levels.items():
        if pitch in pitches:
            assert level > HEARD, f"{pitch} Hz should be heard: {levels}"
        else:
            assert level < UNHEARD, f"{pitch} Hz should not be heard: {levels}"


async def listen(phone: Phone, call: str) -> np.ndarray:
    """What a phone hears now: 0.6 s, after what its playout buffer still held from before.

    That is up to 0.5 s with pjsua2, and 20 ms of a loud tone in the 0.6 s would already be "heard".

    On a machine that is busy with other things a phone may get less time than that: then longer.
    """
    for seconds in (1.2, 2.2, 4.2):
        pcm = (await phone.hear(call, seconds))[4800:]
        if len(pcm) >= 2400:
            break
    return pcm


def stereo(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """The channels of a mu-law WAV, as int16."""
    samples, rate = soundfile.read(path, dtype="int16")
    assert rate == 8000
    return samples[:, 0], samples[:, 1]
