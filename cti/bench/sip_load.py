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
from cti.bench.caller_leg import CallerLeg, CallRecord, Pending
from cti.bench.sip_digest import authorization
from cti.bench.sip_text import (
    CALL_ID,
    CONTACT,
    CSEQ,
    NONCE,
    STATUS,
    TO,
    Address,
    Datagrams,
    ok,
    rtp_address,
    sdp,
)

__all__ = ["HUNDRED", "MANY", "CallRecord", "CallerPool"]

_T1: Final = 0.5
_TRIES: Final = 6
_ODD: Final = 20
HUNDRED: Final = tuple(f"+120255501{number:02}" for number in range(100))
"""+1 202 555 0100 to 0199, as customers who call again."""
MANY: Final = (*HUNDRED, *(f"+441632960{number:03}" for number in range(1000)))
"""With the thousand of +44 1632 960, for what is kept by number."""


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
    hold_after_s: float | None = None
    """Puts the call on hold so long after the answer, and goes on after as long again."""
    acknowledges: bool = True
    """False: the 200 to the INVITE never gets its ACK."""
    hangs_up: bool = True
    """False: the end is left to the server."""
    offer: bytes = b""
    """Another session description than the usual one."""
    password: str = ""
    """What the callers prove themselves with, if they are phones; `{number}` is the phone's."""
    keep_records: bool = True
    expects: tuple[int, ...] = ()
    """Of calls that end with another status, `odd` keeps the first few; empty: of none."""
    odd: list[CallRecord] = field(default_factory=list)
    records: list[CallRecord] = field(default_factory=list)
    finished: Counter[int] = field(default_factory=Counter)
    """Calls that are over, by final status."""
    changed: Counter[int] = field(default_factory=Counter)
    """Holds and resumptions, by final status."""
    lost: int = 0
    """Calls whose BYE nobody answered."""
    _legs: dict[bytes, CallerLeg] = field(default_factory=dict)
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

    def hold(self, every: int, direction: str) -> int:
        """Put every so many calls on hold (`sendonly`) or resume them (`sendrecv`); gives how many."""
        held = tuple(self._legs.values())[::every]
        for leg in held:
            self._hold(leg, direction)
        return len(held)

    def dial(self) -> CallRecord:
        """Start one call."""
        self._count += 1
        token = f"{self.prefix}{self._count}"
        number = self.numbers[self._count % len(self.numbers)]
        record = CallRecord(token=token, number=number, invited=time.monotonic())
        if self.keep_records:
            self.records.append(record)
        call_id = f"{self.prefix}-{self._count}-{self._port}".encode()
        leg = CallerLeg(
            record=record,
            call_id=call_id,
            from_=f'"{token}" <sip:{number}@{self.host}>;tag=c{self._count}'.encode(),
            to=f"<sip:{self.called}@{self.host}>".encode(),
            target=f"sip:{self.called}@{self.server[0]}:{self.server[1]}".encode(),
        )
        self._legs[call_id] = leg
        self._invite(leg, self.offer or sdp(self.host, self.rtp_port))
        if self.cancel_after_s is not None:
            asyncio.get_running_loop().call_later(self.cancel_after_s, self._give_up, leg)
        return record

    def _invite(self, leg: CallerLeg, offer: bytes) -> None:
        leg.invite = Pending(self._request(leg, b"INVITE", offer))
        self._send(leg, leg.invite)

    def _request(self, leg: CallerLeg, method: bytes, body: bytes = b"") -> bytes:
        return leg.request(method, (self.host, self._port), body=body)

    def _send(self, leg: CallerLeg, pending: Pending) -> None:
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
            if int(cseq[1]) == leg.cseq:  # not an earlier one's, sent again
                self._final(leg, data, status)
        elif cseq is not None and cseq[2] == b"BYE":
            self._over(leg)
        elif cseq is not None and leg.cancel is not None and leg.cancel.timer is not None:
            leg.cancel.timer.cancel()

    def _final(self, leg: CallerLeg, data: bytes, status: int) -> None:
        assert self._socket is not None
        if leg.invite is not None and leg.invite.timer is not None:
            leg.invite.timer.cancel()
        unanswered, to = leg.to, TO.search(data)
        if to is not None:
            leg.to = to[1]
        if status < 300:
            contact = CONTACT.search(data)
            if contact is not None:
                leg.target = contact[1]
        ack = self._request(leg, b"ACK")
        if status >= 300:  # the ACK of a refusal belongs to the INVITE's transaction
            ack = ack.replace(b"-ACK\r\n", b"-INVITE\r\n", 1)
        if self.acknowledges or status >= 300:
            self._socket.send(ack, self.server)
        if leg.record.status:
            self.changed[status] += 1
            return
        nonce = NONCE.search(data)
        if status == 401 and self.password and not leg.authorization and nonce is not None:
            leg.to = unanswered
            self._prove(leg, nonce[1].decode())
            return
        leg.record.status = status
        if status < 300:
            self._answered(leg, data)
        else:
            self._over(leg)

    def _prove(self, leg: CallerLeg, nonce: str) -> None:
        """Call again, as the phone that the caller is."""
        number, target = leg.record.number, leg.target.decode()
        password = self.password.replace("{number}", number)
        leg.authorization = authorization(number, password, nonce, "INVITE", target)
        leg.cseq += 1
        self._invite(leg, self.offer or sdp(self.host, self.rtp_port))

    def _hold(self, leg: CallerLeg, direction: str) -> None:
        if leg.call_id in self._legs and leg.bye is None:
            leg.cseq += 1
            leg.authorization = b""
            # A changed description needs a higher version (RFC 3264 section 8).
            self._invite(leg, sdp(self.host, self.rtp_port, direction, leg.cseq))

    def _answered(self, leg: CallerLeg, data: bytes) -> None:
        leg.record.answered = time.monotonic()
        loop = asyncio.get_running_loop()
        if self.hangs_up:
            loop.call_later(self.talk_s, self._hang_up, leg)
        if self.hold_after_s is not None:
            loop.call_later(self.hold_after_s, self._hold, leg, "sendonly")
            loop.call_later(2 * self.hold_after_s, self._hold, leg, "sendrecv")
        address = rtp_address(data)
        if self.sound is not None and address is not None:
            self.sound.add(leg.call_id, address)
            if self.digit:
                loop.call_later(self.digit_after_s, self._press, leg)

    def _press(self, leg: CallerLeg) -> None:
        def ended(at: float) -> None:
            leg.record.digit_ended = at

        assert self.sound is not None
        self.sound.press(leg.call_id, self.digit, ended)

    def _give_up(self, leg: CallerLeg) -> None:
        if leg.call_id in self._legs and not leg.record.status:
            leg.cancel = Pending(self._request(leg, b"CANCEL"))
            self._send(leg, leg.cancel)

    def _hang_up(self, leg: CallerLeg) -> None:
        if leg.call_id in self._legs and leg.bye is None:
            leg.bye = Pending(self._request(leg, b"BYE"))
            self._send(leg, leg.bye)

    def _over(self, leg: CallerLeg) -> None:
        for pending in (leg.invite, leg.cancel, leg.bye):
            if pending is not None and pending.timer is not None:
                pending.timer.cancel()
        leg.record.ended = time.monotonic()
        if self.sound is not None:
            self.sound.remove(leg.call_id)
        if self._legs.pop(leg.call_id, None) is not None:
            self.finished[leg.record.status] += 1
            is_odd = self.expects and (leg.record.status not in self.expects or leg.record.is_lost)
            if is_odd and len(self.odd) < _ODD:
                self.odd.append(leg.record)
        if not self._legs and self._all_over is not None:
            self._all_over.set()
