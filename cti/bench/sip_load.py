"""A SIP load generator: callers and agents on raw UDP sockets, with as little work per call as can be.

Callers dial a number at a given rate, talk for a while and hang up; agents answer whatever rings.
Messages are templates filled in by hand: the generator must cost little beside what it measures.
Lost messages are sent again as RFC 3261 says (T1 = 0.5 s, doubling), so a server that drops some
is slow, not wrong. No sound is sent here; `cti.bench.media` loads the sound.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, cast

_T1: Final = 0.5
_TRIES: Final = 6
_STATUS: Final = re.compile(rb"^SIP/2\.0 (\d{3})")
_CSEQ: Final = re.compile(rb"\r\nCSeq:[ \t]*(\d+)[ \t]+(\w+)", re.IGNORECASE)
_CALL_ID: Final = re.compile(rb"\r\nCall-ID:[ \t]*([^\r]+)", re.IGNORECASE)
_FROM: Final = re.compile(rb"\r\n(?:From|f):[ \t]*([^\r]+)", re.IGNORECASE)
_TO: Final = re.compile(rb"\r\n(?:To|t):[ \t]*([^\r]+)", re.IGNORECASE)
_VIA: Final = re.compile(rb"\r\n(?:Via|v):[ \t]*([^\r]+)", re.IGNORECASE)
_CONTACT: Final = re.compile(rb"\r\n(?:Contact|m):[^\r<]*<([^>]+)>", re.IGNORECASE)
_NAME: Final = re.compile(rb'^"?([^"<]+?)"?\s*<')
_NUMBERS: Final = 100
"""Callers have the hundred numbers of the range +1 202 555 0100 to 0199, as customers who call again."""


@dataclass(slots=True)
class CallRecord:
    """What happened to one call; times are monotonic seconds, 0.0 when it did not come to that."""

    token: str
    """Travels as the caller's display name, so that the agent's INVITE can be told apart."""
    number: str
    invited: float = 0.0
    agent_invited: float = 0.0
    answered: float = 0.0
    ended: float = 0.0
    status: int = 0
    """Final status of the INVITE; 408 when none came."""


@dataclass(slots=True)
class _Pending:
    """A request that waits for its answer."""

    data: bytes
    tries: int = 0
    timer: asyncio.TimerHandle | None = None


@dataclass(slots=True)
class _CallerLeg:
    record: CallRecord
    call_id: bytes
    from_: bytes
    to: bytes
    target: bytes
    invite: _Pending | None = None
    bye: _Pending | None = None


class _Socket(asyncio.DatagramProtocol):
    """Hands datagrams to a function."""

    def __init__(self, receive: Callable[[bytes, tuple[str, int]], None]) -> None:
        self._receive = receive
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)  # uvloop's is no subclass

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._receive(data, addr)


def _sdp(host: str, port: int) -> bytes:
    return (
        f"v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
        f"m=audio {port} RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\n"
        "a=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n"
    ).encode()


@dataclass(slots=True)
class AgentPool:
    """Answers every INVITE that comes to its port at once, and every BYE."""

    host: str
    port: int
    rtp_port: int
    invited: dict[str, float] = field(default_factory=dict)
    """Caller's token to the time its agent was invited."""
    answered: int = 0
    on_invite: Callable[[str], None] | None = None
    _socket: _Socket | None = None

    async def open(self) -> None:
        """Bind the port."""
        loop = asyncio.get_running_loop()
        _, self._socket = await loop.create_datagram_endpoint(
            lambda: _Socket(self._receive), local_addr=(self.host, self.port)
        )

    def close(self) -> None:
        """Let the port go."""
        if self._socket is not None and self._socket.transport is not None:
            self._socket.transport.close()

    def _receive(self, data: bytes, addr: tuple[str, int]) -> None:
        method = data.split(b" ", 1)[0]
        if method == b"INVITE":
            from_ = _FROM.search(data)
            name = _NAME.search(from_[1]) if from_ else None
            if name is not None:
                token = name[1].decode()
                if token not in self.invited:
                    self.invited[token] = time.monotonic()
                    self.answered += 1
            self._reply(data, addr, 200, _sdp(self.host, self.rtp_port))
        elif method in (b"BYE", b"CANCEL", b"OPTIONS"):
            self._reply(data, addr, 200, b"")

    def _reply(self, data: bytes, addr: tuple[str, int], status: int, body: bytes) -> None:
        head = data.split(b"\r\n\r\n", 1)[0]
        vias = b"".join(b"Via: %s\r\n" % match[1] for match in _VIA.finditer(head))
        to, from_, call_id = _TO.search(head), _FROM.search(head), _CALL_ID.search(head)
        cseq = _CSEQ.search(head)
        if to is None or from_ is None or call_id is None or cseq is None or self._socket is None:
            return
        tag = b"" if b"tag=" in to[1] else b";tag=a" + call_id[1][-8:].replace(b"@", b"")
        reply = (
            b"SIP/2.0 %d OK\r\n%sFrom: %s\r\nTo: %s%s\r\nCall-ID: %s\r\nCSeq: %s %s\r\n"
            b"Contact: <sip:agent@%s:%d>\r\n"
            % (
                status,
                vias,
                from_[1],
                to[1],
                tag,
                call_id[1],
                cseq[1],
                cseq[2],
                self.host.encode(),
                self.port,
            )
        )
        if body:
            reply += b"Content-Type: application/sdp\r\n"
        reply += b"Content-Length: %d\r\n\r\n" % len(body) + body
        assert self._socket.transport is not None
        self._socket.transport.sendto(reply, addr)


@dataclass(slots=True)
class CallerPool:
    """Dials, talks, hangs up; keeps a record of each call."""

    host: str
    server: tuple[str, int]
    rtp_port: int
    called: str
    talk_s: float
    prefix: str = "load"
    records: list[CallRecord] = field(default_factory=list)
    _legs: dict[bytes, _CallerLeg] = field(default_factory=dict)
    _socket: _Socket | None = None
    _port: int = 0
    _count: int = 0
    _all_over: asyncio.Event | None = None

    async def open(self) -> None:
        """Bind any port."""
        loop = asyncio.get_running_loop()
        _, self._socket = await loop.create_datagram_endpoint(
            lambda: _Socket(self._receive), local_addr=(self.host, 0)
        )
        assert self._socket.transport is not None
        self._port = self._socket.transport.get_extra_info("sockname")[1]

    def close(self) -> None:
        """Let the port go."""
        if self._socket is not None and self._socket.transport is not None:
            self._socket.transport.close()

    @property
    def live(self) -> int:
        """Calls that are not over."""
        return len(self._legs)

    async def run(self, rate: float, calls: int) -> None:
        """Start `calls` calls at `rate` a second on an absolute schedule, and wait for their end."""
        begin = time.monotonic()
        for index in range(calls):
            due = begin + index / rate
            pause = due - time.monotonic()
            if pause > 0:
                await asyncio.sleep(pause)
            self.dial()
        if self._legs:
            self._all_over = asyncio.Event()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.talk_s + 35.0):
                    await self._all_over.wait()

    def dial(self) -> CallRecord:
        """Start one call."""
        self._count += 1
        token = f"{self.prefix}{self._count}"
        number = f"+120255501{self._count % _NUMBERS:02}"
        record = CallRecord(token=token, number=number, invited=time.monotonic())
        self.records.append(record)
        call_id = f"{self.prefix}-{self._count}-{self._port}".encode()
        leg = _CallerLeg(
            record=record,
            call_id=call_id,
            from_=f'"{token}" <sip:{number}@{self.host}>;tag=c{self._count}'.encode(),
            to=f"<sip:{self.called}@{self.host}>".encode(),
            target=f"sip:{self.called}@{self.server[0]}:{self.server[1]}".encode(),
        )
        self._legs[call_id] = leg
        leg.invite = _Pending(self._request(leg, b"INVITE", 1, _sdp(self.host, self.rtp_port)))
        self._send(leg, leg.invite)
        return record

    def _request(self, leg: _CallerLeg, method: bytes, cseq: int, body: bytes = b"") -> bytes:
        branch_of = b"INVITE" if method == b"CANCEL" else method
        head = (
            b"%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s:%d;rport;branch=z9hG4bK%s-%s\r\n"
            b"Max-Forwards: 70\r\nFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %d %s\r\n"
            b"Contact: <sip:load@%s:%d>\r\n"
            % (
                method,
                leg.target,
                self.host.encode(),
                self._port,
                leg.call_id,
                branch_of,
                leg.from_,
                leg.to,
                leg.call_id,
                cseq,
                method,
                self.host.encode(),
                self._port,
            )
        )
        if body:
            head += b"Content-Type: application/sdp\r\n"
        return head + b"Content-Length: %d\r\n\r\n" % len(body) + body

    def _send(self, leg: _CallerLeg, pending: _Pending) -> None:
        if self._socket is None or self._socket.transport is None:
            return
        if pending.tries >= _TRIES:
            leg.record.status = leg.record.status or 408
            self._over(leg)
            return
        self._socket.transport.sendto(pending.data, self.server)
        pause = min(_T1 * 2**pending.tries, 4.0)
        pending.tries += 1
        pending.timer = asyncio.get_running_loop().call_later(pause, self._send, leg, pending)

    def _receive(self, data: bytes, addr: tuple[str, int]) -> None:
        call_id = _CALL_ID.search(data)
        leg = self._legs.get(call_id[1]) if call_id else None
        if leg is None or self._socket is None or self._socket.transport is None:
            return
        status_line = _STATUS.match(data)
        if status_line is None:
            if data.startswith(b"BYE"):
                self._socket.transport.sendto(_ok(data), addr)
                self._over(leg)
            return
        status, cseq = int(status_line[1]), _CSEQ.search(data)
        if status < 200:
            if leg.invite is not None and leg.invite.timer is not None:
                leg.invite.timer.cancel()
            return
        if cseq is not None and cseq[2] == b"INVITE":
            self._final(leg, data, status)
        elif cseq is not None and cseq[2] == b"BYE":
            self._over(leg)

    def _final(self, leg: _CallerLeg, data: bytes, status: int) -> None:
        assert self._socket is not None
        assert self._socket.transport is not None
        if leg.invite is not None and leg.invite.timer is not None:
            leg.invite.timer.cancel()
        to = _TO.search(data)
        if to is not None:
            leg.to = to[1]
        if status < 300:
            contact = _CONTACT.search(data)
            if contact is not None:
                leg.target = contact[1]
        ack = self._request(leg, b"ACK", 1)
        if status >= 300:  # the ACK of a refusal belongs to the INVITE's transaction
            ack = ack.replace(b"-ACK\r\n", b"-INVITE\r\n", 1)
        self._socket.transport.sendto(ack, self.server)
        if leg.record.status:
            return
        leg.record.status = status
        if status < 300:
            leg.record.answered = time.monotonic()
            asyncio.get_running_loop().call_later(self.talk_s, self._hang_up, leg)
        else:
            self._over(leg)

    def _hang_up(self, leg: _CallerLeg) -> None:
        if leg.call_id in self._legs and leg.bye is None:
            leg.bye = _Pending(self._request(leg, b"BYE", 2))
            self._send(leg, leg.bye)

    def _over(self, leg: _CallerLeg) -> None:
        for pending in (leg.invite, leg.bye):
            if pending is not None and pending.timer is not None:
                pending.timer.cancel()
        leg.record.ended = time.monotonic()
        self._legs.pop(leg.call_id, None)
        if not self._legs and self._all_over is not None:
            self._all_over.set()


def _ok(request: bytes) -> bytes:
    head = request.split(b"\r\n\r\n", 1)[0]
    lines = [b"SIP/2.0 200 OK"]
    for line in head.split(b"\r\n")[1:]:
        name = line.split(b":", 1)[0].strip().lower()
        if name in (b"via", b"from", b"to", b"call-id", b"cseq"):
            lines.append(line)
    return b"\r\n".join([*lines, b"Content-Length: 0", b"", b""])
