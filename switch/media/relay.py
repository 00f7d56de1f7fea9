"""Relay of plain bridges: at the wake that finds them, packets pass from leg to leg.

    source's packet                          listener's packet
    sequence, timestamp   + offset of the    sequence, timestamp
    SSRC, payload type    -- replaced by --  the listener's own
    payload               -- copied, or through the table between mu-law and A-law

What a listener is sent stays one stream with numbers without a gap, whoever made the packets: when
something else was sent in between, or the source's own numbers jump, the offsets are made anew.
Loss and disorder on the source's side show through, as they should.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from switch.media.codecs import TRANSCODE
from switch.media.gains import Plan
from switch.media.legs import NO_PAYLOAD_TYPE, LegColumns, Rows
from switch.media.packets import FRAME_OCTETS, PacketBuffer
from switch.media.ports import RtpWire
from switch.rtp.packet import HEADER_OCTETS, HeaderColumns, write_headers
from switch.rtp.stats import signed_difference

MAX_JUMP: Final = 100
"""A greater step of the sequence number is taken for a new stream."""
MARKER: Final = 0x80


class Relay:
    """Passes on one ready list after the other. Owns the buffer of what it sends."""

    def __init__(self, legs: LegColumns, wire: RtpWire) -> None:
        self._legs = legs
        self._wire = wire
        self._out = PacketBuffer(256)

    def pass_on(
        self,
        plan: Plan,
        arrived: PacketBuffer,
        rows: Rows,
        packets: Rows,
        headers: HeaderColumns,
        is_event: NDArray[np.bool_],
    ) -> tuple[int, int]:
        """Relay the packets of those `rows` that have listeners; return packets sent and dropped.

        Packet i of the headers came from leg `rows[i]` and lies in row `packets[i]` of `arrived`;
        the columns of `headers` and `is_event` are those of the rows.
        """
        legs = self._legs
        which, listeners = _listeners(plan, rows)
        usable = legs.sending[listeners] & ~legs.dialling[listeners]
        event = is_event[which]
        if event.any():
            unwanted = event & (legs.event_type[listeners] == NO_PAYLOAD_TYPE)
            legs.sequence_offset[listeners[unwanted]] -= 1
            usable &= ~unwanted
        if not usable.all():
            which, listeners, event = which[usable], listeners[usable], event[usable]
        count = len(which)
        if not count:
            return 0, 0
        length = headers.length[which]
        sequence, timestamp, fresh = self._number(
            listeners,
            headers.sequence[which],
            headers.timestamp[which],
            np.where(event, 0, length),
        )
        marker = headers.marker_and_type[which] & MARKER
        marker[fresh & ~event] = MARKER
        kind = np.where(event, legs.event_type[listeners], legs.payload_type[listeners])
        out = self._out = self._out.with_room(count)
        write_headers(
            out.words, (marker | kind).astype(np.int64), sequence, timestamp, legs.ssrc[listeners]
        )
        self._copy_payloads(arrived, packets[which], headers.start[which], length, count)
        self._transcode(rows[which], listeners, event, int(length.max()))
        sizes = length + HEADER_OCTETS
        if (sizes == FRAME_OCTETS).all():
            dropped = self._wire.send(listeners.tolist(), out.frame_views)
        else:
            views = [out.views[i][:size] for i, size in enumerate(sizes.tolist())]
            dropped = self._wire.send(listeners.tolist(), views)
        legs.sent[listeners] += 1
        return count - dropped, dropped

    def begin_streams(self, plan: Plan, sources: Rows) -> None:
        """The sources number their packets anew: so do the offsets of who hears them."""
        _, listeners = _listeners(plan, sources)
        self._legs.resync[listeners] = True

    def close_gaps(self, plan: Plan, sources: Rows) -> None:
        """One packet of each source is not passed on: the listeners shall not take it for lost."""
        _, listeners = _listeners(plan, sources)
        self._legs.sequence_offset[listeners] -= 1

    def _number(
        self, listeners: Rows, sequence: Rows, timestamp: Rows, samples: Rows
    ) -> tuple[Rows, Rows, NDArray[np.bool_]]:
        """Numbers for the listeners' streams; which of them take up a new offset."""
        legs = self._legs
        following = legs.next_sequence[listeners]
        step = signed_difference(sequence + legs.sequence_offset[listeners], following, 16)
        fresh = legs.resync[listeners] | (np.abs(step) > MAX_JUMP)
        if fresh.any():
            new = listeners[fresh]
            legs.sequence_offset[new] = following[fresh] - sequence[fresh]
            legs.timestamp_offset[new] = legs.next_timestamp[new] - timestamp[fresh]
            legs.resync[new] = False
            step[fresh] = 0
        timestamp = timestamp + legs.timestamp_offset[listeners]
        ahead = step >= 0
        moved = listeners[ahead]
        legs.next_sequence[moved] = (following[ahead] + step[ahead] + 1) & 0xFFFF
        legs.next_timestamp[moved] = (timestamp[ahead] + samples[ahead]) & 0xFFFFFFFF
        return following + step, timestamp, fresh

    def _copy_payloads(
        self, arrived: PacketBuffer, packets: Rows, start: Rows, length: Rows, count: int
    ) -> None:
        longest = int(length.max())
        if (start == HEADER_OCTETS).all():
            end = HEADER_OCTETS + longest
            self._out.octets[:count, HEADER_OCTETS:end] = arrived.octets[packets, HEADER_OCTETS:end]
            return
        for i, (packet, first, octets) in enumerate(
            zip(packets.tolist(), start.tolist(), length.tolist(), strict=True)
        ):
            self._out.octets[i, HEADER_OCTETS : HEADER_OCTETS + octets] = arrived.octets[
                packet, first : first + octets
            ]

    def _transcode(
        self, sources: Rows, listeners: Rows, event: NDArray[np.bool_], longest: int
    ) -> None:
        codec = self._legs.codec
        different = np.flatnonzero((codec[sources] != codec[listeners]) & ~event)
        if len(different):
            payload = self._out.octets[different, HEADER_OCTETS : HEADER_OCTETS + longest]
            self._out.octets[different, HEADER_OCTETS : HEADER_OCTETS + longest] = TRANSCODE[
                codec[sources[different]][:, None], payload
            ]


def _listeners(plan: Plan, rows: Rows) -> tuple[Rows, Rows]:
    """For each packet to be relayed: the index in `rows` of its source, and the listener's row."""
    count = plan.relay_count[rows]
    which = np.flatnonzero(count)
    if not len(which):
        return which, which
    listeners = plan.relay_listeners[plan.relay_start[rows[which]]]
    if int(count.max()) > 1:
        counts = count[which]
        which = np.repeat(which, counts)
        begins = np.cumsum(counts) - counts
        nth = np.arange(len(which)) - np.repeat(begins, counts)
        listeners = plan.relay_listeners[plan.relay_start[rows[which]] + nth]
    return which, listeners
