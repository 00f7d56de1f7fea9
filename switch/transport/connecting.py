"""Connections that we make, when something is to be sent and none is there (RFC 3261 section 18.1.1)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from switch.sip.flow import Flow, Transport
from switch.transport.connection import Address, StreamConnection
from switch.transport.tls import TlsSession

if TYPE_CHECKING:
    from switch.transport.streams import StreamHub

_Place = tuple[Transport, Address]


class Connecting:
    """What is being made, and the messages that wait for it."""

    def __init__(self, hub: StreamHub) -> None:
        self._hub = hub
        self._waiting: dict[_Place, list[bytes]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._opened: dict[StreamConnection, asyncio.Future[None]] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    def send(self, data: bytes, flow: Flow) -> None:
        """Make a connection to the flow's remote and send this over it, after what waits for it already."""
        hub, place = self._hub, (flow.transport, flow.remote)
        waiting = self._waiting.get(place)
        if waiting is not None:
            if len(waiting) < hub.limits.max_waiting:
                waiting.append(data)
            else:
                hub.counters.waiting_dropped += 1
            return
        if flow.transport.is_websocket:
            hub.handlers.failed(
                flow, "the peer's WebSocket is gone, and only the peer can make one"
            )
            return
        if len(hub) + len(self._tasks) >= hub.limits.max_connections:
            hub.handlers.failed(flow, "too many TCP connections")
            return
        self._waiting[place] = [data]
        host, port = flow.remote
        task = hub.loop.create_task(self._make(*place), name=f"connect {host}:{port}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def opened(self, connection: StreamConnection) -> None:
        """The handshakes of a connection of ours are done."""
        done = self._opened.get(connection)
        if done is not None and not done.done():
            done.set_result(None)

    def lost(self, connection: StreamConnection, reason: str) -> None:
        """A connection of ours is gone; the reason counts if it never opened."""
        done = self._opened.get(connection)
        if done is not None and not done.done():
            done.set_exception(ConnectionError(connection.failure or reason))

    async def close(self) -> None:
        """Give up all that is being made."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _make(self, kind: Transport, remote: Address) -> None:
        hub, reason = self._hub, ""
        local = hub.local_of(kind, remote[0])
        connection = StreamConnection(hub, kind, local, accepted=False)
        self._opened[connection] = opened = hub.loop.create_future()
        try:
            async with asyncio.timeout(hub.limits.connect_s):
                connection.tls = self._tls(kind, remote)
                await hub.loop.create_connection(lambda: connection, *remote)
                if connection.number:
                    await opened
        except asyncio.CancelledError:
            # It may have been made already; uvloop then closes it without telling the protocol.
            connection.cut("not wanted any more")
            connection.connection_lost(None)
            raise
        except TimeoutError:
            connection.cut("it took too long")
            reason = f"no connection within {hub.limits.connect_s} s"
        except Exception as error:  # noqa: BLE001
            # Whatever it was: who waits is told, and the next message may try again.
            reason = str(error) or repr(error)
        finally:
            del self._opened[connection]
            opened.cancel()
        self._made(connection, Flow(kind, remote, local), reason)

    def _made(self, connection: StreamConnection, flow: Flow, reason: str) -> None:
        hub = self._hub
        waiting = self._waiting.pop((flow.transport, flow.remote), [])
        if reason:
            connection.connection_lost(None)
            hub.handlers.failed(flow, reason)
        elif connection.number == 0:
            hub.handlers.failed(flow, "too many TCP connections")
        else:
            for data in waiting:
                connection.write(data)

    def _tls(self, kind: Transport, remote: Address) -> TlsSession | None:
        """Raises OSError where nobody said who that server must be, ValueError where its name is none."""
        if kind is not Transport.TLS:
            return None
        session = self._hub.tls.connect(remote)
        if session is None:
            words = "nothing is known of a TLS server there, so it could not prove who it is"
            raise ConnectionRefusedError(words)
        return session
