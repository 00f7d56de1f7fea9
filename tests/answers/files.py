"""Judge recordings of your own: `python -m tests.answers.files FILE ...` (WAV, FLAC, OGG, MP3).

They begin with the answer.
The left channel counts: in Switchroom's recordings that is the customer. Prints a line a file.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
import soxr

from acd.dialer.settings import AnswerRules
from switch.gateway.protocol import SoundFeatures
from tests.answers.channel import Sound
from tests.answers.corpus import RATE_HZ, SECONDS, frames_of
from tests.answers.judging import judged
from tests.answers.listen import hear

_AT_ONCE: Final = 100


def read(path: Path) -> Sound:
    """The sound of a file, so long as a judge listens; amplitude 1."""
    wave, rate = soundfile.read(path, dtype="float64", always_2d=True)
    narrow = soxr.resample(wave[:, 0], rate, RATE_HZ)[: SECONDS * RATE_HZ]
    whole: Sound = np.zeros(SECONDS * RATE_HZ)
    whole[: len(narrow)] = narrow
    return whole


def told_of(waves: Sequence[Sound]) -> list[list[SoundFeatures]]:
    """What the gateway tells of them."""
    told: list[list[SoundFeatures]] = []
    for begin in range(0, len(waves), _AT_ONCE):
        told += hear(np.stack([frames_of(wave) for wave in waves[begin : begin + _AT_ONCE]]))
    return told


def main() -> None:
    """Judge them."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("files", nargs="+", type=Path)
    files: list[Path] = parser.parse_args().files
    kinds: Counter[str] = Counter()
    for path, sounds in zip(files, told_of([read(path) for path in files]), strict=True):
        verdict = judged(sounds, AnswerRules())
        kinds[str(verdict.kind)] += 1
        when = f"{100 * verdict.probability:3.0f} % {verdict.at_ms / 1000:5.2f} s"
        print(f"{verdict.kind:10} {when}  {path.name}: {verdict.why}")  # noqa: T201
    print(", ".join(f"{count} {kind}" for kind, count in kinds.most_common()))  # noqa: T201


if __name__ == "__main__":
    main()
