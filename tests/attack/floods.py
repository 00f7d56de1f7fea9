"""Floods: what attackers send, and how long. Bounded by seconds and by messages a second.

`attack` is the full form: every kind in turn against a running server, for as long as one likes.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import secrets
import socket
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.kit.lab import Lab

Make = Callable[[str, int, int], bytes]
"""(own address, own port, running number) -> a datagram."""

CONNECTIONS: Final = 100
"""That do not bring a whole message, and as many that do not read."""
_BATCH: Final = 20
_BODY: Final = b"x" * 60_000
_COPIED: Final = [f"Via: SIP/2.0/TCP 192.0.2.{n};branch=z9hG4bK{'z' * 7000}" for n in range(2)]
"""Goes into the answer as well."""


def _request(
    method: str, host: str, port: int, user: str, *headers: str, body: bytes = b""
) -> bytes:
    token = secrets.token_hex(6)
    lines = [
        f"{method} sip:{user}@127.0.0.1 SIP/2.0",
        f"Via: SIP/2.0/UDP {host}:{port};rport;branch=z9hG4bK{token}",
        "Max-Forwards: 70",
        f"From: <sip:{user}@example.com>;tag={token}",
        f"To: <sip:{user}@example.com>",
        f"Call-ID: {token}",
        f"CSeq: 1 {method}",
        f"Contact: <sip:{user}@{host}:{port}>",
        *headers,
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


def invites(host: str, port: int, number: int) -> bytes:
    """Calls without an account."""
    return _request("INVITE", host, port, "4000")


def registers(host: str, port: int, number: int) -> bytes:
    """Registrations by the thousand, each of another name."""
    return _request("REGISTER", host, port, str(number), "Expires: 3600")


def options(host: str, port: int, number: int) -> bytes:
    """Harmless questions, too many of them."""
    return _request("OPTIONS", host, port, "4000")


def scans(host: str, port: int, number: int) -> bytes:
    """A scanner that gives its name."""
    return _request("OPTIONS", host, port, "100", "User-Agent: friendly-scanner")


def garbage(host: str, port: int, number: int) -> bytes:
    """Octets without sense, begun like a request."""
    return b"INVITE " + random.Random(number).randbytes(300)


def huge(host: str, port: int, number: int) -> bytes:
    """A head far beyond what is read."""
    return _request("OPTIONS", host, port, "4000", *(f"X-{n}: {'y' * 200}" for n in range(200)))


def bodies(host: str, port: int, number: int) -> bytes:
    """Calls with a body as large as a datagram can carry, which is refused before it is asked who calls."""
    return _request("INVITE", host, port, "4000", "Content-Type: text/plain", body=_BODY)


def strays(host: str, port: int, number: int) -> bytes:
    """ACKs to nobody: they are never answered."""
    return _request("ACK", host, port, "4000")


DATAGRAMS: Final[Mapping[str, tuple[Make, frozenset[str]]]] = {
    "invites": (invites, frozenset({"unanswered-challenge", "flood"})),
    "registers": (registers, frozenset({"unanswered-challenge", "flood"})),
    "options": (options, frozenset({"flood"})),
    "scans": (scans, frozenset({"scanner"})),
    "garbage": (garbage, frozenset({"malformed", "flood"})),
    "huge": (huge, frozenset({"malformed", "flood"})),
    "strays": (strays, frozenset({"flood"})),
}
"""Each kind with the reasons that its sender may be banned for: the one that is found first."""


async def flood(
    lab: Lab, make: Make, sources: Iterable[str], *, seconds: float, rate: float = 4000.0
) -> int:
    """Send so many datagrams a second, from all sources in turn; gives how many were sent."""
    sockets = []
    for source in sources:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind((source, 0))
        sock.setblocking(False)
        sockets.append((sock, *sock.getsockname()))
    loop = asyncio.get_running_loop()
    began = loop.time()
    sent = 0
    try:
        for sock, host, port in itertools.cycle(sockets):
            for _ in range(_BATCH):
                sent += 1
                try:
                    sock.sendto(make(host, port, sent), (lab.host, lab.sip_port))
                except BlockingIOError:
                    break
            ahead = began + sent / rate - loop.time()
            await asyncio.sleep(max(0.0, ahead))
            if loop.time() - began >= seconds:
                return sent
    finally:
        for sock, _, _ in sockets:
            sock.close()
    return sent


async def connected(lab: Lab, source: str, count: int) -> list[socket.socket]:
    """Open TCP connections that take little unread; whether the server let them in shows later."""
    return [await _connection(lab, source) for _ in range(count)]


async def let_in(lab: Lab, source: str, count: int) -> list[socket.socket]:
    """Open TCP connections until so many are let in: each has answered a keep-alive.

    The server refuses some at a time when others are above the rate that strangers have together.
    Raises TimeoutError after a minute.
    """
    found: list[socket.socket] = []
    async with asyncio.timeout(60.0):
        while len(found) < count:
            sock = await _connection(lab, source)
            if await _answers(sock):
                found.append(sock)
            else:
                sock.close()
                await asyncio.sleep(0.1)
    return found


async def _connection(lab: Lab, source: str) -> socket.socket:
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.setblocking(False)
    sock.bind((source, 0))
    await asyncio.get_running_loop().sock_connect(sock, (lab.host, lab.sip_port))
    return sock


async def _answers(sock: socket.socket) -> bool:
    """Ask as RFC 5626 section 3.5.1 has it."""
    loop = asyncio.get_running_loop()
    try:
        await loop.sock_sendall(sock, b"\r\n\r\n")
        return await loop.sock_recv(sock, 16) == b"\r\n"
    except ConnectionError:
        return False


async def hold_open(connections: Iterable[socket.socket], begun: bytes = b"") -> int:
    """Say `begun` and nothing more; gives how many the server closed."""
    return sum(await asyncio.gather(*(_hold(sock, begun) for sock in connections)))


async def _hold(sock: socket.socket, begun: bytes) -> bool:
    loop = asyncio.get_running_loop()
    with sock:
        try:
            async with asyncio.timeout(30.0):
                await loop.sock_sendall(sock, begun)
                while await loop.sock_recv(sock, 4096):
                    pass
        except TimeoutError:
            return False
        except ConnectionError:
            pass
        return True


async def never_read(connections: Iterable[socket.socket]) -> int:
    """Ask and read no answer; gives how many the server closed.

    The questions are large, as their answers are; what the kernels keep of these has to be filled first.
    """
    return sum(await asyncio.gather(*(_only_ask(sock) for sock in connections)))


async def _only_ask(sock: socket.socket) -> bool:
    loop = asyncio.get_running_loop()
    with sock:
        host, port = sock.getsockname()
        try:
            async with asyncio.timeout(30.0):
                while True:
                    question = _request("OPTIONS", host, port, "4000", *_COPIED)
                    await loop.sock_sendall(sock, question)
        except TimeoutError:
            return False
        except ConnectionError:
            return True


def rss_mb(pid: int) -> float:
    """Resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4096 / 1e6


async def bans(lab: Lab) -> dict[str, dict[str, Any]]:
    """Who is banned now, by source."""
    return {ban["source"]: ban for ban in await lab.get("/api/v1/bans", "admin")}


@dataclass
class Findings:
    """What an attack left behind. Memory in MB."""

    before_mb: float
    worst_mb: float = 0.0
    after_mb: float = 0.0
    sent: int = 0
    banned: dict[str, str] = field(default_factory=dict)
    """Kind to the reason of the ban; a kind that got nobody banned is missing."""
    closed: dict[str, int] = field(default_factory=dict)
    """Of `CONNECTIONS` of each kind, those that the server closed."""
    guard: dict[str, int] = field(default_factory=dict)


async def attack(lab: Lab, *, seconds: float, rate: float = 4000.0) -> Findings:
    """Every kind of flood for `seconds` each, then forty seconds of rest for the timers to end.

    For the soak: the server should serve others all the while, `banned` should have every kind,
    and `after_mb` be near `before_mb`.
    """
    found = Findings(before_mb=rss_mb(lab.pid))
    for number, (kind, (make, _)) in enumerate(DATAGRAMS.items()):
        source = f"127.0.1.{number + 1}"
        found.sent += await flood(lab, make, [source], seconds=seconds, rate=rate)
        found.worst_mb = max(found.worst_mb, rss_mb(lab.pid))
        if source in (listed := await bans(lab)):
            found.banned[kind] = listed[source]["reason"]
    for make in (invites, bodies):
        found.sent += await flood(lab, make, swarm(500), seconds=seconds, rate=rate)
        found.worst_mb = max(found.worst_mb, rss_mb(lab.pid))
    slow = await connected(lab, "127.0.1.200", CONNECTIONS)
    deaf = await connected(lab, "127.0.1.201", CONNECTIONS)
    found.closed = dict(
        zip(
            ("slow", "never reading"),
            await asyncio.gather(
                hold_open(slow, b"INVITE sip:4000@"),
                never_read(deaf),
            ),
            strict=True,
        )
    )
    await asyncio.sleep(40.0)
    found.after_mb = rss_mb(lab.pid)
    found.guard = (await lab.status())["guard"]
    return found


def swarm(count: int) -> list[str]:
    """So many addresses, none of which does much alone."""
    return [f"127.0.{2 + n // 250}.{1 + n % 250}" for n in range(count)]
