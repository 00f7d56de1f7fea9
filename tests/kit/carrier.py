"""A carrier on a plain UDP socket, which misbehaves as it is told: registrar and proxy in one."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Callable
from types import TracebackType
from typing import Self

_PARAM = re.compile(r'(\w+)="?([^",]*)"?')
Answer = tuple[int, list[str]]
"""Status and further header lines."""


class Asked:
    """One request that came."""

    def __init__(self, text: str) -> None:
        head, _, self.body = text.partition("\r\n\r\n")
        lines = head.split("\r\n")
        self.method, self.uri, _ = lines[0].split(" ", 2)
        self.lines = lines[1:]

    def all(self, name: str) -> list[str]:
        prefix = name.lower() + ":"
        return [
            line.partition(":")[2].strip() for line in self.lines if line.lower().startswith(prefix)
        ]

    def get(self, name: str) -> str:
        return next(iter(self.all(name)), "")

    def answer(self, status: int, further: list[str]) -> bytes:
        """A response to it."""
        to = self.get("To")
        lines = [f"SIP/2.0 {status} Whatever"]
        lines += [f"Via: {via}" for via in self.all("Via")]
        lines += [f"From: {self.get('From')}", f"Call-ID: {self.get('Call-ID')}"]
        lines += [f"To: {to}" if ";tag=" in to or status == 100 else f"To: {to};tag=carrier"]
        lines += [f"CSeq: {self.get('CSeq')}", *further, "Content-Length: 0", "", ""]
        return "\r\n".join(lines).encode()

    def proves(self, user: str, password: str, header: str) -> bool:
        """Whether it carries the right digest (MD5, qop=auth)."""
        found = dict(_PARAM.findall(self.get(header)))

        def md5(text: str) -> str:
            return hashlib.md5(text.encode()).hexdigest()

        if not found:
            return False
        secret = md5(f"{user}:{found['realm']}:{password}")
        request = md5(f"{self.method}:{found['uri']}")
        parts = (secret, found["nonce"], found["nc"], found["cnonce"], found["qop"], request)
        return (found["username"], found["response"]) == (user, md5(":".join(parts)))


class Carrier(asyncio.DatagramProtocol):
    """Answers each request with what `replies[method]` says; None: silence."""

    def __init__(self, host: str, port: int = 0) -> None:
        self.host, self.port = host, port
        self.asked: list[Asked] = []
        self.replies: dict[str, Callable[[Asked], Answer | None]] = {}
        self.responses: list[str] = []
        self._transport: asyncio.DatagramTransport | None = None

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=(self.host, self.port)
        )
        self.host, self.port = self._transport.get_extra_info("sockname")
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._transport is not None
        self._transport.close()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        text = data.decode()
        if text.startswith("SIP/2.0 "):
            self.responses.append(text)
            return
        if not text.strip():
            return
        asked = Asked(text)
        self.asked.append(asked)
        reply = self.replies.get(asked.method)
        answer = None if reply is None else reply(asked)
        if answer is not None and self._transport is not None:
            self._transport.sendto(asked.answer(*answer), addr)

    def send(self, text: str, to: tuple[str, int]) -> None:
        assert self._transport is not None
        self._transport.sendto(text.encode(), to)

    def of(self, method: str) -> list[Asked]:
        """The requests of a method, retransmissions included."""
        return [asked for asked in self.asked if asked.method == method]


class Registrar:
    """A reply to REGISTER: 423 first, then a challenge, then 200 for who knows the password."""

    def __init__(self, user: str, password: str, *, least_s: int) -> None:
        self.user, self.password, self.least_s = user, password, least_s
        self.bindings: list[int] = []
        """What was granted, in order."""

    def __call__(self, asked: Asked) -> Answer:
        expires = int(asked.get("Expires"))
        if 0 < expires < self.least_s:
            return 423, [f"Min-Expires: {self.least_s}"]
        if not asked.proves(self.user, self.password, "Authorization"):
            challenge = 'Digest realm="carrier", nonce="n1", algorithm=MD5, qop="auth"'
            return 401, [f"WWW-Authenticate: {challenge}"]
        self.bindings.append(expires)
        return 200, [f"Contact: {asked.get('Contact')};expires={expires}"]
