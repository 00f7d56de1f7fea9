"""RTP headers, read and written in compiled loops (RFC 3550 section 5.1).

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

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from switch.compiled import INT, OCTETS, entry, inner

HEADER_OCTETS: Final = 12
SEQUENCE_MASK: Final = 0xFFFF
TIMESTAMP_MASK: Final = 0xFFFFFFFF
_PLAIN_FIRST_OCTET: Final = 0x80
"""Version 2, no padding, no extension, no CSRC: what nearly every packet begins with."""


class Header(NamedTuple):
    """The header of one packet; one that is not `valid` holds nonsense."""

    valid: bool
    """RTP of version 2 whose parts fit into the packet."""
    marker_and_type: int
    """The second octet as it came."""
    sequence: int
    timestamp: int
    ssrc: int
    start: int
    """Where the payload begins."""
    length: int
    """Octets of payload."""


@inner
def _half_word(packet: NDArray[np.uint8], at: int) -> int:
    return int(np.int64(packet[at]) << 8 | np.int64(packet[at + 1]))


@entry(OCTETS, INT)
def header_of(packet: NDArray[np.uint8], size: int) -> Header:
    """Read the header of the packet in the first `size` octets of `packet` (12 octets or more).

    Nothing is raised: a packet that is none has False in `valid`.
    """
    first = int(np.int64(packet[0]))
    second = int(np.int64(packet[1]))
    start = HEADER_OCTETS
    end = size
    valid = size >= HEADER_OCTETS and first >> 6 == 2 and not 192 <= second <= 223
    if valid and first != _PLAIN_FIRST_OCTET:
        start += 4 * (first & 0x0F)
        if first & 0x10:
            if start + 4 <= size:
                start += 4 + 4 * _half_word(packet, start + 2)
            else:
                valid = False
        if first & 0x20:
            padding = int(np.int64(packet[size - 1]))
            end -= padding
            valid = valid and padding > 0
        valid = valid and start <= end
    return Header(
        valid,
        second,
        _half_word(packet, 2),
        _half_word(packet, 4) << 16 | _half_word(packet, 6),
        _half_word(packet, 8) << 16 | _half_word(packet, 10),
        start,
        end - start,
    )


@entry(OCTETS, INT, INT, INT, INT)
def write_header(
    packet: NDArray[np.uint8], marker_and_type: int, sequence: int, timestamp: int, ssrc: int
) -> None:
    """Write a plain header of 12 octets; numbers are cut to their bits."""
    packet[0] = _PLAIN_FIRST_OCTET
    packet[1] = marker_and_type
    packet[2] = (sequence >> 8) & 0xFF
    packet[3] = sequence & 0xFF
    for i in range(4):
        packet[4 + i] = (timestamp >> (24 - 8 * i)) & 0xFF
        packet[8 + i] = (ssrc >> (24 - 8 * i)) & 0xFF
