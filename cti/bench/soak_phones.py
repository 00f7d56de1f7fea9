"""The phones of a soak: they register, stay or go, over UDP and TCP, some with a wrong password."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import re
from collections import Counter
from collections.abc import Iterable
from typing import Final

from cti.bench.sip_agents import AgentPool
from cti.bench.sip_digest import authorization
from cti.bench.sip_text import NONCE, STATUS, Address, Datagrams

_HOST: Final = "127.0.0.1"
_STAY_S: Final = 120
_REFRESH_S: Final = 45.0
_PAUSE_S: Final = 0.5
_PATIENCE_S: Final = 5.0
_WRONG_EVERY: Final = 40
_KEY: Final = re.compile(rb"branch=z9hG4bK(reg-[0-9-]+)")
_ODD: Final = (b"OPTIONS", b"SUBSCRIBE", b"MESSAGE", b"INFO", b"NONSENSE")
"""Requests that lead nowhere: they get a 200, 405, 481 or 501 and must leave nothing."""


class Phones:
    """`staying` are registered as long as the load lasts; `passing` come and go, every other by TCP."""

    def __init__(
        self, server: Address, ears: AgentPool, *, staying: Iterable[str], passing: Iterable[str]
    ) -> None:
        """`ears` answers when one of the phones rings."""
        self._server = server
        self._ears = ears
        self._staying = tuple(staying)
        self._passing = tuple(passing)
        self._socket: Datagrams | None = None
        self._count = 0
        self._waiting: dict[bytes, tuple[int, str, int]] = {}
        self.answers: Counter[int] = Counter()
        """Statuses of what came back."""
        self.lost = 0
        """Phones whose connection by TCP failed or fell silent."""

    async def open(self) -> None:
        """Bind, and register those who stay."""
        self._socket = await Datagrams.open(self._received, _HOST, 0)
        self._ears.attend(self._socket)
        self.register()

    def close(self) -> None:
        """Let the port go."""
        if self._socket is not None:
            self._socket.close()

    def register(self) -> None:
        """Register or refresh those who stay."""
        for phone in self._staying:
            self._begin(phone, _STAY_S)

    def unregister(self) -> None:
        """Take all away."""
        for phone in (*self._staying, *self._passing):
            self._begin(phone, 0)

    async def run(self) -> None:
        """Two phones a second come or go, until cancelled."""
        loop = asyncio.get_running_loop()
        refresh_at = loop.time() + _REFRESH_S
        for turn in itertools.count():
            phone = self._passing[turn % len(self._passing)]
            is_here = turn // len(self._passing) % 2
            expires = 0 if is_here else _STAY_S
            if turn % 2:
                await self._by_tcp(phone, expires)
            else:
                self._begin(phone, expires)
            self._send(_ODD[turn % len(_ODD)], phone, 0, b"odd-%d" % turn, b"")
            if loop.time() > refresh_at:
                refresh_at += _REFRESH_S
                self.register()
            await asyncio.sleep(_PAUSE_S)

    def _begin(self, phone: str, expires: int) -> None:
        self._count += 1
        self._register(self._count, phone, expires, b"")

    def _register(self, number: int, phone: str, expires: int, proof: bytes) -> None:
        key = b"reg-%d-%d" % (number, 1 if proof else 0)
        if len(self._waiting) > 1000:
            self._waiting.clear()
        self._waiting[key] = (number, phone, expires)
        self._send(b"REGISTER", phone, expires, key, proof)

    def _send(self, method: bytes, phone: str, expires: int, key: bytes, proof: bytes) -> None:
        assert self._socket is not None
        self._socket.send(
            self._request(method, phone, expires, key, proof, b"UDP", self._socket.port),
            self._server,
        )

    def _request(
        self,
        method: bytes,
        phone: str,
        expires: int,
        key: bytes,
        proof: bytes,
        transport: bytes,
        port: int,
    ) -> bytes:
        tcp = b";transport=tcp" if transport == b"TCP" else b""
        contact = b"<sip:%s@%s:%d%s>" % (phone.encode(), _HOST.encode(), port, tcp)
        return (
            b"%s sip:%s SIP/2.0\r\nVia: SIP/2.0/%s %s:%d;rport;branch=z9hG4bK%s\r\n"
            b"Max-Forwards: 70\r\nFrom: <sip:%s@%s>;tag=p%d\r\nTo: <sip:%s@%s>\r\n"
            b"Call-ID: %s\r\nCSeq: %d %s\r\nContact: %s\r\nExpires: %d\r\n"
            b"%sContent-Length: 0\r\n\r\n"
        ) % (
            method,
            _HOST.encode(),
            transport,
            _HOST.encode(),
            port,
            key,
            phone.encode(),
            _HOST.encode(),
            self._count,
            phone.encode(),
            _HOST.encode(),
            key,
            2 if proof else 1,
            method,
            contact,
            expires,
            proof,
        )

    def _proof(self, phone: str, expires: int, nonce: str) -> bytes:
        wrong = expires and phone in self._passing and self._count % _WRONG_EVERY == 0
        password = "guess" if wrong else f"lab-{phone}"
        return authorization(phone, password, nonce, "REGISTER", f"sip:{_HOST}")

    def _received(self, data: bytes, addr: Address) -> None:
        status_line, key = STATUS.match(data), _KEY.search(data)
        if status_line is None:
            self._ears.receive(data, addr)
            return
        status = int(status_line[1])
        self.answers[status] += 1
        waiting = self._waiting.pop(key[1], None) if key is not None else None
        nonce = NONCE.search(data)
        is_first = key is not None and key[1].endswith(b"-0")
        if waiting and is_first and status == 401 and nonce is not None:
            self._register(*waiting, self._proof(*waiting[1:], nonce[1].decode()))

    async def _by_tcp(self, phone: str, expires: int) -> None:
        """Connect, register, and be gone: the binding goes with the connection."""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                reader, writer = await asyncio.open_connection(*self._server)
                try:
                    await self._converse(reader, writer, phone, expires)
                finally:
                    writer.close()
                    with contextlib.suppress(OSError):
                        await writer.wait_closed()
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            self.lost += 1

    async def _converse(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        phone: str,
        expires: int,
    ) -> None:
        self._count += 1
        port = writer.get_extra_info("sockname")[1]
        proof = b""
        for attempt in range(2):
            key = b"tcp-%d-%d" % (self._count, attempt)
            writer.write(self._request(b"REGISTER", phone, expires, key, proof, b"TCP", port))
            answer = await reader.readuntil(b"\r\n\r\n")
            status, nonce = STATUS.match(answer), NONCE.search(answer)
            if status is None:
                return
            self.answers[int(status[1])] += 1
            if nonce is None:
                return
            proof = self._proof(phone, expires, nonce[1].decode())
