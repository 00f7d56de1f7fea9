"""RTCP, written and read in compiled loops (RFC 3550 section 6).

What we send is one compound packet: a report (SR, or RR while we send no sound) with at most one block,
and the source description with our CNAME (16 hexadecimal digits that say nothing, RFC 7022).

     0                   1                   2                   3
     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    |V=2|P|   RC    |   PT=200,201  |             length            |
    |                         SSRC of sender                        |
    +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
    |  SR only: NTP timestamp, 2 words; RTP timestamp;              |
    |           packets sent; octets sent                           |
    +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
    |                             SSRC                              |   a block,
    | fraction lost |       cumulative number of packets lost       |   RC of them
    |           extended highest sequence number received           |
    |                      interarrival jitter                      |
    |               last SR        ,       delay since last SR      |
    +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+

What we read is checked as a whole before anything of it counts (appendix A.2): versions, lengths that
add up, padding at the last packet only. Feedback, extended reports and whatever else an AVPF peer sends
(RFC 4585, 3611) is passed over; a packet that is not compound (RFC 5506) is as good as one that is.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from switch.compiled import inner

SENDER_REPORT: Final = 200
RECEIVER_REPORT: Final = 201
SOURCE_DESCRIPTION: Final = 202
GOODBYE: Final = 203
FIRST_TYPE: Final = 192
LAST_TYPE: Final = 223
"""RTP never has these in its second octet (RFC 5761 section 4)."""
MAX_OCTETS: Final = 28 + 24 + 28
"""The longest that we send."""
MAX_ROUND_TRIP_S: Final = 30.0
"""A longer one is a broken clock."""
_BLOCK_OCTETS: Final = 24
_CNAME_OCTETS: Final = 16
_MOST_LOST: Final = 0x7FFFFF
_WORD: Final = 0xFFFFFFFF

REPORT: Final = np.dtype(
    [
        # What we send.
        ("runs", np.bool_),  # reports are due at `next_at`
        ("made", np.int64),
        ("next_at", np.float64),
        ("ntp_offset", np.float64),  # added to monotonic seconds: seconds since 1900
        ("sent_before", np.int64),  # packets of the leg at the last report
        ("stream", np.int64),  # the SSRC that the next four are about; -1: none yet
        ("extended", np.int64),
        ("expected_before", np.int64),
        ("received_before", np.int64),
        ("late_before", np.int64),  # packets that came after their turn
        # What the peer sent.
        ("heard", np.int64),  # datagrams that were accepted
        ("last_sr", np.int64),  # the middle 32 bits of its NTP timestamp; 0: none yet
        ("last_sr_at", np.float64),
        ("remote_at", np.float64),  # when it last reported on us
        ("remote_fraction", np.float64),
        ("remote_lost", np.int64),
        ("remote_jitter", np.int64),  # in timestamp units
        ("round_trip", np.float64),  # s; -1: not known
        ("gone", np.bool_),  # it said goodbye
        # What both make of it.
        ("mos", np.float64),  # the worse of the two directions; 0: not known
        ("told_mos", np.float64),
    ],
    align=True,
)
"""RTCP of a leg; times are monotonic seconds."""


@inner
def half_word_at(packet: NDArray[np.uint8], at: int) -> int:
    """Two octets, big-endian."""
    return int(np.int64(packet[at]) << 8 | np.int64(packet[at + 1]))


@inner
def word_at(packet: NDArray[np.uint8], at: int) -> int:
    """Four octets, big-endian."""
    return int(
        np.int64(packet[at]) << 24
        | np.int64(packet[at + 1]) << 16
        | np.int64(packet[at + 2]) << 8
        | np.int64(packet[at + 3])
    )


@inner
def put_word(packet: NDArray[np.uint8], at: int, value: int) -> None:
    """Write the low 32 bits of `value`, big-endian."""
    for i in range(4):
        packet[at + i] = (value >> (24 - 8 * i)) & 0xFF


@inner
def middle_of_ntp(report: Any, now: float) -> int:
    """The middle 32 bits of the NTP timestamp of `now`: seconds in units of 1/65536."""
    return int((now + report.ntp_offset) * 65536.0) & _WORD


@inner
def is_rtcp(packet: NDArray[np.uint8], size: int) -> bool:
    """Whether a datagram on a port that RTP uses too is RTCP; whether it is sound is another question."""
    return size >= 8 and packet[0] >> 6 == 2 and FIRST_TYPE <= packet[1] <= LAST_TYPE


@inner
def _adds_up(packet: NDArray[np.uint8], size: int) -> bool:
    """Whether a datagram is RTCP from its first octet to its last."""
    if size < 8 or size % 4:
        return False
    at = 0
    while at < size:
        if packet[at] >> 6 != 2 or not FIRST_TYPE <= packet[at + 1] <= LAST_TYPE:
            return False
        octets = 4 * (1 + half_word_at(packet, at + 2))
        following = at + octets
        if following > size:
            return False
        if packet[at] & 0x20:
            padding = int(packet[following - 1])
            if following != size or padding == 0 or padding % 4 or padding > octets - 4:
                return False
            octets -= padding
        blocks = int(packet[at]) & 0x1F
        kind = packet[at + 1]
        least = 4
        if kind == SENDER_REPORT:
            least = 28 + _BLOCK_OCTETS * blocks
        elif kind == RECEIVER_REPORT:
            least = 8 + _BLOCK_OCTETS * blocks
        elif kind == GOODBYE:
            least = 4 + 4 * blocks
        if octets < least:
            return False
        at = following
    return True


@inner
def _read_block(report: Any, packet: NDArray[np.uint8], at: int, now: float) -> None:
    """What the peer says of the stream that we send."""
    report.remote_at = now
    report.remote_fraction = packet[at + 4] / 256.0
    lost = word_at(packet, at + 4) & 0xFFFFFF
    report.remote_lost = lost - 0x1000000 if lost > _MOST_LOST else lost
    report.remote_jitter = word_at(packet, at + 12)
    last = word_at(packet, at + 16)
    if last:
        trip = (middle_of_ntp(report, now) - last - word_at(packet, at + 20)) & _WORD
        if trip < MAX_ROUND_TRIP_S * 65536.0:
            report.round_trip = trip / 65536.0
        elif trip > _WORD - 655:  # a clock of coarse grain may make it some ms less than nothing
            report.round_trip = 0.0


@inner
def take_report(
    report: Any, own_ssrc: int, peer_ssrc: int, packet: NDArray[np.uint8], size: int, now: float
) -> bool:
    """Take one datagram of RTCP; False: it is none, and nothing of it was taken.

    `peer_ssrc` is that of the sound which comes from the peer, -1: none came yet.
    """
    if not _adds_up(packet, size):
        return False
    at = 0
    while at < size:
        octets = 4 * (1 + half_word_at(packet, at + 2))
        kind = packet[at + 1]
        blocks = int(packet[at]) & 0x1F
        if kind in (SENDER_REPORT, RECEIVER_REPORT):
            first = at + 8
            if kind == SENDER_REPORT:
                first = at + 28
                if peer_ssrc < 0 or word_at(packet, at + 4) == peer_ssrc:
                    report.last_sr = word_at(packet, at + 10)
                    report.last_sr_at = now
            for i in range(blocks):
                block = first + _BLOCK_OCTETS * i
                if word_at(packet, block) == own_ssrc:
                    _read_block(report, packet, block, now)
        elif kind == GOODBYE:
            for i in range(blocks):
                if word_at(packet, at + 4 + 4 * i) == peer_ssrc:
                    report.gone = True
        at += octets
    report.heard += 1
    return True


@inner
def _hash(value: int) -> np.uint64:
    """64 bits that look like chance (the finish of splitmix64)."""
    mixed = np.uint64(value) + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


@inner
def wait_for_next(seed: int, ssrc: int, made: int) -> float:
    """Seconds to the next report (RFC 3550 section 6.3.1).

    Two members and a bandwidth of some 64 kbit/s: five seconds is more than the bandwidth asks for, so it
    decides; half of it before the first. Spread over half to one and a half of that, and divided by
    e - 3/2, because the other side's reports put ours off where there are many members.
    """
    chance = (_hash(seed ^ ssrc + (made << 32)) >> np.uint64(11)) * (1.0 / 9007199254740992.0)
    return (5.0 if made else 2.5) * (0.5 + chance) / 1.21828


@inner
def _write_block(
    report: Any, receiver: Any, scale: int, packet: NDArray[np.uint8], at: int, now: float
) -> int:
    """Write what came from the peer since the last report; return the octets.

    `scale` is the clock of the timestamps as a multiple of 8 kHz, in which jitter is kept.
    """
    if receiver.ssrc < 0:
        return 0
    expected = receiver.expected - report.expected_before
    received = receiver.received - report.received_before
    extended = report.extended + expected
    if report.stream == -1:
        first = (receiver.highest - receiver.expected + 1) & 0xFFFF
        extended = first + receiver.expected - 1
    elif report.stream != receiver.ssrc or (extended & 0xFFFF) != receiver.highest:
        extended = receiver.highest  # another stream, or its numbers began anew
    report.stream = receiver.ssrc
    report.extended = extended
    report.expected_before = receiver.expected
    report.received_before = receiver.received
    lost = expected - received
    fraction = min(lost * 256 // expected, 255) if expected > 0 and lost > 0 else 0
    in_all = min(max(receiver.expected - receiver.received, -_MOST_LOST - 1), _MOST_LOST)
    put_word(packet, at, receiver.ssrc)
    put_word(packet, at + 4, fraction << 24 | (in_all & 0xFFFFFF))
    put_word(packet, at + 8, extended)
    put_word(packet, at + 12, int(receiver.jitter * scale))
    put_word(packet, at + 16, report.last_sr)
    waited = int((now - report.last_sr_at) * 65536.0) if report.last_sr else 0
    put_word(packet, at + 20, waited)
    return _BLOCK_OCTETS


@inner
def _write_name(packet: NDArray[np.uint8], at: int, ssrc: int, seed: int) -> int:
    """The source description with our CNAME; return the octets."""
    packet[at], packet[at + 1] = 0x81, SOURCE_DESCRIPTION
    packet[at + 2], packet[at + 3] = 0, 6
    put_word(packet, at + 4, ssrc)
    packet[at + 8], packet[at + 9] = 1, _CNAME_OCTETS
    name = _hash(seed ^ ssrc)
    for i in range(_CNAME_OCTETS):
        digit = np.int64((name >> np.uint64(60 - 4 * i)) & np.uint64(15))
        packet[at + 10 + i] = 48 + digit if digit < 10 else 87 + digit
    packet[at + 26] = packet[at + 27] = 0
    return 28


@inner
def write_report(
    report: Any, leg: Any, receiver: Any, packet: NDArray[np.uint8], now: float, seed: int
) -> int:
    """Write the compound packet that is due on a leg; return its octets.

    The leg's SSRC, clock, packets and octets sent, and next timestamp are read; `seed` makes the CNAME.
    """
    sends = leg.sent != report.sent_before
    report.sent_before = leg.sent
    at = 28 if sends else 8
    octets = at + _write_block(report, receiver, max(leg.scale, 1), packet, at, now)
    packet[0] = 0x81 if octets > at else 0x80
    packet[1] = SENDER_REPORT if sends else RECEIVER_REPORT
    packet[2], packet[3] = 0, octets // 4 - 1
    put_word(packet, 4, leg.ssrc)
    if sends:
        ntp = now + report.ntp_offset
        put_word(packet, 8, int(ntp))
        put_word(packet, 12, int((ntp - int(ntp)) * 4294967296.0))
        put_word(packet, 16, leg.next_timestamp)
        put_word(packet, 20, leg.sent)
        put_word(packet, 24, leg.sent_octets)
    report.made += 1
    return octets + _write_name(packet, octets, leg.ssrc, seed)


@inner
def write_goodbye(
    report: Any, leg: Any, receiver: Any, packet: NDArray[np.uint8], now: float, seed: int
) -> int:
    """Write a last report and BYE; return the octets."""
    octets = write_report(report, leg, receiver, packet, now, seed)
    packet[octets], packet[octets + 1] = 0x81, GOODBYE
    packet[octets + 2], packet[octets + 3] = 0, 1
    put_word(packet, octets + 4, leg.ssrc)
    return octets + 8
