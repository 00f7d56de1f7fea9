"""Limits of a process that serves."""

from __future__ import annotations

import resource
from typing import Final

_MOST_FILES: Final = 1 << 20


def raise_open_files() -> int:
    """Raise the soft limit of open files as far as the hard one allows; gives what it is now."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return most
