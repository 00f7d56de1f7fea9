"""What the media engine needs from outside: somewhere to put recorded frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from switch.ids import RecordingId


class RecordingSink(Protocol):
    """Takes the frames of all running recordings. Every method returns at once: no disk, no lock held long.

    Called from the engine's thread. What went wrong comes back through `poll`.
    """

    def open(self, recording: RecordingId, path: str) -> None:
        """Prepare a recording; `path` is absolute and has no suffix."""

    def append(self, recordings: Sequence[RecordingId], block: NDArray[np.uint8]) -> None:
        """Append sound: `block` is (n_recordings, n_samples, 2) mu-law at 8 kHz, left first.

        The engine reuses `block` afterwards; the sink copies what it keeps.
        """

    def close(self, recording: RecordingId) -> None:
        """No more frames will come; finish the file."""

    def poll(self) -> list[RecordingOutcome]:
        """What has been finished or has failed since the last call."""


class RecordingOutcome(Protocol):
    """The end of a recording: a file, or the reason why there is none (or only a part)."""

    @property
    def recording(self) -> RecordingId: ...
    @property
    def path(self) -> str: ...
    @property
    def duration_ms(self) -> int: ...
    @property
    def octets(self) -> int: ...
    @property
    def sha256(self) -> str: ...
    @property
    def error(self) -> str | None:
        """None when the file is whole."""
