"""HEP version 3, the encapsulation that Homer reads: pure encoding.

 0               1               2               3
+---------------+---------------+---------------+---------------+
|  'H'   'E'   'P'   '3'                                        |
+-------------------------------+-------------------------------+
|  length of all, these included|  chunks ...
+-------------------------------+
chunk: vendor (0: generic), type, length with these six octets, value; all big-endian
"""

from __future__ import annotations

import struct
from enum import IntEnum
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from switch.sip.flow import Flow, Transport

LONGEST: Final = 65_535
"""Octets of a packet: its length stands in two of them."""
_LONGEST_KEY: Final = 128
"""Characters."""

_CHUNK: Final = struct.Struct("!HHH")
_TIMES: Final = struct.Struct("!HHHIHHHI")
_HEAD: Final = struct.Struct("!4sH")
_AF_INET: Final = 2
_AF_INET6: Final = 10
_TCP: Final = 6
_UDP: Final = 17


class Chunk(IntEnum):
    """Types of the generic chunks that are used here."""

    FAMILY = 1
    PROTOCOL = 2
    IPV4_SOURCE = 3
    IPV4_TARGET = 4
    IPV6_SOURCE = 5
    IPV6_TARGET = 6
    SOURCE_PORT = 7
    TARGET_PORT = 8
    SECONDS = 9
    MICROSECONDS = 10
    KIND = 11
    AGENT = 12
    KEY = 14
    PAYLOAD = 15
    CORRELATION = 17


class Kind(IntEnum):
    """What the payload is."""

    SIP = 1
    RTCP_JSON = 5


class Encoder:
    """Makes packets of one capture agent: `agent` is its number, `key` its password, if any."""

    __slots__ = ("_addresses", "_tail")

    def __init__(self, agent: int, key: str = "") -> None:
        self._tail = _chunk(Chunk.AGENT, agent.to_bytes(4, "big"))
        if len(key) > _LONGEST_KEY:
            raise ValueError(f"a key has at most {_LONGEST_KEY} characters")
        if key:
            self._tail += _chunk(Chunk.KEY, key.encode())
        # The addresses of a call are the same in all of its messages.
        self._addresses = lru_cache(maxsize=4096)(_addresses)

    def packet(
        self, payload: bytes, flow: Flow, *, is_out: bool, kind: Kind, at: float, correlation: bytes
    ) -> bytes:
        """One packet, at most `LONGEST` octets if the payload allows; `at` is seconds since the epoch.

        Raises:
            ValueError: an address is none, or it would be too long.
        """
        seconds = int(at)
        about = (
            self._addresses(flow, is_out),
            _TIMES.pack(
                *(0, Chunk.SECONDS, 10, seconds),
                *(0, Chunk.MICROSECONDS, 10, int((at - seconds) * 1e6)),
            ),
            _KINDS[kind],
            self._tail,
            _chunk(Chunk.CORRELATION, correlation) if correlation else b"",
        )
        size = _HEAD.size + sum(map(len, about)) + _CHUNK.size + len(payload)
        if size > LONGEST:
            raise ValueError(f"{len(payload)} octets do not fit a packet")
        head = _HEAD.pack(b"HEP3", size)
        return b"".join(
            (head, *about, _CHUNK.pack(0, Chunk.PAYLOAD, len(payload) + _CHUNK.size), payload)
        )


def _chunk(type: Chunk, value: bytes) -> bytes:
    return _CHUNK.pack(0, type, len(value) + _CHUNK.size) + value


_KINDS: Final = {kind: _chunk(Chunk.KIND, bytes([kind])) for kind in Kind}


def _addresses(flow: Flow, is_out: bool) -> bytes:
    """The chunks that say who sent it to whom, and how. Raises ValueError."""
    source, target = (flow.local, flow.remote) if is_out else (flow.remote, flow.local)
    a, b = ip_address(source[0].strip("[]")), ip_address(target[0].strip("[]"))
    if a.version != b.version:  # we listen at any address of both kinds
        a = a if a.version == 6 else IPv6Address(f"::ffff:{a}")
        b = b if b.version == 6 else IPv6Address(f"::ffff:{b}")
    is_old = isinstance(a, IPv4Address)
    protocol = _UDP if flow.transport is Transport.UDP else _TCP
    return b"".join(
        (
            _chunk(Chunk.FAMILY, bytes([_AF_INET if is_old else _AF_INET6])),
            _chunk(Chunk.PROTOCOL, bytes([protocol])),
            _chunk(Chunk.IPV4_SOURCE if is_old else Chunk.IPV6_SOURCE, a.packed),
            _chunk(Chunk.IPV4_TARGET if is_old else Chunk.IPV6_TARGET, b.packed),
            _chunk(Chunk.SOURCE_PORT, source[1].to_bytes(2, "big")),
            _chunk(Chunk.TARGET_PORT, target[1].to_bytes(2, "big")),
        )
    )
