"""A browser's part of SIP over WebSocket, written by hand on the `websockets` library (RFC 7118).

async with WebSip(lab.host, lab.ws_port, "1004", "lab-1004") as page:
    await page.register()
    answer = await page.call("4002", sdp(lab.host, rtp_port))
    await page.hang_up()
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
import ssl
from types import TracebackType
from typing import Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.kit.patience import PATIENCE_S
from tests.kit.raw_sip import status


class WebSip:
    """One page that registers and calls. Its own address is one that nobody can reach, as a browser's."""

    def __init__(
        self, host: str, port: int, user: str, password: str, tls: ssl.SSLContext | None = None
    ) -> None:
        self._server = f"{host}:{port}"
        self.user = user
        self._password = password
        self._tls = tls
        self._socket: ClientConnection | None = None
        self._own = f"{secrets.token_hex(6)}.invalid"
        self._tag = secrets.token_hex(4)
        self._cseq = 0
        self._dialog: dict[str, str] = {}

    async def __aenter__(self) -> Self:
        scheme = "wss" if self._tls else "ws"
        self._socket = await connect(
            f"{scheme}://{self._server}/", subprotocols=[Subprotocol("sip")], ssl=self._tls
        )
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._socket is not None
        await self._socket.close()

    async def send(self, text: str) -> None:
        """Send one message."""
        assert self._socket is not None
        await self._socket.send(text)

    async def receive(self, timeout_s: float = PATIENCE_S) -> str:
        """The next message; TimeoutError when none comes."""
        assert self._socket is not None
        async with asyncio.timeout(timeout_s):
            told = await self._socket.recv()
        assert isinstance(told, str), "SIP is text"
        return told

    async def final(self) -> str:
        """The next final response."""
        while True:
            told = await self.receive()
            if told.startswith("SIP/2.0 ") and not told.startswith("SIP/2.0 1"):
                return told

    async def register(self) -> str:
        """Register, with the digest that is asked for; the 200."""
        uri = f"sip:{self._server}"
        call_id = secrets.token_hex(8)
        contact = f"Contact: <sip:{self.user}@{self._own};transport=ws>;expires=300"
        await self.send(self._request("REGISTER", uri, self.user, call_id, contact))
        challenge = await self.final()
        assert status(challenge) == 401, challenge
        proof = self._authorization(challenge, "REGISTER", uri)
        await self.send(self._request("REGISTER", uri, self.user, call_id, contact, proof))
        answer = await self.final()
        assert status(answer) == 200, answer
        return answer

    async def call(self, number: str, sdp: str) -> str:
        """Invite with the digest that is asked for, and acknowledge; the 200."""
        uri, call_id = f"sip:{number}@{self._server}", secrets.token_hex(8)
        body = sdp.replace("\n", "\r\n")
        lines = (self._contact, "Content-Type: application/sdp")
        await self.send(self._request("INVITE", uri, number, call_id, *lines, body=body))
        challenge = await self.final()
        assert status(challenge) in (401, 407), challenge
        await self.send(self._request("ACK", uri, number, call_id, cseq=self._cseq))
        proof = self._authorization(challenge, "INVITE", uri)
        await self.send(self._request("INVITE", uri, number, call_id, *lines, proof, body=body))
        answer = await self.final()
        assert status(answer) == 200, answer
        contact = re.search(r"\nContact: <([^>]+)>", answer)
        to_tag = re.search(r"\nTo:.*;tag=([^\r;]+)", answer)
        assert contact is not None
        assert to_tag is not None
        self._dialog = {"uri": contact[1], "number": number, "call": call_id, "tag": to_tag[1]}
        await self._in_dialog("ACK", self._cseq)
        return answer

    async def hang_up(self) -> str:
        """Say BYE; the answer."""
        await self._in_dialog("BYE", None)
        return await self.final()

    @property
    def contact_uri(self) -> str:
        """Where the server wants requests of the call to go."""
        return self._dialog["uri"]

    @property
    def _contact(self) -> str:
        return f"Contact: <sip:{self.user}@{self._own};transport=ws;ob>"

    async def _in_dialog(self, method: str, cseq: int | None) -> None:
        call = self._dialog
        await self.send(
            self._request(
                method, call["uri"], call["number"], call["call"], to_tag=call["tag"], cseq=cseq
            )
        )

    def _request(
        self,
        method: str,
        uri: str,
        number: str,
        call_id: str,
        *headers: str,
        body: str = "",
        to_tag: str = "",
        cseq: int | None = None,
    ) -> str:
        if cseq is None:
            self._cseq += 1
            cseq = self._cseq
        transport = "WSS" if self._tls else "WS"
        lines = [
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/{transport} {self._own};branch=z9hG4bK{secrets.token_hex(8)}",
            "Max-Forwards: 70",
            f"From: <sip:{self.user}@{self._server}>;tag={self._tag}",
            f"To: <sip:{number}@{self._server}>" + (f";tag={to_tag}" if to_tag else ""),
            f"Call-ID: {call_id}",
            f"CSeq: {cseq} {method}",
            *headers,
        ]
        return "\r\n".join([*lines, "", ""]) + body

    def _authorization(self, challenge: str, method: str, uri: str) -> str:
        """Credentials for the SHA-256 challenge of a 401 or 407."""
        line = next(
            line
            for line in challenge.split("\r\n")
            if "-Authenticate: Digest" in line and "SHA-256" in line
        )
        nonce = re.search(r'nonce="([^"]+)"', line)
        assert nonce is not None

        def digest(text: str) -> str:
            return hashlib.sha256(text.encode()).hexdigest()

        count = "00000001"
        secret = digest(f"{self.user}:switchroom:{self._password}")
        proof = digest(f"{secret}:{nonce[1]}:{count}:c:auth:{digest(f'{method}:{uri}')}")
        name = "Proxy-Authorization" if line.startswith("Proxy") else "Authorization"
        return (
            f'{name}: Digest username="{self.user}", realm="switchroom", nonce="{nonce[1]}", '
            f'uri="{uri}", response="{proof}", algorithm=SHA-256, qop=auth, nc={count}, cnonce="c"'
        )
