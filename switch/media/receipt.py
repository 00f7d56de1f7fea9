"""The receipt of packets: what a wake does.

ready sockets -> buffer, one packet a leg -> for each packet:

every packet       loss, jitter, last time heard
digits             -> events
plain bridges      -> relayed at once
mixed or recorded  -> the rings, for the next tick
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple, Protocol

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
    tuple_of,
)
from switch.media.codecs import PCMA, SAMPLE_RATE_HZ, TRANSCODE
from switch.media.coders import CODER_TABLES, Coders, CoderTables, take_coded
from switch.media.concealment import NOISE_TYPE
from switch.media.digits import Digits
from switch.media.events import MediaEvent
from switch.media.gains import Plan
from switch.media.legs import LEG, LegTable, Rows
from switch.media.packets import ROW_OCTETS, PacketBuffer
from switch.media.peers import Peers
from switch.media.portions import LaterTables
from switch.media.ports import RtpWire, Stray
from switch.media.receive_ring import RING, ReceiveRings, push_packet
from switch.media.relay import begin_stream, close_gap, pass_on
from switch.media.reports import LegReports
from switch.media.traffic import Traffic
from switch.rtp.packet import header_of
from switch.rtp.rtcp import REPORT, is_rtcp, take_report
from switch.rtp.stats import RECEIVER, count_packet

RELAYED: Final = 0
_STRAY: Final = 1
_OVERRUN: Final = 2
KEYED: Final = 3
MAX_NOISE: Final = 127
"""-dBov: the softest comfort noise there is."""
ASIDE: Final = 4


class ReceiptTables(NamedTuple):
    """Everything that `take_packets` reads and writes; valid until a table grows or the plan changes."""

    legs: NDArray[Any]
    receivers: NDArray[Any]
    rings: NDArray[Any]
    blocks: NDArray[np.uint8]
    filled: NDArray[np.bool_]
    relay_count: Rows
    relay_start: Rows
    relay_listeners: Rows
    transcode: NDArray[np.uint8]
    coders: CoderTables
    arrived: NDArray[np.uint8]
    """Packet i came from leg `rows[i]` and has `sizes[i]` octets."""
    rows: Rows
    sizes: Rows
    out: NDArray[np.uint8]
    """What is to be relayed, with the legs that it goes to and its sizes."""
    out_legs: Rows
    out_sizes: Rows
    keyed: Rows
    """Numbers of the packets that carry digits."""
    counts: Rows
    """Packets to be relayed, no RTP, too long or late for a ring, with digits, and put aside."""
    reports: NDArray[Any]
    aside: Rows
    """Numbers of the packets that are neither RTP nor RTCP, of legs that expect such."""


RECEIPT_TABLES: Final = tuple_of(
    ReceiptTables,
    table_of(LEG), table_of(RECEIVER), table_of(RING), OCTET_BLOCKS, FLAG_ROWS,
    INTS, INTS, INTS, OCTET_TABLE, CODER_TABLES, OCTET_ROWS, INTS, INTS, OCTET_ROWS, INTS, INTS,
    INTS, INTS, table_of(REPORT), INTS,
)  # fmt: skip


class Pause(NamedTuple):
    """The time until the next tick: packets are taken every `every_s` while it is not `until`, both s."""

    every_s: float
    until: float


class Relayed(NamedTuple):
    """What was done in a pause, and when it ended (monotonic, s)."""

    received: int
    sent: int
    """Passed on, or left over by the tick."""
    dropped: int
    """Of those."""
    strays: list[Stray]
    now: float


class RelayingWire(Protocol):
    """Sockets that can take and send on their own for a while."""

    def relay(self, tables: ReceiptTables, later: LaterTables, pause: Pause) -> Relayed:
        """Take packets and pass them on at intervals, and send a part of what waits at each.

        Ends when the pause does, and before when anything comes that is more than a packet of sound:
        a digit, a stranger, or what the sockets' owner waits for. Of packets with digits the last
        ones are left in the tables.
        """


class Receipt:
    """Takes what came and hands it on. Owns the buffers of what arrives and of what is relayed."""

    def __init__(
        self,
        legs: LegTable,
        wire: RtpWire,
        peers: Peers,
        digits: Digits,
        rings: ReceiveRings,
        coders: Coders,
        traffic: Traffic,
        reports: LegReports,
    ) -> None:
        self._legs = legs
        self._reports = reports
        self._wire = wire
        self._peers = peers
        self._digits = digits
        self._rings = rings
        self._coders = coders
        self._traffic = traffic
        self._arrived = PacketBuffer(2 * legs.capacity)
        """A packet of sound and one of RTCP of each leg."""
        self._out = PacketBuffer(legs.capacity)
        self._keyed = np.zeros(legs.capacity, dtype=np.int64)
        self._aside = np.zeros(legs.capacity, dtype=np.int64)
        self.aside: list[tuple[int, bytes]] = []
        """Packets that are neither RTP nor RTCP, and the rows they came to."""
        self._counts = np.zeros(5, dtype=np.int64)

    def take(self, plan: Plan, now: float, events: list[MediaEvent]) -> int:
        """Take one packet of every leg that has any; return how many there were.

        Digits that ended are appended to `events`.
        """
        self._make_room()
        count, strays = self._wire.receive(now, self._arrived)
        if strays:
            self._peers.meet(self._reports.meet(strays, now), now)
        if count:
            take_packets(self._tables(plan), count, now)
            relayed = int(self._counts[RELAYED])
            dropped = self._wire.send(self._out, 0, relayed) if relayed else 0
            self._account(count, relayed, dropped, now, events)
        return count

    def relay(
        self,
        plan: Plan,
        wire: RelayingWire,
        later: LaterTables,
        pause: Pause,
        events: list[MediaEvent],
    ) -> None:
        """Take packets at intervals for as long as nothing else is to be done; see `RelayingWire`."""
        self._make_room()
        done = wire.relay(self._tables(plan), later, pause)
        if done.strays:
            self._peers.meet(self._reports.meet(done.strays, done.now), done.now)
        self._account(done.received, done.sent, done.dropped, done.now, events)

    def _make_room(self) -> None:
        capacity = self._legs.capacity
        if len(self._arrived) < 2 * capacity:
            self._arrived = self._arrived.with_room(2 * capacity)
            # A leg hears at most one other plainly, so this holds whatever is relayed.
            self._out = self._out.with_room(capacity)
            self._keyed = np.zeros(capacity, dtype=np.int64)
            self._aside = np.zeros(capacity, dtype=np.int64)

    def _tables(self, plan: Plan) -> ReceiptTables:
        arrived, out, rings = self._arrived, self._out, self._rings
        self._counts[:] = 0
        return ReceiptTables(
            self._legs.table, self._legs.stats.table, rings.table, rings.blocks, rings.filled,
            plan.relay_count, plan.relay_start, plan.relay_listeners, TRANSCODE,
            self._coders.tables,
            arrived.octets, arrived.legs, arrived.sizes, out.octets, out.legs, out.sizes,
            self._keyed, self._counts, self._reports.table, self._aside,
        )  # fmt: skip

    def _account(
        self, received: int, sent: int, dropped: int, now: float, events: list[MediaEvent]
    ) -> None:
        """Add up what was done, and hear the digits of the packets that came last."""
        _, stray, overrun, keyed, aside = self._counts.tolist()
        traffic, arrived = self._traffic, self._arrived
        traffic.received += received
        traffic.stray += stray
        traffic.count_sent(sent - dropped, dropped)
        self._rings.overrun += overrun
        for packet in self._aside[:aside].tolist():
            octets = arrived.octets[packet, : arrived.sizes[packet]].tobytes()
            self.aside.append((int(arrived.legs[packet]), octets))
        for packet in self._keyed[:keyed].tolist():
            header = header_of(arrived.octets[packet], int(arrived.sizes[packet]))
            payload = arrived.octets[packet, header.start : header.start + header.length].tobytes()
            row = int(arrived.legs[packet])
            events += self._digits.receive(row, payload, header.timestamp, now)


@entry(RECEIPT_TABLES, INT, REAL)
def take_packets(tables: ReceiptTables, count: int, now: float) -> None:
    """Take `count` packets that have arrived, all of different legs, at `now` (monotonic, s).

    Those to be relayed and those with digits are counted from nothing, the others added up.
    """
    legs, counts = tables.legs, tables.counts
    counts[RELAYED] = counts[KEYED] = counts[ASIDE] = 0
    for i in range(count):
        row, size, packet = tables.rows[i], tables.sizes[i], tables.arrived[i]
        leg = legs[row]
        header = header_of(packet, size)
        if not header.valid or size >= ROW_OCTETS:  # a longer datagram was cut
            if size < ROW_OCTETS and is_rtcp(packet, size):
                peer_ssrc = tables.receivers[row].ssrc
                if take_report(tables.reports[row], leg.ssrc, peer_ssrc, packet, size, now):
                    continue
            if leg.handshakes and 0 < size < ROW_OCTETS and packet[0] < 64:
                tables.aside[counts[ASIDE]] = i
                counts[ASIDE] += 1
                continue
            leg.stray += 1
            counts[_STRAY] += 1
            continue
        leg.received += 1
        leg.peer_heard = True
        leg.last_received = now
        leg.silence_reported = False
        kind = header.marker_and_type & 0x7F
        # Peers whose answer has numbers of its own mostly, but not always, send with ours.
        is_event = kind == leg.heard_event_type or (
            kind == leg.event_type and kind != leg.heard_type
        )
        restarted = count_packet(
            tables.receivers, row, header.sequence, header.timestamp, header.ssrc, now,
            leg.scale * SAMPLE_RATE_HZ, is_event,
        )  # fmt: skip
        first = tables.relay_start[row]
        listeners = tables.relay_listeners[first : first + tables.relay_count[row]]
        if not is_event and kind != leg.heard_type and kind != leg.payload_type:
            # The peer lives, but there is nothing to be heard but noise.
            if kind == NOISE_TYPE and leg.scale == 1 and header.length > 0:
                leg.noise = min(int(packet[header.start]), MAX_NOISE) + 1
            close_gap(legs, listeners)
            continue
        leg.last_sound = now
        leg.noise = 0
        if is_event:
            tables.keyed[counts[KEYED]] = i
            counts[KEYED] += 1
        elif leg.wanted:
            overtaken = tables.receivers[row].highest != header.sequence
            if leg.codec <= PCMA:
                counts[_OVERRUN] += push_packet(
                    tables.rings, tables.blocks, tables.filled, row, header.timestamp, restarted,
                    overtaken, packet, header.start, header.length,
                )  # fmt: skip
            else:
                counts[_OVERRUN] += take_coded(
                    tables.coders, legs, tables.rings, tables.blocks, tables.filled, row, header,
                    restarted, overtaken, packet,
                )  # fmt: skip
        if restarted:
            begin_stream(legs, listeners)
        for listener in listeners:
            at = counts[RELAYED]
            octets = pass_on(
                legs, row, listener, header, is_event, packet, tables.transcode, tables.out[at]
            )
            if octets:
                tables.out_legs[at] = listener
                tables.out_sizes[at] = octets
                counts[RELAYED] += 1
