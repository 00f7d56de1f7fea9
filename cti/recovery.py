"""Recordings that a crash left behind: finished, and put into the index of recordings.

What a gateway that dies has recorded is on the disk and lacks only sizes, or in memory that outlives it. One
that was cut off from us finishes its files itself. Either way the file is looked for until it is whole. On
another machine nobody can look: its gateway tells, when it is back.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from crm_store.rows import RecordingFileRow
from recordings.errors import NotARecordingError
from recordings.finish import find_whole
from recordings.outcome import Outcome
from recordings.recover import Recovered, recover, recover_file
from recordings.sidecar import read_sidecar
from recordings.tails import sweep
from switch.calls.events import RecordingClosed
from switch.ids import RecordingId

log = logging.getLogger(__name__)

_LOOK_EVERY_S: Final = 0.25
_LOOK_FOR_S: Final = 15.0
"""A gateway that lost us closes its files within five seconds, or is killed within ten."""


class RecordingRecovery:
    """Finishes files after a loss, and writes index rows for what nobody remembers."""

    def __init__(
        self,
        *,
        append: Callable[[RecordingFileRow], None],
        wall: Callable[[], float],
        stopping: asyncio.Event,
    ) -> None:
        self._append = append
        self._wall = wall
        self._stopping = stopping
        self._sought: dict[RecordingId, Outcome | None] = {}
        """Those that are looked for, and what their gateway has told of them since."""

    def expect(self, recording: RecordingId) -> None:
        """A recording is going to be resolved: what its gateway tells of it counts from now on."""
        self._sought[recording] = None

    def told(self, outcome: Outcome) -> None:
        """A gateway has closed a recording, maybe one that is looked for because it was cut off."""
        if outcome.recording in self._sought:
            self._sought[outcome.recording] = outcome

    async def resolve(
        self, event: RecordingClosed, then: Callable[[RecordingClosed], None]
    ) -> None:
        """Call `then` with what became of a recording that is expected, whose gateway was lost.

        At shutdown it is not called for a file that is not there yet: the next start finds what is left.
        """
        try:
            found = await self._seek(event)
        finally:
            told = self._sought.pop(event.recording)
        if (outcome := told or found) is not None:
            log.info("recording %s is whole up to the loss: %s", event.recording, outcome.path)
            then(
                replace(
                    event,
                    path=outcome.path,
                    duration_ms=outcome.duration_ms,
                    octets=outcome.octets,
                    sha256=outcome.sha256,
                    error=outcome.error,
                )
            )
        elif not self._stopping.is_set():
            log.error("recording %s was not found after the loss: %s", event.recording, event.path)
            then(event)
        if not self._sought:
            await asyncio.to_thread(sweep)

    async def _seek(self, event: RecordingClosed) -> Outcome | None:
        """What lies on this disk, or is told meanwhile; None: nothing in time, or at shutdown."""
        for _ in range(round(_LOOK_FOR_S / _LOOK_EVERY_S)):
            found = self._sought[event.recording] or await asyncio.to_thread(_look, event.path)
            if found is not None:
                return found
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_EVERY_S):
                    await self._stopping.wait()
                return None
        return None

    def index(self, found: Sequence[Recovered]) -> None:
        """Write the index rows of files that an earlier process recorded."""
        for one in found:
            self._index(one.outcome, one.started_at)

    async def index_file(self, outcome: Outcome) -> None:
        """Write the index row of a file that a gateway finished for a call agent that is gone.

        Or for one that has given it up, and written a row that says so.
        """
        self._index(outcome, await self._started_at(outcome))

    async def _started_at(self, outcome: Outcome) -> float:
        """When it began: by what lies beside the file, else by its length, as if it ended now.

        A row that was written before keeps the time that it has.
        """
        with contextlib.suppress(OSError, NotARecordingError):
            return (await asyncio.to_thread(read_sidecar, Path(outcome.path))).started_at
        return self._wall() - outcome.duration_ms / 1000

    def _index(self, outcome: Outcome, started_at: float) -> None:
        stem = Path(outcome.path).stem
        interaction = stem.removesuffix(f"-{outcome.recording}")
        if not outcome.recording or interaction == stem:
            log.warning("%s belongs to no interaction: it stays out of the index", outcome.path)
            return
        self._append(
            RecordingFileRow(
                recording_id=outcome.recording,
                interaction_id=interaction,
                started=started_at,
                path=outcome.path,
                duration_s=outcome.duration_ms / 1000,
                octets=outcome.octets,
                sha256=outcome.sha256,
                error=outcome.error,
            )
        )


def _look(path: str) -> Outcome | None:
    """What there is of a recording; None while somebody still writes it, or when nothing is there."""
    whole = Path(f"{path}.wav")
    try:
        if whole.exists():
            return find_whole(whole)
        recovered = recover_file(Path(f"{path}.part"))
    except (OSError, NotARecordingError):
        return None
    return None if recovered is None else recovered.outcome


async def finish_left_behind(folder: Path) -> list[Recovered]:
    """Finish what a crash left growing in the folder of recordings, by a thread."""
    try:
        return await asyncio.to_thread(recover, folder)
    except OSError:
        log.exception("the recordings that a crash left behind could not be finished")
        return []
