"""Is everything that was sent in the recordings of a load? Each packet carries the sign of the parties."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cti.bench.rtp_parties import END_SIGN, FRAME_S
from recordings.errors import NotARecordingError
from recordings.wave_header import CHANNELS, MAX_HEADER_OCTETS, SAMPLE_RATE_HZ, parse


def packets_in(path: Path) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where packets of parties stand in each channel, left first, in samples.

    Raises NotARecordingError.
    """
    octets = path.read_bytes()
    header, begin = parse(octets[:MAX_HEADER_OCTETS], str(path))
    if header.sound_octets is None or begin + header.sound_octets != len(octets):
        raise NotARecordingError(f"{path}: it has not the length that its head says")
    sound = np.frombuffer(octets, np.uint8, offset=begin).reshape(-1, CHANNELS)
    return _places(sound[:, 0]), _places(sound[:, 1])


def lacking(paths: Iterable[Path], each: int) -> list[int]:
    """Of each recording how many packets are not in it, where each of two parties sent `each`.

    A file that is no whole recording lacks all of them.
    """
    return [_lacking(path, each) for path in paths]


def _lacking(path: Path, each: int) -> int:
    try:
        return sum(max(0, each - len(found)) for found in packets_in(path))
    except NotARecordingError:
        return CHANNELS * each


def longest_hole_s(path: Path) -> float:
    """The longest time without a packet between the first and the last, in either channel.

    Raises NotARecordingError.
    """
    apart = max(int(np.diff(found).max(initial=0)) for found in packets_in(path))
    return max(0.0, apart / SAMPLE_RATE_HZ - FRAME_S)


def _places(channel: NDArray[np.uint8]) -> NDArray[np.int64]:
    windows = np.lib.stride_tricks.sliding_window_view(channel, len(END_SIGN))
    return np.flatnonzero((windows == np.frombuffer(END_SIGN, np.uint8)).all(axis=1))
