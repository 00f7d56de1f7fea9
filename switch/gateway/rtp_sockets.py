"""The RTP sockets of the legs, read in one sweep.

A leg has two UDP sockets on one port:

    main      connected to the peer: the kernel lets nobody else in, and `send` needs no address
    doorstep  not connected: gets what comes from anybody else, to be counted, or to follow a peer
              that really is elsewhere (address translation)

So the fast path never looks at addresses, and strangers are still seen.

A leg whose peer does not take RTCP on the same port has a third one for it, on the next port, once
its first report is due.

The main sockets are watched edge-triggered: the kernel tells of a packet once and does not look again
whether it has been taken, which is an eighth of what packets cost it. A leg's second packet between
two wakes is not told of, so the legs that may hold more are read again: all of them in turn, twice a
second, and every one that was told of after a standstill.
"""

from __future__ import annotations

import contextlib
import select
import socket
import sys
from ipaddress import ip_address
from typing import Final

import numpy as np

from switch.gateway.rtp_ports import RtpPorts, SocketPair
from switch.gateway.system_calls import (
    DOORSTEP,
    MAIN,
    NOBODY,
    OWNER,
    REPORTS,
    REPORTS_DOORSTEP,
    SocketTables,
    receive_packets,
    relay_packets,
    send_packets,
    send_reports,
)
from switch.libc import EPOLL_EVENT
from switch.media.errors import MediaCommandError, NoWayToPeerError
from switch.media.model import SrtpKeys
from switch.media.packets import PacketBuffer
from switch.media.portions import LaterTables
from switch.media.ports import Stray
from switch.media.receipt import Pause, ReceiptTables, Relayed
from switch.media.rows import grown
from switch.srtp.keeper import SessionKeeper
from switch.srtp.library import SrtpError

MAX_STRAYS: Final = 64
"""Strangers' packets looked at in one wake, whatever comes; the rest waits in the kernel's bounded queue."""
SWEEP_S: Final = 0.5
"""Within this every leg is read once more than the kernel tells."""
_DATAGRAM_OCTETS: Final = 1500
_SOCKADDR_OCTETS: Final = 28


class RtpSockets:
    """All RTP sockets of a gateway; satisfies `switch.media.ports.RtpWire`."""

    def __init__(self, address: str, low: int, high: int) -> None:
        """Use the even ports of `low` to `high`, both included."""
        self._address = address
        self.ports = RtpPorts(address, low, high)
        """Those that no leg has."""
        self._legs: dict[int, SocketPair] = {}
        self._reports: dict[int, socket.socket] = {}
        """RTCP sockets, by row."""
        self._epoll = select.epoll()
        self._sessions = SessionKeeper()
        self._tables = SocketTables(
            ready=np.zeros(0, dtype=EPOLL_EVENT),
            row_by_fd=np.zeros(0, dtype=np.int32),
            kind_by_fd=np.zeros(0, dtype=np.uint8),
            again=np.zeros(0, dtype=np.int32),
            is_again=np.zeros(0, dtype=np.bool_),
            again_count=np.zeros(1, dtype=np.int64),
            doorsteps=np.zeros(0, dtype=np.int32),
            fd_by_row=np.zeros(0, dtype=np.int32),
            report_fd_by_row=np.zeros(0, dtype=np.int32),
            report_addresses=np.zeros((0, _SOCKADDR_OCTETS), dtype=np.uint8),
            report_address_sizes=np.zeros(0, dtype=np.int64),
            is_secure=self._sessions.is_secure,
            secured=self._sessions.secured,
            crypts=self._sessions.crypts,
            crypt_s=np.zeros(1),
            clock=np.zeros(1),
            timespec=np.zeros(2, dtype=np.int64),
        )
        self._sweep: list[int] = []
        """Main sockets that this sweep has yet to read."""
        self._swept_at = 0.0

    # --- RtpWire --------------------------------------------------------------------------------

    def attach(self, row: int, port: int) -> None:
        """Give a reserved port to a leg."""
        pair = self._legs[row] = self.ports.take(port)
        main, doorstep = pair.main.fileno(), pair.doorstep.fileno()
        self._make_room(row, max(main, doorstep))
        tables = self._tables
        tables.row_by_fd[main] = tables.row_by_fd[doorstep] = row
        tables.kind_by_fd[main] = NOBODY
        tables.kind_by_fd[doorstep] = DOORSTEP
        self._epoll.register(doorstep, select.EPOLLIN)

    def connect(self, row: int, address: str, port: int) -> None:
        """Send to this peer and take packets of nobody else."""
        pair = self._legs[row]
        try:
            numeric = str(ip_address(address))
            if not 0 < port < 65536:
                raise ValueError(f"{port} is no port")
            pair.main.connect((numeric, port))
        except OSError as error:
            raise NoWayToPeerError(f"RTP cannot go to {address}:{port}: {error}") from None
        except ValueError as error:
            raise MediaCommandError(f"RTP cannot go to {address}:{port}: {error}") from None
        fd = pair.main.fileno()
        if self._tables.fd_by_row[row] >= 0:
            pair.drain_main()  # what waits is of whoever was the peer before
        else:
            # Not before: an unconnected main socket would let anybody in.
            pair.drain()
            self._epoll.register(fd, select.EPOLLIN | select.EPOLLET)
            self._tables.kind_by_fd[fd] = MAIN
            self._tables.fd_by_row[row] = fd
            self._look_again(fd)

    def detach(self, row: int) -> None:
        """Close the sockets of a leg."""
        self.close_reports(row)
        self._sessions.clear(row)
        pair = self._legs.pop(row)
        tables = self._tables
        tables.fd_by_row[row] = -1
        for sock in (pair.main, pair.doorstep):
            tables.kind_by_fd[sock.fileno()] = NOBODY
        fd = pair.main.fileno()
        if tables.is_again[fd]:
            tables.is_again[fd] = False
            listed = tables.again[: tables.again_count[0]]
            tables.again_count[0] -= 1
            tables.again[: tables.again_count[0]] = listed[listed != fd]
        self.ports.give_back(pair)  # closed, and so out of the epoll set

    # --- SRTP -----------------------------------------------------------------------------------

    def secure(self, row: int, keys: SrtpKeys | None) -> None:
        """Encrypt and decrypt what this leg sends and receives; None: in clear.

        Raises MediaCommandError for keys that cannot be used.
        """
        if keys is None:
            self._sessions.clear(row)
            return
        try:
            self._sessions.key(row, keys.suite, keys.send, keys.receive)
        except SrtpError as error:
            raise MediaCommandError(str(error)) from None

    def expect_security(self, row: int) -> None:
        """Nothing of this leg passes in clear from now on, whether it has keys yet or not."""
        self._sessions.expect(row)

    @property
    def crypt_s(self) -> float:
        """Seconds spent to encrypt and decrypt since the start."""
        return float(self._tables.crypt_s[0])

    def peer(self, row: int) -> tuple[str, int] | None:
        """Where a leg's packets go; None: nowhere yet."""
        pair = self._legs.get(row)
        if pair is None or self._tables.fd_by_row[row] < 0:
            return None
        try:
            address = pair.main.getpeername()
        except OSError:
            return None
        return address[0], address[1]

    def reply(self, row: int, data: bytes, to: tuple[str, int]) -> None:
        """Send one datagram as it is, from the leg's port; one that cannot be sent is not missed."""
        pair = self._legs.get(row)
        if pair is not None:
            with contextlib.suppress(OSError):
                pair.doorstep.sendto(data, to)

    # --- reports --------------------------------------------------------------------------------

    def share_reports(self, row: int) -> None:
        """RTCP of this leg goes by the socket of its sound."""
        self.close_reports(row)
        self._tables.report_fd_by_row[row] = self._legs[row].main.fileno()

    def open_reports(self, row: int, address: str, port: int) -> None:
        """Give a leg a socket for RTCP; where the next port is somebody else's it goes without."""
        self.close_reports(row)
        family = socket.AF_INET6 if ":" in self._address else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_DGRAM)
        try:
            sock.bind((self._address, self._legs[row].port + 1))
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024)
            self._address_reports(row, address, port)
        except (OSError, ValueError):
            sock.close()
            return
        fd = sock.fileno()
        self._make_room(row, fd)
        self._reports[row] = sock
        self._tables.row_by_fd[fd] = row
        self._tables.kind_by_fd[fd] = REPORTS_DOORSTEP
        self._tables.report_fd_by_row[row] = fd
        self._epoll.register(fd, select.EPOLLIN)

    def connect_reports(self, row: int, address: str, port: int) -> None:
        """The peer's RTCP comes from here: send to it, and take RTCP of nobody else."""
        sock = self._reports.get(row)
        if sock is not None:
            with contextlib.suppress(OSError, ValueError):
                sock.connect((address, port))
                self._address_reports(row, address, port)
                self._tables.kind_by_fd[sock.fileno()] = REPORTS

    def close_reports(self, row: int) -> None:
        """No RTCP goes by a socket of its own any more."""
        self._tables.report_fd_by_row[row] = -1
        self._tables.report_address_sizes[row] = 0  # or whoever has the row next would send there
        sock = self._reports.pop(row, None)
        if sock is not None:
            self._tables.kind_by_fd[sock.fileno()] = NOBODY
            sock.close()

    def send_reports(self, packets: PacketBuffer, count: int) -> None:
        """Send the first `count` packets, which are RTCP."""
        send_reports(self._tables, packets.octets, packets.legs, packets.sizes, count)

    def _address_reports(self, row: int, address: str, port: int) -> None:
        """Keep where RTCP goes. Raises ValueError for what is no address."""
        octets = _sockaddr(address, port)
        self._tables.report_addresses[row, : len(octets)] = np.frombuffer(octets, dtype=np.uint8)
        self._tables.report_address_sizes[row] = len(octets)

    def watch(self, fd: int) -> None:
        """End a `relay` when this file descriptor can be read."""
        self._make_room(0, fd)
        self._tables.kind_by_fd[fd] = OWNER
        self._epoll.register(fd, select.EPOLLIN)

    def receive(self, now: float, into: PacketBuffer) -> tuple[int, list[Stray]]:
        """Take at most one packet of each leg's peer."""
        self._go_on_sweeping(now)
        taken, strangers, _ = receive_packets(
            self._epoll.fileno(), self._tables, now, into.octets, into.legs, into.sizes
        )
        return taken, self._strays(strangers)

    def relay(self, tables: ReceiptTables, later: LaterTables, pause: Pause) -> Relayed:
        """Take packets and pass them on at intervals; see `RelayingWire`."""
        received, sent, dropped, strangers, now = relay_packets(
            self._epoll.fileno(), self._tables, tables, later, pause.every_s, pause.until
        )
        return Relayed(received, sent, dropped, self._strays(strangers), now)

    def _strays(self, doorsteps: int) -> list[Stray]:
        strays: list[Stray] = []
        if doorsteps:
            tables = self._tables
            for fd in tables.doorsteps[: min(doorsteps, MAX_STRAYS)].tolist():
                self._look_at_doorstep(fd, int(tables.row_by_fd[fd]), strays)
        return strays

    def _go_on_sweeping(self, now: float) -> None:
        """Read the legs in turn once more than the kernel tells, all of them within `SWEEP_S`."""
        passed, self._swept_at = now - self._swept_at, now
        if not self._sweep:
            self._sweep = [pair.main.fileno() for pair in self._legs.values()]
        for _ in range(min(len(self._sweep), int(len(self._legs) * passed / SWEEP_S) + 1)):
            self._look_again(self._sweep.pop())

    def _look_again(self, fd: int) -> None:
        tables = self._tables
        if tables.kind_by_fd[fd] == MAIN and not tables.is_again[fd]:
            tables.is_again[fd] = True
            tables.again[tables.again_count[0]] = fd
            tables.again_count[0] += 1

    def send(self, packets: PacketBuffer, first: int, count: int) -> int:
        """Send packets to the legs that they are for; return how many the system did not take."""
        return send_packets(self._tables, packets.octets, packets.legs, packets.sizes, first, count)

    def close(self) -> None:
        """Close every socket."""
        self.ports.close()
        for pair in self._legs.values():
            pair.close()
        for sock in self._reports.values():
            sock.close()
        self._reports.clear()
        self._legs.clear()
        self._sessions.close()
        self._epoll.close()

    def _make_room(self, row: int, fd: int) -> None:
        tables = self._tables
        if row >= len(tables.fd_by_row):
            more = np.full(row + 1, -1, dtype=np.int32)
            tables = tables._replace(
                fd_by_row=np.concatenate([tables.fd_by_row, more]),
                report_fd_by_row=np.concatenate([tables.report_fd_by_row, more]),
            )
            rows = len(tables.fd_by_row)
            self._sessions.make_room(rows)
            tables = tables._replace(
                is_secure=self._sessions.is_secure,
                crypts=self._sessions.crypts,
                report_addresses=grown(tables.report_addresses, rows),
                report_address_sizes=grown(tables.report_address_sizes, rows),
            )
        if fd >= len(tables.row_by_fd):
            rows = max(2 * len(tables.row_by_fd), fd + 1)
            tables = tables._replace(
                ready=grown(tables.ready, rows),
                row_by_fd=grown(tables.row_by_fd, rows),
                kind_by_fd=grown(tables.kind_by_fd, rows),
                again=grown(tables.again, rows),
                is_again=grown(tables.is_again, rows),
                doorsteps=grown(tables.doorsteps, rows),
            )
        self._tables = tables

    def _look_at_doorstep(self, fd: int, row: int, strays: list[Stray]) -> None:
        is_report = self._tables.kind_by_fd[fd] != DOORSTEP
        sock = self._reports.get(row) if is_report else self._legs[row].doorstep
        if sock is None:
            return
        try:
            data, source = sock.recvfrom(_DATAGRAM_OCTETS)
        except OSError:
            return
        if data and data[0] >> 6 == 2:
            data = self._sessions.open(row, data)  # nobody is followed who has not the keys
        strays.append(Stray(row, data, (source[0], source[1]), is_report))


def _sockaddr(address: str, port: int) -> bytes:
    """`struct sockaddr_in` or `sockaddr_in6`. Raises ValueError."""
    numeric = ip_address(address)
    if not 0 < port < 65536:
        raise ValueError(f"{port} is no port")
    if numeric.version == 4:
        head = socket.AF_INET.to_bytes(2, sys.byteorder) + port.to_bytes(2)
        return head + numeric.packed + bytes(8)
    head = socket.AF_INET6.to_bytes(2, sys.byteorder) + port.to_bytes(2)
    return head + bytes(4) + numeric.packed + bytes(4)
