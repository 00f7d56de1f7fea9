"""Where the gateway keeps the newest sound of recordings: memory that outlives it (`recordings.tails`)."""

from __future__ import annotations

import logging
import math
import mmap
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from recordings.tails import MEMORY, OWNER, folder_of, name_of
from switch.media.tails import Tails

_LOST: Final = (
    "make room in memory, %s (%s): else recordings of a killed gateway lack their last 0.7 s"
)

_log = logging.getLogger(__name__)


class SharedTails(Tails):
    """Tails that are found by the name of the process that fills them.

    Where no such memory is to be had they lie in that of the process, and their end is lost with it: the log
    says so.
    """

    def __init__(self, owner: str, memory: Path = MEMORY) -> None:
        super().__init__()
        self._folder: Path | None = None
        folder = folder_of(owner, memory)
        try:
            folder.mkdir(mode=0o700)
            (folder / OWNER).write_text(owner)
        except OSError as error:
            _log.warning(_LOST, folder, error.strerror or error)
        else:
            self._folder = folder

    def grow(self, rows: int) -> None:
        """As `Tails.grow`; takes the memory at once, so that none can be wanting later."""
        if self._folder is None:
            super().grow(rows)
            return
        try:
            grown = {
                name: _shared(self._folder / name, column.dtype, (rows, *column.shape[1:]))
                for name, column in _columns(self)
            }
        except OSError as error:
            _log.warning(_LOST, self._folder, error.strerror or error)
            self.remove()
            super().grow(rows)
        else:
            vars(self).update(grown)

    def begin(self, row: int, path: str) -> None:
        """As `Tails.begin`; found by every spelling of the path that leads through the same folders."""
        super().begin(row, name_of(path))

    def remove(self) -> None:
        """Everything is on the disk."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None


def _columns(tails: Tails) -> Iterator[tuple[str, NDArray[Any]]]:
    for name, column in vars(tails).items():
        if isinstance(column, np.ndarray):
            yield name, column


def _shared(path: Path, dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """A column in a file of memory that has room for all of it; what was in the file is in the column."""
    octets = dtype.itemsize * math.prod(shape)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(handle, 0, octets)
        return np.frombuffer(mmap.mmap(handle, octets), dtype).reshape(shape)
    finally:
        os.close(handle)
