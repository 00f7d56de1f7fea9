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
        async with asyncio.timeout(_STOP_S) as limit:
            await step()
    except Exception:
        if limit.expired():
            log.error("stopping: %s is not done after %g s; the next step", name, _STOP_S)
        else:
            log.exception("stopping: %s failed; the next step", name)


async def alone(work: Coroutine[Any, Any, None]) -> None:
    """A task beside the calls; a fault ends it alone."""
    try:
        await work
    except Exception:
        name = getattr(work, "__qualname__", repr(work))
        log.exception("%s failed; the calls go on without it", name)
