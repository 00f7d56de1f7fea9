"""Whether we can still be reached where we listen.

An interface that goes down, or an address that moves to another machine, closes no socket: nothing comes any
more, and nobody says so. So whoever asks for health has the addresses looked at.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable

from switch.transport.streams import is_address


class ListenAddresses:
    """The addresses of this machine at which peers reach us."""

    def __init__(self, addresses: Iterable[str]) -> None:
        """Those that are this machine's now are watched."""
        self._watched = tuple(each for each in dict.fromkeys(addresses) if is_ours(each))

    @property
    def lost(self) -> tuple[str, ...]:
        """Those that are this machine's no more. Takes some microseconds for each."""
        return tuple(address for address in self._watched if not is_ours(address))


def is_ours(address: str) -> bool:
    """Whether an IP address is one of this machine; yes where it cannot be told, as of a name.

    `bind` would look a name up, and hold up everybody meanwhile.
    """
    if not is_address(address):
        return True
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))
    except OSError as error:
        return error.errno != errno.EADDRNOTAVAIL
    return True
