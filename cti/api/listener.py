"""The socket that the API listens at: taken before the API's libraries are loaded."""

from __future__ import annotations

import socket
from typing import Final

_BACKLOG: Final = 128
"""Clients that wait to be accepted, also while the server starts."""


def listen(host: str, port: int) -> socket.socket:
    """Listen. Port 0 takes any free one. Raises `OSError` when the address is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio switches Nagle off for every connection.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener
