"""Buffers of packets that are allocated once: rows are packets."""

from __future__ import annotations

from typing import Final

import numpy as np

from switch.media.codecs import FRAME_SAMPLES
from switch.rtp.packet import HEADER_OCTETS

ROW_OCTETS: Final = 1536
"""Whatever fits into an Ethernet frame, DTLS too; a longer datagram is cut and then refused."""
FRAME_OCTETS: Final = HEADER_OCTETS + FRAME_SAMPLES
TRAILER_OCTETS: Final = 20
"""SRTP may add so many."""
FRAME_ROW_OCTETS: Final = 256
"""Room for a frame of ours in any codec. Thousands of them lie close together, so that the processor fetches
ahead what was written at the tick and is sent later."""


class PacketBuffer:
    """Room for packets and for what is known of them. Valid until the next wake or tick."""

    def __init__(self, rows: int, row_octets: int = ROW_OCTETS) -> None:
        self.octets = np.zeros((rows, row_octets), dtype=np.uint8)
        self.legs = np.zeros(rows, dtype=np.int64)
        """The row of the leg that a packet came from or goes to."""
        self.sizes = np.zeros(rows, dtype=np.int64)
        """Octets of the packet."""

    def __len__(self) -> int:
        return len(self.legs)

    def with_room(self, rows: int) -> PacketBuffer:
        """This buffer when it has `rows` rows, or a larger one with nothing in it."""
        if rows <= len(self):
            return self
        return PacketBuffer(max(rows, 2 * len(self)), self.octets.shape[1])
