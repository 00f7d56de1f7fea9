"""A caller or an agent's phone made of plain sockets, whose sound is counted (`tests.kit.counted_sound`).

async with CountedParty(lab, "+12025550117") as caller, CountedParty(lab, "1001") as agent:
    await agent.register()
    await talk(caller, "4001", agent)
"""

from __future__ import annotations

import asyncio
import re
import secrets
from typing import Self

from tests.kit.counted_sound import CountedSound
from tests.kit.lab import Lab
from tests.kit.patience import PATIENCE_S
from tests.kit.raw_sip import RawSip, sdp, status


class CountedParty:
    """One phone with one call at a time."""

    def __init__(self, lab: Lab, user: str) -> None:
        self.user = user
        self.wire = RawSip(lab.host, lab.sip_port, user)
        self.sound = CountedSound(lab.host)
        self._peer_tag = ""

    async def __aenter__(self) -> Self:
        self.sound.__enter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.sound.__exit__()
        await self.wire.__aexit__(None, None, None)

    async def register(self) -> None:
        """Be the phone of this number."""
        await self.wire.register(f"lab-{self.user}")

    async def call(self, number: str) -> None:
        """Call, and speak once it is answered; a server on a busy machine sheds some calls."""
        for pause_s in (0.5, 1.0, 2.0, 0.0):
            answer = await self._invite(number)
            if status(answer) != 503:
                break
            await asyncio.sleep(pause_s)
        assert status(answer) == 200, answer
        self._peer_tag = _tag(answer, "To")
        self.sound.speak_to(_sound_of(answer))

    async def _invite(self, number: str) -> str:
        """Call once; gives the final answer."""
        self.wire.send(self.wire.invite(number, sdp(self.wire.host, self.sound.port)))
        answer = await self._final("INVITE")
        self.wire.acknowledge(number, answer)
        return answer

    async def answer(self) -> None:
        """Wait for a call, answer it and speak."""
        wire = self.wire
        invite = await self._request("INVITE")
        wire.tag = secrets.token_hex(4)
        found = re.search(r"\nCall-ID: ([^\r]+)", invite)
        assert found is not None
        wire.call_id, self._peer_tag = found[1], _tag(invite, "From")
        wire.respond(invite, "180 Ringing", to_tag=wire.tag)
        wire.respond(invite, "200 OK", to_tag=wire.tag, sdp=sdp(wire.host, self.sound.port))
        self.sound.speak_to(_sound_of(invite))
        await self._request("ACK")

    async def hold(self) -> None:
        """Ask to be sent nothing; we speak on."""
        wire = self.wire
        offer = sdp(wire.host, self.sound.port) + "a=sendonly\n"
        body = offer.replace("\n", "\r\n").replace("1 1 IN", "1 2 IN").encode()
        kind = "Content-Type: application/sdp"
        wire.send(wire.request("INVITE", "", kind, body=body, to_tag=self._peer_tag))
        answer = await self._final("INVITE")
        assert status(answer) == 200, answer
        wire.send(wire.request("ACK", to_tag=self._peer_tag, cseq=wire.cseq))

    async def hang_up(self) -> None:
        """End the call."""
        self.wire.send(self.wire.request("BYE", to_tag=self._peer_tag))
        assert status(await self._final("BYE")) == 200

    async def ended(self) -> str:
        """Wait until the server ends the call; gives its BYE."""
        bye = await self._request("BYE")
        self.wire.respond(bye, "200 OK")
        return bye

    async def _final(self, method: str) -> str:
        """The next final response to a request of this method; what is repeated meanwhile is passed over."""
        while f" {method}\r\n" not in _line(response := await self.wire.final(), "CSeq"):
            pass
        return response

    async def _request(self, method: str) -> str:
        """The next request of this method."""
        async with asyncio.timeout(PATIENCE_S):
            while not (message := await self.wire.receive()).startswith(f"{method} "):
                pass
        return message


async def talk(caller: CountedParty, number: str, agent: CountedParty) -> None:
    """Let the caller call, and the agent answer."""
    await asyncio.gather(caller.call(number), agent.answer())


def _line(message: str, name: str) -> str:
    found = re.search(rf"\n{name}: [^\n]*\n", message)
    assert found is not None, message
    return found[0]


def _tag(message: str, name: str) -> str:
    found = re.search(r";tag=([^;\s]+)", _line(message, name))
    assert found is not None, message
    return found[1]


def _sound_of(message: str) -> tuple[str, int]:
    """Where an offer or answer wants sound to be sent."""
    host = re.search(r"\nc=IN IP4 (\S+)", message)
    port = re.search(r"\nm=audio (\d+) ", message)
    assert host is not None, message
    assert port is not None, message
    return host[1], int(port[1])
