"""The callers of the load generator: raw UDP, with as little work per call as can be.

Callers dial a number at a given rate, talk for a while and hang up; `cti.bench.sip_agents` answers.
Messages are templates filled in by hand: the generator must cost little beside what it measures.
Lost messages are sent again as RFC 3261 says (T1 = 0.5 s, doubling), so a server that drops some
is slow, not wrong. Sound, if wanted, comes from `cti.bench.call_sound`.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from cti.bench.call_sound import CallSound
from cti.bench.sip_text import (
    CALL_ID,
    CONTACT,
    CSEQ,
    STATUS,
    TO,
    Address,
    Datagrams,
    ok,
    rtp_address,
    sdp,
)

_T1: Final = 0.5
_TRIES: Final = 6
HUNDRED: Final = tuple(f"+120255501{number:02}" for number in range(100))
"""+1 202 555 0100 to 0199, as customers who call again."""
MANY: Final = (*HUNDRED, *(f"+441632960{number:03}" for number in range(1000)))
"""With the thousand of +44 1632 960, for what is kept by number."""


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
    digit_ended: float = 0.0
    """When the end of its digit was sent."""
    status: int = 0
    """Final status of the INVITE; 408 when none came."""
    is_lost: bool = False
    """Nobody answered its BYE."""


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
    cancel: _Pending | None = None
    bye: _Pending | None = None


@dataclass(slots=True)
class CallerPool:
    """Dials, talks, hangs up; keeps a record of each call."""

    host: str
    server: tuple[str, int]
    rtp_port: int
    called: str
    talk_s: float
    prefix: str = "load"
    numbers: tuple[str, ...] = HUNDRED
    """The callers' numbers, taken in turn."""
    cancel_after_s: float | None = None
    """Give up so long after the INVITE if nobody answered."""
    digit: str = ""
    """Pressed `digit_after_s` after the answer; needs `sound`."""
    digit_after_s: float = 0.0
    sound: CallSound | None = None
    """Speaks for the callers."""
    keep_records: bool = True
    records: list[CallRecord] = field(default_factory=list)
    finished: Counter[int] = field(default_factory=Counter)
    """Calls that are over, by final status."""
    lost: int = 0
    """Calls whose BYE nobody answered."""
    _legs: dict[bytes, _CallerLeg] = field(default_factory=dict)
    _socket: Datagrams | None = None
    _port: int = 0
    _count: int = 0
    _all_over: asyncio.Event | None = None

    async def open(self) -> None:
        """Bind any port."""
        self._socket = await Datagrams.open(self._receive, self.host, 0)
        self._port = self._socket.port

    def close(self) -> None:
        """Let the port go."""
        if self._socket is not None:
            self._socket.close()

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
        await self.all_over()

    async def all_over(self) -> None:
        """Wait for the end of every call, within bounds."""
        if self._legs:
            self._all_over = asyncio.Event()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.talk_s + 35.0):
                    await self._all_over.wait()

    def hang_up_all(self) -> None:
        """End every call that talks."""
        for leg in tuple(self._legs.values()):
            self._hang_up(leg)

    def dial(self) -> CallRecord:
        """Start one call."""
        self._count += 1
        token = f"{self.prefix}{self._count}"
        number = self.numbers[self._count % len(self.numbers)]
        record = CallRecord(token=token, number=number, invited=time.monotonic())
        if self.keep_records:
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
        leg.invite = _Pending(self._request(leg, b"INVITE", 1, sdp(self.host, self.rtp_port)))
        self._send(leg, leg.invite)
        if self.cancel_after_s is not None:
            asyncio.get_running_loop().call_later(self.cancel_after_s, self._give_up, leg)
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
        assert self._socket is not None
        if pending.tries >= _TRIES:
            if pending is leg.bye:
                self.lost += 1
                leg.record.is_lost = True
            leg.record.status = leg.record.status or 408
            self._over(leg)
            return
        self._socket.send(pending.data, self.server)
        pause = min(_T1 * 2**pending.tries, 4.0)
        pending.tries += 1
        pending.timer = asyncio.get_running_loop().call_later(pause, self._send, leg, pending)

    def _receive(self, data: bytes, addr: Address) -> None:
        call_id = CALL_ID.search(data)
        leg = self._legs.get(call_id[1]) if call_id else None
        assert self._socket is not None
        if leg is None:
            if data.startswith(b"BYE"):
                self._socket.send(ok(data), addr)  # sent again: our 200 was lost
            return
        status_line = STATUS.match(data)
        if status_line is None:
            if data.startswith(b"BYE"):
                self._socket.send(ok(data), addr)
                self._over(leg)
            return
        status, cseq = int(status_line[1]), CSEQ.search(data)
        if status < 200:
            if leg.invite is not None and leg.invite.timer is not None:
                leg.invite.timer.cancel()
            return
        if cseq is not None and cseq[2] == b"INVITE":
            self._final(leg, data, status)
        elif cseq is not None and cseq[2] == b"BYE":
            self._over(leg)
        elif cseq is not None and leg.cancel is not None and leg.cancel.timer is not None:
            leg.cancel.timer.cancel()

    def _final(self, leg: _CallerLeg, data: bytes, status: int) -> None:
        assert self._socket is not None
        if leg.invite is not None and leg.invite.timer is not None:
            leg.invite.timer.cancel()
        to = TO.search(data)
        if to is not None:
            leg.to = to[1]
        if status < 300:
            contact = CONTACT.search(data)
            if contact is not None:
                leg.target = contact[1]
        ack = self._request(leg, b"ACK", 1)
        if status >= 300:  # the ACK of a refusal belongs to the INVITE's transaction
            ack = ack.replace(b"-ACK\r\n", b"-INVITE\r\n", 1)
        self._socket.send(ack, self.server)
        if leg.record.status:
            return
        leg.record.status = status
        if status < 300:
            self._answered(leg, data)
        else:
            self._over(leg)

    def _answered(self, leg: _CallerLeg, data: bytes) -> None:
        leg.record.answered = time.monotonic()
        loop = asyncio.get_running_loop()
        loop.call_later(self.talk_s, self._hang_up, leg)
        address = rtp_address(data)
        if self.sound is not None and address is not None:
            self.sound.add(leg.call_id, address)
            if self.digit:
                loop.call_later(self.digit_after_s, self._press, leg)

    def _press(self, leg: _CallerLeg) -> None:
        def ended(at: float) -> None:
            leg.record.digit_ended = at

        assert self.sound is not None
        self.sound.press(leg.call_id, self.digit, ended)

    def _give_up(self, leg: _CallerLeg) -> None:
        if leg.call_id in self._legs and not leg.record.status:
            leg.cancel = _Pending(self._request(leg, b"CANCEL", 1))
            self._send(leg, leg.cancel)

    def _hang_up(self, leg: _CallerLeg) -> None:
        if leg.call_id in self._legs and leg.bye is None:
            leg.bye = _Pending(self._request(leg, b"BYE", 2))
            self._send(leg, leg.bye)

    def _over(self, leg: _CallerLeg) -> None:
        for pending in (leg.invite, leg.cancel, leg.bye):
            if pending is not None and pending.timer is not None:
                pending.timer.cancel()
        leg.record.ended = time.monotonic()
        if self.sound is not None:
            self.sound.remove(leg.call_id)
        if self._legs.pop(leg.call_id, None) is not None:
            self.finished[leg.record.status] += 1
        if not self._legs and self._all_over is not None:
            self._all_over.set()
