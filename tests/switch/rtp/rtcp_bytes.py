"""RTCP as a peer writes and reads it, octet by octet (RFC 3550 section 6)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

NTP_EPOCH = 2_208_988_800


@dataclass(frozen=True)
class Block:
    """One report block."""

    ssrc: int
    fraction: int = 0
    lost: int = 0
    highest: int = 0
    jitter: int = 0
    last_sr: int = 0
    delay: int = 0

    def to_bytes(self) -> bytes:
        return struct.pack(
            "!IIIIII", self.ssrc, self.fraction << 24 | (self.lost & 0xFFFFFF), self.highest,
            self.jitter, self.last_sr, self.delay,
        )  # fmt: skip


@dataclass(frozen=True)
class Report:
    """What was read."""

    kind: int
    ssrc: int
    ntp: int
    rtp_time: int
    packets: int
    octets: int
    blocks: tuple[Block, ...]
    cname: str
    goodbye: bool


def packet(kind: int, count: int, body: bytes) -> bytes:
    return struct.pack("!BBH", 0x80 | count, kind, len(body) // 4) + body


def sender_report(ssrc: int, *blocks: Block, ntp: int = 0, packets: int = 0) -> bytes:
    head = struct.pack("!IQIII", ssrc, ntp, 0, packets, 160 * packets)
    return packet(200, len(blocks), head + b"".join(block.to_bytes() for block in blocks))


def receiver_report(ssrc: int, *blocks: Block) -> bytes:
    body = ssrc.to_bytes(4) + b"".join(block.to_bytes() for block in blocks)
    return packet(201, len(blocks), body)


def description(ssrc: int, cname: bytes = b"peer") -> bytes:
    item = b"\x01" + bytes([len(cname)]) + cname + b"\0"
    return packet(202, 1, ssrc.to_bytes(4) + item + bytes(-len(item) % 4))


def goodbye(ssrc: int) -> bytes:
    return packet(203, 1, ssrc.to_bytes(4))


def read(data: bytes) -> Report:
    """Read a compound packet of ours; every assertion is one of RFC 3550 appendix A.2."""
    kind = data[1]
    assert kind in (200, 201), "a compound packet begins with a report"
    ssrc = int.from_bytes(data[4:8])
    ntp = rtp_time = packets = octets = 0
    blocks: list[Block] = []
    cname = ""
    said_goodbye = False
    at = 0
    while at < len(data):
        first, this, words = struct.unpack_from("!BBH", data, at)
        assert first >> 6 == 2
        assert not first & 0x20
        end = at + 4 * (words + 1)
        assert end <= len(data)
        count = first & 0x1F
        if this in (200, 201):
            body = at + 8
            if this == 200:
                ntp, rtp_time, packets, octets = struct.unpack_from("!QIII", data, body)
                body += 20
            for i in range(count):
                one, share, highest, jitter, last, delay = struct.unpack_from(
                    "!6I", data, body + 24 * i
                )
                lost = share & 0xFFFFFF
                lost -= (lost >> 23) << 24
                blocks.append(Block(one, share >> 24, lost, highest, jitter, last, delay))
        elif this == 202:
            assert count == 1
            assert int.from_bytes(data[at + 4 : at + 8]) == ssrc
            assert data[at + 8] == 1
            cname = data[at + 10 : at + 10 + data[at + 9]].decode()
            assert data[at + 10 + data[at + 9]] == 0, "the list of items ends with a null"
        elif this == 203:
            assert data[at + 4 : at + 8] == data[4:8]
            said_goodbye = True
        at = end
    return Report(kind, ssrc, ntp, rtp_time, packets, octets, tuple(blocks), cname, said_goodbye)
