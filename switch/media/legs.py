"""The legs as columns; rows are legs. What a leg sends is numbered here, whoever makes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from switch.ids import LegId
from switch.media.rows import RowPool, grow_columns
from switch.rtp.stats import ReceiverStats

FIRST_ROWS: Final = 64
NO_PAYLOAD_TYPE: Final = 255
"""Matches no packet: RTP has seven bits for it."""

Rows = NDArray[np.int64]


class LegColumns:
    """The arrays. Written by the engine and its parts, each column by the part named at it."""

    def __init__(self, rows: int) -> None:
        # Set by commands.
        self.active = np.zeros(rows, dtype=np.bool_)
        self.sending = np.zeros(rows, dtype=np.bool_)
        """Has a peer that wants to hear."""
        self.receiving = np.zeros(rows, dtype=np.bool_)
        """Has a peer that should be heard; its silence is a fault."""
        self.codec = np.zeros(rows, dtype=np.uint8)
        self.payload_type = np.full(rows, NO_PAYLOAD_TYPE, dtype=np.uint8)
        self.event_type = np.full(rows, NO_PAYLOAD_TYPE, dtype=np.uint8)
        """Payload type of telephone events."""
        # Set by whoever sends.
        self.ssrc = np.zeros(rows, dtype=np.int64)
        self.next_sequence = np.zeros(rows, dtype=np.int64)
        self.next_timestamp = np.zeros(rows, dtype=np.int64)
        self.sent = np.zeros(rows, dtype=np.int64)
        self.dialling = np.zeros(rows, dtype=np.bool_)
        """Digits are being sent in place of sound."""
        # Set by the relay, and by the tick to say that it sent in between.
        self.resync = np.zeros(rows, dtype=np.bool_)
        """The next relayed packet follows on what was sent last."""
        self.sequence_offset = np.zeros(rows, dtype=np.int64)
        self.timestamp_offset = np.zeros(rows, dtype=np.int64)
        # Set at the receipt.
        self.received = np.zeros(rows, dtype=np.int64)
        self.stray = np.zeros(rows, dtype=np.int64)
        self.peer_heard = np.zeros(rows, dtype=np.bool_)
        self.last_received = np.zeros(rows, dtype=np.float64)
        """Time of the last packet, or of the last change of what the leg should receive."""
        self.last_sound = np.full(rows, -1e9, dtype=np.float64)
        """Time of the last packet proper."""
        self.silence_reported = np.zeros(rows, dtype=np.bool_)
        self.wanted = np.zeros(rows, dtype=np.bool_)
        """Its frames are needed at the tick: it is mixed or recorded."""


class LegTable(LegColumns):
    """The columns, the names of the rows, and the receivers' statistics."""

    def __init__(self, random_u32: Callable[[], int]) -> None:
        super().__init__(FIRST_ROWS)
        self._random_u32 = random_u32
        self._pool = RowPool(FIRST_ROWS)
        self.rows: dict[LegId, int] = {}
        self.ids: dict[int, LegId] = {}
        self.stats = ReceiverStats(FIRST_ROWS)

    @property
    def capacity(self) -> int:
        """Rows that the columns have."""
        return self._pool.capacity

    def add(self, leg: LegId, now: float) -> int:
        """Take a row for a leg, with SSRC, first sequence number and timestamp at random."""
        row = self._pool.take()
        if row is None:
            self._pool.grow(2 * self.capacity)
            grow_columns(self, self.capacity)
            self.stats.grow(self.capacity)
            row = self._pool.take()
            assert row is not None
        self.rows[leg] = row
        self.ids[row] = leg
        self.stats.reset(row)
        for column in (self.sending, self.receiving, self.dialling, self.peer_heard):
            column[row] = False
        for counter in (self.sent, self.received, self.stray):
            counter[row] = 0
        self.silence_reported[row] = self.wanted[row] = False
        self.payload_type[row] = self.event_type[row] = NO_PAYLOAD_TYPE
        self.ssrc[row] = self._random_u32()
        self.next_sequence[row] = self._random_u32() & 0x7FFF
        self.next_timestamp[row] = self._random_u32()
        self.last_received[row] = now
        self.last_sound[row] = -1e9
        self.active[row] = self.resync[row] = True
        return row

    def remove(self, leg: LegId) -> int:
        """Take the leg out; its row can be used again after `release`."""
        row = self.rows.pop(leg)
        del self.ids[row]
        self.active[row] = self.sending[row] = self.receiving[row] = False
        self.payload_type[row] = self.event_type[row] = NO_PAYLOAD_TYPE
        return row

    def release(self, row: int) -> None:
        """Nothing refers to the row any more."""
        self._pool.give_back(row)

    def number_frames(self, rows: Rows, samples: int) -> tuple[Rows, Rows]:
        """The sequence numbers and timestamps of one packet for each of `rows`."""
        sequence = self.next_sequence[rows]
        timestamp = self.next_timestamp[rows]
        self.next_sequence[rows] = (sequence + 1) & 0xFFFF
        self.next_timestamp[rows] = (timestamp + samples) & 0xFFFFFFFF
        self.resync[rows] = True
        self.sent[rows] += 1
        return sequence, timestamp
