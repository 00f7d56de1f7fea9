"""The recordings that earlier processes left behind, and those whose gateway is lost, of a node.

They are finished by a thread from the start on, beside everything: calls do not wait for the disk. What was
found comes into the index once, and nobody finishes a file that somebody else is finishing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from crm_store.store import Store
from cti.recovery import RecordingRecovery, finish_left_behind
from recordings.outcome import Outcome
from switch.calls.events import RecordingClosed
from switch.gateway.protocol import RecordingFinished

log = logging.getLogger(__name__)


class LeftBehind:
    """What a crash left growing. To be made in a running task group, before the store is there."""

    def __init__(
        self,
        folder: Path,
        tasks: asyncio.TaskGroup,
        stopping: asyncio.Event,
        wall: Callable[[], float],
    ) -> None:
        """`stopping`: calls end now, and nobody waits for a file any more."""
        self._wall = wall
        self._found = tasks.create_task(finish_left_behind(folder))
        self._stopping = stopping
        self._recovery: RecordingRecovery
        self._is_indexed = False

    def use(self, store: Store) -> None:
        """The index is there."""
        self._recovery = RecordingRecovery(
            append=store.history.append,
            wall=self._wall,
            stopping=self._stopping,
        )

    async def index(self) -> None:
        """Write the index rows of what was found, once."""
        found = list(await self._found)
        if found and not self._is_indexed:
            self._is_indexed = True
            log.warning("finished %d recordings that a crash left behind", len(found))
            self._recovery.index(found)

    def resolve(
        self, event: RecordingClosed, then: Callable[[RecordingClosed], None]
    ) -> Coroutine[Any, Any, None]:
        """What a dead gateway wrote is on the disk; `then` hears of it when the file is whole.

        What a gateway tells of it counts from this call on, and not only once the task of it runs.
        """
        self._recovery.expect(event.recording)
        return self._resolve(event, then)

    async def _resolve(
        self, event: RecordingClosed, then: Callable[[RecordingClosed], None]
    ) -> None:
        await self._found  # two must not finish one file
        await self._recovery.resolve(event, then)

    def told(self, event: RecordingFinished) -> None:
        """A gateway has closed a recording of ours; it may have been given up meanwhile."""
        self._recovery.told(_outcome(event))

    async def index_file(self, event: RecordingFinished) -> None:
        """A gateway that outlived an earlier call agent, or was given up by us, closed this file for us."""
        await self._recovery.index_file(_outcome(event))


def _outcome(event: RecordingFinished) -> Outcome:
    return Outcome(
        recording=event.recording,
        path=event.path,
        duration_ms=event.duration_ms,
        octets=event.octets,
        sha256=event.sha256,
        error=None,
    )
