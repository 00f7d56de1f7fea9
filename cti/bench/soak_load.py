"""The load of a soak: all the ways a call can go, phones that register, and a wallboard that watches."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import re
import time
from collections import Counter
from dataclasses import dataclass
from typing import Final

from cti.bench.call_sound import CallSound
from cti.bench.server import MeasuredServer
from cti.bench.sip_agents import AgentPool
from cti.bench.sip_load import MANY, CallerPool
from cti.bench.sip_text import STATUS, Address, Datagrams
from cti.client import ApiClient
from cti.client_requests import ApiError, ServerUnreachableError

_HOST: Final = "127.0.0.1"
_BUSY_EVERY: Final = 25
_NONCE: Final = re.compile(rb'nonce="([^"]+)"')
_STREAM_S: Final = 30.0
"""A wallboard connects anew so often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One way a call goes."""

    name: str
    share: int
    """Of a hundred calls."""
    called: str
    talk_s: float = 0.0
    cancel_after_s: float | None = None
    digit: str = ""
    expects: tuple[int, ...] = (200,)
    """Final statuses that are right; a CANCEL may cross with the answer."""


KINDS: Final = (
    Kind(name="queue", share=58, called="4101", talk_s=4.0),
    Kind(name="recorded", share=10, called="4100", talk_s=2.0),
    Kind(name="menu, digit, recorded", share=12, called="4103", talk_s=3.0, digit="1"),
    Kind(name="hangs up in the prompt", share=6, called="4003", talk_s=0.5),
    Kind(name="cancels", share=5, called="4001", cancel_after_s=0.4, expects=(487, 200)),
    Kind(name="gives up in the queue", share=6, called="4001", talk_s=0.7),
    Kind(name="unknown number", share=3, called="4999", expects=(404,)),
)


class SoakLoad:
    """Calls at a steady rate until told to stop."""

    def __init__(self, server: MeasuredServer, rate: float) -> None:
        self._server = server
        self._rate = rate
        self._sound = CallSound(_HOST)
        self._agents = AgentPool(
            host=_HOST,
            port=server.agent_port,
            rtp_port=self._sound.port,
            busy_every=_BUSY_EVERY,
            sound=self._sound,
        )
        self._pools = [
            CallerPool(
                host=_HOST,
                server=server.sip,
                rtp_port=self._sound.port,
                called=kind.called,
                talk_s=kind.talk_s,
                prefix=f"soak{number}x",
                numbers=MANY,
                cancel_after_s=kind.cancel_after_s,
                digit=kind.digit,
                digit_after_s=0.4,
                sound=self._sound,
                keep_records=False,
            )
            for number, kind in enumerate(KINDS)
        ]
        self._phones = _Phones(server.sip, server.agent_port)
        self._order = _order()
        self.calls = 0
        """Begun so far."""

    @property
    def live(self) -> int:
        """Calls that are not over."""
        return sum(pool.live for pool in self._pools)

    @property
    def failed(self) -> int:
        """Calls that went another way than they should."""
        wrong = sum(
            count
            for kind, pool in zip(KINDS, self._pools, strict=True)
            for status, count in pool.finished.items()
            if status not in kind.expects
        )
        return wrong + sum(pool.lost for pool in self._pools)

    def outcomes(self) -> dict[str, dict[str, int]]:
        """Calls that are over, by kind and final status."""
        return {
            kind.name: {str(status): count for status, count in sorted(pool.finished.items())}
            for kind, pool in zip(KINDS, self._pools, strict=True)
        }

    async def open(self) -> None:
        """Bind everything."""
        await self._agents.open()
        for pool in self._pools:
            await pool.open()
        await self._phones.open()
        self._sound.open()

    async def close(self) -> None:
        """Let everything go."""
        await self._sound.close()
        self._phones.close()
        self._agents.close()
        for pool in self._pools:
            pool.close()

    async def run(self, calls: int) -> None:
        """Begin `calls` calls at the rate, on an absolute schedule, and wait until all are over."""
        begin = time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            beside = [tasks.create_task(self._wallboard()), tasks.create_task(self._phones.run())]
            while self.calls < calls:
                pause = begin + self.calls / self._rate - time.monotonic()
                if pause > 0:
                    await asyncio.sleep(pause)
                self._pools[self._order[self.calls % len(self._order)]].dial()
                self.calls += 1
                if self.calls % 1000 == 0:
                    self._agents.invited.clear()
            for pool in self._pools:
                await pool.all_over()
            for task in beside:
                task.cancel()
        self._phones.unregister()

    async def _wallboard(self) -> None:
        """A supervisor who watches, and signs on anew now and then."""
        while True:
            with contextlib.suppress(TimeoutError, ApiError, ServerUnreachableError):
                async with asyncio.timeout(_STREAM_S), ApiClient(self._server.url) as client:
                    await client.sign_on("super", "desk-super")
                    async for _ in client.stream():
                        pass
            await asyncio.sleep(0.5)


def _order() -> list[int]:
    """A hundred calls, the kinds spread evenly."""
    slots = sorted(
        ((place + 0.5) / kind.share, number)
        for number, kind in enumerate(KINDS)
        for place in range(kind.share)
    )
    return [number for _, number in slots]


class _Phones:
    """Twenty-five phones that register again and again, and once in a while with a wrong password."""

    def __init__(self, server: Address, contact_port: int) -> None:
        self._server = server
        self._contact_port = contact_port
        self._socket: Datagrams | None = None
        self._count = 0
        self._waiting: dict[bytes, tuple[str, int]] = {}
        self.answers: Counter[int] = Counter()

    async def open(self) -> None:
        self._socket = await Datagrams.open(self._received, _HOST, 0)

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()

    async def run(self) -> None:
        """Two a second."""
        while True:
            self._count += 1
            self._send(str(1026 + self._count % 25), 120, b"")
            await asyncio.sleep(0.5)

    def unregister(self) -> None:
        """Take all away."""
        for number in range(1026, 1051):
            self._count += 1
            self._send(str(number), 0, b"")

    def _send(self, phone: str, expires: int, authorization: bytes) -> None:
        assert self._socket is not None
        key = b"reg-%d-%d" % (self._count, len(authorization) and 1)
        if len(self._waiting) > 1000:
            self._waiting.clear()
        self._waiting[key] = (phone, expires)
        self._socket.send(
            b"REGISTER sip:%s SIP/2.0\r\nVia: SIP/2.0/UDP %s:%d;rport;branch=z9hG4bK%s\r\n"
            b"Max-Forwards: 70\r\nFrom: <sip:%s@%s>;tag=p%d\r\nTo: <sip:%s@%s>\r\n"
            b"Call-ID: %s\r\nCSeq: %d REGISTER\r\nContact: <sip:%s@%s:%d>\r\nExpires: %d\r\n"
            b"%sContent-Length: 0\r\n\r\n"
            % (
                _HOST.encode(),
                _HOST.encode(),
                self._socket.port,
                key,
                phone.encode(),
                _HOST.encode(),
                self._count,
                phone.encode(),
                _HOST.encode(),
                key,
                2 if authorization else 1,
                phone.encode(),
                _HOST.encode(),
                self._contact_port,
                expires,
                authorization,
            ),
            self._server,
        )

    def _received(self, data: bytes, addr: Address) -> None:
        status_line = STATUS.match(data)
        key = re.search(rb"branch=z9hG4bK(reg-[0-9-]+)", data)
        waiting = self._waiting.pop(key[1], None) if key is not None else None
        if status_line is None or waiting is None:
            return
        status = int(status_line[1])
        self.answers[status] += 1
        nonce = _NONCE.search(data)
        if status == 401 and nonce is not None and key is not None and key[1].endswith(b"-0"):
            phone, expires = waiting
            wrong = expires and self._count % 40 == 0
            password = "guess" if wrong else f"lab-{phone}"
            self._send(phone, expires, _authorization(phone, password, nonce[1].decode()))


def _authorization(phone: str, password: str, nonce: str) -> bytes:
    """Digest with MD5 and qop (RFC 2617 section 3.2.2)."""

    def md5(text: str) -> str:
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    uri, client_nonce = f"sip:{_HOST}", md5(nonce)[:16]
    ha1, ha2 = md5(f"{phone}:switchroom:{password}"), md5(f"REGISTER:{uri}")
    answer = md5(f"{ha1}:{nonce}:00000001:{client_nonce}:auth:{ha2}")
    return (
        f'Authorization: Digest username="{phone}", realm="switchroom", nonce="{nonce}", '
        f'uri="{uri}", response="{answer}", algorithm=MD5, qop=auth, nc=00000001, '
        f'cnonce="{client_nonce}"\r\n'
    ).encode()
