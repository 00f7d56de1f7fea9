"""The C heap of a process whose blocks shall lie close together: words for glibc, read at the start.

A session of libsrtp is a dozen small blocks. glibc keeps small blocks that were freed apart, for whoever
asks for the same size next (the caches of its threads, its fast bins), and does not join them to their
neighbours: once legs have come and gone, the blocks of a session are those of a dozen others, on as many
pages, and a packet costs nearly twice as much. Without these two a freed session is one piece again, and
the next one lies in it.
"""

from __future__ import annotations

import os
from typing import Final

_VARIABLE: Final = "GLIBC_TUNABLES"
_WORDS: Final = {
    "glibc.malloc.hugetlb": 1,  # 2.35: huge pages, where the kernel waits to be asked (madvise)
    "glibc.malloc.tcache_count": 0,
    "glibc.malloc.mxfast": 0,
}


def with_packed_heap() -> dict[str, str]:
    """Our environment for a child that shall have such a heap. What an administrator has set stays."""
    environment = dict(os.environ)
    said = environment.get(_VARIABLE, "")
    ours = [f"{word}={value}" for word, value in _WORDS.items() if word not in said]
    environment[_VARIABLE] = ":".join(filter(None, (said, *ours)))
    return environment
