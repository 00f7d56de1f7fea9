"""RTCP of all legs: what is due is written and sent in one loop, what came is judged.

    tick    due legs -> a report each -> their RTCP sockets, or the RTP ones where both share a port
    wake    reports that came are read by the receipt (receipt.py) into the table
    due     loss and delay of both directions -> MOS; a leg whose MOS changed is told of

What comes too late to be heard is no loss to RTCP (RFC 3550 section 6.4.1), but is to the ear: the score
counts it where a leg has a ring, whose packets can be late.

A leg without a shared port gets its RTCP socket when its first report is due, some seconds after it began:
a short call never has one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from switch.compiled import INT, INTS, OCTET_ROWS, REAL, REALS, entry, inner, table_of
from switch.media.codecs import CODEC_BY_NAME
from switch.media.events import LegJudged, Quality
from switch.media.legs import LEG, LegTable, Rows
from switch.media.packets import PacketBuffer
from switch.media.ports import RtpWire, Stray
from switch.media.receive_ring import RING, ReceiveRings
from switch.media.rows import grown
from switch.rtp.e_model import IMPAIRMENTS, PLAIN_G711, mos
from switch.rtp.rtcp import REPORT, take_report, wait_for_next, write_goodbye, write_report
from switch.rtp.stats import CLOCK_RATE_HZ, RECEIVER

MOST_AT_ONCE: Final = 64
"""Reports of one tick; the rest is due at the next."""
NOTICEABLE: Final = 0.3
"""A change of the MOS that is told."""
FRAME_MS: Final = 20.0
BUFFER_MS: Final = 40.0
"""A usual jitter buffer at the hearing end, where that of the peer is not known."""
_NTP_EPOCH_S: Final = 2_208_988_800
"""From 1900 to 1970."""
_BEST: Final = mos(0.0, 1.0, 0.0, 0.0)
_FEW: Final = 50
"""Packets; with fewer no share of lost ones means anything."""


def _impairments() -> NDArray[np.float64]:
    table = np.empty((max(CODEC_BY_NAME.values()) + 1, 2))
    table[:] = PLAIN_G711
    for name, number in CODEC_BY_NAME.items():
        table[number] = IMPAIRMENTS.get(name, PLAIN_G711)
    return table


_IMPAIRMENTS: Final = _impairments()
"""Ie and Bpl, by codec."""
CODEC_FACTORS: Final = np.ascontiguousarray(_IMPAIRMENTS[:, 0], dtype=np.float32)
CODEC_ROBUSTNESS: Final = np.ascontiguousarray(_IMPAIRMENTS[:, 1], dtype=np.float32)


class LegReports:
    """The REPORTs of all legs, rows as in the leg table."""

    def __init__(
        self,
        legs: LegTable,
        rings: ReceiveRings,
        wire: RtpWire,
        random_u32: Callable[[], int],
        wall: Callable[[], float],
    ) -> None:
        """`wall` gives seconds since 1970: the sender reports carry them."""
        self._legs = legs
        self._rings = rings
        self._wire = wire
        self._seed = random_u32() << 31 ^ random_u32()
        self._wall = wall
        self.table = np.zeros(legs.capacity, dtype=REPORT)
        self._named: dict[int, tuple[str, int]] = {}
        """Where reports go that do not go the way of the sound, by row."""
        self._out = PacketBuffer(MOST_AT_ONCE)
        self._unopened = np.zeros(MOST_AT_ONCE, dtype=np.int64)
        self._judged = np.zeros(MOST_AT_ONCE, dtype=np.int64)
        self._now = 0.0
        """Of the last tick."""
        self._running = 0
        """Legs that exchange reports."""

    def make_room(self) -> None:
        """Have a row for every leg."""
        if len(self.table) < self._legs.capacity:
            self.table = grown(self.table, self._legs.capacity)

    def begin(self, row: int) -> None:
        """Begin anew with a row."""
        self.make_room()
        self.table[row] = 0
        report = self.table[row]
        report["stream"] = -1
        report["round_trip"] = -1.0
        report["told_mos"] = _BEST  # a good leg is not spoken of

    def configure(self, row: int, remote: tuple[str, int] | None, now: float) -> None:
        """Exchange reports with a leg's peer: at an address of its own, or (None) where its sound goes."""
        table = self.table
        if remote is None:
            self._named.pop(row, None)
            self._wire.share_reports(row)
        elif self._named.get(row) != remote:
            self._wire.close_reports(row)  # or the shared way
            self._named[row] = remote
            if table["made"][row]:  # the first report is long since made, and with it the socket
                self._wire.open_reports(row, *remote)
        if not table["runs"][row]:
            table["ntp_offset"][row] = self._wall() + _NTP_EPOCH_S - now
            ssrc = int(self._legs.ssrc[row])
            table["next_at"][row] = now + first_wait(self._seed, ssrc)
            table["runs"][row] = True
            self._running += 1

    def end(self, row: int) -> None:
        """The leg ends: say goodbye where anything was said before."""
        report = self.table[row]
        if report["runs"] and report["made"] and not report["gone"]:
            size = make_goodbye(
                self.table, self._legs.table, self._legs.stats.table, row, self._out.octets,
                self._now, self._seed,
            )  # fmt: skip
            self._out.legs[0], self._out.sizes[0] = row, size
            self._wire.send_reports(self._out, 1)
        self._running -= int(report["runs"])
        report["runs"] = False
        self._named.pop(row, None)

    def meet(self, strays: Sequence[Stray], now: float) -> list[Stray]:
        """Let those RTCP sockets know their peers to which these came; return the strays of others.

        A report is the peer's when it comes from where signalling said, or speaks for the stream that the
        peer's sound is (its number is a secret of 32 bits to everybody else).
        """
        others = []
        for stray in strays:
            row = stray.row
            if not stray.is_report or not self.table["runs"][row]:
                others.append(stray)
                continue
            speaker = int.from_bytes(stray.data[4:8])
            peer_ssrc = int(self._legs.stats.table[row]["ssrc"])
            size = min(len(stray.data), self._out.octets.shape[1] - 1)
            self._out.octets[0, :size] = np.frombuffer(stray.data, dtype=np.uint8, count=size)
            is_peer = stray.source == self._named.get(row) or speaker == peer_ssrc
            if is_peer and take_one(
                self.table,
                self._legs.table,
                self._legs.stats.table,
                row,
                self._out.octets,
                size,
                now,
            ):
                self._wire.connect_reports(row, *stray.source)
            else:
                others.append(stray)
        return others

    def tick(self, now: float) -> list[LegJudged]:
        """Send what is due; return the legs whose quality has changed."""
        self._now = now
        if not self._running:
            return []
        out, legs = self._out, self._legs
        made, unopened, judged = make_reports(
            self.table, legs.table, legs.stats.table, self._rings.table, CODEC_FACTORS, CODEC_ROBUSTNESS,
            out.octets, out.legs, out.sizes, self._unopened, self._judged, now, self._seed,
        )  # fmt: skip
        if made:
            for row in self._unopened[:unopened].tolist():
                if row in self._named:
                    self._wire.open_reports(row, *self._named[row])
            self._wire.send_reports(out, made)
        return [
            LegJudged(
                leg=legs.ids[row], quality=self.quality(row), mos=float(self.table[row]["mos"])
            )
            for row in self._judged[:judged].tolist()
        ]

    def quality(self, row: int) -> Quality:
        """What both sides found so far; the MOS is that of the whole call."""
        report, receiver = self.table[row], self._legs.stats.table[row]
        codec = int(self._legs.codec[row])
        expected = int(receiver["expected"])
        late = int(self._rings.table[row]["late"])
        unheard = min(max(0, expected - int(receiver["received"]) + late), expected)
        sent = int(self._legs.sent[row])
        remote_lost = min(max(0, int(report["remote_lost"])), sent)
        heard = bool(report["remote_at"])
        trip = float(report["round_trip"])
        remote_jitter = int(report["remote_jitter"]) / max(int(self._legs.scale[row]), 1)
        ways = []
        if expected >= _FEW:
            ways.append((unheard / expected, float(receiver["jitter"])))
        if heard and sent >= _FEW:
            ways.append((remote_lost / sent, remote_jitter))
        scores = [
            mos(
                float(CODEC_FACTORS[codec]), float(CODEC_ROBUSTNESS[codec]),
                100.0 * share, one_way_ms(trip, jitter),
            )
            for share, jitter in ways
        ]  # fmt: skip
        return Quality(
            rtt_ms=None if trip < 0 else round(1000 * trip, 1),
            remote_lost=remote_lost if heard else None,
            remote_jitter_ms=(round(1000 * remote_jitter / CLOCK_RATE_HZ, 3) if heard else None),
            mos=round(min(scores), 2) if scores else None,
        )


@entry(INT, INT)
def first_wait(seed: int, ssrc: int) -> float:
    """Seconds from the begin of a leg to its first report."""
    return wait_for_next(seed, ssrc, 0)


@entry(REAL, REAL)
def one_way_ms(round_trip_s: float, jitter: float) -> float:
    """From mouth to ear: half the way there and back, a frame, and a buffer for the jitter.

    A round trip that is not known (negative) counts as none; jitter is in samples at 8 kHz.
    """
    trip = max(round_trip_s, 0.0)
    return 500.0 * trip + FRAME_MS + max(BUFFER_MS, 2000.0 * jitter / CLOCK_RATE_HZ)


@inner
def _share_unheard(report: Any, receiver: Any, ring: Any) -> float:
    """Of the packets expected since the last report, those that never came or came too late: 0 to 1."""
    expected = receiver.expected - report.expected_before
    unheard = expected - (receiver.received - report.received_before)
    unheard += ring.late - report.late_before
    report.late_before = ring.late
    return min(max(unheard, 0) / expected, 1.0) if expected > 0 else 0.0


@inner
def _judge(
    report: Any, leg: Any, receiver: Any, unheard: float, factors: Any, robustness: Any, now: float
) -> float:
    """The MOS of the last few seconds, the worse of both directions; 0: nothing was heard."""
    factor, bears = np.float64(factors[leg.codec]), np.float64(robustness[leg.codec])
    found = 0.0
    if receiver.expected >= _FEW:
        delay = one_way_ms(report.round_trip, receiver.jitter)
        found = mos(factor, bears, 100.0 * unheard, delay)
    if report.remote_at > 0.0 and now - report.remote_at < 15.0:
        delay = one_way_ms(report.round_trip, report.remote_jitter / max(leg.scale, 1))
        other = mos(factor, bears, 100.0 * report.remote_fraction, delay)
        found = min(found, other) if found > 0.0 else other
    return found


@entry(
    table_of(REPORT), table_of(LEG), table_of(RECEIVER), table_of(RING), REALS, REALS,
    OCTET_ROWS, INTS, INTS, INTS, INTS, REAL, INT,
)  # fmt: skip
def make_reports(
    reports: NDArray[Any],
    legs: NDArray[Any],
    receivers: NDArray[Any],
    rings: NDArray[Any],
    factors: NDArray[np.float32],
    robustness: NDArray[np.float32],
    out: NDArray[np.uint8],
    out_legs: Rows,
    out_sizes: Rows,
    unopened: Rows,
    judged: Rows,
    now: float,
    seed: int,
) -> tuple[int, int, int]:
    """Write what is due; return how many reports, first reports, and legs whose MOS changed."""
    made = first = told = 0
    for row in range(len(reports)):
        report = reports[row]
        if not report.runs or now < report.next_at:
            continue
        if made == len(out_legs):
            break
        leg, receiver = legs[row], receivers[row]
        if report.made == 0:
            unopened[first] = row
            first += 1
        unheard = _share_unheard(report, receiver, rings[row])
        out_sizes[made] = write_report(report, leg, receiver, out[made], now, seed)
        out_legs[made] = row
        made += 1
        report.next_at = now + wait_for_next(seed, leg.ssrc, report.made)
        report.mos = _judge(report, leg, receiver, unheard, factors, robustness, now)
        if report.mos > 0.0 and abs(report.mos - report.told_mos) >= NOTICEABLE:
            report.told_mos = report.mos
            judged[told] = row
            told += 1
    return made, first, told


@entry(table_of(REPORT), table_of(LEG), table_of(RECEIVER), INT, OCTET_ROWS, INT, REAL)
def take_one(
    reports: NDArray[Any],
    legs: NDArray[Any],
    receivers: NDArray[Any],
    row: int,
    packet: NDArray[np.uint8],
    size: int,
    now: float,
) -> bool:
    """Take the RTCP in the first row of `packet`; False: it is none."""
    return take_report(reports[row], legs[row].ssrc, receivers[row].ssrc, packet[0], size, now)


@entry(table_of(REPORT), table_of(LEG), table_of(RECEIVER), INT, OCTET_ROWS, REAL, INT)
def make_goodbye(
    reports: NDArray[Any],
    legs: NDArray[Any],
    receivers: NDArray[Any],
    row: int,
    out: NDArray[np.uint8],
    now: float,
    seed: int,
) -> int:
    """Write a leg's last packet into the first row of `out`; return its octets."""
    return write_goodbye(reports[row], legs[row], receivers[row], out[0], now, seed)
