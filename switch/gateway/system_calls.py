"""The system calls of sound, in compiled loops: `recv` and `send` for each packet, a sleep for each wake.

From Python a packet would cost a third more than here: the calls themselves, and
the interpreter's lock that is given up and taken back around them. And Python itself, woken some
hundreds of times a second, would find its caches cold each time.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numba
import numpy as np
from numba import types
from numpy.typing import NDArray

from switch.compiled import (
    FDS,
    FLAGS,
    INT,
    INTS,
    OCTET_ROWS,
    REAL,
    entry,
    inner,
    table_of,
    tuple_of,
)
from switch.libc import (
    EPOLL_EVENT,
    epoll_wait,
    monotonic,
    recv,
    send,
    sendto,
    sleep_until,
)
from switch.media.coders import encode_frames
from switch.media.legs import Rows
from switch.media.portions import LATER_TABLES, UNCODED, LaterTables, take_portion
from switch.media.receipt import ASIDE, KEYED, RECEIPT_TABLES, RELAYED, ReceiptTables, take_packets
from switch.rtp.rtcp import is_rtcp
from switch.srtp.crypt import CRYPT, close_packet, open_packet

NOBODY: Final = 0
"""No socket of ours, or a main socket that has no peer yet."""
MAIN: Final = 1
DOORSTEP: Final = 2
OWNER: Final = 3
"""Not a leg's: something that whoever owns the sockets waits for."""
REPORTS: Final = 4
"""An RTCP socket whose peer is known."""
REPORTS_DOORSTEP: Final = 5
"""An RTCP socket that nobody has sent anything to yet."""
STANDSTILL_S: Final = 0.012
"""After so long without a look a leg probably holds more than one packet."""


@inner
def _recv_one(fd: int, octets: NDArray[np.uint8], row: int) -> int:
    """Octets of the next packet, now in this row; -1: there is none."""
    # The address is unsigned, and unsigned with signed would become a float.
    place = np.int64(octets.ctypes.data) + row * octets.shape[1]
    size = recv(fd, place, octets.shape[1], 0)
    if size < 0:
        # That may have been the news that the peer's port was closed (ICMP), with a packet behind.
        size = recv(fd, place, octets.shape[1], 0)
    return int(size)


class SocketTables(NamedTuple):
    """What is known of the sockets of all legs, by file descriptor unless it says other."""

    ready: NDArray[Any]
    """EPOLL_EVENTs: what the kernel told of last."""
    row_by_fd: NDArray[np.int32]
    kind_by_fd: NDArray[np.uint8]
    again: NDArray[np.int32]
    """Main sockets that may hold more than the kernel tells of, so many as `again_count[0]`."""
    is_again: NDArray[np.bool_]
    again_count: Rows
    doorsteps: NDArray[np.int32]
    """Those that had something at the last look."""
    fd_by_row: NDArray[np.int32]
    """The main socket of a leg; -1: not connected, or no leg."""
    report_fd_by_row: NDArray[np.int32]
    """The socket of a leg's RTCP, which may be its main socket; -1: none."""
    report_addresses: NDArray[np.uint8]
    """Where RTCP goes from a socket of its own, by row: a `sockaddr` each."""
    report_address_sizes: Rows
    is_secure: NDArray[np.bool_]
    """By row: SRTP."""
    secured: Rows
    """One value: how many rows are secure."""
    crypts: NDArray[Any]
    """CRYPTs, by row."""
    crypt_s: NDArray[np.float64]
    """One value: what encrypting and decrypting has taken (s)."""
    clock: NDArray[np.float64]
    """One value: when packets were taken last (monotonic, s)."""
    timespec: Rows
    """Two values, for the system's clock."""


SOCKET_TABLES: Final = tuple_of(
    SocketTables,
    numba.from_dtype(EPOLL_EVENT)[::1], FDS, types.uint8[::1], FDS, FLAGS, INTS, FDS, FDS,
    FDS, OCTET_ROWS, INTS, FLAGS, INTS, table_of(CRYPT),
    types.float64[::1], types.float64[::1], INTS,
)  # fmt: skip


@entry(INT, SOCKET_TABLES, REAL, OCTET_ROWS, INTS, INTS)
def receive_packets(
    epoll: int,
    sockets: SocketTables,
    now: float,
    octets: NDArray[np.uint8],
    rows: Rows,
    sizes: Rows,
) -> tuple[int, int, bool]:
    """Take one packet from each socket that has any, into the first rows of `octets`.

    Read are those listed in `again` and those that the kernel tells of; a socket found empty leaves
    `again`, and after a standstill those with a packet join it: they may hold more. Returns the
    packets taken, how many doorsteps have something, and whether the owner has.
    """
    again, is_again, row_by_fd = sockets.again, sockets.is_again, sockets.row_by_fd
    standstill = now - sockets.clock[0] > STANDSTILL_S
    sockets.clock[0] = now
    taken = kept = 0
    for i in range(sockets.again_count[0]):
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
    owner_has = False
    for i in range(epoll_wait(epoll, sockets.ready.ctypes.data, len(sockets.ready), 0)):
        fd = sockets.ready[i].fd
        kind = sockets.kind_by_fd[fd]
        if kind in (DOORSTEP, REPORTS_DOORSTEP):
            sockets.doorsteps[at_doorsteps] = fd
            at_doorsteps += 1
        elif kind == OWNER:
            owner_has = True
        if kind != MAIN or is_again[fd]:
            if kind == REPORTS:
                size = _recv_one(fd, octets, taken)
                # Nothing but RTCP: sound that comes here has gone astray.
                if size >= 0 and is_rtcp(octets[taken], size):
                    rows[taken] = row_by_fd[fd]
                    sizes[taken] = size
                    taken += 1
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
    sockets.again_count[0] = kept
    if sockets.secured[0]:
        began = monotonic(sockets.timespec)
        for i in range(taken):
            if sockets.is_secure[rows[i]] and sizes[i] < octets.shape[1]:
                sizes[i] = open_packet(sockets.crypts, rows[i], octets[i], sizes[i])
        sockets.crypt_s[0] += monotonic(sockets.timespec) - began
    return taken, at_doorsteps, owner_has


@entry(SOCKET_TABLES, OCTET_ROWS, INTS, INTS, INT, INT)
def send_packets(
    sockets: SocketTables,
    octets: NDArray[np.uint8],
    rows: Rows,
    sizes: Rows,
    first: int,
    count: int,
) -> int:
    """Send packets `first` and on to the sockets of their rows; return how many the system did not take.

    Where legs are encrypted, packets and `sizes` are changed: each may be sent once.

    A negative descriptor: the row has no peer, and its packets go nowhere.
    """
    dropped = 0
    base, width = np.int64(octets.ctypes.data), octets.shape[1]
    if sockets.secured[0]:
        # All of them before the first is sent: the cipher and its keys stay in the near caches.
        began = monotonic(sockets.timespec)
        for i in range(first, first + count):
            if sockets.is_secure[rows[i]]:
                sizes[i] = close_packet(sockets.crypts, rows[i], octets[i], sizes[i], False)
        sockets.crypt_s[0] += monotonic(sockets.timespec) - began
    for i in range(first, first + count):
        fd = sockets.fd_by_row[rows[i]]
        if fd < 0 or sizes[i] == 0:
            continue
        packet = base + i * width
        # The first failure may be about an earlier packet, which the peer's host refused (ICMP).
        if send(fd, packet, sizes[i], 0) < 0 and send(fd, packet, sizes[i], 0) < 0:
            dropped += 1
    return dropped


@entry(SOCKET_TABLES, OCTET_ROWS, INTS, INTS, INT)
def send_reports(
    sockets: SocketTables, octets: NDArray[np.uint8], rows: Rows, sizes: Rows, count: int
) -> None:
    """Send the first `count` packets, RTCP of these rows; one that cannot be sent is not missed."""
    base, width = np.int64(octets.ctypes.data), octets.shape[1]
    addresses = np.int64(sockets.report_addresses.ctypes.data)
    for i in range(count):
        row = rows[i]
        fd, packet = sockets.report_fd_by_row[row], base + i * width
        size = sizes[i]
        if sockets.is_secure[row]:
            size = close_packet(sockets.crypts, row, octets[i], size, True)
            if size == 0:
                continue
        if fd >= 0 and sockets.kind_by_fd[fd] == MAIN:
            send(fd, packet, size, 0)
        elif fd >= 0 and sockets.report_address_sizes[row]:
            address = addresses + row * sockets.report_addresses.shape[1]
            sendto(fd, packet, size, 0, address, sockets.report_address_sizes[row])


@inner
def _send_later(
    sockets: SocketTables, tables: ReceiptTables, later: LaterTables
) -> tuple[int, int]:
    """Send the next part of what the last tick left; return the packets, and how many were not taken."""
    sent = dropped = 0
    for kind in range(len(later.portions)):
        portion = later.portions[kind]
        if portion.left == 0:
            continue
        first, count = take_portion(portion, portion.part)
        if kind == UNCODED:
            encode_frames(
                tables.coders, tables.legs, later.linear, later.octets, later.rows, later.sizes,
                first, count,
            )  # fmt: skip
        dropped += send_packets(sockets, later.octets, later.rows, later.sizes, first, count)
        sent += count
    return sent, dropped


@entry(INT, SOCKET_TABLES, RECEIPT_TABLES, LATER_TABLES, REAL, REAL)
def relay_packets(
    epoll: int,
    sockets: SocketTables,
    tables: ReceiptTables,
    later: LaterTables,
    every_s: float,
    until: float,
) -> tuple[int, int, int, int, float]:
    """Sleep, send what waits, take packets, pass them on, every `every_s`; return before it is `until`.

    Returns also when anything came that Python has to look at. The result: packets received, sent,
    dropped, doorsteps that have something, and the time (monotonic, s).
    """
    received = sent = dropped = 0
    timespec = sockets.timespec
    now = monotonic(timespec)
    while now + every_s < until:
        sleep_until(timespec, now + every_s)
        now = monotonic(timespec)
        waited, lost = _send_later(sockets, tables, later)
        sent += waited
        dropped += lost
        count, strangers, owner_has = receive_packets(
            epoll, sockets, now, tables.arrived, tables.rows, tables.sizes
        )
        if count:
            take_packets(tables, count, now)
            out = tables.counts[RELAYED]
            received += count
            sent += out
            dropped += send_packets(sockets, tables.out, tables.out_legs, tables.out_sizes, 0, out)
            if tables.counts[KEYED] or tables.counts[ASIDE]:
                return received, sent, dropped, strangers, now
        if strangers or owner_has:
            return received, sent, dropped, strangers, now
    return received, sent, dropped, 0, now
