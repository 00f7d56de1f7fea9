"""A talk with an agent whose phone has registered over TLS or WebSocket; each hums its own pitch."""

from __future__ import annotations

import asyncio

from tests.kit.hearing import until_loudest
from tests.kit.lab import Lab
from tests.kit.phone import Phone


def port_of(lab: Lab, transport: str) -> int:
    """Where the server listens for `tls`, `ws` or `wss`."""
    return {"tls": lab.tls_port, "ws": lab.ws_port, "wss": lab.wss_port}[transport]


def srtp_of(transport: str) -> str:
    """Whoever comes over WebSocket is taken for a browser, and offered DTLS alone."""
    return "dtls" if transport == "wss" else "off"


class SecureTalk:
    """The talk of a caller with agent 1003."""

    def __init__(self, lab: Lab, caller: Phone, agent: Phone, transport: str) -> None:
        self._lab = lab
        self.caller = caller
        self.agent = agent
        self._transport = transport
        self.call = self.ring = ""

    async def begin(self, *, expires_s: int) -> None:
        """The agent registers, is called, answers, and both are heard."""
        lab, transport = self._lab, self._transport
        port = port_of(lab, transport)
        await self.agent.register_to(
            lab.host, port, "1003", "lab-1003", transport=transport, expires_s=expires_s
        )
        await lab.agent_is("1003", "available")
        self.call = await self.caller.call_until_it_rings(f"sip:4001@{lab.host}:{lab.sip_port}")
        self.ring = (await self.agent.answer_next()).call
        await self.caller.established(self.call)
        self.agent.hum(1000.0)
        self.caller.hum(440.0)
        await self.is_heard()

    async def is_heard(self) -> None:
        """Wait until each hears the other."""
        await asyncio.gather(
            until_loudest(self.agent, self.ring, 440.0),
            until_loudest(self.caller, self.call, 1000.0),
        )

    async def end(self) -> None:
        """The caller hangs up: we say BYE to the agent, over the connection that it has now."""
        await self.caller.hang_up(self.call)
        await self.agent.closed(self.ring)
        await self._lab.agent_is("1003", "available")
