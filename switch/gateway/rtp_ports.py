"""The ports of RTP: opened ahead for legs to come, given to one, rested after it, used again.

free --reserve--> reserved, told to the call agent --take--> a leg's --give_back--> resting --2 s--> free
"""

from __future__ import annotations

import contextlib
import socket
from collections import deque
from typing import Final

from switch.media.errors import MediaCommandError

REST_S: Final = 2.0
"""A released port is not used again before this, so that the old peer's last packets die out."""
_SKIP: Final = 512
"""Ports tried for one reservation before giving up for now."""
_RECEIVE_BUFFER_OCTETS: Final = 128 * 1024
"""The kernel counts about 700 octets for a packet of G.711: room for some 3 s of a leg."""


class SocketPair:
    """The two sockets of a port: see `switch.gateway.rtp_sockets`."""

    __slots__ = ("doorstep", "main", "port")

    def __init__(self, address: str, port: int) -> None:
        """Bind both. Raises OSError where the port is somebody else's."""
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
        self.drain_main()
        _drain(self.doorstep)

    def drain_main(self) -> None:
        """Throw away what has come of the peer."""
        _drain(self.main)

    def close(self) -> None:
        """Close both; closing twice does nothing."""
        self.main.close()
        self.doorstep.close()


def _drain(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            sock.recv(1)


class RtpPorts:
    """The even ports of a range that no leg has."""

    def __init__(self, address: str, low: int, high: int) -> None:
        """Of `low` to `high`, both included."""
        self._address = address
        self._free = deque(range(low + low % 2, high + 1, 2))
        self.count = len(self._free)
        """All of them, those of legs included."""
        self._resting: deque[tuple[float, int]] = deque()
        self._reserved: dict[int, SocketPair] = {}
        self._offered: set[int] = set()
        self._now = 0.0

    @property
    def free(self) -> int:
        """How many there are, the resting ones left out."""
        return len(self._free) + len(self._reserved)

    def reserve(self, count: int) -> tuple[int, ...]:
        """Open sockets on up to `count` ports; fewer when the range is used up."""
        ports = [port for port in self._reserved if port not in self._offered][:count]
        tries = count + _SKIP
        while len(ports) < count and self._free and tries:
            tries -= 1
            port = self._free.popleft()
            try:
                self._reserved[port] = SocketPair(self._address, port)
            except OSError:
                self._free.append(port)  # somebody else's; perhaps free later
                continue
            ports.append(port)
        self._offered.update(ports)
        return tuple(ports)

    def forget_offers(self) -> None:
        """The call agent that was told of the reserved ports is gone: the next one gets them."""
        self._offered.clear()

    def take(self, port: int) -> SocketPair:
        """The sockets of a reserved port, for a leg. Raises MediaCommandError."""
        pair = self._reserved.pop(port, None)
        if pair is None:
            raise MediaCommandError(f"port {port} is not reserved")
        self._offered.discard(port)
        pair.drain()
        return pair

    def give_back(self, pair: SocketPair) -> None:
        """Close the sockets of a leg that is gone."""
        pair.close()
        self._resting.append((self._now, pair.port))

    def handle_rested(self, now: float) -> None:
        """Make ports usable again that have rested long enough; `now` in monotonic s."""
        self._now = now
        while self._resting and now - self._resting[0][0] >= REST_S:
            self._free.append(self._resting.popleft()[1])

    def close(self) -> None:
        """Close what is reserved."""
        for pair in self._reserved.values():
            pair.close()
        self._reserved.clear()
