"""Repeated commands: the same `Idempotency-Key` gets the first answer again and does nothing.

An ASGI layer around the application. Keys count per user (for sign-on, where there is none yet, per
address) and per request: the same key with another body is a mistake and refused. While the first
is still being worked on, the repetition waits for its answer. Faults (5xx), refusals for want of a
token (401) and for haste (429) are not kept: trying again is right then.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cti.api.answers import problem
from cti.api.tokens import Tokens
from cti.errors import NotSignedOn

MAX_BODY: Final = 64 * 1024
"""Octets of a request's body; commands are small."""
_MAX_KEY: Final = 200
_MAX_KEPT: Final = 10_000
"""Answers kept; beyond, the oldest go early."""
_LOOKED_AT: Final = 64
"""Oldest entries looked at for each new one."""
_NOT_KEPT: Final = frozenset({401, 429})
_COMMANDS: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_STREAMED: Final = frozenset({"/api/v1/uploads"})
"""Files are no commands: whoever takes them reads them piece by piece, and bounds them."""

_Key = tuple[str, str]


@dataclass(slots=True)
class _Kept:
    """One request and its answer, once there is one."""

    fingerprint: bytes
    expires: float
    answer: asyncio.Future[list[Message] | None]
    """None: it is not to be repeated, ask the application."""


class Idempotency:
    """The layer. `now` gives monotonic seconds."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        tokens: Tokens,
        keep_s: float,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._tokens = tokens
        self._keep_s = keep_s
        self._now = now
        self._kept: OrderedDict[_Key, _Kept] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        is_command = scope["type"] == "http" and scope["method"] in _COMMANDS
        if not is_command or scope["path"] in _STREAMED:
            await self._app(scope, receive, send)
            return
        body = await _read_body(receive)
        if body is None:
            answer = problem(413, "body-too-large", f"A body may have at most {MAX_BODY} octets.")
            await answer(scope, receive, send)
            return
        key = _header(scope, b"idempotency-key")
        if not key:
            await self._app(scope, _replay(body, receive), send)
            return
        if len(key) > _MAX_KEY or not key.isprintable():
            answer = problem(
                422, "bad-idempotency-key", f"At most {_MAX_KEY} printable characters, please."
            )
            await answer(scope, receive, send)
            return
        await self._once((self._user(scope), key), body, scope, receive, send)

    async def _once(
        self, key: _Key, body: bytes, scope: Scope, receive: Receive, send: Send
    ) -> None:
        fingerprint = _fingerprint(scope, body)
        while True:
            self._forget_old()
            kept = self._kept.get(key)
            if kept is None:
                await self._first(key, fingerprint, body, scope, receive, send)
                return
            if kept.fingerprint != fingerprint:
                answer = problem(
                    409,
                    "idempotency-key-reused",
                    "This key came with another request before; use a new one.",
                )
                await answer(scope, receive, send)
                return
            messages = await asyncio.shield(kept.answer)
            if messages is not None:
                for message in messages:
                    await send(message)
                return

    async def _first(
        self,
        key: _Key,
        fingerprint: bytes,
        body: bytes,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        kept = _Kept(
            fingerprint=fingerprint,
            expires=self._now() + self._keep_s,
            answer=asyncio.get_running_loop().create_future(),
        )
        self._kept[key] = kept
        messages: list[Message] = []

        async def keep_and_send(message: Message) -> None:
            messages.append(message)
            await send(message)

        try:
            await self._app(scope, _replay(body, receive), keep_and_send)
        finally:
            status = messages[0].get("status", 500) if messages else 500
            if status >= 500 or status in _NOT_KEPT:
                self._kept.pop(key, None)
                kept.answer.set_result(None)
            else:
                kept.answer.set_result(messages)

    def _user(self, scope: Scope) -> str:
        scheme, _, text = _header(scope, b"authorization").partition(" ")
        if scheme.lower() == "bearer":
            try:
                return "user " + self._tokens.verify(text.strip()).login
            except NotSignedOn:
                pass
        client = scope.get("client")
        return "address " + (client[0] if client else "")

    def _forget_old(self) -> None:
        """Drop what has expired, and the oldest beyond the most that are kept.

        A request that is still being worked on goes to the end: it must not shield the others.
        """
        now = self._now()
        for _ in range(min(_LOOKED_AT, len(self._kept))):
            key, oldest = next(iter(self._kept.items()))
            if oldest.expires > now and len(self._kept) <= _MAX_KEPT:
                return
            if oldest.answer.done():
                del self._kept[key]
            else:
                self._kept.move_to_end(key)


def _fingerprint(scope: Scope, body: bytes) -> bytes:
    digest = hashlib.sha256(scope["method"].encode() + b" " + scope["path"].encode() + b"\n")
    digest.update(scope.get("query_string", b"") + b"\n" + body)
    return digest.digest()


def _header(scope: Scope, name: bytes) -> str:
    for key, value in scope["headers"]:
        if key == name:
            return str(value.decode("latin-1"))
    return ""


async def _read_body(receive: Receive) -> bytes | None:
    """The whole body, or None when it is too large."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return b"".join(parts)  # the client is gone; the application will notice
        part = message.get("body", b"")
        size += len(part)
        if size > MAX_BODY:
            return None
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


def _replay(body: bytes, receive: Receive) -> Callable[[], Awaitable[Message]]:
    given = False

    async def next_message() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return next_message
