"""The call agent's end of the control protocol: commands out, events in, ports ready to be used.

Everything a call needs is synchronous: `send` queues, `take_port` takes from those reserved ahead.
What was queued in one turn of the loop is written at its end in one go.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, cast

from switch.errors import MediaUnavailableError
from switch.gateway.framing import (
    FrameSplitter,
    FramingError,
    decode_event,
    encode_body,
    frame_of,
)
from switch.gateway.place import Place, TcpPlace
from switch.gateway.protocol import (
    MAX_FRAME_OCTETS,
    Command,
    Event,
    Hello,
    PortsReserved,
    Refused,
    ReservePorts,
    Welcome,
)

if TYPE_CHECKING:
    from switch.gateway.trust import AgentProof, Opener, Sealer

PORTS_AHEAD: Final = 128
"""Ports kept ready; half of them are asked for anew when half are used."""
FIRST_PORTS: Final = 64
"""Asked for when there are none, so that whoever waits for one has it soon; the others follow."""
PATIENCE_S: Final = 5.0
"""A gateway speaks every second; after so long without a word it hangs."""
FIRST_PORTS_S: Final = 2.0
"""A gateway that found no free port in so long is connected without; calls are refused until then."""
NEXT_STRETCH_S: Final = 0.05
"""A gateway looks at some hundred ports for each request, lest its ticks be late."""
MAX_SEALED_OCTETS: Final = MAX_FRAME_OCTETS + 16
"""The seal of a frame is an authentication tag."""
MAX_UNSENT_OCTETS: Final = 32 << 20
"""A gateway that leaves more than this unread has stopped working."""

_log = logging.getLogger(__name__)


class GatewayClient:
    """One connection to one gateway; `connect` again after it was lost."""

    def __init__(
        self,
        *,
        on_event: Callable[[Event], None],
        on_lost: Callable[[str], None],
        ports_ahead: int = PORTS_AHEAD,
        patience_s: float = PATIENCE_S,
    ) -> None:
        """`on_lost` is told once why a connection that stood has ended, unless `close` ended it.

        `patience_s` bounds the connecting, and the silence of a gateway that is connected.
        """
        self._on_event = on_event
        self._on_lost = on_lost
        self._ports_ahead = ports_ahead
        self._patience_s = patience_s
        self._heard_at = 0.0
        self._watch: asyncio.TimerHandle | None = None
        self._ports: deque[int] = deque()
        self._asked = False
        self._awaited = 0
        self._claimed: set[int] = set()
        """Ports that may be in the answer on its way, and are not ours to give away."""
        self._exhausted = False
        self._queue: list[bytes] = []
        self._flushing = False
        self._transport: asyncio.WriteTransport | None = None
        self._sealer: Sealer | None = None
        """Of a connection over TCP: what leaves is sealed."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._welcome: Welcome | None = None
        self._greeted: asyncio.Future[Welcome] | None = None
        self._ports_came: asyncio.Future[None] | None = None

    @property
    def connected(self) -> bool:
        """The gateway has said `Welcome` and the connection stands."""
        return self._welcome is not None

    @property
    def welcome(self) -> Welcome | None:
        """What the gateway said of itself; None while not connected."""
        return self._welcome

    async def connect(self, place: Place, hello: Hello | None = None) -> Welcome:
        """Connect, greet, and wait for the first ports. Raises MediaUnavailableError."""
        self._loop = loop = asyncio.get_running_loop()
        self._greeted = loop.create_future()
        self._ports_came = loop.create_future()
        try:
            async with asyncio.timeout(self._patience_s):
                if isinstance(place, TcpPlace):
                    await _connect(self, loop, place)
                else:
                    await loop.create_unix_connection(lambda: _Protocol(self), str(place))
                self.send(hello or Hello())
                welcome = await self._greeted
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FIRST_PORTS_S):
                    await self._ports_came
        except MediaUnavailableError:
            self.close()
            raise
        except (OSError, TimeoutError, UnicodeError) as error:  # the latter: no name that DNS takes
            self._welcome = None
            self.close()
            raise MediaUnavailableError(
                f"no media gateway answers at {place}: {str(error) or 'time is up'}"
            ) from error
        finally:
            self._greeted = self._ports_came = None
        return welcome

    def send(self, command: Command) -> None:
        """Queue a command. Without a connection it is dropped: `on_lost` has said so."""
        if self._transport is None or self._loop is None:
            return
        body = encode_body(command)
        if self._sealer is not None:
            body = self._sealer.seal(body)
        self._queue.append(frame_of(body))
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self.flush)

    def flush(self) -> None:
        """Write what is queued now; otherwise it is written at the end of the loop's turn."""
        self._flushing = False
        if self._transport is None:
            self._queue.clear()
            return
        if self._queue:
            self._transport.write(b"".join(self._queue))
            self._queue.clear()
            if self._transport.get_write_buffer_size() > MAX_UNSENT_OCTETS:
                self._transport.abort()

    def take_port(self) -> int:
        """Take a reserved RTP port. Raises MediaUnavailableError when there is none."""
        if not self.connected:
            raise MediaUnavailableError("no media gateway is connected")
        if not self._ports:
            self._ask_for_ports()
            raise MediaUnavailableError("the media gateway has no free RTP port")
        port = self._ports.popleft()
        if len(self._ports) <= self._ports_ahead // 2:
            self._ask_for_ports()
        return port

    def claim_port(self, port: int) -> None:
        """Give this port to nobody else: an earlier call agent took it, and `AddLeg` follows."""
        try:
            self._ports.remove(port)
        except ValueError:
            if self._asked:
                self._claimed.add(port)

    def close(self) -> None:
        """End the connection; the gateway goes on. `on_lost` is not called."""
        self.flush()
        transport, self._transport, self._welcome = self._transport, None, None
        self._ports.clear()
        self._stop_watching()
        if transport is not None:
            transport.close()

    def _ask_for_ports(self) -> None:
        missing = self._ports_ahead - len(self._ports)
        if self._asked or missing <= 0 or self._exhausted:
            return
        if not self._ports:
            missing = min(missing, FIRST_PORTS)
        self._asked = True
        self._awaited = missing
        self.send(ReservePorts(count=missing))

    # --- called by the protocol -----------------------------------------------------------------

    def _opened(self, transport: asyncio.WriteTransport, sealer: Sealer | None = None) -> None:
        self._transport = transport
        self._sealer = sealer
        self._queue.clear()
        self._look_for_life(suspicious=False)
        self._asked = self._exhausted = False
        self._awaited = 0

    def _look_for_life(self, *, suspicious: bool) -> None:
        """Give up a gateway that hangs.

        Silence must be seen twice: when our own loop stood still, words may wait to be read.
        """
        if self._transport is None or self._loop is None:
            return
        now = self._loop.time()
        silent = self.connected and now - self._heard_at > self._patience_s
        if silent and suspicious:
            _log.error("the media gateway says nothing for %.1f s: given up", now - self._heard_at)
            self._transport.abort()
            return
        self._watch = self._loop.call_later(
            self._patience_s / 4, lambda: self._look_for_life(suspicious=silent)
        )

    def _stop_watching(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

    def _received(self, event: Event) -> None:
        if self._loop is not None:
            self._heard_at = self._loop.time()
        match event:
            case Welcome():
                self._welcome = event
                self._ports.clear()
                self._claimed.clear()
                self._ask_for_ports()
                if self._greeted is not None and not self._greeted.done():
                    self._greeted.set_result(event)
                return
            case PortsReserved(ports=ports):
                self._take_ports(ports)
            case Refused(reason=reason):
                _log.error("the media gateway refuses the connection: %s", reason)
                self._fail(MediaUnavailableError(f"the media gateway refuses: {reason}"))
            case _:
                pass
        self._on_event(event)

    def _take_ports(self, ports: tuple[int, ...]) -> None:
        self._ports.extend(port for port in ports if port not in self._claimed)
        self._claimed.clear()
        self._asked = False
        if len(ports) < self._awaited and self._loop is not None:
            # The range is used up, or others have much of it: ask again when ports may have rested;
            # while the first ones are waited for soon, for the next stretch of the range.
            awaited = self._ports_came is not None and not self._ports
            self._exhausted = True
            self._loop.call_later(NEXT_STRETCH_S if awaited else 1.0, self._ask_again)
        elif len(self._ports) <= self._ports_ahead // 2:
            self._ask_for_ports()
        if self._ports and self._ports_came is not None and not self._ports_came.done():
            self._ports_came.set_result(None)

    def _ask_again(self) -> None:
        self._exhausted = False
        if self.connected and len(self._ports) <= self._ports_ahead // 2:
            self._ask_for_ports()

    def _lost(self, transport: asyncio.BaseTransport | None, reason: str) -> None:
        if self._transport is None or transport is not self._transport:
            return  # closed by us; perhaps another stands by now
        stood = self.connected
        self._stop_watching()
        self._transport = self._welcome = None
        self._ports.clear()
        self._queue.clear()
        self._fail(MediaUnavailableError(f"the media gateway went away: {reason}"))
        if stood:
            self._on_lost(reason)

    def _fail(self, error: MediaUnavailableError) -> None:
        for future in (self._greeted, self._ports_came):
            if future is not None and not future.done():
                future.set_exception(error)
                future.exception()  # seen, even when nobody waits for this one


class _Protocol(asyncio.Protocol):
    """Splits the stream into events."""

    def __init__(self, client: GatewayClient) -> None:
        self._client = client
        self._splitter = FrameSplitter()
        self._transport: asyncio.Transport | None = None
        self._reason = "connection closed"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._client._opened(self._transport)

    def data_received(self, data: bytes) -> None:
        try:
            for body in self._splitter.feed(data):
                self._take(body)
        except FramingError as error:
            self._reason = f"not the control protocol: {error}"
            if self._transport is not None:
                self._transport.abort()

    def _take(self, body: bytes) -> None:
        self._client._received(decode_event(body))

    def connection_lost(self, exc: Exception | None) -> None:
        self._client._lost(self._transport, str(exc) if exc else self._reason)


class _SealedProtocol(_Protocol):
    """The same over TCP: first both ends prove that they know the secret."""

    def __init__(self, client: GatewayClient, proof: AgentProof, most_octets: int) -> None:
        super().__init__(client)
        self._proof = proof
        self._opener: Opener | None = None
        self._splitter.most_octets = most_octets
        self.proved: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def _take(self, body: bytes) -> None:
        if self._opener is not None:
            super()._take(self._opener.open(body))
            return
        assert self._transport is not None
        answer = self._proof.receive(body)
        if answer is not None:
            self._transport.write(frame_of(answer))
            return
        self._opener = self._proof.opener
        self._splitter.most_octets = MAX_SEALED_OCTETS
        self._client._opened(self._transport, self._proof.sealer)
        if not self.proved.done():
            self.proved.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._opener is not None:
            super().connection_lost(exc)
        elif not self.proved.done():
            why = str(exc) if exc else self._reason
            words = f"{why} before the secret was proved; is it the same at both ends?"
            self.proved.set_exception(MediaUnavailableError(f"the media gateway: {words}"))
            self.proved.exception()  # seen, even when nobody waits for it


async def _connect(client: GatewayClient, loop: asyncio.AbstractEventLoop, place: TcpPlace) -> None:
    """Connect and prove. What was not proved is let go of here: the client has not heard of it."""
    # Only here: the library takes a tenth of a second to load, and gateways of our own need none.
    from switch.gateway.trust import MOST_OCTETS, AgentProof

    proof = AgentProof(place.secret, secrets.token_bytes)
    transport, protocol = await loop.create_connection(
        lambda: _SealedProtocol(client, proof, MOST_OCTETS), place.host, place.port
    )
    try:
        await protocol.proved
    finally:
        if protocol._opener is None:
            transport.abort()
