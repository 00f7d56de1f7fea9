"""The heap is looked at from the start to the end of a server, beside the calls."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any

from cti.huge_pages import HugePages
from tests.kit.virtual_clock import VirtualClock


def test_it_looks_every_twenty_seconds_in_a_thread_until_it_is_stopped() -> None:
    clock, looked = VirtualClock(), list[tuple[float, bool]]()
    begun = clock.now()

    def collapse() -> int:
        is_beside = threading.current_thread() is not threading.main_thread()
        looked.append((clock.now() - begun, is_beside))
        return 0

    def spawn(work: Coroutine[Any, Any, None]) -> None:
        asyncio.run(work)

    stop = HugePages(clock, spawn, collapse=collapse).watch()
    clock.advance(45.0)
    stop()
    clock.advance(100.0)
    assert looked == [(0.0, True), (20.0, True), (40.0, True)]
    assert clock.pending == 0
