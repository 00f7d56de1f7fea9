"""Functions of the C library in compiled loops."""

from __future__ import annotations

import platform
from typing import Final

import numpy as np
from numba import types
from numpy.typing import NDArray

from switch.compiled import INT, INTS, OCTETS, entry, external, inner

EPOLL_EVENT: Final = np.dtype(
    # Packed on this one architecture, so that 32-bit programs can share it (epoll_ctl(2)).
    {"names": ["events", "fd"], "formats": [np.uint32, np.int32], "offsets": [0, 4], "itemsize": 12}
    if platform.machine() == "x86_64"
    else {
        "names": ["events", "fd"],
        "formats": [np.uint32, np.int32],
        "offsets": [0, 8],
        "itemsize": 16,
    }
)
"""What `epoll_wait` writes; its 64 bits of data begin with the file descriptor that was registered."""

recv: Final = external("recv", types.intp, types.int32, types.intp, types.uintp, types.int32)
send: Final = external("send", types.intp, types.int32, types.intp, types.uintp, types.int32)
sendto: Final = external(
    "sendto",
    *(types.intp, types.int32, types.intp, types.uintp, types.int32, types.intp, types.uint32),
)
epoll_wait: Final = external(
    "epoll_wait", types.int32, types.int32, types.intp, types.int32, types.int32
)
_write: Final = external("write", types.intp, types.int32, types.intp, types.uintp)
_memcpy: Final = external("memcpy", types.intp, types.intp, types.intp, types.uintp)
_clock_gettime: Final = external("clock_gettime", types.int32, types.int32, types.intp)
_clock_nanosleep: Final = external(
    "clock_nanosleep", types.int32, types.int32, types.int32, types.intp, types.intp
)
_CLOCK_MONOTONIC: Final = 1
_TIMER_ABSTIME: Final = 1


@inner
def copy_octets(
    source: NDArray[np.uint8], start: int, out: NDArray[np.uint8], at: int, count: int
) -> None:
    """Copy `count` octets of `source` from `start` on into `out` from `at` on; nobody looks whether they fit.

    A loop asks at each octet whether its index is negative, and takes several times as long.
    """
    _memcpy(np.int64(out.ctypes.data) + at, np.int64(source.ctypes.data) + start, count)


@inner
def monotonic(timespec: NDArray[np.int64]) -> float:
    """What `time.monotonic` says, in seconds. `timespec` is room for two values."""
    _clock_gettime(_CLOCK_MONOTONIC, timespec.ctypes.data)
    return float(timespec[0] + timespec[1] * 1e-9)


@inner
def sleep_until(timespec: NDArray[np.int64], when: float) -> None:
    """Sleep until a monotonic time in seconds; a signal may end it before."""
    timespec[0] = int(when)
    timespec[1] = int((when - int(when)) * 1e9)
    _clock_nanosleep(_CLOCK_MONOTONIC, _TIMER_ABSTIME, timespec.ctypes.data, 0)


@entry(INTS, OCTETS, INT, INTS)
def write_blocks(
    handles: NDArray[np.int64], blocks: NDArray[np.uint8], octets: int, written: NDArray[np.int64]
) -> None:
    """Write block i, of `octets`, to file i, all without the interpreter's lock.

    `written[i]` becomes what the system took, -1 where it refused. Negative handles are passed over.
    """
    for i, handle in enumerate(handles):
        written[i] = 0
        if handle >= 0:
            written[i] = _write(handle, np.int64(blocks.ctypes.data) + i * octets, octets)
