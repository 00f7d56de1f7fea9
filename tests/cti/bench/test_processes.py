from __future__ import annotations

import os
import time

import pytest

from cti.bench.processes import usage


def test_cpu_time_is_counted_finer_than_the_kernels_tick() -> None:
    before, own = usage(os.getpid()), time.process_time()
    while time.process_time() - own < 0.003:
        pass
    used = usage(os.getpid()).since(before)
    assert used.cpu_s == pytest.approx(time.process_time() - own, abs=0.002)
    assert used.cpu_s > 0.003


def test_a_process_that_is_gone_used_nothing() -> None:
    pid = os.posix_spawn("/bin/true", ["true"], {})
    os.waitpid(pid, 0)
    assert usage(pid).cpu_s == 0.0
    assert usage(pid).resident == 0
