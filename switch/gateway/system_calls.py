"""The two system calls that each packet costs, in compiled loops: `recv` and `send`.

From Python each would cost as much again as the kernel takes: the call itself, and the interpreter's
lock that is given up and taken back around it.
"""

from __future__ import annotations

import platform
from typing import Any, Final

import numba
import numpy as np
from numba import types
from numpy.typing import NDArray

from switch.compiled import BOOL, FDS, FLAGS, INT, INTS, OCTET_ROWS, entry, external, inner
from switch.media.legs import Rows

NOBODY: Final = 0
"""No socket of ours, or a main socket that has no peer yet."""
MAIN: Final = 1
DOORSTEP: Final = 2

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

_recv: Final = external("recv", types.intp, types.int32, types.intp, types.uintp, types.int32)
_send: Final = external("send", types.intp, types.int32, types.intp, types.uintp, types.int32)
_epoll_wait: Final = external(
    "epoll_wait", types.int32, types.int32, types.intp, types.int32, types.int32
)


@inner
def _recv_one(fd: int, octets: NDArray[np.uint8], row: int) -> int:
    """Octets of the next packet, now in this row; -1: there is none."""
    place = octets.ctypes.data + row * octets.shape[1]
    size = _recv(fd, place, octets.shape[1], 0)
    if size < 0:
        # That may have been the news that the peer's port was closed (ICMP), with a packet behind.
        size = _recv(fd, place, octets.shape[1], 0)
    return int(size)


@entry(
    INT, numba.from_dtype(EPOLL_EVENT)[::1], FDS, types.uint8[::1],
    FDS, FLAGS, INTS, BOOL, FDS,
    OCTET_ROWS, INTS, INTS,
)  # fmt: skip
def receive_packets(
    epoll: int,
    ready: NDArray[Any],
    row_by_fd: NDArray[np.int32],
    kind_by_fd: NDArray[np.uint8],
    again: NDArray[np.int32],
    is_again: NDArray[np.bool_],
    again_count: Rows,
    standstill: bool,
    doorsteps: NDArray[np.int32],
    octets: NDArray[np.uint8],
    rows: Rows,
    sizes: Rows,
) -> tuple[int, int]:
    """Take one packet from each main socket that has any, into the first rows of `octets`.

    Read are the first `again_count[0]` descriptors of `again`, marked in `is_again`, and those that
    the kernel tells of; a socket found empty leaves `again`, and after a `standstill` those with a
    packet join it: they may hold more. Returns the packets taken, and how many
    doorsteps, listed in `doorsteps`, have something.
    """
    taken = kept = 0
    for i in range(again_count[0]):
        fd = again[i]
        size = _recv_one(fd, octets, taken)
        if size < 0:
            is_again[fd] = False
            continue
        again[kept] = fd
        kept += 1
        rows[taken] = row_by_fd[fd]
        sizes[taken] = size
        taken += 1
    at_doorsteps = 0
    for i in range(_epoll_wait(epoll, ready.ctypes.data, len(ready), 0)):
        fd = ready[i].fd
        kind = kind_by_fd[fd]
        if kind == DOORSTEP:
            doorsteps[at_doorsteps] = fd
            at_doorsteps += 1
        if kind != MAIN or is_again[fd]:
            continue
        size = _recv_one(fd, octets, taken)
        if size < 0:
            continue
        rows[taken] = row_by_fd[fd]
        sizes[taken] = size
        taken += 1
        if standstill:
            is_again[fd] = True
            again[kept] = fd
            kept += 1
    again_count[0] = kept
    return taken, at_doorsteps


@entry(FDS, OCTET_ROWS, INTS, INTS, INT, INT)
def send_packets(
    fd_by_row: NDArray[np.int32],
    octets: NDArray[np.uint8],
    rows: Rows,
    sizes: Rows,
    first: int,
    count: int,
) -> int:
    """Send packets `first` and on to the sockets of their rows; return how many the system did not take.

    A negative descriptor: the row has no peer, and its packets go nowhere.
    """
    dropped = 0
    base, width = octets.ctypes.data, octets.shape[1]
    for i in range(first, first + count):
        fd = fd_by_row[rows[i]]
        if fd < 0:
            continue
        packet = base + i * width
        # The first failure may be about an earlier packet, which the peer's host refused (ICMP).
        if _send(fd, packet, sizes[i], 0) < 0 and _send(fd, packet, sizes[i], 0) < 0:
            dropped += 1
    return dropped
