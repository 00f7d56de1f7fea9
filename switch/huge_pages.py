"""Memory on huge pages: what processes of many small objects spend on finding them is saved.

A call touches thousands of objects, and each page of 4 KiB has to be looked up before the first of them
is found; the processor remembers few of these look-ups. Linux moves memory onto pages of 2 MiB when it is
asked (MADV_COLLAPSE, kernel 6.1). Where it cannot, or was told never to, everything stays as it is.
"""

from __future__ import annotations

import ctypes
import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import Final

HUGE_OCTETS: Final = 2 << 20
"""Of one huge page."""
_COLLAPSE: Final = 25
"""MADV_COLLAPSE of linux/mman.h; Python's mmap does not name it."""
_PAGES: Final = HUGE_OCTETS // mmap.PAGESIZE
_ENABLED: Final = Path("/sys/kernel/mm/transparent_hugepage/enabled")
_MAPS: Final = Path("/proc/self/maps")

Range = tuple[int, int]
"""Addresses, the second one not included."""


def collapse() -> int:
    """Move this process's heap onto huge pages; returns the octets of which that was asked.

    Only where at least half of a huge page is in use already, so that memory can at most double. May
    wait for some milliseconds; the interpreter's lock is free meanwhile. Never raises.
    """
    try:
        if "[never]" in _ENABLED.read_text():
            return 0
        libc = ctypes.CDLL(None)
        advise, resident = libc.madvise, libc.mincore
        maps = _MAPS.read_text()
    except (OSError, AttributeError):  # no Linux, or no glibc
        return 0
    advise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    resident.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p]
    seen = ctypes.create_string_buffer(_PAGES)

    def is_in_use(block: int) -> bool:
        if resident(block, HUGE_OCTETS, seen):
            return False  # gone since the list was read
        return 2 * sum(page & 1 for page in seen.raw) >= _PAGES

    asked = 0
    for start, end in runs(block for block in blocks(maps) if is_in_use(block)):
        advise(start, end - start, _COLLAPSE)  # what it leaves out stays as it is
        asked += end - start
    return asked


def blocks(maps: str) -> Iterator[int]:
    """The addresses of what may become huge pages: all of the heap, as `/proc/self/maps` has it."""
    for line in maps.splitlines():
        addresses, rights, _, _, inode, *name = line.split(maxsplit=5)
        if rights != "rw-p" or inode != "0" or not _is_heap(*name):
            continue
        start, end = (int(address, 16) for address in addresses.split("-"))
        first = -(-start // HUGE_OCTETS) * HUGE_OCTETS
        yield from range(first, end - HUGE_OCTETS + 1, HUGE_OCTETS)


def _is_heap(name: str = "") -> bool:
    return name in ("", "[heap]") or name.startswith("[anon")


def runs(found: Iterator[int]) -> Iterator[Range]:
    """Blocks that stand side by side as one range: each request costs the kernel's other processors."""
    start = end = 0
    for block in found:
        if block != end:
            if end:
                yield start, end
            start = block
        end = block + HUGE_OCTETS
    if end:
        yield start, end
