"""The receipt of packets: what a wake does.

ready sockets -> buffer, one packet a leg -> headers as columns

every packet       loss, jitter, last time heard
digits             -> events
plain bridges      -> relayed at once
mixed or recorded  -> the rings, for the next tick
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from switch.media.digits import Digits
from switch.media.events import DigitEnded, MediaEvent
from switch.media.gains import Plan
from switch.media.legs import LegTable, Rows
from switch.media.packets import ROW_OCTETS, PacketBuffer
from switch.media.peers import Peers
from switch.media.ports import RtpWire
from switch.media.receive_ring import ReceiveRings
from switch.media.relay import Relay
from switch.media.traffic import Traffic
from switch.rtp.packet import HeaderColumns, parse_headers


class Receipt:
    """Takes what came and hands it on. Owns the buffer of what arrives."""

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
        self._relay = Relay(legs, wire)
        self._arrived = PacketBuffer(legs.capacity)

    def take(self, plan: Plan, now: float, events: list[MediaEvent]) -> int:
        """Take one packet of every leg that has any; return how many there were.

        Digits that ended are appended to `events`.
        """
        arrived = self._arrived = self._arrived.with_room(self._legs.capacity)
        rows: list[int] = []
        sizes: list[int] = []
        strays = self._wire.receive(now, arrived.views, rows, sizes)
        if strays:
            self._peers.meet(strays)
        if rows:
            self._take(plan, np.array(rows), np.array(sizes), now, events)
        return len(rows)

    def _take(
        self, plan: Plan, rows: Rows, sizes: Rows, now: float, events: list[MediaEvent]
    ) -> None:
        legs = self._legs
        headers = parse_headers(self._arrived.octets, sizes)
        packets = np.arange(len(rows))
        self._traffic.received += len(rows)
        valid = headers.valid & (sizes < ROW_OCTETS)  # a longer datagram was cut
        if not valid.all():
            legs.stray[rows[~valid]] += 1
            packets = np.flatnonzero(valid)
            self._traffic.stray += len(rows) - len(packets)
            if not len(packets):
                return
            rows, headers = rows[packets], headers.of(packets)
        legs.received[rows] += 1
        legs.peer_heard[rows] = True
        legs.last_received[rows] = now
        legs.silence_reported[rows] = False
        restarted = legs.stats.update(rows, headers.sequence, headers.timestamp, headers.ssrc, now)
        kind = headers.marker_and_type & 0x7F
        is_event = kind == legs.event_type[rows]
        known = is_event | (kind == legs.payload_type[rows])
        if not known.all():
            # Comfort noise and the like: the peer lives, but there is nothing to be heard.
            self._relay.close_gaps(plan, rows[~known])
            chosen = np.flatnonzero(known)
            if not len(chosen):
                return
            rows, packets, headers = rows[chosen], packets[chosen], headers.of(chosen)
            is_event, restarted = is_event[chosen], restarted[chosen]
        legs.last_sound[rows] = now
        keyed = np.flatnonzero(is_event)
        for i in keyed.tolist():
            events += self._take_digit(int(rows[i]), int(packets[i]), headers, i, now)
        wanted = legs.wanted[rows] & ~is_event if len(keyed) else legs.wanted[rows]
        if wanted.any():
            self._keep(wanted, rows, packets, headers, restarted)
        if len(plan.relay_listeners):
            if restarted.any():
                self._relay.begin_streams(plan, rows[restarted])
            sent, dropped = self._relay.pass_on(
                plan, self._arrived, rows, packets, headers, is_event
            )
            self._traffic.count_sent(sent, dropped)

    def _take_digit(
        self, row: int, packet: int, headers: HeaderColumns, i: int, now: float
    ) -> list[DigitEnded]:
        start = int(headers.start[i])
        payload = bytes(self._arrived.views[packet][start : start + int(headers.length[i])])
        return self._digits.receive(row, payload, int(headers.timestamp[i]), now)

    def _keep(
        self,
        wanted: NDArray[np.bool_],
        rows: Rows,
        packets: Rows,
        headers: HeaderColumns,
        restarted: NDArray[np.bool_],
    ) -> None:
        """Put the wanted ones of these packets into the rings."""
        octets = self._arrived.octets
        timestamp, start, length = headers.timestamp, headers.start, headers.length
        if wanted.all():
            self._rings.push(rows, timestamp, restarted, octets, packets, start, length)
            return
        self._rings.push(
            rows[wanted], timestamp[wanted], restarted[wanted],
            octets, packets[wanted], start[wanted], length[wanted],
        )  # fmt: skip
