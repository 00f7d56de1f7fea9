"""Relay of plain bridges: at the wake that finds it, a packet passes from leg to leg.

    source's packet                          listener's packet
    sequence, timestamp   + offset of the    sequence, timestamp
    SSRC, payload type    -- replaced by --  the listener's own
    payload               -- copied, or through the table between mu-law and A-law;
                             durations of telephone events at the listener's clock

What a listener is sent stays one stream with numbers without a gap, whoever made the packets: when
something else was sent in between, or the source's own numbers jump, the offsets are made anew.
Loss and disorder on the source's side show through, as they should.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from switch.compiled import inner
from switch.libc import copy_octets
from switch.media.codecs import OPUS, PCMA, PCMU, SILENCE
from switch.media.legs import NO_PAYLOAD_TYPE, Rows
from switch.media.opus import duration_of
from switch.rtp.packet import HEADER_OCTETS, Header, write_header
from switch.rtp.stats import signed_difference

MAX_JUMP: Final = 100
"""A greater step of the sequence number is taken for a new stream."""
MARKER: Final = 0x80
EVENT_OCTETS: Final = 4
ULAW_SILENCE: Final = int(SILENCE[PCMU])
ALAW_SILENCE: Final = int(SILENCE[PCMA])


@inner
def _number(leg: Any, header: Header, units: int) -> tuple[int, int, bool]:
    """Numbers for a packet of `units` in the listener's stream; whether it takes up a new offset."""
    following = leg.next_sequence
    step = signed_difference(header.sequence + leg.sequence_offset, following, 16)
    fresh = leg.resync or abs(step) > MAX_JUMP
    if fresh:
        leg.sequence_offset = following - header.sequence
        leg.timestamp_offset = leg.next_timestamp - header.timestamp
        leg.resync = False
        step = 0
    timestamp = header.timestamp + leg.timestamp_offset
    if step >= 0:
        leg.next_sequence = (following + step + 1) & 0xFFFF
        leg.next_timestamp = (timestamp + units) & 0xFFFFFFFF
    return following + step, timestamp, fresh


@inner
def pass_on(
    legs: NDArray[Any],
    source: int,
    listener: int,
    header: Header,
    is_event: bool,
    packet: NDArray[np.uint8],
    transcode: NDArray[np.uint8],
    out: NDArray[np.uint8],
) -> int:
    """Write the packet that `listener` is sent for one of `source` into `out`; return its octets, or 0.

    `transcode` is (2, 256), by the codec of the source.
    """
    leg = legs[listener]
    if not leg.sending or leg.dialling:
        return 0
    if is_event and leg.event_type == NO_PAYLOAD_TYPE:
        leg.sequence_offset -= 1
        return 0
    codec = legs[source].codec
    if not is_event and codec != leg.codec and max(codec, leg.codec) > PCMA:
        # One of the two has just changed its codec: the next tick mixes them.
        leg.sequence_offset -= 1
        return 0
    hushed = legs[source].hushed and not is_event
    if hushed and codec > PCMA:
        leg.sequence_offset -= 1
        return 0
    units = 0
    if not is_event:
        units = duration_of(packet, header.start, header.length) if codec == OPUS else header.length
    sequence, timestamp, fresh = _number(leg, header, units)
    kind = leg.event_type if is_event else leg.payload_type
    marker = MARKER if fresh and not is_event else header.marker_and_type & MARKER
    write_header(out, marker | kind, sequence, timestamp, leg.ssrc)
    if hushed:
        out[HEADER_OCTETS : HEADER_OCTETS + header.length] = (
            ULAW_SILENCE if leg.codec == PCMU else ALAW_SILENCE
        )
    elif is_event or codec == leg.codec:
        copy_octets(packet, header.start, out, HEADER_OCTETS, header.length)
        if (
            is_event
            and legs[source].event_scale != leg.event_scale
            and header.length >= EVENT_OCTETS
        ):
            rescale_duration(out, HEADER_OCTETS, legs[source].event_scale, leg.event_scale)
    else:
        other = transcode[codec]
        for i in range(header.length):
            out[HEADER_OCTETS + i] = other[packet[header.start + i]]
    leg.sent += 1
    leg.sent_octets += header.length
    return HEADER_OCTETS + header.length


@inner
def rescale_duration(packet: NDArray[np.uint8], start: int, scale: int, other: int) -> None:
    """Write the duration of the telephone event at `start` in units of another clock (RFC 4733)."""
    duration = int(packet[start + 2]) << 8 | int(packet[start + 3])
    duration = min(duration * other // scale, 0xFFFF)
    packet[start + 2] = duration >> 8
    packet[start + 3] = duration & 0xFF


@inner
def begin_stream(legs: NDArray[Any], listeners: Rows) -> None:
    """The source of these listeners numbers its packets anew: so do their offsets."""
    for listener in listeners:
        legs[listener].resync = True


@inner
def close_gap(legs: NDArray[Any], listeners: Rows) -> None:
    """One packet of their source is not passed on: these listeners shall not take it for lost."""
    for listener in listeners:
        legs[listener].sequence_offset -= 1
