r"""A gateway on another host: connected, and connected again when the connection breaks.

    connected --broken--> away --connected--> connected     its calls were told to go on
                            \--grace is over--> lost        its calls end; it is still tried

It is not ours: nobody here starts or ends its process.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Final

from switch.errors import MediaUnavailableError
from switch.gateway.client import GatewayClient
from switch.gateway.place import TcpPlace
from switch.gateway.protocol import Hello, Welcome

GRACE_S: Final = 10.0
"""So long its calls go on without commands; a gateway gives them up after its `linger_s`."""
_FIRST_BACK_OFF_S: Final = 0.2
_LONGEST_BACK_OFF_S: Final = 5.0
_FIRST_WITHIN_S: Final = 2.0
"""A start waits so long for the first connection, because calls may have to be taken up there."""

_log = logging.getLogger(__name__)


class RemoteGateway:
    """Keeps a client connected to one gateway. The client's `on_lost` must be `lost` of this object."""

    def __init__(
        self,
        name: str,
        place: TcpPlace,
        client: GatewayClient,
        *,
        hello: Hello,
        on_ready: Callable[[Welcome], None],
        on_away: Callable[[str], None],
        on_lost: Callable[[str], None],
        grace_s: float = GRACE_S,
    ) -> None:
        """`on_ready` is called at each connection, `on_away` when one that stood is broken.

        `on_lost` follows when it was not back, or not there at the start, within `grace_s`.
        """
        self._name = name
        self._place = place
        self._hello = hello
        self._client = client
        self._on_ready = on_ready
        self._on_away = on_away
        self._on_lost = on_lost
        self._grace_s = grace_s
        self._task: asyncio.Task[None] | None = None
        self._broken = asyncio.Event()
        self._connected = asyncio.Event()
        self._grace: asyncio.TimerHandle | None = None
        self._reason = ""
        self._said = ""

    async def start(self) -> None:
        """Begin to connect; return when that is done, or when it takes too long. Never raises."""
        self._reason = "it was not there at the start"
        self._begin_grace()  # it may have calls of an earlier call agent
        self._task = asyncio.create_task(self._run(), name=f"gateway {self._name}")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_FIRST_WITHIN_S):
                await self._connected.wait()

    def lost(self, reason: str) -> None:
        """The client's connection ended: give this to it as `on_lost`."""
        self._reason = reason
        self._begin_grace()
        self._on_away(reason)
        self._broken.set()

    async def stop(self) -> None:
        """Let go of it. What was told to it before is still sent."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        self._end_grace()
        self._client.close()

    async def _run(self) -> None:
        back_off = 0.0
        while True:
            await asyncio.sleep(back_off)
            try:
                welcome = await self._client.connect(self._place, self._hello)
            except MediaUnavailableError as error:
                self._say(str(error))
                back_off = min(max(2 * back_off, _FIRST_BACK_OFF_S), _LONGEST_BACK_OFF_S)
                continue
            back_off = _FIRST_BACK_OFF_S
            self._said = ""
            self._end_grace()
            self._broken.clear()
            self._on_ready(welcome)
            self._connected.set()
            await self._broken.wait()

    def _say(self, fault: str) -> None:
        """Log why it cannot be connected, once for each reason."""
        if fault != self._said:
            self._said = fault
            _log.error("media gateway %s: %s; tried again until it is there", self._name, fault)

    def _give_up(self) -> None:
        self._grace = None
        self._on_lost(self._reason)

    def _begin_grace(self) -> None:
        if self._grace is None:  # a connection that breaks at once again gives no more time
            loop = asyncio.get_running_loop()
            self._grace = loop.call_later(self._grace_s, self._give_up)

    def _end_grace(self) -> None:
        if self._grace is not None:
            self._grace.cancel()
            self._grace = None
