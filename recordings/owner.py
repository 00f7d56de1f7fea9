"""Which process writes a recording, and whether it still lives.

A gateway outlives the call agent, so recovery must leave alone what is still being written.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

_PROC = Path("/proc")


def _boot() -> str | None:
    """Name this boot and this process table; None where /proc is missing."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{boot}/{os.readlink(_PROC / 'self/ns/pid')}"
    except OSError:
        return None


def _start_ticks(pid: int) -> str | None:
    """Return when a process began, in ticks since boot; None when there is none.

    One that was killed is there until its last thread has come back from the disk.
    """
    process = _PROC / str(pid)
    try:
        stat = (process / "stat").read_text("ascii", errors="replace")
        fields = stat.rpartition(")")[2].split()
        is_gone = fields[0] in "ZX" and len(os.listdir(process / "task")) <= 1
    except OSError:
        return None
    return None if is_gone else fields[19]


@cache
def _owner_of(pid: int) -> str:
    return f"{_boot() or '?'}/{pid}/{_start_ticks(pid) or '?'}"


def current_owner() -> str:
    """Return the name of this process, unique over restarts and pid reuse."""
    return _owner_of(os.getpid())


def is_alive(owner: str) -> bool | None:
    """Return whether the owner still runs; None when that cannot be known from here."""
    place, _, start = owner.rpartition("/")
    boot, _, pid = place.rpartition("/")
    here = _boot()
    if boot != here or not pid.isdecimal() or start == "?":
        return None  # another host or container with the same folder, or an earlier boot
    return _start_ticks(int(pid)) == start
