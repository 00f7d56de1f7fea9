"""Free ports for servers that nobody configured: demo, bench and tests."""

from __future__ import annotations

import random
import socket
from typing import Final

_LOW: Final = 5100
_HIGH: Final = 9999
"""Below the ephemeral range, so that no client connection takes a port between look and use."""

_TRIES: Final = 200


def free_port() -> int:
    """A port on 127.0.0.1 that is free for UDP and TCP.

    Raises:
        OSError: none was found.
    """
    for _ in range(_TRIES):
        port = random.randint(_LOW, _HIGH)
        if _is_free(port, socket.SOCK_DGRAM) and _is_free(port, socket.SOCK_STREAM):
            return port
    raise OSError(f"no free port between {_LOW} and {_HIGH} on 127.0.0.1")


def _is_free(port: int, kind: socket.SocketKind) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
