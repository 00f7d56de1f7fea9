"""What the bench says of recordings: a packet that is not in one is missed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cti.bench.recorded import lacking, longest_hole_s
from cti.bench.rtp_parties import END_SIGN
from recordings.errors import NotARecordingError
from recordings.wave_header import Header
from switch.ids import RecordingId

PACKET = np.frombuffer(bytes(156) + END_SIGN, np.uint8)
SILENCE = np.full(160, 0xFF, np.uint8)


def recording(folder: Path, left: list[bool], right: list[bool], *, cut: int = 0) -> Path:
    """A stereo file with a packet where it says so."""
    channels = [
        np.concatenate([PACKET if there else SILENCE for there in side]) for side in (left, right)
    ]
    sound = np.stack(channels, axis=1).tobytes()
    header = Header(
        recording=RecordingId("r1"), started_at=0.0, owner="bench", sound_octets=len(sound)
    )
    path = folder / "r1.wav"
    path.write_bytes(header.pack() + sound[: len(sound) - cut])
    return path


def test_a_packet_that_is_not_there_is_missed_however_long_the_file(tmp_path: Path) -> None:
    whole = [False, True, True, True, True, False, False]
    short = [False, True, False, True, True, False, False]
    assert lacking([recording(tmp_path, whole, whole)], 4) == [0]
    assert lacking([recording(tmp_path, whole, short)], 4) == [1]


def test_silence_before_and_after_the_talk_is_no_hole(tmp_path: Path) -> None:
    whole = [False, True, True, True, True, False, False]
    holed = [False, True, False, False, True, False, False]
    assert longest_hole_s(recording(tmp_path, whole, whole)) == 0.0
    assert longest_hole_s(recording(tmp_path, holed, whole)) == pytest.approx(0.04)
    silent = [False] * 7
    assert longest_hole_s(recording(tmp_path, silent, silent)) == 0.0


def test_a_file_that_is_cut_off_lacks_everything(tmp_path: Path) -> None:
    cut = recording(tmp_path, [True], [True], cut=2)
    assert lacking([cut], 1) == [2]
    with pytest.raises(NotARecordingError, match="length"):
        longest_hole_s(cut)
