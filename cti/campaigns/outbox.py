"""What has to reach the store, on disk until it has: attempts, records given back, states of campaigns.

One JSON line an item, appended and synced before the store is asked, so that neither a store that is
away nor a crash loses who was called. What a crash leaves here is delivered again at the next start;
the store takes an attempt twice without harm. Blocking: called in a worker thread.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from acd.dialer.model import Attempt, CampaignName, CampaignState, Held


class Dialled(Struct, frozen=True, tag="attempt"):
    """What became of a dial."""

    attempt: Attempt


class GivenBack(Struct, frozen=True, tag="release"):
    """Records that were brought and are not dialled."""

    held: tuple[Held, ...]
    at: float
    reason: str = ""


class Moved(Struct, frozen=True, tag="state"):
    """A campaign was started, paused or finished."""

    campaign: CampaignName
    state: CampaignState
    at: float
    by: str


Item = Dialled | GivenBack | Moved

_encode = msgspec.json.Encoder().encode
_DECODER: Final = msgspec.json.Decoder(Item)


class Outbox:
    """A file of items that wait for the store. Not for several processes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.bad_lines = 0
        """Lines that could not be read: a crash cut them short."""

    def read(self) -> list[Item]:
        """What an earlier process left. Raises OSError when it cannot be read."""
        found: list[Item] = []
        try:
            with self.path.open("rb") as file:
                for line in file:
                    try:
                        found.append(_DECODER.decode(line))
                    except msgspec.DecodeError:
                        self.bad_lines += 1
        except FileNotFoundError:
            pass
        return found

    def append(self, items: Sequence[Item]) -> None:
        """Add items at the end. Either all are on disk afterwards or `OSError` is raised."""
        self.path.touch(mode=0o600)
        with self.path.open("ab") as file:
            end = file.tell()
            try:
                file.write(b"".join(_encode(item) + b"\n" for item in items))
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                os.ftruncate(file.fileno(), end)  # a full disk must not leave half of them
                raise

    def clear(self) -> None:
        """All of it is in the store. Raises OSError."""
        self.path.unlink(missing_ok=True)
