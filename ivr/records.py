"""A caller's way through a flow as a value that outlives the process."""

from __future__ import annotations

import msgspec


class RunRecord(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Where a caller is in which flow. What it entered secretly is not kept."""

    flow: str
    node: str
    """Empty: to be begun anew, because it needs what is not kept."""
    known: dict[str, str]
