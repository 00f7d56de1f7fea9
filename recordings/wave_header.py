"""The head of a recording: a WAVE file of mu-law, stereo, 8 kHz, that also names the recording.

It is written before the first sound, so a file is readable and known from its first second on. A
private chunk `swrm` carries what recovery needs; other readers pass over it, as RIFF asks.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from typing import Final

from recordings.errors import NotARecordingError
from switch.ids import RecordingId

SAMPLE_RATE_HZ: Final = 8000
CHANNELS: Final = 2
OCTETS_PER_MS: Final = SAMPLE_RATE_HZ * CHANNELS // 1000

MAX_SOUND_OCTETS: Final = 0xFFFF_0000
"""RIFF counts in 32 bits: 74 hours."""

MAX_HEADER_OCTETS: Final = 4096
"""More than any header this module writes."""

_UNKNOWN: Final = 0xFFFF_FFFF
"""The customary size of a chunk that still grows."""

_FMT: Final = struct.Struct("<4sIHHIIHHH")
_CHUNK: Final = struct.Struct("<4sI")
_MU_LAW: Final = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What the head of a recording says."""

    recording: RecordingId
    started_at: float
    """Seconds since the epoch."""
    owner: str
    """The process that writes it, see `recordings.owner`."""
    sound_octets: int | None = None
    """Length of the sound; None while it grows."""

    def pack(self) -> bytes:
        """Return the octets; their number does not depend on `sound_octets`."""
        note = json.dumps(
            {"recording": self.recording, "started_at": self.started_at, "owner": self.owner}
        ).encode()
        note += b" " * (len(note) % 2)
        length = self.sound_octets
        body = b"".join(
            (
                b"WAVE",
                _FMT.pack(
                    b"fmt ",
                    18,
                    _MU_LAW,
                    CHANNELS,
                    SAMPLE_RATE_HZ,
                    SAMPLE_RATE_HZ * CHANNELS,
                    CHANNELS,
                    8,
                    0,
                ),
                _CHUNK.pack(b"fact", 4),
                struct.pack("<I", _UNKNOWN if length is None else length // CHANNELS),
                _CHUNK.pack(b"swrm", len(note)),
                note,
                _CHUNK.pack(b"data", _UNKNOWN if length is None else length),
            )
        )
        return _CHUNK.pack(b"RIFF", _UNKNOWN if length is None else len(body) + length) + body


def parse(head: bytes, name: str) -> tuple[Header, int]:
    """Return the header and its length; `head` holds at least the start of the file.

    `name` is for messages. Raises NotARecordingError.
    """
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        raise NotARecordingError(f"{name}: no WAVE file")
    at, note, fmt = 12, None, None
    while at + _CHUNK.size <= len(head):
        tag, size = _CHUNK.unpack_from(head, at)
        at += _CHUNK.size
        if tag == b"data":
            if fmt != (_MU_LAW, CHANNELS, SAMPLE_RATE_HZ) or note is None:
                raise NotARecordingError(f"{name}: not a recording of this program")
            return _read_note(note, None if size == _UNKNOWN else size, name), at
        chunk = head[at : at + size]
        if tag == b"fmt " and len(chunk) >= 8:
            fmt = struct.unpack_from("<HHI", chunk)
        elif tag == b"swrm":
            note = chunk
        at += size + size % 2
    raise NotARecordingError(f"{name}: cut off within its header")


def _read_note(note: bytes, sound_octets: int | None, name: str) -> Header:
    try:
        fields = json.loads(note)
        return Header(
            recording=RecordingId(str(fields["recording"])),
            started_at=float(fields["started_at"]),
            owner=str(fields["owner"]),
            sound_octets=sound_octets,
        )
    except (ValueError, KeyError, TypeError) as error:
        raise NotARecordingError(f"{name}: its `swrm` chunk cannot be read: {error}") from error
