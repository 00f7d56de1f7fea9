"""The RTP sockets: reserved ahead, given to legs, read in one sweep, rested and closed.

A leg has two UDP sockets on one port:

    main      connected to the peer: the kernel lets nobody else in, and `send` needs no address
    doorstep  not connected: gets what comes from anybody else, to be counted, or to follow a peer
              that really is elsewhere (address translation)

So the fast path never looks at addresses, and strangers are still seen.

The main sockets are watched edge-triggered: the kernel tells of a packet once and does not look again
whether it has been taken, which is an eighth of what packets cost it. A leg's second packet between
two wakes is not told of, so the legs that may hold more are read again: all of them in turn, twice a
second, and every one that was told of after a standstill.
"""

from __future__ import annotations

import select
import socket
from collections import deque
from ipaddress import ip_address
from typing import Final

import numpy as np

from switch.gateway.system_calls import (
    DOORSTEP,
    EPOLL_EVENT,
    MAIN,
    NOBODY,
    receive_packets,
    send_packets,
)
from switch.media.errors import MediaCommandError
from switch.media.packets import PacketBuffer
from switch.media.ports import Stray
from switch.media.rows import grown

REST_S: Final = 2.0
"""A released port is not used again before this, so that the old peer's last packets die out."""
MAX_STRAYS: Final = 64
"""Strangers' packets looked at in one wake, whatever comes; the rest waits in the kernel's bounded queue."""
SWEEP_S: Final = 0.5
"""Within this every leg is read once more than the kernel tells."""
STANDSTILL_S: Final = 0.012
"""After so long without a wake a leg probably holds more than one packet."""
_SKIP: Final = 512
"""Ports tried for one reservation before giving up for now."""
_RECEIVE_BUFFER_OCTETS: Final = 128 * 1024
"""The kernel counts about 700 octets for a packet of G.711: room for some 3 s of a leg."""
_DATAGRAM_OCTETS: Final = 1500
_NO_STRAYS: Final[list[Stray]] = []


class _Pair:
    """The two sockets of a port."""

    __slots__ = ("doorstep", "main", "port")

    def __init__(self, address: str, port: int) -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.port = port
        self.main = socket.socket(family, socket.SOCK_DGRAM)
        self.doorstep = socket.socket(family, socket.SOCK_DGRAM)
        try:
            # First alone, so that a port which anybody else uses is refused ...
            self.main.bind((address, port))
            # ... then shared between the two of us, and closed to others again.
            for sock in (self.main, self.doorstep):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.doorstep.bind((address, port))
            for sock in (self.main, self.doorstep):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
                sock.setblocking(False)
            self.main.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_OCTETS)
            self.doorstep.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
        except OSError:
            self.close()
            raise

    def drain(self) -> None:
        """Throw away what has come."""
        for sock in (self.main, self.doorstep):
            try:
                while True:
                    sock.recv(1)
            except OSError:
                pass

    def close(self) -> None:
        """Close both; closing twice does nothing."""
        self.main.close()
        self.doorstep.close()


class RtpSockets:
    """All RTP sockets of a gateway; satisfies `switch.media.ports.RtpWire`."""

    def __init__(self, address: str, low: int, high: int) -> None:
        """Use the even ports of `low` to `high`, both included."""
        self._address = address
        self._free = deque(range(low + low % 2, high + 1, 2))
        self._resting: deque[tuple[float, int]] = deque()
        self._reserved: dict[int, _Pair] = {}
        self._offered: set[int] = set()
        self._legs: dict[int, _Pair] = {}
        self._epoll = select.epoll()
        self._fd_by_row = np.zeros(0, dtype=np.int32)
        """The main socket; -1: not connected, or no leg."""
        self._row_by_fd = np.zeros(0, dtype=np.int32)
        self._kind_by_fd = np.zeros(0, dtype=np.uint8)
        self._again = np.zeros(0, dtype=np.int32)
        """File descriptors of main sockets that may hold another packet, so many as `_again_count`."""
        self._again_count = np.zeros(1, dtype=np.int64)
        self._is_again = np.zeros(0, dtype=np.bool_)
        self._doorsteps = np.zeros(0, dtype=np.int32)
        self._ready = np.zeros(0, dtype=EPOLL_EVENT)
        self._sweep: list[int] = []
        """Main sockets that this sweep has yet to read."""
        self._received_at = 0.0
        self._now = 0.0

    # --- ports ----------------------------------------------------------------------------------

    @property
    def ports_free(self) -> int:
        """Ports that no leg has, the resting ones left out."""
        return len(self._free) + len(self._reserved)

    def reserve(self, count: int) -> tuple[int, ...]:
        """Open sockets on up to `count` ports; fewer when the range is used up."""
        ports = [port for port in self._reserved if port not in self._offered][:count]
        tries = count + _SKIP
        while len(ports) < count and self._free and tries:
            tries -= 1
            port = self._free.popleft()
            try:
                self._reserved[port] = _Pair(self._address, port)
            except OSError:
                self._free.append(port)  # somebody else's; perhaps free later
                continue
            ports.append(port)
        self._offered.update(ports)
        return tuple(ports)

    def forget_offers(self) -> None:
        """The call agent that was told of the reserved ports is gone: the next one gets them."""
        self._offered.clear()

    def handle_rested(self, now: float) -> None:
        """Make ports usable again that have rested long enough."""
        self._now = now
        while self._resting and now - self._resting[0][0] >= REST_S:
            self._free.append(self._resting.popleft()[1])

    # --- RtpWire --------------------------------------------------------------------------------

    def attach(self, row: int, port: int) -> None:
        """Give a reserved port to a leg."""
        pair = self._reserved.pop(port, None)
        if pair is None:
            raise MediaCommandError(f"port {port} is not reserved")
        self._offered.discard(port)
        pair.drain()
        self._legs[row] = pair
        main, doorstep = pair.main.fileno(), pair.doorstep.fileno()
        self._make_room(row, max(main, doorstep))
        self._row_by_fd[main] = self._row_by_fd[doorstep] = row
        self._kind_by_fd[main] = NOBODY
        self._kind_by_fd[doorstep] = DOORSTEP
        self._epoll.register(doorstep, select.EPOLLIN)

    def connect(self, row: int, address: str, port: int) -> None:
        """Send to this peer and take packets of nobody else."""
        pair = self._legs[row]
        try:
            numeric = str(ip_address(address))
            if not 0 < port < 65536:
                raise ValueError(f"{port} is no port")
            pair.main.connect((numeric, port))
        except (OSError, ValueError) as error:
            raise MediaCommandError(f"RTP cannot go to {address}:{port}: {error}") from None
        fd = pair.main.fileno()
        if self._fd_by_row[row] < 0:
            # Not before: an unconnected main socket would let anybody in.
            pair.drain()
            self._epoll.register(fd, select.EPOLLIN | select.EPOLLET)
            self._kind_by_fd[fd] = MAIN
            self._fd_by_row[row] = fd
            self._look_again(fd)

    def detach(self, row: int) -> None:
        """Close the sockets of a leg."""
        pair = self._legs.pop(row)
        self._fd_by_row[row] = -1
        for sock in (pair.main, pair.doorstep):
            self._kind_by_fd[sock.fileno()] = NOBODY
        fd = pair.main.fileno()
        if self._is_again[fd]:
            self._is_again[fd] = False
            listed = self._again[: self._again_count[0]]
            self._again_count[0] -= 1
            self._again[: self._again_count[0]] = listed[listed != fd]
        pair.close()  # which also takes them out of the epoll set
        self._resting.append((self._now, pair.port))

    def receive(self, now: float, into: PacketBuffer) -> tuple[int, list[Stray]]:
        """Take at most one packet of each leg's peer."""
        passed = now - self._received_at
        self._received_at = now
        self._go_on_sweeping(passed)
        taken, strangers = receive_packets(
            self._epoll.fileno(), self._ready, self._row_by_fd, self._kind_by_fd,
            self._again, self._is_again, self._again_count, passed > STANDSTILL_S, self._doorsteps,
            into.octets, into.legs, into.sizes,
        )  # fmt: skip
        if not strangers:
            return taken, _NO_STRAYS
        strays: list[Stray] = []
        for fd in self._doorsteps[: min(strangers, MAX_STRAYS)].tolist():
            self._look_at_doorstep(int(self._row_by_fd[fd]), strays)
        return taken, strays

    def _go_on_sweeping(self, passed: float) -> None:
        """Read the legs in turn once more than the kernel tells, all of them within `SWEEP_S`."""
        if not self._sweep:
            self._sweep = [pair.main.fileno() for pair in self._legs.values()]
        for _ in range(min(len(self._sweep), int(len(self._legs) * passed / SWEEP_S) + 1)):
            self._look_again(self._sweep.pop())

    def _look_again(self, fd: int) -> None:
        if self._kind_by_fd[fd] == MAIN and not self._is_again[fd]:
            self._is_again[fd] = True
            self._again[self._again_count[0]] = fd
            self._again_count[0] += 1

    def send(self, packets: PacketBuffer, first: int, count: int) -> int:
        """Send packets to the legs that they are for; return how many the system did not take."""
        return send_packets(
            self._fd_by_row, packets.octets, packets.legs, packets.sizes, first, count
        )

    def close(self) -> None:
        """Close every socket."""
        for pair in (*self._legs.values(), *self._reserved.values()):
            pair.close()
        self._legs.clear()
        self._reserved.clear()
        self._epoll.close()

    def _make_room(self, row: int, fd: int) -> None:
        if row >= len(self._fd_by_row):
            more = np.full(row + 1, -1, dtype=np.int32)
            self._fd_by_row = np.concatenate([self._fd_by_row, more])
        rows = max(2 * len(self._row_by_fd), fd + 1)
        if fd >= len(self._row_by_fd):
            for name in (
                "_row_by_fd",
                "_kind_by_fd",
                "_again",
                "_is_again",
                "_doorsteps",
                "_ready",
            ):
                setattr(self, name, grown(getattr(self, name), rows))

    def _look_at_doorstep(self, row: int, strays: list[Stray]) -> None:
        try:
            data, source = self._legs[row].doorstep.recvfrom(_DATAGRAM_OCTETS)
        except OSError:
            return
        strays.append(Stray(row, data, (source[0], source[1])))
