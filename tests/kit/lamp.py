"""A busy lamp, or another subscription, on a plain socket: what a watcher is told, word for word."""

from __future__ import annotations

import re

from tests.kit.patience import PATIENCE_S
from tests.kit.raw_sip import RawSip, status


class Lamp:
    """A subscription on a plain socket, answered by hand."""

    def __init__(self, wire: RawSip, watched: str, event: str = "dialog") -> None:
        self.wire = wire
        self.watched = watched
        self.event = event
        self.to_tag = ""
        self.numbers: list[int] = []

    async def subscribe(self, expires: str = "600") -> str:
        """Subscribe with the password; gives the final response."""
        wire = self.wire
        own = (f"Event: {self.event}", f"Expires: {expires}")
        wire.send(wire.request("SUBSCRIBE", self.watched, *own, to_tag=self.to_tag))
        challenge = await self._response()
        assert status(challenge) == 401
        proof = wire.authorization(challenge, "SUBSCRIBE", f"lab-{wire.user}", number=self.watched)
        wire.send(wire.request("SUBSCRIBE", self.watched, *own, proof, to_tag=self.to_tag))
        response = await self._response()
        tag = re.search(r"\nTo:.*;tag=([^\r;]+)", response)
        if tag is not None and status(response) == 200:
            self.to_tag = tag[1]
        return response

    async def _response(self) -> str:
        while True:
            message = await self.wire.receive()
            if message.startswith("SIP/2.0"):
                return message

    async def notified(self, timeout_s: float = PATIENCE_S) -> str:
        """The next notification that is no repetition; it is answered with 200."""
        while True:
            message = await self.wire.receive(timeout_s)
            assert message.startswith("NOTIFY "), message
            self.wire.respond(message, "200 OK")
            number = re.search(r"CSeq: (\d+)", message)
            assert number is not None
            if int(number[1]) not in self.numbers:
                self.numbers.append(int(number[1]))
                return message

    async def until(self, words: str) -> str:
        """The next notification with these words."""
        while words not in (message := await self.notified()):
            pass
        return message
