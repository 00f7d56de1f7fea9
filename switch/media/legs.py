"""The legs as a table. What a leg sends is numbered here, whoever makes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from switch.compiled import INT, entry, table_of
from switch.ids import LegId
from switch.media.codecs import FRAME_MS, FRAME_SAMPLES
from switch.media.rows import RowPool, grown
from switch.rtp.packet import TIMESTAMP_MASK
from switch.rtp.stats import ReceiverStats

FIRST_ROWS: Final = 64
NO_PAYLOAD_TYPE: Final = 255
"""Matches no packet: RTP has seven bits for it."""

Rows = NDArray[np.int64]


LEG: Final = np.dtype(
    [
        # Set by commands.
        ("active", np.bool_),
        ("sending", np.bool_),  # has a peer that wants to hear
        ("paused_at", np.float64),  # when it last ceased to
        ("receiving", np.bool_),  # has a peer that should be heard; its silence is a fault
        ("codec", np.uint8),
        ("payload_type", np.uint8),  # of what it is sent
        ("handshakes", np.bool_),  # its peer may send STUN and DTLS
        ("event_type", np.uint8),  # payload type of telephone events that it is sent
        ("law", np.uint8),  # PCMU or PCMA: how its frames are kept inside
        ("scale", np.int64),  # units of its timestamps for a sample at 8 kHz
        ("event_scale", np.int64),  # the same of the durations of its telephone events
        ("hushes", np.bool_),  # digits that it keys by tones go on as events, and not in its sound
        ("heard_type", np.uint8),  # payload types of what comes from it: those of our own offer
        ("heard_event_type", np.uint8),
        # Set by whoever sends.
        ("dialling", np.bool_),  # digits are being sent in place of sound
        ("ssrc", np.int64),
        ("next_sequence", np.int64),
        ("next_timestamp", np.int64),
        ("sent", np.int64),
        ("sent_octets", np.int64),  # of payload
        # Set by the relay, and by the tick to say that it sent in between.
        ("resync", np.bool_),  # the next relayed packet follows on what was sent last
        ("sequence_offset", np.int64),
        ("timestamp_offset", np.int64),
        # Set at the receipt.
        ("received", np.int64),
        ("stray", np.int64),
        ("peer_heard", np.bool_),
        ("silence_reported", np.bool_),
        (
            "noise",
            np.uint8,
        ),  # comfort noise (RFC 3389) in place of sound: its level, -dBov, and one
        ("hushed", np.bool_),  # it keys by tones now that are not passed on; set at the tick
        ("wanted", np.bool_),  # its frames are needed at the tick: it is mixed or recorded
        ("last_received", np.float64),  # the last packet, or the last change of what should come
        ("last_sound", np.float64),  # the last packet proper
    ],
    align=True,
)
"""A leg as the compiled loops see it; times are monotonic seconds."""


class LegTable:
    """The legs, the names of their rows, and the receivers' statistics.

    Each field of `LEG` is also a column: `legs.codec[row]` is `legs.table[row]["codec"]`.
    """

    active: NDArray[np.bool_]
    sending: NDArray[np.bool_]
    paused_at: NDArray[np.float64]
    receiving: NDArray[np.bool_]
    codec: NDArray[np.uint8]
    payload_type: NDArray[np.uint8]
    event_type: NDArray[np.uint8]
    heard_type: NDArray[np.uint8]
    heard_event_type: NDArray[np.uint8]
    law: NDArray[np.uint8]
    scale: Rows
    event_scale: Rows
    handshakes: NDArray[np.bool_]
    dialling: NDArray[np.bool_]
    ssrc: Rows
    next_sequence: Rows
    next_timestamp: Rows
    sent: Rows
    sent_octets: Rows
    hushes: NDArray[np.bool_]
    resync: NDArray[np.bool_]
    received: Rows
    stray: Rows
    peer_heard: NDArray[np.bool_]
    silence_reported: NDArray[np.bool_]
    wanted: NDArray[np.bool_]
    last_received: NDArray[np.float64]
    last_sound: NDArray[np.float64]

    def __init__(self, random_u32: Callable[[], int]) -> None:
        self._random_u32 = random_u32
        self._pool = RowPool(FIRST_ROWS)
        self.rows: dict[LegId, int] = {}
        self.ids: dict[int, LegId] = {}
        self.stats = ReceiverStats(FIRST_ROWS)
        self._have(np.zeros(FIRST_ROWS, dtype=LEG))

    @property
    def capacity(self) -> int:
        """Rows that the columns have."""
        return self._pool.capacity

    def add(self, leg: LegId, now: float) -> int:
        """Take a row for a leg, with SSRC, first sequence number and timestamp at random."""
        row = self._pool.take()
        if row is None:
            self._pool.grow(2 * self.capacity)
            self._have(grown(self.table, self.capacity))
            self.stats.grow(self.capacity)
            row = self._pool.take()
            assert row is not None
        self.rows[leg] = row
        self.ids[row] = leg
        self.stats.reset(row)
        self.table[row] = 0
        self._agree_on_nothing(row)
        self.scale[row] = self.event_scale[row] = 1
        self.ssrc[row] = self._random_u32()
        self.next_sequence[row] = self._random_u32() & 0x7FFF
        self.next_timestamp[row] = self._random_u32()
        self.last_received[row] = now
        self.last_sound[row] = -1e9
        self.active[row] = self.resync[row] = True
        return row

    def let_send(self, row: int, *, on: bool, now: float) -> None:
        """The peer wants to hear something from now on, or no longer.

        Its timestamps go on with the time meanwhile (RFC 3550 section 5.1): it would take what comes after
        a hold for as late as the hold was long.
        """
        if self.sending[row] == on:
            return
        self.sending[row] = on
        if not on:
            self.paused_at[row] = now
        elif self.sent[row]:
            frames = round((now - float(self.paused_at[row])) * 1000 / FRAME_MS)
            self.next_timestamp[row] += frames * FRAME_SAMPLES * int(self.scale[row])
            self.next_timestamp[row] &= TIMESTAMP_MASK
            self.resync[row] = True

    def remove(self, leg: LegId) -> int:
        """Take the leg out; its row can be used again after `release`."""
        row = self.rows.pop(leg)
        del self.ids[row]
        self.active[row] = self.sending[row] = self.receiving[row] = False
        self._agree_on_nothing(row)
        return row

    def release(self, row: int) -> None:
        """Nothing refers to the row any more."""
        self._pool.give_back(row)

    def _agree_on_nothing(self, row: int) -> None:
        self.payload_type[row] = self.event_type[row] = NO_PAYLOAD_TYPE
        self.heard_type[row] = self.heard_event_type[row] = NO_PAYLOAD_TYPE

    def _have(self, table: NDArray[Any]) -> None:
        self.table = table
        for name in LEG.names or ():
            setattr(self, name, table[name])


@entry(table_of(LEG), INT, INT)
def number_frame(legs: NDArray[Any], row: int, samples: int) -> tuple[int, int]:
    """Sequence number and timestamp of the next packet that is not a relayed one, of `samples` at 8 kHz."""
    leg = legs[row]
    sequence = leg.next_sequence
    timestamp = leg.next_timestamp
    leg.next_sequence = (sequence + 1) & 0xFFFF
    leg.next_timestamp = (timestamp + samples * leg.scale) & 0xFFFFFFFF
    leg.resync = True
    leg.sent += 1
    return sequence, timestamp
