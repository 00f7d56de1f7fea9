"""The requests of one user of the API: signed on, repeated when no answer comes, done only once.

A token that is no longer valid is renewed by signing on again, and a command is repeated with its
idempotency key.

Errors: `ApiError` is the server's refusal, `ServerUnreachableError` says that no answer came.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator
from typing import Any, Final, TypeVar

import httpx
import msgspec

from cti.schema import Problem, SignOnReply, SignOnRequest

T = TypeVar("T")

ATTEMPT_DELAYS_S: Final = (0.2, 0.6, 1.5)
"""Pauses before a command is repeated; after the last, `ServerUnreachableError`."""
_TIMEOUT_S: Final = 5.0
_FILE_TIMEOUT_S: Final = 60.0
"""Between two pieces."""


class ApiError(Exception):
    """The server refused; `problem` says why and what to do."""

    def __init__(self, status: int, problem: Problem) -> None:
        super().__init__(problem.message)
        self.status = status
        self.problem = problem


class ServerUnreachableError(Exception):
    """No answer from the server, also after trying again."""


class Requests:
    """HTTP to the server at `base_url`; `signed_on` is the server's last answer to a sign-on."""

    def __init__(
        self,
        base_url: str,
        *,
        transport: httpx.AsyncBaseTransport | None,
        attempt_delays_s: tuple[float, ...],
    ) -> None:
        self.base_url = base_url
        # The server is on this host or in the house: no proxy from the environment.
        self._http = httpx.AsyncClient(
            base_url=base_url, timeout=_TIMEOUT_S, trust_env=False, transport=transport
        )
        self._attempt_delays_s = attempt_delays_s
        self._credentials: SignOnRequest | None = None
        self.signed_on: SignOnReply | None = None

    async def close(self) -> None:
        """Close all connections; does not sign off."""
        await self._http.aclose()

    async def sign_on(self, login: str, password: str) -> SignOnReply:
        """Sign on; the words are kept for signing on again. Raises `ApiError` (401: wrong words)."""
        self._credentials = SignOnRequest(login=login, password=password)
        return await self._sign_on(self._credentials)

    async def sign_on_again(self) -> SignOnReply | None:
        """Sign on as the same user. None when nobody is signed on. Raises as `sign_on` does."""
        return await self._sign_on(self._credentials) if self._credentials is not None else None

    async def sign_off(self) -> None:
        """Sign off and forget the words."""
        await self.post("/api/v1/sign-off", renew=False)
        self.signed_on = self._credentials = None

    async def is_healthy(self) -> bool:
        """Whether the server accepts calls; False also when it cannot be reached."""
        try:
            return (await self._http.get("/healthz")).status_code == 200
        except httpx.TransportError:
            return False

    async def get(self, path: str, kind: type[T], query: dict[str, str] | None = None) -> T:
        """Ask for a value of a type. Raises `ApiError` and `ServerUnreachableError`."""
        content = await self._send("GET", path, params=query)
        return msgspec.json.decode(content, type=kind)

    async def post(self, path: str, body: object | None = None, *, renew: bool = True) -> bytes:
        """Send a command, return what came back. Raises `ApiError` and `ServerUnreachableError`.

        `renew`: sign on again when the token is refused.
        """
        content = b"" if body is None else msgspec.json.encode(body)
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        if content:
            headers["Content-Type"] = "application/json"
        return await self._send("POST", path, content=content, headers=headers, renew=renew)

    async def send_file(
        self, path: str, pieces: AsyncIterator[bytes], query: dict[str, str]
    ) -> bytes:
        """Send a file, once: it is not repeated. Raises `ApiError` and `ServerUnreachableError`."""
        headers = {"Content-Type": "application/octet-stream", **self._bearer()}
        try:
            reply = await self._http.post(
                path, params=query, content=pieces, headers=headers, timeout=_FILE_TIMEOUT_S
            )
        except httpx.TransportError as error:
            raise self._unreachable(error) from error
        if reply.is_success:
            return reply.content
        raise ApiError(reply.status_code, _problem(reply))

    async def pieces(self, path: str, query: dict[str, str]) -> AsyncIterator[bytes]:
        """A file of the server, piece by piece. Raises `ApiError` and `ServerUnreachableError`."""
        try:
            async with self._http.stream(
                "GET", path, params=query, headers=self._bearer(), timeout=_FILE_TIMEOUT_S
            ) as reply:
                if not reply.is_success:
                    await reply.aread()
                    raise ApiError(reply.status_code, _problem(reply))
                async for piece in reply.aiter_bytes():
                    yield piece
        except httpx.TransportError as error:
            raise self._unreachable(error) from error

    def _bearer(self) -> dict[str, str]:
        return {} if self.signed_on is None else {"Authorization": f"Bearer {self.signed_on.token}"}

    def _unreachable(self, error: httpx.TransportError) -> ServerUnreachableError:
        reason = str(error) or type(error).__name__
        return ServerUnreachableError(
            f"no answer from {self.base_url}: {reason}. Does the server run there? "
            "Where else it is, --server says."
        )

    async def _sign_on(self, credentials: SignOnRequest) -> SignOnReply:
        content = await self.post("/api/v1/sign-on", credentials, renew=False)
        self.signed_on = msgspec.json.decode(content, type=SignOnReply)
        return self.signed_on

    async def _send(self, method: str, path: str, *, renew: bool = True, **kwargs: Any) -> bytes:
        reply = await self._request(method, path, **kwargs)
        if reply.status_code == 401 and renew and self._credentials is not None:
            await self._sign_on(self._credentials)
            reply = await self._request(method, path, **kwargs)
        if reply.is_success:
            return reply.content
        raise ApiError(reply.status_code, _problem(reply))

    async def _request(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, **kwargs: Any
    ) -> httpx.Response:
        sent = {**(headers or {}), **self._bearer()}
        for delay in (*self._attempt_delays_s, None):
            try:
                return await self._http.request(method, path, headers=sent, **kwargs)
            except httpx.TransportError as exc:
                if delay is None:
                    raise self._unreachable(exc) from exc
            await asyncio.sleep(delay)
        raise AssertionError  # the last round returns or raises


def _problem(reply: httpx.Response) -> Problem:
    """The server's words, or the plain status where a proxy or a crash answered."""
    with contextlib.suppress(msgspec.DecodeError):
        return msgspec.json.decode(reply.content, type=Problem)
    return Problem(
        error_id=f"http-{reply.status_code}",
        message=f"the server answered {reply.status_code} {reply.reason_phrase}",
    )
