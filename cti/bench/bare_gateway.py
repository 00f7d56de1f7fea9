"""What no gateway can do without: a bare loop in its place, with the same parties at the same pace.

Each packet of one leg is sent on to the other of its pair as it is; or, with a library at work, decrypted and
encrypted, or decoded and encoded, and nothing else. As many sockets, sessions and states as a gateway has for
so many legs, woken as often, in a process of its own with the same C heap: the caches are as cold as there,
sessions lie as they lie there, and the memory of packets goes back to the core it came from as there. The
difference of two such loops is what a library costs where it is used; a loop in a warm cache says less than
half of it.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import select
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Final, NamedTuple

import numba
import numpy as np
from numba import types
from numpy.typing import NDArray

from cti.bench.speakers import ADDRESS, FRAME_S, Speakers, Speech
from switch.c_heap import with_packed_heap
from switch.compiled import FDS, INT, INTS, OCTET_ROWS, REAL, entry, inner, tuple_of
from switch.libc import EPOLL_EVENT, epoll_wait, monotonic, recv, send, sleep_until
from switch.media.codecs import FRAME_SAMPLES
from switch.media.coders import DEFAULT_BITRATE
from switch.media.g722 import decode_g722, encode_g722, first_state
from switch.media.opus import MAX_SAMPLES, OpusStates, decode_opus, encode_opus
from switch.rtp.packet import HEADER_OCTETS
from switch.srtp.keeper import SessionKeeper
from switch.srtp.library import OK, TRAILER_OCTETS, srtp_protect, srtp_unprotect

WARM_UP_S: Final = 1.5
WAKE_S: Final = 0.0025
"""The pace of a gateway with few packets."""
_ROW: Final = 512
_ROOM: Final = _ROW - HEADER_OCTETS - TRAILER_OCTETS
_CHUNK_S: Final = 0.1
"""The loop looks after its owner's questions as often."""
_START_S: Final = 120.0
NOTHING, SRTP, OPUS, G722, SENDING = range(5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What is done with a packet between its receipt and its way on; by default nothing."""

    kind: int = NOTHING
    suite: str = ""
    """Of SRTP, with its keys as the gateway has them."""
    send_key: bytes = b""
    receive_key: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What the process did and used in some seconds."""

    packets: int
    """Received and sent on; or only sent."""
    cpu_s: float
    crypt_s: float
    """To encrypt and decrypt, by the clock."""

    @property
    def packet_us(self) -> float:
        """CPU time of one packet, microseconds."""
        return 1e6 * self.cpu_s / max(self.packets, 1)

    @property
    def crypt_us(self) -> float:
        """Time to decrypt a packet and encrypt it, microseconds."""
        return 1e6 * self.crypt_s / max(self.packets, 1)


class BareGateway:
    """Handle of the process."""

    def __init__(
        self, remote_ports: Sequence[int], wake_s: float, work: Work | None = None
    ) -> None:
        """A leg for each remote port, in pairs. Raises TimeoutError."""
        context = multiprocessing.get_context("spawn")
        self._pipe, child = context.Pipe()
        self._process = context.Process(
            target=_main, args=(child, list(remote_ports), wake_s, work or Work()), daemon=True
        )
        with _in_environment(with_packed_heap()):
            self._process.start()
        child.close()
        if not self._pipe.poll(_START_S):
            raise TimeoutError("the bare loop does not start")
        self.ports: list[int] = self._pipe.recv()

    def turn_to(self, kind: int) -> None:
        """Do only this with each packet from now on: NOTHING, or the work that the loop was made for."""
        self._pipe.send(kind)

    def window(self, seconds: float) -> Spent:
        """Measure for so long; blocks."""
        before = self._ask()
        time.sleep(seconds)
        later = self._ask()
        packets, cpu_s, crypt_s = (now - then for now, then in zip(later, before, strict=True))
        return Spent(packets=int(packets), cpu_s=cpu_s, crypt_s=crypt_s)

    def close(self) -> None:
        """End the process."""
        self._pipe.close()
        self._process.kill()
        self._process.join(5)

    def _ask(self) -> tuple[int, float, float]:
        """Packets, CPU seconds and seconds of encryption since the start."""
        self._pipe.send(None)
        if not self._pipe.poll(_START_S):
            raise TimeoutError("the bare loop does not answer")
        answer: tuple[int, float, float] = self._pipe.recv()
        return answer


def passed_on(speech: Speech, work: Work, legs: int, seconds: float) -> float:
    """CPU time of a packet in such a loop, microseconds. Raises TimeoutError."""
    parties = Speakers(legs, speech)
    try:
        loop = BareGateway(parties.ports, WAKE_S, work)
        try:
            parties.start(loop.ports)
            time.sleep(WARM_UP_S)
            return loop.window(seconds).packet_us
        finally:
            loop.close()
    finally:
        parties.close()


class _Loop(NamedTuple):
    """What the loop goes through; by leg unless it says other."""

    ready: NDArray[Any]
    leg_by_fd: NDArray[np.int32]
    fds: NDArray[np.int32]
    packets: NDArray[np.uint8]
    """Those of one wake, with their legs and sizes."""
    legs: NDArray[np.int64]
    sizes: NDArray[np.int64]
    inbound: NDArray[np.int64]
    """Sessions or decoders, by their addresses."""
    outbound: NDArray[np.int64]
    g722_in: NDArray[np.int32]
    g722_out: NDArray[np.int32]
    linear: NDArray[np.int16]
    following: NDArray[np.int64]
    """One value: who is sent to next."""
    timespec: NDArray[np.int64]
    crypt_s: NDArray[np.float64]
    """One value: what encrypting and decrypting has taken."""


_LOOP: Final = tuple_of(
    _Loop,
    numba.from_dtype(EPOLL_EVENT)[::1], FDS, FDS, OCTET_ROWS, INTS, INTS, INTS, INTS,
    types.int32[:, ::1], types.int32[:, ::1], types.int16[::1], INTS, INTS,
    types.float64[::1],
)  # fmt: skip


@inner
def _crypt(loop: Any, count: int) -> None:
    """Decrypt all, then encrypt all, as a gateway does."""
    for i in range(count):
        session = loop.inbound[loop.legs[i]]
        status = srtp_unprotect(session, loop.packets[i].ctypes.data, loop.sizes[i:].ctypes.data)
        if status != OK:
            loop.sizes[i] = 0
    for i in range(count):
        session = loop.outbound[loop.legs[i] ^ 1]
        if 0 < loop.sizes[i] < _ROW - TRAILER_OCTETS:
            srtp_protect(session, loop.packets[i].ctypes.data, loop.sizes[i:].ctypes.data)


@inner
def _code(loop: Any, count: int, kind: int) -> None:
    """Decode each packet, and encode the sound for the other leg."""
    for i in range(count):
        leg, packet, octets = loop.legs[i], loop.packets[i], loop.sizes[i] - HEADER_OCTETS
        if octets <= 0 or octets > MAX_SAMPLES:
            continue
        if kind == OPUS:
            decode_opus(loop.inbound[leg], packet, HEADER_OCTETS, octets, loop.linear, 0)
            encoder = loop.outbound[leg ^ 1]
            made = encode_opus(encoder, loop.linear, FRAME_SAMPLES, packet, HEADER_OCTETS, _ROOM)
            loop.sizes[i] = HEADER_OCTETS + max(made, 0)
        else:
            decode_g722(loop.g722_in[leg], packet, HEADER_OCTETS, octets, loop.linear)
            encode_g722(loop.g722_out[leg ^ 1], loop.linear, octets, packet, HEADER_OCTETS)


@inner
def _take(epoll: int, loop: Any) -> int:
    """One packet of each socket that the kernel tells of; how many there are."""
    count = 0
    for i in range(epoll_wait(epoll, loop.ready.ctypes.data, len(loop.ready), 0)):
        fd = loop.ready[i].fd
        place = np.int64(loop.packets.ctypes.data) + count * loop.packets.shape[1]
        size = recv(fd, place, loop.packets.shape[1], 0)
        if size > 0:
            loop.legs[count] = loop.leg_by_fd[fd]
            loop.sizes[count] = size
            count += 1
    return count


@inner
def _make(loop: Any, share: float) -> int:
    """Packets for the next legs in turn, a `share` of all; how many there are."""
    count = int(len(loop.fds) * min(share, 1.0))
    for i in range(count):
        loop.legs[i] = loop.following[0] ^ 1
        loop.following[0] = (loop.following[0] + 1) % len(loop.fds)
    return count


@entry(INT, _LOOP, INT, REAL, REAL)
def pass_on(epoll: int, loop: _Loop, kind: int, wake_s: float, until: float) -> int:
    """Sleep, take what came, work, send it on, every `wake_s` until `until`; return the packets."""
    passed = 0
    now = monotonic(loop.timespec)
    while now + wake_s < until:
        before = now
        sleep_until(loop.timespec, now + wake_s)
        now = monotonic(loop.timespec)
        count = _make(loop, (now - before) / FRAME_S) if kind == SENDING else _take(epoll, loop)
        if kind == SRTP:
            began = monotonic(loop.timespec)
            _crypt(loop, count)
            loop.crypt_s[0] += monotonic(loop.timespec) - began
        elif kind in (OPUS, G722):
            _code(loop, count, kind)
        for i in range(count):
            if loop.sizes[i] > 0:
                place = np.int64(loop.packets.ctypes.data) + i * loop.packets.shape[1]
                send(loop.fds[loop.legs[i] ^ 1], place, loop.sizes[i], 0)
        passed += count
    return passed


@contextlib.contextmanager
def _in_environment(environment: dict[str, str]) -> Iterator[None]:
    """What is started meanwhile has this environment."""
    ours = dict(os.environ)
    os.environ.update(environment)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(ours)


def _tables(sockets: list[socket.socket], work: Work) -> _Loop:
    legs = len(sockets)
    fds = np.array([sock.fileno() for sock in sockets], dtype=np.int32)
    leg_by_fd = np.zeros(fds.max() + 1, dtype=np.int32)
    leg_by_fd[fds] = np.arange(legs)
    inbound, outbound = np.zeros(legs, dtype=np.int64), np.zeros(legs, dtype=np.int64)
    sessions, states = SessionKeeper(), OpusStates()
    sessions.make_room(legs)
    for leg in range(legs):
        if work.kind == SRTP:
            sessions.key(leg, work.suite, work.send_key, work.receive_key)
            inbound[leg], outbound[leg] = sessions.crypts[leg][["inbound", "outbound"]]
        elif work.kind == OPUS:
            inbound[leg] = states.take_decoder()
            outbound[leg] = states.take_encoder(DEFAULT_BITRATE, use_fec=False)
    return _Loop(
        ready=np.zeros(legs, dtype=EPOLL_EVENT),
        leg_by_fd=leg_by_fd,
        fds=fds,
        packets=np.zeros((legs, _ROW), dtype=np.uint8),
        legs=np.zeros(legs, dtype=np.int64),
        sizes=np.full(legs, HEADER_OCTETS + FRAME_SAMPLES, dtype=np.int64),
        inbound=inbound,
        outbound=outbound,
        g722_in=np.tile(first_state(), (legs, 1)),
        g722_out=np.tile(first_state(), (legs, 1)),
        linear=np.zeros(MAX_SAMPLES, dtype=np.int16),
        following=np.zeros(1, dtype=np.int64),
        timespec=np.zeros(2, dtype=np.int64),
        crypt_s=np.zeros(1),
    )


def _main(pipe: Connection, remote_ports: list[int], wake_s: float, work: Work) -> None:
    sockets = []
    epoll = select.epoll()
    for port in remote_ports:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind((ADDRESS, 0))
        sock.connect((ADDRESS, port))
        sock.setblocking(False)
        epoll.register(sock.fileno(), select.EPOLLIN | select.EPOLLET)
        sockets.append(sock)
    loop = _tables(sockets, work)
    packets = 0
    kind = work.kind
    with contextlib.suppress(EOFError, OSError):
        pipe.send([sock.getsockname()[1] for sock in sockets])
        while True:
            until = time.monotonic() + _CHUNK_S
            packets += pass_on(epoll.fileno(), loop, kind, wake_s, until)
            while pipe.poll():
                asked = pipe.recv()
                if asked is None:
                    pipe.send((packets, time.process_time(), float(loop.crypt_s[0])))
                else:
                    kind = asked
