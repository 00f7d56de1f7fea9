r"""The journal's file: frames of octets behind each other, each with its length and checksum.

    file  = MAGIC header-frame frame*
    frame = length (4 octets, little endian) crc32 (4 octets) payload
    payload = MessagePack array of entries: what one turn changed
    entry = [kind, key, value], or [kind, key]: no longer there

Of several entries with one kind and key the last counts. What follows a frame that is cut short or
damaged is not read: whoever wrote it was killed in the middle of it.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from zlib import crc32

import msgspec

MAGIC: Final = b"SWROOMJ2"
_PREFIX: Final = struct.Struct("<II")
_ARRAY: Final = struct.Struct(">BI")
"""MessagePack's head of an array: 0xDD and the number of its elements."""
UNDECODABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What decoding a record raises: text that is not UTF-8 and arrays nested deep are not wrapped."""
_LONGEST: Final = 1 << 24
"""No frame is longer; a length beyond it is damage."""

_MOST_ENTRIES: Final = 128
"""In a frame: it stays far below the longest, whatever INVITEs are in it."""

Key = tuple[str, str]
"""Kind and key of a record."""


class Header(msgspec.Struct, frozen=True, array_like=True):
    """The first frame: who wrote the file, and by which clock."""

    version: int
    """Of the records, not of the file's format: what one version wrote another may not understand."""
    boot: str
    """The kernel's boot id: monotonic clocks are comparable within one boot only."""
    wall_offset: float
    """What the writer added to monotonic seconds to get the seconds since the epoch in the records."""


@dataclass(slots=True)
class Reading:
    """What a journal's file holds."""

    header: Header | None = None
    """None: there is no journal, or nothing of it could be read."""
    entries: dict[Key, bytes] = field(default_factory=dict)
    """The last entry of each record that is still there, as it stands in the file."""
    faults: list[str] = field(default_factory=list)
    """What could not be read, in words."""

    def values(self, kind: str) -> dict[str, bytes]:
        """The records of a kind by key, as MessagePack."""
        found = {}
        for (its_kind, key), entry in self.entries.items():
            if its_kind == kind:
                found[key] = bytes(_RECORD.decode(entry)[2])
        return found


_RECORD: Final = msgspec.msgpack.Decoder(tuple[str, str, msgspec.Raw])
_LIST: Final = msgspec.msgpack.Decoder(list[msgspec.Raw])
_TEXT: Final = msgspec.msgpack.Decoder(str)
_HEADER: Final = msgspec.msgpack.Decoder(Header)
_ENCODER: Final = msgspec.msgpack.Encoder()


def make_frames(entries: Sequence[bytes]) -> bytes:
    """These entries in one frame, or in several where they are many."""
    if len(entries) <= _MOST_ENTRIES:
        return _wrap(_ARRAY.pack(0xDD, len(entries)) + b"".join(entries))
    parts = range(0, len(entries), _MOST_ENTRIES)
    return b"".join([make_frames(entries[at : at + _MOST_ENTRIES]) for at in parts])


def make_header(header: Header) -> bytes:
    """The beginning of a file."""
    return MAGIC + _wrap(_ENCODER.encode(header))


def _wrap(payload: bytes) -> bytes:
    return _PREFIX.pack(len(payload), crc32(payload)) + payload


def read(path: Path) -> Reading:
    """Read a journal as far as it is readable. A file that is not there is an empty journal.

    Raises:
        OSError: the file is there and cannot be read.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Reading()
    return parse(data)


def parse(data: bytes) -> Reading:
    """Read the octets of a journal; never raises for what they are."""
    found = Reading()
    if not data.startswith(MAGIC):
        found.faults.append("this is no journal, or of a format that is not known here")
        return found
    at = len(MAGIC)
    while at < len(data):
        payload = _payload(data, at)
        if payload is None:
            found.faults.append(f"damaged from octet {at} on: {len(data) - at} octets are not read")
            break
        end = at + _PREFIX.size + len(payload)
        try:
            if found.header is None:
                found.header = _HEADER.decode(payload)
            else:
                _take(found, payload)
        except UNDECODABLE as error:
            found.faults.append(f"the frame at octet {at} is not understood: {error}")
            if found.header is None:
                break
        at = end
    return found


def _payload(data: bytes, at: int) -> bytes | None:
    """The payload of the frame at an offset; None when it is not whole."""
    start = at + _PREFIX.size
    if start > len(data):
        return None
    length, checksum = _PREFIX.unpack_from(data, at)
    if length > _LONGEST or start + length > len(data):
        return None
    payload = data[start : start + length]
    return payload if crc32(payload) == checksum else None


def _take(found: Reading, payload: bytes) -> None:
    for entry in _LIST.decode(payload):
        try:
            parts = _LIST.decode(entry)
            if len(parts) not in (2, 3):
                raise msgspec.ValidationError("it has not two or three parts")
            key = (_TEXT.decode(parts[0]), _TEXT.decode(parts[1]))
        except UNDECODABLE as error:
            found.faults.append(f"an entry is not understood: {error}")
            continue
        # Put at the end again: the order of the records is that of their last change.
        found.entries.pop(key, None)
        if len(parts) == 3:
            found.entries[key] = bytes(entry)
