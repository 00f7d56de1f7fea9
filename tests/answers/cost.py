"""What watching costs: `python -m tests.answers.cost` prints microseconds a leg and frame, and a look."""

from __future__ import annotations

import time

import numpy as np

from acd.dialer.answers.model import shipped_model
from acd.dialer.answers.timeline import Timeline, in_whole_numbers
from switch.ids import LegId
from switch.media.codecs import DECODE, PCMU
from switch.media.legs import LEG
from switch.media.sound_measures import HALF, MEASURES, measure_frames
from switch.media.sound_watch import SoundWatch
from tests.answers import bank
from tests.answers.corpus import frames_of, plan, wave_of
from tests.answers.listen import listen

LEGS = 200
_LOOKED_MS = 5500


def main() -> None:
    """Measure."""
    utterances = bank.read()
    items = plan(is_held=True, people=LEGS // 2, machines=LEGS // 2, others=0)
    calls = np.stack([frames_of(wave_of(item, utterances)) for item in items])
    legs = np.zeros(LEGS, dtype=LEG)
    legs["law"] = PCMU
    rows = np.arange(LEGS)
    tails = np.zeros((LEGS, HALF), dtype=np.float32)
    measures = np.zeros((LEGS, MEASURES), dtype=np.float32)
    ticks = [np.ascontiguousarray(calls[:, tick]) for tick in range(calls.shape[1])]
    watch = SoundWatch()
    for row in range(LEGS):
        watch.watch(row, on=True)
    names = {row: LegId(str(row)) for row in range(LEGS)}
    count = LEGS * len(ticks)
    begun = time.process_time()
    for frames in ticks:
        measure_frames(rows, frames, legs, DECODE, tails, measures)
    measured = time.process_time() - begun
    begun = time.process_time()
    told = sum(len(watch.hear(frames, legs, names)) for frames in ticks)
    heard = time.process_time() - begun
    print(f"measured: {1e6 * measured / count:.2f} us a leg and frame")  # noqa: T201
    print(f"measured and followed: {1e6 * heard / count:.2f} us a leg and frame")  # noqa: T201
    print(f"reports: {told / LEGS / calls.shape[1] * 50:.1f} a second and leg")  # noqa: T201
    model = shipped_model()
    looks = 0
    told_of = listen(items[::4])
    begun = time.process_time()
    for sounds in told_of:
        timeline = Timeline()
        for sound in sounds:
            if sound.at_ms <= _LOOKED_MS:
                timeline.add(in_whole_numbers(sound))
                model.machine(timeline.features(sound.at_ms))
                looks += 1
    print(f"a report and a look: {1e6 * (time.process_time() - begun) / looks:.0f} us")  # noqa: T201


if __name__ == "__main__":
    main()
