"""One UDP socket, read and written in batches.

A raw socket with a reader callback instead of asyncio's DatagramProtocol: many datagrams are taken at
one wake and handled as one turn, and the kernel's error queue tells which peer refused a datagram.
"""

from __future__ import annotations

import asyncio
import select
import socket
import struct
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from switch.transport.limits import TransportLimits

Address = tuple[str, int]

_MAX_DATAGRAM = 65_535
_IP_RECVERR = 11
_IPV6_RECVERR = 25
_MSG_ERRQUEUE = 0x2000
_SO_MEMINFO = 55
"""Linux; Python's socket module names none of the four."""
_MEMINFO = struct.Struct("=9I")
_DROPS = 8
"""SK_MEMINFO_DROPS of linux/sock_diag.h."""


class UdpHandlers(NamedTuple):
    """Where a socket reports to."""

    received: Callable[[UdpSocket, list[tuple[bytes, Address]]], None]
    """A batch of datagrams, oldest first."""
    refused: Callable[[UdpSocket, Address, str], None]
    """A datagram to that address could not be sent or was refused there (RFC 3261 section 18.4)."""


class UdpSocket:
    """A bound UDP socket on the running loop."""

    def __init__(
        self, host: str, port: int, handlers: UdpHandlers, limits: TransportLimits
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._handlers = handlers
        self._limits = limits
        self._waiting: deque[tuple[bytes, Address]] = deque()
        self.dropped = 0
        """Datagrams dropped because the socket stayed full."""
        self._socket = _open(host, port, limits.udp_buffer)
        # Read into one place and copied: a string of 64 KiB for each datagram, cut to what came, leaves
        # holes just too small for the next one, and the heap grows by them.
        self._buffer = memoryview(bytearray(_MAX_DATAGRAM))
        name = self._socket.getsockname()
        self.local: Address = (name[0], name[1])
        # The loop watches an epoll of our own instead of the socket: libuv stops watching a descriptor
        # for good once it reports an error, and with ICMP errors asked for (IP_RECVERR) a UDP socket
        # does that whenever a peer's host refuses a datagram.
        self._events = select.epoll()
        self._events.register(self._socket, select.EPOLLIN)
        self._loop.add_reader(self._events.fileno(), self._happened)

    @property
    def missed(self) -> int:
        """Datagrams that came while the socket's buffer was full, as the kernel counts them."""
        try:
            counted = self._socket.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO.size)
            return int(_MEMINFO.unpack(counted)[_DROPS])
        except (OSError, struct.error):  # closed, or a kernel older than 4.12
            return 0

    def send(self, data: bytes, remote: Address) -> None:
        """Send, or keep it for the next moment the socket can take it. Never blocks."""
        if self._waiting:
            self._wait(data, remote)
        elif not self._try_send(data, remote):
            self._events.modify(self._socket, select.EPOLLIN | select.EPOLLOUT)
            self._wait(data, remote)

    def close(self) -> None:
        """Close at once; closing twice does nothing."""
        if self._socket.fileno() < 0:
            return
        self._loop.remove_reader(self._events.fileno())
        self._events.close()
        self._waiting.clear()
        self._socket.close()

    def _wait(self, data: bytes, remote: Address) -> None:
        if len(self._waiting) < self._limits.udp_backlog:
            self._waiting.append((data, remote))
        else:
            self.dropped += 1

    def _try_send(self, data: bytes, remote: Address) -> bool:
        """False where the socket is full."""
        try:
            self._socket.sendto(data, remote)
        except BlockingIOError:
            return False
        except ConnectionRefusedError:
            return self._send_again(data, remote)
        except (OSError, OverflowError) as error:
            self._handlers.refused(self, remote, str(error))
        return True

    def _send_again(self, data: bytes, remote: Address) -> bool:
        """An earlier datagram was refused; the kernel says so at the next call, whatever its peer."""
        self._read_errors()
        try:
            self._socket.sendto(data, remote)
        except BlockingIOError:
            return False
        except OSError as error:
            self._handlers.refused(self, remote, str(error))
        return True

    def _writable(self) -> None:
        waiting = self._waiting
        while waiting and self._try_send(*waiting[0]):
            waiting.popleft()
        if not waiting:
            self._events.modify(self._socket, select.EPOLLIN)

    def _happened(self) -> None:
        for _, happened in self._events.poll(0):
            if happened & select.EPOLLERR:
                self._read_errors()
            if happened & select.EPOLLOUT:
                self._writable()
            if happened & select.EPOLLIN and not self._events.closed:
                self._readable()

    def _readable(self) -> None:
        batch: list[tuple[bytes, Address]] = []
        receive, buffer = self._socket.recvfrom_into, self._buffer
        try:
            for _ in range(self._limits.udp_batch):
                octets, remote = receive(buffer)
                batch.append((bytes(buffer[:octets]), remote[:2]))
        except BlockingIOError:
            pass
        except OSError:
            self._read_errors()
        if batch:
            self._handlers.received(self, batch)

    def _read_errors(self) -> None:
        """Empty the error queue: ICMP errors, each with the address the datagram went to."""
        for _ in range(self._limits.udp_batch):
            try:
                _, _, _, remote = self._socket.recvmsg(0, 512, _MSG_ERRQUEUE)
            except OSError:
                return
            if remote:
                self._handlers.refused(self, remote[:2], "refused by the peer's host")


def _open(host: str, port: int, buffer: int) -> socket.socket:
    is_ipv6 = ":" in host
    sock = socket.socket(socket.AF_INET6 if is_ipv6 else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer)
        if is_ipv6:
            sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVERR, 1)
        else:
            sock.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    return sock
