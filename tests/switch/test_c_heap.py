"""A child's C heap lies on huge pages, and what was freed is one piece again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from switch.c_heap import with_packed_heap

ENABLED = Path("/sys/kernel/mm/transparent_hugepage/enabled")
FREED = """
import ctypes
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
blocks = [libc.malloc(64) for _ in range(5000)]
for block in blocks[1000:4000]:
    libc.free(block)
print(blocks[1000] <= libc.malloc(900) < blocks[4000])
"""
"""Is there room for something larger where only small blocks were?"""


def test_the_heap_of_a_child_lies_on_huge_pages_from_its_start() -> None:
    """The C library marks what `malloc` takes (`hg` among its flags) where the kernel waits to be asked."""
    heap = _child("print(open('/proc/self/smaps').read())", with_packed_heap()).partition("[heap]")[
        2
    ]
    flags = heap[heap.index("VmFlags:") :].partition("\n")[0].split()
    assert ("hg" in flags) == ("[madvise]" in ENABLED.read_text())


def test_small_blocks_that_were_freed_are_one_piece_again() -> None:
    assert _child(FREED, with_packed_heap()).strip() == "True"


def test_what_is_set_for_the_c_library_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = "glibc.malloc.hugetlb=1:glibc.malloc.tcache_count=0:glibc.malloc.mxfast=0"
    monkeypatch.delenv("GLIBC_TUNABLES", raising=False)
    assert with_packed_heap()["GLIBC_TUNABLES"] == ours
    monkeypatch.setenv("GLIBC_TUNABLES", "glibc.malloc.arena_max=2")
    assert with_packed_heap()["GLIBC_TUNABLES"] == f"glibc.malloc.arena_max=2:{ours}"
    monkeypatch.setenv("GLIBC_TUNABLES", "glibc.malloc.hugetlb=0:glibc.malloc.mxfast=64")
    said = "glibc.malloc.hugetlb=0:glibc.malloc.mxfast=64:glibc.malloc.tcache_count=0"
    assert with_packed_heap()["GLIBC_TUNABLES"] == said


def _child(program: str, environment: dict[str, str]) -> str:
    child = (sys.executable, "-c", program)
    return subprocess.run(child, env=environment, check=True, capture_output=True, text=True).stdout
