"""The agents of the load generator: one UDP socket that answers whatever rings."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from cti.bench.call_sound import CallSound
from cti.bench.sip_text import (
    CALL_ID,
    CSEQ,
    FROM,
    NAME,
    TO,
    VIA,
    Address,
    Datagrams,
    rtp_address,
    sdp,
)

_REASONS: Final = {
    180: b"180 Ringing",
    404: b"404 Not Found",
    480: b"480 Temporarily Unavailable",
    486: b"486 Busy Here",
    603: b"603 Decline",
}


@dataclass(slots=True)
class AgentPool:
    """Answers every INVITE that comes to its port at once, and every BYE."""

    host: str
    port: int
    rtp_port: int
    invited: dict[str, float] = field(default_factory=dict)
    """Caller's token to the time its agent was invited."""
    answered: int = 0
    busy_every: int = 0
    """Every so many calls are answered with 486; 0: none."""
    sound: CallSound | None = None
    """Speaks for those who answered."""
    decide: Callable[[bytes], int] | None = None
    """Looks at an INVITE and gives the status to answer with; 180 rings on for good, 0 says nothing."""
    probe: CallSound | None = None
    """Speaks, in place of `sound`, for callers whose token begins with `probe_prefix`."""
    probe_prefix: str = "probe"
    on_invite: Callable[[str], None] | None = None
    _invites: int = 0
    _socket: Datagrams | None = None

    async def open(self) -> None:
        """Bind the port."""
        self._socket = await Datagrams.open(self.receive, self.host, self.port)

    def attend(self, socket: Datagrams) -> None:
        """Answer at a socket that somebody else reads, who calls `receive`."""
        self._socket, self.port = socket, socket.port

    def close(self) -> None:
        """Let the port go."""
        if self._socket is not None:
            self._socket.close()

    def receive(self, data: bytes, addr: Address) -> None:
        """Take one datagram."""
        method = data.split(b" ", 1)[0]
        if method == b"INVITE":
            self._invited(data, addr)
        elif method in (b"BYE", b"CANCEL", b"OPTIONS"):
            self._reply(data, addr, b"200 OK", b"")
            call_id = CALL_ID.search(data)
            for sound in (self.sound, self.probe):
                if sound is not None and call_id is not None:
                    sound.remove(call_id[1])
            if method == b"CANCEL":  # of one that rings on; for any other it is a copy
                self._reply(data, addr, b"487 Request Terminated", b"", method=b"INVITE")

    def _invited(self, data: bytes, addr: Address) -> None:
        status = 200 if self.decide is None else self.decide(data)
        if status != 200:
            if status:
                self._reply(data, addr, _REASONS[status], b"")
            return
        from_, call_id = FROM.search(data), CALL_ID.search(data)
        name = NAME.search(from_[1]) if from_ else None
        if name is not None and (token := name[1].decode()) not in self.invited:
            self.invited[token] = time.monotonic()
            self._invites += 1
            if self.on_invite is not None:
                self.on_invite(token)
            if self.busy_every and self._invites % self.busy_every == 0:
                del self.invited[token]  # it is offered to somebody else
                self._reply(data, addr, b"486 Busy Here", b"")
                return
            self.answered += 1
        sound, port = self.sound, self.rtp_port
        is_probe = name is not None and name[1].decode().startswith(self.probe_prefix)
        if self.probe is not None and is_probe:
            sound, port = self.probe, self.probe.port
        self._reply(data, addr, b"200 OK", sdp(self.host, port))
        address = rtp_address(data)
        if sound is not None and address is not None and call_id is not None:
            sound.add(call_id[1], address)

    def _reply(
        self, data: bytes, addr: Address, status: bytes, body: bytes, *, method: bytes = b""
    ) -> None:
        head = data.split(b"\r\n\r\n", 1)[0]
        vias = b"".join(b"Via: %s\r\n" % match[1] for match in VIA.finditer(head))
        to, from_, call_id = TO.search(head), FROM.search(head), CALL_ID.search(head)
        cseq = CSEQ.search(head)
        if to is None or from_ is None or call_id is None or cseq is None or self._socket is None:
            return
        tag = b"" if b"tag=" in to[1] else b";tag=a" + call_id[1][-8:].replace(b"@", b"")
        reply = (
            b"SIP/2.0 %s\r\n%sFrom: %s\r\nTo: %s%s\r\nCall-ID: %s\r\nCSeq: %s %s\r\n"
            b"Contact: <sip:agent@%s:%d>\r\n"
            % (
                status,
                vias,
                from_[1],
                to[1],
                tag,
                call_id[1],
                cseq[1],
                method or cseq[2],
                self.host.encode(),
                self.port,
            )
        )
        if body:
            reply += b"Content-Type: application/sdp\r\n"
        self._socket.send(reply + b"Content-Length: %d\r\n\r\n" % len(body) + body, addr)
