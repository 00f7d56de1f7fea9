"""Small facts about SIP addresses and local ports that both user agents need."""

from __future__ import annotations

import re
import socket

_ADDRESS = re.compile(
    r"""\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^<"]*?))?\s*
        <?sips?:(?:(?P<user>[^@;>?]*)@)?(?P<host>[^;>?\s]*)""",
    re.VERBOSE,
)


def split_address(text: str) -> tuple[str, str]:
    """Number (or host where there is none) and display name of a From header's value."""
    match = _ADDRESS.match(text)
    if match is None:
        return text.strip(), ""
    name = match["quoted"] if match["quoted"] is not None else (match["plain"] or "")
    return match["user"] or match["host"], re.sub(r"\\(.)", r"\1", name).strip()


def free_port(address: str) -> int:
    """A port that is free for UDP and TCP right now.

    Raises `OSError` when the address is not ours or no port is free for both.
    """
    for _ in range(32):
        with (
            socket.socket(_family(address), socket.SOCK_DGRAM) as udp,
            socket.socket(_family(address), socket.SOCK_STREAM) as tcp,
        ):
            udp.bind((address, 0))
            port: int = udp.getsockname()[1]
            try:
                tcp.bind((address, port))
            except OSError:
                continue
            return port
    raise OSError(f"no port on {address or 'this host'} is free for both UDP and TCP")


def in_uri(address: str) -> str:
    """An address as it stands before a port."""
    return f"[{address}]" if ":" in address else address


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def is_loopback(host: str) -> bool:
    """Whether calls to this host stay on this machine."""
    return host in ("localhost", "::1", "[::1]") or host.startswith("127.")
