"""The receipt of packets: what a wake does.

ready sockets -> buffer, one packet a leg -> for each packet:

every packet       loss, jitter, last time heard
digits             -> events
plain bridges      -> relayed at once
mixed or recorded  -> the rings, for the next tick
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from switch.compiled import (
    FLAG_ROWS,
    INT,
    INTS,
    OCTET_BLOCKS,
    OCTET_ROWS,
    OCTET_TABLE,
    REAL,
    entry,
    table_of,
)
from switch.media.codecs import TRANSCODE
from switch.media.digits import Digits
from switch.media.events import MediaEvent
from switch.media.gains import Plan
from switch.media.legs import LEG, LegTable, Rows
from switch.media.packets import ROW_OCTETS, PacketBuffer
from switch.media.peers import Peers
from switch.media.ports import RtpWire
from switch.media.receive_ring import RING, ReceiveRings, push_packet
from switch.media.relay import begin_stream, close_gap, pass_on
from switch.media.traffic import Traffic
from switch.rtp.packet import header_of
from switch.rtp.stats import RECEIVER, count_packet

_RELAYED: Final = 0
_STRAY: Final = 1
_OVERRUN: Final = 2
_KEYED: Final = 3


class Receipt:
    """Takes what came and hands it on. Owns the buffers of what arrives and of what is relayed."""

    def __init__(
        self,
        legs: LegTable,
        wire: RtpWire,
        peers: Peers,
        digits: Digits,
        rings: ReceiveRings,
        traffic: Traffic,
    ) -> None:
        self._legs = legs
        self._wire = wire
        self._peers = peers
        self._digits = digits
        self._rings = rings
        self._traffic = traffic
        self._arrived = PacketBuffer(legs.capacity)
        self._out = PacketBuffer(legs.capacity)
        self._keyed = np.zeros(legs.capacity, dtype=np.int64)
        self._counts = np.zeros(4, dtype=np.int64)

    def take(self, plan: Plan, now: float, events: list[MediaEvent]) -> int:
        """Take one packet of every leg that has any; return how many there were.

        Digits that ended are appended to `events`.
        """
        capacity = self._legs.capacity
        if len(self._arrived) < capacity:
            self._arrived = self._arrived.with_room(capacity)
            # A leg hears at most one other plainly, so this holds whatever is relayed.
            self._out = self._out.with_room(capacity)
            self._keyed = np.zeros(capacity, dtype=np.int64)
        arrived = self._arrived
        count, strays = self._wire.receive(now, arrived)
        if strays:
            self._peers.meet(strays)
        if count:
            self._take(plan, count, now, events)
        return count

    def _take(self, plan: Plan, count: int, now: float, events: list[MediaEvent]) -> None:
        arrived, out, rings, counts = self._arrived, self._out, self._rings, self._counts
        take_packets(
            self._legs.table, self._legs.stats.table, rings.table, rings.blocks, rings.filled,
            plan.relay_count, plan.relay_start, plan.relay_listeners, TRANSCODE,
            arrived.octets, arrived.legs, arrived.sizes, count, now,
            out.octets, out.legs, out.sizes, self._keyed, counts,
        )  # fmt: skip
        relayed, stray, overrun, keyed = counts.tolist()
        self._traffic.received += count
        self._traffic.stray += stray
        rings.overrun += overrun
        if relayed:
            dropped = self._wire.send(out, 0, relayed)
            self._traffic.count_sent(relayed - dropped, dropped)
        for packet in self._keyed[:keyed].tolist():
            header = header_of(arrived.octets[packet], int(arrived.sizes[packet]))
            payload = arrived.octets[packet, header.start : header.start + header.length].tobytes()
            events += self._digits.receive(
                int(arrived.legs[packet]), payload, header.timestamp, now
            )


@entry(
    table_of(LEG), table_of(RECEIVER), table_of(RING), OCTET_BLOCKS, FLAG_ROWS,
    INTS, INTS, INTS, OCTET_TABLE,
    OCTET_ROWS, INTS, INTS, INT, REAL,
    OCTET_ROWS, INTS, INTS, INTS, INTS,
)  # fmt: skip
def take_packets(
    legs: NDArray[Any],
    receivers: NDArray[Any],
    rings: NDArray[Any],
    blocks: NDArray[np.uint8],
    filled: NDArray[np.bool_],
    relay_count: Rows,
    relay_start: Rows,
    relay_listeners: Rows,
    transcode: NDArray[np.uint8],
    arrived: NDArray[np.uint8],
    rows: Rows,
    sizes: Rows,
    count: int,
    now: float,
    out: NDArray[np.uint8],
    out_legs: Rows,
    out_sizes: Rows,
    keyed: Rows,
    counts: Rows,
) -> None:
    """Take `count` packets, packet i of leg `rows[i]` in `arrived[i]`, all of different legs.

    What is to be relayed is written to `out`, `out_legs` and `out_sizes`, the numbers of packets that
    carry digits to `keyed`. `counts` becomes: packets to be relayed, no RTP, too long or late for a
    ring, and with digits.
    """
    counts[:] = 0
    for i in range(count):
        row, size, packet = rows[i], sizes[i], arrived[i]
        leg = legs[row]
        header = header_of(packet, size)
        if not header.valid or size >= ROW_OCTETS:  # a longer datagram was cut
            leg.stray += 1
            counts[_STRAY] += 1
            continue
        leg.received += 1
        leg.peer_heard = True
        leg.last_received = now
        leg.silence_reported = False
        restarted = count_packet(
            receivers, row, header.sequence, header.timestamp, header.ssrc, now
        )
        first = relay_start[row]
        listeners = relay_listeners[first : first + relay_count[row]]
        kind = header.marker_and_type & 0x7F
        is_event = kind == leg.event_type
        if not is_event and kind != leg.payload_type:
            # Comfort noise and the like: the peer lives, but there is nothing to be heard.
            close_gap(legs, listeners)
            continue
        leg.last_sound = now
        if is_event:
            keyed[counts[_KEYED]] = i
            counts[_KEYED] += 1
        elif leg.wanted:
            counts[_OVERRUN] += push_packet(
                rings, blocks, filled, row, header.timestamp, restarted,
                packet, header.start, header.length,
            )  # fmt: skip
        if restarted:
            begin_stream(legs, listeners)
        for listener in listeners:
            at = counts[_RELAYED]
            octets = pass_on(legs, row, listener, header, is_event, packet, transcode, out[at])
            if octets:
                out_legs[at] = listener
                out_sizes[at] = octets
                counts[_RELAYED] += 1
