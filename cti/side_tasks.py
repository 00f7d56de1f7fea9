"""Work beside the calls, and the way down: what fails there must not take the node with it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

log = logging.getLogger(__name__)

_STOP_S: Final = 6.0
"""Bound of each step of the way down."""


async def bounded(name: str, step: Callable[[], Awaitable[None]]) -> None:
    """One step of the way down; one that fails or hangs does not keep the others."""
    try:
        async with asyncio.timeout(_STOP_S):
            await step()
    except Exception:
        log.exception("stopping: %s", name)


async def alone(work: Coroutine[Any, Any, None]) -> None:
    """A task beside the calls; a fault ends it alone."""
    try:
        await work
    except Exception:
        log.exception("a task beside the calls failed")
