"""People behind an outbound trunk: one UDP socket where every number rings, answers, is busy or is nobody.

What a number does is said by a function; whoever answers hangs up after a while, or waits for us to.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from cti.bench.call_sound import CallSound
from cti.bench.sip_text import (
    CALL_ID,
    CONTACT,
    CSEQ,
    FROM,
    STATUS,
    TO,
    VIA,
    Address,
    Datagrams,
    ok,
    rtp_address,
    sdp,
)

_URI_USER: Final = re.compile(rb"^INVITE sip:([^@;>]+)@")
_URI_ADDRESS: Final = re.compile(rb"@([0-9.]+):(\d+)")
_T1_S: Final = 0.5
_T2_S: Final = 4.0
_GIVE_UP_S: Final = 256.0
"""The doubled pause beyond which nothing is sent again: some 28 s after the answer."""
_REASONS: Final = {
    100: b"100 Trying",
    180: b"180 Ringing",
    200: b"200 OK",
    404: b"404 Not Found",
    480: b"480 Temporarily Unavailable",
    486: b"486 Busy Here",
    487: b"487 Request Terminated",
    500: b"500 Server Internal Error",
    503: b"503 Service Unavailable",
    603: b"603 Decline",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What happens when a number is called."""

    status: int = 200
    """The final response; 0: rings until it is given up."""
    rings_s: float = 0.0
    """Before the final response; 0: it comes at once, with no 180."""
    talks_s: float | None = None
    """It hangs up so long after its answer; None: it never does."""


@dataclass(slots=True)
class _Call:
    """One INVITE and what came of it."""

    invite: bytes
    addr: Address
    number: str
    final: int = 0
    timer: asyncio.TimerHandle | None = None
    talks_s: float | None = None
    is_acknowledged: bool = False
    is_over: bool = False


@dataclass(slots=True)
class People:
    """Everybody whom a trunk reaches."""

    host: str
    port: int
    rtp_port: int
    behave: Callable[[str], Person]
    """What a number does this time."""
    dialled: list[tuple[float, str]] = field(default_factory=list)
    """Time and number of every call that came."""
    answered: int = 0
    answered_at: dict[str, float] = field(default_factory=dict)
    """When a number answered, by the number."""
    hung_up: int = 0
    """By us on them: BYE."""
    cancelled: int = 0
    sound: CallSound | None = None
    """Speaks for those who answered."""
    _calls: dict[bytes, _Call] = field(default_factory=dict)
    _socket: Datagrams | None = None
    _cseq: int = 0

    async def open(self) -> None:
        """Bind the port."""
        self._socket = await Datagrams.open(self._receive, self.host, self.port)

    def close(self) -> None:
        """Let the port go."""
        for call in self._calls.values():
            if call.timer is not None:
                call.timer.cancel()
        if self._socket is not None:
            self._socket.close()

    @property
    def live(self) -> int:
        """Calls that are not over."""
        return sum(not call.is_over for call in self._calls.values())

    # --- what comes -----------------------------------------------------------------------------

    def _receive(self, data: bytes, addr: Address) -> None:
        if STATUS.match(data):
            return  # to a BYE of ours
        call_id = CALL_ID.search(data)
        if call_id is None or self._socket is None:
            return
        method, call = data.split(b" ", 1)[0], self._calls.get(call_id[1])
        if method == b"INVITE":
            if call is None:
                self._invited(data, addr, call_id[1])
            elif call.final:
                self._reply(call, call.final)  # a copy: it is answered as before
        elif method in (b"BYE", b"CANCEL"):
            self._socket.send(ok(data), addr)
            if call is None:
                return
            if method == b"CANCEL" and not call.final:
                self.cancelled += 1
                self._end(call, 487)
            elif method == b"BYE" and not call.is_over:
                self.hung_up += 1
                self._over(call)
        elif method == b"OPTIONS":
            self._socket.send(ok(data), addr)
        elif method == b"ACK" and call is not None and call.final == 200:
            self._acknowledged(call)

    def _invited(self, data: bytes, addr: Address, call_id: bytes) -> None:
        user = _URI_USER.match(data)
        number = "" if user is None else user[1].decode().replace("%2B", "+")
        self.dialled.append((time.monotonic(), number))
        person = self.behave(number)
        call = self._calls[call_id] = _Call(data, addr, number)
        if not person.rings_s and person.status:
            self._answer(call, person)
            return
        self._reply(call, 180)
        if person.status:
            self._later(call, person.rings_s, lambda: self._answer(call, person))

    def _answer(self, call: _Call, person: Person) -> None:
        if person.status != 200:
            self._end(call, person.status)
            return
        call.final = 200
        self.answered += 1
        self.answered_at[call.number] = time.monotonic()
        call.talks_s = person.talks_s
        self._send_ok(call, _T1_S)
        address, call_id = rtp_address(call.invite), CALL_ID.search(call.invite)
        if self.sound is not None and address is not None and call_id is not None:
            self.sound.add(call_id[1], address)

    def _send_ok(self, call: _Call, again_s: float) -> None:
        """Until it is acknowledged it is sent again (RFC 3261 section 13.3.1.4)."""
        self._reply(call, 200)
        if again_s < _GIVE_UP_S:
            self._later(call, min(again_s, _T2_S), lambda: self._send_ok(call, 2 * again_s))

    def _acknowledged(self, call: _Call) -> None:
        if call.is_acknowledged or call.is_over:
            return
        call.is_acknowledged = True
        if call.timer is not None:
            call.timer.cancel()
            call.timer = None
        if call.talks_s is not None:
            self._later(call, call.talks_s, lambda: self._hang_up(call))

    def _end(self, call: _Call, status: int) -> None:
        call.final = status
        self._reply(call, status)
        self._over(call)

    def _over(self, call: _Call) -> None:
        call.is_over = True
        if call.timer is not None:
            call.timer.cancel()
            call.timer = None
        call_id = CALL_ID.search(call.invite)
        if self.sound is not None and call_id is not None:
            self.sound.remove(call_id[1])

    def _later(self, call: _Call, seconds: float, what: Callable[[], None]) -> None:
        call.timer = asyncio.get_running_loop().call_later(seconds, what)

    # --- what goes ------------------------------------------------------------------------------

    def _hang_up(self, call: _Call) -> None:
        """Send BYE: the dialog is turned around."""
        head = call.invite.split(b"\r\n\r\n", 1)[0]
        contact, from_, to = CONTACT.search(head), FROM.search(head), TO.search(head)
        call_id = CALL_ID.search(head)
        if call.is_over or not (contact and from_ and to and call_id and self._socket):
            return
        self._over(call)
        self._cseq += 1
        bye = (
            b"BYE %s SIP/2.0\r\nVia: SIP/2.0/UDP %s:%d;branch=z9hG4bKp%d\r\n"
            b"From: %s%s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %d BYE\r\nMax-Forwards: 70\r\n"
            b"Content-Length: 0\r\n\r\n"
            % (
                *(contact[1], self.host.encode(), self._socket.port, self._cseq),
                *(to[1], self._tag(call_id[1]), from_[1], call_id[1], self._cseq),
            )
        )
        where = _URI_ADDRESS.search(contact[1])
        address = call.addr if where is None else (where[1].decode(), int(where[2]))
        self._socket.send(bye, address)

    @staticmethod
    def _tag(call_id: bytes) -> bytes:
        return b";tag=p" + call_id[-8:].replace(b"@", b"")

    def _reply(self, call: _Call, status: int) -> None:
        head = call.invite.split(b"\r\n\r\n", 1)[0]
        to, from_, call_id = TO.search(head), FROM.search(head), CALL_ID.search(head)
        cseq = CSEQ.search(head)
        if to is None or from_ is None or call_id is None or cseq is None or self._socket is None:
            return
        vias = b"".join(b"Via: %s\r\n" % match[1] for match in VIA.finditer(head))
        body = sdp(self.host, self.rtp_port) if status == 200 else b""
        kind = b"Content-Type: application/sdp\r\n" if body else b""
        reply = (
            b"SIP/2.0 %s\r\n%sFrom: %s\r\nTo: %s%s\r\nCall-ID: %s\r\nCSeq: %s INVITE\r\n"
            b"Contact: <sip:%s@%s:%d>\r\n%sContent-Length: %d\r\n\r\n"
            % (
                *(_REASONS[status], vias, from_[1], to[1], self._tag(call_id[1]), call_id[1]),
                *(cseq[1], call.number.encode(), self.host.encode(), self._socket.port),
                *(kind, len(body)),
            )
        )
        self._socket.send(reply + body, call.addr)
