"""The sidecar of a recording: its figures and a chain of checksums, as JSON beside the sound.

Each link is SHA-256 over the link before it and the next ten seconds of sound; the first link is
the hash of the header. Changed, removed or reordered sound breaks the chain at its place.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from recordings.errors import NotARecordingError

SEGMENT_OCTETS: Final = 160_000
"""Ten seconds of stereo sound."""


class Chain:
    """The growing chain of one recording."""

    __slots__ = ("_link", "links")

    def __init__(self, header: bytes) -> None:
        self._link = hashlib.sha256(header).digest()
        self.links: list[str] = [self._link.hex()]

    def add(self, segment: bytes) -> None:
        """Add the next SEGMENT_OCTETS of sound; the last segment may be shorter."""
        self._link = hashlib.sha256(self._link + segment).digest()
        self.links.append(self._link.hex())


@dataclass(frozen=True, slots=True, kw_only=True)
class Sidecar:
    """What is said about a recording beside its sound."""

    version: int = 1
    recording: str
    started_at: float
    """Seconds since the epoch."""
    duration_ms: int
    octets: int
    sha256: str
    channels: tuple[str, str] = ("customer", "agent")
    """Left, right."""
    recovered: bool = False
    """Finished after the process that wrote it had died; up to a second may be missing."""
    error: str | None = None
    segment_octets: int = SEGMENT_OCTETS
    chain: list[str] = field(default_factory=list)
    """In hex: the header's hash, then one link per segment."""

    def write(self, path: Path) -> None:
        """Write whole or not at all. Raises OSError."""
        draft = path.with_name(path.name + ".new")
        draft.unlink(missing_ok=True)
        draft.touch(mode=0o640)  # who may not hear the sound may not read this
        draft.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")
        draft.replace(path)


def sidecar_path(path: Path) -> Path:
    """Return where the sidecar of a recording lies."""
    return path.with_name(path.name.removesuffix(".wav").removesuffix(".part") + ".json")


def read_sidecar(path: Path) -> Sidecar:
    """Return the sidecar of the recording at `path`. Raises OSError, NotARecordingError."""
    beside = sidecar_path(path)
    try:
        fields = json.loads(beside.read_text(encoding="utf-8"))
        return Sidecar(**(fields | {"channels": tuple(fields["channels"])}))
    except (ValueError, TypeError, KeyError) as error:
        raise NotARecordingError(f"{beside}: cannot be read: {error}") from error
