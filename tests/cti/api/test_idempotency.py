"""What is kept of answered requests goes away, whatever else is still being worked on."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from cti.api import idempotency
from cti.api.idempotency import Idempotency
from cti.api.tokens import Tokens
from tests.cti.api.kit import SECRET

Message = MutableMapping[str, Any]


class Server:
    """The layer with an application that answers, except `/slow`, which waits."""

    def __init__(self) -> None:
        self.now = 0.0
        self.go_on = asyncio.Event()
        self.asked = 0
        self.layer = Idempotency(
            self._app, tokens=Tokens(SECRET, 60.0), keep_s=600.0, now=lambda: self.now
        )

    async def _app(self, scope: Message, receive: Any, send: Any) -> None:
        self.asked += 1
        if scope["path"] == "/slow":
            await self.go_on.wait()
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def post(self, key: str, path: str = "/quick") -> int:
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": b""}

        async def send(message: Message) -> None:
            sent.append(message)

        headers = [(b"idempotency-key", key.encode())]
        scope = {"type": "http", "method": "POST", "path": path, "headers": headers}
        await self.layer(scope, receive, send)
        status: int = sent[0]["status"]
        return status

    @property
    def kept(self) -> int:
        return len(self.layer._kept)


async def test_a_request_that_hangs_does_not_keep_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(idempotency, "_MAX_KEPT", 20)
    server = Server()
    hanging = [asyncio.create_task(server.post(f"slow-{n}", "/slow")) for n in range(3)]
    while server.asked < 3:  # noqa: ASYNC110 - a turn of the loop for each
        await asyncio.sleep(0)
    for number in range(200):
        assert await server.post(f"quick-{number}") == 204
    assert server.kept <= 21
    server.now = 601.0
    for number in range(5):
        await server.post(f"later-{number}")
    assert server.kept <= 3 + 5
    server.go_on.set()
    assert await asyncio.gather(*hanging) == [204] * 3


async def test_an_answer_is_given_again_until_it_has_expired() -> None:
    server = Server()
    for _ in range(3):
        assert await server.post("once") == 204
    assert server.asked == 1
    server.now = 601.0
    await server.post("once")
    assert server.asked == 2
