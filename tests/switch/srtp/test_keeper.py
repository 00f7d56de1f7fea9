"""The sessions of all legs lie close together, whatever the heap of the process looks like."""

from __future__ import annotations

import ctypes
import os
import random
import subprocess
import sys
from pathlib import Path

from switch.srtp.keeper import SessionKeeper

ROOT = Path(__file__).parents[3]
LEGS = 40
SUITE = "AES_CM_128_HMAC_SHA1_80"
NEAR = 1 << 20


def heap_full_of_gaps() -> list[int]:
    """Blocks of the C heap, with as many gaps between them, given back in no order."""
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    libc.malloc.argtypes = [ctypes.c_size_t]
    libc.free.argtypes = [ctypes.c_void_p]
    draw = random.Random(1)
    blocks = [libc.malloc(draw.choice((40, 72, 120, 184, 296, 488))) for _ in range(100_000)]
    gaps = blocks[::2]
    draw.shuffle(gaps)
    for gap in gaps:
        libc.free(gap)
    return blocks[1::2]


def spread() -> int:
    """Octets from the first session to the last, in this process."""
    blocks = heap_full_of_gaps()
    keeper = SessionKeeper()
    keeper.make_room(LEGS)
    for row in range(LEGS):
        keeper.key(row, SUITE, os.urandom(30), os.urandom(30))
    where = {int(keeper.crypts[row][way]) for row in range(LEGS) for way in ("inbound", "outbound")}
    assert len(where) == 2 * LEGS
    assert blocks
    keeper.close()
    return max(where) - min(where)


def test_sessions_lie_side_by_side_in_a_heap_full_of_gaps() -> None:
    """In a process of its own: threads of other tests leave heaps behind that are used again."""
    program = "from tests.switch.srtp.test_keeper import spread; print(spread())"
    done = subprocess.run(
        (sys.executable, "-c", program), cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert int(done.stdout) < NEAR
