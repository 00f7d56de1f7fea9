"""The HTTP server: uvicorn inside our own event loop, without signals, access log or secrets."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import socket
from collections.abc import Iterable, Iterator
from typing import Any, Final

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from cti.api.app import create_app
from cti.api.context import Context
from cti.api.listener import listen
from cti.api.ports import ApiPorts, ApiSettings
from cti.api.timed_http import counted_by, is_ours

_TOKEN: Final = re.compile(r"(token=)[^&\s\"']+")
_MAX_MESSAGE: Final = 64 * 1024
"""Octets of one message from a client."""
_ANSWER_S: Final = 5.0
"""Who was asked with a ping whether it is there has so long at most."""
_STOP_S: Final = 2.0
"""Requests that are being answered when the server stops have so long."""


class ApiServer:
    """Serves the API. `start` once, `stop` once."""

    def __init__(self, ports: ApiPorts, settings: ApiSettings) -> None:
        self._ports = ports
        self._settings = settings
        self._server: _Server | None = None
        self._task: asyncio.Task[None] | None = None
        self._context: Context | None = None
        self.app: FastAPI | None = None
        """The application, once started."""
        self.port = 0
        """The port in use, once started."""

    async def start(self, host: str, port: int) -> None:
        """Listen. Port 0 takes any free one. Raises `OSError` when the address is taken."""
        await self.serve(listen(host, port))

    async def serve(self, listener: socket.socket) -> None:
        """Take requests at a socket of `cti.api.listener`; it is closed with the server."""
        self.port = listener.getsockname()[1]
        self.app = create_app(self._ports, self._settings)
        self._context = self.app.state.context
        config = uvicorn.Config(
            self.app,
            log_config=None,
            log_level="warning",
            access_log=False,
            lifespan="off",
            proxy_headers=False,
            server_header=False,
            http=counted_by(self._ports.counters),
            ws=_WebSocket,
            ws_max_size=_MAX_MESSAGE,
            ws_ping_interval=self._settings.ping_s,
            ws_ping_timeout=self._settings.ping_s,
            ws_per_message_deflate=False,  # local desks: time matters more than octets
        )
        # WebSocket addresses carry the token, and uvicorn logs addresses.
        logging.getLogger("uvicorn.error").addFilter(_mask_token)
        logging.getLogger("uvicorn.error").addFilter(is_ours)
        self._server = _Server(config)
        loop = asyncio.get_running_loop()
        self._task = loop.create_task(self._server.serve([listener]), name="api-server")
        started = loop.create_task(self._server.is_started.wait())
        await asyncio.wait((self._task, started), return_when=asyncio.FIRST_COMPLETED)
        started.cancel()
        if self._task.done():
            await self._task  # raises what went wrong

    def expect_desks(self, agents: Iterable[str]) -> None:
        """Wait for the desks that an earlier process had; call once started."""
        if self._context is not None:
            for agent in agents:
                self._context.desks.expect(agent)

    async def stop(self) -> None:
        """Say bye to the streams, finish what is being answered, close."""
        if self._server is None or self._task is None or self._context is None:
            return
        await self._context.streams.close()
        self._server.stop()
        await self._task
        self._context.desks.close()
        self._server = self._task = None


class _Server(uvicorn.Server):
    """Uvicorn without signal handlers, and without looking ten times a second."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_started = asyncio.Event()
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Leave the main loop."""
        self.should_exit = True
        self._stopping.set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.is_started.set()

    async def main_loop(self) -> None:
        """Refresh the date header once a second until told to stop."""
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._stopping.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close; whoever has not finished after a moment is cut off."""
        for server in self.servers:
            server.close()
        state = self.server_state
        for connection in list(state.connections):
            connection.shutdown()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STOP_S):
                while state.connections or state.tasks:  # noqa: ASYNC110 - uvicorn signals neither
                    await asyncio.sleep(0.01)
        for task in list(state.tasks):
            task.cancel()
        for connection in list(state.connections):
            connection.transport.abort()
        if state.tasks:
            await asyncio.wait(list(state.tasks), timeout=_STOP_S)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _WebSocket(WebSocketsSansIOProtocol):
    """Uvicorn's WebSocket; can cut off a client that does not read, and ask whether one is there."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._answered = asyncio.Event()
        """The last ping was."""
        self._is_lost = False
        self._is_served = False

    async def run_asgi(self) -> None:
        extensions: dict[str, Any] = self.scope["extensions"] or {}
        extensions["switchroom.abort"] = self.transport.abort
        extensions["switchroom.answers"] = self.answers
        try:
            await super().run_asgi()
        finally:
            self._is_served = True
            self._let_go()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._is_lost = True
        self._let_go()

    def _let_go(self) -> None:
        """Cut the circles in which a connection that is over holds itself: 14 KiB until a full collection.

        The parser of `websockets` is a generator of its own object; the scope knows two methods of ours.
        """
        scope: dict[str, Any] | None = getattr(self, "scope", None)
        if not self._is_lost or (scope is not None and not self._is_served):
            return  # a refused handshake has no scope, and nobody serves it
        if scope is not None:
            scope.clear()
        self.conn.parser.close()
        self.transport = None  # type: ignore[assignment]

    async def answers(self) -> bool:
        """Whether the client answers a ping that is sent now, or the one that it was sent last."""
        if self.pending_ping_payload is None:
            if self.ping_timer is not None:
                self.ping_timer.cancel()
            self.send_keepalive_ping()
        try:
            async with asyncio.timeout(min(_ANSWER_S, self.ping_timeout or _ANSWER_S)):
                await self._answered.wait()
        except TimeoutError:
            return False
        return True

    def send_keepalive_ping(self) -> None:
        self._answered.clear()
        super().send_keepalive_ping()

    def handle_pong(self, event: Any) -> None:
        super().handle_pong(event)
        if self.pending_ping_payload is None:
            self._answered.set()

    async def send(self, message: Any) -> None:
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body"):
            # A refusal is an answer too; Uvicorn would log an error for each stranger.
            self.handshake_complete = True

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        # A peer that answers no ping will not take what is still to be sent.
        self.transport.abort()


def _mask_token(record: logging.LogRecord) -> bool:
    if "token=" in record.getMessage():
        record.msg, record.args = _TOKEN.sub(r"\1***", record.getMessage()), ()
    return True
