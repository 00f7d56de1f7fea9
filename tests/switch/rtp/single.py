"""RTP packets one at a time, as the phones of the tests send and read them (RFC 3550 section 5.1)."""

from __future__ import annotations

from dataclasses import dataclass

from switch.rtp.packet import HEADER_OCTETS, SEQUENCE_MASK, TIMESTAMP_MASK


@dataclass(frozen=True, slots=True, kw_only=True)
class RtpPacket:
    """One packet as a phone sees it."""

    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    marker: bool = False
    csrc: tuple[int, ...] = ()

    def to_bytes(self) -> bytes:
        """The packet on the wire, without extension and padding."""
        head = bytearray(HEADER_OCTETS + 4 * len(self.csrc))
        head[0] = 0x80 | len(self.csrc)
        head[1] = self.marker << 7 | self.payload_type
        head[2:4] = (self.sequence & SEQUENCE_MASK).to_bytes(2)
        head[4:8] = (self.timestamp & TIMESTAMP_MASK).to_bytes(4)
        head[8:12] = self.ssrc.to_bytes(4)
        for i, source in enumerate(self.csrc):
            head[12 + 4 * i : 16 + 4 * i] = source.to_bytes(4)
        return bytes(head) + self.payload


def is_rtcp(data: bytes | memoryview) -> bool:
    """Whether a datagram on an RTP port is RTCP (RFC 5761 section 4)."""
    return len(data) >= 2 and 192 <= data[1] <= 223


def parse_packet(data: bytes | memoryview) -> RtpPacket:
    """Read one packet; extension and padding are dropped.

    Raises ValueError when it is no RTP packet of version 2, RTCP included.
    """
    size = len(data)
    if size < HEADER_OCTETS or data[0] >> 6 != 2 or is_rtcp(data):
        raise ValueError("not an RTP packet of version 2")
    start = HEADER_OCTETS + 4 * (data[0] & 0x0F)
    if data[0] & 0x10:
        if size < start + 4:
            raise ValueError("RTP header extension is cut short")
        start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4])
    end = size - data[size - 1] if data[0] & 0x20 else size
    if start > end or (data[0] & 0x20 and end == size):
        raise ValueError("RTP header or padding is longer than the packet")
    return RtpPacket(
        payload_type=data[1] & 0x7F,
        marker=bool(data[1] & 0x80),
        sequence=int.from_bytes(data[2:4]),
        timestamp=int.from_bytes(data[4:8]),
        ssrc=int.from_bytes(data[8:12]),
        csrc=tuple(int.from_bytes(data[12 + 4 * i : 16 + 4 * i]) for i in range(data[0] & 0x0F)),
        payload=bytes(data[start:end]),
    )
