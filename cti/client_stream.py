"""The stream of events over a WebSocket that comes back by itself.

It resumes where it broke off. A server that cannot resume was restarted or has forgotten us: then
the user signs on anew, and a snapshot starts over.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Final
from urllib.parse import quote

import msgspec
import websockets
from websockets.asyncio.client import ClientConnection, connect

from cti.client_items import (
    Connected,
    ConnectionLost,
    SignedOnAgain,
    StreamEnded,
    StreamItem,
    decode_event,
    decode_message,
)
from cti.client_requests import ApiError, Requests, ServerUnreachableError
from cti.schema import Snapshot

RECONNECT_DELAYS_S: Final = (0.5, 1.0, 2.0, 3.0, 5.0)
"""Pauses before the stream is opened again; the last one repeats."""
_TIMEOUT_S: Final = 5.0
_PING_S: Final = 5.0
_REFUSED: Final = (401, 403)


class _ResumeRefusedError(Exception):
    """The server gave a snapshot where its events should have gone on.

    It was restarted, or we were away for longer than it keeps them. What belongs to the sign-on
    (the phone's secret) may be gone as well.
    """


_FOR_GOOD: Final = frozenset({"signed-off", "elsewhere", "busy-elsewhere"})
"""Reasons after which it makes no sense to come back."""


class EventStream:
    """The events that the user of `requests` may see, from the WebSocket at `url`."""

    def __init__(
        self,
        url: str,
        requests: Requests,
        clock: Callable[[], float],
        reconnect_delays_s: tuple[float, ...],
    ) -> None:
        self._url = url
        self._requests = requests
        self._clock = clock
        self._delays_s = reconnect_delays_s
        self._socket: ClientConnection | None = None
        self._last_seq: int | None = None
        """The cursor for resuming."""
        self.clock_offset = 0.0
        """Server's time minus ours, in seconds, from the last snapshot."""

    async def close(self) -> None:
        """Close the connection if there is one."""
        if self._socket is not None:
            await self._socket.close()

    async def ack(self, seq: int) -> None:
        """Tell that the screen pop with this `seq` is on the screen."""
        if self._socket is not None:
            with contextlib.suppress(websockets.ConnectionClosed):
                await self._socket.send(f'{{"kind": "ack", "seq": {seq}}}')

    async def items(self, *, is_desk: bool = True) -> AsyncIterator[StreamItem]:
        """Snapshot and events, for as long as the user may have them.

        Reconnects by itself; ends after `StreamEnded`. Raises `RuntimeError` before sign-on.
        """
        if self._requests.signed_on is None:
            raise RuntimeError("sign on before opening the stream")
        attempt = 0
        while True:
            reason, must_renew, at_once = "closed", False, False
            try:
                async for item in self._one_connection(is_desk):
                    attempt = 0
                    yield item
                    if isinstance(item, StreamEnded):
                        return
            except websockets.InvalidStatus as exc:
                status = exc.response.status_code
                reason, must_renew = f"status {status}", status in _REFUSED
            except _ResumeRefusedError:
                reason, must_renew, at_once = "sign-on failed", True, True
            except msgspec.DecodeError as exc:
                reason = f"the server said something strange: {exc}"
            except (OSError, TimeoutError, websockets.WebSocketException) as exc:
                reason = str(exc) or type(exc).__name__
            finally:
                self._socket = None
            if must_renew and (renewed := await self._renew()) is not None:
                yield renewed
                if isinstance(renewed, StreamEnded):
                    return
                if at_once:
                    continue
            if self._requests.signed_on is None:
                yield StreamEnded(reason="signed-off")
                return
            delay = self._delays_s[min(attempt, len(self._delays_s) - 1)]
            attempt += 1
            yield ConnectionLost(retry_in_s=delay, attempt=attempt, reason=reason)
            # Spread, so that a floor of desks does not come back in the same instant.
            await asyncio.sleep(delay * random.uniform(0.8, 1.0))

    async def _one_connection(self, is_desk: bool) -> AsyncIterator[StreamItem]:
        assert self._requests.signed_on is not None
        url = f"{self._url}?token={quote(self._requests.signed_on.token)}"
        if not is_desk:
            url += "&watch=1"
        resuming = self._last_seq is not None
        if resuming:
            url += f"&after={self._last_seq}"
        async with connect(
            url,
            proxy=None,
            open_timeout=_TIMEOUT_S,
            close_timeout=1,
            ping_interval=_PING_S,
            ping_timeout=_PING_S,
            max_size=16 * 1024 * 1024,
        ) as socket:
            self._socket = socket
            yield Connected()
            async for text in socket:
                for item in self._read(text):
                    if resuming and isinstance(item, Snapshot):
                        raise _ResumeRefusedError
                    yield item
                resuming = False

    def _read(self, text: str | bytes) -> Iterator[StreamItem]:
        message = decode_message(text)
        if message.snapshot is not None:
            self._last_seq = message.snapshot.seq
            self.clock_offset = message.snapshot.at - self._clock()
            yield message.snapshot
        elif message.event is not None:
            self._last_seq = message.event.seq
            event = decode_event(message.event)
            if event is not None:
                yield event
        elif message.kind == "bye" and message.reason in _FOR_GOOD:
            yield StreamEnded(reason=message.reason)

    async def _renew(self) -> SignedOnAgain | StreamEnded | None:
        """Sign on again after a refusal; None when that must be tried once more later."""
        try:
            reply = await self._requests.sign_on_again()
        except ApiError as exc:
            return StreamEnded(reason=exc.problem.message) if exc.status in _REFUSED else None
        except ServerUnreachableError:
            return None
        if reply is None:
            return StreamEnded(reason="signed-off")
        self._last_seq = None  # the numbers of a restarted server begin anew
        return SignedOnAgain(reply=reply)
