"""How the newest sound of recordings is laid out: what who finishes their files has to know of it."""

from __future__ import annotations

from typing import Final

FRAME_OCTETS: Final = 320
"""20 ms of both sides, an octet a sample."""
BLOCK_FRAMES: Final = 35
"""0.7 s: a thousand recordings are some 30 blocks a tick."""
BLOCKS: Final = 2
RING_FRAMES: Final = BLOCKS * BLOCK_FRAMES
MOST_PATH_OCTETS: Final = 512
