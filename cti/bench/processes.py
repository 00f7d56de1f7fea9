"""What a process and its children cost, as the kernel counts it."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_SCHEDULED = 2
"""The kind of clock that counts what ran, not ticks."""


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU seconds and resident memory of a process, or of several together."""

    cpu_s: float = 0.0
    """User and system together, to the nanosecond."""
    system_s: float = 0.0
    """In steps of the kernel's tick, mostly 10 ms."""
    resident: int = 0
    """Octets."""

    def since(self, before: Usage) -> Usage:
        """What was used since `before`; memory is the difference too."""
        return Usage(
            self.cpu_s - before.cpu_s,
            self.system_s - before.system_s,
            self.resident - before.resident,
        )

    def plus(self, other: Usage) -> Usage:
        """Both together."""
        return Usage(
            self.cpu_s + other.cpu_s,
            self.system_s + other.system_s,
            self.resident + other.resident,
        )


def usage(pid: int) -> Usage:
    """What one process has used so far; nothing when it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
        cpu_s = time.clock_gettime(_cpu_clock(pid))
    except OSError:
        return Usage()
    fields = text.rpartition(")")[2].split()
    return Usage(cpu_s, int(fields[12]) / _TICKS, int(fields[21]) * _PAGE)


def _cpu_clock(pid: int) -> int:
    """The clock of a process's CPU time, as clock_getcpuclockid(3) makes it on Linux."""
    return (~pid << 3) | _SCHEDULED


def threads(pid: int) -> int:
    """How many threads a process has; none when it is gone."""
    try:
        return len(list(Path(f"/proc/{pid}/task").iterdir()))
    except OSError:
        return 0


def file_backed(pid: int) -> int:
    """Octets of resident memory that are pages of files: the kernel drops and fetches them as it likes."""
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    lines = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    return 1024 * int(lines.get("RssFile", "0").split()[0])


def children(pid: int) -> list[int]:
    """The processes below `pid`, all generations."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            direct = [int(child) for child in task.read_text().split()]
        except OSError:
            continue
        for child in direct:
            found.append(child)
            found += children(child)
    return found


def tree_usage(pid: int) -> Usage:
    """A process and everything below it."""
    total = usage(pid)
    for child in children(pid):
        total = total.plus(usage(child))
    return total
