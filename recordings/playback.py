"""Read recorded sound: a range as mu-law or linear PCM, or a mono file for elsewhere."""

from __future__ import annotations

import errno
from enum import Enum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recordings import mulaw
from recordings.wave_header import (
    CHANNELS,
    MAX_HEADER_OCTETS,
    OCTETS_PER_MS,
    SAMPLE_RATE_HZ,
    Header,
    parse,
)

_EXPORT_MS = 10_000


class Channel(Enum):
    """Whom to hear."""

    CUSTOMER = 0
    AGENT = 1
    BOTH = -1
    """Both mixed into one."""


def read_header(path: Path) -> Header:
    """Return the head of a recording, running or whole. Raises OSError, NotARecordingError."""
    with path.open("rb") as file:
        return parse(file.read(MAX_HEADER_OCTETS), str(path))[0]


def duration_ms(path: Path) -> int:
    """Return how much sound a recording holds, also while it grows. Raises as `read_header`."""
    with path.open("rb") as file:
        _, begin = parse(file.read(MAX_HEADER_OCTETS), str(path))
    return (path.stat().st_size - begin) // OCTETS_PER_MS


def read_mulaw(path: Path, start_ms: int = 0, end_ms: int | None = None) -> NDArray[np.uint8]:
    """Return (n_samples, 2) mu-law octets, customer first; a range past the end is cut there.

    Raises OSError, NotARecordingError, and ValueError for a range that runs backwards.
    """
    if start_ms < 0 or (end_ms is not None and end_ms < start_ms):
        raise ValueError(f"{path}: no such range: {start_ms} to {end_ms} ms")
    with path.open("rb") as file:
        _, begin = parse(file.read(MAX_HEADER_OCTETS), str(path))
        file.seek(begin + start_ms * OCTETS_PER_MS)
        octets = file.read(-1 if end_ms is None else (end_ms - start_ms) * OCTETS_PER_MS)
    usable = len(octets) // CHANNELS * CHANNELS
    return np.frombuffer(octets, np.uint8, usable).reshape(-1, CHANNELS)


def read_pcm(
    path: Path, start_ms: int = 0, end_ms: int | None = None, channel: Channel = Channel.BOTH
) -> NDArray[np.int16]:
    """Return (n_samples,) linear samples of one party, or of both mixed. Raises as `read_mulaw`."""
    linear = mulaw.decode(read_mulaw(path, start_ms, end_ms))
    if channel is not Channel.BOTH:
        return np.ascontiguousarray(linear[:, channel.value])
    mixed = linear.sum(axis=1, dtype=np.int32)
    clipped: NDArray[np.int16] = np.clip(mixed, -32768, 32767).astype(np.int16)
    return clipped


class Format(Enum):
    """What recordings are exported as."""

    WAV = "wav"
    FLAC = "flac"
    OGG = "ogg"
    """Vorbis."""


def export(
    path: Path, target: Path, channel: Channel, format: Format, *, stereo: bool = False
) -> None:
    """Write a recording for elsewhere, in pieces: mono, or `stereo` with the customer left.

    What cannot be written whole is not there at all. Raises OSError, NotARecordingError.
    """
    half = target.with_name(f".{target.name}.half")
    try:
        _encode(path, half, None if stereo else channel, format)
        half.replace(target)
    except OSError as error:
        if error.filename in (None, str(half)):
            error.filename = str(target)  # the name that was asked for
        raise
    finally:
        half.unlink(missing_ok=True)


_SUBTYPES = {Format.WAV: "PCM_16", Format.FLAC: "PCM_16", Format.OGG: "VORBIS"}


def _encode(path: Path, target: Path, channel: Channel | None, format: Format) -> None:
    """Write one party, or (None) the customer left and the agent right. Raises as `export`."""
    import soundfile  # takes a moment to load

    length = duration_ms(path)
    channels = CHANNELS if channel is None else 1
    with target.open("wb", buffering=0) as file:  # whose errors say what is the matter
        try:
            with soundfile.SoundFile(
                file.fileno(), "w", SAMPLE_RATE_HZ, channels, _SUBTYPES[format],
                format=format.name, closefd=False,
            ) as out:  # fmt: skip
                for start in range(0, length + 1, _EXPORT_MS):
                    end = start + _EXPORT_MS
                    if channel is None:
                        out.write(mulaw.decode(read_mulaw(path, start, end)))
                    else:
                        out.write(read_pcm(path, start, end, channel))
        except (soundfile.LibsndfileError, AssertionError) as error:
            # The library asserts that all was written, or says no more than "system error".
            raise OSError(errno.EIO, "not all of it could be written", str(target)) from error
