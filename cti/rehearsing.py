"""A rehearsal over the processors of this machine: days in turn, seeds side by side in threads."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from acd.simulation.rehearsal import Rehearsal


def run_all(
    rehearsal: Rehearsal, *, jobs: int = 0, on_day: Callable[[], object] = lambda: None
) -> None:
    """Run every day for every seed; `on_day` is called after each. `jobs` 0: one a processor."""
    with ThreadPoolExecutor(jobs or os.cpu_count() or 1) as pool:
        try:
            for day in range(rehearsal.days):
                work = [pool.submit(rehearsal.run, day, seed, 1) for seed in range(rehearsal.seeds)]
                for done in work:
                    done.result()
                    on_day()
        except KeyboardInterrupt:
            pool.shutdown(cancel_futures=True)
            raise
