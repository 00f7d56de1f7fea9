"""Turn what was written of a recording into a whole file, and check such a file.

The `.part` file is already a WAVE file but for its sizes; so finishing copies no sound: it sets the
sizes, reads once for the checksums, makes the disk keep it and renames.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path

from recordings.errors import NotARecordingError
from recordings.outcome import Outcome
from recordings.sidecar import SEGMENT_OCTETS, Chain, Sidecar, read_sidecar, sidecar_path
from recordings.wave_header import CHANNELS, MAX_HEADER_OCTETS, OCTETS_PER_MS, parse
from switch.ids import RecordingId


def finish_file(part: Path, *, recovered: bool = False, error: str | None = None) -> Outcome:
    """Make `<path>.part` into `<path>.wav` with its sidecar; `error` is what went wrong before.

    Raises OSError, FileExistsError when the whole file is there already, and NotARecordingError when
    the head of the file is missing.
    """
    whole = part.with_suffix(".wav")
    if whole.exists():
        raise FileExistsError(f"{whole} exists already")
    with part.open("rb+") as file:
        header, begin = parse(file.read(MAX_HEADER_OCTETS), str(part))
        sound_octets = (os.fstat(file.fileno()).st_size - begin) // CHANNELS * CHANNELS
        file.truncate(begin + sound_octets)
        header = replace(header, sound_octets=sound_octets)
        file.seek(0)
        file.write(header.pack())
        file.flush()
        sha256, chain = _checksums(part, begin)
        os.fsync(file.fileno())
    sidecar = Sidecar(
        recording=header.recording,
        started_at=header.started_at,
        duration_ms=sound_octets // OCTETS_PER_MS,
        octets=begin + sound_octets,
        sha256=sha256,
        recovered=recovered,
        error=error,
        chain=chain.links,
    )
    try:
        sidecar.write(sidecar_path(part))
    except OSError as trouble:  # the sound matters more: it is whole without its sidecar
        error = error or f"no sidecar: {trouble.strerror or trouble}"
    part.rename(whole)
    _keep_folder(whole.parent)
    return Outcome(
        recording=header.recording,
        path=str(whole),
        duration_ms=sidecar.duration_ms,
        octets=sidecar.octets,
        sha256=sha256,
        error=error,
    )


def find_whole(path: Path) -> Outcome:
    """What a finished file is; without its sidecar, which a full disk may have cost, it speaks for itself.

    Reads a file without sidecar once. Raises OSError, and NotARecordingError for one that is not as long
    as was said.
    """
    try:
        said = read_sidecar(path)
    except (OSError, NotARecordingError):
        return _described(path)
    if path.stat().st_size != said.octets:
        raise NotARecordingError(f"{path}: it has not the length that its sidecar says")
    return Outcome(
        recording=RecordingId(said.recording),
        path=str(path),
        duration_ms=said.duration_ms,
        octets=said.octets,
        sha256=said.sha256,
        error=said.error,
    )


def _described(path: Path) -> Outcome:
    with path.open("rb") as file:
        header, begin = parse(file.read(MAX_HEADER_OCTETS), str(path))
        octets = os.fstat(file.fileno()).st_size
    sound_octets = octets - begin
    if header.sound_octets != sound_octets:
        raise NotARecordingError(f"{path}: it has not the length that its head says")
    return Outcome(
        recording=header.recording,
        path=str(path),
        duration_ms=sound_octets // OCTETS_PER_MS,
        octets=octets,
        sha256=_checksums(path, begin)[0],
    )


def verify(path: Path, sha256: str) -> bool:
    """Return whether the file still has this checksum. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == sha256


def first_broken_segment(path: Path) -> int | None:
    """Return the first segment that differs from the sidecar's chain; None when all are as written.

    0 is the header, n the n-th segment of sound. Raises OSError, NotARecordingError.
    """
    said = read_sidecar(path).chain
    with path.open("rb") as file:
        _, begin = parse(file.read(MAX_HEADER_OCTETS), str(path))
    found = _checksums(path, begin)[1].links
    for at, (one, other) in enumerate(zip(said, found, strict=False)):
        if one != other:
            return at
    return None if len(said) == len(found) else min(len(said), len(found))


def _checksums(path: Path, begin: int) -> tuple[str, Chain]:
    """Return the hash of the whole file and the chain of its segments, reading once."""
    with path.open("rb") as file:
        head = file.read(begin)
        whole, chain = hashlib.sha256(head), Chain(head)
        while segment := file.read(SEGMENT_OCTETS):
            whole.update(segment)
            chain.add(segment)
    return whole.hexdigest(), chain


def _keep_folder(folder: Path) -> None:
    """Make the disk keep the new name as well."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
