from __future__ import annotations

from acd.timers import Due, Timers

A, B = (Due.AGENT, "a"), (Due.ANNOUNCE, "b")


def test_deadlines_come_out_in_order_when_they_are_due() -> None:
    timers = Timers()
    timers.set(B, 2.0)
    timers.set(A, 1.0)
    assert timers.next() == 1.0
    assert timers.pop_due(0.9) is None
    assert [timers.pop_due(5.0), timers.pop_due(5.0), timers.pop_due(5.0)] == [A, B, None]


def test_a_deadline_that_is_moved_or_cancelled_no_longer_counts() -> None:
    timers = Timers()
    timers.set(A, 1.0)
    timers.set(A, 3.0)
    timers.set(B, 2.0)
    timers.cancel(B)
    timers.cancel(B)
    assert (timers.when(A), timers.when(B), timers.next()) == (3.0, None, 3.0)
    assert timers.pop_due(2.9) is None


def test_leavings_do_not_pile_up() -> None:
    timers = Timers()
    for moment in range(10_000):
        timers.set(A, 1e6 + moment)
    assert len(timers) == 1
    assert len(timers._heap) < 200
