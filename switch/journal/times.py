"""Moments in records: seconds since the epoch, exact over a restart within one boot."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from switch.journal.format import Header

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


class Times:
    """Turns monotonic seconds into those of the records and back.

    Within one boot the same moment gives the same number in every process, however the wall clock
    was set meanwhile.
    """

    __slots__ = ("boot", "offset")

    def __init__(self, *, now: float, wall: float, boot: str, before: Header | None) -> None:
        """`before` is the header of the journal that is taken up."""
        self.boot = boot
        same = before is not None and before.boot == boot and boot
        self.offset = before.wall_offset if before is not None and same else wall - now

    def wall(self, moment: float) -> float:
        """A moment of our monotonic clock as it stands in records."""
        return moment + self.offset

    def mono(self, wall: float) -> float:
        """A moment of a record on our monotonic clock."""
        return wall - self.offset


def boot_id() -> str:
    """What tells this run of the kernel from others; empty where it does not say."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return ""
