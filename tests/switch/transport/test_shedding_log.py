"""Two lines for an overload."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest

from switch.clock import TimerHandle
from switch.transport.inflow import Inflow
from switch.transport.shedding_log import SheddingLog


class Timers:
    """A clock with one timer."""

    def __init__(self) -> None:
        self.at = 0.0
        self.due: tuple[float, Callable[[], None]] | None = None

    def now(self) -> float:
        return self.at

    def wall(self) -> float:
        return self.at

    def call_at(self, when: float, callback: Callable[[], None]) -> TimerHandle:
        assert self.due is None
        self.due = when, callback
        return self

    def cancel(self) -> None:
        self.due = None

    def run_to(self, when: float) -> None:
        while self.due is not None and self.due[0] <= when:
            (self.at, callback), self.due = self.due, None
            callback()
        self.at = when


def test_an_overload_is_told_when_it_begins_and_when_it_is_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    timers, inflow = Timers(), Inflow[int]()
    shedding = SheddingLog(timers)
    inflow.refused = 7
    for second in range(1, 21):
        timers.run_to(float(second))
        inflow.refused += 10
        shedding.refused(inflow, 10, timers.now())
    inflow.dropped = 3
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == ["overload"]
    timers.run_to(100.0)
    assert timers.due is None
    assert len(caplog.records) == 2
    last = caplog.records[-1].getMessage()
    assert "over after 19 s" in last
    assert "200 requests" in last
    assert "3 messages dropped" in last
    shedding.refused(inflow, 0, 100.0)
    assert len(caplog.records) == 3
