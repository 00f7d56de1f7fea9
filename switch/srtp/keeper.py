"""The SRTP sessions of the legs: made, kept while their keys stay the same, freed.

They are made in a thread of their own. A session is a dozen small blocks of the C heap, and between two
packets of a leg all others have been there. In the heap of the gateway, full of small gaps since its loops
were loaded, each block is a line of the cache somewhere else; a thread has a heap of its own (an arena of
glibc), where sessions lie side by side.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from switch.compiled import INT, OCTETS, entry, table_of
from switch.srtp.crypt import CRYPT, LINE_OCTETS, open_packet
from switch.srtp.library import close_session, open_session


class SessionKeeper:
    """Rows are legs. Owns the CRYPTs and what their addresses lead to."""

    def __init__(self) -> None:
        self.crypts: NDArray[Any] = np.zeros(0, dtype=CRYPT)
        self.is_secure = np.zeros(0, dtype=np.bool_)
        """By row: nothing passes in clear, whether there are keys yet or not."""
        self.secured = np.zeros(1, dtype=np.int64)
        """One value: how many rows are secure."""
        self._inbound: dict[int, tuple[str, bytes]] = {}
        self._outbound: dict[int, tuple[str, bytes]] = {}
        self._maker = ThreadPoolExecutor(1, "srtp sessions")
        """The thread begins with the first session."""

    def make_room(self, rows: int) -> None:
        """Have so many rows."""
        if rows > len(self.crypts):
            crypts = _at_a_line(rows)
            crypts[: len(self.crypts)] = self.crypts
            secure = np.zeros(rows, dtype=np.bool_)
            secure[: len(self.is_secure)] = self.is_secure
            self.crypts, self.is_secure = crypts, secure

    def expect(self, row: int) -> None:
        """From now on nothing of this leg passes in clear."""
        if not self.is_secure[row]:
            self.is_secure[row] = True
            self.secured[0] += 1

    def key(self, row: int, suite: str, send: bytes, receive: bytes) -> None:
        """Encrypt and decrypt with these keys; what is in use already goes on. Raises SrtpError."""
        self.expect(row)
        crypt = self.crypts[row]
        if self._outbound.get(row) != (suite, send):
            session = self._open(suite, send, inbound=False)
            close_session(int(crypt["outbound"]))
            crypt["outbound"] = session
            self._outbound[row] = (suite, send)
        if self._inbound.get(row) != (suite, receive):
            session = self._open(suite, receive, inbound=True)
            close_session(int(crypt["inbound"]))
            crypt["inbound"] = session
            crypt["latest"], crypt["streams"] = -1, 0
            self._inbound[row] = (suite, receive)

    def _open(self, suite: str, key: bytes, *, inbound: bool) -> int:
        return self._maker.submit(open_session, suite, key, inbound=inbound).result()

    def clear(self, row: int) -> None:
        """The leg is gone, or is plain from now on."""
        if row < len(self.is_secure) and self.is_secure[row]:
            self.is_secure[row] = False
            self.secured[0] -= 1
            crypt = self.crypts[row]
            close_session(int(crypt["inbound"]))
            close_session(int(crypt["outbound"]))
            self.crypts[row] = 0
            self._inbound.pop(row, None)
            self._outbound.pop(row, None)

    def open(self, row: int, data: bytes) -> bytes:
        """Decrypt one packet; empty when it is not authentic."""
        if not self.is_secure[row]:
            return data
        octets = np.frombuffer(bytearray(data), dtype=np.uint8)
        return octets[: open_one(self.crypts, row, octets, len(data))].tobytes()

    def close(self) -> None:
        """Free everything."""
        for row in range(len(self.crypts)):
            self.clear(row)
        self._maker.shutdown()


def _at_a_line(rows: int) -> NDArray[Any]:
    """So many CRYPTs, the first at the beginning of a line of the cache."""
    octets = np.zeros(rows * CRYPT.itemsize + LINE_OCTETS, dtype=np.uint8)
    begin = -octets.ctypes.data % LINE_OCTETS
    return octets[begin : begin + rows * CRYPT.itemsize].view(CRYPT)


@entry(table_of(CRYPT), INT, OCTETS, INT)
def open_one(crypts: NDArray[Any], row: int, packet: NDArray[np.uint8], size: int) -> int:
    """See `open_packet`."""
    return open_packet(crypts, row, packet, size)
