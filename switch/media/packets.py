"""Buffers of packets that are allocated once: rows are packets, as bytes, as words and as views."""

from __future__ import annotations

from typing import Final

import numpy as np

from switch.media.codecs import FRAME_SAMPLES
from switch.rtp.packet import HEADER_OCTETS

ROW_OCTETS: Final = 1024
"""120 ms of G.711, a header and an extension; a longer datagram is cut and then refused."""
FRAME_OCTETS: Final = HEADER_OCTETS + FRAME_SAMPLES


class PacketBuffer:
    """Room for packets. Owned by the engine; valid until its next wake or tick."""

    def __init__(self, rows: int) -> None:
        self.octets = np.zeros((rows, ROW_OCTETS), dtype=np.uint8)
        """(rows, 1024)"""
        self.words = self.octets.view(">u4")
        """(rows, 256), big-endian"""
        memory = self.octets.data.cast("B")
        self.views = [memory[i * ROW_OCTETS : (i + 1) * ROW_OCTETS] for i in range(rows)]
        self.frame_views = [view[:FRAME_OCTETS] for view in self.views]
        """The packets of one frame of G.711."""

    def __len__(self) -> int:
        return len(self.views)

    def with_room(self, rows: int) -> PacketBuffer:
        """This buffer when it has `rows` rows, or a larger one with nothing in it."""
        return self if rows <= len(self) else PacketBuffer(max(rows, 2 * len(self)))
