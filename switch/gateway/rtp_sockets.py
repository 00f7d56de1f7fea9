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
from collections.abc import Callable, Iterable, Sequence
from ipaddress import ip_address
from typing import Final

from switch.media.errors import MediaCommandError
from switch.media.ports import Stray

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
_Recv = Callable[[memoryview], int]
_Send = Callable[[memoryview], int]


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
        self._row_by_fd: dict[int, int] = {}
        self._recv_by_fd: list[_Recv | None] = []
        """By file descriptor; None: a doorstep, a leg without a peer yet, or none of ours."""
        self._send_by_row: list[_Send] = []
        self._again: dict[int, None] = {}
        """File descriptors that may hold another packet, in order."""
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
        if row >= len(self._send_by_row):
            self._send_by_row += [_nothing] * (row + 1 - len(self._send_by_row))
        main, doorstep = pair.main.fileno(), pair.doorstep.fileno()
        highest = max(main, doorstep)
        if highest >= len(self._recv_by_fd):
            self._recv_by_fd += [None] * (highest + 1 - len(self._recv_by_fd))
        self._row_by_fd[main] = self._row_by_fd[doorstep] = row
        self._recv_by_fd[main] = self._recv_by_fd[doorstep] = None
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
        if self._send_by_row[row] is _nothing:
            # Not before: an unconnected main socket would let anybody in.
            pair.drain()
            fd = pair.main.fileno()
            self._epoll.register(fd, select.EPOLLIN | select.EPOLLET)
            self._recv_by_fd[fd] = pair.main.recv_into
            self._again[fd] = None
        self._send_by_row[row] = pair.main.send

    def detach(self, row: int) -> None:
        """Close the sockets of a leg."""
        pair = self._legs.pop(row)
        self._send_by_row[row] = _nothing
        for sock in (pair.main, pair.doorstep):
            self._row_by_fd.pop(sock.fileno(), None)
            self._again.pop(sock.fileno(), None)
            self._recv_by_fd[sock.fileno()] = None
        pair.close()  # which also takes them out of the epoll set
        self._resting.append((self._now, pair.port))

    def receive(
        self, now: float, views: Sequence[memoryview], rows: list[int], sizes: list[int]
    ) -> list[Stray]:
        """Take at most one packet of each leg's peer."""
        strays: list[Stray] = []
        receivers = self._recv_by_fd
        row_by_fd = self._row_by_fd
        ready = [fd for fd, _ in self._epoll.poll(0, 2 * len(views))]
        self._expect_more(now, ready)
        if self._again:
            ready = [*self._again, *(fd for fd in ready if fd not in self._again)]
        again = self._again
        taken = 0
        for fd in ready:
            receive = receivers[fd]
            if receive is None:
                if len(strays) < MAX_STRAYS:
                    self._look_at_doorstep(row_by_fd[fd], strays)
                continue
            try:
                sizes.append(receive(views[taken]))
            except BlockingIOError:
                again.pop(fd, None)
                continue
            except OSError:
                again[fd] = None  # the peer's port was closed (ICMP); a packet may lie behind that
                continue
            rows.append(row_by_fd[fd])
            taken += 1
        return strays

    def _expect_more(self, now: float, ready: list[int]) -> None:
        """Note the legs that may hold more than the one packet that the kernel told of."""
        passed = now - self._received_at
        self._received_at = now
        if passed > STANDSTILL_S:
            self._again.update(dict.fromkeys(ready))
        if not self._sweep:
            self._sweep = [pair.main.fileno() for pair in self._legs.values()]
        for _ in range(min(len(self._sweep), int(len(self._legs) * passed / SWEEP_S) + 1)):
            fd = self._sweep.pop()
            if self._recv_by_fd[fd] is not None:
                self._again[fd] = None

    def send(self, rows: Iterable[int], packets: Iterable[memoryview]) -> int:
        """Send one packet for each row; return how many the system did not take."""
        senders = self._send_by_row
        dropped = 0
        pairs = zip(rows, packets, strict=False)  # buffers have more rows than there are packets
        while True:
            try:
                for row, packet in pairs:
                    senders[row](packet)
                return dropped
            except OSError as error:
                dropped += self._send_again(senders[row], packet, error)

    def close(self) -> None:
        """Close every socket."""
        for pair in (*self._legs.values(), *self._reserved.values()):
            pair.close()
        self._legs.clear()
        self._reserved.clear()
        self._epoll.close()

    def _send_again(self, send: _Send, packet: memoryview, error: OSError) -> int:
        """Send once more after an error that was about an earlier packet (ICMP); 1: dropped."""
        if isinstance(error, ConnectionRefusedError):
            try:
                send(packet)
            except OSError:
                return 1
            return 0
        return 1

    def _look_at_doorstep(self, row: int, strays: list[Stray]) -> None:
        try:
            data, source = self._legs[row].doorstep.recvfrom(_DATAGRAM_OCTETS)
        except OSError:
            return
        strays.append(Stray(row, data, (source[0], source[1])))


def _nothing(packet: memoryview) -> int:
    """Send nowhere: the leg has no peer yet, or no more."""
    return len(packet)
