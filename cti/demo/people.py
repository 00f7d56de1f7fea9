"""Simulated people who are called: a carrier and everybody behind it, on one UDP port.

    switchroom demo --people 5090

Whom the lab's trunk `out` dials is somebody here: rings for a while, then answers and says
hello, is busy, lets it ring, has an answering machine, or does not exist. What a number does follows
from the number, the attempt and the seed, so a run can be repeated.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from cti.bench.sip_text import (
    CALL_ID,
    CONTACT,
    CSEQ,
    FROM,
    TO,
    VIA,
    Address,
    Datagrams,
    rtp_address,
    sdp,
)
from cti.demo.people_sound import PeopleSound
from cti.paths import shipped

_NUMBER: Final = re.compile(rb"^INVITE sips?:([^@;>\s]+)@")
_BEEP: Final = bytes(0x9F if n % 8 < 4 else 0x1F for n in range(3200))
"""0.4 s of 1000 Hz, square: what a machine beeps with."""


class Kind(StrEnum):
    """What becomes of a dial."""

    HUMAN = "human"
    MACHINE = "machine"
    NO_ANSWER = "no-answer"
    BUSY = "busy"
    DECLINES = "declines"
    NOBODY = "nobody"
    """There is no such number."""


SHARES: Final = (
    (Kind.HUMAN, 0.40),
    (Kind.MACHINE, 0.12),
    (Kind.NO_ANSWER, 0.34),
    (Kind.BUSY, 0.09),
    (Kind.DECLINES, 0.03),
    (Kind.NOBODY, 0.02),
)
_REFUSALS: Final = {
    Kind.BUSY: b"486 Busy Here",
    Kind.DECLINES: b"603 Decline",
    Kind.NOBODY: b"404 Not Found",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What somebody does when called."""

    kind: Kind
    rings_s: float
    talks_s: float
    """Hangs up after so long."""


def person_of(number: str, attempt: int, seed: int) -> Person:
    """Who this is. Deterministic."""
    chance = random.Random(f"{seed}:{number}:{attempt}")
    kinds, shares = zip(*SHARES, strict=True)
    kind = chance.choices(kinds, shares)[0]
    talks = chance.uniform(20.0, 60.0) if kind is Kind.HUMAN else 25.0
    rings = 0.3 if kind in _REFUSALS else chance.uniform(2.0, 8.0)
    return Person(kind=kind, rings_s=rings, talks_s=talks)


@dataclass(slots=True)
class _Call:
    """One dial, from INVITE to BYE."""

    invite: bytes
    address: Address
    person: Person
    number: str
    reply: bytes = b""
    """The last response; sent again when the INVITE comes again."""
    is_up: bool = False
    timers: list[asyncio.TimerHandle] = field(default_factory=list)


class People:
    """Everybody behind the carrier."""

    def __init__(
        self,
        host: str = "127.0.0.1",
        *,
        seed: int = 1,
        who: Callable[[str, int, int], Person] = person_of,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`who` makes a person of number, attempt and seed."""
        self._host = host
        self._seed = seed
        self._who = who
        self._tell = tell
        self._calls: dict[bytes, _Call] = {}
        self._attempts: Counter[str] = Counter()
        self.kinds: Counter[Kind] = Counter()
        """Dials so far, by what became of them."""
        self._socket: Datagrams | None = None
        self._sound = PeopleSound(host)
        self._hello = shipped("prompts/en/goodbye.ulaw").read_bytes()
        self._greeting = shipped("prompts/en/main-menu.ulaw").read_bytes() + _BEEP

    @property
    def port(self) -> int:
        """Where the carrier is reached."""
        assert self._socket is not None
        return self._socket.port

    async def open(self, port: int = 0) -> None:
        """Be there. Raises OSError."""
        self._socket = await Datagrams.open(self._receive, self._host, port)
        self._sound.open()

    async def close(self) -> None:
        """Be gone; calls are left as they are."""
        for call_id in tuple(self._calls):
            self._forget(call_id)
        if self._socket is not None:
            self._socket.close()
        await self._sound.close()

    def _receive(self, data: bytes, address: Address) -> None:
        found = CALL_ID.search(data)
        if found is None:
            return
        match data.split(b" ", 1)[0]:
            case b"INVITE" if found[1] in self._calls:
                call = self._calls[found[1]]
                if call.reply:
                    self._send(call.reply, address)
            case b"INVITE":
                self._invited(found[1], data, address)
            case b"CANCEL":
                self._send(_response(data, b"200 OK"), address)
                given_up = self._calls.get(found[1])
                if given_up is not None and not given_up.is_up:
                    self._answer(given_up, b"487 Request Terminated")
                    self._forget(found[1])
            case b"BYE" | b"OPTIONS":
                self._send(_response(data, b"200 OK"), address)
                self._forget(found[1])
            case _:
                pass  # ACK, and responses to our BYE

    def _invited(self, call_id: bytes, data: bytes, address: Address) -> None:
        found = _NUMBER.search(data)
        if found is None:
            return
        number = found[1].decode("utf-8", "replace")
        self._attempts[number] += 1
        person = self._who(number, self._attempts[number], self._seed)
        self.kinds[person.kind] += 1
        call = _Call(data, address, person, number)
        self._calls[call_id] = call
        refusal = _REFUSALS.get(person.kind)
        self._tell(f"{number} {person.kind}")
        if refusal is not None:
            self._after(call, person.rings_s, lambda: self._refuse(call_id, call, refusal))
            return
        self._answer(call, b"180 Ringing")
        if person.kind is not Kind.NO_ANSWER:
            self._after(call, person.rings_s, lambda: self._pick_up(call_id, call))

    def _refuse(self, call_id: bytes, call: _Call, status: bytes) -> None:
        self._answer(call, status)
        self._after(call, 10.0, lambda: self._forget(call_id))

    def _pick_up(self, call_id: bytes, call: _Call) -> None:
        call.is_up = True
        self._answer(call, b"200 OK", sdp(self._host, self._sound.port))
        address = rtp_address(call.invite)
        if address is not None:
            is_human = call.person.kind is Kind.HUMAN
            self._sound.add(call_id, address, self._hello if is_human else self._greeting)
        self._after(call, call.person.talks_s, lambda: self._hang_up(call_id, call))

    def _hang_up(self, call_id: bytes, call: _Call) -> None:
        self._send(_bye(call, self._host, self.port), call.address)
        self._forget(call_id)

    def _answer(self, call: _Call, status: bytes, body: bytes = b"") -> None:
        contact = b"Contact: <sip:people@%s:%d>\r\n" % (self._host.encode(), self.port)
        call.reply = _response(call.invite, status, contact, body)
        self._send(call.reply, call.address)

    def _after(self, call: _Call, delay_s: float, act: Callable[[], None]) -> None:
        call.timers.append(asyncio.get_running_loop().call_later(delay_s, act))

    def _forget(self, call_id: bytes) -> None:
        call = self._calls.pop(call_id, None)
        self._sound.remove(call_id)
        for timer in call.timers if call is not None else ():
            timer.cancel()

    def _send(self, message: bytes, address: Address) -> None:
        if self._socket is not None and message:
            self._socket.send(message, address)


def _tagged(to: bytes, call_id: bytes) -> bytes:
    tag = b"p" + bytes(letter for letter in call_id[-12:] if chr(letter).isalnum())
    return to if b"tag=" in to else to + b";tag=" + tag


def _response(request: bytes, status: bytes, more: bytes = b"", body: bytes = b"") -> bytes:
    """A response to it; empty where the request is not complete."""
    head = request.split(b"\r\n\r\n", 1)[0]
    to, from_, call_id = TO.search(head), FROM.search(head), CALL_ID.search(head)
    cseq = CSEQ.search(head)
    if to is None or from_ is None or call_id is None or cseq is None:
        return b""
    vias = b"".join(b"Via: %s\r\n" % match[1] for match in VIA.finditer(head))
    reply = b"SIP/2.0 %s\r\n%sFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %s %s\r\n%s" % (
        status,
        vias,
        from_[1],
        _tagged(to[1], call_id[1]),
        call_id[1],
        cseq[1],
        cseq[2],
        more,
    )
    if body:
        reply += b"Content-Type: application/sdp\r\n"
    return reply + b"Content-Length: %d\r\n\r\n" % len(body) + body


def _bye(call: _Call, host: str, port: int) -> bytes:
    """Our BYE within the dialog of their INVITE."""
    head = call.invite.split(b"\r\n\r\n", 1)[0]
    to, from_, call_id = TO.search(head), FROM.search(head), CALL_ID.search(head)
    contact = CONTACT.search(head)
    if to is None or from_ is None or call_id is None or contact is None:
        return b""
    branch = b"z9hG4bKp" + call_id[1][-10:].replace(b"@", b"")
    return (
        b"BYE %s SIP/2.0\r\nVia: SIP/2.0/UDP %s:%d;branch=%s\r\nMax-Forwards: 70\r\n"
        b"From: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n"
        % (
            contact[1],
            host.encode(),
            port,
            branch,
            _tagged(to[1], call_id[1]),
            from_[1],
            call_id[1],
        )
    )
