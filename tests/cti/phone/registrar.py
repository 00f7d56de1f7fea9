"""A registrar just big enough to challenge and check a phone over a real UDP socket."""

from __future__ import annotations

import asyncio
import hashlib
import re
from typing import Final

REALM: Final = "switchroom"
NONCE: Final = "6b0f2d1c"
_HASHES: Final = {"SHA-256": hashlib.sha256, "MD5": hashlib.md5}


class TestRegistrar(asyncio.DatagramProtocol):
    """Challenges with SHA-256 first and MD5 second, as the server does."""

    __test__ = False

    def __init__(self, user: str, password: str) -> None:
        self.user, self.password = user, password
        self.algorithms: set[str | None] = set()
        """The algorithms that the last accepted REGISTER used; a phone may answer both."""
        self.bindings: list[tuple[str, int]] = []
        """Contact and expiry of each accepted REGISTER."""
        self.unregistered = asyncio.Event()
        self.port = 0

    async def start(self) -> None:
        """Bind to a free port of loopback."""
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=("127.0.0.1", 0)
        )
        self.port = self._transport.get_extra_info("sockname")[1]

    def stop(self) -> None:
        """Close the socket."""
        self._transport.close()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer a REGISTER; everything else is ignored."""
        text = data.decode()
        if not text.startswith("REGISTER "):
            return
        credentials = re.findall(r"^Authorization:\s*(.*?)\r$", text, re.MULTILINE)
        if not credentials:
            self._answer(text, addr, "401 Unauthorized", _challenges())
            return
        algorithms = {self._check(each) for each in credentials}
        if None in algorithms:
            self._answer(text, addr, "403 Forbidden", [])
            return
        self.algorithms = algorithms
        contact = _header(text, "Contact") or ""
        expires = int(
            (re.search(r"expires=(\d+)", contact) or [0, _header(text, "Expires") or 0])[1]
        )
        self.bindings.append((contact, expires))
        if expires == 0:
            self.unregistered.set()
            self._answer(text, addr, "200 OK", [])
        else:
            address = contact.partition(">")[0] + ">"
            self._answer(text, addr, "200 OK", [f"Contact: {address};expires={expires}"])

    def _check(self, credentials: str) -> str | None:
        given = dict(re.findall(r'(\w+)="?([^",]*)"?', credentials))
        algorithm = given.get("algorithm", "MD5")

        def digest(text: str) -> str:
            return _HASHES[algorithm](text.encode()).hexdigest()

        ha1 = digest(f"{self.user}:{REALM}:{self.password}")
        ha2 = digest(f"REGISTER:{given['uri']}")
        middle = f"{given['nonce']}:{given['nc']}:{given['cnonce']}:{given['qop']}"
        right = digest(f"{ha1}:{middle}:{ha2}") == given["response"]
        return algorithm if right else None

    def _answer(self, request: str, addr: tuple[str, int], status: str, extra: list[str]) -> None:
        lines = [f"SIP/2.0 {status}"]
        for name in ("Via", "From", "To", "Call-ID", "CSeq"):
            value = _header(request, name)
            if name == "Via" and value is not None:
                value = re.sub(r";rport(?!=)", f";rport={addr[1]};received={addr[0]}", value)
            lines.append(f"{name}: {value}" + (";tag=r1" if name == "To" else ""))
        lines += [*extra, "Content-Length: 0", "", ""]
        self._transport.sendto("\r\n".join(lines).encode(), addr)


def _challenges() -> list[str]:
    return [
        f'WWW-Authenticate: Digest realm="{REALM}", nonce="{NONCE}", qop="auth", algorithm={name}'
        for name in _HASHES
    ]


def _header(text: str, name: str) -> str | None:
    found = re.search(rf"^{name}:\s*(.*?)\r$", text, re.MULTILINE | re.IGNORECASE)
    return found[1] if found else None
