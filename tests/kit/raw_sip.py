"""SIP written by hand over a plain UDP socket: for what no proper user agent would send."""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
import socket
from types import TracebackType
from typing import Self

from tests.kit.patience import PATIENCE_S


class RawSip:
    """One UDP socket that speaks to one server, from its own address or from `local`."""

    def __init__(
        self, host: str, port: int, user: str = "+12025550117", *, local: str = ""
    ) -> None:
        self.user = user
        self._server = (host, port)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((local or host, 0))
        self._socket.setblocking(False)
        self.host, self.port = self._socket.getsockname()
        self.call_id = secrets.token_hex(8)
        self.tag = secrets.token_hex(4)
        self.cseq = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()

    def send(self, data: bytes) -> None:
        """Send octets as they are."""
        self._socket.sendto(data, self._server)

    async def receive(self, timeout_s: float = PATIENCE_S) -> str:
        """The next message; TimeoutError when none comes."""
        async with asyncio.timeout(timeout_s):
            data = await asyncio.get_running_loop().sock_recv(self._socket, 65536)
        return data.decode()

    async def final(self, timeout_s: float = PATIENCE_S) -> str:
        """The next final response."""
        while True:
            message = await self.receive(timeout_s)
            if message.startswith("SIP/2.0 ") and not message.startswith("SIP/2.0 1"):
                return message

    async def silence(self, seconds: float = 0.3) -> None:
        """Assert that nothing comes."""
        try:
            message = await self.receive(seconds)
        except TimeoutError:
            return
        raise AssertionError(f"the server should be silent, but said:\n{message}")

    def request(
        self,
        method: str,
        number: str = "",
        *headers: str,
        body: bytes = b"",
        to_tag: str = "",
        cseq: int | None = None,
        transport: str = "UDP",
    ) -> bytes:
        """A request of the dialog, or the first one."""
        if cseq is None:
            self.cseq += 1
            cseq = self.cseq
        host, port = self._server
        at = f"{number}@" if number else ""
        lines = [
            f"{method} sip:{at}{host}:{port} SIP/2.0",
            f"Via: SIP/2.0/{transport} {self.host}:{self.port}"
            f";rport;branch=z9hG4bK{secrets.token_hex(8)}",
            "Max-Forwards: 70",
            f"From: <sip:{self.user}@{host}>;tag={self.tag}",
            f"To: <sip:{number or self.user}@{host}>" + (f";tag={to_tag}" if to_tag else ""),
            f"Call-ID: {self.call_id}",
            f"CSeq: {cseq} {method}",
            f"Contact: <sip:{self.user}@{self.host}:{self.port}>",
            *headers,
            f"Content-Length: {len(body)}",
        ]
        return "\r\n".join([*lines, "", ""]).encode() + body

    def invite(
        self, number: str, sdp: str, content_type: str = "application/sdp", *headers: str
    ) -> bytes:
        """An INVITE with a body."""
        self.call_id = secrets.token_hex(8)
        body = sdp.replace("\n", "\r\n").encode()
        kind = f"Content-Type: {content_type}"
        return self.request("INVITE", number, kind, *headers, body=body)

    def acknowledge(self, number: str, response: str) -> None:
        """ACK a final response. For those beyond 2xx the server takes a new branch as well."""
        tag = re.search(r"\nTo:.*;tag=([^\r;]+)", response)
        self.send(self.request("ACK", number, to_tag=tag[1] if tag else "", cseq=self.cseq))

    def respond(self, request: str, status: str, *, to_tag: str = "", sdp: str = "") -> None:
        """Answer a request of the server: `180 Ringing`, with a tag where its To has none, and an answer."""
        names = ("Via", "From", "To", "Call-ID", "CSeq")
        head = request.partition("\r\n\r\n")[0].split("\r\n")
        kept = [line for line in head if line.partition(":")[0] in names]
        if to_tag:
            kept = [
                f"{line};tag={to_tag}" if line.startswith("To:") and ";tag=" not in line else line
                for line in kept
            ]
        body = sdp.replace("\n", "\r\n").encode()
        lines = [
            f"SIP/2.0 {status}",
            *kept,
            f"Contact: <sip:{self.user}@{self.host}:{self.port}>",
            *(["Content-Type: application/sdp"] if body else []),
            f"Content-Length: {len(body)}",
        ]
        self.send("\r\n".join([*lines, "", ""]).encode() + body)

    async def register(self, password: str) -> None:
        """Be a phone: register, as the challenge asks for it."""
        self.send(self.request("REGISTER", "", "Expires: 120"))
        proof = self.authorization(await self.final(), "REGISTER", password)
        self.send(self.request("REGISTER", "", "Expires: 120", proof))
        answer = await self.final()
        assert status(answer) == 200, answer

    def authorization(
        self, response: str, method: str, password: str, count: int = 1, *, number: str = ""
    ) -> str:
        """Credentials for the MD5 challenge of a 401."""
        challenges = [c for c in response.split("\r\n") if c.startswith("WWW-Authenticate")]
        challenge = next(c for c in challenges if "MD5" in c)
        found = re.search(r'nonce="([^"]+)"', challenge)
        assert found is not None
        return self.credentials(found[1], method, password, count, number=number)

    def credentials(
        self, nonce: str, method: str, password: str, count: int = 1, *, number: str = ""
    ) -> str:
        """The header that proves the password, for a request to `number`."""

        def md5(text: str) -> str:
            return hashlib.md5(text.encode()).hexdigest()

        at = f"{number}@" if number else ""
        uri = f"sip:{at}{self._server[0]}:{self._server[1]}"
        secret = md5(f"{self.user}:switchroom:{password}")
        proof = md5(f"{secret}:{nonce}:{count:08x}:c:auth:{md5(f'{method}:{uri}')}")
        return (
            f'Authorization: Digest username="{self.user}", realm="switchroom", '
            f'nonce="{nonce}", uri="{uri}", response="{proof}", algorithm=MD5, '
            f'qop=auth, nc={count:08x}, cnonce="c"'
        )


def sdp(host: str, port: int, media: str = "audio", payloads: str = "0") -> str:
    """An offer with one m= line."""
    return (
        f"v=0\no=- 1 1 IN IP4 {host}\ns=-\nc=IN IP4 {host}\nt=0 0\n"
        f"m={media} {port} RTP/AVP {payloads}\na=ptime:20\n"
    )


def status(response: str) -> int:
    """The status of a response."""
    return int(response.split()[1])
