"""RTP headers as columns of a whole ready list (RFC 3550 section 5.1).

     0                   1                   2                   3
     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    |V=2|P|X|  CC   |M|     PT      |       sequence number         |
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    |                           timestamp                           |
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    |           synchronization source (SSRC) identifier            |
    +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
    |            contributing source (CSRC) identifiers             |
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+

With X set a header extension follows: 16 bits of profile, 16 bits of length in words, the words.
With P set the last octet of the packet counts the padding octets, itself included.

RTCP that a peer multiplexes on to the RTP port (RFC 5761) has 192..223 where RTP has M and PT.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

HEADER_OCTETS: Final = 12
SEQUENCE_MASK: Final = 0xFFFF
TIMESTAMP_MASK: Final = 0xFFFFFFFF
_PLAIN_FIRST_OCTET: Final = 0x80
"""Version 2, no padding, no extension, no CSRC: what nearly every packet begins with."""
_RTCP_TYPES: Final = (192, 223)


@dataclass(slots=True)
class HeaderColumns:
    """The headers of n packets, column by column; rows that are not `valid` hold nonsense."""

    valid: NDArray[np.bool_]
    """RTP of version 2 whose parts fit into the packet."""
    rtcp: NDArray[np.bool_]
    marker_and_type: NDArray[np.uint8]
    """The second octet as it came."""
    sequence: NDArray[np.int64]
    timestamp: NDArray[np.int64]
    ssrc: NDArray[np.int64]
    start: NDArray[np.int64]
    """Where the payload begins in its row."""
    length: NDArray[np.int64]
    """Octets of payload."""
    plain: bool
    """All packets are valid and have a header of 12 octets."""

    def of(self, packets: NDArray[np.int64]) -> HeaderColumns:
        """The columns of these packets only, in this order."""
        return HeaderColumns(
            valid=self.valid[packets],
            rtcp=self.rtcp[packets],
            marker_and_type=self.marker_and_type[packets],
            sequence=self.sequence[packets],
            timestamp=self.timestamp[packets],
            ssrc=self.ssrc[packets],
            start=self.start[packets],
            length=self.length[packets],
            plain=self.plain,
        )


def parse_headers(buffer: NDArray[np.uint8], sizes: NDArray[np.int64]) -> HeaderColumns:
    """Read the headers of `len(sizes)` packets that lie in the first rows of `buffer`.

    `buffer` is (rows, octets), C-contiguous, octets a multiple of 4 and at least 12. Nothing is
    raised: a packet that is none has False in `valid`.
    """
    n = len(sizes)
    first = buffer[:n, 0]
    second = buffer[:n, 1]
    words = buffer[:n].view(">u4")
    # One gather for the three words; the sequence number is the low half of the first.
    head = words[:, :3].astype(np.int64)
    rtcp = (second >= _RTCP_TYPES[0]) & (second <= _RTCP_TYPES[1])
    start = np.full(n, HEADER_OCTETS, dtype=np.int64)
    length = sizes - HEADER_OCTETS
    valid = (first == _PLAIN_FIRST_OCTET) & (length >= 0) & ~rtcp
    plain = bool(valid.all())
    if not plain:
        _parse_uncommon(buffer, sizes, valid, rtcp, start, length)
    return HeaderColumns(
        valid=valid,
        rtcp=rtcp,
        marker_and_type=second,
        sequence=head[:, 0] & SEQUENCE_MASK,
        timestamp=head[:, 1],
        ssrc=head[:, 2],
        start=start,
        length=length,
        plain=plain,
    )


def _parse_uncommon(
    buffer: NDArray[np.uint8],
    sizes: NDArray[np.int64],
    valid: NDArray[np.bool_],
    rtcp: NDArray[np.bool_],
    start: NDArray[np.int64],
    length: NDArray[np.int64],
) -> None:
    """Settle the rows with CSRCs, extension or padding; `valid`, `start`, `length` in place."""
    first = buffer[: len(sizes), 0]
    rows = np.flatnonzero(~valid & (first >> 6 == 2) & (sizes >= HEADER_OCTETS) & ~rtcp)
    if not len(rows):
        return
    flags = first[rows].astype(np.int64)
    size = sizes[rows]
    at = HEADER_OCTETS + 4 * (flags & 0x0F)
    extended = (flags & 0x10) != 0
    fits = ~extended | (size >= at + 4)
    # Rows without room for the extension's length read somewhere harmless and are not valid.
    where = np.where(fits, at, 0)
    words = buffer[rows, where + 2].astype(np.int64) << 8 | buffer[rows, where + 3]
    at = np.where(extended, at + 4 + 4 * words, at)
    padded = (flags & 0x20) != 0
    padding = np.where(padded, buffer[rows, size - 1].astype(np.int64), 0)
    octets = size - padding - at
    valid[rows] = fits & (octets >= 0) & ~(padded & (padding == 0))
    start[rows] = at
    length[rows] = octets


def write_headers(
    words: NDArray[np.uint32],
    marker_and_type: NDArray[np.int64],
    sequence: NDArray[np.int64],
    timestamp: NDArray[np.int64],
    ssrc: NDArray[np.int64],
) -> None:
    """Write 12-octet headers into the first rows of `words`, a big-endian (rows, 3 or more) view."""
    n = len(sequence)
    words[:n, 0] = (_PLAIN_FIRST_OCTET << 24) | marker_and_type << 16 | sequence & SEQUENCE_MASK
    words[:n, 1] = timestamp & TIMESTAMP_MASK
    words[:n, 2] = ssrc
