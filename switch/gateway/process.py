"""The gateway as a child process of the call agent: started, connected, restarted, stopped."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from switch.c_heap import with_packed_heap
from switch.errors import MediaUnavailableError
from switch.gateway.client import GatewayClient
from switch.gateway.protocol import Shutdown, Welcome

START_WITHIN_S: Final = 200.0
"""From the start of the process to its `Welcome`; the first one of a version compiles its loops, which takes
half a minute on two free cores and minutes on a busy one."""
STOP_WITHIN_S: Final = 6.0
"""A gateway closes its recordings within five seconds."""
FIRST_BACK_OFF_S: Final = 0.2
LONGEST_BACK_OFF_S: Final = 10.0
STEADY_S: Final = 30.0
"""After so long without a fault the next restart is quick again."""
_TRY_EVERY_S: Final = 0.05

_log = logging.getLogger(__name__)


class GatewayProcess:
    """Keeps one gateway running and a client connected to it.

    `client.on_lost` must be given as `lost` of this object, or call it.
    """

    def __init__(
        self,
        argv: Sequence[str],
        socket_path: Path,
        client: GatewayClient,
        *,
        on_ready: Callable[[Welcome], None],
        on_lost: Callable[[str], None],
    ) -> None:
        """`argv` starts a gateway that listens at `socket_path`.

        `on_ready` is called each time a gateway is ready, `on_lost` each time one that was ready
        is gone: its legs are gone with it when the next `Welcome` names another gateway.
        """
        self._argv = tuple(argv)
        self._socket_path = socket_path
        self._client = client
        self._on_ready = on_ready
        self._on_lost = on_lost
        self._process: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None
        self._lost = asyncio.Event()
        self._stopping = False

    @property
    def pid(self) -> int | None:
        """The child, while there is one."""
        process = self._process
        return None if process is None or process.returncode is not None else process.pid

    async def start(self) -> Welcome:
        """Start the gateway and wait until it is ready; from then on it is kept running.

        Raises MediaUnavailableError when it does not come up; then nothing is left behind.
        """
        try:
            welcome = await self._bring_up()
        except BaseException:
            await self._end_child()
            raise
        self._task = asyncio.create_task(self._supervise(), name="gateway supervision")
        self._on_ready(welcome)
        return welcome

    def lost(self, reason: str) -> None:
        """The client's connection ended: give this to it as `on_lost`."""
        if self._stopping:
            return
        self._on_lost(reason)
        self._lost.set()

    async def stop(self) -> None:
        """Ask the gateway to end, wait within bounds, then end it. Leaves no child."""
        self._stopping = True
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        process = self._process
        if process is not None and process.returncode is None:
            if self._client.connected:
                self._client.send(Shutdown())
                self._client.flush()
            else:
                process.terminate()  # means the same to a gateway
            try:
                async with asyncio.timeout(STOP_WITHIN_S):
                    await process.wait()
            except TimeoutError:
                _log.error("the media gateway does not end by itself: killed")
        elif self._client.connected:
            self._client.send(Shutdown())  # one that outlived an earlier call agent
            self._client.flush()
        await self._end_child()

    async def _supervise(self) -> None:
        """Bring a gateway up again: at once the first time, then after longer and longer waits."""
        loop = asyncio.get_running_loop()
        ready_at = loop.time()
        back_off = 0.0
        while True:
            await self._lost.wait()
            if loop.time() - ready_at >= STEADY_S:
                back_off = 0.0
            while True:
                await asyncio.sleep(back_off)
                back_off = min(max(2 * back_off, FIRST_BACK_OFF_S), LONGEST_BACK_OFF_S)
                self._lost.clear()
                try:
                    welcome = await self._bring_up()
                except MediaUnavailableError as error:
                    _log.error("%s; next attempt in %.1f s", error, back_off)
                    continue
                break
            ready_at = loop.time()
            self._on_ready(welcome)

    async def _bring_up(self) -> Welcome:
        """Connect to the child, starting one when there is none."""
        process = self._process
        if process is not None and process.returncode is None:
            # Perhaps only the connection broke; a dying child is seen by its exit or its silence.
            try:
                return await self._client.connect(self._socket_path)
            except MediaUnavailableError:
                await self._end_child()
        elif process is None and self._socket_path.exists():
            # Perhaps one outlived an earlier call agent; two cannot listen at one place.
            with contextlib.suppress(MediaUnavailableError):
                return await self._client.connect(self._socket_path)
        try:
            self._process = process = await asyncio.create_subprocess_exec(
                *self._argv, stdin=asyncio.subprocess.DEVNULL, env=with_packed_heap()
            )
        except OSError as error:
            raise MediaUnavailableError(
                f"the media gateway cannot be started ({self._argv[0]}): {error}"
            ) from error
        loop = asyncio.get_running_loop()
        end = loop.time() + START_WITHIN_S
        while True:
            try:
                return await self._client.connect(self._socket_path)
            except MediaUnavailableError:
                if process.returncode is not None:
                    raise MediaUnavailableError(
                        f"the media gateway ended with status {process.returncode} at its start"
                    ) from None
                if loop.time() >= end:
                    await self._end_child()
                    raise
            await asyncio.sleep(_TRY_EVERY_S)

    async def _end_child(self) -> None:
        self._client.close()
        process = self._process
        if process is not None:
            if process.returncode is None:
                process.kill()
            await process.wait()
            self._process = None
