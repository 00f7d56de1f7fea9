"""Ports for servers, apart from those of the test processes beside this one.

A port that was looked at and found free is bound a second later, and some that a server is told it
never binds: two processes that draw from one range would meet now and then.
"""

from __future__ import annotations

import os
import random
import socket
from typing import Final

_SERVER_PORTS: Final = (2100, 4999)
"""Below those of `cti.free_ports`, which bench and demo use in tests as well."""
_RTP_PORTS: Final = (24_000, 31_999)
"""Below the ephemeral range, so that no client connection takes a port between look and use."""

_TRIES: Final = 200
_given: set[int] = set()


def free_port() -> int:
    """A port on 127.0.0.1 that is free for UDP and TCP, and that this process was not given lately."""
    low, high = _share(*_SERVER_PORTS)
    left = [port for port in range(low, high + 1) if port not in _given]
    if len(left) < (high - low) // 4:
        _given.clear()
    random.shuffle(left)
    for port in left:
        if _is_free(port, socket.SOCK_DGRAM) and _is_free(port, socket.SOCK_STREAM):
            _given.add(port)
            return port
    raise OSError(f"no free port between {low} and {high} on 127.0.0.1")


def rtp_ports() -> str:
    """A range for the gateways of this test process."""
    low, high = _share(*_RTP_PORTS)
    return f"{low}-{high}"


def free_row(count: int) -> int:
    """The first, even, of so many UDP ports in a row on 127.0.0.1 that nobody uses now."""
    for _ in range(_TRIES):
        low, high = _share(*_RTP_PORTS)
        first = random.randrange(low, high + 1 - count, 2)
        if all(_is_free(port, socket.SOCK_DGRAM) for port in range(first, first + count)):
            return first
    raise OSError(f"no {count} free ports in a row on 127.0.0.1")


def _share(low: int, high: int) -> tuple[int, int]:
    """What of a range belongs to this test process: even parts for all that run side by side."""
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    count = max(int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")), number + 1)
    size = (high - low + 1) // count & ~1
    return low + number * size, low + (number + 1) * size - 1


def _is_free(port: int, kind: socket.SocketKind) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
